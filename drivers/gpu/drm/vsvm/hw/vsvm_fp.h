/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_FP_H_
#define _VSVM_FP_H_

#include "vsvm_hw_os.h"

/* Bits of fflags */
#define VSVM_FP_NX		BIT(0)	/* inexact */
#define VSVM_FP_UF		BIT(1)	/* underflow */
#define VSVM_FP_OF		BIT(2)	/* overflow */
#define VSVM_FP_DZ		BIT(3)	/* division by zero */
#define VSVM_FP_NV		BIT(4)	/* invalid operation */
#define VSVM_FP_FLAGS		0x1fU

#define VSVM_FP_RM_SHIFT	5	/* of frm in fcsr */
#define VSVM_FP_FCSR		0xffU

/* Rounding modes, as in frm and in instructions; 5 and 6 are reserved. */
enum vsvm_fp_rm {
	VSVM_FP_RNE = 0,	/* to nearest, ties to even */
	VSVM_FP_RTZ = 1,	/* towards zero */
	VSVM_FP_RDN = 2,	/* down */
	VSVM_FP_RUP = 3,	/* up */
	VSVM_FP_RMM = 4,	/* to nearest, ties away from zero */
	VSVM_FP_DYN = 7,	/* as frm says; in an instruction only */
};

/*
 * What an instruction of the F and D extensions does. Up to VSVM_FP_SQRT the FPU
 * of the host can do it, up to VSVM_FP_CVT_FROM_INT it has a rounding mode.
 */
enum vsvm_fp_op {
	VSVM_FP_ADD,
	VSVM_FP_SUB,
	VSVM_FP_MUL,
	VSVM_FP_DIV,
	VSVM_FP_SQRT,
	VSVM_FP_MADD,
	VSVM_FP_MSUB,
	VSVM_FP_NMSUB,
	VSVM_FP_NMADD,
	VSVM_FP_CVT_FORMAT,
	VSVM_FP_CVT_TO_INT,
	VSVM_FP_CVT_FROM_INT,
	VSVM_FP_SGNJ,
	VSVM_FP_SGNJN,
	VSVM_FP_SGNJX,
	VSVM_FP_MIN,
	VSVM_FP_MAX,
	VSVM_FP_LE,
	VSVM_FP_LT,
	VSVM_FP_EQ,
	VSVM_FP_CLASS,
	VSVM_FP_MV_TO_INT,
	VSVM_FP_MV_FROM_INT,
};

/* Integer types of conversions, as in the rs2 field of the instruction */
enum vsvm_fp_int {
	VSVM_FP_W,
	VSVM_FP_WU,
	VSVM_FP_L,
	VSVM_FP_LU,
};

/**
 * struct vsvm_fp_format - a binary interchange format
 * @frac: bits of the fraction
 * @bias: of the exponent
 * @nan: the canonical NaN
 * @sign: the bit of the sign
 * @size: bytes
 */
struct vsvm_fp_format {
	u32 frac;
	s32 bias;
	u64 nan;
	u64 sign;
	u32 size;
};

extern const struct vsvm_fp_format vsvm_fp_single;
extern const struct vsvm_fp_format vsvm_fp_double;

enum vsvm_fp_kind {
	VSVM_FP_ZERO,
	VSVM_FP_FINITE,
	VSVM_FP_INF,
	VSVM_FP_NAN,	/* a quiet one */
	VSVM_FP_SNAN,
};

/**
 * struct vsvm_fp_num - a number of any format
 * @kind: enum vsvm_fp_kind
 * @sign: it is negative
 * @exp: exponent of the most significant bit, if it is finite and not zero
 * @sig: significand with bit 63 set, likewise
 */
struct vsvm_fp_num {
	u32 kind;
	bool sign;
	s32 exp;
	u64 sig;
};

/* vsvm_fp_round.c */
struct vsvm_fp_num vsvm_fp_unpack(const struct vsvm_fp_format *f, u64 bits);
u64 vsvm_fp_pack(const struct vsvm_fp_format *f, const struct vsvm_fp_num *n,
		 u32 rm, u32 *flags);
u64 vsvm_fp_shift(u64 sig, u32 count);
bool vsvm_fp_round_up(u32 rm, bool sign, bool odd, u64 rest, u64 half);

/* vsvm_fp_arith.c */
u64 vsvm_fp_add(const struct vsvm_fp_format *f, u64 a, u64 b, u32 rm,
		u32 *flags);
u64 vsvm_fp_mul(const struct vsvm_fp_format *f, u64 a, u64 b, u32 rm,
		u32 *flags);
u64 vsvm_fp_div(const struct vsvm_fp_format *f, u64 a, u64 b, u32 rm,
		u32 *flags);
u64 vsvm_fp_sqrt(const struct vsvm_fp_format *f, u64 a, u32 rm, u32 *flags);

/* vsvm_fp_fma.c */
u64 vsvm_fp_fma(const struct vsvm_fp_format *f, u64 a, u64 b, u64 c, u32 rm,
		u32 *flags);

/* vsvm_fp_convert.c */
u64 vsvm_fp_convert(const struct vsvm_fp_format *to,
		    const struct vsvm_fp_format *from, u64 a, u32 rm,
		    u32 *flags);
u64 vsvm_fp_to_int(const struct vsvm_fp_format *f, u64 a, u32 type, u32 rm,
		   u32 *flags);
u64 vsvm_fp_from_int(const struct vsvm_fp_format *f, u64 value, u32 type,
		     u32 rm, u32 *flags);

/* vsvm_fp_compare.c */
u64 vsvm_fp_min_max(const struct vsvm_fp_format *f, u64 a, u64 b, bool max,
		    u32 *flags);
bool vsvm_fp_compare(const struct vsvm_fp_format *f, u64 a, u64 b, u32 op,
		     u32 *flags);
u32 vsvm_fp_class(const struct vsvm_fp_format *f, u64 a);

/**
 * vsvm_fp_is_nan() - what to do before the result can be NaN by an operand
 * @n: an operand
 * @flags: gets %VSVM_FP_NV for a signaling NaN
 *
 * Return: true for a NaN.
 */
static inline bool vsvm_fp_is_nan(const struct vsvm_fp_num *n, u32 *flags)
{
	if (n->kind == VSVM_FP_SNAN)
		*flags |= VSVM_FP_NV;
	return n->kind >= VSVM_FP_NAN;
}

/* Same as vsvm_fp_is_nan() for two operands: both count */
static inline bool vsvm_fp_any_nan(const struct vsvm_fp_num *a,
				   const struct vsvm_fp_num *b, u32 *flags)
{
	bool nan = vsvm_fp_is_nan(a, flags);

	return vsvm_fp_is_nan(b, flags) || nan;
}

/* The result of an invalid operation */
static inline u64 vsvm_fp_invalid(const struct vsvm_fp_format *f, u32 *flags)
{
	*flags |= VSVM_FP_NV;
	return f->nan;
}

static inline u64 vsvm_fp_zero(const struct vsvm_fp_format *f, bool sign)
{
	return sign ? f->sign : 0;
}

/* The exponent of an infinity, all its bits set, is in the canonical NaN too */
static inline u64 vsvm_fp_inf(const struct vsvm_fp_format *f, bool sign)
{
	return vsvm_fp_zero(f, sign) | (f->nan & ~((1ULL << f->frac) - 1));
}

#endif /* _VSVM_FP_H_ */
