// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

#include <fenv.h>
#include <math.h>

#include "fp_host.h"

typedef __float128 wide;

static double as_double(u64 bits)
{
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static float as_single(u64 bits)
{
	u32 low = bits;
	float x;

	memcpy(&x, &low, sizeof(x));
	return x;
}

static u64 double_bits(double x)
{
	u64 bits;

	memcpy(&bits, &x, sizeof(bits));
	return isnan(x) ? vsvm_fp_double.nan : bits;
}

static u64 single_bits(float x)
{
	u32 bits;

	memcpy(&bits, &x, sizeof(bits));
	return isnan(x) ? vsvm_fp_single.nan : bits;
}

static u64 compute_double(u32 op, u64 ab, u64 bb, u64 cb)
{
	volatile double a = as_double(ab), b = as_double(bb), c = as_double(cb), r;

	switch (op) {
	case VSVM_FP_ADD: r = a + b; break;
	case VSVM_FP_SUB: r = a - b; break;
	case VSVM_FP_MUL: r = a * b; break;
	case VSVM_FP_DIV: r = a / b; break;
	case VSVM_FP_SQRT: r = sqrt(a); break;
	case VSVM_FP_MADD: r = fma(a, b, c); break;
	case VSVM_FP_MSUB: r = fma(a, b, -c); break;
	case VSVM_FP_NMSUB: r = fma(-a, b, c); break;
	case VSVM_FP_NMADD: r = fma(-a, b, -c); break;
	default: r = as_single(ab); break;
	}
	return double_bits(r);
}

static u64 compute_single(u32 op, u64 ab, u64 bb, u64 cb)
{
	volatile float a = as_single(ab), b = as_single(bb), c = as_single(cb), r;

	switch (op) {
	case VSVM_FP_ADD: r = a + b; break;
	case VSVM_FP_SUB: r = a - b; break;
	case VSVM_FP_MUL: r = a * b; break;
	case VSVM_FP_DIV: r = a / b; break;
	case VSVM_FP_SQRT: r = sqrtf(a); break;
	case VSVM_FP_MADD: r = fmaf(a, b, c); break;
	case VSVM_FP_MSUB: r = fmaf(a, b, -c); break;
	case VSVM_FP_NMSUB: r = fmaf(-a, b, c); break;
	case VSVM_FP_NMADD: r = fmaf(-a, b, -c); break;
	default: {
		volatile double x = as_double(ab);

		r = (float)x;
		break;
	}
	}
	return single_bits(r);
}

static u64 compute_from_int(bool dbl, u32 type, u64 a)
{
	volatile s64 s = type == VSVM_FP_W ? (s32)a : (s64)a;
	volatile u64 u = type == VSVM_FP_WU ? (u32)a : a;
	volatile double d;
	volatile float f;

	if (type == VSVM_FP_W || type == VSVM_FP_L) {
		if (dbl)
			return d = s, double_bits(d);
		return f = s, single_bits(f);
	}
	if (dbl)
		return d = u, double_bits(d);
	return f = u, single_bits(f);
}

static u32 host_flags(void)
{
	int e = fetestexcept(FE_ALL_EXCEPT);

	return (e & FE_INEXACT ? VSVM_FP_NX : 0) | (e & FE_UNDERFLOW ? VSVM_FP_UF : 0) |
	       (e & FE_OVERFLOW ? VSVM_FP_OF : 0) | (e & FE_DIVBYZERO ? VSVM_FP_DZ : 0) |
	       (e & FE_INVALID ? VSVM_FP_NV : 0);
}

static struct fp_result compute(u32 op, bool dbl, u32 type, u64 a, u64 b, u64 c, u32 rm)
{
	static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
	struct fp_result r;

	fesetround(modes[rm]);
	feclearexcept(FE_ALL_EXCEPT);
	if (op == VSVM_FP_CVT_FROM_INT)
		r.bits = compute_from_int(dbl, type, a);
	else if (dbl)
		r.bits = compute_double(op, a, b, c);
	else
		r.bits = compute_single(op, a, b, c);
	r.flags = host_flags();
	fesetround(FE_TONEAREST);
	return r;
}

/* The result in more bits; @exact: it needs no more */
static wide compute_wide(u32 op, bool dbl, u32 type, u64 ab, u64 bb, u64 cb, bool *exact)
{
	volatile wide a, b, c, r;

	a = dbl ? as_double(ab) : as_single(ab);
	b = dbl ? as_double(bb) : as_single(bb);
	c = dbl ? as_double(cb) : as_single(cb);
	feclearexcept(FE_ALL_EXCEPT);
	switch (op) {
	case VSVM_FP_ADD: r = a + b; break;
	case VSVM_FP_SUB: r = a - b; break;
	case VSVM_FP_MUL: r = a * b; break;
	case VSVM_FP_DIV: r = a / b; break;
	case VSVM_FP_MADD: r = a * b + c; break;
	case VSVM_FP_MSUB: r = a * b - c; break;
	case VSVM_FP_NMSUB: r = -(a * b) + c; break;
	case VSVM_FP_NMADD: r = -(a * b) - c; break;
	case VSVM_FP_CVT_FORMAT: r = dbl ? as_single(ab) : as_double(ab); break;
	case VSVM_FP_CVT_FROM_INT:
		if (type == VSVM_FP_W || type == VSVM_FP_L)
			r = type == VSVM_FP_W ? (s32)ab : (s64)ab;
		else
			r = type == VSVM_FP_WU ? (u32)ab : ab;
		break;
	default: r = sqrt((double)a); break; /* never half way */
	}
	*exact = !(host_flags() & VSVM_FP_NX) && op != VSVM_FP_SQRT;
	return r;
}

/* The host has no RMM: half way between two numbers it is the larger one, else as RNE */
static struct fp_result compute_rmm(u32 op, bool dbl, u32 type, u64 a, u64 b, u64 c)
{
	const struct vsvm_fp_format *f = dbl ? &vsvm_fp_double : &vsvm_fp_single;
	struct fp_result near = compute(op, dbl, type, a, b, c, VSVM_FP_RNE);
	struct fp_result down = compute(op, dbl, type, a, b, c, VSVM_FP_RTZ);
	struct fp_result up;
	bool exact;
	wide x, low, high;

	if (near.bits == f->nan || !(near.flags & VSVM_FP_NX))
		return near;
	if ((down.bits & (f->sign - 1)) == vsvm_fp_inf(f, false) - 1) {
		/* Next to infinity: half way there RNE overflows, too. */
		return near;
	}
	up = compute(op, dbl, type, a, b, c, down.bits & f->sign ? VSVM_FP_RDN : VSVM_FP_RUP);
	x = compute_wide(op, dbl, type, a, b, c, &exact);
	low = dbl ? as_double(down.bits) : as_single(down.bits);
	high = dbl ? as_double(up.bits) : as_single(up.bits);
	return exact && x - low == high - x ? up : near;
}

static struct fp_result to_int(bool dbl, u32 type, u64 a, u32 rm)
{
	static const long double low[] = {-0x1p31L, 0, -0x1p63L, 0};
	static const long double high[] = {0x1p31L, 0x1p32L, 0x1p63L, 0x1p64L};
	static const u64 least[] = {0xffffffff80000000, 0, 0x8000000000000000, 0};
	static const u64 most[] = {0x7fffffff, ~0ULL, 0x7fffffffffffffff, ~0ULL};
	volatile long double x = dbl ? as_double(a) : as_single(a);
	volatile long double r;

	if (isnan(x))
		return (struct fp_result){most[type], VSVM_FP_NV};
	switch (rm) {
	case VSVM_FP_RNE: r = rintl(x); break;
	case VSVM_FP_RTZ: r = truncl(x); break;
	case VSVM_FP_RDN: r = floorl(x); break;
	case VSVM_FP_RUP: r = ceill(x); break;
	default: r = roundl(x); break;
	}
	if (r < low[type])
		return (struct fp_result){least[type], VSVM_FP_NV};
	if (r >= high[type])
		return (struct fp_result){most[type], VSVM_FP_NV};
	return (struct fp_result){
		type == VSVM_FP_W    ? (u64)(s64)r
		: type == VSVM_FP_WU ? (u64)(s64)(s32)(u32)r
		: type == VSVM_FP_L  ? (u64)(s64)r
				     : (u64)r,
		r == x ? 0 : VSVM_FP_NX,
	};
}

struct fp_result fp_host(u32 op, bool dbl, u32 type, u64 a, u64 b, u64 c, u32 rm)
{
	struct fp_result r;

	if (op == VSVM_FP_CVT_TO_INT)
		return to_int(dbl, type, a, rm);
	if (rm == VSVM_FP_RMM)
		r = compute_rmm(op, dbl, type, a, b, c);
	else
		r = compute(op, dbl, type, a, b, c, rm);

	/* IEEE 754 leaves it open whether this is invalid if a NaN is added; RISC-V does not. */
	if (op >= VSVM_FP_MADD && op <= VSVM_FP_NMADD) {
		const struct vsvm_fp_format *f = dbl ? &vsvm_fp_double : &vsvm_fp_single;
		u64 x = a & (f->sign - 1), y = b & (f->sign - 1), inf = vsvm_fp_inf(f, false);

		if ((!x && y == inf) || (x == inf && !y))
			r.flags |= VSVM_FP_NV;
	}
	return r;
}
