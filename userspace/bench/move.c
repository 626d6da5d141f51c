// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Memory that moves: on demand, and by faults of either side.
 *
 * Each repetition is there and back. The first one is not counted: it makes page
 * tables, takes memory for VRAM, and touches what the host has not given yet.
 */
#include "bench.h"
#include "kernels/touch.h"

/* A direction of a repetition, and what belongs to it. */
enum way { TO_VRAM, TO_RAM, WAYS };

static const struct {
	enum drm_vsvm_stage_id migrate, copy, fault;
} stages[WAYS] = {
	[TO_VRAM] = {DRM_VSVM_STAGE_TO_VRAM, DRM_VSVM_STAGE_COPY_TO_VRAM, DRM_VSVM_STAGE_GPU_FAULT},
	[TO_RAM] = {DRM_VSVM_STAGE_TO_RAM, DRM_VSVM_STAGE_COPY_TO_RAM, DRM_VSVM_STAGE_CPU_FAULT},
};

/* Fills a sample from the counters; fails if not all moved in folios as wanted. */
static void count(struct bench *bench, const struct drm_vsvm_counters *before, enum way way,
		  const struct memory *memory, struct sample *sample)
{
	struct drm_vsvm_counters after = device_counters(bench);
	size_t unit = memory_unit(memory), folios;
	unsigned int order = __builtin_ctzl(unit / 4096);

	if (way == TO_VRAM)
		folios = after.folios_to_vram[order] - before->folios_to_vram[order];
	else
		folios = after.folios_to_ram[order] - before->folios_to_ram[order];
	if (folios != memory->bytes / unit)
		fail("%zu folios of order %u moved, not %zu", folios, order, memory->bytes / unit);

	sample->migrate_ns =
		stage_ns(&after, stages[way].migrate) - stage_ns(before, stages[way].migrate);
	sample->copy_ns = stage_ns(&after, stages[way].copy) - stage_ns(before, stages[way].copy);
	sample->fault_ns =
		stage_ns(&after, stages[way].fault) - stage_ns(before, stages[way].fault);
	sample->bind_ns =
		stage_ns(&after, DRM_VSVM_STAGE_BIND) - stage_ns(before, DRM_VSVM_STAGE_BIND);
}

static void prefetch(struct bench *bench, const struct memory *memory, enum way way)
{
	uint64_t moved;

	must(vsvm_prefetch(bench->dev, memory->start, memory->bytes,
			   way == TO_VRAM ? DRM_VSVM_LOCATION_VRAM : DRM_VSVM_LOCATION_SYSTEM,
			   &moved));
	if (moved != memory->bytes)
		fail("%llu of %zu bytes moved", (unsigned long long)moved, memory->bytes);
}

static struct sample prefetch_once(struct bench *bench, const struct memory *memory, enum way way)
{
	struct sample sample = {.memcpy_ns = measure(bench, "memcpy %zu", memory->bytes)};
	struct drm_vsvm_counters before = device_counters(bench);
	uint64_t begin = now_ns();

	prefetch(bench, memory, way);
	sample.ns = now_ns() - begin;
	count(bench, &before, way, memory, &sample);
	return sample;
}

/* Reports what both directions took. */
static void add(const struct result result[WAYS])
{
	report_add(&result[TO_VRAM]);
	report_add(&result[TO_RAM]);
}

void bench_prefetch(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats)
{
	struct memory memory = memory_get(bytes, pages);
	struct result result[WAYS] = {
		new_result("prefetch_to_vram", &memory, repeats),
		new_result("prefetch_to_ram", &memory, repeats),
	};
	unsigned int i;
	enum way way;

	prefetch(bench, &memory, TO_VRAM);
	prefetch(bench, &memory, TO_RAM);
	for (i = 0; i < repeats; i++)
		for (way = 0; way < WAYS; way++)
			result[way].sample[i] = prefetch_once(bench, &memory, way);
	memory_check(&memory);
	memory_put(&memory);
	add(result);
}

static void gpu_touch(struct bench *bench, const struct vsvm_launch *launch)
{
	uint64_t fence;

	must(vsvm_queue_launch(bench->queue, launch, &fence));
	must(vsvm_queue_wait(bench->queue, fence, VSVM_WAIT_FOREVER, NULL));
}

static void cpu_touch(const struct memory *memory)
{
	size_t unit = memory_unit(memory), i;

	for (i = 0; i < memory->bytes; i += unit)
		(void)*(volatile unsigned char *)(memory->start + i);
}

static struct sample fault_once(struct bench *bench, const struct memory *memory, enum way way,
				const struct vsvm_launch *launch)
{
	struct sample sample = {.memcpy_ns = measure(bench, "memcpy %zu", memory->bytes)};
	struct drm_vsvm_counters before = device_counters(bench);
	uint64_t begin = now_ns();

	if (way == TO_VRAM)
		gpu_touch(bench, launch);
	else
		cpu_touch(memory);
	sample.ns = now_ns() - begin;
	count(bench, &before, way, memory, &sample);
	return sample;
}

void bench_faults(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats)
{
	struct memory memory = memory_get(bytes, pages);
	struct memory arguments = memory_get(4096, PAGES_SMALL);
	struct touch_args *args = (struct touch_args *)arguments.start;
	struct vsvm_launch launch = {
		.kernel = bench->touch,
		.arg = args,
		.groups = {(bytes + BLOCK - 1) / BLOCK},
	};
	struct result result[WAYS] = {
		new_result("gpu_fault", &memory, repeats),
		new_result("cpu_fault", &memory, repeats),
	};
	unsigned int i;
	enum way way;

	*args = (struct touch_args){.memory = memory.start, .stride = BLOCK};
	gpu_touch(bench, &launch);
	cpu_touch(&memory);
	for (i = 0; i < repeats; i++) {
		for (way = 0; way < WAYS; way++)
			result[way].sample[i] = fault_once(bench, &memory, way, &launch);
		/* What the GPU waits for is no part of the service of a fault. */
		result[TO_VRAM].sample[i].ns = result[TO_VRAM].sample[i].fault_ns;
	}
	memory_check(&memory);
	memory_put(&memory);
	memory_put(&arguments);
	add(result);
}
