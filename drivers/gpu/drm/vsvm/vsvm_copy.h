/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_COPY_H_
#define _VSVM_COPY_H_

#include <linux/types.h>

#include "hw/vsvm_hw.h"

struct vsvm_device;

#define VSVM_COPY_DESCS	16

/**
 * struct vsvm_copy - descriptors on their way to the copy engine
 * @vdev: the device
 * @desc: not carried out yet
 * @count: how many
 * @bytes: of all descriptors
 * @error: first error
 */
struct vsvm_copy {
	struct vsvm_device *vdev;
	struct vsvm_hw_copy desc[VSVM_COPY_DESCS];
	u32 count;
	u64 bytes;
	int error;
};

void vsvm_copy_add(struct vsvm_copy *copy, u64 dst, u64 src, u64 size, u32 flags);
void vsvm_copy_run(struct vsvm_copy *copy);

#endif /* _VSVM_COPY_H_ */
