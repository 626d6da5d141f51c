// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm fdinfo
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: fdinfo
 * Description: What fdinfo says of a client is exact: its VRAM, wherever it is, and the
 *	time of the engine
 */

#include <pty.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_observe.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("What fdinfo says of a client is exact");

#define BLOCKS	    4
#define SIZE	    (BLOCKS * VSVM_2M)
#define NSEC	    1000000000ULL
#define BUSY_US	    200000
#define ENGINE	    "drm-engine-compute"
#define GPUTOP	    "/usr/bin/gputop"
#define GPUTOP_TEXT 65536

/**
 * SUBTEST: keys
 * Description: the keys that tools need are there, each of them once
 */
static void keys(struct vsvm_test *t, unsigned int flags)
{
	static const char *const names[] = {
		"drm-driver:\tvsvm\n",	 "drm-client-id:\t",
		"drm-engine-compute:\t", "drm-engine-capacity-compute:\t",
		"drm-total-vram0:\t",	 "drm-resident-vram0:\t",
	};
	char path[64];
	char *text;
	int other;

	(void)flags;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", t->fd);
	text = vsvm_read_text(path);
	igt_assert(text);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		igt_assert_eq_u64(vsvm_count_text(text, names[i]), 1);
	igt_assert_eq_u64(vsvm_text_key(text, "drm-engine-capacity-compute"), t->info.num_cus);
	free(text);

	/* the same file is the same client, another one is not */
	other = dup(t->fd);
	igt_assert_eq_u64(vsvm_fdinfo(other, "drm-client-id"), vsvm_fdinfo(t->fd, "drm-client-id"));
	close(other);
	other = vsvm_open(0);
	igt_assert_neq_u64(vsvm_fdinfo(other, "drm-client-id"),
			   vsvm_fdinfo(t->fd, "drm-client-id"));
	close(other);
}

/**
 * SUBTEST: vram
 * Description: VRAM goes up and down with each folio that moves or is freed
 *
 * SUBTEST: vram-base
 * Description: the same with base pages in VRAM
 */
static void vram(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_expect_fdinfo_vram(t->fd, 0);
	buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	vsvm_expect_fdinfo_vram(t->fd, SIZE);

	/* home one by one, and back */
	for (size_t i = 1; i <= BLOCKS; i++) {
		vsvm_cpu_touch(buffer, (i - 1) * VSVM_2M, VSVM_2M, VSVM_4K);
		vsvm_expect_fdinfo_vram(t->fd, SIZE - i * VSVM_2M);
	}
	for (size_t i = 1; i <= BLOCKS; i++) {
		vsvm_prefetch(t, buffer, (i - 1) * VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_VRAM);
		vsvm_expect_fdinfo_vram(t->fd, i * VSVM_2M);
	}
	vsvm_prefetch(t, buffer, 0, VSVM_2M, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_fdinfo_vram(t->fd, SIZE - VSVM_2M);

	igt_assert_eq(madvise(buffer->ptr + VSVM_2M, VSVM_2M, MADV_DONTNEED), 0);
	vsvm_expect_fdinfo_vram(t->fd, SIZE - 2 * VSVM_2M);
	vsvm_buffer_free(buffer);
	vsvm_expect_fdinfo_vram(t->fd, 0);
}

/* All of the VRAM in use is that of the client. */
static void expect_all(struct vsvm_test *t)
{
	struct drm_vsvm_counters counters;

	vsvm_query_counters(t->fd, &counters);
	vsvm_expect_fdinfo_vram(t->fd, counters.vram_total - counters.vram_free);
}

/**
 * SUBTEST: split
 * Description: the parts of a folio that is split are accounted on their own
 */
static void split(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, VSVM_2M, flags);
	struct drm_vsvm_counters before, after;

	/* what is unmapped stays a part of the folio until that is split */
	vsvm_query_counters(t->fd, &before);
	vsvm_buffer_unmap(buffer, VSVM_2M / 2, VSVM_2M / 2);
	vsvm_expect_fdinfo_vram(t->fd, VSVM_2M);

	vsvm_cpu_touch(buffer, 0, VSVM_4K, VSVM_4K);
	vsvm_query_counters(t->fd, &after);
	igt_assert_eq_u64(after.folios_split - before.folios_split, 511);
	vsvm_expect_fdinfo_vram(t->fd, VSVM_2M / 2 - VSVM_4K);
	expect_all(t);

	vsvm_cpu_touch(buffer, 0, VSVM_2M / 4, VSVM_4K);
	vsvm_expect_fdinfo_vram(t->fd, VSVM_2M / 4);
	vsvm_buffer_free(buffer);
	vsvm_expect_fdinfo_vram(t->fd, 0);
}

/**
 * SUBTEST: fork
 * Description: what a child has in common stays the parent's until the child is gone
 *
 * SUBTEST: fork-base
 * Description: the same with base pages in VRAM
 */
static void fork_shared(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_gate ready, leave;

	vsvm_gate_init(&ready);
	vsvm_gate_init(&leave);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		/* one piece is left by the child first, another by the parent */
		igt_assert_eq(madvise(buffer->ptr, VSVM_2M, MADV_DONTNEED), 0);
		vsvm_gate_open(&ready);
		vsvm_gate_wait(&leave);
	}
	vsvm_gate_wait(&ready);
	vsvm_expect_fdinfo_vram(t->fd, SIZE);
	vsvm_buffer_free(buffer);
	vsvm_expect_fdinfo_vram(t->fd, SIZE - VSVM_2M);
	expect_all(t);
	vsvm_gate_open(&leave);
	igt_waitchildren();
	vsvm_expect_fdinfo_vram(t->fd, 0);
	vsvm_gate_fini(&ready);
	vsvm_gate_fini(&leave);
}

/**
 * SUBTEST: clients
 * Description: each client has its own VRAM, whoever else uses it, and keeps its account
 *	when another one leaves
 *
 * SUBTEST: clients-base
 * Description: the same with base pages in VRAM
 */
static void clients(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	uint64_t id = vsvm_fdinfo(t->fd, "drm-client-id");
	uint64_t moved;
	int second;

	/* a second file of the same process: the memory is there already */
	second = vsvm_open(0);
	igt_assert_fd(second);
	igt_assert_eq(vsvm_try_prefetch(second, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	vsvm_expect_fdinfo_vram(t->fd, SIZE);
	vsvm_expect_fdinfo_vram(second, 0);

	/* what it moves itself is its own */
	vsvm_prefetch(t, buffer, 0, VSVM_2M, DRM_VSVM_LOCATION_SYSTEM);
	igt_assert_eq(
		vsvm_try_prefetch(second, buffer->ptr, VSVM_2M, DRM_VSVM_LOCATION_VRAM, &moved), 0);
	igt_assert_eq_u64(moved, VSVM_2M);
	vsvm_expect_fdinfo_vram(t->fd, SIZE - VSVM_2M);
	vsvm_expect_fdinfo_vram(second, VSVM_2M);

	igt_fork(child, 1) {
		struct vsvm_buffer *own;
		struct vsvm_test test;

		igt_assert_eq(child, 0);
		vsvm_test_open(&test);
		own = vsvm_buffer_create_filled(2 * VSVM_2M, VSVM_THP, 2);
		vsvm_gpu_add(&test, own, 0, own->size, 7);
		vsvm_expect_fdinfo_vram(test.fd, own->size);
		igt_assert_neq_u64(vsvm_fdinfo(test.fd, "drm-client-id"), id);
	}
	igt_waitchildren();

	close(second);
	vsvm_expect_fdinfo_vram(t->fd, SIZE - VSVM_2M);
	vsvm_buffer_free(buffer);
	vsvm_expect_fdinfo_vram(t->fd, 0);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC + now.tv_nsec;
}

/* Engine time and time of day that have passed, from one reading to the next. */
struct reading {
	uint64_t wall;
	uint64_t engine;
};

static struct reading begin_reading(int fd)
{
	/* the first is taken before, the second after the engine's */
	uint64_t wall = now_ns();

	return (struct reading){.wall = wall, .engine = vsvm_fdinfo(fd, ENGINE)};
}

static struct reading end_reading(int fd, const struct reading *begin)
{
	uint64_t engine = vsvm_fdinfo(fd, ENGINE);

	igt_assert_lte_u64(begin->engine, engine);
	return (struct reading){
		.wall = now_ns() - begin->wall,
		.engine = engine - begin->engine,
	};
}

/**
 * SUBTEST: engine
 * Description: the engine's time stands still when it has nothing to do, grows while it
 *	works, and is never more than time times units
 */
static void engine(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *flag = vsvm_buffer_create_filled(VSVM_4K, VSVM_SHARED, 0);
	volatile uint64_t *stop = (volatile uint64_t *)flag->ptr;
	struct reading begin, passed;
	uint64_t total;
	unsigned int queues;

	(void)flags;
	/* warmed up: it has run */
	total = vsvm_fdinfo(t->fd, ENGINE);
	igt_assert_lt_u64(0, total);
	begin = begin_reading(t->fd);
	usleep(BUSY_US);
	passed = end_reading(t->fd, &begin);
	igt_assert_eq_u64(passed.engine, 0);

	/* more groups than units, in more than one queue */
	*stop = 0;
	begin = begin_reading(t->fd);
	for (queues = 0; queues < 3; queues++) {
		struct drm_vsvm_queue_create create = {};
		struct drm_vsvm_submit submit;

		vsvm_prepare_submit(t,
				    &(struct vsvm_job){
					    .kernel = VSVM_KERNEL_SPIN,
					    .arg = {.addr = (uintptr_t)stop},
					    .groups = {2 * t->info.num_cus},
				    },
				    &submit);
		/* they end in any order, and the queues have one fence in common */
		submit.fence_addr = 0;
		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_SUBMIT, &submit), 0);
		igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create), 0);
		t->queue = create.queue_id;
	}
	usleep(BUSY_US);
	passed = end_reading(t->fd, &begin);
	igt_debug("%" PRIu64 " ns in %" PRIu64 " ns\n", passed.engine, passed.wall);
	igt_assert_lt_u64(0, passed.engine);
	igt_assert_lte_u64(passed.engine, passed.wall * t->info.num_cus);
	total = vsvm_fdinfo(t->fd, ENGINE);

	/* work that is behind it ends, and nothing of its time is lost */
	*stop = 1;
	vsvm_run(t, .kernel = VSVM_KERNEL_WARM);
	igt_assert_lte_u64(total, vsvm_fdinfo(t->fd, ENGINE));
	vsvm_new_queue(t);
	igt_assert_lte_u64(total, vsvm_fdinfo(t->fd, ENGINE));
}

/**
 * SUBTEST: gone
 * Description: fdinfo of a file that is open when its device goes is empty, not wrong
 */
static void gone(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, VSVM_2M, flags);
	char path[64];
	char *text;

	igt_require_f(vsvm_driver_bind(false), "the driver cannot leave the device\n");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", t->fd);
	text = vsvm_read_text(path);
	igt_assert(text);
	igt_assert_eq_u64(vsvm_count_text(text, "drm-"), 0);
	free(text);
	vsvm_test_close(t);
	igt_assert(vsvm_driver_bind(true));
	vsvm_buffer_check(buffer);
	vsvm_test_reopen(t);
	vsvm_expect_fdinfo_vram(t->fd, 0);
}

/* Reads what a program writes to a terminal, until it ends. */
static void read_terminal(int fd, char *text, size_t room)
{
	size_t used = 0;
	ssize_t got;

	while (used < room - 1 && (got = read(fd, text + used, room - 1 - used)) > 0)
		used += got;
	text[used] = '\0';
	/* the end of a terminal is EIO */
	errno = 0;
}

/**
 * SUBTEST: gputop
 * Description: gputop shows a client that keeps the engine busy
 */
static void gputop(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *flag = vsvm_buffer_create_filled(VSVM_4K, VSVM_SHARED, 0);
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	volatile uint64_t *stop = (volatile uint64_t *)flag->ptr;
	struct winsize size = {.ws_row = 40, .ws_col = 140};
	char *text = malloc(GPUTOP_TEXT);
	uint64_t value;
	int fd, status;
	pid_t pid;

	igt_assert(text);
	igt_require_f(!access(GPUTOP, X_OK), "no " GPUTOP "\n");
	*stop = 0;
	value = vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
						  .arg = {.addr = (uintptr_t)stop}});
	pid = forkpty(&fd, NULL, NULL, &size);
	igt_assert_lte(0, pid);
	if (!pid) {
		execl(GPUTOP, GPUTOP, "-d", "1", "-n", "3", NULL);
		_exit(127);
	}
	read_terminal(fd, text, GPUTOP_TEXT);
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	close(fd);
	*stop = 1;
	vsvm_wait(t, value);

	igt_debug("%s\n", text);
	igt_assert_eq(status, 0);
	igt_assert_lt_u64(0, vsvm_count_text(text, "vsvm_fdinfo"));
	igt_assert_lt_u64(0, vsvm_count_text(text, "compute"));
	/* its memory, total and resident */
	igt_assert_lt_u64(0, vsvm_count_text(text, "8M"));
	free(text);
	vsvm_buffer_free(buffer);
}

static const struct vsvm_subtest subtests[] = {
	{"keys", keys, VSVM_HUGE, "The keys that tools need are there"},
	{"vram", vram, VSVM_BOTH, "VRAM goes up and down with each folio"},
	{"split", split, VSVM_HUGE, "Parts of a folio are accounted on their own"},
	{"fork", fork_shared, VSVM_BOTH, "What a child has in common stays the parent's"},
	{"clients", clients, VSVM_BOTH, "Each client has its own VRAM"},
	{"engine", engine, VSVM_HUGE, "Engine time grows with work, within bounds"},
	{"gone", gone, VSVM_HUGE, "The device of a file has gone"},
	{"gputop", gputop, VSVM_HUGE, "gputop shows a client"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
