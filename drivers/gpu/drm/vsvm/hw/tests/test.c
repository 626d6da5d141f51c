// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

#include <inttypes.h>
#include <stdarg.h>

#include "test.h"

unsigned int test_count;
unsigned int test_failed;

static void test_line(bool ok, const char *format, va_list args)
{
	test_count++;
	if (!ok)
		test_failed++;
	printf("%sok %u - ", ok ? "" : "not ", test_count);
	vprintf(format, args);
	putchar('\n');
}

bool test_check(bool ok, const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	test_line(ok, format, args);
	va_end(args);
	if (!ok)
		printf("# %s:%d\n", file, line);
	fflush(stdout);
	return ok;
}

bool test_equal(uint64_t got, uint64_t want, const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	test_line(got == want, format, args);
	va_end(args);
	if (got != want)
		printf("# %s:%d: got 0x%" PRIx64 ", want 0x%" PRIx64 "\n", file, line, got, want);
	fflush(stdout);
	return got == want;
}

int test_finish(void)
{
	printf("1..%u\n# %u passed, %u failed\n", test_count, test_count - test_failed,
	       test_failed);
	return test_failed || !test_count;
}
