// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Conversions between formats and to and from integers, see vsvm_fp_round.c.
 */

#include "vsvm_fp.h"

/**
 * vsvm_fp_convert() - convert to another format
 * @to: the other format
 * @from: format of the operand
 * @a: operand
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * Return: the number.
 */
u64 vsvm_fp_convert(const struct vsvm_fp_format *to,
		    const struct vsvm_fp_format *from, u64 a, u32 rm,
		    u32 *flags)
{
	struct vsvm_fp_num n = vsvm_fp_unpack(from, a);

	if (vsvm_fp_is_nan(&n, flags))
		return to->nan;
	if (n.kind == VSVM_FP_INF)
		return vsvm_fp_inf(to, n.sign);
	if (n.kind == VSVM_FP_ZERO)
		return vsvm_fp_zero(to, n.sign);
	return vsvm_fp_pack(to, &n, rm, flags);
}

/* Extremes of integer types, those of 32 bits as they are in a register */
static u64 largest(u32 type)
{
	static const u64 value[] = {
		[VSVM_FP_W] = 0x7fffffff,
		[VSVM_FP_WU] = 0xffffffffffffffff,
		[VSVM_FP_L] = 0x7fffffffffffffff,
		[VSVM_FP_LU] = 0xffffffffffffffff,
	};

	return value[type];
}

static u64 smallest(u32 type)
{
	static const u64 value[] = {
		[VSVM_FP_W] = 0xffffffff80000000,
		[VSVM_FP_L] = 0x8000000000000000,
		[VSVM_FP_LU] = 0,
	};

	return value[type];
}

/* Largest magnitude of a number of a sign */
static u64 limit(u32 type, bool sign)
{
	switch (type) {
	case VSVM_FP_W:
		return 0x7fffffffULL + sign;
	case VSVM_FP_WU:
		return sign ? 0 : 0xffffffff;
	case VSVM_FP_L:
		return 0x7fffffffffffffffULL + sign;
	default:
		return sign ? 0 : ~0ULL;
	}
}

/**
 * vsvm_fp_to_int() - convert to an integer
 * @f: format of the operand
 * @a: operand
 * @type: enum vsvm_fp_int
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * What does not fit becomes the nearest integer that does, a NaN the largest.
 *
 * Return: the integer as it is in a register: 32 bits are sign extended.
 */
u64 vsvm_fp_to_int(const struct vsvm_fp_format *f, u64 a, u32 type, u32 rm,
		   u32 *flags)
{
	struct vsvm_fp_num n = vsvm_fp_unpack(f, a);
	u64 value, rest;

	if (n.kind == VSVM_FP_ZERO)
		return 0;
	if (n.kind >= VSVM_FP_NAN)
		n.sign = false;
	if (n.kind != VSVM_FP_FINITE || n.exp > 63)
		goto invalid;

	/* Bits before the point, and those behind it from bit 63 down */
	if (n.exp == 63) {
		value = n.sig;
		rest = 0;
	} else if (n.exp >= 0) {
		value = n.sig >> (63 - n.exp);
		rest = n.sig << (n.exp + 1);
	} else {
		value = 0;
		rest = vsvm_fp_shift(n.sig, -1 - n.exp);
	}
	/* A number with bits behind the point has less than 63 before it. */
	if (vsvm_fp_round_up(rm, n.sign, value & 1, rest, BIT_ULL(63)))
		value++;
	if (value > limit(type, n.sign))
		goto invalid;
	if (rest)
		*flags |= VSVM_FP_NX;
	if (n.sign)
		value = -value;
	return type == VSVM_FP_WU ? (u64)(s64)(s32)value : value;

invalid:
	*flags |= VSVM_FP_NV;
	return n.sign ? smallest(type) : largest(type);
}

/**
 * vsvm_fp_from_int() - convert an integer
 * @f: format of the result
 * @value: the integer as it is in a register; of one of 32 bits only these count
 * @type: enum vsvm_fp_int
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * Return: the number.
 */
u64 vsvm_fp_from_int(const struct vsvm_fp_format *f, u64 value, u32 type,
		     u32 rm, u32 *flags)
{
	struct vsvm_fp_num n = { .kind = VSVM_FP_FINITE };
	u32 zeros;

	if (type == VSVM_FP_W)
		value = (s64)(s32)value;
	else if (type == VSVM_FP_WU)
		value = (u32)value;
	if (!value)
		return 0;
	if ((type == VSVM_FP_W || type == VSVM_FP_L) && (s64)value < 0) {
		n.sign = true;
		value = -value;
	}
	zeros = __builtin_clzll(value);
	n.sig = value << zeros;
	n.exp = 63 - (s32)zeros;
	return vsvm_fp_pack(f, &n, rm, flags);
}
