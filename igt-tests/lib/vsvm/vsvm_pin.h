/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Memory that the kernel holds a reference to, by CONFIG_GUP_TEST.
 */
#ifndef VSVM_PIN_H
#define VSVM_PIN_H

#include "vsvm_memory.h"

/**
 * vsvm_pin - pin a buffer for long, for writing; skips if the kernel cannot do so
 * @buffer: the buffer
 *
 * Returns a file for vsvm_unpin(). Only one buffer at a time can be pinned.
 */
int vsvm_pin(const struct vsvm_buffer *buffer);

/**
 * vsvm_check_pinned - what is in the pinned pages must be what is in the buffer
 * @fd: from vsvm_pin()
 * @buffer: the buffer
 */
void vsvm_check_pinned(int fd, const struct vsvm_buffer *buffer);

/**
 * vsvm_unpin - end vsvm_pin()
 * @fd: its result
 */
void vsvm_unpin(int fd);

#endif /* VSVM_PIN_H */
