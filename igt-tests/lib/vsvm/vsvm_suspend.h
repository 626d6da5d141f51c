/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * System suspend, up to the point where all devices sleep.
 */
#ifndef VSVM_SUSPEND_H
#define VSVM_SUSPEND_H

/**
 * vsvm_require_suspend - skip unless the machine can suspend all of its devices
 *
 * The kernel must have CONFIG_PM_DEBUG. A machine with a 9p file system over virtio
 * would not come back: that driver has no suspend.
 */
void vsvm_require_suspend(void);

/**
 * vsvm_try_suspend - suspend the devices of the machine, and resume them at once
 *
 * All other processes are frozen meanwhile. Returns 0 or a negative errno, when a device
 * refused.
 */
int vsvm_try_suspend(void);

/**
 * vsvm_try_suspend_without_memory - likewise, but there is no page of system memory for it
 *
 * Needs vsvm_no_huge_pages_available().
 */
int vsvm_try_suspend_without_memory(void);

#endif /* VSVM_SUSPEND_H */
