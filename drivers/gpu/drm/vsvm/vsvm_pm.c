// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: System suspend
 *
 * Without power VRAM loses its contents. So before the machine sleeps, all of VRAM
 * moves to system memory, as it does for an eviction. Nothing brings it back but the
 * GPU faults afterwards: what is used returns, and only that.
 *
 * By then user space is frozen, and so are the workqueues that serve GPU faults and
 * carry out prefetches: what was under way has ended, what is new waits. The compute
 * units are halted in between two instructions, and go on there. No program sees
 * anything of it but the time that it took.
 *
 * ========  ====================================================================
 * prepare   halts the GPU and empties VRAM. Other devices still work: to make
 *           room in system memory the kernel may have to swap
 * suspend   takes the power away
 * complete  lets the GPU run again, also when the machine did not sleep after all
 * ========  ====================================================================
 *
 * If a page cannot leave VRAM, the device refuses with -EBUSY and goes on as before,
 * and the machine does not sleep.
 */

#include <linux/platform_device.h>

#include <drm/drm_print.h>

#include "vsvm_pm.h"
#include "vsvm_vm.h"

static int vsvm_pm_prepare(struct device *dev)
{
	struct vsvm_device *vdev = dev_get_drvdata(dev);

	vsvm_hw_halt(vdev->hw);
	if (vsvm_migrate_all_to_ram(vdev))
		return 0;

	drm_err(&vdev->drm, "pages in VRAM cannot be moved, no suspend\n");
	vsvm_hw_run(vdev->hw);
	return -EBUSY;
}

static int vsvm_pm_suspend(struct device *dev)
{
	struct vsvm_device *vdev = dev_get_drvdata(dev);

	vsvm_hw_power_off(vdev->hw);
	return 0;
}

static void vsvm_pm_complete(struct device *dev)
{
	struct vsvm_device *vdev = dev_get_drvdata(dev);

	vsvm_hw_run(vdev->hw);
}

const struct dev_pm_ops vsvm_pm_ops = {
	.prepare = pm_sleep_ptr(vsvm_pm_prepare),
	.complete = pm_sleep_ptr(vsvm_pm_complete),
	SYSTEM_SLEEP_PM_OPS(vsvm_pm_suspend, NULL)
};
