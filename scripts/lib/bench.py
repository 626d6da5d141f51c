#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench.py WALL ICOUNT RESULT PLOTS

Reads the reports of vsvm-bench, one by wall time and one with a clock of instructions ("-" for
none), prints what they say and how it compares with the targets, writes both and the summary to
RESULT as JSON and plots to the directory PLOTS.
"""

import json
import os
import statistics
import subprocess
import sys

BLOCK = 2 << 20
MIB = 1 << 20

# Figures of the summary: the target, whether more is better, and the clock they are taken from.
TARGETS = {
    "overhead_ratio_to_vram": (60, True, "icount"),
    "overhead_ratio_to_ram": (60, True, "icount"),
    "copy_share_to_vram": (0.90, True, "wall"),
    "copy_share_to_ram": (0.90, True, "wall"),
    "prefetch_256m_of_memcpy": (0.90, True, "wall"),
    "alloc_free_instructions": (1000, False, "icount"),
    "flatness_2m_to_1g": (1.10, False, "icount"),
    "two_thread_speedup": (1.8, True, "wall"),
}

# Of which 1000 are measured at once.
FOLIOS = 1000


def size_text(size):
    """A size as people say it."""
    for unit, name in ((1 << 30, "GiB"), (MIB, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.0f} {name}"
    return f"{size} B"


def find(report, name, pages="huge", size=None, threads=1):
    """The result with that name and size, or None."""
    for result in (report or {}).get("results", []):
        if (result["name"], result["pages"], result["threads"]) == (name, pages, threads) and \
                size in (None, result["bytes"]):
            return result
    return None


def median(result, member="ns"):
    """The middle of a member of all samples."""
    return statistics.median(result[member])


def spread(values):
    """Half of the range that the middle half of the values is in, relative to their median."""
    if len(values) < 2:
        return 0.0
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    return (quarters[2] - quarters[0]) / 2 / (quarters[1] or 1)


def middle(ratios):
    """The median, or None of nothing."""
    ratios = list(ratios)
    return statistics.median(ratios) if ratios else None


def overhead(report, name, pages, whole="migrate_ns"):
    """All but the copy for each 2 MiB, from the largest size that both kinds of pages have."""
    for size in (64 * MIB, BLOCK):
        result = find(report, name, pages, size)
        if result:
            return middle((m - c) * BLOCK / size
                          for m, c in zip(result[whole], result["copy_ns"]))
    return None


def overhead_ratio(report, name, whole="migrate_ns"):
    """How many times less the overhead is with huge folios."""
    huge, small = (overhead(report, name, pages, whole) for pages in ("huge", "4k"))
    return small / huge if huge and small else None


def copy_share(report, name, size=BLOCK):
    """What part of a migration is the copy, sample by sample."""
    result = find(report, name, "huge", size)
    return result and middle(c / m for m, c in zip(result["migrate_ns"], result["copy_ns"]))


def of_memcpy(report, name, size):
    """Throughput as a part of that of memcpy(), sample by sample."""
    result = find(report, name, "huge", size)
    return result and middle(c / n for n, c in zip(result["ns"], result["memcpy_ns"]))


def worst(pick, values):
    """The worst of those that are there."""
    values = [value for value in values if value is not None]
    return pick(values) if values else None


def flatness(report, name):
    """The highest cost of a byte by the lowest, from 2 MiB to 1 GiB."""
    if not find(report, name, "huge", 1 << 30):
        return None
    costs = [median(r) / r["bytes"] for r in report["results"]
             if (r["name"], r["pages"]) == (name, "huge") and r["bytes"] >= BLOCK]
    return max(costs) / min(costs)


def speedup(report, name, member="ns", pages="huge"):
    """Throughput of two threads by that of one, repetition by repetition."""
    one = find(report, name, pages, None, 1)
    two = find(report, name, pages, None, 2)
    return one and two and middle(2 * a / b for a, b in zip(one[member], two[member]))


def alloc_free(report, pages):
    """What one folio costs that is allocated and freed."""
    result = find(report, "alloc_free", pages)
    return result and median(result) / FOLIOS


def figures(wall, icount):
    """The summary, and what it is made of."""
    ways = ("to_vram", "to_ram")
    summary = {
        "overhead_ratio_to_vram": overhead_ratio(icount, "gpu_fault"),
        "overhead_ratio_to_ram": overhead_ratio(icount, "cpu_fault"),
        "copy_share_to_vram": copy_share(wall, "prefetch_to_vram"),
        "copy_share_to_ram": copy_share(wall, "prefetch_to_ram"),
        "prefetch_256m_of_memcpy": worst(min, (of_memcpy(wall, f"prefetch_{way}", 256 * MIB)
                                               for way in ways)),
        "alloc_free_instructions": alloc_free(icount, "huge"),
        "flatness_2m_to_1g": worst(max, (flatness(icount, f"prefetch_{way}") for way in ways)),
        "two_thread_speedup": worst(min, (speedup(wall, f"threads_{way}") for way in ways)),
    }
    raw = {}
    for way, fault in zip(ways, ("gpu_fault", "cpu_fault")):
        prefetch = f"prefetch_{way}"
        raw[way] = {
            "overhead_instructions_huge": overhead(icount, fault, "huge"),
            "overhead_instructions_4k": overhead(icount, fault, "4k"),
            "overhead_ratio_of_fault_service": overhead_ratio(icount, fault, "fault_ns"),
            "overhead_ratio_of_prefetch": overhead_ratio(icount, prefetch),
            "overhead_ratio_by_wall_time": overhead_ratio(wall, fault),
            "copy_share_by_instructions": copy_share(icount, prefetch),
            "copy_share_of_fault": copy_share(wall, fault),
            "prefetch_256m_of_memcpy": of_memcpy(wall, prefetch, 256 * MIB),
            "prefetch_256m_of_memcpy_by_instructions": of_memcpy(icount, prefetch, 256 * MIB),
            "flatness_by_wall_time": flatness(wall, prefetch),
            "two_thread_speedup": speedup(wall, f"threads_{way}"),
            "two_thread_speedup_4k": speedup(wall, f"threads_{way}", pages="4k"),
        }
    raw["evict"] = {
        "overhead_instructions_huge": overhead(icount, "evict", "huge"),
        "overhead_instructions_4k": overhead(icount, "evict", "4k"),
        "overhead_ratio": overhead_ratio(icount, "evict"),
        "overhead_ratio_by_wall_time": overhead_ratio(wall, "evict"),
        "copy_share": copy_share(wall, "evict"),
    }
    raw["two_thread_speedup_of_memcpy"] = speedup(wall, "threads_to_vram", "memcpy_ns")
    raw["alloc_free_instructions_4k"] = alloc_free(icount, "4k")
    return summary, raw


def time_text(value, clock):
    """A time, or instructions."""
    return f"{value / 1e6:.3f} ms" if clock == "wall" else f"{value / 1e3:.0f} k"


def print_results(report):
    """The table of one clock."""
    clock = report["clock"]
    print(f"\n{'by wall time' if clock == 'wall' else 'thousands of instructions':<27}"
          f"{'huge':>13} {'+-':>4}{'4 KiB':>13} {'+-':>4}{'ratio':>7}{'memcpy':>13}"
          f"{'of memcpy':>10}")
    for huge in report["results"]:
        if huge["pages"] != "huge":
            continue
        small = find(report, huge["name"], "4k", None if huge["name"] == "alloc_free" else
                     huge["bytes"], huge["threads"])
        title = f"{huge['name']} {size_text(huge['bytes'])}"
        if huge["name"] == "alloc_free":
            title = "alloc_free, 1000 folios"
        if huge["threads"] > 1:
            title += f" x{huge['threads']}"
        line = f"{title:<27}{time_text(median(huge), clock):>13} {spread(huge['ns']) * 100:>3.0f}%"
        if small:
            line += (f"{time_text(median(small), clock):>13} {spread(small['ns']) * 100:>3.0f}%"
                     f"{median(small) / (median(huge) or 1):>7.1f}")
        else:
            line += f"{'':>13} {'':>4}{'':>7}"
        memcpy = median(huge, "memcpy_ns")
        if memcpy:
            ratio = middle(c / n for n, c in zip(huge["ns"], huge["memcpy_ns"]))
            line += f"{time_text(memcpy, clock):>13}{ratio:>10.2f}"
        print(line.rstrip())


def print_summary(summary):
    """The figures beside their targets."""
    print(f"\n{'figure':<27}{'value':>10}{'target':>12}  by")
    for key, (target, more, clock) in TARGETS.items():
        value = summary[key]
        if value is None:
            print(f"{key:<27}{'-':>10}")
            continue
        reached = value >= target if more else value <= target
        print(f"{key:<27}{value:>10.3f}{'>=' if more else '<=':>5} {target:<6}"
              f"  {clock:<7}{'' if reached else '  MISSED'}")


PLOT_HEAD = """set grid ytics
set key outside bottom center horizontal
set style data linespoints
"""


def plot(directory, name, script, data):
    """One picture, as SVG and PNG, and its data."""
    with open(f"{directory}/{name}.dat", "w", encoding="utf-8") as file:
        file.write(data)
    for kind, terminal in (("svg", "svg size 800,480 background 'white'"),
                           ("png", "png size 800,480")):
        text = (f"set terminal {terminal}\nset output '{directory}/{name}.{kind}'\n" +
                PLOT_HEAD + script.replace("DATA", f"'{directory}/{name}.dat'"))
        subprocess.run(["gnuplot"], input=text, text=True, check=True)


def plot_throughput(report, directory):
    """Throughput by size, both kinds of pages and memcpy()."""
    names = ("prefetch_to_vram", "prefetch_to_ram")
    sizes = sorted({r["bytes"] for r in report["results"] if r["name"] == names[0]})
    lines = []
    for size in sizes:
        row = [str(size / (1 << 20))]
        for name in names:
            for pages in ("huge", "4k"):
                result = find(report, name, pages, size)
                row.append(str(size / median(result)) if result else "NaN")
        memcpy = find(report, names[0], "huge", size)
        row.append(str(size / median(memcpy, "memcpy_ns")))
        lines.append(" ".join(row))
    titles = ("to VRAM, huge", "to VRAM, 4 KiB", "to RAM, huge", "to RAM, 4 KiB", "memcpy()")
    unit = "GB/s" if report["clock"] == "wall" else "bytes for each instruction"
    curves = ", ".join(f"DATA using 1:{i + 2} title '{title}' lw 2"
                       for i, title in enumerate(titles))
    plot(directory, f"throughput-{report['clock']}",
         f"set title 'Prefetch'\nset logscale x 4\nset xlabel 'MiB'\n"
         f"set ylabel '{unit}'\nset yrange [0:]\nplot {curves}\n", "\n".join(lines) + "\n")


def plot_stages(report, directory):
    """What 2 MiB cost: the copy, and all else, by faults."""
    size = 64 * MIB if find(report, "gpu_fault", "4k", 64 * MIB) else BLOCK
    lines = []
    for name, text in (("gpu_fault", "to VRAM"), ("cpu_fault", "to RAM")):
        for pages in ("huge", "4k"):
            result = find(report, name, pages, size)
            copy, migrate = (median(result, m) * BLOCK / size for m in ("copy_ns", "migrate_ns"))
            lines.append(f"\"{text}, {pages}\" {copy / 1e3} {(migrate - copy) / 1e3}")
    unit = "microseconds" if report["clock"] == "wall" else "thousands of instructions"
    plot(directory, f"stages-{report['clock']}",
         f"set title 'Migration of 2 MiB by faults'\nset ylabel '{unit}'\n"
         "set style data histograms\nset style histogram rowstacked\n"
         "set style fill solid border -1\nset boxwidth 0.6\nset yrange [0:]\n"
         "plot DATA using 2:xtic(1) title 'copy', '' using 3 title 'all else'\n",
         "\n".join(lines) + "\n")


def main():
    """Reads, prints, writes."""
    reports = []
    for path in sys.argv[1:3]:
        if path == "-":
            reports.append(None)
            continue
        with open(path, encoding="utf-8") as file:
            reports.append(json.load(file))
    wall, icount = reports
    summary, raw = figures(wall, icount)
    os.makedirs(sys.argv[4], exist_ok=True)
    for report in filter(None, reports):
        print_results(report)
        plot_throughput(report, sys.argv[4])
        plot_stages(report, sys.argv[4])
    print_summary(summary)
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        json.dump({"summary": summary, "figures": raw, "wall": wall, "icount": icount}, file,
                  indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
