// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm fork
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: fork, copy on write
 * Description: Processes share memory that is in VRAM after fork(); each one sees
 *	its own data, whoever writes
 */

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Processes share memory that is in VRAM after fork()");

#define BLOCKS	    4
#define SIZE	    (BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)
#define PAGES	    (BLOCKS * BLOCK_PAGES)

static struct vsvm_buffer *in_vram(struct vsvm_test *t, unsigned int flags)
{
	return vsvm_buffer_in_vram(t, SIZE, flags);
}

/**
 * SUBTEST: child-reads
 * Description: a child reads what is in VRAM: it comes home once, for both
 *
 * SUBTEST: child-reads-base
 * Description: the same with base pages in VRAM
 */
static void child_reads(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;

	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		vsvm_buffer_check(buffer);
	}
	igt_waitchildren();
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: children-read
 * Description: many children read what is in VRAM at once
 *
 * SUBTEST: children-read-base
 * Description: the same with base pages in VRAM
 */
static void children_read(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;

	igt_fork(child, 4) {
		/* each one begins with another block */
		for (int i = 0; i < BLOCKS; i++)
			vsvm_buffer_check_range(buffer, (i + child) % BLOCKS * VSVM_2M, VSVM_2M);
	}
	igt_waitchildren();
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count,
		    .more_cpu_faults = 3 * count);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: child-writes
 * Description: a child writes to what is in VRAM; the parent keeps its data
 *
 * SUBTEST: child-writes-base
 * Description: the same with base pages in VRAM
 */
static void child_writes(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;

	igt_fork(child, 1) {
		for (size_t block = 0; block < SIZE; block += VSVM_2M)
			vsvm_buffer_fill(buffer, block, VSVM_2M, 40 + child);
		vsvm_buffer_check(buffer);
	}
	igt_waitchildren();
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 7);
	vsvm_expect(t, .order = order, .n_allocated = count, .n_to_vram = count, .gpu_2m = BLOCKS,
		    .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: parent-writes
 * Description: the parent writes to what is in VRAM; the child keeps the old data
 *
 * SUBTEST: parent-writes-base
 * Description: the same with base pages in VRAM
 */
static void parent_writes(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;
	struct vsvm_gate written;

	vsvm_gate_init(&written);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		vsvm_gate_wait(&written);
		vsvm_buffer_check(buffer);
	}
	vsvm_buffer_fill(buffer, 0, SIZE, 41);
	vsvm_gate_open(&written);
	vsvm_buffer_check(buffer);
	igt_waitchildren();
	vsvm_gate_fini(&written);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count);
	/* of a shared huge page the kernel copies base pages */
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .allocated[0] = PAGES, .to_vram[0] = PAGES, .gpu_2m = BLOCKS,
		    .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: gpu-writes
 * Description: the GPU writes to what parent and child share in VRAM: a copy is made,
 *	the child keeps the old data
 *
 * SUBTEST: gpu-writes-base
 * Description: the same with base pages in VRAM
 */
static void gpu_writes(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;
	struct vsvm_gate written;

	vsvm_gate_init(&written);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		vsvm_gate_wait(&written);
		vsvm_buffer_check(buffer);
	}
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_gpu_set(t, buffer, 0, SIZE, 6);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 6);
	/*
	 * Each block: a fault to read, and one to write, for which the memory comes
	 * home, is copied there in base pages, and these go to VRAM.
	 */
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count,
		    .allocated[0] = PAGES, .to_vram[0] = PAGES, .gpu_2m = 2 * BLOCKS,
		    .dispatches = 3);
	vsvm_gate_open(&written);
	igt_waitchildren();
	vsvm_gate_fini(&written);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: gpu-reads-shared
 * Description: the GPU reads what parent and child share in VRAM: it stays there
 *
 * SUBTEST: gpu-reads-shared-base
 * Description: the same with base pages in VRAM
 */
static void gpu_reads_shared(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	struct vsvm_gate read;

	vsvm_gate_init(&read);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		vsvm_gate_wait(&read);
		vsvm_buffer_check(buffer);
	}
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, order);
	vsvm_gate_open(&read);
	igt_waitchildren();
	vsvm_gate_fini(&read);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: to-vram
 * Description: memory that parent and children share goes to VRAM, where it still is
 *	what they share: the GPU writes to a copy
 *
 * SUBTEST: to-vram-base
 * Description: the same with base pages in VRAM
 */
static void to_vram(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_gate written;

	vsvm_gate_init(&written);
	igt_fork(child, 2) {
		igt_assert_lte(child, 1);
		vsvm_gate_wait(&written);
		vsvm_buffer_check(buffer);
	}
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_gpu_add(t, buffer, 0, SIZE, 6);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 6);
	vsvm_gate_open(&written);
	vsvm_gate_open(&written);
	igt_waitchildren();
	vsvm_gate_fini(&written);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: both-gpu
 * Description: parent and child both work with the GPU on what they shared in VRAM
 *
 * SUBTEST: both-gpu-base
 * Description: the same with base pages in VRAM
 */
static void both_gpu(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);

	igt_fork(child, 2) {
		struct vsvm_test own;

		vsvm_test_open(&own);
		vsvm_gpu_sum(&own, buffer, 0, SIZE, 9);
		vsvm_gpu_add(&own, buffer, 0, SIZE, 100 + child);
		vsvm_gpu_sum(&own, buffer, 0, SIZE, 100 + child);
		vsvm_buffer_check(buffer);
	}
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	igt_waitchildren();
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: to-small
 * Description: a huge page in system memory that parent and child share goes to VRAM
 *	in base pages
 */
static void to_small(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_gate moved;

	igt_assert_eq_u32(flags, 0);
	vsvm_module_set_huge(false);
	vsvm_gate_init(&moved);
	igt_fork(child, 2) {
		vsvm_gate_wait(&moved);
		vsvm_buffer_check(buffer);
		vsvm_buffer_fill(buffer, 0, SIZE, 50 + child);
		vsvm_buffer_check(buffer);
	}
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .allocated[0] = PAGES, .to_vram[0] = PAGES, .gpu_2m = BLOCKS,
		    .dispatches = 1);
	/* home, to be copied, and back */
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .freed[0] = PAGES, .to_ram[0] = PAGES, .cpu_faults = PAGES,
		    .allocated[0] = PAGES, .to_vram[0] = PAGES, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_gate_open(&moved);
	vsvm_gate_open(&moved);
	igt_waitchildren();
	vsvm_gate_fini(&moved);
	vsvm_buffer_check(buffer);
}

/* Only single pages of VRAM are free, as many as the test needs, and it stays so. */
static void fragment_vram(struct vsvm_test *t)
{
	struct vsvm_buffer *filler = vsvm_buffer_create(t->info.vram_size, VSVM_SMALL);

	vsvm_module_set_evict(false);
	vsvm_prefetch(t, filler, 0, filler->size, DRM_VSVM_LOCATION_VRAM);
	for (size_t page = 0; page < 2 * PAGES; page += 2)
		igt_assert_eq(madvise(filler->ptr + page * VSVM_4K, VSVM_4K, MADV_DONTNEED), 0);
	vsvm_forget_counters(t);
}

/**
 * SUBTEST: to-fragments
 * Description: a huge page that parent and child share goes to VRAM where only single
 *	pages are left: it is unmapped as a whole, and then split for both
 */
static void to_fragments(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_gate moved;

	igt_assert_eq_u32(flags, 0);
	fragment_vram(t);
	vsvm_gate_init(&moved);
	igt_fork(child, 2) {
		vsvm_gate_wait(&moved);
		vsvm_buffer_check(buffer);
		vsvm_buffer_fill(buffer, 0, SIZE, 50 + child);
		vsvm_buffer_check(buffer);
	}
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .allocated[0] = PAGES, .to_vram[0] = PAGES, .gpu_2m = BLOCKS,
		    .dispatches = 1);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, 0);
	vsvm_gate_open(&moved);
	vsvm_gate_open(&moved);
	vsvm_buffer_check(buffer);
	igt_waitchildren();
	vsvm_gate_fini(&moved);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: home-in-pieces
 * Description: a part of a huge page in VRAM that parent and child share comes home;
 *	the folio is split under both
 */
static void home_in_pieces(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	struct vsvm_gate moved;
	uint64_t bytes;

	vsvm_gate_init(&moved);
	igt_fork(child, 2) {
		vsvm_gate_wait(&moved);
		vsvm_buffer_check(buffer);
		vsvm_buffer_fill(buffer, 0, SIZE, 50 + child);
		vsvm_buffer_check(buffer);
	}
	for (size_t block = 0; block < SIZE; block += VSVM_2M)
		igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr + block + 77 * VSVM_4K, VSVM_4K,
						DRM_VSVM_LOCATION_SYSTEM, &bytes),
			      0);
	vsvm_expect(t, .split = BLOCKS * (BLOCK_PAGES - 1), .freed[0] = BLOCKS,
		    .to_ram[0] = BLOCKS);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .allocated[0] = BLOCKS, .to_vram[0] = BLOCKS, .gpu_2m = BLOCKS,
		    .dispatches = 1);
	vsvm_gate_open(&moved);
	vsvm_gate_open(&moved);
	vsvm_buffer_check(buffer);
	igt_waitchildren();
	vsvm_gate_fini(&moved);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: home-without-huge-page
 * Description: no huge page can be had for what parent and children share in VRAM:
 *	it comes home in base pages, for all of them
 */
static void home_without_huge_page(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	struct vsvm_gate moved;

	igt_require(vsvm_no_huge_pages_available());
	vsvm_gate_init(&moved);
	igt_fork(child, 2) {
		vsvm_gate_wait(&moved);
		vsvm_buffer_check(buffer);
		vsvm_buffer_fill(buffer, 0, SIZE, 50 + child);
		vsvm_buffer_check(buffer);
	}
	vsvm_no_huge_pages(true);
	vsvm_cpu_touch(buffer, 300 * VSVM_4K, SIZE - 300 * VSVM_4K, VSVM_2M);
	vsvm_no_huge_pages(false);
	vsvm_expect(t, .freed[0] = PAGES, .split = BLOCKS * (BLOCK_PAGES - 1), .to_ram[0] = PAGES,
		    .cpu_faults = BLOCKS);
	vsvm_buffer_check(buffer);
	vsvm_gate_open(&moved);
	vsvm_gate_open(&moved);
	igt_waitchildren();
	vsvm_gate_fini(&moved);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: child-unmaps-piece
 * Description: the child unmaps a part of what is shared in VRAM; the parent keeps all
 *
 * SUBTEST: child-unmaps-piece-base
 * Description: the same with base pages in VRAM
 */
static void child_unmaps_piece(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	const size_t piece = 100 * VSVM_4K, length = 50 * VSVM_4K;

	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		for (size_t block = 0; block < SIZE; block += VSVM_2M)
			vsvm_buffer_unmap(buffer, block + piece, length);
		vsvm_buffer_check_range(buffer, 0, piece);
		vsvm_buffer_check_range(buffer, piece + length, VSVM_2M - piece - length);
	}
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	igt_waitchildren();
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: parent-leaves
 * Description: the parent frees its memory and closes the file; the child still has
 *	what is in VRAM
 *
 * SUBTEST: parent-leaves-base
 * Description: the same with base pages in VRAM
 */
static void parent_leaves(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = in_vram(t, flags);
	unsigned int order = vsvm_order(flags);
	uint64_t count = SIZE / VSVM_4K >> order;
	struct drm_vsvm_counters before = t->seen;
	struct vsvm_gate left;

	vsvm_gate_init(&left);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		close(t->fd);
		vsvm_gate_wait(&left);
		vsvm_buffer_check(buffer);
	}
	vsvm_buffer_unmap(buffer, 0, SIZE);
	vsvm_test_reopen(t);
	igt_assert_eq_u64(t->seen.vram_free, t->seen.vram_total - SIZE);
	t->seen = before;
	vsvm_gate_open(&left);
	igt_waitchildren();
	vsvm_gate_fini(&left);
	/* opening the device again is one fault and one dispatch */
	vsvm_expect(t, .order = order, .n_freed = count, .n_to_ram = count, .cpu_faults = count,
		    .gpu_4k = 1, .dispatches = 1);
}

/**
 * SUBTEST: generations
 * Description: children of children, each of which writes; nobody sees another one's data
 *
 * SUBTEST: generations-base
 * Description: the same with base pages in VRAM
 */
static void generation(struct vsvm_buffer *buffer, int depth)
{
	struct vsvm_test own;
	int status;
	pid_t pid;

	vsvm_buffer_check(buffer);
	if (!depth)
		return;
	vsvm_test_open(&own);
	vsvm_gpu_add(&own, buffer, 0, buffer->size, depth);
	pid = fork();
	igt_assert_lte(0, pid);
	if (!pid) {
		generation(buffer, depth - 1);
		_exit(IGT_EXIT_SUCCESS);
	}
	vsvm_gpu_add(&own, buffer, 0, buffer->size, 10 * depth);
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	igt_assert_eq(status, 0);
	vsvm_buffer_check(buffer);
}

static void generations(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	/* CPU and GPUs of all of them work on it at once: every access may move it */
	buffer = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, 1);
	(void)flags;
	vsvm_gpu_add(t, buffer, 0, buffer->size, 3);

	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		generation(buffer, 3);
	}
	vsvm_gpu_add(t, buffer, 0, buffer->size, 77);
	igt_waitchildren();
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: vfork
 * Description: a child that borrows the memory of its parent until it calls exec()
 *	leaves it in VRAM
 *
 * SUBTEST: vfork-base
 * Description: the same with base pages in VRAM
 */
static void run_vfork(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	pid_t pid = vfork();
	int status;

	igt_assert_lte(0, pid);
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(99);
	}
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	igt_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
}

static const struct vsvm_subtest subtests[] = {
	{"child-reads", child_reads, VSVM_BOTH, "A child reads what is in VRAM"},
	{"children-read", children_read, VSVM_BOTH, "Many children read at once"},
	{"child-writes", child_writes, VSVM_BOTH, "A child writes, the parent keeps its data"},
	{"parent-writes", parent_writes, VSVM_BOTH, "The parent writes, the child keeps its data"},
	{"gpu-writes", gpu_writes, VSVM_BOTH, "The GPU writes, the child keeps its data"},
	{"gpu-reads-shared", gpu_reads_shared, VSVM_BOTH, "The GPU reads what is shared"},
	{"to-vram", to_vram, VSVM_BOTH, "What is shared goes to VRAM"},
	{"both-gpu", both_gpu, VSVM_BOTH, "Parent and children use the GPU"},
	{"to-small", to_small, VSVM_HUGE, "A shared huge page goes to VRAM in base pages"},
	{"to-fragments", to_fragments, VSVM_HUGE, "A shared huge page goes to single pages"},
	{"home-in-pieces", home_in_pieces, VSVM_HUGE, "A shared folio is split"},
	{"home-without-huge-page", home_without_huge_page, VSVM_HUGE,
	 "A shared folio comes home in base pages"},
	{"child-unmaps-piece", child_unmaps_piece, VSVM_BOTH, "A child unmaps a part"},
	{"parent-leaves", parent_leaves, VSVM_BOTH, "A child has what its parent left"},
	{"vfork", run_vfork, VSVM_BOTH, "vfork() and exec()"},
	{"generations", generations, VSVM_BOTH, "Children of children"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
