/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Huge entries of migrate_vma, for mm/migrate_device.c only.
 */
#ifndef _MM_MIGRATE_DEVICE_HUGE_H
#define _MM_MIGRATE_DEVICE_HUGE_H

#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>

/**
 * struct migrate_vma_collect - a walk that collects what is to be migrated
 * @migrate: the migration
 * @flush: an entry was unmapped that a TLB may hold
 */
struct migrate_vma_collect {
	struct migrate_vma *migrate;
	bool flush;
};

/**
 * enum collect_huge - what became of a huge PMD
 * @COLLECT_HUGE_DONE: the entries of the range have been filled in
 * @COLLECT_HUGE_SKIP: the range cannot be migrated
 * @COLLECT_HUGE_AGAIN: look at the PMD again, it may be a page table now
 */
enum collect_huge {
	COLLECT_HUGE_DONE,
	COLLECT_HUGE_SKIP,
	COLLECT_HUGE_AGAIN,
};

/**
 * is_fault_folio() - is this the folio of the CPU fault that is being served?
 * @fault_page: &migrate_vma.fault_page or NULL.
 * @folio: A folio.
 *
 * Whoever handles the fault has a reference on it and its lock.
 *
 * Return: true when it is.
 */
static inline bool is_fault_folio(const struct page *fault_page,
				  const struct folio *folio)
{
	return fault_page && page_folio(fault_page) == folio;
}

/**
 * migrate_pfn_nr_pages() - number of pages that an entry stands for
 * @mpfn: Entry, whose folio we have a reference on.
 *
 * Return: That of the folio, or of a PMD if there is none, or 1.
 */
static inline unsigned long migrate_pfn_nr_pages(unsigned long mpfn)
{
	struct page *page = migrate_pfn_to_page(mpfn);

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) ||
	    !(mpfn & MIGRATE_PFN_COMPOUND))
		return 1;
	return page ? folio_nr_pages(page_folio(page)) : HPAGE_PMD_NR;
}

bool migrate_vma_unmap_pte(struct vm_area_struct *vma, unsigned long addr,
			   pte_t *ptep, struct page *page);
void migrate_vma_collect_entry(struct migrate_vma *migrate, unsigned long mpfn,
			       unsigned long nr);

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
int migrate_vma_split_folio(struct migrate_vma *migrate, struct page *page);
unsigned long migrate_vma_collect_folio(struct migrate_vma_collect *collect,
					struct folio *folio, pte_t *ptep,
					unsigned long addr, unsigned long end);
unsigned long migrate_vma_hole_run(const unsigned long *src, unsigned long npages,
				   unsigned long dst);
pmd_t *migrate_vma_alloc_pmd(struct vm_area_struct *vma, unsigned long addr);
void migrate_vma_insert_folio(struct migrate_vma *migrate, unsigned long addr,
			      struct folio *folio, unsigned long *src);
void migrate_device_fit_dst(unsigned long *src, const unsigned long *dst,
			    struct page *fault_page);
#else
static inline int migrate_vma_split_folio(struct migrate_vma *migrate,
					  struct page *page)
{
	return -EINVAL;
}

static inline unsigned long
migrate_vma_collect_folio(struct migrate_vma_collect *collect,
			  struct folio *folio, pte_t *ptep, unsigned long addr,
			  unsigned long end)
{
	return 0;
}

static inline unsigned long migrate_vma_hole_run(const unsigned long *src,
						 unsigned long npages,
						 unsigned long dst)
{
	return 0;
}

static inline void migrate_vma_insert_folio(struct migrate_vma *migrate,
					    unsigned long addr,
					    struct folio *folio,
					    unsigned long *src)
{
}

static inline void migrate_device_fit_dst(unsigned long *src,
					  const unsigned long *dst,
					  struct page *fault_page)
{
}
#endif

#ifdef CONFIG_ARCH_ENABLE_THP_MIGRATION

bool migrate_vma_collect_huge_hole(struct migrate_vma *migrate,
				   unsigned long addr, unsigned long end);
enum collect_huge migrate_vma_collect_huge_pmd(struct migrate_vma_collect *collect,
					       pmd_t *pmdp, unsigned long addr,
					       unsigned long end);
bool migrate_vma_map_huge_pmd(struct migrate_vma *migrate, unsigned long addr,
			      unsigned long mpfn, struct folio *dst);
void migrate_vma_insert_huge_pmd(struct migrate_vma *migrate, unsigned long addr,
				 struct folio *folio, unsigned long *src);

#else

static inline bool migrate_vma_collect_huge_hole(struct migrate_vma *migrate,
						 unsigned long addr,
						 unsigned long end)
{
	return false;
}

static inline enum collect_huge
migrate_vma_collect_huge_pmd(struct migrate_vma_collect *collect,
			     pmd_t *pmdp, unsigned long addr, unsigned long end)
{
	return COLLECT_HUGE_SKIP;
}

static inline bool migrate_vma_map_huge_pmd(struct migrate_vma *migrate,
					    unsigned long addr,
					    unsigned long mpfn,
					    struct folio *dst)
{
	return false;
}

static inline void migrate_vma_insert_huge_pmd(struct migrate_vma *migrate,
					       unsigned long addr,
					       struct folio *folio,
					       unsigned long *src)
{
}

#endif

#endif /* _MM_MIGRATE_DEVICE_HUGE_H */
