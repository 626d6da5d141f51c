// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * y = a * x + y, one element for each work-item.
 */
#include "vsvm_gpu.h"

#include "saxpy.h"

VSVM_KERNEL saxpy(const struct saxpy_args *args, unsigned long i)
{
	/* The last work-group is not full. */
	if (i < args->n)
		args->y[i] = args->a * args->x[i] + args->y[i];
}
