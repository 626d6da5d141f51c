// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * A GPU module with everything that the loader must handle: code, constant and
 * writable data, zeroed data, pointers to local and to exported symbols.
 */
#include "vsvm_gpu.h"

static unsigned long add_one(unsigned long n)
{
	return n + 1;
}

static unsigned long add_two(unsigned long n)
{
	return n + 2;
}

typedef unsigned long (*step)(unsigned long);

static const step volatile steps[] = {add_one, add_two};
static unsigned long volatile calls[1024];

VSVM_KERNEL first(unsigned long *out, unsigned long x)
{
	calls[x % 1024]++;
	out[x] = steps[x % 2](x);
}

VSVM_KERNEL second(unsigned long *out, unsigned long x);

__attribute__((visibility("default"))) void (*volatile chosen)(unsigned long *,
							       unsigned long) = second;

VSVM_KERNEL second(unsigned long *out, unsigned long x)
{
	vsvm_atomic_add_u64(&out[0], x);
	if (x == 1)
		chosen(out, 2);
}
