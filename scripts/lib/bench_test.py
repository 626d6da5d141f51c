#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench_test.py

What bench.py and bench_compare.py make of reports that are made up here.
"""

import unittest

import bench
import bench_compare

MIB = 1 << 20


def result(name, pages, size, threads=1, **samples):
    """A measurement; members that are not given are 0."""
    made = {"name": name, "pages": pages, "bytes": size, "threads": threads}
    for member in ("ns", "memcpy_ns", "migrate_ns", "copy_ns", "fault_ns", "bind_ns"):
        made[member] = samples.get(member, [0] * len(samples["ns"]))
    return made


def report(clock, *results):
    """A report of vsvm-bench."""
    return {"clock": clock, "results": list(results)}


class Figures(unittest.TestCase):
    """The summary."""

    def test_overhead(self):
        """All but the copy, for each 2 MiB, small by huge."""
        icount = report(
            "icount",
            result("gpu_fault", "huge", 64 * MIB, ns=[1], migrate_ns=[3200], copy_ns=[3168]),
            result("gpu_fault", "4k", 64 * MIB, ns=[1], migrate_ns=[6400], copy_ns=[3200]))
        self.assertEqual(bench.overhead(icount, "gpu_fault", "huge"), 1)
        summary, _ = bench.figures(None, icount)
        self.assertEqual(summary["overhead_ratio_to_vram"], 100)
        self.assertIsNone(summary["overhead_ratio_to_ram"])

    def test_wall(self):
        """Each sample has its own ratio; the worse direction counts."""
        wall = report(
            "wall",
            result("prefetch_to_vram", "huge", 2 * MIB, ns=[1, 1, 1],
                   migrate_ns=[10, 100, 10], copy_ns=[9, 10, 9]),
            result("prefetch_to_vram", "huge", 256 * MIB, ns=[10], memcpy_ns=[9]),
            result("prefetch_to_ram", "huge", 256 * MIB, ns=[10], memcpy_ns=[8]),
            result("threads_to_vram", "huge", 64 * MIB, 1, ns=[10], memcpy_ns=[4]),
            result("threads_to_vram", "huge", 128 * MIB, 2, ns=[10], memcpy_ns=[4]))
        summary, _ = bench.figures(wall, None)
        self.assertEqual(summary["copy_share_to_vram"], 0.9)
        self.assertEqual(summary["prefetch_256m_of_memcpy"], 0.8)
        self.assertEqual(summary["two_thread_speedup"], 2)

    def test_flatness(self):
        """From 2 MiB to 1 GiB, or not at all."""
        results = [result("prefetch_to_ram", "huge", 64 << 10, ns=[1 << 20]),
                   result("prefetch_to_ram", "huge", 2 * MIB, ns=[2 * MIB])]
        self.assertIsNone(bench.flatness(report("icount", *results), "prefetch_to_ram"))
        results.append(result("prefetch_to_ram", "huge", 1024 * MIB, ns=[1280 * MIB]))
        self.assertEqual(bench.flatness(report("icount", *results), "prefetch_to_ram"), 1.25)


class Compare(unittest.TestCase):
    """What is noise."""

    def changed(self, clock, before, after):
        """How many measurements changed."""
        old, new = ({clock: report(clock, result("fork", "huge", MIB, ns=ns))}
                    for ns in (before, after))
        return len(list(bench_compare.changes(old, new, clock)))

    def test_noise(self):
        """Instructions are exact, wall time is not, and less so if it is spread."""
        self.assertEqual(self.changed("icount", [1000], [1009]), 0)
        self.assertEqual(self.changed("icount", [1000], [1011]), 1)
        self.assertEqual(self.changed("wall", [100] * 5, [109] * 5), 0)
        self.assertEqual(self.changed("wall", [100] * 5, [111] * 5), 1)
        self.assertEqual(self.changed("wall", [80, 90, 100, 110, 120], [111] * 5), 0)


if __name__ == "__main__":
    unittest.main()
