// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * GPU code of device-test.
 */
#include "floats.h"
#include "vsvm_gpu.h"

/* Writes the ids that the work-item sees to its eight places. */
VSVM_KERNEL ids(unsigned long *out, unsigned long x, unsigned long y, unsigned long z,
		unsigned long local, unsigned long group, unsigned long total,
		unsigned long group_size)
{
	unsigned long *place = out + (group * group_size + local) * 8;

	place[0] = x;
	place[1] = y;
	place[2] = z;
	place[3] = local;
	place[4] = group;
	place[5] = total;
	place[6] = group_size;
	place[7] = 1;
}

/* Uses stack: every level keeps a value that the next ones must not touch. */
static __attribute__((noinline)) unsigned long depth_sum(unsigned long depth)
{
	unsigned long volatile mine[4] = {depth, depth, depth, depth};

	if (depth)
		mine[0] += depth_sum(depth - 1);
	return mine[0] + mine[1] + mine[2] + mine[3];
}

VSVM_KERNEL recursion(unsigned long *out, unsigned long x)
{
	out[x] = depth_sum(20);
}

/* Every work-item reads what its neighbour wrote before the barrier. */
VSVM_KERNEL neighbours(unsigned long *out, unsigned long x, unsigned long y, unsigned long z,
		       unsigned long local, unsigned long group, unsigned long total,
		       unsigned long group_size)
{
	unsigned long *row = out + group * group_size;
	unsigned long got;

	(void)x;
	(void)y;
	(void)z;
	(void)total;
	row[local] = local;
	vsvm_barrier();
	got = row[(local + 1) % group_size];
	vsvm_barrier();
	row[local] = got;
}

/* The same by local memory. */
VSVM_KERNEL local_neighbours(unsigned long *out, unsigned long x, unsigned long y, unsigned long z,
			     unsigned long local, unsigned long group, unsigned long total,
			     unsigned long group_size)
{
	volatile unsigned long *row = vsvm_local_memory();

	(void)x;
	(void)y;
	(void)z;
	(void)total;
	row[local] = local;
	vsvm_barrier();
	out[group * group_size + local] = row[(local + 1) % group_size];
}

VSVM_KERNEL add_one(unsigned long *sum)
{
	vsvm_atomic_add_u64(sum, 1);
}

VSVM_KERNEL store_to(unsigned long *bad)
{
	*bad = 1;
}

VSVM_KERNEL trap(void)
{
	__asm__ volatile("ebreak");
}

VSVM_KERNEL illegal(void)
{
	__asm__ volatile(".word 0");
}

/* Runs until somebody opens the gate. */
VSVM_KERNEL wait_at(const unsigned int *gate)
{
	while (!__atomic_load_n(gate, __ATOMIC_RELAXED))
		;
}

VSVM_KERNEL endless(void)
{
	for (;;)
		__asm__ volatile("");
}

/* Every work-item computes what the CPU computes for the same numbers. */
VSVM_KERNEL floating(struct floats *all, unsigned long x)
{
	compute_floats(&all[x]);
}
