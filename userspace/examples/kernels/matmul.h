/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the program and its GPU kernel share. The element itself, too: the CPU
 * checks the GPU by the same operations in the same order.
 */
#ifndef MATMUL_KERNEL_H
#define MATMUL_KERNEL_H

/* Square matrices, row after row. */
struct matmul_args {
	unsigned long n;
	const double *a;
	const double *b;
	double *c;
};

static inline double matmul_element(const struct matmul_args *args, unsigned long row,
				    unsigned long column)
{
	const double *a = args->a + row * args->n;
	const double *b = args->b + column;
	double sum = 0;
	unsigned long i;

	for (i = 0; i < args->n; i++)
		sum += a[i] * b[i * args->n];
	return sum;
}

#endif /* MATMUL_KERNEL_H */
