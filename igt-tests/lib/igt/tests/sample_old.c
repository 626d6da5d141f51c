// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The spelling of IGT up to 2.2, for igt_api_test.py.
 */
#define IGT_OLD_SPELLING
#include "igt.h"

static int steps;

igt_main
{
	igt_fixture
		steps = 1;

	igt_subtest_group {
		igt_fixture {
			steps++;
		}

		igt_subtest("old")
			igt_assert_eq(steps, 2);
	}
}
