// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Folios of ZONE_DEVICE
 *
 * The struct pages of device memory live as long as the device's page map; a
 * driver hands ranges of them out as folios and takes them back in its
 * &dev_pagemap_ops.folio_free. Between the two, mm owns them.
 *
 * What a free page looks like
 * ---------------------------
 *
 * A free page is either single, or part of a free compound: the folio that it
 * was freed in, left as it is, so that the same folio can be handed out again
 * without a walk over its pages. Two rules keep that safe:
 *
 * - every page of a free compound is free. zone_device_page_init() takes apart
 *   whatever free compound overlaps the range that is handed out, unless it is
 *   that range, before any page of the range can be found with a reference;
 * - a free page has no reference. Whoever walks device memory by pfn takes one
 *   on the folio, then checks that the page still belongs to it.
 *
 * Two drivers' threads may hand out different parts of one free compound at the
 * same time, hence &dissolve_lock. The range itself is the caller's alone.
 */

#include <linux/memcontrol.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include "internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/zone_device.h>

/* Serialises taking free compounds apart. */
static DEFINE_SPINLOCK(dissolve_lock);

/* Forget what a former user left in a free page; a new one sets the rest. */
static void reset_free_page(struct page *page)
{
	VM_WARN_ON_ONCE_PAGE(page_ref_count(page), page);

	page->flags &= ~PAGEFLAGS_MASK | BIT(PG_reserved);
	page->mapping = NULL;
	page->index = 0;
	set_page_private(page, 0);
	atomic_set(&page->_mapcount, -1);
}

/*
 * Turn the free compound of @head into single pages. A page is single for
 * others, who may hand it out then, as soon as the word of its page map is
 * stored, or PG_head is gone from the flags of the first: that is done last.
 */
static void dissolve_free_compound(struct page *head)
{
	struct dev_pagemap *pgmap = page_pgmap(head);
	unsigned long nr = compound_nr(head);
	unsigned long i;

	lockdep_assert_held(&dissolve_lock);

	for (i = 1; i < nr; i++) {
		struct page *tail = head + i;

		reset_free_page(tail);
		tail->zone_device_data = NULL;
		/* Pairs with the address dependency in page_pgmap(). */
		smp_store_release(&tail->__folio_pgmap, pgmap);
	}
	head->mapping = NULL;
	head->index = 0;
	set_page_private(head, 0);
	atomic_set(&head->_mapcount, -1);
	/* Whoever finds the page single from here on owns it. */
	smp_store_release(&head->flags,
			  head->flags & (~PAGEFLAGS_MASK | BIT(PG_reserved)));
}

/*
 * True when @page is in a free compound other than a folio of @order at it. While
 * a compound is taken apart its order reads 0, so that says nothing about a head.
 */
static bool in_other_compound(struct page *page, unsigned int order)
{
	if (PageTail(page))
		return true;
	return PageHead(page) && (!order || compound_order(page) != order);
}

/*
 * Take every free compound apart that reaches into the @nr pages from @page,
 * but not one that is exactly these pages.
 */
static void dissolve_overlap(struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++) {
		/* A single page, or the very folio that is wanted. */
		if (!in_other_compound(page + i, i ? 0 : order)) {
			if (!i && PageHead(page))
				return;
			continue;
		}

		spin_lock(&dissolve_lock);
		if (in_other_compound(page + i, i ? 0 : order))
			dissolve_free_compound(compound_head(page + i));
		spin_unlock(&dissolve_lock);
	}
}

/**
 * zone_device_page_init() - hand out free pages of a device as a folio
 * @page: First page; its number must be a multiple of 2^@order.
 * @pgmap: Page map of the device. It is not taken from @page, which may be a
 *	tail of the folio that it was freed in.
 * @order: Order of the folio, at most that of a PMD. Order 1 is refused, since
 *	an anonymous folio cannot have it.
 *
 * On success the pages are one folio, locked, with one reference, and the page
 * map has one reference a page. All that a former user left is gone; only the
 * zone_device_data of the first page is kept as the caller may have set it. A
 * folio that is not used after all goes back by folio_unlock() and folio_put().
 *
 * The caller must own the free range: nobody else may hand out a part of it.
 *
 * Context: Process context.
 * Return: 0, -EINVAL for an order or a page that cannot be, -ENODEV after
 * memunmap_pages() has begun. Both are bugs of the driver and give a warning.
 */
int zone_device_page_init(struct page *page, struct dev_pagemap *pgmap,
			  unsigned int order)
{
	unsigned long nr = 1UL << order;
	unsigned long i;

	if (WARN_ON_ONCE(order == 1 || order > PMD_ORDER ||
			 (order && !IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE)) ||
			 !IS_ALIGNED(page_to_pfn(page), nr)))
		return -EINVAL;

	/* An unmapped page map must not come to life again. */
	if (WARN_ON_ONCE(percpu_ref_is_dying(&pgmap->ref) ||
			 !percpu_ref_tryget_many(&pgmap->ref, nr)))
		return -ENODEV;

	dissolve_overlap(page, order);

	if (order && PageHead(page)) {
		/* The same folio again: only its first pages hold state. */
		reset_free_page(page);
		__SetPageHead(page);
		page[1].flags &= ~PAGEFLAGS_MASK | BIT(PG_reserved);
		prep_compound_head(page, order);
	} else {
		for (i = 0; i < nr; i++) {
			reset_free_page(page + i);
			if (i)
				prep_compound_tail(page, i);
		}
		if (order) {
			__SetPageHead(page);
			prep_compound_head(page, order);
		}
	}

	page_folio(page)->pgmap = pgmap;
	__SetPageLocked(page);
	/* All of the above is seen by whoever gets a reference from here on. */
	page_ref_unfreeze(page, 1);
	trace_zone_device_folio_init(page_to_pfn(page), order);
	return 0;
}
EXPORT_SYMBOL_GPL(zone_device_page_init);

/**
 * zone_device_folio_init() - hand out free pages of a device as a folio
 * @page: First page.
 * @pgmap: Page map of the device.
 * @order: Order of the folio.
 *
 * As zone_device_page_init(), for a folio that can be mapped to user space.
 *
 * Context: Process context.
 * Return: The folio, or NULL where zone_device_page_init() fails.
 */
struct folio *zone_device_folio_init(struct page *page, struct dev_pagemap *pgmap,
				     unsigned int order)
{
	if (zone_device_page_init(page, pgmap, order))
		return NULL;

	return page_rmappable_folio(page);
}
EXPORT_SYMBOL_GPL(zone_device_folio_init);

/* End the life of a folio as anonymous memory; it may never have been any. */
static void end_anon(struct folio *folio, unsigned long nr)
{
	unsigned long i;

	if (!folio_test_anon(folio))
		return;

	/* A PMD has the flag in the first page, PTEs each in its own. */
	if (nr > 1 && !folio_test_device_pte_mapped(folio))
		nr = 1;
	for (i = 0; i < nr; i++)
		if (PageAnonExclusive(folio_page(folio, i)))
			__ClearPageAnonExclusive(folio_page(folio, i));

	if (folio_test_large(folio))
		mod_mthp_stat(folio_order(folio), MTHP_STAT_NR_ANON, -1);
}

/**
 * free_zone_device_folio() - take a folio back whose last reference is gone
 * @folio: The folio, of any order.
 *
 * The pages of a driver go back to it by &dev_pagemap_ops.folio_free, which may
 * hand them out again at once, so the folio is not touched after that. Those of
 * device-dax and fsdax stay where they are, with a count of 1.
 *
 * Context: Any context, also with a page table lock held or interrupts off.
 */
void free_zone_device_folio(struct folio *folio)
{
	struct dev_pagemap *pgmap = folio->pgmap;
	unsigned long nr = folio_nr_pages(folio);

	trace_zone_device_folio_free(folio_pfn(folio), folio_order(folio));

	/* munlock() does not find what is not present. */
	if (unlikely(folio_test_mlocked(folio))) {
		__folio_clear_mlocked(folio);
		zone_stat_mod_folio(folio, NR_MLOCK, -(long)nr);
	}
	mem_cgroup_uncharge(folio);
	end_anon(folio, nr);
	folio->mapping = NULL;

	switch (pgmap->type) {
	case MEMORY_DEVICE_PRIVATE:
	case MEMORY_DEVICE_COHERENT:
		pgmap->ops->folio_free(folio);
		percpu_ref_put_many(&pgmap->ref, nr);
		break;
	case MEMORY_DEVICE_PCI_P2PDMA:
		pgmap->ops->folio_free(folio);
		break;
	case MEMORY_DEVICE_GENERIC:
	case MEMORY_DEVICE_FS_DAX:
		folio_set_count(folio, 1);
		break;
	}
}

/**
 * zone_device_split_tail() - make a tail page the head of a folio of its own
 * @folio: The folio that is split, frozen.
 * @tail: One of its tail pages.
 *
 * Takes the place of clear_compound_head(): the page gets its page map in the
 * same store that ends its life as a tail, so that nobody finds it without.
 */
void zone_device_split_tail(struct folio *folio, struct page *tail)
{
	/* Not by __SetPageReserved(), which wants no tail. */
	__set_bit(PG_reserved, &tail->flags);
	tail->zone_device_data = NULL;
	/* Pairs with the address dependency in page_pgmap(). */
	smp_store_release(&tail->__folio_pgmap, (void *)folio->pgmap);
}

/**
 * zone_device_folio_split() - tell the driver that a folio is split
 * @folio: The folio that is split, frozen.
 * @new: A new folio, or NULL for what is left of @folio.
 */
void zone_device_folio_split(struct folio *folio, struct folio *new)
{
	const struct dev_pagemap_ops *ops = folio->pgmap->ops;

	if (!new)
		trace_zone_device_folio_split(folio_pfn(folio),
					      folio_order(folio));
	if (ops->folio_split)
		ops->folio_split(folio, new);
}
