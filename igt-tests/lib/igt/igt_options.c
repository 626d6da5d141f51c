// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Command line of a test program.
 */
#include <fnmatch.h>
#include <getopt.h>

#include "igt_internal.h"

struct igt_options igt_options;
const char *igt_test_description;

enum {
	OPT_LIST = 256,
	OPT_RUN,
	OPT_DYNAMIC,
	OPT_DESCRIPTION,
	OPT_DESCRIBE,
	OPT_DEBUG,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"list-subtests", no_argument, NULL, OPT_LIST},
	{"run-subtest", required_argument, NULL, OPT_RUN},
	{"dynamic-subtest", required_argument, NULL, OPT_DYNAMIC},
	{"show-description", no_argument, NULL, OPT_DESCRIPTION},
	{"help-description", no_argument, NULL, OPT_DESCRIPTION},
	{"describe", optional_argument, NULL, OPT_DESCRIBE},
	{"debug", optional_argument, NULL, OPT_DEBUG},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
};

#define NUM_LONG_OPTIONS (sizeof(long_options) / sizeof(*long_options))

static void print_help(FILE *out, const struct igt_extra_options *extra)
{
	fprintf(out, "Usage: %s [OPTIONS]\n", igt_test_name());
	fputs("  --list-subtests\n"
	      "  --run-subtest <pattern>[,<pattern>...]   '!' in front excludes\n"
	      "  --dynamic-subtest <pattern>[,<pattern>...]\n"
	      "  --describe[=<pattern>]\n"
	      "  --show-description\n"
	      "  --debug[=<log-domain>]\n"
	      "  --version\n"
	      "  --help\n",
	      out);
	if (extra->help)
		fputs(extra->help, out);
	if (igt_test_description)
		fprintf(out, "\n%s\n", igt_test_description);
}

bool igt_pattern_matches(const char *patterns, const char *name)
{
	bool matches = false;
	char *copy, *next, *pattern;

	if (!patterns)
		return true;

	copy = strdup(patterns);
	if (!copy)
		abort();
	/* "everything but" needs no pattern in front of it */
	if (*copy == '!')
		matches = true;
	next = copy;
	while ((pattern = strsep(&next, ","))) {
		bool include = *pattern != '!';

		if (!fnmatch(include ? pattern : pattern + 1, name, 0))
			matches = include;
	}
	free(copy);
	return matches;
}

/* For options that make no sense for a program without subtests. */
static void require_subtests(bool has_subtests)
{
	if (!has_subtests)
		exit(IGT_EXIT_INVALID);
}

/* Our long options, then those of the program; from malloc(). */
static struct option *all_long_options(const struct option *extra)
{
	size_t count = 0;
	struct option *all;

	while (extra && extra[count].name)
		count++;
	all = calloc(NUM_LONG_OPTIONS + count + 1, sizeof(*all));
	if (!all)
		abort();
	memcpy(all, long_options, sizeof(long_options));
	for (size_t i = 0; i < count; i++)
		all[NUM_LONG_OPTIONS + i] = extra[i];
	return all;
}

static bool extra_option(int option, int index, const struct igt_extra_options *extra)
{
	return option != '?' && extra->handler &&
	       extra->handler(option, index - (int)NUM_LONG_OPTIONS, extra->data) ==
		       IGT_OPT_HANDLER_SUCCESS;
}

void igt_parse_options(int argc, char **argv, bool has_subtests,
		       const struct igt_extra_options *extra)
{
	struct option *all = all_long_options(extra->long_options);
	int option, index = 0;
	char *letters;

	if (asprintf(&letters, "h%s", extra->short_options ?: "") < 0)
		abort();
	while ((option = getopt_long(argc, argv, letters, all, &index)) != -1) {
		switch (option) {
		case OPT_LIST:
			require_subtests(has_subtests);
			igt_options.list_subtests = true;
			break;
		case OPT_RUN:
			require_subtests(has_subtests);
			igt_options.run = optarg;
			break;
		case OPT_DYNAMIC:
			require_subtests(has_subtests);
			igt_options.run_dynamic = optarg;
			break;
		case OPT_DESCRIBE:
			igt_options.describe = true;
			igt_options.run = optarg;
			break;
		case OPT_DESCRIPTION:
			if (igt_test_description)
				puts(igt_test_description);
			exit(IGT_EXIT_SUCCESS);
		case OPT_DEBUG: igt_log_set_level(IGT_LOG_DEBUG, optarg); break;
		case OPT_VERSION: exit(IGT_EXIT_SUCCESS);
		case OPT_HELP:
		case 'h': print_help(stdout, extra); exit(IGT_EXIT_SUCCESS);
		default:
			if (extra_option(option, index, extra))
				break;
			print_help(stderr, extra);
			exit(IGT_EXIT_INVALID);
		}
	}
	free(letters);
	free(all);

	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument %s\n", igt_test_name(), argv[optind]);
		print_help(stderr, extra);
		exit(IGT_EXIT_INVALID);
	}

	if (igt_options.describe && !has_subtests) {
		if (igt_test_description)
			puts(igt_test_description);
		exit(IGT_EXIT_SUCCESS);
	}
}
