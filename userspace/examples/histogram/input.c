// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The input: part of a file in malloc() memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "input.h"

int input_read(struct input *input, int fd, uint64_t bytes)
{
	size_t whole = (bytes + INPUT_ALIGN - 1) & ~(INPUT_ALIGN - 1);
	uint64_t done = 0;

	/*
	 * Neither malloc() nor its neighbours know of 2 MiB pages. With 2 MiB more
	 * than needed there is a part of whole ones that nobody else touches.
	 */
	input->memory = malloc(whole + INPUT_ALIGN);
	if (!input->memory)
		return -ENOMEM;
	input->data = (unsigned char *)(((uintptr_t)input->memory + INPUT_ALIGN - 1) &
					~(INPUT_ALIGN - 1));
	input->bytes = bytes;
	if (madvise(input->data, whole, MADV_HUGEPAGE))
		return -errno;

	while (done < bytes) {
		ssize_t n = pread(fd, input->data + done, bytes - done, done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += n;
	}
	return 0;
}

void input_free(struct input *input)
{
	free(input->memory);
	*input = (struct input){0};
}

uint64_t input_checksum(const struct input *input)
{
	uint64_t sum = 0xcbf29ce484222325;
	uint64_t i;

	for (i = 0; i < input->bytes; i++)
		sum = (sum ^ input->data[i]) * 0x100000001b3;
	return sum;
}
