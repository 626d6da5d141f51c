// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Matrix multiply: a grid in two dimensions, one element for each work-item.
 */
#include "vsvm_gpu.h"

#include "matmul.h"

VSVM_KERNEL matmul(const struct matmul_args *args, unsigned long column, unsigned long row)
{
	if (row < args->n && column < args->n)
		args->c[row * args->n + column] = matmul_element(args, row, column);
}
