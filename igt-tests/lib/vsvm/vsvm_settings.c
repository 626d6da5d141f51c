// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_proc.h"
#include "vsvm_settings.h"

#define MAX_SETTINGS 16
#define HOUR_MS	     3600000

static struct setting {
	const char *path;
	char before[24];
} settings[MAX_SETTINGS];

static unsigned int count;

void vsvm_settings_reset(void)
{
	while (count) {
		count--;
		vsvm_write_file(settings[count].path, settings[count].before);
	}
}

/* Also in signal handlers. */
static void reset(int sig)
{
	(void)sig;
	vsvm_settings_reset();
}

static bool write_number(const char *path, long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", number);
	return vsvm_write_file(path, text);
}

bool vsvm_setting(const char *path, long long number)
{
	unsigned int i = 0;

	if (access(path, W_OK))
		return false;
	while (i < count && strcmp(settings[i].path, path))
		i++;
	if (i == count) {
		igt_assert_lt(i, MAX_SETTINGS);
		igt_install_exit_handler(reset);
		snprintf(settings[i].before, sizeof(settings[i].before), "%lld",
			 vsvm_read_number(path));
		settings[i].path = path;
		count++;
	}
	return write_number(path, number);
}

void vsvm_rest_khugepaged(void)
{
	static const char sleep_ms[] = VSVM_KHUGEPAGED "scan_sleep_millisecs";

	/* it looks around once when it is told to sleep */
	if (!access(sleep_ms, W_OK) && vsvm_read_number(sleep_ms) < HOUR_MS)
		vsvm_setting(sleep_ms, HOUR_MS);
}

bool vsvm_hurry_khugepaged(void)
{
	return vsvm_setting(VSVM_KHUGEPAGED "scan_sleep_millisecs", 1) &&
	       vsvm_setting(VSVM_KHUGEPAGED "pages_to_scan", 65536);
}

bool vsvm_hurry_ksm(void)
{
	return vsvm_setting(VSVM_KSM "sleep_millisecs", 1) &&
	       vsvm_setting(VSVM_KSM "pages_to_scan", 65536) && vsvm_setting(VSVM_KSM "run", 1);
}
