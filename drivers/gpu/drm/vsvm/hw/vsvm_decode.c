// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Decoding of RV64IMA; vsvm_fp_decode.c has the rest. The tables are indexed by
 * funct3; what they do not name is illegal.
 */

#include "vsvm_decode.h"

/* Major opcodes with the two low bits that every 32 bit instruction has */
enum {
	MAJOR_LOAD = 0x03,
	MAJOR_LOAD_FP = 0x07,
	MAJOR_FENCE = 0x0f,
	MAJOR_IMM = 0x13,
	MAJOR_AUIPC = 0x17,
	MAJOR_IMM_32 = 0x1b,
	MAJOR_STORE = 0x23,
	MAJOR_STORE_FP = 0x27,
	MAJOR_ATOMIC = 0x2f,
	MAJOR_REG = 0x33,
	MAJOR_LUI = 0x37,
	MAJOR_REG_32 = 0x3b,
	MAJOR_MADD = 0x43,
	MAJOR_MSUB = 0x47,
	MAJOR_NMSUB = 0x4b,
	MAJOR_NMADD = 0x4f,
	MAJOR_FP = 0x53,
	MAJOR_BRANCH = 0x63,
	MAJOR_JALR = 0x67,
	MAJOR_JAL = 0x6f,
	MAJOR_SYSTEM = 0x73,
};

#define INSN_ECALL	0x00000073
#define INSN_EBREAK	0x00100073

/* One bit for each funct5 of an atomic that exists */
#define ATOMICS		0x1111111fUL
#define FUNCT5_LR	2

static const u8 loads[8] = {
	VSVM_OP_LB, VSVM_OP_LH, VSVM_OP_LW, VSVM_OP_LD,
	VSVM_OP_LBU, VSVM_OP_LHU, VSVM_OP_LWU,
};

static const u8 stores[8] = {
	VSVM_OP_SB, VSVM_OP_SH, VSVM_OP_SW, VSVM_OP_SD,
};

static const u8 branches[8] = {
	VSVM_OP_BEQ, VSVM_OP_BNE, VSVM_OP_ILLEGAL, VSVM_OP_ILLEGAL,
	VSVM_OP_BLT, VSVM_OP_BGE, VSVM_OP_BLTU, VSVM_OP_BGEU,
};

/* Shifts by an immediate are not here */
static const u8 immediates[8] = {
	VSVM_OP_ADDI, VSVM_OP_ILLEGAL, VSVM_OP_SLTI, VSVM_OP_SLTIU,
	VSVM_OP_XORI, VSVM_OP_ILLEGAL, VSVM_OP_ORI, VSVM_OP_ANDI,
};

static const u8 registers[8] = {
	VSVM_OP_ADD, VSVM_OP_SLL, VSVM_OP_SLT, VSVM_OP_SLTU,
	VSVM_OP_XOR, VSVM_OP_SRL, VSVM_OP_OR, VSVM_OP_AND,
};

static const u8 registers_20[8] = {
	VSVM_OP_SUB, VSVM_OP_ILLEGAL, VSVM_OP_ILLEGAL, VSVM_OP_ILLEGAL,
	VSVM_OP_ILLEGAL, VSVM_OP_SRA,
};

static const u8 registers_01[8] = {
	VSVM_OP_MUL, VSVM_OP_MULH, VSVM_OP_MULHSU, VSVM_OP_MULHU,
	VSVM_OP_DIV, VSVM_OP_DIVU, VSVM_OP_REM, VSVM_OP_REMU,
};

static const u8 registers_32[8] = {
	VSVM_OP_ADDW, VSVM_OP_SLLW, VSVM_OP_ILLEGAL, VSVM_OP_ILLEGAL,
	VSVM_OP_ILLEGAL, VSVM_OP_SRLW,
};

static const u8 registers_32_20[8] = {
	VSVM_OP_SUBW, VSVM_OP_ILLEGAL, VSVM_OP_ILLEGAL, VSVM_OP_ILLEGAL,
	VSVM_OP_ILLEGAL, VSVM_OP_SRAW,
};

static const u8 registers_32_01[8] = {
	VSVM_OP_MULW, VSVM_OP_ILLEGAL, VSVM_OP_ILLEGAL, VSVM_OP_ILLEGAL,
	VSVM_OP_DIVW, VSVM_OP_DIVUW, VSVM_OP_REMW, VSVM_OP_REMUW,
};

static s32 imm_i(u32 raw)
{
	return (s32)raw >> 20;
}

static s32 imm_s(u32 raw)
{
	return ((s32)raw >> 25) * 32 | (s32)(raw >> 7 & 31);
}

static s32 imm_b(u32 raw)
{
	return ((s32)raw >> 31) * 4096 |
	       (s32)((raw << 4 & 0x800) | (raw >> 20 & 0x7e0) |
		     (raw >> 7 & 0x1e));
}

static s32 imm_j(u32 raw)
{
	return ((s32)raw >> 31) * 0x100000 |
	       (s32)((raw & 0xff000) | (raw >> 9 & 0x800) |
		     (raw >> 20 & 0x7fe));
}

static u8 decode_registers(u32 funct3, u32 funct7)
{
	switch (funct7) {
	case 0x00:
		return registers[funct3];
	case 0x01:
		return registers_01[funct3];
	case 0x20:
		return registers_20[funct3];
	default:
		return VSVM_OP_ILLEGAL;
	}
}

static u8 decode_registers_32(u32 funct3, u32 funct7)
{
	switch (funct7) {
	case 0x00:
		return registers_32[funct3];
	case 0x01:
		return registers_32_01[funct3];
	case 0x20:
		return registers_32_20[funct3];
	default:
		return VSVM_OP_ILLEGAL;
	}
}

/* The shift is in the low 6 bits of the immediate, above it is a funct6. */
static u8 decode_immediate(struct vsvm_insn *insn, u32 funct3)
{
	u32 funct6 = insn->raw >> 26;

	if (funct3 != 1 && funct3 != 5)
		return immediates[funct3];
	insn->imm &= 63;
	if (funct3 == 1)
		return funct6 ? VSVM_OP_ILLEGAL : VSVM_OP_SLLI;
	if (funct6 == 0x10)
		return VSVM_OP_SRAI;
	return funct6 ? VSVM_OP_ILLEGAL : VSVM_OP_SRLI;
}

static u8 decode_immediate_32(struct vsvm_insn *insn, u32 funct3)
{
	u32 funct7 = insn->raw >> 25;

	if (!funct3)
		return VSVM_OP_ADDIW;
	insn->imm &= 31;
	if (funct3 == 1)
		return funct7 ? VSVM_OP_ILLEGAL : VSVM_OP_SLLIW;
	if (funct3 != 5)
		return VSVM_OP_ILLEGAL;
	if (funct7 == 0x20)
		return VSVM_OP_SRAIW;
	return funct7 ? VSVM_OP_ILLEGAL : VSVM_OP_SRLIW;
}

static u8 decode_atomic(const struct vsvm_insn *insn, u32 funct3)
{
	u32 funct5 = insn->raw >> 27;

	if ((funct3 != 2 && funct3 != 3) || !(ATOMICS & BIT(funct5)))
		return VSVM_OP_ILLEGAL;
	if (funct5 == FUNCT5_LR && insn->rs2)
		return VSVM_OP_ILLEGAL;
	return VSVM_OP_ATOMIC;
}

static u8 decode_system(const struct vsvm_insn *insn, u32 funct3)
{
	if (funct3 & 3)
		return vsvm_decode_csr(insn);
	if (insn->raw == INSN_ECALL)
		return VSVM_OP_ECALL;
	return insn->raw == INSN_EBREAK ? VSVM_OP_EBREAK : VSVM_OP_ILLEGAL;
}

/**
 * vsvm_decode() - decode an instruction
 * @insn: filled in
 * @raw: the instruction
 */
void vsvm_decode(struct vsvm_insn *insn, u32 raw)
{
	u32 funct3 = raw >> 12 & 7;

	insn->raw = raw;
	insn->rd = raw >> 7 & 31 ?: VSVM_NO_REGISTER;
	insn->rs1 = raw >> 15 & 31;
	insn->rs2 = raw >> 20 & 31;
	insn->imm = imm_i(raw);
	insn->fp_op = 0;
	insn->fp_double = 0;
	insn->rm = 0;
	insn->rs3 = 0;

	switch (raw & 0x7f) {
	case MAJOR_LOAD:
		insn->op = loads[funct3];
		break;
	case MAJOR_LOAD_FP:
		insn->op = vsvm_decode_fp_access(insn, false);
		break;
	case MAJOR_STORE_FP:
		insn->op = vsvm_decode_fp_access(insn, true);
		insn->imm = imm_s(raw);
		break;
	case MAJOR_MADD:
	case MAJOR_MSUB:
	case MAJOR_NMSUB:
	case MAJOR_NMADD:
		insn->op = vsvm_decode_fma(insn);
		break;
	case MAJOR_FP:
		insn->op = vsvm_decode_fp(insn);
		break;
	case MAJOR_FENCE:
		insn->op = funct3 > 1 ? VSVM_OP_ILLEGAL : VSVM_OP_FENCE;
		break;
	case MAJOR_IMM:
		insn->op = decode_immediate(insn, funct3);
		break;
	case MAJOR_AUIPC:
		insn->op = VSVM_OP_AUIPC;
		insn->imm = raw & 0xfffff000;
		break;
	case MAJOR_IMM_32:
		insn->op = decode_immediate_32(insn, funct3);
		break;
	case MAJOR_STORE:
		insn->op = stores[funct3];
		insn->imm = imm_s(raw);
		break;
	case MAJOR_ATOMIC:
		insn->op = decode_atomic(insn, funct3);
		break;
	case MAJOR_REG:
		insn->op = decode_registers(funct3, raw >> 25);
		break;
	case MAJOR_LUI:
		insn->op = VSVM_OP_LUI;
		insn->imm = raw & 0xfffff000;
		break;
	case MAJOR_REG_32:
		insn->op = decode_registers_32(funct3, raw >> 25);
		break;
	case MAJOR_BRANCH:
		insn->op = branches[funct3];
		insn->imm = imm_b(raw);
		break;
	case MAJOR_JALR:
		insn->op = funct3 ? VSVM_OP_ILLEGAL : VSVM_OP_JALR;
		break;
	case MAJOR_JAL:
		insn->op = VSVM_OP_JAL;
		insn->imm = imm_j(raw);
		break;
	case MAJOR_SYSTEM:
		insn->op = decode_system(insn, funct3);
		break;
	default:
		insn->op = VSVM_OP_ILLEGAL;
		break;
	}
}
