#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench_compare.py OLD NEW

Compares two results of scripts/bench: shows each measurement that changed by more than the noise,
and the figures of the summary. The noise of instructions is 1 percent. That of wall time is three
times the spread of either run, the wider one, and at least 10 percent. Exit status 1 when
something became slower.
"""

import json
import sys

from bench import TARGETS, median, size_text, spread

LEAST_NOISE = {"wall": 0.10, "icount": 0.01}


def load(path):
    """A result of scripts/bench."""
    try:
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        if not isinstance(result["summary"], dict):
            raise KeyError("summary")
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"bench-compare: {path} is no result of 'make bench': {error}", file=sys.stderr)
        sys.exit(2)
    return result


def by_name(report):
    """The measurements of a report."""
    return {(r["name"], r["pages"], r["bytes"], r["threads"]): r
            for r in (report or {}).get("results", [])}


def changes(old, new, clock):
    """Yields each measurement that changed: name, values, and the noise."""
    before, after = by_name(old.get(clock)), by_name(new.get(clock))
    for key in before.keys() & after.keys():
        a, b = median(before[key]), median(after[key])
        noise = LEAST_NOISE[clock]
        if clock == "wall":
            noise = max(noise, 3 * spread(before[key]["ns"]), 3 * spread(after[key]["ns"]))
        if a and abs(b / a - 1) > noise:
            yield key, a, b, noise


def main():
    """Prints what changed."""
    if len(sys.argv) != 3:
        print("usage: bench_compare.py OLD NEW", file=sys.stderr)
        sys.exit(2)
    old, new = load(sys.argv[1]), load(sys.argv[2])
    slower = 0
    for clock, title in (("icount", "instructions"), ("wall", "wall time")):
        found = sorted(changes(old, new, clock))
        compared = len(by_name(old.get(clock)).keys() & by_name(new.get(clock)).keys())
        print(f"{title}: {len(found)} of {compared} changed")
        for (name, pages, size, threads), a, b, noise in found:
            slower += b > a
            print(f"  {name:<17} {pages:<5}{size_text(size):>8} x{threads}{a:>15.0f} ->"
                  f"{b:>15.0f}  {(b / a - 1) * 100:+6.1f}%  (noise {noise * 100:.0f}%)"
                  f"{'  SLOWER' if b > a else ''}")
    print(f"{'figure':<27}{'old':>12}{'new':>12}")
    for key in TARGETS:
        values = [result["summary"].get(key) for result in (old, new)]
        print(f"{key:<27}" + "".join("           -" if value is None else f"{value:>12.3f}"
                                     for value in values))
    print(f"{slower} slower")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
