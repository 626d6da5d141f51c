// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * vsvm-histogram: counts the bytes of a file on the GPU and shows where the
 * memory went meanwhile, with huge folios and with base pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "huge_switch.h"
#include "job.h"
#include "meminfo.h"
#include "report.h"

#define DEFAULT_BYTES (32ULL << 20)
#define MAX_BYTES     (1ULL << 36)

enum { EXIT_BAD_RUN = 1, EXIT_BAD_USE = 2 };

struct options {
	const char *file;
	const char *json;
	uint64_t bytes;
	bool huge, base;
};

static void usage(FILE *out)
{
	fputs("usage: vsvm-histogram [--json FILE] [--huge=on|off|both] [--bytes N] FILE\n"
	      "\n"
	      "Counts the byte values of FILE on the vsvm GPU, in plain malloc() memory. The\n"
	      "numbers are those of the whole device: nothing else should use it meanwhile.\n"
	      "\n"
	      "  --json FILE          writes all numbers to FILE\n"
	      "  --huge=on|off|both   with 2 MiB folios, with base pages, or (as default) with\n"
	      "                       each in turn; switches them in the driver, which takes root\n"
	      "  --bytes N            reads at most N bytes (default 33554432)\n",
	      out);
}

static bool parse_bytes(const char *text, uint64_t *bytes)
{
	char *end;

	errno = 0;
	*bytes = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno && *bytes && *bytes <= MAX_BYTES;
}

/* Exits on bad usage. */
static struct options parse(int argc, char **argv)
{
	static const struct option known[] = {
		{"json", required_argument, NULL, 'j'},
		{"huge", required_argument, NULL, 'u'},
		{"bytes", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options opts = {.bytes = DEFAULT_BYTES, .huge = true, .base = true};
	int c;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (c) {
		case 'j': opts.json = optarg; break;
		case 'u':
			opts.huge = !strcmp(optarg, "on") || !strcmp(optarg, "both");
			opts.base = !strcmp(optarg, "off") || !strcmp(optarg, "both");
			if (!opts.huge && !opts.base) {
				fprintf(stderr, "--huge takes on, off or both, not '%s'\n", optarg);
				exit(EXIT_BAD_USE);
			}
			break;
		case 'b':
			if (!parse_bytes(optarg, &opts.bytes)) {
				fprintf(stderr, "--bytes takes a number from 1 to %llu, not '%s'\n",
					MAX_BYTES, optarg);
				exit(EXIT_BAD_USE);
			}
			break;
		case 'h': usage(stdout); exit(0);
		default: usage(stderr); exit(EXIT_BAD_USE);
		}
	}
	if (argc - optind != 1) {
		usage(stderr);
		exit(EXIT_BAD_USE);
	}
	opts.file = argv[optind];
	return opts;
}

/* Opens the input and says how many bytes of it to count, or exits. */
static int open_input(const struct options *opts, uint64_t *bytes)
{
	int fd = open(opts->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "cannot read %s: %s\n", opts->file, strerror(errno));
		exit(EXIT_BAD_RUN);
	}
	if (!S_ISREG(st.st_mode)) {
		fprintf(stderr, "cannot read %s: %s\n", opts->file,
			S_ISDIR(st.st_mode) ? "it is a directory" : "it is not a regular file");
		exit(EXIT_BAD_RUN);
	}
	if (!st.st_size) {
		fprintf(stderr, "%s is empty: there is nothing to count\n", opts->file);
		exit(EXIT_BAD_RUN);
	}
	*bytes = (uint64_t)st.st_size < opts->bytes ? (uint64_t)st.st_size : opts->bytes;
	return fd;
}

struct accounts {
	struct drm_vsvm_counters counters;
	struct meminfo meminfo;
};

static int read_accounts(struct vsvm_device *dev, struct accounts *out)
{
	int err = meminfo_read(&out->meminfo);

	return err ? err : vsvm_device_counters(dev, &out->counters, sizeof(out->counters));
}

/* To the nearest: shares of processes in shared pages are rounded to KiB. */
static int64_t whole_pages(int64_t kib)
{
	return (kib + (kib < 0 ? -2 : 2)) / 4 * 4;
}

static struct leaks compare(const struct accounts *before, const struct accounts *after)
{
	return (struct leaks){
		.vram_pages = counters_pages_in_use(&after->counters) -
			      counters_pages_in_use(&before->counters),
		.vram_bytes = after->counters.vram_total - after->counters.vram_free,
		.anon_kib = whole_pages(after->meminfo.anon_kib - before->meminfo.anon_kib),
		.page_table_kib = after->meminfo.page_table_kib - before->meminfo.page_table_kib,
	};
}

/* What is freed late (by RCU, by a worker) gets some time to come home. */
static int find_leaks(struct vsvm_device *dev, const struct accounts *before, struct run *run)
{
	const struct timespec pause = {.tv_nsec = 50 * 1000000};
	struct accounts after;
	int err, i;

	for (i = 0; i < 100; i++) {
		err = read_accounts(dev, &after);
		if (err)
			return err;
		run->leaks = compare(before, &after);
		if (!run_leaked_pages(run))
			break;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* The process of a run. It reports through @run, which is shared memory. */
static void child(int fd, uint64_t bytes, bool rehearsal, struct run *run)
{
	if (!rehearsal)
		job_run(fd, bytes, run);
	else
		run->ended = !job_rehearse(fd, bytes, run->error, sizeof(run->error));
	exit(0);
}

/*
 * A run is a process of its own: when that has gone, all that it had must have
 * gone, too.
 */
static int run_once(struct vsvm_device *dev, int fd, uint64_t bytes, bool rehearsal,
		    struct run *run)
{
	struct accounts before;
	int err, status;
	pid_t pid;

	err = read_accounts(dev, &before);
	if (err)
		return err;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		child(fd, bytes, rehearsal, run);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		run->ended = false;
		snprintf(run->error, sizeof(run->error), "the process ended with status %#x",
			 status);
	}
	return find_leaks(dev, &before, run);
}

static int run_with(struct vsvm_device *dev, int fd, uint64_t bytes, bool huge, struct run *run)
{
	int err = huge_switch_set(huge);

	if (err) {
		fprintf(stderr, "cannot switch huge folios %s: %s\n", huge ? "on" : "off",
			strerror(-err));
		return err;
	}
	printf("%s:\n", huge ? "huge folios" : "4 KiB pages");
	return run_once(dev, fd, bytes, false, run);
}

/*
 * Makes the memory of the machine, and this process, as used as they are in all
 * runs. What it takes for good, it takes now.
 */
static int rehearse(struct vsvm_device *dev, int fd, uint64_t bytes, struct run *run)
{
	int err;

	printf("rehearsal: the file goes to VRAM and back\n");
	err = run_once(dev, fd, bytes, true, run);
	if (!err && !run->ended) {
		fprintf(stderr, "%s\n", run->error);
		err = -EIO;
	}
	return err;
}

static int run_all(const struct options *opts, struct vsvm_device *dev, int fd, uint64_t bytes)
{
	/* The processes of the runs write their results here. */
	struct run *runs = mmap(NULL, 2 * sizeof(*runs), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct run *huge = opts->huge ? &runs[0] : NULL;
	struct run *base = opts->base ? &runs[1] : NULL;
	bool was_huge, good;
	int err;

	if (runs == MAP_FAILED)
		return -errno;
	err = huge_switch_get(&was_huge);
	if (err)
		return err;
	err = rehearse(dev, fd, bytes, &runs[0]);
	if (huge && !err)
		err = run_with(dev, fd, bytes, true, huge);
	if (base && !err)
		err = run_with(dev, fd, bytes, false, base);
	huge_switch_set(was_huge);
	if (err)
		return err;

	good = (!huge || (run_correct(huge) && !run_leaked_pages(huge) && run_all_huge(huge))) &&
	       (!base || (run_correct(base) && !run_leaked_pages(base)));
	report_table(opts->file, huge, base);
	if ((!huge || run_correct(huge)) && (!base || run_correct(base)))
		printf("result: correct\n");
	else
		printf("result: WRONG\n");
	fflush(stdout);
	if (opts->json) {
		err = report_json(opts->json, opts->file, huge, base, good);
		if (err) {
			fprintf(stderr, "cannot write %s: %s\n", opts->json, strerror(-err));
			return err;
		}
	}
	return good ? 0 : -EIO;
}

int main(int argc, char **argv)
{
	struct options opts = parse(argc, argv);
	struct vsvm_device *dev;
	uint64_t bytes;
	int err, fd;

	fd = open_input(&opts, &bytes);
	if (vsvm_device_open(0, &dev)) {
		fprintf(stderr, "%s\n", vsvm_error_message());
		return EXIT_BAD_RUN;
	}
	err = run_all(&opts, dev, fd, bytes);
	vsvm_device_close(dev);
	close(fd);
	return err ? EXIT_BAD_RUN : 0;
}
