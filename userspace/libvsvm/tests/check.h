/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The least that a test needs.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#include "vsvm.h"

static int failed;

#define check(cond)                                                                   \
	do {                                                                          \
		if (!(cond)) {                                                        \
			printf("%s:%d: failed: %s (%s)\n", __FILE__, __LINE__, #cond, \
			       vsvm_error_message());                                 \
			failed++;                                                     \
		}                                                                     \
	} while (0)

#endif /* CHECK_H */
