// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the driver says: its file "measure" in debugfs, and its counters.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

void measure_open(struct bench *bench)
{
	glob_t found;

	if (glob("/sys/kernel/debug/dri/*/measure", 0, NULL, &found) || !found.gl_pathc)
		fail("there is no file 'measure' of vsvm in debugfs");
	bench->measure = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
	if (bench->measure < 0)
		fail("%s: %s", found.gl_pathv[0], strerror(errno));
	globfree(&found);
}

uint64_t measure(struct bench *bench, const char *format, ...)
{
	char text[64];
	va_list args;
	ssize_t n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (write(bench->measure, text, n) != n)
		fail("measuring '%s': %s", text, strerror(errno));
	n = pread(bench->measure, text, sizeof(text) - 1, 0);
	if (n <= 0)
		fail("measuring: %s", strerror(errno));
	text[n] = 0;
	return strtoull(text, NULL, 10);
}

void measure_close(struct bench *bench)
{
	close(bench->measure);
}

struct drm_vsvm_counters device_counters(struct bench *bench)
{
	struct drm_vsvm_counters counters;

	must(vsvm_device_counters(bench->dev, &counters, sizeof(counters)));
	return counters;
}

uint64_t stage_ns(const struct drm_vsvm_counters *counters, enum drm_vsvm_stage_id stage)
{
	uint64_t ns = 0;
	int i;

	for (i = 0; i < DRM_VSVM_SIZE_CLASSES; i++)
		ns += counters->stage[stage][i].ns;
	return ns;
}
