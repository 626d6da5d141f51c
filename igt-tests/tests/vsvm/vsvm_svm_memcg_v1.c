// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * TEST: vsvm memcg v1
 * Category: Core
 * Mega feature: SVM
 * Sub-category: vsvm
 * Functionality: memory control groups
 * Description: Memory in VRAM and control groups of version 1
 *
 * A machine has memory control groups of one version. To change it at run time lets
 * Linux 6.12 uncharge (v1) what it has not charged (v2), so this is not tried here: the
 * hierarchy of version 1 is to be there before anything was charged.
 */

#include <mntent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vsvm_proc.h"
#include "vsvm_subtests.h"

IGT_TEST_DESCRIPTION("Memory in VRAM and control groups of version 1");

#define BLOCKS 4
#define SIZE   (BLOCKS * VSVM_2M)

/* Two control groups, where those of version 1 are. */
static char group_from[256], group_to[256];

static bool find_v1(char *dir, size_t size)
{
	struct mntent *mount;
	bool found = false;
	FILE *mounts;

	mounts = setmntent("/proc/mounts", "r");
	igt_assert(mounts);
	while (!found && (mount = getmntent(mounts))) {
		found = !strcmp(mount->mnt_type, "cgroup") && hasmntopt(mount, "memory");
		if (found)
			snprintf(dir, size, "%s", mount->mnt_dir);
	}
	endmntent(mounts);
	return found;
}

/* Also in signal handlers. */
static void remove_groups(int sig)
{
	(void)sig;
	rmdir(group_from);
	rmdir(group_to);
}

static bool write_in(const char *group, const char *file, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return vsvm_write_file(path, text);
}

static void enter(const char *group)
{
	igt_assert(write_in(group, "cgroup.procs", "0"));
}

/**
 * SUBTEST: move-charge
 * Description: a process with memory in VRAM moves to another control group, which takes
 *	charges along: no harm is done
 *
 * SUBTEST: move-charge-base
 * Description: the same with base pages in VRAM
 */
static void move_charge(struct vsvm_test *t, unsigned int flags)
{
	char v1[200];

	(void)t;
	igt_require_f(find_v1(v1, sizeof(v1)), "no memory control groups of version 1\n");
	snprintf(group_from, sizeof(group_from), "%s/vsvm-from", v1);
	snprintf(group_to, sizeof(group_to), "%s/vsvm-to", v1);
	remove_groups(0);
	igt_install_exit_handler(remove_groups);
	igt_assert_eq(mkdir(group_from, 0755), 0);
	igt_assert_eq(mkdir(group_to, 0755), 0);
	igt_assert(write_in(group_to, "memory.move_charge_at_immigrate", "1"));

	igt_fork(child, 1) {
		struct vsvm_buffer *buffer;
		struct vsvm_test own;

		igt_assert_eq(child, 0);
		enter(group_from);
		vsvm_test_open(&own);
		buffer = vsvm_buffer_in_vram(&own, SIZE, flags);
		enter(group_to);
		vsvm_expect(&own, 0);
		vsvm_expect_residency(own.fd, buffer->ptr, SIZE, DRM_VSVM_LOCATION_VRAM,
				      vsvm_order(flags));
		vsvm_gpu_add(&own, buffer, 0, SIZE, 5);
		vsvm_buffer_check(buffer);
	}
	igt_waitchildren();
	remove_groups(0);
}

static const struct vsvm_subtest subtests[] = {
	{"move-charge", move_charge, VSVM_BOTH, "Another control group takes the charges"},
};

int igt_main()
{
	vsvm_run_subtests(subtests, ARRAY_SIZE(subtests));
}
