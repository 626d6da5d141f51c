// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Huge entries of migrate_vma
 *
 * A driver that sets %MIGRATE_VMA_SELECT_COMPOUND gets a PMD in one entry: the
 * first of its HPAGE_PMD_NR entries in the source array has
 * %MIGRATE_PFN_COMPOUND, the others are 0, and it counts once in
 * &migrate_vma.cpages. An entry without a pfn is a hole of that size.
 *
 * The driver answers in the destination array with one folio of the same size
 * and %MIGRATE_PFN_COMPOUND, and 0 in the other entries; or, if it has no such
 * folio, with HPAGE_PMD_NR single pages. Then the source is split once its
 * contents have been copied, see migrate_device_fit_dst(). It may also leave the
 * entry alone, by 0 in the first entry of the destination. A large folio as the
 * destination of anything else is refused.
 *
 * What is mapped by a PMD but cannot be migrated in one piece, because the range
 * ends within it or the driver did not ask, is split before it is collected. So
 * every entry is a PMD or a single page.
 *
 * A folio that has other mappings
 * -------------------------------
 *
 * After fork() a folio has a PMD in several processes. By the time it is split
 * all of them are migration entries, which hold no reference and keep nobody
 * from splitting. A PMD that was left would later be pointed at what is a single
 * page by then, and give a process 511 pages of somebody else. So every PMD is
 * split first, by a walk over all mappings, then the folio.
 */

#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/oom.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/userfaultfd_k.h>
#include <asm/pgalloc.h>

#include "huge_device_private.h"
#include "internal.h"
#include "migrate_device_huge.h"

/**
 * migrate_vma_split_folio() - split a folio that is mapped and in the way
 * @migrate: The migration.
 * @page: Page of a large folio. Unless it is the fault folio, the caller has
 *	locked it and holds a reference; both are given up here.
 *
 * Lock and reference of whoever handles the fault stay with the page of the
 * fault all the time.
 *
 * Return: 0 or a negative errno, as split_huge_page().
 */
int migrate_vma_split_folio(struct migrate_vma *migrate, struct page *page)
{
	int ret;

	if (is_fault_folio(migrate->fault_page, page_folio(page)))
		return split_huge_page(migrate->fault_page);

	ret = split_huge_page(page);
	folio_unlock(page_folio(page));
	put_page(page);
	return ret;
}

#ifdef CONFIG_ARCH_ENABLE_THP_MIGRATION

static bool whole_pmd(struct migrate_vma *migrate, unsigned long addr,
		      unsigned long end)
{
	return (migrate->flags & MIGRATE_VMA_SELECT_COMPOUND) &&
	       IS_ALIGNED(addr, HPAGE_PMD_SIZE) && end - addr >= HPAGE_PMD_SIZE;
}

/**
 * migrate_vma_collect_huge_hole() - offer memory that does not exist yet
 * @migrate: The migration.
 * @addr: Where the hole goes on.
 * @end: End of the hole.
 *
 * Fills in the entries of one PMD, if the hole has room for one here, and a CPU
 * fault would be allowed to take a THP.
 *
 * Return: true when it did.
 */
bool migrate_vma_collect_huge_hole(struct migrate_vma *migrate,
				   unsigned long addr, unsigned long end)
{
	struct vm_area_struct *vma = migrate->vma;

	if (!whole_pmd(migrate, addr, end) ||
	    !thp_vma_suitable_order(vma, addr, HPAGE_PMD_ORDER) ||
	    !thp_vma_allowable_order(vma, vma->vm_flags,
				     TVA_IN_PF | TVA_ENFORCE_SYSFS,
				     HPAGE_PMD_ORDER))
		return false;

	migrate_vma_collect_entry(migrate, 0, HPAGE_PMD_NR);
	return true;
}

/*
 * May this migration take the folio that a PMD maps? Also says whether the
 * entry is writable.
 */
static bool may_collect(struct migrate_vma *migrate, struct folio *folio, pmd_t pmd,
			bool *write)
{
	if (is_pmd_device_private_entry(pmd)) {
		*write = is_writable_device_private_entry(pmd_to_swp_entry(pmd));
		return (migrate->flags & MIGRATE_VMA_SELECT_DEVICE_PRIVATE) &&
		       page_pgmap(&folio->page)->owner == migrate->pgmap_owner;
	}

	*write = pmd_write(pmd);
	return (migrate->flags & MIGRATE_VMA_SELECT_SYSTEM) &&
	       folio_test_anon(folio) && !folio_is_zone_device(folio);
}

/**
 * migrate_vma_collect_huge_pmd() - collect what a huge PMD maps
 * @collect: The walk that collects for a migration.
 * @pmdp: The PMD.
 * @addr: Start of the range that it is collected for.
 * @end: End of that range, within the PMD.
 *
 * Takes the folio as a whole, if it may, and replaces the PMD by a migration
 * entry; else splits it, or the PMD of the huge zero folio.
 *
 * Return: see &enum collect_huge.
 */
enum collect_huge migrate_vma_collect_huge_pmd(struct migrate_vma_collect *collect,
					       pmd_t *pmdp, unsigned long addr,
					       unsigned long end)
{
	struct migrate_vma *migrate = collect->migrate;
	struct vm_area_struct *vma = migrate->vma;
	struct page_vma_mapped_walk pvmw = {
		.vma = vma,
		.address = addr,
		.pmd = pmdp,
		.flags = PVMW_DEFER_FLUSH,
	};
	struct folio *folio;
	struct page *page;
	unsigned long mpfn;
	bool write;
	pmd_t pmd;

	pvmw.ptl = pmd_lock(vma->vm_mm, pmdp);
	pmd = *pmdp;
	if (pmd_trans_huge(pmd)) {
		page = pmd_page(pmd);
	} else if (is_pmd_device_private_entry(pmd)) {
		page = pfn_swap_entry_to_page(pmd_to_swp_entry(pmd));
	} else {
		/* Under migration by somebody else, or changed meanwhile. */
		spin_unlock(pvmw.ptl);
		return is_swap_pmd(pmd) ? COLLECT_HUGE_SKIP : COLLECT_HUGE_AGAIN;
	}
	folio = page_folio(page);

	if (is_huge_zero_folio(folio)) {
		spin_unlock(pvmw.ptl);
		if (!(migrate->flags & MIGRATE_VMA_SELECT_SYSTEM))
			return COLLECT_HUGE_SKIP;
		if (whole_pmd(migrate, addr, end)) {
			migrate_vma_collect_entry(migrate, 0, HPAGE_PMD_NR);
			return COLLECT_HUGE_DONE;
		}
		split_huge_pmd(vma, pmdp, addr);
		return COLLECT_HUGE_AGAIN;
	}

	if (!may_collect(migrate, folio, pmd, &write))
		goto skip;

	if (!is_fault_folio(migrate->fault_page, folio) && !folio_trylock(folio))
		goto skip;

	if (!whole_pmd(migrate, addr, end)) {
		if (!is_fault_folio(migrate->fault_page, folio))
			folio_get(folio);
		spin_unlock(pvmw.ptl);
		page += (addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT;
		return migrate_vma_split_folio(migrate, page) ?
			COLLECT_HUGE_SKIP : COLLECT_HUGE_AGAIN;
	}

	mpfn = migrate_pfn(page_to_pfn(page));
	if (write)
		mpfn |= MIGRATE_PFN_WRITE;
	if (folio_mapcount(folio) == 1)
		mpfn |= MIGRATE_PFN_MAPPED_ONCE;

	folio_get(folio);
	if (set_pmd_migration_entry(&pvmw, page)) {
		/* Pinned. */
		spin_unlock(pvmw.ptl);
		folio_unlock(folio);
		folio_put(folio);
		return COLLECT_HUGE_SKIP;
	}
	spin_unlock(pvmw.ptl);
	if (pmd_present(pmd))
		collect->flush = true;

	migrate_vma_collect_entry(migrate, mpfn, HPAGE_PMD_NR);
	return COLLECT_HUGE_DONE;

skip:
	spin_unlock(pvmw.ptl);
	return COLLECT_HUGE_SKIP;
}

/**
 * migrate_vma_map_huge_pmd() - map a folio again by the PMD that it had
 * @migrate: The migration.
 * @addr: Address of the PMD.
 * @mpfn: Entry of the source array.
 * @dst: The folio to be mapped, locked: where the source has moved, or itself.
 *
 * For a source that had no other mapping. None can have come since: fork() needs
 * the mmap_lock for writing. So there is nothing that a walk of the rmap could
 * find besides.
 *
 * Context: mmap_lock held for reading.
 * Return: false when that has to be walked after all.
 */
bool migrate_vma_map_huge_pmd(struct migrate_vma *migrate, unsigned long addr,
			      unsigned long mpfn, struct folio *dst)
{
	struct page_vma_mapped_walk pvmw = {
		.vma = migrate->vma,
		.address = addr,
	};
	bool mapped = false;

	if ((mpfn & (MIGRATE_PFN_COMPOUND | MIGRATE_PFN_MAPPED_ONCE)) !=
	    (MIGRATE_PFN_COMPOUND | MIGRATE_PFN_MAPPED_ONCE))
		return false;
	mmap_assert_locked(migrate->vma->vm_mm);

	pvmw.pmd = mm_find_pmd(migrate->vma->vm_mm, addr);
	if (!pvmw.pmd)
		return false;

	pvmw.ptl = pmd_lock(migrate->vma->vm_mm, pvmw.pmd);
	if (is_pmd_migration_entry(*pvmw.pmd) &&
	    swp_offset_pfn(pmd_to_swp_entry(*pvmw.pmd)) == mpfn >> MIGRATE_PFN_SHIFT) {
		remove_migration_pmd(&pvmw, &dst->page);
		mapped = true;
	}
	spin_unlock(pvmw.ptl);
	return mapped;
}

/**
 * migrate_vma_insert_huge_pmd() - map a new folio into a hole
 * @migrate: The migration.
 * @addr: Address, aligned to the size of a PMD.
 * @folio: Device-private folio of that size, locked.
 * @src: Entry of the source array; loses %MIGRATE_PFN_MIGRATE when the folio has
 *	not been mapped.
 *
 * Context: mmap_lock held for reading, within an MMU notifier range.
 */
void migrate_vma_insert_huge_pmd(struct migrate_vma *migrate, unsigned long addr,
				 struct folio *folio, unsigned long *src)
{
	struct vm_area_struct *vma = migrate->vma;
	struct mm_struct *mm = vma->vm_mm;
	pgtable_t pgtable = NULL;
	swp_entry_t entry;
	spinlock_t *ptl;
	pmd_t *pmdp;

	if (!folio_is_device_private(folio) ||
	    !thp_vma_suitable_order(vma, addr, HPAGE_PMD_ORDER))
		goto abort;

	pmdp = migrate_vma_alloc_pmd(vma, addr);
	if (!pmdp)
		goto abort;
	if (mem_cgroup_charge(folio, mm, GFP_KERNEL))
		goto abort;
	pgtable = pte_alloc_one(mm);
	if (!pgtable)
		goto abort;

	/* What the device wrote is there before the entry that leads to it. */
	__folio_mark_uptodate(folio);

	if (vma->vm_flags & VM_WRITE)
		entry = make_writable_device_private_entry(folio_pfn(folio));
	else
		entry = make_readable_device_private_entry(folio_pfn(folio));

	ptl = pmd_lock(mm, pmdp);
	if (check_stable_address_space(mm) || userfaultfd_missing(vma) ||
	    (!pmd_none(*pmdp) &&
	     (!is_huge_zero_pmd(*pmdp) || pmd_uffd_wp(*pmdp)))) {
		spin_unlock(ptl);
		goto abort;
	}

	folio_get(folio);
	folio_add_new_anon_rmap(folio, vma, addr, RMAP_EXCLUSIVE);
	add_mm_counter(mm, MM_ANONPAGES, HPAGE_PMD_NR);

	if (pmd_none(*pmdp)) {
		pgtable_trans_huge_deposit(mm, pmdp, pgtable);
		mm_inc_nr_ptes(mm);
		pgtable = NULL;
	} else {
		/* The zero folio has a table deposited, which stays. */
		flush_cache_range(vma, addr, addr + HPAGE_PMD_SIZE);
		pmdp_huge_clear_flush(vma, addr, pmdp);
	}
	set_pmd_at(mm, addr, pmdp, pmd_swp_mksoft_dirty(swp_entry_to_pmd(entry)));
	spin_unlock(ptl);

	if (pgtable)
		pte_free(mm, pgtable);
	return;

abort:
	if (pgtable)
		pte_free(mm, pgtable);
	*src &= ~MIGRATE_PFN_MIGRATE;
}

#endif

static bool split_migration_pmd(struct folio *folio, struct vm_area_struct *vma,
				unsigned long addr, void *arg)
{
	DEFINE_FOLIO_VMA_WALK(pvmw, folio, vma, addr, PVMW_SYNC | PVMW_MIGRATION);

	if (page_vma_mapped_walk(&pvmw)) {
		/* Nothing in it is present: no notifier, no flush. */
		if (!pvmw.pte)
			split_huge_pmd_locked(vma, pvmw.address, pvmw.pmd, false,
					      NULL);
		page_vma_mapped_walk_done(&pvmw);
	}
	return true;
}

/* Split a folio that has been unmapped, and every huge migration entry of it. */
static int split_unmapped_folio(struct folio *folio, struct page *fault_page,
				unsigned int new_order)
{
	struct rmap_walk_control rwc = {
		.rmap_one = split_migration_pmd,
	};
	bool fault = is_fault_folio(fault_page, folio);
	unsigned long nr = folio_nr_pages(folio);
	struct anon_vma *anon_vma = NULL;
	unsigned long i;
	int ret;

	if (folio_test_swapcache(folio) && !folio_free_swap(folio))
		return -EBUSY;

	if (folio_test_pmd_mappable(folio))
		rmap_walk(folio, &rwc);

	/* See migrate_device_pfn_lock(): each part has a reference of its own. */
	if (folio_is_zone_device(folio))
		anon_vma = folio->private;

	ret = split_isolated_folio(folio, 1 + fault, new_order);
	if (ret)
		return ret;

	for (i = 1UL << new_order; anon_vma && i < nr; i += 1UL << new_order) {
		get_anon_vma(anon_vma);
		set_page_private(&folio->page + i, (unsigned long)anon_vma);
	}
	if (fault)
		get_page(fault_page);
	return 0;
}

/**
 * migrate_device_fit_dst() - make a large source fit a smaller destination
 * @src: Source entries of one folio or hole, the first with
 *	%MIGRATE_PFN_COMPOUND.
 * @dst: Destination entries.
 * @fault_page: Page of the CPU fault that is being served, or NULL.
 *
 * Does nothing when the destination is a folio of the same size, or NULL. Else
 * splits the source to the order of the first destination and gives each part an
 * entry of its own; a source that cannot be split, or one that is smaller, loses
 * %MIGRATE_PFN_MIGRATE.
 *
 * Context: Process context; the source is locked and unmapped.
 */
void migrate_device_fit_dst(unsigned long *src, const unsigned long *dst,
			    struct page *fault_page)
{
	unsigned long flags = src[0] & (MIGRATE_PFN_MIGRATE | MIGRATE_PFN_WRITE);
	struct page *page = migrate_pfn_to_page(src[0]);
	struct page *newpage = migrate_pfn_to_page(dst[0]);
	unsigned long nr = migrate_pfn_nr_pages(src[0]);
	unsigned long i, new_nr;
	unsigned int new_order;

	if (!(flags & MIGRATE_PFN_MIGRATE) || !newpage)
		return;

	new_order = folio_order(page_folio(newpage));
	new_nr = 1UL << new_order;
	/* Anonymous memory cannot be of order 1. */
	if (new_nr > nr || new_order == 1 ||
	    (new_order && !(dst[0] & MIGRATE_PFN_COMPOUND))) {
		src[0] &= ~MIGRATE_PFN_MIGRATE;
		return;
	}
	if (new_nr == nr)
		return;

	if (!page) {
		for (i = 0; i < nr; i++)
			src[i] = flags;
		return;
	}

	if (split_unmapped_folio(page_folio(page), fault_page, new_order)) {
		src[0] &= ~MIGRATE_PFN_MIGRATE;
		return;
	}
	if (new_order)
		flags |= MIGRATE_PFN_COMPOUND;
	for (i = 0; i < nr; i += new_nr)
		src[i] = flags | migrate_pfn(page_to_pfn(page + i));
}
