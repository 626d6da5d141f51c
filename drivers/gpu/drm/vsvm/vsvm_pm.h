/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_PM_H_
#define _VSVM_PM_H_

#include <linux/pm.h>

extern const struct dev_pm_ops vsvm_pm_ops;

#endif /* _VSVM_PM_H_ */
