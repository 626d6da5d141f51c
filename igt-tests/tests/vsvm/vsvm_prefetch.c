// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm prefetch
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: asynchronous prefetch
 * Description: Memory moves in the background, a user fence tells when that has ended, and
 *	nothing is written after the file was closed
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Memory moves in the background, and a user fence tells of the end");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)
/* More than can be under way. */
#define MANY   48
#define MOST   16

/* A fence that is memory of its own, apart from that of the test's queue. */
static volatile uint64_t *fence_create(void)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(VSVM_4K, VSVM_SHARED);

	return (volatile uint64_t *)buffer->ptr;
}

static int try_start(struct vsvm_test *t, const void *addr, size_t length, uint32_t location,
		     volatile uint64_t *fence, uint64_t value)
{
	struct drm_vsvm_prefetch prefetch = {
		.addr = (uintptr_t)addr,
		.length = length,
		.location = location,
		.flags = DRM_VSVM_PREFETCH_ASYNC,
		.moved = 1,
		.fence_addr = (uintptr_t)fence,
		.fence_value = value,
	};
	int ret = vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_PREFETCH, &prefetch);

	if (!ret)
		igt_assert_eq_u64(prefetch.moved, 0);
	return ret;
}

static void start(struct vsvm_test *t, const struct vsvm_buffer *buffer, uint32_t location,
		  volatile uint64_t *fence, uint64_t value)
{
	igt_assert_eq(try_start(t, buffer->ptr, buffer->size, location, fence, value), 0);
}

static int try_wait(struct vsvm_test *t, volatile uint64_t *fence, uint64_t value, int64_t timeout)
{
	struct timespec now;
	struct drm_vsvm_wait wait = {
		.fence_addr = (uintptr_t)fence,
		.fence_value = value,
	};

	clock_gettime(CLOCK_MONOTONIC, &now);
	wait.timeout_ns = now.tv_sec * 1000000000LL + now.tv_nsec + timeout;
	return vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_WAIT, &wait);
}

static void wait_for(struct vsvm_test *t, volatile uint64_t *fence, uint64_t value)
{
	igt_assert_eq(try_wait(t, fence, value, VSVM_TIMEOUT), 0);
	igt_assert_lte_u64(value, *fence);
}

/**
 * SUBTEST: async
 * Description: memory moves to VRAM, the GPU uses it without a fault, and it moves back
 *
 * SUBTEST: async-base
 * Description: the same with base pages in VRAM
 */
static void async(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	uint64_t count = vsvm_folios(flags, SIZE);
	volatile uint64_t *fence = fence_create();

	/* nothing is under way that could write it */
	igt_assert_eq(try_wait(t, fence, 1, VSVM_TIMEOUT), -ENOENT);
	igt_assert_eq(try_wait(t, fence, 0, 0), 0);

	start(t, buffer, DRM_VSVM_LOCATION_VRAM, fence, 7);
	wait_for(t, fence, 7);
	igt_assert_eq_u64(*fence, 7);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .dispatches = 1);

	start(t, buffer, DRM_VSVM_LOCATION_SYSTEM, fence, 8);
	wait_for(t, fence, 8);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, .order = vsvm_order(flags), .n_freed = count, .n_to_ram = count);
	igt_assert_eq(try_wait(t, fence, 9, VSVM_TIMEOUT), -ENOENT);
}

/**
 * SUBTEST: in-order
 * Description: more prefetches than can be under way, to and fro, are all carried out, one
 *	after the other
 *
 * SUBTEST: in-order-base
 * Description: the same with base pages in VRAM
 */
static void in_order(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 1);
	uint64_t count = MANY / 2 * vsvm_folios(flags, VSVM_2M);
	volatile uint64_t *fence = fence_create();
	uint64_t seen = 0;
	int ret;

	for (uint64_t i = 1; i <= MANY; i++) {
		start(t, buffer, i & 1 ? DRM_VSVM_LOCATION_VRAM : DRM_VSVM_LOCATION_SYSTEM, fence,
		      i);
		/* the call has waited when too many were under way */
		igt_assert_lte_u64(seen, *fence);
		seen = *fence;
		igt_assert_lte_u64(i, seen + MOST);
	}
	ret = try_wait(t, fence, MANY, 0);
	igt_assert(!ret || ret == -ETIME);
	wait_for(t, fence, MANY);
	igt_assert_eq_u64(*fence, MANY);
	vsvm_expect_location(t->fd, buffer->ptr, VSVM_2M, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .n_freed = count, .n_to_ram = count);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: with-faults
 * Description: the GPU and the CPU use memory while it is moved to and fro; no byte is lost
 *
 * SUBTEST: with-faults-base
 * Description: the same with base pages in VRAM
 */
static void with_faults(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	volatile uint64_t *fence = fence_create();

	(void)flags;
	for (uint64_t i = 1; i <= MANY; i++) {
		start(t, buffer, i & 1 ? DRM_VSVM_LOCATION_VRAM : DRM_VSVM_LOCATION_SYSTEM, fence,
		      i);
		if (i % 8 == 0)
			vsvm_gpu_add(t, buffer, 0, SIZE, i);
		if (i % 8 == 4)
			vsvm_cpu_touch(buffer, 0, SIZE, VSVM_4K);
	}
	wait_for(t, fence, MANY);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: fence-in-vram
 * Description: the fence is in the memory that moves: it is written all the same, and its
 *	folio comes home
 *
 * SUBTEST: fence-in-vram-base
 * Description: the same with base pages in VRAM
 */
static void fence_in_vram(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	size_t at = 5 * VSVM_4K + 8;
	volatile uint64_t *fence = (uint64_t *)(buffer->ptr + at);

	(void)flags;
	*fence = 0;
	start(t, buffer, DRM_VSVM_LOCATION_VRAM, fence, 7);
	/* the wait reads it, and may do so before it is written */
	wait_for(t, fence, 7);
	*(uint64_t *)(buffer->shadow + at) = 7;
	vsvm_expect_location(t->fd, buffer->ptr + 5 * VSVM_4K, VSVM_4K, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M, SIZE - VSVM_2M, DRM_VSVM_LOCATION_VRAM);
	vsvm_buffer_check(buffer);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: bad-range
 * Description: a prefetch that meets a hole ends there, and its fence is written
 */
static void bad_range(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	volatile uint64_t *fence = fence_create();

	(void)flags;
	igt_assert_eq(munmap(buffer->ptr + VSVM_2M, VSVM_2M), 0);
	start(t, buffer, DRM_VSVM_LOCATION_VRAM, fence, 7);
	wait_for(t, fence, 7);
	vsvm_expect(t, .allocated[9] = 1, .to_vram[9] = 1);
	vsvm_expect_location(t->fd, buffer->ptr + 2 * VSVM_2M, 2 * VSVM_2M,
			     DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check_range(buffer, 0, VSVM_2M);
	vsvm_buffer_check_range(buffer, 2 * VSVM_2M, 2 * VSVM_2M);
}

/**
 * SUBTEST: bad-fence
 * Description: a fence that cannot be written is lost: nobody waits for ever, and the next
 *	one is written
 */
static void bad_fence(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 1);
	struct vsvm_buffer *constant = vsvm_buffer_create(VSVM_4K, VSVM_SHARED);
	volatile uint64_t *fence = fence_create();

	(void)flags;
	igt_assert_eq_u64(*(volatile uint64_t *)constant->ptr, 0);
	igt_assert_eq(mprotect(constant->ptr, VSVM_4K, PROT_READ), 0);
	start(t, buffer, DRM_VSVM_LOCATION_VRAM, (uint64_t *)constant->ptr, 7);
	igt_assert_eq(try_wait(t, (uint64_t *)constant->ptr, 7, VSVM_TIMEOUT), -ENOENT);
	igt_assert_eq_u64(*(volatile uint64_t *)constant->ptr, 0);
	vsvm_expect_residency(t->fd, buffer->ptr, VSVM_2M, DRM_VSVM_LOCATION_VRAM, 9);

	vsvm_buffer_unmap(constant, 0, VSVM_4K);
	start(t, buffer, DRM_VSVM_LOCATION_SYSTEM, (uint64_t *)constant->ptr, 8);
	start(t, buffer, DRM_VSVM_LOCATION_VRAM, fence, 9);
	wait_for(t, fence, 9);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: close
 * Description: the file is closed while prefetches are under way: they end, and from then
 *	on no fence is written
 *
 * SUBTEST: close-base
 * Description: the same with base pages in VRAM
 */
static void close_busy(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	volatile uint64_t *fence = fence_create();
	uint64_t seen;

	(void)flags;
	for (int round = 0; round < 8; round++) {
		*fence = 0;
		for (uint64_t i = 1; i <= 12; i++)
			start(t, buffer, i & 1 ? DRM_VSVM_LOCATION_VRAM : DRM_VSVM_LOCATION_SYSTEM,
			      fence, i);
		usleep(round * 3000);
		vsvm_test_close(t);
		seen = *fence;
		usleep(50000);
		igt_assert_eq_u64(*fence, seen);
		vsvm_test_reopen(t);
	}
	vsvm_buffer_check(buffer);
}

static void leave_busy(unsigned int delay)
{
	struct vsvm_test own = {};
	struct vsvm_buffer *buffer;
	volatile uint64_t *fence;

	vsvm_test_open(&own);
	buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	fence = fence_create();
	for (uint64_t i = 1; i <= 10; i++)
		start(&own, buffer, i & 1 ? DRM_VSVM_LOCATION_VRAM : DRM_VSVM_LOCATION_SYSTEM,
		      fence, i);
	usleep(delay);
}

/**
 * SUBTEST: exit
 * Description: a process ends by itself or is killed while prefetches are under way;
 *	nothing of it is left
 *
 * SUBTEST: exit-base
 * Description: the same with base pages in VRAM
 */
static void process_exit(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	for (unsigned int delay = 0; delay < 12000; delay += 4000) {
		igt_fork(child, 2) {
			int status;
			pid_t pid;

			if (child) {
				leave_busy(delay);
				continue;
			}
			pid = fork();
			igt_assert_lte(0, pid);
			if (!pid) {
				leave_busy(delay);
				kill(getpid(), SIGKILL);
			}
			igt_assert_eq(waitpid(pid, &status, 0), pid);
			igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		}
		igt_waitchildren();
	}
	/* what is left, the leak check at the end finds */
	vsvm_test_warm(t);
}

static const struct vsvm_subtest subtests[] = {
	{"async", async, VSVM_BOTH, "Memory moves in the background"},
	{"in-order", in_order, VSVM_BOTH, "Many prefetches, one after the other"},
	{"with-faults", with_faults, VSVM_BOTH, "Memory is used while it moves"},
	{"fence-in-vram", fence_in_vram, VSVM_BOTH, "The fence is in the memory that moves"},
	{"bad-range", bad_range, VSVM_HUGE, "A prefetch meets a hole"},
	{"bad-fence", bad_fence, VSVM_HUGE, "A fence that cannot be written"},
	{"close", close_busy, VSVM_BOTH, "The file is closed meanwhile"},
	{"exit", process_exit, VSVM_BOTH, "The process ends meanwhile"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
