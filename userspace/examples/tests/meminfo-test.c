// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The account of memory must not change while a process grows in bursts. Only
 * for a machine where nothing else allocates: a guest.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../histogram/meminfo.h"

enum { READINGS = 50, ROOM = 256 << 20, PAGE = 4096, BURST = 200 };

/* Takes 800 KiB at once, then rests; never returns. */
static void grow_in_bursts(void)
{
	const struct timespec rest = {.tv_nsec = 30 * 1000000};
	size_t at = 0;
	char *room;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		_exit(1);
	madvise(room, ROOM, MADV_NOHUGEPAGE);
	for (;;) {
		for (i = 0; i < BURST; i++, at += PAGE)
			room[at] = 1;
		if (at + BURST * PAGE > ROOM) {
			madvise(room, ROOM, MADV_DONTNEED);
			at = 0;
		}
		nanosleep(&rest, NULL);
	}
}

int main(void)
{
	struct meminfo first, now;
	int i, err, changed = 0;
	pid_t pid;

	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "fork: %s\n", strerror(errno));
		return 1;
	}
	if (!pid)
		grow_in_bursts();
	sleep(1);
	err = meminfo_read(&first);
	for (i = 0; i < READINGS && !err; i++) {
		err = meminfo_read(&now);
		if (!err && (now.anon_kib / 4 != first.anon_kib / 4 ||
			     now.page_table_kib != first.page_table_kib)) {
			printf("AnonPages %+" PRId64 " KiB, PageTables %+" PRId64 " KiB\n",
			       now.anon_kib - first.anon_kib,
			       now.page_table_kib - first.page_table_kib);
			changed++;
		}
	}
	if (err)
		fprintf(stderr, "the kernel's account cannot be read: %s\n", strerror(-err));
	if (waitpid(pid, NULL, WNOHANG)) {
		fprintf(stderr, "the process that grows has ended\n");
		err = -ESRCH;
	}
	printf("%d of %d readings differ\n", changed, READINGS);
	return err || changed ? 1 : 0;
}
