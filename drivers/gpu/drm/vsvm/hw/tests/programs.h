/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_TEST_PROGRAMS_H_
#define _VSVM_TEST_PROGRAMS_H_

/*
 * Programs in C that are compiled twice, for the GPU and for the host, and must
 * give the same results on both.
 */

#include <stdint.h>

#define PROGRAM_WORDS 256 /* results of a hart */
#define PROGRAM_BASE  0x100000

/* Entry points, in this order in a table at PROGRAM_BASE */
enum program {
	PROGRAM_SORT,
	PROGRAM_HASH,
	PROGRAM_MODULAR,
	PROGRAM_LOCK,
	PROGRAM_FLOAT,
	PROGRAM_CALLS,
	PROGRAM_COUNT
};

/**
 * struct program_args - argument of all programs
 * @out: PROGRAM_WORDS words for each hart
 * @lock: for PROGRAM_LOCK
 * @shared: what it protects
 */
struct program_args {
	uint64_t *out;
	uint32_t lock;
	uint64_t shared[2];
};

typedef void (*program_fn)(struct program_args *args, uint64_t id);

extern const program_fn programs[PROGRAM_COUNT];

#endif /* _VSVM_TEST_PROGRAMS_H_ */
