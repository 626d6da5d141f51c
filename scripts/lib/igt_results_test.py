#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (C) 2026 The vsvm developers
"""Tests of scripts/igt-results, igt-parts and igt-report, on made-up results.

Closes with "N passed, N failed, N skipped".
"""

import html.parser
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

SCRIPTS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..")
NASTY = ("<3> [1.0] a <b>&\"bold\"</b> ]]> <!-- </pre><script>alert(1)"
         "</script> \x1b[31m \x00 \ufffe é\n")


def made(result, took=1.5, **streams):
    """A test with that result."""
    return {"result": result, "out": "", "err": "", "dmesg": "",
            "time": {"__type__": "TimeAttribute", "start": 1.0,
                     "end": 1.0 + took}, **streams}


TESTS = {
    "igt@vsvm/one@good": made("pass"),
    "igt@vsvm/one@bad": made("fail", dmesg=NASTY, out=NASTY,
                             err=f"Failed assertion: {NASTY}"),
    "igt@vsvm/one@known": made("dmesg-warn", dmesg="<4> [1.0] known\n"),
    "igt@vsvm/two@skipped": made("skip", out="Test requirement: <none>\n"),
    "igt@vsvm/two@lost": {"result": "notrun", "out": "", "err": "",
                          "dmesg": ""},
    "igt@vsvm/two@wobbly": made("dmesg-warn", dmesg="<4> [1.0] sometimes\n"),
}
EXPECTED = ("igt@vsvm/one@known dmesg-warn  # known\n"
            "igt@vsvm/two@wobbly pass dmesg-warn  # either\n")


class Page(html.parser.HTMLParser):
    """The elements of a page that must nest, its rows and its text."""

    VOID = ("meta", "!doctype")

    def __init__(self):
        super().__init__()
        self.open, self.rows, self.tags, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append(dict(attrs).get("class"))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes something else")

    def handle_data(self, data):
        self.text += data


class ResultsTest(unittest.TestCase):
    """Each in a directory of its own."""

    def setUp(self):
        # pylint: disable-next=consider-using-with
        self.holder = tempfile.TemporaryDirectory()
        self.addCleanup(self.holder.cleanup)
        self.path = self.holder.name

    def write(self, name, text):
        """A file in the directory."""
        path = f"{self.path}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def read(self, name):
        """The text of a file in the directory."""
        with open(f"{self.path}/{name}", encoding="utf-8") as file:
            return file.read()

    def results(self, directory, tests, **more):
        """The results of igt_runner."""
        self.write(f"{directory}/results.json",
                   json.dumps({"tests": tests, **more}))

    def run_script(self, script, *args, status=0):
        """What a script prints, which must end with that status."""
        done = subprocess.run([sys.executable, f"{SCRIPTS}/{script}", *args],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def report(self):
        """Reports and the judgement of TESTS."""
        self.results("r", TESTS, name="<r>", uname="Linux & more")
        expected = self.write("expected", EXPECTED)
        self.run_script("igt-report", "--expected", expected,
                        f"{self.path}/r")
        return self.run_script("igt-results", "--expected", expected,
                               f"{self.path}/r", status=1)

    def test_judgement(self):
        """Known results pass, either result of a flake does."""
        text = self.report()
        self.assertTrue(text.endswith("\n3 passed, 2 failed, 1 skipped\n"),
                        text)

    def test_flake_that_passes(self):
        """A flake may pass, what never passes may not."""
        expected = self.write("expected", EXPECTED)
        for name, status in (("igt@vsvm/two@wobbly", 0),
                             ("igt@vsvm/one@known", 1)):
            self.results("r", {name: made("pass")})
            self.run_script("igt-results", "--expected", expected,
                            f"{self.path}/r", status=status)

    def test_expected_twice(self):
        """A test is in one of the lists of known results."""
        self.results("r", TESTS)
        paths = [self.write(name, EXPECTED) for name in ("a", "b")]
        for script in ("igt-results", "igt-report"):
            self.run_script(script, "--expected", paths[0], "--expected",
                            paths[1], f"{self.path}/r", status=1)

    def test_no_results(self):
        """No results are no success."""
        for script in ("igt-results", "igt-report"):
            self.run_script(script, f"{self.path}/none", status=1)
        self.results("r", {})
        self.run_script("igt-results", f"{self.path}/r", status=1)

    def test_junit(self):
        """Well-formed, and the counts are those of the results."""
        self.report()
        root = ET.fromstring(self.read("r/junit.xml").encode())
        cases = root.findall("./testsuite/testcase")
        self.assertEqual({f"igt@{case.get('classname')}@{case.get('name')}"
                          for case in cases}, set(TESTS))
        self.assertEqual(len(cases), len(TESTS))
        self.assertEqual((root.get("tests"), root.get("failures")),
                         ("6", "2"))
        self.assertEqual(root.get("time"), "7.500")
        for suite, numbers in (("vsvm/one", ("3", "1", "0")),
                               ("vsvm/two", ("3", "1", "1"))):
            element = root.find(f"./testsuite[@name='{suite}']")
            self.assertEqual(tuple(element.get(key) for key in
                                   ("tests", "failures", "skipped")), numbers)
        self.assertEqual(
            [case.get("name") for case in cases
             if case.find("failure") is not None], ["bad", "lost"])
        self.assertEqual(
            [case.get("name") for case in cases
             if case.find("skipped") is not None], ["skipped"])

    def test_junit_text(self):
        """The kernel log comes out as it went in, but for what XML has not."""
        self.report()
        root = ET.fromstring(self.read("r/junit.xml").encode())
        want = NASTY.replace("\x1b", "\\x1b").replace("\x00", "\\x00")
        want = want.replace("\ufffe", "\\xfffe")
        case = root.find("./testsuite/testcase[@name='bad']")
        self.assertEqual(case.find("failure").text, want)
        self.assertEqual(case.find("failure").get("type"), "fail")
        self.assertEqual(case.find("system-out").text, want)

    def test_html(self):
        """One page of one row for each test, with nothing from elsewhere."""
        self.report()
        text = self.read("r/report.html")
        page = Page()
        page.feed(text)
        page.close()
        self.assertEqual(page.open, [])
        self.assertNotIn("script", page.tags)
        self.assertNotIn("b", page.tags)
        for outside in ("src=", "href=", "@import", "url("):
            self.assertNotIn(outside, text)
        self.assertEqual(page.rows, [None, "failed", "failed", "skipped",
                                     "passed", "passed", "passed"])
        self.assertIn("3 passed, 2 failed, 1 skipped", page.text)
        for name in TESTS:
            self.assertIn(name, page.text)
        self.assertIn('a <b>&"bold"</b> ]]> <!-- </pre><script>', page.text)
        self.assertNotIn("\x1b", text)

    def test_split(self):
        """All tests, each once, the long ones apart, in the list's order."""
        names = [f"igt@a@{i}" for i in range(9)]
        path = self.write("list", "# comment\n" + "\n".join(names) + "\n")
        self.results("old", {name: made("pass", took=10.0 if i < 2 else 0.1)
                             for i, name in enumerate(names)})
        prefix = f"{self.path}/part"
        out = self.run_script("igt-parts", "split", "--times",
                              f"{self.path}/old", "2", path, prefix)
        self.assertEqual(out, "2\n")
        parts = [self.read(f"part{i}.list").split() for i in (1, 2)]
        self.assertEqual(sorted(parts[0] + parts[1]), names)
        self.assertEqual([part == sorted(part) for part in parts],
                         [True, True])
        self.assertEqual([len({"igt@a@0", "igt@a@1"} & set(part))
                          for part in parts], [1, 1])
        # no more parts than tests, and nothing known of them
        out = self.run_script("igt-parts", "split", "--times",
                              f"{self.path}/none", "20", path, prefix)
        self.assertEqual(out, "9\n")

    def test_merge(self):
        """The results of a machine that died are there, as lost."""
        names = list(TESTS)
        for number, part in ((1, names[:2]), (2, names[2:4]), (3, names[4:])):
            self.write(f"r/{number}.list", "\n".join(part) + "\n")
        self.results("r/1", {name: TESTS[name] for name in names[:2]},
                     uname="Linux",
                     time_elapsed={"start": 5.0, "end": 9.0},
                     runtimes={"igt@vsvm/one":
                               {"time": {"start": 0.0, "end": 3.0}}})
        # the second one died in a test, the third before any
        self.results("r/2", {names[2]: made("incomplete")},
                     time_elapsed={"start": 4.0, "end": 8.0},
                     runtimes={"igt@vsvm/one": {}})
        self.run_script("igt-parts", "merge", f"{self.path}/r", "1", "2", "3")
        merged = json.loads(self.read("r/results.json"))
        self.assertEqual({name: test["result"] for name, test
                          in merged["tests"].items()},
                         dict(zip(names, ["pass", "fail", "incomplete",
                                          "notrun", "notrun", "notrun"])))
        self.assertEqual(merged["totals"][""]["notrun"], 3)
        self.assertEqual(merged["totals"]["root"]["pass"], 1)
        self.assertEqual(merged["totals"]["igt@vsvm/one"]["incomplete"], 1)
        self.assertEqual(merged["totals"]["igt@vsvm/two"]["notrun"], 3)
        self.assertEqual((merged["time_elapsed"]["start"],
                          merged["time_elapsed"]["end"]), (4.0, 9.0))
        self.assertEqual(
            merged["runtimes"]["igt@vsvm/one"]["time"]["end"], 3.0)
        text = self.run_script("igt-results", f"{self.path}/r", status=1)
        self.assertTrue(text.endswith("\n1 passed, 5 failed, 0 skipped\n"),
                        text)

    def test_merge_twice(self):
        """A test that two machines ran is a mistake."""
        for number in (1, 2):
            self.write(f"r/{number}.list", "igt@a@b\n")
            self.results(f"r/{number}", {"igt@a@b": made("pass")})
        self.run_script("igt-parts", "merge", f"{self.path}/r", "1", "2",
                        status=1)


def main():
    """Runs them all and prints the counts."""
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(ResultsTest)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, "
          f"{skipped} skipped")
    return 0 if result.testsRun and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
