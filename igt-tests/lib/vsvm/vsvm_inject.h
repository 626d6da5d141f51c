/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_INJECT_H
#define VSVM_INJECT_H

#include <stdbool.h>

/**
 * vsvm_no_huge_pages_available - true if vsvm_no_huge_pages() works here
 */
bool vsvm_no_huge_pages_available(void);

/**
 * vsvm_no_huge_pages - let this process get no huge page any more
 * @on: false ends that
 *
 * That hits this process and those that it forks from then on. Over when the
 * program ends, in whatever way.
 */
void vsvm_no_huge_pages(bool on);

/**
 * vsvm_no_pages - let this process get no page at all, for itself or for the kernel
 * @on: false ends that
 *
 * Works where vsvm_no_huge_pages() does, and as long. Not much can be done meanwhile: make a
 * call that has been prepared.
 */
void vsvm_no_pages(bool on);

/**
 * vsvm_inject_available - true if the kernel can make any allocation fail
 */
bool vsvm_inject_available(void);

/**
 * vsvm_inject_slab_available - true if that includes allocations of less than a page
 */
bool vsvm_inject_slab_available(void);

/**
 * vsvm_inject_nth - let an allocation that this thread causes fail
 * @number: which one from now on, 1 for the next
 */
void vsvm_inject_nth(unsigned int number);

/**
 * vsvm_inject_happened - true if there were as many allocations as that
 *
 * Ends what vsvm_inject_nth() began.
 */
bool vsvm_inject_happened(void);

#endif /* VSVM_INJECT_H */
