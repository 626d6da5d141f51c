// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm gup
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: get_user_pages
 * Description: The kernel takes references to pages of the process: what is in VRAM
 *	comes home for that, and what is pinned stays
 */

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_pin.h"
#include "vsvm_proc.h"
#include "vsvm_subtests.h"
#include "vsvm_zram.h"

IGT_TEST_DESCRIPTION("The kernel takes references to pages of the process");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)

/**
 * SUBTEST: pinned
 * Description: memory that is pinned does not move; the GPU works on it in place, and
 *	who has pinned it sees that. Unpinned, it moves
 *
 * SUBTEST: pinned-base
 * Description: the same with base pages in VRAM
 */
static void pinned(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	int fd = vsvm_pin(buffer);
	uint64_t moved;

	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_check_pinned(fd, buffer);
	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	/* still the same pages, and writable */
	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	vsvm_check_pinned(fd, buffer);
	vsvm_expect(t, 0);
	vsvm_unpin(fd);
	vsvm_prefetch(t, buffer, 0, SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = vsvm_folios(flags, SIZE),
		    .n_to_vram = vsvm_folios(flags, SIZE));
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: pin-vram
 * Description: memory in VRAM that is pinned for long comes home
 *
 * SUBTEST: pin-vram-base
 * Description: the same with base pages in VRAM
 */
static void pin_vram(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	int fd = vsvm_pin(buffer);

	vsvm_expect_home(t, SIZE, flags);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	vsvm_check_pinned(fd, buffer);
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect(t, .gpu_2m = BLOCKS, .dispatches = 1);
	vsvm_check_pinned(fd, buffer);
	vsvm_unpin(fd);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: direct-io
 * Description: memory in VRAM is written to and read from a file without a copy
 *
 * SUBTEST: direct-io-base
 * Description: the same with base pages in VRAM
 */
static void direct_io(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *from, *to;
	int fd;

	vsvm_zram_create(2 * SIZE);
	fd = open(VSVM_ZRAM, O_RDWR | O_DIRECT | O_CLOEXEC);
	igt_assert_fd(fd);
	from = vsvm_buffer_in_vram(t, SIZE, flags);
	to = vsvm_buffer_in_vram(t, SIZE, flags);

	igt_assert_eq_s64(pwrite(fd, from->ptr, SIZE, 0), SIZE);
	vsvm_expect_home(t, SIZE, flags);
	vsvm_gpu_add(t, from, 0, SIZE, 5);
	vsvm_expect_to_vram(t, SIZE, flags);
	memcpy(to->shadow, from->shadow, SIZE);
	igt_assert_eq_s64(pwrite(fd, from->ptr, SIZE, 0), SIZE);
	vsvm_expect_home(t, SIZE, flags);
	igt_assert_eq_s64(pread(fd, to->ptr, SIZE, 0), SIZE);
	vsvm_expect_home(t, SIZE, flags);
	close(fd);
	vsvm_zram_destroy();
	vsvm_gpu_sum(t, to, 0, SIZE, 7);
	vsvm_buffer_check(to);
	vsvm_buffer_check(from);
}

/**
 * SUBTEST: other-process
 * Description: another process reads and writes memory in VRAM by process_vm_readv()
 *	and process_vm_writev(), and by ptrace()
 *
 * SUBTEST: other-process-base
 * Description: the same with base pages in VRAM
 */
static void other_process(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *common = vsvm_buffer_create(SIZE, VSVM_SHARED);
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct iovec here = {common->ptr, SIZE}, there = {buffer->ptr, SIZE};
	struct vsvm_gate start[2], done;
	pid_t parent = getpid();

	for (int i = 0; i < 2; i++)
		vsvm_gate_init(&start[i]);
	vsvm_gate_init(&done);
	igt_fork(child, 1) {
		igt_assert_eq(child, 0);
		vsvm_gate_wait(&start[0]);
		igt_assert_eq_s64(process_vm_readv(parent, &here, 1, &there, 1, 0), SIZE);
		vsvm_gate_open(&done);
		vsvm_gate_wait(&start[1]);
		for (size_t i = 0; i < SIZE; i++)
			common->ptr[i] = i % 249;
		igt_assert_eq_s64(process_vm_writev(parent, &here, 1, &there, 1, 0), SIZE);
		vsvm_gate_open(&done);
	}
	/* the child has a copy; what it shares with its parent is not to be in VRAM yet */
	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_forget_counters(t);
	vsvm_gate_open(&start[0]);
	vsvm_gate_wait(&done);
	igt_assert(!memcmp(common->ptr, buffer->shadow, SIZE));
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);

	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM);
	vsvm_gate_open(&start[1]);
	vsvm_gate_wait(&done);
	memcpy(buffer->shadow, common->ptr, SIZE);
	vsvm_expect_location(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_SYSTEM);
	igt_waitchildren();
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_buffer_check(buffer);
	for (int i = 0; i < 2; i++)
		vsvm_gate_fini(&start[i]);
	vsvm_gate_fini(&done);
	(void)flags;
}

/**
 * SUBTEST: mem-of-other
 * Description: another process reads memory in VRAM by /proc/PID/mem, and writes to it
 *	when it is there again
 *
 * SUBTEST: mem-of-other-base
 * Description: the same with base pages in VRAM
 */
static void mem_of_other(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *common = vsvm_buffer_create(SIZE, VSVM_SHARED);
	struct vsvm_buffer *buffer = vsvm_buffer_create(SIZE, VSVM_THP);
	struct vsvm_gate start[2], done;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", getpid());
	for (int i = 0; i < 2; i++)
		vsvm_gate_init(&start[i]);
	vsvm_gate_init(&done);
	igt_fork(child, 1) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		igt_assert_eq(child, 0);
		igt_assert_fd(fd);
		vsvm_gate_wait(&start[0]);
		igt_assert_eq_s64(pread(fd, common->ptr, SIZE, (uintptr_t)buffer->ptr), SIZE);
		vsvm_gate_open(&done);
		vsvm_gate_wait(&start[1]);
		for (size_t i = 0; i < SIZE; i++)
			common->ptr[i] = i % 251;
		igt_assert_eq_s64(pwrite(fd, common->ptr, SIZE, (uintptr_t)buffer->ptr), SIZE);
		close(fd);
		vsvm_gate_open(&done);
	}
	vsvm_buffer_fill(buffer, 0, SIZE, 2);
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_gate_open(&start[0]);
	vsvm_gate_wait(&done);
	igt_assert(!memcmp(common->ptr, buffer->shadow, SIZE));
	vsvm_expect_home(t, SIZE, flags);

	vsvm_gpu_add(t, buffer, 0, SIZE, 4);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_gate_open(&start[1]);
	vsvm_gate_wait(&done);
	memcpy(buffer->shadow, common->ptr, SIZE);
	vsvm_expect_home(t, SIZE, flags);
	igt_waitchildren();
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_buffer_check(buffer);
	for (int i = 0; i < 2; i++)
		vsvm_gate_fini(&start[i]);
	vsvm_gate_fini(&done);
}

/**
 * SUBTEST: ptrace
 * Description: a debugger reads and writes memory of a process that is in VRAM
 *
 * SUBTEST: ptrace-base
 * Description: the same with base pages in VRAM
 */
static void traced(unsigned int flags, struct vsvm_buffer *buffer)
{
	struct vsvm_test own;

	vsvm_test_open(&own);
	vsvm_gpu_add(&own, buffer, 0, SIZE, 3);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	raise(SIGSTOP);
	/* the debugger has been here; what it did not touch is still in VRAM */
	*(uint64_t *)(buffer->shadow + 4096) = 0x1234;
	vsvm_expect_location(own.fd, buffer->ptr + VSVM_2M, SIZE - VSVM_2M, DRM_VSVM_LOCATION_VRAM);
	vsvm_gpu_sum(&own, buffer, 0, SIZE, 4);
	vsvm_buffer_check(buffer);
	(void)flags;
	_exit(0);
}

static void debugger(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	igt_fork(child, 1) {
		uint64_t expected;
		int status;
		pid_t pid;

		igt_assert_eq(child, 0);
		expected = *(uint64_t *)buffer->shadow;
		pid = fork();
		igt_assert_lte(0, pid);
		if (!pid)
			traced(flags, buffer);
		igt_assert_eq(waitpid(pid, &status, 0), pid);
		igt_assert(WIFSTOPPED(status));
		errno = 0;
		igt_assert_eq_u64(ptrace(PTRACE_PEEKDATA, pid, buffer->ptr, NULL), expected);
		igt_assert_eq(errno, 0);
		igt_assert_eq(ptrace(PTRACE_POKEDATA, pid, buffer->ptr + 4096, 0x1234L), 0);
		igt_assert_eq(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
		igt_assert_eq(waitpid(pid, &status, 0), pid);
		igt_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	igt_waitchildren();
	vsvm_buffer_check(buffer);
	(void)t;
}

/**
 * SUBTEST: vmsplice
 * Description: pages that a pipe refers to do not move to VRAM until they are read
 *
 * SUBTEST: vmsplice-base
 * Description: the same with base pages in VRAM
 */
static void splice_pages(struct vsvm_test *t, unsigned int flags)
{
	const size_t length = 8 * VSVM_4K, offset = 100 * VSVM_4K;
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	struct iovec part = {buffer->ptr + offset, length};
	uint8_t *copy = malloc(length);
	uint64_t moved;
	int fds[2];

	igt_assert(copy);
	igt_assert_eq(pipe(fds), 0);
	igt_assert_eq_s64(vmsplice(fds[1], &part, 1, 0), length);
	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, 0);
	vsvm_gpu_sum(t, buffer, 0, SIZE, 5);
	igt_assert_eq_s64(read(fds[0], copy, length), length);
	igt_assert(!memcmp(copy, buffer->shadow + offset, length));
	close(fds[0]);
	close(fds[1]);
	free(copy);
	igt_assert_eq(vsvm_try_prefetch(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, &moved),
		      0);
	igt_assert_eq_u64(moved, vsvm_order(flags) ? VSVM_2M : length);
	vsvm_buffer_check(buffer);
}

static const struct vsvm_subtest subtests[] = {
	{"pinned", pinned, VSVM_BOTH, "Pinned memory does not move"},
	{"pin-vram", pin_vram, VSVM_BOTH, "Memory in VRAM is pinned"},
	{"direct-io", direct_io, VSVM_BOTH, "O_DIRECT from and to memory in VRAM"},
	{"other-process", other_process, VSVM_BOTH, "Memory in VRAM of another process"},
	{"mem-of-other", mem_of_other, VSVM_BOTH, "/proc/PID/mem of memory in VRAM"},
	{"ptrace", debugger, VSVM_BOTH, "A debugger and memory in VRAM"},
	{"vmsplice", splice_pages, VSVM_BOTH, "Pages in a pipe"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
