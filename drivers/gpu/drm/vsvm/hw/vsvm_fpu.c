// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Use of the FPU
 *
 * Sums, products, quotients and square roots are left to the FPU of an x86 host
 * wherever it rounds as RISC-V does: in all modes but RMM. What SSE2 has is
 * enough, and its flags mean the same, tininess after rounding included; only
 * NaNs come out differently, see vsvm_fp_execute().
 *
 * In a section, from vsvm_fpu_begin() to vsvm_fpu_end(), preemption is off. The
 * interpreter begins one at the first such instruction and ends it after
 * %VSVM_FPU_SECTION instructions of any kind, and before all that may take
 * longer: a translation that is not in the first level TLB, the end of a slice.
 * Meanwhile MXCSR gathers the flags.
 */

#ifdef __KERNEL__
#include <linux/fpu.h>
#endif

#include "vsvm_fp.h"
#include "vsvm_fpu.h"

#define MXCSR_MASK_ALL		0x1f80U
#define MXCSR_RC_SHIFT		13

#define MXCSR_IE		BIT(0)
#define MXCSR_ZE		BIT(2)
#define MXCSR_OE		BIT(3)
#define MXCSR_UE		BIT(4)
#define MXCSR_PE		BIT(5)

static u32 mxcsr_read(void)
{
	u32 value;

	asm volatile("stmxcsr %0" : "=m" (value));
	return value;
}

static void mxcsr_write(u32 value)
{
	asm volatile("ldmxcsr %0" : : "m" (value));
}

/**
 * vsvm_fpu_begin() - begin a section
 * @fpu: state of the compute unit
 */
void vsvm_fpu_begin(struct vsvm_fpu *fpu)
{
	kernel_fpu_begin();
	mxcsr_write(MXCSR_MASK_ALL);
	fpu->rm = VSVM_FP_RNE;
	fpu->open = true;
}

/**
 * vsvm_fpu_end() - end a section
 * @fpu: state of the compute unit
 * @fcsr: of the hart, gets the flags
 */
void vsvm_fpu_end(struct vsvm_fpu *fpu, u32 *fcsr)
{
	u32 value = mxcsr_read();

	mxcsr_write(MXCSR_MASK_ALL);
	kernel_fpu_end();
	fpu->open = false;
	if (value & MXCSR_IE)
		*fcsr |= VSVM_FP_NV;
	if (value & MXCSR_ZE)
		*fcsr |= VSVM_FP_DZ;
	if (value & MXCSR_OE)
		*fcsr |= VSVM_FP_OF;
	if (value & MXCSR_UE)
		*fcsr |= VSVM_FP_UF;
	if (value & MXCSR_PE)
		*fcsr |= VSVM_FP_NX;
}

/**
 * vsvm_fpu_set_rounding() - set the rounding mode, in a section
 * @fpu: state of the compute unit
 * @rm: any mode but %VSVM_FP_RMM
 */
void vsvm_fpu_set_rounding(struct vsvm_fpu *fpu, u32 rm)
{
	static const u8 control[] = {
		[VSVM_FP_RNE] = 0,
		[VSVM_FP_RDN] = 1,
		[VSVM_FP_RUP] = 2,
		[VSVM_FP_RTZ] = 3,
	};
	u32 value;

	if (fpu->rm == rm)
		return;
	value = mxcsr_read() & ~(3U << MXCSR_RC_SHIFT);
	mxcsr_write(value | (u32)control[rm] << MXCSR_RC_SHIFT);
	fpu->rm = rm;
}
