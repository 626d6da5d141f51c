// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The job: count the bytes of a file on the GPU.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/beside.h"
#include "counters.h"
#include "input.h"
#include "job.h"
#include "kernels/histogram.h"

#define MAX_ITEMS   64
#define PATIENCE_NS (2000 * 1000000LL)
#define TIMEOUT_S   600

/*
 * What the GPU works with besides the input. The CPU writes the arguments and
 * reads the result, which share a page; the tables are the GPU's own.
 */
struct work {
	struct histogram_args args;
	unsigned long bins[HISTOGRAM_BINS];
	unsigned int tables[MAX_ITEMS][HISTOGRAM_BINS] __attribute__((aligned(4096)));
};

struct job {
	struct run *run;
	struct vsvm_device *dev;
	struct vsvm_module *module;
	const struct vsvm_kernel *clear, *count;
	struct vsvm_queue *queue;
	struct input input;
	struct work *work;
	unsigned long expected[HISTOGRAM_BINS];
	/* At the start of the phase that runs. */
	struct drm_vsvm_counters before;
	struct timespec start;
};

static int fail(struct job *job, const char *what, const char *why)
{
	snprintf(job->run->error, sizeof(job->run->error), "%s: %s", what, why);
	return -1;
}

static int fail_vsvm(struct job *job, const char *what)
{
	return fail(job, what, vsvm_error_message());
}

static void say(const char *what)
{
	printf("  %s\n", what);
	fflush(stdout);
}

/* The GPU code stands beside the program. */
static int load_module(struct job *job)
{
	static const char name[] = "histogram.elf";
	char path[PATH_MAX];
	int err = path_beside_program(name, path, sizeof(path));

	if (err)
		return fail(job, name, strerror(-err));
	if (vsvm_module_load_file(path, &job->module) ||
	    vsvm_module_kernel(job->module, "histogram_clear", &job->clear) ||
	    vsvm_module_kernel(job->module, "histogram_count", &job->count))
		return fail_vsvm(job, "GPU code");
	return 0;
}

static int prepare(struct job *job, int fd)
{
	uint64_t i;
	int err;

	if (vsvm_device_open(0, &job->dev))
		return fail_vsvm(job, "device");
	if (load_module(job))
		return -1;
	if (vsvm_queue_create(job->dev, &job->queue))
		return fail_vsvm(job, "queue");

	say("reading the file into malloc() memory");
	err = input_read(&job->input, fd, job->run->bytes);
	if (err)
		return fail(job, "input", strerror(-err));
	for (i = 0; i < job->input.bytes; i++)
		job->expected[job->input.data[i]]++;
	job->run->checksum_before = input_checksum(&job->input);

	/* With base pages: so little must not take 2 MiB of VRAM. */
	job->work = mmap(NULL, sizeof(*job->work), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (job->work == MAP_FAILED) {
		job->work = NULL;
		return fail(job, "memory for tables", strerror(errno));
	}
	madvise(job->work, sizeof(*job->work), MADV_NOHUGEPAGE);
	job->work->args = (struct histogram_args){
		.input = job->input.data,
		.bytes = job->input.bytes,
		.bins = job->work->bins,
		.tables = job->work->tables[0],
	};
	return 0;
}

static int begin(struct job *job)
{
	if (vsvm_device_counters(job->dev, &job->before, sizeof(job->before)))
		return fail_vsvm(job, "counters");
	clock_gettime(CLOCK_MONOTONIC, &job->start);
	return 0;
}

static int end(struct job *job, enum phase phase)
{
	struct phase_result *result = &job->run->phase[phase];
	struct drm_vsvm_counters now;
	struct timespec stop;

	clock_gettime(CLOCK_MONOTONIC, &stop);
	if (vsvm_device_counters(job->dev, &now, sizeof(now)))
		return fail_vsvm(job, "counters");
	result->ns = (stop.tv_sec - job->start.tv_sec) * 1000000000LL +
		     (stop.tv_nsec - job->start.tv_nsec);
	counters_diff(&result->grown, &job->before, &now);
	return 0;
}

static int residency(struct job *job, struct residency *out)
{
	uint64_t length = job->run->blocks * INPUT_ALIGN;
	/* A run for each page of the input would still fit. */
	uint32_t max = length / 4096, n = max, i;
	struct drm_vsvm_residency_run *runs = calloc(max, sizeof(*runs));

	if (!runs)
		return fail(job, "residency", strerror(ENOMEM));
	if (vsvm_residency(job->dev, job->input.data, length, runs, &n)) {
		free(runs);
		return fail_vsvm(job, "residency");
	}
	for (i = 0; i < n && i < max; i++) {
		if (runs[i].location == DRM_VSVM_LOCATION_SYSTEM) {
			out->system += runs[i].length;
			out->system_huge += runs[i].order ? runs[i].length : 0;
		} else if (runs[i].location == DRM_VSVM_LOCATION_VRAM) {
			out->vram += runs[i].length;
			out->vram_huge += runs[i].order ? runs[i].length : 0;
		}
	}
	free(runs);
	return 0;
}

static int launch(struct job *job, const struct vsvm_kernel *kernel)
{
	uint64_t items = (job->input.bytes + HISTOGRAM_BLOCK - 1) / HISTOGRAM_BLOCK;
	struct vsvm_launch launch = {
		.kernel = kernel,
		.arg = &job->work->args,
		.groups = {items < MAX_ITEMS ? items : MAX_ITEMS},
	};
	uint64_t fence;
	int err, seconds;

	if (vsvm_queue_launch(job->queue, &launch, &fence))
		return fail_vsvm(job, "launch");
	for (seconds = 0; seconds < TIMEOUT_S; seconds += PATIENCE_NS / 1000000000) {
		if (seconds) {
			printf("  the GPU works: %d s\n", seconds);
			fflush(stdout);
		}
		err = vsvm_queue_wait(job->queue, fence, PATIENCE_NS, NULL);
		if (err != -ETIME)
			break;
	}
	return err ? fail_vsvm(job, "GPU") : 0;
}

static uint64_t wrong_bins(const struct job *job)
{
	uint64_t wrong = 0;
	int i;

	for (i = 0; i < HISTOGRAM_BINS; i++)
		wrong += job->work->bins[i] != job->expected[i];
	return wrong;
}

static int measure(struct job *job)
{
	struct run *run = job->run;

	if (residency(job, &run->before_job))
		return -1;

	say("first launch: clearing the tables");
	if (begin(job) || launch(job, job->clear) || end(job, PHASE_CLEAR))
		return -1;

	say("second launch: the GPU counts");
	if (begin(job) || launch(job, job->count) || end(job, PHASE_COUNT))
		return -1;
	if (residency(job, &run->after_job))
		return -1;

	say("the CPU reads input and result back");
	if (begin(job))
		return -1;
	run->checksum_after = input_checksum(&job->input);
	if (end(job, PHASE_READ_INPUT) || begin(job))
		return -1;
	run->wrong_bins = wrong_bins(job);
	return end(job, PHASE_READ_RESULT);
}

/* Gives back all that has memory in reach of the GPU. */
static void free_memory(struct job *job)
{
	vsvm_queue_destroy(job->queue);
	vsvm_module_unload(job->module);
	if (job->work)
		munmap(job->work, sizeof(*job->work));
	input_free(&job->input);
}

void job_run(int fd, uint64_t bytes, struct run *run)
{
	struct job job = {.run = run};
	bool good;

	*run = (struct run){
		.bytes = bytes,
		.blocks = (bytes + INPUT_ALIGN - 1) / INPUT_ALIGN,
	};
	good = !prepare(&job, fd) && !measure(&job) && !begin(&job);
	free_memory(&job);
	if (good)
		run->ended = !end(&job, PHASE_FREE);
	vsvm_device_close(job.dev);
}

int job_rehearse(int fd, uint64_t bytes, char *error, size_t size)
{
	struct run run = {.bytes = bytes};
	struct job job = {.run = &run};
	int err = input_read(&job.input, fd, bytes);

	if (err)
		fail(&job, "input", strerror(-err));
	else if (vsvm_device_open(0, &job.dev))
		err = fail_vsvm(&job, "device");
	else if (vsvm_prefetch(job.dev, job.input.data, bytes, DRM_VSVM_LOCATION_VRAM, NULL) ||
		 vsvm_prefetch(job.dev, job.input.data, bytes, DRM_VSVM_LOCATION_SYSTEM, NULL))
		err = fail_vsvm(&job, "prefetch");
	free_memory(&job);
	vsvm_device_close(job.dev);
	if (err)
		snprintf(error, size, "%s", run.error);
	return err;
}
