// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Arithmetic on sets of counters. The structure is an array of u64 throughout.
 */
#include "counters.h"

#define COUNTERS (sizeof(struct drm_vsvm_counters) / sizeof(uint64_t))

_Static_assert(sizeof(struct drm_vsvm_counters) % sizeof(uint64_t) == 0, "not only u64");

void counters_add(struct drm_vsvm_counters *sum, const struct drm_vsvm_counters *more)
{
	const uint64_t *from = (const uint64_t *)more;
	uint64_t *to = (uint64_t *)sum;
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		to[i] += from[i];
}

void counters_diff(struct drm_vsvm_counters *out, const struct drm_vsvm_counters *before,
		   const struct drm_vsvm_counters *after)
{
	const uint64_t *a = (const uint64_t *)before;
	const uint64_t *b = (const uint64_t *)after;
	uint64_t *to = (uint64_t *)out;
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		to[i] = b[i] - a[i];
}

struct drm_vsvm_stage counters_stage(const struct drm_vsvm_counters *counters,
				     enum drm_vsvm_stage_id stage)
{
	struct drm_vsvm_stage sum = {0};
	int i;

	for (i = 0; i < DRM_VSVM_SIZE_CLASSES; i++) {
		sum.count += counters->stage[stage][i].count;
		sum.ns += counters->stage[stage][i].ns;
		sum.bytes += counters->stage[stage][i].bytes;
	}
	return sum;
}

uint64_t counters_gpu_faults(const struct drm_vsvm_counters *counters)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < DRM_VSVM_SIZE_CLASSES; i++)
		sum += counters->gpu_faults_served[i];
	return sum;
}

int64_t counters_pages_in_use(const struct drm_vsvm_counters *counters)
{
	int64_t pages = 0;
	int i;

	for (i = 0; i < DRM_VSVM_ORDERS; i++)
		pages += (int64_t)(counters->folios_allocated[i] - counters->folios_freed[i]) << i;
	return pages;
}
