// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Files that stand beside the program.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "beside.h"

int path_beside_program(const char *name, char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size);
	size_t length = strlen(name) + 1;
	char *file;

	if (n < 0)
		return -errno;
	file = memrchr(path, '/', n);
	if ((size_t)n == size || !file)
		return -ENAMETOOLONG;
	file++;
	if (length > size - (file - path))
		return -ENAMETOOLONG;
	memcpy(file, name, length);
	return 0;
}
