// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Counts how often each byte value occurs.
 */
#include "vsvm_gpu.h"

#include "histogram.h"

/* Clears the result and the tables; every work-item its part. */
VSVM_KERNEL histogram_clear(const struct histogram_args *args, unsigned long x)
{
	unsigned int *table = args->tables + x * HISTOGRAM_BINS;
	unsigned long i;

	for (i = 0; i < HISTOGRAM_BINS; i++) {
		table[i] = 0;
		if (!x)
			args->bins[i] = 0;
	}
}

/* @offset is four times a byte value: the place of its count in the table. */
static inline void count(unsigned int *table, unsigned long offset)
{
	vsvm_atomic_add_u32((unsigned int *)((char *)table + (offset & 0x3fc)), 1);
}

/*
 * Eight bytes by one load, and four instructions for each: shift, mask, add,
 * atomic add.
 */
static inline void count_word(unsigned int *table, unsigned long word)
{
	count(table, word << 2);
	count(table, word >> 6);
	count(table, word >> 14);
	count(table, word >> 22);
	count(table, word >> 30);
	count(table, word >> 38);
	count(table, word >> 46);
	count(table, word >> 54);
}

static void count_block(unsigned int *table, const unsigned char *p, unsigned long bytes)
{
	const unsigned long *word = (const unsigned long *)p;
	const unsigned long *end = word + bytes / 8;
	unsigned long i;

	for (; word != end; word++)
		count_word(table, *word);
	for (i = bytes & ~7UL; i < bytes; i++)
		count(table, (unsigned long)p[i] << 2);
}

/*
 * Every work-item counts every total-th block into a table of its own, so that
 * compute units do not wait for each other; then it adds that to the result.
 */
VSVM_KERNEL histogram_count(const struct histogram_args *args, unsigned long x, unsigned long y,
			    unsigned long z, unsigned long local, unsigned long group,
			    unsigned long total)
{
	unsigned int *table = args->tables + x * HISTOGRAM_BINS;
	unsigned long start, i;

	(void)y;
	(void)z;
	(void)local;
	(void)group;
	for (start = x * HISTOGRAM_BLOCK; start < args->bytes; start += total * HISTOGRAM_BLOCK) {
		unsigned long bytes = args->bytes - start;

		if (bytes > HISTOGRAM_BLOCK)
			bytes = HISTOGRAM_BLOCK;
		count_block(table, args->input + start, bytes);
	}
	for (i = 0; i < HISTOGRAM_BINS; i++)
		if (table[i])
			vsvm_atomic_add_u64(&args->bins[i], table[i]);
}
