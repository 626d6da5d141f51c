// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm fault inject
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: fault injection
 * Description: Each allocation of a call fails in turn: the call fails, or does without,
 *	and the next one works. What vsvm_svm_reclaim has of it is about migration
 */

#include <fcntl.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Each allocation of a call fails in turn");

/* More than any call has. */
#define MOST_FAILURES 20000

/* Each of the first ones, then fewer and fewer: many do the same. */
static unsigned int next(unsigned int number)
{
	return number + 1 + number / 16;
}

/* One try of a call: 0, or a negative errno. */
typedef int (*vsvm_call)(struct vsvm_test *t);

static void works(struct vsvm_test *t)
{
	vsvm_test_warm(t);
}

/* Has the call fail at each allocation, until it has no more of them. */
static void fail_each(struct vsvm_test *t, vsvm_call call)
{
	unsigned int number, failed = 0;

	igt_require(vsvm_inject_available());
	for (number = 1; number < MOST_FAILURES; number = next(number)) {
		bool happened;
		int ret;

		vsvm_inject_nth(number);
		ret = call(t);
		happened = vsvm_inject_happened();
		if (!happened) {
			igt_assert_eq(ret, 0);
			break;
		}
		if (ret)
			igt_assert_eq(ret, -ENOMEM);
		failed += ret != 0;
		works(t);
	}
	igt_assert_lt(number, MOST_FAILURES);
	igt_info("%u allocations or less, %u failures\n", number - 1, failed);
	/* small structures come from slabs, and these can still have room */
	igt_assert(failed || !vsvm_inject_slab_available());
}

/* The path of the node of the device, found while nothing fails. */
static char node[64];

static void find_node(const struct vsvm_test *t)
{
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", t->fd);
	length = readlink(link, node, sizeof(node) - 1);
	igt_assert_lt(0, length);
	node[length] = '\0';
}

static int open_once(struct vsvm_test *t)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	(void)t;
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/**
 * SUBTEST: open
 * Description: allocations of open() fail
 */
static void open_fails(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	find_node(t);
	fail_each(t, open_once);
}

static int queue_once(struct vsvm_test *t)
{
	struct drm_vsvm_queue_create create = {};
	struct drm_vsvm_queue_destroy destroy = {};
	int ret = vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create);

	if (ret)
		return ret;
	destroy.queue_id = create.queue_id;
	return vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_DESTROY, &destroy);
}

/**
 * SUBTEST: queue
 * Description: allocations of QUEUE_CREATE and QUEUE_DESTROY fail
 */
static void queue_fails(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	fail_each(t, queue_once);
}

static struct vsvm_buffer *asked;

static int residency_once(struct vsvm_test *t)
{
	struct drm_vsvm_residency_run runs[4];
	uint32_t num_runs = 4;

	return vsvm_try_residency(t->fd, asked->ptr, asked->size, runs, &num_runs);
}

/**
 * SUBTEST: residency
 * Description: allocations of RESIDENCY fail
 */
static void residency_fails(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	asked = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 1);
	fail_each(t, residency_once);
	vsvm_buffer_check(asked);
}

/**
 * SUBTEST: submit
 * Description: allocations of SUBMIT fail, if it has any
 */
static void submit_fails(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_job job = {.kernel = VSVM_KERNEL_WARM,
			       .arg = {.addr = (uintptr_t)t->control->ptr, .count = 1}};
	bool happened;

	(void)flags;
	igt_require(vsvm_inject_available());
	for (unsigned int number = 1, end = 0; !end; number++) {
		struct drm_vsvm_submit submit;
		int ret;

		vsvm_prepare_submit(t, &job, &submit);
		vsvm_inject_nth(number);
		ret = vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &submit);
		happened = vsvm_inject_happened();
		if (ret)
			igt_assert_eq(ret, -ENOMEM);
		else
			vsvm_wait(t, submit.fence_value);
		igt_assert(happened || !ret);
		end = !happened;
		igt_assert_lt(number, MOST_FAILURES);
	}
	works(t);
}

/* Its work item runs in another thread, where nothing fails. */
static int prefetch_once(struct vsvm_test *t)
{
	struct drm_vsvm_prefetch prefetch = {
		.addr = (uintptr_t)t->control->ptr,
		.length = VSVM_4K,
		.location = DRM_VSVM_LOCATION_VRAM,
		.flags = DRM_VSVM_PREFETCH_ASYNC,
		.fence_addr = (uintptr_t)t->result + 128,
		.fence_value = 1,
	};

	return vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_PREFETCH, &prefetch);
}

/**
 * SUBTEST: prefetch-async
 * Description: allocations of an asynchronous PREFETCH fail
 */
static void prefetch_fails(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	fail_each(t, prefetch_once);
}

static struct vsvm_buffer *advised;

/* Advice for the middle of it makes three runs; all of that was done, or nothing. */
static void expect_advised(struct vsvm_test *t, bool done)
{
	struct drm_vsvm_attributes attributes = {
		.addr = (uintptr_t)advised->ptr,
		.length = VSVM_2M,
	};

	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_ATTRIBUTES, &attributes), 0);
	igt_assert_eq_u32(attributes.num_runs, done ? 3 : 1);
	igt_assert_eq(
		vsvm_try_advise(t->fd, advised->ptr, VSVM_2M, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 0), 0);
}

/**
 * SUBTEST: advise
 * Description: allocations of ADVISE fail; it does all or nothing
 */
static void advise_fails(struct vsvm_test *t, unsigned int flags)
{
	unsigned int number, failed = 0;
	bool happened = true;

	(void)flags;
	igt_require(vsvm_inject_available());
	advised = vsvm_buffer_create(VSVM_2M, VSVM_THP);
	for (number = 1; happened && number < MOST_FAILURES; number++) {
		int ret;

		vsvm_inject_nth(number);
		ret = vsvm_try_advise(t->fd, advised->ptr + VSVM_4K, VSVM_4K,
				      DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
		happened = vsvm_inject_happened();
		igt_assert(happened || !ret);
		if (ret)
			igt_assert_eq(ret, -ENOMEM);
		failed += ret != 0;
		expect_advised(t, !ret);
	}
	igt_assert_lt(number, MOST_FAILURES);
	igt_info("less than %u allocations, %u failures\n", number, failed);
	igt_assert(failed || !vsvm_inject_slab_available());
	works(t);
}

static int bind_once(struct vsvm_test *t)
{
	(void)t;
	return vsvm_device_bind(1) ? 0 : -ENOMEM;
}

/**
 * SUBTEST: probe
 * Description: allocations of the probe of a device fail: there is no device then, and no
 *	trace of it
 */
static void probe_fails(struct vsvm_test *t, unsigned int flags)
{
	unsigned int number, failed = 0;
	bool happened = true;
	int fd = vsvm_open(1);

	(void)flags;
	igt_require(vsvm_inject_available());
	igt_require_f(fd >= 0, "no vsvm device 1\n");
	close(fd);
	for (number = 1; happened; number = next(number)) {
		int ret;

		vsvm_device_unbind(1);
		igt_assert_eq(vsvm_open(1), -ENODEV);
		vsvm_inject_nth(number);
		ret = bind_once(t);
		happened = vsvm_inject_happened();
		igt_assert(happened || !ret);
		fd = vsvm_open(1);
		igt_assert(fd >= 0 || ret);
		if (fd >= 0)
			close(fd);
		else
			igt_assert(vsvm_device_bind(1));
		failed += ret != 0;
		works(t);
		igt_assert_lt(number, MOST_FAILURES);
	}
	igt_info("less than %u allocations, %u failures\n", number, failed);
	igt_assert(failed || !vsvm_inject_slab_available());
	vsvm_leak_check(1, &t->before);
}

static const struct vsvm_subtest subtests[] = {
	{"open", open_fails, VSVM_HUGE, "Allocations of open() fail"},
	{"queue", queue_fails, VSVM_HUGE, "Allocations of queues fail"},
	{"residency", residency_fails, VSVM_HUGE, "Allocations of a residency query fail"},
	{"prefetch-async", prefetch_fails, VSVM_HUGE,
	 "Allocations of an asynchronous prefetch fail"},
	{"advise", advise_fails, VSVM_HUGE, "Allocations of advice fail"},
	{"submit", submit_fails, VSVM_HUGE, "Allocations of a submit fail"},
	{"probe", probe_fails, VSVM_HUGE, "Allocations of the probe fail"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
