/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * A block device in memory (CONFIG_ZRAM), also to swap to.
 */
#ifndef VSVM_ZRAM_H
#define VSVM_ZRAM_H

#include <stddef.h>

#include "vsvm_memory.h"

#define VSVM_ZRAM "/dev/zram0"

/**
 * vsvm_zram_create - set the device up, empty; skips if there is none
 * @size: bytes
 *
 * Given back when the program ends, in whatever way.
 */
void vsvm_zram_create(size_t size);

/** vsvm_zram_swapon - swap to the device */
void vsvm_zram_swapon(void);

/**
 * vsvm_zram_swap_out - have all of a buffer reclaimed, to the device
 * @buffer: the buffer
 */
void vsvm_zram_swap_out(const struct vsvm_buffer *buffer);

/** vsvm_zram_destroy - stop swapping, and give the memory of the device back */
void vsvm_zram_destroy(void);

#endif /* VSVM_ZRAM_H */
