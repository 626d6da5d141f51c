// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm hotunplug
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: hot-unplug
 * Description: The device is pulled out while it is in use: what was in its memory is in
 *	system memory afterwards, and nobody waits for ever
 */

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("The device is pulled out while it is in use");

#define BLOCKS	   4
#define SIZE	   (BLOCKS * VSVM_2M)
#define REBINDS	   5
#define WORKERS	   3
#define PREFETCHES 16
#define HEADSTART  200000

static void expect_gone(struct vsvm_test *t)
{
	struct drm_vsvm_residency_run runs[1];
	struct drm_vsvm_queue_create create = {};
	struct drm_vsvm_queue_destroy destroy = {.queue_id = t->queue};
	struct drm_vsvm_info info;
	struct drm_vsvm_query query = {
		.query = DRM_VSVM_QUERY_INFO, .size = sizeof(info), .data = (uintptr_t)&info};
	struct vsvm_job job = {.kernel = VSVM_KERNEL_WARM};
	struct drm_vsvm_submit submit;
	uint32_t num_runs = 1;
	uint64_t moved;

	vsvm_prepare_submit(t, &job, &submit);
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUERY, &query), -ENODEV);
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create), -ENODEV);
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_DESTROY, &destroy), -ENODEV);
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &submit), -ENODEV);
	igt_assert_eq(vsvm_try_wait(t, submit.fence_value, 0, NULL), -ENODEV);
	igt_assert_eq(vsvm_try_prefetch(t->fd, t->control->ptr, VSVM_4K, DRM_VSVM_LOCATION_VRAM,
					&moved),
		      -ENODEV);
	igt_assert_eq(vsvm_try_residency(t->fd, t->control->ptr, VSVM_4K, runs, &num_runs),
		      -ENODEV);
	igt_assert_eq(vsvm_open(0), -ENODEV);
}

/*
 * The device comes back, and is as good as new. The memory must not be write-protected since
 * a fork(): that counts for more faults.
 */
static void plug_in(struct vsvm_test *t, struct vsvm_buffer *buffer, unsigned int flags)
{
	uint64_t count = vsvm_folios(flags, SIZE);

	igt_assert(vsvm_device_bind(0));
	vsvm_test_reopen(t);
	vsvm_gpu_add(t, buffer, 0, SIZE, 9);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_buffer_check(buffer);
}

static void expect_at_home(const struct vsvm_buffer *buffer, unsigned int flags)
{
	vsvm_buffer_check(buffer);
	if (!(flags & VSVM_TEST_BASE))
		igt_assert_eq_u64(vsvm_anon_huge_bytes(buffer->ptr, SIZE), SIZE);
}

/**
 * SUBTEST: idle
 * Description: the file is open and memory is in VRAM; every call fails afterwards, and
 *	the device can come back
 *
 * SUBTEST: idle-base
 * Description: the same with base pages in VRAM
 */
static void idle(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	vsvm_device_unbind(0);
	expect_at_home(buffer, flags);
	expect_gone(t);
	plug_in(t, buffer, flags);
}

/**
 * SUBTEST: closed-later
 * Description: the file is closed when another one of the device that came back is in use
 */
static void closed_later(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	int old = dup(t->fd);

	igt_assert_fd(old);
	vsvm_device_unbind(0);
	plug_in(t, buffer, flags);
	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	close(old);
	vsvm_gpu_add(t, buffer, 0, SIZE, 6);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: shared
 * Description: the memory is shared with a child after a fork, and both have more of their
 *	own
 *
 * SUBTEST: shared-base
 * Description: the same with base pages in VRAM
 */
static void shared(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_gate ready, gone;

	vsvm_gate_init(&ready);
	vsvm_gate_init(&gone);
	igt_fork(child, 1) {
		struct vsvm_buffer *mine;
		struct vsvm_test own;

		vsvm_test_open(&own);
		mine = vsvm_buffer_in_vram(&own, SIZE, flags);
		vsvm_gate_open(&ready);
		vsvm_gate_wait(&gone);
		igt_assert_eq(child, 0);
		expect_at_home(mine, flags);
		vsvm_buffer_check(buffer);
	}
	vsvm_gate_wait(&ready);
	vsvm_device_unbind(0);
	vsvm_buffer_check(buffer);
	vsvm_gate_open(&gone);
	igt_waitchildren();
	vsvm_gate_fini(&ready);
	vsvm_gate_fini(&gone);
	vsvm_buffer_check(buffer);
	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	plug_in(t, buffer, flags);
}

struct waiter {
	struct vsvm_test *test;
	uint64_t value;
	struct drm_vsvm_wait wait;
	int ret;
};

static void *wait_for_job(void *arg)
{
	struct waiter *waiter = arg;

	waiter->ret = vsvm_try_wait(waiter->test, waiter->value, VSVM_TIMEOUT, &waiter->wait);
	return NULL;
}

/**
 * SUBTEST: busy
 * Description: a job that never ends is running, and a thread waits for it: both end
 *
 * SUBTEST: busy-base
 * Description: the same with base pages in VRAM
 */
static void busy(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct waiter waiter = {.test = t};
	pthread_t thread;

	waiter.value =
		vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
						  .arg = {.addr = (uintptr_t)t->result + 64}});
	igt_assert_eq(pthread_create(&thread, NULL, wait_for_job, &waiter), 0);
	usleep(HEADSTART);
	vsvm_device_unbind(0);
	igt_assert_eq(pthread_join(thread, NULL), 0);
	igt_assert_eq(waiter.ret, -EIO);
	igt_assert_eq_u32(waiter.wait.status, VSVM_ISA_STATUS_KILLED);
	expect_at_home(buffer, flags);
	expect_gone(t);
	plug_in(t, buffer, flags);
}

struct worker {
	struct vsvm_test *test;
	struct vsvm_buffer *buffer;
	atomic_uint rounds;
	uint32_t location;
};

/* Sends the buffer to and fro until the device has gone. */
static void *prefetch_until_gone(void *arg)
{
	struct worker *worker = arg;
	uint64_t moved;
	int ret;

	do {
		worker->location =
			worker->rounds & 1 ? DRM_VSVM_LOCATION_SYSTEM : DRM_VSVM_LOCATION_VRAM;
		ret = vsvm_try_prefetch(worker->test->fd, worker->buffer->ptr, SIZE,
					worker->location, &moved);
		worker->rounds++;
	} while (!ret);
	igt_assert_eq(ret, -ENODEV);
	return NULL;
}

/**
 * SUBTEST: prefetching
 * Description: threads move memory to and fro all the time
 *
 * SUBTEST: prefetching-base
 * Description: the same with base pages in VRAM
 */
static void prefetching(struct vsvm_test *t, unsigned int flags)
{
	struct worker workers[WORKERS] = {};
	pthread_t threads[WORKERS];

	for (int i = 0; i < WORKERS; i++) {
		workers[i].test = t;
		workers[i].buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, i);
		igt_assert_eq(pthread_create(&threads[i], NULL, prefetch_until_gone, &workers[i]),
			      0);
	}
	for (int i = 0; i < WORKERS; i++)
		while (workers[i].rounds < 3)
			usleep(1000);
	vsvm_device_unbind(0);
	for (int i = 0; i < WORKERS; i++) {
		igt_assert_eq(pthread_join(threads[i], NULL), 0);
		vsvm_buffer_check(workers[i].buffer);
	}
	plug_in(t, workers[0].buffer, flags);
}

static void *wait_for_prefetch(void *arg)
{
	struct waiter *waiter = arg;

	waiter->ret = vsvm_ioctl(waiter->test->fd, DRM_IOCTL_VSVM_WAIT, &waiter->wait);
	return NULL;
}

/**
 * SUBTEST: prefetching-async
 * Description: asynchronous prefetches are under way, and a thread waits for them: all end
 *
 * SUBTEST: prefetching-async-base
 * Description: the same with base pages in VRAM
 */
static void prefetching_async(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_buffer *fence = vsvm_buffer_create(VSVM_4K, VSVM_SHARED);
	struct waiter waiter = {.test = t,
				.wait = {.fence_addr = (uintptr_t)fence->ptr,
					 .fence_value = PREFETCHES,
					 .timeout_ns = INT64_MAX}};
	uint64_t seen;
	pthread_t thread;

	for (uint64_t i = 1; i <= PREFETCHES; i++) {
		struct drm_vsvm_prefetch prefetch = {.addr = (uintptr_t)buffer->ptr,
						     .length = SIZE,
						     .location = i & 1 ? DRM_VSVM_LOCATION_VRAM
								       : DRM_VSVM_LOCATION_SYSTEM,
						     .flags = DRM_VSVM_PREFETCH_ASYNC,
						     .fence_addr = (uintptr_t)fence->ptr,
						     .fence_value = i};

		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_PREFETCH, &prefetch), 0);
	}
	igt_assert_eq(pthread_create(&thread, NULL, wait_for_prefetch, &waiter), 0);
	vsvm_device_unbind(0);
	seen = *(volatile uint64_t *)fence->ptr;
	igt_assert_eq(pthread_join(thread, NULL), 0);
	/* it may have come to wait when there was no device any more */
	igt_assert(waiter.ret == -ENODEV || (seen == PREFETCHES && !waiter.ret));
	vsvm_buffer_check(buffer);
	plug_in(t, buffer, flags);
	/* and nothing came later */
	igt_assert_eq_u64(*(volatile uint64_t *)fence->ptr, seen);
}

/* Has the GPU fault, and the CPU, until the device has gone. */
static void fault_until_gone(struct vsvm_test *t, struct vsvm_buffer *buffer)
{
	struct vsvm_job job = {.kernel = VSVM_KERNEL_WARM,
			       .arg = {.addr = (uintptr_t)buffer->ptr, .count = SIZE / VSVM_4K}};
	struct drm_vsvm_submit submit;
	int ret;

	do {
		vsvm_prepare_submit(t, &job, &submit);
		ret = vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &submit);
		if (!ret)
			ret = vsvm_try_wait(t, submit.fence_value, VSVM_TIMEOUT, NULL);
		vsvm_buffer_check(buffer);
	} while (!ret);
	igt_assert(ret == -ENODEV || ret == -EIO);
}

/**
 * SUBTEST: faulting
 * Description: processes have the GPU and the CPU fault on their memory all the time
 *
 * SUBTEST: faulting-base
 * Description: the same with base pages in VRAM
 */
static void faulting(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_gate ready;

	vsvm_gate_init(&ready);
	igt_fork(child, WORKERS) {
		struct vsvm_buffer *mine;
		struct vsvm_test own;

		vsvm_test_open(&own);
		mine = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1 + child);
		vsvm_gate_open(&ready);
		fault_until_gone(&own, mine);
		vsvm_buffer_check(buffer);
	}
	for (int i = 0; i < WORKERS; i++)
		vsvm_gate_wait(&ready);
	usleep(HEADSTART);
	vsvm_device_unbind(0);
	vsvm_buffer_check(buffer);
	igt_waitchildren();
	vsvm_gate_fini(&ready);
	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	plug_in(t, buffer, flags);
}

/**
 * SUBTEST: again
 * Description: the device goes and comes several times
 *
 * SUBTEST: again-base
 * Description: the same with base pages in VRAM
 */
static void again(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	for (int i = 0; i < REBINDS; i++) {
		vsvm_device_unbind(0);
		plug_in(t, buffer, flags);
	}
}

/**
 * SUBTEST: other-stays
 * Description: one of two devices goes: its memory comes home, the other one keeps what it
 *	has and works on
 *
 * SUBTEST: other-stays-base
 * Description: the same with base pages in VRAM
 */
static void other_stays(struct vsvm_test *t, unsigned int flags)
{
	static struct vsvm_test other;
	struct vsvm_buffer *buffer, *kept;

	vsvm_test_open_other(&other, 1);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	kept = vsvm_buffer_in_vram(&other, SIZE, flags);
	vsvm_device_unbind(0);
	vsvm_expect_residency(other.fd, kept->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_expect(&other, 0);
	vsvm_gpu_add(&other, kept, 0, SIZE, 5);
	vsvm_gpu_add(&other, buffer, 0, SIZE, 6);
	vsvm_buffer_check(kept);
	vsvm_buffer_check(buffer);
	expect_gone(t);
	plug_in(t, buffer, flags);
	vsvm_buffers_free_all();
	vsvm_test_close(&other);
	vsvm_leak_check(1, &t->before);
}

static const struct vsvm_subtest subtests[] = {
	{"idle", idle, VSVM_BOTH, "Pulled out while a file is open"},
	{"closed-later", closed_later, VSVM_HUGE, "A file that outlives the device"},
	{"shared", shared, VSVM_BOTH, "Pulled out while two processes have memory there"},
	{"busy", busy, VSVM_BOTH | VSVM_AGAIN, "Pulled out while a job runs"},
	{"prefetching", prefetching, VSVM_BOTH, "Pulled out while memory moves"},
	{"prefetching-async", prefetching_async, VSVM_BOTH, "Memory moves in the background"},
	{"faulting", faulting, VSVM_BOTH | VSVM_AGAIN, "Pulled out while the GPU faults"},
	{"again", again, VSVM_BOTH, "Pulled out several times"},
	{"other-stays", other_stays, VSVM_BOTH, "One of two devices is pulled out"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
