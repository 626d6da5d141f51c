// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm suspend
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: suspend
 * Description: The machine sleeps while the GPU is in use: VRAM loses its contents, and no
 *	program loses anything
 */

#include <sys/mman.h>
#include <unistd.h>

#include "vsvm_subtests.h"
#include "vsvm_suspend.h"

IGT_TEST_DESCRIPTION("The machine sleeps while the GPU is in use");

#define BLOCKS	   4
#define SIZE	   (BLOCKS * VSVM_2M)
#define SMALL_SIZE (16 * VSVM_4K)
#define FAULT_SIZE (24 * VSVM_2M)
#define ROUNDS	   3
#define PREFETCHES 12

/* What a kernel that spins does many times in a second. */
#define RUN_INSTRUCTIONS 50000
#define RUN_SECONDS	 30

static void expect_evicted(struct vsvm_test *t, size_t size, unsigned int flags)
{
	uint64_t count = vsvm_folios(flags, size);

	vsvm_expect(t, .order = vsvm_order(flags), .n_freed = count, .n_to_ram = count);
}

/* The GPU executes instructions: no hart can do so much without an answer to its fault. */
static void expect_running(struct vsvm_test *t)
{
	struct drm_vsvm_counters before, now;

	vsvm_query_counters(t->fd, &before);
	igt_until_timeout(RUN_SECONDS) {
		vsvm_query_counters(t->fd, &now);
		if (now.instructions - before.instructions > RUN_INSTRUCTIONS)
			return;
		usleep(1000);
	}
	igt_assert_f(false, "the GPU has stopped\n");
}

/**
 * SUBTEST: idle
 * Description: memory in VRAM is in system memory afterwards, each folio whole, and goes
 *	back when the GPU uses it
 *
 * SUBTEST: idle-base
 * Description: the same with base pages in VRAM
 */
static void idle(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	uint64_t count = vsvm_folios(flags, SIZE);

	for (int round = 0; round < ROUNDS; round++) {
		igt_assert_eq(vsvm_try_suspend(), 0);
		expect_evicted(t, SIZE, flags);
		vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
		vsvm_buffer_check(buffer);
		vsvm_expect(t, 0);
		vsvm_test_warm(t);
		vsvm_gpu_add(t, buffer, 0, SIZE, round + 1);
		vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
			    .gpu_2m = BLOCKS, .dispatches = 1);
	}
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: busy
 * Description: a kernel that uses VRAM goes on where it was
 *
 * SUBTEST: busy-base
 * Description: the same with base pages in VRAM
 */
static void busy(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	volatile uint64_t *word = (volatile uint64_t *)buffer->ptr;
	uint64_t value;

	*word = 0;
	*(uint64_t *)buffer->shadow = 0;
	vsvm_gpu_add(t, buffer, VSVM_2M, SIZE - VSVM_2M, 3);
	value = vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
						  .arg = {.addr = (uintptr_t)word}});
	expect_running(t);
	for (int round = 0; round < ROUNDS; round++) {
		igt_assert_eq(vsvm_try_suspend(), 0);
		igt_assert_eq(vsvm_try_wait(t, value, 0, NULL), -ETIME);
		expect_running(t);
		vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M, SIZE - VSVM_2M,
				     DRM_VSVM_LOCATION_SYSTEM);
	}
	*word = 1;
	*(uint64_t *)buffer->shadow = 1;
	vsvm_wait(t, value);
	igt_assert_eq_u64(t->result->done, 1);
	vsvm_buffer_check(buffer);
	(void)flags;
}

/**
 * SUBTEST: faults
 * Description: GPU faults are being served at the time
 *
 * SUBTEST: faults-base
 * Description: the same with base pages in VRAM
 */
static void faults(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(FAULT_SIZE, VSVM_THP, 1);

	(void)flags;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct vsvm_job job = {.kernel = VSVM_KERNEL_ADD,
				       .arg = {.addr = (uintptr_t)buffer->ptr,
					       .count = FAULT_SIZE / VSVM_4K,
					       .value = round}};
		uint64_t value = vsvm_submit(t, &job);

		igt_assert_eq(vsvm_try_suspend(), 0);
		vsvm_wait(t, value);
		for (size_t page = 0; page < FAULT_SIZE / VSVM_4K; page++)
			*(uint64_t *)(buffer->shadow + vsvm_touch(page, round)) += round;
		vsvm_buffer_check(buffer);
	}
}

/**
 * SUBTEST: prefetch
 * Description: asynchronous prefetches are under way; all are carried out
 *
 * SUBTEST: prefetch-base
 * Description: the same with base pages in VRAM
 */
static void prefetch(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(FAULT_SIZE, VSVM_THP, 1);
	volatile uint64_t *fence =
		mmap(NULL, VSVM_4K, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct drm_vsvm_prefetch args = {
		.addr = (uintptr_t)buffer->ptr,
		.length = FAULT_SIZE,
		.flags = DRM_VSVM_PREFETCH_ASYNC,
		.fence_addr = (uintptr_t)fence,
	};
	struct drm_vsvm_wait wait = {
		.fence_addr = (uintptr_t)fence,
		.fence_value = PREFETCHES,
		.timeout_ns = INT64_MAX,
	};

	(void)flags;
	igt_assert(fence != MAP_FAILED);
	for (int i = 1; i <= PREFETCHES; i++) {
		args.location = i & 1 ? DRM_VSVM_LOCATION_VRAM : DRM_VSVM_LOCATION_SYSTEM;
		args.fence_value = i;
		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_PREFETCH, &args), 0);
	}
	igt_assert_eq(vsvm_try_suspend(), 0);
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_WAIT, &wait), 0);
	igt_assert_eq_u64(*fence, PREFETCHES);
	vsvm_expect_location(t->fd, buffer->ptr, FAULT_SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(buffer);
	munmap((void *)fence, VSVM_4K);
}

/**
 * SUBTEST: shared
 * Description: memory in VRAM is shared with a child after a fork
 *
 * SUBTEST: shared-base
 * Description: the same with base pages in VRAM
 */
static void shared(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_gate awake;

	vsvm_gate_init(&awake);
	igt_fork(child, 1) {
		vsvm_gate_wait(&awake);
		igt_assert_eq(child, 0);
		vsvm_buffer_check(buffer);
	}
	igt_assert_eq(vsvm_try_suspend(), 0);
	expect_evicted(t, SIZE, flags);
	vsvm_gate_open(&awake);
	vsvm_buffer_check(buffer);
	igt_waitchildren();
	vsvm_gate_fini(&awake);
}

/**
 * SUBTEST: no-huge-page
 * Description: system memory has no huge page for what is in VRAM: it comes as single pages
 */
static void no_huge_page(struct vsvm_test *t, unsigned int flags)
{
	const uint64_t pages = SIZE / VSVM_4K;
	struct vsvm_buffer *buffer;

	igt_require_f(vsvm_no_huge_pages_available(), "the kernel cannot inject failures\n");
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	vsvm_no_huge_pages(true);
	igt_assert_eq(vsvm_try_suspend(), 0);
	vsvm_no_huge_pages(false);
	vsvm_expect(t, .freed[0] = pages, .to_ram[0] = pages, .split = pages - BLOCKS);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: two-devices
 * Description: a process uses two devices
 */
static void two_devices(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer, *other;
	struct vsvm_test second;

	vsvm_test_open_other(&second, 1);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	other = vsvm_buffer_in_vram(&second, SIZE, flags);
	igt_assert_eq(vsvm_try_suspend(), 0);
	expect_evicted(t, SIZE, flags);
	expect_evicted(&second, SIZE, flags);
	vsvm_buffer_check(buffer);
	vsvm_buffer_check(other);
	vsvm_gpu_add(t, other, 0, SIZE, 5);
	vsvm_gpu_add(&second, buffer, 0, SIZE, 6);
	vsvm_buffer_check(buffer);
	vsvm_buffer_check(other);
	vsvm_test_close(&second);
}

/* A kernel that goes on until its word, which is in system memory, is not 0. */
static uint64_t spin(struct vsvm_test *t, volatile uint64_t *word)
{
	uint64_t value;

	*word = 0;
	value = vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
						  .arg = {.addr = (uintptr_t)word}});
	expect_running(t);
	return value;
}

/* It has gone on meanwhile, and ends when it is to end. */
static void end_spin(struct vsvm_test *t, volatile uint64_t *word, uint64_t value)
{
	igt_assert_eq(vsvm_try_wait(t, value, 0, NULL), -ETIME);
	expect_running(t);
	*word = 1;
	vsvm_wait(t, value);
	igt_assert_eq_u64(t->result->done, 1);
}

/**
 * SUBTEST: refused
 * Description: system memory has no page for what is in VRAM: the machine does not sleep,
 *	all stays where it is, and what the GPU does goes on. Later it can sleep
 *
 * SUBTEST: refused-base
 * Description: the same with base pages in VRAM
 */
static void refused(struct vsvm_test *t, unsigned int flags)
{
	/* with base pages, few of them: the driver tries each again and again */
	const bool base = flags & VSVM_TEST_BASE;
	const size_t size = base ? SMALL_SIZE : VSVM_2M;
	const uint64_t count = base ? SMALL_SIZE / VSVM_4K : 1;
	volatile uint64_t *word = (volatile uint64_t *)t->result + 8;
	struct vsvm_buffer *buffer;
	uint64_t value;

	igt_require_f(vsvm_no_huge_pages_available(), "the kernel cannot inject failures\n");
	buffer = vsvm_buffer_create_filled(size, base ? VSVM_SMALL : VSVM_THP, 1);
	vsvm_gpu_add(t, buffer, 0, size, 3);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .gpu_64k = base, .gpu_2m = !base, .dispatches = 1);
	value = spin(t, word);
	igt_assert_eq(vsvm_try_suspend_without_memory(), -EBUSY);
	end_spin(t, word, value);
	vsvm_expect(t, .dispatches = 1);
	vsvm_expect_residency(t->fd, buffer->ptr, size, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_gpu_add(t, buffer, 0, size, 5);
	vsvm_expect(t, .gpu_64k = base, .gpu_2m = !base, .dispatches = 1);

	igt_assert_eq(vsvm_try_suspend(), 0);
	vsvm_expect(t, .order = vsvm_order(flags), .n_freed = count, .n_to_ram = count);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: refused-second
 * Description: the second of two devices cannot be emptied: the first one goes on as well
 */
static void refused_second(struct vsvm_test *t, unsigned int flags)
{
	volatile uint64_t *word = (volatile uint64_t *)t->result + 8;
	struct vsvm_buffer *buffer;
	struct vsvm_test second;
	uint64_t value;

	igt_require_f(vsvm_no_huge_pages_available(), "the kernel cannot inject failures\n");
	vsvm_test_open_other(&second, 1);
	buffer = vsvm_buffer_in_vram(&second, VSVM_2M, flags);
	value = spin(t, word);
	igt_assert_eq(vsvm_try_suspend_without_memory(), -EBUSY);
	end_spin(t, word, value);
	vsvm_expect(t, .dispatches = 1);
	vsvm_gpu_add(&second, buffer, 0, VSVM_2M, 5);
	vsvm_expect(&second, .gpu_2m = 1, .dispatches = 1);

	igt_assert_eq(vsvm_try_suspend(), 0);
	expect_evicted(&second, VSVM_2M, flags);
	vsvm_buffer_check(buffer);
	vsvm_test_close(&second);
}

static const struct vsvm_subtest subtests[] = {
	{"idle", idle, VSVM_BOTH, "Nothing runs"},
	{"busy", busy, VSVM_BOTH, "A kernel runs"},
	{"faults", faults, VSVM_BOTH, "GPU faults are served"},
	{"prefetch", prefetch, VSVM_BOTH, "Prefetches are under way"},
	{"shared", shared, VSVM_BOTH, "A child shares the memory"},
	{"no-huge-page", no_huge_page, VSVM_HUGE, "There is no huge page to move to"},
	{"two-devices", two_devices, VSVM_HUGE, "Two devices are in use"},
	{"refused", refused, VSVM_BOTH, "There is no page to move to"},
	{"refused-second", refused_second, VSVM_HUGE, "The second of two devices cannot sleep"},
};

int igt_main()
{
	igt_fixture()
		vsvm_require_suspend();
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
