// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Instruction set
 *
 * RV64IM is executed here, the A extension in vsvm_atomic.c, F and D in
 * vsvm_fp_execute.c, and misaligned and TLB missing accesses in vsvm_access.c;
 * vsvm_decode.c decodes.
 *
 * vsvm_rv64_run() is one loop, and what an instruction costs in it decides the
 * speed of the GPU. Therefore a fetch compares the pc with the current code page
 * and is one load from there on; what was fetched is compared with the decoded
 * instruction that was last at this place; and a load or store is one compare
 * with a tag of the TLB, which fails for whatever is special (another page,
 * another address space, no permission, misaligned).
 *
 * Nothing of an instruction is visible before all its translations have been
 * found, so that a hart which misses simply executes it again.
 */

#include "vsvm_rv64.h"

/* No page has this address */
#define NO_PAGE		1ULL

/* What fills up a single in a register */
#define NAN_BOX		0xffffffff00000000ULL

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

static u64 div_unsigned(u64 a, u64 b)
{
	return b ? a / b : ~0ULL;
}

static u64 rem_unsigned(u64 a, u64 b)
{
	return b ? a % b : a;
}

static u64 load_extend(u32 size, bool sign, u64 raw)
{
	switch (sign ? size : 8) {
	case 1:
		return (s64)(s8)raw;
	case 2:
		return (s64)(s16)raw;
	case 4:
		return (s64)(s32)raw;
	default:
		return raw;
	}
}

/* End the section with the FPU, before anything that may take long */
static __always_inline void leave_fpu(struct vsvm_core *core,
				      struct vsvm_hart *hart)
{
	if (unlikely(core->fpu.open))
		vsvm_fpu_end(&core->fpu, &hart->fcsr);
}

static noinline enum vsvm_stop
load_slow(struct vsvm_core *core, struct vsvm_hart *hart, u64 va, u32 size,
	  u64 *raw)
{
	leave_fpu(core, hart);
	return vsvm_rv64_load_slow(&core->mmu, hart, va, size, raw);
}

static noinline enum vsvm_stop
store_slow(struct vsvm_core *core, struct vsvm_hart *hart, u64 va, u32 size,
	   u64 value)
{
	leave_fpu(core, hart);
	return vsvm_rv64_store_slow(&core->mmu, hart, va, size, value);
}

/**
 * load_raw() - read memory
 * @core: what executes
 * @hart: the hart
 * @insn: the instruction
 * @size: bytes, a constant
 * @raw: set to what was read, zero extended
 *
 * Return: %VSVM_STOP_NONE, or what became of the hart.
 */
static __always_inline enum vsvm_stop
load_raw(struct vsvm_core *core, struct vsvm_hart *hart,
	 const struct vsvm_insn *insn, u32 size, u64 *raw)
{
	u64 va = hart->x[insn->rs1] + insn->imm;
	struct vsvm_mmu *mmu = &core->mmu;
	struct vsvm_tlb_page *page = vsvm_mmu_entry(mmu, va);
	const void *host;

	if (unlikely(page->read != vsvm_mmu_tag(mmu, va, size)))
		return load_slow(core, hart, va, size, raw);

	page->uses++;
	host = (const void *)(va + page->offset);
	vsvm_os_check_read(host, size);
	if (size == 1)
		*raw = READ_ONCE(*(const u8 *)host);
	else if (size == 2)
		*raw = READ_ONCE(*(const u16 *)host);
	else if (size == 4)
		*raw = READ_ONCE(*(const u32 *)host);
	else
		*raw = READ_ONCE(*(const u64 *)host);
	return VSVM_STOP_NONE;
}

/* Same as load_raw() to an integer register; @sign, a constant: extend the sign */
static __always_inline enum vsvm_stop
execute_load(struct vsvm_core *core, struct vsvm_hart *hart,
	     const struct vsvm_insn *insn, u32 size, bool sign)
{
	enum vsvm_stop stop;
	u64 raw;

	stop = load_raw(core, hart, insn, size, &raw);
	if (unlikely(stop != VSVM_STOP_NONE))
		return stop;
	hart->x[insn->rd] = load_extend(size, sign, raw);
	return VSVM_STOP_NONE;
}

/* Same as load_raw() to a floating point register */
static __always_inline enum vsvm_stop
execute_load_fp(struct vsvm_core *core, struct vsvm_hart *hart,
		const struct vsvm_insn *insn, u32 size)
{
	enum vsvm_stop stop;
	u64 raw;

	stop = load_raw(core, hart, insn, size, &raw);
	if (unlikely(stop != VSVM_STOP_NONE))
		return stop;
	hart->f[insn->rd] = size == 4 ? raw | NAN_BOX : raw;
	return VSVM_STOP_NONE;
}

/* Same as load_raw() for a store of @value */
static __always_inline enum vsvm_stop
execute_store(struct vsvm_core *core, struct vsvm_hart *hart,
	      const struct vsvm_insn *insn, u32 size, u64 value)
{
	u64 va = hart->x[insn->rs1] + insn->imm;
	struct vsvm_mmu *mmu = &core->mmu;
	struct vsvm_tlb_page *page = vsvm_mmu_entry(mmu, va);
	void *host;

	if (unlikely(page->write != vsvm_mmu_tag(mmu, va, size)))
		return store_slow(core, hart, va, size, value);

	page->uses++;
	host = (void *)(va + page->offset);
	vsvm_os_check_write(host, size);
	if (size == 1)
		WRITE_ONCE(*(u8 *)host, value);
	else if (size == 2)
		WRITE_ONCE(*(u16 *)host, value);
	else if (size == 4)
		WRITE_ONCE(*(u32 *)host, value);
	else
		WRITE_ONCE(*(u64 *)host, value);
	return VSVM_STOP_NONE;
}

/**
 * enter_fpu() - begin a section with the FPU, if it is not to be avoided
 * @core: what executes
 * @left: instructions left of the slice
 *
 * Return: instructions left of the section; those after it are in
 * &vsvm_fpu.rest.
 */
static noinline u32 enter_fpu(struct vsvm_core *core, u32 left)
{
	struct vsvm_fpu *fpu = &core->fpu;

	if (fpu->open || fpu->off)
		return left;
	vsvm_fpu_begin(fpu);
	if (fpu->rest || left <= VSVM_FPU_SECTION)
		return left;
	fpu->rest = left - VSVM_FPU_SECTION;
	return VSVM_FPU_SECTION;
}

static enum vsvm_stop environment_call(struct vsvm_hart *hart)
{
	switch (hart->x[17]) {
	case VSVM_ISA_ECALL_EXIT:
		return VSVM_STOP_EXIT;
	case VSVM_ISA_ECALL_BARRIER:
		smp_mb();	/* for threads on the CPU, see the ISA */
		return VSVM_STOP_BARRIER;
	default:
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_ECALL);
	}
}

/**
 * new_page() - begin to fetch from another page
 * @mmu: the MMU
 * @hart: the hart
 * @pc: where to go on
 * @offset: set to what to add to a pc in this page to get the host's pointer
 *
 * Return: %VSVM_STOP_NONE, or what became of the hart.
 */
static enum vsvm_stop new_page(struct vsvm_mmu *mmu, struct vsvm_hart *hart,
			       u64 pc, unsigned long *offset)
{
	enum vsvm_stop stop;
	void *host;

	if (pc == VSVM_ISA_RETURN_PC)
		return VSVM_STOP_EXIT;
	/* Jumps have been checked, this is for the first instruction. */
	if (pc & 3)
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_MISALIGNED);
	stop = vsvm_hart_translate(mmu, hart, pc, VSVM_ISA_ACCESS_FETCH, &host);
	if (stop == VSVM_STOP_NONE)
		*offset = (unsigned long)host - pc;
	return stop;
}

/**
 * vsvm_rv64_run() - execute instructions of a hart
 * @core: what to execute them on, with the address space of the hart selected
 * @hart: the hart
 * @budget: most instructions to execute, reduced by those that were
 *
 * A reservation does not live from one call to the next: harts that share a
 * compute unit can not get between a load-reserved and its store-conditional
 * unnoticed.
 *
 * Return: why it stopped.
 */
enum vsvm_stop vsvm_rv64_run(struct vsvm_core *core, struct vsvm_hart *hart,
			     u32 *budget)
{
	struct vsvm_mmu *mmu = &core->mmu;
	unsigned long offset = 0;
	u32 left = *budget;
	u64 page = NO_PAGE;
	u64 *x = hart->x;
	u64 pc = hart->pc;
	enum vsvm_stop stop;

	hart->reserved_size = 0;
	core->fpu.rest = 0;

	if (!left)
		return VSVM_STOP_SLICE;
again:
	do {
		struct vsvm_insn *insn;
		u64 a, b, next;
		u32 raw;

		if (unlikely((pc & VSVM_PAGE_MASK) != page)) {
			leave_fpu(core, hart);
			stop = new_page(mmu, hart, pc, &offset);
			if (stop != VSVM_STOP_NONE)
				goto out;
			page = pc & VSVM_PAGE_MASK;
		}
		raw = READ_ONCE(*(const u32 *)(pc + offset));
		insn = &core->decoded[pc / 4 % VSVM_DECODED];
		if (unlikely(insn->raw != raw))
			vsvm_decode(insn, raw);

		a = x[insn->rs1];
		b = x[insn->rs2];

		switch (insn->op) {
		case VSVM_OP_LUI:
			x[insn->rd] = (s64)insn->imm;
			break;
		case VSVM_OP_AUIPC:
			x[insn->rd] = pc + insn->imm;
			break;

		case VSVM_OP_JAL:
			next = pc + insn->imm;
			goto link;
		case VSVM_OP_JALR:
			next = (a + insn->imm) & ~1ULL;
			goto link;
		case VSVM_OP_BEQ:
			if (a == b)
				goto branch;
			break;
		case VSVM_OP_BNE:
			if (a != b)
				goto branch;
			break;
		case VSVM_OP_BLT:
			if ((s64)a < (s64)b)
				goto branch;
			break;
		case VSVM_OP_BGE:
			if ((s64)a >= (s64)b)
				goto branch;
			break;
		case VSVM_OP_BLTU:
			if (a < b)
				goto branch;
			break;
		case VSVM_OP_BGEU:
			if (a >= b)
				goto branch;
			break;

		case VSVM_OP_LB:
			stop = execute_load(core, hart, insn, 1, true);
			goto accessed;
		case VSVM_OP_LH:
			stop = execute_load(core, hart, insn, 2, true);
			goto accessed;
		case VSVM_OP_LW:
			stop = execute_load(core, hart, insn, 4, true);
			goto accessed;
		case VSVM_OP_LD:
			stop = execute_load(core, hart, insn, 8, false);
			goto accessed;
		case VSVM_OP_LBU:
			stop = execute_load(core, hart, insn, 1, false);
			goto accessed;
		case VSVM_OP_LHU:
			stop = execute_load(core, hart, insn, 2, false);
			goto accessed;
		case VSVM_OP_LWU:
			stop = execute_load(core, hart, insn, 4, false);
			goto accessed;
		case VSVM_OP_SB:
			stop = execute_store(core, hart, insn, 1, b);
			goto accessed;
		case VSVM_OP_SH:
			stop = execute_store(core, hart, insn, 2, b);
			goto accessed;
		case VSVM_OP_SW:
			stop = execute_store(core, hart, insn, 4, b);
			goto accessed;
		case VSVM_OP_SD:
			stop = execute_store(core, hart, insn, 8, b);
			goto accessed;
		case VSVM_OP_ATOMIC:
			leave_fpu(core, hart);
			stop = vsvm_rv64_atomic(mmu, hart, insn);
			goto accessed;

		case VSVM_OP_FLW:
			stop = execute_load_fp(core, hart, insn, 4);
			goto accessed;
		case VSVM_OP_FLD:
			stop = execute_load_fp(core, hart, insn, 8);
			goto accessed;
		case VSVM_OP_FSW:
			stop = execute_store(core, hart, insn, 4,
					     hart->f[insn->rs2]);
			goto accessed;
		case VSVM_OP_FSD:
			stop = execute_store(core, hart, insn, 8,
					     hart->f[insn->rs2]);
			goto accessed;
		case VSVM_OP_FP_FPU:
			left = enter_fpu(core, left);
			fallthrough;
		case VSVM_OP_FP:
			stop = vsvm_fp_execute(&core->fpu, hart, insn);
			goto accessed;
		case VSVM_OP_CSR:
			leave_fpu(core, hart);
			vsvm_fp_csr(hart, insn);
			break;

		case VSVM_OP_ADDI:
			x[insn->rd] = a + insn->imm;
			break;
		case VSVM_OP_SLTI:
			x[insn->rd] = (s64)a < insn->imm;
			break;
		case VSVM_OP_SLTIU:
			x[insn->rd] = a < (u64)(s64)insn->imm;
			break;
		case VSVM_OP_XORI:
			x[insn->rd] = a ^ (s64)insn->imm;
			break;
		case VSVM_OP_ORI:
			x[insn->rd] = a | (s64)insn->imm;
			break;
		case VSVM_OP_ANDI:
			x[insn->rd] = a & (s64)insn->imm;
			break;
		case VSVM_OP_SLLI:
			x[insn->rd] = a << insn->imm;
			break;
		case VSVM_OP_SRLI:
			x[insn->rd] = a >> insn->imm;
			break;
		case VSVM_OP_SRAI:
			x[insn->rd] = (s64)a >> insn->imm;
			break;
		case VSVM_OP_ADDIW:
			x[insn->rd] = sext32(a + insn->imm);
			break;
		case VSVM_OP_SLLIW:
			x[insn->rd] = sext32(a << insn->imm);
			break;
		case VSVM_OP_SRLIW:
			x[insn->rd] = sext32((u32)a >> insn->imm);
			break;
		case VSVM_OP_SRAIW:
			x[insn->rd] = (s64)((s32)a >> insn->imm);
			break;

		case VSVM_OP_ADD:
			x[insn->rd] = a + b;
			break;
		case VSVM_OP_SUB:
			x[insn->rd] = a - b;
			break;
		case VSVM_OP_SLL:
			x[insn->rd] = a << (b & 63);
			break;
		case VSVM_OP_SLT:
			x[insn->rd] = (s64)a < (s64)b;
			break;
		case VSVM_OP_SLTU:
			x[insn->rd] = a < b;
			break;
		case VSVM_OP_XOR:
			x[insn->rd] = a ^ b;
			break;
		case VSVM_OP_SRL:
			x[insn->rd] = a >> (b & 63);
			break;
		case VSVM_OP_SRA:
			x[insn->rd] = (s64)a >> (b & 63);
			break;
		case VSVM_OP_OR:
			x[insn->rd] = a | b;
			break;
		case VSVM_OP_AND:
			x[insn->rd] = a & b;
			break;
		case VSVM_OP_ADDW:
			x[insn->rd] = sext32(a + b);
			break;
		case VSVM_OP_SUBW:
			x[insn->rd] = sext32(a - b);
			break;
		case VSVM_OP_SLLW:
			x[insn->rd] = sext32(a << (b & 31));
			break;
		case VSVM_OP_SRLW:
			x[insn->rd] = sext32((u32)a >> (b & 31));
			break;
		case VSVM_OP_SRAW:
			x[insn->rd] = (s64)((s32)a >> (b & 31));
			break;

		case VSVM_OP_MUL:
			x[insn->rd] = a * b;
			break;
		case VSVM_OP_MULH:
			x[insn->rd] = mulh(a, b);
			break;
		case VSVM_OP_MULHSU:
			x[insn->rd] = mulhsu(a, b);
			break;
		case VSVM_OP_MULHU:
			x[insn->rd] = mul_u64_u64_shr(a, b, 64);
			break;
		case VSVM_OP_DIV:
			x[insn->rd] = div_signed(a, b);
			break;
		case VSVM_OP_DIVU:
			x[insn->rd] = div_unsigned(a, b);
			break;
		case VSVM_OP_REM:
			x[insn->rd] = rem_signed(a, b);
			break;
		case VSVM_OP_REMU:
			x[insn->rd] = rem_unsigned(a, b);
			break;
		case VSVM_OP_MULW:
			x[insn->rd] = sext32(a * b);
			break;
		case VSVM_OP_DIVW:
			x[insn->rd] = sext32(div_signed(sext32(a), sext32(b)));
			break;
		case VSVM_OP_DIVUW:
			x[insn->rd] = sext32(div_unsigned((u32)a, (u32)b));
			break;
		case VSVM_OP_REMW:
			x[insn->rd] = sext32(rem_signed(sext32(a), sext32(b)));
			break;
		case VSVM_OP_REMUW:
			x[insn->rd] = sext32(rem_unsigned((u32)a, (u32)b));
			break;

		case VSVM_OP_FENCE:
			smp_mb();	/* what the instruction says */
			break;
		case VSVM_OP_ECALL:
			stop = environment_call(hart);
			if (stop == VSVM_STOP_ERROR)
				goto out;
			pc += 4;
			left--;
			goto out;
		case VSVM_OP_EBREAK:
			stop = vsvm_hart_error(hart, VSVM_ISA_STATUS_BREAK);
			goto out;
		default:
			stop = vsvm_hart_error(hart, VSVM_ISA_STATUS_ILLEGAL);
			goto out;
		}
		pc += 4;
		continue;

accessed:
		if (unlikely(stop != VSVM_STOP_NONE))
			goto out;
		pc += 4;
		continue;

branch:
		next = pc + insn->imm;
		if (unlikely(next & 3))
			goto misaligned;
		pc = next;
		continue;

link:
		if (unlikely(next & 3))
			goto misaligned;
		x[insn->rd] = pc + 4;
		pc = next;
	} while (--left);
	if (core->fpu.rest) {
		leave_fpu(core, hart);
		left = core->fpu.rest;
		core->fpu.rest = 0;
		goto again;
	}
	stop = VSVM_STOP_SLICE;
	goto out;

misaligned:
	stop = vsvm_hart_error(hart, VSVM_ISA_STATUS_MISALIGNED);
out:
	leave_fpu(core, hart);
	hart->pc = pc;
	*budget = left + core->fpu.rest;
	return stop;
}
