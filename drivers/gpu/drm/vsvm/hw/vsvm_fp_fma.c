// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Fused multiply and add: the product is exact, the sum is rounded once. This is
 * done with integers on every host: an FPU without such an instruction can not do
 * it at all.
 */

#include "vsvm_fp.h"

/* As vsvm_fp_shift() */
static u128 shift_wide(u128 sig, u32 count)
{
	if (!count)
		return sig;
	if (count > 127)
		return sig != 0;
	return sig >> count | (sig << (128 - count) != 0);
}

static u32 leading_zeros(u128 sig)
{
	u64 high = sig >> 64;

	return high ? __builtin_clzll(high) : 64 + __builtin_clzll((u64)sig);
}

/**
 * vsvm_fp_fma() - multiply and add
 * @f: format
 * @a: first factor
 * @b: second factor
 * @c: summand
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * Return: @a * @b + @c.
 */
u64 vsvm_fp_fma(const struct vsvm_fp_format *f, u64 a, u64 b, u64 c, u32 rm,
		u32 *flags)
{
	struct vsvm_fp_num x = vsvm_fp_unpack(f, a);
	struct vsvm_fp_num y = vsvm_fp_unpack(f, b);
	struct vsvm_fp_num z = vsvm_fp_unpack(f, c);
	bool sign = x.sign != y.sign;
	struct vsvm_fp_num n;
	u128 product, sum;
	u32 zeros;
	bool nan;
	s32 exp;

	/* Infinity times zero is invalid, even if a NaN is added. */
	if ((x.kind == VSVM_FP_INF && y.kind == VSVM_FP_ZERO) ||
	    (x.kind == VSVM_FP_ZERO && y.kind == VSVM_FP_INF))
		return vsvm_fp_invalid(f, flags);
	nan = vsvm_fp_any_nan(&x, &y, flags);
	if (vsvm_fp_is_nan(&z, flags) || nan)
		return f->nan;
	if (x.kind == VSVM_FP_INF || y.kind == VSVM_FP_INF) {
		if (z.kind == VSVM_FP_INF && z.sign != sign)
			return vsvm_fp_invalid(f, flags);
		return vsvm_fp_inf(f, sign);
	}
	if (z.kind == VSVM_FP_INF)
		return c;
	if (x.kind == VSVM_FP_ZERO || y.kind == VSVM_FP_ZERO) {
		if (z.kind == VSVM_FP_ZERO && z.sign != sign)
			return vsvm_fp_zero(f, rm == VSVM_FP_RDN);
		return c;
	}

	/*
	 * Both with bit 125 or 126 as the first one. At least 20 of the last bits
	 * are zero then, so a shift that loses one of those that are not leaves
	 * operands that do not cancel.
	 */
	product = (u128)x.sig * y.sig >> 1;
	exp = x.exp + y.exp + 1;
	n.sign = sign;
	if (z.kind == VSVM_FP_ZERO) {
		sum = product;
	} else {
		u128 addend = (u128)z.sig << 63;

		if (exp > z.exp)
			addend = shift_wide(addend, exp - z.exp);
		else
			product = shift_wide(product, z.exp - exp);
		if (exp < z.exp)
			exp = z.exp;
		if (sign == z.sign) {
			sum = product + addend;
		} else if (product >= addend) {
			sum = product - addend;
		} else {
			sum = addend - product;
			n.sign = z.sign;
		}
		if (!sum)
			return vsvm_fp_zero(f, rm == VSVM_FP_RDN);
	}
	zeros = leading_zeros(sum);
	sum <<= zeros;
	n.kind = VSVM_FP_FINITE;
	n.exp = exp + 1 - (s32)zeros;
	n.sig = (u64)(sum >> 64) | ((u64)sum != 0);
	return vsvm_fp_pack(f, &n, rm, flags);
}
