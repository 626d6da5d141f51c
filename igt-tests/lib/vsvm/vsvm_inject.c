// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Fault injection of the kernel (CONFIG_FAIL_PAGE_ALLOC).
 */
#include <fcntl.h>

#include "igt.h"
#include "vsvm_inject.h"

#define FAIL_DIR     "/sys/kernel/debug/fail_page_alloc"
#define MAKE_IT_FAIL "/proc/self/make-it-fail"

static bool put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Also in signal handlers. */
static void stop(int sig)
{
	(void)sig;
	put(FAIL_DIR "/probability", "0");
	put(MAKE_IT_FAIL, "0");
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
	igt_assert(put(FAIL_DIR "/min-order", "9"));
	igt_assert(put(FAIL_DIR "/task-filter", "Y"));
	igt_assert(put(FAIL_DIR "/ignore-gfp-wait", "N"));
	igt_assert(put(FAIL_DIR "/ignore-gfp-highmem", "N"));
	igt_assert(put(FAIL_DIR "/verbose", "0"));
	igt_assert(put(FAIL_DIR "/interval", "0"));
	igt_assert(put(FAIL_DIR "/times", "-1"));
	igt_assert(put(FAIL_DIR "/probability", "100"));
	igt_assert(put(MAKE_IT_FAIL, "1"));
}
