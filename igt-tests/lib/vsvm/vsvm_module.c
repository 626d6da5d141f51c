// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "igt.h"
#include "vsvm_ioctl.h"
#include "vsvm_module.h"
#include "vsvm_proc.h"

#define MODULE_DIR     "/sys/module/vsvm"
#define PARAMETERS_DIR MODULE_DIR "/parameters"

#define DRIVER_DIR "/sys/bus/platform/drivers/vsvm"

#define RETRIES	 200
#define RETRY_US 10000

static bool write_parameter(const char *path, char value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, &value, 1) == 1;

	if (fd >= 0)
		close(fd);
	return good;
}

/* Also in signal handlers. */
static void restore_huge(int sig)
{
	(void)sig;
	write_parameter(PARAMETERS_DIR "/huge", '1');
}

static void restore_evict(int sig)
{
	(void)sig;
	write_parameter(PARAMETERS_DIR "/evict", '1');
}

static void restore_fill_order(int sig)
{
	(void)sig;
	write_parameter(PARAMETERS_DIR "/fill_order", '0');
}

void vsvm_module_set_huge(bool on)
{
	if (!on)
		igt_install_exit_handler(restore_huge);
	igt_assert_f(write_parameter(PARAMETERS_DIR "/huge", on ? '1' : '0'),
		     "cannot set the module parameter huge\n");
}

void vsvm_module_set_evict(bool on)
{
	if (!on)
		igt_install_exit_handler(restore_evict);
	igt_assert_f(write_parameter(PARAMETERS_DIR "/evict", on ? '1' : '0'),
		     "cannot set the module parameter evict\n");
}

void vsvm_module_set_fill_order(unsigned int order)
{
	if (order)
		igt_install_exit_handler(restore_fill_order);
	igt_assert_f(write_parameter(PARAMETERS_DIR "/fill_order", '0' + order),
		     "cannot set the module parameter fill_order\n");
}

void vsvm_module_get_params(struct vsvm_module_params *params)
{
	DIR *dir = opendir(PARAMETERS_DIR);
	struct dirent *entry;

	igt_assert_f(dir, "cannot read " PARAMETERS_DIR "\n");
	*params->text = '\0';
	while ((entry = readdir(dir))) {
		size_t used = strlen(params->text);
		char value[128] = "";
		FILE *file;
		char *path;

		if (*entry->d_name == '.')
			continue;
		igt_assert(asprintf(&path, PARAMETERS_DIR "/%s", entry->d_name) > 0);
		file = fopen(path, "re");
		igt_assert_f(file && fgets(value, sizeof(value), file), "cannot read %s\n", path);
		fclose(file);
		free(path);
		value[strcspn(value, "\n")] = '\0';
		igt_assert_lt(snprintf(params->text + used, sizeof(params->text) - used, "%s=%s ",
				       entry->d_name, value),
			      (int)(sizeof(params->text) - used));
	}
	closedir(dir);
}

int vsvm_module_unload(void)
{
	int ret = syscall(SYS_delete_module, "vsvm", O_NONBLOCK) ? -errno : 0;

	errno = 0;
	return ret;
}

void vsvm_module_reload(const struct vsvm_module_params *params, const char *more)
{
	struct vsvm_module_params changed = *params;
	size_t used = strlen(changed.text);

	igt_assert_eq(vsvm_module_unload(), 0);
	igt_assert_lt(snprintf(changed.text + used, sizeof(changed.text) - used, "%s", more),
		      (int)(sizeof(changed.text) - used));
	vsvm_module_load(&changed);
}

bool vsvm_module_loaded(void)
{
	return !access(MODULE_DIR, F_OK);
}

bool vsvm_module_try_load(const struct vsvm_module_params *params)
{
	char *command;
	int status;

	igt_assert(asprintf(&command, "modprobe vsvm %s 2>/dev/null", params->text) > 0);
	/* a word on stderr would be a warning for igt_runner */
	status = system(command);
	igt_debug("%s: status %#x\n", command, status);
	free(command);

	/* the device files are made by somebody else, perhaps a little later */
	for (int i = 0; i < RETRIES && !status && access("/dev/dri", F_OK); i++)
		usleep(RETRY_US);
	errno = 0;
	return !status;
}

void vsvm_module_load(const struct vsvm_module_params *params)
{
	igt_assert_f(vsvm_module_try_load(params), "modprobe vsvm failed\n");
}

static bool write_device(const char *file, unsigned int index)
{
	char path[64], name[16];

	snprintf(path, sizeof(path), DRIVER_DIR "/%s", file);
	snprintf(name, sizeof(name), "vsvm.%u", index);
	return vsvm_write_file(path, name);
}

bool vsvm_device_bind(unsigned int index)
{
	char path[64];

	snprintf(path, sizeof(path), DRIVER_DIR "/vsvm.%u", index);
	return !access(path, F_OK) || write_device("bind", index);
}

/* Also in signal handlers. */
static void bind_all(int sig)
{
	(void)sig;
	for (unsigned int i = 0; i < VSVM_MAX_DEVICES; i++)
		vsvm_device_bind(i);
}

void vsvm_device_unbind(unsigned int index)
{
	igt_install_exit_handler(bind_all);
	igt_assert_f(write_device("unbind", index), "cannot unbind device %u\n", index);
}
