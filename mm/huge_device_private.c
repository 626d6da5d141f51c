// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Device-private PMD entries
 *
 * A PMD that maps a device-private folio is not present and holds a swap entry
 * of type SWP_DEVICE_READ or SWP_DEVICE_WRITE. To mm it is a mapping like that
 * of a THP in system memory: it has one reference and one mapping of the entire
 * folio, HPAGE_PMD_NR pages in MM_ANONPAGES, and a deposited page table. Unlike
 * one it has no accessed and no dirty bit, and nothing of it is ever in a TLB,
 * so there is nothing to flush when it changes.
 *
 * Whether the folio is exclusive to the process is said by PageAnonExclusive of
 * the head page alone. A writable entry is exclusive; soft-dirty and uffd-wp are
 * in the entry and go with it through each change of its kind.
 */

#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/vmstat.h>
#include <trace/events/thp.h>
#include <trace/events/zone_device.h>
#include <asm/pgalloc.h>

#include "huge_device_private.h"
#include "internal.h"

/* Give @to the bits that say something about the mapping, not about the page. */
static pmd_t pmd_swp_copy_bits(pmd_t to, pmd_t from)
{
	if (pmd_swp_soft_dirty(from))
		to = pmd_swp_mksoft_dirty(to);
	if (pmd_swp_uffd_wp(from))
		to = pmd_swp_mkuffd_wp(to);
	return to;
}

static pte_t pte_swp_copy_bits(pte_t to, pmd_t from)
{
	if (pmd_swp_soft_dirty(from))
		to = pte_swp_mksoft_dirty(to);
	if (pmd_swp_uffd_wp(from))
		to = pte_swp_mkuffd_wp(to);
	return to;
}

/* The migration entry of page @pfn for a mapping by @entry. */
static swp_entry_t migration_entry_of(swp_entry_t entry, unsigned long pfn,
				      bool exclusive)
{
	if (is_writable_device_private_entry(entry))
		return make_writable_migration_entry(pfn);
	if (exclusive)
		return make_readable_exclusive_migration_entry(pfn);
	return make_readable_migration_entry(pfn);
}

static swp_entry_t device_private_entry_of(unsigned long pfn, bool write)
{
	if (write)
		return make_writable_device_private_entry(pfn);
	return make_readable_device_private_entry(pfn);
}

/**
 * do_huge_pmd_device_private() - bring a folio home that the CPU wants
 * @vmf: The fault; &vm_fault.orig_pmd is a device-private entry.
 *
 * Has the driver migrate the folio, which is locked meanwhile. While somebody
 * else has it locked, most likely for the same purpose, waits for that instead.
 *
 * The driver sees the page at the faulting address in &vm_fault.page, and NULL
 * in &vm_fault.pte, which tells it that a PMD maps the folio.
 *
 * Context: mmap_lock held for reading; not with the VMA lock alone.
 * Return: VM_FAULT_RETRY when only the VMA lock is held, which is dropped then,
 * 0 to try the access again, or what the driver says.
 */
vm_fault_t do_huge_pmd_device_private(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct folio *folio;
	swp_entry_t entry;
	spinlock_t *ptl;
	vm_fault_t ret;

	if (vmf->flags & FAULT_FLAG_VMA_LOCK) {
		vma_end_read(vma);
		return VM_FAULT_RETRY;
	}

	ptl = pmd_lock(vma->vm_mm, vmf->pmd);
	if (unlikely(!pmd_same(*vmf->pmd, vmf->orig_pmd))) {
		spin_unlock(ptl);
		return 0;
	}

	entry = pmd_to_swp_entry(vmf->orig_pmd);
	folio = pfn_swap_entry_folio(entry);
	if (!folio_trylock(folio)) {
		/* The mapping keeps the folio until the ptl is dropped. */
		migration_entry_wait_on_locked(entry, ptl);
		return 0;
	}
	folio_get(folio);
	spin_unlock(ptl);

	vmf->page = pfn_swap_entry_to_page(entry) +
		    ((vmf->address & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
	vmf->pte = NULL;
	trace_device_private_fault_begin(vmf->address, HPAGE_PMD_ORDER, true);
	ret = page_pgmap(vmf->page)->ops->migrate_to_ram(vmf);
	trace_device_private_fault(vmf->address, true, ret);

	/* The folio may have been split: lock and reference are with the page. */
	folio = page_folio(vmf->page);
	folio_unlock(folio);
	folio_put(folio);
	return ret;
}

/**
 * copy_device_private_pmd() - share a folio with a child process
 * @src_vma: VMA of the parent.
 * @addr: Address of the entry, aligned to the size of a PMD.
 * @src_pmd: Entry of the parent, a device-private one.
 *
 * Takes a reference and a mapping for the child. Parent and child can only read
 * from now on: the device has to ask before it writes.
 *
 * Context: Page table locks of parent and child held.
 * Return: The entry for the child.
 */
pmd_t copy_device_private_pmd(struct vm_area_struct *src_vma, unsigned long addr,
			      pmd_t *src_pmd)
{
	struct page *page = pfn_swap_entry_to_page(pmd_to_swp_entry(*src_pmd));
	struct folio *folio = page_folio(page);
	pmd_t pmd;

	folio_get(folio);
	/* Cannot fail: there is no way to pin what the CPU cannot address. */
	WARN_ON_ONCE(folio_try_dup_anon_rmap_pmd(folio, page, src_vma));

	pmd = device_private_pmd_mkread(*src_pmd);
	if (!pmd_same(pmd, *src_pmd))
		set_pmd_at(src_vma->vm_mm, addr, src_pmd, pmd);
	return pmd;
}

/**
 * split_device_private_pmd() - map a folio by a page table instead
 * @vma: The VMA.
 * @haddr: Address of the entry, aligned to the size of a PMD.
 * @pmd: The entry, a device-private one.
 * @freeze: Fill the page table with migration entries and unmap the folio.
 *
 * The folio itself stays as it is.
 *
 * Context: Page table lock held; for @freeze the folio is locked.
 */
void split_device_private_pmd(struct vm_area_struct *vma, unsigned long haddr,
			      pmd_t *pmd, bool freeze)
{
	struct mm_struct *mm = vma->vm_mm;
	pmd_t old_pmd = *pmd, table_pmd;
	swp_entry_t entry = pmd_to_swp_entry(old_pmd);
	struct page *page = pfn_swap_entry_to_page(entry);
	struct folio *folio = page_folio(page);
	bool write = is_writable_device_private_entry(entry);
	bool exclusive = PageAnonExclusive(page);
	unsigned long addr, pfn;
	pgtable_t pgtable;
	pte_t *pte;
	int i;

	count_vm_event(THP_SPLIT_PMD);

	if (freeze && exclusive && folio_try_share_anon_rmap_pmd(folio, page))
		freeze = false;

	if (!freeze) {
		folio_set_device_pte_mapped(folio);
		folio_ref_add(folio, HPAGE_PMD_NR - 1);
		folio_add_anon_rmap_ptes(folio, page, HPAGE_PMD_NR, vma, haddr,
					 exclusive ? RMAP_EXCLUSIVE : RMAP_NONE);
	}

	pgtable = pgtable_trans_huge_withdraw(mm, pmd);
	pmd_populate(mm, &table_pmd, pgtable);
	/* Nobody else sees the table yet. */
	pte = pte_offset_kernel(&table_pmd, haddr);

	addr = haddr;
	pfn = page_to_pfn(page);
	for (i = 0; i < HPAGE_PMD_NR; i++, addr += PAGE_SIZE, pfn++) {
		swp_entry_t swp = freeze ?
			migration_entry_of(entry, pfn, exclusive) :
			device_private_entry_of(pfn, write);

		VM_WARN_ON(!pte_none(ptep_get(pte + i)));
		set_pte_at(mm, addr, pte + i,
			   pte_swp_copy_bits(swp_entry_to_pte(swp), old_pmd));
	}

	folio_remove_rmap_pmd(folio, page, vma);
	if (freeze)
		folio_put(folio);

	/* The entries are there before the table is. */
	smp_wmb();
	pmd_populate(mm, pmd, pgtable);
}

/**
 * device_private_pmd_to_migration() - unmap a folio for migration
 * @pvmw: The walk that found the entry, a device-private one.
 * @page: Head page of the folio.
 *
 * Context: Page table lock and folio lock held.
 */
void device_private_pmd_to_migration(struct page_vma_mapped_walk *pvmw,
				     struct page *page)
{
	struct vm_area_struct *vma = pvmw->vma;
	struct folio *folio = page_folio(page);
	bool exclusive = PageAnonExclusive(page);
	swp_entry_t entry;
	pmd_t old_pmd, pmd;

	old_pmd = pmdp_huge_get_and_clear(vma->vm_mm, pvmw->address, pvmw->pmd);
	entry = pmd_to_swp_entry(old_pmd);

	/* Cannot fail: there is no way to pin what the CPU cannot address. */
	if (exclusive)
		WARN_ON_ONCE(folio_try_share_anon_rmap_pmd(folio, page));

	entry = migration_entry_of(entry, page_to_pfn(page), exclusive);
	pmd = pmd_swp_copy_bits(swp_entry_to_pmd(entry), old_pmd);
	set_pmd_at(vma->vm_mm, pvmw->address, pvmw->pmd, pmd);

	folio_remove_rmap_pmd(folio, page, vma);
	folio_put(folio);
	trace_set_migration_pmd(pvmw->address, pmd_val(pmd));
}

/**
 * migration_pmd_to_device_private() - map a folio that has been migrated
 * @pvmw: The walk that found the entry, a migration entry.
 * @new: Head page of a device-private folio.
 *
 * Context: Page table lock and folio lock held.
 */
void migration_pmd_to_device_private(struct page_vma_mapped_walk *pvmw,
				     struct page *new)
{
	struct vm_area_struct *vma = pvmw->vma;
	struct folio *folio = page_folio(new);
	unsigned long haddr = pvmw->address & HPAGE_PMD_MASK;
	pmd_t old_pmd = *pvmw->pmd, pmd;
	swp_entry_t old = pmd_to_swp_entry(old_pmd);
	bool exclusive = !is_readable_migration_entry(old);
	/* An entry that is write-protected for userfaultfd is not writable. */
	bool write = is_writable_migration_entry(old) && !pmd_swp_uffd_wp(old_pmd);

	folio_get(folio);
	folio_add_anon_rmap_pmd(folio, new, vma, haddr,
				exclusive ? RMAP_EXCLUSIVE : RMAP_NONE);

	pmd = swp_entry_to_pmd(device_private_entry_of(page_to_pfn(new), write));
	pmd = pmd_swp_copy_bits(pmd, old_pmd);
	set_pmd_at(vma->vm_mm, haddr, pvmw->pmd, pmd);
	trace_remove_migration_pmd(haddr, pmd_val(pmd));
}
