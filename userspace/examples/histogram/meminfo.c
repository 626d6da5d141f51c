// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The kernel's account of memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "meminfo.h"

/* Each CPU holds back a few pages of every sum: makes it hand them in. */
static void refresh_sums(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_RDONLY | O_CLOEXEC);
	char byte;

	if (fd < 0)
		return;
	/* There is nothing to read but the attempt does it. */
	if (read(fd, &byte, 1) < 0)
		perror("stat_refresh");
	close(fd);
}

int meminfo_read(struct meminfo *info)
{
	char text[8192];
	const char *line;
	ssize_t n;
	int fd;

	refresh_sums();
	/* Not by stdio, which would itself allocate. */
	fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = 0;

	line = strstr(text, "\nAnonPages:");
	if (!line || sscanf(line, " AnonPages: %" SCNd64, &info->anon_kib) != 1)
		return -EIO;
	line = strstr(text, "\nPageTables:");
	if (!line || sscanf(line, " PageTables: %" SCNd64, &info->page_table_kib) != 1)
		return -EIO;
	return 0;
}
