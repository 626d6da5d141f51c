// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Instruction set
 *
 * RV64IM is executed here, the A extension in vsvm_atomic.c and misaligned and
 * TLB missing accesses in vsvm_access.c.
 *
 * vsvm_rv64_run() decodes and executes in one loop. What it costs per
 * instruction decides the speed of the GPU, therefore a fetch compares the pc
 * with the current code page and is one load from there on; a load or store is
 * one compare with a tag of the TLB, which fails for whatever is special
 * (another page, another address space, no permission, misaligned).
 *
 * Nothing of an instruction is visible before all its translations have been
 * found, so that a hart which misses simply executes it again.
 */

#include "vsvm_rv64.h"

/* Major opcodes with the two low bits that every 32 bit instruction has */
enum {
	OP_LOAD = 0x03,
	OP_FENCE = 0x0f,
	OP_IMM = 0x13,
	OP_AUIPC = 0x17,
	OP_IMM_32 = 0x1b,
	OP_STORE = 0x23,
	OP_AMO = 0x2f,
	OP_REG = 0x33,
	OP_LUI = 0x37,
	OP_REG_32 = 0x3b,
	OP_BRANCH = 0x63,
	OP_JALR = 0x67,
	OP_JAL = 0x6f,
	OP_SYSTEM = 0x73,
};

#define INSN_ECALL	0x00000073
#define INSN_EBREAK	0x00100073

/* No page has this address */
#define NO_PAGE		1ULL

static __always_inline u64 imm_i(u32 insn)
{
	return (s64)((s32)insn >> 20);
}

static __always_inline u64 imm_s(u32 insn)
{
	return (s64)(((s32)insn >> 25) * 32 | (s32)(insn >> 7 & 31));
}

static __always_inline u64 imm_u(u32 insn)
{
	return (s64)(s32)(insn & 0xfffff000);
}

static __always_inline u64 imm_b(u32 insn)
{
	return (s64)(((s32)insn >> 31) * 4096 |
		     (s32)((insn << 4 & 0x800) | (insn >> 20 & 0x7e0) |
			   (insn >> 7 & 0x1e)));
}

static __always_inline u64 imm_j(u32 insn)
{
	return (s64)(((s32)insn >> 31) * 0x100000 |
		     (s32)((insn & 0xff000) | (insn >> 9 & 0x800) |
			   (insn >> 20 & 0x7fe)));
}

static __always_inline u64 sext32(u64 value)
{
	return (s64)(s32)value;
}

static u64 mulh(u64 a, u64 b)
{
	u64 high = mul_u64_u64_shr(a, b, 64);

	if ((s64)a < 0)
		high -= b;
	if ((s64)b < 0)
		high -= a;
	return high;
}

static u64 mulhsu(u64 a, u64 b)
{
	u64 high = mul_u64_u64_shr(a, b, 64);

	return (s64)a < 0 ? high - b : high;
}

/* Division never traps: the results for 0 and for overflow are defined. */
static u64 div_signed(u64 a, u64 b)
{
	if (!b)
		return ~0ULL;
	if (b == ~0ULL)
		return -a;
	return (s64)a / (s64)b;
}

static u64 rem_signed(u64 a, u64 b)
{
	if (!b)
		return a;
	if (b == ~0ULL)
		return 0;
	return (s64)a % (s64)b;
}

static u64 div_signed_32(u32 a, u32 b)
{
	return sext32(div_signed(sext32(a), sext32(b)));
}

static u64 rem_signed_32(u32 a, u32 b)
{
	return sext32(rem_signed(sext32(a), sext32(b)));
}

/* OP with funct7 = 1 */
static __always_inline u64 muldiv(u32 funct3, u64 a, u64 b)
{
	switch (funct3) {
	case 0:
		return a * b;
	case 1:
		return mulh(a, b);
	case 2:
		return mulhsu(a, b);
	case 3:
		return mul_u64_u64_shr(a, b, 64);
	case 4:
		return div_signed(a, b);
	case 5:
		return b ? a / b : ~0ULL;
	case 6:
		return rem_signed(a, b);
	default:
		return b ? a % b : a;
	}
}

/**
 * op_32() - OP-32: register operations on 32 bits
 * @insn: the instruction
 * @a: first operand
 * @b: second operand
 * @result: set to the sign extended result
 *
 * Return: false when there is no such instruction.
 */
static __always_inline bool op_32(u32 insn, u32 a, u32 b, u64 *result)
{
	/* funct7 and funct3 as one number */
	switch ((insn >> 25) << 3 | vsvm_funct3(insn)) {
	case 0x00 << 3 | 0:
		*result = sext32(a + b);
		break;
	case 0x20 << 3 | 0:
		*result = sext32(a - b);
		break;
	case 0x00 << 3 | 1:
		*result = sext32(a << (b & 31));
		break;
	case 0x00 << 3 | 5:
		*result = sext32(a >> (b & 31));
		break;
	case 0x20 << 3 | 5:
		*result = (s64)((s32)a >> (b & 31));
		break;
	case 0x01 << 3 | 0:
		*result = sext32(a * b);
		break;
	case 0x01 << 3 | 4:
		*result = div_signed_32(a, b);
		break;
	case 0x01 << 3 | 5:
		*result = b ? sext32(a / b) : ~0ULL;
		break;
	case 0x01 << 3 | 6:
		*result = rem_signed_32(a, b);
		break;
	case 0x01 << 3 | 7:
		*result = sext32(b ? a % b : a);
		break;
	default:
		return false;
	}
	return true;
}

/* Same as op_32() for OP: register operations on 64 bits */
static __always_inline bool op_64(u32 insn, u64 a, u64 b, u64 *result)
{
	u32 funct3 = vsvm_funct3(insn);
	u32 funct7 = insn >> 25;

	if (funct7 == 0x01) {
		*result = muldiv(funct3, a, b);
		return true;
	}
	if (funct7 == 0x20) {
		if (funct3 == 0)
			*result = a - b;
		else if (funct3 == 5)
			*result = (s64)a >> (b & 63);
		else
			return false;
		return true;
	}
	if (funct7)
		return false;
	switch (funct3) {
	case 0:
		*result = a + b;
		break;
	case 1:
		*result = a << (b & 63);
		break;
	case 2:
		*result = (s64)a < (s64)b;
		break;
	case 3:
		*result = a < b;
		break;
	case 4:
		*result = a ^ b;
		break;
	case 5:
		*result = a >> (b & 63);
		break;
	case 6:
		*result = a | b;
		break;
	case 7:
		*result = a & b;
		break;
	}
	return true;
}

/* Same as op_32() for OP-IMM */
static __always_inline bool op_imm(u32 insn, u64 a, u64 *result)
{
	u64 imm = imm_i(insn);

	switch (vsvm_funct3(insn)) {
	case 0:
		*result = a + imm;
		break;
	case 1:
		if (insn >> 26)
			return false;
		*result = a << (imm & 63);
		break;
	case 2:
		*result = (s64)a < (s64)imm;
		break;
	case 3:
		*result = a < imm;
		break;
	case 4:
		*result = a ^ imm;
		break;
	case 5:
		if ((insn >> 26) == 0x10)
			*result = (s64)a >> (imm & 63);
		else if (!(insn >> 26))
			*result = a >> (imm & 63);
		else
			return false;
		break;
	case 6:
		*result = a | imm;
		break;
	case 7:
		*result = a & imm;
		break;
	}
	return true;
}

/* Same as op_32() for OP-IMM-32 */
static __always_inline bool op_imm_32(u32 insn, u32 a, u64 *result)
{
	u32 shift = vsvm_rs2(insn);
	u32 funct7 = insn >> 25;

	switch (vsvm_funct3(insn)) {
	case 0:
		*result = sext32(a + imm_i(insn));
		return true;
	case 1:
		*result = sext32(a << shift);
		return funct7 == 0;
	case 5:
		*result = funct7 ? (u64)(s64)((s32)a >> shift) :
				   sext32(a >> shift);
		return funct7 == 0 || funct7 == 0x20;
	default:
		return false;
	}
}

/**
 * branch() - evaluate the condition of a branch
 * @funct3: which one; bit 0 inverts it
 * @a: first operand
 * @b: second operand
 * @taken: set to the outcome
 *
 * Return: false when there is no such instruction.
 */
static __always_inline bool branch(u32 funct3, u64 a, u64 b, bool *taken)
{
	switch (funct3 >> 1) {
	case 0:
		*taken = a == b;
		break;
	case 2:
		*taken = (s64)a < (s64)b;
		break;
	case 3:
		*taken = a < b;
		break;
	default:
		return false;
	}
	*taken ^= funct3 & 1;
	return true;
}

static __always_inline u64 load_extend(u32 funct3, u64 raw)
{
	switch (funct3) {
	case 0:
		return (s64)(s8)raw;
	case 1:
		return (s64)(s16)raw;
	case 2:
		return (s64)(s32)raw;
	default:
		return raw;
	}
}

static __always_inline enum vsvm_stop
load(struct vsvm_mmu *mmu, struct vsvm_hart *hart, u32 insn, u64 *result)
{
	u64 va = hart->x[vsvm_rs1(insn)] + imm_i(insn);
	struct vsvm_tlb_page *page = vsvm_mmu_entry(mmu, va);
	u32 funct3 = vsvm_funct3(insn);
	enum vsvm_stop stop;
	const void *host;

	if (unlikely(funct3 == 7))
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_ILLEGAL);

	if (unlikely(page->read != vsvm_mmu_tag(mmu, va, 1 << (funct3 & 3)))) {
		u64 raw;

		stop = vsvm_rv64_load_slow(mmu, hart, va, 1 << (funct3 & 3),
					   &raw);
		if (stop == VSVM_STOP_NONE)
			*result = load_extend(funct3, raw);
		return stop;
	}

	mmu->hits++;
	host = (const void *)(va + page->offset);
	switch (funct3) {
	case 0:
		*result = (s64)READ_ONCE(*(const s8 *)host);
		break;
	case 1:
		*result = (s64)READ_ONCE(*(const s16 *)host);
		break;
	case 2:
		*result = (s64)READ_ONCE(*(const s32 *)host);
		break;
	case 3:
		*result = READ_ONCE(*(const u64 *)host);
		break;
	case 4:
		*result = READ_ONCE(*(const u8 *)host);
		break;
	case 5:
		*result = READ_ONCE(*(const u16 *)host);
		break;
	case 6:
		*result = READ_ONCE(*(const u32 *)host);
		break;
	}
	return VSVM_STOP_NONE;
}

static __always_inline enum vsvm_stop
store(struct vsvm_mmu *mmu, struct vsvm_hart *hart, u32 insn)
{
	u64 va = hart->x[vsvm_rs1(insn)] + imm_s(insn);
	struct vsvm_tlb_page *page = vsvm_mmu_entry(mmu, va);
	u64 value = hart->x[vsvm_rs2(insn)];
	u32 funct3 = vsvm_funct3(insn);
	void *host;

	if (unlikely(funct3 > 3))
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_ILLEGAL);

	if (unlikely(page->write != vsvm_mmu_tag(mmu, va, 1 << funct3)))
		return vsvm_rv64_store_slow(mmu, hart, va, 1 << funct3, value);

	mmu->hits++;
	host = (void *)(va + page->offset);
	switch (funct3) {
	case 0:
		WRITE_ONCE(*(u8 *)host, value);
		break;
	case 1:
		WRITE_ONCE(*(u16 *)host, value);
		break;
	case 2:
		WRITE_ONCE(*(u32 *)host, value);
		break;
	case 3:
		WRITE_ONCE(*(u64 *)host, value);
		break;
	}
	return VSVM_STOP_NONE;
}

static enum vsvm_stop system_call(struct vsvm_hart *hart, u32 insn)
{
	if (insn == INSN_EBREAK)
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_BREAK);
	if (insn != INSN_ECALL)
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_ILLEGAL);
	switch (hart->x[17]) {
	case VSVM_ISA_ECALL_EXIT:
		return VSVM_STOP_EXIT;
	case VSVM_ISA_ECALL_BARRIER:
		smp_mb();	/* for threads on the CPU, see the ISA */
		hart->pc += 4;
		return VSVM_STOP_BARRIER;
	default:
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_ECALL);
	}
}

/**
 * vsvm_rv64_run() - execute instructions of a hart
 * @mmu: MMU with the address space of the hart selected
 * @hart: the hart
 * @budget: most instructions to execute, reduced by those that were
 *
 * A reservation does not live from one call to the next: harts that share a
 * compute unit can not get between a load-reserved and its store-conditional
 * unnoticed.
 *
 * Return: why it stopped.
 */
enum vsvm_stop vsvm_rv64_run(struct vsvm_mmu *mmu, struct vsvm_hart *hart,
			     u32 *budget)
{
	enum vsvm_stop stop = VSVM_STOP_NONE;
	u64 *x = hart->x;
	u64 page = NO_PAGE;
	u64 pc = hart->pc;
	u32 left = *budget;
	unsigned long offset = 0;

	hart->reserved_size = 0;

	while (left) {
		u64 next = pc + 4;
		u64 result = 0;
		bool ok, taken;
		u32 insn;

		if (unlikely((pc & VSVM_PAGE_MASK) != page)) {
			void *host;

			if (pc == VSVM_ISA_RETURN_PC) {
				stop = VSVM_STOP_EXIT;
				break;
			}
			if (pc & 3)	/* the entry, jumps are checked */
				goto misaligned;
			stop = vsvm_hart_translate(mmu, hart, pc,
						   VSVM_ISA_ACCESS_FETCH,
						   &host);
			if (stop != VSVM_STOP_NONE)
				break;
			page = pc & VSVM_PAGE_MASK;
			offset = (unsigned long)host - pc;
		}
		insn = READ_ONCE(*(const u32 *)(pc + offset));

		switch (insn & 0x7f) {
		case OP_LOAD:
			stop = load(mmu, hart, insn, &result);
			if (unlikely(stop != VSVM_STOP_NONE))
				goto out;
			break;

		case OP_STORE:
			stop = store(mmu, hart, insn);
			if (unlikely(stop != VSVM_STOP_NONE))
				goto out;
			goto retire;

		case OP_AMO:
			stop = vsvm_rv64_atomic(mmu, hart, insn);
			if (unlikely(stop != VSVM_STOP_NONE))
				goto out;
			goto retire;

		case OP_IMM:
			ok = op_imm(insn, x[vsvm_rs1(insn)], &result);
			if (unlikely(!ok))
				goto illegal;
			break;

		case OP_IMM_32:
			ok = op_imm_32(insn, x[vsvm_rs1(insn)], &result);
			if (unlikely(!ok))
				goto illegal;
			break;

		case OP_REG:
			ok = op_64(insn, x[vsvm_rs1(insn)], x[vsvm_rs2(insn)],
				   &result);
			if (unlikely(!ok))
				goto illegal;
			break;

		case OP_REG_32:
			ok = op_32(insn, x[vsvm_rs1(insn)], x[vsvm_rs2(insn)],
				   &result);
			if (unlikely(!ok))
				goto illegal;
			break;

		case OP_LUI:
			result = imm_u(insn);
			break;

		case OP_AUIPC:
			result = pc + imm_u(insn);
			break;

		case OP_BRANCH:
			ok = branch(vsvm_funct3(insn), x[vsvm_rs1(insn)],
				    x[vsvm_rs2(insn)], &taken);
			if (unlikely(!ok))
				goto illegal;
			if (taken) {
				next = pc + imm_b(insn);
				if (unlikely(next & 3))
					goto misaligned;
			}
			goto retire;

		case OP_JAL:
			next = pc + imm_j(insn);
			if (unlikely(next & 3))
				goto misaligned;
			result = pc + 4;
			break;

		case OP_JALR:
			if (unlikely(vsvm_funct3(insn)))
				goto illegal;
			next = (x[vsvm_rs1(insn)] + imm_i(insn)) & ~1ULL;
			if (unlikely(next & 3))
				goto misaligned;
			result = pc + 4;
			break;

		case OP_FENCE:
			if (unlikely(vsvm_funct3(insn) > 1))
				goto illegal;
			smp_mb();	/* what the instruction says */
			goto retire;

		case OP_SYSTEM:
			hart->pc = pc;
			stop = system_call(hart, insn);
			pc = hart->pc;
			if (stop != VSVM_STOP_ERROR)
				left--;
			goto out;

		default:
			goto illegal;
		}

		x[vsvm_rd(insn)] = result;
		x[0] = 0;
retire:
		pc = next;
		left--;
	}
	if (stop == VSVM_STOP_NONE)
		stop = VSVM_STOP_SLICE;
	goto out;

illegal:
	stop = vsvm_hart_error(hart, VSVM_ISA_STATUS_ILLEGAL);
	goto out;

misaligned:
	stop = vsvm_hart_error(hart, VSVM_ISA_STATUS_MISALIGNED);
out:
	hart->pc = pc;
	*budget = left;
	return stop;
}
