// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * The instructions of the FPU, see vsvm_fpu.c. This file is compiled for the FPU:
 * nothing in it may be called outside of a section.
 */

#include "vsvm_fp.h"
#include "vsvm_fpu.h"

/**
 * vsvm_fpu_single() - do an operation of single precision
 * @op: enum vsvm_fp_op, at most %VSVM_FP_SQRT
 * @a: first operand
 * @b: second operand
 *
 * Return: the result; of a NaN only that it is one counts.
 */
u32 vsvm_fpu_single(u32 op, u32 a, u32 b)
{
	switch (op) {
	case VSVM_FP_ADD:
		asm volatile("addss %1, %0" : "+x" (a) : "x" (b));
		break;
	case VSVM_FP_SUB:
		asm volatile("subss %1, %0" : "+x" (a) : "x" (b));
		break;
	case VSVM_FP_MUL:
		asm volatile("mulss %1, %0" : "+x" (a) : "x" (b));
		break;
	case VSVM_FP_DIV:
		asm volatile("divss %1, %0" : "+x" (a) : "x" (b));
		break;
	default:
		asm volatile("sqrtss %0, %0" : "+x" (a));
		break;
	}
	return a;
}

/* Same as vsvm_fpu_single() for double precision */
u64 vsvm_fpu_double(u32 op, u64 a, u64 b)
{
	switch (op) {
	case VSVM_FP_ADD:
		asm volatile("addsd %1, %0" : "+x" (a) : "x" (b));
		break;
	case VSVM_FP_SUB:
		asm volatile("subsd %1, %0" : "+x" (a) : "x" (b));
		break;
	case VSVM_FP_MUL:
		asm volatile("mulsd %1, %0" : "+x" (a) : "x" (b));
		break;
	case VSVM_FP_DIV:
		asm volatile("divsd %1, %0" : "+x" (a) : "x" (b));
		break;
	default:
		asm volatile("sqrtsd %0, %0" : "+x" (a));
		break;
	}
	return a;
}
