// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm multi-size THP
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: migration
 * Description: Folios of the orders 2 to 8, which page table entries map, move to VRAM
 *	and back as what they are
 */

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsvm_subtests.h"
#include "vsvm_thp.h"

IGT_TEST_DESCRIPTION("Folios of the orders 2 to 8 move to VRAM and back as what they are");

#define BLOCKS	    2
#define SIZE	    (BLOCKS * VSVM_2M)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)
#define PAGES	    (BLOCKS * BLOCK_PAGES)

static size_t folio_bytes(unsigned int order)
{
	return VSVM_4K << order;
}

static uint64_t folios(unsigned int order)
{
	return SIZE / folio_bytes(order);
}

/* It moves to VRAM by one GPU fault for each block. */
static void to_vram(struct vsvm_test *t, struct vsvm_buffer *buffer, unsigned int order)
{
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .order = order, .n_allocated = folios(order), .n_to_vram = folios(order),
		    .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, order);
}

/* It comes home, each folio by a CPU fault somewhere in it. */
static void home(struct vsvm_test *t, struct vsvm_buffer *buffer, unsigned int order)
{
	size_t inside = VSVM_4K * ((1U << order) - 1);

	vsvm_cpu_touch(buffer, inside, SIZE - inside, folio_bytes(order));
	vsvm_expect(t, .order = order, .n_freed = folios(order), .n_to_ram = folios(order),
		    .cpu_faults = folios(order));
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
}

/**
 * SUBTEST: round-trip-order-%s
 * Description: folios of an order go to VRAM, come home and go again as such; none is left
 *
 * arg[1]:
 *
 * @2: 16 KiB
 * @3: 32 KiB
 * @4: 64 KiB
 * @5: 128 KiB
 * @6: 256 KiB
 * @7: 512 KiB
 * @8: 1 MiB
 */
static void round_trip(struct vsvm_test *t, unsigned int order)
{
	long before = vsvm_thp_anon(order);
	struct vsvm_buffer *buffer = vsvm_thp_buffer(SIZE, order, 1);

	to_vram(t, buffer, order);
	home(t, buffer, order);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, 0);

	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	to_vram(t, buffer, order);
	home(t, buffer, order);
	vsvm_buffer_check(buffer);
	vsvm_buffer_free(buffer);
	igt_assert_eq(vsvm_thp_anon(order), (int)before);
}

/**
 * SUBTEST: fork-order-%s
 * Description: a child reads what is in VRAM, which brings it home for both; what either
 *	writes then is its own
 *
 * arg[1]:
 *
 * @2: 16 KiB
 * @3: 32 KiB
 * @4: 64 KiB
 * @5: 128 KiB
 * @6: 256 KiB
 * @7: 512 KiB
 * @8: 1 MiB
 */
static void fork_read(struct vsvm_test *t, unsigned int order)
{
	struct vsvm_buffer *buffer = vsvm_thp_buffer(SIZE, order, 5);

	to_vram(t, buffer, order);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		vsvm_buffer_check(buffer);
		memset(buffer->ptr, 0xee, SIZE);
	}
	igt_waitchildren();
	vsvm_expect(t, .order = order, .n_freed = folios(order), .n_to_ram = folios(order),
		    .cpu_faults = folios(order));
	vsvm_buffer_check(buffer);
	vsvm_expect(t, 0);
}

/**
 * SUBTEST: to-small-order-%s
 * Description: folios that a fork has shared go to VRAM in base pages; parent and child
 *	both have all of their data
 *
 * arg[1]:
 *
 * @2: 16 KiB
 * @3: 32 KiB
 * @4: 64 KiB
 * @5: 128 KiB
 * @6: 256 KiB
 * @7: 512 KiB
 * @8: 1 MiB
 */
static void to_small(struct vsvm_test *t, unsigned int order)
{
	struct vsvm_buffer *buffer = vsvm_thp_buffer(SIZE, order, 6);
	struct vsvm_gate gate;

	vsvm_gate_init(&gate);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		vsvm_gate_wait(&gate);
		vsvm_buffer_check(buffer);
	}
	vsvm_module_set_huge(false);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 3);
	vsvm_module_set_huge(true);
	vsvm_expect(t, .allocated[0] = PAGES, .to_vram[0] = PAGES, .gpu_2m = BLOCKS,
		    .dispatches = 1);
	vsvm_gate_open(&gate);
	igt_waitchildren();
	vsvm_gate_fini(&gate);
	vsvm_expect(t, .freed[0] = PAGES, .to_ram[0] = PAGES, .cpu_faults = PAGES);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: unmap-page-order-%s
 * Description: munmap() takes a page out of every folio in VRAM; the first CPU fault splits
 *	what is left, and each page comes home on its own
 *
 * arg[1]:
 *
 * @2: 16 KiB
 * @3: 32 KiB
 * @4: 64 KiB
 * @5: 128 KiB
 * @6: 256 KiB
 * @7: 512 KiB
 * @8: 1 MiB
 */
static void unmap_page(struct vsvm_test *t, unsigned int order)
{
	struct vsvm_buffer *buffer = vsvm_thp_buffer(SIZE, order, 7);
	size_t bytes = folio_bytes(order);
	uint64_t left = PAGES - folios(order);

	to_vram(t, buffer, order);
	for (size_t offset = 0; offset < SIZE; offset += bytes)
		vsvm_buffer_unmap(buffer, offset + VSVM_4K, VSVM_4K);
	/* it is freed with the folio, or with the part that a split makes of it */
	vsvm_expect(t, 0);

	for (size_t offset = 0; offset < SIZE; offset += bytes) {
		vsvm_buffer_check_range(buffer, offset, VSVM_4K);
		vsvm_buffer_check_range(buffer, offset + 2 * VSVM_4K, bytes - 2 * VSVM_4K);
	}
	vsvm_expect(t, .split = left, .freed[0] = PAGES, .to_ram[0] = left, .cpu_faults = left);
}

/**
 * SUBTEST: unmap-order-%s
 * Description: munmap() frees folios in VRAM, each by one call
 *
 * arg[1]:
 *
 * @2: 16 KiB
 * @3: 32 KiB
 * @4: 64 KiB
 * @5: 128 KiB
 * @6: 256 KiB
 * @7: 512 KiB
 * @8: 1 MiB
 */
static void unmap(struct vsvm_test *t, unsigned int order)
{
	struct vsvm_buffer *buffer = vsvm_thp_buffer(SIZE, order, 8);

	to_vram(t, buffer, order);
	vsvm_buffer_free(buffer);
	vsvm_expect(t, .order = order, .n_freed = folios(order));
}

/**
 * SUBTEST: fill-order-%s
 * Description: memory that nobody has touched gets zeroed folios of that order in VRAM, in
 *	rows of holes that have room for them
 *
 * arg[1]:
 *
 * @2: 16 KiB
 * @3: 32 KiB
 * @4: 64 KiB
 * @5: 128 KiB
 * @6: 256 KiB
 * @7: 512 KiB
 * @8: 1 MiB
 */
static void fill(struct vsvm_test *t, unsigned int order)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(SIZE, VSVM_SMALL);
	uint64_t whole = folios(order) - 1, rest = 1U << order;

	/* one folio has no room for this page */
	vsvm_buffer_fill(buffer, VSVM_4K, VSVM_4K, 9);
	vsvm_module_set_fill_order(order);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_module_set_fill_order(0);
	vsvm_expect(t, .order = order, .n_allocated = whole, .n_to_vram = whole,
		    .allocated[0] = rest, .to_vram[0] = rest, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_buffer_check(buffer);
	vsvm_expect(t, .order = order, .n_freed = whole, .n_to_ram = whole, .freed[0] = rest,
		    .to_ram[0] = rest, .cpu_faults = whole + rest);
}

/* Threads that read the pages of a folio, starting together. */
#define THREADS 16

struct reader {
	pthread_t thread;
	pthread_barrier_t *start;
	const struct vsvm_buffer *buffer;
	size_t offset;
};

static void *read_folio(void *data)
{
	struct reader *reader = data;

	pthread_barrier_wait(reader->start);
	for (size_t offset = reader->offset; offset < SIZE; offset += THREADS * VSVM_4K)
		if (memcmp(reader->buffer->ptr + offset, reader->buffer->shadow + offset, VSVM_4K))
			return reader;
	return NULL;
}

/**
 * SUBTEST: threads-order-%s
 * Description: many threads fault on the pages of the same folios at once: each folio comes
 *	home once
 *
 * arg[1]:
 *
 * @2: 16 KiB
 * @3: 32 KiB
 * @4: 64 KiB
 * @5: 128 KiB
 * @6: 256 KiB
 * @7: 512 KiB
 * @8: 1 MiB
 */
static void threads(struct vsvm_test *t, unsigned int order)
{
	struct vsvm_buffer *buffer = vsvm_thp_buffer(SIZE, order, 10);
	struct reader readers[THREADS];
	pthread_barrier_t start;
	void *wrong;

	to_vram(t, buffer, order);
	igt_assert_eq(pthread_barrier_init(&start, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++) {
		readers[i] =
			(struct reader){.start = &start, .buffer = buffer, .offset = i * VSVM_4K};
		igt_assert_eq(pthread_create(&readers[i].thread, NULL, read_folio, &readers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		igt_assert_eq(pthread_join(readers[i].thread, &wrong), 0);
		igt_assert(!wrong);
	}
	pthread_barrier_destroy(&start);
	vsvm_expect(t, .order = order, .n_freed = folios(order), .n_to_ram = folios(order),
		    .cpu_faults = folios(order), .more_cpu_faults = THREADS * folios(order));
}

/**
 * SUBTEST: remap-order-%s
 * Description: mremap() moves memory in VRAM by one page: its folios cannot come home whole
 *	where they are cut by the end of a page table, and are right everywhere
 *
 * arg[1]:
 *
 * @2: 16 KiB
 * @3: 32 KiB
 * @4: 64 KiB
 * @5: 128 KiB
 * @6: 256 KiB
 * @7: 512 KiB
 * @8: 1 MiB
 */
static void remap(struct vsvm_test *t, unsigned int order)
{
	struct vsvm_buffer *buffer = vsvm_thp_buffer(SIZE, order, 11);
	uint64_t cut = BLOCKS, whole = folios(order) - cut, pages = cut << order;
	const size_t room = SIZE + 2 * VSVM_2M;
	uint8_t *space, *to;

	to_vram(t, buffer, order);
	space = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	igt_assert(space != MAP_FAILED);
	to = space + 2 * VSVM_2M - (uintptr_t)space % VSVM_2M - VSVM_4K;
	igt_assert(mremap(buffer->ptr, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	igt_assert_eq(memcmp(to, buffer->shadow, SIZE), 0);
	vsvm_expect(t, .order = order, .n_freed = whole, .n_to_ram = whole, .freed[0] = pages,
		    .to_ram[0] = pages, .split = pages - cut, .cpu_faults = whole + pages);
	igt_assert_eq(munmap(space, room), 0);
}

static const struct {
	const char *name;
	void (*run)(struct vsvm_test *t, unsigned int order);
	const char *description;
} subtests[] = {
	{"round-trip", round_trip, "Folios move to VRAM, back, and again"},
	{"fork", fork_read, "A child reads what is in VRAM"},
	{"to-small", to_small, "Shared folios go to VRAM in base pages"},
	{"unmap-page", unmap_page, "A page of each folio is unmapped"},
	{"unmap", unmap, "munmap() frees VRAM"},
	{"fill", fill, "New memory gets folios"},
	{"threads", threads, "Many threads fault at once"},
	{"remap", remap, "mremap() to where folios are cut"},
};

int igt_main()
{
	static struct vsvm_test test;

	for (size_t i = 0; i < ARRAY_SIZE(subtests); i++) {
		for (unsigned int order = 2; order <= 8; order++) {
			igt_describe_f("%s, order %u", subtests[i].description, order);
			igt_subtest_f("%s-order-%u", subtests[i].name, order) {
				igt_require(vsvm_thp_available());
				vsvm_test_begin(&test, 0);
				subtests[i].run(&test, order);
				vsvm_test_end(&test);
			}
		}
	}
}
