// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Statistics
 *
 * Whatever the device does is counted, exactly: the query ioctl and ``counters``
 * in debugfs show it for the device, fdinfo for a client. The two sides
 * of each sum are counted apart from each other, so that a mistake shows.
 */

#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vsvm_vm.h"

#define CREATE_TRACE_POINTS
#include "vsvm_trace.h"

static void vsvm_read_array(u64 *to, const atomic64_t *from, unsigned int count)
{
	while (count--)
		to[count] = atomic64_read(&from[count]);
}

/**
 * vsvm_stats_read() - take the counters of a device
 * @vdev: the device, inside of drm_dev_enter()
 * @c: filled in
 */
void vsvm_stats_read(struct vsvm_device *vdev, struct drm_vsvm_counters *c)
{
	struct vsvm_stats *stats = &vdev->stats;
	struct vsvm_hw_counters hw;
	unsigned int i, j;

	vsvm_read_array(c->folios_allocated, stats->folios_allocated,
			DRM_VSVM_ORDERS);
	vsvm_read_array(c->folios_freed, stats->folios_freed, DRM_VSVM_ORDERS);
	vsvm_read_array(c->folios_to_vram, stats->folios_to_vram,
			DRM_VSVM_ORDERS);
	vsvm_read_array(c->folios_to_ram, stats->folios_to_ram, DRM_VSVM_ORDERS);
	vsvm_read_array(c->gpu_faults_served, stats->gpu_faults_served,
			DRM_VSVM_SIZE_CLASSES);
	c->folios_split = atomic64_read(&stats->folios_split);
	c->gpu_faults_stale = atomic64_read(&stats->gpu_faults_stale);
	c->gpu_faults_failed = atomic64_read(&stats->gpu_faults_failed);
	c->cpu_faults = atomic64_read(&stats->cpu_faults);
	c->dispatches = atomic64_read(&stats->dispatches);

	vsvm_hw_read_counters(vdev->hw, &hw);
	c->instructions = hw.instructions;
	c->tlb_hits = hw.tlb_hits;
	c->tlb_misses = hw.tlb_misses;

	c->vram_total = vdev->vram.size;
	c->vram_free = (u64)vsvm_vram_free_pages(&vdev->vram) << PAGE_SHIFT;

	for (i = 0; i < DRM_VSVM_STAGES; i++) {
		for (j = 0; j < DRM_VSVM_SIZE_CLASSES; j++) {
			struct vsvm_stage *from = &stats->stage[i][j];
			struct drm_vsvm_stage *to = &c->stage[i][j];

			to->count = atomic64_read(&from->count);
			to->ns = atomic64_read(&from->ns);
			to->bytes = atomic64_read(&from->bytes);
		}
	}

	vsvm_read_array(c->folios_evicted, stats->folios_evicted,
			DRM_VSVM_ORDERS);
	c->blocks_evicted = atomic64_read(&stats->blocks_evicted);
	c->evictions_failed = atomic64_read(&stats->evictions_failed);
	c->regions_promoted = atomic64_read(&stats->regions_promoted);
	c->pages_duplicated = atomic64_read(&stats->pages_duplicated);
	c->duplicates_dropped = atomic64_read(&stats->duplicates_dropped);
}

static const char * const vsvm_stage_names[DRM_VSVM_STAGES] = {
	[DRM_VSVM_STAGE_GPU_FAULT] = "gpu_fault",
	[DRM_VSVM_STAGE_TO_VRAM] = "to_vram",
	[DRM_VSVM_STAGE_COPY_TO_VRAM] = "copy_to_vram",
	[DRM_VSVM_STAGE_BIND] = "bind",
	[DRM_VSVM_STAGE_CPU_FAULT] = "cpu_fault",
	[DRM_VSVM_STAGE_TO_RAM] = "to_ram",
	[DRM_VSVM_STAGE_COPY_TO_RAM] = "copy_to_ram",
};

static const char * const vsvm_class_names[DRM_VSVM_SIZE_CLASSES] = {
	[DRM_VSVM_SIZE_4K] = "4K",
	[DRM_VSVM_SIZE_64K] = "64K",
	[DRM_VSVM_SIZE_2M] = "2M",
};

static void vsvm_print_folios(struct drm_printer *p,
			      const struct drm_vsvm_counters *c)
{
	unsigned int i;
	u64 pages = 0;

	for (i = 0; i < DRM_VSVM_ORDERS; i++) {
		pages += (c->folios_allocated[i] - c->folios_freed[i]) << i;
		if (!c->folios_allocated[i] && !c->folios_freed[i] &&
		    !c->folios_to_vram[i] && !c->folios_to_ram[i])
			continue;
		drm_printf(p, "folios_order_%u: allocated %llu freed %llu", i,
			   c->folios_allocated[i], c->folios_freed[i]);
		drm_printf(p, " to_vram %llu to_ram %llu\n",
			   c->folios_to_vram[i], c->folios_to_ram[i]);
	}
	drm_printf(p, "folios_split: %llu\n", c->folios_split);
	pages += c->pages_duplicated - c->duplicates_dropped;
	/* The same number, but for what changed meanwhile. */
	drm_printf(p, "pages_in_use: by counters %llu by blocks %llu\n", pages,
		   (c->vram_total - c->vram_free) >> PAGE_SHIFT);
}

static void vsvm_print_evictions(struct drm_printer *p,
				 const struct drm_vsvm_counters *c)
{
	unsigned int i;

	drm_printf(p, "blocks_evicted: %llu\n", c->blocks_evicted);
	drm_printf(p, "evictions_failed: %llu\n", c->evictions_failed);
	drm_printf(p, "regions_promoted: %llu\n", c->regions_promoted);
	drm_printf(p, "pages_duplicated: %llu dropped %llu\n",
		   c->pages_duplicated, c->duplicates_dropped);
	for (i = 0; i < DRM_VSVM_ORDERS; i++)
		if (c->folios_evicted[i])
			drm_printf(p, "folios_evicted_order_%u: %llu\n", i,
				   c->folios_evicted[i]);
}

static void vsvm_print_stages(struct drm_printer *p,
			      const struct drm_vsvm_counters *c)
{
	unsigned int i, j;

	for (i = 0; i < DRM_VSVM_STAGES; i++) {
		for (j = 0; j < DRM_VSVM_SIZE_CLASSES; j++) {
			const struct drm_vsvm_stage *stage = &c->stage[i][j];

			if (stage->count)
				drm_printf(p, "%s_%s: count %llu ns %llu bytes %llu\n",
					   vsvm_stage_names[i],
					   vsvm_class_names[j], stage->count,
					   stage->ns, stage->bytes);
		}
	}
}

/**
 * vsvm_stats_print() - print the counters of a device
 * @vdev: the device, inside of drm_dev_enter()
 * @p: printer
 *
 * Return: 0 or -ENOMEM.
 */
int vsvm_stats_print(struct vsvm_device *vdev, struct drm_printer *p)
{
	struct drm_vsvm_counters *c;
	unsigned int i;

	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;

	vsvm_stats_read(vdev, c);
	vsvm_print_folios(p, c);
	for (i = 0; i < DRM_VSVM_SIZE_CLASSES; i++)
		drm_printf(p, "gpu_faults_served_%s: %llu\n",
			   vsvm_class_names[i], c->gpu_faults_served[i]);
	drm_printf(p, "gpu_faults_stale: %llu\n", c->gpu_faults_stale);
	drm_printf(p, "gpu_faults_failed: %llu\n", c->gpu_faults_failed);
	drm_printf(p, "cpu_faults: %llu\n", c->cpu_faults);
	drm_printf(p, "dispatches: %llu\n", c->dispatches);
	drm_printf(p, "instructions: %llu\n", c->instructions);
	drm_printf(p, "tlb: hits %llu misses %llu\n", c->tlb_hits,
		   c->tlb_misses);
	vsvm_print_stages(p, c);
	vsvm_print_evictions(p, c);
	kfree(c);
	return 0;
}

/**
 * vsvm_show_fdinfo() - what a client uses
 * @p: printer
 * @file: file of the client
 *
 * See Documentation/gpu/drm-usage-stats.rst. Engine time is that of instructions,
 * summed over the compute units. The VRAM of a client is what its own migrations
 * have taken, wherever it is mapped: memory that a child has in common with its
 * parent is the parent's until the last of them gives it up.
 *
 * Context: Inside of drm_dev_enter(), see drm_show_fdinfo().
 */
void vsvm_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct vsvm_vm *vm = file->driver_priv;
	u64 kib = atomic64_read(&vm->owner->pages) << (PAGE_SHIFT - 10);

	drm_printf(p, "drm-engine-compute:\t%llu ns\n",
		   vsvm_hw_vm_busy_ns(vm->vdev->hw, vm->vmid));
	drm_printf(p, "drm-engine-capacity-compute:\t%u\n",
		   vm->vdev->config.num_cus);
	drm_printf(p, "drm-total-vram0:\t%llu KiB\n", kib);
	drm_printf(p, "drm-resident-vram0:\t%llu KiB\n", kib);
}
