// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Every status and every access has words of its own, and so has an error of each
 * thread. Needs no device.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "check.h"

#define UNKNOWN 1000

/* Numbers from 0 to @last, and one that there is not. */
static void test_words(const char *(*words)(uint32_t), uint32_t last)
{
	uint32_t i, j;

	check(strstr(words(UNKNOWN), "unknown"));
	check(!strcmp(words(last + 1), words(UNKNOWN)));
	for (i = 0; i <= last; i++) {
		check(*words(i) && strcmp(words(i), words(UNKNOWN)));
		for (j = 0; j < i; j++)
			check(strcmp(words(i), words(j)));
	}
}

static void fail(void)
{
	struct vsvm_device *dev;

	check(vsvm_device_open_path("/nowhere", &dev) == -ENOENT);
	check(strstr(vsvm_error_message(), "/nowhere"));
}

static void *other_thread(void *arg)
{
	(void)arg;
	check(!*vsvm_error_message());
	fail();
	return NULL;
}

int main(void)
{
	struct vsvm_module *module;
	pthread_t thread;

	test_words(vsvm_status_string, VSVM_ISA_STATUS_KILLED);
	test_words(vsvm_access_string, VSVM_ISA_ACCESS_FETCH);
	check(!*vsvm_error_message());
	check(vsvm_module_load("", 0, &module) == -ENOEXEC);
	check(*vsvm_error_message());
	check(!pthread_create(&thread, NULL, other_thread, NULL));
	check(!pthread_join(thread, NULL));
	check(!strstr(vsvm_error_message(), "/nowhere"));
	return !!failed;
}
