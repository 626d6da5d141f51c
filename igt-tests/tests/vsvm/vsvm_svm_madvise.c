// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm madvise
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: madvise
 * Description: Advice of the process, and the daemons that scan its memory, do no harm
 *	to what is in VRAM
 */

#include <sys/mman.h>
#include <unistd.h>

#include "vsvm_proc.h"
#include "vsvm_settings.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Advice of the process does no harm to what is in VRAM");

#define BLOCKS	    4
#define SIZE	    (BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)

/* A daemon gets round within this time. */
#define SCAN_SECONDS 60

/* Older C libraries do not know these. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static void expect_still_there(struct vsvm_test *t, struct vsvm_buffer *buffer, unsigned int flags)
{
	vsvm_expect(t, 0);
	vsvm_expect_residency(t->fd, buffer->ptr, buffer->size, DRM_VSVM_LOCATION_VRAM,
			      vsvm_order(flags));
}

/**
 * SUBTEST: no-effect
 * Description: MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED and MADV_FREE leave memory in
 *	VRAM where it is, as it is
 *
 * SUBTEST: no-effect-base
 * Description: the same with base pages in VRAM
 */
static void no_effect(struct vsvm_test *t, unsigned int flags)
{
	static const int advice[] = {MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_FREE};
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	for (size_t i = 0; i < ARRAY_SIZE(advice); i++) {
		igt_assert_eq(madvise(buffer->ptr, SIZE, advice[i]), 0);
		expect_still_there(t, buffer, flags);
		vsvm_gpu_add(t, buffer, 0, SIZE, i);
		/* of MADV_FREE the GPU's page tables hear before anybody looks at the memory */
		vsvm_expect(t, .gpu_2m = advice[i] == MADV_FREE ? BLOCKS : 0, .dispatches = 1);
	}
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);
}

/**
 * SUBTEST: no-effect-piece
 * Description: the same advice for a piece of each 2 MiB in VRAM does no harm
 *
 * SUBTEST: no-effect-piece-base
 * Description: the same with base pages in VRAM
 */
static void no_effect_piece(struct vsvm_test *t, unsigned int flags)
{
	static const int advice[] = {MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_FREE};
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	for (size_t i = 0; i < ARRAY_SIZE(advice); i++)
		igt_assert_eq(madvise(buffer->ptr + i * VSVM_2M + 32 * VSVM_4K, 16 * VSVM_4K,
				      advice[i]),
			      0);
	vsvm_expect(t, 0);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_gpu_add(t, buffer, 0, SIZE, 9);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: lazyfree
 * Description: memory that is under MADV_FREE when the GPU writes to it keeps what the
 *	GPU has written, also when system memory is reclaimed
 *
 * SUBTEST: lazyfree-base
 * Description: the same with base pages in VRAM
 */
static void lazyfree(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	igt_assert_eq(madvise(buffer->ptr, SIZE, MADV_FREE), 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_cpu_touch(buffer, 0, SIZE, VSVM_4K);
	vsvm_expect_home(t, SIZE, flags);
	/* would drop what is under MADV_FREE and clean */
	igt_assert_eq(madvise(buffer->ptr, SIZE, MADV_PAGEOUT), 0);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: dontneed-page
 * Description: MADV_DONTNEED of one page of a folio in VRAM: the others stay, no split
 *	is queued, and the folio is freed once, with the rest
 */
static void dontneed_page(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	long queued = vsvm_proc_key("/proc/vmstat", "thp_deferred_split_page");

	for (size_t block = 0; block < SIZE; block += VSVM_2M) {
		igt_assert_eq(madvise(buffer->ptr + block + 300 * VSVM_4K, VSVM_4K, MADV_DONTNEED),
			      0);
		memset(buffer->shadow + block + 300 * VSVM_4K, 0, VSVM_4K);
		vsvm_expect_residency(t->fd, buffer->ptr + block + 300 * VSVM_4K, VSVM_4K,
				      DRM_VSVM_LOCATION_NONE, 0);
		vsvm_expect_location(t->fd, buffer->ptr + block, 300 * VSVM_4K,
				     DRM_VSVM_LOCATION_VRAM);
		vsvm_expect_location(t->fd, buffer->ptr + block + 301 * VSVM_4K,
				     (BLOCK_PAGES - 301) * VSVM_4K, DRM_VSVM_LOCATION_VRAM);
	}
	vsvm_expect(t, 0);
	igt_assert_eq_s64(vsvm_proc_key("/proc/vmstat", "thp_deferred_split_page"), queued);
	vsvm_gpu_sum(t, buffer, 0, 300 * VSVM_4K, 3);
	vsvm_forget_counters(t);
	/* half of the blocks are read, which takes them apart; the others just go */
	vsvm_buffer_check_range(buffer, 0, SIZE / 2);
	vsvm_forget_counters(t);
	vsvm_buffer_unmap(buffer, SIZE / 2, SIZE / 2);
	vsvm_expect(t, .freed[9] = BLOCKS / 2);
	igt_assert_eq_s64(vsvm_proc_key("/proc/vmstat", "thp_deferred_split_page"), queued);
}

/**
 * SUBTEST: collapse
 * Description: MADV_COLLAPSE of what is in VRAM is refused and does no harm
 *
 * SUBTEST: collapse-base
 * Description: the same with base pages in VRAM
 */
static void collapse(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	igt_assert_eq(madvise(buffer->ptr, SIZE, MADV_COLLAPSE), -1);
	expect_still_there(t, buffer, flags);
	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: collapse-mixed
 * Description: MADV_COLLAPSE of what is in parts in VRAM and in system memory: the data
 *	is right whether it succeeds or not
 *
 * SUBTEST: collapse-mixed-base
 * Description: the same with base pages in VRAM
 */
static void collapse_mixed(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	for (size_t block = 0; block < SIZE; block += VSVM_2M) {
		vsvm_prefetch(t, buffer, block + 8 * VSVM_4K, 8 * VSVM_4K,
			      DRM_VSVM_LOCATION_SYSTEM);
		vsvm_buffer_fill(buffer, block + 9 * VSVM_4K, VSVM_4K, 5);
	}
	(void)!madvise(buffer->ptr, SIZE, MADV_COLLAPSE);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 6);
	vsvm_buffer_check(buffer);
}

/* Two rounds that have begun and ended. */
static void wait_for_scans(const char *path, int rounds)
{
	long long until = vsvm_read_number(path) + rounds;
	struct timespec start = {};

	while (vsvm_read_number(path) < until) {
		igt_assert_lt(igt_seconds_elapsed(&start), SCAN_SECONDS);
		usleep(10000);
	}
}

/**
 * SUBTEST: khugepaged
 * Description: khugepaged leaves what is in VRAM alone
 *
 * SUBTEST: khugepaged-base
 * Description: the same with base pages in VRAM
 */
static void khugepaged(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	igt_require(vsvm_hurry_khugepaged());
	wait_for_scans(VSVM_KHUGEPAGED "full_scans", 3);
	vsvm_settings_reset();
	expect_still_there(t, buffer, flags);
	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: ksm
 * Description: KSM leaves what is in VRAM alone; what it has merged can go to VRAM
 *
 * SUBTEST: ksm-base
 * Description: the same with base pages in VRAM
 */
static void ksm(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_buffer *same = vsvm_buffer_create(VSVM_2M, VSVM_SMALL);

	for (size_t page = 0; page < VSVM_2M; page += VSVM_4K)
		vsvm_buffer_fill(same, page, VSVM_4K, 17);
	igt_assert_eq(madvise(buffer->ptr, SIZE, MADV_MERGEABLE), 0);
	igt_assert_eq(madvise(same->ptr, VSVM_2M, MADV_MERGEABLE), 0);
	igt_require(vsvm_hurry_ksm());
	wait_for_scans(VSVM_KSM "full_scans", 4);
	igt_assert_lt_s64(400, vsvm_read_number(VSVM_KSM "pages_sharing"));
	expect_still_there(t, buffer, flags);

	vsvm_gpu_sum(t, same, 0, VSVM_2M, 5);
	vsvm_gpu_add(t, same, 0, VSVM_2M, 5);
	vsvm_buffer_check(same);
	vsvm_settings_reset();
	vsvm_gpu_add(t, buffer, 0, SIZE, 6);
	vsvm_buffer_check(buffer);
}

static const struct vsvm_subtest subtests[] = {
	{"no-effect", no_effect, VSVM_BOTH, "Advice that has no effect in VRAM"},
	{"no-effect-piece", no_effect_piece, VSVM_BOTH, "The same advice for a piece"},
	{"lazyfree", lazyfree, VSVM_BOTH, "The GPU writes to memory under MADV_FREE"},
	{"dontneed-page", dontneed_page, VSVM_HUGE, "MADV_DONTNEED of one page"},
	{"collapse", collapse, VSVM_BOTH, "MADV_COLLAPSE of memory in VRAM"},
	{"collapse-mixed", collapse_mixed, VSVM_BOTH, "MADV_COLLAPSE of mixed memory"},
	{"khugepaged", khugepaged, VSVM_BOTH, "khugepaged and memory in VRAM"},
	{"ksm", ksm, VSVM_BOTH, "KSM and memory in VRAM"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
