/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * A memory control group (version 2).
 */
#ifndef VSVM_CGROUP_H
#define VSVM_CGROUP_H

/** VSVM_CGROUP_ROOT - folder of the root group */
#define VSVM_CGROUP_ROOT "/sys/fs/cgroup/"

/** VSVM_CGROUP - folder of the group of a test */
#define VSVM_CGROUP VSVM_CGROUP_ROOT "vsvm-test/"

/**
 * vsvm_cgroup_create - make the group, empty; skips if the kernel has none
 *
 * It goes when the program ends, in whatever way, or by vsvm_cgroup_destroy().
 */
void vsvm_cgroup_create(void);

/** vsvm_cgroup_destroy - remove the group, which no process is in */
void vsvm_cgroup_destroy(void);

#endif /* VSVM_CGROUP_H */
