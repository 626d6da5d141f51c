// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * usage: device-test MODULE
 *
 * The library on a real device; skipped (77) where there is none.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "floats.h"

#define SECOND	 1000000000LL
#define PATIENCE (60 * SECOND)
#define SKIPPED	 77

static struct vsvm_device *dev;
static struct vsvm_module *module;
static struct drm_vsvm_info info;

static const struct vsvm_kernel *kernel(const char *name)
{
	const struct vsvm_kernel *found = NULL;

	check(!vsvm_module_kernel(module, name, &found));
	return found;
}

static struct vsvm_queue *new_queue(void)
{
	struct vsvm_queue *queue = NULL;

	check(!vsvm_queue_create(dev, &queue));
	return queue;
}

/* Launches in a queue of its own and waits. Returns what the wait says. */
static int run(const struct vsvm_launch *launch, struct vsvm_failure *failure)
{
	struct vsvm_queue *queue = new_queue();
	uint64_t fence = 0;
	int err;

	check(!vsvm_queue_launch(queue, launch, &fence));
	err = vsvm_queue_wait(queue, fence, PATIENCE, failure);
	vsvm_queue_destroy(queue);
	return err;
}

static void test_open(void)
{
	struct vsvm_device *other = NULL;

	check(vsvm_device_open(12345, &other) == -ENODEV && !other);
	check(vsvm_device_open_path("/dev/null", &other) == -ENODEV && !other);
	check(vsvm_device_open_path("/dev/dri/nothing", &other) == -ENOENT && !other);
	check(!vsvm_device_info(dev, &info, sizeof(info)));
	check(info.num_cus && info.max_group && info.vram_size && !info.device_index);
}

/* What a newer or older program has in its structure must do no harm. */
static void test_sizes(void)
{
	struct {
		struct drm_vsvm_info info;
		uint64_t later[4];
	} large;
	uint32_t version = 0;

	memset(&large, 0xff, sizeof(large));
	check(!vsvm_device_info(dev, &large.info, sizeof(large)));
	check(!memcmp(&large.info, &info, sizeof(info)));
	check(!large.later[0] && !large.later[3]);
	check(!vsvm_device_info(dev, (struct drm_vsvm_info *)&version, sizeof(version)));
	check(version == info.uapi_version);
}

static void test_ids(void)
{
	static unsigned long out[3 * 2 * 2 * 4 * 2][8];
	struct vsvm_launch launch = {
		.kernel = kernel("ids"),
		.arg = out,
		.groups = {3, 2, 2},
		.group_size = {4, 2},
	};
	unsigned long i;

	check(!run(&launch, NULL));
	for (i = 0; i < 3 * 2 * 2 * 8; i++) {
		unsigned long local = i % 8, group = i / 8;

		check(out[i][0] == group % 3 * 4 + local % 4);
		check(out[i][1] == group / 3 % 2 * 2 + local / 4);
		check(out[i][2] == group / 6);
		check(out[i][3] == local);
		check(out[i][4] == group);
		check(out[i][5] == 3 * 2 * 2 * 8);
		check(out[i][6] == 8);
		check(out[i][7] == 1);
	}
}

static void test_stack(void)
{
	static unsigned long out[64];
	struct vsvm_launch launch = {
		.kernel = kernel("recursion"),
		.arg = out,
		.groups = {8},
		.group_size = {8},
	};
	struct vsvm_queue *queue = new_queue();
	static const uint32_t sizes[] = {0, 8192, 5000, 1 << 16};
	uint64_t fence;
	size_t s, i;

	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		memset(out, 0, sizeof(out));
		launch.stack_size = sizes[s];
		check(!vsvm_queue_launch(queue, &launch, &fence));
		check(!vsvm_queue_wait(queue, fence, PATIENCE, NULL));
		/* 4 * (0 + ... + 20) */
		for (i = 0; i < 64; i++)
			check(out[i] == 840);
	}
	vsvm_queue_destroy(queue);
}

static void test_barrier(const char *name, uint32_t local_size)
{
	static unsigned long out[4][16];
	struct vsvm_launch launch = {
		.kernel = kernel(name),
		.arg = out,
		.groups = {4},
		.group_size = {16},
		.local_size = local_size,
	};
	int g, i;

	memset(out, 0, sizeof(out));

	check(!run(&launch, NULL));
	for (g = 0; g < 4; g++)
		for (i = 0; i < 16; i++)
			check(out[g][i] == (i + 1UL) % 16);
}

static void test_floats(void)
{
	static struct floats got[256], want[256];
	struct vsvm_launch launch = {
		.kernel = kernel("floating"),
		.arg = got,
		.groups = {32},
		.group_size = {8},
	};
	uint64_t state = 1;
	int i;

	for (i = 0; i < 256; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		got[i].a = (double)(int64_t)state / 1024;
		got[i].b = (double)(state >> 40) / (i + 1) - 1000;
		want[i] = got[i];
		compute_floats(&want[i]);
	}
	check(!run(&launch, NULL));
	for (i = 0; i < 256; i++)
		check(!memcmp(&got[i], &want[i], sizeof(want[i])));
}

/* A process whose work never ends can be killed, and the GPU goes on for others. */
static void test_kill(void)
{
	struct vsvm_launch launch = {.kernel = kernel("endless"), .groups = {64}};
	struct timespec start, end;
	struct vsvm_queue *queue;
	int ready[2], status;
	uint64_t fence;
	pid_t child;
	char c = 0;

	check(!pipe(ready));
	child = fork();
	if (!child) {
		if (vsvm_device_open(0, &dev) || vsvm_queue_create(dev, &queue) ||
		    vsvm_queue_launch(queue, &launch, &fence) || write(ready[1], &c, 1) != 1)
			_exit(1);
		vsvm_queue_wait(queue, fence, VSVM_WAIT_FOREVER, NULL);
		_exit(2);
	}
	check(child > 0 && read(ready[0], &c, 1) == 1);
	usleep(100000);
	clock_gettime(CLOCK_MONOTONIC, &start);
	check(!kill(child, SIGKILL));
	check(waitpid(child, &status, 0) == child);
	clock_gettime(CLOCK_MONOTONIC, &end);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	printf("killed in %ld ms\n",
	       (long)(end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
	close(ready[0]);
	close(ready[1]);
	test_ids();
}

static void test_bad_launches(void)
{
	struct vsvm_queue *queue = new_queue();
	struct vsvm_launch launch = {.kernel = kernel("add_one"), .groups = {1}};
	struct vsvm_launch bad;
	uint64_t fence = 99;

	bad = launch;
	bad.kernel = NULL;
	check(vsvm_queue_launch(queue, &bad, &fence) == -EINVAL);
	bad = launch;
	bad.groups[0] = 0;
	check(vsvm_queue_launch(queue, &bad, &fence) == -EINVAL);
	bad = launch;
	bad.flags = 1;
	check(vsvm_queue_launch(queue, &bad, &fence) == -EINVAL);
	bad = launch;
	bad.group_size[0] = info.max_group + 1;
	check(vsvm_queue_launch(queue, &bad, &fence) == -EINVAL);
	bad = launch;
	bad.group_size[0] = bad.group_size[1] = bad.group_size[2] = UINT32_MAX;
	check(vsvm_queue_launch(queue, &bad, &fence) == -EINVAL);
	bad = launch;
	bad.stack_size = UINT32_MAX;
	check(vsvm_queue_launch(queue, &bad, &fence) == -EINVAL);
	bad = launch;
	bad.local_size = info.max_local + 1;
	check(vsvm_queue_launch(queue, &bad, &fence) == -EINVAL);
	check(fence == 99);
	check(vsvm_queue_wait(queue, 0, 0, NULL) == -EINVAL);
	check(vsvm_queue_wait(queue, 1, 0, NULL) == -EINVAL);
	vsvm_queue_destroy(queue);
	vsvm_queue_destroy(NULL);
}

static void test_failure(const char *name, void *arg, uint32_t status)
{
	struct vsvm_launch launch = {.kernel = kernel(name), .arg = arg, .groups = {1}};
	struct vsvm_queue *queue = new_queue();
	struct vsvm_failure failure = {0};
	uint64_t fence = 0;

	check(!vsvm_queue_launch(queue, &launch, &fence));
	check(vsvm_queue_wait(queue, fence, PATIENCE, &failure) == -EIO);
	check(failure.status == status);
	check(failure.pc);
	check(strstr(vsvm_error_message(), vsvm_status_string(status)));
	if (status == VSVM_ISA_STATUS_FAULT) {
		check(failure.access == VSVM_ISA_ACCESS_WRITE);
		check(failure.addr == (uintptr_t)arg);
	}
	/* The queue has stopped, and says so; a new one works. */
	check(vsvm_queue_launch(queue, &launch, NULL) == -EIO);
	vsvm_queue_destroy(queue);
}

static void test_timeout(void)
{
	struct vsvm_launch launch = {.kernel = kernel("endless"), .groups = {1}};
	struct vsvm_queue *queue = new_queue();
	uint64_t fence = 0;

	check(!vsvm_queue_launch(queue, &launch, &fence));
	check(vsvm_queue_wait(queue, fence, 0, NULL) == -ETIME);
	check(vsvm_queue_wait(queue, fence, SECOND / 20, NULL) == -ETIME);
	/* Ends what would never end. */
	vsvm_queue_destroy(queue);
}

struct worker {
	struct vsvm_queue *queue;
	unsigned long *sum;
	int errors;
};

#define WORKERS	 4
#define LAUNCHES 20

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct vsvm_launch launch = {.arg = worker->sum, .groups = {2}, .group_size = {4}};
	int i;

	worker->errors += vsvm_module_kernel(module, "add_one", &launch.kernel) != 0;
	for (i = 0; i < LAUNCHES; i++) {
		uint64_t fence;

		worker->errors += vsvm_queue_launch(worker->queue, &launch, &fence) ||
				  vsvm_queue_wait(worker->queue, fence, PATIENCE, NULL);
	}
	return NULL;
}

static void test_threads(void)
{
	static unsigned long sum;
	struct vsvm_queue *queue = new_queue();
	struct worker workers[WORKERS];
	pthread_t threads[WORKERS];
	int i;

	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){.queue = queue, .sum = &sum};
		check(!pthread_create(&threads[i], NULL, work, &workers[i]));
	}
	for (i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		check(!workers[i].errors);
	}
	check(sum == WORKERS * LAUNCHES * 2 * 4);
	vsvm_queue_destroy(queue);
}

/* More than a queue takes at once. */
#define MANY_LAUNCHES 600

struct crowd {
	struct vsvm_queue *queue;
	unsigned int gate, launched;
	uint64_t last;
};

static void *launch_many(void *arg)
{
	struct crowd *crowd = arg;
	struct vsvm_launch launch = {
		.kernel = kernel("wait_at"),
		.arg = &crowd->gate,
		.groups = {1},
	};
	int i;

	for (i = 0; i < MANY_LAUNCHES; i++) {
		check(!vsvm_queue_launch(crowd->queue, &launch, &crowd->last));
		__atomic_fetch_add(&crowd->launched, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* A wait does not wait for a launch that waits for room. */
static void test_full_queue(void)
{
	struct crowd crowd = {.queue = new_queue()};
	unsigned int before, now = 0;
	pthread_t thread;

	check(!pthread_create(&thread, NULL, launch_many, &crowd));
	do {
		before = now;
		usleep(100000);
		now = __atomic_load_n(&crowd.launched, __ATOMIC_RELAXED);
	} while (!now || now != before);
	check(now < MANY_LAUNCHES);
	check(vsvm_queue_wait(crowd.queue, 1, 0, NULL) == -ETIME);
	check(vsvm_queue_wait(crowd.queue, now, SECOND / 20, NULL) == -ETIME);
	__atomic_store_n(&crowd.gate, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	check(!vsvm_queue_wait(crowd.queue, crowd.last, PATIENCE, NULL));
	vsvm_queue_destroy(crowd.queue);
}

static uint64_t bytes_at(const void *addr, size_t length, uint32_t location)
{
	struct drm_vsvm_residency_run runs[64];
	uint32_t i, n = 64;
	uint64_t sum = 0;

	check(!vsvm_residency(dev, addr, length, runs, &n));
	check(n && n <= 64);
	for (i = 0; i < n && i < 64; i++)
		sum += runs[i].location == location ? runs[i].length : 0;
	return sum;
}

static void test_prefetch(void)
{
	size_t size = 4 << 20;
	unsigned char *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t moved = 0;

	check(memory != MAP_FAILED);
	check(bytes_at(memory, size, DRM_VSVM_LOCATION_NONE) == size);
	memset(memory, 0x5a, size);
	check(bytes_at(memory, size, DRM_VSVM_LOCATION_SYSTEM) == size);
	check(!vsvm_prefetch(dev, memory, size, DRM_VSVM_LOCATION_VRAM, &moved));
	check(moved == size);
	check(bytes_at(memory, size, DRM_VSVM_LOCATION_VRAM) == size);
	/* One byte stands for its page. */
	check(!vsvm_prefetch(dev, memory + 5000, 1, DRM_VSVM_LOCATION_SYSTEM, NULL));
	check(bytes_at(memory + 4096, 4096, DRM_VSVM_LOCATION_SYSTEM) == 4096);
	check(!vsvm_prefetch(dev, memory, size, DRM_VSVM_LOCATION_SYSTEM, NULL));
	check(bytes_at(memory, size, DRM_VSVM_LOCATION_SYSTEM) == size);
	check(memory[0] == 0x5a && memory[5000] == 0x5a && memory[size - 1] == 0x5a);
	check(vsvm_prefetch(dev, memory, size, DRM_VSVM_LOCATION_NONE, NULL) == -EINVAL);
	check(vsvm_prefetch(dev, memory, 0, DRM_VSVM_LOCATION_VRAM, NULL) == -EINVAL);
	check(vsvm_prefetch(dev, memory, SIZE_MAX, DRM_VSVM_LOCATION_VRAM, NULL) == -EINVAL);
	munmap(memory, size);
	check(vsvm_prefetch(dev, memory, size, DRM_VSVM_LOCATION_VRAM, NULL) == -EFAULT);
}

/* In the background: both ways, in order. */
static void test_prefetch_start(void)
{
	size_t size = 4 << 20;
	unsigned char *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t first = 0, last = 0;

	check(memory != MAP_FAILED);
	memset(memory, 0x5a, size);
	check(vsvm_prefetch_wait(dev, 1, 0) == -EINVAL);
	check(!vsvm_prefetch_start(dev, memory, size, DRM_VSVM_LOCATION_VRAM, &first));
	check(!vsvm_prefetch_start(dev, memory, size / 2, DRM_VSVM_LOCATION_SYSTEM, &last));
	check(first == 1 && last == 2);
	check(!vsvm_prefetch_wait(dev, last, VSVM_WAIT_FOREVER));
	check(!vsvm_prefetch_wait(dev, first, 0));
	check(vsvm_prefetch_wait(dev, last + 1, 0) == -EINVAL);
	check(vsvm_prefetch_wait(dev, 0, 0) == -EINVAL);
	check(bytes_at(memory, size / 2, DRM_VSVM_LOCATION_SYSTEM) == size / 2);
	check(bytes_at(memory + size / 2, size / 2, DRM_VSVM_LOCATION_VRAM) == size / 2);
	check(memory[0] == 0x5a && memory[size - 1] == 0x5a);
	check(vsvm_prefetch_start(dev, memory, 0, DRM_VSVM_LOCATION_VRAM, NULL) == -EINVAL);
	check(vsvm_prefetch_start(dev, memory, size, DRM_VSVM_LOCATION_NONE, NULL) == -EINVAL);
	munmap(memory, size);
}

/* What was said is told, and the GPU keeps to it. */
static void test_advise(void)
{
	size_t page = 1UL << info.page_shift, size = 4 * page;
	struct drm_vsvm_attributes_run runs[3];
	unsigned char *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t moved = 1;
	uint32_t n = 3;

	check(memory != MAP_FAILED);
	memset(memory, 0x5a, size);
	check(!vsvm_advise(dev, memory + page + 1, 1, DRM_VSVM_ATTRIBUTE_NO_MIGRATE, 1));
	check(!vsvm_attributes(dev, memory, size, runs, &n));
	check(n == 3);
	check(runs[0].length == page && runs[1].length == page && runs[2].length == 2 * page);
	check(runs[1].value[DRM_VSVM_ATTRIBUTE_NO_MIGRATE] == 1);
	check(runs[2].value[DRM_VSVM_ATTRIBUTE_NO_MIGRATE] == 0);
	check(runs[2].value[DRM_VSVM_ATTRIBUTE_GRANULARITY] == 9);
	check(!vsvm_prefetch(dev, memory, size, DRM_VSVM_LOCATION_VRAM, &moved));
	check(moved == 3 * page);
	check(bytes_at(memory + page, page, DRM_VSVM_LOCATION_SYSTEM) == page);
	check(vsvm_advise(dev, memory, size, DRM_VSVM_ATTRIBUTE_GRANULARITY, 1) == -EINVAL);
	check(vsvm_advise(dev, memory, 0, DRM_VSVM_ATTRIBUTE_GRANULARITY, 0) == -EINVAL);
	check(vsvm_attributes(dev, memory, 0, runs, &n) == -EINVAL);
	munmap(memory, size);
	check(vsvm_advise(dev, memory, size, DRM_VSVM_ATTRIBUTE_GRANULARITY, 0) == -EFAULT);
	check(!vsvm_attributes(dev, memory, size, runs, &n));
	check(n == 1);
}

/* How many runs there are is told, whatever has room. */
static void test_residency(void)
{
	size_t page = 1UL << info.page_shift, size = 3 * page;
	struct drm_vsvm_residency_run runs[3] = {0};
	uint32_t n = 0;
	char *memory;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(memory != MAP_FAILED);
	memory[page] = 1;
	check(!vsvm_residency(dev, memory, size, NULL, &n));
	check(n == 3);
	n = 1;
	check(!vsvm_residency(dev, memory, size, runs, &n));
	check(n == 3 && runs[0].length == page && !runs[1].length);
	check(!vsvm_residency(dev, memory, size, runs, &n));
	check(n == 3 && runs[1].addr == (uintptr_t)memory + page && runs[1].length == page);
	check(runs[1].location == DRM_VSVM_LOCATION_SYSTEM && !runs[1].order);
	check(runs[2].location == DRM_VSVM_LOCATION_NONE);
	check(vsvm_residency(dev, memory, 0, runs, &n) == -EINVAL && n == 3);
	check(vsvm_residency(dev, memory, SIZE_MAX, runs, &n) == -EINVAL);
	munmap(memory, size);
}

/* A child cannot use the device of its parent, and can let go of it. */
static void test_fork(void)
{
	struct vsvm_queue *queue = new_queue();
	int status;
	pid_t child = fork();

	if (!child) {
		struct vsvm_queue *other;
		bool refused = vsvm_queue_create(dev, &other) == -EPERM;

		vsvm_queue_destroy(queue);
		vsvm_module_unload(module);
		vsvm_device_close(dev);
		_exit(refused ? 0 : 1);
	}
	check(child > 0 && waitpid(child, &status, 0) == child && !status);
	vsvm_queue_destroy(queue);
	test_ids();
}

/* A queue keeps its device open. */
static void test_close_first(void)
{
	struct vsvm_launch launch = {.kernel = kernel("add_one"), .groups = {1}};
	static unsigned long sum;
	struct vsvm_device *own;
	struct vsvm_queue *queue;
	uint64_t fence = 0;

	launch.arg = &sum;
	check(!vsvm_device_open(0, &own));
	check(!vsvm_queue_create(own, &queue));
	vsvm_device_close(own);
	check(!vsvm_queue_launch(queue, &launch, &fence));
	check(!vsvm_queue_wait(queue, fence, PATIENCE, NULL));
	check(sum == 1);
	vsvm_queue_destroy(queue);
}

int main(int argc, char **argv)
{
	unsigned long *null = NULL;

	if (argc != 2)
		return 2;
	if (vsvm_device_open(0, &dev)) {
		printf("skipped: %s\n", vsvm_error_message());
		return SKIPPED;
	}
	check(!vsvm_module_load_file(argv[1], &module));
	test_open();
	test_sizes();
	test_ids();
	test_stack();
	test_barrier("neighbours", 0);
	test_barrier("local_neighbours", 16 * sizeof(unsigned long));
	test_floats();
	test_bad_launches();
	test_failure("store_to", null + 1, VSVM_ISA_STATUS_FAULT);
	test_failure("trap", NULL, VSVM_ISA_STATUS_BREAK);
	test_failure("illegal", NULL, VSVM_ISA_STATUS_ILLEGAL);
	test_timeout();
	test_threads();
	test_full_queue();
	test_prefetch();
	test_prefetch_start();
	test_advise();
	test_residency();
	test_fork();
	test_kill();
	test_close_first();
	vsvm_module_unload(module);
	vsvm_device_close(dev);
	vsvm_device_close(NULL);
	printf("%d failed\n", failed);
	return !!failed;
}
