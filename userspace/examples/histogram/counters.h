/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Arithmetic on sets of counters.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <vsvm.h>

/* sum += more, counter by counter. */
void counters_add(struct drm_vsvm_counters *sum, const struct drm_vsvm_counters *more);

/* out = after - before, counter by counter. */
void counters_diff(struct drm_vsvm_counters *out, const struct drm_vsvm_counters *before,
		   const struct drm_vsvm_counters *after);

/* One stage, all size classes. */
struct drm_vsvm_stage counters_stage(const struct drm_vsvm_counters *counters,
				     enum drm_vsvm_stage_id stage);

/* GPU faults served, all size classes. */
uint64_t counters_gpu_faults(const struct drm_vsvm_counters *counters);

/* Pages of VRAM in use: pages of all folios allocated less those of all freed. */
int64_t counters_pages_in_use(const struct drm_vsvm_counters *counters);

#endif /* COUNTERS_H */
