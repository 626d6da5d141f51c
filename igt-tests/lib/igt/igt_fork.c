// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Test processes: igt_fork() and igt_waitchildren().
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "igt_internal.h"

#define MAX_CHILDREN 1024

static bool in_child;
static pid_t children[MAX_CHILDREN];
static int num_children;

bool igt_in_child(void)
{
	return in_child;
}

bool igt_child_enter(void)
{
	pid_t parent = getpid();
	pid_t pid;

	if (in_child || num_children == MAX_CHILDREN) {
		igt_critical("igt_fork() in a child, or too many children\n");
		igt_fail(IGT_EXIT_FAILURE);
	}
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		igt_critical("fork failed: %m\n");
		igt_fail(IGT_EXIT_FAILURE);
	}
	if (pid) {
		children[num_children++] = pid;
		return false;
	}

	in_child = true;
	/* no process outlives its test, however that one ends */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(IGT_EXIT_FAILURE);
	igt_log_reset();
	return true;
}

void igt_child_leave(void)
{
	fflush(stdout);
	_exit(IGT_EXIT_SUCCESS);
}

int igt_reap_children(void)
{
	int reaped = 0;

	if (in_child)
		return 0;
	for (int i = 0; i < num_children; i++) {
		if (!children[i])
			continue;
		kill(children[i], SIGKILL);
		while (waitpid(children[i], NULL, 0) < 0 && errno == EINTR)
			;
		reaped++;
	}
	num_children = 0;
	return reaped;
}

/* Exit status for the test from wait status of a child; 0 is good. */
static int child_result(int number, int status)
{
	if (WIFSIGNALED(status)) {
		igt_critical("child %i died with signal %i, %s\n", number, WTERMSIG(status),
			     strsignal(WTERMSIG(status)));
		return 128 + WTERMSIG(status);
	}
	if (!WEXITSTATUS(status))
		return 0;
	igt_critical("child %i failed with exit status %i\n", number, WEXITSTATUS(status));
	/* a child cannot skip for the test */
	if (WEXITSTATUS(status) == IGT_EXIT_SKIP)
		return IGT_EXIT_FAILURE;
	return WEXITSTATUS(status);
}

/* Waits for any child, reaps it and returns its number, its status in *status. */
static int reap_next(int *status)
{
	struct pollfd fds[MAX_CHILDREN];
	int number = -1;

	for (int i = 0; i < num_children; i++) {
		fds[i].fd = -1;
		fds[i].events = POLLIN;
		fds[i].revents = 0;
		if (children[i])
			fds[i].fd = syscall(SYS_pidfd_open, children[i], 0);
	}
	while (poll(fds, num_children, -1) < 0 && errno == EINTR)
		;
	for (int i = 0; i < num_children; i++) {
		if (number < 0 && fds[i].revents)
			number = i;
		if (fds[i].fd >= 0)
			close(fds[i].fd);
	}
	if (number < 0 || waitpid(children[number], status, 0) < 0) {
		igt_critical("cannot wait for a child: %m\n");
		igt_fail(IGT_EXIT_FAILURE);
	}
	children[number] = 0;
	return number;
}

void igt_waitchildren(void)
{
	int result = 0;

	for (int left = num_children; left && !result; left--) {
		int status = 0;
		int number = reap_next(&status);

		result = child_result(number, status);
	}

	/* the others must not wait for one that is gone */
	igt_reap_children();
	errno = 0;
	igt_abort_on_f(result == IGT_EXIT_ABORT, "a child asked for it\n");
	if (result)
		igt_fail(result);
}
