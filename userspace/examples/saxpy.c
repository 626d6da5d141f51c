// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * vsvm-saxpy: y = a * x + y, the "hello world" of GPU programs. What is not here:
 * GPU buffers, and copies to and from them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gpu.h"
#include "kernels/saxpy.h"

#define N     300007
#define GROUP 64

int main(void)
{
	float *x = get_memory(N * sizeof(*x));
	float *y = get_memory(N * sizeof(*y));
	float *expected = get_memory(N * sizeof(*expected));
	struct saxpy_args args = {.n = N, .a = 2.7182818f, .x = x, .y = y};
	struct gpu gpu;
	size_t i, wrong = 0;

	printf("saxpy: y = a * x + y, with %d floats\n", N);
	for (i = 0; i < N; i++) {
		x[i] = (float)i / 7;
		y[i] = 1000.0f - (float)i;
		expected[i] = args.a * x[i] + y[i];
	}

	gpu_open(&gpu, "saxpy.elf");
	gpu_run(&gpu, "saxpy",
		(struct vsvm_launch){
			.arg = &args,
			.groups = {(N + GROUP - 1) / GROUP},
			.group_size = {GROUP},
		});
	gpu_report(&gpu, "the GPU computes");

	/* The same operations on the same numbers: no bit may differ. */
	for (i = 0; i < N; i++)
		wrong += memcmp(&y[i], &expected[i], sizeof(y[i])) != 0;
	gpu_report(&gpu, "the CPU reads the result");
	gpu_close(&gpu);
	free(x);
	free(y);
	free(expected);
	return verdict("saxpy", wrong);
}
