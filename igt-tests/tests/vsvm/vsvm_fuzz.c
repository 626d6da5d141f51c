// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm fuzz
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: ioctls
 * Description: Calls with random arguments, from several threads: the kernel refuses what is
 *	wrong, and everything works afterwards
 */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Calls with random arguments, from several threads");

#define THREADS	     4
#define SIZE	     (4 * VSVM_2M)
#define SCRATCH	     VSVM_2M
#define ENOUGH_CALLS 100
#define QUEUES	     8
#define ALL_QUEUES   1024
/* Far from where the kernel puts anything of its own accord. */
#define MAPPED	     ((uint8_t *)0x200000000000)
#define JOBS	     4
#define NUM_CALLS    (DRM_VSVM_ATTRIBUTES + 1)

/* Of a run, unless it is to be longer. */
#define FUZZ_SECONDS 3

/**
 * struct fuzz - a run
 * @t: the test
 * @data: memory that random calls move, but that nothing writes to
 * @scratch: what the kernel and the GPU may write to
 * @jobs: what touches the scratch memory only; some run for long
 * @stop: the threads are to end
 * @calls: how many of each ioctl were made
 * @good: how many of them succeeded
 */
struct fuzz {
	struct vsvm_test *t;
	struct vsvm_buffer *data;
	struct vsvm_buffer *scratch;
	struct drm_vsvm_submit jobs[JOBS];
	atomic_bool stop;
	atomic_ulong calls[NUM_CALLS];
	atomic_ulong good[NUM_CALLS];
};

struct fuzzer {
	struct fuzz *fuzz;
	uint64_t random;
	int fd;
};

static uint64_t next(struct fuzzer *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

static uint64_t below(struct fuzzer *f, uint64_t end)
{
	return next(f) % end;
}

static bool one_in(struct fuzzer *f, uint64_t number)
{
	return !below(f, number);
}

/* A number at the edge of something, or any. */
static uint64_t odd_number(struct fuzzer *f)
{
	switch (below(f, 6)) {
	case 0: return next(f);
	case 1: return 1ULL << below(f, 64);
	case 2: return (1ULL << below(f, 64)) - 1;
	case 3: return -below(f, 1 << 14);
	case 4: return next(f) >> below(f, 64);
	default: return below(f, 16);
	}
}

/* An address that nobody can have: of the kernel, or of none. */
static uint64_t wild_address(struct fuzzer *f)
{
	return next(f) | 1ULL << 63 | (one_in(f, 2) ? 0x7fffULL << 48 : 0);
}

/* Where the kernel or the GPU may write: in the scratch memory, or nowhere. */
static uint64_t writable(struct fuzzer *f)
{
	if (one_in(f, 4))
		return wild_address(f);
	return (uintptr_t)f->fuzz->scratch->ptr + (below(f, SCRATCH) & -8ULL);
}

static void random_range(struct fuzzer *f, __u64 *addr, __u64 *length)
{
	const uint8_t *bases[] = {f->fuzz->data->ptr, f->fuzz->scratch->ptr, MAPPED};

	if (one_in(f, 8)) {
		*addr = odd_number(f);
		*length = odd_number(f);
		return;
	}
	*addr = (uintptr_t)bases[below(f, 3)] + below(f, SIZE / VSVM_4K) * VSVM_4K;
	*length = (1 + below(f, 2 * SIZE / VSVM_4K)) * VSVM_4K;
	if (one_in(f, 16))
		*addr += below(f, VSVM_4K);
}

static uint32_t random_flags(struct fuzzer *f)
{
	return one_in(f, 8) ? odd_number(f) : 0;
}

static uint32_t random_queue(struct fuzzer *f)
{
	return one_in(f, 8) ? odd_number(f) : 1 + below(f, QUEUES);
}

static void random_dimensions(struct fuzzer *f, __u32 *dimensions)
{
	for (int i = 0; i < 3; i++)
		dimensions[i] = one_in(f, 16) ? odd_number(f) : 1 + below(f, 4);
}

static void random_submit(struct fuzzer *f, struct drm_vsvm_submit *submit)
{
	*submit = f->fuzz->jobs[below(f, JOBS)];
	submit->queue_id = random_queue(f);
	submit->flags = random_flags(f);
	submit->fence_addr = one_in(f, 4) ? 0 : writable(f);
	submit->fence_value = next(f);
	submit->local_size = random_flags(f);
	submit->reserved[below(f, 2)] = random_flags(f);
	random_dimensions(f, submit->groups);
	random_dimensions(f, submit->group_size);
	if (one_in(f, 8))
		submit->entry = wild_address(f);
	if (one_in(f, 8)) {
		submit->stack_base = odd_number(f);
		submit->stack_size = odd_number(f);
	}
}

static unsigned long random_call(struct fuzzer *f, unsigned int call, void *args)
{
	switch (call) {
	case DRM_VSVM_QUERY:
		*(struct drm_vsvm_query *)args = (struct drm_vsvm_query){
			.query = one_in(f, 4) ? odd_number(f) : below(f, 2),
			.size = one_in(f, 4) ? odd_number(f) : below(f, 2048),
			.data = writable(f)};
		/* as much as can be written must have room */
		if (((struct drm_vsvm_query *)args)->data >> 63 == 0)
			((struct drm_vsvm_query *)args)->data &= -8192ULL;
		return DRM_IOCTL_VSVM_QUERY;
	case DRM_VSVM_PREFETCH: {
		struct drm_vsvm_prefetch *prefetch = args;

		*prefetch = (struct drm_vsvm_prefetch){.location = one_in(f, 8) ? odd_number(f)
										: 1 + below(f, 2),
						       .flags = random_flags(f)};
		if (one_in(f, 4)) {
			prefetch->flags = DRM_VSVM_PREFETCH_ASYNC;
			prefetch->fence_addr = writable(f);
			prefetch->fence_value = next(f);
		}
		random_range(f, &prefetch->addr, &prefetch->length);
		return DRM_IOCTL_VSVM_PREFETCH;
	}
	case DRM_VSVM_RESIDENCY: {
		struct drm_vsvm_residency *residency = args;

		*residency = (struct drm_vsvm_residency){
			.runs = one_in(f, 4) ? wild_address(f)
					     : (uintptr_t)f->fuzz->scratch->ptr + SCRATCH / 4,
			.num_runs = below(f, 64),
			.flags = random_flags(f)};
		random_range(f, &residency->addr, &residency->length);
		return DRM_IOCTL_VSVM_RESIDENCY;
	}
	case DRM_VSVM_QUEUE_CREATE:
		*(struct drm_vsvm_queue_create *)args =
			(struct drm_vsvm_queue_create){.flags = random_flags(f)};
		return DRM_IOCTL_VSVM_QUEUE_CREATE;
	case DRM_VSVM_QUEUE_DESTROY:
		*(struct drm_vsvm_queue_destroy *)args = (struct drm_vsvm_queue_destroy){
			.queue_id = random_queue(f), .pad = random_flags(f)};
		return DRM_IOCTL_VSVM_QUEUE_DESTROY;
	case DRM_VSVM_SUBMIT: random_submit(f, args); return DRM_IOCTL_VSVM_SUBMIT;
	case DRM_VSVM_ADVISE: {
		struct drm_vsvm_advise *advise = args;

		*advise = (struct drm_vsvm_advise){
			.attribute =
				one_in(f, 8) ? odd_number(f) : below(f, DRM_VSVM_ATTRIBUTE_COUNT),
			.value = one_in(f, 8) ? odd_number(f) : below(f, 3),
			.flags = random_flags(f),
			.pad = random_flags(f)};
		random_range(f, &advise->addr, &advise->length);
		return DRM_IOCTL_VSVM_ADVISE;
	}
	case DRM_VSVM_ATTRIBUTES: {
		struct drm_vsvm_attributes *attributes = args;

		*attributes = (struct drm_vsvm_attributes){
			.runs = one_in(f, 4) ? wild_address(f)
					     : (uintptr_t)f->fuzz->scratch->ptr + SCRATCH / 4,
			.num_runs = below(f, 64),
			.flags = random_flags(f)};
		random_range(f, &attributes->addr, &attributes->length);
		return DRM_IOCTL_VSVM_ATTRIBUTES;
	}
	default:
		*(struct drm_vsvm_wait *)args = (struct drm_vsvm_wait){
			.fence_addr = one_in(f, 8) ? odd_number(f) : writable(f),
			.fence_value = one_in(f, 4) ? odd_number(f) : 0,
			.timeout_ns = one_in(f, 4) ? (int64_t)(odd_number(f) | 1ULL << 63) : 0,
			.queue_id = random_queue(f),
			.flags = random_flags(f)};
		return DRM_IOCTL_VSVM_WAIT;
	}
}

static void make_call(struct fuzzer *f)
{
	unsigned int call = below(f, NUM_CALLS);
	union {
		struct drm_vsvm_submit submit;
		uint8_t bytes[256];
	} args = {};
	unsigned long request = random_call(f, call, &args);
	int ret;

	if (one_in(f, 32))
		ret = vsvm_ioctl(f->fd, request, (void *)(uintptr_t)wild_address(f));
	else if (one_in(f, 32))
		/* another size, direction or number */
		ret = vsvm_ioctl(f->fd, request ^ 1UL << below(f, 32), &args);
	else
		ret = vsvm_ioctl(f->fd, request, &args);
	f->fuzz->calls[call]++;
	f->fuzz->good[call] += !ret;
}

static void *fuzz_thread(void *arg)
{
	struct fuzzer *f = arg;

	while (!f->fuzz->stop)
		make_call(f);
	return NULL;
}

static void prepare_jobs(struct fuzz *fuzz)
{
	static const enum vsvm_kernel kernels[JOBS] = {VSVM_KERNEL_ATOMIC, VSVM_KERNEL_SPIN,
						       VSVM_KERNEL_ILLEGAL, VSVM_KERNEL_AMO};

	for (int i = 0; i < JOBS; i++)
		vsvm_prepare_submit(
			fuzz->t,
			&(struct vsvm_job){.kernel = kernels[i],
					   .arg = {.addr = (uintptr_t)fuzz->scratch->ptr,
						   .count = 1,
						   .result = (uintptr_t)fuzz->scratch->ptr + 64}},
			&fuzz->jobs[i]);
}

static void destroy_queue(struct fuzzer *f, uint32_t id)
{
	struct drm_vsvm_queue_destroy destroy = {.queue_id = id};

	vsvm_ioctl(f->fd, DRM_IOCTL_VSVM_QUEUE_DESTROY, &destroy);
}

/* Work of any queue, also of one that only an odd number was for. */
static void end_all_work(struct fuzzer *f)
{
	for (uint32_t id = 1; id <= ALL_QUEUES; id++)
		destroy_queue(f, id);
	usleep(10000);
}

/* What else goes on in a process: memory comes and goes, queues and files do. */
static void disturb(struct fuzzer *f)
{
	void *memory;
	int fd;

	/* ends what spins */
	*(volatile uint64_t *)f->fuzz->scratch->ptr = 1;
	destroy_queue(f, 1 + below(f, QUEUES));

	memory = mmap(MAPPED, SIZE, one_in(f, 4) ? PROT_NONE : PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	igt_assert(memory == MAPPED);
	if (one_in(f, 2))
		igt_assert_eq(munmap(MAPPED, SIZE), 0);

	fd = vsvm_open(0);
	igt_assert_fd(fd);
	close(fd);
	usleep(10000);
}

static void expect_both_ways(struct fuzz *fuzz)
{
	for (unsigned int call = 0; call < NUM_CALLS; call++) {
		igt_info("ioctl %u: %lu calls, %lu of them good\n", call, fuzz->calls[call],
			 fuzz->good[call]);
		/* a slow machine does not come to many */
		if (fuzz->calls[call] < ENOUGH_CALLS)
			continue;
		igt_assert_lt_u64(0, fuzz->good[call]);
		igt_assert_lt_u64(fuzz->good[call], fuzz->calls[call]);
	}
}

/**
 * SUBTEST: ioctls
 * Description: threads make random calls, good and bad ones
 *
 * SUBTEST: ioctls-base
 * Description: the same with base pages in VRAM
 */
static void fuzz_ioctls(struct vsvm_test *t, unsigned int flags)
{
	unsigned int seconds = vsvm_stress_seconds(FUZZ_SECONDS);
	struct fuzz fuzz = {
		.t = t,
		.data = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1),
		.scratch = vsvm_buffer_create(SCRATCH, VSVM_THP),
	};
	struct fuzzer main_fuzzer = {.fuzz = &fuzz, .random = 99, .fd = t->fd};
	struct fuzzer fuzzers[THREADS];
	struct timespec began = {};
	pthread_t threads[THREADS];

	(void)flags;
	prepare_jobs(&fuzz);
	for (int i = 0; i < THREADS; i++) {
		fuzzers[i] = (struct fuzzer){.fuzz = &fuzz, .random = 1 + i, .fd = t->fd};
		igt_assert_eq(pthread_create(&threads[i], NULL, fuzz_thread, &fuzzers[i]), 0);
	}
	while (igt_seconds_elapsed(&began) < seconds)
		disturb(&main_fuzzer);
	fuzz.stop = true;
	/* a random call can have become a wait for work that spins, without a timeout */
	for (int i = 0; i < THREADS; i++)
		while (pthread_tryjoin_np(threads[i], NULL) == EBUSY)
			end_all_work(&main_fuzzer);

	vsvm_buffer_check(fuzz.data);
	munmap(MAPPED, SIZE);
	vsvm_test_reopen(t);
	vsvm_gpu_add(t, fuzz.data, 0, SIZE, 5);
	vsvm_buffer_check(fuzz.data);
	expect_both_ways(&fuzz);
}

static const struct vsvm_subtest subtests[] = {
	{"ioctls", fuzz_ioctls, VSVM_BOTH, "Random calls from several threads"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
