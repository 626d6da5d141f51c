// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Memory that is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE   4096UL
#define SWITCH "/sys/module/vsvm/parameters/huge"

void huge_switch(bool on)
{
	int fd = open(SWITCH, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, on ? "Y\n" : "N\n", 2) != 2)
		fail("%s: %s", SWITCH, strerror(errno));
	close(fd);
}

/* Differs from page to page. */
static uint64_t pattern(size_t offset)
{
	return (offset / PAGE + 1) * 0x9e3779b97f4a7c15;
}

struct memory memory_get(size_t bytes, enum pages pages)
{
	struct memory memory = {.bytes = bytes, .pages = pages, .mapped = bytes + 2 * BLOCK};
	size_t head, i;

	memory.mapping = mmap(NULL, memory.mapped, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory.mapping == MAP_FAILED)
		fail("no memory: %s", strerror(errno));
	/* Nothing of a neighbour is in its first or last block. */
	head = BLOCK - (uintptr_t)memory.mapping % BLOCK;
	memory.start = (unsigned char *)memory.mapping + head;
	if (mprotect(memory.start, bytes, PROT_READ | PROT_WRITE) ||
	    madvise(memory.start, bytes, pages == PAGES_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		fail("memory: %s", strerror(errno));
	for (i = 0; i < bytes; i += PAGE)
		*(uint64_t *)(memory.start + i) = pattern(i);
	return memory;
}

void memory_put(struct memory *memory)
{
	munmap(memory->mapping, memory->mapped);
	*memory = (struct memory){0};
}

void memory_check(const struct memory *memory)
{
	size_t i;

	for (i = 0; i < memory->bytes; i += PAGE)
		if (*(uint64_t *)(memory->start + i) != pattern(i))
			fail("wrong data at offset %#zx of %zu bytes", i, memory->bytes);
}

size_t memory_unit(const struct memory *memory)
{
	if (memory->pages == PAGES_SMALL)
		return PAGE;
	return memory->bytes < BLOCK ? memory->bytes : BLOCK;
}
