// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_memory.h"
#include "vsvm_proc.h"
#include "vsvm_zram.h"

#define ZRAM_DIR "/sys/block/zram0"

/* The first page of swap space, as mkswap(8) writes it. */
struct swap_header {
	uint8_t boot[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t bad_pages;
	uint8_t rest[4096 - 1024 - 3 * sizeof(uint32_t) - 10];
	char magic[10];
} __attribute__((packed));

_Static_assert(sizeof(struct swap_header) == 4096, "one page");

/* Also in signal handlers. */
static void destroy(int sig)
{
	(void)sig;
	swapoff(VSVM_ZRAM);
	vsvm_write_file(ZRAM_DIR "/reset", "1");
}

void vsvm_zram_create(size_t size)
{
	char text[32];

	igt_require_f(!access(VSVM_ZRAM, W_OK), "no zram device\n");
	destroy(0);
	igt_install_exit_handler(destroy);
	snprintf(text, sizeof(text), "%zu", size);
	igt_assert(vsvm_write_file(ZRAM_DIR "/disksize", text));
}

void vsvm_zram_swapon(void)
{
	struct swap_header header = {
		.version = 1,
		.last_page = vsvm_read_number(ZRAM_DIR "/size") * 512 / VSVM_4K - 1,
		.magic = {'S', 'W', 'A', 'P', 'S', 'P', 'A', 'C', 'E', '2'},
	};
	int fd = open(VSVM_ZRAM, O_WRONLY | O_CLOEXEC);

	igt_assert_fd(fd);
	igt_assert_eq_s64(write(fd, &header, sizeof(header)), sizeof(header));
	igt_assert_eq(fsync(fd), 0);
	close(fd);
	igt_assert_eq(swapon(VSVM_ZRAM, 0), 0);
}

void vsvm_zram_destroy(void)
{
	destroy(0);
}

void vsvm_zram_swap_out(const struct vsvm_buffer *buffer)
{
	struct timespec start = {};

	/* what is on its way to the lists of reclaim is not found at once */
	while (vsvm_smaps(buffer->ptr, buffer->size, "Swap") != buffer->size) {
		igt_assert_eq(madvise(buffer->ptr, buffer->size, MADV_PAGEOUT), 0);
		igt_assert_lt(igt_seconds_elapsed(&start), 30);
	}
}
