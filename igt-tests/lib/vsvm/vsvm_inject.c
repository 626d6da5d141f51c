// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Allocations that fail, by fault injection of the kernel (CONFIG_FAIL_PAGE_ALLOC).
 */
#include <stdio.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_inject.h"
#include "vsvm_proc.h"

#define FAIL_DIR     "/sys/kernel/debug/fail_page_alloc"
#define FAILSLAB_DIR "/sys/kernel/debug/failslab"
#define FAIL_NTH     "/proc/thread-self/fail-nth"
#define MAKE_IT_FAIL "/proc/self/make-it-fail"

bool vsvm_no_huge_pages_available(void)
{
	return !access(FAIL_DIR "/min-order", W_OK) && !access(MAKE_IT_FAIL, W_OK);
}

/* Also in signal handlers. */
static void stop(int sig)
{
	(void)sig;
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

void vsvm_no_huge_pages(bool on)
{
	if (!on) {
		stop(0);
		return;
	}
	set_up("9");
	igt_assert(vsvm_write_file(FAIL_DIR "/probability", "100"));
	igt_assert(vsvm_write_file(MAKE_IT_FAIL, "1"));
}

void vsvm_inject_nth(unsigned int number)
{
	char text[16];

	set_up("0");
	set_up_slab();
	snprintf(text, sizeof(text), "%u", number);
	igt_assert(vsvm_write_file(FAIL_NTH, text));
}

bool vsvm_inject_happened(void)
{
	bool happened = !vsvm_read_number(FAIL_NTH);

	igt_assert(vsvm_write_file(FAIL_NTH, "0"));
	return happened;
}
