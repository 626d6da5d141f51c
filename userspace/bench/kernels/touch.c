// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Reads one byte of each stride, one for each work-group.
 */
#include "vsvm_gpu.h"

#include "touch.h"

VSVM_KERNEL touch(const struct touch_args *args, unsigned long x)
{
	(void)args->memory[x * args->stride];
}
