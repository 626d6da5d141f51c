#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (C) 2026 The vsvm developers
"""Compares the test lists, the subtests that there are, and what names them.

usage: check_lists.py KNOWN DOCUMENT...

KNOWN is what "igt_runner --list-all" prints, a DOCUMENT names subtests as
"``program@subtest``", without "vsvm_". Every subtest must be in vsvm-full,
vsvm-memcg-v1 or vsvm-suspend, and every line of a list, of known results and every name in a
document must be a subtest. Prints what is wrong.
"""

import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
COMPLETE = ("vsvm-full", "vsvm-memcg-v1", "vsvm-suspend")
NAME = re.compile(r"``((?!kunit@|zone_device|program@)[a-z0-9_]+@[a-z0-9-]+)``")
# In Documentation/mm "vsvm_svm_" is left out as well.
PREFIXES = ("igt@vsvm/vsvm_", "igt@vsvm/vsvm_svm_")


def names_of(path):
    """First words of the lines of a file, without comments."""
    with open(path, encoding="utf-8") as file:
        lines = [line.split("#")[0].split() for line in file]
    return [line[0] for line in lines if line]


def check(known, documents):
    """Complaints."""
    lists = {os.path.basename(path).removesuffix(".testlist"): names_of(path)
             for path in glob.glob(f"{HERE}/*.testlist")}
    complaints = [] if known else ["there are no subtests"]
    for name, tests in sorted(lists.items()):
        complaints += [f"{name}: {test} is there twice"
                       for test in sorted(set(tests)) if tests.count(test) > 1]
        complaints += [f"{name}: {test} does not exist"
                       for test in tests if test not in known]
        complaints += [f"{name} is empty"] if not tests else []
    listed = {test for name in COMPLETE for test in lists.get(name, [])}
    complaints += [f"{test} is in none of {', '.join(COMPLETE)}"
                   for test in sorted(known - listed)]
    for path in sorted(glob.glob(f"{HERE}/expected-*.txt")):
        complaints += [f"{os.path.basename(path)}: {test} does not exist"
                       for test in names_of(path) if test not in known]
    for path in documents:
        with open(path, encoding="utf-8") as file:
            named = NAME.findall(file.read())
        complaints += [f"{path}: {name} does not exist" for name in named
                       if not any(prefix + name in known
                                  for prefix in PREFIXES)]
        complaints += [f"{path} names no subtest"] if not named else []
    return complaints


def main():
    """Exit status 1 if anything is wrong."""
    complaints = check(set(names_of(sys.argv[1])), sys.argv[2:])
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
