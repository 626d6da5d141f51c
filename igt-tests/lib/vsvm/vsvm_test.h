/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_TEST_H
#define VSVM_TEST_H

#include "vsvm_inject.h"
#include "vsvm_ioctl.h"
#include "vsvm_igt_compat.h"
#include "vsvm_kernel_code.h"
#include "vsvm_kernels.h"
#include "vsvm_memory.h"
#include "vsvm_module.h"
#include "vsvm_settings.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

/** VSVM_TIMEOUT - nanoseconds that the work of a test may take */
#define VSVM_TIMEOUT 60000000000LL

/**
 * struct vsvm_test - a file of the device with a queue, and what goes with it
 * @index: number of the device
 * @fd: the file
 * @info: facts of the device
 * @queue: id of the queue
 * @control: shared memory for code, arguments, results and fence. It never moves
 *	to VRAM and is mapped in the GPU from the beginning, so that a test
 *	counts the faults on its data and nothing else
 * @result: what kernels hand back, in @control
 * @fence: user fence, in @control
 * @fence_value: value of the latest submit
 * @seen: counters up to which vsvm_expect() has checked
 * @before: memory in use before the test
 */
struct vsvm_test {
	unsigned int index;
	int fd;
	struct drm_vsvm_info info;
	uint32_t queue;
	struct vsvm_buffer *control;
	struct vsvm_result *result;
	uint64_t *fence;
	uint64_t fence_value;
	struct drm_vsvm_counters seen;
	struct vsvm_usage before;
};

/** enum vsvm_test_flags - ways to run a test
 * @VSVM_TEST_BASE: huge folios in VRAM are switched off
 */
enum vsvm_test_flags {
	VSVM_TEST_BASE = 1 << 0,
};

/** vsvm_test_clear_up - close the files and free the buffers that a failed test left */
void vsvm_test_clear_up(void);

/**
 * vsvm_test_begin - open the device and make it ready to count exactly
 * @test: filled in
 * @flags: of &enum vsvm_test_flags
 *
 * Also clears up after a test that has failed. Skips without a device.
 */
void vsvm_test_begin(struct vsvm_test *test, unsigned int flags);

/**
 * vsvm_test_open - open the device in a process made by igt_fork()
 * @test: filled in; apart from the one of the parent
 *
 * There is no end of it, and no leak check: the process just exits.
 */
void vsvm_test_open(struct vsvm_test *test);

/**
 * vsvm_test_open_other - open another device for the same test
 * @test: filled in; closed by vsvm_test_close()
 * @index: number of the device, not 0
 *
 * Skips if there is no such device.
 */
void vsvm_test_open_other(struct vsvm_test *test, unsigned int index);

/**
 * vsvm_test_end - free all buffers, close the device, check for leaks
 * @test: the test
 */
void vsvm_test_end(struct vsvm_test *test);

/**
 * vsvm_test_reopen - close the file and open it again, for the same test
 * @test: the test; its buffers stay
 */
void vsvm_test_reopen(struct vsvm_test *test);

/**
 * vsvm_test_close - close the file, which ends its queues
 * @test: the test; its buffers stay
 */
void vsvm_test_close(struct vsvm_test *test);

/**
 * vsvm_test_warm - have the GPU touch all of the control memory again
 * @test: the test; what has been counted up to now is forgotten
 *
 * After something that takes all memory of the process from the GPU's page tables.
 */
void vsvm_test_warm(struct vsvm_test *test);

/**
 * struct vsvm_job - one dispatch
 * @kernel: what to run
 * @arg: its argument; no result address stands for that of the test
 * @groups: work-groups; 0 stands for 1
 * @group_size: work-items in a group; 0 stands for 1
 * @stack: stack area, or NULL
 * @stack_size: bytes for one work-item
 * @local_size: bytes of local memory of a work-group
 */
struct vsvm_job {
	enum vsvm_kernel kernel;
	struct vsvm_arg arg;
	uint32_t groups[3];
	uint32_t group_size[3];
	const void *stack;
	uint32_t stack_size;
	uint32_t local_size;
};

/**
 * vsvm_prepare_submit - fill in the ioctl for a job, with its argument in place
 * @test: the test
 * @job: the job
 * @submit: result; its fence has the next value
 */
void vsvm_prepare_submit(struct vsvm_test *test, const struct vsvm_job *job,
			 struct drm_vsvm_submit *submit);

/**
 * vsvm_submit - start a job
 * @test: the test
 * @job: the job
 *
 * Returns the value that the fence gets.
 */
uint64_t vsvm_submit(struct vsvm_test *test, const struct vsvm_job *job);

/**
 * vsvm_try_wait - wait for a job
 * @test: the test
 * @value: what vsvm_submit() returned
 * @timeout: nanoseconds from now
 * @wait: what the kernel says, may be NULL
 *
 * Returns 0 or a negative errno.
 */
int vsvm_try_wait(struct vsvm_test *test, uint64_t value, int64_t timeout,
		  struct drm_vsvm_wait *wait);

/**
 * vsvm_wait - wait for a job that must end well
 * @test: the test
 * @value: what vsvm_submit() returned
 */
void vsvm_wait(struct vsvm_test *test, uint64_t value);

/**
 * vsvm_run_job - vsvm_submit() and vsvm_wait()
 * @test: the test
 * @job: the job; results are zeroed before
 */
void vsvm_run_job(struct vsvm_test *test, const struct vsvm_job *job);

/**
 * vsvm_run - vsvm_run_job() with the members of &struct vsvm_job in place
 * @test: the test
 */
#define vsvm_run(test, ...) vsvm_run_job(test, &(const struct vsvm_job){__VA_ARGS__})

/**
 * vsvm_run_to_error - a job that must end with an error
 * @test: the test; its queue is replaced by a new one afterwards
 * @job: the job
 * @wait: what the kernel says about the error
 */
void vsvm_run_to_error(struct vsvm_test *test, const struct vsvm_job *job,
		       struct drm_vsvm_wait *wait);

/**
 * vsvm_new_queue - destroy the queue of a test and create another one
 * @test: the test
 */
void vsvm_new_queue(struct vsvm_test *test);

/**
 * vsvm_gpu_add - the GPU reads and writes every page of a part of a buffer
 * @test: the test
 * @buffer: the buffer; its shadow follows
 * @offset: first byte, a multiple of 4 KiB
 * @length: bytes, likewise
 * @value: what to add
 *
 * One work-item, one page after the other: each fault happens once.
 */
void vsvm_gpu_add(struct vsvm_test *test, struct vsvm_buffer *buffer, size_t offset, size_t length,
		  uint64_t value);

/**
 * vsvm_gpu_set - likewise, only writes
 * @test: the test
 * @buffer: the buffer; its shadow follows
 * @offset: first byte
 * @length: bytes
 * @value: what to store
 */
void vsvm_gpu_set(struct vsvm_test *test, struct vsvm_buffer *buffer, size_t offset, size_t length,
		  uint64_t value);

/**
 * vsvm_gpu_sum - the GPU reads every page of a part of a buffer, and reads right
 * @test: the test
 * @buffer: the buffer
 * @offset: first byte
 * @length: bytes
 * @value: which word of each page
 */
void vsvm_gpu_sum(struct vsvm_test *test, struct vsvm_buffer *buffer, size_t offset, size_t length,
		  uint64_t value);

/**
 * vsvm_prefetch - move a part of a buffer; the test fails unless all of it moves
 * @test: the test
 * @buffer: the buffer
 * @offset: first byte
 * @length: bytes
 * @location: where to
 */
void vsvm_prefetch(struct vsvm_test *test, const struct vsvm_buffer *buffer, size_t offset,
		   size_t length, uint32_t location);

/**
 * vsvm_cpu_touch - read one word in every so many bytes of a buffer
 * @buffer: the buffer
 * @offset: first byte
 * @length: bytes
 * @stride: distance of the words
 *
 * Each one is compared with what must be there.
 */
void vsvm_cpu_touch(const struct vsvm_buffer *buffer, size_t offset, size_t length, size_t stride);

/**
 * struct vsvm_expected - what the counters must have grown by
 *
 * Members that are not named must not have grown.
 *
 * @allocated: folios allocated in VRAM, by order
 * @freed: folios freed in VRAM, by order
 * @to_vram: folios migrated to VRAM, by order
 * @to_ram: folios migrated to system memory, by order
 * @order: order of the folios in the following four
 * @n_allocated: folios of that order allocated, besides those in @allocated
 * @n_freed: likewise freed
 * @n_to_vram: likewise migrated to VRAM
 * @n_to_ram: likewise migrated to system memory
 * @evicted: of @to_ram, those that were evicted
 * @n_evicted: likewise of @n_to_ram
 * @blocks_evicted: blocks of VRAM that were emptied to make room
 * @evictions_failed: blocks that could not be emptied
 * @promoted: regions promoted
 * @duplicated: pages duplicated
 * @dropped: duplicates of pages that are no more
 * @split: folios that a split has made
 * @gpu_4k: GPU faults that made less than 64 KiB accessible
 * @gpu_64k: GPU faults that made 64 KiB to less than 2 MiB accessible
 * @gpu_2m: GPU faults that made 2 MiB accessible
 * @stale: GPU faults that found nothing to do
 * @failed: GPU faults that ended a dispatch
 * @cpu_faults: CPU faults
 * @dispatches: dispatches ended
 * @any_stale: @stale may be anything: many work-items touch the same page
 * @more_cpu_faults: there may be so many more CPU faults: many threads do
 * @any_end: @failed and @dispatches may be anything: work runs in a process that ends
 */
struct vsvm_expected {
	uint64_t allocated[DRM_VSVM_ORDERS];
	uint64_t freed[DRM_VSVM_ORDERS];
	uint64_t to_vram[DRM_VSVM_ORDERS];
	uint64_t to_ram[DRM_VSVM_ORDERS];
	unsigned int order;
	uint64_t n_allocated;
	uint64_t n_freed;
	uint64_t n_to_vram;
	uint64_t n_to_ram;
	uint64_t evicted[DRM_VSVM_ORDERS];
	uint64_t n_evicted;
	uint64_t blocks_evicted;
	uint64_t evictions_failed;
	uint64_t promoted;
	uint64_t duplicated;
	uint64_t dropped;
	uint64_t split;
	uint64_t gpu_4k;
	uint64_t gpu_64k;
	uint64_t gpu_2m;
	uint64_t stale;
	uint64_t failed;
	uint64_t cpu_faults;
	uint64_t more_cpu_faults;
	uint64_t dispatches;
	bool any_stale;
	bool any_end;
};

/**
 * vsvm_expect_counters - check all counters since the last check, exactly
 * @test: the test
 * @expected: what they must have grown by
 * @file: of the caller
 * @line: of the caller
 */
void vsvm_expect_counters(struct vsvm_test *test, const struct vsvm_expected *expected,
			  const char *file, int line);

/**
 * vsvm_expect - vsvm_expect_counters() with the members in place
 * @test: the test
 */
#define vsvm_expect(test, ...) \
	vsvm_expect_counters(test, &(const struct vsvm_expected){__VA_ARGS__}, __FILE__, __LINE__)

/**
 * vsvm_forget_counters - do not check what has been counted up to now
 * @test: the test
 */
void vsvm_forget_counters(struct vsvm_test *test);

#endif /* VSVM_TEST_H */
