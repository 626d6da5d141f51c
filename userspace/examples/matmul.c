// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * vsvm-matmul: the product of two matrices, prefetched to VRAM, so that the GPU
 * need not fault on them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gpu.h"
#include "kernels/matmul.h"

#define N    100
#define TILE 16

static double *new_matrix(void)
{
	return get_memory(N * N * sizeof(double));
}

static void prefetch(struct gpu *gpu, const double *matrix)
{
	if (vsvm_prefetch(gpu->dev, matrix, N * N * sizeof(*matrix), DRM_VSVM_LOCATION_VRAM, NULL))
		fprintf(stderr, "%s\n", vsvm_error_message());
}

int main(void)
{
	double *a = new_matrix(), *b = new_matrix(), *c = new_matrix();
	struct matmul_args args = {.n = N, .a = a, .b = b, .c = c};
	const uint32_t tiles = (N + TILE - 1) / TILE;
	size_t i, wrong = 0;
	struct gpu gpu;

	printf("matmul: c = a * b, with %d x %d doubles\n", N, N);
	for (i = 0; i < N * N; i++) {
		a[i] = (double)(i % 1009) / 64;
		b[i] = 1 / (double)(i % 911 + 1);
	}
	memset(c, 0xff, N * N * sizeof(*c));

	gpu_open(&gpu, "matmul.elf");
	prefetch(&gpu, a);
	prefetch(&gpu, b);
	prefetch(&gpu, c);
	gpu_report(&gpu, "prefetch");

	gpu_run(&gpu, "matmul",
		(struct vsvm_launch){
			.arg = &args,
			.groups = {tiles, tiles},
			.group_size = {TILE, TILE},
		});
	gpu_report(&gpu, "the GPU computes");

	for (i = 0; i < N * N; i++) {
		double expected = matmul_element(&args, i / N, i % N);

		wrong += memcmp(&c[i], &expected, sizeof(expected)) != 0;
	}
	gpu_report(&gpu, "the CPU does the same");
	gpu_close(&gpu);
	free(a);
	free(b);
	free(c);
	return verdict("matmul", wrong);
}
