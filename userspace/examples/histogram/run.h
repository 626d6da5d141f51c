/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * One run of the job, and all that is known about it afterwards.
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <vsvm.h>

/* Steps of a run; the counters are read before and after each. */
enum phase {
	PHASE_CLEAR,	   /* a first launch: brings code, arguments and tables to the GPU */
	PHASE_COUNT,	   /* the GPU counts the input */
	PHASE_READ_INPUT,  /* the CPU reads the input back */
	PHASE_READ_RESULT, /* the CPU reads the result */
	PHASE_FREE,	   /* all memory is freed */
	PHASES,
};

struct phase_result {
	uint64_t ns;
	/* What the counters grew by; of vram_total and vram_free no use. */
	struct drm_vsvm_counters grown;
};

/* Bytes of the input's 2 MiB blocks by place. */
struct residency {
	uint64_t system, system_huge;
	uint64_t vram, vram_huge;
};

/* What is not as it was before the run; all 0 when nothing leaked. */
struct leaks {
	int64_t vram_pages;
	int64_t vram_bytes;
	int64_t anon_kib;
	int64_t page_table_kib;
};

struct run {
	/* Set when the run came to its end, else @error says why not. */
	bool ended;
	char error[320];
	uint64_t bytes;
	/* 2 MiB blocks that the input touches. */
	uint64_t blocks;
	uint64_t checksum_before, checksum_after;
	uint64_t wrong_bins;
	struct residency before_job, after_job;
	struct phase_result phase[PHASES];
	struct leaks leaks;
};

/* Counters of all that is not input: code, arguments, result and tables. */
struct drm_vsvm_counters run_besides_input(const struct run *run);

bool run_correct(const struct run *run);

/* Pages that leaked, by the account that misses most of them. */
uint64_t run_leaked_pages(const struct run *run);

/* Whether every 2 MiB of the input moved as one folio, both ways. */
bool run_all_huge(const struct run *run);

#endif /* RUN_H */
