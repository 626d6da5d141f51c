// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The driver's switch for huge folios, a module parameter.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "huge_switch.h"

#define PATH "/sys/module/vsvm/parameters/huge"

int huge_switch_get(bool *on)
{
	int fd = open(PATH, O_RDONLY | O_CLOEXEC);
	char state;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, &state, 1);
	close(fd);
	if (n != 1)
		return -EIO;
	*on = state == 'Y' || state == '1';
	return 0;
}

int huge_switch_set(bool on)
{
	int fd = open(PATH, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, on ? "Y\n" : "N\n", 2) != 2)
		err = -errno;
	close(fd);
	return err;
}
