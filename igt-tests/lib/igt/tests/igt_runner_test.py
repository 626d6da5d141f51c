#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (C) 2026 The vsvm developers
"""Runs the samples under igt_runner and compares what it makes of them.

usage: igt_runner_test.py DIRECTORY-OF-THE-SAMPLES IGT-RESULTS-SCRIPT

Exit status 77, skipped, without igt_runner.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

EXPECTED = {
    "pass": "pass", "pass-checks": "pass", "pass-timeout": "pass",
    "pass-fork": "pass", "pass-name": "pass", "pass-number-0": "pass",
    "pass-number-1": "pass",
    "warn": "warn", "warn-condition": "warn",
    "skip": "skip", "skip-require": "skip",
    "fail": "fail", "fail-status": "fail", "fail-eq": "fail",
    "fail-u64": "fail", "fail-long-log": "fail", "fail-child": "fail",
    "fail-child-signal": "fail", "fail-child-skip": "fail",
    "fail-child-left": "fail", "fail-thread": "fail",
    "dynamic": "pass", "dynamic@first": "pass", "dynamic@number-0": "pass",
    "dynamic@number-1": "skip",
    "dynamic-fail": "fail", "dynamic-fail@good": "pass",
    "dynamic-fail@bad": "fail", "dynamic-fail@also-good": "pass",
    "dynamic-crash": "crash", "dynamic-crash@part": "crash",
    "dynamic-none": "skip", "dynamic-all-skip": "skip",
    "dynamic-all-skip@part": "skip",
    "group-skipped": "skip", "group-runs": "pass",
    "crash": "crash", "crash-stack": "crash", "crash-abort": "crash",
    "die-term": "incomplete", "die-exit": "incomplete",
}


def run(*command, status=0):
    """Output of a command with a known exit status."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == status, (command, done)
    return done.stdout


def run_list(root, tests, status):
    """Runs a list of tests; returns {name: (result, details)}."""
    path = f"{root}/list"
    results = f"{root}/results"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{test}\n" for test in tests)
    run("igt_runner", "--allow-non-root", "--overwrite", "--log-level",
        "quiet", "--per-test-timeout", "30", "--test-list", path, root,
        results, status=status)
    with open(f"{results}/results.json", encoding="utf-8") as file:
        tests = json.load(file)["tests"]
    return results, {name: (test["result"], test)
                     for name, test in tests.items()}


def check_sample(root):
    """Each way to end is understood; text is given to whom it belongs."""
    listed = run("igt_runner", "--list-all", root).split()
    tests = [test for test in listed if test.startswith("igt@sample@")]
    names = run(f"{root}/sample", "--list-subtests").split()
    assert tests == [f"igt@sample@{name}" for name in names], tests
    assert "igt@simple" in listed, listed

    tests.remove("igt@sample@abort-run")
    _, results = run_list(root, tests, 0)
    found = {name.removeprefix("igt@sample@"): result
             for name, (result, _) in results.items()}
    assert found == EXPECTED, sorted(set(found.items()) ^
                                     set(EXPECTED.items()))

    test = results["igt@sample@pass"][1]
    assert "value 7" in test["out"], test
    assert test["igt-version"].startswith("IGT-Version: vsvm-"), test
    if os.access("/dev/kmsg", os.R_OK | os.W_OK):
        assert "[IGT] sample: starting subtest pass\n" in test["dmesg"], test


def check_abort(root):
    """The abort status stops the run."""
    tests = ["igt@sample@abort-run", "igt@simple"]
    _, results = run_list(root, tests, 1)
    assert results["igt@sample@abort-run"][0] == "abort", results
    assert results["igt@simple"][0] == "notrun", results


def check_script(root, script):
    """scripts/igt-results finds what igt_runner does not say."""
    path, _ = run_list(root, ["igt@sample@pass", "igt@simple"], 0)
    text = run(script, path)
    assert text.endswith("\n2 passed, 0 failed, 0 skipped\n"), text
    for bad, counts in (("warn", "1 passed, 1 failed, 0 skipped"),
                        ("fail-eq", "1 passed, 1 failed, 0 skipped"),
                        ("crash", "1 passed, 1 failed, 0 skipped"),
                        ("die-exit", "1 passed, 1 failed, 0 skipped"),
                        ("skip", "1 passed, 0 failed, 1 skipped")):
        path, _ = run_list(root, ["igt@simple", f"igt@sample@{bad}"], 0)
        text = run(script, path, status=1)
        assert text.endswith(f"\n{counts}\n"), text
        assert f"sample@{bad}" in text, text

    # a slow machine is no failure, any other warning of the kernel is
    for line, status in (("hrtimer: interrupt took 36373040 ns", 0),
                         ("WARNING: CPU: 0 at mm/x.c", 1)):
        os.makedirs(f"{root}/made", exist_ok=True)
        with open(f"{root}/made/results.json", "w", encoding="utf-8") as file:
            json.dump({"tests": {"igt@sample@pass": {
                "result": "dmesg-warn", "out": "", "err": "",
                "dmesg": f"<6> [1.0] fine\n<4> [1.1] {line}\n"}}}, file)
        run(script, f"{root}/made", status=status)

    # known, and named as such
    expected = f"{root}/expected"
    with open(expected, "w", encoding="utf-8") as file:
        file.write("# a comment\nigt@sample@skip skip  # and why\n")
    text = run(script, "--expected", expected, path)
    assert text.endswith("\n1 passed, 0 failed, 1 skipped\n"), text
    # one that passes against expectation, one that did not run
    path, _ = run_list(root, ["igt@sample@pass"], 0)
    with open(expected, "w", encoding="utf-8") as file:
        file.write("igt@sample@pass skip\n")
    run(script, "--expected", expected, path, status=1)
    with open(expected, "w", encoding="utf-8") as file:
        file.write("igt@sample@other\nigt@sample@pass\n")
    run(script, "--list", expected, path, status=1)
    run(script, f"{root}/nowhere", status=1)


def main():
    """Makes a test root of the samples."""
    if not shutil.which("igt_runner"):
        print("no igt_runner: skipped")
        return 77
    with tempfile.TemporaryDirectory() as root:
        for name, sample in (("sample", "sample_plain"),
                             ("simple", "sample_simple_plain")):
            shutil.copy(f"{sys.argv[1]}/{sample}", f"{root}/{name}")
        with open(f"{root}/test-list.txt", "w", encoding="utf-8") as file:
            file.write("TESTLIST\nsample simple\nEND TESTLIST\n")
        check_sample(root)
        check_abort(root)
        check_script(root, sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
