/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_COREDUMP_H_
#define _VSVM_COREDUMP_H_

#include <linux/sched.h>
#include <linux/types.h>

#include "hw/vsvm_hw.h"

struct vsvm_device;

/**
 * struct vsvm_crash - a dispatch that ended with an error
 * @client: id of the file
 * @pid: process that opened it
 * @comm: its name
 * @vmid: address space in the GPU
 * @queue: id of the queue
 * @dispatches: dispatches of the queue that ended before
 * @done: how it ended
 * @has_hart: @error is valid
 * @error: the hart that failed
 */
struct vsvm_crash {
	u64 client;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	u32 vmid;
	u32 queue;
	u32 dispatches;
	struct vsvm_hw_done done;
	bool has_hart;
	struct vsvm_hw_error error;
};

int vsvm_coredump_init(struct vsvm_device *vdev);
void vsvm_coredump(struct vsvm_device *vdev, const struct vsvm_crash *crash);

#endif /* _VSVM_COREDUMP_H_ */
