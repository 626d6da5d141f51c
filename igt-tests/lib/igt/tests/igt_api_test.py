#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (C) 2026 The vsvm developers
"""Runs the sample programs and compares what they print and return.

usage: igt_api_test.py DIRECTORY-OF-THE-SAMPLES VARIANT
"""

import os
import re
import signal
import subprocess
import sys
import unittest

SAMPLES = ""
VARIANT = ""
TIME = r"\(\d+\.\d{3}s\)"

PASS = ["pass", "pass-checks", "pass-timeout", "pass-fork", "pass-name",
        "pass-number-0", "pass-number-1"]
WARN = ["warn", "warn-condition"]
SKIP = ["skip", "skip-require"]
FAIL = ["fail", "fail-status", "fail-eq", "fail-u64", "fail-long-log",
        "fail-child", "fail-child-signal", "fail-child-skip",
        "fail-child-left", "fail-thread"]
DYNAMIC = ["dynamic", "dynamic-fail", "dynamic-crash", "dynamic-none",
           "dynamic-all-skip"]
GROUP = ["group-skipped", "group-runs"]
DIE = ["crash", "crash-stack", "crash-abort", "die-term", "die-exit",
       "abort-run"]


class Result:
    """Output and exit status of one run of a sample."""

    def __init__(self, sample, *options, runner=True, ends=None, env=None):
        environment = dict(os.environ)
        environment.pop("IGT_SENTINEL_ON_STDERR", None)
        if runner:
            environment["IGT_SENTINEL_ON_STDERR"] = "1"
        if ends:
            environment["SAMPLE_ENDS"] = ends
        environment.update(env or {})
        done = subprocess.run([f"{SAMPLES}/{sample}_{VARIANT}", *options],
                              env=environment, capture_output=True, text=True,
                              timeout=60, check=False)
        self.out = done.stdout
        self.err = done.stderr
        self.status = done.returncode


class Api(unittest.TestCase):
    """What igt_runner and people see."""

    def subtest(self, name, **kwargs):
        """Runs one subtest of the sample."""
        return Result("sample", "--run-subtest", name, **kwargs)

    def marks(self, name, result):
        """Start and result line of a subtest, as a pattern."""
        return (rf"Starting subtest: {name}\n"
                rf"Subtest {name}: {result} {TIME}\n")

    def test_list(self):
        """Names in order, nothing else."""
        done = Result("sample", "--list-subtests")
        self.assertEqual(done.status, 0)
        self.assertEqual(done.out.split("\n")[:-1],
                         PASS + WARN + SKIP + FAIL + DYNAMIC + GROUP + DIE)
        self.assertEqual(done.err, "")

    def test_list_pattern(self):
        """The last pattern that fits decides."""
        for pattern, names in (
                ("pass-number-*", ["pass-number-0", "pass-number-1"]),
                ("skip,warn", ["warn", "skip"]),
                ("skip*,!*-require", ["skip"]),
                ("!*a*,!*i*,!*p*", ["crash"][:0]),
                ("group-?uns", ["group-runs"])):
            done = Result("sample", "--list-subtests", "--run-subtest",
                          pattern)
            self.assertEqual(done.out.split(), names, pattern)

    def test_pass(self):
        """Only the marks go to stderr."""
        for name in PASS + ["group-runs"]:
            done = self.subtest(name)
            self.assertEqual(done.status, 0, done.err)
            self.assertRegex(done.err, f"^{self.marks(name, 'SUCCESS')}$")
            self.assertRegex(done.out, r"^IGT-Version: \S.* \(\S+\) "
                             r"\(Linux: \S+ \S+\)\n")
            self.assertRegex(done.out, rf"(?s)\nStarting subtest: {name}\n.*"
                             rf"Subtest {name}: SUCCESS {TIME}\n.*"
                             r"last fixture\nexit handler\n$")
            # each one once, and the exit handler once
            self.assertEqual(done.out.count("subtest"), 1)
            self.assertEqual(done.out.count("exit handler"), 1)

    def test_no_runner(self):
        """Without igt_runner the marks are on stdout only."""
        done = self.subtest("pass", runner=False)
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertIn("\nvalue 7\n", done.out)

    def test_name(self):
        """The program knows its own names."""
        self.assertIn(f"\npass-name in sample_{VARIANT}\n", self.subtest("pass-name").out)

    def test_warn(self):
        """A warning is on stderr and the subtest passes."""
        for name, text in (("warn", "look here"),
                           ("warn-condition", "too high")):
            done = self.subtest(name)
            self.assertEqual(done.status, 0)
            self.assertRegex(done.err,
                             rf"\(sample_{VARIANT}:\d+\) WARNING: {text}\n")
            self.assertIn(f"Subtest {name}: SUCCESS", done.err)

    def test_skip(self):
        """The reason is on stdout, the exit status is 77."""
        for name, text in (("skip", "no reason"),
                           ("skip-require", "value is 7")):
            done = self.subtest(name)
            self.assertEqual(done.status, 77)
            self.assertRegex(done.err, f"^{self.marks(name, 'SKIP')}$")
            self.assertIn(text, done.out)

    def test_fail(self):
        """The reason is on stderr, the exit status is 98 or as given."""
        status = {"fail-status": 99, "fail-child-signal": 128 + 9}
        text = {"fail-eq": r"error: 7 != 8",
                "fail-u64": r"error: 4294967296 != 0",
                "fail-long-log": r"value 7",
                "fail-child": r"child 1 failed with exit status 98",
                "fail-child-signal": r"child 0 died with signal 9",
                "fail-child-skip": r"igt_skip\(\) in a child",
                "fail-child-left": r"igt_fork\(\) were left",
                "fail-thread": r"error: 0 != 1"}
        for name in FAIL:
            done = self.subtest(name)
            self.assertEqual(done.status, status.get(name, 98), name)
            self.assertRegex(done.err, rf"(?s)Starting subtest: {name}\n.*"
                             rf"Subtest {name} failed\.\n.*"
                             rf"Subtest {name}: FAIL {TIME}\n$")
            self.assertRegex(done.err, text.get(name, "."))
            self.assertRegex(done.out, rf"Subtest {name}: FAIL {TIME}\n")

    def test_fail_report(self):
        """Place, condition, errno and kept messages are reported."""
        done = self.subtest("fail-eq")
        self.assertRegex(done.err, r"Test assertion failure function \w+, "
                         r"file \S*sample\.c:\d+:\n")
        self.assertIn("Failed assertion: fixture_value == 8\n", done.err)
        self.assertIn("Last errno: 2, No such file or directory\n", done.err)
        self.assertRegex(done.err, r"(?s)\*\*\*\* DEBUG \*\*\*\*\n.*"
                         r"DEBUG: kept for the failure\n.*"
                         r"\*\*\*\*  END  \*\*\*\*\n")

    def test_fail_log_is_bounded(self):
        """Only the latest messages are kept."""
        done = self.subtest("fail-long-log")
        self.assertNotIn("noise 40\n", done.err)
        self.assertIn("noise 299\n", done.err)

    def test_go_on(self):
        """A failure does not end the program; it decides the status."""
        done = self.subtest("fail,pass,skip")
        self.assertEqual(done.status, 98)
        for line in ("Subtest pass: SUCCESS", "Subtest skip: SKIP",
                     "Subtest fail: FAIL"):
            self.assertIn(line, done.out)
        self.assertEqual(self.subtest("pass,skip").status, 0)

    def test_crash(self):
        """A crash has a result line and the signal as status."""
        for name, sig in (("crash", "SIGSEGV"), ("crash-stack", "SIGSEGV"),
                          ("crash-abort", "SIGABRT")):
            done = self.subtest(name)
            self.assertEqual(done.status, -getattr(signal, sig))
            for stream in (done.out, done.err):
                self.assertRegex(stream, rf"Subtest {name}: CRASH {TIME}\n")
            self.assertIn(f"Received signal {sig}.\n", done.err)
            self.assertIn("exit handler: signal\n", done.out)

    def test_die(self):
        """Ended from outside or by exit(): no result line."""
        done = self.subtest("die-term")
        self.assertEqual(done.status, -signal.SIGTERM)
        self.assertNotIn("Subtest die-term", done.out + done.err)
        self.assertIn("exit handler: signal\n", done.out)
        done = self.subtest("die-exit")
        self.assertEqual(done.status, 0)
        self.assertNotIn("Subtest die-exit", done.out + done.err)

    def test_abort(self):
        """The status that stops igt_runner."""
        done = self.subtest("abort-run")
        self.assertEqual(done.status, 112)
        self.assertIn("no use to go on", done.err)
        self.assertIn("exit handler\n", done.out)

    def test_dynamic(self):
        """Dynamic subtests have marks of their own."""
        done = self.subtest("dynamic")
        self.assertEqual(done.status, 0)
        self.assertRegex(done.err, "^Starting subtest: dynamic\n"
                         "Starting dynamic subtest: first\n"
                         f"Dynamic subtest first: SUCCESS {TIME}\n"
                         "Starting dynamic subtest: number-0\n"
                         f"Dynamic subtest number-0: SUCCESS {TIME}\n"
                         "Starting dynamic subtest: number-1\n"
                         f"Dynamic subtest number-1: SKIP {TIME}\n"
                         f"Subtest dynamic: SUCCESS {TIME}\n$")

    def test_dynamic_select(self):
        """One dynamic subtest can be chosen."""
        done = Result("sample", "--run-subtest", "dynamic",
                      "--dynamic-subtest", "number-0")
        self.assertEqual(re.findall(r"Dynamic subtest (\S+):", done.out),
                         ["number-0"])

    def test_dynamic_fail(self):
        """One fails, the rest runs, the whole fails."""
        done = self.subtest("dynamic-fail")
        self.assertEqual(done.status, 98)
        self.assertEqual(
            re.findall(r"(?:Dynamic s|S)ubtest (\S+): (\w+)", done.out),
            [("good", "SUCCESS"), ("bad", "FAIL"), ("also-good", "SUCCESS"),
             ("dynamic-fail", "FAIL")])
        # the report belongs to the one that failed, not to what is after it
        self.assertIn("Dynamic subtest bad failed.\n", done.err)
        self.assertNotIn("Subtest dynamic-fail failed", done.err)

    def test_dynamic_crash(self):
        """Both get a line."""
        done = self.subtest("dynamic-crash")
        self.assertRegex(done.out, f"Dynamic subtest part: CRASH {TIME}\n"
                         f"Subtest dynamic-crash: CRASH {TIME}\n")

    def test_dynamic_skip(self):
        """No dynamic subtest, or all skipped: skipped."""
        for name in ("dynamic-none", "dynamic-all-skip"):
            done = self.subtest(name)
            self.assertEqual(done.status, 77)
            self.assertRegex(done.out, rf"\nSubtest {name}: SKIP {TIME}\n")

    def test_group(self):
        """A fixture that skips affects its group only."""
        done = self.subtest("group-*")
        self.assertEqual(done.status, 0)
        self.assertEqual(re.findall(r"Subtest (\S+): (\w+)", done.out),
                         [("group-skipped", "SKIP"),
                          ("group-runs", "SUCCESS")])

    def test_fixture(self):
        """A fixture that ends early decides for all that follows."""
        for ends, result, status in (("skip", "SKIP", 77),
                                     ("fail", "FAIL", 98),
                                     ("none", "SUCCESS", 0),
                                     ("late", "SUCCESS", 98)):
            done = Result("sample_fixture", ends=ends)
            self.assertEqual(done.status, status, ends)
            self.assertEqual(re.findall(r"Subtest (\S+): (\w+)", done.out),
                             [("one", result), ("two", result)])
            self.assertEqual("second fixture runs" in done.out,
                             ends in ("none", "late"))
        done = Result("sample_fixture", ends="outside")
        self.assertEqual(done.status, 98)
        self.assertIn("misuse of the IGT API", done.err)

    def test_simple(self):
        """A program without subtests."""
        for ends, result, status in (("pass", "SUCCESS", 0),
                                     ("skip", "SKIP", 77),
                                     ("fail", "FAIL", 98),
                                     ("left", "FAIL", 98),
                                     ("child", "FAIL", 98)):
            done = Result("sample_simple", ends=ends)
            self.assertEqual(done.status, status, ends)
            self.assertRegex(done.out, rf"\n{result} {TIME}\n$")
        done = Result("sample_simple", "--list-subtests")
        self.assertEqual((done.status, done.out, done.err), (79, "", ""))

    def test_old_spelling(self):
        """The spelling of IGT up to 2.2 makes the same program."""
        for name in ("old", "compat"):
            done = Result(f"sample_{name}")
            self.assertEqual(done.status, 0)
            self.assertRegex(done.err, f"^{self.marks(name, 'SUCCESS')}$")

    def test_options(self):
        """Unknown subtests and options are errors, help is not."""
        done = self.subtest("no-such-thing")
        self.assertEqual(done.status, 79)
        self.assertIn("Unknown subtest: no-such-thing", done.err)
        self.assertEqual(Result("sample", "--no-such-option").status, 79)
        self.assertEqual(Result("sample", "argument").status, 79)
        done = Result("sample", "--help")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertIn("--run-subtest", done.out)

    def test_own_options(self):
        """A program can add options."""
        for options, text in (((), "0 none"),
                              (("-n", "12"), "12 none"),
                              (("--word", "yes", "-n", "3"), "3 yes")):
            done = Result("sample_options", "--run-subtest", "options",
                          *options)
            self.assertEqual(done.status, 0, done.err)
            self.assertIn(f"\n{text}\n", done.out)
        for options in (("--word", ""), ("--word",), ("-x",)):
            self.assertEqual(Result("sample_options", *options).status, 79)
        done = Result("sample_options", "--help")
        self.assertIn("--list-subtests\n", done.out)
        self.assertIn("--word <word>\n", done.out)
        done = Result("sample_options", "--list-subtests")
        self.assertEqual(done.out, "options\n")

    def test_describe(self):
        """Descriptions of the program, of groups and of subtests."""
        for sample, text in (("sample", "Sample of the stand-alone IGT API"),
                             ("sample_simple", "Sample without subtests")):
            done = Result(sample, "--show-description")
            self.assertEqual((done.status, done.out, done.err),
                             (0, f"{text}\n", ""))
        done = Result("sample", "--describe")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertRegex(done.out, r"SUB pass \S*sample\.c:\d+:\n"
                         r"  NO DOCUMENTATION!\n\n")
        self.assertRegex(done.out, r"SUB pass-number-1 \S+:\n  Number 1\n\n")
        done = Result("sample", "--describe=group-skipped")
        self.assertRegex(done.out, r"^SUB group-skipped \S+:\n"
                         r"  A group\n  A member\n\n$")

    def test_debug(self):
        """Debug messages are shown when asked for."""
        self.assertNotIn("DEBUG: kept", self.subtest("fail-eq").out)
        for extra in ("--debug", "--debug=application"):
            done = Result("sample", "--run-subtest", "fail-eq", extra)
            self.assertIn("DEBUG: kept for the failure\n", done.out)
        done = Result("sample", "--run-subtest", "fail-eq", "--debug=other")
        self.assertNotIn("DEBUG: kept", done.out)
        done = self.subtest("fail-eq", env={"IGT_LOG_LEVEL": "debug"})
        self.assertIn("DEBUG: kept for the failure\n", done.out)
        done = self.subtest("pass", env={"IGT_LOG_LEVEL": "warn"})
        self.assertNotIn("value 7", done.out)


if __name__ == "__main__":
    SAMPLES = sys.argv.pop(1)
    VARIANT = sys.argv.pop(1)
    # the crashes are on purpose: no report, no core files
    os.environ["ASAN_OPTIONS"] = "detect_stack_use_after_return=0"
    unittest.main(verbosity=0)
