// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm atomics
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: device-exclusive atomics
 * Description: Atomic operations of the GPU on system memory take the page from the CPU,
 *	which gets it back when it wants it; nothing is lost
 */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Atomic operations of the GPU on system memory");

#define PAGES	   8
#define SIZE	   (PAGES * VSVM_4K)
#define CPU_ADDS   20000
#define GPU_ADDS   200
#define GPU_GROUPS 4
#define GPU_GROUP  8

static struct vsvm_buffer *stays(struct vsvm_test *t, uint32_t attribute, uint32_t value)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_SMALL, 1);

	igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr, SIZE, attribute, value), 0);
	return buffer;
}

static struct vsvm_buffer *never_migrates(struct vsvm_test *t)
{
	return stays(t, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
}

static void gpu_add(struct vsvm_test *t, struct vsvm_buffer *buffer, size_t page)
{
	uint64_t *word = (uint64_t *)(buffer->shadow + page * VSVM_4K);

	vsvm_run(t, .kernel = VSVM_KERNEL_AMO,
		 .arg = {.addr = (uintptr_t)buffer->ptr + page * VSVM_4K, .value = 5});
	*word += 5;
}

static void exclusive(struct vsvm_test *t, struct vsvm_buffer *buffer)
{
	/* one page each, the first time */
	for (size_t page = 0; page < PAGES; page += 2) {
		gpu_add(t, buffer, page);
		vsvm_expect(t, .gpu_4k = 1, .dispatches = 1);
		gpu_add(t, buffer, page);
		vsvm_expect(t, .dispatches = 1);
	}
	/* the CPU reads one: the GPU must ask for it again, and for no other */
	vsvm_buffer_check_range(buffer, 2 * VSVM_4K, VSVM_4K);
	for (size_t page = 0; page < PAGES; page += 2)
		gpu_add(t, buffer, page);
	vsvm_expect(t, .gpu_4k = 1, .dispatches = PAGES / 2);
	/* it writes one */
	*(volatile uint64_t *)(buffer->ptr + 4 * VSVM_4K) += 7;
	*(uint64_t *)(buffer->shadow + 4 * VSVM_4K) += 7;
	for (size_t page = 0; page < PAGES; page += 2)
		gpu_add(t, buffer, page);
	vsvm_expect(t, .gpu_4k = 1, .dispatches = PAGES / 2);
	vsvm_buffer_check(buffer);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect(t, 0);
}

/**
 * SUBTEST: no-migrate
 * Description: a page that must not migrate is the GPU's alone after an atomic operation,
 *	until the CPU accesses it
 */
static void no_migrate(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	exclusive(t, never_migrates(t));
}

/**
 * SUBTEST: mode-system
 * Description: the same with atomic mode system, and the first write moves it to VRAM
 */
static void mode_system(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = stays(t, DRM_VSVM_ATTRIBUTE_ATOMIC, DRM_VSVM_ATOMIC_SYSTEM);

	(void)flags;
	exclusive(t, buffer);
	vsvm_gpu_set(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .allocated[0] = PAGES, .to_vram[0] = PAGES, .gpu_4k = 1, .dispatches = 1);
	gpu_add(t, buffer, 1);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: after-read
 * Description: memory that the GPU can read and write faults for the first atomic
 *	operation on each page
 */
static void after_read(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = never_migrates(t);

	(void)flags;
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .gpu_4k = 1, .dispatches = 1);
	for (size_t page = 0; page < PAGES; page++)
		gpu_add(t, buffer, page);
	vsvm_expect(t, .gpu_4k = PAGES, .dispatches = PAGES);
	/* reads and writes of the GPU do not disturb that */
	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	gpu_add(t, buffer, 3);
	vsvm_expect(t, .dispatches = 2);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: unmap
 * Description: pages that are the GPU's alone are unmapped, dropped, moved and inherited
 *	by a child
 */
static void unmap(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = never_migrates(t);
	uint8_t *ptr = buffer->ptr;

	(void)flags;
	for (size_t page = 0; page < PAGES; page++)
		gpu_add(t, buffer, page);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		vsvm_buffer_check(buffer);
	}
	igt_waitchildren();
	vsvm_buffer_check(buffer);
	for (size_t page = 0; page < PAGES; page++)
		gpu_add(t, buffer, page);
	igt_assert_eq(madvise(ptr, VSVM_4K, MADV_DONTNEED), 0);
	memset(buffer->shadow, 0, VSVM_4K);
	vsvm_buffer_check(buffer);
	for (size_t page = 0; page < PAGES; page++)
		gpu_add(t, buffer, page);
	igt_assert(mremap(ptr + VSVM_4K, VSVM_4K, VSVM_4K, MREMAP_MAYMOVE | MREMAP_FIXED, ptr) ==
		   ptr);
	memcpy(buffer->shadow, buffer->shadow + VSVM_4K, VSVM_4K);
	vsvm_buffer_check_range(buffer, 0, VSVM_4K);
	vsvm_buffer_unmap(buffer, 2 * VSVM_4K, VSVM_4K);
	vsvm_buffer_check_range(buffer, 3 * VSVM_4K, SIZE - 3 * VSVM_4K);
}

struct adder {
	pthread_t thread;
	uint64_t *word;
};

static void *add(void *arg)
{
	struct adder *adder = arg;

	for (int i = 0; i < CPU_ADDS; i++)
		__atomic_fetch_add(adder->word, 3, __ATOMIC_RELAXED);
	return NULL;
}

/**
 * SUBTEST: race
 * Description: CPU threads and work-items add to the same word at the same time; nothing is
 *	lost
 */
static void race(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = never_migrates(t);
	uint64_t *word = (uint64_t *)(buffer->ptr + VSVM_4K);
	struct adder adders[2];
	uint64_t before = *word, value;

	(void)flags;
	value = vsvm_submit(
		t,
		&(struct vsvm_job){.kernel = VSVM_KERNEL_ATOMIC,
				   .arg = {.addr = (uintptr_t)word, .count = GPU_ADDS, .value = 5},
				   .groups = {GPU_GROUPS},
				   .group_size = {GPU_GROUP}});
	for (size_t i = 0; i < ARRAY_SIZE(adders); i++) {
		adders[i].word = word;
		igt_assert_eq(pthread_create(&adders[i].thread, NULL, add, &adders[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(adders); i++)
		igt_assert_eq(pthread_join(adders[i].thread, NULL), 0);
	vsvm_wait(t, value);
	*(uint64_t *)(buffer->shadow + VSVM_4K) =
		before + 3 * CPU_ADDS * ARRAY_SIZE(adders) + 5 * GPU_ADDS * GPU_GROUPS * GPU_GROUP;
	vsvm_buffer_check(buffer);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
}

static const struct vsvm_subtest subtests[] = {
	{"no-migrate", no_migrate, VSVM_HUGE, "Atomics on memory that must not migrate"},
	{"mode-system", mode_system, VSVM_HUGE, "Atomics in system memory"},
	{"after-read", after_read, VSVM_HUGE, "Atomics on memory that is mapped already"},
	{"unmap", unmap, VSVM_HUGE, "Mappings change while the GPU has pages for itself"},
	{"race", race, VSVM_HUGE, "Atomics of both at the same time"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
