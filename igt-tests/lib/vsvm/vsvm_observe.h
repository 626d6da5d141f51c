/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the kernel shows of the device and of its clients.
 */
#ifndef VSVM_OBSERVE_H
#define VSVM_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * vsvm_read_text - read all of a file of /proc, /sys or debugfs
 * @path: the file
 *
 * Returns text that the caller frees, or NULL with errno.
 */
char *vsvm_read_text(const char *path);

/**
 * vsvm_count_text - how often a text occurs in another
 * @text: where to look
 * @part: what to look for
 */
size_t vsvm_count_text(const char *text, const char *part);

/**
 * vsvm_text_key - number in a line "key: NUMBER" of a text, of any base
 * @text: the text; the test fails without such a line
 * @key: the key
 */
uint64_t vsvm_text_key(const char *text, const char *key);

/**
 * vsvm_fdinfo - a number of the fdinfo of a file
 * @fd: the file, of this process
 * @key: the key; the test fails without it
 */
uint64_t vsvm_fdinfo(int fd, const char *key);

/**
 * vsvm_expect_fdinfo_vram - the test fails unless a client has so much VRAM
 * @fd: its file
 * @bytes: what it must have; memory that is freed a little later is waited for
 */
void vsvm_expect_fdinfo_vram(int fd, uint64_t bytes);

/**
 * vsvm_debugfs_read - read a file of a device in debugfs
 * @fd: the device
 * @name: the file; the test is skipped without it
 *
 * Returns text that the caller frees.
 */
char *vsvm_debugfs_read(int fd, const char *name);

/**
 * vsvm_driver_bind - let the driver take the first device, or leave it
 * @on: take it
 *
 * It has it again when the program ends, in whatever way. Returns false when
 * that does not work.
 */
bool vsvm_driver_bind(bool on);

/**
 * vsvm_coredump_path - find the core dump of the first device
 * @path: set to the file with its data, to be freed
 *
 * Returns false when there is none.
 */
bool vsvm_coredump_path(char **path);

/** vsvm_coredump_delete - delete the core dump of the first device, if there is one */
void vsvm_coredump_delete(void);

#endif /* VSVM_OBSERVE_H */
