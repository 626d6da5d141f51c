// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm debugfs
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: debugfs
 * Description: The files in debugfs say what is there, while clients run, come and go
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsvm_observe.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("The files in debugfs say what is there");

#define BLOCKS	  4
#define SIZE	  (BLOCKS * VSVM_2M)
#define CLIENTS	  3
#define ROUNDS	  8
#define REBINDS	  4
#define LINE_SIZE 160

static const char *const files[] = {"counters", "faults", "ranges", "vram"};

/* The lines about one client, up to the next one. */
static char *client_lines(char *text, uint64_t client)
{
	char head[32];
	char *end;

	snprintf(head, sizeof(head), "client %" PRIu64 ":", client);
	text = strstr(text, head);
	igt_assert_f(text, "no %s\n", head);
	end = strstr(text + 1, "\nclient ");
	if (end)
		end[1] = '\0';
	return text;
}

/* The line of each block of a buffer must end so. */
static void expect_blocks(const char *text, const struct vsvm_buffer *buffer, const char *rest)
{
	char line[LINE_SIZE];

	for (size_t i = 0; i < buffer->size; i += VSVM_2M) {
		snprintf(line, sizeof(line), "  range %#" PRIxPTR ": %s\n",
			 (uintptr_t)buffer->ptr + i, rest);
		igt_assert_f(strstr(text, line), "no '%s' in\n%s\n", line, text);
	}
}

/**
 * SUBTEST: ranges
 * Description: what each client has mapped in the GPU: place, access and leaves
 *
 * SUBTEST: ranges-base
 * Description: the same with base pages in VRAM
 */
static void ranges(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	char line[LINE_SIZE], *text, *client;
	uint64_t id = vsvm_fdinfo(t->fd, "drm-client-id");

	text = vsvm_debugfs_read(t->fd, "ranges");
	client = client_lines(text, id);
	snprintf(line, sizeof(line), "client %" PRIu64 ": pid %d (vsvm_debugfs) vmid ", id,
		 getpid());
	igt_assert(!strncmp(client, line, strlen(line)));
	snprintf(line, sizeof(line), " vram %zu KiB\n", SIZE / 1024);
	igt_assert(strstr(client, line));
	snprintf(line, sizeof(line), "  mapped: vram %zu KiB system ", SIZE / 1024);
	igt_assert(strstr(client, line));
	expect_blocks(client, buffer,
		      vsvm_order(flags) ? "vram 512 system 0 writable 512 leaf"
					: "vram 512 system 0 writable 512");
	free(text);

	/* what the CPU takes back is not mapped any more */
	vsvm_cpu_touch(buffer, 0, SIZE, VSVM_4K);
	text = vsvm_debugfs_read(t->fd, "ranges");
	client = client_lines(text, id);
	igt_assert(strstr(client, " vram 0 KiB\n"));
	expect_blocks(client, buffer, "vram 0 system 0 writable 0");
	free(text);
}

/**
 * SUBTEST: vram
 * Description: the map of VRAM shows each block and each page in use
 *
 * SUBTEST: vram-base
 * Description: the same with base pages in VRAM
 */
static void vram(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	char line[LINE_SIZE], *text;

	text = vsvm_debugfs_read(t->fd, "vram");
	igt_assert_eq_u64(vsvm_count_text(text, ": used 512 of 512 pages: 0-511\n"), BLOCKS);
	snprintf(line, sizeof(line), "blocks in use: %d of %" PRIu64 "\n", BLOCKS,
		 (uint64_t)t->info.vram_size / VSVM_2M);
	igt_assert(strstr(text, line));
	snprintf(line, sizeof(line), "pages in use: %d of %" PRIu64 "\n", BLOCKS * 512,
		 (uint64_t)t->info.vram_size / VSVM_4K);
	igt_assert(strstr(text, line));
	free(text);

	vsvm_buffer_free(buffer);
	text = vsvm_debugfs_read(t->fd, "vram");
	/* free, but the backing memory is still there */
	igt_assert_lte_u64(BLOCKS, vsvm_count_text(text, ": used 0 of 512 pages: \n"));
	igt_assert(strstr(text, "blocks in use: 0 of "));
	free(text);
}

/**
 * SUBTEST: faults
 * Description: the fault buffer is empty when all is served, and the latest faults are
 *	those of the test
 */
static void faults(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	char line[LINE_SIZE], *text;

	text = vsvm_debugfs_read(t->fd, "faults");
	igt_assert_lt_u64(0, vsvm_text_key(text, "records"));
	igt_assert_eq_u64(vsvm_text_key(text, "queued"), 0);
	igt_assert_eq_u64(vsvm_text_key(text, "taken"), 0);
	igt_assert_eq_u64(vsvm_text_key(text, "answered"), 0);
	igt_assert_eq_u64(vsvm_text_key(text, "starved groups"), 0);
	igt_assert_lte_u64(BLOCKS, vsvm_text_key(text, "written"));
	for (size_t i = 0; i < SIZE; i += VSVM_2M) {
		const char *found;

		/* the kernel loads before it stores, and a hole in VRAM is filled at once */
		snprintf(line, sizeof(line), " addr %#" PRIxPTR " read error 0 bytes 2097152 took ",
			 (uintptr_t)buffer->ptr + i);
		found = strstr(text, line);
		igt_assert_f(found, "no '%s' in\n%s\n", line, text);
	}
	free(text);
}

/* Reads all files again and again, until it is killed; there may be none at times. */
static void read_for_ever(unsigned int minor)
{
	char path[64];

	for (size_t i = 0;; i = (i + 1) % ARRAY_SIZE(files)) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/%s", minor, files[i]);
		free(vsvm_read_text(path));
	}
}

static void start_readers(const struct vsvm_test *t, struct vsvm_gate *gate, pid_t *pids, int count)
{
	struct stat st;

	igt_assert_eq(fstat(t->fd, &st), 0);
	for (int i = 0; i < count; i++) {
		pids[i] = fork();
		igt_assert_lte(0, pids[i]);
		if (pids[i])
			continue;
		/* it must not keep the device open */
		close(t->fd);
		vsvm_gate_open(gate);
		read_for_ever(minor(st.st_rdev));
	}
	for (int i = 0; i < count; i++)
		vsvm_gate_wait(gate);
}

static void stop_readers(const pid_t *pids, int count)
{
	for (int i = 0; i < count; i++) {
		kill(pids[i], SIGKILL);
		igt_assert_eq(waitpid(pids[i], NULL, 0), pids[i]);
	}
}

/**
 * SUBTEST: clients-come-and-go
 * Description: the files are read all the time while clients start, work and are killed
 */
static void clients_come_and_go(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_gate gate;
	pid_t readers[2];

	(void)flags;
	vsvm_gate_init(&gate);
	start_readers(t, &gate, readers, ARRAY_SIZE(readers));
	igt_fork(child, CLIENTS) {
		for (int i = 0; i < ROUNDS; i++) {
			struct vsvm_buffer *own;
			struct vsvm_test test;

			vsvm_test_open(&test);
			own = vsvm_buffer_create_filled(VSVM_2M, VSVM_THP, child);
			vsvm_gpu_add(&test, own, 0, own->size, i);
			vsvm_buffer_check(own);
			if (i % 2)
				vsvm_test_close(&test);
			vsvm_buffer_free(own);
			if (!(i % 2))
				vsvm_test_close(&test);
		}
	}
	igt_waitchildren();
	stop_readers(readers, ARRAY_SIZE(readers));
	vsvm_gate_fini(&gate);
	vsvm_expect_fdinfo_vram(t->fd, 0);
}

/**
 * SUBTEST: device-goes
 * Description: the files are read all the time while the driver leaves the device, with
 *	memory in VRAM, and takes it again
 */
static void device_goes(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_gate gate;
	pid_t readers[2];

	(void)flags;
	vsvm_gate_init(&gate);
	start_readers(t, &gate, readers, ARRAY_SIZE(readers));
	for (int i = 0; i < REBINDS; i++) {
		vsvm_gpu_add(t, buffer, 0, SIZE, i);
		igt_assert(vsvm_driver_bind(false));
		vsvm_test_close(t);
		igt_assert(vsvm_driver_bind(true));
		vsvm_test_reopen(t);
	}
	stop_readers(readers, ARRAY_SIZE(readers));
	vsvm_gate_fini(&gate);
	vsvm_buffer_check(buffer);
}

/* Hands a command to the file "measure". Returns 0 or a negative errno. */
static int measure(int fd, const char *command)
{
	ssize_t n = write(fd, command, strlen(command));

	return n == (ssize_t)strlen(command) ? 0 : -errno;
}

static uint64_t measured_ns(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	igt_assert_lt(0, n);
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

/**
 * SUBTEST: measure
 * Description: folios are made and freed as often as the file is told to, copies take their
 *	time, and what is no command is refused
 */
static void measuring(struct vsvm_test *t, unsigned int flags)
{
	static const char *const refused[] = {
		"memcpy",	 "memcpy 0",   "memcpy 1073741825",
		"memcpy 4096 1", "folios 9",   "folios 1 1",
		"folios 10 1",	 "folios 9 0", "folios 9 100001",
		"folios 0 1 1",	 "blocks 1 1", "blocks 10 1",
		"nothing",	 " ",
	};
	char path[64];
	struct stat st;
	int fd, other;

	(void)flags;
	igt_assert_eq(fstat(t->fd, &st), 0);
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/measure", minor(st.st_rdev));
	fd = open(path, O_RDWR);
	other = open(path, O_RDWR);
	igt_assert_lte(0, fd);
	igt_assert_lte(0, other);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		igt_assert_f(measure(fd, refused[i]) == -EINVAL, "'%s' is not refused\n",
			     refused[i]);
	igt_assert_eq_u64(measured_ns(fd), 0);

	/* the first one is not measured */
	igt_assert_eq(measure(fd, "folios 9 10\n"), 0);
	vsvm_expect(t, .order = 9, .n_allocated = 11, .n_freed = 11);
	igt_assert_lt_u64(0, measured_ns(fd));
	igt_assert_eq(measure(fd, "folios 0 600"), 0);
	vsvm_expect(t, .order = 0, .n_allocated = 601, .n_freed = 601);
	igt_assert_eq(measure(fd, "blocks 4 600"), 0);
	igt_assert_eq(measure(fd, "memcpy 4194304"), 0);
	igt_assert_lt_u64(0, measured_ns(fd));
	vsvm_expect(t, .n_allocated = 0);
	igt_assert_eq_u64(measured_ns(other), 0);

	/* the files stay open while the device goes */
	igt_assert(vsvm_driver_bind(false));
	igt_assert_neq(measure(fd, "folios 9 1"), 0);
	close(fd);
	vsvm_test_close(t);
	igt_assert(vsvm_driver_bind(true));
	vsvm_test_reopen(t);
	close(other);
}

static const struct vsvm_subtest subtests[] = {
	{"ranges", ranges, VSVM_BOTH, "What each client has mapped in the GPU"},
	{"vram", vram, VSVM_BOTH, "The map of VRAM"},
	{"faults", faults, VSVM_HUGE, "The fault buffer and the latest faults"},
	{"clients-come-and-go", clients_come_and_go, VSVM_HUGE, "Read while clients come and go"},
	{"device-goes", device_goes, VSVM_HUGE, "Read while the device goes"},
	{"measure", measuring, VSVM_HUGE, "Measuring, and commands that are refused"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
