// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The new spelling on an IGT of the old one, for igt_api_test.py.
 */
#define IGT_OLD_SPELLING
#include "igt.h"

#define VSVM_IGT_OLD_SPELLING
#include "../../vsvm/vsvm_igt_compat.h"

int igt_main()
{
	igt_subtest("compat")
		igt_assert_eq(vsvm_igt_compat_unused, 0);
}
