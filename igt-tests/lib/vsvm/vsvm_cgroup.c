// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <sys/stat.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_cgroup.h"
#include "vsvm_proc.h"

void vsvm_cgroup_destroy(void)
{
	rmdir(VSVM_CGROUP);
	vsvm_write_file(VSVM_CGROUP_ROOT "cgroup.subtree_control", "-memory");
}

/* Also in signal handlers. */
static void destroy(int sig)
{
	(void)sig;
	vsvm_cgroup_destroy();
}

void vsvm_cgroup_create(void)
{
	igt_require_f(!access(VSVM_CGROUP_ROOT "cgroup.controllers", R_OK), "no cgroup v2\n");
	vsvm_cgroup_destroy();
	igt_install_exit_handler(destroy);
	igt_require(vsvm_write_file(VSVM_CGROUP_ROOT "cgroup.subtree_control", "+memory"));
	igt_assert_eq(mkdir(VSVM_CGROUP, 0755), 0);
}
