// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Floating point
 *
 * Arithmetic of IEEE 754 as the F and D extensions want it, with integers only,
 * exact to the last bit and flag in every rounding mode:
 *
 * ==================  =====================================================
 * vsvm_fp_round.c     unpacking; rounding and packing
 * vsvm_fp_arith.c     sum, product, quotient, square root
 * vsvm_fp_fma.c       fused multiply and add
 * vsvm_fp_convert.c   conversions
 * vsvm_fp_compare.c   minimum and maximum, comparisons, classes
 * vsvm_fp_execute.c   the instructions: registers, NaN boxing, fcsr
 * vsvm_fp_decode.c    their encoding
 * vsvm_fpu.c          what the FPU of the host can do faster
 * ==================  =====================================================
 *
 * A number is unpacked to a significand of 64 bits with its top bit set. An
 * operation computes that of the result, exactly or with bit 0 set for anything
 * that is lost below it (a sticky bit), and vsvm_fp_pack() rounds once. Both
 * formats leave at least ten bits between the last one that they keep and that.
 */

#include "vsvm_fp.h"

const struct vsvm_fp_format vsvm_fp_single = {
	.frac = 23,
	.bias = 127,
	.nan = 0x7fc00000,
	.sign = 0x80000000,
	.size = 4,
};

const struct vsvm_fp_format vsvm_fp_double = {
	.frac = 52,
	.bias = 1023,
	.nan = 0x7ff8000000000000,
	.sign = 0x8000000000000000,
	.size = 8,
};

/**
 * vsvm_fp_shift() - shift to the right
 * @sig: what to shift
 * @count: by how many bits
 *
 * Return: the rest, with bit 0 set if any bit that is set was lost.
 */
u64 vsvm_fp_shift(u64 sig, u32 count)
{
	if (!count)
		return sig;
	if (count > 63)
		return sig != 0;
	return sig >> count | (sig << (64 - count) != 0);
}

/**
 * vsvm_fp_unpack() - take a number apart
 * @f: its format
 * @bits: the number
 *
 * Return: its parts.
 */
struct vsvm_fp_num vsvm_fp_unpack(const struct vsvm_fp_format *f, u64 bits)
{
	u64 frac = bits & ((1ULL << f->frac) - 1);
	s32 exp = (bits & (f->sign - 1)) >> f->frac;
	struct vsvm_fp_num n = {
		.kind = VSVM_FP_FINITE,
		.sign = bits & f->sign,
		.exp = exp - f->bias,
		.sig = (frac | 1ULL << f->frac) << (63 - f->frac),
	};

	if (exp == 2 * f->bias + 1) {
		n.kind = VSVM_FP_INF;
		if (frac)
			n.kind = frac >> (f->frac - 1) ? VSVM_FP_NAN :
							 VSVM_FP_SNAN;
	} else if (!exp && !frac) {
		n.kind = VSVM_FP_ZERO;
	} else if (!exp) {
		u32 shift = __builtin_clzll(frac);

		n.sig = frac << shift;
		n.exp = 1 - f->bias + 63 - (s32)f->frac - (s32)shift;
	}
	return n;
}

/**
 * vsvm_fp_round_up() - decide where to round to
 * @rm: rounding mode
 * @sign: the number is negative
 * @odd: the last bit that is kept is set
 * @rest: the bits that are not kept
 * @half: value of @rest half way to the next number
 *
 * Return: true for the next number away from zero.
 */
bool vsvm_fp_round_up(u32 rm, bool sign, bool odd, u64 rest, u64 half)
{
	switch (rm) {
	case VSVM_FP_RNE:
		return rest > half || (rest == half && odd);
	case VSVM_FP_RDN:
		return rest && sign;
	case VSVM_FP_RUP:
		return rest && !sign;
	case VSVM_FP_RMM:
		return rest >= half;
	default:
		return false;
	}
}

static u64 vsvm_fp_overflow(const struct vsvm_fp_format *f, bool sign, u32 rm,
			    u32 *flags)
{
	u64 inf = vsvm_fp_inf(f, sign);

	*flags |= VSVM_FP_OF | VSVM_FP_NX;
	if (rm == VSVM_FP_RTZ || rm == (sign ? VSVM_FP_RUP : VSVM_FP_RDN))
		return inf - 1;	/* the largest finite number */
	return inf;
}

/**
 * vsvm_fp_pack() - round a number and put it together
 * @f: format
 * @n: a finite number that is not zero
 * @rm: rounding mode
 * @flags: gets what happened
 *
 * Tininess is detected after rounding.
 *
 * Return: the number.
 */
u64 vsvm_fp_pack(const struct vsvm_fp_format *f, const struct vsvm_fp_num *n,
		 u32 rm, u32 *flags)
{
	u32 drop = 63 - f->frac;
	u64 half = 1ULL << (drop - 1);
	u64 mask = (1ULL << drop) - 1;
	s32 exp = n->exp + f->bias;
	u64 sig = n->sig;
	bool tiny = false;
	u64 rest, bits;

	if (exp > 2 * f->bias)
		return vsvm_fp_overflow(f, n->sign, rm, flags);
	if (exp <= 0) {
		/* Not tiny if rounding at full precision would carry. */
		tiny = exp < 0 || sig < ~mask ||
		       !vsvm_fp_round_up(rm, n->sign, true, sig & mask, half);
		sig = vsvm_fp_shift(sig, 1 - exp);
		exp = 1;
	}
	rest = sig & mask;
	bits = sig >> drop;
	if (vsvm_fp_round_up(rm, n->sign, bits & 1, rest, half))
		bits++;
	/* The leading bit of a normal number adds one to the exponent, so does a carry. */
	bits += (u64)(exp - 1) << f->frac;
	if (bits >= vsvm_fp_inf(f, false))
		return vsvm_fp_overflow(f, n->sign, rm, flags);
	if (rest)
		*flags |= tiny ? VSVM_FP_UF | VSVM_FP_NX : VSVM_FP_NX;
	return bits | vsvm_fp_zero(f, n->sign);
}
