// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm duplicate
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: read duplication
 * Description: What is read-mostly by advice is in system memory and in VRAM at the same
 *	time, until somebody writes
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vsvm_pin.h"
#include "vsvm_proc.h"
#include "vsvm_subtests.h"
#include "vsvm_thp.h"
#include "vsvm_zram.h"

IGT_TEST_DESCRIPTION("Read-mostly memory is at two places until somebody writes");

#define BLOCKS	    4
#define SIZE	    (BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)
#define PAGES	    (BLOCKS * BLOCK_PAGES)

/* VRAM of the device, in blocks; more than the first buffer, less than both. */
#define VRAM_BLOCKS 8

#define ROUNDS	       40
#define WRITER_REST_US 10000

/* More allocations than there are in any of what is tested here. */
#define MOST_FAILURES 20000

/* What the module was loaded with. */
static struct vsvm_module_params params;

static void advise(struct vsvm_test *t, struct vsvm_buffer *buffer, bool read_mostly)
{
	igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr, buffer->size,
				      DRM_VSVM_ATTRIBUTE_READ_MOSTLY, read_mostly),
		      0);
}

/* Huge or base pages of system memory, with that in VRAM. */
static struct vsvm_buffer *read_mostly(struct vsvm_test *t, size_t size, unsigned int flags)
{
	enum vsvm_buffer_kind kind = flags & VSVM_TEST_BASE ? VSVM_SMALL : VSVM_THP;
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(size, kind, 1);

	advise(t, buffer, true);
	return buffer;
}

/* Read by the GPU for the first time: a fault for each block, and all of it is duplicated. */
static struct vsvm_buffer *duplicated(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = read_mostly(t, SIZE, flags);

	vsvm_gpu_sum(t, buffer, 0, SIZE, 2);
	vsvm_expect(t, .duplicated = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	return buffer;
}

static uint64_t vram_used(const struct vsvm_test *t)
{
	struct drm_vsvm_counters now;

	vsvm_query_counters(t->fd, &now);
	return now.vram_total - now.vram_free;
}

/**
 * SUBTEST: read
 * Description: the GPU and the CPU read, neither faults on what the other one does
 *
 * SUBTEST: read-base
 * Description: the same with base pages
 */
static void both_read(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = duplicated(t, flags);

	igt_assert_eq_u64(vram_used(t), SIZE);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	for (int i = 0; i < 3; i++) {
		vsvm_buffer_check(buffer);
		vsvm_gpu_sum(t, buffer, 0, SIZE, 3 + i);
	}
	vsvm_expect(t, .dispatches = 3);
	if (!(flags & VSVM_TEST_BASE))
		igt_assert_eq_u64(vsvm_anon_huge_bytes(buffer->ptr, SIZE), SIZE);

	/* without the advice it moves as ever */
	advise(t, buffer, false);
	vsvm_expect(t, .dropped = PAGES);
	igt_assert_eq_u64(vram_used(t), 0);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 6);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: cpu-write
 * Description: what the CPU writes to is duplicated no more, the GPU reads what was
 *	written, and it is duplicated again
 *
 * SUBTEST: cpu-write-base
 * Description: the same with base pages
 */
static void cpu_writes(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = duplicated(t, flags);

	/* one page: all of the block, which the GPU has as one entry, whatever the CPU has */
	vsvm_buffer_fill(buffer, VSVM_2M + 7 * VSVM_4K, VSVM_4K, 2);
	vsvm_expect(t, .dropped = BLOCK_PAGES);
	igt_assert_eq_u64(vram_used(t), SIZE - VSVM_2M);
	vsvm_gpu_sum(t, buffer, VSVM_2M, VSVM_4K, 3);
	vsvm_expect(t, .duplicated = BLOCK_PAGES, .gpu_2m = 1, .dispatches = 1);
	vsvm_buffer_check(buffer);

	for (int i = 0; i < 3; i++) {
		vsvm_buffer_fill(buffer, 0, SIZE, 10 + i);
		vsvm_expect(t, .dropped = PAGES);
		igt_assert_eq_u64(vram_used(t), 0);
		vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
		vsvm_expect(t, .duplicated = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	}
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: parts
 * Description: a part of a block is read-mostly, and of that one page is written to; the
 *	rest of the block moves to VRAM
 *
 * SUBTEST: parts-base
 * Description: the same with base pages
 */
static void parts(struct vsvm_test *t, unsigned int flags)
{
	const size_t part = 100 * VSVM_4K, rest = VSVM_2M - part;
	bool base = flags & VSVM_TEST_BASE;
	struct vsvm_buffer *buffer =
		vsvm_buffer_create_filled(VSVM_2M, base ? VSVM_SMALL : VSVM_THP, 1);

	igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr, part, DRM_VSVM_ATTRIBUTE_READ_MOSTLY, 1),
		      0);
	vsvm_gpu_sum(t, buffer, 0, part, 2);
	vsvm_expect(t, .duplicated = 100, .gpu_64k = 1, .dispatches = 1);
	vsvm_buffer_fill(buffer, 7 * VSVM_4K, VSVM_4K, 3);
	/* with a huge page it is split, so all of it may change */
	vsvm_expect(t, .dropped = base ? 1 : 100);
	vsvm_gpu_sum(t, buffer, 0, 7 * VSVM_4K, 4);
	if (base)
		vsvm_expect(t, .dispatches = 1);
	else
		vsvm_expect(t, .duplicated = 100, .gpu_64k = 1, .dispatches = 1);
	vsvm_gpu_sum(t, buffer, 0, part, 5);
	if (base)
		vsvm_expect(t, .duplicated = 100, .dropped = 99, .gpu_64k = 1, .dispatches = 1);
	else
		vsvm_expect(t, .dispatches = 1);

	vsvm_gpu_sum(t, buffer, part, rest, 6);
	vsvm_expect(t, .allocated[0] = rest / VSVM_4K, .to_vram[0] = rest / VSVM_4K, .gpu_64k = 1,
		    .dispatches = 1, .dropped = base ? 0 : 100);
	vsvm_gpu_sum(t, buffer, 0, VSVM_2M, 7);
	if (base)
		vsvm_expect(t, .dispatches = 1);
	else
		vsvm_expect(t, .duplicated = 100, .gpu_64k = 1, .dispatches = 1);
	vsvm_expect_location(t->fd, buffer->ptr, part, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_location(t->fd, buffer->ptr + part, rest, DRM_VSVM_LOCATION_VRAM);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: gpu-write
 * Description: what the GPU writes to moves to VRAM, in one piece, without going back and
 *	forth
 *
 * SUBTEST: gpu-write-base
 * Description: the same with base pages
 */
static void gpu_writes(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = duplicated(t, flags);
	uint64_t count = vsvm_folios(flags, SIZE);

	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .dropped = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_gpu_sum(t, buffer, 0, SIZE, 6);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 7);
	vsvm_expect(t, .duplicated = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: prefetch
 * Description: a prefetch to VRAM duplicates, and moves nothing
 *
 * SUBTEST: prefetch-base
 * Description: the same with base pages
 */
static void prefetch(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = read_mostly(t, SIZE, flags);
	uint64_t moved = 1;

	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	vsvm_expect(t, .duplicated = PAGES);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 2);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
}

/**
 * SUBTEST: fork
 * Description: a child and its parent see what they write themselves, and the GPU what
 *	the parent writes, whoever comes first
 *
 * SUBTEST: fork-base
 * Description: the same with base pages
 */
static void forked(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = duplicated(t, flags);
	struct vsvm_gate gate, back;

	vsvm_gate_init(&gate);
	vsvm_gate_init(&back);
	igt_fork(child, 1) {
		vsvm_gate_wait(&gate);
		vsvm_buffer_check(buffer);
		vsvm_buffer_fill(buffer, 0, 2 * VSVM_2M, 2);
		vsvm_gate_open(&back);
		vsvm_gate_wait(&gate);
		vsvm_buffer_check(buffer);
	}
	vsvm_expect(t, .dropped = PAGES);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .duplicated = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_gate_open(&gate);
	vsvm_gate_wait(&back);
	/* the child has copies of its own */
	vsvm_gpu_sum(t, buffer, 0, SIZE, 4);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_fill(buffer, VSVM_2M, 2 * VSVM_2M, 5);
	vsvm_expect(t, .dropped = 2 * BLOCK_PAGES);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 6);
	vsvm_expect(t, .duplicated = 2 * BLOCK_PAGES, .gpu_2m = 2, .dispatches = 1);
	vsvm_gate_open(&gate);
	igt_waitchildren();
	vsvm_buffer_check(buffer);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 7);
	vsvm_expect(t, .dispatches = 1);
	vsvm_gate_fini(&gate);
	vsvm_gate_fini(&back);
}

/**
 * SUBTEST: pressure
 * Description: when others need room in VRAM, duplicates go first and nothing is evicted;
 *	without room there are none, and the GPU reads system memory
 *
 * SUBTEST: pressure-base
 * Description: the same with base pages
 */
static void pressure(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = duplicated(t, flags), *moves;
	uint64_t count;

	moves = vsvm_buffer_create_filled((VRAM_BLOCKS - BLOCKS + 1) * VSVM_2M, VSVM_THP, 3);
	count = vsvm_folios(flags, moves->size);
	vsvm_gpu_add(t, moves, 0, moves->size, 4);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .dropped = BLOCK_PAGES, .gpu_2m = VRAM_BLOCKS - BLOCKS + 1, .dispatches = 1);
	/* what has gone is read from system memory, and is not in the way of the rest */
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .gpu_2m = 1, .dispatches = 1);
	igt_assert_eq_u64(vram_used(t), VRAM_BLOCKS * VSVM_2M);
	vsvm_buffer_check(buffer);
	vsvm_buffer_check(moves);
}

/**
 * SUBTEST: remap
 * Description: memory that is unmapped, moved, discarded or protected is duplicated no
 *	more, and the GPU reads what is there then
 *
 * SUBTEST: remap-base
 * Description: the same with base pages
 */
static void remap(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = duplicated(t, flags);
	uint8_t *third = buffer->ptr + 2 * VSVM_2M, *last = third + VSVM_2M;

	/* discarded: zeroes, which cannot be duplicated */
	igt_assert_eq(madvise(buffer->ptr, VSVM_2M, MADV_DONTNEED), 0);
	memset(buffer->shadow, 0, VSVM_2M);
	vsvm_expect(t, .dropped = BLOCK_PAGES);
	/* one after the other: the last one moves to the third one's place */
	igt_assert(mremap(last, VSVM_2M, VSVM_2M, MREMAP_MAYMOVE | MREMAP_FIXED, third) == third);
	memcpy(buffer->shadow + 2 * VSVM_2M, buffer->shadow + 3 * VSVM_2M, VSVM_2M);
	vsvm_expect(t, .dropped = 2 * BLOCK_PAGES);
	vsvm_gpu_sum(t, buffer, 2 * VSVM_2M, VSVM_2M, 3);
	/* the advice does not move, so this is for VRAM */
	vsvm_expect_to_vram(t, VSVM_2M, flags);

	igt_assert_eq(mprotect(buffer->ptr + VSVM_2M, VSVM_2M, PROT_READ), 0);
	vsvm_expect(t, .dropped = BLOCK_PAGES);
	igt_assert_eq_u64(vram_used(t), VSVM_2M);
	vsvm_gpu_sum(t, buffer, 0, 3 * VSVM_2M, 4);
	vsvm_buffer_check_range(buffer, 0, 3 * VSVM_2M);
}

static void page_out(struct vsvm_test *t, struct vsvm_buffer *buffer)
{
	vsvm_zram_swap_out(buffer);
	vsvm_expect(t, .dropped = PAGES);
	igt_assert_eq_u64(vram_used(t), 0);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: pageout
 * Description: memory is reclaimed although it is duplicated
 *
 * SUBTEST: pageout-base
 * Description: the same with base pages
 */
static void pageout(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_zram_create(4 * SIZE);
	vsvm_zram_swapon();
	buffer = duplicated(t, flags);
	page_out(t, buffer);
	vsvm_buffer_free(buffer);
	vsvm_zram_destroy();
}

/* What page table entries map of large folios is duplicated, written to and reclaimed. */
static void duplicate_large(struct vsvm_test *t, struct vsvm_buffer *buffer)
{
	vsvm_gpu_sum(t, buffer, 0, SIZE, 2);
	vsvm_expect(t, .duplicated = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_buffer_fill(buffer, 5 * VSVM_4K, VSVM_4K, 2);
	vsvm_buffer_fill(buffer, VSVM_2M, VSVM_2M, 3);
	vsvm_expect(t, .dropped = 2 * BLOCK_PAGES);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .duplicated = 2 * BLOCK_PAGES, .gpu_2m = 2, .dispatches = 1);
	vsvm_buffer_check(buffer);
	page_out(t, buffer);
}

/**
 * SUBTEST: mthp
 * Description: system memory is folios of 64 KiB
 */
static void mthp(struct vsvm_test *t, unsigned int flags)
{
	const unsigned int order = 4;
	long before = vsvm_thp_anon(order);
	struct vsvm_buffer *buffer;

	(void)flags;
	vsvm_zram_create(4 * SIZE);
	vsvm_zram_swapon();
	buffer = vsvm_thp_buffer(SIZE, order, 1);
	advise(t, buffer, true);
	duplicate_large(t, buffer);
	vsvm_buffer_free(buffer);
	igt_assert_eq(vsvm_thp_anon(order), (int)before);
	vsvm_zram_destroy();
}

/**
 * SUBTEST: split-pmd
 * Description: system memory is huge pages whose PMD entries have been split
 */
static void split_pmd(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_zram_create(4 * SIZE);
	vsvm_zram_swapon();
	buffer = read_mostly(t, SIZE, flags);
	for (size_t at = VSVM_4K; at < SIZE; at += VSVM_2M) {
		igt_assert_eq(mprotect(buffer->ptr + at, VSVM_4K, PROT_READ), 0);
		igt_assert_eq(mprotect(buffer->ptr + at, VSVM_4K, PROT_READ | PROT_WRITE), 0);
	}
	igt_assert_eq_u64(vsvm_anon_huge_bytes(buffer->ptr, SIZE), 0);
	duplicate_large(t, buffer);
	vsvm_buffer_free(buffer);
	vsvm_zram_destroy();
}

/**
 * SUBTEST: gup
 * Description: the kernel writes to memory that is duplicated: read() with O_DIRECT,
 *	process_vm_writev() and /proc/self/mem; the GPU reads that
 *
 * SUBTEST: gup-base
 * Description: the same with base pages
 */
static void gup(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *from = vsvm_buffer_create_filled(SIZE, VSVM_SMALL, 7), *buffer;
	struct iovec here = {.iov_base = from->ptr, .iov_len = VSVM_2M}, there;
	int fd;

	vsvm_zram_create(2 * SIZE);
	fd = open(VSVM_ZRAM, O_RDWR | O_DIRECT | O_CLOEXEC);
	igt_assert_fd(fd);
	buffer = duplicated(t, flags);
	there = (struct iovec){.iov_base = buffer->ptr + 2 * VSVM_2M, .iov_len = VSVM_2M};

	/* all of what is written differs from what is there */
	igt_assert_eq_s64(pwrite(fd, from->ptr, SIZE, 0), SIZE);
	igt_assert_eq_s64(pread(fd, buffer->ptr, 2 * VSVM_2M, 0), 2 * VSVM_2M);
	memcpy(buffer->shadow, from->shadow, 2 * VSVM_2M);
	close(fd);
	vsvm_expect(t, .dropped = 2 * BLOCK_PAGES);
	igt_assert_eq_s64(process_vm_writev(getpid(), &here, 1, &there, 1, 0), VSVM_2M);
	memcpy(buffer->shadow + 2 * VSVM_2M, from->shadow, VSVM_2M);
	vsvm_expect(t, .dropped = BLOCK_PAGES);
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	igt_assert_fd(fd);
	igt_assert_eq_s64(pwrite(fd, from->ptr, VSVM_2M, (uintptr_t)buffer->ptr + 3 * VSVM_2M),
			  VSVM_2M);
	memcpy(buffer->shadow + 3 * VSVM_2M, from->shadow, VSVM_2M);
	close(fd);
	vsvm_expect(t, .dropped = BLOCK_PAGES);

	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .duplicated = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_buffer_check(buffer);
	vsvm_zram_destroy();
}

/**
 * SUBTEST: pinned
 * Description: memory that is pinned, so that it may be written to at any time, is not
 *	duplicated
 */
static void pinned(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = read_mostly(t, SIZE, flags);
	int fd = vsvm_pin(buffer);

	vsvm_gpu_sum(t, buffer, 0, SIZE, 2);
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_buffer_fill(buffer, 0, SIZE, 3);
	vsvm_check_pinned(fd, buffer);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 4);
	vsvm_expect(t, .dispatches = 1);
	vsvm_unpin(fd);
	vsvm_buffer_check(buffer);
}

/* The second device. */
static struct vsvm_test other;

/**
 * SUBTEST: two-gpus
 * Description: each device has a duplicate of its own; when one of them writes, neither
 *	has
 *
 * SUBTEST: two-gpus-base
 * Description: the same with base pages
 */
static void two_gpus(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_test_open_other(&other, 1);
	buffer = read_mostly(t, SIZE, flags);
	advise(&other, buffer, true);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 2);
	vsvm_expect(t, .duplicated = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_gpu_sum(&other, buffer, 0, SIZE, 3);
	vsvm_expect(&other, .duplicated = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	/* the one did not cost the other anything */
	vsvm_gpu_sum(t, buffer, 0, SIZE, 4);
	vsvm_expect(t, .dispatches = 1);

	/* the CPU writes, and both read that */
	vsvm_buffer_fill(buffer, 0, VSVM_2M, 2);
	vsvm_expect(t, .dropped = BLOCK_PAGES);
	vsvm_expect(&other, .dropped = BLOCK_PAGES);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .duplicated = BLOCK_PAGES, .gpu_2m = 1, .dispatches = 1);
	vsvm_gpu_sum(&other, buffer, 0, SIZE, 6);
	vsvm_expect(&other, .duplicated = BLOCK_PAGES, .gpu_2m = 1, .dispatches = 1);

	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	igt_assert_eq_u64(vram_used(&other), 0);
	igt_assert_eq_u64(vram_used(t), SIZE);
	vsvm_gpu_sum(&other, buffer, 0, SIZE, 6);
	vsvm_buffer_check(buffer);
	vsvm_buffers_free_all();
	vsvm_test_close(&other);
	vsvm_leak_check(1, &t->before);
}

/**
 * SUBTEST: alloc-failure
 * Description: each allocation of a prefetch that duplicates fails once: what cannot be
 *	duplicated is read where it is, or the call says so
 */
static void alloc_failure(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = read_mostly(t, SIZE, flags);
	bool happened = true;

	igt_require(vsvm_inject_available());
	for (unsigned int number = 1; happened; number++) {
		int err;

		igt_assert_lt(number, MOST_FAILURES);
		vsvm_inject_nth(number);
		err = vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, NULL);
		happened = vsvm_inject_happened();
		igt_assert(!err || (happened && err == -ENOMEM));
		vsvm_gpu_sum(t, buffer, 0, SIZE, number);
		vsvm_buffer_fill(buffer, 0, SIZE, number);
	}
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: unplug
 * Description: the device is removed while it has duplicates
 *
 * SUBTEST: unplug-base
 * Description: the same with base pages
 */
static void unplug(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = duplicated(t, flags);

	vsvm_device_unbind(0);
	vsvm_buffer_check(buffer);
	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	igt_assert(vsvm_device_bind(0));
	vsvm_test_reopen(t);
	vsvm_buffer_check(buffer);
}

/* A thread that writes to the second half of all blocks, and then rests. */
struct writer {
	const struct vsvm_buffer *buffer;
	atomic_bool stop;
	atomic_uint rest_us;
	unsigned int rounds;
};

static void *write_halves(void *arg)
{
	struct writer *writer = arg;

	for (; !atomic_load(&writer->stop); writer->rounds++) {
		for (size_t at = VSVM_2M / 2; at < SIZE; at += VSVM_4K) {
			if (at % VSVM_2M >= VSVM_2M / 2)
				*(volatile uint32_t *)(writer->buffer->ptr + at) = writer->rounds;
		}
		usleep(atomic_load(&writer->rest_us));
	}
	return NULL;
}

/**
 * SUBTEST: race
 * Description: one thread writes to one half of each block again and again; the GPU
 *	always reads from the other half what another thread has just written there
 *
 * SUBTEST: race-base
 * Description: the same with base pages
 */
static void race(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = read_mostly(t, SIZE, flags);
	struct writer writer = {.buffer = buffer, .rest_us = WRITER_REST_US};
	struct drm_vsvm_counters now;
	pthread_t thread;

	igt_assert_eq(pthread_create(&thread, NULL, write_halves, &writer), 0);
	for (int i = 0; i < ROUNDS; i++) {
		for (size_t block = 0; block < SIZE; block += VSVM_2M) {
			vsvm_buffer_fill(buffer, block, VSVM_2M / 2, 2 + i);
			vsvm_gpu_sum(t, buffer, block, VSVM_2M / 2, 3 + i);
		}
		/* On a slow kernel all pages are written to while they are being shared. */
		vsvm_query_counters(t->fd, &now);
		if (now.pages_duplicated == t->seen.pages_duplicated)
			atomic_fetch_add(&writer.rest_us, WRITER_REST_US);
	}
	atomic_store(&writer.stop, true);
	igt_assert_eq(pthread_join(thread, NULL), 0);
	vsvm_query_counters(t->fd, &now);
	igt_info("%u rounds of the writer, %llu pages duplicated\n", writer.rounds,
		 (unsigned long long)(now.pages_duplicated - t->seen.pages_duplicated));
	igt_assert_lt_u64(t->seen.pages_duplicated, now.pages_duplicated);
	for (size_t block = 0; block < SIZE; block += VSVM_2M)
		vsvm_buffer_check_range(buffer, block, VSVM_2M / 2);
}

static const struct vsvm_subtest subtests[] = {
	{"read", both_read, VSVM_BOTH, "Both sides read"},
	{"cpu-write", cpu_writes, VSVM_BOTH, "The CPU writes"},
	{"parts", parts, VSVM_BOTH, "Parts of a block"},
	{"gpu-write", gpu_writes, VSVM_BOTH, "The GPU writes"},
	{"prefetch", prefetch, VSVM_BOTH, "Prefetch duplicates"},
	{"fork", forked, VSVM_BOTH, "Parent and child"},
	{"pressure", pressure, VSVM_BOTH, "Others need VRAM"},
	{"remap", remap, VSVM_BOTH, "Mappings change"},
	{"pageout", pageout, VSVM_BOTH, "Reclaim of what is duplicated"},
	{"mthp", mthp, VSVM_HUGE, "Folios of 64 KiB"},
	{"split-pmd", split_pmd, VSVM_HUGE, "Huge pages mapped by page table entries"},
	{"gup", gup, VSVM_BOTH, "The kernel writes"},
	{"pinned", pinned, VSVM_HUGE, "Pinned memory"},
	{"two-gpus", two_gpus, VSVM_BOTH, "Two devices"},
	{"alloc-failure", alloc_failure, VSVM_HUGE, "Failing allocations"},
	{"unplug", unplug, VSVM_BOTH, "The device goes"},
	{"race", race, VSVM_BOTH, "Writers and readers at the same time"},
};

int igt_main()
{
	igt_fixture() {
		char size[32];

		igt_require(vsvm_module_loaded() || vsvm_module_try_load(&params));
		igt_require_f(!access("/sys/module/vsvm/refcnt", F_OK),
			      "vsvm is not a loadable module\n");
		vsvm_module_get_params(&params);
		snprintf(size, sizeof(size), "vram_size=%zuM", VRAM_BLOCKS * VSVM_2M >> 20);
		vsvm_module_reload(&params, size);
	}

	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));

	igt_fixture() {
		vsvm_test_clear_up();
		vsvm_module_reload(&params, "");
	}
}
