/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The kernel's account of memory.
 */
#ifndef MEMINFO_H
#define MEMINFO_H

#include <stdint.h>

/*
 * What the kernel counts in all, less what the processes have. That is a
 * constant, whatever processes do: when it grows, memory has lost its owner.
 */
struct meminfo {
	int64_t anon_kib;
	int64_t page_table_kib;
};

/* Exact when the caller is root. Returns 0 or -errno. */
int meminfo_read(struct meminfo *info);

#endif /* MEMINFO_H */
