// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

#include <linux/array_size.h>
#include <linux/ktime.h>

#include <drm/drm_print.h>
#include <drm/vsvm_isa.h>

#include "vsvm_fault_log.h"

static const char * const vsvm_access_names[] = {
	[VSVM_ISA_ACCESS_READ] = "read",
	[VSVM_ISA_ACCESS_WRITE] = "write",
	[VSVM_ISA_ACCESS_ATOMIC] = "atomic",
	[VSVM_ISA_ACCESS_FETCH] = "fetch",
};

/**
 * vsvm_access_name() - name of a kind of access
 * @access: enum vsvm_isa_access
 *
 * Return: its name.
 */
const char *vsvm_access_name(u32 access)
{
	return access < ARRAY_SIZE(vsvm_access_names) ?
	       vsvm_access_names[access] : "unknown";
}

/**
 * vsvm_fault_log_init() - start with no faults
 * @log: zeroed memory
 */
void vsvm_fault_log_init(struct vsvm_fault_log *log)
{
	spin_lock_init(&log->lock);
}

/**
 * vsvm_fault_log_add() - remember a fault
 * @log: the log
 * @fault: the record of the fault buffer
 * @error: 0, or why it could not be served
 * @bytes: bytes made accessible
 * @ns: how long that took
 */
void vsvm_fault_log_add(struct vsvm_fault_log *log,
			const struct vsvm_hw_fault *fault, int error, u64 bytes,
			u64 ns)
{
	struct vsvm_fault_entry *entry;

	spin_lock(&log->lock);
	entry = &log->entry[log->count++ % VSVM_FAULT_LOG_ENTRIES];
	entry->fault = *fault;
	entry->error = error;
	entry->bytes = bytes;
	entry->at = ktime_get_ns();
	entry->ns = ns;
	spin_unlock(&log->lock);
}

/* Copies fault number @i, if it is still there. */
static bool vsvm_fault_log_get(struct vsvm_fault_log *log, u64 i,
			       struct vsvm_fault_entry *entry)
{
	bool found;

	spin_lock(&log->lock);
	found = i < log->count && log->count - i <= VSVM_FAULT_LOG_ENTRIES;
	if (found)
		*entry = log->entry[i % VSVM_FAULT_LOG_ENTRIES];
	spin_unlock(&log->lock);
	return found;
}

/**
 * vsvm_fault_log_print() - print the latest faults, oldest first
 * @log: the log
 * @p: printer
 */
void vsvm_fault_log_print(struct vsvm_fault_log *log, struct drm_printer *p)
{
	struct vsvm_fault_entry e;
	u64 i, count;

	spin_lock(&log->lock);
	count = log->count;
	spin_unlock(&log->lock);

	i = count > VSVM_FAULT_LOG_ENTRIES ? count - VSVM_FAULT_LOG_ENTRIES : 0;
	for (; i < count; i++) {
		if (!vsvm_fault_log_get(log, i, &e))
			continue;
		drm_printf(p, "fault %llu: at %llu ns vmid %u cu %u addr %#llx %s",
			   i, e.at, e.fault.vmid, e.fault.cu, e.fault.addr,
			   vsvm_access_name(e.fault.access));
		drm_printf(p, " error %d bytes %llu took %llu ns\n", e.error,
			   e.bytes, e.ns);
	}
}
