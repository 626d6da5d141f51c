// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm basic
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: uAPI
 * Description: The ioctls of vsvm, good use and bad, and what a GPU kernel can do
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsvm_test.h"

IGT_TEST_DESCRIPTION("The ioctls of vsvm, good use and bad, and what a GPU kernel can do");

#define KERNEL_SPACE	  0xffff888000000000ULL
#define BEYOND_USER_SPACE (1ULL << 47)

/**
 * SUBTEST: query
 * Description: facts and counters make sense; any size of the buffer works
 */
static void query(struct vsvm_test *t)
{
	struct drm_vsvm_counters counters;
	struct drm_vsvm_info info;
	struct drm_vsvm_query q = {
		.query = DRM_VSVM_QUERY_INFO,
		.data = (uintptr_t)&info,
	};
	uint8_t bytes[sizeof(info) + 8];

	igt_assert_eq_u32(t->info.uapi_version, DRM_VSVM_UAPI_VERSION);
	igt_assert_neq_u32(t->info.num_cus, 0);
	igt_assert_neq_u32(t->info.max_group, 0);
	igt_assert_eq_u32(t->info.max_order, 9);
	igt_assert_eq_u32(t->info.va_bits, VSVM_ISA_VA_BITS);
	igt_assert_eq_u32(t->info.page_shift, 12);
	igt_assert_lt_u64(0, t->info.vram_size);
	igt_assert_eq_u64(t->info.vram_size % VSVM_2M, 0);
	igt_assert_eq_u32(t->info.device_index, 0);
	igt_assert_neq_u32(t->info.max_local, 0);

	/* asked for the size only */
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUERY, &q), 0);
	igt_assert_eq_u32(q.size, sizeof(info));

	/* an older program with a shorter structure, a newer one with a longer */
	q.data = (uintptr_t)bytes;
	for (size_t size = 4; size <= sizeof(bytes); size += 4) {
		size_t known = size < sizeof(info) ? size : sizeof(info);

		memset(bytes, 0xa5, sizeof(bytes));
		q.size = size;
		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUERY, &q), 0);
		igt_assert_eq_u32(q.size, sizeof(info));
		igt_assert(!memcmp(bytes, &t->info, known));
		for (size_t i = known; i < sizeof(bytes); i++)
			igt_assert_eq_u32(bytes[i], 0xa5);
	}

	vsvm_query_counters(t->fd, &counters);
	igt_assert_eq_u64(counters.vram_total, t->info.vram_size);
	igt_assert_eq_u64(counters.vram_free, t->info.vram_size);
}

/* One wrong field in a structure that is right otherwise. */
struct bad_field {
	size_t offset;
	size_t size;
	uint64_t value;
	int error;
};

#define BAD(type, field, bad_value, bad_error)      \
	{.offset = offsetof(struct type, field),    \
	 .size = sizeof(((struct type *)0)->field), \
	 .value = (bad_value),                      \
	 .error = (bad_error)}

static void check_bad(int fd, unsigned long request, const void *good, size_t size,
		      const struct bad_field *bad, size_t num_bad)
{
	uint8_t bytes[256];

	igt_assert_lte(size, sizeof(bytes));
	for (size_t i = 0; i < num_bad; i++) {
		memcpy(bytes, good, size);
		memcpy(bytes + bad[i].offset, &bad[i].value, bad[i].size);
		igt_debug("offset %zu value %#" PRIx64 "\n", bad[i].offset, bad[i].value);
		igt_assert_eq(vsvm_ioctl(fd, request, bytes), bad[i].error);
	}
	/* and none of that has done harm */
	memcpy(bytes, good, size);
	igt_assert_eq(vsvm_ioctl(fd, request, bytes), 0);
}

/**
 * SUBTEST: bad-query
 * Description: every field of the query structure is checked
 */
static void bad_query(struct vsvm_test *t)
{
	struct drm_vsvm_counters counters;
	const struct drm_vsvm_query good = {
		.query = DRM_VSVM_QUERY_COUNTERS,
		.size = sizeof(counters),
		.data = (uintptr_t)&counters,
	};
	static const struct bad_field bad[] = {
		BAD(drm_vsvm_query, query, 2, -EINVAL),
		BAD(drm_vsvm_query, query, UINT32_MAX, -EINVAL),
		BAD(drm_vsvm_query, data, 0, -EFAULT),
		BAD(drm_vsvm_query, data, KERNEL_SPACE, -EFAULT),
	};
	struct drm_vsvm_query unknown;

	check_bad(t->fd, DRM_IOCTL_VSVM_QUERY, &good, sizeof(good), bad, ARRAY_SIZE(bad));

	/* a number that no ioctl has */
	unknown = good;
	igt_assert_eq(vsvm_ioctl(t->fd,
				 DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_ATTRIBUTES + 1,
					  struct drm_vsvm_query),
				 &unknown),
		      -EINVAL);
}

/**
 * SUBTEST: bad-prefetch
 * Description: every field of the prefetch structure is checked
 */
static void bad_prefetch(struct vsvm_test *t)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 1);
	const uint64_t start = (uintptr_t)buffer->ptr;
	const struct drm_vsvm_prefetch good = {
		.addr = start,
		.length = VSVM_2M,
		.location = DRM_VSVM_LOCATION_SYSTEM,
	};
	const struct bad_field bad[] = {
		BAD(drm_vsvm_prefetch, addr, start + 1, -EINVAL),
		BAD(drm_vsvm_prefetch, addr, start + 2048, -EINVAL),
		BAD(drm_vsvm_prefetch, addr, BEYOND_USER_SPACE, -EINVAL),
		BAD(drm_vsvm_prefetch, addr, KERNEL_SPACE, -EINVAL),
		BAD(drm_vsvm_prefetch, addr, -(uint64_t)VSVM_4K, -EINVAL),
		/* well formed, but nothing is mapped there */
		BAD(drm_vsvm_prefetch, addr, 0, -EFAULT),
		BAD(drm_vsvm_prefetch, length, 0, -EINVAL),
		BAD(drm_vsvm_prefetch, length, 1, -EINVAL),
		BAD(drm_vsvm_prefetch, length, VSVM_4K - 1, -EINVAL),
		BAD(drm_vsvm_prefetch, length, -(uint64_t)VSVM_4K, -EINVAL),
		BAD(drm_vsvm_prefetch, length, BEYOND_USER_SPACE, -EINVAL),
		BAD(drm_vsvm_prefetch, length, -start, -EINVAL),
		BAD(drm_vsvm_prefetch, location, DRM_VSVM_LOCATION_NONE, -EINVAL),
		BAD(drm_vsvm_prefetch, location, 3, -EINVAL),
		BAD(drm_vsvm_prefetch, location, UINT32_MAX, -EINVAL),
		/* asynchronous without a fence, or the other way round */
		BAD(drm_vsvm_prefetch, flags, DRM_VSVM_PREFETCH_ASYNC, -EINVAL),
		BAD(drm_vsvm_prefetch, fence_addr, (uintptr_t)t->fence, -EINVAL),
		BAD(drm_vsvm_prefetch, fence_value, 1, -EINVAL),
		BAD(drm_vsvm_prefetch, flags, 2, -EINVAL),
		BAD(drm_vsvm_prefetch, flags, 1U << 31, -EINVAL),
	};

	check_bad(t->fd, DRM_IOCTL_VSVM_PREFETCH, &good, sizeof(good), bad, ARRAY_SIZE(bad));
	vsvm_expect(t, 0);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: bad-residency
 * Description: every field of the residency structure is checked
 */
static void bad_residency(struct vsvm_test *t)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 1);
	const uint64_t start = (uintptr_t)buffer->ptr;
	struct drm_vsvm_residency_run runs[4];
	const struct drm_vsvm_residency good = {
		.addr = start,
		.length = VSVM_2M,
		.runs = (uintptr_t)runs,
		.num_runs = ARRAY_SIZE(runs),
	};
	const struct bad_field bad[] = {
		BAD(drm_vsvm_residency, addr, start + 8, -EINVAL),
		BAD(drm_vsvm_residency, addr, BEYOND_USER_SPACE, -EINVAL),
		BAD(drm_vsvm_residency, addr, KERNEL_SPACE, -EINVAL),
		BAD(drm_vsvm_residency, length, 0, -EINVAL),
		BAD(drm_vsvm_residency, length, 512, -EINVAL),
		BAD(drm_vsvm_residency, length, -(uint64_t)VSVM_4K, -EINVAL),
		BAD(drm_vsvm_residency, length, -start, -EINVAL),
		BAD(drm_vsvm_residency, runs, 0, -EFAULT),
		BAD(drm_vsvm_residency, runs, KERNEL_SPACE, -EFAULT),
		BAD(drm_vsvm_residency, flags, 1, -EINVAL),
		BAD(drm_vsvm_residency, flags, 1U << 31, -EINVAL),
	};
	struct drm_vsvm_residency count = good;

	check_bad(t->fd, DRM_IOCTL_VSVM_RESIDENCY, &good, sizeof(good), bad, ARRAY_SIZE(bad));

	/* with no room only the number of runs is returned */
	count.num_runs = 0;
	count.runs = 0;
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_RESIDENCY, &count), 0);
	igt_assert_eq_u32(count.num_runs, 1);
	vsvm_expect(t, 0);
}

/**
 * SUBTEST: bad-advise
 * Description: every field of the structure for advice is checked
 */
static void bad_advise(struct vsvm_test *t)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(VSVM_2M, VSVM_THP);
	const uint64_t start = (uintptr_t)buffer->ptr;
	struct drm_vsvm_advise good = {
		.addr = start,
		.length = VSVM_2M,
		.attribute = DRM_VSVM_ATTRIBUTE_LOCATION,
	};
	const struct bad_field bad[] = {
		BAD(drm_vsvm_advise, addr, start + 1, -EINVAL),
		BAD(drm_vsvm_advise, addr, BEYOND_USER_SPACE, -EINVAL),
		BAD(drm_vsvm_advise, addr, KERNEL_SPACE, -EINVAL),
		BAD(drm_vsvm_advise, addr, 0, -EFAULT),
		BAD(drm_vsvm_advise, length, 0, -EINVAL),
		BAD(drm_vsvm_advise, length, VSVM_4K + 1, -EINVAL),
		BAD(drm_vsvm_advise, length, -(uint64_t)VSVM_4K, -EINVAL),
		BAD(drm_vsvm_advise, length, -start, -EINVAL),
		BAD(drm_vsvm_advise, attribute, DRM_VSVM_ATTRIBUTE_COUNT, -EINVAL),
		BAD(drm_vsvm_advise, attribute, UINT32_MAX, -EINVAL),
		BAD(drm_vsvm_advise, value, UINT32_MAX, -EINVAL),
		BAD(drm_vsvm_advise, flags, 1, -EINVAL),
		BAD(drm_vsvm_advise, pad, 1U << 31, -EINVAL),
	};
	static const uint32_t most[DRM_VSVM_ATTRIBUTE_COUNT] = {
		[DRM_VSVM_ATTRIBUTE_LOCATION] = DRM_VSVM_LOCATION_VRAM,
		[DRM_VSVM_ATTRIBUTE_GRANULARITY] = 9,
		[DRM_VSVM_ATTRIBUTE_NO_MIGRATE] = 1,
		[DRM_VSVM_ATTRIBUTE_ATOMIC] = DRM_VSVM_ATOMIC_SYSTEM,
		[DRM_VSVM_ATTRIBUTE_READ_MOSTLY] = 1,
	};

	check_bad(t->fd, DRM_IOCTL_VSVM_ADVISE, &good, sizeof(good), bad, ARRAY_SIZE(bad));
	for (uint32_t attribute = 0; attribute < DRM_VSVM_ATTRIBUTE_COUNT; attribute++) {
		for (uint32_t value = 0; value <= most[attribute] + 1; value++) {
			bool ok = value <= most[attribute] &&
				  (attribute != DRM_VSVM_ATTRIBUTE_GRANULARITY || value != 1);

			igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr, VSVM_2M, attribute,
						      value),
				      ok ? 0 : -EINVAL);
		}
		/* 256 is 0 in a byte */
		igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr, VSVM_2M, attribute, 256),
			      -EINVAL);
	}
}

/**
 * SUBTEST: bad-attributes
 * Description: every field of the structure that asks for attributes is checked
 */
static void bad_attributes(struct vsvm_test *t)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(VSVM_2M, VSVM_THP);
	const uint64_t start = (uintptr_t)buffer->ptr;
	struct drm_vsvm_attributes_run runs[4];
	const struct drm_vsvm_attributes good = {
		.addr = start,
		.length = VSVM_2M,
		.runs = (uintptr_t)runs,
		.num_runs = ARRAY_SIZE(runs),
	};
	const struct bad_field bad[] = {
		BAD(drm_vsvm_attributes, addr, start + 8, -EINVAL),
		BAD(drm_vsvm_attributes, addr, BEYOND_USER_SPACE, -EINVAL),
		BAD(drm_vsvm_attributes, length, 0, -EINVAL),
		BAD(drm_vsvm_attributes, length, 512, -EINVAL),
		BAD(drm_vsvm_attributes, length, -start, -EINVAL),
		BAD(drm_vsvm_attributes, runs, 0, -EFAULT),
		BAD(drm_vsvm_attributes, runs, KERNEL_SPACE, -EFAULT),
		BAD(drm_vsvm_attributes, flags, 1, -EINVAL),
	};
	struct drm_vsvm_attributes count = good;

	check_bad(t->fd, DRM_IOCTL_VSVM_ATTRIBUTES, &good, sizeof(good), bad, ARRAY_SIZE(bad));
	count.num_runs = 0;
	count.runs = 0;
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_ATTRIBUTES, &count), 0);
	igt_assert_eq_u32(count.num_runs, 1);
}

/**
 * SUBTEST: bad-queue
 * Description: every field of the structures for queues is checked
 */
static void bad_queue(struct vsvm_test *t)
{
	static const struct bad_field bad_create[] = {
		BAD(drm_vsvm_queue_create, flags, 1, -EINVAL),
		BAD(drm_vsvm_queue_create, flags, 1U << 31, -EINVAL),
	};
	const struct bad_field bad_destroy[] = {
		BAD(drm_vsvm_queue_destroy, queue_id, 0, -ENOENT),
		BAD(drm_vsvm_queue_destroy, queue_id, t->queue + 100, -ENOENT),
		BAD(drm_vsvm_queue_destroy, queue_id, UINT32_MAX, -ENOENT),
		BAD(drm_vsvm_queue_destroy, pad, 1, -EINVAL),
	};
	const struct drm_vsvm_queue_create create = {};
	struct drm_vsvm_queue_destroy destroy = {.queue_id = t->queue};

	check_bad(t->fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create, sizeof(create), bad_create,
		  ARRAY_SIZE(bad_create));
	check_bad(t->fd, DRM_IOCTL_VSVM_QUEUE_DESTROY, &destroy, sizeof(destroy), bad_destroy,
		  ARRAY_SIZE(bad_destroy));
	/* it is gone now */
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_DESTROY, &destroy), -ENOENT);
}

/**
 * SUBTEST: bad-submit
 * Description: every field of the submit structure is checked
 */
static void bad_submit(struct vsvm_test *t)
{
	uint8_t *stack = t->control->ptr;
	struct drm_vsvm_submit good;
	uint32_t too_many = t->info.max_group + 1;
	const struct bad_field bad[] = {
		BAD(drm_vsvm_submit, queue_id, 0, -ENOENT),
		BAD(drm_vsvm_submit, queue_id, t->queue + 100, -ENOENT),
		BAD(drm_vsvm_submit, flags, 1, -EINVAL),
		BAD(drm_vsvm_submit, flags, 1U << 31, -EINVAL),
		BAD(drm_vsvm_submit, entry, (uintptr_t)t->control->ptr + 1, -EINVAL),
		BAD(drm_vsvm_submit, entry, (uintptr_t)t->control->ptr + 2, -EINVAL),
		BAD(drm_vsvm_submit, entry, KERNEL_SPACE, -EINVAL),
		BAD(drm_vsvm_submit, groups[0], 0, -EINVAL),
		BAD(drm_vsvm_submit, groups[1], 0, -EINVAL),
		BAD(drm_vsvm_submit, groups[2], 0, -EINVAL),
		BAD(drm_vsvm_submit, group_size[0], 0, -EINVAL),
		BAD(drm_vsvm_submit, group_size[1], 0, -EINVAL),
		BAD(drm_vsvm_submit, group_size[2], 0, -EINVAL),
		BAD(drm_vsvm_submit, group_size[0], too_many, -EINVAL),
		BAD(drm_vsvm_submit, group_size[1], too_many, -EINVAL),
		BAD(drm_vsvm_submit, group_size[2], too_many, -EINVAL),
		BAD(drm_vsvm_submit, group_size[2], UINT32_MAX, -EINVAL),
		BAD(drm_vsvm_submit, stack_base, 0, -EINVAL),
		BAD(drm_vsvm_submit, stack_base, (uintptr_t)stack + 8, -EINVAL),
		BAD(drm_vsvm_submit, stack_base, KERNEL_SPACE, -EINVAL),
		BAD(drm_vsvm_submit, stack_base, BEYOND_USER_SPACE - VSVM_4K, -EINVAL),
		BAD(drm_vsvm_submit, stack_size, 0, -EINVAL),
		BAD(drm_vsvm_submit, stack_size, 24, -EINVAL),
		BAD(drm_vsvm_submit, local_size, t->info.max_local + 1, -EINVAL),
		BAD(drm_vsvm_submit, local_size, UINT32_MAX, -EINVAL),
		BAD(drm_vsvm_submit, fence_addr, (uintptr_t)t->fence + 4, -EINVAL),
		BAD(drm_vsvm_submit, fence_addr, KERNEL_SPACE, -EINVAL),
		BAD(drm_vsvm_submit, reserved[0], 1, -EINVAL),
		BAD(drm_vsvm_submit, reserved[1], 1ULL << 63, -EINVAL),
	};
	struct drm_vsvm_submit many;

	/* a kernel that does nothing, on a stack that it does not use */
	vsvm_prepare_submit(
		t, &(struct vsvm_job){.kernel = VSVM_KERNEL_WARM, .stack = stack, .stack_size = 64},
		&good);

	/* each dimension is allowed, the product is not */
	many = good;
	many.group_size[0] = t->info.max_group;
	many.group_size[1] = 2;
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &many), -EINVAL);
	for (int i = 0; i < 3; i++) {
		many.group_size[i] = UINT32_MAX;
		many.groups[i] = UINT32_MAX;
	}
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &many), -EINVAL);
	for (int i = 0; i < 3; i++)
		many.group_size[i] = 1;
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &many), -EINVAL);

	check_bad(t->fd, DRM_IOCTL_VSVM_SUBMIT, &good, sizeof(good), bad, ARRAY_SIZE(bad));
	vsvm_wait(t, good.fence_value);
	vsvm_expect(t, .dispatches = 1);
}

/**
 * SUBTEST: bad-wait
 * Description: every field of the wait structure is checked
 */
static void bad_wait(struct vsvm_test *t)
{
	struct vsvm_buffer *hole = vsvm_buffer_create(VSVM_2M, VSVM_SMALL);
	const struct drm_vsvm_wait good = {
		.fence_addr = (uintptr_t)t->fence,
		.fence_value = t->fence_value,
		.queue_id = t->queue,
	};
	const struct bad_field bad[] = {
		BAD(drm_vsvm_wait, fence_addr, 0, -EINVAL),
		BAD(drm_vsvm_wait, fence_addr, (uintptr_t)t->fence + 4, -EINVAL),
		BAD(drm_vsvm_wait, fence_addr, KERNEL_SPACE, -EINVAL),
		BAD(drm_vsvm_wait, fence_addr, (uintptr_t)hole->ptr, -EFAULT),
		BAD(drm_vsvm_wait, fence_value, t->fence_value + 1, -ETIME),
		BAD(drm_vsvm_wait, fence_value, UINT64_MAX, -ETIME),
		BAD(drm_vsvm_wait, queue_id, t->queue + 100, -ENOENT),
		BAD(drm_vsvm_wait, flags, 1, -EINVAL),
		BAD(drm_vsvm_wait, flags, 1U << 31, -EINVAL),
	};

	vsvm_buffer_unmap(hole, 0, VSVM_2M);
	check_bad(t->fd, DRM_IOCTL_VSVM_WAIT, &good, sizeof(good), bad, ARRAY_SIZE(bad));
}

/**
 * SUBTEST: refused-after-fork
 * Description: a child cannot use the file of its parent, every ioctl says -EPERM
 */
static void refused_after_fork(struct vsvm_test *t)
{
	const struct vsvm_job job = {.kernel = VSVM_KERNEL_WARM};

	igt_fork(child, 1) {
		struct drm_vsvm_query q = {.query = DRM_VSVM_QUERY_INFO};
		struct drm_vsvm_queue_create create = {};
		struct drm_vsvm_queue_destroy destroy = {.queue_id = t->queue};
		struct drm_vsvm_residency_run run;
		struct drm_vsvm_submit submit;
		uint32_t num_runs = 1;

		igt_assert_eq(child, 0);
		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUERY, &q), -EPERM);
		igt_assert_eq(vsvm_try_prefetch(t->fd, t->control->ptr, VSVM_4K,
						DRM_VSVM_LOCATION_VRAM, NULL),
			      -EPERM);
		igt_assert_eq(vsvm_try_residency(t->fd, t->control->ptr, VSVM_4K, &run, &num_runs),
			      -EPERM);
		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create), -EPERM);
		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_DESTROY, &destroy), -EPERM);
		vsvm_prepare_submit(t, &job, &submit);
		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &submit), -EPERM);
		igt_assert_eq(vsvm_try_wait(t, 0, 0, NULL), -EPERM);
	}
	igt_waitchildren();
	vsvm_run_job(t, &job);
	vsvm_expect(t, .dispatches = 1);
}

/**
 * SUBTEST: launch
 * Description: many work-items in many groups write, copy and check memory
 */
static void launch(struct vsvm_test *t)
{
	const size_t size = 256 * 1024;
	const uint64_t words = size / 8;
	struct vsvm_buffer *from = vsvm_buffer_create(size, VSVM_SMALL);
	struct vsvm_buffer *to = vsvm_buffer_create(size, VSVM_SMALL);
	struct vsvm_job job = {
		.arg = {.addr = (uintptr_t)from->ptr, .count = words, .value = 5},
		.groups = {6},
		.group_size = {4},
	};

	for (uint64_t i = 0; i < words; i++)
		((uint64_t *)from->shadow)[i] = vsvm_pattern(5, i);
	memcpy(to->shadow, from->shadow, size);

	job.kernel = VSVM_KERNEL_FILL;
	vsvm_run_job(t, &job);
	vsvm_buffer_check(from);

	job.kernel = VSVM_KERNEL_COPY;
	job.arg.value = (uintptr_t)to->ptr;
	vsvm_run_job(t, &job);

	job.kernel = VSVM_KERNEL_CHECK;
	job.arg.addr = (uintptr_t)to->ptr;
	job.arg.value = 5;
	vsvm_run_job(t, &job);
	igt_assert_eq_u64(t->result->done, words);
	igt_assert_eq_u64(t->result->sum, 0);

	/* it would find a difference */
	job.arg.value = 6;
	vsvm_run_job(t, &job);
	igt_assert_eq_u64(t->result->done, words);
	igt_assert_eq_u64(t->result->sum, words);

	vsvm_buffer_check(from);
	vsvm_buffer_check(to);
}

/**
 * SUBTEST: ids
 * Description: every work-item starts with the ids and the stack that are its own
 */
static void ids(struct vsvm_test *t)
{
	static const uint32_t groups[3] = {3, 2, 2}, group_size[3] = {2, 3, 2};
	const uint32_t stack_size = 256, per_group = 2 * 3 * 2, total = per_group * 12;
	const uint32_t slots = t->info.num_cus * t->info.max_group;
	struct vsvm_buffer *out = vsvm_buffer_create(16 * VSVM_4K, VSVM_SMALL);
	struct vsvm_buffer *stack = vsvm_buffer_create(
		((size_t)slots * stack_size + VSVM_4K - 1) & -VSVM_4K, VSVM_SMALL);
	const struct vsvm_ids *item = (const struct vsvm_ids *)out->ptr;

	vsvm_run(t, .kernel = VSVM_KERNEL_IDS, .arg = {.addr = (uintptr_t)out->ptr},
		 .groups = {groups[0], groups[1], groups[2]},
		 .group_size = {group_size[0], group_size[1], group_size[2]}, .stack = stack->ptr,
		 .stack_size = stack_size);

	for (uint32_t i = 0; i < total; i++, item++) {
		uint32_t group = i / per_group, local = i % per_group;
		uint64_t slot = (item->stack - (uintptr_t)stack->ptr) / stack_size;
		uint64_t gid[3];

		gid[0] = group % 3 * 2 + local % 2;
		gid[1] = group / 3 % 2 * 3 + local / 2 % 3;
		gid[2] = group / 6 * 2 + local / 6;
		for (int d = 0; d < 3; d++)
			igt_assert_eq_u64(item->gid[d], gid[d]);
		igt_assert_eq_u64(item->local_id, local);
		igt_assert_eq_u64(item->group_id, group);
		igt_assert_eq_u64(item->total, total);
		igt_assert_eq_u64(item->group_size, per_group);
		igt_assert_lt_u64(slot, slots);
		igt_assert_eq_u64(slot % t->info.max_group, local);
	}
}

/**
 * SUBTEST: stack
 * Description: work-items that use their stacks do not disturb each other
 */
static void stack(struct vsvm_test *t)
{
	const uint32_t stack_size = 1024, items = 64 * 8;
	size_t size = (size_t)t->info.num_cus * t->info.max_group * stack_size;
	struct vsvm_buffer *area = vsvm_buffer_create((size + VSVM_4K - 1) & -VSVM_4K, VSVM_SMALL);
	struct vsvm_buffer *out = vsvm_buffer_create(VSVM_4K, VSVM_SMALL);

	vsvm_run(t, .kernel = VSVM_KERNEL_STACK, .arg = {.addr = (uintptr_t)out->ptr},
		 .groups = {8}, .group_size = {64}, .stack = area->ptr, .stack_size = stack_size);
	for (uint32_t i = 0; i < items; i++)
		for (int word = 0; word < VSVM_STACK_WORDS; word++)
			((uint64_t *)out->shadow)[i] += vsvm_pattern(i, word);
	vsvm_buffer_check(out);
}

/**
 * SUBTEST: barrier
 * Description: no work-item passes a barrier before all of its group have come
 */
static void barrier(struct vsvm_test *t)
{
	const uint32_t groups = 6, group_size = 32, rounds = 20;
	struct vsvm_buffer *shared = vsvm_buffer_create(VSVM_4K, VSVM_SMALL);
	struct vsvm_buffer *out = vsvm_buffer_create(VSVM_4K, VSVM_SMALL);

	igt_assert_lte(groups * group_size * 8, VSVM_4K);
	vsvm_run(t, .kernel = VSVM_KERNEL_BARRIER,
		 .arg = {.addr = (uintptr_t)shared->ptr,
			 .count = rounds,
			 .value = (uintptr_t)out->ptr},
		 .groups = {groups}, .group_size = {group_size});
	for (uint32_t i = 0; i < groups * group_size; i++) {
		uint32_t group = i / group_size * group_size;
		uint32_t neighbour = group + (i + 1) % group_size;

		for (uint32_t round = 0; round < rounds; round++)
			((uint64_t *)out->shadow)[i] += vsvm_pattern(round, neighbour);
	}
	vsvm_buffer_check(out);
}

/**
 * SUBTEST: atomics
 * Description: no increment of one word by all work-items is lost
 */
static void atomics(struct vsvm_test *t)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(VSVM_4K, VSVM_SMALL);
	uint32_t size = t->info.max_group;

	vsvm_run(t, .kernel = VSVM_KERNEL_ATOMIC,
		 .arg = {.addr = (uintptr_t)buffer->ptr, .count = 100, .value = 3}, .groups = {8},
		 .group_size = {size});
	igt_assert_eq_u64(t->result->done, 8 * size);
	igt_assert_eq_u64(t->result->sum, 8ULL * size * (8 * size - 1) / 2);
	((uint64_t *)buffer->shadow)[0] = 8ULL * size * 100 * 3;
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: local-memory
 * Description: each work-group has local memory of its own, all there can be of it, while
 *	groups of two queues take turns; nothing of it is faulted on
 */
static void local_memory(struct vsvm_test *t)
{
	uint32_t words = t->info.max_local / 8, groups = 4 * t->info.num_cus;
	struct vsvm_result *results[2];
	struct vsvm_buffer *buffer = vsvm_buffer_create(VSVM_4K, VSVM_SHARED);
	uint64_t values[2];
	uint32_t queues[2] = {t->queue};

	results[0] = t->result;
	results[1] = (struct vsvm_result *)buffer->ptr;
	for (int i = 0; i < 2; i++) {
		struct drm_vsvm_queue_create create = {};

		if (i) {
			igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create), 0);
			queues[i] = create.queue_id;
		}
		t->queue = queues[i];
		*results[i] = (struct vsvm_result){};
		values[i] =
			vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_LOCAL,
							  .arg = {.count = words,
								  .value = 100 * (i + 1),
								  .result = (uintptr_t)results[i]},
							  .groups = {groups},
							  .group_size = {t->info.max_group},
							  .local_size = t->info.max_local});
	}
	/* one fence for both: the second to end may be the first of them */
	for (int i = 0; i < 2; i++) {
		struct timespec start = {};

		while (__atomic_load_n(&results[i]->done, __ATOMIC_RELAXED) < groups * words &&
		       igt_seconds_elapsed(&start) < 60)
			usleep(1000);
		igt_assert_eq_u64(results[i]->done, groups * words);
		igt_assert_eq_u64(results[i]->sum, 0);
	}
	t->queue = queues[0];
	vsvm_wait(t, values[0]);
	vsvm_expect(t, .gpu_4k = 1, .dispatches = 2, .any_stale = true);
}

/**
 * SUBTEST: local-bad
 * Description: local memory ends where the dispatch says, and there is none without
 */
static void local_bad(struct vsvm_test *t)
{
	static const uint32_t sizes[] = {0, 1, 4096, 4097, 65536};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t end = VSVM_ISA_LOCAL_BASE + (sizes[i] + VSVM_4K - 1) / VSVM_4K * VSVM_4K;
		struct drm_vsvm_wait wait;

		if (sizes[i] > t->info.max_local)
			continue;
		vsvm_run_to_error(t,
				  &(struct vsvm_job){.kernel = VSVM_KERNEL_AMO,
						     .arg = {.addr = end, .value = 1},
						     .local_size = sizes[i]},
				  &wait);
		igt_assert_eq_u32(wait.status, VSVM_ISA_STATUS_FAULT);
		igt_assert_eq_u64(wait.fault_addr, end);
		igt_assert_eq_u32(wait.fault_access, VSVM_ISA_ACCESS_ATOMIC);
		if (sizes[i])
			vsvm_run(t, .kernel = VSVM_KERNEL_AMO, .arg = {.addr = end - 8, .value = 1},
				 .local_size = sizes[i]);
	}
	vsvm_forget_counters(t);
}

/**
 * SUBTEST: wait-timeout
 * Description: waiting for work that goes on ends in time; the work can still end well
 */
static void wait_timeout(struct vsvm_test *t)
{
	struct vsvm_buffer *flag = vsvm_buffer_create(VSVM_4K, VSVM_SHARED);
	const int64_t ms = 1000000;
	struct timespec start = {};
	uint64_t value, elapsed;

	value = vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
						  .arg = {.addr = (uintptr_t)flag->ptr}});
	igt_assert_eq(vsvm_try_wait(t, value, 0, NULL), -ETIME);
	igt_assert_eq(vsvm_try_wait(t, value, INT64_MIN, NULL), -ETIME);
	igt_nsec_elapsed(&start);
	igt_assert_eq(vsvm_try_wait(t, value, 50 * ms, NULL), -ETIME);
	elapsed = igt_nsec_elapsed(&start);
	igt_assert_lte_u64(50 * ms, elapsed);
	vsvm_expect(t, .gpu_4k = 1);

	*(volatile uint64_t *)flag->ptr = 1;
	vsvm_wait(t, value);
	vsvm_expect(t, .dispatches = 1);
}

/**
 * SUBTEST: in-order
 * Description: work of one queue runs in order, more of it than a ring holds
 */
static void in_order(struct vsvm_test *t)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(VSVM_4K, VSVM_SMALL);
	const int jobs = 100;
	uint64_t value = 0;

	for (int i = 0; i < jobs; i++)
		value = vsvm_submit(
			t,
			&(struct vsvm_job){
				.kernel = i % 2 ? VSVM_KERNEL_ADD : VSVM_KERNEL_SET,
				.arg = {.addr = (uintptr_t)buffer->ptr, .count = 1, .value = 8}});
	vsvm_wait(t, value);
	igt_assert_eq_u64(*t->fence, value);
	*(uint64_t *)(buffer->shadow + vsvm_touch(0, 8)) = 16;
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: queues
 * Description: a queue that is stuck does not stop another one, and can be destroyed
 */
static void queues(struct vsvm_test *t)
{
	struct vsvm_buffer *flag = vsvm_buffer_create(VSVM_4K, VSVM_SHARED);
	struct drm_vsvm_queue_destroy destroy = {.queue_id = t->queue};
	struct drm_vsvm_queue_create create = {};

	vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
					  .arg = {.addr = (uintptr_t)flag->ptr}});
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create), 0);
	igt_assert_neq_u32(create.queue_id, t->queue);
	t->queue = create.queue_id;
	vsvm_run(t, .kernel = VSVM_KERNEL_WARM);

	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_DESTROY, &destroy), 0);
	vsvm_run(t, .kernel = VSVM_KERNEL_WARM);
}

/**
 * SUBTEST: close-busy
 * Description: closing the file ends work that would go on for ever
 */
static void close_busy(struct vsvm_test *t)
{
	struct vsvm_buffer *flag = vsvm_buffer_create(VSVM_4K, VSVM_SHARED);

	vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
					  .arg = {.addr = (uintptr_t)flag->ptr},
					  .groups = {16}});
	vsvm_test_reopen(t);
	vsvm_run(t, .kernel = VSVM_KERNEL_WARM);
}

/**
 * SUBTEST: bad-program
 * Description: a program error ends its dispatch and says what and where
 */
static void bad_program(struct vsvm_test *t)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_4K, VSVM_SMALL, 3);
	const struct {
		struct vsvm_job job;
		uint32_t status;
		/* the bad instruction is the first one */
		bool at_entry;
	} cases[] = {
		{{.kernel = VSVM_KERNEL_ILLEGAL}, VSVM_ISA_STATUS_ILLEGAL, true},
		{{.kernel = VSVM_KERNEL_BREAK}, VSVM_ISA_STATUS_BREAK, true},
		{{.kernel = VSVM_KERNEL_BAD_ECALL, .arg = {.value = 77}},
		 VSVM_ISA_STATUS_ECALL,
		 false},
		{{.kernel = VSVM_KERNEL_AMO, .arg = {.addr = (uintptr_t)buffer->ptr + 4}},
		 VSVM_ISA_STATUS_MISALIGNED,
		 false},
		{{.kernel = VSVM_KERNEL_JUMP, .arg = {.addr = (uintptr_t)buffer->ptr + 2}},
		 VSVM_ISA_STATUS_MISALIGNED,
		 false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_vsvm_submit submit;
		struct drm_vsvm_wait wait;

		vsvm_prepare_submit(t, &cases[i].job, &submit);
		vsvm_run_to_error(t, &cases[i].job, &wait);
		igt_debug("case %zu\n", i);
		igt_assert_eq_u32(wait.status, cases[i].status);
		if (cases[i].at_entry)
			igt_assert_eq_u64(wait.fault_pc, submit.entry);
		igt_assert_eq_u32(wait.fault_access, 0);
		igt_assert_eq_u64(wait.fault_addr, 0);
	}
	vsvm_buffer_check(buffer);
	/* another program runs all the same */
	vsvm_gpu_add(t, buffer, 0, VSVM_4K, 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: bad-access
 * Description: an access to what the process cannot access ends the dispatch and
 *	says which address and which kind
 */
static void bad_access(struct vsvm_test *t)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_SMALL, 3);
	const uint64_t hole = (uintptr_t)buffer->ptr + 3 * VSVM_4K + 8;
	const uint64_t read_only = (uintptr_t)buffer->ptr + 9 * VSVM_4K + 16;
	const uint64_t data = (uintptr_t)buffer->ptr + 5 * VSVM_4K;
	const struct {
		enum vsvm_kernel kernel;
		uint64_t addr;
		uint32_t access;
	} cases[] = {
		{VSVM_KERNEL_LOAD, hole, VSVM_ISA_ACCESS_READ},
		{VSVM_KERNEL_STORE, hole, VSVM_ISA_ACCESS_WRITE},
		{VSVM_KERNEL_AMO, hole, VSVM_ISA_ACCESS_ATOMIC},
		{VSVM_KERNEL_JUMP, hole, VSVM_ISA_ACCESS_FETCH},
		{VSVM_KERNEL_JUMP, data, VSVM_ISA_ACCESS_FETCH},
		{VSVM_KERNEL_STORE, read_only, VSVM_ISA_ACCESS_WRITE},
		{VSVM_KERNEL_AMO, read_only, VSVM_ISA_ACCESS_ATOMIC},
		{VSVM_KERNEL_LOAD, 0, VSVM_ISA_ACCESS_READ},
		{VSVM_KERNEL_STORE, 8, VSVM_ISA_ACCESS_WRITE},
		{VSVM_KERNEL_LOAD, KERNEL_SPACE, VSVM_ISA_ACCESS_READ},
	};

	vsvm_buffer_unmap(buffer, 3 * VSVM_4K, VSVM_4K);
	igt_assert_eq(mprotect(buffer->ptr + 9 * VSVM_4K, VSVM_4K, PROT_READ), 0);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct vsvm_job job = {
			.kernel = cases[i].kernel,
			.arg = {.addr = cases[i].addr, .value = 1},
		};
		struct drm_vsvm_wait wait;

		igt_debug("case %zu\n", i);
		vsvm_run_to_error(t, &job, &wait);
		igt_assert_eq_u32(wait.status, VSVM_ISA_STATUS_FAULT);
		igt_assert_eq_u32(wait.fault_access, cases[i].access);
		igt_assert_eq_u64(wait.fault_addr, cases[i].addr);
		if (cases[i].access == VSVM_ISA_ACCESS_FETCH)
			igt_assert_eq_u64(wait.fault_pc, cases[i].addr);
	}

	/* nor can data be executed that the GPU has mapped */
	vsvm_run(t, .kernel = VSVM_KERNEL_LOAD, .arg = {.addr = data});
	vsvm_run_to_error(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_JUMP, .arg = {.addr = data}},
			  &(struct drm_vsvm_wait){});

	/* reading what is read-only is no error, and nothing was written */
	vsvm_run(t, .kernel = VSVM_KERNEL_LOAD, .arg = {.addr = read_only});
	vsvm_buffer_check_range(buffer, 0, 3 * VSVM_4K);
	vsvm_buffer_check_range(buffer, 4 * VSVM_4K, VSVM_2M - 4 * VSVM_4K);
}

/**
 * SUBTEST: bad-fence
 * Description: a fence that cannot be written stops the queue
 */
static void bad_fence(struct vsvm_test *t)
{
	struct vsvm_buffer *hole = vsvm_buffer_create(VSVM_4K, VSVM_SMALL);
	struct drm_vsvm_submit submit;
	struct drm_vsvm_wait wait;

	vsvm_buffer_unmap(hole, 0, VSVM_4K);
	vsvm_prepare_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_WARM}, &submit);
	submit.fence_addr = (uintptr_t)hole->ptr;
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &submit), 0);
	igt_assert_eq(vsvm_try_wait(t, submit.fence_value, VSVM_TIMEOUT, &wait), -EIO);
	igt_assert_eq_u32(wait.status, VSVM_ISA_STATUS_FAULT);
	igt_assert_eq_u32(wait.fault_access, VSVM_ISA_ACCESS_WRITE);
	igt_assert_eq_u64(wait.fault_addr, (uintptr_t)hole->ptr);

	/* none at all is allowed */
	vsvm_new_queue(t);
	vsvm_prepare_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_WARM}, &submit);
	submit.fence_addr = 0;
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &submit), 0);
	vsvm_run(t, .kernel = VSVM_KERNEL_WARM);
	vsvm_expect(t, .dispatches = 3);
}

static const struct {
	const char *name;
	void (*run)(struct vsvm_test *t);
	const char *description;
} subtests[] = {
	{"query", query, "Facts and counters make sense"},
	{"bad-query", bad_query, "Checks of the query structure"},
	{"bad-prefetch", bad_prefetch, "Checks of the prefetch structure"},
	{"bad-residency", bad_residency, "Checks of the residency structure"},
	{"bad-advise", bad_advise, "Checks of the structure for advice"},
	{"bad-attributes", bad_attributes, "Checks of the structure for attributes"},
	{"bad-queue", bad_queue, "Checks of the structures for queues"},
	{"bad-submit", bad_submit, "Checks of the submit structure"},
	{"bad-wait", bad_wait, "Checks of the wait structure"},
	{"refused-after-fork", refused_after_fork, "A child cannot use its parent's file"},
	{"launch", launch, "Many work-items write, copy and check memory"},
	{"ids", ids, "Work-items know who they are"},
	{"stack", stack, "Work-items have stacks"},
	{"barrier", barrier, "Work-items of a group wait for each other"},
	{"atomics", atomics, "No atomic increment is lost"},
	{"local-memory", local_memory, "Work-groups have local memory"},
	{"local-bad", local_bad, "Local memory has an end"},
	{"wait-timeout", wait_timeout, "Waiting ends in time"},
	{"in-order", in_order, "Work of one queue runs in order"},
	{"queues", queues, "A stuck queue does not stop another one"},
	{"close-busy", close_busy, "Closing the file ends work that goes on"},
	{"bad-program", bad_program, "Program errors are reported"},
	{"bad-access", bad_access, "Bad accesses are reported"},
	{"bad-fence", bad_fence, "A fence that cannot be written is reported"},
};

int igt_main()
{
	static struct vsvm_test test;

	for (size_t i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].description);
		igt_subtest(subtests[i].name) {
			vsvm_test_begin(&test, 0);
			subtests[i].run(&test);
			vsvm_test_end(&test);
		}
	}
}
