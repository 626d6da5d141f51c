/* SPDX-License-Identifier: MIT */
/*
 * What the tests of ZONE_DEVICE memory share. To be included after kselftest_harness.h.
 */
#ifndef SELFTEST_MM_ZONE_DEVICE_H
#define SELFTEST_MM_ZONE_DEVICE_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE_2M (2UL << 20)

/* Words that tell by their value where they belong. */
static inline void pattern_fill(void *p, size_t size, uint32_t seed)
{
	volatile uint32_t *word = p;

	for (size_t i = 0; i < size / sizeof(*word); i++)
		word[i] = seed + (uint32_t)i * 2654435761u;
}

/* How many words are not what pattern_fill() wrote. */
static inline size_t pattern_wrong(const void *p, size_t size, uint32_t seed)
{
	const volatile uint32_t *word = p;
	size_t wrong = 0;

	for (size_t i = 0; i < size / sizeof(*word); i++)
		wrong += word[i] != seed + (uint32_t)i * 2654435761u;
	return wrong;
}

static sigjmp_buf sigbus_return;

static inline void sigbus_handler(int signal)
{
	(void)signal;
	siglongjmp(sigbus_return, 1);
}

/* True when reading the byte at @p raises SIGBUS. */
static inline bool read_is_sigbus(const void *p)
{
	struct sigaction action = {.sa_handler = sigbus_handler}, old;
	volatile bool caught = true;

	sigaction(SIGBUS, &action, &old);
	if (!sigsetjmp(sigbus_return, 1)) {
		(void)*(const volatile char *)p;
		caught = false;
	}
	sigaction(SIGBUS, &old, NULL);
	return caught;
}

/* Page faults of this process, minor and major. */
static inline long page_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* The exit status of a child, or -1 if it was ended otherwise. */
static inline int child_status(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* The number in a file of one line, or -1. */
static inline long long read_number(const char *path)
{
	long long number = -1;
	FILE *file = fopen(path, "r");

	if (!file)
		return -1;
	if (fscanf(file, "%lld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

/* True when all of @text could be written. */
static inline bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

#endif /* SELFTEST_MM_ZONE_DEVICE_H */
