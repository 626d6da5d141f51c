/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_DEBUGFS_H_
#define _VSVM_DEBUGFS_H_

struct vsvm_device;

#ifdef CONFIG_DEBUG_FS
void vsvm_debugfs_init(struct vsvm_device *vdev);
void vsvm_measure_init(struct vsvm_device *vdev);
#else
static inline void vsvm_debugfs_init(struct vsvm_device *vdev)
{
}
#endif

#endif /* _VSVM_DEBUGFS_H_ */
