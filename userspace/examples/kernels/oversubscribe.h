/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the program and its GPU kernel share.
 */
#ifndef OVERSUBSCRIBE_KERNEL_H
#define OVERSUBSCRIBE_KERNEL_H

/* Records that one work-item changes: 64 KiB. */
#define OVERSUBSCRIBE_CHUNK 1024UL

#define OVERSUBSCRIBE_PAYLOAD 7

struct oversubscribe_record {
	/* Changed by the GPU. */
	unsigned long value;
	/* All the same, not changed. */
	unsigned long payload[OVERSUBSCRIBE_PAYLOAD];
};

struct oversubscribe_args {
	struct oversubscribe_record *records;
	/* Differs from pass to pass. */
	unsigned long salt;
};

static inline unsigned long oversubscribe_step(unsigned long value, unsigned long salt)
{
	return (value ^ value >> 7) + salt;
}

#endif /* OVERSUBSCRIBE_KERNEL_H */
