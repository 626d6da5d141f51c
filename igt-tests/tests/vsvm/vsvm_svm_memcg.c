// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm memcg
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: memory control groups
 * Description: Memory in VRAM is charged to the control group of its process
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_cgroup.h"
#include "vsvm_proc.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Memory in VRAM is charged to the control group of its process");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)

/* What is charged besides, in parts that are kept per processor. */
#define SLACK ((long long)512 << 10)

static void expect_about(long long is, long long expected)
{
	igt_assert_lte_s64(llabs(is - expected), SLACK);
}

static long long charged_anon(void)
{
	return vsvm_proc_key(VSVM_CGROUP "memory.stat", "anon");
}

static void expect_charged(long long anon, long long current, long long more)
{
	expect_about(charged_anon(), anon + more);
	expect_about(vsvm_read_number(VSVM_CGROUP "memory.current"), current + more);
}

/**
 * SUBTEST: charge
 * Description: memory that comes into being in VRAM is charged, migrations, a fork and
 *	a split do not change that, and it is uncharged when it is freed there
 *
 * SUBTEST: charge-base
 * Description: the same with base pages in VRAM
 */
static void charge_in_group(unsigned int flags)
{
	struct vsvm_buffer *buffer;
	long long anon, current;
	struct vsvm_test own;
	pid_t pid;

	vsvm_test_open(&own);
	buffer = vsvm_buffer_create(SIZE, VSVM_THP);
	memset(buffer->shadow, 0, SIZE);
	anon = charged_anon();
	current = vsvm_read_number(VSVM_CGROUP "memory.current");

	vsvm_gpu_set(&own, buffer, 0, SIZE, 5);
	vsvm_expect_to_vram(&own, SIZE, flags);
	expect_charged(anon, current, SIZE);
	vsvm_buffer_check(buffer);
	expect_charged(anon, current, SIZE);
	vsvm_gpu_add(&own, buffer, 0, SIZE, 6);
	expect_charged(anon, current, SIZE);

	pid = fork();
	igt_assert_lte(0, pid);
	if (!pid)
		_exit(0);
	igt_assert_eq(waitpid(pid, NULL, 0), pid);
	expect_charged(anon, current, SIZE);

	for (size_t block = 0; block < SIZE; block += VSVM_2M)
		vsvm_prefetch(&own, buffer, block, VSVM_4K, DRM_VSVM_LOCATION_SYSTEM);
	expect_charged(anon, current, SIZE);
	vsvm_buffer_unmap(buffer, 0, SIZE / 2);
	expect_charged(anon, current, SIZE / 2);
	vsvm_buffer_check_range(buffer, SIZE / 2, SIZE / 2);
	vsvm_gpu_add(&own, buffer, SIZE / 2, SIZE / 2, 7);
	expect_charged(anon, current, SIZE / 2);
	igt_assert_eq(madvise(buffer->ptr + SIZE / 2, SIZE / 2, MADV_DONTNEED), 0);
	expect_charged(anon, current, 0);
}

static void charge(struct vsvm_test *t, unsigned int flags)
{
	(void)t;
	vsvm_cgroup_create();
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		igt_assert(vsvm_write_file(VSVM_CGROUP "cgroup.procs", "0"));
		charge_in_group(flags);
	}
	igt_waitchildren();
	vsvm_cgroup_destroy();
}

/**
 * SUBTEST: no-room
 * Description: the control group has no room for a huge page: a hole is not filled, all
 *	that was allocated for it is given back, and it works when there is room
 */
static void no_room_in_group(void)
{
	struct vsvm_buffer *buffer;
	struct vsvm_test own;
	char text[32];
	uint64_t moved;

	vsvm_test_open(&own);
	buffer = vsvm_buffer_create(SIZE, VSVM_THP);
	memset(buffer->shadow, 0, SIZE);
	snprintf(text, sizeof(text), "%lld",
		 vsvm_read_number(VSVM_CGROUP "memory.current") + SLACK);
	igt_assert(vsvm_write_file(VSVM_CGROUP "memory.max", text));
	igt_assert_eq(vsvm_try_prefetch(own.fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	vsvm_expect(&own, .allocated[9] = BLOCKS, .freed[9] = BLOCKS);
	vsvm_expect_residency(own.fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_NONE, 0);
	igt_assert(vsvm_write_file(VSVM_CGROUP "memory.max", "max"));
	vsvm_prefetch(&own, buffer, 0, SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect(&own, .allocated[9] = BLOCKS, .to_vram[9] = BLOCKS);
	vsvm_gpu_add(&own, buffer, 0, SIZE, 7);
	vsvm_buffer_check(buffer);
}

static void no_room(struct vsvm_test *t, unsigned int flags)
{
	(void)t;
	(void)flags;
	vsvm_cgroup_create();
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		igt_assert(vsvm_write_file(VSVM_CGROUP "cgroup.procs", "0"));
		no_room_in_group();
	}
	igt_waitchildren();
	vsvm_cgroup_destroy();
}

/**
 * SUBTEST: killed
 * Description: a process with memory in VRAM is killed because its control group is
 *	out of memory: all is given back
 *
 * SUBTEST: killed-base
 * Description: the same with base pages in VRAM
 */
static void eat_until_killed(void)
{
	struct vsvm_buffer *buffer;
	struct vsvm_test own;

	vsvm_test_open(&own);
	buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	vsvm_gpu_add(&own, buffer, 0, SIZE, 3);
	/* the spinning job keeps the GPU at work to the end */
	vsvm_submit(&own, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
					     .arg = {.addr = (uintptr_t)own.result + 64}});
	for (;;) {
		buffer = vsvm_buffer_create(SIZE, VSVM_SMALL);
		memset(buffer->ptr, 1, SIZE);
	}
}

static void killed(struct vsvm_test *t, unsigned int flags)
{
	uint64_t count = vsvm_folios(flags, SIZE);

	vsvm_cgroup_create();
	igt_assert(vsvm_write_file(VSVM_CGROUP "memory.max", "67108864"));
	igt_fork(child, 1) {
		int status;
		pid_t pid = fork();

		igt_assert_eq(child, 0);
		igt_assert_lte(0, pid);
		if (!pid) {
			/* igt_runner does not want to be killed, nor its children */
			if (!vsvm_write_file("/proc/self/oom_score_adj", "1000") ||
			    !vsvm_write_file(VSVM_CGROUP "cgroup.procs", "0"))
				_exit(1);
			eat_until_killed();
		}
		igt_assert_eq(waitpid(pid, &status, 0), pid);
		igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	igt_waitchildren();
	igt_assert_lt_s64(0, vsvm_proc_key(VSVM_CGROUP "memory.events", "oom_kill"));
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .n_freed = count, .gpu_2m = BLOCKS, .gpu_4k = 1, .any_end = true);
	vsvm_cgroup_destroy();
}

static const struct vsvm_subtest subtests[] = {
	{"charge", charge, VSVM_BOTH, "Charge of memory in VRAM"},
	{"no-room", no_room, VSVM_HUGE, "A hole cannot be charged"},
	{"killed", killed, VSVM_BOTH, "Killed for want of memory"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
