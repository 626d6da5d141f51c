/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_FPU_H_
#define _VSVM_FPU_H_

#include "vsvm_hw_os.h"

/* Most instructions that are executed in one section with the FPU */
#define VSVM_FPU_SECTION	256

/**
 * struct vsvm_fpu - use of the FPU of the host by a compute unit
 * @open: in a section: preemption is off
 * @off: do without it
 * @rm: rounding mode that the FPU is set to, when @open
 * @rest: instructions of the slice that come after the section
 */
struct vsvm_fpu {
	bool open;
	bool off;
	u32 rm;
	u32 rest;
};

#ifdef __x86_64__

void vsvm_fpu_begin(struct vsvm_fpu *fpu);
void vsvm_fpu_end(struct vsvm_fpu *fpu, u32 *fcsr);
void vsvm_fpu_set_rounding(struct vsvm_fpu *fpu, u32 rm);

/* vsvm_fpu_sse.c, to be called in a section only */
u32 vsvm_fpu_single(u32 op, u32 a, u32 b);
u64 vsvm_fpu_double(u32 op, u64 a, u64 b);

#else

/* Other FPUs differ in what they call tiny, or have flags that can not be read. */
static inline void vsvm_fpu_begin(struct vsvm_fpu *fpu)
{
}

static inline void vsvm_fpu_end(struct vsvm_fpu *fpu, u32 *fcsr)
{
}

static inline void vsvm_fpu_set_rounding(struct vsvm_fpu *fpu, u32 rm)
{
}

static inline u32 vsvm_fpu_single(u32 op, u32 a, u32 b)
{
	return 0;
}

static inline u64 vsvm_fpu_double(u32 op, u64 a, u64 b)
{
	return 0;
}

#endif

#endif /* _VSVM_FPU_H_ */
