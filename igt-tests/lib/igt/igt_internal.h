/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the source files of the stand-alone IGT API share.
 */
#ifndef IGT_INTERNAL_H
#define IGT_INTERNAL_H

#include <stdarg.h>
#include <stdbool.h>

#include "igt_core.h"

/**
 * struct igt_options - what the command line asks for
 * @list_subtests: print the names of the subtests only
 * @describe: print names and descriptions only
 * @run: patterns of the subtests to run, or NULL for all
 * @run_dynamic: likewise for dynamic subtests
 */
struct igt_options {
	bool list_subtests;
	bool describe;
	const char *run;
	const char *run_dynamic;
};

/** igt_options - set once by igt_parse_options() */
extern struct igt_options igt_options;

/** igt_test_description - text of IGT_TEST_DESCRIPTION() or NULL */
extern const char *igt_test_description;

/**
 * igt_parse_options - read the command line into igt_options
 * @argc: of main()
 * @argv: of main()
 * @has_subtests: false for a simple main
 * @extra: options that the program adds
 *
 * Ends the program for options that only print something and for bad ones.
 */
void igt_parse_options(int argc, char **argv, bool has_subtests,
		       const struct igt_extra_options *extra);

/**
 * igt_pattern_matches - compare a name with a list of patterns
 * @patterns: shell patterns separated by commas; the last one that fits
 *	decides, and one that starts with "!" excludes. NULL fits all
 * @name: the name
 */
bool igt_pattern_matches(const char *patterns, const char *name);

/** igt_log_init - read IGT_LOG_LEVEL */
void igt_log_init(void);
/**
 * igt_log_set_level - least important level that is shown
 * @level: the level
 * @domain: show this domain only, NULL for all
 */
void igt_log_set_level(enum igt_log_level level, const char *domain);
/** igt_log_reset - forget the kept messages: a test begins */
void igt_log_reset(void);
/**
 * igt_log_dump - show the kept messages on stderr: a test has failed
 * @what: "Subtest", "Dynamic subtest", "Test" or "Child"
 * @name: name of the subtest
 */
void igt_log_dump(const char *what, const char *name);
/**
 * igt_vlog - igt_log() with a va_list
 * @domain: part of the program, or NULL
 * @level: importance
 * @fmt: printf format
 * @args: its arguments
 */
void igt_vlog(const char *domain, enum igt_log_level level, const char *fmt, va_list args)
	igt_printf(3, 0);
/**
 * igt_kmsg - write one line to the kernel log
 * @fmt: printf format, without level and newline
 */
void igt_kmsg(const char *fmt, ...) igt_printf(1, 2);

/** igt_in_child - true in a process made by igt_fork() */
bool igt_in_child(void);
/**
 * igt_reap_children - end and reap what igt_fork() left behind
 *
 * Returns how many there were. Async-signal-safe.
 */
int igt_reap_children(void);

#endif /* IGT_INTERNAL_H */
