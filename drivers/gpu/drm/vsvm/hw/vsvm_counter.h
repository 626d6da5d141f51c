/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_COUNTER_H_
#define _VSVM_COUNTER_H_

#include "vsvm_hw_os.h"

#define VSVM_COUNTER_SETS	256
#define VSVM_COUNTER_WAYS	4

/**
 * struct vsvm_counter - accesses to a region of system memory
 * @region: virtual address in units of regions
 * @vmid: address space
 * @count: accesses since it was read last, 0 for a free counter
 */
struct vsvm_counter {
	u64 region;
	u64 vmid;
	u64 count;
};

/**
 * struct vsvm_counters - the access counters of a compute unit
 * @counter: by hash of vmid and region
 */
struct vsvm_counters {
	struct vsvm_counter counter[VSVM_COUNTER_SETS][VSVM_COUNTER_WAYS];
};

void vsvm_counter_add(struct vsvm_counters *c, u32 vmid, u64 va, u64 count);
void vsvm_counter_forget(struct vsvm_counters *c, u32 vmid);
u32 vsvm_counter_take(struct vsvm_counters *c, struct vsvm_hw_access *out,
		      u32 max);

#endif /* _VSVM_COUNTER_H_ */
