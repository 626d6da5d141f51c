// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * All samples as JSON, and a line for each result on the terminal.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static FILE *file;
static bool first = true;

static const char *const pages_names[PAGES_KINDS] = {"huge", "4k"};

void report_open(const char *path, const struct bench *bench)
{
	file = fopen(path, "w");
	if (!file)
		fail("%s: %s", path, strerror(errno));
	fprintf(file, "{\"clock\": \"%s\", \"results\": [", bench->icount ? "icount" : "wall");
}

struct result new_result(const char *name, const struct memory *memory, unsigned int repeats)
{
	return (struct result){
		.name = name,
		.pages = memory->pages,
		.bytes = memory->bytes,
		.threads = 1,
		.repeats = repeats,
	};
}

/* An array of one member of all samples; @offset is that of the member. */
static void add_member(const struct result *result, const char *name, size_t offset)
{
	unsigned int i;

	fprintf(file, ",\n  \"%s\": [", name);
	for (i = 0; i < result->repeats; i++)
		fprintf(file, "%s%" PRIu64, i ? ", " : "",
			*(const uint64_t *)((const char *)&result->sample[i] + offset));
	fprintf(file, "]");
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(const struct result *result)
{
	uint64_t ns[REPEATS];
	unsigned int i;

	for (i = 0; i < result->repeats; i++)
		ns[i] = result->sample[i].ns;
	qsort(ns, result->repeats, sizeof(ns[0]), by_value);
	return ns[result->repeats / 2];
}

void report_add(const struct result *result)
{
	fprintf(file,
		"%s\n {\"name\": \"%s\", \"pages\": \"%s\", \"bytes\": %" PRIu64
		", \"threads\": %u",
		first ? "" : ",", result->name, pages_names[result->pages], result->bytes,
		result->threads);
	add_member(result, "ns", offsetof(struct sample, ns));
	add_member(result, "memcpy_ns", offsetof(struct sample, memcpy_ns));
	add_member(result, "migrate_ns", offsetof(struct sample, migrate_ns));
	add_member(result, "copy_ns", offsetof(struct sample, copy_ns));
	add_member(result, "fault_ns", offsetof(struct sample, fault_ns));
	add_member(result, "bind_ns", offsetof(struct sample, bind_ns));
	fprintf(file, "}");
	first = false;

	printf("  %-17s %-5s %8" PRIu64 " KiB  %u thread%s %12.3f ms\n", result->name,
	       pages_names[result->pages], result->bytes / KIB, result->threads,
	       result->threads > 1 ? "s" : " ", median(result) / 1e6);
	fflush(stdout);
}

void report_close(void)
{
	fprintf(file, "\n]}\n");
	if (ferror(file) || fclose(file))
		fail("the report cannot be written");
}
