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

/* Fill in the entries of one PMD. */
static void collect_compound(struct migrate_vma *migrate, unsigned long mpfn)
{
	unsigned long *src = migrate->src + migrate->npages;
	unsigned long *dst = migrate->dst + migrate->npages;

	src[0] = mpfn | MIGRATE_PFN_MIGRATE | MIGRATE_PFN_COMPOUND;
	memset(src + 1, 0, (HPAGE_PMD_NR - 1) * sizeof(*src));
	memset(dst, 0, HPAGE_PMD_NR * sizeof(*dst));
	migrate->npages += HPAGE_PMD_NR;
	migrate->cpages++;
}

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

	collect_compound(migrate, 0);
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
 * @migrate: The migration.
 * @pmdp: The PMD.
 * @addr: Start of the range that it is collected for.
 * @end: End of that range, within the PMD.
 *
 * Takes the folio as a whole, if it may, and replaces the PMD by a migration
 * entry; else splits it, or the PMD of the huge zero folio.
 *
 * Return: see &enum collect_huge.
 */
enum collect_huge migrate_vma_collect_huge_pmd(struct migrate_vma *migrate,
					       pmd_t *pmdp, unsigned long addr,
					       unsigned long end)
{
	struct vm_area_struct *vma = migrate->vma;
	struct page_vma_mapped_walk pvmw = {
		.vma = vma,
		.address = addr,
		.pmd = pmdp,
	};
	struct folio *folio;
	struct page *page;
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
			collect_compound(migrate, 0);
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

	folio_get(folio);
	if (set_pmd_migration_entry(&pvmw, page)) {
		/* Pinned. */
		spin_unlock(pvmw.ptl);
		folio_unlock(folio);
		folio_put(folio);
		return COLLECT_HUGE_SKIP;
	}
	spin_unlock(pvmw.ptl);

	collect_compound(migrate, migrate_pfn(page_to_pfn(page)) |
				  (write ? MIGRATE_PFN_WRITE : 0));
	return COLLECT_HUGE_DONE;

skip:
	spin_unlock(pvmw.ptl);
	return COLLECT_HUGE_SKIP;
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
	p4d_t *p4dp;
	pud_t *pudp;
	pmd_t *pmdp;

	if (!folio_is_device_private(folio) ||
	    !thp_vma_suitable_order(vma, addr, HPAGE_PMD_ORDER))
		goto abort;

	p4dp = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	if (!p4dp)
		goto abort;
	pudp = pud_alloc(mm, p4dp, addr);
	if (!pudp)
		goto abort;
	pmdp = pmd_alloc(mm, pudp, addr);
	if (!pmdp || unlikely(anon_vma_prepare(vma)))
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

/* Split a folio that has been unmapped, and every migration entry of it. */
static int split_unmapped_folio(struct folio *folio, struct page *fault_page)
{
	struct rmap_walk_control rwc = {
		.rmap_one = split_migration_pmd,
	};
	bool fault = is_fault_folio(fault_page, folio);
	struct anon_vma *anon_vma = NULL;
	unsigned long i;
	int ret;

	if (folio_test_swapcache(folio) && !folio_free_swap(folio))
		return -EBUSY;

	rmap_walk(folio, &rwc);

	/* See migrate_device_pfn_lock(): each part has a reference of its own. */
	if (folio_is_zone_device(folio))
		anon_vma = folio->private;

	ret = split_isolated_folio(folio, 1 + fault);
	if (ret)
		return ret;

	for (i = 1; anon_vma && i < HPAGE_PMD_NR; i++) {
		get_anon_vma(anon_vma);
		set_page_private(&folio->page + i, (unsigned long)anon_vma);
	}
	if (fault)
		get_page(fault_page);
	return 0;
}

/**
 * migrate_device_fit_dst() - make a huge source fit a destination of pages
 * @src: Source entries of one PMD, the first with %MIGRATE_PFN_COMPOUND.
 * @dst: Destination entries.
 * @fault_page: Page of the CPU fault that is being served, or NULL.
 *
 * Does nothing when the destination is a folio of the same size, or NULL. Else
 * splits the source and gives each page an entry of its own; a source that
 * cannot be split loses %MIGRATE_PFN_MIGRATE.
 *
 * Context: Process context; the source is locked and unmapped.
 */
void migrate_device_fit_dst(unsigned long *src, const unsigned long *dst,
			    struct page *fault_page)
{
	unsigned long flags = src[0] & (MIGRATE_PFN_MIGRATE | MIGRATE_PFN_WRITE);
	struct page *page = migrate_pfn_to_page(src[0]);
	struct page *newpage = migrate_pfn_to_page(dst[0]);
	unsigned long i;

	if (!(flags & MIGRATE_PFN_MIGRATE) || !newpage)
		return;

	if (folio_test_large(page_folio(newpage))) {
		if (!(dst[0] & MIGRATE_PFN_COMPOUND) ||
		    folio_order(page_folio(newpage)) != HPAGE_PMD_ORDER)
			src[0] &= ~MIGRATE_PFN_MIGRATE;
		return;
	}

	if (page && split_unmapped_folio(page_folio(page), fault_page)) {
		src[0] &= ~MIGRATE_PFN_MIGRATE;
		return;
	}

	for (i = 0; i < HPAGE_PMD_NR; i++)
		src[i] = flags | (page ? migrate_pfn(page_to_pfn(page + i)) : 0);
}

#endif
