// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm advise
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: advice
 * Description: Advice is kept as it was given, GPU faults and prefetch keep to it, and it
 *	dies with the mapping
 */

#include <sys/mman.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Advice is kept, honoured, and dies with the mapping");

#define BLOCKS	    2
#define SIZE	    (BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)
#define MAX_RUNS    16

static void advise(struct vsvm_test *t, const struct vsvm_buffer *buffer, size_t offset,
		   size_t length, uint32_t attribute, uint32_t value)
{
	igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr + offset, length, attribute, value), 0);
}

/* One run of attributes; those that are not named are 0, the granularity is too. */
struct expected_run {
	size_t length;
	uint32_t value[DRM_VSVM_ATTRIBUTE_COUNT];
};

#define DEFAULT [DRM_VSVM_ATTRIBUTE_GRANULARITY] = 9
#define SYSTEM	[DRM_VSVM_ATTRIBUTE_LOCATION] = DRM_VSVM_LOCATION_SYSTEM
#define STAYS	[DRM_VSVM_ATTRIBUTE_NO_MIGRATE] = 1

static void expect_runs(struct vsvm_test *t, const void *addr, const struct expected_run *expected,
			uint32_t count)
{
	struct drm_vsvm_attributes_run runs[MAX_RUNS];
	struct drm_vsvm_attributes args = {
		.addr = (uintptr_t)addr,
		.runs = (uintptr_t)runs,
		.num_runs = MAX_RUNS,
	};
	uint64_t next = args.addr;

	for (uint32_t i = 0; i < count; i++)
		args.length += expected[i].length;
	memset(runs, 0xa5, sizeof(runs));
	igt_assert_eq(vsvm_ioctl(t->fd, DRM_IOCTL_VSVM_ATTRIBUTES, &args), 0);
	igt_assert_eq_u32(args.num_runs, count);
	for (uint32_t i = 0; i < count; i++) {
		igt_assert_eq_u64(runs[i].addr, next);
		igt_assert_eq_u64(runs[i].length, expected[i].length);
		for (int j = 0; j < DRM_VSVM_ATTRIBUTE_ROOM; j++)
			igt_assert_eq_u32(runs[i].value[j],
					  j < DRM_VSVM_ATTRIBUTE_COUNT ? expected[i].value[j] : 0);
		next += runs[i].length;
	}
}

#define EXPECT_RUNS(t, addr, ...)                                        \
	expect_runs(t, addr, (const struct expected_run[]){__VA_ARGS__}, \
		    sizeof((const struct expected_run[]){__VA_ARGS__}) / \
			    sizeof(struct expected_run))

/**
 * SUBTEST: attributes
 * Description: advice for parts splits runs, equal neighbours become one again
 */
static void attributes(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(SIZE, VSVM_THP);
	const size_t a = 3 * VSVM_4K, b = 600 * VSVM_4K, rest = SIZE - a - b;

	(void)flags;
	EXPECT_RUNS(t, buffer->ptr, {SIZE, {DEFAULT}});
	advise(t, buffer, a, b, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	EXPECT_RUNS(t, buffer->ptr, {a, {DEFAULT}}, {b, {DEFAULT, SYSTEM}}, {rest, {DEFAULT}});
	/* what is around it is as before */
	EXPECT_RUNS(t, buffer->ptr - VSVM_2M, {VSVM_2M + a, {DEFAULT}}, {b, {DEFAULT, SYSTEM}},
		    {rest + VSVM_2M, {DEFAULT}});

	/* across a boundary: four kinds */
	advise(t, buffer, 0, a + VSVM_4K, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	EXPECT_RUNS(t, buffer->ptr, {a, {DEFAULT, STAYS}}, {VSVM_4K, {DEFAULT, STAYS, SYSTEM}},
		    {b - VSVM_4K, {DEFAULT, SYSTEM}}, {rest, {DEFAULT}});
	/* in the middle of one, twice the same */
	advise(t, buffer, 1 * VSVM_4K, VSVM_4K, DRM_VSVM_ATTRIBUTE_GRANULARITY, 4);
	advise(t, buffer, 1 * VSVM_4K, VSVM_4K, DRM_VSVM_ATTRIBUTE_GRANULARITY, 4);
	EXPECT_RUNS(t, buffer->ptr, {VSVM_4K, {DEFAULT, STAYS}},
		    {VSVM_4K, {[DRM_VSVM_ATTRIBUTE_GRANULARITY] = 4, STAYS}},
		    {VSVM_4K, {DEFAULT, STAYS}}, {VSVM_4K, {DEFAULT, STAYS, SYSTEM}},
		    {b - VSVM_4K, {DEFAULT, SYSTEM}}, {rest, {DEFAULT}});

	/* and back, attribute by attribute */
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_GRANULARITY, 9);
	EXPECT_RUNS(t, buffer->ptr, {a, {DEFAULT, STAYS}}, {VSVM_4K, {DEFAULT, STAYS, SYSTEM}},
		    {b - VSVM_4K, {DEFAULT, SYSTEM}}, {rest, {DEFAULT}});
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	EXPECT_RUNS(t, buffer->ptr, {a + VSVM_4K, {DEFAULT, STAYS, SYSTEM}},
		    {SIZE - a - VSVM_4K, {DEFAULT, SYSTEM}});
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 0);
	EXPECT_RUNS(t, buffer->ptr, {SIZE, {DEFAULT, SYSTEM}});
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_NONE);
	EXPECT_RUNS(t, buffer->ptr, {SIZE, {DEFAULT}});

	/* a hole: nothing at all is set */
	igt_assert_eq(munmap(buffer->ptr + VSVM_2M, VSVM_4K), 0);
	igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1),
		      -EFAULT);
	igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr, VSVM_2M + VSVM_4K,
				      DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1),
		      -EFAULT);
	EXPECT_RUNS(t, buffer->ptr, {SIZE, {DEFAULT}});
	vsvm_expect(t, 0);
}

/* The GPU has read and written all of a buffer in system memory, one fault a block. */
static void expect_stayed(struct vsvm_test *t, const struct vsvm_buffer *buffer)
{
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
}

/**
 * SUBTEST: system
 * Description: what shall be in system memory is used from there, until that changes;
 *	a prefetch moves it all the same
 *
 * SUBTEST: system-base
 * Description: the same with base pages in VRAM
 */
static void prefer_system(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	expect_stayed(t, buffer);
	/* the same again changes nothing */
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	vsvm_expect(t, .dispatches = 1);

	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_VRAM);
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);

	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_prefetch(t, buffer, 0, SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_gpu_add(t, buffer, 0, SIZE, 6);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = vsvm_folios(flags, SIZE),
		    .n_to_vram = vsvm_folios(flags, SIZE), .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: no-migrate
 * Description: neither a fault nor a prefetch moves such memory, and after a prefetch the
 *	GPU does not fault on it; its neighbour moves as ever
 *
 * SUBTEST: no-migrate-base
 * Description: the same with base pages in VRAM
 */
static void no_migrate(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_buffer *fresh = vsvm_buffer_create(SIZE, VSVM_THP);
	struct vsvm_buffer *other = vsvm_buffer_create_filled(SIZE, VSVM_THP, 2);
	uint64_t moved = 1;

	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_VRAM);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	expect_stayed(t, buffer);

	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_NONE);
	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	vsvm_expect(t, .dispatches = 1);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);

	/* nothing is there yet: the GPU has it made in system memory */
	advise(t, fresh, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	vsvm_gpu_set(t, fresh, 0, SIZE, 7);
	expect_stayed(t, fresh);

	vsvm_gpu_add(t, other, 0, SIZE, 5);
	vsvm_expect_to_vram(t, SIZE, flags);
	/* advice moves nothing; what is in VRAM comes home when it is told to */
	advise(t, other, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	vsvm_expect_residency(t->fd, other->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	vsvm_prefetch(t, other, 0, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_gpu_add(t, other, 0, SIZE, 6);
	vsvm_expect(t, .order = vsvm_order(flags), .n_freed = vsvm_folios(flags, SIZE),
		    .n_to_ram = vsvm_folios(flags, SIZE), .gpu_2m = BLOCKS, .dispatches = 1);

	vsvm_buffer_check(buffer);
	vsvm_buffer_check(fresh);
	vsvm_buffer_check(other);
	vsvm_expect(t, 0);
}

/**
 * SUBTEST: granularity
 * Description: a fault moves as much as the granularity says, for each of them, of base
 *	pages in system memory
 */
static void granularity(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(10 * VSVM_2M, VSVM_SMALL, 1);

	(void)flags;
	for (uint32_t order = 0; order <= 9; order++) {
		const size_t block = order * VSVM_2M, pages = 1 << order;
		/* the third one, if there are so many, else the last one; and in the middle of it
		 */
		const size_t first = order < 8 ? 2 * pages : BLOCK_PAGES - pages;
		const size_t start = block + first * VSVM_4K, end = start + pages * VSVM_4K;
		const size_t at = start + pages / 2 * VSVM_4K;

		if (order == 1)
			continue;
		advise(t, buffer, block, VSVM_2M, DRM_VSVM_ATTRIBUTE_GRANULARITY, order);
		vsvm_gpu_set(t, buffer, at, VSVM_4K, 3);
		vsvm_expect(t, .allocated[0] = pages, .to_vram[0] = pages, .gpu_4k = order < 4,
			    .gpu_64k = order >= 4 && order < 9, .gpu_2m = order == 9,
			    .dispatches = 1);
		vsvm_expect_location(t->fd, buffer->ptr + start, end - start,
				     DRM_VSVM_LOCATION_VRAM);
		if (start > block)
			vsvm_expect_location(t->fd, buffer->ptr + block, start - block,
					     DRM_VSVM_LOCATION_SYSTEM);
		if (end < block + VSVM_2M)
			vsvm_expect_location(t->fd, buffer->ptr + end, block + VSVM_2M - end,
					     DRM_VSVM_LOCATION_SYSTEM);
	}
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: granularity-huge
 * Description: less than a huge page of system memory moves, and the data is right;
 *	a prefetch still moves huge pages whole
 */
static void granularity_huge(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	(void)flags;
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_GRANULARITY, 4);
	vsvm_prefetch(t, buffer, 0, VSVM_2M, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect(t, .allocated[9] = 1, .to_vram[9] = 1);
	vsvm_gpu_set(t, buffer, VSVM_2M + 20 * VSVM_4K, VSVM_4K, 3);
	vsvm_expect(t, .allocated[0] = 16, .to_vram[0] = 16, .gpu_64k = 1, .dispatches = 1);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M, 16 * VSVM_4K, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M + 16 * VSVM_4K, 16 * VSVM_4K,
			     DRM_VSVM_LOCATION_VRAM);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: read-mostly
 * Description: with no-migrate the GPU reads memory where it is, and its first write
 *	faults; without, it moves then
 *
 * SUBTEST: read-mostly-base
 * Description: the same with base pages in VRAM
 */
static void read_mostly(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_READ_MOSTLY, 1);
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	expect_stayed(t, buffer);
	/* the CPU writes, and the GPU sees it without another fault */
	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 4);
	vsvm_expect(t, .dispatches = 1);
	vsvm_gpu_set(t, buffer, 0, SIZE, 5);
	expect_stayed(t, buffer);

	/* it is entered read-only by a prefetch too: written to, it faults, and now it moves */
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, NULL), 0);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 6);
	vsvm_expect(t, .dispatches = 1);
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 0);
	vsvm_gpu_set(t, buffer, 0, SIZE, 7);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 8);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, SIZE, flags);
}

/* One atomic addition to the first word of a block. */
static void atomic_add(struct vsvm_test *t, struct vsvm_buffer *buffer, size_t block)
{
	vsvm_run(t, .kernel = VSVM_KERNEL_AMO,
		 .arg = {.addr = (uintptr_t)buffer->ptr + block, .value = 5});
	*(uint64_t *)(buffer->shadow + block) += 5;
}

/**
 * SUBTEST: atomic-device
 * Description: an atomic operation moves memory to VRAM that reads and writes leave alone
 *
 * SUBTEST: atomic-device-base
 * Description: the same with base pages in VRAM
 */
static void atomic_device(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_ATOMIC, DRM_VSVM_ATOMIC_DEVICE);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	expect_stayed(t, buffer);
	atomic_add(t, buffer, VSVM_2M);
	vsvm_expect_to_vram(t, VSVM_2M, flags);
	vsvm_expect_location(t->fd, buffer->ptr, VSVM_2M, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M, VSVM_2M, DRM_VSVM_LOCATION_VRAM);
	/* it is there now */
	atomic_add(t, buffer, VSVM_2M);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: atomic-system
 * Description: an atomic operation leaves memory in system memory that a write moves to
 *	VRAM
 *
 * SUBTEST: atomic-system-base
 * Description: the same with base pages in VRAM
 */
static void atomic_system(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_ATOMIC, DRM_VSVM_ATOMIC_SYSTEM);
	atomic_add(t, buffer, 0);
	vsvm_expect(t, .gpu_2m = 1, .dispatches = 1);
	vsvm_expect_location(t->fd, buffer->ptr, VSVM_2M, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_gpu_set(t, buffer, VSVM_2M, VSVM_2M, 3);
	vsvm_expect_to_vram(t, VSVM_2M, flags);
	atomic_add(t, buffer, VSVM_2M);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
	vsvm_expect_home(t, VSVM_2M, flags);

	/* mapped for reads and writes: the first atomic operation is seen */
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	expect_stayed(t, buffer);
	atomic_add(t, buffer, 0);
	vsvm_expect(t, .gpu_2m = 1, .dispatches = 1);
	atomic_add(t, buffer, 0);
	vsvm_expect(t, .dispatches = 1);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: unmap
 * Description: advice goes with the memory that is unmapped or replaced, and with no
 *	other; a new mapping has none
 */
static void unmap(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	const size_t piece = 10 * VSVM_4K, rest = VSVM_2M - piece;

	(void)flags;
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	advise(t, buffer, VSVM_2M, VSVM_2M, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	/* in the middle of a run */
	igt_assert_eq(munmap(buffer->ptr + piece, piece), 0);
	EXPECT_RUNS(t, buffer->ptr, {piece, {DEFAULT, STAYS}}, {piece, {DEFAULT}},
		    {rest - piece, {DEFAULT, STAYS}}, {VSVM_2M, {DEFAULT, STAYS, SYSTEM}});
	/* the end of one and the start of the next, by another mapping */
	igt_assert(mmap(buffer->ptr + rest, 2 * piece, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	EXPECT_RUNS(t, buffer->ptr, {piece, {DEFAULT, STAYS}}, {piece, {DEFAULT}},
		    {rest - 2 * piece, {DEFAULT, STAYS}}, {2 * piece, {DEFAULT}},
		    {rest, {DEFAULT, STAYS, SYSTEM}});
	/* what was dropped, not unmapped, keeps it */
	igt_assert_eq(madvise(buffer->ptr + VSVM_2M + piece, rest, MADV_DONTNEED), 0);
	memset(buffer->shadow + VSVM_2M + piece, 0, rest);
	EXPECT_RUNS(t, buffer->ptr + VSVM_2M, {piece, {DEFAULT}}, {rest, {DEFAULT, STAYS, SYSTEM}});
	vsvm_gpu_set(t, buffer, VSVM_2M + piece, rest, 3);
	vsvm_expect_location(t->fd, buffer->ptr + VSVM_2M + piece, rest, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_buffer_check_range(buffer, VSVM_2M + piece, rest);
	/* and all of several at once */
	igt_assert_eq(munmap(buffer->ptr, SIZE), 0);
	EXPECT_RUNS(t, buffer->ptr, {SIZE, {DEFAULT}});
	igt_assert(mmap(buffer->ptr, SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == buffer->ptr);
	EXPECT_RUNS(t, buffer->ptr, {SIZE, {DEFAULT}});
}

/**
 * SUBTEST: mremap
 * Description: a mapping that moves leaves its advice behind and none stays there; one
 *	that grows or shrinks in place keeps it
 */
static void moved(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_buffer *to = vsvm_buffer_create(SIZE, VSVM_THP);
	uint8_t *from = buffer->ptr;

	(void)flags;
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	advise(t, to, 0, SIZE, DRM_VSVM_ATTRIBUTE_LOCATION, DRM_VSVM_LOCATION_SYSTEM);
	/* shrinks, then grows */
	igt_assert(mremap(from, SIZE, VSVM_2M, 0) == from);
	EXPECT_RUNS(t, from, {VSVM_2M, {DEFAULT, STAYS}}, {VSVM_2M, {DEFAULT}});
	igt_assert(mremap(from, VSVM_2M, SIZE, 0) == from);
	EXPECT_RUNS(t, from, {VSVM_2M, {DEFAULT, STAYS}}, {VSVM_2M, {DEFAULT}});
	memset(buffer->shadow + VSVM_2M, 0, VSVM_2M);
	advise(t, buffer, 0, SIZE, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1);
	EXPECT_RUNS(t, from, {SIZE, {DEFAULT, STAYS}});
	/* moves, to where there was other advice */
	igt_assert(mremap(from, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to->ptr) == to->ptr);
	EXPECT_RUNS(t, from, {SIZE, {DEFAULT}});
	EXPECT_RUNS(t, to->ptr, {SIZE, {DEFAULT}});
	memcpy(to->shadow, buffer->shadow, SIZE);
	vsvm_buffer_check(to);
}

static const struct vsvm_subtest subtests[] = {
	{"attributes", attributes, VSVM_HUGE, "Runs of attributes"},
	{"system", prefer_system, VSVM_BOTH, "System memory as preferred location"},
	{"no-migrate", no_migrate, VSVM_BOTH, "Memory that must not migrate"},
	{"granularity", granularity, VSVM_HUGE, "Granularity of migration"},
	{"granularity-huge", granularity_huge, VSVM_HUGE, "Parts of huge pages migrate"},
	{"read-mostly", read_mostly, VSVM_BOTH, "Reads leave memory where it is"},
	{"atomic-device", atomic_device, VSVM_BOTH, "Atomics in VRAM"},
	{"atomic-system", atomic_system, VSVM_BOTH, "Atomics in system memory"},
	{"unmap", unmap, VSVM_HUGE, "Advice dies with the mapping"},
	{"mremap", moved, VSVM_HUGE, "Advice and mappings that move or change their size"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
