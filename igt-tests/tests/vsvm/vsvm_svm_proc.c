// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm proc
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: accounting
 * Description: What /proc and /sys say of memory that is in VRAM
 */

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsvm_proc.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("What /proc and /sys say of memory that is in VRAM");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)
#define PAGES  (SIZE / VSVM_4K)

#define NR_ANON "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/stats/nr_anon"

/* Counts of a process are exact to a few pages for each processor. */
#define SLACK_KB 512

static size_t count(const struct vsvm_buffer *buffer, unsigned int bit)
{
	return vsvm_pagemap_count(buffer->ptr, buffer->size, bit);
}

/**
 * SUBTEST: accounting
 * Description: memory in VRAM counts as anonymous memory of its process, with the same
 *	page tables as before, there and back
 *
 * SUBTEST: accounting-base
 * Description: the same with base pages in VRAM
 */
static void check_accounting(const struct vsvm_buffer *buffer, long anon, long tables)
{
	igt_assert_lte(labs(vsvm_proc_key("/proc/self/status", "RssAnon") - anon), SLACK_KB);
	igt_assert_eq_s64(vsvm_proc_key("/proc/self/status", "VmPTE"), tables);
	igt_assert_eq_u64(vsvm_proc_key("/proc/self/status", "VmSwap"), 0);
	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Rss"), SIZE);
	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Anonymous"), SIZE);
	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Swap"), 0);
}

static void accounting(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	long anon, tables, system_anon;
	struct vsvm_usage usage;

	/* what is used for a look itself is there from now on */
	check_accounting(buffer, vsvm_proc_key("/proc/self/status", "RssAnon"),
			 vsvm_proc_key("/proc/self/status", "VmPTE"));
	anon = vsvm_proc_key("/proc/self/status", "RssAnon");
	tables = vsvm_proc_key("/proc/self/status", "VmPTE");
	vsvm_usage_get(&usage);
	system_anon = usage.anon_kb;

	for (int round = 1; round <= 2; round++) {
		vsvm_gpu_add(t, buffer, 0, SIZE, round);
		vsvm_expect_to_vram(t, SIZE, flags);
		check_accounting(buffer, anon, tables);
		vsvm_usage_get(&usage);
		igt_assert_lte(labs(usage.anon_kb - system_anon), 1024);

		vsvm_buffer_check(buffer);
		check_accounting(buffer, anon, tables);
		vsvm_usage_get(&usage);
		igt_assert_lte(labs(usage.anon_kb - system_anon), 1024);
		vsvm_expect_home(t, SIZE, flags);
	}
	vsvm_buffer_free(buffer);
	igt_assert_lte(
		labs(vsvm_proc_key("/proc/self/status", "RssAnon") - anon + 2 * (long)(SIZE >> 10)),
		SLACK_KB);
}

/**
 * SUBTEST: nr-anon
 * Description: the count of huge anonymous folios is as before after migrations, a
 *	split, a piecewise return and the end of the memory
 */
static void nr_anon(struct vsvm_test *t, unsigned int flags)
{
	long long before = vsvm_read_number(NR_ANON);
	struct vsvm_buffer *buffer;

	buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	igt_assert_eq_s64(vsvm_read_number(NR_ANON), before + BLOCKS);
	for (int round = 1; round <= 2; round++) {
		vsvm_gpu_add(t, buffer, 0, SIZE, round);
		vsvm_expect_to_vram(t, SIZE, flags);
		igt_assert_eq_s64(vsvm_read_number(NR_ANON), before + BLOCKS);
		vsvm_buffer_check(buffer);
		vsvm_expect_home(t, SIZE, flags);
		igt_assert_eq_s64(vsvm_read_number(NR_ANON), before + BLOCKS);
	}
	/* one is split in VRAM, another one is freed there, a third one page by page */
	vsvm_gpu_add(t, buffer, 0, SIZE, 7);
	vsvm_prefetch(t, buffer, 5 * VSVM_4K, VSVM_4K, DRM_VSVM_LOCATION_SYSTEM);
	igt_assert_eq_s64(vsvm_read_number(NR_ANON), before + BLOCKS - 1);
	vsvm_buffer_check_range(buffer, 0, VSVM_2M);
	igt_assert_eq(madvise(buffer->ptr + VSVM_2M, VSVM_2M, MADV_DONTNEED), 0);
	igt_assert_eq_s64(vsvm_read_number(NR_ANON), before + BLOCKS - 2);
	for (size_t page = 0; page < VSVM_2M; page += VSVM_4K)
		igt_assert_eq(madvise(buffer->ptr + 2 * VSVM_2M + page, VSVM_4K, MADV_DONTNEED), 0);
	igt_assert_eq_s64(vsvm_read_number(NR_ANON), before + BLOCKS - 3);
	/* a hole that VRAM fills */
	memset(buffer->shadow + VSVM_2M, 0, 2 * VSVM_2M);
	vsvm_gpu_set(t, buffer, VSVM_2M, VSVM_2M, 8);
	igt_assert_eq_s64(vsvm_read_number(NR_ANON), before + BLOCKS - 2);
	vsvm_buffer_check(buffer);
	vsvm_buffer_free(buffer);
	igt_assert_eq_s64(vsvm_read_number(NR_ANON), before);
}

/**
 * SUBTEST: smaps
 * Description: smaps counts memory in VRAM as private while it is, and divides it
 *	among the processes that share it after fork()
 *
 * SUBTEST: smaps-base
 * Description: the same with base pages in VRAM
 */
static size_t smaps_private(const struct vsvm_buffer *buffer)
{
	return vsvm_smaps(buffer->ptr, buffer->size, "Private_Clean") +
	       vsvm_smaps(buffer->ptr, buffer->size, "Private_Dirty");
}

static size_t smaps_shared(const struct vsvm_buffer *buffer)
{
	return vsvm_smaps(buffer->ptr, buffer->size, "Shared_Clean") +
	       vsvm_smaps(buffer->ptr, buffer->size, "Shared_Dirty");
}

static void smaps(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_gate seen;

	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Rss"), SIZE);
	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Pss"), SIZE);
	igt_assert_eq_u64(smaps_private(buffer), SIZE);
	igt_assert_eq_u64(smaps_shared(buffer), 0);
	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "AnonHugePages"),
			  vsvm_order(flags) ? SIZE : 0);

	vsvm_gate_init(&seen);
	igt_fork(child, 3) {
		igt_assert_lte(child, 3);
		vsvm_gate_wait(&seen);
	}
	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Rss"), SIZE);
	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Pss"), SIZE / 4);
	igt_assert_eq_u64(smaps_private(buffer), 0);
	igt_assert_eq_u64(smaps_shared(buffer), SIZE);
	for (int i = 0; i < 3; i++)
		vsvm_gate_open(&seen);
	igt_waitchildren();
	vsvm_gate_fini(&seen);
	igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Pss"), SIZE);
	igt_assert_eq_u64(smaps_private(buffer), SIZE);

	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_expect(t, 0);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: pagemap
 * Description: pagemap says of each page in VRAM that it is swapped, and once it is
 *	home that it is present
 *
 * SUBTEST: pagemap-base
 * Description: the same with base pages in VRAM
 */
static void pagemap(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	igt_assert_eq_u64(count(buffer, VSVM_PM_SWAP), PAGES);
	igt_assert_eq_u64(count(buffer, VSVM_PM_PRESENT), 0);
	igt_assert_eq_u64(count(buffer, VSVM_PM_FILE), 0);
	igt_assert_eq_u64(count(buffer, VSVM_PM_UFFD_WP), 0);
	vsvm_expect(t, 0);
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SWAP), 0);
	igt_assert_eq_u64(count(buffer, VSVM_PM_PRESENT), PAGES);
}

static size_t scan(const struct vsvm_buffer *buffer, uint64_t categories)
{
	return vsvm_pagemap_scan(buffer->ptr, buffer->size, 0, categories);
}

/**
 * SUBTEST: pagemap-scan
 * Description: PAGEMAP_SCAN finds memory in VRAM, with its size
 *
 * SUBTEST: pagemap-scan-base
 * Description: the same with base pages in VRAM
 */
static void pagemap_scan(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	igt_assert_eq_u64(scan(buffer, PAGE_IS_SWAPPED), PAGES);
	igt_assert_eq_u64(scan(buffer, PAGE_IS_PRESENT), 0);
	igt_assert_eq_u64(scan(buffer, PAGE_IS_FILE), 0);
	igt_assert_eq_u64(scan(buffer, PAGE_IS_HUGE), vsvm_order(flags) ? PAGES : 0);
	vsvm_expect(t, 0);
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(scan(buffer, PAGE_IS_SWAPPED), 0);
	igt_assert_eq_u64(scan(buffer, PAGE_IS_PRESENT), PAGES);
}

/* Moves nothing, but takes all memory from the GPU's page tables. */
static void clear_soft_dirty(struct vsvm_test *t)
{
	vsvm_expect(t, 0);
	vsvm_clear_soft_dirty();
	vsvm_expect(t, 0);
	vsvm_test_warm(t);
}

/**
 * SUBTEST: soft-dirty
 * Description: a soft-dirty bit goes along to VRAM and back; cleared there, it is set
 *	by the next write of the GPU or the CPU, and by no read
 *
 * SUBTEST: soft-dirty-base
 * Description: the same with base pages in VRAM
 */
static void soft_dirty(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	unsigned int order = vsvm_order(flags);

	/* a new mapping counts as dirty as a whole until the first clear */
	clear_soft_dirty(t);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), 0);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 1);
	vsvm_expect_to_vram(t, SIZE, flags);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), 0);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), 0);

	/* dirty in system memory, there, and back */
	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 2);
	vsvm_expect_to_vram(t, SIZE, flags);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES);

	/* cleared in VRAM, where it stays; nobody but a write sets it again */
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	clear_soft_dirty(t);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), 0);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, order);
	vsvm_expect(t, 0);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), 0);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, order);
	vsvm_gpu_add(t, buffer, 0, VSVM_2M, 4);
	igt_assert_eq_u64(vsvm_pagemap_count(buffer->ptr, VSVM_2M, VSVM_PM_SOFT_DIRTY),
			  VSVM_2M / VSVM_4K);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), VSVM_2M / VSVM_4K);
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), VSVM_2M / VSVM_4K);
	vsvm_buffer_fill(buffer, VSVM_2M, SIZE - VSVM_2M, 5);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: soft-dirty-kept
 * Description: the soft-dirty bit of memory in VRAM survives mprotect(), the split of
 *	its folio, and what comes home of it
 *
 * SUBTEST: soft-dirty-kept-base
 * Description: the same with base pages in VRAM
 */
static void soft_dirty_kept(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	clear_soft_dirty(t);
	/* of four blocks two are dirty */
	vsvm_buffer_fill(buffer, 0, 2 * VSVM_2M, 2);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 1);
	vsvm_expect_to_vram(t, SIZE, flags);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES / 2);

	igt_assert_eq(mprotect(buffer->ptr, SIZE, PROT_READ), 0);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES / 2);
	igt_assert_eq(mprotect(buffer->ptr, SIZE, PROT_READ | PROT_WRITE), 0);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES / 2);

	/* in two blocks, a dirty one and one that is not, a page comes home alone */
	vsvm_prefetch(t, buffer, VSVM_2M + 9 * VSVM_4K, VSVM_4K, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_prefetch(t, buffer, 2 * VSVM_2M + 9 * VSVM_4K, VSVM_4K, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_location(t->fd, buffer->ptr, VSVM_2M, DRM_VSVM_LOCATION_VRAM);
	igt_assert_eq_u64(vsvm_pagemap_count(buffer->ptr, 2 * VSVM_2M, VSVM_PM_SOFT_DIRTY),
			  PAGES / 2);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES / 2);
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(count(buffer, VSVM_PM_SOFT_DIRTY), PAGES / 2);
}

/**
 * SUBTEST: soft-dirty-mremap
 * Description: memory in VRAM that mremap() moves is soft-dirty at its new place
 *
 * SUBTEST: soft-dirty-mremap-unaligned
 * Description: the same when it moves page by page
 *
 * SUBTEST: soft-dirty-mremap-unaligned-base
 * Description: the same with base pages in VRAM
 */
static void move_to(struct vsvm_test *t, unsigned int flags, size_t offset)
{
	struct vsvm_buffer *from = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_buffer *to = vsvm_buffer_create(SIZE + VSVM_2M, VSVM_THP);

	clear_soft_dirty(t);
	igt_assert_eq_u64(count(from, VSVM_PM_SOFT_DIRTY), 0);
	igt_assert(mremap(from->ptr, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to->ptr + offset) ==
		   to->ptr + offset);
	memcpy(to->shadow + offset, from->shadow, SIZE);
	vsvm_expect_residency(t->fd, to->ptr + offset, SIZE, DRM_VSVM_LOCATION_VRAM,
			      offset ? 0 : vsvm_order(flags));
	igt_assert_eq_u64(vsvm_pagemap_count(to->ptr + offset, SIZE, VSVM_PM_SOFT_DIRTY), PAGES);
	vsvm_expect(t, 0);
	vsvm_buffer_check(to);
}

static void soft_dirty_mremap(struct vsvm_test *t, unsigned int flags)
{
	move_to(t, flags, 0);
}

static void soft_dirty_mremap_unaligned(struct vsvm_test *t, unsigned int flags)
{
	move_to(t, flags, 3 * VSVM_4K);
}

/**
 * SUBTEST: referenced
 * Description: clear_refs leaves memory in VRAM where it is
 *
 * SUBTEST: referenced-base
 * Description: the same with base pages in VRAM
 */
static void referenced(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	igt_assert(vsvm_write_file("/proc/self/clear_refs", "1"));
	igt_assert(vsvm_write_file("/proc/self/clear_refs", "2"));
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_expect(t, 0);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);
}

/**
 * SUBTEST: mincore
 * Description: mincore() counts memory in VRAM as resident
 *
 * SUBTEST: mincore-base
 * Description: the same with base pages in VRAM
 */
static void check_mincore(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	unsigned char resident[PAGES];

	igt_assert_eq(mincore(buffer->ptr, SIZE, resident), 0);
	for (size_t page = 0; page < PAGES; page++)
		igt_assert_eq(resident[page] & 1, 1);
	vsvm_expect(t, 0);
	vsvm_buffer_check(buffer);
}

/* Pages of a buffer that /proc/self/numa_maps counts as anonymous. */
static long numa_maps_anon(const struct vsvm_buffer *buffer)
{
	FILE *file = fopen("/proc/self/numa_maps", "re");
	bool found = false;
	char line[512];
	long pages = 0;

	igt_assert_f(file, "cannot open numa_maps\n");
	while (fgets(line, sizeof(line), file)) {
		char *anon = strstr(line, " anon=");

		if (strtoull(line, NULL, 16) != (uintptr_t)buffer->ptr)
			continue;
		found = true;
		if (anon)
			pages = strtol(anon + 6, NULL, 10);
	}
	fclose(file);
	igt_assert(found);
	return pages;
}

/**
 * SUBTEST: numa-maps
 * Description: numa_maps passes memory in VRAM over, which is on no node
 *
 * SUBTEST: numa-maps-base
 * Description: the same with base pages in VRAM
 */
static void numa_maps(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	igt_assert_eq_u64(numa_maps_anon(buffer), 0);
	vsvm_expect(t, 0);
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(numa_maps_anon(buffer), PAGES);
}

/**
 * SUBTEST: mem
 * Description: /proc/self/mem reads and writes memory in VRAM, which comes home for it
 *
 * SUBTEST: mem-base
 * Description: the same with base pages in VRAM
 */
static void mem(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uint8_t *copy = vsvm_buffer_create(SIZE, VSVM_SHARED)->ptr;

	igt_assert_fd(fd);
	igt_assert_eq_s64(pread(fd, copy, SIZE, (uintptr_t)buffer->ptr), SIZE);
	igt_assert(!memcmp(copy, buffer->shadow, SIZE));
	vsvm_expect_home(t, SIZE, flags);

	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect_to_vram(t, SIZE, flags);
	for (size_t i = 0; i < SIZE; i++)
		copy[i] = i % 251;
	igt_assert_eq_s64(pwrite(fd, copy, SIZE, (uintptr_t)buffer->ptr), SIZE);
	vsvm_expect_home(t, SIZE, flags);
	memcpy(buffer->shadow, copy, SIZE);
	vsvm_buffer_check(buffer);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 6);
	close(fd);
}

static const struct vsvm_subtest subtests[] = {
	{"accounting", accounting, VSVM_BOTH, "Anonymous memory and page tables"},
	{"nr-anon", nr_anon, VSVM_HUGE, "Count of huge anonymous folios"},
	{"smaps", smaps, VSVM_BOTH, "smaps of private and of shared memory"},
	{"pagemap", pagemap, VSVM_BOTH, "pagemap of memory in VRAM"},
	{"pagemap-scan", pagemap_scan, VSVM_BOTH, "PAGEMAP_SCAN of memory in VRAM"},
	{"soft-dirty", soft_dirty, VSVM_BOTH, "Soft-dirty bits follow writes"},
	{"soft-dirty-kept", soft_dirty_kept, VSVM_BOTH, "Soft-dirty bits are not lost"},
	{"soft-dirty-mremap", soft_dirty_mremap, VSVM_HUGE, "What mremap() moves is dirty"},
	{"soft-dirty-mremap-unaligned", soft_dirty_mremap_unaligned, VSVM_BOTH,
	 "What mremap() moves page by page is dirty"},
	{"referenced", referenced, VSVM_BOTH, "clear_refs of memory in VRAM"},
	{"mincore", check_mincore, VSVM_BOTH, "mincore() of memory in VRAM"},
	{"numa-maps", numa_maps, VSVM_BOTH, "numa_maps of memory in VRAM"},
	{"mem", mem, VSVM_BOTH, "/proc/PID/mem of memory in VRAM"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
