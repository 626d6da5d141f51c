/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The input: part of a file in malloc() memory.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

#define INPUT_ALIGN ((size_t)2 << 20)

struct input {
	/* What malloc() returned. */
	void *memory;
	/* The first 2 MiB boundary in it: the bytes of the file are here. */
	unsigned char *data;
	uint64_t bytes;
};

/* Returns 0 or -errno. */
int input_read(struct input *input, int fd, uint64_t bytes);
void input_free(struct input *input);

/* Checksum of all bytes (FNV-1a), for which the CPU reads each of them. */
uint64_t input_checksum(const struct input *input);

#endif /* INPUT_H */
