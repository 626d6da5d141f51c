/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Migration to and from the memory of devices, step by step. Each step has an
 * event when it begins, and one of the same name without "_begin" when it has
 * ended; both are in one thread, so that their times give the duration. What a
 * driver does, allocating and copying, is between the end of setup and the
 * beginning of pages.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM migrate_device

#if !defined(_TRACE_MIGRATE_DEVICE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_MIGRATE_DEVICE_H

#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/tracepoint.h>

#ifndef _TRACE_MIGRATE_DEVICE_COUNT
#define _TRACE_MIGRATE_DEVICE_COUNT
/* What an array of entries holds that are going to move, or have moved. */
struct migrate_device_count {
	unsigned long entries;	/* entries, each for a folio or a hole */
	unsigned long compound;	/* how many of them are large */
	unsigned long pages;	/* pages of all of them */
	unsigned int order;	/* the highest order of a folio among them */
};

static inline struct migrate_device_count
migrate_device_count(const unsigned long *src, unsigned long npages)
{
	struct migrate_device_count count = {};
	unsigned long i;

	for (i = 0; i < npages; i++) {
		struct page *page = migrate_pfn_to_page(src[i]);
		unsigned int order = 0;

		if (!(src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		count.entries++;
		if (src[i] & MIGRATE_PFN_COMPOUND) {
			count.compound++;
			/* Without a page it is a hole that a PMD would map. */
			order = page ? folio_order(page_folio(page)) :
				       PMD_SHIFT - PAGE_SHIFT;
		}
		count.pages += 1UL << order;
		count.order = max(count.order, order);
	}
	return count;
}
#endif

/* @start is 0 where pages are migrated by pfn. */
DECLARE_EVENT_CLASS(migrate_device_begin,
	TP_PROTO(unsigned long start, unsigned long npages),
	TP_ARGS(start, npages),
	TP_STRUCT__entry(
		__field(unsigned long, start)
		__field(unsigned long, npages)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->npages = npages;
	),
	TP_printk("start=0x%lx npages=%lu", __entry->start, __entry->npages)
);

DECLARE_EVENT_CLASS(migrate_device_end,
	TP_PROTO(unsigned long start, unsigned long npages,
		 const unsigned long *src),
	TP_ARGS(start, npages, src),
	TP_STRUCT__entry(
		__field(unsigned long, start)
		__field(unsigned long, npages)
		__field(unsigned long, entries)
		__field(unsigned long, compound)
		__field(unsigned long, pages)
		__field(unsigned int, order)
	),
	TP_fast_assign(
		struct migrate_device_count count =
			migrate_device_count(src, npages);

		__entry->start = start;
		__entry->npages = npages;
		__entry->entries = count.entries;
		__entry->compound = count.compound;
		__entry->pages = count.pages;
		__entry->order = count.order;
	),
	TP_printk("start=0x%lx npages=%lu entries=%lu compound=%lu pages=%lu order=%u",
		  __entry->start, __entry->npages, __entry->entries,
		  __entry->compound, __entry->pages, __entry->order)
);

/* migrate_vma_setup(): collects a range, and unmaps what it has found. */
DEFINE_EVENT(migrate_device_begin, migrate_device_setup_begin,
	TP_PROTO(unsigned long start, unsigned long npages),
	TP_ARGS(start, npages)
);

DEFINE_EVENT(migrate_device_end, migrate_device_setup,
	TP_PROTO(unsigned long start, unsigned long npages,
		 const unsigned long *src),
	TP_ARGS(start, npages, src)
);

/* The part of it, or of migrate_device_range() and its like, that unmaps. */
DEFINE_EVENT(migrate_device_begin, migrate_device_unmap_begin,
	TP_PROTO(unsigned long start, unsigned long npages),
	TP_ARGS(start, npages)
);

DEFINE_EVENT(migrate_device_end, migrate_device_unmap,
	TP_PROTO(unsigned long start, unsigned long npages,
		 const unsigned long *src),
	TP_ARGS(start, npages, src)
);

/* migrate_vma_pages(), migrate_device_pages(): metadata change places. */
DEFINE_EVENT(migrate_device_begin, migrate_device_pages_begin,
	TP_PROTO(unsigned long start, unsigned long npages),
	TP_ARGS(start, npages)
);

DEFINE_EVENT(migrate_device_end, migrate_device_pages,
	TP_PROTO(unsigned long start, unsigned long npages,
		 const unsigned long *src),
	TP_ARGS(start, npages, src)
);

/* migrate_vma_finalize(), migrate_device_finalize(): all is mapped again. */
DEFINE_EVENT(migrate_device_begin, migrate_device_finalize_begin,
	TP_PROTO(unsigned long start, unsigned long npages),
	TP_ARGS(start, npages)
);

DEFINE_EVENT(migrate_device_begin, migrate_device_finalize,
	TP_PROTO(unsigned long start, unsigned long npages),
	TP_ARGS(start, npages)
);

#endif /* _TRACE_MIGRATE_DEVICE_H */

#include <trace/define_trace.h>
