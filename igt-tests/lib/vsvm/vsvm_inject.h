/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_INJECT_H
#define VSVM_INJECT_H

#include <stdbool.h>

/**
 * vsvm_inject_available - true if the kernel can make allocations fail
 */
bool vsvm_inject_available(void);

/**
 * vsvm_inject_no_huge_pages - let this process get no huge page any more
 * @on: false ends that
 *
 * Processes that it forks from then on get none, either. Over when the program
 * ends, in whatever way.
 */
void vsvm_inject_no_huge_pages(bool on);

#endif /* VSVM_INJECT_H */
