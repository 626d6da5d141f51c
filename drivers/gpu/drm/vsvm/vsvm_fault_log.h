/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_FAULT_LOG_H_
#define _VSVM_FAULT_LOG_H_

#include <linux/spinlock.h>
#include <linux/types.h>

#include "hw/vsvm_hw.h"

struct drm_printer;

#define VSVM_FAULT_LOG_ENTRIES	32

/**
 * struct vsvm_fault_entry - a GPU fault and its answer
 * @fault: the record of the fault buffer
 * @error: 0, or why it could not be served
 * @bytes: bytes made accessible
 * @at: when it was answered, in nanoseconds of CLOCK_MONOTONIC
 * @ns: how long the answer took
 */
struct vsvm_fault_entry {
	struct vsvm_hw_fault fault;
	int error;
	u64 bytes;
	u64 at;
	u64 ns;
};

/**
 * struct vsvm_fault_log - the latest GPU faults of a device
 * @lock: protects all of it
 * @count: faults up to now
 * @entry: the latest of them, in a ring
 */
struct vsvm_fault_log {
	spinlock_t lock;		/* for all of it */
	u64 count;
	struct vsvm_fault_entry entry[VSVM_FAULT_LOG_ENTRIES];
};

const char *vsvm_access_name(u32 access);
void vsvm_fault_log_init(struct vsvm_fault_log *log);
void vsvm_fault_log_add(struct vsvm_fault_log *log,
			const struct vsvm_hw_fault *fault, int error, u64 bytes,
			u64 ns);
void vsvm_fault_log_print(struct vsvm_fault_log *log, struct drm_printer *p);

#endif /* _VSVM_FAULT_LOG_H_ */
