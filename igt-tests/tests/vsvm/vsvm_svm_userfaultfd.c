// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm userfaultfd
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: userfaultfd
 * Description: Memory in VRAM that a userfaultfd watches
 */

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vsvm_proc.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Memory in VRAM that a userfaultfd watches");

#define BLOCKS	    4
#define SIZE	    (BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)
#define PAGES	    (BLOCKS * BLOCK_PAGES)

/* An event must come within this time. */
#define EVENT_MS 30000

static int open_uffd(uint64_t features)
{
	struct uffdio_api api = {.api = UFFD_API, .features = features};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	igt_require_fd(uffd);
	igt_assert_eq(ioctl(uffd, UFFDIO_API, &api), 0);
	return uffd;
}

static void watch(int uffd, const struct vsvm_buffer *buffer, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = {.start = (uintptr_t)buffer->ptr, .len = buffer->size},
		.mode = mode,
	};

	igt_assert_eq(ioctl(uffd, UFFDIO_REGISTER, &reg), 0);
}

static void write_protect(int uffd, const struct vsvm_buffer *buffer, size_t offset, size_t length,
			  bool on)
{
	struct uffdio_writeprotect wp = {
		.range = {.start = (uintptr_t)buffer->ptr + offset, .len = length},
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	igt_assert_eq(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp), 0);
}

static void expect_no_event(int uffd)
{
	struct pollfd fd = {.fd = uffd, .events = POLLIN};

	igt_assert_eq(poll(&fd, 1, 0), 0);
}

static void expect_event(int uffd, const void *addr, uint64_t flags)
{
	struct pollfd fd = {.fd = uffd, .events = POLLIN};
	struct uffd_msg msg;

	igt_assert_eq(poll(&fd, 1, EVENT_MS), 1);
	igt_assert_eq_s64(read(uffd, &msg, sizeof(msg)), sizeof(msg));
	igt_assert_eq_u32(msg.event, UFFD_EVENT_PAGEFAULT);
	igt_assert_eq_u64(msg.arg.pagefault.address & -VSVM_4K, (uintptr_t)addr & -VSVM_4K);
	igt_assert_eq_u64(msg.arg.pagefault.flags, flags);
}

static size_t wp_pages(const struct vsvm_buffer *buffer, size_t offset, size_t length)
{
	return vsvm_pagemap_count(buffer->ptr + offset, length, VSVM_PM_UFFD_WP);
}

/* A write by a thread, which the userfaultfd stops. */
struct writer {
	pthread_t thread;
	volatile uint64_t *word;
	uint64_t value;
};

static void *write_word(void *arg)
{
	struct writer *writer = arg;

	*writer->word = writer->value;
	return NULL;
}

/**
 * SUBTEST: wp
 * Description: memory in VRAM is write-protected there; reads of GPU and CPU go on, a
 *	write of the CPU is an event, and goes on when that is resolved
 *
 * SUBTEST: wp-base
 * Description: the same with base pages in VRAM
 */
static void wp(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	int uffd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	const size_t at = VSVM_2M + 77 * VSVM_4K;
	struct writer writer = {.word = (uint64_t *)(buffer->ptr + at), .value = 4711};

	watch(uffd, buffer, UFFDIO_REGISTER_MODE_WP);
	write_protect(uffd, buffer, 0, SIZE, true);
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), PAGES);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_expect(t, 0);

	/* a read moves nothing and is no event */
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), PAGES);

	/* one that brings the memory home is none, either, and the protection stays */
	vsvm_buffer_check_range(buffer, 2 * VSVM_2M, VSVM_2M);
	vsvm_expect_home(t, VSVM_2M, flags);
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), PAGES);
	vsvm_gpu_sum(t, buffer, 2 * VSVM_2M, VSVM_2M, 6);
	vsvm_expect_location(t->fd, buffer->ptr + 2 * VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_VRAM);
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), PAGES);
	expect_no_event(uffd);

	igt_assert_eq(pthread_create(&writer.thread, NULL, write_word, &writer), 0);
	expect_event(uffd, (void *)writer.word, UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
	igt_assert_eq_u64(*writer.word, *(uint64_t *)(buffer->shadow + at));
	expect_no_event(uffd);
	write_protect(uffd, buffer, at, VSVM_4K, false);
	igt_assert_eq(pthread_join(writer.thread, NULL), 0);
	*(uint64_t *)(buffer->shadow + at) = writer.value;
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), PAGES - 1);

	/* no longer protected, all of it can be written by both */
	write_protect(uffd, buffer, 0, SIZE, false);
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 8);
	vsvm_buffer_fill(buffer, 3 * VSVM_2M, VSVM_2M, 9);
	vsvm_buffer_check(buffer);
	expect_no_event(uffd);
	close(uffd);
}

/**
 * SUBTEST: wp-fork
 * Description: a child that the userfaultfd does not follow is not write-protected
 *
 * SUBTEST: wp-fork-base
 * Description: the same with base pages in VRAM
 */
static void wp_fork(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	int uffd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	watch(uffd, buffer, UFFDIO_REGISTER_MODE_WP);
	write_protect(uffd, buffer, 0, SIZE, true);
	igt_fork(child, 1) {
		igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), 0);
		vsvm_buffer_fill(buffer, 0, SIZE, 20 + child);
		vsvm_buffer_check(buffer);
		igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), 0);
	}
	igt_waitchildren();
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), PAGES);
	expect_no_event(uffd);
	vsvm_buffer_check(buffer);
	close(uffd);
}

/**
 * SUBTEST: wp-split
 * Description: write protection of memory in VRAM stays when its folio is split
 */
static void wp_split(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	int uffd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	watch(uffd, buffer, UFFDIO_REGISTER_MODE_WP);
	/* every other block as a whole, a piece of the others */
	for (size_t block = 0; block < SIZE; block += 2 * VSVM_2M) {
		write_protect(uffd, buffer, block, VSVM_2M, true);
		write_protect(uffd, buffer, block + VSVM_2M, 16 * VSVM_4K, true);
	}
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), PAGES / 2 + BLOCKS / 2 * 16);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM);
	for (size_t block = 0; block < SIZE; block += VSVM_2M)
		vsvm_prefetch(t, buffer, block + 100 * VSVM_4K, VSVM_4K, DRM_VSVM_LOCATION_SYSTEM);
	for (size_t block = 0; block < SIZE; block += 2 * VSVM_2M) {
		igt_assert_eq_u64(wp_pages(buffer, block, VSVM_2M), BLOCK_PAGES);
		igt_assert_eq_u64(wp_pages(buffer, block + VSVM_2M, VSVM_2M), 16);
		igt_assert_eq_u64(wp_pages(buffer, block + VSVM_2M, 16 * VSVM_4K), 16);
	}
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(wp_pages(buffer, 0, SIZE), PAGES / 2 + BLOCKS / 2 * 16);
	expect_no_event(uffd);
	close(uffd);
}

/* Pages that have been written to since they were protected; protects them again. */
static size_t written(const struct vsvm_buffer *buffer, bool protect)
{
	return vsvm_pagemap_scan(buffer->ptr, buffer->size,
				 PM_SCAN_CHECK_WPASYNC | (protect ? PM_SCAN_WP_MATCHING : 0),
				 PAGE_IS_WRITTEN);
}

/**
 * SUBTEST: wp-async
 * Description: PAGEMAP_SCAN write-protects memory in VRAM and finds every page that
 *	GPU or CPU write to from then on, and no other
 *
 * SUBTEST: wp-async-base
 * Description: the same with base pages in VRAM
 *
 * SUBTEST: wp-async-again
 * Description: several times in a row, where what has been written is in base pages
 *
 * SUBTEST: wp-async-again-base
 * Description: the same with base pages in VRAM
 */
/* All is protected, before and after. */
static void write_and_find(struct vsvm_test *t, struct vsvm_buffer *buffer, uint64_t value)
{
	vsvm_gpu_add(t, buffer, 0, VSVM_2M, value);
	igt_assert_eq_u64(written(buffer, false), BLOCK_PAGES);
	vsvm_buffer_fill(buffer, VSVM_2M + 9 * VSVM_4K, VSVM_4K, value);
	igt_assert_eq_u64(written(buffer, false), BLOCK_PAGES + 1);
	vsvm_gpu_sum(t, buffer, 0, SIZE, value);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM);
	igt_assert_eq_u64(written(buffer, true), BLOCK_PAGES + 1);
	igt_assert_eq_u64(written(buffer, false), 0);
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(written(buffer, false), 0);
}

static void wp_async(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	int uffd = open_uffd(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED);

	watch(uffd, buffer, UFFDIO_REGISTER_MODE_WP);
	igt_assert_eq_u64(written(buffer, true), PAGES);
	igt_assert_eq_u64(written(buffer, false), 0);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_expect(t, 0);

	/* reads of the GPU, of the CPU, and migrations are no writes */
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_buffer_check_range(buffer, 3 * VSVM_2M, VSVM_2M);
	vsvm_gpu_sum(t, buffer, 3 * VSVM_2M, VSVM_2M, 5);
	igt_assert_eq_u64(written(buffer, false), 0);

	vsvm_gpu_add(t, buffer, 0, VSVM_2M, 6);
	igt_assert_eq_u64(written(buffer, false), BLOCK_PAGES);
	vsvm_buffer_fill(buffer, VSVM_2M + 9 * VSVM_4K, VSVM_4K, 7);
	igt_assert_eq_u64(written(buffer, false), BLOCK_PAGES + 1);
	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(written(buffer, false), BLOCK_PAGES + 1);
	close(uffd);
}

static void wp_async_again(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	int uffd = open_uffd(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED);

	watch(uffd, buffer, UFFDIO_REGISTER_MODE_WP);
	igt_assert_eq_u64(written(buffer, true), PAGES);
	for (int round = 0; round < 3; round++)
		write_and_find(t, buffer, 7 + round);
	close(uffd);
}

static int copy_page(int uffd, const struct vsvm_buffer *buffer, size_t offset)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)buffer->ptr + offset,
		.src = (uintptr_t)buffer->shadow + offset,
		.len = VSVM_4K,
	};

	return ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0;
}

/**
 * SUBTEST: missing
 * Description: memory that a userfaultfd has yet to fill is not filled by VRAM; what is
 *	in VRAM is not missing
 */
static void missing(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *there = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_buffer *buffer = vsvm_buffer_create(SIZE, VSVM_THP);
	int uffd = open_uffd(0);
	uint64_t moved;

	watch(uffd, buffer, UFFDIO_REGISTER_MODE_MISSING);
	watch(uffd, there, UFFDIO_REGISTER_MODE_MISSING);
	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	vsvm_expect(t, .allocated[9] = BLOCKS, .freed[9] = BLOCKS);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_NONE, 0);

	for (size_t i = 0; i < SIZE; i++)
		buffer->shadow[i] = i % 253;
	for (size_t page = 0; page < SIZE; page += VSVM_4K)
		igt_assert_eq(copy_page(uffd, buffer, page), 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect_to_vram(t, SIZE, VSVM_TEST_BASE);

	/* what is in VRAM, as a huge page or as a base page, is there */
	igt_assert_eq(copy_page(uffd, buffer, 0), -EEXIST);
	igt_assert_eq(copy_page(uffd, there, 0), -EEXIST);
	igt_assert_eq(copy_page(uffd, there, 5 * VSVM_4K), -EEXIST);
	vsvm_expect(t, 0);
	vsvm_expect_residency(t->fd, there->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, 9);
	vsvm_buffer_check(there);
	vsvm_buffer_check(buffer);
	expect_no_event(uffd);
	close(uffd);
}

static int move_pages_to(int uffd, const struct vsvm_buffer *dst, const struct vsvm_buffer *src,
			 size_t offset, size_t length)
{
	struct uffdio_move move = {
		.dst = (uintptr_t)dst->ptr + offset,
		.src = (uintptr_t)src->ptr + offset,
		.len = length,
	};

	return ioctl(uffd, UFFDIO_MOVE, &move) ? -errno : 0;
}

/**
 * SUBTEST: move
 * Description: UFFDIO_MOVE of memory in VRAM is refused, and leaves all as it is
 *
 * SUBTEST: move-base
 * Description: the same with base pages in VRAM
 */
static void move(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *src = vsvm_buffer_in_vram(t, SIZE, flags);
	struct vsvm_buffer *dst = vsvm_buffer_create(SIZE, VSVM_THP);
	int uffd = open_uffd(UFFD_FEATURE_MOVE);

	watch(uffd, dst, UFFDIO_REGISTER_MODE_MISSING);
	igt_assert_eq(move_pages_to(uffd, dst, src, 0, SIZE),
		      vsvm_order(flags) ? -ENOENT : -EFAULT);
	vsvm_expect_residency(t->fd, src->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	igt_assert_eq(move_pages_to(uffd, dst, src, VSVM_2M + 3 * VSVM_4K, VSVM_4K), -EFAULT);
	vsvm_expect(t, 0);
	vsvm_expect_location(t->fd, src->ptr, SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect_residency(t->fd, dst->ptr, SIZE, DRM_VSVM_LOCATION_NONE, 0);
	vsvm_buffer_check(src);

	/* from system memory it works */
	igt_assert_eq(move_pages_to(uffd, dst, src, 0, VSVM_2M), 0);
	memcpy(dst->shadow, src->shadow, VSVM_2M);
	vsvm_gpu_add(t, dst, 0, VSVM_2M, 5);
	vsvm_buffer_check_range(dst, 0, VSVM_2M);
	expect_no_event(uffd);
	close(uffd);
}

static const struct vsvm_subtest subtests[] = {
	{"wp", wp, VSVM_BOTH, "Write protection in VRAM, with events"},
	{"wp-fork", wp_fork, VSVM_BOTH, "Write protection and fork()"},
	{"wp-split", wp_split, VSVM_HUGE, "Write protection and a split of the folio"},
	{"wp-async", wp_async, VSVM_BOTH, "Write protection by PAGEMAP_SCAN, without events"},
	{"wp-async-again", wp_async_again, VSVM_BOTH, "The same several times in a row"},
	{"missing", missing, VSVM_HUGE, "Missing memory, and memory in VRAM"},
	{"move", move, VSVM_BOTH, "UFFDIO_MOVE of memory in VRAM"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
