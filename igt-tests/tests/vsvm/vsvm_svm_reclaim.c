// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm reclaim
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: swap, mlock, failing allocations
 * Description: Swap, locked memory and allocations that fail, with memory in VRAM
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include "vsvm_proc.h"
#include "vsvm_subtests.h"
#include "vsvm_zram.h"

IGT_TEST_DESCRIPTION("Swap, locked memory and allocations that fail, with memory in VRAM");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)
#define PAGES  (SIZE / VSVM_4K)

/* More allocations than there are in any of what is tested here. */
#define MOST_FAILURES 20000

/**
 * SUBTEST: swapoff
 * Description: swapoff() of a process that has memory in swap and in VRAM brings back
 *	what is in swap, and leaves what is in VRAM
 *
 * SUBTEST: swapoff-base
 * Description: the same with base pages in VRAM
 */
static void check_swapoff(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *swapped, *buffer;

	vsvm_zram_create(4 * SIZE);
	vsvm_zram_swapon();
	swapped = vsvm_buffer_create_filled(SIZE, VSVM_SMALL, 2);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	vsvm_zram_swap_out(swapped);
	vsvm_expect_residency(t->fd, swapped->ptr, SIZE, DRM_VSVM_LOCATION_NONE, 0);
	igt_assert_eq(madvise(buffer->ptr, SIZE, MADV_PAGEOUT), 0);
	vsvm_expect(t, 0);
	igt_assert_eq(swapoff(VSVM_ZRAM), 0);
	igt_assert_eq_u64(vsvm_smaps(swapped->ptr, SIZE, "Swap"), 0);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_expect(t, 0);
	vsvm_buffer_check(swapped);
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
	vsvm_zram_destroy();
}

/**
 * SUBTEST: swap-in
 * Description: the GPU works on memory that has been swapped out, also on what was in
 *	VRAM before that
 *
 * SUBTEST: swap-in-base
 * Description: the same with base pages in VRAM
 */
static void swap_in(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_zram_create(4 * SIZE);
	vsvm_zram_swapon();
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	for (int round = 1; round <= 2; round++) {
		vsvm_buffer_check(buffer);
		vsvm_zram_swap_out(buffer);
		vsvm_gpu_add(t, buffer, 0, SIZE, round);
		igt_assert_eq_u64(vsvm_smaps(buffer->ptr, SIZE, "Swap"), 0);
		vsvm_gpu_sum(t, buffer, 0, SIZE, round);
	}
	vsvm_buffer_check(buffer);
	vsvm_zram_destroy();
}

/* Pages that have just been locked are held for a while by the processor that did it. */
static void settle_locked(void)
{
	igt_assert(vsvm_write_file("/proc/sys/vm/drop_caches", "1"));
}

static long mlocked_kb(void)
{
	struct vsvm_usage usage;

	/* adds up what is counted per processor */
	vsvm_usage_get(&usage);
	return vsvm_proc_key("/proc/meminfo", "Mlocked");
}

/**
 * SUBTEST: mlock
 * Description: locked memory goes to VRAM and back, and is not counted as locked any
 *	more when it is unlocked
 *
 * SUBTEST: mlock-base
 * Description: the same with base pages in VRAM
 */
static void check_mlock(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	long before = mlocked_kb();

	igt_assert_eq(mlock(buffer->ptr, SIZE), 0);
	igt_assert_eq_s64(mlocked_kb(), before + (long)(SIZE >> 10));
	for (int round = 1; round <= 2; round++) {
		settle_locked();
		vsvm_gpu_add(t, buffer, 0, SIZE, round);
		vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM);
		vsvm_buffer_check(buffer);
	}
	settle_locked();
	vsvm_gpu_add(t, buffer, 0, SIZE, 9);
	igt_assert_eq(munlock(buffer->ptr, SIZE), 0);
	vsvm_buffer_check(buffer);
	igt_assert_eq_s64(mlocked_kb(), before);

	/* what is in VRAM is locked there, and unmapped */
	settle_locked();
	vsvm_gpu_add(t, buffer, 0, SIZE, 10);
	igt_assert_eq(mlock2(buffer->ptr, SIZE, MLOCK_ONFAULT), 0);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_buffer_check_range(buffer, 0, VSVM_2M);
	vsvm_buffer_unmap(buffer, 0, SIZE);
	igt_assert_eq_s64(mlocked_kb(), before);
	(void)flags;
}

/* The data is right and all VRAM is accounted for, whatever has failed. */
static void check_after_failure(struct vsvm_test *t, struct vsvm_buffer *buffer)
{
	vsvm_buffer_check(buffer);
	vsvm_gpu_sum(t, buffer, 0, buffer->size, 5);
}

/**
 * SUBTEST: alloc-failure-to-vram
 * Description: each allocation of a migration to VRAM fails in turn: memory stays where
 *	it is or moves, and nothing is lost
 *
 * SUBTEST: alloc-failure-to-vram-base
 * Description: the same with base pages in VRAM
 *
 * SUBTEST: alloc-failure-hole
 * Description: likewise of memory that nobody has touched yet
 *
 * SUBTEST: alloc-failure-to-ram
 * Description: likewise of a migration to system memory
 *
 * SUBTEST: alloc-failure-to-ram-base
 * Description: the same with base pages in VRAM
 */
static void fail_each(struct vsvm_test *t, uint32_t location, bool hole)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(VSVM_2M, VSVM_THP);
	unsigned int number;

	igt_require(vsvm_inject_available());
	for (number = 1; number < MOST_FAILURES; number++) {
		uint64_t moved = 0;
		bool happened;
		int ret;

		igt_assert_eq(madvise(buffer->ptr, VSVM_2M, MADV_DONTNEED), 0);
		memset(buffer->shadow, 0, VSVM_2M);
		if (!hole)
			vsvm_buffer_fill(buffer, 0, VSVM_2M, number);
		if (location == DRM_VSVM_LOCATION_SYSTEM)
			vsvm_gpu_add(t, buffer, 0, VSVM_2M, number);
		vsvm_inject_nth(number);
		ret = vsvm_try_prefetch(t->fd, buffer->ptr, VSVM_2M, location, &moved);
		happened = vsvm_inject_happened();
		if (ret)
			igt_assert_eq(ret, -ENOMEM);
		check_after_failure(t, buffer);
		if (!happened)
			break;
		/* each page of a migration of base pages is like any other */
		if (number > 40)
			number += 97;
	}
	igt_assert_lt(number, MOST_FAILURES);
	igt_assert_lt(1, number);
	igt_info("%u allocations\n", number - 1);
}

static void fail_to_vram(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	fail_each(t, DRM_VSVM_LOCATION_VRAM, false);
}

static void fail_hole(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	fail_each(t, DRM_VSVM_LOCATION_VRAM, true);
}

static void fail_to_ram(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	fail_each(t, DRM_VSVM_LOCATION_SYSTEM, false);
}

static const struct vsvm_subtest subtests[] = {
	{"swapoff", check_swapoff, VSVM_BOTH, "swapoff() with memory in VRAM"},
	{"swap-in", swap_in, VSVM_BOTH, "The GPU and memory in swap"},
	{"mlock", check_mlock, VSVM_BOTH, "Locked memory"},
	{"alloc-failure-to-vram", fail_to_vram, VSVM_BOTH, "Failures on the way to VRAM"},
	{"alloc-failure-hole", fail_hole, VSVM_HUGE, "Failures where nothing is yet"},
	{"alloc-failure-to-ram", fail_to_ram, VSVM_BOTH, "Failures on the way home"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
