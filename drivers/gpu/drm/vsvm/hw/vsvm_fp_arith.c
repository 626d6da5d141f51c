// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Sum, product, quotient and square root, see vsvm_fp_round.c.
 */

#include "vsvm_fp.h"

/**
 * vsvm_fp_add() - add
 * @f: format
 * @a: first operand
 * @b: second operand
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * Return: the sum.
 */
u64 vsvm_fp_add(const struct vsvm_fp_format *f, u64 a, u64 b, u32 rm,
		u32 *flags)
{
	struct vsvm_fp_num x = vsvm_fp_unpack(f, a);
	struct vsvm_fp_num y = vsvm_fp_unpack(f, b);
	u64 small;
	u32 shift;

	if (vsvm_fp_any_nan(&x, &y, flags))
		return f->nan;
	if (x.kind == VSVM_FP_INF) {
		if (y.kind == VSVM_FP_INF && x.sign != y.sign)
			return vsvm_fp_invalid(f, flags);
		return a;
	}
	if (y.kind == VSVM_FP_INF)
		return b;
	if (y.kind == VSVM_FP_ZERO) {
		if (x.kind == VSVM_FP_ZERO && x.sign != y.sign)
			return vsvm_fp_zero(f, rm == VSVM_FP_RDN);
		return a;
	}
	if (x.kind == VSVM_FP_ZERO)
		return b;

	if (x.exp < y.exp || (x.exp == y.exp && x.sig < y.sig)) {
		struct vsvm_fp_num swap = x;

		x = y;
		y = swap;
	}
	/* One bit of room for the carry */
	small = vsvm_fp_shift(y.sig >> 1, x.exp - y.exp);
	x.sig >>= 1;
	x.exp++;
	if (x.sign == y.sign)
		x.sig += small;
	else
		x.sig -= small;
	if (!x.sig)
		return vsvm_fp_zero(f, rm == VSVM_FP_RDN);
	shift = __builtin_clzll(x.sig);
	x.sig <<= shift;
	x.exp -= shift;
	return vsvm_fp_pack(f, &x, rm, flags);
}

/**
 * vsvm_fp_mul() - multiply
 * @f: format
 * @a: first operand
 * @b: second operand
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * Return: the product.
 */
u64 vsvm_fp_mul(const struct vsvm_fp_format *f, u64 a, u64 b, u32 rm,
		u32 *flags)
{
	struct vsvm_fp_num x = vsvm_fp_unpack(f, a);
	struct vsvm_fp_num y = vsvm_fp_unpack(f, b);
	u64 low = x.sig * y.sig;
	bool sign = x.sign != y.sign;

	if (vsvm_fp_any_nan(&x, &y, flags))
		return f->nan;
	if (x.kind == VSVM_FP_INF || y.kind == VSVM_FP_INF) {
		if (x.kind == VSVM_FP_ZERO || y.kind == VSVM_FP_ZERO)
			return vsvm_fp_invalid(f, flags);
		return vsvm_fp_inf(f, sign);
	}
	if (x.kind == VSVM_FP_ZERO || y.kind == VSVM_FP_ZERO)
		return vsvm_fp_zero(f, sign);

	x.sign = sign;
	x.exp += y.exp + 1;
	x.sig = mul_u64_u64_shr(x.sig, y.sig, 64);
	if (!(x.sig >> 63)) {
		x.sig = x.sig << 1 | low >> 63;
		low <<= 1;
		x.exp--;
	}
	x.sig |= low != 0;
	return vsvm_fp_pack(f, &x, rm, flags);
}

/**
 * vsvm_fp_div() - divide
 * @f: format
 * @a: dividend
 * @b: divisor
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * Return: the quotient.
 */
u64 vsvm_fp_div(const struct vsvm_fp_format *f, u64 a, u64 b, u32 rm,
		u32 *flags)
{
	struct vsvm_fp_num x = vsvm_fp_unpack(f, a);
	struct vsvm_fp_num y = vsvm_fp_unpack(f, b);
	bool sign = x.sign != y.sign;
	u64 rest, divisor;
	u32 i;

	if (vsvm_fp_any_nan(&x, &y, flags))
		return f->nan;
	if (x.kind == VSVM_FP_INF) {
		if (y.kind == VSVM_FP_INF)
			return vsvm_fp_invalid(f, flags);
		return vsvm_fp_inf(f, sign);
	}
	if (y.kind == VSVM_FP_INF)
		return vsvm_fp_zero(f, sign);
	if (y.kind == VSVM_FP_ZERO) {
		if (x.kind == VSVM_FP_ZERO)
			return vsvm_fp_invalid(f, flags);
		*flags |= VSVM_FP_DZ;
		return vsvm_fp_inf(f, sign);
	}
	if (x.kind == VSVM_FP_ZERO)
		return vsvm_fp_zero(f, sign);

	/* The low bits of both are zero. */
	rest = x.sig >> 1;
	divisor = y.sig >> 1;
	x.sign = sign;
	x.exp -= y.exp;
	if (rest < divisor) {
		rest <<= 1;
		x.exp--;
	}
	x.sig = 0;
	for (i = 0; i < 64; i++) {
		x.sig <<= 1;
		if (rest >= divisor) {
			rest -= divisor;
			x.sig |= 1;
		}
		rest <<= 1;
	}
	x.sig |= rest != 0;
	return vsvm_fp_pack(f, &x, rm, flags);
}

/**
 * vsvm_fp_sqrt() - square root
 * @f: format
 * @a: operand
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * Return: the root.
 */
u64 vsvm_fp_sqrt(const struct vsvm_fp_format *f, u64 a, u32 rm, u32 *flags)
{
	struct vsvm_fp_num x = vsvm_fp_unpack(f, a);
	u64 rest, root = 0, left;
	u32 i;

	if (vsvm_fp_is_nan(&x, flags))
		return f->nan;
	if (x.kind == VSVM_FP_ZERO)
		return a;
	if (x.sign)
		return vsvm_fp_invalid(f, flags);
	if (x.kind == VSVM_FP_INF)
		return a;

	/*
	 * Digit by digit, two bits of the operand for each bit of the root. With
	 * an even exponent the operand is in [1, 4), its first digit 1, 2 or 3.
	 */
	if (x.exp & 1) {
		left = x.sig << 2;
		rest = x.sig >> 62;
	} else {
		left = x.sig << 1;
		rest = x.sig >> 63;
	}
	x.exp >>= 1;
	for (i = 0; i < 60; i++) {
		u64 try = root << 2 | 1;

		root <<= 1;
		if (rest >= try) {
			rest -= try;
			root |= 1;
		}
		rest = rest << 2 | left >> 62;
		left <<= 2;
	}
	x.sig = root << 4 | (rest != 0);
	return vsvm_fp_pack(f, &x, rm, flags);
}
