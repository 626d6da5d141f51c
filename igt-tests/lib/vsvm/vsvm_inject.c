// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Allocations that fail, by fault injection of the kernel (CONFIG_FAIL_PAGE_ALLOC).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_inject.h"
#include "vsvm_proc.h"

#define FAIL_DIR     "/sys/kernel/debug/fail_page_alloc"
#define FAILSLAB_DIR "/sys/kernel/debug/failslab"
#define FAIL_NTH     "/proc/thread-self/fail-nth"
#define MAKE_IT_FAIL "/proc/self/make-it-fail"

/*
 * Open as long as this process gets no pages: to open it then could fail for want of one.
 */
static int make_it_fail_fd = -1;

bool vsvm_no_huge_pages_available(void)
{
	return !access(FAIL_DIR "/min-order", W_OK) && !access(MAKE_IT_FAIL, W_OK);
}

/* Also in signal handlers. */
static void stop(int sig)
{
	(void)sig;
	if (make_it_fail_fd >= 0) {
		(void)!pwrite(make_it_fail_fd, "0", 1, 0);
		close(make_it_fail_fd);
		make_it_fail_fd = -1;
	}
	if (vsvm_no_huge_pages_available()) {
		vsvm_write_file(FAIL_DIR "/probability", "0");
		vsvm_write_file(MAKE_IT_FAIL, "0");
	}
}

/* How failures are chosen, whoever they then hit. */
static void set_up(const char *min_order)
{
	igt_install_exit_handler(stop);
	igt_assert(vsvm_write_file(FAIL_DIR "/min-order", min_order));
	igt_assert(vsvm_write_file(FAIL_DIR "/task-filter", "Y"));
	igt_assert(vsvm_write_file(FAIL_DIR "/ignore-gfp-wait", "N"));
	igt_assert(vsvm_write_file(FAIL_DIR "/ignore-gfp-highmem", "N"));
	igt_assert(vsvm_write_file(FAIL_DIR "/verbose", "0"));
	igt_assert(vsvm_write_file(FAIL_DIR "/interval", "0"));
	igt_assert(vsvm_write_file(FAIL_DIR "/times", "-1"));
}

bool vsvm_inject_slab_available(void)
{
	return !access(FAILSLAB_DIR, F_OK);
}

/* Allocations of less than a page, where the kernel can make these fail, too. */
static void set_up_slab(void)
{
	if (!vsvm_inject_slab_available())
		return;
	igt_assert(vsvm_write_file(FAILSLAB_DIR "/ignore-gfp-wait", "N"));
	igt_assert(vsvm_write_file(FAILSLAB_DIR "/verbose", "0"));
}

bool vsvm_inject_available(void)
{
	return vsvm_no_huge_pages_available() && !access(FAIL_NTH, W_OK);
}

/* No page of that order or a higher one for this process, or an end of that. */
static void no_pages(bool on, const char *min_order)
{
	if (!on) {
		stop(0);
		return;
	}
	set_up(min_order);
	igt_assert(vsvm_write_file(FAIL_DIR "/probability", "100"));
	make_it_fail_fd = open(MAKE_IT_FAIL, O_WRONLY | O_CLOEXEC);
	igt_assert_fd(make_it_fail_fd);
	igt_assert_eq(pwrite(make_it_fail_fd, "1", 1, 0), 1);
}

void vsvm_no_huge_pages(bool on)
{
	no_pages(on, "9");
}

void vsvm_no_pages(bool on)
{
	no_pages(on, "0");
}

/*
 * Open as long as a failure is to come: to open it, or to read it through a stream, would
 * have allocations of its own.
 */
static _Thread_local int nth_fd = -1;

static void write_nth(unsigned int number)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", number);

	igt_assert_eq(pwrite(nth_fd, text, length, 0), length);
}

void vsvm_inject_nth(unsigned int number)
{
	set_up("0");
	set_up_slab();
	nth_fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	igt_assert_fd(nth_fd);
	write_nth(number);
}

bool vsvm_inject_happened(void)
{
	char text[16] = "";

	igt_assert_lt(0, pread(nth_fd, text, sizeof(text) - 1, 0));
	write_nth(0);
	close(nth_fd);
	nth_fd = -1;
	return !atoi(text);
}
