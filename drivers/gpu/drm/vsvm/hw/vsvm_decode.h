/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_DECODE_H_
#define _VSVM_DECODE_H_

#include "vsvm_hw_os.h"

/* What an instruction does; no instruction is VSVM_OP_ILLEGAL, which is zero. */
enum vsvm_op {
	VSVM_OP_ILLEGAL,
	VSVM_OP_LUI,
	VSVM_OP_AUIPC,
	VSVM_OP_JAL,
	VSVM_OP_JALR,
	VSVM_OP_BEQ,
	VSVM_OP_BNE,
	VSVM_OP_BLT,
	VSVM_OP_BGE,
	VSVM_OP_BLTU,
	VSVM_OP_BGEU,
	VSVM_OP_LB,
	VSVM_OP_LH,
	VSVM_OP_LW,
	VSVM_OP_LD,
	VSVM_OP_LBU,
	VSVM_OP_LHU,
	VSVM_OP_LWU,
	VSVM_OP_SB,
	VSVM_OP_SH,
	VSVM_OP_SW,
	VSVM_OP_SD,
	VSVM_OP_ADDI,
	VSVM_OP_SLTI,
	VSVM_OP_SLTIU,
	VSVM_OP_XORI,
	VSVM_OP_ORI,
	VSVM_OP_ANDI,
	VSVM_OP_SLLI,
	VSVM_OP_SRLI,
	VSVM_OP_SRAI,
	VSVM_OP_ADDIW,
	VSVM_OP_SLLIW,
	VSVM_OP_SRLIW,
	VSVM_OP_SRAIW,
	VSVM_OP_ADD,
	VSVM_OP_SUB,
	VSVM_OP_SLL,
	VSVM_OP_SLT,
	VSVM_OP_SLTU,
	VSVM_OP_XOR,
	VSVM_OP_SRL,
	VSVM_OP_SRA,
	VSVM_OP_OR,
	VSVM_OP_AND,
	VSVM_OP_ADDW,
	VSVM_OP_SUBW,
	VSVM_OP_SLLW,
	VSVM_OP_SRLW,
	VSVM_OP_SRAW,
	VSVM_OP_MUL,
	VSVM_OP_MULH,
	VSVM_OP_MULHSU,
	VSVM_OP_MULHU,
	VSVM_OP_DIV,
	VSVM_OP_DIVU,
	VSVM_OP_REM,
	VSVM_OP_REMU,
	VSVM_OP_MULW,
	VSVM_OP_DIVW,
	VSVM_OP_DIVUW,
	VSVM_OP_REMW,
	VSVM_OP_REMUW,
	VSVM_OP_ATOMIC,
	VSVM_OP_FLW,
	VSVM_OP_FLD,
	VSVM_OP_FSW,
	VSVM_OP_FSD,
	VSVM_OP_FP,
	VSVM_OP_FP_FPU,
	VSVM_OP_CSR,
	VSVM_OP_FENCE,
	VSVM_OP_ECALL,
	VSVM_OP_EBREAK,
};

/**
 * struct vsvm_insn - a decoded instruction
 * @raw: the instruction
 * @op: enum vsvm_op
 * @rd: destination register, %VSVM_NO_REGISTER for x0
 * @rs1: first source register
 * @rs2: second source register
 * @imm: immediate operand, sign extended
 * @fp_op: enum vsvm_fp_op
 * @fp_double: of double precision
 * @rm: rounding mode, enum vsvm_fp_rm
 * @rs3: third source register
 *
 * All zeroes is the illegal instruction 0.
 */
struct vsvm_insn {
	u32 raw;
	u8 op;
	u8 rd;
	u8 rs1;
	u8 rs2;
	s32 imm;
	u8 fp_op;
	u8 fp_double;
	u8 rm;
	u8 rs3;
};

/* Index of a register that is written and never read */
#define VSVM_NO_REGISTER	32

void vsvm_decode(struct vsvm_insn *insn, u32 raw);

/* vsvm_fp_decode.c */
u8 vsvm_decode_fp(struct vsvm_insn *insn);
u8 vsvm_decode_fma(struct vsvm_insn *insn);
u8 vsvm_decode_fp_access(struct vsvm_insn *insn, bool store);
u8 vsvm_decode_csr(const struct vsvm_insn *insn);

#endif /* _VSVM_DECODE_H_ */
