/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_TEST_FP_HOST_H_
#define _VSVM_TEST_FP_HOST_H_

/* What the FPU and the libm of the host say of an operation */

#include "vsvm_fp.h"

struct fp_result {
	u64 bits; /* NaNs are the canonical one */
	u32 flags;
};

/* @op up to VSVM_FP_CVT_FROM_INT, @type for conversions of integers, any rounding mode */
struct fp_result fp_host(u32 op, bool dbl, u32 type, u64 a, u64 b, u64 c, u32 rm);

#endif /* _VSVM_TEST_FP_HOST_H_ */
