// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_memory.h"
#include "vsvm_observe.h"
#include "vsvm_proc.h"

#define DRIVER_DIR "/sys/bus/platform/drivers/vsvm"
#define DEVICE	   "vsvm.0"
#define DEVICE_DIR "/sys/bus/platform/devices/" DEVICE

#define SETTLE_SECONDS 5
#define POLL_US	       1000

char *vsvm_read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 1 << 16, used = 0;
	char *text;
	ssize_t got;

	if (fd < 0)
		return NULL;
	text = malloc(room);
	igt_assert(text);
	while ((got = read(fd, text + used, room - used - 1)) > 0) {
		used += got;
		if (room - used > 1)
			continue;
		room *= 2;
		text = realloc(text, room);
		igt_assert(text);
	}
	text[used] = '\0';
	if (got < 0) {
		free(text);
		text = NULL;
	}
	close(fd);
	return text;
}

size_t vsvm_count_text(const char *text, const char *part)
{
	size_t count = 0;

	while ((text = strstr(text, part))) {
		text += strlen(part);
		count++;
	}
	return count;
}

uint64_t vsvm_text_key(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, length) && line[length] == ':')
			return strtoull(line + length + 1, NULL, 0);
	}
	igt_assert_f(false, "no line '%s:'\n", key);
	return 0;
}

uint64_t vsvm_fdinfo(int fd, const char *key)
{
	uint64_t number;
	char path[64];
	char *text;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	text = vsvm_read_text(path);
	igt_assert_f(text, "cannot read %s\n", path);
	number = vsvm_text_key(text, key);
	free(text);
	return number;
}

void vsvm_expect_fdinfo_vram(int fd, uint64_t bytes)
{
	struct timespec start = {};

	while (vsvm_fdinfo(fd, "drm-resident-vram0") != bytes / 1024 &&
	       igt_seconds_elapsed(&start) < SETTLE_SECONDS)
		usleep(POLL_US);
	igt_assert_eq_u64(vsvm_fdinfo(fd, "drm-resident-vram0"), bytes / 1024);
	igt_assert_eq_u64(vsvm_fdinfo(fd, "drm-total-vram0"), bytes / 1024);
}

char *vsvm_debugfs_read(int fd, const char *name)
{
	char path[128];
	struct stat st;
	char *text;

	igt_assert_eq(fstat(fd, &st), 0);
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/%s", minor(st.st_rdev), name);
	igt_require_f(!access(path, R_OK), "no %s\n", path);
	text = vsvm_read_text(path);
	igt_assert_f(text, "cannot read %s\n", path);
	return text;
}

static void bind_again(int sig)
{
	(void)sig;
	vsvm_write_file(DRIVER_DIR "/bind", DEVICE);
}

bool vsvm_driver_bind(bool on)
{
	bool good;

	if (!on)
		igt_install_exit_handler(bind_again);
	good = vsvm_write_file(on ? DRIVER_DIR "/bind" : DRIVER_DIR "/unbind", DEVICE);
	errno = 0;
	return good;
}

bool vsvm_coredump_path(char **path)
{
	char device[PATH_MAX], link[PATH_MAX];
	bool found = false;
	glob_t dumps;

	*path = NULL;
	if (!realpath(DEVICE_DIR, device))
		device[0] = '\0';
	if (glob("/sys/class/devcoredump/devcd*", 0, NULL, &dumps)) {
		errno = 0;
		return false;
	}
	for (size_t i = 0; i < dumps.gl_pathc && !found; i++) {
		char name[PATH_MAX];

		snprintf(name, sizeof(name), "%.200s/failing_device", dumps.gl_pathv[i]);
		found = realpath(name, link) && !strcmp(link, device);
		if (found)
			igt_assert(asprintf(path, "%s/data", dumps.gl_pathv[i]) > 0);
	}
	globfree(&dumps);
	errno = 0;
	return found;
}

void vsvm_coredump_delete(void)
{
	struct timespec start = {};
	struct stat status;
	char *path;

	while (vsvm_coredump_path(&path)) {
		igt_assert_f(igt_seconds_elapsed(&start) < SETTLE_SECONDS, "%s stays\n", path);
		vsvm_write_file(path, "0");
		free(path);
		usleep(POLL_US);
	}
	/* the next one makes this link again, and it goes last, after what it leads to */
	while (!lstat(DEVICE_DIR "/devcoredump", &status)) {
		igt_assert_f(igt_seconds_elapsed(&start) < SETTLE_SECONDS, "a link stays\n");
		usleep(POLL_US);
	}
	errno = 0;
}
