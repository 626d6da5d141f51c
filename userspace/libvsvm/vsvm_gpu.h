/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_GPU_H
#define VSVM_GPU_H

/*
 * For code that runs on the GPU. A kernel is a C function of up to eight
 * integer or pointer arguments, which a launch fills in this order:
 *
 *	arg		what vsvm_launch.arg says
 *	x, y, z		global id of the work-item
 *	local		linear id of the work-item in its work-group
 *	group		linear id of the work-group in the grid
 *	total		work-items in the grid
 *	group_size	work-items in a work-group
 *
 * A kernel may declare only the first few of them.
 */

/* Marks a function that vsvm_module_kernel() can find. */
#define VSVM_KERNEL __attribute__((visibility("default"), used)) void

/* Waits until all work-items of the work-group that have not ended are here. */
static inline void vsvm_barrier(void)
{
	register unsigned long function __asm__("a7") = 1;

	__asm__ volatile("ecall" : : "r"(function) : "memory");
}

/*
 * Memory of the work-group, as much as vsvm_launch.local_size says. Its content is
 * undefined to begin with.
 */
static inline void *vsvm_local_memory(void)
{
	return (void *)0x800000000000UL;
}

/* Adds to memory that other work-items or the CPU may change at the same time. */
static inline void vsvm_atomic_add_u32(unsigned int *addr, unsigned int value)
{
	__atomic_fetch_add(addr, value, __ATOMIC_RELAXED);
}

static inline void vsvm_atomic_add_u64(unsigned long *addr, unsigned long value)
{
	__atomic_fetch_add(addr, value, __ATOMIC_RELAXED);
}

#endif /* VSVM_GPU_H */
