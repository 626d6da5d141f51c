/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * PMD entries that are device-private, for the rest of mm/ only.
 */
#ifndef _MM_HUGE_DEVICE_PRIVATE_H
#define _MM_HUGE_DEVICE_PRIVATE_H

#include <linux/mm_types.h>
#include <linux/rmap.h>

#if defined(CONFIG_DEVICE_PRIVATE) && defined(CONFIG_ARCH_ENABLE_THP_MIGRATION)

vm_fault_t do_huge_pmd_device_private(struct vm_fault *vmf);
pmd_t copy_device_private_pmd(struct vm_area_struct *src_vma, unsigned long addr,
			      pmd_t *src_pmd);
void split_device_private_pmd(struct vm_area_struct *vma, unsigned long haddr,
			      pmd_t *pmd, bool freeze);
void device_private_pmd_to_migration(struct page_vma_mapped_walk *pvmw,
				     struct page *page);
void migration_pmd_to_device_private(struct page_vma_mapped_walk *pvmw,
				     struct page *new);

#else

static inline vm_fault_t do_huge_pmd_device_private(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static inline pmd_t copy_device_private_pmd(struct vm_area_struct *src_vma,
					    unsigned long addr, pmd_t *src_pmd)
{
	return *src_pmd;
}

static inline void split_device_private_pmd(struct vm_area_struct *vma,
					    unsigned long haddr, pmd_t *pmd,
					    bool freeze)
{
}

static inline void device_private_pmd_to_migration(struct page_vma_mapped_walk *pvmw,
						   struct page *page)
{
}

static inline void migration_pmd_to_device_private(struct page_vma_mapped_walk *pvmw,
						   struct page *new)
{
}

#endif

#endif /* _MM_HUGE_DEVICE_PRIVATE_H */
