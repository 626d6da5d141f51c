// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm remap
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: unmap, move, protect
 * Description: Mappings change while their memory is in VRAM
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Mappings change while their memory is in VRAM");

#define BLOCKS	    4
#define SIZE	    (BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)

/* A piece of each block. */
#define PIECE_PAGES 64
#define PIECE	    (PIECE_PAGES * VSVM_4K)

/* Where it is. */
enum place {
	HEAD,
	MIDDLE,
	TAIL,
	NUM_PLACES,
};

static const size_t places[NUM_PLACES] = {
	[HEAD] = 0,
	[MIDDLE] = 200 * VSVM_4K,
	[TAIL] = VSVM_2M - PIECE,
};

static struct vsvm_buffer *in_vram(struct vsvm_test *t, unsigned int flags)
{
	return vsvm_buffer_in_vram(t, SIZE, flags);
}

/* The parts of a block on both sides of a piece that has gone. */
static void check_rest(struct vsvm_test *t, struct vsvm_buffer *buffer, size_t block, size_t piece)
{
	size_t behind = piece + PIECE;

	if (piece) {
		vsvm_expect_location(t->fd, buffer->ptr + block, piece, DRM_VSVM_LOCATION_VRAM);
		vsvm_buffer_check_range(buffer, block, piece);
	}
	if (behind < VSVM_2M) {
		vsvm_expect_location(t->fd, buffer->ptr + block + behind, VSVM_2M - behind,
				     DRM_VSVM_LOCATION_VRAM);
		vsvm_buffer_check_range(buffer, block + behind, VSVM_2M - behind);
	}
}

/*
 * The counts after a piece of each folio has gone and the CPU has read the rest.
 * The first CPU access splits the folio, which gives the piece back; every page
 * of the rest then comes home alone.
 */
static void expect_rest_read(struct vsvm_test *t, unsigned int flags)
{
	const uint64_t rest = BLOCK_PAGES - PIECE_PAGES;

	if (flags & VSVM_TEST_BASE)
		vsvm_expect(t, .freed[0] = BLOCKS * BLOCK_PAGES, .to_ram[0] = BLOCKS * rest,
			    .cpu_faults = BLOCKS * rest);
	else
		vsvm_expect(t, .split = BLOCKS * (BLOCK_PAGES - 1),
			    .freed[0] = BLOCKS * BLOCK_PAGES, .to_ram[0] = BLOCKS * rest,
			    .cpu_faults = BLOCKS * rest);
}

static void unmap_piece(struct vsvm_test *t, unsigned int flags, enum place place)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);

	for (size_t block = 0; block < SIZE; block += VSVM_2M)
		vsvm_buffer_unmap(buffer, block + places[place], PIECE);
	for (size_t block = 0; block < SIZE; block += VSVM_2M) {
		vsvm_expect_residency(t->fd, buffer->ptr + block + places[place], PIECE,
				      DRM_VSVM_LOCATION_NONE, 0);
		check_rest(t, buffer, block, places[place]);
	}
	expect_rest_read(t, flags);
}

/**
 * SUBTEST: unmap-%s
 * Description: munmap() of the %arg[1] of each 2 MiB in VRAM; the rest is right
 *
 * SUBTEST: unmap-%s-base
 * Description: the same with base pages in VRAM; %arg[1]
 *
 * arg[1]:
 *
 * @head: first 64 pages
 * @middle: 64 pages in the middle
 * @tail: last 64 pages
 */
static void unmap_head(struct vsvm_test *t, unsigned int flags)
{
	unmap_piece(t, flags, HEAD);
}

static void unmap_middle(struct vsvm_test *t, unsigned int flags)
{
	unmap_piece(t, flags, MIDDLE);
}

static void unmap_tail(struct vsvm_test *t, unsigned int flags)
{
	unmap_piece(t, flags, TAIL);
}

/**
 * SUBTEST: unmap-gpu
 * Description: after a partial munmap() the GPU goes on with the rest, in VRAM, and
 *	cannot access what has gone
 *
 * SUBTEST: unmap-gpu-base
 * Description: the same with base pages in VRAM
 */
static void unmap_gpu(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	const size_t piece = places[MIDDLE], behind = piece + PIECE;
	struct drm_vsvm_wait wait;

	vsvm_buffer_unmap(buffer, piece, PIECE);
	vsvm_gpu_add(t, buffer, 0, piece, 5);
	vsvm_gpu_add(t, buffer, behind, SIZE - behind, 7);
	vsvm_run_to_error(t,
			  &(struct vsvm_job){.kernel = VSVM_KERNEL_LOAD,
					     .arg = {.addr = (uintptr_t)buffer->ptr + piece}},
			  &wait);
	igt_assert_eq_u32(wait.status, VSVM_ISA_STATUS_FAULT);
	igt_assert_eq_u64(wait.fault_addr, (uintptr_t)buffer->ptr + piece);
	vsvm_buffer_check_range(buffer, 0, piece);
	vsvm_buffer_check_range(buffer, behind, SIZE - behind);
}

/**
 * SUBTEST: dontneed-piece
 * Description: MADV_DONTNEED of a part of each 2 MiB in VRAM: zeros there, the rest stays
 *
 * SUBTEST: dontneed-piece-base
 * Description: the same with base pages in VRAM
 */
static void dontneed_piece(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	const size_t piece = places[MIDDLE];

	for (size_t block = 0; block < SIZE; block += VSVM_2M) {
		igt_assert_eq(madvise(buffer->ptr + block + piece, PIECE, MADV_DONTNEED), 0);
		memset(buffer->shadow + block + piece, 0, PIECE);
	}
	for (size_t block = 0; block < SIZE; block += VSVM_2M)
		check_rest(t, buffer, block, piece);
	expect_rest_read(t, flags);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 9);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: protect
 * Description: memory in VRAM is made read-only: CPU and GPU can read, the GPU cannot
 *	write; made writable again, it can
 *
 * SUBTEST: protect-base
 * Description: the same with base pages in VRAM
 */
static void protect(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;
	struct drm_vsvm_wait wait;

	igt_assert_eq(mprotect(buffer->ptr, SIZE, PROT_READ), 0);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, order);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_run_to_error(t,
			  &(struct vsvm_job){.kernel = VSVM_KERNEL_STORE,
					     .arg = {.addr = (uintptr_t)buffer->ptr}},
			  &wait);
	igt_assert_eq_u32(wait.status, VSVM_ISA_STATUS_FAULT);
	igt_assert_eq_u32(wait.fault_access, VSVM_ISA_ACCESS_WRITE);
	vsvm_expect(t, .failed = 1, .dispatches = 1);

	igt_assert_eq(mprotect(buffer->ptr, SIZE, PROT_READ | PROT_WRITE), 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_forget_counters(t);
	igt_assert_eq(mprotect(buffer->ptr, SIZE, PROT_READ), 0);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count);
}

static void on_fault(int sig)
{
	_exit(sig == SIGSEGV ? 42 : 1);
}

/**
 * SUBTEST: protect-none
 * Description: memory in VRAM becomes inaccessible: a CPU access is a SIGSEGV, one of
 *	the GPU ends its dispatch, and the data is there when it is accessible again
 *
 * SUBTEST: protect-none-base
 * Description: the same with base pages in VRAM
 */
static void protect_none(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	struct drm_vsvm_wait wait;

	igt_assert_eq(mprotect(buffer->ptr, SIZE, PROT_NONE), 0);
	igt_fork(child, 1) {
		int status;
		pid_t pid = fork();

		igt_assert_eq(child, 0);
		if (!pid) {
			signal(SIGSEGV, on_fault);
			(void)*(volatile uint64_t *)buffer->ptr;
			_exit(1);
		}
		igt_assert_eq(waitpid(pid, &status, 0), pid);
		igt_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	}
	igt_waitchildren();
	vsvm_run_to_error(t,
			  &(struct vsvm_job){.kernel = VSVM_KERNEL_LOAD,
					     .arg = {.addr = (uintptr_t)buffer->ptr}},
			  &wait);
	igt_assert_eq_u32(wait.status, VSVM_ISA_STATUS_FAULT);
	vsvm_expect(t, .failed = 1, .dispatches = 1);
	igt_assert_eq(mprotect(buffer->ptr, SIZE, PROT_READ | PROT_WRITE), 0);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: protect-piece
 * Description: a part of each 2 MiB in VRAM is made read-only: the GPU can write all
 *	but that
 *
 * SUBTEST: protect-piece-base
 * Description: the same with base pages in VRAM
 */
static void protect_piece(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	const size_t piece = places[MIDDLE], behind = piece + PIECE;
	struct drm_vsvm_wait wait;

	for (size_t block = 0; block < SIZE; block += VSVM_2M)
		igt_assert_eq(mprotect(buffer->ptr + block + piece, PIECE, PROT_READ), 0);
	for (size_t block = 0; block < SIZE; block += VSVM_2M) {
		vsvm_gpu_add(t, buffer, block, piece, 5);
		vsvm_gpu_sum(t, buffer, block + piece, PIECE, 5);
		vsvm_gpu_add(t, buffer, block + behind, VSVM_2M - behind, 5);
	}
	vsvm_run_to_error(t,
			  &(struct vsvm_job){.kernel = VSVM_KERNEL_AMO,
					     .arg = {.addr = (uintptr_t)buffer->ptr + behind - 8}},
			  &wait);
	igt_assert_eq_u32(wait.status, VSVM_ISA_STATUS_FAULT);
	vsvm_buffer_check(buffer);
}

/* Moves a buffer to that of another one, which is unmapped by that. */
static void move(struct vsvm_buffer *from, struct vsvm_buffer *to, size_t offset)
{
	igt_assert(mremap(from->ptr, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to->ptr + offset) ==
		   to->ptr + offset);
	memcpy(to->shadow + offset, from->shadow, SIZE);
}

/**
 * SUBTEST: mremap
 * Description: memory in VRAM moves to another address, stays whole and in VRAM
 *
 * SUBTEST: mremap-base
 * Description: the same with base pages in VRAM
 */
static void mremap_aligned(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *from = in_vram(t, flags);
	struct vsvm_buffer *to = vsvm_buffer_create(SIZE, VSVM_THP);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;
	struct drm_vsvm_wait wait;

	move(from, to, 0);
	vsvm_expect_residency(t->fd, to->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, order);
	vsvm_expect_residency(t->fd, from->ptr, SIZE, DRM_VSVM_LOCATION_NONE, 0);
	vsvm_gpu_add(t, to, 0, SIZE, 5);
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_run_to_error(t,
			  &(struct vsvm_job){.kernel = VSVM_KERNEL_LOAD,
					     .arg = {.addr = (uintptr_t)from->ptr}},
			  &wait);
	igt_assert_eq_u64(wait.fault_addr, (uintptr_t)from->ptr);
	vsvm_expect(t, .failed = 1, .dispatches = 1);
	vsvm_buffer_check(to);
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count);
}

/**
 * SUBTEST: mremap-unaligned
 * Description: memory in VRAM moves by one page more than whole blocks: the data is right
 *
 * SUBTEST: mremap-unaligned-base
 * Description: the same with base pages in VRAM
 */
static void mremap_unaligned(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *from = in_vram(t, flags);
	struct vsvm_buffer *to = vsvm_buffer_create(SIZE + VSVM_2M, VSVM_THP);

	move(from, to, VSVM_4K);
	vsvm_expect_residency(t->fd, to->ptr + VSVM_4K, SIZE, DRM_VSVM_LOCATION_VRAM, 0);
	vsvm_gpu_add(t, to, VSVM_4K, SIZE, 5);
	vsvm_expect_residency(t->fd, to->ptr + VSVM_4K, SIZE, DRM_VSVM_LOCATION_VRAM, 0);
	vsvm_buffer_check(to);
	vsvm_expect_location(t->fd, to->ptr + VSVM_4K, SIZE, DRM_VSVM_LOCATION_SYSTEM);
}

/**
 * SUBTEST: mremap-dontunmap
 * Description: memory in VRAM moves, the old mapping stays and is empty
 *
 * SUBTEST: mremap-dontunmap-base
 * Description: the same with base pages in VRAM
 */
static void mremap_dontunmap(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *from = in_vram(t, flags);
	struct vsvm_buffer *to = vsvm_buffer_create(SIZE, VSVM_THP);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;

	igt_assert(mremap(from->ptr, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
			  to->ptr) == to->ptr);
	memcpy(to->shadow, from->shadow, SIZE);
	memset(from->shadow, 0, SIZE);
	vsvm_expect_residency(t->fd, to->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, order);
	vsvm_expect_residency(t->fd, from->ptr, SIZE, DRM_VSVM_LOCATION_NONE, 0);

	vsvm_gpu_set(t, from, 0, SIZE, 5);
	vsvm_expect(t, .order = order, .n_allocated = count, .n_to_vram = count, .gpu_2m = BLOCKS,
		    .dispatches = 1);
	vsvm_gpu_add(t, to, 0, SIZE, 7);
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_buffer_check(from);
	vsvm_buffer_check(to);
	vsvm_expect(t, .order = order, .n_freed = 2 * count, .n_to_ram = 2 * count,
		    .cpu_faults = 2 * count);
}

/**
 * SUBTEST: mremap-piece
 * Description: a part of 2 MiB in VRAM moves to another address; both parts are right
 *
 * SUBTEST: mremap-piece-base
 * Description: the same with base pages in VRAM
 */
static void mremap_piece(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *from = in_vram(t, flags);
	struct vsvm_buffer *to = vsvm_buffer_create(VSVM_2M, VSVM_THP);
	const size_t piece = places[MIDDLE], behind = piece + PIECE;

	igt_assert(mremap(from->ptr + piece, PIECE, PIECE, MREMAP_MAYMOVE | MREMAP_FIXED,
			  to->ptr + piece) == to->ptr + piece);
	memcpy(to->shadow + piece, from->shadow + piece, PIECE);
	vsvm_expect_residency(t->fd, to->ptr + piece, PIECE, DRM_VSVM_LOCATION_VRAM, 0);
	vsvm_gpu_add(t, to, piece, PIECE, 5);
	vsvm_gpu_add(t, from, 0, piece, 7);
	vsvm_gpu_add(t, from, behind, SIZE - behind, 9);
	vsvm_buffer_check_range(to, 0, VSVM_2M);
	vsvm_buffer_check_range(from, 0, piece);
	vsvm_buffer_check_range(from, behind, SIZE - behind);
}

/**
 * SUBTEST: map-over
 * Description: other memory is mapped over memory in VRAM: the GPU sees the new one
 *
 * SUBTEST: map-over-base
 * Description: the same with base pages in VRAM
 */
static void map_over(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;

	igt_assert(mmap(buffer->ptr, SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == buffer->ptr);
	igt_assert_eq(madvise(buffer->ptr, SIZE, MADV_HUGEPAGE), 0);
	vsvm_expect(t, .order = order, .n_freed = count);
	vsvm_buffer_fill(buffer, 0, SIZE, 20);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .order = order, .n_allocated = count, .n_to_vram = count, .gpu_2m = BLOCKS,
		    .dispatches = 1);
	vsvm_buffer_check(buffer);
}

static const struct vsvm_subtest subtests[] = {
	{"unmap-head", unmap_head, VSVM_BOTH, "munmap() of the first pages of each block"},
	{"unmap-middle", unmap_middle, VSVM_BOTH, "munmap() in the middle of each block"},
	{"unmap-tail", unmap_tail, VSVM_BOTH, "munmap() of the last pages of each block"},
	{"unmap-gpu", unmap_gpu, VSVM_BOTH, "The GPU after a partial munmap()"},
	{"dontneed-piece", dontneed_piece, VSVM_BOTH, "MADV_DONTNEED of a part of each block"},
	{"protect", protect, VSVM_BOTH, "mprotect() of all"},
	{"protect-none", protect_none, VSVM_BOTH, "mprotect() against all access"},
	{"protect-piece", protect_piece, VSVM_BOTH, "mprotect() of a part of each block"},
	{"mremap", mremap_aligned, VSVM_BOTH, "mremap() of whole blocks"},
	{"mremap-unaligned", mremap_unaligned, VSVM_BOTH, "mremap() to another place in a block"},
	{"mremap-dontunmap", mremap_dontunmap, VSVM_BOTH, "mremap() that leaves a mapping behind"},
	{"mremap-piece", mremap_piece, VSVM_BOTH, "mremap() of a part of a block"},
	{"map-over", map_over, VSVM_BOTH, "mmap() over memory in VRAM"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
