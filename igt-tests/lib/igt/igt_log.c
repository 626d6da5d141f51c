// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Messages: shown at once or kept until the test fails.
 */
#include <fcntl.h>
#include <pthread.h>

#include "igt_internal.h"

/* Messages kept for the report of a failure; older ones are forgotten. */
#define KEPT_LINES 256

static struct {
	pthread_mutex_t lock;
	enum igt_log_level level;
	const char *domain;
	char *kept[KEPT_LINES];
	unsigned int num_kept;
	/* the last message had no newline: the next one continues it */
	bool in_line;
} logs = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.level = IGT_LOG_INFO,
};

void igt_log_init(void)
{
	static const char *const names[] = {
		[IGT_LOG_DEBUG] = "debug",	 [IGT_LOG_INFO] = "info", [IGT_LOG_WARN] = "warn",
		[IGT_LOG_CRITICAL] = "critical", [IGT_LOG_NONE] = "none",
	};
	const char *value = getenv("IGT_LOG_LEVEL");

	for (int i = IGT_LOG_DEBUG; value && i <= IGT_LOG_NONE; i++)
		if (!strcmp(value, names[i]))
			logs.level = i;
}

void igt_log_set_level(enum igt_log_level level, const char *domain)
{
	logs.level = level;
	logs.domain = domain;
}

void igt_log_reset(void)
{
	pthread_mutex_lock(&logs.lock);
	for (int i = 0; i < KEPT_LINES; i++) {
		free(logs.kept[i]);
		logs.kept[i] = NULL;
	}
	logs.num_kept = 0;
	pthread_mutex_unlock(&logs.lock);
}

void igt_log_dump(const char *what, const char *name)
{
	unsigned int first = 0;

	pthread_mutex_lock(&logs.lock);
	fflush(stdout);
	if (name)
		fprintf(stderr, "%s %s failed.\n", what, name);
	else
		fprintf(stderr, "%s failed.\n", what);
	if (logs.num_kept > KEPT_LINES)
		first = logs.num_kept - KEPT_LINES;
	if (logs.num_kept) {
		fputs("**** DEBUG ****\n", stderr);
		for (unsigned int i = first; i < logs.num_kept; i++)
			fputs(logs.kept[i % KEPT_LINES], stderr);
		fputs("****  END  ****\n", stderr);
	}
	pthread_mutex_unlock(&logs.lock);
}

static void show(enum igt_log_level level, const char *domain, const char *line)
{
	bool to_stderr = level >= IGT_LOG_WARN;

	if (level < logs.level)
		return;
	if (level == IGT_LOG_DEBUG && logs.domain && strcmp(logs.domain, domain ?: "application"))
		return;

	/* keep the order of both where they go to one place */
	fflush(to_stderr ? stdout : stderr);
	fputs(line, to_stderr ? stderr : stdout);
}

void igt_vlog(const char *domain, enum igt_log_level level, const char *fmt, va_list args)
{
	static const char *const level_names[] = {
		[IGT_LOG_DEBUG] = "DEBUG",
		[IGT_LOG_INFO] = "INFO",
		[IGT_LOG_WARN] = "WARNING",
		[IGT_LOG_CRITICAL] = "CRITICAL",
	};
	char *text, *line;

	if (vasprintf(&text, fmt, args) < 0)
		abort();

	pthread_mutex_lock(&logs.lock);
	if (logs.in_line) {
		line = strdup(text);
		if (!line)
			abort();
	} else if (asprintf(&line, "(%s:%d) %s%s%s: %s", igt_test_name(), getpid(), domain ?: "",
			    domain ? "-" : "", level_names[level], text) < 0) {
		abort();
	}

	/* information is meant to be read as it is */
	show(level, domain, level == IGT_LOG_INFO ? text : line);

	free(logs.kept[logs.num_kept % KEPT_LINES]);
	logs.kept[logs.num_kept++ % KEPT_LINES] = line;
	logs.in_line = *text && text[strlen(text) - 1] != '\n';
	pthread_mutex_unlock(&logs.lock);

	free(text);
}

void igt_log(const char *domain, enum igt_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	igt_vlog(domain, level, fmt, args);
	va_end(args);
}

void igt_kmsg(const char *fmt, ...)
{
	char line[512];
	va_list args;
	int length;
	int fd;

	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;

	length = snprintf(line, sizeof(line), "<6>[IGT] ");
	va_start(args, fmt);
	length += vsnprintf(line + length, sizeof(line) - length, fmt, args);
	va_end(args);
	if (length > (int)sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	/* one write is one record; a log that cannot be written is no error */
	if (write(fd, line, length) < 0)
		igt_debug("cannot write to /dev/kmsg: %m\n");
	close(fd);
}
