// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Core dumps
 *
 * When a dispatch ends with an error, the state of the hart that failed, its
 * dispatch and the latest GPU faults become a device core dump, a text of at
 * most 16 KiB in ``/sys/class/devcoredump/devcdN/data``. A device has one at a
 * time: until it is written to, which deletes it, or five minutes have passed,
 * later errors leave none. It goes with the device.
 *
 * A dispatch that ends because its queue goes is no error.
 */

#include <linux/devcoredump.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <drm/vsvm_isa.h>

#include "vsvm_coredump.h"
#include "vsvm_drv.h"

#define VSVM_COREDUMP_SIZE	SZ_16K

static const char * const vsvm_status_names[] = {
	[VSVM_ISA_STATUS_OK] = "ok",
	[VSVM_ISA_STATUS_FAULT] = "fault",
	[VSVM_ISA_STATUS_ILLEGAL] = "illegal instruction",
	[VSVM_ISA_STATUS_MISALIGNED] = "misaligned",
	[VSVM_ISA_STATUS_BREAK] = "ebreak",
	[VSVM_ISA_STATUS_ECALL] = "unknown ecall",
	[VSVM_ISA_STATUS_KILLED] = "killed",
};

static void vsvm_coredump_release(void *data)
{
	dev_coredump_put(data);
}

/**
 * vsvm_coredump_init() - have the dump of a device go with it
 * @vdev: the device, without a workqueue yet: its work may dump until the end
 *
 * Return: 0 or a negative errno.
 */
int vsvm_coredump_init(struct vsvm_device *vdev)
{
	struct device *dev = vdev->drm.dev;
	int ret;

	ret = drmm_mutex_init(&vdev->drm, &vdev->coredump_lock);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, vsvm_coredump_release, dev);
}

static void vsvm_print_registers(struct drm_printer *p, char prefix,
				 const u64 *registers)
{
	unsigned int i;

	for (i = 0; i < 32; i++)
		drm_printf(p, "%c%u: %#llx\n", prefix, i, registers[i]);
}

static void vsvm_print_hart(struct drm_printer *p,
			    const struct vsvm_hw_error *error)
{
	const struct vsvm_hw_dispatch *d = &error->dispatch;

	drm_printf(p, "entry: %#llx\n", d->entry);
	drm_printf(p, "arg: %#llx\n", d->arg);
	drm_printf(p, "groups: %u %u %u\n", d->groups[0], d->groups[1],
		   d->groups[2]);
	drm_printf(p, "group_size: %u %u %u\n", d->group_size[0],
		   d->group_size[1], d->group_size[2]);
	drm_printf(p, "stack: %#llx size %u\n", d->stack_base, d->stack_size);
	drm_printf(p, "local memory: %u\n", d->local_size);
	drm_printf(p, "cu: %u\n", error->cu);
	drm_printf(p, "group: %llu\n", error->group);
	drm_printf(p, "hart: %u\n", error->hart);
	vsvm_print_registers(p, 'x', error->x);
	vsvm_print_registers(p, 'f', error->f);
	drm_printf(p, "fcsr: %#x\n", error->fcsr);
}

static void vsvm_print_crash(struct vsvm_device *vdev, struct drm_printer *p,
			     const struct vsvm_crash *crash)
{
	const struct vsvm_hw_done *done = &crash->done;

	drm_puts(p, "**** vsvm GPU error ****\n");
	drm_printf(p, "device: %s\n", dev_name(vdev->drm.dev));
	drm_printf(p, "time: %llu ns\n", ktime_get_ns());
	drm_printf(p, "client: %llu\n", crash->client);
	drm_printf(p, "pid: %d\n", crash->pid);
	drm_printf(p, "comm: %s\n", crash->comm);
	drm_printf(p, "vmid: %u\n", crash->vmid);
	drm_printf(p, "queue: %u\n", crash->queue);
	drm_printf(p, "dispatches before: %u\n", crash->dispatches);
	drm_printf(p, "status: %u (%s)\n", done->status,
		   vsvm_status_names[done->status]);
	drm_printf(p, "pc: %#llx\n", done->pc);
	if (done->status == VSVM_ISA_STATUS_FAULT) {
		drm_printf(p, "fault_addr: %#llx\n", done->addr);
		drm_printf(p, "fault_access: %u (%s)\n", done->access,
			   vsvm_access_name(done->access));
	}
	if (crash->has_hart)
		vsvm_print_hart(p, &crash->error);
	vsvm_fault_log_print(&vdev->fault_log, p);
}

/**
 * vsvm_coredump() - leave a core dump, unless there is one already
 * @vdev: the device
 * @crash: what has happened
 *
 * Context: Process context, may sleep. Not under a lock.
 */
void vsvm_coredump(struct vsvm_device *vdev, const struct vsvm_crash *crash)
{
	struct drm_print_iterator iterator = {
		.remain = VSVM_COREDUMP_SIZE,
	};
	struct drm_printer p = drm_coredump_printer(&iterator);

	if (!IS_ENABLED(CONFIG_DEV_COREDUMP))
		return;

	iterator.data = vzalloc(VSVM_COREDUMP_SIZE);
	if (!iterator.data)
		return;
	vsvm_print_crash(vdev, &p, crash);
	mutex_lock(&vdev->coredump_lock);
	dev_coredumpv(vdev->drm.dev, iterator.data,
		      VSVM_COREDUMP_SIZE - iterator.remain, GFP_KERNEL);
	mutex_unlock(&vdev->coredump_lock);
}
