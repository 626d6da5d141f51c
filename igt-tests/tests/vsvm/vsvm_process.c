// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm process
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: processes
 * Description: A process ends, or becomes another program, while the GPU works for it: its
 *	memory is given back at once, whoever has the file of the device
 */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("A process ends while the GPU works for it");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)
#define KILLS  12

/* How long what has ended may take to give everything back. */
#define PATIENCE 30

static void send_fd(int socket, int fd)
{
	char byte = 'f', control[CMSG_SPACE(sizeof(fd))] = "";
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	igt_assert_eq(sendmsg(socket, &message, 0), 1);
}

static int receive_fd(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int fd;

	igt_assert_eq(recvmsg(socket, &message, MSG_CMSG_CLOEXEC), 1);
	igt_assert(CMSG_FIRSTHDR(&message));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void wait_for_empty_vram(struct vsvm_test *t)
{
	struct drm_vsvm_counters counters;
	struct timespec start = {};

	do {
		usleep(1000);
		vsvm_query_counters(t->fd, &counters);
	} while (counters.vram_free != counters.vram_total &&
		 igt_seconds_elapsed(&start) < PATIENCE);
	igt_assert_eq_u64(counters.vram_free, counters.vram_total);
}

/* Until another process has all its memory in VRAM. */
static void wait_for_full_vram(struct vsvm_test *t, unsigned int flags)
{
	unsigned int order = vsvm_order(flags);
	struct drm_vsvm_counters counters;
	struct timespec start = {};

	do {
		usleep(1000);
		vsvm_query_counters(t->fd, &counters);
	} while (counters.folios_to_vram[order] - t->seen.folios_to_vram[order] <
			 vsvm_folios(flags, SIZE) &&
		 igt_seconds_elapsed(&start) < PATIENCE);
}

/* Memory in VRAM, and a job that only the end of the process ends. */
static void be_busy(struct vsvm_test *own, unsigned int flags)
{
	struct vsvm_buffer *buffer;

	vsvm_test_open(own);
	buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	vsvm_gpu_add(own, buffer, 0, SIZE, 1);
	vsvm_expect_residency(own->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM,
			      vsvm_order(flags));
	vsvm_submit(own, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
					    .arg = {.addr = (uintptr_t)own->result + 64}});
}

/**
 * SUBTEST: outlived
 * Description: another process has the file when the one that opened it ends: its memory is
 *	given back, its job ends, and the file is of no use to the other one
 *
 * SUBTEST: outlived-base
 * Description: the same with base pages in VRAM
 */
static void outlived(struct vsvm_test *t, unsigned int flags)
{
	uint64_t count = vsvm_folios(flags, SIZE);
	struct drm_vsvm_queue_create create = {};
	uint64_t moved;
	int pair[2], fd;

	igt_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	igt_fork(child, 1) {
		struct vsvm_test own;

		igt_assert_eq(child, 0);
		be_busy(&own, flags);
		send_fd(pair[1], own.fd);
	}
	fd = receive_fd(pair[0]);
	igt_waitchildren();
	wait_for_empty_vram(t);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .n_freed = count, .gpu_2m = BLOCKS, .gpu_4k = 1, .any_end = true,
		    .any_stale = true);
	igt_assert_eq(vsvm_ioctl(fd, DRM_IOCTL_VSVM_QUEUE_CREATE, &create), -EPERM);
	igt_assert_eq(vsvm_try_prefetch(fd, t->control->ptr, VSVM_4K, DRM_VSVM_LOCATION_VRAM,
					&moved),
		      -EPERM);
	vsvm_test_warm(t);
	close(fd);
	vsvm_test_warm(t);
	close(pair[0]);
	close(pair[1]);
}

/**
 * SUBTEST: exec
 * Description: a process becomes another program, which inherits the file: memory and job
 *	of the old one go while the new one runs
 *
 * SUBTEST: exec-base
 * Description: the same with base pages in VRAM
 */
static void become_another(struct vsvm_test *t, unsigned int flags)
{
	uint64_t count = vsvm_folios(flags, SIZE);
	int status;
	pid_t pid;

	pid = fork();
	igt_assert_lte(0, pid);
	if (!pid) {
		struct vsvm_test own;

		be_busy(&own, flags);
		fcntl(own.fd, F_SETFD, 0);
		execl("/bin/sleep", "sleep", "60", NULL);
		_exit(1);
	}
	wait_for_full_vram(t, flags);
	wait_for_empty_vram(t);
	igt_assert_eq(waitpid(pid, &status, WNOHANG), 0);
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = count, .n_to_vram = count,
		    .n_freed = count, .gpu_2m = BLOCKS, .gpu_4k = 1, .any_end = true,
		    .any_stale = true);
	igt_assert_eq(kill(pid, SIGKILL), 0);
	igt_assert_eq(waitpid(pid, &status, 0), pid);
	igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

struct mover {
	int fd;
	struct vsvm_buffer *buffer;
};

static void *move_to_and_fro(void *arg)
{
	struct mover *mover = arg;

	for (uint32_t i = 0;; i++)
		vsvm_try_prefetch(mover->fd, mover->buffer->ptr, SIZE,
				  i & 1 ? DRM_VSVM_LOCATION_SYSTEM : DRM_VSVM_LOCATION_VRAM, NULL);
	return NULL;
}

/* GPU, CPU and prefetch are at the same memory until the process is killed. */
static void work_until_killed(int ready)
{
	struct vsvm_test own;
	struct mover mover;
	pthread_t thread;

	vsvm_test_open(&own);
	mover.fd = own.fd;
	mover.buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	igt_assert_eq(pthread_create(&thread, NULL, move_to_and_fro, &mover), 0);
	igt_assert_eq(write(ready, "r", 1), 1);
	for (uint64_t i = 1;; i++) {
		vsvm_gpu_add(&own, mover.buffer, 0, SIZE, i);
		vsvm_buffer_check(mover.buffer);
	}
}

/**
 * SUBTEST: kill-anytime
 * Description: a process is killed in the midst of GPU faults, CPU faults and migrations, at
 *	another moment each time: it is gone soon, and all is given back
 *
 * SUBTEST: kill-anytime-base
 * Description: the same with base pages in VRAM
 */
static void kill_anytime(struct vsvm_test *t, unsigned int flags)
{
	(void)flags;
	for (int i = 0; i < KILLS; i++) {
		struct timespec start = {};
		int ready[2], status;
		char byte;
		pid_t pid;

		igt_assert_eq(pipe(ready), 0);
		pid = fork();
		igt_assert_lte(0, pid);
		if (!pid)
			work_until_killed(ready[1]);
		igt_assert_eq(read(ready[0], &byte, 1), 1);
		usleep(i * i * 500);
		igt_assert_eq(kill(pid, SIGKILL), 0);
		igt_nsec_elapsed(&start);
		igt_assert_eq(waitpid(pid, &status, 0), pid);
		igt_assert_lt_s64(igt_seconds_elapsed(&start), PATIENCE);
		igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		close(ready[0]);
		close(ready[1]);
		wait_for_empty_vram(t);
	}
	vsvm_test_warm(t);
}

static const struct vsvm_subtest subtests[] = {
	{"outlived", outlived, VSVM_BOTH, "The file outlives the process that opened it"},
	{"exec", become_another, VSVM_BOTH, "A process becomes another program"},
	{"kill-anytime", kill_anytime, VSVM_BOTH, "A process is killed at any moment"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
