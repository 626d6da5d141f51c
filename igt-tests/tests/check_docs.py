#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (C) 2026 The vsvm developers
"""Compares the documentation blocks of a test with its subtests.

usage: check_docs.py SOURCE.c PROGRAM

Every subtest needs one "SUBTEST: name" with a description, and every such name
a subtest. "%s" in a name stands for each of the "@value:" of the "arg[N]:" that
follows, in order. A TEST block must have the fields that IGT asks for.
"""

import itertools
import re
import subprocess
import sys

TEST_FIELDS = ("TEST", "Category", "Mega feature", "Sub-category",
               "Functionality", "Description")


def blocks_of(source):
    """Documentation blocks: lists of lines without decoration."""
    for block in re.findall(r"/\*\*\n(.*?)\*/", source, re.S):
        yield [re.sub(r"^ \*\s?", "", line) for line in block.split("\n")]


def subtests_of(lines):
    """Names that a block documents, and complaints about it."""
    names, values, complaints = [], {}, []
    argument = None
    for line in lines:
        if match := re.match(r"SUBTEST: (\S+)$", line):
            names.append([match[1], False])
        elif line.startswith("Description: ") and names:
            names[-1][1] = True
        elif match := re.match(r"arg\[(\d+)\]:$", line):
            argument = values.setdefault(int(match[1]), [])
        elif (match := re.match(r"@(\S+):", line)) and argument is not None:
            argument.append(match[1])
    result = []
    for name, described in names:
        if not described:
            complaints.append(f"{name} has no description")
        count = name.count("%s")
        choices = [values.get(i + 1, []) for i in range(count)]
        if not all(choices):
            complaints.append(f"{name} has no values for its arguments")
        for choice in itertools.product(*choices):
            result.append(name.replace("%s", "{}").format(*choice))
    return result, complaints


def main():
    """Prints what is wrong; exit status 1 if anything is."""
    with open(sys.argv[1], encoding="utf-8") as file:
        source = file.read()
    listed = subprocess.run([sys.argv[2], "--list-subtests"], check=True,
                            capture_output=True, text=True).stdout.split()

    complaints, documented, tests = [], [], 0
    for lines in blocks_of(source):
        if lines[0].startswith("TEST:"):
            tests += 1
            complaints += [f"TEST has no {field}" for field in TEST_FIELDS
                           if not any(line.startswith(f"{field}: ")
                                      for line in lines)]
        names, more = subtests_of(lines)
        documented += names
        complaints += more

    if tests != 1:
        complaints.append(f"{tests} TEST blocks instead of one")
    complaints += [f"{name} is not documented"
                   for name in listed if name not in documented]
    complaints += [f"{name} is documented, but no subtest"
                   for name in documented if name not in listed]
    complaints += [f"{name} is there twice" for names in (listed, documented)
                   for name in sorted(set(names)) if names.count(name) > 1]
    for complaint in complaints:
        print(f"{sys.argv[1]}: {complaint}")
    return 1 if complaints or not listed else 0


if __name__ == "__main__":
    sys.exit(main())
