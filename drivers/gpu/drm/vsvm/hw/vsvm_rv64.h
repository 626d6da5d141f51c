/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_RV64_H_
#define _VSVM_RV64_H_

#include "vsvm_decode.h"
#include "vsvm_fpu.h"
#include "vsvm_mmu.h"

#define VSVM_DECODED		1024

/**
 * struct vsvm_core - what executes instructions
 * @decoded: decoded instructions, by bits of the pc
 * @mmu: translates their addresses
 * @fpu: use of the FPU of the host
 *
 * An entry of @decoded is used if it was made of the very instruction that is in
 * memory now, so nothing ever has to be invalidated.
 */
struct vsvm_core {
	struct vsvm_insn decoded[VSVM_DECODED];
	struct vsvm_mmu mmu;
	struct vsvm_fpu fpu;
};

/**
 * struct vsvm_hart - a work-item
 * @x: integer registers and %VSVM_NO_REGISTER; x[0] is always zero
 * @pc: address of the next instruction
 * @f: floating point registers
 * @fcsr: rounding mode and flags; in a section with the FPU it has more of them
 * @reserved_addr: address of the last load-reserved
 * @reserved_value: value that it read
 * @reserved_size: bytes that it read, 0 without a reservation
 * @record: record of the fault buffer that the hart waits for
 * @fault_addr: faulting address, of any alignment
 * @fault_access: enum vsvm_isa_access of it
 * @status: enum vsvm_isa_status after %VSVM_STOP_ERROR
 */
struct vsvm_hart {
	u64 x[33];
	u64 pc;
	u64 f[32];
	u32 fcsr;
	u64 reserved_addr;
	u64 reserved_value;
	u32 reserved_size;
	u32 record;
	u64 fault_addr;
	u32 fault_access;
	u32 status;
};

/**
 * enum vsvm_stop - why a hart stopped
 * @VSVM_STOP_NONE: it did not
 * @VSVM_STOP_SLICE: it has used up its instructions
 * @VSVM_STOP_EXIT: it has ended
 * @VSVM_STOP_BARRIER: it waits at a barrier, the pc is behind the ecall
 * @VSVM_STOP_MISS: &vsvm_hart.fault_addr has no translation; nothing of the
 *	instruction was done, it can be tried again
 * @VSVM_STOP_ERROR: it can not go on, see &vsvm_hart.status
 */
enum vsvm_stop {
	VSVM_STOP_NONE,
	VSVM_STOP_SLICE,
	VSVM_STOP_EXIT,
	VSVM_STOP_BARRIER,
	VSVM_STOP_MISS,
	VSVM_STOP_ERROR,
};

enum vsvm_stop vsvm_rv64_run(struct vsvm_core *core, struct vsvm_hart *hart,
			     u32 *budget);
enum vsvm_stop vsvm_rv64_atomic(struct vsvm_mmu *mmu, struct vsvm_hart *hart,
				const struct vsvm_insn *insn);
enum vsvm_stop vsvm_fp_execute(struct vsvm_fpu *fpu, struct vsvm_hart *hart,
			       const struct vsvm_insn *insn);
void vsvm_fp_csr(struct vsvm_hart *hart, const struct vsvm_insn *insn);
enum vsvm_stop vsvm_rv64_load_slow(struct vsvm_mmu *mmu, struct vsvm_hart *hart,
				   u64 va, u32 size, u64 *value);
enum vsvm_stop vsvm_rv64_store_slow(struct vsvm_mmu *mmu,
				    struct vsvm_hart *hart, u64 va, u32 size,
				    u64 value);

/**
 * vsvm_hart_error() - end a hart with an error
 * @hart: the hart
 * @status: enum vsvm_isa_status
 *
 * Return: %VSVM_STOP_ERROR.
 */
static inline enum vsvm_stop vsvm_hart_error(struct vsvm_hart *hart, u32 status)
{
	hart->status = status;
	return VSVM_STOP_ERROR;
}

/**
 * vsvm_hart_translate() - translate an address for a hart
 * @mmu: the MMU
 * @hart: the hart
 * @va: virtual address
 * @access: enum vsvm_isa_access
 * @host: set to the host's pointer
 *
 * Return: %VSVM_STOP_NONE, or what became of the hart.
 */
static inline enum vsvm_stop
vsvm_hart_translate(struct vsvm_mmu *mmu, struct vsvm_hart *hart, u64 va,
		    u32 access, void **host)
{
	enum vsvm_xlat xlat = vsvm_mmu_translate(mmu, va, access, host);

	if (likely(xlat == VSVM_XLAT_OK))
		return VSVM_STOP_NONE;
	hart->fault_addr = va;
	hart->fault_access = access;
	if (xlat == VSVM_XLAT_MISS)
		return VSVM_STOP_MISS;
	return vsvm_hart_error(hart, VSVM_ISA_STATUS_FAULT);
}

#endif /* _VSVM_RV64_H_ */
