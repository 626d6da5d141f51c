/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_DUPLICATE_H_
#define _VSVM_DUPLICATE_H_

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct vm_area_struct;
struct vsvm_batch;
struct vsvm_device;
struct vsvm_duplicate;
struct vsvm_range;
struct vsvm_vm;

/**
 * struct vsvm_duplicates - all duplicates of a device
 * @lock: protects @list
 * @list: of &struct vsvm_duplicate, oldest first
 */
struct vsvm_duplicates {
	spinlock_t lock;		/* for list */
	struct list_head list;
};

void vsvm_duplicates_init(struct vsvm_duplicates *duplicates);
u64 vsvm_duplicate(struct vsvm_range *range, struct vm_area_struct *vma,
		   unsigned long start, unsigned long end, unsigned long needed,
		   struct vsvm_batch *batch);
void vsvm_duplicate_install(struct vsvm_range *range, struct vsvm_duplicate *dup);
bool vsvm_duplicate_reach(const struct vsvm_range *range, unsigned long *start,
			  unsigned long *end);
void vsvm_duplicate_drop(struct vsvm_range *range, unsigned long start,
			 unsigned long end);
bool vsvm_duplicate_end(struct vsvm_range *range);
bool vsvm_duplicates_end_oldest(struct vsvm_device *vdev);
void vsvm_duplicates_fini(struct vsvm_vm *vm);

#endif /* _VSVM_DUPLICATE_H_ */
