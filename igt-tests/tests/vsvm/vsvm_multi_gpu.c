// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm multi gpu
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: several devices
 * Description: Two devices work on the memory of one process
 */

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Two devices work on the memory of one process");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)

/* Adds of each work-item, and of each thread, in a test of contention. */
#define ADDS	 2000
#define HARTS	 4
#define CPU_ADDS 200

/* The second device. */
static struct vsvm_test other;

/* Waits for both devices to have given everything back. */
static void close_other(const struct vsvm_test *t)
{
	vsvm_buffers_free_all();
	vsvm_test_close(&other);
	vsvm_leak_check(1, &t->before);
}

static uint64_t vram_used(const struct vsvm_test *test)
{
	struct drm_vsvm_counters counters;

	vsvm_query_counters(test->fd, &counters);
	return counters.vram_total - counters.vram_free;
}

static void expect_in(const struct vsvm_test *in, const struct vsvm_test *not_in,
		      const struct vsvm_buffer *buffer, unsigned int flags)
{
	vsvm_expect_residency(in->fd, buffer->ptr, buffer->size, DRM_VSVM_LOCATION_VRAM,
			      vsvm_order(flags));
	vsvm_expect_location(not_in->fd, buffer->ptr, buffer->size, DRM_VSVM_LOCATION_NONE);
}

/**
 * SUBTEST: move
 * Description: memory moves from one device to the other and back, by GPU faults; each
 *	device counts what it has done and nothing else
 *
 * SUBTEST: move-base
 * Description: the same with base pages in VRAM
 */
static void move(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_test_open_other(&other, 1);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	expect_in(t, &other, buffer, flags);
	vsvm_gpu_add(&other, buffer, 0, SIZE, 5);
	expect_in(&other, t, buffer, flags);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_expect_to_vram(&other, SIZE, flags);

	vsvm_gpu_add(t, buffer, 0, SIZE, 7);
	expect_in(t, &other, buffer, flags);
	vsvm_expect_home(&other, SIZE, flags);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_buffer_check(buffer);
	close_other(t);
}

/**
 * SUBTEST: read
 * Description: the other device only reads: the memory moves to it all the same, and it
 *	reads what the first one has written
 *
 * SUBTEST: read-base
 * Description: the same with base pages in VRAM
 */
static void other_reads(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_test_open_other(&other, 1);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	for (int i = 1; i <= 3; i++) {
		vsvm_gpu_set(t, buffer, 0, SIZE, i);
		vsvm_gpu_sum(&other, buffer, 0, SIZE, i);
		expect_in(&other, t, buffer, flags);
	}
	vsvm_buffer_check(buffer);
	close_other(t);
}

/**
 * SUBTEST: prefetch
 * Description: prefetch takes memory from one device to the other, and neither faults
 *	on it afterwards
 *
 * SUBTEST: prefetch-base
 * Description: the same with base pages in VRAM
 */
static void prefetch(struct vsvm_test *t, unsigned int flags)
{
	uint64_t count = vsvm_folios(flags, SIZE);
	struct vsvm_buffer *buffer;

	vsvm_test_open_other(&other, 1);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	vsvm_prefetch(&other, buffer, 0, SIZE, DRM_VSVM_LOCATION_VRAM);
	expect_in(&other, t, buffer, flags);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_gpu_add(&other, buffer, 0, SIZE, 5);
	vsvm_expect(&other, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .dispatches = 1);

	/* a device only sends home what it has */
	vsvm_prefetch(&other, buffer, 0, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect(&other, .order = vsvm_order(flags), .n_freed = count, .n_to_ram = count);
	vsvm_gpu_add(t, buffer, 0, SIZE, 6);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_buffer_check(buffer);
	close_other(t);
}

/**
 * SUBTEST: not-mine
 * Description: a prefetch to system memory by one device leaves alone what the other has
 */
static void not_mine(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;
	uint64_t moved = 1;

	vsvm_test_open_other(&other, 1);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	igt_assert_eq(vsvm_try_prefetch(other.fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM,
					&moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	expect_in(t, &other, buffer, flags);
	vsvm_expect(t, 0);
	vsvm_expect(&other, 0);
	close_other(t);
}

/**
 * SUBTEST: parts
 * Description: each device has every other block, each sees its own, and the CPU gets
 *	both
 *
 * SUBTEST: parts-base
 * Description: the same with base pages in VRAM
 */
static void parts(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	vsvm_test_open_other(&other, 1);
	for (size_t block = 0; block < SIZE; block += 2 * VSVM_2M) {
		vsvm_gpu_add(t, buffer, block, VSVM_2M, 3);
		vsvm_gpu_add(&other, buffer, block + VSVM_2M, VSVM_2M, 4);
	}
	igt_assert_eq_u64(vram_used(t), SIZE / 2);
	igt_assert_eq_u64(vram_used(&other), SIZE / 2);
	for (size_t block = 0; block < SIZE; block += VSVM_2M) {
		const struct vsvm_test *in = block & VSVM_2M ? &other : t;

		vsvm_expect_residency(in->fd, buffer->ptr + block, VSVM_2M, DRM_VSVM_LOCATION_VRAM,
				      vsvm_order(flags));
	}
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(vram_used(t), 0);
	igt_assert_eq_u64(vram_used(&other), 0);
	close_other(t);
}

/**
 * SUBTEST: close-one
 * Description: the file of one device is closed: its memory stays where it is, and the
 *	other device can have it
 *
 * SUBTEST: close-one-base
 * Description: the same with base pages in VRAM
 */
static void close_one(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_test_open_other(&other, 1);
	buffer = vsvm_buffer_in_vram(&other, SIZE, flags);
	vsvm_test_close(&other);
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_buffer_check(buffer);
	vsvm_buffers_free_all();
	vsvm_leak_check(1, &t->before);
}

/**
 * SUBTEST: fork
 * Description: parent and child work on copies of the same memory, each with a device of
 *	its own
 *
 * SUBTEST: fork-base
 * Description: the same with base pages in VRAM
 */
static void forked(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_test_open_other(&other, 1);
	vsvm_test_close(&other);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	igt_fork(child, 1) {
		struct vsvm_test own = {};

		close(t->fd);
		vsvm_test_open_other(&own, 1);
		for (int i = 0; i < 3; i++)
			vsvm_gpu_add(&own, buffer, 0, SIZE, 10 + child + i);
		vsvm_buffer_check(buffer);
	}
	for (int i = 0; i < 3; i++)
		vsvm_gpu_add(t, buffer, 0, SIZE, 5 + i);
	vsvm_buffer_check(buffer);
	igt_waitchildren();
	vsvm_buffer_check(buffer);
	vsvm_buffers_free_all();
	vsvm_leak_check(1, &t->before);
}

static void *cpu_adds(void *arg)
{
	uint64_t *word = arg;

	for (int i = 0; i < CPU_ADDS; i++)
		__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
	return NULL;
}

/**
 * SUBTEST: contend-atomic
 * Description: both devices and the CPU add to the same word at the same time: it comes to
 *	an end, and no add is lost
 *
 * SUBTEST: contend-atomic-base
 * Description: the same with base pages in VRAM
 */
static void contend_atomic(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 1);
	uint64_t *word = (uint64_t *)buffer->ptr, start = *word;
	struct vsvm_job job = {
		.kernel = VSVM_KERNEL_ATOMIC,
		.arg = {.addr = (uintptr_t)word, .count = ADDS, .value = 1},
		.group_size = {HARTS},
	};
	uint64_t value[2];
	pthread_t cpu;

	(void)flags;
	vsvm_test_open_other(&other, 1);
	igt_assert_eq(pthread_create(&cpu, NULL, cpu_adds, word), 0);
	value[0] = vsvm_submit(t, &job);
	value[1] = vsvm_submit(&other, &job);
	igt_assert_eq(pthread_join(cpu, NULL), 0);
	vsvm_wait(t, value[0]);
	vsvm_wait(&other, value[1]);
	igt_assert_eq_u64(t->result->done, HARTS);
	igt_assert_eq_u64(other.result->done, HARTS);

	*(uint64_t *)buffer->shadow = start + 2 * ADDS * HARTS + CPU_ADDS;
	vsvm_buffer_check(buffer);
	close_other(t);
}

/**
 * SUBTEST: contend-pages
 * Description: both devices write to the same pages, each to words of its own, at the same
 *	time: it comes to an end, and no write is lost
 *
 * SUBTEST: contend-pages-base
 * Description: the same with base pages in VRAM
 */
static void contend_pages(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_test *tests[] = {t, &other};

	(void)flags;
	vsvm_test_open_other(&other, 1);
	for (int round = 0; round < 4; round++) {
		uint64_t waits[2];

		for (int i = 0; i < 2; i++) {
			uint64_t value = 1 + 2 * round + i;

			waits[i] = vsvm_submit(
				tests[i], &(struct vsvm_job){.kernel = VSVM_KERNEL_ADD,
							     .arg = {.addr = (uintptr_t)buffer->ptr,
								     .count = SIZE / VSVM_4K,
								     .value = value}});
			for (size_t page = 0; page < SIZE / VSVM_4K; page++)
				*(uint64_t *)(buffer->shadow + vsvm_touch(page, value)) += value;
		}
		for (int i = 0; i < 2; i++)
			vsvm_wait(tests[i], waits[i]);
		vsvm_buffer_check(buffer);
	}
	close_other(t);
}

static const struct vsvm_subtest subtests[] = {
	{"move", move, VSVM_BOTH, "From one device to the other and back"},
	{"read", other_reads, VSVM_BOTH, "The other device reads"},
	{"prefetch", prefetch, VSVM_BOTH, "Prefetch from one device to the other"},
	{"not-mine", not_mine, VSVM_HUGE, "A device does not send home what another has"},
	{"parts", parts, VSVM_BOTH, "Each device has every other block"},
	{"close-one", close_one, VSVM_BOTH, "Memory of a device whose file is closed"},
	{"fork", forked, VSVM_BOTH, "Parent and child use a device each"},
	{"contend-atomic", contend_atomic, VSVM_BOTH | VSVM_AGAIN,
	 "Two devices and the CPU, one word"},
	{"contend-pages", contend_pages, VSVM_BOTH | VSVM_AGAIN, "Two devices, the same pages"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
