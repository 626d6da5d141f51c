// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Where memory is, and moving it.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

/* Widens a range to whole pages. */
static bool whole_pages(const struct vsvm_device *dev, const void *addr, size_t length,
			__u64 *start, __u64 *bytes)
{
	uint64_t mask = (1ULL << dev->info.page_shift) - 1;
	uint64_t end;

	if (__builtin_add_overflow((uintptr_t)addr, length, &end) ||
	    __builtin_add_overflow(end, mask, &end))
		return false;
	*start = (uintptr_t)addr & ~mask;
	*bytes = (end & ~mask) - *start;
	return length;
}

int vsvm_prefetch(struct vsvm_device *dev, const void *addr, size_t length,
		  enum drm_vsvm_location location, uint64_t *moved)
{
	struct drm_vsvm_prefetch args = {.location = location};
	int err;

	if (!whole_pages(dev, addr, length, &args.addr, &args.length))
		return vsvm_fail(-EINVAL, "the range is empty or too large");
	err = vsvm_ioctl(dev, DRM_IOCTL_VSVM_PREFETCH, &args);
	if (err)
		return vsvm_fail(err, "cannot prefetch: %s", strerror(-err));
	if (moved)
		*moved = args.moved;
	return 0;
}

/* The fence of prefetches, or NULL. It is shared memory, as that of a queue. */
static uint64_t *get_fence(struct vsvm_device *dev)
{
	if (!dev->fence) {
		void *page = mmap(NULL, 1UL << dev->info.page_shift, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (page != MAP_FAILED)
			dev->fence = page;
	}
	return dev->fence;
}

int vsvm_prefetch_start(struct vsvm_device *dev, const void *addr, size_t length,
			enum drm_vsvm_location location, uint64_t *fence)
{
	struct drm_vsvm_prefetch args = {
		.location = location,
		.flags = DRM_VSVM_PREFETCH_ASYNC,
	};
	int err;

	if (!whole_pages(dev, addr, length, &args.addr, &args.length))
		return vsvm_fail(-EINVAL, "the range is empty or too large");

	pthread_mutex_lock(&dev->lock);
	args.fence_addr = (uintptr_t)get_fence(dev);
	args.fence_value = dev->started + 1;
	err = args.fence_addr ? vsvm_ioctl(dev, DRM_IOCTL_VSVM_PREFETCH, &args) : -ENOMEM;
	if (!err)
		__atomic_store_n(&dev->started, args.fence_value, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&dev->lock);

	if (err)
		return vsvm_fail(err, "cannot start a prefetch: %s", strerror(-err));
	if (fence)
		*fence = args.fence_value;
	return 0;
}

int vsvm_prefetch_wait(struct vsvm_device *dev, uint64_t fence, int64_t timeout)
{
	struct drm_vsvm_wait args = {
		.fence_value = fence,
		.timeout_ns = vsvm_deadline(timeout),
	};
	int err;

	if (!fence || fence > __atomic_load_n(&dev->started, __ATOMIC_ACQUIRE))
		return vsvm_fail(-EINVAL, "no prefetch was started with fence %llu",
				 (unsigned long long)fence);
	args.fence_addr = (uintptr_t)dev->fence;
	err = vsvm_ioctl(dev, DRM_IOCTL_VSVM_WAIT, &args);
	if (err == -ETIME)
		return vsvm_fail(err, "not done in time");
	if (err)
		return vsvm_fail(err, "cannot wait: %s", strerror(-err));
	return 0;
}

int vsvm_advise(struct vsvm_device *dev, const void *addr, size_t length,
		enum drm_vsvm_attribute attribute, uint32_t value)
{
	struct drm_vsvm_advise args = {.attribute = attribute, .value = value};
	int err;

	if (!whole_pages(dev, addr, length, &args.addr, &args.length))
		return vsvm_fail(-EINVAL, "the range is empty or too large");
	err = vsvm_ioctl(dev, DRM_IOCTL_VSVM_ADVISE, &args);
	if (err)
		return vsvm_fail(err, "cannot advise: %s", strerror(-err));
	return 0;
}

int vsvm_attributes(struct vsvm_device *dev, const void *addr, size_t length,
		    struct drm_vsvm_attributes_run *runs, uint32_t *num_runs)
{
	struct drm_vsvm_attributes args = {
		.runs = (uintptr_t)runs,
		.num_runs = *num_runs,
	};
	int err;

	if (!whole_pages(dev, addr, length, &args.addr, &args.length))
		return vsvm_fail(-EINVAL, "the range is empty or too large");
	err = vsvm_ioctl(dev, DRM_IOCTL_VSVM_ATTRIBUTES, &args);
	if (err)
		return vsvm_fail(err, "cannot ask for attributes: %s", strerror(-err));
	*num_runs = args.num_runs;
	return 0;
}

int vsvm_residency(struct vsvm_device *dev, const void *addr, size_t length,
		   struct drm_vsvm_residency_run *runs, uint32_t *num_runs)
{
	struct drm_vsvm_residency args = {
		.runs = (uintptr_t)runs,
		.num_runs = *num_runs,
	};
	int err;

	if (!whole_pages(dev, addr, length, &args.addr, &args.length))
		return vsvm_fail(-EINVAL, "the range is empty or too large");
	err = vsvm_ioctl(dev, DRM_IOCTL_VSVM_RESIDENCY, &args);
	if (err)
		return vsvm_fail(err, "cannot ask for residency: %s", strerror(-err));
	*num_runs = args.num_runs;
	return 0;
}
