/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_SUBTESTS_H
#define VSVM_SUBTESTS_H

#include "vsvm_test.h"

/**
 * enum vsvm_ways - ways to run a subtest
 * @VSVM_HUGE: with huge folios in VRAM
 * @VSVM_BASE: with base pages in VRAM, as a subtest of its own with "-base" at the
 *	end of its name
 * @VSVM_BOTH: both
 * @VSVM_AGAIN: again and again, each time from the beginning, for vsvm_stress_seconds().
 *	For what gets better the longer it runs
 */
enum vsvm_ways {
	VSVM_HUGE = 1 << 0,
	VSVM_BASE = 1 << 1,
	VSVM_BOTH = VSVM_HUGE | VSVM_BASE,
	VSVM_AGAIN = 1 << 2,
};

/**
 * struct vsvm_subtest - a subtest of a table
 * @name: its name
 * @run: its body; @flags are those of vsvm_test_begin()
 * @ways: ways to run it, of &enum vsvm_ways
 * @description: what it does
 */
struct vsvm_subtest {
	const char *name;
	void (*run)(struct vsvm_test *t, unsigned int flags);
	unsigned int ways;
	const char *description;
};

/**
 * vsvm_run_subtests - run a table of subtests, between vsvm_test_begin() and _end()
 * @subtests: the table
 * @count: its length
 */
void vsvm_run_subtests(const struct vsvm_subtest *subtests, size_t count);

/**
 * vsvm_stress_seconds - how long a test is to run that can run for any time
 * @otherwise: if nobody has said so
 *
 * What VSVM_STRESS_SECONDS in the environment says.
 */
unsigned int vsvm_stress_seconds(unsigned int otherwise);

/**
 * vsvm_order - order of the folios in VRAM
 * @flags: of the subtest
 */
unsigned int vsvm_order(unsigned int flags);

/**
 * vsvm_folios - number of folios in VRAM
 * @flags: of the subtest
 * @size: bytes, a multiple of 2 MiB
 */
uint64_t vsvm_folios(unsigned int flags, size_t size);

/**
 * vsvm_buffer_in_vram - a buffer of huge pages that the GPU has written to
 * @t: the test
 * @size: bytes, a multiple of 2 MiB
 * @flags: of the subtest
 *
 * All of it is in VRAM, and that is counted.
 */
struct vsvm_buffer *vsvm_buffer_in_vram(struct vsvm_test *t, size_t size, unsigned int flags);

/**
 * vsvm_expect_to_vram - so much has moved to VRAM by as many GPU faults of a dispatch
 * @t: the test
 * @size: bytes, a multiple of 2 MiB
 * @flags: of the subtest
 */
void vsvm_expect_to_vram(struct vsvm_test *t, size_t size, unsigned int flags);

/**
 * vsvm_expect_home - so much came home from VRAM, each folio by a CPU fault of its own
 * @t: the test
 * @size: bytes, a multiple of 2 MiB
 * @flags: of the subtest
 */
void vsvm_expect_home(struct vsvm_test *t, size_t size, unsigned int flags);

/**
 * struct vsvm_gate - a door between processes: who waits goes on when another opens it
 * @fds: of a pipe
 */
struct vsvm_gate {
	int fds[2];
};

/** vsvm_gate_init - make a gate, before the fork */
void vsvm_gate_init(struct vsvm_gate *gate);

/** vsvm_gate_open - let one through */
void vsvm_gate_open(struct vsvm_gate *gate);

/** vsvm_gate_wait - wait for it to be opened */
void vsvm_gate_wait(struct vsvm_gate *gate);

/** vsvm_gate_fini - give the gate up */
void vsvm_gate_fini(struct vsvm_gate *gate);

#endif /* VSVM_SUBTESTS_H */
