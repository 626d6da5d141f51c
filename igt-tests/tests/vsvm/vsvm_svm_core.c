// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm core
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: core dump
 * Description: The core dump of a process has what it had in VRAM
 */

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("The core dump of a process has what it had in VRAM");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)
#define SEED   7
#define VALUE  3

static void dump_core(void)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_CORE, &limit);
	signal(SIGQUIT, SIG_DFL);
	raise(SIGQUIT);
}

/* In the process that ends: all of the buffer is in VRAM. */
static void work_and_end(struct vsvm_buffer *buffer, unsigned int flags, bool busy)
{
	struct vsvm_test own;

	vsvm_test_open(&own);
	vsvm_buffer_fill(buffer, 0, SIZE, SEED);
	vsvm_gpu_add(&own, buffer, 0, SIZE, VALUE);
	vsvm_expect_residency(own.fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, vsvm_order(flags));
	if (busy) {
		vsvm_submit(&own, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
						     .arg = {.addr = (uintptr_t)own.result + 64}});
		/* it runs as soon as it has counted itself */
		while (*(volatile uint64_t *)&own.result->done == 0)
			usleep(1000);
	}
	dump_core();
	_exit(99);
}

/* Runs a process that ends so, and returns its status. */
static int process(struct vsvm_buffer *buffer, unsigned int flags, bool busy)
{
	pid_t pid = fork();
	int status;

	igt_assert_lte(0, pid);
	if (!pid)
		work_and_end(buffer, flags, busy);
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* A range of the memory that the dump is of. */
static void read_core(int fd, uint64_t addr, uint8_t *to, size_t length)
{
	Elf64_Ehdr head;

	igt_assert_eq_s64(pread(fd, &head, sizeof(head), 0), sizeof(head));
	igt_assert(!memcmp(head.e_ident, ELFMAG, SELFMAG));
	igt_assert_eq(head.e_type, ET_CORE);
	for (unsigned int i = 0; i < head.e_phnum; i++) {
		Elf64_Phdr part;
		size_t size;

		igt_assert_eq_s64(pread(fd, &part, sizeof(part), head.e_phoff + i * sizeof(part)),
				  sizeof(part));
		if (part.p_type != PT_LOAD || addr < part.p_vaddr ||
		    addr >= part.p_vaddr + part.p_filesz)
			continue;
		size = part.p_vaddr + part.p_filesz - addr;
		size = size < length ? size : length;
		igt_assert_eq_s64(pread(fd, to, size, part.p_offset + addr - part.p_vaddr), size);
		addr += size;
		to += size;
		length -= size;
		if (!length)
			return;
	}
	igt_assert_f(false, "%zu bytes are not in the core dump\n", length);
}

/* In a process of its own: another one dumps its core, which must have all data. */
static void core_of_process(unsigned int flags, bool busy)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create(SIZE, VSVM_THP);
	char folder[] = "/tmp/vsvm-core-XXXXXX";
	uint8_t *found = malloc(SIZE);
	int fd, status;

	igt_assert(found && mkdtemp(folder));
	igt_assert_eq(chdir(folder), 0);
	status = process(buffer, flags, busy);
	fd = open("core", O_RDONLY | O_CLOEXEC);
	unlink("core");
	igt_assert_eq(chdir("/"), 0);
	rmdir(folder);
	igt_assert(WIFSIGNALED(status));
	igt_assert_eq(WTERMSIG(status), SIGQUIT);
	igt_assert(WCOREDUMP(status));
	igt_assert_fd(fd);

	/* what the other process has done */
	vsvm_buffer_fill(buffer, 0, SIZE, SEED);
	for (size_t page = 0; page < SIZE / VSVM_4K; page++)
		*(uint64_t *)(buffer->shadow + vsvm_touch(page, VALUE)) += VALUE;
	read_core(fd, (uintptr_t)buffer->ptr, found, SIZE);
	igt_assert(!memcmp(found, buffer->shadow, SIZE));
	close(fd);
	free(found);
}

/**
 * SUBTEST: core-dump
 * Description: the core dump of a process has what it had in VRAM, which comes home for
 *	it by one CPU fault for each folio
 *
 * SUBTEST: core-dump-base
 * Description: the same with base pages in VRAM
 *
 * SUBTEST: core-dump-busy
 * Description: a core dump while a job of the process runs that would never end
 *
 * SUBTEST: core-dump-busy-base
 * Description: the same with base pages in VRAM
 */
static void run_core_dump(struct vsvm_test *t, unsigned int flags, bool busy)
{
	uint64_t count = vsvm_folios(flags, SIZE);
	char pattern[16] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		igt_assert_lte(0, read(fd, pattern, sizeof(pattern) - 1));
		close(fd);
	}
	igt_require_f(!strcmp(pattern, "core\n"), "core dumps do not go to a file core\n");

	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		core_of_process(flags, busy);
	}
	igt_waitchildren();
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .n_to_ram = count, .n_freed = count, .cpu_faults = count, .gpu_2m = BLOCKS,
		    .gpu_4k = 1, .dispatches = 2, .any_end = busy);
}

static void core_dump(struct vsvm_test *t, unsigned int flags)
{
	run_core_dump(t, flags, false);
}

static void core_dump_busy(struct vsvm_test *t, unsigned int flags)
{
	run_core_dump(t, flags, true);
}

static const struct vsvm_subtest subtests[] = {
	{"core-dump", core_dump, VSVM_BOTH, "Core dump of memory in VRAM"},
	{"core-dump-busy", core_dump_busy, VSVM_BOTH, "Core dump with work running"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
