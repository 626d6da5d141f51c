// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/vsvm_isa.h>

#include "vsvm_vm.h"

static int vsvm_query_reply(struct drm_vsvm_query *args, const void *reply,
			    u32 size)
{
	u32 room = args->size;

	args->size = size;
	if (copy_to_user(u64_to_user_ptr(args->data), reply, min(room, size)))
		return -EFAULT;
	return 0;
}

static int vsvm_query_info(struct vsvm_device *vdev, struct drm_vsvm_query *args)
{
	struct drm_vsvm_info info = {
		.uapi_version = DRM_VSVM_UAPI_VERSION,
		.num_cus = vdev->config.num_cus,
		.max_group = vdev->config.max_group,
		.max_local = vdev->config.max_local,
		.max_order = vsvm_huge_enabled() ? VSVM_BLOCK_ORDER : 0,
		.va_bits = VSVM_ISA_VA_BITS,
		.page_shift = PAGE_SHIFT,
		.vram_size = vdev->config.vram_size,
		.device_index = vdev->index,
	};

	return vsvm_query_reply(args, &info, sizeof(info));
}

static int vsvm_query_counters(struct vsvm_device *vdev,
			       struct drm_vsvm_query *args)
{
	struct drm_vsvm_counters *counters;
	int ret, idx;

	counters = kzalloc(sizeof(*counters), GFP_KERNEL);
	if (!counters)
		return -ENOMEM;

	if (drm_dev_enter(&vdev->drm, &idx)) {
		vsvm_stats_read(vdev, counters);
		drm_dev_exit(idx);
		ret = vsvm_query_reply(args, counters, sizeof(*counters));
	} else {
		ret = -ENODEV;
	}
	kfree(counters);
	return ret;
}

int vsvm_ioctl_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vsvm_device *vdev = to_vsvm_device(drm);
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_query *args = data;

	if (IS_ERR(vm))
		return PTR_ERR(vm);

	switch (args->query) {
	case DRM_VSVM_QUERY_INFO:
		return vsvm_query_info(vdev, args);
	case DRM_VSVM_QUERY_COUNTERS:
		return vsvm_query_counters(vdev, args);
	default:
		drm_dbg(drm, "unknown query %u\n", args->query);
		return -EINVAL;
	}
}
