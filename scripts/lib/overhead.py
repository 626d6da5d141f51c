#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: overhead.py REPORT RESULT

Reads the report of an example that ran with a clock of instructions, and prints what each 2 MiB
cost besides the copy. Writes the same to RESULT as JSON.
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


def main():
    """Prints the table; exit status 1 if the report is not of a run that went well."""
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    runs = {"huge": report, "base": report["base_pages"]}
    if any(run["result"] != "correct" for run in runs.values()):
        print("the example did not run well")
        return 1

    result = {}
    print(f"{'instructions for 2 MiB':<24}{'huge folios':>12}{'4 KiB pages':>13}{'ratio':>8}")
    for title, stage, copy in DIRECTIONS:
        values = {name: {"copy": round(cost(run["stages"], copy)),
                         "overhead": round(cost(run["stages"], stage) -
                                           cost(run["stages"], copy))}
                  for name, run in runs.items()}
        result[stage] = values
        for kind, text in (("overhead", "all but the copy"), ("copy", "the copy")):
            huge, base = values["huge"][kind], values["base"][kind]
            print(f"{title + ', ' + text:<24}{huge:>12}{base:>13}{base / huge:>8.1f}")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
