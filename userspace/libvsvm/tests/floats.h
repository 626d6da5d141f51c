/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Arithmetic of device-test, compiled for the GPU and for the CPU.
 */
#ifndef VSVM_TEST_FLOATS_H
#define VSVM_TEST_FLOATS_H

#define FLOATS 6

struct floats {
	double a, b;
	double d[FLOATS];
	float f[FLOATS];
	long n[2];
};

static inline void compute_floats(struct floats *v)
{
	float a = (float)v->a, b = (float)v->b;

	v->d[0] = v->a + v->b;
	v->d[1] = v->a - v->b;
	v->d[2] = v->a * v->b;
	v->d[3] = v->a / v->b;
	v->d[4] = __builtin_sqrt(v->a * v->a);
	v->d[5] = __builtin_fma(v->a, v->b, v->d[1]);
	v->f[0] = a + b;
	v->f[1] = a - b;
	v->f[2] = a * b;
	v->f[3] = a / b;
	v->f[4] = __builtin_sqrtf(a * a);
	v->f[5] = __builtin_fmaf(a, b, v->f[1]);
	v->n[0] = (long)(v->a * 1e-3);
	v->n[1] = (v->a < v->b) + (a <= b) * 2 + (v->d[2] == (double)v->f[2]) * 4;
}

#endif /* VSVM_TEST_FLOATS_H */
