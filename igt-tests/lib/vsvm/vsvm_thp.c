// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_thp.h"

#define MIN_ORDER 2
#define MAX_ORDER 9

/* The word in brackets is the one in force. */
static char saved[MAX_ORDER + 1][16];

static void path_of(unsigned int order, const char *file, char *path, size_t size)
{
	snprintf(path, size, "/sys/kernel/mm/transparent_hugepage/hugepages-%ukB/%s", 4U << order,
		 file);
}

static void read_file(unsigned int order, const char *file, char *text, size_t size)
{
	char path[128];
	ssize_t length;
	int fd;

	path_of(order, file, path, sizeof(path));
	fd = open(path, O_RDONLY);
	igt_assert_f(fd >= 0, "cannot open %s\n", path);
	length = read(fd, text, size - 1);
	igt_assert(length > 0);
	text[length] = 0;
	close(fd);
}

static void write_enabled(unsigned int order, const char *word)
{
	char path[128];
	int fd;

	path_of(order, "enabled", path, sizeof(path));
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return;
	if (write(fd, word, strlen(word)) < 0)
		igt_info("%s: cannot be set to %s\n", path, word);
	close(fd);
}

bool vsvm_thp_available(void)
{
	char path[128];

	path_of(MIN_ORDER, "enabled", path, sizeof(path));
	return !access(path, W_OK);
}

static void restore(int sig)
{
	(void)sig;
	vsvm_thp_reset();
}

static void save(void)
{
	static bool installed;
	char text[128], *start, *end;

	if (saved[MIN_ORDER][0])
		return;
	for (unsigned int order = MIN_ORDER; order <= MAX_ORDER; order++) {
		read_file(order, "enabled", text, sizeof(text));
		start = strchr(text, '[');
		end = strchr(text, ']');
		igt_assert(start && end && end - start <= (ptrdiff_t)sizeof(saved[order]));
		*end = 0;
		strcpy(saved[order], start + 1);
	}
	if (!installed) {
		igt_install_exit_handler(restore);
		installed = true;
	}
}

void vsvm_thp_set_order(unsigned int order)
{
	igt_assert(order >= MIN_ORDER && order <= MAX_ORDER);
	save();
	for (unsigned int other = MIN_ORDER; other <= MAX_ORDER; other++)
		write_enabled(other, other == order ? "madvise" : "never");
}

void vsvm_thp_reset(void)
{
	for (unsigned int order = MIN_ORDER; order <= MAX_ORDER; order++) {
		if (saved[order][0])
			write_enabled(order, saved[order]);
		saved[order][0] = 0;
	}
}

long vsvm_thp_anon(unsigned int order)
{
	char text[32];

	read_file(order, "stats/nr_anon", text, sizeof(text));
	return atol(text);
}

struct vsvm_buffer *vsvm_thp_buffer(size_t size, unsigned int order, uint64_t seed)
{
	struct vsvm_buffer *buffer;
	long before;

	vsvm_thp_set_order(order);
	before = vsvm_thp_anon(order);
	buffer = vsvm_buffer_create(size, VSVM_THP);
	vsvm_buffer_fill(buffer, 0, size, seed);
	igt_assert_eq(vsvm_thp_anon(order) - before, (int)(size / (VSVM_4K << order)));
	vsvm_thp_reset();
	return buffer;
}
