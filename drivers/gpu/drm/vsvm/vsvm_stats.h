/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_STATS_H_
#define _VSVM_STATS_H_

#include <linux/atomic.h>
#include <linux/sizes.h>

#include <drm/vsvm_drm.h>

struct drm_file;
struct drm_printer;
struct vsvm_device;

/* The live form of &struct drm_vsvm_stage. */
struct vsvm_stage {
	atomic64_t count;
	atomic64_t ns;
	atomic64_t bytes;
};

/*
 * The live form of &struct drm_vsvm_counters. Members have the names and
 * meanings that they have there; they may be changed in any context.
 */
struct vsvm_stats {
	atomic64_t folios_allocated[DRM_VSVM_ORDERS];
	atomic64_t folios_freed[DRM_VSVM_ORDERS];
	atomic64_t folios_split;
	atomic64_t folios_to_vram[DRM_VSVM_ORDERS];
	atomic64_t folios_to_ram[DRM_VSVM_ORDERS];
	atomic64_t gpu_faults_served[DRM_VSVM_SIZE_CLASSES];
	atomic64_t gpu_faults_stale;
	atomic64_t gpu_faults_failed;
	atomic64_t cpu_faults;
	atomic64_t dispatches;
	struct vsvm_stage stage[DRM_VSVM_STAGES][DRM_VSVM_SIZE_CLASSES];
	atomic64_t folios_evicted[DRM_VSVM_ORDERS];
	atomic64_t blocks_evicted;
	atomic64_t evictions_failed;
	atomic64_t regions_promoted;
	atomic64_t pages_duplicated;
	atomic64_t duplicates_dropped;
};

static inline enum drm_vsvm_size_class vsvm_size_class(u64 bytes)
{
	if (bytes >= SZ_2M)
		return DRM_VSVM_SIZE_2M;
	return bytes >= SZ_64K ? DRM_VSVM_SIZE_64K : DRM_VSVM_SIZE_4K;
}

static inline void vsvm_stage_add(struct vsvm_stats *stats,
				  enum drm_vsvm_stage_id id, u64 bytes, u64 ns)
{
	struct vsvm_stage *stage = &stats->stage[id][vsvm_size_class(bytes)];

	atomic64_inc(&stage->count);
	atomic64_add(ns, &stage->ns);
	atomic64_add(bytes, &stage->bytes);
}

void vsvm_stats_read(struct vsvm_device *vdev, struct drm_vsvm_counters *c);
int vsvm_stats_print(struct vsvm_device *vdev, struct drm_printer *p);
void vsvm_show_fdinfo(struct drm_printer *p, struct drm_file *file);

#endif /* _VSVM_STATS_H_ */
