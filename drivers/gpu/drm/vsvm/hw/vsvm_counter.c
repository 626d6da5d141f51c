// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Access counters
 *
 * A compute unit counts its accesses to system memory by regions of 2 MiB, so that
 * the driver can tell what is worth to be moved to VRAM. The interpreter counts in
 * the entry of the TLB that serves an access; when that is replaced, flushed or
 * read, its count is added to the counter of the region.
 *
 * There is a fixed number of counters. When those that a region can have are all
 * in use, the one with the fewest accesses is lost: it matters least.
 */

#include "vsvm_counter.h"

/**
 * vsvm_counter_add() - count accesses to system memory
 * @c: the counters
 * @vmid: address space
 * @va: an address in the region
 * @count: how many
 */
void vsvm_counter_add(struct vsvm_counters *c, u32 vmid, u64 va, u64 count)
{
	u64 region = va >> VSVM_HW_ACCESS_SHIFT;
	u64 hash = (region * 512 + vmid) * 0x9e3779b97f4a7c15ULL;
	struct vsvm_counter *way = c->counter[hash >> 56];
	struct vsvm_counter *least = way;
	u32 i;

	for (i = 0; i < VSVM_COUNTER_WAYS; i++) {
		if (way[i].count && way[i].region == region &&
		    way[i].vmid == vmid) {
			way[i].count += count;
			return;
		}
		if (way[i].count < least->count)
			least = &way[i];
	}
	least->region = region;
	least->vmid = vmid;
	least->count = count;
}

/**
 * vsvm_counter_forget() - clear the counters of an address space
 * @c: the counters
 * @vmid: address space
 */
void vsvm_counter_forget(struct vsvm_counters *c, u32 vmid)
{
	struct vsvm_counter *counter = &c->counter[0][0];
	u32 i;

	for (i = 0; i < VSVM_COUNTER_SETS * VSVM_COUNTER_WAYS; i++)
		if (counter[i].vmid == vmid)
			counter[i].count = 0;
}

/**
 * vsvm_counter_take() - read counters and clear them
 * @c: the counters
 * @out: where to
 * @max: elements of @out
 *
 * Return: how many were written to @out.
 */
u32 vsvm_counter_take(struct vsvm_counters *c, struct vsvm_hw_access *out,
		      u32 max)
{
	u32 n = 0, i;

	for (i = 0; i < VSVM_COUNTER_SETS * VSVM_COUNTER_WAYS && n < max; i++) {
		struct vsvm_counter *counter =
			&c->counter[i / VSVM_COUNTER_WAYS][i % VSVM_COUNTER_WAYS];

		if (!counter->count)
			continue;
		out[n].addr = counter->region << VSVM_HW_ACCESS_SHIFT;
		out[n].count = counter->count;
		out[n].vmid = counter->vmid;
		counter->count = 0;
		n++;
	}
	return n;
}
