// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm allocator
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: memory of all origins
 * Description: The GPU works on memory wherever it comes from, by one job or many, from
 *	threads and processes; both sides see what the other has written
 */

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsvm_proc.h"
#include "vsvm_settings.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("The GPU works on memory wherever it comes from");

#define SIZE	(2 * VSVM_2M)
#define ROUNDS	4
#define WORKERS 4

struct origin;

/*
 * Memory of some origin. It begins somewhere in a page, and so does what the GPU takes for
 * pages. Each word of it has a twin that no GPU touches.
 */
struct region {
	const struct origin *origin;
	uint8_t *ptr;
	size_t size;
	uint8_t *mapping; /* if it is in the middle of one */
	size_t mapped;
	uint8_t *shadow;
};

struct origin {
	const char *name;
	const char *description;
	void (*get)(struct region *region);
	bool stays; /* in system memory, whoever works on it */
};

/* Always by a mapping of its own: the rest of a heap would stay in VRAM after free(). */
static void get_malloc(struct region *r)
{
	igt_assert_eq(mallopt(M_MMAP_THRESHOLD, VSVM_2M / 2), 1);
	r->ptr = calloc(1, SIZE);
	igt_assert(r->ptr);
	r->size = SIZE;
}

static void get_mapping(struct region *r, size_t size, int flags, int fd)
{
	r->mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	igt_assert(r->mapping != MAP_FAILED);
	r->mapped = size;
	r->ptr = r->mapping;
	r->size = size;
}

static void get_mmap(struct region *r)
{
	get_mapping(r, SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void get_shared(struct region *r)
{
	get_mapping(r, SIZE, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static void get_file(struct region *r)
{
	char path[] = "/tmp/vsvm-file-XXXXXX";
	int fd = mkstemp(path);

	igt_assert_fd(fd);
	unlink(path);
	igt_assert_eq(ftruncate(fd, SIZE), 0);
	get_mapping(r, SIZE, MAP_SHARED, fd);
	close(fd);
}

static void get_hugetlb(struct region *r)
{
	get_mapping(r, SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

static void get_locked(struct region *r)
{
	get_mapping(r, SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	igt_assert_eq(mlock(r->ptr, r->size), 0);
}

/* Neither its address nor its size is that of pages, blocks or anything else. */
static void get_odd(struct region *r)
{
	get_mapping(r, SIZE + 5 * VSVM_4K, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	r->ptr += 3 * VSVM_4K + 1032;
	r->size = SIZE - 3 * VSVM_4K;
}

static const struct origin origins[] = {
	{"malloc", "malloc()", get_malloc, false},
	{"mmap", "anonymous private memory", get_mmap, false},
	{"shared", "anonymous shared memory", get_shared, true},
	{"file", "a file mapped shared", get_file, true},
	{"hugetlb", "huge pages of hugetlb", get_hugetlb, true},
	{"locked", "locked memory", get_locked, false},
	{"odd", "memory of odd address and size", get_odd, false},
};

static void region_get(struct region *r, const struct origin *origin)
{
	memset(r, 0, sizeof(*r));
	r->origin = origin;
	/* of another kind than what may move, so that the kernel does not join the two */
	r->shadow = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	igt_assert(r->shadow != MAP_FAILED);
	origin->get(r);
	igt_assert(r->size <= SIZE);
}

static void region_put(struct region *r)
{
	igt_assert_eq(munmap(r->shadow, SIZE), 0);
	if (r->mapping)
		igt_assert_eq(munmap(r->mapping, r->mapped), 0);
	else
		free(r->ptr);
}

static size_t region_pages(const struct region *r)
{
	return r->size / VSVM_4K;
}

static void region_fill(struct region *r, uint64_t seed)
{
	uint64_t *words = (uint64_t *)r->ptr, *twins = (uint64_t *)r->shadow;

	for (size_t i = 0; i < r->size / 8; i++)
		words[i] = twins[i] = vsvm_pattern(seed, i);
}

static void region_check(const struct region *r)
{
	igt_assert(!memcmp(r->ptr, r->shadow, r->size));
}

/* The GPU adds to a word of each of some pages. */
static void region_add(struct vsvm_test *t, struct region *r, size_t first, size_t pages,
		       uint64_t value)
{
	vsvm_run(t, .kernel = VSVM_KERNEL_ADD,
		 .arg = {.addr = (uintptr_t)r->ptr + first * VSVM_4K,
			 .count = pages,
			 .value = value});
	for (size_t page = 0; page < pages; page++)
		*(uint64_t *)(r->shadow + first * VSVM_4K + vsvm_touch(page, value)) += value;
}

/* Units of some size that it is in. */
static uint64_t region_units(const struct region *r, size_t unit)
{
	uint64_t start = (uintptr_t)r->ptr, end = start + region_pages(r) * VSVM_4K;

	return (end + unit - 1) / unit - start / unit;
}

/* Blocks of 2 MiB that it is in, each of which the GPU faults on once. */
static uint64_t region_blocks(const struct region *r)
{
	return region_units(r, VSVM_2M);
}

/*
 * Faults of the GPU if nobody has touched it: of what stays in system memory, 64 KiB are
 * faulted in at once, which with hugetlb makes the whole block accessible to the next one.
 */
static uint64_t region_first_faults(const struct region *r)
{
	if (!strcmp(r->origin->name, "hugetlb"))
		return 2 * region_blocks(r);
	return r->origin->stays ? region_units(r, 16 * VSVM_4K) : region_blocks(r);
}

/* All GPU faults since the last look at the counters, of any size; none was in vain. */
static void expect_faults(struct vsvm_test *t, uint64_t expected)
{
	struct drm_vsvm_counters now;
	uint64_t served = 0;

	vsvm_query_counters(t->fd, &now);
	for (unsigned int i = 0; i < ARRAY_SIZE(now.gpu_faults_served); i++)
		served += now.gpu_faults_served[i] - t->seen.gpu_faults_served[i];
	igt_assert_eq_u64(served, expected);
	igt_assert_eq_u64(now.gpu_faults_stale, t->seen.gpu_faults_stale);
	igt_assert_eq_u64(now.gpu_faults_failed, t->seen.gpu_faults_failed);
	t->seen = now;
}

static void expect_place(struct vsvm_test *t, const struct region *r)
{
	uint8_t *start = r->ptr - (uintptr_t)r->ptr % VSVM_4K;

	vsvm_expect_location(t->fd, start + VSVM_4K, r->size - 2 * VSVM_4K,
			     r->origin->stays ? DRM_VSVM_LOCATION_SYSTEM : DRM_VSVM_LOCATION_VRAM);
}

/**
 * SUBTEST: rounds-%s
 * Description: GPU and CPU by turns, several times; memory that moves does so each time.
 *	%arg[1]
 *
 * SUBTEST: jobs-%s
 * Description: many jobs one after the other, which fault on each block once. %arg[1]
 *
 * SUBTEST: untouched-%s
 * Description: the GPU is the first to touch it. %arg[1]
 *
 * SUBTEST: again-%s
 * Description: freed and allocated again for each job. %arg[1]
 *
 * SUBTEST: more-%s
 * Description: another one for each job, and all of them are kept. %arg[1]
 *
 * SUBTEST: threads-%s
 * Description: threads have the GPU work on the same pages at once, each by a file of its
 *	own. %arg[1]
 *
 * SUBTEST: processes-%s
 * Description: processes do so at once, each on memory of its own. %arg[1]
 *
 * arg[1]:
 *
 * @malloc: malloc()
 * @mmap: anonymous private memory
 * @shared: anonymous shared memory
 * @file: a file mapped shared
 * @hugetlb: huge pages of hugetlb
 * @locked: locked memory
 * @odd: memory of odd address and size
 */
static void rounds(struct vsvm_test *t, const struct origin *origin)
{
	struct region r;

	region_get(&r, origin);
	region_fill(&r, 1);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		vsvm_forget_counters(t);
		region_add(t, &r, 0, region_pages(&r), i + 1);
		expect_faults(t, i && origin->stays ? 0 : region_blocks(&r));
		expect_place(t, &r);
		region_check(&r);
	}
	region_put(&r);
}

static void jobs(struct vsvm_test *t, const struct origin *origin)
{
	struct region r;

	region_get(&r, origin);
	region_fill(&r, 1);
	vsvm_forget_counters(t);
	for (size_t page = 0; page + 8 <= region_pages(&r); page += 8)
		region_add(t, &r, page, 8, page + 1);
	region_add(t, &r, 0, region_pages(&r), 7);
	expect_faults(t, region_blocks(&r));
	expect_place(t, &r);
	region_check(&r);
	region_put(&r);
}

static void untouched(struct vsvm_test *t, const struct origin *origin)
{
	struct region r;

	region_get(&r, origin);
	vsvm_forget_counters(t);
	region_add(t, &r, 0, region_pages(&r), 3);
	expect_faults(t, region_first_faults(&r));
	region_check(&r);
	region_put(&r);
}

static void again(struct vsvm_test *t, const struct origin *origin)
{
	struct region r;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		region_get(&r, origin);
		region_fill(&r, i);
		vsvm_forget_counters(t);
		region_add(t, &r, 0, region_pages(&r), i + 1);
		expect_faults(t, region_blocks(&r));
		if (i % 2)
			region_check(&r);
		region_put(&r);
	}
}

static void more(struct vsvm_test *t, const struct origin *origin)
{
	struct region r[ROUNDS];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		region_get(&r[i], origin);
		region_fill(&r[i], i);
		region_add(t, &r[i], 0, region_pages(&r[i]), i + 1);
	}
	for (unsigned int i = 0; i < ROUNDS; i++)
		region_check(&r[i]);
	for (unsigned int i = 0; i < ROUNDS; i++)
		region_put(&r[i]);
}

struct worker {
	struct vsvm_test test;
	struct region *region;
	pthread_barrier_t *barrier;
	uint64_t value;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(w->barrier);
	vsvm_run(&w->test, .kernel = VSVM_KERNEL_ADD,
		 .arg = {.addr = (uintptr_t)w->region->ptr,
			 .count = region_pages(w->region),
			 .value = w->value});
	return NULL;
}

static void threads(struct vsvm_test *t, const struct origin *origin)
{
	struct worker *workers = calloc(WORKERS, sizeof(*workers));
	pthread_t ids[WORKERS];
	pthread_barrier_t barrier;
	struct region r;

	igt_assert(workers);
	region_get(&r, origin);
	region_fill(&r, 1);
	igt_assert_eq(pthread_barrier_init(&barrier, NULL, WORKERS), 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		workers[i].region = &r;
		workers[i].barrier = &barrier;
		/* a word of its own in each page */
		workers[i].value = i + 1;
		vsvm_test_open(&workers[i].test);
	}
	for (unsigned int i = 0; i < WORKERS; i++)
		igt_assert_eq(pthread_create(&ids[i], NULL, work, &workers[i]), 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		igt_assert_eq(pthread_join(ids[i], NULL), 0);
		for (size_t page = 0; page < region_pages(&r); page++)
			*(uint64_t *)(r.shadow + vsvm_touch(page, i + 1)) += i + 1;
	}
	region_check(&r);
	for (unsigned int i = 0; i < WORKERS; i++)
		vsvm_test_close(&workers[i].test);
	pthread_barrier_destroy(&barrier);
	region_put(&r);
	free(workers);
	(void)t;
}

static void processes(struct vsvm_test *t, const struct origin *origin)
{
	igt_fork(child, WORKERS) {
		struct vsvm_test own;
		struct region r;

		vsvm_test_open(&own);
		region_get(&r, origin);
		region_fill(&r, child);
		for (unsigned int i = 0; i < ROUNDS; i++) {
			region_add(&own, &r, 0, region_pages(&r), child + i);
			region_check(&r);
		}
		region_put(&r);
	}
	igt_waitchildren();
	(void)t;
}

static const struct {
	const char *name;
	void (*run)(struct vsvm_test *t, const struct origin *origin);
	unsigned int regions; /* at once */
} ways[] = {
	{"rounds", rounds, 1},
	{"jobs", jobs, 1},
	{"untouched", untouched, 1},
	{"again", again, 1},
	{"more", more, ROUNDS},
	{"threads", threads, 1},
	{"processes", processes, WORKERS},
};

/* Huge pages for hugetlb are there while a subtest needs them. */
static void reserve(const struct origin *origin, unsigned int regions)
{
	if (strcmp(origin->name, "hugetlb"))
		return;
	igt_require(vsvm_setting("/proc/sys/vm/nr_hugepages", regions * SIZE / VSVM_2M));
	igt_require_f(vsvm_read_number("/proc/sys/vm/nr_hugepages") >=
			      (long long)(regions * SIZE / VSVM_2M),
		      "no memory for hugetlb\n");
}

int igt_main()
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		for (unsigned int j = 0; j < ARRAY_SIZE(origins); j++) {
			igt_describe_f("%s: %s", ways[i].name, origins[j].description);
			igt_subtest_f("%s-%s", ways[i].name, origins[j].name) {
				static struct vsvm_test t;

				reserve(&origins[j], ways[i].regions);
				vsvm_test_begin(&t, 0);
				ways[i].run(&t, &origins[j]);
				vsvm_test_end(&t);
				vsvm_settings_reset();
			}
		}
	}
}
