// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the small examples share.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beside.h"
#include "gpu.h"

/* Ends the program if a call of the library has failed. */
static void must(int err)
{
	if (!err)
		return;
	fflush(stdout);
	fprintf(stderr, "%s\n", vsvm_error_message());
	exit(EXIT_FAILURE);
}

static struct drm_vsvm_counters read_counters(struct gpu *gpu)
{
	struct drm_vsvm_counters counters;

	must(vsvm_device_counters(gpu->dev, &counters, sizeof(counters)));
	return counters;
}

void gpu_open(struct gpu *gpu, const char *code)
{
	char path[PATH_MAX];
	int err = path_beside_program(code, path, sizeof(path));

	if (err) {
		fprintf(stderr, "cannot find %s: %s\n", code, strerror(-err));
		exit(EXIT_FAILURE);
	}
	must(vsvm_device_open(0, &gpu->dev));
	must(vsvm_module_load_file(path, &gpu->module));
	must(vsvm_queue_create(gpu->dev, &gpu->queue));
	gpu->counters = read_counters(gpu);
}

void gpu_close(struct gpu *gpu)
{
	vsvm_queue_destroy(gpu->queue);
	vsvm_module_unload(gpu->module);
	vsvm_device_close(gpu->dev);
}

uint64_t gpu_start(struct gpu *gpu, const char *kernel, struct vsvm_launch launch)
{
	uint64_t fence;

	must(vsvm_module_kernel(gpu->module, kernel, &launch.kernel));
	must(vsvm_queue_launch(gpu->queue, &launch, &fence));
	return fence;
}

void gpu_wait(struct gpu *gpu, uint64_t fence)
{
	must(vsvm_queue_wait(gpu->queue, fence, VSVM_WAIT_FOREVER, NULL));
}

void gpu_run(struct gpu *gpu, const char *kernel, struct vsvm_launch launch)
{
	gpu_wait(gpu, gpu_start(gpu, kernel, launch));
}

void gpu_report(struct gpu *gpu, const char *what)
{
	struct drm_vsvm_counters now = read_counters(gpu);
	uint64_t faults = 0, to_vram = 0, to_ram = 0, cpu_faults;
	int i;

	for (i = 0; i < DRM_VSVM_SIZE_CLASSES; i++)
		faults += now.gpu_faults_served[i] - gpu->counters.gpu_faults_served[i];
	for (i = 0; i < DRM_VSVM_ORDERS; i++) {
		to_vram += (now.folios_to_vram[i] - gpu->counters.folios_to_vram[i]) << i;
		to_ram += (now.folios_to_ram[i] - gpu->counters.folios_to_ram[i]) << i;
	}
	cpu_faults = now.cpu_faults - gpu->counters.cpu_faults;
	printf("  %-28s %6" PRIu64 " GPU faults, %7" PRIu64 " KiB to VRAM; %6" PRIu64
	       " CPU faults, %7" PRIu64 " KiB to RAM\n",
	       what, faults, to_vram * 4, cpu_faults, to_ram * 4);
	fflush(stdout);
	gpu->counters = now;
}

size_t gpu_bytes_to_vram(struct gpu *gpu)
{
	struct drm_vsvm_counters now = read_counters(gpu);
	size_t pages = 0;
	int i;

	for (i = 0; i < DRM_VSVM_ORDERS; i++)
		pages += (now.folios_to_vram[i] - gpu->counters.folios_to_vram[i]) << i;
	return pages * 4096;
}

size_t gpu_bytes_in_vram(struct gpu *gpu, const void *addr, size_t size)
{
	/* A run for each page would still fit. */
	uint32_t n = size / 4096 + 2, i;
	struct drm_vsvm_residency_run *runs = get_memory(n * sizeof(*runs));
	size_t bytes = 0;

	must(vsvm_residency(gpu->dev, addr, size, runs, &n));
	for (i = 0; i < n; i++)
		bytes += runs[i].location == DRM_VSVM_LOCATION_VRAM ? runs[i].length : 0;
	free(runs);
	return bytes;
}

static void *must_have(void *memory)
{
	if (memory)
		return memory;
	fprintf(stderr, "out of memory\n");
	exit(EXIT_FAILURE);
}

void *get_memory(size_t size)
{
	return must_have(malloc(size));
}

void *get_aligned_memory(size_t align, size_t size)
{
	return must_have(aligned_alloc(align, size));
}

int verdict(const char *name, size_t wrong)
{
	if (wrong)
		printf("%s: WRONG: %zu values differ from those of the CPU\n", name, wrong);
	else
		printf("%s: correct, the CPU has the same result\n", name);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
