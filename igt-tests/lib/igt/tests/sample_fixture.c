// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Fixtures that end early, for igt_api_test.py. SAMPLE_ENDS says how.
 */
#include "igt.h"

static bool ends(const char *way)
{
	return !strcmp(getenv("SAMPLE_ENDS") ?: "", way);
}

int igt_main()
{
	igt_fixture() {
		igt_skip_on(ends("skip"));
		igt_fail_on(ends("fail"));
	}

	if (ends("outside"))
		igt_assert(ends("elsewhere"));

	igt_subtest("one")
		igt_info("one runs\n");
	igt_subtest("two")
		igt_info("two runs\n");

	igt_fixture() {
		igt_info("second fixture runs\n");
		igt_fail_on(ends("late"));
	}
}
