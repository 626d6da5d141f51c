#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: overhead.py REPORT RESULT [TEXT=REPORT...]

Reads the report of an example that ran with a clock of instructions, and prints what each 2 MiB
cost besides the copy. More reports are of runs without something that makes huge folios cheap;
the first of them, which the others are compared with, is of one without nothing. Writes the same
to RESULT as JSON.
"""

import json
import sys

BLOCK = 2 << 20
DIRECTIONS = (("to VRAM", "to_vram", "copy_to_vram"),
              ("to RAM", "to_ram", "copy_to_ram"))


def cost(stages, stage):
    """Instructions of a stage for each 2 MiB, over all size classes."""
    sums = stages[stage].values()
    total = sum(entry["bytes"] for entry in sums)
    return sum(entry["ns"] for entry in sums) * BLOCK / total


def read(path):
    """What each 2 MiB cost in a run: stage, then kind of pages, then part of the work."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    runs = {"huge": report, "base": report["base_pages"]}
    if any(run["result"] != "correct" for run in runs.values()):
        sys.exit(f"{path}: the example did not run well")
    return {stage: {name: {"copy": round(cost(run["stages"], copy)),
                           "overhead": round(cost(run["stages"], stage) -
                                             cost(run["stages"], copy))}
                    for name, run in runs.items()}
            for _, stage, copy in DIRECTIONS}


def main():
    """Prints the tables."""
    result = read(sys.argv[1])
    print(f"{'instructions for 2 MiB':<24}{'huge folios':>12}{'4 KiB pages':>13}{'ratio':>8}")
    for title, stage, _ in DIRECTIONS:
        for kind, text in (("overhead", "all but the copy"), ("copy", "the copy")):
            huge, base = (result[stage][name][kind] for name in ("huge", "base"))
            print(f"{title + ', ' + text:<24}{huge:>12}{base:>13}{base / huge:>8.1f}")

    others = [argument.split("=", 1) for argument in sys.argv[3:]]
    if others:
        print(f"\n{'huge folios, all but the copy, with':<38}{'to VRAM':>12}{'to RAM':>12}")
        result["with"] = {}
        first = None
        for text, path in others:
            huge = {stage: costs["huge"]["overhead"] for stage, costs in read(path).items()}
            first = first or huge
            more = {stage: f"{huge[stage] - first[stage]:+d}" if first is not huge
                    else f"{huge[stage]}" for stage in huge}
            print(f"  {text:<36}{more['to_vram']:>12}{more['to_ram']:>12}")
            result["with"][text] = huge

    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
