// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Allocations that fail: by fault injection of the kernel (CONFIG_FAIL_PAGE_ALLOC),
 * or because there is no memory of that size.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_inject.h"
#include "vsvm_memory.h"
#include "vsvm_proc.h"

#define FAIL_DIR     "/sys/kernel/debug/fail_page_alloc"
#define FAIL_NTH     "/proc/thread-self/fail-nth"
#define MAKE_IT_FAIL "/proc/self/make-it-fail"
#define HUGETLB_POOL "/proc/sys/vm/nr_hugepages"
#define COMPACT	     "/proc/sys/vm/compact_unevictable_allowed"

/* More huge pages than any machine has. */
#define ALL_OF_THEM "100000000"

/* Every other page of it is what is left when all huge pages are taken. */
#define HOARD_SIZE ((size_t)256 << 20)

/* Older C libraries do not know this. */
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

static uint8_t *hoard;

static bool can_inject(void)
{
	return !access(FAIL_DIR "/min-order", W_OK) && !access(MAKE_IT_FAIL, W_OK);
}

/* Also in signal handlers. */
static void stop(int sig)
{
	(void)sig;
	if (can_inject()) {
		vsvm_write_file(FAIL_DIR "/probability", "0");
		vsvm_write_file(MAKE_IT_FAIL, "0");
	}
	if (hoard) {
		vsvm_write_file(HUGETLB_POOL, "0");
		vsvm_write_file(COMPACT, "1");
		munmap(hoard, HOARD_SIZE);
		hoard = NULL;
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

/* Each processor has free huge pages of its own, which only it can take. */
static void fill_pool(void)
{
	cpu_set_t before, one;

	igt_assert_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &before))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		igt_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
		igt_assert(vsvm_write_file(HUGETLB_POOL, ALL_OF_THEM));
	}
	igt_assert_eq(sched_setaffinity(0, sizeof(before), &before), 0);
}

/*
 * Takes all huge pages of the machine, and leaves single pages between pages that
 * compaction does not move. What the kernel keeps in reserve has huge pages as well:
 * they are taken when there are single pages to keep instead.
 */
static void take_all(void)
{
	igt_install_exit_handler(stop);
	hoard = mmap(NULL, HOARD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	igt_assert(hoard != MAP_FAILED);
	igt_assert(vsvm_write_file(COMPACT, "0"));
	igt_assert_eq(madvise(hoard, HOARD_SIZE, MADV_NOHUGEPAGE), 0);
	igt_assert_eq(mlock(hoard, HOARD_SIZE), 0);
	fill_pool();
	for (size_t page = 0; page < HOARD_SIZE; page += 2 * VSVM_4K)
		igt_assert_eq(madvise(hoard + page, VSVM_4K, MADV_DONTNEED_LOCKED), 0);
	fill_pool();
}

bool vsvm_inject_available(void)
{
	return can_inject() && !access(FAIL_NTH, W_OK);
}

bool vsvm_no_huge_pages_available(void)
{
	return can_inject() || (!access(HUGETLB_POOL, W_OK) && !access(COMPACT, W_OK));
}

void vsvm_no_huge_pages(bool on)
{
	if (!on) {
		stop(0);
		return;
	}
	if (!can_inject()) {
		take_all();
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
	snprintf(text, sizeof(text), "%u", number);
	igt_assert(vsvm_write_file(FAIL_NTH, text));
}

bool vsvm_inject_happened(void)
{
	bool happened = !vsvm_read_number(FAIL_NTH);

	igt_assert(vsvm_write_file(FAIL_NTH, "0"));
	return happened;
}
