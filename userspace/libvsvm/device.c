// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Devices: find, open, ask.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xf86drm.h>

#include "internal.h"

#define FIRST_RENDER_MINOR 128
#define LAST_RENDER_MINOR  255

int vsvm_ioctl(const struct vsvm_device *dev, unsigned long request, void *arg)
{
	return drmIoctl(dev->fd, request, arg) ? -errno : 0;
}

static int query(const struct vsvm_device *dev, uint32_t what, void *data, size_t size)
{
	struct drm_vsvm_query args = {
		.query = what,
		.size = size,
		.data = (uintptr_t)data,
	};
	int err;

	if (size > UINT32_MAX)
		return vsvm_fail(-EINVAL, "size is too large");
	memset(data, 0, size);
	err = vsvm_ioctl(dev, DRM_IOCTL_VSVM_QUERY, &args);
	if (err)
		return vsvm_fail(err, "cannot query the device: %s", strerror(-err));
	return 0;
}

static bool is_vsvm(int fd)
{
	drmVersion *version = drmGetVersion(fd);
	bool yes = version && !strcmp(version->name, "vsvm");

	drmFreeVersion(version);
	return yes;
}

int vsvm_device_open_path(const char *path, struct vsvm_device **out)
{
	struct vsvm_device *dev;
	int err;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return vsvm_fail(-ENOMEM, "out of memory");
	dev->refs = 1;
	pthread_mutex_init(&dev->lock, NULL);
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0) {
		err = vsvm_fail(-errno, "cannot open %s: %s", path, strerror(errno));
		pthread_mutex_destroy(&dev->lock);
		free(dev);
		return err;
	}
	if (!is_vsvm(dev->fd)) {
		err = vsvm_fail(-ENODEV, "%s is not a vsvm device", path);
		goto close;
	}
	err = query(dev, DRM_VSVM_QUERY_INFO, &dev->info, sizeof(dev->info));
	if (err)
		goto close;
	if (!dev->info.uapi_version || !dev->info.num_cus || !dev->info.max_group) {
		err = vsvm_fail(-EPROTO, "%s: the driver speaks another protocol", path);
		goto close;
	}
	*out = dev;
	return 0;

close:
	vsvm_device_put(dev);
	return err;
}

int vsvm_device_open(unsigned int index, struct vsvm_device **out)
{
	bool seen = false, denied = false;
	char path[32];
	int minor;

	for (minor = FIRST_RENDER_MINOR; minor <= LAST_RENDER_MINOR; minor++) {
		struct vsvm_device *dev;
		int err;

		snprintf(path, sizeof(path), "/dev/dri/renderD%d", minor);
		err = vsvm_device_open_path(path, &dev);
		if (err == -EACCES || err == -EPERM)
			denied = true;
		if (err == -EPROTO || err == -ENOMEM)
			return err;
		if (err)
			continue;
		if (dev->info.device_index == index) {
			*out = dev;
			return 0;
		}
		seen = true;
		vsvm_device_put(dev);
	}
	if (denied)
		return vsvm_fail(-EACCES, "no permission to open a render node in /dev/dri");
	if (seen)
		return vsvm_fail(-ENODEV, "there is no vsvm device number %u", index);
	return vsvm_fail(-ENODEV, "there is no vsvm device: is the module vsvm loaded?");
}

void vsvm_device_get(struct vsvm_device *dev)
{
	__atomic_fetch_add(&dev->refs, 1, __ATOMIC_RELAXED);
}

void vsvm_device_put(struct vsvm_device *dev)
{
	if (__atomic_sub_fetch(&dev->refs, 1, __ATOMIC_ACQ_REL))
		return;
	close(dev->fd);
	/* From here on no fence is written. */
	if (dev->fence)
		munmap(dev->fence, 1UL << dev->info.page_shift);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

void vsvm_device_close(struct vsvm_device *dev)
{
	if (dev)
		vsvm_device_put(dev);
}

int vsvm_device_fd(const struct vsvm_device *dev)
{
	return dev->fd;
}

int vsvm_device_info(struct vsvm_device *dev, struct drm_vsvm_info *info, size_t size)
{
	return query(dev, DRM_VSVM_QUERY_INFO, info, size);
}

int vsvm_device_counters(struct vsvm_device *dev, struct drm_vsvm_counters *counters, size_t size)
{
	return query(dev, DRM_VSVM_QUERY_COUNTERS, counters, size);
}
