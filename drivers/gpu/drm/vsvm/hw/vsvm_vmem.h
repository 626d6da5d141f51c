/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_VMEM_H_
#define _VSVM_VMEM_H_

#include "vsvm_hw_os.h"

#define VSVM_BLOCK_SIZE		((u64)SZ_2M)

/**
 * struct vsvm_block - backing memory of 2 MiB of VRAM
 * @refs: one for the slot and one for each copy under way
 * @mem: the memory
 */
struct vsvm_block {
	refcount_t refs;
	void *mem;
};

/**
 * struct vsvm_vmem - VRAM
 * @lock: protects @block and @used
 * @block: backing memory of each 2 MiB, NULL until it is first written
 * @count: elements of @block
 * @used: those that are not NULL
 */
struct vsvm_vmem {
	spinlock_t lock;	/* @block, @used */
	struct vsvm_block **block;
	u64 count;
	u64 used;
};

int vsvm_vmem_init(struct vsvm_vmem *vmem, u64 size);
void vsvm_vmem_fini(struct vsvm_vmem *vmem);
bool vsvm_vmem_contains(const struct vsvm_vmem *vmem, u64 offset, u64 size);
struct vsvm_block *vsvm_vmem_get(struct vsvm_vmem *vmem, u64 offset);
struct vsvm_block *vsvm_vmem_get_new(struct vsvm_vmem *vmem, u64 offset,
				     bool zero);
void vsvm_vmem_put(struct vsvm_block *block);
void *vsvm_vmem_pointer(struct vsvm_vmem *vmem, u64 offset);
void vsvm_vmem_discard(struct vsvm_vmem *vmem, u64 offset, u64 size);
u64 vsvm_vmem_used(struct vsvm_vmem *vmem);

#endif /* _VSVM_VMEM_H_ */
