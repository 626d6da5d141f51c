// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm stress
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: stress
 * Description: Everything that can be done to memory, in random order, while the GPU
 *	and other processes use it
 */

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Everything that can be done to memory, in random order");

#define BLOCKS	    6
#define SIZE	    (BLOCKS * VSVM_2M)
#define PAGES	    (SIZE / VSVM_4K)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)

/* The length of a run: the slow kernel of a debug build gets through it as well. */
#define OPERATIONS 250

/* Children that have the memory as it was when they were made. */
#define MAX_CHILDREN 3

/**
 * struct stress - a run
 * @t: the test
 * @buffer: the memory
 * @other: address space to move memory to and back
 * @random: state of the random numbers, so that a run can be repeated
 * @offset: start of the range of an operation
 * @length: its length
 * @children: processes that check the memory and exit
 */
struct stress {
	struct vsvm_test *t;
	struct vsvm_buffer *buffer;
	struct vsvm_buffer *other;
	uint64_t random;
	size_t offset;
	size_t length;
	pid_t children[MAX_CHILDREN];
};

static uint64_t next_random(struct stress *s, uint64_t limit)
{
	s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (s->random >> 33) % limit;
}

/* Whole blocks, or a part of one, or anything. */
static void choose_range(struct stress *s)
{
	uint64_t first = next_random(s, BLOCKS), count = 1 + next_random(s, BLOCKS - first);

	s->offset = first * VSVM_2M;
	s->length = count * VSVM_2M;
	if (next_random(s, 3)) {
		size_t page = next_random(s, PAGES);
		size_t most = next_random(s, 2) ? PAGES - page : BLOCK_PAGES - page % BLOCK_PAGES;

		s->offset = page * VSVM_4K;
		s->length = (1 + next_random(s, most)) * VSVM_4K;
	}
}

static uint8_t *start(struct stress *s)
{
	return s->buffer->ptr + s->offset;
}

static void op_gpu_add(struct stress *s)
{
	vsvm_gpu_add(s->t, s->buffer, s->offset, s->length, 1 + next_random(s, 1000));
}

static void op_gpu_sum(struct stress *s)
{
	vsvm_gpu_sum(s->t, s->buffer, s->offset, s->length, next_random(s, 1000));
}

static void op_check(struct stress *s)
{
	vsvm_buffer_check_range(s->buffer, s->offset, s->length);
}

static void op_fill(struct stress *s)
{
	vsvm_buffer_fill(s->buffer, s->offset, s->length, next_random(s, 1000));
}

static void op_prefetch(struct stress *s)
{
	uint64_t moved;

	igt_assert_eq(vsvm_try_prefetch(s->t->fd, start(s), s->length,
					next_random(s, 3) ? DRM_VSVM_LOCATION_VRAM
							  : DRM_VSVM_LOCATION_SYSTEM,
					&moved),
		      0);
}

static void op_dontneed(struct stress *s)
{
	igt_assert_eq(madvise(start(s), s->length, MADV_DONTNEED), 0);
	memset(s->buffer->shadow + s->offset, 0, s->length);
}

static void op_advise(struct stress *s)
{
	static const int advice[] = {MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_HUGEPAGE,
				     25 /* MADV_COLLAPSE */};

	/* what cannot be done now is no harm */
	(void)!madvise(start(s), s->length, advice[next_random(s, ARRAY_SIZE(advice))]);
}

static void op_protect(struct stress *s)
{
	igt_assert_eq(mprotect(start(s), s->length, PROT_READ), 0);
	vsvm_gpu_sum(s->t, s->buffer, s->offset, s->length, 5);
	igt_assert_eq(mprotect(start(s), s->length, PROT_READ | PROT_WRITE), 0);
}

/* Away and back; what is there twice is moved by whole tables where that can be. */
static void op_mremap(struct stress *s)
{
	uint8_t *to = s->other->ptr + (s->offset + next_random(s, 2) * VSVM_4K) % VSVM_2M;

	igt_assert(mremap(start(s), s->length, s->length, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	igt_assert(!memcmp(to, s->buffer->shadow + s->offset, s->length));
	igt_assert(mremap(to, s->length, s->length, MREMAP_MAYMOVE | MREMAP_FIXED, start(s)) ==
		   start(s));
}

static void op_map_again(struct stress *s)
{
	igt_assert(mmap(start(s), s->length, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == start(s));
	igt_assert_eq(madvise(start(s), s->length, MADV_HUGEPAGE), 0);
	memset(s->buffer->shadow + s->offset, 0, s->length);
}

static void reap(struct stress *s, int child)
{
	int status;

	if (!s->children[child])
		return;
	igt_assert_eq(waitpid(s->children[child], &status, 0), s->children[child]);
	s->children[child] = 0;
	igt_assert(WIFEXITED(status));
	igt_assert_eq(WEXITSTATUS(status), 0);
}

/* The child looks at its memory while the parent goes on. */
static void op_fork(struct stress *s)
{
	int child = next_random(s, MAX_CHILDREN);

	reap(s, child);
	s->children[child] = fork();
	igt_assert_lte(0, s->children[child]);
	if (s->children[child])
		return;
	for (size_t block = 0; block < SIZE; block += VSVM_2M)
		if (memcmp(s->buffer->ptr + block, s->buffer->shadow + block, VSVM_2M))
			_exit(1);
	memset(start(s), 0x5a, s->length);
	for (size_t i = 0; i < s->length; i++)
		if (start(s)[i] != 0x5a)
			_exit(2);
	_exit(0);
}

static void (*const operations[])(struct stress *) = {
	op_gpu_add,  op_gpu_add,  op_gpu_sum,  op_gpu_sum, op_check,
	op_fill,     op_prefetch, op_prefetch, op_fork,	   op_fork,
	op_dontneed, op_advise,	  op_protect,  op_mremap,  op_map_again,
};

static void run(struct vsvm_test *t, uint64_t seed)
{
	struct stress s = {.t = t, .random = seed};

	s.buffer = vsvm_buffer_create(SIZE, VSVM_THP);
	s.other = vsvm_buffer_create(SIZE + 2 * VSVM_2M, VSVM_THP);
	for (int i = 0; i < OPERATIONS; i++) {
		uint64_t choice = next_random(&s, ARRAY_SIZE(operations));

		choose_range(&s);
		igt_debug("seed %" PRIu64 " operation %d: %" PRIu64 ", pages %zu to %zu\n", seed, i,
			  choice, s.offset / VSVM_4K, (s.offset + s.length) / VSVM_4K);
		operations[choice](&s);
		if (i % 16 == 15)
			vsvm_buffer_check(s.buffer);
	}
	for (int child = 0; child < MAX_CHILDREN; child++)
		reap(&s, child);
	vsvm_buffer_check(s.buffer);
	vsvm_buffer_free(s.other);
	vsvm_buffer_free(s.buffer);
}

/**
 * SUBTEST: operations
 * Description: random operations on memory by GPU, CPU and children, all data checked
 *
 * SUBTEST: operations-base
 * Description: the same with base pages in VRAM
 */
static void operate(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	for (uint64_t seed = 1; seed <= 3; seed++)
		run(t, seed);
}

static const struct vsvm_subtest subtests[] = {
	{"operations", operate, VSVM_BOTH, "Random operations"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
