# SPDX-License-Identifier: MIT
# Copyright (C) 2026 The vsvm developers
"""What igt_runner leaves: how it is read and judged. Imported, never run."""

import json
import re

# Lines of output that say why a test did not pass.
REASONS = ("Failed assertion", "error:", "Test requirement", "CRITICAL",
           "WARNING", "Received signal")
SHOWN_REASONS = 6

# Kernel warnings about a slow machine (an emulated one, with others on the
# same processors), or an old interface, that say nothing about a test.
NOISE = re.compile("Cgroup memory moving .* is deprecated|hrtimer: interrupt took|clocksource: .*(skew|unstable|"
                   "watchdog|skipping)|perf: interrupt took too long|"
                   "sched: RT throttling activated")
WITHOUT_DMESG = {"dmesg-warn": "pass", "dmesg-fail": "fail"}


class ResultsError(Exception):
    """A file that is not what it should be, as one sentence."""


def lines_of(path):
    """Lines of a list file without comments, each split into words."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.split("#")[0].split() for line in file]
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: {error}") from error
    return [line for line in lines if line]


def names_of(path):
    """Names of the tests in a list."""
    return [line[0] for line in lines_of(path)]


def expectations(paths):
    """Test -> the results that are expected of it, from such files."""
    expected = {}
    for path in paths:
        for name, *results in lines_of(path):
            if name in expected or not results:
                raise ResultsError(f"{path}: {name} is there twice, or has "
                                   "no result")
            expected[name] = results
    return expected


def load(directory):
    """results.json of a directory of igt_runner."""
    path = f"{directory}/results.json"
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
        if not isinstance(results["tests"], dict):
            raise KeyError("tests")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{path}: {error!r}") from error
    return results


def seconds(test):
    """Time that a test took, or None."""
    time = test.get("time")
    return time["end"] - time["start"] if time else None


def kernel_warnings(test):
    """The kernel log's lines of a test that count as warnings."""
    return [line for line in (test.get("dmesg") or "").splitlines()
            if line[:3] in ("<0>", "<1>", "<2>", "<3>", "<4>")
            and not NOISE.search(line)]


def result_of(test):
    """The result, as it would be without noise in the kernel log."""
    result = test.get("result", "incomplete")
    if not kernel_warnings(test):
        return WITHOUT_DMESG.get(result, result)
    return result


def reasons(test):
    """The lines of a test's output that are worth showing."""
    text = [line for stream in ("err", "out")
            for line in (test.get(stream) or "").splitlines()
            if any(reason in line for reason in REASONS)]
    return (text + kernel_warnings(test))[:SHOWN_REASONS]


class Verdict:
    """What a result counts as, and whether it was expected."""

    # pylint: disable=too-few-public-methods

    def __init__(self, name, test, expected):
        self.result = result_of(test)
        self.as_expected = self.result in expected.get(name, ["pass"])
        if self.result == "skip":
            self.kind = "skipped"
        elif self.result == "pass" or self.as_expected:
            self.kind = "passed"
        else:
            self.kind = "failed"


def count(verdicts):
    """passed, failed and skipped of verdicts."""
    kinds = [verdict.kind for verdict in verdicts]
    return {kind: kinds.count(kind)
            for kind in ("passed", "failed", "skipped")}
