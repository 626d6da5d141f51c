// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Judging a run.
 */
#include <stdlib.h>

#include "run.h"

#include "counters.h"

#define HUGE_ORDER 9

struct drm_vsvm_counters run_besides_input(const struct run *run)
{
	struct drm_vsvm_counters sum = {0};
	int i;

	for (i = 0; i < PHASES; i++)
		counters_add(&sum, &run->phase[i].grown);
	counters_diff(&sum, &run->phase[PHASE_COUNT].grown, &sum);
	counters_diff(&sum, &run->phase[PHASE_READ_INPUT].grown, &sum);
	return sum;
}

bool run_correct(const struct run *run)
{
	return run->ended && !run->wrong_bins && run->checksum_before == run->checksum_after;
}

uint64_t run_leaked_pages(const struct run *run)
{
	const struct leaks *leaks = &run->leaks;
	/* Rounded up: a part of a page is a page. */
	const int64_t accounts[] = {
		llabs(leaks->vram_pages),
		(llabs(leaks->vram_bytes) + 4095) / 4096,
		(llabs(leaks->anon_kib) + 3) / 4,
		(llabs(leaks->page_table_kib) + 3) / 4,
	};
	int64_t most = 0;
	size_t i;

	for (i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++)
		most = accounts[i] > most ? accounts[i] : most;
	return most;
}

bool run_all_huge(const struct run *run)
{
	const struct drm_vsvm_counters *count = &run->phase[PHASE_COUNT].grown;
	const struct drm_vsvm_counters *read = &run->phase[PHASE_READ_INPUT].grown;

	return run->ended && count->gpu_faults_served[DRM_VSVM_SIZE_2M] == run->blocks &&
	       count->folios_to_vram[HUGE_ORDER] == run->blocks &&
	       read->cpu_faults == run->blocks && read->folios_to_ram[HUGE_ORDER] == run->blocks &&
	       read->folios_freed[HUGE_ORDER] == run->blocks;
}
