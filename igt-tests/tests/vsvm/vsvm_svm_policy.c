// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm memory policy
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: NUMA
 * Description: Memory policies and what moves pages between nodes leave memory in VRAM
 *	where it is
 */

#include <linux/mempolicy.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vsvm_proc.h"
#include "vsvm_settings.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Memory policies leave memory in VRAM where it is");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)
#define PAGES  (SIZE / VSVM_4K)

/* NUMA balancing looks at all memory of a busy process within this time. */
#define BALANCING_SECONDS 60

static void require_nodes(void)
{
	igt_require_f(!access("/sys/devices/system/node/node1", F_OK),
		      "only one node: boot with numa=fake=2\n");
}

static long bind_to(const struct vsvm_buffer *buffer, unsigned long nodes, unsigned int flags)
{
	return syscall(SYS_mbind, buffer->ptr, buffer->size, MPOL_BIND, &nodes, 64UL, flags)
		       ? -errno
		       : 0;
}

static void expect_still_there(struct vsvm_test *t, struct vsvm_buffer *buffer, unsigned int flags)
{
	vsvm_expect(t, 0);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
}

/**
 * SUBTEST: mbind
 * Description: mbind() that moves pages passes memory in VRAM over; a strict one says so
 *
 * SUBTEST: mbind-base
 * Description: the same with base pages in VRAM
 */
static void check_mbind(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);

	for (unsigned long node = 0; node < 2; node++) {
		if (node)
			require_nodes();
		igt_assert_eq(bind_to(buffer, 1UL << node, MPOL_MF_MOVE), 0);
		expect_still_there(t, buffer, flags);
		igt_assert_eq(bind_to(buffer, 1UL << node, MPOL_MF_MOVE_ALL), 0);
		expect_still_there(t, buffer, flags);
		bind_to(buffer, 1UL << node, MPOL_MF_MOVE | MPOL_MF_STRICT);
		expect_still_there(t, buffer, flags);
	}
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: migrate-pages
 * Description: migrate_pages() leaves memory in VRAM where it is
 *
 * SUBTEST: migrate-pages-base
 * Description: the same with base pages in VRAM
 */
static void check_migrate_pages(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	unsigned long nodes[] = {1, 2};

	require_nodes();
	for (int i = 0; i < 4; i++) {
		igt_assert_lte(0, syscall(SYS_migrate_pages, 0, 64UL, &nodes[i % 2],
					  &nodes[(i + 1) % 2]));
		expect_still_there(t, buffer, flags);
	}
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: move-pages
 * Description: move_pages() finds no page where memory is in VRAM, and moves none
 *
 * SUBTEST: move-pages-base
 * Description: the same with base pages in VRAM
 */
static void check_move_pages(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	static int status[PAGES], nodes[PAGES];
	static void *pages[PAGES];

	for (size_t i = 0; i < PAGES; i++)
		pages[i] = buffer->ptr + i * VSVM_4K;
	igt_assert_eq(syscall(SYS_move_pages, 0, PAGES, pages, NULL, status, 0), 0);
	for (size_t i = 0; i < PAGES; i++)
		igt_assert_eq(status[i], -ENOENT);
	syscall(SYS_move_pages, 0, PAGES, pages, nodes, status, MPOL_MF_MOVE);
	for (size_t i = 0; i < PAGES; i++)
		igt_assert_eq(status[i], -ENOENT);
	expect_still_there(t, buffer, flags);
	vsvm_buffer_check(buffer);
	igt_assert_eq(syscall(SYS_move_pages, 0, PAGES, pages, NULL, status, 0), 0);
	for (size_t i = 0; i < PAGES; i++)
		igt_assert_lte(0, status[i]);
}

static long balanced(void)
{
	return vsvm_proc_key("/proc/vmstat", "numa_pte_updates") +
	       vsvm_proc_key("/proc/vmstat", "numa_huge_pte_updates");
}

/* Another thread: pages of a process with one are not looked at on its own node. */
struct toucher {
	pthread_t thread;
	const struct vsvm_buffer *buffer;
	volatile bool stop;
};

static void *touch_all_the_time(void *arg)
{
	struct toucher *toucher = arg;

	while (!toucher->stop)
		vsvm_cpu_touch(toucher->buffer, 0, SIZE, VSVM_4K);
	return NULL;
}

/**
 * SUBTEST: balancing
 * Description: NUMA balancing leaves memory in VRAM where it is, and the GPU can still
 *	write to it without a copy
 */
static void balancing(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_buffer *system = vsvm_buffer_create_filled(SIZE, VSVM_SMALL, 2);
	struct toucher toucher = {.buffer = system};
	struct drm_vsvm_counters now;
	struct timespec start = {};
	long until;

	require_nodes();
	igt_require(vsvm_setting(VSVM_BALANCING, 0));
	igt_assert_eq(pthread_create(&toucher.thread, NULL, touch_all_the_time, &toucher), 0);
	/* the other buffer several times over */
	until = balanced() + 4 * PAGES;
	igt_assert(vsvm_setting(VSVM_BALANCING, 1));
	while (balanced() < until) {
		vsvm_cpu_touch(system, 0, SIZE, VSVM_4K);
		igt_assert_lt(igt_seconds_elapsed(&start), BALANCING_SECONDS);
	}
	vsvm_settings_reset();
	toucher.stop = true;
	igt_assert_eq(pthread_join(toucher.thread, NULL), 0);
	expect_still_there(t, buffer, flags);
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_query_counters(t->fd, &now);
	igt_assert_eq_u64(now.cpu_faults, t->seen.cpu_faults);
	igt_assert_eq_u64(now.folios_freed[9], t->seen.folios_freed[9]);
	vsvm_buffer_check(buffer);
	vsvm_buffer_check(system);
}

static const struct vsvm_subtest subtests[] = {
	{"mbind", check_mbind, VSVM_BOTH, "mbind() of memory in VRAM"},
	{"migrate-pages", check_migrate_pages, VSVM_BOTH, "migrate_pages() with memory in VRAM"},
	{"move-pages", check_move_pages, VSVM_BOTH, "move_pages() of memory in VRAM"},
	{"balancing", balancing, VSVM_HUGE, "NUMA balancing of memory in VRAM"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
