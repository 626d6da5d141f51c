// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Folios that page table entries map
 *
 * A folio of an order below that of a PMD is mapped by as many entries of one
 * page table as it has pages, and so may a larger one be. With
 * %MIGRATE_VMA_SELECT_MTHP such a folio is one entry for the driver, as a PMD is,
 * if all of it is mapped, in order, within the range. Else it is split.
 *
 * The destination is a folio of the same order, or folios of a smaller order, for
 * which the source is split, or pages.
 *
 * What does not exist yet has no order: its entries are single ones, and the
 * driver may answer as many of them as it likes by one folio, in the destination
 * of the first, if that is aligned to the size of the folio.
 */

#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/rmap.h>
#include <linux/swapops.h>
#include <linux/userfaultfd_k.h>
#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

#include "internal.h"
#include "migrate_device_huge.h"

/**
 * migrate_vma_unmap_pte() - make an entry of a page table a migration entry
 * @vma: The VMA.
 * @addr: Address of the entry.
 * @ptep: The entry, present or device-private.
 * @page: The page that it maps, whose folio is locked.
 *
 * The caller takes the mapping and its reference from the folio, which may be
 * done for several pages at once, and flushes the TLB if the entry was present.
 *
 * Context: Page table lock held.
 * Return: false when the page is pinned, and the entry is as it was.
 */
bool migrate_vma_unmap_pte(struct vm_area_struct *vma, unsigned long addr,
			   pte_t *ptep, struct page *page)
{
	struct folio *folio = page_folio(page);
	bool exclusive = folio_test_anon(folio) && PageAnonExclusive(page);
	unsigned long pfn = page_to_pfn(page);
	swp_entry_t entry;
	pte_t pte, swp_pte;
	bool write;

	/* See folio_try_share_anon_rmap_pte(): clear the entry first. */
	if (pte_present(ptep_get(ptep)))
		flush_cache_page(vma, addr, pfn);
	pte = ptep_get_and_clear(vma->vm_mm, addr, ptep);
	if (exclusive && folio_try_share_anon_rmap_pte(folio, page)) {
		set_pte_at(vma->vm_mm, addr, ptep, pte);
		return false;
	}

	write = pte_present(pte) ? pte_write(pte) :
		is_writable_device_private_entry(pte_to_swp_entry(pte));
	if (write)
		entry = make_writable_migration_entry(pfn);
	else if (exclusive)
		entry = make_readable_exclusive_migration_entry(pfn);
	else
		entry = make_readable_migration_entry(pfn);

	if (!pte_present(pte)) {
		swp_pte = swp_entry_to_pte(entry);
		if (pte_swp_soft_dirty(pte))
			swp_pte = pte_swp_mksoft_dirty(swp_pte);
		if (pte_swp_uffd_wp(pte))
			swp_pte = pte_swp_mkuffd_wp(swp_pte);
		set_pte_at(vma->vm_mm, addr, ptep, swp_pte);
		return true;
	}

	if (pte_young(pte))
		entry = make_migration_entry_young(entry);
	if (pte_dirty(pte)) {
		folio_mark_dirty(folio);
		entry = make_migration_entry_dirty(entry);
	}
	swp_pte = swp_entry_to_pte(entry);
	if (pte_soft_dirty(pte))
		swp_pte = pte_swp_mksoft_dirty(swp_pte);
	if (pte_uffd_wp(pte))
		swp_pte = pte_swp_mkuffd_wp(swp_pte);
	set_pte_at(vma->vm_mm, addr, ptep, swp_pte);
	return true;
}

/**
 * migrate_vma_collect_entry() - fill in the entries of a folio or a hole
 * @migrate: The migration.
 * @mpfn: The first entry, without the flags that all have.
 * @nr: Number of pages; more than one.
 */
void migrate_vma_collect_entry(struct migrate_vma *migrate, unsigned long mpfn,
			       unsigned long nr)
{
	unsigned long *src = migrate->src + migrate->npages;
	unsigned long *dst = migrate->dst + migrate->npages;

	/* migrate_vma_setup() has cleared the source. */
	src[0] = mpfn | MIGRATE_PFN_MIGRATE | MIGRATE_PFN_COMPOUND;
	memset(dst, 0, nr * sizeof(*dst));
	migrate->npages += nr;
	migrate->cpages++;
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE

/* Do the entries from @ptep on map all of @folio, in order? May all be written to? */
static bool ptes_map_folio(pte_t *ptep, struct folio *folio, bool *write)
{
	unsigned long nr = folio_nr_pages(folio);
	unsigned long pfn = folio_pfn(folio);
	unsigned long i;

	*write = true;
	for (i = 0; i < nr; i++) {
		pte_t pte = ptep_get(ptep + i);
		swp_entry_t entry;

		if (pte_present(pte)) {
			if (pte_pfn(pte) != pfn + i)
				return false;
			*write = *write && pte_write(pte);
			continue;
		}
		if (!is_swap_pte(pte))
			return false;

		entry = pte_to_swp_entry(pte);
		if (!is_device_private_entry(entry) ||
		    swp_offset_pfn(entry) != pfn + i)
			return false;
		*write = *write && is_writable_device_private_entry(entry);
	}
	return true;
}

/**
 * migrate_vma_collect_folio() - collect a folio that page table entries map
 * @collect: The walk that collects for a migration.
 * @folio: A large folio that may be collected by its kind, not locked unless it
 *	is that of the fault.
 * @ptep: Entry that maps a page of it.
 * @addr: Address of the entry.
 * @end: End of the range, within the page table.
 *
 * Takes the folio as a whole, if it may, and replaces its entries by migration
 * entries. A page that turns out to be pinned ends that: the rest stays mapped,
 * which migrate_device_unmap() finds, and restores all.
 *
 * Context: Page table lock held.
 * Return: The number of pages of the folio, or 0 if it was not collected.
 */
unsigned long migrate_vma_collect_folio(struct migrate_vma_collect *collect,
					struct folio *folio, pte_t *ptep,
					unsigned long addr, unsigned long end)
{
	struct migrate_vma *migrate = collect->migrate;
	struct vm_area_struct *vma = migrate->vma;
	bool fault = is_fault_folio(migrate->fault_page, folio);
	unsigned long nr = folio_nr_pages(folio);
	bool present = pte_present(ptep_get(ptep));
	unsigned long i;
	bool write;

	if (!(migrate->flags & MIGRATE_VMA_SELECT_MTHP) ||
	    !folio_test_anon(folio) || nr > (end - addr) >> PAGE_SHIFT ||
	    !ptes_map_folio(ptep, folio, &write))
		return 0;
	if (!fault && !folio_trylock(folio))
		return 0;

	for (i = 0; i < nr; i++)
		if (!migrate_vma_unmap_pte(vma, addr + i * PAGE_SIZE, ptep + i,
					   folio_page(folio, i)))
			break;
	if (!i) {
		if (!fault)
			folio_unlock(folio);
		return 0;
	}
	collect->flush |= present;

	/* The references of the entries are given up, but for one of ours. */
	folio_remove_rmap_ptes(folio, &folio->page, i, vma);
	folio_ref_sub(folio, i - 1);

	migrate_vma_collect_entry(migrate, migrate_pfn(folio_pfn(folio)) |
				  (write ? MIGRATE_PFN_WRITE : 0), nr);
	return nr;
}

/**
 * migrate_vma_hole_run() - may a folio fill a hole?
 * @src: Source entries, the first of which is a hole of one page.
 * @npages: Number of them.
 * @dst: Destination entry, of a large folio.
 *
 * Return: Number of pages of the folio if there are as many holes, else 0.
 */
unsigned long migrate_vma_hole_run(const unsigned long *src, unsigned long npages,
				   unsigned long dst)
{
	unsigned long nr = folio_nr_pages(page_folio(migrate_pfn_to_page(dst)));
	unsigned long i;

	if (!(dst & MIGRATE_PFN_COMPOUND) || nr > npages)
		return 0;
	for (i = 0; i < nr; i++)
		if (src[i] != MIGRATE_PFN_MIGRATE)
			return 0;
	return nr;
}

/**
 * migrate_vma_alloc_pmd() - get ready to map a new folio
 * @vma: The VMA.
 * @addr: The address.
 *
 * Allocates what the page tables lack above a PMD, and the anon_vma.
 *
 * Return: The PMD, or NULL when there is no memory.
 */
pmd_t *migrate_vma_alloc_pmd(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	p4d_t *p4dp;
	pud_t *pudp;

	if (unlikely(anon_vma_prepare(vma)))
		return NULL;
	p4dp = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	if (!p4dp)
		return NULL;
	pudp = pud_alloc(mm, p4dp, addr);
	if (!pudp)
		return NULL;
	return pmd_alloc(mm, pudp, addr);
}

/* May a new folio take the place of these entries? */
static bool ptes_are_hole(pte_t *ptep, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		pte_t pte = ptep_get(ptep + i);

		if (pte_none(pte))
			continue;
		if (!pte_present(pte) || !is_zero_pfn(pte_pfn(pte)) ||
		    pte_uffd_wp(pte))
			return false;
	}
	return true;
}

/**
 * migrate_vma_insert_folio() - map a new folio into a hole by page table entries
 * @migrate: The migration.
 * @addr: Address, aligned to the size of the folio.
 * @folio: Device-private folio of an order below that of a PMD, locked.
 * @src: First entry of the source array; loses %MIGRATE_PFN_MIGRATE when the
 *	folio has not been mapped.
 *
 * Context: mmap_lock held for reading, within an MMU notifier range.
 */
void migrate_vma_insert_folio(struct migrate_vma *migrate, unsigned long addr,
			      struct folio *folio, unsigned long *src)
{
	struct vm_area_struct *vma = migrate->vma;
	struct mm_struct *mm = vma->vm_mm;
	unsigned long nr = folio_nr_pages(folio);
	unsigned long pfn = folio_pfn(folio);
	unsigned long i;
	spinlock_t *ptl;
	pmd_t *pmdp;
	pte_t *ptep;

	if (!folio_is_device_private(folio) ||
	    !thp_vma_suitable_order(vma, addr, folio_order(folio)))
		goto abort;
	pmdp = migrate_vma_alloc_pmd(vma, addr);
	if (!pmdp)
		goto abort;
	/* The one huge entry that holds nothing yet. */
	if (pmd_trans_huge(*pmdp) && is_huge_zero_pmd(*pmdp))
		split_huge_pmd(vma, pmdp, addr);
	if (pte_alloc(mm, pmdp) || mem_cgroup_charge(folio, mm, GFP_KERNEL))
		goto abort;

	/* What the device wrote is there before the entries that lead to it. */
	__folio_mark_uptodate(folio);

	ptep = pte_offset_map_lock(mm, pmdp, addr, &ptl);
	if (!ptep)
		goto abort;
	/* For sparse, which loses sight of the lock in that inline function. */
	__acquire(ptl);
	if (check_stable_address_space(mm) || userfaultfd_missing(vma) ||
	    !ptes_are_hole(ptep, nr))
		goto unlock_abort;

	folio_set_device_pte_mapped(folio);
	folio_ref_add(folio, nr);
	folio_add_new_anon_rmap(folio, vma, addr, RMAP_EXCLUSIVE);
	add_mm_counter(mm, MM_ANONPAGES, nr);

	for (i = 0; i < nr; i++, addr += PAGE_SIZE) {
		swp_entry_t entry = vma->vm_flags & VM_WRITE ?
			make_writable_device_private_entry(pfn + i) :
			make_readable_device_private_entry(pfn + i);
		pte_t pte = pte_swp_mksoft_dirty(swp_entry_to_pte(entry));

		if (pte_present(ptep_get(ptep + i))) {
			flush_cache_page(vma, addr, pte_pfn(ptep_get(ptep + i)));
			ptep_clear_flush(vma, addr, ptep + i);
		}
		set_pte_at(mm, addr, ptep + i, pte);
	}
	pte_unmap_unlock(ptep, ptl);
	return;

unlock_abort:
	pte_unmap_unlock(ptep, ptl);
abort:
	*src &= ~MIGRATE_PFN_MIGRATE;
}

#endif
