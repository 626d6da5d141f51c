// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * A program that is one test, for igt_api_test.py. SAMPLE_ENDS says how.
 */
#include "igt.h"

IGT_TEST_DESCRIPTION("Sample without subtests");

int igt_simple_main()
{
	const char *way = getenv("SAMPLE_ENDS") ?: "";

	igt_info("a simple test\n");
	igt_skip_on_f(!strcmp(way, "skip"), "as told\n");
	igt_assert_f(strcmp(way, "fail"), "as told\n");
	igt_fork(child, 1)
		igt_assert_f(strcmp(way, "child"), "as told\n");
	if (strcmp(way, "left"))
		igt_waitchildren();
}
