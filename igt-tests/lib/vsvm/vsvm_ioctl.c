// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <xf86drm.h>

#include "vsvm_ioctl.h"

/* Render nodes have the minors 128 to 191. */
#define FIRST_RENDER 128
#define NUM_RENDER   64

static bool is_vsvm(int fd)
{
	drmVersion *version = drmGetVersion(fd);
	bool is = version && !strcmp(version->name, "vsvm");

	drmFreeVersion(version);
	return is;
}

int vsvm_open(unsigned int index)
{
	for (int i = 0; i < NUM_RENDER; i++) {
		struct drm_vsvm_info info = {};
		struct drm_vsvm_query query = {
			.query = DRM_VSVM_QUERY_INFO,
			.size = sizeof(info),
			.data = (uintptr_t)&info,
		};
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/renderD%d", FIRST_RENDER + i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_vsvm(fd) && !vsvm_ioctl(fd, DRM_IOCTL_VSVM_QUERY, &query) &&
		    info.device_index == index)
			return fd;
		close(fd);
	}
	return -ENODEV;
}

int vsvm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret && errno == EINTR);
	ret = ret ? -errno : 0;
	errno = 0;
	return ret;
}

static void query(int fd, uint32_t id, void *data, uint32_t size)
{
	struct drm_vsvm_query query = {.query = id, .size = size, .data = (uintptr_t)data};

	memset(data, 0, size);
	igt_assert_eq(vsvm_ioctl(fd, DRM_IOCTL_VSVM_QUERY, &query), 0);
	igt_assert_lte(size, query.size);
}

void vsvm_query_info(int fd, struct drm_vsvm_info *info)
{
	query(fd, DRM_VSVM_QUERY_INFO, info, sizeof(*info));
}

void vsvm_query_counters(int fd, struct drm_vsvm_counters *counters)
{
	query(fd, DRM_VSVM_QUERY_COUNTERS, counters, sizeof(*counters));
}

int vsvm_try_prefetch(int fd, const void *addr, uint64_t length, uint32_t location, uint64_t *moved)
{
	struct drm_vsvm_prefetch prefetch = {
		.addr = (uintptr_t)addr,
		.length = length,
		.location = location,
	};
	int ret = vsvm_ioctl(fd, DRM_IOCTL_VSVM_PREFETCH, &prefetch);

	if (moved)
		*moved = prefetch.moved;
	return ret;
}

int vsvm_try_advise(int fd, const void *addr, uint64_t length, uint32_t attribute, uint32_t value)
{
	struct drm_vsvm_advise advise = {
		.addr = (uintptr_t)addr,
		.length = length,
		.attribute = attribute,
		.value = value,
	};

	return vsvm_ioctl(fd, DRM_IOCTL_VSVM_ADVISE, &advise);
}

int vsvm_try_residency(int fd, const void *addr, uint64_t length,
		       struct drm_vsvm_residency_run *runs, uint32_t *num_runs)
{
	struct drm_vsvm_residency residency = {
		.addr = (uintptr_t)addr,
		.length = length,
		.runs = (uintptr_t)runs,
		.num_runs = *num_runs,
	};
	int ret = vsvm_ioctl(fd, DRM_IOCTL_VSVM_RESIDENCY, &residency);

	*num_runs = residency.num_runs;
	return ret;
}
