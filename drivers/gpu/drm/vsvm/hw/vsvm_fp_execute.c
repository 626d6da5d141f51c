// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * The instructions of the F and D extensions: registers and NaN boxing, rounding
 * modes, and who does the arithmetic, see vsvm_fp_round.c.
 */

#include "vsvm_fp.h"
#include "vsvm_rv64.h"

#define BOX	0xffffffff00000000ULL

/* Read a register; a single one that is not boxed is the canonical NaN */
static u64 read_reg(const struct vsvm_hart *hart, const struct vsvm_insn *insn,
		    u32 reg)
{
	u64 value = hart->f[reg];

	if (insn->fp_double)
		return value;
	return value >= BOX ? (u32)value : vsvm_fp_single.nan;
}

static void write_reg(struct vsvm_hart *hart, const struct vsvm_insn *insn,
		      u64 value)
{
	hart->f[insn->rd] = insn->fp_double ? value : value | BOX;
}

static u64 inject_sign(const struct vsvm_fp_format *f, u32 op, u64 a, u64 b)
{
	if (op == VSVM_FP_SGNJN)
		b = ~b;
	else if (op == VSVM_FP_SGNJX)
		b ^= a;
	return (a & ~f->sign) | (b & f->sign);
}

/* What needs no rounding mode */
static void execute_exact(struct vsvm_hart *hart, const struct vsvm_insn *insn,
			  const struct vsvm_fp_format *f)
{
	u64 a = read_reg(hart, insn, insn->rs1);
	u64 b = read_reg(hart, insn, insn->rs2);
	u64 raw = hart->f[insn->rs1];

	switch (insn->fp_op) {
	case VSVM_FP_SGNJ:
	case VSVM_FP_SGNJN:
	case VSVM_FP_SGNJX:
		write_reg(hart, insn, inject_sign(f, insn->fp_op, a, b));
		break;
	case VSVM_FP_MIN:
	case VSVM_FP_MAX:
		write_reg(hart, insn,
			  vsvm_fp_min_max(f, a, b, insn->fp_op == VSVM_FP_MAX,
					  &hart->fcsr));
		break;
	case VSVM_FP_LE:
	case VSVM_FP_LT:
	case VSVM_FP_EQ:
		hart->x[insn->rd] = vsvm_fp_compare(f, a, b, insn->fp_op,
						    &hart->fcsr);
		break;
	case VSVM_FP_CLASS:
		hart->x[insn->rd] = vsvm_fp_class(f, a);
		break;
	case VSVM_FP_MV_TO_INT:
		/* The bits as they are, boxed or not */
		hart->x[insn->rd] = insn->fp_double ? raw : (u64)(s64)(s32)raw;
		break;
	default:
		write_reg(hart, insn, insn->fp_double ? hart->x[insn->rs1] :
			  (u32)hart->x[insn->rs1]);
		break;
	}
}

/* The FPU does not have the canonical NaN as its only one */
static void execute_fpu(struct vsvm_fpu *fpu, struct vsvm_hart *hart,
			const struct vsvm_insn *insn, u32 rm)
{
	u64 a = read_reg(hart, insn, insn->rs1);
	u64 b = read_reg(hart, insn, insn->rs2);
	u64 result;

	vsvm_fpu_set_rounding(fpu, rm);
	if (insn->fp_double) {
		result = vsvm_fpu_double(insn->fp_op, a, b);
		if (result << 1 > 0x7ff0000000000000ULL << 1)
			result = vsvm_fp_double.nan;
	} else {
		result = vsvm_fpu_single(insn->fp_op, a, b);
		if ((u32)result << 1 > 0x7f800000U << 1)
			result = vsvm_fp_single.nan;
	}
	write_reg(hart, insn, result);
}

static void execute_rounded(struct vsvm_hart *hart,
			    const struct vsvm_insn *insn,
			    const struct vsvm_fp_format *f, u32 rm)
{
	u32 *flags = &hart->fcsr;
	const struct vsvm_fp_format *other;
	u64 a, b, c, result;

	/* The operand of these is no register of the format. */
	if (insn->fp_op == VSVM_FP_CVT_FROM_INT) {
		result = vsvm_fp_from_int(f, hart->x[insn->rs1], insn->rs2, rm,
					  flags);
		write_reg(hart, insn, result);
		return;
	}
	if (insn->fp_op == VSVM_FP_CVT_FORMAT) {
		other = insn->fp_double ? &vsvm_fp_single : &vsvm_fp_double;
		a = hart->f[insn->rs1];
		if (insn->fp_double)
			a = a >= BOX ? (u32)a : vsvm_fp_single.nan;
		result = vsvm_fp_convert(f, other, a, rm, flags);
		write_reg(hart, insn, result);
		return;
	}

	a = read_reg(hart, insn, insn->rs1);
	b = read_reg(hart, insn, insn->rs2);
	c = read_reg(hart, insn, insn->rs3);
	switch (insn->fp_op) {
	case VSVM_FP_ADD:
		result = vsvm_fp_add(f, a, b, rm, flags);
		break;
	case VSVM_FP_SUB:
		result = vsvm_fp_add(f, a, b ^ f->sign, rm, flags);
		break;
	case VSVM_FP_MUL:
		result = vsvm_fp_mul(f, a, b, rm, flags);
		break;
	case VSVM_FP_DIV:
		result = vsvm_fp_div(f, a, b, rm, flags);
		break;
	case VSVM_FP_SQRT:
		result = vsvm_fp_sqrt(f, a, rm, flags);
		break;
	case VSVM_FP_MADD:
		result = vsvm_fp_fma(f, a, b, c, rm, flags);
		break;
	case VSVM_FP_MSUB:
		result = vsvm_fp_fma(f, a, b, c ^ f->sign, rm, flags);
		break;
	case VSVM_FP_NMSUB:
		result = vsvm_fp_fma(f, a ^ f->sign, b, c, rm, flags);
		break;
	case VSVM_FP_NMADD:
		result = vsvm_fp_fma(f, a ^ f->sign, b, c ^ f->sign, rm, flags);
		break;
	default:
		hart->x[insn->rd] = vsvm_fp_to_int(f, a, insn->rs2, rm, flags);
		return;
	}
	write_reg(hart, insn, result);
}

/**
 * vsvm_fp_execute() - execute an instruction of the F or D extension
 * @fpu: the FPU, in a section if it is to be used
 * @hart: the hart
 * @insn: the instruction, no load or store
 *
 * Return: %VSVM_STOP_NONE, or what became of the hart.
 */
enum vsvm_stop vsvm_fp_execute(struct vsvm_fpu *fpu, struct vsvm_hart *hart,
			       const struct vsvm_insn *insn)
{
	const struct vsvm_fp_format *f = insn->fp_double ? &vsvm_fp_double :
							   &vsvm_fp_single;
	u32 rm = insn->rm;

	if (insn->fp_op > VSVM_FP_CVT_FROM_INT) {
		execute_exact(hart, insn, f);
		return VSVM_STOP_NONE;
	}
	if (rm == VSVM_FP_DYN)
		rm = hart->fcsr >> VSVM_FP_RM_SHIFT;
	if (rm > VSVM_FP_RMM)
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_ILLEGAL);
	if (fpu->open && insn->fp_op <= VSVM_FP_SQRT && rm != VSVM_FP_RMM)
		execute_fpu(fpu, hart, insn, rm);
	else
		execute_rounded(hart, insn, f, rm);
	return VSVM_STOP_NONE;
}

/**
 * vsvm_fp_csr() - execute an access to fflags, frm or fcsr
 * @hart: the hart, its flags up to date
 * @insn: the instruction
 */
void vsvm_fp_csr(struct vsvm_hart *hart, const struct vsvm_insn *insn)
{
	u32 csr = insn->raw >> 20;
	u32 funct3 = insn->raw >> 12 & 7;
	u64 operand = funct3 & 4 ? insn->rs1 : hart->x[insn->rs1];
	u32 shift = csr == 2 ? VSVM_FP_RM_SHIFT : 0;
	u32 mask = csr == 1 ? VSVM_FP_FLAGS : VSVM_FP_FCSR;
	u32 old = (hart->fcsr & mask) >> shift;
	u32 new;

	switch (funct3 & 3) {
	case 1:
		new = operand;
		break;
	case 2:
		new = old | operand;
		break;
	default:
		new = old & ~operand;
		break;
	}
	if (csr == 2)
		mask &= ~VSVM_FP_FLAGS;
	hart->fcsr = (hart->fcsr & ~mask) | (new << shift & mask);
	hart->x[insn->rd] = old;
}
