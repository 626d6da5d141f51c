// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm module
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: module
 * Description: The module can be removed when nobody has it open, whatever is in VRAM
 */

#include <unistd.h>

#include "vsvm_test.h"

IGT_TEST_DESCRIPTION("The module can be removed when nobody has it open");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)

/* What it was loaded with, to load it again the same way. */
static struct vsvm_module_params params;

static void unload(void)
{
	igt_assert_eq(vsvm_module_unload(), 0);
	igt_assert(!vsvm_module_loaded());
	igt_assert_eq(vsvm_open(0), -ENODEV);
}

/**
 * SUBTEST: reload
 * Description: the module is removed and loaded several times, and works each time
 */
static void reload(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	(void)flags;
	for (int i = 1; i <= 3; i++) {
		vsvm_test_close(t);
		unload();
		vsvm_module_load(&params);
		vsvm_test_reopen(t);
		vsvm_gpu_add(t, buffer, 0, SIZE, i);
		vsvm_expect(t, .allocated[9] = BLOCKS, .to_vram[9] = BLOCKS, .gpu_2m = BLOCKS,
			    .dispatches = 1);
		vsvm_buffer_check(buffer);
	}
}

/**
 * SUBTEST: unload-busy
 * Description: removing the module is refused while a file is open, and does no harm
 */
static void unload_busy(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	(void)flags;
	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	igt_assert_eq(vsvm_module_unload(), -EWOULDBLOCK);
	vsvm_gpu_add(t, buffer, 0, SIZE, 6);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: unload-with-pages
 * Description: the file is closed but memory is in VRAM: removing the module brings it
 *	home first
 *
 * SUBTEST: unload-with-pages-base
 * Description: the same with base pages in VRAM
 */
static void unload_with_pages(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);

	vsvm_gpu_add(t, buffer, 0, SIZE, 5);
	vsvm_expect_residency(t->fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM,
			      flags & VSVM_TEST_BASE ? 0 : 9);
	vsvm_test_close(t);
	unload();
	vsvm_buffer_check(buffer);
	if (!(flags & VSVM_TEST_BASE))
		igt_assert_eq_u64(vsvm_anon_huge_bytes(buffer->ptr, SIZE), SIZE);

	vsvm_module_load(&params);
	vsvm_test_reopen(t);
	vsvm_gpu_add(t, buffer, 0, SIZE, 6);
	vsvm_buffer_check(buffer);
}

/**
 * SUBTEST: unload-carved
 * Description: base pages are in VRAM where a folio of order 9 was before: removing the
 *	module finds all of them
 */
static void unload_carved(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *huge = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	struct vsvm_buffer *small = vsvm_buffer_create_filled(SIZE, VSVM_SMALL, 2);

	(void)flags;
	vsvm_gpu_add(t, huge, 0, SIZE, 5);
	vsvm_buffer_free(huge);
	/* the last page of each block is where a tail of a folio was */
	for (size_t page = 511; page < SIZE / VSVM_4K; page += 512)
		vsvm_gpu_add(t, small, page * VSVM_4K, VSVM_4K, 7);
	vsvm_expect_residency(t->fd, small->ptr, SIZE, DRM_VSVM_LOCATION_VRAM, 0);
	for (size_t page = 0; page < SIZE / VSVM_4K; page += 2)
		vsvm_buffer_check_range(small, page * VSVM_4K, VSVM_4K);
	vsvm_test_close(t);
	unload();
	vsvm_buffer_check(small);

	vsvm_module_load(&params);
	vsvm_test_reopen(t);
}

/**
 * SUBTEST: unload-shared
 * Description: likewise, with memory that another process, forked off, has in common
 *	or for itself
 *
 * SUBTEST: unload-shared-base
 * Description: the same with base pages in VRAM
 */
static void unload_shared(struct vsvm_test *t, unsigned int flags)
{
	struct vsvm_buffer *common = vsvm_buffer_create_filled(SIZE, VSVM_THP, 1);
	int ready[2], gone[2];
	char byte;

	(void)flags;
	vsvm_gpu_add(t, common, 0, SIZE, 5);
	igt_assert_eq(pipe(ready), 0);
	igt_assert_eq(pipe(gone), 0);
	igt_fork(child, 1) {
		struct vsvm_buffer *own;
		struct vsvm_test test;

		close(t->fd);
		vsvm_test_open(&test);
		own = vsvm_buffer_create_filled(SIZE, VSVM_THP, 2 + child);
		vsvm_gpu_add(&test, own, 0, SIZE, 7);
		vsvm_test_close(&test);
		igt_assert_eq(write(ready[1], "r", 1), 1);
		igt_assert_eq(read(gone[0], &byte, 1), 1);
		vsvm_buffer_check(common);
		vsvm_buffer_check(own);
	}
	igt_assert_eq(read(ready[0], &byte, 1), 1);
	vsvm_test_close(t);
	unload();
	vsvm_buffer_check(common);
	igt_assert_eq(write(gone[1], "g", 1), 1);
	igt_waitchildren();
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(gone[i]);
	}
	vsvm_buffer_check(common);

	vsvm_module_load(&params);
	vsvm_test_reopen(t);
}

static const struct {
	const char *name;
	void (*run)(struct vsvm_test *t, unsigned int flags);
	unsigned int flags;
	const char *description;
} subtests[] = {
	{"reload", reload, 0, "Removed and loaded again"},
	{"unload-busy", unload_busy, 0, "Not removed while a file is open"},
	{"unload-with-pages", unload_with_pages, 0, "Removed with memory in VRAM"},
	{"unload-with-pages-base", unload_with_pages, VSVM_TEST_BASE,
	 "Removed with base pages in VRAM"},
	{"unload-carved", unload_carved, 0, "Removed with base pages where a folio was"},
	{"unload-shared", unload_shared, 0, "Removed with memory of two processes in VRAM"},
	{"unload-shared-base", unload_shared, VSVM_TEST_BASE,
	 "Removed with base pages of two processes in VRAM"},
};

int igt_main()
{
	static struct vsvm_test test;

	for (size_t i = 0; i < ARRAY_SIZE(subtests); i++) {
		igt_describe(subtests[i].description);
		igt_subtest(subtests[i].name) {
			/* a test that failed may have left it out */
			igt_require(vsvm_module_loaded() || vsvm_module_try_load(&params));
			igt_require_f(!access("/sys/module/vsvm/refcnt", F_OK),
				      "vsvm is not a loadable module\n");
			vsvm_module_get_params(&params);
			vsvm_test_begin(&test, subtests[i].flags);
			subtests[i].run(&test, subtests[i].flags);
			vsvm_test_end(&test);
		}
	}
}
