/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the program and its GPU kernel share.
 */
#ifndef SAXPY_KERNEL_H
#define SAXPY_KERNEL_H

struct saxpy_args {
	unsigned long n;
	float a;
	const float *x;
	float *y;
};

#endif /* SAXPY_KERNEL_H */
