// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "vsvm_ioctl.h"
#include "vsvm_kernels.h"
#include "vsvm_memory.h"
#include "vsvm_proc.h"

#define MAX_BUFFERS 64
#define MAX_RUNS    64
#define SHOWN_PAGES 8

/* What other processes may add while a test runs: less than one huge page. */
#define SLACK_ANON_KB	    1024
#define SLACK_TABLES_KB	    256
/* Stacks that the C library keeps of threads; a block of 2 MiB has 4 kB of tables. */
#define SLACK_OWN_TABLES_KB 48

#define SETTLE_SECONDS 5

static struct vsvm_buffer buffers[MAX_BUFFERS];

static uint8_t *map(void *addr, size_t size, int prot, int flags)
{
	void *ptr = mmap(addr, size, prot, MAP_ANONYMOUS | flags, -1, 0);

	igt_assert_f(ptr != MAP_FAILED, "mmap of %zu bytes failed\n", size);
	return ptr;
}

/* The buffer in the middle of address space that nothing else gets. */
static uint8_t *map_apart(size_t size, int flags)
{
	uint8_t *start, *ptr, *end;
	size_t reserved;

	size = (size + VSVM_2M - 1) & -VSVM_2M;
	reserved = size + 3 * VSVM_2M;
	start = map(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
	ptr = (uint8_t *)(((uintptr_t)start + 2 * VSVM_2M - 1) & -VSVM_2M);
	end = ptr + size + VSVM_2M;
	if (ptr - VSVM_2M > start)
		igt_assert_eq(munmap(start, ptr - VSVM_2M - start), 0);
	if (start + reserved > end)
		igt_assert_eq(munmap(end, start + reserved - end), 0);
	return map(ptr, size, PROT_READ | PROT_WRITE, MAP_FIXED | flags);
}

static size_t rounded(const struct vsvm_buffer *buffer)
{
	return (buffer->size + VSVM_2M - 1) & -VSVM_2M;
}

struct vsvm_buffer *vsvm_buffer_create(size_t size, enum vsvm_buffer_kind kind)
{
	struct vsvm_buffer *buffer = buffers;

	while (buffer < buffers + MAX_BUFFERS && buffer->ptr)
		buffer++;
	igt_assert_f(buffer < buffers + MAX_BUFFERS, "too many buffers\n");

	buffer->size = size;
	buffer->ptr = map_apart(size, kind == VSVM_SHARED ? MAP_SHARED : MAP_PRIVATE);
	/* nothing is there behind a buffer of an odd size */
	if (rounded(buffer) > size)
		map(buffer->ptr + size, rounded(buffer) - size, PROT_NONE,
		    MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE);
	if (kind != VSVM_SHARED)
		igt_assert_eq(madvise(buffer->ptr, size,
				      kind == VSVM_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE),
			      0);
	buffer->shadow = map(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	return buffer;
}

struct vsvm_buffer *vsvm_buffer_create_filled(size_t size, enum vsvm_buffer_kind kind,
					      uint64_t seed)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(size, kind);

	vsvm_buffer_fill(buffer, 0, size, seed);
	if (kind == VSVM_THP)
		igt_assert_eq_u64(vsvm_anon_huge_bytes(buffer->ptr, size), size & -VSVM_2M);
	return buffer;
}

void vsvm_buffer_free(struct vsvm_buffer *buffer)
{
	munmap(buffer->ptr - VSVM_2M, rounded(buffer) + 2 * VSVM_2M);
	munmap(buffer->shadow, buffer->size);
	memset(buffer, 0, sizeof(*buffer));
}

void vsvm_buffers_free_all(void)
{
	for (int i = 0; i < MAX_BUFFERS; i++)
		if (buffers[i].ptr)
			vsvm_buffer_free(&buffers[i]);
}

void vsvm_buffer_fill(struct vsvm_buffer *buffer, size_t offset, size_t length, uint64_t seed)
{
	uint64_t *words = (uint64_t *)(buffer->shadow + offset);

	for (size_t i = 0; i < length / sizeof(*words); i++)
		words[i] = vsvm_pattern(seed, i);
	memcpy(buffer->ptr + offset, words, length);
}

void vsvm_buffer_check_range(const struct vsvm_buffer *buffer, size_t offset, size_t length)
{
	size_t wrong = 0;

	for (size_t page = offset; page < offset + length; page += VSVM_4K) {
		const uint64_t *is = (const uint64_t *)(buffer->ptr + page);
		const uint64_t *expected = (const uint64_t *)(buffer->shadow + page);
		size_t word = 0;

		if (!memcmp(is, expected, VSVM_4K))
			continue;
		while (is[word] == expected[word] && word < VSVM_4K / 8 - 1)
			word++;
		if (wrong++ < SHOWN_PAGES)
			igt_critical("page %zu word %zu is %#" PRIx64 ", expected %#" PRIx64 "\n",
				     page / VSVM_4K, word, is[word], expected[word]);
	}
	errno = 0;
	igt_assert_f(!wrong, "%zu of %zu pages are wrong\n", wrong, length / VSVM_4K);
}

void vsvm_buffer_check(const struct vsvm_buffer *buffer)
{
	vsvm_buffer_check_range(buffer, 0, buffer->size);
}

void vsvm_buffer_unmap(struct vsvm_buffer *buffer, size_t offset, size_t length)
{
	igt_assert_eq(munmap(buffer->ptr + offset, length), 0);
	map(buffer->ptr + offset, length, PROT_NONE,
	    MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_NORESERVE);
}

size_t vsvm_anon_huge_bytes(const void *addr, size_t length)
{
	return vsvm_smaps(addr, length, "AnonHugePages");
}

static void get_runs(int fd, const void *addr, size_t length, struct drm_vsvm_residency_run *runs,
		     uint32_t *num_runs)
{
	const uint8_t *next = addr;

	*num_runs = MAX_RUNS;
	igt_assert_eq(vsvm_try_residency(fd, addr, length, runs, num_runs), 0);
	igt_assert_neq_u32(*num_runs, 0);
	for (uint32_t i = 0; i < *num_runs && i < MAX_RUNS; i++) {
		igt_debug("residency: %#" PRIx64 " + %#" PRIx64 " location %u order %u\n",
			  (uint64_t)runs[i].addr, (uint64_t)runs[i].length, runs[i].location,
			  runs[i].order);
		igt_assert_eq_u64(runs[i].addr, (uintptr_t)next);
		next += runs[i].length;
	}
	if (*num_runs <= MAX_RUNS)
		igt_assert_eq_u64((uintptr_t)next, (uintptr_t)addr + length);
}

void vsvm_expect_residency(int fd, const void *addr, size_t length, uint32_t location,
			   uint32_t order)
{
	struct drm_vsvm_residency_run runs[MAX_RUNS];
	uint32_t num_runs;

	get_runs(fd, addr, length, runs, &num_runs);
	igt_assert_eq_u32(runs[0].location, location);
	igt_assert_eq_u32(runs[0].order, order);
	igt_assert_eq_u32(num_runs, 1);
}

void vsvm_expect_location(int fd, const void *addr, size_t length, uint32_t location)
{
	struct drm_vsvm_residency_run runs[MAX_RUNS];
	uint32_t num_runs;

	get_runs(fd, addr, length, runs, &num_runs);
	igt_assert_lte(num_runs, MAX_RUNS);
	for (uint32_t i = 0; i < num_runs; i++)
		igt_assert_eq_u32(runs[i].location, location);
}

void vsvm_usage_get(struct vsvm_usage *usage)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	/* counts that are kept per processor are added up */
	if (fd >= 0) {
		igt_assert_eq(write(fd, "1\n", 2), 2);
		close(fd);
	}
	usage->anon_kb = vsvm_proc_key("/proc/meminfo", "AnonPages");
	usage->tables_kb = vsvm_proc_key("/proc/meminfo", "PageTables");
	usage->own_tables_kb = vsvm_proc_key("/proc/self/status", "VmPTE");
}

static uint64_t pages_of(const __u64 *folios)
{
	uint64_t pages = 0;

	for (int order = 0; order < DRM_VSVM_ORDERS; order++)
		pages += (uint64_t)folios[order] << order;
	return pages;
}

void vsvm_leak_check(unsigned int index, const struct vsvm_usage *before)
{
	struct drm_vsvm_counters counters;
	struct timespec start = {};
	struct vsvm_usage now;
	int fd = vsvm_open(index);

	igt_assert_fd(fd);
	for (;;) {
		bool device_clean, memory_clean;

		vsvm_query_counters(fd, &counters);
		vsvm_usage_get(&now);
		device_clean =
			counters.vram_free == counters.vram_total &&
			pages_of(counters.folios_allocated) == pages_of(counters.folios_freed);
		memory_clean = now.anon_kb <= before->anon_kb + SLACK_ANON_KB &&
			       now.tables_kb <= before->tables_kb + SLACK_TABLES_KB &&
			       now.own_tables_kb <= before->own_tables_kb + SLACK_OWN_TABLES_KB;
		if ((device_clean && memory_clean) || igt_seconds_elapsed(&start) >= SETTLE_SECONDS)
			break;
		usleep(10000);
	}
	close(fd);

	igt_debug("leak check: AnonPages %ld -> %ld kB, PageTables %ld -> %ld kB, "
		  "VmPTE %ld -> %ld kB\n",
		  before->anon_kb, now.anon_kb, before->tables_kb, now.tables_kb,
		  before->own_tables_kb, now.own_tables_kb);
	igt_assert_eq_u64(counters.vram_free, counters.vram_total);
	igt_assert_eq_u64(pages_of(counters.folios_allocated), pages_of(counters.folios_freed));
	igt_assert_lte(now.anon_kb, before->anon_kb + SLACK_ANON_KB);
	igt_assert_lte(now.tables_kb, before->tables_kb + SLACK_TABLES_KB);
	igt_assert_lte(now.own_tables_kb, before->own_tables_kb + SLACK_OWN_TABLES_KB);
}
