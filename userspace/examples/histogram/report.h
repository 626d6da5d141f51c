/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the program says about its runs.
 */
#ifndef REPORT_H
#define REPORT_H

#include "run.h"

/* Either run may be NULL: it was not asked for. */

/* The table on the terminal. */
void report_table(const char *name, const struct run *huge, const struct run *base);

/* The same and more as JSON. Returns 0 or -errno. */
int report_json(const char *path, const char *name, const struct run *huge, const struct run *base,
		bool good);

#endif /* REPORT_H */
