// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Memory that comes and goes, and processes.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* New memory, first touched on the GPU's side, and given up there. */
static uint64_t calloc_and_free(struct bench *bench, size_t bytes, enum pages pages)
{
	uint64_t begin = now_ns(), moved;
	unsigned char *memory = calloc(1, bytes + BLOCK), *start;

	if (!memory)
		fail("no memory");
	start = (unsigned char *)(((uintptr_t)memory + BLOCK - 1) & ~(BLOCK - 1));
	madvise(start, bytes, pages == PAGES_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	must(vsvm_prefetch(bench->dev, start, bytes, DRM_VSVM_LOCATION_VRAM, &moved));
	/* The first page may have been touched by calloc(). */
	if (moved < bytes - BLOCK)
		fail("%llu of %zu bytes moved", (unsigned long long)moved, bytes);
	free(memory);
	return now_ns() - begin;
}

void bench_storm(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats)
{
	struct result result = {
		.name = "calloc_free",
		.pages = pages,
		.bytes = bytes,
		.threads = 1,
		.repeats = repeats,
	};
	unsigned int i;

	/* Each time from the kernel, not what free() kept. */
	mallopt(M_MMAP_THRESHOLD, MIB);
	calloc_and_free(bench, bytes, pages);
	for (i = 0; i < repeats; i++) {
		result.sample[i].memcpy_ns = measure(bench, "memcpy %zu", bytes);
		result.sample[i].ns = calloc_and_free(bench, bytes, pages);
	}
	report_add(&result);
}

static uint64_t fork_once(void)
{
	uint64_t begin = now_ns();
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		fail("fork: %s", strerror(errno));
	return now_ns() - begin;
}

void bench_fork(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats)
{
	struct memory memory = memory_get(bytes, pages);
	struct result result = {
		.name = "fork",
		.pages = pages,
		.bytes = bytes,
		.threads = 1,
		.repeats = repeats,
	};
	unsigned int i;

	must(vsvm_prefetch(bench->dev, memory.start, bytes, DRM_VSVM_LOCATION_VRAM, NULL));
	fork_once();
	for (i = 0; i < repeats; i++) {
		result.sample[i].memcpy_ns = measure(bench, "memcpy %zu", bytes);
		result.sample[i].ns = fork_once();
	}
	must(vsvm_prefetch(bench->dev, memory.start, bytes, DRM_VSVM_LOCATION_SYSTEM, NULL));
	memory_check(&memory);
	memory_put(&memory);
	report_add(&result);
}
