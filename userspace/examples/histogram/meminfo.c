// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The kernel's account of memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "meminfo.h"

/* Each CPU holds back a few pages of every sum: makes it hand them in. */
static void refresh_sums(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_RDONLY | O_CLOEXEC);
	char byte;
	ssize_t n;

	if (fd < 0)
		return;
	/* The attempt does it, there is nothing to read. */
	n = read(fd, &byte, 1);
	(void)n;
	close(fd);
}

/* The number after @name in a file of lines "Name: number kB", or -1. */
static int64_t read_kib(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	int64_t kib = -1;
	char line[256];

	if (!file)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ':')
			sscanf(line + length + 1, "%" SCNd64, &kib);
	fclose(file);
	return kib;
}

/* A process that ends meanwhile, and a kernel thread, has nothing. */
static int64_t process_kib(const char *pid, const char *file, const char *name)
{
	char path[300];
	int64_t kib;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	kib = read_kib(path, name);
	return kib > 0 ? kib : 0;
}

/* What the kernel counts in all. Returns 0 or -EIO. */
static int read_sums(struct meminfo *sums)
{
	refresh_sums();
	sums->anon_kib = read_kib("/proc/meminfo", "AnonPages");
	sums->page_table_kib = read_kib("/proc/meminfo", "PageTables");
	return sums->anon_kib < 0 || sums->page_table_kib < 0 ? -EIO : 0;
}

/* What all processes have. Returns 0 or -errno. */
static int read_processes(struct meminfo *processes)
{
	struct dirent *entry;
	DIR *proc;

	proc = opendir("/proc");
	if (!proc)
		return -errno;
	*processes = (struct meminfo){0};
	while ((entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		processes->anon_kib += process_kib(entry->d_name, "smaps_rollup", "Pss_Anon");
		processes->page_table_kib += process_kib(entry->d_name, "status", "VmPTE");
	}
	closedir(proc);
	return 0;
}

static bool same(const struct meminfo *a, const struct meminfo *b)
{
	return a->anon_kib == b->anon_kib && a->page_table_kib == b->page_table_kib;
}

/*
 * Nothing stops the other processes while they are read, one after the other.
 * If the sums are the same after that, they belong together.
 */
int meminfo_read(struct meminfo *info)
{
	const struct timespec pause = {.tv_nsec = 5 * 1000000};
	struct meminfo before, processes, after;
	int err, i;

	err = read_sums(&after);
	for (i = 0; !err && i < 20; i++) {
		before = after;
		err = read_processes(&processes);
		if (!err)
			err = read_sums(&after);
		if (!err && same(&before, &after))
			break;
		nanosleep(&pause, NULL);
	}
	if (err)
		return err;
	info->anon_kib = after.anon_kib - processes.anon_kib;
	info->page_table_kib = after.page_table_kib - processes.page_table_kib;
	return 0;
}
