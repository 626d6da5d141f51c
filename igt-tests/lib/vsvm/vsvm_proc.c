// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_memory.h"
#include "vsvm_proc.h"

#define BATCH 512

long vsvm_proc_key(const char *path, const char *key)
{
	size_t key_length = strlen(key);
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[512];
	long sum = 0;

	igt_assert_f(file, "cannot open %s\n", path);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, key_length) || !strchr(": ", line[key_length]))
			continue;
		sum += strtol(line + key_length + 1, NULL, 10);
		found = true;
	}
	fclose(file);
	igt_assert_f(found, "%s has no %s\n", path, key);
	return sum;
}

size_t vsvm_smaps(const void *addr, size_t length, const char *key)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	size_t key_length = strlen(key);
	bool inside = false;
	char line[512];
	long kb = 0;

	igt_assert_f(file, "cannot open smaps\n");
	while (fgets(line, sizeof(line), file)) {
		uintptr_t start, end;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) == 2)
			inside = start >= (uintptr_t)addr && end <= (uintptr_t)addr + length;
		else if (inside && !strncmp(line, key, key_length) && line[key_length] == ':')
			kb += strtol(line + key_length + 1, NULL, 10);
	}
	fclose(file);
	return (size_t)kb * 1024;
}

size_t vsvm_pagemap_count(const void *addr, size_t length, unsigned int bit)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t at = (uintptr_t)addr / VSVM_4K * sizeof(uint64_t);
	size_t count = 0, left = length / VSVM_4K;
	uint64_t entries[BATCH];

	igt_assert_fd(fd);
	while (left) {
		size_t batch = left < BATCH ? left : BATCH;
		ssize_t bytes = batch * sizeof(*entries);

		igt_assert(pread(fd, entries, bytes, at) == bytes);
		for (size_t i = 0; i < batch; i++)
			count += entries[i] >> bit & 1;
		left -= batch;
		at += bytes;
	}
	close(fd);
	return count;
}

size_t vsvm_pagemap_scan(const void *addr, size_t length, uint64_t flags, uint64_t categories)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	struct page_region regions[BATCH];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = flags,
		.start = (uintptr_t)addr,
		.end = (uintptr_t)addr + length,
		.vec = (uintptr_t)regions,
		.vec_len = BATCH,
		.category_mask = categories,
		.return_mask = categories,
	};
	size_t pages = 0;
	int found;

	igt_assert_fd(fd);
	/* it stops when the array is full */
	do {
		found = ioctl(fd, PAGEMAP_SCAN, &arg);
		igt_assert_lte(0, found);
		for (int i = 0; i < found; i++)
			pages += (regions[i].end - regions[i].start) / VSVM_4K;
		arg.start = arg.walk_end;
	} while (arg.start < arg.end);
	close(fd);
	return pages;
}

void vsvm_clear_soft_dirty(void)
{
	igt_assert(vsvm_write_file("/proc/self/clear_refs", "4"));
}

bool vsvm_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

long long vsvm_read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long long number;

	igt_assert_f(file, "cannot open %s\n", path);
	igt_assert_f(fscanf(file, "%lld", &number) == 1, "no number in %s\n", path);
	fclose(file);
	return number;
}
