// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * usage: vsvm-bench [--icount] [--quick] REPORT
 *
 * Measures migration, with huge folios and with pages of 4 KiB, beside memcpy() of
 * the kernel, and writes all samples to REPORT as JSON. --icount is for a guest
 * whose clock counts instructions: fewer repetitions do. --quick takes small sizes
 * only. Needs root, debugfs, and VRAM of more than 1 GiB without --quick.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beside.h"
#include "bench.h"

/* Sizes, and repetitions by wall time and by instructions. */
static const struct {
	size_t bytes;
	unsigned int wall, icount;
} sizes[] = {
	{64 * KIB, 41, 5}, {2 * MIB, 41, 5},   {64 * MIB, 9, 2},
	{256 * MIB, 5, 1}, {1024 * MIB, 3, 1},
};

#define QUICK_MAX  (2 * MIB)
/* The cost of each page of 4 KiB is known from less, and it takes long. */
#define ICOUNT_MAX (64 * MIB)
#define MANY_PAGES (64 * MIB)
/* Blocks are evicted one by one. VRAM is filled twice for each repetition. */
#define EVICT_MAX  (256 * MIB)

static void open_all(struct bench *bench)
{
	char path[PATH_MAX];
	int err = path_beside_program("touch.elf", path, sizeof(path));

	if (err)
		fail("touch.elf: %s", strerror(-err));
	must(vsvm_device_open(0, &bench->dev));
	must(vsvm_module_load_file(path, &bench->module));
	must(vsvm_module_kernel(bench->module, "touch", &bench->touch));
	must(vsvm_queue_create(bench->dev, &bench->queue));
	measure_open(bench);
}

static void close_all(struct bench *bench)
{
	measure_close(bench);
	vsvm_queue_destroy(bench->queue);
	vsvm_module_unload(bench->module);
	vsvm_device_close(bench->dev);
}

static void run_sizes(struct bench *bench, enum pages pages)
{
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned int repeats = bench->icount ? sizes[i].icount : sizes[i].wall;

		if (bench->quick && sizes[i].bytes > QUICK_MAX)
			break;
		if (bench->icount && pages == PAGES_SMALL && sizes[i].bytes > ICOUNT_MAX)
			break;
		if (pages == PAGES_SMALL && sizes[i].bytes >= MANY_PAGES)
			repeats = (repeats + 2) / 3;
		bench_prefetch(bench, sizes[i].bytes, pages, repeats);
		bench_faults(bench, sizes[i].bytes, pages, repeats);
		if (sizes[i].bytes >= BLOCK && sizes[i].bytes <= EVICT_MAX)
			bench_evict(bench, sizes[i].bytes, pages, repeats);
	}
}

static void run(struct bench *bench, enum pages pages)
{
	size_t bytes = bench->quick ? 16 * MIB : 64 * MIB;
	unsigned int repeats = bench->icount ? 3 : 15;

	huge_switch(pages == PAGES_HUGE);
	run_sizes(bench, pages);
	/* One instruction after the other says nothing about threads. */
	if (!bench->icount)
		bench_threads(bench, bytes, pages, repeats);
	bench_storm(bench, bytes / 4, pages, repeats);
	bench_fork(bench, bytes, pages, repeats);
}

int main(int argc, char **argv)
{
	struct bench bench = {0};
	int i;

	for (i = 1; i < argc - 1; i++) {
		if (!strcmp(argv[i], "--icount"))
			bench.icount = true;
		else if (!strcmp(argv[i], "--quick"))
			bench.quick = true;
		else
			break;
	}
	if (i != argc - 1 || argv[i][0] == '-') {
		fprintf(stderr, "usage: vsvm-bench [--icount] [--quick] REPORT\n");
		return 2;
	}

	open_all(&bench);
	report_open(argv[i], &bench);
	bench_folios(&bench, bench.icount ? 3 : 15);
	run(&bench, PAGES_HUGE);
	run(&bench, PAGES_SMALL);
	huge_switch(true);
	report_close();
	close_all(&bench);
	return EXIT_SUCCESS;
}
