// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Minimum and maximum, comparisons and classes, see vsvm_fp_round.c.
 */

#include "vsvm_fp.h"

/**
 * order() - bring the numbers of a format in the order of signed integers
 * @f: format
 * @a: the number, no NaN
 *
 * Return: an integer; that of -0 is less than that of +0.
 */
static s64 order(const struct vsvm_fp_format *f, u64 a)
{
	s64 magnitude = a & (f->sign - 1);

	return a & f->sign ? -1 - magnitude : magnitude;
}

/**
 * vsvm_fp_min_max() - minimum or maximum of two numbers
 * @f: format
 * @a: first operand
 * @b: second operand
 * @max: the maximum is wanted
 * @flags: gets what happened
 *
 * -0 is less than +0. If one of them is a NaN it is the other one.
 *
 * Return: the number.
 */
u64 vsvm_fp_min_max(const struct vsvm_fp_format *f, u64 a, u64 b, bool max,
		    u32 *flags)
{
	struct vsvm_fp_num x = vsvm_fp_unpack(f, a);
	struct vsvm_fp_num y = vsvm_fp_unpack(f, b);
	bool nan_a = vsvm_fp_is_nan(&x, flags);
	bool nan_b = vsvm_fp_is_nan(&y, flags);

	if (nan_a)
		return nan_b ? f->nan : b;
	if (nan_b)
		return a;
	return (order(f, a) < order(f, b)) != max ? a : b;
}

/**
 * vsvm_fp_compare() - compare two numbers
 * @f: format
 * @a: first operand
 * @b: second operand
 * @op: %VSVM_FP_EQ, %VSVM_FP_LT or %VSVM_FP_LE
 * @flags: gets what happened
 *
 * Return: whether it is so; with a NaN it is not.
 */
bool vsvm_fp_compare(const struct vsvm_fp_format *f, u64 a, u64 b, u32 op,
		     u32 *flags)
{
	struct vsvm_fp_num x = vsvm_fp_unpack(f, a);
	struct vsvm_fp_num y = vsvm_fp_unpack(f, b);
	bool less;

	if (vsvm_fp_any_nan(&x, &y, flags)) {
		if (op != VSVM_FP_EQ)
			*flags |= VSVM_FP_NV;
		return false;
	}
	if (x.kind == VSVM_FP_ZERO && y.kind == VSVM_FP_ZERO)
		return op != VSVM_FP_LT;
	less = order(f, a) < order(f, b);
	switch (op) {
	case VSVM_FP_EQ:
		return a == b;
	case VSVM_FP_LT:
		return less;
	default:
		return less || a == b;
	}
}

/**
 * vsvm_fp_class() - what kind of a number it is
 * @f: format
 * @a: the number
 *
 * Return: a mask with the bit of the fclass instruction set.
 */
u32 vsvm_fp_class(const struct vsvm_fp_format *f, u64 a)
{
	struct vsvm_fp_num n = vsvm_fp_unpack(f, a);
	bool subnormal = n.exp < 1 - f->bias;

	switch (n.kind) {
	case VSVM_FP_ZERO:
		return n.sign ? BIT(3) : BIT(4);
	case VSVM_FP_INF:
		return n.sign ? BIT(0) : BIT(7);
	case VSVM_FP_SNAN:
		return BIT(8);
	case VSVM_FP_NAN:
		return BIT(9);
	}
	if (subnormal)
		return n.sign ? BIT(2) : BIT(5);
	return n.sign ? BIT(1) : BIT(6);
}
