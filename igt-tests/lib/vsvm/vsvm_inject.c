// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Fault injection of the kernel (CONFIG_FAIL_PAGE_ALLOC).
 */
#include <unistd.h>

#include "igt.h"
#include "vsvm_inject.h"
#include "vsvm_proc.h"

#define FAIL_DIR     "/sys/kernel/debug/fail_page_alloc"
#define MAKE_IT_FAIL "/proc/self/make-it-fail"

/* Also in signal handlers. */
static void stop(int sig)
{
	(void)sig;
	vsvm_write_file(FAIL_DIR "/probability", "0");
	vsvm_write_file(MAKE_IT_FAIL, "0");
}

bool vsvm_inject_available(void)
{
	return !access(FAIL_DIR "/min-order", W_OK) && !access(MAKE_IT_FAIL, W_OK);
}

void vsvm_inject_no_huge_pages(bool on)
{
	if (!on) {
		stop(0);
		return;
	}
	igt_install_exit_handler(stop);
	igt_assert(vsvm_write_file(FAIL_DIR "/min-order", "9"));
	igt_assert(vsvm_write_file(FAIL_DIR "/task-filter", "Y"));
	igt_assert(vsvm_write_file(FAIL_DIR "/ignore-gfp-wait", "N"));
	igt_assert(vsvm_write_file(FAIL_DIR "/ignore-gfp-highmem", "N"));
	igt_assert(vsvm_write_file(FAIL_DIR "/verbose", "0"));
	igt_assert(vsvm_write_file(FAIL_DIR "/interval", "0"));
	igt_assert(vsvm_write_file(FAIL_DIR "/times", "-1"));
	igt_assert(vsvm_write_file(FAIL_DIR "/probability", "100"));
	igt_assert(vsvm_write_file(MAKE_IT_FAIL, "1"));
}
