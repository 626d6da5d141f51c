// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm migration
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: migration
 * Description: Memory moves to VRAM when the GPU touches it and back when the CPU
 *	does, with exact counts of faults and folios
 */

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Memory moves to VRAM when the GPU touches it and back when the CPU does");

/* The buffer of most tests: 32 MiB. */
#define BLOCKS	    16
#define SIZE	    (BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)
#define PAGES	    (BLOCKS * BLOCK_PAGES)

/* One CPU access for each folio of a buffer in VRAM. */
static void read_back(struct vsvm_buffer *buffer, unsigned int flags)
{
	vsvm_cpu_touch(buffer, 0, buffer->size, VSVM_4K << vsvm_order(flags));
}

/**
 * SUBTEST: round-trip
 * Description: 32 MiB of huge pages go to VRAM as 16 folios by 16 GPU faults, come
 *	back as 16 huge pages by 16 CPU faults, and go again
 *
 * SUBTEST: round-trip-base
 * Description: the same with base pages in VRAM: 8192 of them each way
 */
static void round_trip(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM, 9);
	vsvm_expect(t, 0);

	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));

	/* it is there: no further fault */
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .dispatches = 1);

	read_back(buffer, flags);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM,
			      vsvm_order(flags));
	if (!(flags & VSVM_TEST_BASE))
		igt_assert_eq_u64(vsvm_anon_huge_bytes(buffer->ptr, SIZE), SIZE);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, 0);

	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	vsvm_gpu_add(t, buffer, 0, SIZE, 7);
	vsvm_expect_to_vram(t, SIZE, flags);
	read_back(buffer, flags);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: gpu-read
 * Description: memory that the GPU only reads moves, too; a write later is no fault
 *
 * SUBTEST: gpu-read-base
 * Description: the same with base pages in VRAM
 */
static void gpu_read(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 4);

	vsvm_gpu_sum(t, buffer, 0, SIZE, 9);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_gpu_set(t, buffer, 0, SIZE, 11);
	vsvm_expect(t, .dispatches = 1);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 11);
	vsvm_expect(t, .dispatches = 1);
	read_back(buffer, flags);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: cpu-write
 * Description: a CPU write to memory in VRAM brings it home; the GPU sees the new data
 *
 * SUBTEST: cpu-write-base
 * Description: the same with base pages in VRAM
 */
static void cpu_write(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 4);

	vsvm_gpu_add(t, buffer, 0, SIZE, 1);
	vsvm_expect_to_vram(t, SIZE, flags);
	for (int round = 0; round < 3; round++) {
		vsvm_buffer_fill(buffer, 0, SIZE, 10 + round);
		vsvm_expect_home(t, SIZE, flags);
		vsvm_gpu_sum(t, buffer, 0, SIZE, round);
		vsvm_expect_to_vram(t, SIZE, flags);
	}
	read_back(buffer, flags);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: first-touch
 * Description: memory that nobody has touched gets zeroed VRAM when the GPU does
 *
 * SUBTEST: first-touch-base
 * Description: the same with base pages in VRAM
 */
static void first_touch(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *dirty = vsvm_buffer_create_filled(SIZE, VSVM_THP, 3);
	struct vsvm_buffer *buffer = vsvm_buffer_create(SIZE, VSVM_THP);

	/* what was in VRAM before must not show */
	vsvm_gpu_add(t, dirty, 0, SIZE, 1);
	vsvm_buffer_free(dirty);
	vsvm_forget_counters(t);

	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_NONE, 0);
	vsvm_gpu_set(t, buffer, 0, SIZE, 6);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	read_back(buffer, flags);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: zero-page
 * Description: memory that the CPU has only read is the zero page, and gets zeroed VRAM
 *
 * SUBTEST: zero-page-base
 * Description: the same with base pages in VRAM
 */
static void zero_page(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(SIZE, VSVM_THP);

	vsvm_buffer_check(buffer);
	igt_assert_eq_u64(vsvm_anon_huge_bytes(buffer->ptr, SIZE), 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 6);
	vsvm_expect_to_vram(t, SIZE, flags);
	read_back(buffer, flags);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: small-pages
 * Description: memory of base pages moves as such, one GPU fault for 2 MiB
 */
static void small_pages(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(4 * VSVM_2M, VSVM_SMALL, 4);

	igt_assert_eq_u32(flags, 0);
	vsvm_gpu_add(t, buffer, 0, buffer->size, 1);
	vsvm_expect_to_vram(t, 4 * VSVM_2M, VSVM_TEST_BASE);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, 4 * VSVM_2M, VSVM_TEST_BASE);
}

/**
 * SUBTEST: mixed
 * Description: huge page, base pages, hole and shared memory next to each other
 *
 * SUBTEST: mixed-base
 * Description: the same with base pages in VRAM
 */
static void mixed(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(4 * VSVM_2M, VSVM_THP);
	unsigned int order = vsvm_order(flags);

	vsvm_buffer_fill(buffer, 0, VSVM_2M, 1);
	igt_assert_eq(madvise(buffer->ptr + VSVM_2M, VSVM_2M, MADV_NOHUGEPAGE), 0);
	/* every other page of this block */
	for (size_t page = 0; page < BLOCK_PAGES; page += 2)
		vsvm_buffer_fill(buffer, VSVM_2M + page * VSVM_4K, VSVM_4K, page);
	igt_assert(mmap(buffer->ptr + 3 * VSVM_2M, VSVM_2M, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	vsvm_buffer_fill(buffer, 3 * VSVM_2M, VSVM_2M, 7);

	vsvm_gpu_add(t, buffer, 0, buffer->size, 5);
	if (order)
		vsvm_expect(t, .allocated[9] = 2, .to_vram[9] = 2, .allocated[0] = BLOCK_PAGES,
			    .to_vram[0] = BLOCK_PAGES, .gpu_2m = 4, .dispatches = 1);
	else
		vsvm_expect(t, .allocated[0] = 3 * BLOCK_PAGES, .to_vram[0] = 3 * BLOCK_PAGES,
			    .gpu_2m = 4, .dispatches = 1);
	vsvm_expect_residency(t->fd, buffer->ptr, VSVM_2M, DRM_VSVM_LOCATION_VRAM, order);
	vsvm_expect_residency(t->fd, buffer->ptr + VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_VRAM, 0);
	vsvm_expect_residency(t->fd, buffer->ptr + 2 * VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_VRAM,
			      order);
	vsvm_expect_location(t->fd, buffer->ptr + 3 * VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: odd-size
 * Description: the end of a mapping that is not a whole block moves as base pages
 */
static void odd_size(struct vsvm_test *t, unsigned int flags)
{
	const size_t rest = 21, size = VSVM_2M + rest * VSVM_4K;
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(size, VSVM_THP, 8);

	igt_assert_eq_u32(flags, 0);
	vsvm_gpu_add(t, buffer, 0, size, 3);
	vsvm_expect(t, .allocated[9] = 1, .to_vram[9] = 1, .allocated[0] = rest, .to_vram[0] = rest,
		    .gpu_2m = 1, .gpu_64k = 1, .dispatches = 1);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, .freed[9] = 1, .to_ram[9] = 1, .freed[0] = rest, .to_ram[0] = rest,
		    .cpu_faults = 1 + rest);
}

/**
 * SUBTEST: prefetch
 * Description: prefetch moves memory both ways and saves the faults
 *
 * SUBTEST: prefetch-base
 * Description: the same with base pages in VRAM
 */
static void prefetch(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 5);
	unsigned int order = vsvm_order(flags);
	uint64_t count = vsvm_folios(flags, SIZE);
	uint64_t moved;

	vsvm_prefetch(t, buffer, 0, SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect(t, .order = order, .n_allocated = count, .n_to_vram = count);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, order);
	vsvm_gpu_add(t, buffer, 0, SIZE, 2);
	vsvm_expect(t, .dispatches = 1);

	vsvm_prefetch(t, buffer, 0, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM, order);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, 0);

	/* where it is already, nothing moves */
	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	vsvm_expect(t, 0);
	vsvm_prefetch(t, buffer, 0, SIZE, DRM_VSVM_LOCATION_VRAM);
	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
}

/**
 * SUBTEST: prefetch-part
 * Description: a part of a huge page is moved alone, both ways; the rest stays
 */
static void prefetch_part(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(2 * VSVM_2M, VSVM_THP, 6);
	const size_t offset = 100 * VSVM_4K, length = 16 * VSVM_4K;

	igt_assert_eq_u32(flags, 0);
	vsvm_prefetch(t, buffer, offset, length, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect(t, .allocated[0] = 16, .to_vram[0] = 16);
	vsvm_expect_location(t->fd, buffer->ptr, offset, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_location(t->fd, buffer->ptr + offset, length, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect_location(t->fd, buffer->ptr + offset + length, VSVM_2M - offset - length,
			     DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, .freed[0] = 16, .to_ram[0] = 16, .cpu_faults = 16);

	/* home from one folio of order 9: that is split, and 16 of its pages move */
	vsvm_prefetch(t, buffer, VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect(t, .allocated[9] = 1, .to_vram[9] = 1);
	vsvm_prefetch(t, buffer, VSVM_2M + offset, length, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect(t, .split = BLOCK_PAGES - 1, .freed[0] = 16, .to_ram[0] = 16);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M, offset, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M + offset, length,
			     DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M + offset + length,
			     VSVM_2M - offset - length, DRM_VSVM_LOCATION_VRAM);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, .freed[0] = BLOCK_PAGES - 16, .to_ram[0] = BLOCK_PAGES - 16,
		    .cpu_faults = BLOCK_PAGES - 16);
}

/**
 * SUBTEST: prefetch-inside
 * Description: a part of a huge page that is in VRAM already is prefetched: the GPU
 *	sees the right part, without a fault
 */
static void prefetch_inside(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 6);
	const size_t offset = 100 * VSVM_4K, length = 16 * VSVM_4K;
	uint64_t moved;

	igt_assert_eq_u32(flags, 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 2);
	/* a new address space of the GPU does not know any of it */
	vsvm_test_reopen(t);
	for (size_t block = 0; block < SIZE; block += VSVM_2M) {
		igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr + block + offset, length,
						DRM_VSVM_LOCATION_VRAM, &moved),
			      0);
		igt_assert_eq_u64(moved, 0);
		vsvm_gpu_sum(t, buffer, block + offset, length, 2);
		vsvm_gpu_set(t, buffer, block + offset, length, 3);
	}
	vsvm_expect(t, .dispatches = 2 * BLOCKS);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, 9);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: no-huge-page
 * Description: no huge page can be had for a folio of order 9 that comes home: 512 base
 *	pages, by one CPU fault, are as good
 */
static void no_huge_page(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 6);

	igt_assert_eq_u32(flags, 0);
	igt_require(vsvm_no_huge_pages_available());
	vsvm_gpu_add(t, buffer, 0, SIZE, 2);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_no_huge_pages(true);
	vsvm_cpu_touch(buffer, 300 * VSVM_4K, SIZE - 300 * VSVM_4K, VSVM_2M);
	vsvm_no_huge_pages(false);
	vsvm_expect(t, .freed[0] = PAGES, .split = BLOCKS * (BLOCK_PAGES - 1), .to_ram[0] = PAGES,
		    .cpu_faults = BLOCKS);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM, 0);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, 0);
}

/**
 * SUBTEST: fragmented
 * Description: only single pages of VRAM are free, and nothing is evicted: huge pages
 *	move there as 512 each, with all their data
 */
static void fragmented(struct vsvm_test *t, unsigned int flags)
{
	const size_t size = 4 * VSVM_2M;
	struct vsvm_buffer *filler = vsvm_buffer_create(t->info.vram_size, VSVM_SMALL);
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(size, VSVM_THP, 6);

	igt_assert_eq_u32(flags, 0);
	vsvm_module_set_evict(false);
	vsvm_prefetch(t, filler, 0, filler->size, DRM_VSVM_LOCATION_VRAM);
	for (size_t at = 0; at < 2 * size; at += 2 * VSVM_4K)
		igt_assert_eq(madvise(filler->ptr + at, VSVM_4K, MADV_DONTNEED), 0);
	vsvm_forget_counters(t);
	vsvm_gpu_add(t, buffer, 0, size, 5);
	vsvm_expect_to_vram(t, size, VSVM_TEST_BASE);
	vsvm_expect_residency(t->fd, buffer->ptr, size, DRM_VSVM_LOCATION_VRAM, 0);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, size, VSVM_TEST_BASE);
	vsvm_buffer_check_range(filler, 2 * size, VSVM_2M);
}

/**
 * SUBTEST: hole-edges
 * Description: a prefetch of memory that nobody has touched begins and ends within a
 *	block: base pages at both ends, folios in between
 */
static void hole_edges(struct vsvm_test *t, unsigned int flags)
{
	const size_t edge = 16 * VSVM_4K;
	struct vsvm_buffer *buffer = vsvm_buffer_create(4 * VSVM_2M, VSVM_THP);

	igt_assert_eq_u32(flags, 0);
	vsvm_prefetch(t, buffer, VSVM_2M - edge, 2 * VSVM_2M + 2 * edge, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect(t, .allocated[0] = 32, .to_vram[0] = 32, .allocated[9] = 2, .to_vram[9] = 2);
	vsvm_expect_residency(t->fd, buffer->ptr, VSVM_2M - edge, DRM_VSVM_LOCATION_NONE, 0);
	vsvm_expect_residency(t->fd, buffer->ptr + VSVM_2M - edge, edge, DRM_VSVM_LOCATION_VRAM, 0);
	vsvm_expect_residency(t->fd, buffer->ptr + VSVM_2M, 2 * VSVM_2M, DRM_VSVM_LOCATION_VRAM, 9);
	vsvm_expect_residency(t->fd, buffer->ptr + 3 * VSVM_2M, edge, DRM_VSVM_LOCATION_VRAM, 0);
	vsvm_gpu_add(t, buffer, VSVM_2M - edge, 2 * VSVM_2M + 2 * edge, 7);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/* Gives pages back of a buffer, of which the next reader finds zeroes. */
static void drop(const struct vsvm_buffer *buffer, size_t offset, size_t length)
{
	igt_assert_eq(madvise(buffer->ptr + offset, length, MADV_DONTNEED), 0);
	memset(buffer->shadow + offset, 0, length);
}

/**
 * SUBTEST: prefetch-mixed
 * Description: a prefetch of ten blocks in which there is something of everything: huge
 *	pages, base pages, holes of all sizes, and what is in VRAM already. It begins and
 *	ends within a block
 */
static void prefetch_mixed(struct vsvm_test *t, unsigned int flags)
{
	const size_t edge = 16 * VSVM_4K, size = 10 * VSVM_2M - 2 * edge;
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(10 * VSVM_2M, VSVM_THP, 6);
	uint64_t moved;

	igt_assert_eq_u32(flags, 0);
	vsvm_prefetch(t, buffer, 4 * VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_VRAM);
	vsvm_prefetch(t, buffer, 6 * VSVM_2M + edge, edge, DRM_VSVM_LOCATION_VRAM);
	drop(buffer, 2 * VSVM_2M, VSVM_2M);
	drop(buffer, 3 * VSVM_2M + edge, VSVM_4K);
	drop(buffer, 7 * VSVM_2M, VSVM_2M / 2);
	vsvm_forget_counters(t);

	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr + edge, size, DRM_VSVM_LOCATION_VRAM,
					&moved),
		      0);
	igt_assert_eq_u64(moved, size - VSVM_2M - edge);
	/* whole are blocks 1, 2, 5 and 8; pages are 0, 3, 6, 7 and 9 */
	vsvm_expect(t, .allocated[9] = 4, .to_vram[9] = 4, .allocated[0] = 5 * BLOCK_PAGES - 48,
		    .to_vram[0] = 5 * BLOCK_PAGES - 48);
	vsvm_expect_location(t->fd, buffer->ptr, edge, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_location(t->fd, buffer->ptr + edge, size, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect_location(t->fd, buffer->ptr + edge + size, edge, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_gpu_add(t, buffer, edge, size, 7);
	vsvm_expect(t, .dispatches = 1);

	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, buffer->size, DRM_VSVM_LOCATION_SYSTEM,
					&moved),
		      0);
	igt_assert_eq_u64(moved, size);
	vsvm_expect(t, .freed[9] = 5, .to_ram[9] = 5, .freed[0] = 5 * BLOCK_PAGES - 32,
		    .to_ram[0] = 5 * BLOCK_PAGES - 32);
	vsvm_expect_location(t->fd, buffer->ptr, buffer->size, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, 0);
}

/**
 * SUBTEST: file-memory
 * Description: memory of files and shared memory stay where they are; the GPU works on
 *	them in place, and on the private copies of their pages in VRAM
 */
static void file_memory(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *shared = vsvm_buffer_create(2 * VSVM_2M, VSVM_SHARED);
	struct vsvm_buffer *file = vsvm_buffer_create(2 * VSVM_2M, VSVM_SMALL);
	int fd = memfd_create("vsvm", MFD_CLOEXEC);

	igt_assert_eq_u32(flags, 0);
	/* a huge page of shared memory where it can be had */
	madvise(shared->ptr, shared->size, MADV_HUGEPAGE);
	vsvm_buffer_fill(shared, 0, shared->size, 1);
	vsvm_gpu_add(t, shared, 0, shared->size, 3);
	vsvm_expect(t, .gpu_2m = 2, .dispatches = 1);
	vsvm_expect_location(t->fd, shared->ptr, shared->size, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check(shared);

	igt_assert_fd(fd);
	igt_assert_eq_s64(write(fd, shared->shadow, file->size), file->size);
	igt_assert(mmap(file->ptr, file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
			0) == file->ptr);
	close(fd);
	memcpy(file->shadow, shared->shadow, file->size);
	/* some pages have copies of their own, the others are those of the file */
	for (size_t page = 0; page < file->size; page += 3 * VSVM_4K)
		vsvm_buffer_fill(file, page, VSVM_4K, page);
	vsvm_gpu_sum(t, file, 0, file->size, 4);
	vsvm_gpu_add(t, file, 0, file->size, 5);
	vsvm_gpu_sum(t, file, 0, file->size, 5);
	vsvm_buffer_check(file);
	vsvm_buffer_check(shared);
}

/**
 * SUBTEST: many-work-items
 * Description: many work-items fault on the same blocks at once: each block moves once
 *
 * SUBTEST: many-work-items-base
 * Description: the same with base pages in VRAM
 */
static void many_work_items(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 5);
	unsigned int order = vsvm_order(flags);
	uint64_t count = vsvm_folios(flags, SIZE);

	vsvm_run(t, .kernel = VSVM_KERNEL_ADD,
		 .arg = {.addr = (uintptr_t)buffer->ptr, .count = PAGES, .value = 13},
		 .groups = {8}, .group_size = {16});
	for (size_t page = 0; page < PAGES; page++)
		*(uint64_t *)(buffer->shadow + vsvm_touch(page, 13)) += 13;
	vsvm_expect(t, .order = order, .n_allocated = count, .n_to_vram = count, .gpu_2m = BLOCKS,
		    .dispatches = 1, .any_stale = true);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);
}

struct reader {
	pthread_t thread;
	pthread_barrier_t *barrier;
	const struct vsvm_buffer *buffer;
	size_t page;
	long faults;
};

static void *read_buffer(void *arg)
{
	const struct reader *reader = arg;

	pthread_barrier_wait(reader->barrier);
	for (size_t block = 0; block < reader->buffer->size; block += VSVM_2M)
		vsvm_buffer_check_range(reader->buffer, block, VSVM_2M);
	return NULL;
}

/**
 * SUBTEST: threads-fault
 * Description: threads that fault on the same folios at once all see the data, and
 *	each folio comes home once
 *
 * SUBTEST: threads-fault-base
 * Description: the same with base pages in VRAM
 */
static void threads_fault(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 5);
	unsigned int order = vsvm_order(flags);
	uint64_t count = vsvm_folios(flags, SIZE);
	struct reader readers[4];
	pthread_barrier_t start;

	igt_assert_eq(pthread_barrier_init(&start, NULL, ARRAY_SIZE(readers)), 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		readers[i] = (struct reader){.barrier = &start, .buffer = buffer};
		igt_assert_eq(pthread_create(&readers[i].thread, NULL, read_buffer, &readers[i]),
			      0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		igt_assert_eq(pthread_join(readers[i].thread, NULL), 0);
	pthread_barrier_destroy(&start);
	/* who comes second waits: at most one fault more for each thread and folio */
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count,
		    .more_cpu_faults = (ARRAY_SIZE(readers) - 1) * count);
}

/* Every thread reads one page of its own in the same block. */
static void *read_page(void *arg)
{
	struct reader *reader = arg;
	struct rusage before, after;

	pthread_barrier_wait(reader->barrier);
	igt_assert_eq(getrusage(RUSAGE_THREAD, &before), 0);
	vsvm_buffer_check_range(reader->buffer, reader->page * VSVM_4K, VSVM_4K);
	igt_assert_eq(getrusage(RUSAGE_THREAD, &after), 0);
	reader->faults = after.ru_minflt - before.ru_minflt;
	return NULL;
}

/**
 * SUBTEST: many-threads-fault
 * Description: 32 threads touch one folio at once, again and again: each time one of
 *	them brings it home, and the others wait for that
 */
static void many_threads_fault(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 5);
	struct reader readers[32];
	pthread_barrier_t start;

	igt_assert_eq_u32(flags, 0);
	igt_assert_eq(pthread_barrier_init(&start, NULL, ARRAY_SIZE(readers)), 0);
	for (int round = 0; round < 25; round++) {
		vsvm_gpu_add(t, buffer, 0, VSVM_2M, round);
		vsvm_forget_counters(t);
		for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
			readers[i] = (struct reader){
				.barrier = &start, .buffer = buffer, .page = i * 16 + round % 16};
			igt_assert_eq(pthread_create(&readers[i].thread, NULL, read_page,
						     &readers[i]),
				      0);
		}
		for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
			igt_assert_eq(pthread_join(readers[i].thread, NULL), 0);
		/* one fault, and one more where the memory was on its way already */
		for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
			igt_assert_lte(readers[i].faults, 4);
		vsvm_expect(t, .freed[9] = 1, .to_ram[9] = 1, .cpu_faults = 1);
	}
	pthread_barrier_destroy(&start);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: race
 * Description: CPU and GPU write to different words of one page all the time: no write
 *	of either is lost, and the CPU never sees a word of the GPU go back
 *
 * SUBTEST: race-base
 * Description: the same with base pages in VRAM
 */
static void race(struct vsvm_test *t, unsigned int flags)
{
	const uint64_t rounds = 1000000;
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 5);
	volatile uint64_t *words = (volatile uint64_t *)buffer->ptr;
	uint64_t *shadow = (uint64_t *)buffer->shadow;
	uint64_t value, last = shadow[0], mine = shadow[1];
	bool done = false;

	(void)flags;
	value = vsvm_submit(t,
			    &(struct vsvm_job){
				    .kernel = VSVM_KERNEL_ATOMIC,
				    .arg = {.addr = (uintptr_t)words, .count = rounds, .value = 1},
			    });
	while (!done) {
		uint64_t now;

		done = *(volatile uint64_t *)t->fence >= value;
		igt_assert_eq_u64(words[1], mine);
		words[1] = ++mine;
		now = words[0];
		igt_assert_lte_u64(now - last, rounds);
		last = now;
	}
	vsvm_wait(t, value);
	shadow[0] += rounds;
	shadow[1] = mine;
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: exit
 * Description: a process that exits with memory in VRAM gives it all back
 *
 * SUBTEST: exit-base
 * Description: the same with base pages in VRAM
 *
 * SUBTEST: killed
 * Description: a process that is killed while its work runs gives all back
 */
static void fill_vram_and_leave(unsigned int flags)
{
	struct vsvm_buffer *buffer;
	struct vsvm_test own;

	vsvm_test_open(&own);
	buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	vsvm_gpu_add(&own, buffer, 0, SIZE, 1);
	vsvm_expect_residency(own.fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
}

/* What the process above does: its control memory is one more fault and dispatch. */
static void expect_left(struct vsvm_test *t, unsigned int flags)
{
	unsigned int order = vsvm_order(flags);
	uint64_t count = vsvm_folios(flags, SIZE);

	vsvm_expect(t, .order = order, .n_allocated = count, .n_to_vram = count, .n_freed = count,
		    .gpu_2m = BLOCKS, .gpu_4k = 1, .dispatches = 2);
}

static void process_exit(struct vsvm_test *t, unsigned int flags)
{
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		fill_vram_and_leave(flags);
	}
	igt_waitchildren();
	expect_left(t, flags);
}

/* In the process that is killed. */
static void spin_until_killed(unsigned int flags, int ready)
{
	struct vsvm_test own;

	fill_vram_and_leave(flags);
	vsvm_test_open(&own);
	vsvm_submit(&own, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
					     .arg = {.addr = (uintptr_t)own.result + 64}});
	igt_assert_eq(write(ready, "r", 1), 1);
	for (;;)
		pause();
}

static void process_killed(struct vsvm_test *t, unsigned int flags)
{
	unsigned int order = vsvm_order(flags);
	uint64_t count = vsvm_folios(flags, SIZE);

	igt_fork(child, 1) {
		int status, ready[2];
		char byte;
		pid_t pid;

		igt_assert_eq(child, 0);
		igt_assert_eq(pipe(ready), 0);
		pid = fork();
		igt_assert_lte(0, pid);
		if (!pid)
			spin_until_killed(flags, ready[1]);
		close(ready[1]);
		igt_assert_eq(read(ready[0], &byte, 1), 1);
		igt_assert_eq(kill(pid, SIGKILL), 0);
		igt_assert_eq(waitpid(pid, &status, 0), pid);
		igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	igt_waitchildren();
	vsvm_expect(t, .order = order, .n_allocated = count, .n_to_vram = count, .n_freed = count,
		    .gpu_2m = BLOCKS, .gpu_4k = 2, .any_end = true);
}

/**
 * SUBTEST: unmap
 * Description: munmap() of memory in VRAM frees it, with no CPU fault
 *
 * SUBTEST: unmap-base
 * Description: the same with base pages in VRAM
 */
static void unmap(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 5);

	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_buffer_unmap(buffer, 0, SIZE);
	vsvm_expect(t, .order = vsvm_order(flags), .n_freed = vsvm_folios(flags, SIZE));
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_NONE, 0);
}

/**
 * SUBTEST: dontneed
 * Description: MADV_DONTNEED frees memory in VRAM; CPU and GPU then see zeros
 *
 * SUBTEST: dontneed-base
 * Description: the same with base pages in VRAM
 */
static void dontneed(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 5);

	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	igt_assert_eq(madvise(buffer->ptr, SIZE, MADV_DONTNEED), 0);
	memset(buffer->shadow, 0, SIZE);
	vsvm_expect(t, .order = vsvm_order(flags), .n_freed = vsvm_folios(flags, SIZE));
	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);
}

/**
 * SUBTEST: more-than-vram
 * Description: work on more memory than VRAM is right all the same
 *
 * SUBTEST: more-than-vram-base
 * Description: the same with base pages in VRAM
 */
static void more_than_vram(struct vsvm_test *t, unsigned int flags)
{
	const uint64_t blocks = t->info.vram_size / VSVM_2M + 4;
	struct drm_vsvm_counters before = t->seen, after;
	struct vsvm_buffer *buffer;

	(void)flags;
	buffer = vsvm_buffer_create_filled(blocks * VSVM_2M, VSVM_THP, 2);
	for (int round = 1; round < 3; round++)
		vsvm_gpu_add(t, buffer, 0, buffer->size, round);
	vsvm_query_counters(t->fd, &after);
	igt_assert_eq_u64(after.gpu_faults_failed, before.gpu_faults_failed);
	igt_assert_lte_u64(before.gpu_faults_served[DRM_VSVM_SIZE_2M] + blocks,
			   after.gpu_faults_served[DRM_VSVM_SIZE_2M]);
	/* all of it was put to use */
	igt_assert_eq_u64(after.vram_free, 0);
	vsvm_buffer_check(buffer);
}

static const struct vsvm_subtest subtests[] = {
	{"round-trip", round_trip, VSVM_BOTH, "Memory moves to VRAM, back, and again"},
	{"gpu-read", gpu_read, VSVM_BOTH, "Memory that the GPU reads moves"},
	{"cpu-write", cpu_write, VSVM_BOTH, "The GPU sees what the CPU has written"},
	{"first-touch", first_touch, VSVM_BOTH, "The GPU touches memory first"},
	{"zero-page", zero_page, VSVM_BOTH, "The GPU touches the zero page"},
	{"small-pages", small_pages, VSVM_HUGE, "Base pages move as such"},
	{"mixed", mixed, VSVM_BOTH, "All kinds of memory next to each other"},
	{"odd-size", odd_size, VSVM_HUGE, "A mapping that is not whole blocks"},
	{"prefetch", prefetch, VSVM_BOTH, "Prefetch moves memory both ways"},
	{"prefetch-part", prefetch_part, VSVM_HUGE, "A part of a huge page moves alone"},
	{"prefetch-inside", prefetch_inside, VSVM_HUGE, "Prefetch of a part that is there already"},
	{"no-huge-page", no_huge_page, VSVM_HUGE, "No huge page can be had"},
	{"fragmented", fragmented, VSVM_HUGE, "Only single pages of VRAM are free"},
	{"hole-edges", hole_edges, VSVM_HUGE, "A hole that is not whole blocks"},
	{"prefetch-mixed", prefetch_mixed, VSVM_HUGE, "Something of everything is prefetched"},
	{"file-memory", file_memory, VSVM_HUGE, "Memory of files and shared memory"},
	{"many-work-items", many_work_items, VSVM_BOTH, "Many work-items fault at once"},
	{"threads-fault", threads_fault, VSVM_BOTH, "Many threads fault at once"},
	{"many-threads-fault", many_threads_fault, VSVM_HUGE | VSVM_AGAIN,
	 "32 threads fault on one folio"},
	{"race", race, VSVM_BOTH | VSVM_AGAIN, "CPU and GPU write to one page"},
	{"exit", process_exit, VSVM_BOTH, "Exit with memory in VRAM"},
	{"killed", process_killed, VSVM_HUGE, "SIGKILL with memory in VRAM and work running"},
	{"unmap", unmap, VSVM_BOTH, "munmap() frees VRAM"},
	{"dontneed", dontneed, VSVM_BOTH, "MADV_DONTNEED frees VRAM"},
	{"more-than-vram", more_than_vram, VSVM_BOTH | VSVM_AGAIN, "More memory than VRAM"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
