// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Read duplication
 *
 * What a device and the CPUs read, and hardly ever write, is best kept twice: a copy in
 * the device's own memory, while the CPUs go on with the original. The driver must
 * learn of a write before it happens, then. MMU notifiers do not tell that: an anonymous
 * page that its process has for itself is written to without any.
 *
 * hmm_range_share() makes such a page what it is after a fork(), one that is written to
 * by nobody: write-protected and not exclusive, with a reference for the driver. As long
 * as that is held, the page is in use elsewhere, so that whoever wants to write gets
 * another page, and MMU notifiers are called before it is entered in the page table.
 *
 * The driver invalidates its copy in the notifier, and puts its reference. This must not
 * be put off: the reference also keeps memory from being reclaimed and migrated. Both
 * call notifiers when they unmap a folio, before they look at its references. A large
 * folio that is to be split first is the exception: for that there is
 * hmm_unshare_folio(). Whenever notifiers are called for a part of a large folio, the
 * references to all of it must go, therefore.
 */

#include <linux/hmm.h>
#include <linux/huge_mm.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include <asm/tlbflush.h>

#include "internal.h"

/**
 * struct hmm_share - a walk that shares pages
 * @start: the address of @pages[0]
 * @end: the end of what is wanted
 * @pages: the pages that are shared, with a reference each
 * @count: how many
 * @folio: the folio of which the last reference was taken, or looked at
 * @own: how many of its references are those of @pages
 * @protect: exclusive pages are made shared; MMU notifiers have been called
 * @exclusive: there are any
 * @undrained: some may be refused for nothing but references of a CPU that has just
 *	allocated them
 */
struct hmm_share {
	unsigned long start;
	unsigned long end;
	struct page **pages;
	long count;
	struct folio *folio;
	int own;
	bool protect;
	bool exclusive;
	bool undrained;
};

/*
 * How many references to a folio are the walk's own. What a mapping has of a folio is where
 * the index in the folio says.
 */
static int hmm_share_own(struct hmm_share *share, struct folio *folio,
			 struct page *page, unsigned long addr)
{
	unsigned long at = (addr - share->start) >> PAGE_SHIFT;
	unsigned long before = folio_page_idx(folio, page);
	unsigned long i = at - min(at, before);
	unsigned long end = min(at - before + folio_nr_pages(folio),
				(share->end - share->start) >> PAGE_SHIFT);

	if (share->folio == folio)
		return share->own;

	share->folio = folio;
	share->own = 0;
	for (; i < end; i++)
		if (share->pages[i] && page_folio(share->pages[i]) == folio)
			share->own++;
	return share->own;
}

/*
 * Has the folio references besides @own, and those of page tables and the swap cache?
 * Then somebody may be about to write to it. A pin is seen by
 * folio_try_share_anon_rmap_pte(), without any race.
 */
static bool hmm_share_in_use(struct folio *folio, int own)
{
	int refs = folio_ref_count(folio) - own;

	/* Not the other way round: a mapping that goes drops its reference at last. */
	smp_rmb();
	if (folio_test_swapcache(folio))
		refs -= folio_nr_pages(folio);
	return refs != folio_mapcount(folio);
}

/* Whether a page is that of one process, and may be shared, with its folio locked then. */
static bool hmm_share_begin(struct hmm_share *share, struct folio *folio)
{
	share->exclusive = true;
	if (!share->protect)
		return false;
	share->undrained |= !folio_test_lru(folio);
	return folio_trylock(folio);
}

static bool hmm_share_pte(struct hmm_share *share, struct vm_area_struct *vma,
			  unsigned long addr, pte_t *ptep, struct page *page)
{
	struct folio *folio = page_folio(page);
	bool shared;
	pte_t pte;

	if (!PageAnonExclusive(page))
		return true;
	if (!hmm_share_begin(share, folio))
		return false;

	flush_cache_page(vma, addr, page_to_pfn(page));
	pte = ptep_clear_flush(vma, addr, ptep);
	shared = !hmm_share_in_use(folio, hmm_share_own(share, folio, page, addr)) &&
		 !folio_try_share_anon_rmap_pte(folio, page);
	set_pte_at(vma->vm_mm, addr, ptep, shared ? pte_wrprotect(pte) : pte);
	folio_unlock(folio);
	return shared;
}

static bool hmm_share_pmd(struct hmm_share *share, struct vm_area_struct *vma,
			  unsigned long addr, pmd_t *pmdp, struct page *page)
{
	struct folio *folio = page_folio(page);
	bool shared;
	pmd_t pmd;

	if (!PageAnonExclusive(page))
		return true;
	if (!hmm_share_begin(share, folio))
		return false;

	flush_cache_range(vma, addr, addr + HPAGE_PMD_SIZE);
	pmd = pmdp_huge_clear_flush(vma, addr, pmdp);
	shared = !hmm_share_in_use(folio, 0) &&
		 !folio_try_share_anon_rmap_pmd(folio, page);
	set_pmd_at(vma->vm_mm, addr, pmdp, shared ? pmd_wrprotect(pmd) : pmd);
	folio_unlock(folio);
	return shared;
}

static void hmm_share_huge(struct hmm_share *share, struct vm_area_struct *vma,
			   unsigned long addr, unsigned long end, pmd_t *pmdp)
{
	unsigned long haddr = addr & HPAGE_PMD_MASK;
	struct page *page;
	unsigned long i;

	if (!pmd_present(*pmdp) || pmd_protnone(*pmdp))
		return;
	page = pmd_page(*pmdp);
	if (!folio_test_anon(page_folio(page)) || share->pages[(addr - share->start) >> PAGE_SHIFT])
		return;
	if (!hmm_share_pmd(share, vma, haddr, pmdp, page))
		return;

	folio_ref_add(page_folio(page), (end - addr) >> PAGE_SHIFT);
	for (; addr < end; addr += PAGE_SIZE) {
		i = (addr - share->start) >> PAGE_SHIFT;
		share->pages[i] = page + ((addr - haddr) >> PAGE_SHIFT);
		share->count++;
	}
}

static void hmm_share_one(struct hmm_share *share, struct vm_area_struct *vma,
			  unsigned long addr, pte_t *ptep)
{
	struct page **shared = &share->pages[(addr - share->start) >> PAGE_SHIFT];
	pte_t pte = ptep_get(ptep);
	struct folio *folio;
	struct page *page;

	if (*shared || !pte_present(pte) || pte_protnone(pte))
		return;
	page = vm_normal_page(vma, addr, pte);
	if (!page)
		return;
	folio = page_folio(page);
	if (!folio_test_anon(folio))
		return;
	if (!hmm_share_pte(share, vma, addr, ptep, page))
		return;
	folio_get(folio);
	if (share->folio == folio)
		share->own++;
	*shared = page;
	share->count++;
}

/* Returns false when there is no page table any more. */
static bool hmm_share_table(struct hmm_share *share, struct vm_area_struct *vma,
			    unsigned long addr, unsigned long end, pmd_t *pmdp)
{
	pte_t *first, *ptep;
	spinlock_t *ptl;

	first = pte_offset_map_lock(vma->vm_mm, pmdp, addr, &ptl);
	if (!first)
		return false;
	/* For sparse, which loses sight of the lock in that inline function. */
	__acquire(ptl);
	for (ptep = first; addr < end; ptep++, addr += PAGE_SIZE)
		hmm_share_one(share, vma, addr, ptep);
	pte_unmap_unlock(first, ptl);
	return true;
}

static int hmm_share_pmd_entry(pmd_t *pmdp, unsigned long addr,
			       unsigned long end, struct mm_walk *walk)
{
	struct vm_area_struct *vma = walk->vma;
	struct hmm_share *share = walk->private;
	spinlock_t *ptl;

	ptl = pmd_trans_huge_lock(pmdp, vma);
	if (ptl) {
		__acquire(ptl);
		hmm_share_huge(share, vma, addr, end, pmdp);
		spin_unlock(ptl);
	} else if (!hmm_share_table(share, vma, addr, end, pmdp)) {
		walk->action = ACTION_AGAIN;
	}
	cond_resched();
	return 0;
}

static const struct mm_walk_ops hmm_share_ops = {
	.pmd_entry = hmm_share_pmd_entry,
	.walk_lock = PGWALK_RDLOCK,
};

static void hmm_share_walk(struct hmm_share *share, struct vm_area_struct *vma)
{
	/* None of the callbacks returns an error. */
	WARN_ON_ONCE(walk_page_range_vma(vma, share->start, share->end,
					 &hmm_share_ops, share));
}

static void hmm_share_protect(struct hmm_share *share, struct vm_area_struct *vma)
{
	struct mmu_notifier_range range;

	/* Where a PMD is write-protected, more than what is wanted is. */
	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_PAGE, 0, vma->vm_mm,
				max(ALIGN_DOWN(share->start, PMD_SIZE),
				    vma->vm_start),
				min(ALIGN(share->end, PMD_SIZE), vma->vm_end));
	mmu_notifier_invalidate_range_start(&range);
	share->protect = true;
	hmm_share_walk(share, vma);
	mmu_notifier_invalidate_range_end(&range);
}

/**
 * hmm_range_share() - have nobody write to anonymous pages without notice
 * @vma: an anonymous mapping
 * @start: the first page
 * @end: the end of the last page; all are in @vma
 * @pages: filled in, an entry for each page: the page if it could be shared, with a
 *	reference that the caller puts, or NULL
 *
 * After the return none of @pages changes, until its MMU notifiers have been called
 * for a page table that maps it. They are called in here already, unless all pages are
 * shared by others: whoever needs a sequence number of mmu_interval_read_begin() begins
 * thereafter, and finds out with hmm_range_fault() that the page is still there.
 *
 * No page, a page of a device, the page of zeros and what is in use otherwise, above
 * all if it is pinned, cannot be shared.
 *
 * Context: The mmap lock is held for reading, no others. May sleep.
 * Return: the number of pages that are shared, or -EINVAL for a range that is not one of
 * an anonymous mapping.
 */
long hmm_range_share(struct vm_area_struct *vma, unsigned long start,
		     unsigned long end, struct page **pages)
{
	struct hmm_share share = {
		.start = start,
		.end = end,
		.pages = pages,
	};

	mmap_assert_locked(vma->vm_mm);

	if (!vma_is_anonymous(vma) || is_vm_hugetlb_page(vma) ||
	    !PAGE_ALIGNED(start | end) || start >= end ||
	    start < vma->vm_start || end > vma->vm_end)
		return -EINVAL;

	memset(pages, 0, ((end - start) >> PAGE_SHIFT) * sizeof(*pages));
	/* What is shared already changes for nobody, and nobody has to hear of it. */
	hmm_share_walk(&share, vma);
	if (share.exclusive) {
		lru_add_drain();
		hmm_share_protect(&share, vma);
	}
	if (share.undrained) {
		lru_add_drain_all();
		hmm_share_protect(&share, vma);
	}
	return share.count;
}
EXPORT_SYMBOL_GPL(hmm_range_share);

/* Page tables do not change; but whoever shares the folio gives it up. */
static bool hmm_unshare_one(struct folio *folio, struct vm_area_struct *vma,
			    unsigned long addr, void *arg)
{
	struct mmu_notifier_range range;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, addr,
				min(addr + folio_size(folio), vma->vm_end));
	mmu_notifier_invalidate_range_start(&range);
	mmu_notifier_invalidate_range_end(&range);
	return true;
}

static bool hmm_may_be_shared(struct folio *folio)
{
	long i;

	for (i = 0; i < folio_nr_pages(folio); i++)
		if (!PageAnonExclusive(folio_page(folio, i)))
			return true;
	return false;
}

/**
 * hmm_unshare_folio() - have devices give up what they share of a large folio
 * @folio: the folio, anonymous and locked, with one reference of the caller; it has more
 *	references than it could be split with
 *
 * Context: Process context, may sleep; memory reclaim.
 * Return: true when it can be split now.
 */
bool hmm_unshare_folio(struct folio *folio)
{
	struct rmap_walk_control rwc = {
		.rmap_one = hmm_unshare_one,
		.anon_lock = folio_lock_anon_vma_read,
		.try_lock = true,
	};

	if (!hmm_may_be_shared(folio))
		return false;
	rmap_walk(folio, &rwc);
	return can_split_folio(folio, 1, NULL);
}
