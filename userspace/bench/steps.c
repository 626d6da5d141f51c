// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Single steps, and several threads.
 */
#include <pthread.h>

#include "bench.h"

#define FOLIOS 1000

/* Nanoseconds of FOLIOS folios, without the driver's allocator. */
static void folios(struct bench *bench, unsigned int order, unsigned int repeats)
{
	struct result result = {
		.name = "alloc_free",
		.pages = order ? PAGES_HUGE : PAGES_SMALL,
		.bytes = FOLIOS * (4096UL << order),
		.threads = 1,
		.repeats = repeats,
	};
	uint64_t all, blocks;
	unsigned int i;

	for (i = 0; i < repeats; i++) {
		all = measure(bench, "folios %u %u", order, FOLIOS);
		blocks = measure(bench, "blocks %u %u", order, FOLIOS);
		result.sample[i].ns = all > blocks ? all - blocks : 0;
		/* How much of the whole the driver's allocator has. */
		result.sample[i].migrate_ns = all;
	}
	report_add(&result);
}

void bench_folios(struct bench *bench, unsigned int repeats)
{
	folios(bench, 9, repeats);
	folios(bench, 0, repeats);
}

struct work {
	struct bench *bench;
	struct memory memory;
	enum drm_vsvm_location location;
	pthread_barrier_t *start;
	pthread_t thread;
	uint64_t begin, end;
	/* Without a device: the kernel's memcpy() of so many bytes. */
	bool memcpy;
};

static void *work(void *data)
{
	struct work *work = data;
	struct bench own;

	if (work->memcpy)
		measure_open(&own);
	pthread_barrier_wait(work->start);
	work->begin = now_ns();
	if (work->memcpy) {
		uint64_t ns = measure(&own, "memcpy %zu", work->memory.bytes);

		work->end = now_ns();
		work->begin = work->end - ns;
		measure_close(&own);
	} else {
		must(vsvm_prefetch(work->bench->dev, work->memory.start, work->memory.bytes,
				   work->location, NULL));
		work->end = now_ns();
	}
	return NULL;
}

/* Lets @n threads work at once. Returns the time from the first start to the last end. */
static uint64_t work_all(struct work *works, unsigned int n)
{
	pthread_barrier_t start;
	uint64_t begin = UINT64_MAX, end = 0;
	unsigned int i;

	pthread_barrier_init(&start, NULL, n);
	for (i = 0; i < n; i++) {
		works[i].start = &start;
		if (pthread_create(&works[i].thread, NULL, work, &works[i]))
			fail("no thread");
	}
	for (i = 0; i < n; i++) {
		pthread_join(works[i].thread, NULL);
		begin = works[i].begin < begin ? works[i].begin : begin;
		end = works[i].end > end ? works[i].end : end;
	}
	pthread_barrier_destroy(&start);
	return end - begin;
}

static uint64_t move(struct work *works, unsigned int n, enum drm_vsvm_location location,
		     bool memcpy)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		works[i].location = location;
		works[i].memcpy = memcpy;
	}
	return work_all(works, n);
}

/* One repetition of @n threads, there and back. */
static void once(struct work *works, unsigned int n, struct sample *there, struct sample *back)
{
	there->memcpy_ns = move(works, n, DRM_VSVM_LOCATION_VRAM, true);
	back->memcpy_ns = there->memcpy_ns;
	there->ns = move(works, n, DRM_VSVM_LOCATION_VRAM, false);
	back->ns = move(works, n, DRM_VSVM_LOCATION_SYSTEM, false);
}

void bench_threads(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats)
{
	struct result there[THREADS], back[THREADS];
	struct work works[THREADS];
	struct sample warm;
	unsigned int i, n;

	for (i = 0; i < THREADS; i++) {
		works[i] = (struct work){.bench = bench, .memory = memory_get(bytes, pages)};
		there[i] = (struct result){
			.name = "threads_to_vram",
			.pages = pages,
			.bytes = bytes * (i + 1),
			.threads = i + 1,
			.repeats = repeats,
		};
		back[i] = there[i];
		back[i].name = "threads_to_ram";
	}
	once(works, THREADS, &warm, &warm);
	/* In turn, so that what else the machine does meets both alike. */
	for (i = 0; i < repeats; i++)
		for (n = 0; n < THREADS; n++)
			once(works, n + 1, &there[n].sample[i], &back[n].sample[i]);
	for (n = 0; n < THREADS; n++) {
		memory_check(&works[n].memory);
		memory_put(&works[n].memory);
		report_add(&there[n]);
		report_add(&back[n]);
	}
}
