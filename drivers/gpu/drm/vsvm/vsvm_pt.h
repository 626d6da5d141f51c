/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_PT_H_
#define _VSVM_PT_H_

#include <linux/types.h>

struct page;
struct vsvm_vm;

/* Tables that one block may need besides the root. */
#define VSVM_PT_STASH	(VSVM_HW_PT_LEVELS - 1)

/**
 * struct vsvm_pt - page tables of the GPU
 * @root: table of the highest level
 * @stash: zeroed pages, so that tables can be added without an allocation
 * @stashed: how many
 */
struct vsvm_pt {
	struct page *root;
	struct page *stash[VSVM_PT_STASH];
	unsigned int stashed;
};

/**
 * struct vsvm_pt_usage - what the entries of a block lead to
 * @vram: pages in VRAM
 * @system: pages in system memory
 * @writable: pages of both that may be written to
 * @leaf: it is one leaf of 2 MiB
 */
struct vsvm_pt_usage {
	unsigned int vram;
	unsigned int system;
	unsigned int writable;
	bool leaf;
};

int vsvm_pt_init(struct vsvm_vm *vm);
void vsvm_pt_fini(struct vsvm_vm *vm);
int vsvm_pt_lock_prepared(struct vsvm_vm *vm);
u64 vsvm_pt_map(struct vsvm_vm *vm, unsigned long start, unsigned long end,
		const unsigned long *pfns, u64 flags, bool flush);
bool vsvm_pt_clear(struct vsvm_vm *vm, unsigned long start, unsigned long end);
bool vsvm_pt_allows(struct vsvm_vm *vm, unsigned long addr, u32 access);
unsigned long vsvm_pt_find_system(struct vsvm_vm *vm, unsigned long *start,
				  unsigned long end);
void vsvm_pt_count(struct vsvm_vm *vm, unsigned long addr,
		   struct vsvm_pt_usage *usage);

#endif /* _VSVM_PT_H_ */
