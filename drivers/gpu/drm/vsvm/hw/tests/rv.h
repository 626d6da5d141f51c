/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_TEST_RV_H_
#define _VSVM_TEST_RV_H_

/* Encoders of RV64IMAFD instructions, one function for each */

#include "vsvm_hw_os.h"

enum {
	X0,
	RA,
	SP,
	GP,
	TP,
	T0,
	T1,
	T2,
	S0,
	S1,
	A0,
	A1,
	A2,
	A3,
	A4,
	A5,
	A6,
	A7,
	S2,
	S3,
	S4,
	S5,
	S6,
	S7,
	S8,
	S9,
	S10,
	S11,
	T3,
	T4,
	T5,
	T6
};

static inline u32 rv_r(u32 op, u32 f3, u32 f7, u32 rd, u32 rs1, u32 rs2)
{
	return op | rd << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | f7 << 25;
}

static inline u32 rv_i(u32 op, u32 f3, u32 rd, u32 rs1, s32 imm)
{
	return op | rd << 7 | f3 << 12 | rs1 << 15 | (u32)imm << 20;
}

static inline u32 rv_s(u32 f3, u32 rs1, u32 rs2, s32 imm)
{
	return 0x23 | ((u32)imm & 31) << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 |
	       ((u32)imm >> 5 & 0x7f) << 25;
}

static inline u32 rv_b(u32 f3, u32 rs1, u32 rs2, s32 imm)
{
	u32 u = imm;

	return 0x63 | (u >> 11 & 1) << 7 | (u >> 1 & 15) << 8 | f3 << 12 | rs1 << 15 | rs2 << 20 |
	       (u >> 5 & 63) << 25 | (u >> 12 & 1) << 31;
}

static inline u32 rv_amo(u32 f5, u32 f3, u32 aqrl, u32 rd, u32 rs1, u32 rs2)
{
	return rv_r(0x2f, f3, f5 << 2 | aqrl, rd, rs1, rs2);
}

#define RV_R(name, op, f3, f7)                                \
	static inline u32 rv_##name(u32 rd, u32 rs1, u32 rs2) \
	{                                                     \
		return rv_r(op, f3, f7, rd, rs1, rs2);        \
	}
#define RV_I(name, op, f3)                                    \
	static inline u32 rv_##name(u32 rd, u32 rs1, s32 imm) \
	{                                                     \
		return rv_i(op, f3, rd, rs1, imm);            \
	}
#define RV_SH(name, op, f3, high)                               \
	static inline u32 rv_##name(u32 rd, u32 rs1, s32 shift) \
	{                                                       \
		return rv_i(op, f3, rd, rs1, (high) | shift);   \
	}
#define RV_S(name, f3)                                         \
	static inline u32 rv_##name(u32 rs2, u32 rs1, s32 imm) \
	{                                                      \
		return rv_s(f3, rs1, rs2, imm);                \
	}
#define RV_B(name, f3)                                         \
	static inline u32 rv_##name(u32 rs1, u32 rs2, s32 imm) \
	{                                                      \
		return rv_b(f3, rs1, rs2, imm);                \
	}
#define RV_A(name, f5)                                            \
	static inline u32 rv_##name##_w(u32 rd, u32 rs2, u32 rs1) \
	{                                                         \
		return rv_amo(f5, 2, 0, rd, rs1, rs2);            \
	}                                                         \
	static inline u32 rv_##name##_d(u32 rd, u32 rs2, u32 rs1) \
	{                                                         \
		return rv_amo(f5, 3, 0, rd, rs1, rs2);            \
	}

RV_R(add, 0x33, 0, 0x00)
RV_R(sub, 0x33, 0, 0x20)
RV_R(sll, 0x33, 1, 0x00)
RV_R(slt, 0x33, 2, 0x00)
RV_R(sltu, 0x33, 3, 0x00)
RV_R(xor, 0x33, 4, 0x00)
RV_R(srl, 0x33, 5, 0x00)
RV_R(sra, 0x33, 5, 0x20)
RV_R(or, 0x33, 6, 0x00)
RV_R(and, 0x33, 7, 0x00)
RV_R(mul, 0x33, 0, 0x01)
RV_R(mulh, 0x33, 1, 0x01)
RV_R(mulhsu, 0x33, 2, 0x01)
RV_R(mulhu, 0x33, 3, 0x01)
RV_R(div, 0x33, 4, 0x01)
RV_R(divu, 0x33, 5, 0x01)
RV_R(rem, 0x33, 6, 0x01)
RV_R(remu, 0x33, 7, 0x01)
RV_R(addw, 0x3b, 0, 0x00)
RV_R(subw, 0x3b, 0, 0x20)
RV_R(sllw, 0x3b, 1, 0x00)
RV_R(srlw, 0x3b, 5, 0x00)
RV_R(sraw, 0x3b, 5, 0x20)
RV_R(mulw, 0x3b, 0, 0x01)
RV_R(divw, 0x3b, 4, 0x01)
RV_R(divuw, 0x3b, 5, 0x01)
RV_R(remw, 0x3b, 6, 0x01)
RV_R(remuw, 0x3b, 7, 0x01)
RV_I(addi, 0x13, 0)
RV_I(slti, 0x13, 2)
RV_I(sltiu, 0x13, 3)
RV_I(xori, 0x13, 4)
RV_I(ori, 0x13, 6)
RV_I(andi, 0x13, 7)
RV_SH(slli, 0x13, 1, 0)
RV_SH(srli, 0x13, 5, 0)
RV_SH(srai, 0x13, 5, 0x400)
RV_I(addiw, 0x1b, 0)
RV_SH(slliw, 0x1b, 1, 0)
RV_SH(srliw, 0x1b, 5, 0)
RV_SH(sraiw, 0x1b, 5, 0x400)
RV_I(lb, 0x03, 0)
RV_I(lh, 0x03, 1)
RV_I(lw, 0x03, 2)
RV_I(ld, 0x03, 3)
RV_I(lbu, 0x03, 4)
RV_I(lhu, 0x03, 5)
RV_I(lwu, 0x03, 6)
RV_I(jalr, 0x67, 0)
RV_S(sb, 0)
RV_S(sh, 1)
RV_S(sw, 2)
RV_S(sd, 3)
RV_B(beq, 0)
RV_B(bne, 1)
RV_B(blt, 4)
RV_B(bge, 5)
RV_B(bltu, 6)
RV_B(bgeu, 7)
RV_A(amoadd, 0x00)
RV_A(amoswap, 0x01)
RV_A(sc, 0x03)
RV_A(amoxor, 0x04)
RV_A(amoor, 0x08)
RV_A(amoand, 0x0c)
RV_A(amomin, 0x10)
RV_A(amomax, 0x14)
RV_A(amominu, 0x18)
RV_A(amomaxu, 0x1c)

static inline u32 rv_lr_w(u32 rd, u32 rs1)
{
	return rv_amo(0x02, 2, 0, rd, rs1, 0);
}

static inline u32 rv_lr_d(u32 rd, u32 rs1)
{
	return rv_amo(0x02, 3, 0, rd, rs1, 0);
}

static inline u32 rv_csr(u32 f3, u32 rd, u32 csr, u32 rs1)
{
	return 0x73 | rd << 7 | f3 << 12 | rs1 << 15 | csr << 20;
}

/* Floating point: @d for double, @f3 is the rounding mode for most */
static inline u32 rv_fp(u32 f5, u32 d, u32 f3, u32 rd, u32 rs1, u32 rs2)
{
	return rv_r(0x53, f3, f5 << 2 | d, rd, rs1, rs2);
}

/* @n: 0 fmadd, 1 fmsub, 2 fnmsub, 3 fnmadd */
static inline u32 rv_fma(u32 n, u32 d, u32 rm, u32 rd, u32 rs1, u32 rs2, u32 rs3)
{
	return rv_r(0x43 + 4 * n, rm, rs3 << 2 | d, rd, rs1, rs2);
}

static inline u32 rv_lui(u32 rd, u32 imm20)
{
	return 0x37 | rd << 7 | imm20 << 12;
}

static inline u32 rv_auipc(u32 rd, u32 imm20)
{
	return 0x17 | rd << 7 | imm20 << 12;
}

static inline u32 rv_jal(u32 rd, s32 imm)
{
	u32 u = imm;

	return 0x6f | rd << 7 | (u >> 12 & 0xff) << 12 | (u >> 11 & 1) << 20 |
	       (u >> 1 & 0x3ff) << 21 | (u >> 20 & 1) << 31;
}

static inline u32 rv_ret(void)
{
	return rv_jalr(X0, RA, 0);
}

static inline u32 rv_li(u32 rd, s32 imm)
{
	return rv_addi(rd, X0, imm);
}

#define RV_ECALL   0x00000073u
#define RV_EBREAK  0x00100073u
#define RV_FENCE   0x0ff0000fu
#define RV_FENCE_I 0x0000100fu

#endif /* _VSVM_TEST_RV_H_ */
