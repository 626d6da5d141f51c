// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm coredump
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: device core dumps
 * Description: An error of the GPU leaves a core dump with what is needed to find out why
 */

#include <unistd.h>

#include "vsvm_observe.h"
#include "vsvm_proc.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("An error of the GPU leaves a core dump");

#define DUMP_MAX       16384
#define SETTLE_SECONDS 5
#define POLL_US	       1000

/* The core dump that the latest error has left. */
static char *read_dump(char **path)
{
	struct timespec start = {};
	char *text;

	while (!vsvm_coredump_path(path)) {
		igt_assert_f(igt_seconds_elapsed(&start) < SETTLE_SECONDS, "no core dump\n");
		usleep(POLL_US);
	}
	text = vsvm_read_text(*path);
	igt_assert_f(text, "cannot read %s\n", *path);
	errno = 0;
	return text;
}

static bool have_dump(void)
{
	char *path;
	bool found = vsvm_coredump_path(&path);

	free(path);
	return found;
}

static void begin(void)
{
	igt_require_f(!access("/sys/class/devcoredump", F_OK), "no device core dumps\n");
	vsvm_coredump_delete();
	igt_assert(!have_dump());
}

/* A job that fails; returns its dump. */
static char *fail(struct vsvm_test *t, const struct vsvm_job *job, struct drm_vsvm_wait *wait,
		  char **path)
{
	vsvm_run_to_error(t, job, wait);
	return read_dump(path);
}

/**
 * SUBTEST: fault
 * Description: a fault that cannot be served: address, access, dispatch, registers and the
 *	fault itself are in the dump
 */
static void fault(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *hole = vsvm_buffer_create(VSVM_4K, VSVM_SMALL);
	uint64_t addr = (uintptr_t)hole->ptr + 8, client = vsvm_fdinfo(t->fd, "drm-client-id");
	const struct vsvm_job job = {
		.kernel = VSVM_KERNEL_STORE,
		.arg = {.addr = addr, .value = 0x123456789},
		.groups = {1, 1, 1},
		.group_size = {1, 1, 1},
	};
	uint32_t queue = t->queue;
	struct drm_vsvm_submit submit;
	struct drm_vsvm_wait wait;
	char line[128], *text, *path;
	bool has_value = false;

	(void)flags;
	/* -EACCES: address space that nobody may access takes its place */
	vsvm_buffer_unmap(hole, 0, VSVM_4K);
	begin();
	vsvm_prepare_submit(t, &job, &submit);
	text = fail(t, &job, &wait, &path);
	igt_debug("%s\n", text);
	igt_assert_lte_u64(strlen(text), DUMP_MAX);
	igt_assert(strstr(text, "\ndevice: vsvm.0\n"));
	igt_assert(strstr(text, "\ncomm: vsvm_coredump\n"));
	igt_assert(strstr(text, "\nstatus: 1 (fault)\n"));
	igt_assert(strstr(text, "\nfault_access: 1 (write)\n"));
	igt_assert(strstr(text, "\ngroups: 1 1 1\ngroup_size: 1 1 1\n"));
	igt_assert_eq_u64(vsvm_text_key(text, "pid"), getpid());
	igt_assert_eq_u64(vsvm_text_key(text, "client"), client);
	igt_assert_eq_u64(vsvm_text_key(text, "queue"), queue);
	/* that which has warmed up */
	igt_assert_eq_u64(vsvm_text_key(text, "dispatches before"), 1);
	igt_assert_eq_u64(vsvm_text_key(text, "pc"), wait.fault_pc);
	igt_assert_eq_u64(vsvm_text_key(text, "fault_addr"), addr);
	igt_assert_eq_u64(vsvm_text_key(text, "entry"), submit.entry);
	igt_assert_eq_u64(vsvm_text_key(text, "hart"), 0);
	igt_assert_eq_u64(vsvm_text_key(text, "x0"), 0);
	igt_assert_eq_u64(vsvm_text_key(text, "x17"), 1);
	igt_assert_eq_u64(vsvm_text_key(text, "f31"), 0);
	/* what was to be stored is in some register */
	for (int i = 1; i < 32; i++) {
		snprintf(line, sizeof(line), "x%d", i);
		has_value |= vsvm_text_key(text, line) == job.arg.value;
	}
	igt_assert(has_value);
	snprintf(line, sizeof(line), " addr %#" PRIxPTR " write error -13 bytes 0 took ",
		 (uintptr_t)hole->ptr);
	igt_assert_eq_u64(vsvm_count_text(text, line), 1);
	free(path);
	free(text);
	vsvm_coredump_delete();
}

/**
 * SUBTEST: program
 * Description: each error of a program leaves a dump with its status and pc
 */
static void program(struct vsvm_test *t, unsigned int flags)
{
	static const struct {
		enum vsvm_kernel kernel;
		uint32_t status;
	} cases[] = {
		{VSVM_KERNEL_ILLEGAL, VSVM_ISA_STATUS_ILLEGAL},
		{VSVM_KERNEL_BREAK, VSVM_ISA_STATUS_BREAK},
		{VSVM_KERNEL_BAD_ECALL, VSVM_ISA_STATUS_ECALL},
	};

	(void)flags;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct vsvm_job job = {.kernel = cases[i].kernel, .arg = {.value = 1234}};
		struct drm_vsvm_wait wait;
		char *text, *path;

		text = fail(t, &job, &wait, &path);
		igt_assert_eq_u64(vsvm_text_key(text, "status"), cases[i].status);
		igt_assert_eq_u64(vsvm_text_key(text, "pc"), wait.fault_pc);
		igt_assert(!strstr(text, "\nfault_addr: "));
		free(path);
		free(text);
		vsvm_coredump_delete();
	}
}

/**
 * SUBTEST: one-at-a-time
 * Description: the first error's dump stays until it is deleted, then the next one leaves
 *	its own
 */
static void one_at_a_time(struct vsvm_test *t, unsigned int flags)
{
	const struct vsvm_job illegal = {.kernel = VSVM_KERNEL_ILLEGAL};
	const struct vsvm_job break_ = {.kernel = VSVM_KERNEL_BREAK};
	char *first, *again, *path, *other;
	struct drm_vsvm_wait wait;

	(void)flags;
	begin();
	first = fail(t, &illegal, &wait, &path);
	again = fail(t, &break_, &wait, &other);
	igt_assert(!strcmp(path, other));
	igt_assert(!strcmp(first, again));
	free(again);
	free(other);

	igt_assert(vsvm_write_file(path, "0"));
	vsvm_coredump_delete();
	igt_assert(access(path, F_OK));
	again = fail(t, &break_, &wait, &other);
	igt_assert_eq_u64(vsvm_text_key(again, "status"), VSVM_ISA_STATUS_BREAK);
	igt_assert(strcmp(path, other));
	free(first);
	free(again);
	free(path);
	free(other);
	vsvm_coredump_delete();
}

/**
 * SUBTEST: no-error
 * Description: work that ends well, or because its queue goes, leaves no dump
 */
static void no_error(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *flag = vsvm_buffer_create_filled(VSVM_4K, VSVM_SHARED, 0);

	(void)flags;
	begin();
	*(volatile uint64_t *)flag->ptr = 0;
	vsvm_run(t, .kernel = VSVM_KERNEL_WARM);
	vsvm_submit(t, &(struct vsvm_job){.kernel = VSVM_KERNEL_SPIN,
					  .arg = {.addr = (uintptr_t)flag->ptr}});
	vsvm_new_queue(t);
	vsvm_run(t, .kernel = VSVM_KERNEL_WARM);
	igt_assert(!have_dump());
}

/**
 * SUBTEST: device-goes
 * Description: a dump goes with its device, and the device works when it is back
 */
static void device_goes(struct vsvm_test *t, unsigned int flags)
{
	const struct vsvm_job job = {.kernel = VSVM_KERNEL_ILLEGAL};
	struct drm_vsvm_wait wait;
	char *text, *path;

	(void)flags;
	begin();
	text = fail(t, &job, &wait, &path);
	igt_assert(vsvm_driver_bind(false));
	vsvm_test_close(t);
	igt_assert(access(path, F_OK));
	igt_assert(vsvm_driver_bind(true));
	vsvm_test_reopen(t);
	free(path);
	free(text);
	text = fail(t, &job, &wait, &path);
	free(path);
	free(text);
	vsvm_coredump_delete();
}

static const struct vsvm_subtest subtests[] = {
	{"fault", fault, VSVM_HUGE, "A fault that cannot be served"},
	{"program", program, VSVM_HUGE, "Errors of programs"},
	{"one-at-a-time", one_at_a_time, VSVM_HUGE, "One dump at a time"},
	{"no-error", no_error, VSVM_HUGE, "No error, no dump"},
	{"device-goes", device_goes, VSVM_HUGE, "A dump goes with its device"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
