/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_ADVISE_H_
#define _VSVM_ADVISE_H_

#include <linux/mmu_notifier.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/vsvm_drm.h>

struct vsvm_vm;

/**
 * struct vsvm_attrs - what a program wants of a range
 * @value: by &enum drm_vsvm_attribute
 */
struct vsvm_attrs {
	u8 value[DRM_VSVM_ATTRIBUTE_COUNT];
};

/**
 * struct vsvm_advice - all advice for an address space
 * @lock: protects @runs; taken in MMU notifiers
 * @runs: ranges whose attributes are not the default ones; equal neighbours are one
 * @notifier: tells when mappings go, all of the address space; protected by the
 *	mmap lock
 * @watching: @notifier was inserted; likewise
 */
struct vsvm_advice {
	spinlock_t lock;		/* for runs */
	struct rb_root_cached runs;
	struct mmu_interval_notifier notifier;
	bool watching;
};

void vsvm_advice_init(struct vsvm_advice *advice);
void vsvm_advice_fini(struct vsvm_vm *vm);
struct vsvm_attrs vsvm_advice_get(struct vsvm_vm *vm, unsigned long addr,
				  unsigned long *start, unsigned long *end);

void vsvm_attrs_granule(const struct vsvm_attrs *attrs, unsigned long addr,
			unsigned long *start, unsigned long *end);
bool vsvm_attrs_want_vram(const struct vsvm_attrs *attrs, u32 access);
bool vsvm_attrs_want_duplicate(const struct vsvm_attrs *attrs);
void vsvm_attrs_restrict(const struct vsvm_attrs *attrs, unsigned long *pfns,
			 unsigned long count);
bool vsvm_attrs_want_exclusive(const struct vsvm_attrs *attrs, u32 access);
u64 vsvm_attrs_pte_flags(const struct vsvm_attrs *attrs, u32 access);

static inline bool vsvm_attrs_no_migrate(const struct vsvm_attrs *attrs)
{
	return attrs->value[DRM_VSVM_ATTRIBUTE_NO_MIGRATE];
}

#endif /* _VSVM_ADVISE_H_ */
