// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Judging a run.
 */
#include "run.h"

#include "counters.h"

#define HUGE_ORDER 9

void run_total(const struct run *run, struct drm_vsvm_counters *total)
{
	int i;

	*total = (struct drm_vsvm_counters){0};
	for (i = 0; i < PHASES; i++)
		counters_add(total, &run->phase[i].grown);
}

bool run_correct(const struct run *run)
{
	return run->ended && !run->wrong_bins && run->checksum_before == run->checksum_after;
}

bool run_leaked(const struct run *run)
{
	const struct leaks *leaks = &run->leaks;

	return leaks->vram_pages || leaks->vram_bytes || leaks->anon_kib || leaks->page_table_kib;
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
