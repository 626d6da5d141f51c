// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * A program with options of its own, for igt_api_test.py.
 */
#include <getopt.h>

#include "igt.h"

enum {
	OPT_WORD = 500,
};

static const struct option long_options[] = {
	{"word", required_argument, NULL, OPT_WORD},
	{},
};

static struct sample {
	int number;
	const char *word;
} given;

static int handle(int opt, int index, void *data)
{
	struct sample *sample = data;

	switch (opt) {
	case 'n': sample->number = atoi(optarg); break;
	case OPT_WORD:
		if (strcmp(long_options[index].name, "word") || !*optarg)
			return IGT_OPT_HANDLER_ERROR;
		sample->word = optarg;
		break;
	default: return IGT_OPT_HANDLER_ERROR;
	}
	return IGT_OPT_HANDLER_SUCCESS;
}

int igt_main_args("n:", long_options, "  -n <number>\n  --word <word>\n", handle, &given)
{
	igt_subtest("options")
		igt_info("%d %s\n", given.number, given.word ?: "none");
}
