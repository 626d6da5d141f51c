/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What /proc and /sys say of memory.
 */
#ifndef VSVM_PROC_H
#define VSVM_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum vsvm_pagemap_bits - bits of an entry of /proc/PID/pagemap */
enum {
	VSVM_PM_SOFT_DIRTY = 55,
	VSVM_PM_EXCLUSIVE = 56,
	VSVM_PM_UFFD_WP = 57,
	VSVM_PM_FILE = 61,
	VSVM_PM_SWAP = 62,
	VSVM_PM_PRESENT = 63,
};

/**
 * vsvm_proc_key - sum of the values of lines "key: N" or "key N" in a file
 * @path: the file
 * @key: the key
 *
 * The test fails if there is no such line.
 */
long vsvm_proc_key(const char *path, const char *key);

/**
 * vsvm_smaps - sum of a value of /proc/self/smaps for a range
 * @addr: start
 * @length: bytes; the range must consist of whole mappings
 * @key: name of the value
 *
 * Returns bytes.
 */
size_t vsvm_smaps(const void *addr, size_t length, const char *key);

/**
 * vsvm_pagemap_count - pages of a range whose pagemap entry has a bit
 * @addr: start
 * @length: bytes
 * @bit: VSVM_PM_*
 */
size_t vsvm_pagemap_count(const void *addr, size_t length, unsigned int bit);

/**
 * vsvm_pagemap_scan - pages of a range that PAGEMAP_SCAN finds
 * @addr: start
 * @length: bytes
 * @flags: PM_SCAN_*
 * @categories: PAGE_IS_*, all of which they must be of
 */
size_t vsvm_pagemap_scan(const void *addr, size_t length, uint64_t flags, uint64_t categories);

/** vsvm_clear_soft_dirty - clear the soft-dirty bits of this process */
void vsvm_clear_soft_dirty(void);

/**
 * vsvm_write_file - write a text to a file of /proc or /sys
 * @path: the file
 * @text: the text
 *
 * Returns false if that does not work.
 */
bool vsvm_write_file(const char *path, const char *text);

/**
 * vsvm_read_number - read a number from a file of /proc or /sys
 * @path: the file; the test fails if it does not begin with a number
 */
long long vsvm_read_number(const char *path);

#endif /* VSVM_PROC_H */
