// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Decoding of the F and D extensions and of Zicsr.
 */

#include "vsvm_decode.h"
#include "vsvm_fp.h"

#define MAJOR_MADD	0x43

#define CSR_FFLAGS	1
#define CSR_FCSR	3

/* What an instruction of major opcode OP-FP is, by funct5 */
enum {
	FUNCT5_ADD = 0x00,
	FUNCT5_SUB = 0x01,
	FUNCT5_MUL = 0x02,
	FUNCT5_DIV = 0x03,
	FUNCT5_SGNJ = 0x04,
	FUNCT5_MIN_MAX = 0x05,
	FUNCT5_CVT_FORMAT = 0x08,
	FUNCT5_SQRT = 0x0b,
	FUNCT5_COMPARE = 0x14,
	FUNCT5_CVT_TO_INT = 0x18,
	FUNCT5_CVT_FROM_INT = 0x1a,
	FUNCT5_MV_TO_INT = 0x1c,
	FUNCT5_MV_FROM_INT = 0x1e,
};

/* One of few operations by funct3 */
static u8 decode_choice(struct vsvm_insn *insn, u32 funct3, u32 count, u8 first)
{
	if (funct3 >= count)
		return VSVM_OP_ILLEGAL;
	insn->fp_op = first + funct3;
	return VSVM_OP_FP;
}

/* An operation with a rounding mode */
static u8 decode_rounded(struct vsvm_insn *insn, u32 funct3, u8 fp_op)
{
	if (funct3 > VSVM_FP_RMM && funct3 != VSVM_FP_DYN)
		return VSVM_OP_ILLEGAL;
	insn->fp_op = fp_op;
	insn->rm = funct3;
	return fp_op <= VSVM_FP_SQRT ? VSVM_OP_FP_FPU : VSVM_OP_FP;
}

static u8 decode_move_to_int(struct vsvm_insn *insn, u32 funct3)
{
	if (insn->rs2 || funct3 > 1)
		return VSVM_OP_ILLEGAL;
	insn->fp_op = funct3 ? VSVM_FP_CLASS : VSVM_FP_MV_TO_INT;
	return VSVM_OP_FP;
}

/**
 * vsvm_decode_fp() - decode an instruction of major opcode OP-FP
 * @insn: instruction, of which the fields of registers have been decoded
 *
 * Return: enum vsvm_op.
 */
u8 vsvm_decode_fp(struct vsvm_insn *insn)
{
	u32 funct3 = insn->raw >> 12 & 7;
	u32 format = insn->raw >> 25 & 3;
	u32 funct5 = insn->raw >> 27;
	u8 int_rd = insn->rd;

	if (format > 1)
		return VSVM_OP_ILLEGAL;
	insn->fp_double = format;
	insn->rd = insn->raw >> 7 & 31;

	switch (funct5) {
	case FUNCT5_ADD:
	case FUNCT5_SUB:
	case FUNCT5_MUL:
	case FUNCT5_DIV:
		return decode_rounded(insn, funct3, VSVM_FP_ADD + funct5);
	case FUNCT5_SQRT:
		if (insn->rs2)
			return VSVM_OP_ILLEGAL;
		return decode_rounded(insn, funct3, VSVM_FP_SQRT);
	case FUNCT5_SGNJ:
		return decode_choice(insn, funct3, 3, VSVM_FP_SGNJ);
	case FUNCT5_MIN_MAX:
		return decode_choice(insn, funct3, 2, VSVM_FP_MIN);
	case FUNCT5_CVT_FORMAT:
		/* rs2 is the format of the operand, the other one of the two */
		if (insn->rs2 != !format)
			return VSVM_OP_ILLEGAL;
		return decode_rounded(insn, funct3, VSVM_FP_CVT_FORMAT);
	case FUNCT5_COMPARE:
		insn->rd = int_rd;
		return decode_choice(insn, funct3, 3, VSVM_FP_LE);
	case FUNCT5_CVT_TO_INT:
		insn->rd = int_rd;
		if (insn->rs2 > VSVM_FP_LU)
			return VSVM_OP_ILLEGAL;
		return decode_rounded(insn, funct3, VSVM_FP_CVT_TO_INT);
	case FUNCT5_CVT_FROM_INT:
		if (insn->rs2 > VSVM_FP_LU)
			return VSVM_OP_ILLEGAL;
		return decode_rounded(insn, funct3, VSVM_FP_CVT_FROM_INT);
	case FUNCT5_MV_TO_INT:
		insn->rd = int_rd;
		return decode_move_to_int(insn, funct3);
	case FUNCT5_MV_FROM_INT:
		if (insn->rs2)
			return VSVM_OP_ILLEGAL;
		return decode_choice(insn, funct3, 1, VSVM_FP_MV_FROM_INT);
	default:
		return VSVM_OP_ILLEGAL;
	}
}

/**
 * vsvm_decode_fma() - decode a fused multiply and add
 * @insn: instruction, of which the fields of registers have been decoded
 *
 * Return: enum vsvm_op.
 */
u8 vsvm_decode_fma(struct vsvm_insn *insn)
{
	u32 format = insn->raw >> 25 & 3;

	if (format > 1)
		return VSVM_OP_ILLEGAL;
	insn->fp_double = format;
	insn->rd = insn->raw >> 7 & 31;
	insn->rs3 = insn->raw >> 27;
	return decode_rounded(insn, insn->raw >> 12 & 7, VSVM_FP_MADD +
			      (((insn->raw & 0x7f) - MAJOR_MADD) >> 2));
}

/**
 * vsvm_decode_fp_access() - decode a load or store of a floating point register
 * @insn: instruction, of which the fields of registers have been decoded
 * @store: it is a store
 *
 * Return: enum vsvm_op.
 */
u8 vsvm_decode_fp_access(struct vsvm_insn *insn, bool store)
{
	insn->rd = insn->raw >> 7 & 31;
	switch (insn->raw >> 12 & 7) {
	case 2:
		return store ? VSVM_OP_FSW : VSVM_OP_FLW;
	case 3:
		return store ? VSVM_OP_FSD : VSVM_OP_FLD;
	default:
		return VSVM_OP_ILLEGAL;
	}
}

/**
 * vsvm_decode_csr() - decode an access to a control and status register
 * @insn: instruction, of which the fields of registers have been decoded
 *
 * There are fflags, frm and fcsr.
 *
 * Return: enum vsvm_op.
 */
u8 vsvm_decode_csr(const struct vsvm_insn *insn)
{
	u32 csr = insn->raw >> 20;

	return csr >= CSR_FFLAGS && csr <= CSR_FCSR ? VSVM_OP_CSR :
						      VSVM_OP_ILLEGAL;
}
