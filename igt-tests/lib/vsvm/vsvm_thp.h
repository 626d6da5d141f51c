/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_THP_H
#define VSVM_THP_H

#include <stdbool.h>

#include "vsvm_memory.h"

/**
 * vsvm_thp_available - true if the kernel can be told which huge pages to use
 */
bool vsvm_thp_available(void);

/**
 * vsvm_thp_set_order - new memory under MADV_HUGEPAGE is of that order, and no other
 * @order: 2 to 9
 *
 * As it was before when the program ends, in whatever way, or by vsvm_thp_reset().
 */
void vsvm_thp_set_order(unsigned int order);

/** vsvm_thp_reset - what has been set before the first vsvm_thp_set_order() */
void vsvm_thp_reset(void);

/**
 * vsvm_thp_buffer - get a buffer whose system memory is folios of one order
 * @size: bytes, a multiple of 2 MiB
 * @order: 2 to 9
 * @seed: number of the pattern that it is filled with
 *
 * The test fails unless all of them are.
 */
struct vsvm_buffer *vsvm_thp_buffer(size_t size, unsigned int order, uint64_t seed);

/**
 * vsvm_thp_anon - number of anonymous folios of an order in the system, VRAM included
 * @order: 2 to 9
 */
long vsvm_thp_anon(unsigned int order);

#endif /* VSVM_THP_H */
