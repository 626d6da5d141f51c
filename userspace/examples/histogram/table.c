// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The table on the terminal.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "report.h"

#define HUGE_ORDER 9

/* A number of a run; the second argument is for the function to use. */
typedef double number(const struct run *run, int what);

static const struct drm_vsvm_counters *counting(const struct run *run)
{
	return &run->phase[PHASE_COUNT].grown;
}

static const struct drm_vsvm_counters *reading(const struct run *run)
{
	return &run->phase[PHASE_READ_INPUT].grown;
}

static double gpu_faults(const struct run *run, int what)
{
	(void)what;
	return counters_gpu_faults(counting(run));
}

static double to_vram(const struct run *run, int order)
{
	return counting(run)->folios_to_vram[order];
}

static double cpu_faults(const struct run *run, int what)
{
	(void)what;
	return reading(run)->cpu_faults;
}

static double to_ram(const struct run *run, int order)
{
	return reading(run)->folios_to_ram[order];
}

static double folio_free(const struct run *run, int order)
{
	return reading(run)->folios_freed[order];
}

static double instructions(const struct run *run, int what)
{
	(void)what;
	return counting(run)->instructions;
}

static double count_stage_ms(const struct run *run, int stage)
{
	return counters_stage(counting(run), stage).ns / 1e6;
}

static double read_stage_ms(const struct run *run, int stage)
{
	return counters_stage(reading(run), stage).ns / 1e6;
}

static double phase_ms(const struct run *run, int phase)
{
	return run->phase[phase].ns / 1e6;
}

enum unit { COUNT, TIME };

static const struct row {
	const char *name;
	number *number;
	int what;
	enum unit unit;
	bool ratio;
} rows[] = {
	{"GPU faults served", gpu_faults, 0, COUNT, true},
	{"folios to VRAM, 2 MiB", to_vram, HUGE_ORDER, COUNT, false},
	{"folios to VRAM, 4 KiB", to_vram, 0, COUNT, false},
	{"CPU faults", cpu_faults, 0, COUNT, true},
	{"folios to RAM, 2 MiB", to_ram, HUGE_ORDER, COUNT, false},
	{"folios to RAM, 4 KiB", to_ram, 0, COUNT, false},
	{"folio_free calls, 2 MiB", folio_free, HUGE_ORDER, COUNT, false},
	{"folio_free calls, 4 KiB", folio_free, 0, COUNT, false},
	{"GPU instructions", instructions, 0, COUNT, true},
	{"GPU fault service", count_stage_ms, DRM_VSVM_STAGE_GPU_FAULT, TIME, true},
	{"  migration to VRAM", count_stage_ms, DRM_VSVM_STAGE_TO_VRAM, TIME, true},
	{"    copy", count_stage_ms, DRM_VSVM_STAGE_COPY_TO_VRAM, TIME, true},
	{"  bind", count_stage_ms, DRM_VSVM_STAGE_BIND, TIME, true},
	{"GPU job in all", phase_ms, PHASE_COUNT, TIME, true},
	{"CPU fault service", read_stage_ms, DRM_VSVM_STAGE_CPU_FAULT, TIME, true},
	{"  migration to RAM", read_stage_ms, DRM_VSVM_STAGE_TO_RAM, TIME, true},
	{"    copy", read_stage_ms, DRM_VSVM_STAGE_COPY_TO_RAM, TIME, true},
	{"reading back in all", phase_ms, PHASE_READ_INPUT, TIME, true},
};

static void print_number(enum unit unit, double n)
{
	if (unit == COUNT)
		printf("  %11.0f", n);
	else
		printf("  %8.1f ms", n);
}

static void print_row(const struct row *row, const struct run *huge, const struct run *base)
{
	double h = huge ? row->number(huge, row->what) : 0;
	double b = base ? row->number(base, row->what) : 0;

	printf("%-26s", row->name);
	if (huge)
		print_number(row->unit, h);
	if (base)
		print_number(row->unit, b);
	if (row->ratio && h > 0 && b > 0)
		printf("  %8.1f", b / h);
	printf("\n");
}

/* The one line about numbers that are not the input's. */
static void print_besides(const char *name, const struct run *run)
{
	struct drm_vsvm_counters rest = run_besides_input(run);
	uint64_t pages = 0, cpu = rest.cpu_faults;
	int order;

	for (order = 0; order < DRM_VSVM_ORDERS; order++)
		pages += rest.folios_to_vram[order] << order;
	printf("not counted above, %s: code, arguments, result and tables, %" PRIu64
	       " pages of 4 KiB, %" PRIu64 " GPU faults, %" PRIu64 " CPU fault(s)\n",
	       name, pages, counters_gpu_faults(&rest), cpu);
}

static void print_blocks(const struct run *run)
{
	if (run_all_huge(run))
		printf("every 2 MiB of the input moved as one folio, there and back: %" PRIu64
		       " of "
		       "%" PRIu64 "\n",
		       run->blocks, run->blocks);
	else
		printf("NOT every 2 MiB of the input moved as one folio, there and back: there are "
		       "%" PRIu64 ", of which %" PRIu64 " were 2 MiB in system memory\n",
		       run->blocks, run->before_job.system_huge >> 21);
}

static void print_leaks(const char *name, const struct run *run)
{
	const struct leaks *leaks = &run->leaks;

	if (!run_leaked_pages(run))
		printf("leaks, %s: none (VRAM folios, VRAM bytes, AnonPages, PageTables as "
		       "before)\n",
		       name);
	else
		printf("LEAKS, %s: %" PRId64 " pages of folios, %" PRId64 " bytes of VRAM, "
		       "AnonPages %+" PRId64 " KiB, PageTables %+" PRId64 " KiB\n",
		       name, leaks->vram_pages, leaks->vram_bytes, leaks->anon_kib,
		       leaks->page_table_kib);
}

static void print_error(const char *name, const struct run *run)
{
	if (!run->ended)
		printf("FAILED, %s: %s\n", name, run->error);
	else if (!run_correct(run))
		printf("WRONG, %s: %" PRIu64 " of 256 counts differ; the input is %s\n", name,
		       run->wrong_bins,
		       run->checksum_before == run->checksum_after ? "intact" : "damaged");
}

void report_table(const char *name, const struct run *huge, const struct run *base)
{
	const struct run *any = huge ? huge : base;
	size_t i;

	printf("\nhistogram of %s: %" PRIu64 " bytes in malloc() memory\n\n", name, any->bytes);
	printf("%-26s", "");
	if (huge)
		printf("  %11s", "huge folios");
	if (base)
		printf("  %11s", "4 KiB pages");
	if (huge && base)
		printf("  %8s", "ratio");
	printf("\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		print_row(&rows[i], huge, base);
	printf("\n");

	if (huge) {
		print_error("huge folios", huge);
		print_blocks(huge);
		print_besides("huge folios", huge);
		print_leaks("huge folios", huge);
	}
	if (base) {
		print_error("4 KiB pages", base);
		print_besides("4 KiB pages", base);
		print_leaks("4 KiB pages", base);
	}
}
