// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <sys/mman.h>

#define VSVM_KERNEL_CODE_HERE
#include "vsvm_test.h"

/* Pages of the control memory. */
enum {
	CONTROL_ARGS,
	CONTROL_RESULT,
	CONTROL_FENCE,
	CONTROL_CODE,
};

#define CODE_PAGES    ((sizeof(vsvm_kernel_code) + VSVM_4K - 1) / VSVM_4K)
#define CONTROL_PAGES (CONTROL_CODE + CODE_PAGES)
/* More than fit in a ring, so that no argument changes while it is in use. */
#define ARG_SLOTS     (VSVM_4K / sizeof(struct vsvm_arg))

#define SETTLE_SECONDS 2

/* Files and buffers of a test that has failed are still there: fd + 1, by device. */
static int open_fds[VSVM_MAX_DEVICES];

static uint8_t *control_page(const struct vsvm_test *test, size_t page)
{
	return test->control->ptr + page * VSVM_4K;
}

static void create_queue(struct vsvm_test *test)
{
	struct drm_vsvm_queue_create create = {};

	igt_assert_eq(vsvm_ioctl(test->fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create), 0);
	igt_assert_neq_u32(create.queue_id, 0);
	test->queue = create.queue_id;
}

void vsvm_test_warm(struct vsvm_test *test)
{
	vsvm_run(test, .kernel = VSVM_KERNEL_WARM,
		 .arg = {.addr = (uintptr_t)test->control->ptr, .count = CONTROL_PAGES});
	vsvm_forget_counters(test);
}

/* Opens, and has the GPU touch all of the control memory once. */
static void open_device(struct vsvm_test *test)
{
	test->fd = vsvm_open(test->index);
	igt_assert_fd(test->fd);
	open_fds[test->index] = test->fd + 1;
	vsvm_query_info(test->fd, &test->info);
	create_queue(test);
	vsvm_test_warm(test);
}

static void open_index(struct vsvm_test *test, unsigned int index)
{
	test->index = index;
	test->control = vsvm_buffer_create(CONTROL_PAGES * VSVM_4K, VSVM_SHARED);
	memset(test->control->ptr, 0, test->control->size);
	test->result = (struct vsvm_result *)control_page(test, CONTROL_RESULT);
	test->fence = (uint64_t *)control_page(test, CONTROL_FENCE);
	test->fence_value = 0;
	memcpy(control_page(test, CONTROL_CODE), vsvm_kernel_code, sizeof(vsvm_kernel_code));
	/* not the code alone: the control memory is one mapping */
	igt_assert_eq(mprotect(test->control->ptr, test->control->size,
			       PROT_READ | PROT_WRITE | PROT_EXEC),
		      0);
	open_device(test);
}

void vsvm_test_open(struct vsvm_test *test)
{
	open_index(test, 0);
}

static bool has_device(unsigned int index)
{
	int fd = vsvm_open(index);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void vsvm_test_open_other(struct vsvm_test *test, unsigned int index)
{
	igt_require_f(has_device(index), "no vsvm device %u\n", index);
	open_index(test, index);
}

void vsvm_test_clear_up(void)
{
	vsvm_buffers_free_all();
	for (unsigned int i = 0; i < ARRAY_SIZE(open_fds); i++) {
		if (open_fds[i])
			close(open_fds[i] - 1);
		open_fds[i] = 0;
	}
}

void vsvm_test_begin(struct vsvm_test *test, unsigned int flags)
{
	vsvm_test_clear_up();
	vsvm_device_bind(0);
	igt_require_f(has_device(0), "no vsvm device\n");

	memset(test, 0, sizeof(*test));
	vsvm_no_huge_pages(false);
	vsvm_rest_khugepaged();
	vsvm_usage_get(&test->before);
	vsvm_module_set_huge(!(flags & VSVM_TEST_BASE));
	vsvm_module_set_evict(true);

	vsvm_test_open(test);
}

void vsvm_test_close(struct vsvm_test *test)
{
	close(test->fd);
	test->fd = -1;
	open_fds[test->index] = 0;
}

void vsvm_test_reopen(struct vsvm_test *test)
{
	vsvm_test_close(test);
	open_device(test);
}

void vsvm_test_end(struct vsvm_test *test)
{
	vsvm_buffers_free_all();
	if (test->fd >= 0)
		vsvm_test_close(test);
	vsvm_leak_check(0, &test->before);
}

void vsvm_prepare_submit(struct vsvm_test *test, const struct vsvm_job *job,
			 struct drm_vsvm_submit *submit)
{
	struct vsvm_arg *arg = (struct vsvm_arg *)control_page(test, CONTROL_ARGS);

	*submit = (struct drm_vsvm_submit){
		.queue_id = test->queue,
		.entry = (uintptr_t)control_page(test, CONTROL_CODE) + job->kernel,
		.stack_base = (uintptr_t)job->stack,
		.stack_size = job->stack_size,
		.local_size = job->local_size,
		.fence_addr = (uintptr_t)test->fence,
		.fence_value = ++test->fence_value,
	};
	for (int i = 0; i < 3; i++) {
		submit->groups[i] = job->groups[i] ?: 1;
		submit->group_size[i] = job->group_size[i] ?: 1;
	}
	arg += test->fence_value % ARG_SLOTS;
	*arg = job->arg;
	if (!arg->result)
		arg->result = (uintptr_t)test->result;
	submit->arg = (uintptr_t)arg;
}

uint64_t vsvm_submit(struct vsvm_test *test, const struct vsvm_job *job)
{
	struct drm_vsvm_submit submit;

	vsvm_prepare_submit(test, job, &submit);
	igt_assert_eq(vsvm_ioctl(test->fd, DRM_IOCTL_VSVM_SUBMIT, &submit), 0);
	return submit.fence_value;
}

int vsvm_try_wait(struct vsvm_test *test, uint64_t value, int64_t timeout,
		  struct drm_vsvm_wait *wait)
{
	struct drm_vsvm_wait local;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	wait = wait ?: &local;
	*wait = (struct drm_vsvm_wait){
		.fence_addr = (uintptr_t)test->fence,
		.fence_value = value,
		.timeout_ns = now.tv_sec * 1000000000LL + now.tv_nsec + timeout,
		.queue_id = test->queue,
	};
	return vsvm_ioctl(test->fd, DRM_IOCTL_VSVM_WAIT, wait);
}

void vsvm_wait(struct vsvm_test *test, uint64_t value)
{
	struct drm_vsvm_wait wait;
	int ret = vsvm_try_wait(test, value, VSVM_TIMEOUT, &wait);

	if (ret == -EIO)
		igt_critical("status %u, access %u to %#" PRIx64 " at offset %#" PRIx64
			     " of the kernels\n",
			     wait.status, wait.fault_access, (uint64_t)wait.fault_addr,
			     (uint64_t)wait.fault_pc - (uintptr_t)control_page(test, CONTROL_CODE));
	igt_assert_eq(ret, 0);
}

void vsvm_run_job(struct vsvm_test *test, const struct vsvm_job *job)
{
	*test->result = (struct vsvm_result){};
	vsvm_wait(test, vsvm_submit(test, job));
}

void vsvm_new_queue(struct vsvm_test *test)
{
	struct drm_vsvm_queue_destroy destroy = {.queue_id = test->queue};

	igt_assert_eq(vsvm_ioctl(test->fd, DRM_IOCTL_VSVM_QUEUE_DESTROY, &destroy), 0);
	create_queue(test);
}

void vsvm_run_to_error(struct vsvm_test *test, const struct vsvm_job *job,
		       struct drm_vsvm_wait *wait)
{
	struct drm_vsvm_submit submit;
	uint64_t before = *test->fence;
	struct drm_vsvm_wait again;
	uint64_t value;

	*test->result = (struct vsvm_result){};
	value = vsvm_submit(test, job);
	igt_assert_eq(vsvm_try_wait(test, value, VSVM_TIMEOUT, wait), -EIO);

	/* the fence is untouched, and the queue has stopped for good */
	igt_assert_eq_u64(*test->fence, before);
	igt_assert_eq(vsvm_try_wait(test, before, 0, &again), 0);
	vsvm_prepare_submit(test, job, &submit);
	igt_assert_eq(vsvm_ioctl(test->fd, DRM_IOCTL_VSVM_SUBMIT, &submit), -EIO);
	igt_assert_eq(vsvm_try_wait(test, value, VSVM_TIMEOUT, &again), -EIO);
	igt_assert_eq_u32(again.status, wait->status);
	igt_assert_eq_u64(again.fault_pc, wait->fault_pc);
	vsvm_new_queue(test);
}

static uint64_t *shadow_word(const struct vsvm_buffer *buffer, size_t offset, uint64_t page,
			     uint64_t value)
{
	return (uint64_t *)(buffer->shadow + offset + vsvm_touch(page, value));
}

static void run_pages(struct vsvm_test *test, enum vsvm_kernel kernel,
		      const struct vsvm_buffer *buffer, size_t offset, size_t length,
		      uint64_t value)
{
	vsvm_run(test, .kernel = kernel,
		 .arg = {.addr = (uintptr_t)buffer->ptr + offset,
			 .count = length / VSVM_4K,
			 .value = value});
}

void vsvm_gpu_add(struct vsvm_test *test, struct vsvm_buffer *buffer, size_t offset, size_t length,
		  uint64_t value)
{
	run_pages(test, VSVM_KERNEL_ADD, buffer, offset, length, value);
	for (size_t page = 0; page < length / VSVM_4K; page++)
		*shadow_word(buffer, offset, page, value) += value;
}

void vsvm_gpu_set(struct vsvm_test *test, struct vsvm_buffer *buffer, size_t offset, size_t length,
		  uint64_t value)
{
	run_pages(test, VSVM_KERNEL_SET, buffer, offset, length, value);
	for (size_t page = 0; page < length / VSVM_4K; page++)
		*shadow_word(buffer, offset, page, value) = value;
}

void vsvm_gpu_sum(struct vsvm_test *test, struct vsvm_buffer *buffer, size_t offset, size_t length,
		  uint64_t value)
{
	uint64_t sum = 0;

	run_pages(test, VSVM_KERNEL_SUM, buffer, offset, length, value);
	for (size_t page = 0; page < length / VSVM_4K; page++)
		sum += *shadow_word(buffer, offset, page, value);
	igt_assert_eq_u64(test->result->done, length / VSVM_4K);
	igt_assert_eq_u64(test->result->sum, sum);
}

void vsvm_prefetch(struct vsvm_test *test, const struct vsvm_buffer *buffer, size_t offset,
		   size_t length, uint32_t location)
{
	uint64_t moved = 0;

	igt_assert_eq(vsvm_try_prefetch(test->fd, buffer->ptr + offset, length, location, &moved),
		      0);
	igt_assert_eq_u64(moved, length);
}

void vsvm_cpu_touch(const struct vsvm_buffer *buffer, size_t offset, size_t length, size_t stride)
{
	for (size_t at = offset; at < offset + length; at += stride)
		igt_assert_eq_u64(*(volatile uint64_t *)(buffer->ptr + at),
				  *(uint64_t *)(buffer->shadow + at));
}

void vsvm_forget_counters(struct vsvm_test *test)
{
	vsvm_query_counters(test->fd, &test->seen);
}

/* Compares one counter; tells about a difference if it is to be shown. */
static bool differs(const char *name, int order, uint64_t grown, uint64_t expected, bool show)
{
	char number[16] = "";

	if (grown == expected)
		return false;
	if (order >= 0)
		snprintf(number, sizeof(number), "[%d]", order);
	if (show)
		igt_critical("%s%s: %" PRIu64 ", expected %" PRIu64 "\n", name, number, grown,
			     expected);
	return true;
}

static bool any_differs(const struct drm_vsvm_counters *now, const struct drm_vsvm_counters *seen,
			const struct vsvm_expected *e, bool show)
{
	uint64_t cpu_faults;
	bool any = false;

#define CHECK(counter, expected) \
	(any |= differs(#counter, -1, now->counter - seen->counter, expected, show))
#define CHECK_ORDER(counter, order, expected) \
	(any |=                               \
	 differs(#counter, order, now->counter[order] - seen->counter[order], expected, show))
#define EXPECTED(member, order) (e->member[order] + (order == e->order ? e->n_##member : 0))

	for (unsigned int order = 0; order < DRM_VSVM_ORDERS; order++) {
		CHECK_ORDER(folios_allocated, order, EXPECTED(allocated, order));
		CHECK_ORDER(folios_freed, order, EXPECTED(freed, order));
		CHECK_ORDER(folios_to_vram, order, EXPECTED(to_vram, order));
		CHECK_ORDER(folios_to_ram, order, EXPECTED(to_ram, order));
		CHECK_ORDER(folios_evicted, order, EXPECTED(evicted, order));
	}
	CHECK(blocks_evicted, e->blocks_evicted);
	CHECK(evictions_failed, e->evictions_failed);
	CHECK(regions_promoted, e->promoted);
	CHECK(pages_duplicated, e->duplicated);
	CHECK(duplicates_dropped, e->dropped);
	CHECK(folios_split, e->split);
	CHECK(gpu_faults_served[DRM_VSVM_SIZE_4K], e->gpu_4k);
	CHECK(gpu_faults_served[DRM_VSVM_SIZE_64K], e->gpu_64k);
	CHECK(gpu_faults_served[DRM_VSVM_SIZE_2M], e->gpu_2m);
	if (!e->any_end) {
		CHECK(gpu_faults_failed, e->failed);
		CHECK(dispatches, e->dispatches);
	}
	if (!e->any_stale)
		CHECK(gpu_faults_stale, e->stale);
	cpu_faults = now->cpu_faults - seen->cpu_faults;
	if (cpu_faults <= e->cpu_faults || cpu_faults > e->cpu_faults + e->more_cpu_faults)
		CHECK(cpu_faults, e->cpu_faults);
#undef CHECK
#undef CHECK_ORDER
#undef EXPECTED
	return any;
}

void vsvm_expect_counters(struct vsvm_test *test, const struct vsvm_expected *expected,
			  const char *file, int line)
{
	struct timespec start = {};
	struct drm_vsvm_counters now;

	/* a fence can be seen a moment before its dispatch is counted */
	while (igt_seconds_elapsed(&start) < SETTLE_SECONDS) {
		vsvm_query_counters(test->fd, &now);
		if (!any_differs(&now, &test->seen, expected, false)) {
			test->seen = now;
			return;
		}
		usleep(1000);
	}
	any_differs(&now, &test->seen, expected, true);
	igt_assert_f(false, "counters are not as expected at %s:%d\n", file, line);
}
