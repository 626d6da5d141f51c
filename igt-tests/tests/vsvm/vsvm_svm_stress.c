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

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_cgroup.h"
#include "vsvm_proc.h"
#include "vsvm_settings.h"
#include "vsvm_subtests.h"
#include "vsvm_zram.h"

IGT_TEST_DESCRIPTION("Everything that can be done to memory, in random order");

#define BLOCKS	    6
#define SIZE	    (BLOCKS * VSVM_2M)
#define PAGES	    (SIZE / VSVM_4K)
#define BLOCK_PAGES (VSVM_2M / VSVM_4K)

/* The length of a run: the slow kernel of a debug build gets through it as well. */
#define OPERATIONS 250
#define SEEDS	   3

/* Of a run under pressure, unless it is to be longer. */
#define PRESSURE_SECONDS 20

/* Older C libraries do not know this. */
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

/* Processes under pressure, each with all of its memory twice over. */
#define WORKERS	  2
#define SWAP_SIZE ((size_t)256 << 20)

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
 * @disturbed: somebody else moves the memory about as well
 */
struct stress {
	struct vsvm_test *t;
	struct vsvm_buffer *buffer;
	struct vsvm_buffer *other;
	uint64_t random;
	size_t offset;
	size_t length;
	pid_t children[MAX_CHILDREN];
	bool disturbed;
};

static uint64_t random_of(uint64_t *state, uint64_t limit)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*state >> 33) % limit;
}

static uint64_t next_random(struct stress *s, uint64_t limit)
{
	return random_of(&s->random, limit);
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
	int ret = vsvm_try_prefetch(
		s->t->fd, start(s), s->length,
		next_random(s, 3) ? DRM_VSVM_LOCATION_VRAM : DRM_VSVM_LOCATION_SYSTEM, NULL);

	igt_assert(!ret || s->disturbed);
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

/* The address space that memory was moved away from is used for nothing else. */
static void keep(uint8_t *addr, size_t length)
{
	igt_assert(mmap(addr, length, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == addr);
}

/*
 * Away and back; what is there twice is moved by whole tables where that can be. Of a range
 * that somebody else has used while it was mapped anew, the parts stay apart, and do not move.
 */
static void op_mremap(struct stress *s)
{
	uint8_t *to = s->other->ptr + (s->offset + next_random(s, 2) * VSVM_4K) % VSVM_2M;
	uint8_t *at = mremap(start(s), s->length, s->length, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	if (at == to) {
		igt_assert(!memcmp(to, s->buffer->shadow + s->offset, s->length));
		igt_assert(mremap(to, s->length, s->length, MREMAP_MAYMOVE | MREMAP_FIXED,
				  start(s)) == start(s));
	} else {
		igt_assert(s->disturbed && errno == EFAULT);
	}
	keep(to, s->length);
}

static void op_map_again(struct stress *s)
{
	keep(start(s), s->length);
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

static void begin(struct stress *s, struct vsvm_test *t, uint64_t seed)
{
	*s = (struct stress){.t = t, .random = seed};
	s->buffer = vsvm_buffer_create(SIZE, VSVM_THP);
	s->other = vsvm_buffer_create(SIZE + 2 * VSVM_2M, VSVM_THP);
}

static void operation(struct stress *s, int number)
{
	uint64_t choice = next_random(s, ARRAY_SIZE(operations));

	choose_range(s);
	igt_debug("operation %d: %" PRIu64 ", pages %zu to %zu\n", number, choice,
		  s->offset / VSVM_4K, (s->offset + s->length) / VSVM_4K);
	operations[choice](s);
	if (number % 16 == 15)
		vsvm_buffer_check(s->buffer);
}

static void end(struct stress *s)
{
	for (int child = 0; child < MAX_CHILDREN; child++)
		reap(s, child);
	vsvm_buffer_check(s->buffer);
	vsvm_buffer_free(s->other);
	vsvm_buffer_free(s->buffer);
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
	/* other ones when it runs again */
	static uint64_t last;
	struct stress s;

	(void)flags;
	last += SEEDS;
	for (uint64_t seed = last - SEEDS + 1; seed <= last; seed++) {
		igt_debug("seed %" PRIu64 "\n", seed);
		begin(&s, t, seed);
		for (int i = 0; i < OPERATIONS; i++)
			operation(&s, i);
		end(&s);
	}
}

/**
 * struct disturber - a thread that uses the memory of a run, whatever is done to it
 * @thread: the thread
 * @s: the run
 * @own: the device, opened once more
 * @sums: work of the GPU that came to its end
 * @faults: work of the GPU that met memory which was not there
 * @error: what else the device said, 0 for nothing
 * @stop: true when it is to end
 */
struct disturber {
	pthread_t thread;
	const struct stress *s;
	struct vsvm_test own;
	uint64_t sums;
	uint64_t faults;
	int error;
	volatile bool stop;
};

/* The GPU reads what may be moved, unmapped or thrown away at this moment. */
static void sum_anyway(struct disturber *d, const uint8_t *addr, size_t length)
{
	uint64_t value =
		vsvm_submit(&d->own, &(struct vsvm_job){.kernel = VSVM_KERNEL_SUM,
							.arg = {.addr = (uintptr_t)addr,
								.count = length / VSVM_4K}});
	int ret = vsvm_try_wait(&d->own, value, VSVM_TIMEOUT, NULL);

	if (!ret) {
		d->sums++;
	} else if (ret == -EIO) {
		d->faults++;
		vsvm_new_queue(&d->own);
	} else {
		d->error = ret;
	}
}

static void *disturb(void *arg)
{
	static const int advice[] = {MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED};
	struct disturber *d = arg;
	unsigned long nodes[] = {1, 2};
	uint64_t random = 99;

	while (!d->stop && !d->error) {
		const struct vsvm_buffer *buffer =
			random_of(&random, 4) ? d->s->buffer : d->s->other;
		size_t page = random_of(&random, PAGES);
		size_t length = (1 + random_of(&random, PAGES - page)) * VSVM_4K;
		uint8_t *addr = buffer->ptr + page * VSVM_4K;
		uint64_t node = random_of(&random, 2);

		/* what cannot be done now is no harm */
		switch (random_of(&random, 6)) {
		case 0:
			vsvm_try_prefetch(d->own.fd, addr, length, DRM_VSVM_LOCATION_VRAM, NULL);
			break;
		case 1:
			vsvm_try_prefetch(d->own.fd, addr, length, DRM_VSVM_LOCATION_SYSTEM, NULL);
			break;
		case 2:
			(void)!syscall(SYS_migrate_pages, 0, 64UL, &nodes[node], &nodes[!node]);
			break;
		case 3: (void)!madvise(addr, length, advice[random_of(&random, 3)]); break;
		default: sum_anyway(d, addr, length);
		}
	}
	return NULL;
}

static void work(unsigned int number, unsigned int seconds)
{
	struct disturber d = {};
	struct timespec began = {};
	struct vsvm_test own;
	struct stress s;
	int count = 0;

	igt_assert(vsvm_write_file(VSVM_CGROUP "cgroup.procs", "0"));
	/* all of it, so that mappings stay alike and in one piece for mremap() */
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		igt_info("no KSM of a whole process\n");
	vsvm_test_open(&own);
	vsvm_test_open(&d.own);
	begin(&s, &own, number);
	s.disturbed = true;
	d.s = &s;
	igt_assert_eq(pthread_create(&d.thread, NULL, disturb, &d), 0);
	while (igt_seconds_elapsed(&began) < seconds)
		operation(&s, count++);
	d.stop = true;
	igt_assert_eq(pthread_join(d.thread, NULL), 0);
	igt_assert_eq(d.error, 0);
	igt_assert_lt_u64(0, d.sums);
	end(&s);
	igt_info("worker %u: %d operations, meanwhile %" PRIu64 " sums and %" PRIu64
		 " without all of the memory\n",
		 number, count, d.sums, d.faults);
}

/* What goes on in the system, in turn: compaction, reclaim, huge folios on and off. */
static void press(uint64_t *random)
{
	char text[24];

	switch (random_of(random, 5)) {
	case 0: vsvm_write_file("/proc/sys/vm/compact_memory", "1"); break;
	case 1: vsvm_write_file(VSVM_CGROUP "memory.reclaim", "16M"); break;
	case 2:
		snprintf(text, sizeof(text), "%lld",
			 vsvm_read_number(VSVM_CGROUP "memory.current") / 4 * 3);
		vsvm_write_file(VSVM_CGROUP "memory.high", text);
		usleep(20000);
		vsvm_write_file(VSVM_CGROUP "memory.high", "max");
		break;
	default: vsvm_module_set_huge(random_of(random, 3));
	}
	usleep(20000);
}

/**
 * SUBTEST: pressure
 * Description: the same in several processes, while other threads migrate the memory and
 *	let the GPU read it, with khugepaged, KSM, NUMA balancing, compaction, reclaim
 *	to swap and a limit of the control group at work
 */
static void pressure(struct vsvm_test *t, unsigned int flags)
{
	unsigned int seconds = vsvm_stress_seconds(PRESSURE_SECONDS);
	struct timespec began = {};
	uint64_t random = 7;

	(void)flags;
	vsvm_zram_create(SWAP_SIZE);
	vsvm_zram_swapon();
	vsvm_cgroup_create();
	/* all of them often, none of them all the time */
	if (!vsvm_setting(VSVM_KHUGEPAGED "scan_sleep_millisecs", 20) ||
	    !vsvm_setting(VSVM_KSM "sleep_millisecs", 20) ||
	    !vsvm_setting(VSVM_KSM "pages_to_scan", 1000) || !vsvm_setting(VSVM_KSM "run", 1) ||
	    !vsvm_setting(VSVM_BALANCING, 1))
		igt_info("khugepaged, KSM or NUMA balancing are missing\n");
	igt_fork(child, WORKERS)
		work(child, seconds);
	while (igt_seconds_elapsed(&began) < seconds)
		press(&random);
	igt_waitchildren();
	vsvm_settings_reset();
	vsvm_cgroup_destroy();
	vsvm_zram_destroy();
	vsvm_module_set_huge(true);
	vsvm_forget_counters(t);
}

static const struct vsvm_subtest subtests[] = {
	{"operations", operate, VSVM_BOTH | VSVM_AGAIN, "Random operations"},
	{"pressure", pressure, VSVM_HUGE, "Random operations under pressure"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
