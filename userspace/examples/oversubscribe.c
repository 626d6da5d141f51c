// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * vsvm-oversubscribe: the GPU works on more memory than it has.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/gpu.h"
#include "kernels/oversubscribe.h"

#define MIB	   ((size_t)1 << 20)
#define ALIGN	   (2 * MIB)
#define PASSES	   2
#define MAX_FACTOR 64

static unsigned long salt_of_pass(int pass)
{
	return 0x123456789abcdefUL * (pass + 1);
}

static void fill(struct oversubscribe_record *records, size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		records[i].value = i;
		for (j = 0; j < OVERSUBSCRIBE_PAYLOAD; j++)
			records[i].payload[j] = ~i;
	}
}

/* Whether it is what the GPU should have made of the record number @i. */
static bool right(const struct oversubscribe_record *record, size_t i)
{
	unsigned long value = i;
	bool same = true;
	size_t j;
	int pass;

	for (pass = 0; pass < PASSES; pass++)
		value = oversubscribe_step(value, salt_of_pass(pass));
	for (j = 0; j < OVERSUBSCRIBE_PAYLOAD; j++)
		same = same && record->payload[j] == ~i;
	return same && record->value == value;
}

/* Returns how many times the VRAM is to be used. Exits on bad usage. */
static unsigned long parse(int argc, char **argv)
{
	unsigned long factor = 4;
	char *end;

	if (argc == 1)
		return factor;
	factor = strtoul(argv[1], &end, 10);
	if (argc == 2 && !*end && factor && factor <= MAX_FACTOR)
		return factor;
	fprintf(stderr,
		"usage: vsvm-oversubscribe [FACTOR]\n"
		"\n"
		"The GPU changes an array of FACTOR (default 4, at most 64) times the size of\n"
		"its VRAM.\n");
	exit(2);
}

/*
 * All of the records must go through VRAM, but what may be there from the pass before.
 * Returns false if that cannot be.
 */
static bool run_pass(struct gpu *gpu, struct oversubscribe_record *records, size_t size, int pass,
		     size_t vram_size)
{
	struct oversubscribe_args args = {.records = records, .salt = salt_of_pass(pass)};
	size_t in_vram, to_vram;
	char what[64];

	gpu_run(gpu, "oversubscribe",
		(struct vsvm_launch){
			.arg = &args,
			.groups = {size / sizeof(*records) / OVERSUBSCRIBE_CHUNK},
		});
	to_vram = gpu_bytes_to_vram(gpu);
	in_vram = gpu_bytes_in_vram(gpu, records, size);
	snprintf(what, sizeof(what), "pass %d, then %zu MiB in VRAM", pass + 1, in_vram / MIB);
	gpu_report(gpu, what);
	if (in_vram && in_vram <= vram_size && to_vram + vram_size >= size)
		return true;
	fprintf(stderr, "%zu bytes to VRAM, %zu bytes in VRAM cannot be\n", to_vram, in_vram);
	return false;
}

int main(int argc, char **argv)
{
	unsigned long factor = parse(argc, argv);
	struct oversubscribe_record *records;
	size_t size, count, i, wrong = 0;
	struct drm_vsvm_info info;
	struct gpu gpu;
	int pass;

	gpu_open(&gpu, "oversubscribe.elf");
	if (vsvm_device_info(gpu.dev, &info, sizeof(info))) {
		fprintf(stderr, "%s\n", vsvm_error_message());
		return EXIT_FAILURE;
	}
	size = factor * info.vram_size;
	count = size / sizeof(*records);
	printf("oversubscribe: %zu MiB of records, %zu MiB of VRAM\n", size / MIB,
	       (size_t)info.vram_size / MIB);

	/* In 2 MiB pages, if the process may have them. */
	records = get_aligned_memory(ALIGN, size);
	madvise(records, size, MADV_HUGEPAGE);
	fill(records, count);

	for (pass = 0; pass < PASSES; pass++)
		if (!run_pass(&gpu, records, size, pass, info.vram_size))
			return EXIT_FAILURE;

	for (i = 0; i < count; i++)
		wrong += !right(&records[i], i);
	gpu_report(&gpu, "the CPU checks all records");
	gpu_close(&gpu);
	free(records);
	return verdict("oversubscribe", wrong);
}
