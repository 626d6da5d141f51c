// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm trace
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: tracepoints
 * Description: Tracepoints can be enabled, and there is one event for each fault,
 *	migration, binding and eviction; how a prefetch migrates
 */

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vsvm_observe.h"
#include "vsvm_proc.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Tracepoints have one event for each thing that happens");

#define BLOCKS	 4
#define SIZE	 (BLOCKS * VSVM_2M)
#define INSTANCE "/sys/kernel/tracing/instances/igt-vsvm"

/* Also in signal handlers. */
static void remove_instance(int sig)
{
	(void)sig;
	rmdir(INSTANCE);
}

/* A buffer of its own, so that no other user of tracing is in the way. */
static void start(void)
{
	igt_install_exit_handler(remove_instance);
	rmdir(INSTANCE);
	igt_require_f(!mkdir(INSTANCE, 0755), "no tracefs\n");
	igt_assert(vsvm_write_file(INSTANCE "/buffer_size_kb", "4096"));
	igt_assert(vsvm_write_file(INSTANCE "/events/vsvm/enable", "1"));
	errno = 0;
}

static char *stop(void)
{
	char *text;

	igt_assert(vsvm_write_file(INSTANCE "/events/vsvm/enable", "0"));
	text = vsvm_read_text(INSTANCE "/trace");
	igt_assert(text);
	igt_assert_eq(rmdir(INSTANCE), 0);
	return text;
}

/* Events with these words in a line of theirs, the name of the event first. */
static uint64_t events(const char *text, const char *name, const char *words)
{
	uint64_t count = 0;

	for (const char *at = text; (at = strstr(at, name)); at += strlen(name)) {
		const char *end = strchr(at, '\n');
		const char *found = strstr(at, words);

		count += found && end && found < end;
	}
	return count;
}

/**
 * SUBTEST: events
 * Description: as many events as there are faults, migrations and bindings, with the
 *	bytes that they are about
 *
 * SUBTEST: events-base
 * Description: the same with base pages in VRAM
 */
static void all_events(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	uint64_t folios = vsvm_folios(flags, SIZE);
	char part[64], *text;

	start();
	vsvm_gpu_add(t, buffer, 0, SIZE, 3);
	vsvm_expect_to_vram(t, SIZE, flags);
	vsvm_cpu_touch(buffer, 0, SIZE, VSVM_4K);
	vsvm_expect_home(t, SIZE, flags);
	text = stop();

	igt_debug("%.4000s\n", text);
	igt_assert_eq_u64(events(text, "vsvm_gpu_fault:", "access=read"), BLOCKS);
	igt_assert_eq_u64(events(text, "vsvm_gpu_fault:", "error=0 bytes=2097152 "), BLOCKS);
	igt_assert_eq_u64(events(text, "vsvm_migrate:", "to=vram"), BLOCKS);
	igt_assert_eq_u64(events(text, "vsvm_migrate:", "bytes=2097152 "), BLOCKS);
	igt_assert_eq_u64(events(text, "vsvm_bind:", "bytes=2097152"), BLOCKS);
	snprintf(part, sizeof(part), "huge=%d bytes=%" PRIu64 " ", vsvm_order(flags) ? 1 : 0,
		 SIZE / folios);
	igt_assert_eq_u64(events(text, "vsvm_cpu_fault:", part), folios);
	/* what is mapped in the GPU is taken from it when it goes home */
	igt_assert_lte_u64(folios, events(text, "vsvm_invalidate:", "flush=1"));
	for (size_t i = 0; i < SIZE; i += VSVM_2M) {
		snprintf(part, sizeof(part), "addr=%#" PRIxPTR " access=read",
			 (uintptr_t)buffer->ptr + i);
		igt_assert_eq_u64(events(text, "vsvm_gpu_fault:", part), 1);
	}
	igt_assert_eq_u64(events(text, "vsvm_evict:", ""), 0);
	free(text);
}

/* The migrations of a prefetch: how many, and the blocks at which each of them ends. */
static void expect_migrations(const char *text, const char *to, const struct vsvm_buffer *buffer,
			      const size_t *ends, size_t count)
{
	uintptr_t from = (uintptr_t)buffer->ptr;
	char part[96];

	igt_assert_eq_u64(events(text, "vsvm_migrate:", ""), count);
	for (size_t i = 0; i < count; i++) {
		uintptr_t end = (uintptr_t)buffer->ptr + ends[i] * VSVM_2M;

		snprintf(part, sizeof(part),
			 "to=%s start=%#" PRIxPTR " end=%#" PRIxPTR " bytes=%zu ", to, from, end,
			 (size_t)(end - from));
		igt_assert_f(events(text, "vsvm_migrate:", part) == 1, "no %s\n%s", part, text);
		from = end;
	}
}

/**
 * SUBTEST: prefetch
 * Description: a prefetch moves up to 8 blocks by one migration, but not of two mappings
 *	or with different advice; each block is entered in the GPU's page tables, and
 *	taken from there, alone
 *
 * SUBTEST: prefetch-base
 * Description: the same with base pages in VRAM
 */
static void prefetch(struct vsvm_test *t, unsigned int flags)
{
	/* advice for blocks 1 and 2; block 15 is a mapping of its own */
	static const size_t ends[] = {1, 3, 11, 15, 16, 18};
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(18 * VSVM_2M, VSVM_THP, 1);
	char *text;

	(void)flags;
	igt_assert_eq(vsvm_try_advise(t->fd, buffer->ptr + VSVM_2M, 2 * VSVM_2M,
				      DRM_VSVM_ATTRIBUTE_GRANULARITY, 4),
		      0);
	igt_assert_eq(mprotect(buffer->ptr + 15 * VSVM_2M, VSVM_2M, PROT_READ), 0);
	start();
	vsvm_prefetch(t, buffer, 0, buffer->size, DRM_VSVM_LOCATION_VRAM);
	text = stop();
	expect_migrations(text, "vram", buffer, ends, ARRAY_SIZE(ends));
	igt_assert_eq_u64(events(text, "vsvm_bind:", "bytes=2097152"), 18);
	igt_assert_eq_u64(events(text, "vsvm_bind:", ""), 18);
	free(text);

	start();
	vsvm_prefetch(t, buffer, 0, buffer->size, DRM_VSVM_LOCATION_SYSTEM);
	text = stop();
	expect_migrations(text, "ram", buffer, ends, ARRAY_SIZE(ends));
	igt_assert_eq_u64(events(text, "vsvm_invalidate:", "flush=1"), 18);
	free(text);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: evict
 * Description: one event for each block that leaves VRAM with the device
 */
static void evict(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_in_vram(t, SIZE, flags);
	char *text;

	start();
	igt_require_f(vsvm_driver_bind(false), "the driver cannot leave the device\n");
	text = stop();
	vsvm_test_close(t);
	igt_assert(vsvm_driver_bind(true));
	igt_assert_eq_u64(events(text, "vsvm_evict:", "bytes=2097152 "), BLOCKS);
	free(text);
	vsvm_buffer_check(buffer);
	vsvm_test_reopen(t);
}

/**
 * SUBTEST: failed-fault
 * Description: a fault that cannot be served has an event with its error
 */
static void failed_fault(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *hole = vsvm_buffer_create(VSVM_4K, VSVM_SMALL);
	struct drm_vsvm_wait wait;
	char part[64], *text;

	(void)flags;
	/* -EACCES: address space that nobody may access takes its place */
	vsvm_buffer_unmap(hole, 0, VSVM_4K);
	start();
	vsvm_run_to_error(t,
			  &(struct vsvm_job){.kernel = VSVM_KERNEL_STORE,
					     .arg = {.addr = (uintptr_t)hole->ptr}},
			  &wait);
	text = stop();
	snprintf(part, sizeof(part), "addr=%#" PRIxPTR " access=write cu=", (uintptr_t)hole->ptr);
	igt_assert_eq_u64(events(text, "vsvm_gpu_fault:", part), 1);
	igt_assert_eq_u64(events(text, "vsvm_gpu_fault:", "error=-13 bytes=0 "), 1);
	free(text);
}

static const struct vsvm_subtest subtests[] = {
	{"events", all_events, VSVM_BOTH, "One event for each fault, migration and binding"},
	{"prefetch", prefetch, VSVM_BOTH, "One event for each migration of a prefetch"},
	{"evict", evict, VSVM_HUGE, "One event for each block that is evicted"},
	{"failed-fault", failed_fault, VSVM_HUGE, "A fault that cannot be served"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
