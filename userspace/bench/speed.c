// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * usage: vsvm-prefetch-speed [--late]
 *
 * Prefetches 64 MiB to VRAM, brings them home, prefetches them once more, and says how
 * that compares with memcpy() in the kernel. With --late it asks for huge pages when
 * half of the memory is in use already: Documentation/profiling.rst finds that out.
 * Needs root and debugfs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

#define BYTES (64 * MIB)

static uint64_t prefetch(struct bench *bench, void *memory, enum drm_vsvm_location location)
{
	uint64_t begin = now_ns(), moved;

	must(vsvm_prefetch(bench->dev, memory, BYTES, location, &moved));
	if (moved != BYTES)
		fail("%llu of %lu bytes moved", (unsigned long long)moved, BYTES);
	return now_ns() - begin;
}

int main(int argc, char **argv)
{
	bool late = argc == 2 && !strcmp(argv[1], "--late");
	size_t used = late ? BYTES / 2 : 0;
	struct bench bench = {0};
	uint64_t ns, memcpy_ns;
	char *memory;

	if (argc > 1 && !late) {
		fprintf(stderr, "usage: vsvm-prefetch-speed [--late]\n");
		return 2;
	}
	must(vsvm_device_open(0, &bench.dev));
	measure_open(&bench);
	memory = aligned_alloc(BLOCK, BYTES);
	if (!memory)
		fail("no memory");

	memset(memory, 1, used);
	madvise(memory, BYTES, MADV_HUGEPAGE);
	memset(memory + used, 1, BYTES - used);

	prefetch(&bench, memory, DRM_VSVM_LOCATION_VRAM);
	prefetch(&bench, memory, DRM_VSVM_LOCATION_SYSTEM);
	memcpy_ns = measure(&bench, "memcpy %lu", BYTES);
	ns = prefetch(&bench, memory, DRM_VSVM_LOCATION_VRAM);
	printf("prefetch of 64 MiB %.1f ms, memcpy() %.1f ms: %.2f of memcpy()\n", ns / 1e6,
	       memcpy_ns / 1e6, (double)memcpy_ns / ns);

	free(memory);
	measure_close(&bench);
	vsvm_device_close(bench.dev);
	return EXIT_SUCCESS;
}
