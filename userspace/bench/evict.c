// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Memory that leaves VRAM to make room for other memory.
 *
 * VRAM is full of old and filler. The filler was used after old, so that a prefetch
 * of as much new memory evicts old, and nothing else.
 */
#include "bench.h"

static struct memory get_filler(struct bench *bench, size_t bytes)
{
	struct drm_vsvm_info info;

	must(vsvm_device_info(bench->dev, &info, sizeof(info)));
	if (info.vram_size <= bytes)
		fail("%zu MiB do not fit into VRAM", bytes / MIB);
	return memory_get(info.vram_size - bytes, PAGES_HUGE);
}

static void move(struct bench *bench, const struct memory *memory, enum drm_vsvm_location location)
{
	huge_switch(memory->pages == PAGES_HUGE);
	must(vsvm_prefetch(bench->dev, memory->start, memory->bytes, location, NULL));
}

/* The new memory is at home. Fails if anything but the old memory is evicted for it. */
static struct sample evict_once(struct bench *bench, const struct memory *old,
				const struct memory *filler, const struct memory *new)
{
	unsigned int order = __builtin_ctzl(memory_unit(old) / 4096);
	struct sample sample = {.memcpy_ns = measure(bench, "memcpy %zu", old->bytes)};
	struct drm_vsvm_counters before, after;
	uint64_t blocks, folios;

	move(bench, old, DRM_VSVM_LOCATION_VRAM);
	move(bench, filler, DRM_VSVM_LOCATION_VRAM);
	before = device_counters(bench);
	move(bench, new, DRM_VSVM_LOCATION_VRAM);
	after = device_counters(bench);
	move(bench, new, DRM_VSVM_LOCATION_SYSTEM);

	blocks = after.blocks_evicted - before.blocks_evicted;
	folios = after.folios_evicted[order] - before.folios_evicted[order];
	if (blocks != old->bytes / BLOCK || folios != old->bytes / memory_unit(old))
		fail("%llu blocks with %llu folios of order %u were evicted for %zu bytes",
		     (unsigned long long)blocks, (unsigned long long)folios, order, old->bytes);

	sample.migrate_ns =
		stage_ns(&after, DRM_VSVM_STAGE_TO_RAM) - stage_ns(&before, DRM_VSVM_STAGE_TO_RAM);
	sample.copy_ns = stage_ns(&after, DRM_VSVM_STAGE_COPY_TO_RAM) -
			 stage_ns(&before, DRM_VSVM_STAGE_COPY_TO_RAM);
	sample.ns = sample.migrate_ns;
	return sample;
}

void bench_evict(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats)
{
	struct memory old = memory_get(bytes, pages), new = memory_get(bytes, pages);
	struct memory filler = get_filler(bench, bytes);
	struct result result = new_result("evict", &old, repeats);
	unsigned int i;

	/* What else is in VRAM goes now. */
	move(bench, &filler, DRM_VSVM_LOCATION_VRAM);
	move(bench, &new, DRM_VSVM_LOCATION_VRAM);
	move(bench, &old, DRM_VSVM_LOCATION_VRAM);
	move(bench, &new, DRM_VSVM_LOCATION_SYSTEM);
	for (i = 0; i < repeats; i++)
		result.sample[i] = evict_once(bench, &old, &filler, &new);
	huge_switch(pages == PAGES_HUGE);

	memory_check(&old);
	memory_check(&new);
	memory_put(&old);
	memory_put(&new);
	memory_put(&filler);
	report_add(&result);
}
