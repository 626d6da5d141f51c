// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * usage: report-test JSON-FILE
 *
 * Writes the report of made-up runs, for check-json to read; and checks how runs
 * are judged.
 */
#include <stdio.h>

#include "../histogram/report.h"

static int failed;

#define check(cond)                                                       \
	do {                                                              \
		if (!(cond)) {                                            \
			printf("line %d: failed: %s\n", __LINE__, #cond); \
			failed++;                                         \
		}                                                         \
	} while (0)

static struct run good_run(void)
{
	struct run run = {
		.ended = true,
		.bytes = 6291455,
		.blocks = 3,
		.checksum_before = 7,
		.checksum_after = 7,
	};
	struct drm_vsvm_counters *count = &run.phase[PHASE_COUNT].grown;
	struct drm_vsvm_counters *read = &run.phase[PHASE_READ_INPUT].grown;

	count->gpu_faults_served[DRM_VSVM_SIZE_2M] = 3;
	count->folios_to_vram[9] = 3;
	count->stage[DRM_VSVM_STAGE_BIND][DRM_VSVM_SIZE_2M].count = 3;
	count->stage[DRM_VSVM_STAGE_BIND][DRM_VSVM_SIZE_2M].ns = 1500;
	read->cpu_faults = 3;
	read->folios_to_ram[9] = 3;
	read->folios_freed[9] = 3;
	run.phase[PHASE_CLEAR].grown.gpu_faults_served[DRM_VSVM_SIZE_4K] = 2;
	return run;
}

int main(int argc, char **argv)
{
	struct run huge = good_run(), base = good_run(), bad;

	if (argc != 2)
		return 2;
	check(run_correct(&huge) && run_all_huge(&huge) && !run_leaked_pages(&huge));

	bad = huge;
	bad.ended = false;
	check(!run_correct(&bad) && !run_all_huge(&bad));
	bad = huge;
	bad.wrong_bins = 1;
	check(!run_correct(&bad));
	bad = huge;
	bad.checksum_after++;
	check(!run_correct(&bad));
	bad = huge;
	bad.phase[PHASE_READ_INPUT].grown.cpu_faults++;
	check(run_correct(&bad) && !run_all_huge(&bad));
	bad = huge;
	bad.leaks.anon_kib = -1;
	check(run_leaked_pages(&bad) == 1);
	bad = huge;
	bad.leaks.vram_bytes = 2 << 20;
	check(run_leaked_pages(&bad) == 512);

	base.phase[PHASE_COUNT].grown.stage[DRM_VSVM_STAGE_BIND][DRM_VSVM_SIZE_2M].ns = 3000;
	report_table("a file", &huge, &base);
	check(!report_json(argv[1], "a \"file\"\\\n", &huge, &base, true));
	check(report_json("/nonexistent/file", "a", &huge, &base, true));
	return !!failed;
}
