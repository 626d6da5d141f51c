// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

#include "vsvm_copy.h"
#include "vsvm_drv.h"

/**
 * vsvm_copy_run() - have the copy engine carry out what was added
 * @copy: the descriptors
 *
 * Nothing is carried out any more after &vsvm_copy.error was set.
 *
 * Context: May sleep.
 */
void vsvm_copy_run(struct vsvm_copy *copy)
{
	if (copy->count && !copy->error)
		copy->error = vsvm_hw_copy(copy->vdev->hw, copy->desc,
					   copy->count);
	copy->count = 0;
}

/**
 * vsvm_copy_add() - add a piece to be copied
 * @copy: the descriptors
 * @dst: where to, an offset in VRAM or a physical address, as @flags say
 * @src: where from, likewise
 * @size: bytes
 * @flags: VSVM_HW_COPY_*
 *
 * A piece that continues the last one becomes a part of that.
 *
 * Context: May sleep.
 */
void vsvm_copy_add(struct vsvm_copy *copy, u64 dst, u64 src, u64 size, u32 flags)
{
	struct vsvm_hw_copy *last;

	copy->bytes += size;
	if (copy->count) {
		last = &copy->desc[copy->count - 1];
		if (last->flags == flags && last->dst + last->size == dst &&
		    ((flags & VSVM_HW_COPY_FILL_ZERO) ||
		     last->src + last->size == src)) {
			last->size += size;
			return;
		}
	}

	if (copy->count == VSVM_COPY_DESCS)
		vsvm_copy_run(copy);
	copy->desc[copy->count++] = (struct vsvm_hw_copy) {
		.dst = dst,
		.src = src,
		.size = size,
		.flags = flags,
	};
}
