/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_TEST_H_
#define _VSVM_TEST_H_

/* Checks that print TAP. A failed check does not end the program. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

extern unsigned int test_count;
extern unsigned int test_failed;

/* One line of TAP; returns @ok */
bool test_check(bool ok, const char *file, int line, const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));

/* Same for two numbers that are to be equal */
bool test_equal(uint64_t got, uint64_t want, const char *file, int line, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));

/* The plan; returns the exit status of the program */
int test_finish(void);

#define CHECK(ok, ...)	      test_check((ok), __FILE__, __LINE__, __VA_ARGS__)
#define EQUAL(got, want, ...) test_equal((got), (want), __FILE__, __LINE__, __VA_ARGS__)

#endif /* _VSVM_TEST_H_ */
