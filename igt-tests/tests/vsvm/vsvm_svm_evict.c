// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm evict
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: eviction
 * Description: Work on more memory than there is VRAM, on a device with little VRAM
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_observe.h"
#include "vsvm_pin.h"
#include "vsvm_proc.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Work on more memory than there is VRAM");

/* VRAM, in blocks of 2 MiB. */
#define VRAM_BLOCKS 8
#define VRAM_SIZE   (VRAM_BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)

/* After so many evictions for one block, each less than a second apart, it stays. */
#define MAX_ROUNDS 8

/* More allocations than there are in any of what is tested here. */
#define MOST_FAILURES 20000

/* Time that a killed process may take, with all of its memory; the machine is slow. */
#define KILL_SECONDS 20

/* Reads of a block go over it once, so two periods at most. */
#define PROMOTE		  "/sys/module/vsvm/parameters/promote"
#define PROMOTE_ACCESSES  200
#define PROMOTE_PERIOD_US 100000
#define PROMOTE_SECONDS	  20

/* What the module was loaded with. */
static struct vsvm_module_params params;

static void gpu_add_block(struct vsvm_test *t, struct vsvm_buffer *buffer, size_t block)
{
	vsvm_gpu_add(t, buffer, block * VSVM_2M, VSVM_2M, 1 + block);
}

static void expect_block(struct vsvm_test *t, const struct vsvm_buffer *buffer, size_t block,
			 unsigned int flags, bool in_vram)
{
	vsvm_expect_residency(t->fd, buffer->ptr + block * VSVM_2M, VSVM_2M,
			      in_vram ? DRM_VSVM_LOCATION_VRAM : DRM_VSVM_LOCATION_SYSTEM,
			      vsvm_order(flags));
}

/* So many blocks came to VRAM by GPU faults of a dispatch, and so many had to go for that. */
static void expect_swap(struct vsvm_test *t, unsigned int flags, size_t came, size_t went)
{
	uint64_t in = vsvm_folios(flags, came * VSVM_2M);
	uint64_t out = vsvm_folios(flags, went * VSVM_2M);

	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = in, .n_to_vram = in,
		    .n_freed = out, .n_to_ram = out, .n_evicted = out, .blocks_evicted = went,
		    .gpu_2m = came, .dispatches = 1);
}

/**
 * SUBTEST: lru
 * Description: the block that was not used for longest is evicted, in one piece; use is
 *	what the GPU asks for by a fault, also when that is in VRAM
 *
 * SUBTEST: lru-base
 * Description: the same with base pages in VRAM
 */
static void lru(struct vsvm_test *t, unsigned int flags)
{
	/* in the order in which they were used: 0 again, so that 1 and 2 are the oldest */
	static const size_t evicted[] = {1, 2, 3, 4};
	struct vsvm_buffer *buffer =
		vsvm_buffer_create_filled((VRAM_BLOCKS + 4) * VSVM_2M, VSVM_THP, 1);

	for (size_t block = 0; block < VRAM_BLOCKS; block++) {
		gpu_add_block(t, buffer, block);
		expect_swap(t, flags, 1, 0);
	}
	/* out of the page tables of the GPU, but not out of VRAM */
	igt_assert_eq(mprotect(buffer->ptr, VSVM_2M, PROT_READ), 0);
	igt_assert_eq(mprotect(buffer->ptr, VSVM_2M, PROT_READ | PROT_WRITE), 0);
	vsvm_gpu_sum(t, buffer, 0, VSVM_2M, 1);
	vsvm_expect(t, .gpu_2m = 1, .dispatches = 1);

	for (size_t i = 0; i < ARRAY_SIZE(evicted); i++) {
		gpu_add_block(t, buffer, VRAM_BLOCKS + i);
		expect_swap(t, flags, 1, 1);
		for (size_t block = 0; block < VRAM_BLOCKS + 4; block++)
			if (block <= VRAM_BLOCKS + i)
				expect_block(t, buffer, block, flags,
					     block < evicted[0] || block > evicted[i]);
	}
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: oversubscribe
 * Description: the GPU works several times on 4 times the VRAM: all of it comes to
 *	VRAM each time, in huge pages, and leaves it in huge pages
 *
 * SUBTEST: oversubscribe-base
 * Description: the same with base pages in VRAM
 */
static void oversubscribe(struct vsvm_test *t, unsigned int flags)
{
	const size_t blocks = 4 * VRAM_BLOCKS;
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(blocks * VSVM_2M, VSVM_THP, 1);

	for (int round = 1; round <= 3; round++) {
		vsvm_gpu_add(t, buffer, 0, buffer->size, round);
		expect_swap(t, flags, blocks, round == 1 ? blocks - VRAM_BLOCKS : blocks);
	}
	vsvm_expect_residency(t->fd, buffer->ptr + buffer->size - VRAM_SIZE, VRAM_SIZE,
			      DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	/* the first block stayed huge, all the way */
	if (!flags)
		igt_assert_eq_u64(vsvm_anon_huge_bytes(buffer->ptr, buffer->size), buffer->size);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: no-huge-page
 * Description: system memory has no huge page for what is evicted: it comes home as
 *	base pages, and makes room all the same
 */
static void no_huge_page(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *old, *buffer;

	igt_require(vsvm_no_huge_pages_available());
	old = vsvm_buffer_in_vram(t, VRAM_SIZE, flags);
	buffer = vsvm_buffer_create_filled(2 * VSVM_2M, VSVM_THP, 2);
	vsvm_no_huge_pages(true);
	vsvm_prefetch(t, buffer, 0, buffer->size, DRM_VSVM_LOCATION_VRAM);
	vsvm_no_huge_pages(false);
	vsvm_expect(t, .allocated[9] = 2, .to_vram[9] = 2, .freed[0] = 2 * BLOCK_PAGES,
		    .to_ram[0] = 2 * BLOCK_PAGES, .evicted[0] = 2 * BLOCK_PAGES,
		    .split = 2 * (BLOCK_PAGES - 1), .blocks_evicted = 2);
	vsvm_expect_residency(t->fd, old->ptr, 2 * VSVM_2M, DRM_VSVM_LOCATION_SYSTEM, 0);
	vsvm_expect_residency(t->fd, buffer->ptr, buffer->size, DRM_VSVM_LOCATION_VRAM, 9);
	vsvm_buffer_check(old);
	vsvm_buffer_check(buffer);
}

/* Leaves so many pages of a block, the first ones. */
static void keep_pages(const struct vsvm_buffer *buffer, size_t block, size_t pages)
{
	igt_assert_eq(madvise(buffer->ptr + block * VSVM_2M + pages * VSVM_4K,
			      VSVM_2M - pages * VSVM_4K, MADV_DONTNEED),
		      0);
	memset(buffer->shadow + block * VSVM_2M + pages * VSVM_4K, 0, VSVM_2M - pages * VSVM_4K);
}

/**
 * SUBTEST: fragmented
 * Description: pages are in use in each block of VRAM: for a huge page, the block with
 *	the fewest of them is emptied, of those that are not in recent use
 */
static void fragmented(struct vsvm_test *t, unsigned int flags)
{
	static const size_t kept[VRAM_BLOCKS] = {100, 3, 50, 70, 1, 1, 1, 1};
	/* the older half is at first 0 to 3, then 0, 2, 3, 4 */
	static const size_t evicted[] = {1, 4};
	struct vsvm_buffer *small = vsvm_buffer_create_filled(VRAM_SIZE, VSVM_SMALL, 1);
	struct vsvm_buffer *huge =
		vsvm_buffer_create_filled(ARRAY_SIZE(evicted) * VSVM_2M, VSVM_THP, 2);

	igt_assert_eq_u32(flags, 0);
	vsvm_prefetch(t, small, 0, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM);
	for (size_t block = 0; block < VRAM_BLOCKS; block++)
		keep_pages(small, block, kept[block]);
	vsvm_forget_counters(t);

	for (size_t i = 0; i < ARRAY_SIZE(evicted); i++) {
		const uint64_t count = kept[evicted[i]];

		gpu_add_block(t, huge, i);
		vsvm_expect(t, .allocated[9] = 1, .to_vram[9] = 1, .freed[0] = count,
			    .to_ram[0] = count, .evicted[0] = count, .blocks_evicted = 1,
			    .gpu_2m = 1, .dispatches = 1);
		vsvm_expect_location(t->fd, small->ptr + evicted[i] * VSVM_2M, count * VSVM_4K,
				     DRM_VSVM_LOCATION_SYSTEM);
	}
	for (size_t block = 0; block < VRAM_BLOCKS; block++)
		if (block != evicted[0] && block != evicted[1])
			vsvm_expect_location(t->fd, small->ptr + block * VSVM_2M,
					     kept[block] * VSVM_4K, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect_residency(t->fd, huge->ptr, huge->size, DRM_VSVM_LOCATION_VRAM, 9);
	vsvm_buffer_check(small);
	vsvm_buffer_check(huge);
}

/* A prefetch moves so many blocks, and so many have to go for that. */
static void prefetch_blocks(struct vsvm_test *t, unsigned int flags,
			    const struct vsvm_buffer *buffer, size_t first, size_t blocks,
			    size_t came, size_t went)
{
	uint64_t in = vsvm_folios(flags, came * VSVM_2M);
	uint64_t out = vsvm_folios(flags, went * VSVM_2M);
	uint64_t moved;

	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr + first * VSVM_2M, blocks * VSVM_2M,
					DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, came * VSVM_2M);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = in, .n_to_vram = in,
		    .n_freed = out, .n_to_ram = out, .n_evicted = out, .blocks_evicted = went);
}

/**
 * SUBTEST: prefetch
 * Description: a prefetch of more than VRAM evicts what was there, fills VRAM with the
 *	beginning of the range and leaves the rest; again, it does nothing. Nothing of
 *	the range itself is evicted
 *
 * SUBTEST: prefetch-base
 * Description: the same with base pages in VRAM
 */
static void prefetch(struct vsvm_test *t, unsigned int flags)
{
	const size_t blocks = 2 * VRAM_BLOCKS + 4;
	struct vsvm_buffer *old = vsvm_buffer_in_vram(t, 3 * VSVM_2M, flags);
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(blocks * VSVM_2M, VSVM_THP, 2);

	prefetch_blocks(t, flags, buffer, 0, blocks, VRAM_BLOCKS, 3);
	vsvm_expect_location(t->fd, old->ptr, old->size, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_residency(t->fd, buffer->ptr, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM,
			      vsvm_order(flags));
	vsvm_expect_residency(t->fd, buffer->ptr + VRAM_SIZE, buffer->size - VRAM_SIZE,
			      DRM_VSVM_LOCATION_SYSTEM, vsvm_order(flags));
	prefetch_blocks(t, flags, buffer, 0, blocks, 0, 0);
	prefetch_blocks(t, flags, buffer, VRAM_BLOCKS, 4, 4, 4);
	/* not at the cost of what comes later in the range */
	prefetch_blocks(t, flags, buffer, 0, VRAM_BLOCKS, 4, 4);
	vsvm_gpu_add(t, buffer, 0, VRAM_SIZE, 7);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(old);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: off
 * Description: eviction is switched off: what finds no room stays in system memory
 *
 * SUBTEST: off-base
 * Description: the same with base pages in VRAM
 */
static void evict_off(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(2 * VRAM_SIZE, VSVM_THP, 1);
	uint64_t in = vsvm_folios(flags, VRAM_SIZE);

	vsvm_module_set_evict(false);
	vsvm_gpu_add(t, buffer, 0, buffer->size, 1);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = in, .n_to_vram = in,
		    .gpu_2m = 2 * VRAM_BLOCKS, .dispatches = 1);
	vsvm_gpu_add(t, buffer, 0, buffer->size, 2);
	vsvm_expect(t, .dispatches = 1);
	vsvm_expect_residency(t->fd, buffer->ptr, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM,
			      vsvm_order(flags));
	vsvm_expect_location(t->fd, buffer->ptr + VRAM_SIZE, VRAM_SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(buffer);
}

/*
 * A buffer that found no room in VRAM, which has room now. All of it is in the GPU's page
 * tables, but it has hardly been accessed.
 */
static struct vsvm_buffer *left_out(struct vsvm_test *t, size_t blocks, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(blocks * VSVM_2M, VSVM_THP, 2);
	struct vsvm_buffer *first;

	vsvm_module_set_evict(false);
	first = vsvm_buffer_in_vram(t, VRAM_SIZE, flags);
	for (size_t block = 0; block < blocks; block++)
		vsvm_gpu_sum(t, buffer, block * VSVM_2M, VSVM_4K, 1);
	vsvm_expect(t, .gpu_2m = blocks, .dispatches = blocks);
	vsvm_buffer_unmap(first, 0, VRAM_SIZE);
	vsvm_forget_counters(t);
	vsvm_expect_location(t->fd, buffer->ptr, buffer->size, DRM_VSVM_LOCATION_SYSTEM);
	return buffer;
}

static void wait_for_promotion(struct vsvm_test *t, uint64_t regions)
{
	struct drm_vsvm_counters now;

	igt_until_timeout(PROMOTE_SECONDS) {
		vsvm_query_counters(t->fd, &now);
		if (now.regions_promoted == t->seen.regions_promoted + regions)
			break;
		usleep(PROMOTE_PERIOD_US);
	}
	/* and no more of them */
	usleep(3 * PROMOTE_PERIOD_US);
}

/**
 * SUBTEST: promote
 * Description: what the GPU accesses often moves to VRAM without a fault, the rest stays
 *
 * SUBTEST: promote-base
 * Description: the same with base pages in VRAM
 */
static void promoted(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = left_out(t, 3, flags);
	uint64_t count = vsvm_folios(flags, 2 * VSVM_2M);

	/* not before it is switched on */
	usleep(3 * PROMOTE_PERIOD_US);
	vsvm_expect(t, 0);
	igt_assert(vsvm_setting(PROMOTE, PROMOTE_ACCESSES));
	vsvm_gpu_add(t, buffer, 0, VSVM_2M, 3);
	vsvm_gpu_sum(t, buffer, VSVM_2M, VSVM_4K, 1);
	vsvm_gpu_sum(t, buffer, 2 * VSVM_2M, VSVM_2M, 1);
	wait_for_promotion(t, 2);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .promoted = 2, .dispatches = 3);
	expect_block(t, buffer, 0, flags, true);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_SYSTEM);
	expect_block(t, buffer, 2, flags, true);
	vsvm_gpu_add(t, buffer, 0, buffer->size, 4);
	vsvm_expect(t, .order = vsvm_order(flags), .dispatches = 1, .promoted = 0);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: promote-advice
 * Description: however often it is accessed, memory stays that must not migrate, prefers
 *	system memory or is read-mostly
 */
static void promote_advice(struct vsvm_test *t, unsigned int flags)
{
	static const struct {
		uint32_t attribute;
		uint32_t value;
	} stays[] = {
		{DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1},
		{DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM},
		{DRM_VSVM_ATTRIBUTE_READ_MOSTLY, 1},
	};
	struct vsvm_buffer *buffer = left_out(t, ARRAY_SIZE(stays) + 1, flags);
	uint8_t *moves = buffer->ptr + ARRAY_SIZE(stays) * VSVM_2M;

	for (size_t i = 0; i < ARRAY_SIZE(stays); i++)
		igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr + i * VSVM_2M, VSVM_2M,
					      stays[i].attribute, stays[i].value),
			      0);
	igt_assert(vsvm_setting(PROMOTE, PROMOTE_ACCESSES));
	for (size_t i = 0; i <= ARRAY_SIZE(stays); i++)
		vsvm_gpu_sum(t, buffer, i * VSVM_2M, VSVM_2M, 2);
	wait_for_promotion(t, 1);
	vsvm_expect_residency(t->fd, moves, VSVM_2M, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_expect_location(t->fd, buffer->ptr, moves - buffer->ptr, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: one-block
 * Description: VRAM is one block, and the GPU copies from one block to another: both
 *	are evicted for the other, but not for ever
 *
 * SUBTEST: one-block-base
 * Description: the same with base pages in VRAM
 */
static void one_block(struct vsvm_test *t, unsigned int flags)
{
	const uint64_t words = VSVM_2M / sizeof(uint64_t);
	struct drm_vsvm_counters before, after;
	struct vsvm_buffer *buffer;

	vsvm_test_close(t);
	vsvm_module_reload(&params, "vram_size=2M");
	vsvm_module_set_huge(!flags);
	vsvm_test_reopen(t);
	buffer = vsvm_buffer_create_filled(2 * VSVM_2M, VSVM_THP, 1);
	vsvm_query_counters(t->fd, &before);
	vsvm_run(t, .kernel = VSVM_KERNEL_COPY,
		 .arg = {.addr = (uintptr_t)buffer->ptr,
			 .count = words,
			 .value = (uintptr_t)buffer->ptr + VSVM_2M});
	memcpy(buffer->shadow + VSVM_2M, buffer->shadow, VSVM_2M);
	vsvm_query_counters(t->fd, &after);
	igt_assert_lt_u64(before.blocks_evicted, after.blocks_evicted);
	/* one block stays at last; on a slow machine a few rounds do not count */
	igt_assert_lte_u64(after.blocks_evicted - before.blocks_evicted, 4 * MAX_ROUNDS);
	vsvm_buffer_check(buffer);
	vsvm_buffers_free_all();
	vsvm_test_close(t);
	vsvm_module_reload(&params, "vram_size=16M");
}

/**
 * SUBTEST: two-processes
 * Description: two processes work on one and a half times the VRAM each, at the same
 *	time, by faults and by prefetch
 *
 * SUBTEST: two-processes-base
 * Description: the same with base pages in VRAM
 */
static void two_processes(struct vsvm_test *t, unsigned int flags)
{
	struct drm_vsvm_counters now;

	(void)flags;
	igt_fork(child, 2) {
		const size_t size = VRAM_SIZE * 3 / 2;
		struct vsvm_buffer *buffer;
		struct vsvm_test own;

		close(t->fd);
		vsvm_test_open(&own);
		buffer = vsvm_buffer_create_filled(size, VSVM_THP, 1 + child);
		for (int round = 1; round <= 4; round++) {
			igt_assert_eq(vsvm_try_prefetch(own.fd, buffer->ptr + round * VSVM_2M,
							VRAM_SIZE / 2, DRM_VSVM_LOCATION_VRAM,
							NULL),
				      0);
			vsvm_gpu_add(&own, buffer, 0, size, 10 * round + child);
			vsvm_gpu_sum(&own, buffer, 0, size, round);
			vsvm_buffer_check_range(buffer, round * VSVM_2M, VSVM_2M);
		}
		vsvm_buffer_check(buffer);
	}
	igt_waitchildren();
	vsvm_query_counters(t->fd, &now);
	igt_assert_eq_u64(now.gpu_faults_failed, t->seen.gpu_faults_failed);
	igt_assert_lt_u64(t->seen.blocks_evicted + VRAM_BLOCKS, now.blocks_evicted);
}

/* Never comes back. */
static void press_until_killed(void)
{
	struct vsvm_buffer *buffer;
	struct vsvm_test own;

	vsvm_test_open(&own);
	buffer = vsvm_buffer_create_filled(4 * VRAM_SIZE, VSVM_THP, 3);
	for (;;) {
		vsvm_try_prefetch(own.fd, buffer->ptr + VRAM_SIZE, VRAM_SIZE,
				  DRM_VSVM_LOCATION_VRAM, NULL);
		vsvm_gpu_add(&own, buffer, 0, buffer->size, 1);
	}
}

/**
 * SUBTEST: killed
 * Description: SIGKILL ends a process that evicts all the time, soon, and what another
 *	one has in VRAM and had to give up is as it was
 *
 * SUBTEST: killed-base
 * Description: the same with base pages in VRAM
 */
static void killed(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, VRAM_SIZE, flags);
	struct drm_vsvm_counters now;

	igt_fork(child, 1) {
		int fd = vsvm_open(0), status;
		struct timespec start;
		pid_t pid;

		igt_assert_eq(child, 0);
		igt_assert_fd(fd);
		for (int round = 1; round <= 3; round++) {
			pid = fork();
			igt_assert_lte(0, pid);
			if (!pid)
				press_until_killed();
			do {
				usleep(10000);
				vsvm_query_counters(fd, &now);
			} while (now.blocks_evicted < t->seen.blocks_evicted + round * VRAM_BLOCKS);
			memset(&start, 0, sizeof(start));
			igt_nsec_elapsed(&start);
			igt_assert_eq(kill(pid, SIGKILL), 0);
			igt_assert_eq(waitpid(pid, &status, 0), pid);
			igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
			igt_assert_lt(igt_seconds_elapsed(&start), KILL_SECONDS);
		}
	}
	igt_waitchildren();
	vsvm_buffer_check(buffer);
	vsvm_gpu_add(t, buffer, 0, VRAM_SIZE, 9);
	vsvm_expect_location(t->fd, buffer->ptr, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: pinned
 * Description: pinned memory in the middle of what the GPU works on, more than VRAM in
 *	all: it stays where it is while the rest moves in and out, and whoever pinned it
 *	sees what the GPU writes
 *
 * SUBTEST: pinned-base
 * Description: the same with base pages in VRAM
 */
static void pinned(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VRAM_SIZE, VSVM_THP, 1);
	struct vsvm_buffer *fixed = vsvm_buffer_create_filled(2 * VSVM_2M, VSVM_THP, 2);
	struct vsvm_buffer *other = vsvm_buffer_create_filled(VRAM_SIZE, VSVM_THP, 3);
	int fd = vsvm_pin(fixed);

	for (int round = 1; round <= 3; round++) {
		vsvm_gpu_add(t, buffer, 0, buffer->size, round);
		vsvm_gpu_add(t, fixed, 0, fixed->size, round);
		vsvm_expect_location(t->fd, fixed->ptr, fixed->size, DRM_VSVM_LOCATION_SYSTEM);
		vsvm_check_pinned(fd, fixed);
		vsvm_gpu_add(t, other, 0, other->size, round);
		vsvm_expect_residency(t->fd, other->ptr, other->size, DRM_VSVM_LOCATION_VRAM,
				      vsvm_order(flags));
	}
	vsvm_check_pinned(fd, fixed);
	vsvm_unpin(fd);
	vsvm_gpu_sum(t, fixed, 0, fixed->size, 4);
	vsvm_buffer_check(buffer);
	vsvm_buffer_check(fixed);
	vsvm_buffer_check(other);
}

/**
 * SUBTEST: alloc-failure
 * Description: each allocation of a prefetch that has to evict fails in turn: what cannot
 *	go home stays, what finds no room does not move, and nothing is lost
 *
 * SUBTEST: alloc-failure-base
 * Description: the same with base pages in VRAM
 */
static void alloc_failure(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *old = vsvm_buffer_create_filled(VRAM_SIZE, VSVM_THP, 1);
	struct vsvm_buffer *buffer = vsvm_buffer_create(VSVM_2M, VSVM_THP);
	unsigned int number;

	(void)flags;
	igt_require(vsvm_inject_available());
	for (number = 1; number < MOST_FAILURES; number++) {
		bool happened;
		int ret;

		/* all of VRAM in use by the one, none of it by the other */
		igt_assert_eq(madvise(buffer->ptr, VSVM_2M, MADV_DONTNEED), 0);
		vsvm_buffer_fill(buffer, 0, VSVM_2M, number);
		igt_assert_eq(vsvm_try_prefetch(t->fd, old->ptr, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM,
						NULL),
			      0);
		vsvm_expect_location(t->fd, old->ptr, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM);
		vsvm_inject_nth(number);
		ret = vsvm_try_prefetch(t->fd, buffer->ptr, VSVM_2M, DRM_VSVM_LOCATION_VRAM, NULL);
		happened = vsvm_inject_happened();
		if (ret)
			igt_assert_eq(ret, -ENOMEM);
		vsvm_buffer_check(buffer);
		if (!happened)
			break;
		vsvm_buffer_check_range(old, 0, 2 * VSVM_2M);
		/* each base page is like any other */
		if (number > 40)
			number += 97;
	}
	igt_assert_lt(number, MOST_FAILURES);
	igt_assert_lt(2, number);
	igt_info("%u allocations\n", number - 1);
	vsvm_buffer_check(old);
}

/* Leaves a pattern in all of VRAM. */
static void leave_pattern(void)
{
	struct drm_vsvm_counters now;
	struct vsvm_buffer *buffer;
	struct vsvm_test own;

	vsvm_test_open(&own);
	buffer = vsvm_buffer_create(VRAM_SIZE, VSVM_THP);
	vsvm_run(&own, .kernel = VSVM_KERNEL_FILL,
		 .arg = {.addr = (uintptr_t)buffer->ptr,
			 .count = VRAM_SIZE / sizeof(uint64_t),
			 .value = 0x5ec});
	vsvm_expect_location(own.fd, buffer->ptr, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_query_counters(own.fd, &now);
	igt_assert_eq_u64(now.vram_free, 0);
}

/* The GPU reads all words of memory that nobody has touched, and that is all of VRAM. */
static void read_all(enum vsvm_buffer_kind kind)
{
	struct vsvm_buffer *seen = vsvm_buffer_create(VRAM_SIZE, VSVM_SHARED);
	struct vsvm_buffer *buffer = vsvm_buffer_create(VRAM_SIZE, kind);
	struct drm_vsvm_counters now;
	struct vsvm_test own;

	memset(seen->ptr, 0xff, VRAM_SIZE);
	vsvm_test_open(&own);
	vsvm_prefetch(&own, buffer, 0, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_query_counters(own.fd, &now);
	igt_assert_eq_u64(now.vram_free, 0);
	vsvm_run(&own, .kernel = VSVM_KERNEL_COPY,
		 .arg = {.addr = (uintptr_t)buffer->ptr,
			 .count = VRAM_SIZE / sizeof(uint64_t),
			 .value = (uintptr_t)seen->ptr});
	vsvm_expect_location(own.fd, buffer->ptr, VRAM_SIZE, DRM_VSVM_LOCATION_VRAM);
	/* its shadow is zero */
	vsvm_buffer_check(seen);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: cleared
 * Description: a process fills VRAM and ends; another one gets the same VRAM for memory
 *	that it has not touched, and its GPU reads nothing but zeroes
 *
 * SUBTEST: cleared-base
 * Description: the same with base pages in VRAM
 */
static void cleared(struct vsvm_test *t, unsigned int flags)
{
	static const enum vsvm_buffer_kind kinds[] = {VSVM_THP, VSVM_SMALL};

	(void)flags;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		igt_fork(child, 1) {
			igt_assert_eq(child, 0);
			close(t->fd);
			leave_pattern();
		}
		igt_waitchildren();
		igt_fork(child, 1) {
			igt_assert_eq(child, 0);
			close(t->fd);
			read_all(kinds[i]);
		}
		igt_waitchildren();
	}
}

static const struct vsvm_subtest subtests[] = {
	{"lru", lru, VSVM_BOTH, "The block that is unused for longest goes"},
	{"oversubscribe", oversubscribe, VSVM_BOTH, "Work on 4 times the VRAM"},
	{"no-huge-page", no_huge_page, VSVM_HUGE, "There is no huge page to evict to"},
	{"fragmented", fragmented, VSVM_HUGE, "VRAM in fragments becomes whole"},
	{"prefetch", prefetch, VSVM_BOTH, "Prefetch of more than VRAM"},
	{"off", evict_off, VSVM_BOTH, "Eviction is switched off"},
	{"promote", promoted, VSVM_BOTH, "What is accessed often moves to VRAM"},
	{"promote-advice", promote_advice, VSVM_HUGE, "Advice against promotion"},
	{"one-block", one_block, VSVM_BOTH, "VRAM is too small for one copy"},
	{"two-processes", two_processes, VSVM_BOTH, "Two processes compete for VRAM"},
	{"killed", killed, VSVM_BOTH, "SIGKILL under pressure"},
	{"pinned", pinned, VSVM_BOTH, "Pinned memory is in the way"},
	{"alloc-failure", alloc_failure, VSVM_BOTH, "Failures while something is evicted"},
	{"cleared", cleared, VSVM_BOTH, "Nobody sees what another process left in VRAM"},
};

int igt_main()
{
	igt_fixture() {
		/* a test that failed may have left it out */
		igt_require(vsvm_module_loaded() || vsvm_module_try_load(&params));
		igt_require_f(!access("/sys/module/vsvm/refcnt", F_OK),
			      "vsvm is not a loadable module\n");
		vsvm_module_get_params(&params);
		vsvm_module_reload(&params, "vram_size=16M");
	}

	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));

	igt_fixture() {
		vsvm_test_clear_up();
		vsvm_module_reload(&params, "");
	}
}
