// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Atomics
 *
 * Every instruction of the A extension becomes an atomic operation of the host
 * on the very word, so that it is atomic against other compute units and against
 * threads on the CPU. All of them are fully ordered, which is what the aq and rl
 * bits can ask for at most. All of them, load-reserved included, need write
 * permission: a kernel that reserves a word is about to write it, and one fault
 * is better than two.
 *
 * A reservation is the address and the value that was read. A store-conditional
 * succeeds if it has a reservation of its address and size, and if the word has
 * that value still: it is a compare and exchange. So it also succeeds when
 * another compute unit or the CPU has changed the word and changed it back in
 * the meantime (ABA), where a reservation of real hardware would be lost: stores
 * of the CPU can not be seen. Harts of the same compute unit can not do this, as
 * a reservation ends with the slice. An algorithm that must be safe from ABA
 * uses a version counter in the word, as with any compare and exchange.
 */

#include "vsvm_rv64.h"

enum {
	AMO_ADD = 0x00,
	AMO_SWAP = 0x01,
	AMO_LR = 0x02,
	AMO_SC = 0x03,
	AMO_XOR = 0x04,
	AMO_OR = 0x08,
	AMO_AND = 0x0c,
	AMO_MIN = 0x10,
	AMO_MAX = 0x14,
	AMO_MINU = 0x18,
	AMO_MAXU = 0x1c,
};

/**
 * amo_compute() - new value of a word
 * @funct5: operation
 * @old: its old value; both operands are sign extended, if they have 32 bits
 * @operand: second operand
 *
 * Sign extension keeps the order of unsigned numbers, too.
 *
 * Return: the value; for 32 bit operations the upper half means nothing.
 */
static u64 amo_compute(u32 funct5, u64 old, u64 operand)
{
	switch (funct5) {
	case AMO_ADD:
		return old + operand;
	case AMO_XOR:
		return old ^ operand;
	case AMO_OR:
		return old | operand;
	case AMO_AND:
		return old & operand;
	case AMO_MIN:
		return (s64)old < (s64)operand ? old : operand;
	case AMO_MAX:
		return (s64)old > (s64)operand ? old : operand;
	case AMO_MINU:
		return old < operand ? old : operand;
	case AMO_MAXU:
		return old > operand ? old : operand;
	default:
		return operand;
	}
}

static u64 amo_word(u32 funct5, u32 *word, u64 operand)
{
	u64 wide = (s64)(s32)operand;
	u32 old = READ_ONCE(*word);
	u32 new;

	do {
		new = amo_compute(funct5, (s64)(s32)old, wide);
	} while (!try_cmpxchg(word, &old, new));
	return (s64)(s32)old;
}

static u64 amo_double(u32 funct5, u64 *word, u64 operand)
{
	u64 old = READ_ONCE(*word);
	u64 new;

	do {
		new = amo_compute(funct5, old, operand);
	} while (!try_cmpxchg(word, &old, new));
	return old;
}

static u64 load_reserved(struct vsvm_hart *hart, u64 va, u32 size,
			 const void *host)
{
	u64 value;

	smp_mb();	/* rl: after all that the hart did before */
	if (size == 4)
		value = (s64)READ_ONCE(*(const s32 *)host);
	else
		value = READ_ONCE(*(const u64 *)host);
	smp_mb();	/* aq: before all that the hart does afterwards */

	hart->reserved_addr = va;
	hart->reserved_size = size;
	hart->reserved_value = value;
	return value;
}

static bool store_conditional(struct vsvm_hart *hart, u32 size, void *host,
			      u64 value)
{
	u64 old = hart->reserved_value;
	u32 old_word = old;

	if (size == 4)
		return try_cmpxchg((u32 *)host, &old_word, (u32)value);
	return try_cmpxchg((u64 *)host, &old, value);
}

/**
 * vsvm_rv64_atomic() - execute an instruction of the A extension
 * @mmu: the MMU
 * @hart: the hart
 * @insn: the instruction, which is known to exist
 *
 * Return: %VSVM_STOP_NONE, or what became of the hart.
 */
enum vsvm_stop vsvm_rv64_atomic(struct vsvm_mmu *mmu, struct vsvm_hart *hart,
				const struct vsvm_insn *insn)
{
	u64 operand = hart->x[insn->rs2];
	u64 va = hart->x[insn->rs1];
	u32 size = 1 << (insn->raw >> 12 & 7);
	u32 funct5 = insn->raw >> 27;
	struct vsvm_tlb_page *page;
	enum vsvm_stop stop;
	void *host;
	u64 result;

	if (!IS_ALIGNED(va, size))
		return vsvm_hart_error(hart, VSVM_ISA_STATUS_MISALIGNED);

	if (funct5 == AMO_SC &&
	    (hart->reserved_size != size || hart->reserved_addr != va)) {
		result = 1;
		goto done;
	}

	page = vsvm_mmu_entry(mmu, va);
	if (likely(page->write == vsvm_mmu_tag(mmu, va, size) &&
		   !(page->uses & VSVM_TLB_NO_ATOMIC))) {
		page->uses++;
		host = (void *)(va + page->offset);
	} else {
		stop = vsvm_hart_translate(mmu, hart, va,
					   VSVM_ISA_ACCESS_ATOMIC, &host);
		if (stop != VSVM_STOP_NONE)
			return stop;
	}

	if (funct5 == AMO_LR)
		result = load_reserved(hart, va, size, host);
	else if (funct5 == AMO_SC)
		result = !store_conditional(hart, size, host, operand);
	else if (size == 4)
		result = amo_word(funct5, host, operand);
	else
		result = amo_double(funct5, host, operand);
done:
	if (funct5 == AMO_SC)
		hart->reserved_size = 0;
	hart->x[insn->rd] = result;
	return VSVM_STOP_NONE;
}
