// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_inject.h"
#include "vsvm_proc.h"
#include "vsvm_settings.h"
#include "vsvm_suspend.h"

#define POWER "/sys/power/"
#define DELAY "/sys/module/suspend/parameters/pm_test_delay"
#define NINE  "/sys/bus/virtio/drivers/9pnet_virtio/virtio*"

void vsvm_require_suspend(void)
{
	glob_t nine;
	int found = glob(NINE, 0, NULL, &nine);

	if (!found)
		globfree(&nine);
	igt_require_f(found == GLOB_NOMATCH, "9p over virtio does not survive suspend\n");
	igt_require_f(!access(POWER "pm_test", W_OK), "the kernel has no CONFIG_PM_DEBUG\n");
}

static int try_suspend(bool no_pages)
{
	static const char state[] = "freeze";
	int fd, err = 0;

	/* seconds that it sleeps */
	igt_assert(vsvm_setting(DELAY, 1));
	igt_assert(vsvm_write_file(POWER "pm_test", "devices"));
	fd = open(POWER "state", O_WRONLY | O_CLOEXEC);
	igt_assert_fd(fd);
	if (no_pages)
		vsvm_no_pages(true);
	if (write(fd, state, sizeof(state) - 1) < 0)
		err = -errno;
	if (no_pages)
		vsvm_no_pages(false);
	close(fd);
	igt_assert(vsvm_write_file(POWER "pm_test", "none"));
	return err;
}

int vsvm_try_suspend(void)
{
	return try_suspend(false);
}

int vsvm_try_suspend_without_memory(void)
{
	return try_suspend(true);
}
