/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the program and its GPU kernel share.
 */
#ifndef TOUCH_KERNEL_H
#define TOUCH_KERNEL_H

struct touch_args {
	const volatile unsigned char *memory;
	unsigned long stride;
};

#endif /* TOUCH_KERNEL_H */
