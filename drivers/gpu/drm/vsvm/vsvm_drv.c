// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: vsvm (Virtual Shared Virtual Memory GPU)
 *
 * vsvm drives a GPU that exists in software only, the GPU model in hw/. It is a
 * compute GPU without a display, without buffer objects and without addresses of
 * its own: its programs use the addresses of the process, and what they touch
 * moves to the GPU's memory and back.
 *
 * This file has the module, its devices and the table of ioctls. The others:
 *
 * - vsvm_vm.c: an address space for each open file
 * - vsvm_svm.c: the GPU's page tables follow those of the process; locking
 * - vsvm_pt.c: format of the GPU's page tables
 * - vsvm_fault.c: GPU faults
 * - vsvm_advise.c: what the program wants of ranges
 * - vsvm_migrate.c: migration between system memory and VRAM
 * - vsvm_evict.c: room in VRAM
 * - vsvm_promote.c: what the GPU accesses often moves to VRAM
 * - vsvm_prefetch.c, vsvm_residency.c, vsvm_query.c: ioctls
 * - vsvm_async.c: asynchronous prefetch
 * - vsvm_wait.c: waiting for user fences
 * - vsvm_queue.c: queues, submission, user fences
 * - vsvm_vram.c: allocation of VRAM
 * - vsvm_pm.c: system suspend
 * - vsvm_stats.c: counters, fdinfo
 * - vsvm_debugfs.c, vsvm_fault_log.c: debugfs, the latest GPU faults
 * - vsvm_measure.c: what a benchmark cannot measure from outside
 * - vsvm_coredump.c: core dumps after an error
 * - vsvm_trace.h: tracepoints
 */

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "vsvm_coredump.h"
#include "vsvm_debugfs.h"
#include "vsvm_pm.h"
#include "vsvm_vm.h"

#define VSVM_NAME		"vsvm"
#define VSVM_MAX_DEVICES	8
#define VSVM_MAX_CUS		64
#define VSVM_MAX_GROUP		256
#define VSVM_FAULT_ENTRIES	256
#define VSVM_LOCAL_SIZE		SZ_64K

static unsigned long vram_size = SZ_256M;

static int vram_size_set(const char *val, const struct kernel_param *kp)
{
	unsigned long long size;
	char *end;

	size = memparse(val, &end);
	if (end == val || (*end && *end != '\n'))
		return -EINVAL;
	/* A small number is meant as MiB. */
	if (size < VSVM_BLOCK_SIZE)
		size *= SZ_1M;
	size = round_down(size, VSVM_BLOCK_SIZE);
	if (size < VSVM_BLOCK_SIZE || size > SZ_64G)
		return -EINVAL;
	vram_size = size;
	return 0;
}

static const struct kernel_param_ops vram_size_ops = {
	.set = vram_size_set,
	.get = param_get_ulong,
};

module_param_cb(vram_size, &vram_size_ops, &vram_size, 0444);
__MODULE_PARM_TYPE(vram_size, "ulong");
MODULE_PARM_DESC(vram_size,
		 "Memory of each device, in MiB, or in bytes from 2097152 on; K, M and G may follow (default 256M)");

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "Number of devices, 1 to 8 (default 1)");

static unsigned int compute_units = 2;
module_param(compute_units, uint, 0444);
MODULE_PARM_DESC(compute_units,
		 "Compute units of each device, 1 to 64 (default 2)");

static bool huge = true;
module_param(huge, bool, 0644);
MODULE_PARM_DESC(huge,
		 "Use folios of 2 MiB in VRAM; may be changed at any time (default Y)");

/**
 * vsvm_huge_enabled() - whether VRAM is used in folios of 2 MiB
 *
 * Return: true if new migrations should do so.
 */
bool vsvm_huge_enabled(void)
{
	return READ_ONCE(huge);
}

static unsigned int fill_order;

static int fill_order_set(const char *val, const struct kernel_param *kp)
{
	unsigned int order;
	int ret = kstrtouint(val, 0, &order);

	if (ret)
		return ret;
	if (order == 1 || order >= VSVM_BLOCK_ORDER)
		return -EINVAL;
	WRITE_ONCE(fill_order, order);
	return 0;
}

static const struct kernel_param_ops fill_order_ops = {
	.set = fill_order_set,
	.get = param_get_uint,
};

module_param_cb(fill_order, &fill_order_ops, &fill_order, 0644);
__MODULE_PARM_TYPE(fill_order, "uint");
MODULE_PARM_DESC(fill_order,
		 "Order of the folios for new memory that is not 2 MiB, 2 to 8, or 0 for pages; may be changed at any time (default 0)");

/**
 * vsvm_fill_order() - what a hole is filled with that is less than a block
 *
 * Return: the order of the folios, 0 for single pages.
 */
unsigned int vsvm_fill_order(void)
{
	return READ_ONCE(fill_order);
}

static const struct drm_ioctl_desc vsvm_ioctls[] = {
	DRM_IOCTL_DEF_DRV(VSVM_QUERY, vsvm_ioctl_query, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VSVM_PREFETCH, vsvm_ioctl_prefetch, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VSVM_RESIDENCY, vsvm_ioctl_residency, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VSVM_QUEUE_CREATE, vsvm_ioctl_queue_create,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VSVM_QUEUE_DESTROY, vsvm_ioctl_queue_destroy,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VSVM_SUBMIT, vsvm_ioctl_submit, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VSVM_WAIT, vsvm_ioctl_wait, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VSVM_ADVISE, vsvm_ioctl_advise, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VSVM_ATTRIBUTES, vsvm_ioctl_attributes,
			  DRM_RENDER_ALLOW),
};

static const struct file_operations vsvm_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = drm_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static const struct drm_driver vsvm_driver = {
	.driver_features = DRIVER_RENDER,
	.open = vsvm_open,
	.postclose = vsvm_postclose,
	.show_fdinfo = vsvm_show_fdinfo,
	.ioctls = vsvm_ioctls,
	.num_ioctls = ARRAY_SIZE(vsvm_ioctls),
	.fops = &vsvm_fops,
	.name = VSVM_NAME,
	.desc = "Virtual GPU with shared virtual memory",
	.date = "20261122",
	.major = 1,
	.minor = 0,
};

/* A bus address of this platform device is a physical address. */
static void *vsvm_host_sysmem(void *priv, u64 addr)
{
	return phys_to_virt(addr);
}

static void vsvm_host_irq(void *priv, u32 sources)
{
	struct vsvm_device *vdev = priv;

	if (sources & VSVM_HW_IRQ_FAULT)
		queue_work(vdev->wq, &vdev->fault_work);
	if (sources & VSVM_HW_IRQ_DONE)
		queue_work(vdev->wq, &vdev->done_work);
}

static const struct vsvm_hw_host vsvm_host = {
	.sysmem = vsvm_host_sysmem,
	.irq = vsvm_host_irq,
};

static void vsvm_wq_release(void *data)
{
	destroy_workqueue(data);
}

static void vsvm_hw_release(void *data)
{
	vsvm_hw_destroy(data);
}

static void vsvm_batch_release(struct drm_device *drm, void *data)
{
	kvfree(data);
}

static int vsvm_software_init(struct vsvm_device *vdev)
{
	struct drm_device *drm = &vdev->drm;
	int ret;

	INIT_LIST_HEAD(&vdev->vms);
	INIT_LIST_HEAD(&vdev->queues);
	xa_init(&vdev->vmids);
	vsvm_duplicates_init(&vdev->duplicates);
	vsvm_fault_log_init(&vdev->fault_log);
	INIT_WORK(&vdev->fault_work, vsvm_fault_work);
	INIT_WORK(&vdev->done_work, vsvm_done_work);
	INIT_DELAYED_WORK(&vdev->promote_work, vsvm_promote_work);

	ret = drmm_mutex_init(drm, &vdev->vms_lock);
	if (ret)
		return ret;
	ret = drmm_mutex_init(drm, &vdev->queues_lock);
	if (ret)
		return ret;

	vdev->fault_batch = vsvm_batch_alloc(1, GFP_KERNEL);
	if (!vdev->fault_batch)
		return -ENOMEM;
	ret = drmm_add_action_or_reset(drm, vsvm_batch_release, vdev->fault_batch);
	if (ret)
		return ret;

	ret = vsvm_coredump_init(vdev);
	if (ret)
		return ret;
	vdev->wq = alloc_workqueue("%s", WQ_UNBOUND | WQ_FREEZABLE, 0,
				   dev_name(drm->dev));
	if (!vdev->wq)
		return -ENOMEM;
	ret = devm_add_action_or_reset(drm->dev, vsvm_wq_release, vdev->wq);
	if (ret)
		return ret;
	vdev->async_wq = alloc_workqueue("%s-async",
					 WQ_UNBOUND | WQ_FREEZABLE,
					 WQ_MAX_ACTIVE, dev_name(drm->dev));
	if (!vdev->async_wq)
		return -ENOMEM;
	return devm_add_action_or_reset(drm->dev, vsvm_wq_release,
					vdev->async_wq);
}

static int vsvm_hardware_init(struct vsvm_device *vdev)
{
	struct device *dev = vdev->drm.dev;

	vdev->config = (struct vsvm_hw_config) {
		.vram_size = vram_size,
		.num_cus = clamp(compute_units, 1U, VSVM_MAX_CUS),
		.max_group = VSVM_MAX_GROUP,
		.fault_entries = VSVM_FAULT_ENTRIES,
		.max_local = VSVM_LOCAL_SIZE,
		.name = dev_name(dev),
	};
	vdev->hw = vsvm_hw_create(&vdev->config, &vsvm_host, vdev);
	if (IS_ERR(vdev->hw))
		return PTR_ERR(vdev->hw);
	return devm_add_action_or_reset(dev, vsvm_hw_release, vdev->hw);
}

static int vsvm_probe(struct platform_device *pdev)
{
	struct vsvm_device *vdev;
	int ret;

	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;

	vdev = devm_drm_dev_alloc(&pdev->dev, &vsvm_driver, struct vsvm_device,
				  drm);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	vdev->index = pdev->id;
	platform_set_drvdata(pdev, vdev);

	ret = vsvm_software_init(vdev);
	if (ret)
		return ret;
	ret = vsvm_hardware_init(vdev);
	if (ret)
		return ret;
	ret = vsvm_vram_init(vdev);
	if (ret)
		return ret;
	vsvm_debugfs_init(vdev);

	return drm_dev_register(&vdev->drm, 0);
}

static void vsvm_remove(struct platform_device *pdev)
{
	struct vsvm_device *vdev = platform_get_drvdata(pdev);

	/* From here on no ioctl uses the GPU, and nothing new is opened. */
	drm_dev_unplug(&vdev->drm);
	cancel_delayed_work_sync(&vdev->promote_work);
	vsvm_vram_close(&vdev->vram);
	vsvm_vm_shutdown_all(vdev);
	cancel_work_sync(&vdev->fault_work);
	cancel_work_sync(&vdev->done_work);
	xa_destroy(&vdev->vmids);

	/* mm cannot give up the struct pages while a process uses one. */
	if (!vsvm_migrate_all_to_ram(vdev))
		drm_err(&vdev->drm, "pages in VRAM cannot be moved\n");
}

static struct platform_driver vsvm_platform_driver = {
	.probe = vsvm_probe,
	.remove_new = vsvm_remove,
	.driver = {
		.name = VSVM_NAME,
		.pm = pm_sleep_ptr(&vsvm_pm_ops),
	},
};

static struct platform_device *vsvm_devices[VSVM_MAX_DEVICES];

static void vsvm_unregister_devices(void)
{
	unsigned int i = VSVM_MAX_DEVICES;

	while (i--)
		platform_device_unregister(vsvm_devices[i]);
}

static int __init vsvm_init(void)
{
	unsigned int i;
	int ret;

	ret = platform_driver_register(&vsvm_platform_driver);
	if (ret)
		return ret;

	for (i = 0; i < clamp(devices, 1U, VSVM_MAX_DEVICES); i++) {
		struct platform_device *pdev;

		pdev = platform_device_register_simple(VSVM_NAME, i, NULL, 0);
		if (IS_ERR(pdev)) {
			ret = PTR_ERR(pdev);
			goto err;
		}
		vsvm_devices[i] = pdev;
		/* A probe that fails leaves a device without a driver. */
		if (!platform_get_drvdata(pdev)) {
			ret = -ENODEV;
			goto err;
		}
	}
	return 0;

err:
	vsvm_unregister_devices();
	platform_driver_unregister(&vsvm_platform_driver);
	return ret;
}

static void __exit vsvm_exit(void)
{
	vsvm_unregister_devices();
	platform_driver_unregister(&vsvm_platform_driver);
}

module_init(vsvm_init);
module_exit(vsvm_exit);

MODULE_AUTHOR("The vsvm developers");
MODULE_DESCRIPTION("Virtual GPU with shared virtual memory");
MODULE_LICENSE("GPL");
