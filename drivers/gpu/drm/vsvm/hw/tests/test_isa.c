// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/* Every instruction of RV64I and RV64M, and what is none; test_fp.c has F and D */

#include <assert.h>

#include "machine.h"
#include "rv.h"
#include "test.h"

#define CODE 0x10000ULL
#define DATA 0x20000ULL

#define MIN64 0x8000000000000000ULL
#define MAX64 0x7fffffffffffffffULL
#define MIN32 0xffffffff80000000ULL
#define MAX32 0x7fffffffULL
#define ONES  0xffffffffffffffffULL

static struct machine *m;
static struct vsvm_vmem vmem;
static struct vsvm_core core;
static u8 *data;

/* Execute one instruction at @pc of @hart */
static enum vsvm_stop step(struct vsvm_hart *hart, u32 insn)
{
	u32 budget = 1;

	load_code(m, hart->pc, &insn, 1);
	return vsvm_rv64_run(&core, hart, &budget);
}

/* Registers that tell where a wrong one was used */
static struct vsvm_hart new_hart(void)
{
	struct vsvm_hart hart = {.pc = CODE};
	u32 i;

	for (i = 1; i < 32; i++)
		hart.x[i] = 0x1111111111111111ULL * (i & 15) + i;
	return hart;
}

/* Execute with two operands; everything but rd must stay as it is */
static bool alu(u32 insn, u64 a, u64 b, u64 *result)
{
	struct vsvm_hart hart = new_hart(), before;
	u32 rd = insn >> 7 & 31;
	bool same = true;
	u32 i;

	hart.x[A1] = a;
	hart.x[A2] = b;
	before = hart;
	if (step(&hart, insn) != VSVM_STOP_SLICE || hart.pc != CODE + 4)
		return false;
	for (i = 0; i < 32; i++)
		same &= i == rd || hart.x[i] == before.x[i];
	*result = hart.x[rd];
	return same;
}

struct alu_case {
	const char *name;
	u32 insn;
	u64 a, b, want;
};

static void test_alu(void)
{
	const struct alu_case cases[] = {
		{"add", rv_add(A0, A1, A2), 7, 8, 15},
		{"add wraps", rv_add(A0, A1, A2), ONES, 2, 1},
		{"add of one register", rv_add(A0, A1, A1), 21, 0, 42},
		{"add to its operand", rv_add(A1, A1, A2), 40, 2, 42},
		{"sub", rv_sub(A0, A1, A2), 7, 8, ONES},
		{"sub overflows", rv_sub(A0, A1, A2), MIN64, 1, MAX64},
		{"sll", rv_sll(A0, A1, A2), 1, 63, MIN64},
		{"sll uses 6 bits", rv_sll(A0, A1, A2), 3, 65, 6},
		{"slt true", rv_slt(A0, A1, A2), ONES, 0, 1},
		{"slt false", rv_slt(A0, A1, A2), 0, ONES, 0},
		{"slt of equals", rv_slt(A0, A1, A2), 5, 5, 0},
		{"sltu of equals", rv_sltu(A0, A1, A2), 5, 5, 0},
		{"slti of equals", rv_slti(A0, A1, -7), -7ULL, 0, 0},
		{"sltiu of large equals", rv_sltiu(A0, A1, -7), -7ULL, 0, 0},
		{"slt of extremes", rv_slt(A0, A1, A2), MIN64, MAX64, 1},
		{"sltu true", rv_sltu(A0, A1, A2), 0, ONES, 1},
		{"sltu false", rv_sltu(A0, A1, A2), ONES, 0, 0},
		{"xor", rv_xor(A0, A1, A2), 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0,
		 0xf0f0f0f0f0f0f0f0},
		{"srl", rv_srl(A0, A1, A2), MIN64, 63, 1},
		{"srl uses 6 bits", rv_srl(A0, A1, A2), 8, 66, 2},
		{"sra", rv_sra(A0, A1, A2), MIN64, 63, ONES},
		{"sra of positive", rv_sra(A0, A1, A2), MAX64, 62, 1},
		{"sra uses 6 bits", rv_sra(A0, A1, A2), MIN64, 64, MIN64},
		{"or", rv_or(A0, A1, A2), 0xf0, 0x1f, 0xff},
		{"and", rv_and(A0, A1, A2), 0xf0, 0x1f, 0x10},
		{"addi", rv_addi(A0, A1, 2047), 1, 0, 2048},
		{"addi of negative", rv_addi(A0, A1, -2048), 0, 0, -2048ULL},
		{"slti true", rv_slti(A0, A1, -1), -2ULL, 0, 1},
		{"slti false", rv_slti(A0, A1, -1), 0, 0, 0},
		{"sltiu extends, then compares", rv_sltiu(A0, A1, -1), 5, 0, 1},
		{"sltiu false", rv_sltiu(A0, A1, 1), 1, 0, 0},
		{"xori inverts", rv_xori(A0, A1, -1), 0x1234, 0, ~0x1234ULL},
		{"ori", rv_ori(A0, A1, 0x700), 0x0f, 0, 0x70f},
		{"ori of negative", rv_ori(A0, A1, -16), 1, 0, -15ULL},
		{"andi", rv_andi(A0, A1, 0xff), 0x1234, 0, 0x34},
		{"andi of negative", rv_andi(A0, A1, -4), ONES, 0, -4ULL},
		{"slli 0", rv_slli(A0, A1, 0), 77, 0, 77},
		{"slli 63", rv_slli(A0, A1, 63), 3, 0, MIN64},
		{"slli 32", rv_slli(A0, A1, 32), 1, 0, 0x100000000},
		{"srli 63", rv_srli(A0, A1, 63), MIN64, 0, 1},
		{"srli 32", rv_srli(A0, A1, 32), ONES, 0, 0xffffffff},
		{"srai 63", rv_srai(A0, A1, 63), MIN64, 0, ONES},
		{"srai 32", rv_srai(A0, A1, 32), 0x1200000000, 0, 0x12},
		{"lui", rv_lui(A0, 0x12345), 0, 0, 0x12345000},
		{"lui extends", rv_lui(A0, 0x80000), 0, 0, MIN32},
		{"auipc", rv_auipc(A0, 0x1), 0, 0, CODE + 0x1000},
		{"auipc extends", rv_auipc(A0, 0xfffff), 0, 0, CODE - 0x1000},

		{"addw", rv_addw(A0, A1, A2), 0xffffffff00000001, 2, 3},
		{"addw overflows", rv_addw(A0, A1, A2), MAX32, 1, MIN32},
		{"subw", rv_subw(A0, A1, A2), 0, 1, ONES},
		{"subw overflows", rv_subw(A0, A1, A2), 0x80000000, 1, MAX32},
		{"sllw", rv_sllw(A0, A1, A2), 1, 31, MIN32},
		{"sllw uses 5 bits", rv_sllw(A0, A1, A2), 1, 33, 2},
		{"srlw", rv_srlw(A0, A1, A2), 0xff80000000, 31, 1},
		{"srlw 0 extends", rv_srlw(A0, A1, A2), 0x80000000, 0, MIN32},
		{"sraw", rv_sraw(A0, A1, A2), 0x80000000, 31, ONES},
		{"sraw ignores the upper half", rv_sraw(A0, A1, A2), 0xff00000000, 4, 0},
		{"addiw", rv_addiw(A0, A1, 1), MAX32, 0, MIN32},
		{"addiw extends", rv_addiw(A0, A1, 0), 0x180000000, 0, MIN32},
		{"slliw", rv_slliw(A0, A1, 31), 1, 0, MIN32},
		{"slliw drops the upper half", rv_slliw(A0, A1, 4), 0x1f0000000, 0, 0},
		{"srliw", rv_srliw(A0, A1, 4), 0xff80000000, 0, 0x08000000},
		{"srliw 0 extends", rv_srliw(A0, A1, 0), 0x80000000, 0, MIN32},
		{"sraiw", rv_sraiw(A0, A1, 4), 0x80000000, 0, 0xfffffffff8000000},

		{"mul", rv_mul(A0, A1, A2), -3ULL, 7, -21ULL},
		{"mul wraps", rv_mul(A0, A1, A2), MIN64, 2, 0},
		{"mulh of negatives", rv_mulh(A0, A1, A2), ONES, ONES, 0},
		{"mulh of minimum", rv_mulh(A0, A1, A2), MIN64, MIN64, 0x4000000000000000},
		{"mulh of mixed", rv_mulh(A0, A1, A2), MIN64, 2, ONES},
		{"mulhsu", rv_mulhsu(A0, A1, A2), ONES, ONES, ONES},
		{"mulhsu of positive", rv_mulhsu(A0, A1, A2), 2, ONES, 1},
		{"mulhsu of minimum", rv_mulhsu(A0, A1, A2), MIN64, ONES, MIN64},
		{"mulhu", rv_mulhu(A0, A1, A2), ONES, ONES, -2ULL},
		{"mulhu small", rv_mulhu(A0, A1, A2), 0x100000000, 0x100000000, 1},
		{"div", rv_div(A0, A1, A2), -20ULL, 6, -3ULL},
		{"div by zero", rv_div(A0, A1, A2), 5, 0, ONES},
		{"div overflows", rv_div(A0, A1, A2), MIN64, ONES, MIN64},
		{"div by -1", rv_div(A0, A1, A2), 9, ONES, -9ULL},
		{"divu", rv_divu(A0, A1, A2), -20ULL, 6, 0x2aaaaaaaaaaaaaa7},
		{"divu by zero", rv_divu(A0, A1, A2), 5, 0, ONES},
		{"rem", rv_rem(A0, A1, A2), -20ULL, 6, -2ULL},
		{"rem has the sign of the dividend", rv_rem(A0, A1, A2), 20, -6ULL, 2},
		{"rem by zero", rv_rem(A0, A1, A2), -5ULL, 0, -5ULL},
		{"rem overflows", rv_rem(A0, A1, A2), MIN64, ONES, 0},
		{"remu", rv_remu(A0, A1, A2), -20ULL, 6, 2},
		{"remu by zero", rv_remu(A0, A1, A2), 5, 0, 5},
		{"mulw", rv_mulw(A0, A1, A2), 0x10000, 0x8000, MIN32},
		{"mulw ignores the upper half", rv_mulw(A0, A1, A2), 0xf00000003, 0xf00000005, 15},
		{"divw", rv_divw(A0, A1, A2), 0xffffffec, 6, -3ULL},
		{"divw by zero", rv_divw(A0, A1, A2), 5, 0xf00000000, ONES},
		{"divw overflows", rv_divw(A0, A1, A2), 0x80000000, 0xffffffff, MIN32},
		{"divuw", rv_divuw(A0, A1, A2), 0xfffffffe, 1, -2ULL},
		{"divuw by zero", rv_divuw(A0, A1, A2), 5, 0, ONES},
		{"remw", rv_remw(A0, A1, A2), 0xffffffec, 6, -2ULL},
		{"remw by zero", rv_remw(A0, A1, A2), 0x80000000, 0, MIN32},
		{"remw overflows", rv_remw(A0, A1, A2), 0x80000000, 0xffffffff, 0},
		{"remuw", rv_remuw(A0, A1, A2), 0xffffffff, 0x80000000, MAX32},
		{"remuw by zero extends", rv_remuw(A0, A1, A2), 0x80000000, 0, MIN32},

		{"fence", RV_FENCE, 0, 0, 0},
		{"fence.i", RV_FENCE_I, 0, 0, 0},
	};
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		u64 got = 0;
		bool clean = alu(cases[i].insn, cases[i].a, cases[i].b, &got);

		if (CHECK(clean, "%s: ends well and writes rd only", cases[i].name))
			EQUAL(got, cases[i].want, "%s", cases[i].name);
	}
}

/* What the instructions mean, in the widest type there is */
typedef __int128 wide;

static u64 ref_mulh(u64 a, u64 b)
{
	return (u64)(((wide)(s64)a * (s64)b) >> 64);
}

static u64 ref_mulhsu(u64 a, u64 b)
{
	return (u64)(((wide)(s64)a * (wide)b) >> 64);
}

static u64 ref_mulhu(u64 a, u64 b)
{
	return (u64)(((unsigned __int128)a * b) >> 64);
}

static u64 ref_div(u64 a, u64 b)
{
	return b ? (u64)((wide)(s64)a / (s64)b) : ONES;
}

static u64 ref_rem(u64 a, u64 b)
{
	return b ? (u64)((wide)(s64)a % (s64)b) : a;
}

static u64 ref_divw(u64 a, u64 b)
{
	return (u32)b ? (u64)(s64)(s32)((s64)(s32)a / (s32)b) : ONES;
}

static u64 ref_remw(u64 a, u64 b)
{
	return (u64)((u32)b ? (s64)(s32)a % (s32)b : (s64)(s32)a);
}

static u64 ref_sra(u64 a, u64 b)
{
	return (u64)((wide)(s64)a >> (b & 63));
}

static u64 ref_sraw(u64 a, u64 b)
{
	return (u64)((s64)(s32)a >> (b & 31));
}

static u64 ref_addw(u64 a, u64 b)
{
	return (u64)(s64)(s32)(u32)(a + b);
}

static u64 ref_slt(u64 a, u64 b)
{
	return (a ^ MIN64) < (b ^ MIN64);
}

static u64 random_state = 88172645463325252ULL;

static u64 random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Numbers of all lengths, extremes often */
static u64 random_operand(void)
{
	static const u64 special[] = {0, 1, 2, ONES, MIN64, MAX64, MIN32, MAX32, 0x80000000};
	u64 kind = random_bits() % 4;

	if (!kind)
		return special[random_bits() % (sizeof(special) / sizeof(special[0]))];
	return random_bits() >> random_bits() % 64;
}

static void test_random(void)
{
	const struct {
		const char *name;
		u32 insn;
		u64 (*reference)(u64 a, u64 b);
	} cases[] = {
		{"mulh", rv_mulh(A0, A1, A2), ref_mulh},
		{"mulhsu", rv_mulhsu(A0, A1, A2), ref_mulhsu},
		{"mulhu", rv_mulhu(A0, A1, A2), ref_mulhu},
		{"div", rv_div(A0, A1, A2), ref_div},
		{"rem", rv_rem(A0, A1, A2), ref_rem},
		{"divw", rv_divw(A0, A1, A2), ref_divw},
		{"remw", rv_remw(A0, A1, A2), ref_remw},
		{"sra", rv_sra(A0, A1, A2), ref_sra},
		{"sraw", rv_sraw(A0, A1, A2), ref_sraw},
		{"addw", rv_addw(A0, A1, A2), ref_addw},
		{"slt", rv_slt(A0, A1, A2), ref_slt},
	};
	u32 i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		u64 a = 0, b = 0, got = 0, want = 0;

		for (n = 0; n < 2000; n++) {
			a = random_operand();
			b = random_operand();
			want = cases[i].reference(a, b);
			if (!alu(cases[i].insn, a, b, &got) || got != want)
				break;
		}
		CHECK(n == 2000, "%s of random numbers", cases[i].name);
		if (n < 2000)
			printf("# 0x%llx, 0x%llx: got 0x%llx, want 0x%llx\n", (long long)a,
			       (long long)b, (long long)got, (long long)want);
	}
}

static void test_immediates(void)
{
	u64 got = 0;
	bool ok = true;
	s32 imm;

	for (imm = -2048; imm < 2048; imm++) {
		ok &= alu(rv_addi(A0, A1, imm), 0, 0, &got);
		ok &= got == (u64)(s64)imm;
	}
	CHECK(ok, "every immediate of addi");

	for (ok = true, imm = 0; imm < 64; imm++) {
		ok &= alu(rv_slli(A0, A1, imm), 1, 0, &got) && got == 1ULL << imm;
		ok &= alu(rv_srli(A0, A1, imm), ONES, 0, &got) && got == ONES >> imm;
		ok &= alu(rv_srai(A0, A1, imm), MIN64, 0, &got) && got == ref_sra(MIN64, imm);
	}
	CHECK(ok, "every shift of slli, srli, srai");
}

static void test_x0(void)
{
	struct vsvm_hart hart = new_hart();

	step(&hart, rv_addi(X0, A1, 5));
	EQUAL(hart.x[0], 0, "x0 is not written by addi");
	memset(data, 0xff, 64);
	hart = new_hart();
	hart.x[A1] = DATA;
	step(&hart, rv_ld(X0, A1, 0));
	EQUAL(hart.x[0], 0, "x0 is not written by ld");
	hart = new_hart();
	step(&hart, rv_jal(X0, 16));
	EQUAL(hart.x[0], 0, "x0 is not written by jal");
	EQUAL(hart.pc, CODE + 16, "jal with x0 jumps");
	hart = new_hart();
	hart.x[A1] = DATA;
	step(&hart, rv_amoadd_w(X0, A2, A1));
	EQUAL(hart.x[0], 0, "x0 is not written by amoadd.w");
}

static void test_memory(void)
{
	const struct {
		const char *name;
		u32 insn;
		u64 want;
	} loads[] = {
		{"lb", rv_lb(A0, A1, 7), 0xffffffffffffff88},
		{"lh", rv_lh(A0, A1, 6), 0xffffffffffff8877},
		{"lw", rv_lw(A0, A1, 4), 0xffffffff88776655},
		{"ld", rv_ld(A0, A1, 0), 0x8877665544332211},
		{"lbu", rv_lbu(A0, A1, 7), 0x88},
		{"lhu", rv_lhu(A0, A1, 6), 0x8877},
		{"lwu", rv_lwu(A0, A1, 4), 0x88776655},
		{"lb of positive", rv_lb(A0, A1, 0), 0x11},
		{"lh of positive", rv_lh(A0, A1, 0), 0x2211},
		{"lw of positive", rv_lw(A0, A1, 0), 0x44332211},
		{"ld by negative offset", rv_ld(A0, A2, -8), 0x8877665544332211},
	};
	const struct {
		const char *name;
		u32 insn;
		u64 want;
	} stores[] = {
		{"sb", rv_sb(A2, A1, 1), 0x111111111111f011},
		{"sh", rv_sh(A2, A1, 2), 0x11111111def01111},
		{"sw", rv_sw(A2, A1, 4), 0x9abcdef011111111},
		{"sd", rv_sd(A2, A1, 0), 0x123456789abcdef0},
		{"sd by negative offset", rv_sd(A2, A3, -2048), 0x123456789abcdef0},
		{"sd by positive offset", rv_sd(A2, A4, 2040), 0x123456789abcdef0},
	};
	struct vsvm_hart hart;
	bool warm;
	u64 word;
	u32 i, n;

	/* Twice: the first time the TLB is empty */
	for (n = 0; n < 2; n++) {
		warm = n;
		for (i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
			if (!warm)
				vsvm_mmu_flush(&core.mmu, 1, 0, VSVM_VA_END);
			word = 0x8877665544332211;
			memcpy(data, &word, 8);
			hart = new_hart();
			hart.x[A1] = DATA;
			hart.x[A2] = DATA + 8;
			EQUAL(step(&hart, loads[i].insn), VSVM_STOP_SLICE, "%s ends well",
			      loads[i].name);
			EQUAL(hart.x[A0], loads[i].want, "%s, %s TLB", loads[i].name,
			      warm ? "warm" : "cold");
		}
		for (i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
			if (!warm)
				vsvm_mmu_flush(&core.mmu, 1, 0, VSVM_VA_END);
			memset(data, 0x11, 64);
			hart = new_hart();
			hart.x[A1] = DATA;
			hart.x[A2] = 0x123456789abcdef0;
			hart.x[A3] = DATA + 2048;
			hart.x[A4] = DATA - 2040;
			EQUAL(step(&hart, stores[i].insn), VSVM_STOP_SLICE, "%s ends well",
			      stores[i].name);
			memcpy(&word, data, 8);
			EQUAL(word, stores[i].want, "%s, %s TLB", stores[i].name,
			      warm ? "warm" : "cold");
			memcpy(&word, data + 8, 8);
			EQUAL(word, 0x1111111111111111, "%s writes nothing else", stores[i].name);
		}
	}
}

static void test_branches(void)
{
	const struct {
		const char *name;
		u32 (*insn)(u32 rs1, u32 rs2, s32 imm);
		/* a < 0 < b; a == a; unsigned a > b */
		bool less, equal, greater;
	} cases[] = {
		{"beq", rv_beq, false, true, false},   {"bne", rv_bne, true, false, true},
		{"blt", rv_blt, true, false, false},   {"bge", rv_bge, false, true, true},
		{"bltu", rv_bltu, false, false, true}, {"bgeu", rv_bgeu, true, true, false},
	};
	static const s32 offsets[] = {-4096, -2048, -32, -4, 8, 30 * 4, 2048, 4092};
	u32 i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool ok = true;

		for (n = 0; n < sizeof(offsets) / sizeof(offsets[0]); n++) {
			struct vsvm_hart hart = new_hart();
			u64 target = CODE + offsets[n];

			hart.x[A1] = -5ULL;
			hart.x[A2] = 3;
			step(&hart, cases[i].insn(A1, A2, offsets[n]));
			ok &= hart.pc == (cases[i].less ? target : CODE + 4);
			hart.pc = CODE;
			step(&hart, cases[i].insn(A1, A1, offsets[n]));
			ok &= hart.pc == (cases[i].equal ? target : CODE + 4);
			hart.pc = CODE;
			step(&hart, cases[i].insn(A2, A1, offsets[n]));
			ok &= hart.pc == (cases[i].greater ? target : CODE + 4);
		}
		CHECK(ok, "%s", cases[i].name);
	}
}

static void test_jumps(void)
{
	static const s32 offsets[] = {-0x100000, -0x800, -4, 8, 0x7fc, 0x800, 0x1000, 0xffffc};
	struct vsvm_hart hart;
	bool ok = true;
	u32 i;

	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		hart = new_hart();
		hart.pc = CODE + 0x200000;
		ok &= step(&hart, rv_jal(RA, offsets[i])) == VSVM_STOP_SLICE;
		ok &= hart.pc == CODE + 0x200000 + (s64)offsets[i];
		ok &= hart.x[RA] == CODE + 0x200004;
	}
	CHECK(ok, "jal, all bits of the offset");

	hart = new_hart();
	hart.x[A1] = CODE + 0x100;
	step(&hart, rv_jalr(RA, A1, -0x80));
	EQUAL(hart.pc, CODE + 0x80, "jalr jumps");
	EQUAL(hart.x[RA], CODE + 4, "jalr links");

	hart = new_hart();
	hart.x[A1] = CODE + 0x101;
	step(&hart, rv_jalr(X0, A1, 0));
	EQUAL(hart.pc, CODE + 0x100, "jalr clears bit 0");

	hart = new_hart();
	hart.x[A1] = CODE + 0x40;
	step(&hart, rv_jalr(A1, A1, 0));
	EQUAL(hart.pc, CODE + 0x40, "jalr reads its operand before it links");
	EQUAL(hart.x[A1], CODE + 4, "jalr links in its operand");

	hart = new_hart();
	hart.x[A1] = CODE + 0x42;
	EQUAL(step(&hart, rv_jalr(RA, A1, 0)), VSVM_STOP_ERROR, "jalr to a misaligned target");
	EQUAL(hart.status, VSVM_ISA_STATUS_MISALIGNED, "its status");
	EQUAL(hart.pc, CODE, "its pc is that of the jump");
	EQUAL(hart.x[RA], new_hart().x[RA], "it does not link");

	hart = new_hart();
	EQUAL(step(&hart, rv_jal(RA, 6)), VSVM_STOP_ERROR, "jal to a misaligned target");
	EQUAL(hart.status, VSVM_ISA_STATUS_MISALIGNED, "its status");

	hart = new_hart();
	EQUAL(step(&hart, rv_beq(A1, A1, 6)), VSVM_STOP_ERROR, "branch to a misaligned target");
	EQUAL(hart.status, VSVM_ISA_STATUS_MISALIGNED, "its status");
	hart = new_hart();
	EQUAL(step(&hart, rv_bne(A1, A1, 6)), VSVM_STOP_SLICE, "not taken it does no harm");

	hart = new_hart();
	hart.x[RA] = VSVM_ISA_RETURN_PC;
	EQUAL(step(&hart, rv_ret()), VSVM_STOP_SLICE, "ret retires");
	i = 1;
	EQUAL(vsvm_rv64_run(&core, &hart, &i), VSVM_STOP_EXIT, "and ends the hart");
	EQUAL(i, 1, "at no cost");
}

static void test_system(void)
{
	struct vsvm_hart hart = new_hart();

	hart.x[A7] = VSVM_ISA_ECALL_EXIT;
	EQUAL(step(&hart, RV_ECALL), VSVM_STOP_EXIT, "ecall exit");
	hart = new_hart();
	hart.x[A7] = VSVM_ISA_ECALL_BARRIER;
	EQUAL(step(&hart, RV_ECALL), VSVM_STOP_BARRIER, "ecall barrier");
	EQUAL(hart.pc, CODE + 4, "barrier goes on behind the ecall");
	hart = new_hart();
	hart.x[A7] = 2;
	EQUAL(step(&hart, RV_ECALL), VSVM_STOP_ERROR, "ecall with an unknown function");
	EQUAL(hart.status, VSVM_ISA_STATUS_ECALL, "its status");
	hart = new_hart();
	EQUAL(step(&hart, RV_EBREAK), VSVM_STOP_ERROR, "ebreak");
	EQUAL(hart.status, VSVM_ISA_STATUS_BREAK, "its status");
	EQUAL(hart.pc, CODE, "its pc");
}

static void test_illegal(void)
{
	const struct {
		const char *name;
		u32 insn;
	} cases[] = {
		{"all zero", 0},
		{"all ones", 0xffffffff},
		{"compressed nop", 0x00000001},
		{"compressed 01", 0xffff4501},
		{"compressed 10", 0x00008082},
		{"48 bit encoding", 0x0000001f},
		{"load of funct3 7", rv_i(0x03, 7, A0, A1, 0)},
		{"store of funct3 4", rv_s(4, A1, A2, 0)},
		{"store of funct3 7", rv_s(7, A1, A2, 0)},
		{"branch of funct3 2", rv_b(2, A1, A2, 8)},
		{"branch of funct3 3", rv_b(3, A1, A1, 8)},
		{"jalr of funct3 1", rv_i(0x67, 1, RA, A1, 0)},
		{"slli beyond 63", rv_i(0x13, 1, A0, A1, 0x040)},
		{"slli with bit 30", rv_i(0x13, 1, A0, A1, 0x400)},
		{"srli with bit 31", rv_i(0x13, 5, A0, A1, -0x800)},
		{"srai with bit 26", rv_i(0x13, 5, A0, A1, 0x440)},
		{"slliw beyond 31", rv_i(0x1b, 1, A0, A1, 0x020)},
		{"srliw beyond 31", rv_i(0x1b, 5, A0, A1, 0x020)},
		{"sraiw beyond 31", rv_i(0x1b, 5, A0, A1, 0x420)},
		{"op-imm-32 of funct3 2", rv_i(0x1b, 2, A0, A1, 0)},
		{"op of funct7 2", rv_r(0x33, 0, 0x02, A0, A1, A2)},
		{"op of funct7 0x20, funct3 1", rv_r(0x33, 1, 0x20, A0, A1, A2)},
		{"op of funct7 0x20, funct3 7", rv_r(0x33, 7, 0x20, A0, A1, A2)},
		{"op-32 of funct7 1, funct3 1", rv_r(0x3b, 1, 0x01, A0, A1, A2)},
		{"op-32 of funct3 2", rv_r(0x3b, 2, 0x00, A0, A1, A2)},
		{"op-32 of funct7 0x20, funct3 1", rv_r(0x3b, 1, 0x20, A0, A1, A2)},
		{"fence of funct3 2", rv_i(0x0f, 2, X0, X0, 0)},
		{"ecall with rd", RV_ECALL | A0 << 7},
		{"sret", 0x10200073},
		{"mret", 0x30200073},
		{"wfi", 0x10500073},
		{"sfence.vma", 0x12000073},
		{"rdcycle", rv_i(0x73, 2, A0, X0, 0xc00 - 0x1000)},
		{"rdtime", rv_i(0x73, 2, A0, X0, 0xc01 - 0x1000)},
		{"rdinstret", rv_i(0x73, 2, A0, X0, 0xc02 - 0x1000)},
		{"csr 0", rv_csr(1, A0, 0, A1)},
		{"csr 4", rv_csr(1, A0, 4, A1)},
		{"csr of funct3 4", rv_csr(4, A0, 1, A1)},
		{"load of half precision", rv_i(0x07, 1, A0, A1, 0)},
		{"store of quad precision", rv_i(0x27, 4, A0, A1, 0)},
		{"fadd of rounding mode 5", rv_fp(0x00, 0, 5, A0, A1, A2)},
		{"fmadd of rounding mode 6", rv_fma(0, 1, 6, A0, A1, A2, A3)},
		{"fadd of half precision", rv_fp(0x00, 2, 0, A0, A1, A2)},
		{"fmadd of quad precision", rv_fma(0, 3, 0, A0, A1, A2, A3)},
		{"fsqrt with rs2", rv_fp(0x0b, 1, 0, A0, A1, 1)},
		{"fsgnj of funct3 3", rv_fp(0x04, 1, 3, A0, A1, A2)},
		{"fmax of funct3 2", rv_fp(0x05, 1, 2, A0, A1, A2)},
		{"fcvt.s.s", rv_fp(0x08, 0, 0, A0, A1, 0)},
		{"fcvt.d.d", rv_fp(0x08, 1, 0, A0, A1, 1)},
		{"fcmp of funct3 3", rv_fp(0x14, 1, 3, A0, A1, A2)},
		{"fcvt.w.d with rs2 4", rv_fp(0x18, 1, 0, A0, A1, 4)},
		{"fcvt.d.w with rs2 4", rv_fp(0x1a, 1, 0, A0, A1, 4)},
		{"fmv.x.d with rs2", rv_fp(0x1c, 1, 0, A0, A1, 1)},
		{"fclass of funct3 2", rv_fp(0x1c, 1, 2, A0, A1, 0)},
		{"fmv.d.x of funct3 1", rv_fp(0x1e, 1, 1, A0, A1, 0)},
		{"custom-0", 0x0b},
		{"vector", 0x57},
		{"amo of 8 bits", rv_amo(0x00, 0, 0, A0, A1, A2)},
		{"amo of 16 bits", rv_amo(0x00, 1, 0, A0, A1, A2)},
		{"amo of 128 bits", rv_amo(0x00, 4, 0, A0, A1, A2)},
		{"amo of funct3 7", rv_amo(0x00, 7, 0, A0, A1, A2)},
		{"amo of funct5 5", rv_amo(0x05, 2, 0, A0, A1, A2)},
		{"amo of funct5 31", rv_amo(0x1f, 3, 0, A0, A1, A2)},
		{"lr.w with rs2", rv_amo(0x02, 2, 0, A0, A1, A2)},
	};
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vsvm_hart hart = new_hart(), before;
		enum vsvm_stop stop;

		hart.x[A1] = DATA;
		before = hart;
		stop = step(&hart, cases[i].insn);
		CHECK(stop == VSVM_STOP_ERROR && hart.status == VSVM_ISA_STATUS_ILLEGAL,
		      "%s is illegal", cases[i].name);
		CHECK(hart.pc == CODE && !memcmp(hart.x, before.x, sizeof(hart.x)),
		      "%s changes nothing", cases[i].name);
	}
}

/* Opcodes that are all illegal, whatever the rest of the instruction */
static void test_illegal_opcodes(void)
{
	static const u8 legal[] = {0x03, 0x0f, 0x13, 0x17, 0x1b, 0x23, 0x2f, 0x33, 0x37, 0x3b, 0x63,
				   0x67, 0x6f, 0x73, 0x07, 0x27, 0x43, 0x47, 0x4b, 0x4f, 0x53};
	bool ok = true;
	u32 op, n;

	for (op = 0; op < 128; op++) {
		if (memchr(legal, (int)op, sizeof(legal)))
			continue;
		for (n = 0; n < 64; n++) {
			struct vsvm_hart hart = new_hart();

			ok &= step(&hart, ((u32)random_bits() & ~127u) | op) == VSVM_STOP_ERROR &&
			      hart.status == VSVM_ISA_STATUS_ILLEGAL;
		}
	}
	CHECK(ok, "the other %zu major opcodes are illegal", 128 - sizeof(legal));
}

static void test_loop(void)
{
	const u32 code[] = {
		rv_li(A0, 0),	     rv_li(A1, 100),	 rv_add(A0, A0, A1),
		rv_addi(A1, A1, -1), rv_bne(A1, X0, -8), rv_ret(),
	};
	struct vsvm_hart hart = {.pc = CODE, .x[RA] = VSVM_ISA_RETURN_PC};
	u32 budget = 10;

	load_code(m, CODE, code, 6);
	EQUAL(vsvm_rv64_run(&core, &hart, &budget), VSVM_STOP_SLICE, "a slice ends");
	EQUAL(budget, 0, "after exactly its instructions");
	budget = 1000;
	EQUAL(vsvm_rv64_run(&core, &hart, &budget), VSVM_STOP_EXIT, "the loop ends");
	EQUAL(hart.x[A0], 5050, "with the sum of 1 to 100");
	EQUAL(1000 - budget + 10, 2 + 3 * 100 + 1, "in the exact number of instructions");
}

/* Code that crosses a page, and code that changes */
static void test_fetch(void)
{
	const u32 code[] = {rv_addi(A0, A0, 1), rv_addi(A0, A0, 2), rv_ret()};
	struct vsvm_hart hart = {.pc = CODE + 0x1ffc, .x[RA] = VSVM_ISA_RETURN_PC};
	u32 budget = 100;

	load_code(m, CODE + 0x1ffc, code, 3);
	EQUAL(vsvm_rv64_run(&core, &hart, &budget), VSVM_STOP_EXIT, "code crosses a page");
	EQUAL(hart.x[A0], 3, "all of it is executed");

	hart = (struct vsvm_hart){.pc = DATA, .x[RA] = VSVM_ISA_RETURN_PC};
	memcpy(data, &(u32[]){rv_sw(A1, A2, 0), RV_FENCE_I, rv_li(A0, 1), rv_ret()}, 16);
	hart.x[A1] = rv_li(A0, 77);
	hart.x[A2] = DATA + 8;
	EQUAL(vsvm_rv64_run(&core, &hart, &budget), VSVM_STOP_EXIT, "code changes itself");
	EQUAL(hart.x[A0], 77, "and sees it after fence.i");
}

int main(void)
{
	m = machine_new();
	assert(!vsvm_vmem_init(&vmem, VSVM_BLOCK_SIZE));
	vsvm_mmu_init(&core.mmu, &machine_host, m, &vmem);
	vsvm_mmu_select(&core.mmu, 1, m->root);
	data = map_new(m, DATA, 1);

	test_alu();
	test_random();
	test_immediates();
	test_x0();
	test_memory();
	test_branches();
	test_jumps();
	test_system();
	test_illegal();
	test_illegal_opcodes();
	test_loop();
	test_fetch();

	vsvm_vmem_fini(&vmem);
	machine_free(m);
	return test_finish();
}
