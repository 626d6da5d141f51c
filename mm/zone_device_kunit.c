// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of ZONE_DEVICE pages: what those of each type start with, and folios of all orders
 * that are handed out, freed, and handed out again.
 *
 * The page maps are real, and cover physical addresses at which there is nothing. Only the struct
 * pages are looked at, never the memory.
 *
 * Copyright (C) 2026 The vsvm developers
 */

#include <kunit/test.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/percpu-refcount.h>

/* Two huge folios and a bit, so that a folio has neighbours. */
#define REGION_SIZE	(2 * PMD_SIZE + SUBSECTION_SIZE)
#define REGION_PAGES	(REGION_SIZE / PAGE_SIZE)

/* A type of page map. */
struct type_param {
	const char *name;
	enum memory_type type;
	unsigned int shift;	/* vmemmap_shift */
	int refcount;		/* of a page that nobody uses, not a tail */
	bool folios;		/* zone_device_folio_init() is for it */
};

static const struct type_param types[] = {
	{ "private", MEMORY_DEVICE_PRIVATE, 0, 0, true },
	{ "coherent", MEMORY_DEVICE_COHERENT, 0, 0, true },
	{ "p2pdma", MEMORY_DEVICE_PCI_P2PDMA, 0, 0, false },
	{ "generic", MEMORY_DEVICE_GENERIC, 0, 1, false },
	{ "generic, compound", MEMORY_DEVICE_GENERIC, PMD_ORDER, 1, false },
#ifdef CONFIG_FS_DAX
	{ "fsdax", MEMORY_DEVICE_FS_DAX, 0, 1, false },
#endif
};

struct region {
	struct kunit *test;
	struct resource *res;
	struct dev_pagemap pgmap;
	struct page *page;	/* the first */
	long refs;		/* on the page map, when it was made */
	unsigned int freed;	/* calls of folio_free */
	unsigned int freed_order;
	bool mapped;
};

static void region_folio_free(struct folio *folio)
{
	struct region *region = container_of(folio->pgmap, struct region, pgmap);

	region->freed++;
	region->freed_order = folio_order(folio);
}

static vm_fault_t region_migrate_to_ram(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct dev_pagemap_ops region_ops = {
	.folio_free = region_folio_free,
	.migrate_to_ram = region_migrate_to_ram,
};

/*
 * References on the page map: the sum of the processors' counters, and what is not in them yet,
 * from which percpu_ref_init() has taken a bias of half the range. Nobody may take or drop one
 * meanwhile.
 */
static long region_refs(struct region *region)
{
	struct percpu_ref *ref = &region->pgmap.ref;
	unsigned long count = atomic_long_read(&ref->data->count) - BIT(BITS_PER_LONG - 1);
	unsigned long __percpu *counters = (unsigned long __percpu *)
		(ref->percpu_count_ptr & ~(unsigned long)__PERCPU_REF_ATOMIC_DEAD);
	int cpu;

	for_each_possible_cpu(cpu)
		count += *per_cpu_ptr(counters, cpu);
	return count;
}

static void region_unmap(void *data)
{
	struct region *region = data;

	if (region->mapped)
		memunmap_pages(&region->pgmap);
	release_mem_region(region->res->start, resource_size(region->res));
}

/* A page map of that type; goes away with the test, which waits for every reference. */
static struct region *region_map(struct kunit *test, const struct type_param *param)
{
	struct region *region = kunit_kzalloc(test, sizeof(*region), GFP_KERNEL);
	void *ptr;

	KUNIT_ASSERT_NOT_NULL(test, region);
	region->test = test;
	region->res = request_free_mem_region(&iomem_resource, REGION_SIZE, "zone_device_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, region->res);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, region_unmap, region));

	region->pgmap.type = param->type;
	region->pgmap.range.start = region->res->start;
	region->pgmap.range.end = region->res->start + REGION_SIZE - 1;
	region->pgmap.nr_range = 1;
	region->pgmap.vmemmap_shift = param->shift;
	region->pgmap.owner = region;
	/* The drivers of DAX have no callbacks. */
	if (param->refcount == 0)
		region->pgmap.ops = &region_ops;

	ptr = memremap_pages(&region->pgmap, numa_mem_id());
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ptr);
	region->mapped = true;
	region->page = pfn_to_page(PHYS_PFN(region->pgmap.range.start));
	region->refs = region_refs(region);
	return region;
}

/* All that must hold for a region no page of which is in use. */
static void expect_idle(struct region *region)
{
	struct kunit *test = region->test;
	unsigned long i, bad_count = 0, bad_map = 0, bad_flags = 0;

	for (i = 0; i < REGION_PAGES; i++) {
		struct page *page = region->page + i;

		bad_count += page_ref_count(page) != 0;
		bad_map += page_pgmap(page) != &region->pgmap;
		bad_flags += !is_zone_device_page(page) || !PageReserved(page);
	}
	KUNIT_EXPECT_EQ(test, bad_count, 0);
	KUNIT_EXPECT_EQ(test, bad_map, 0);
	KUNIT_EXPECT_EQ(test, bad_flags, 0);
	KUNIT_EXPECT_EQ(test, region_refs(region), region->refs);
}

/* The flags of a page that are not zone, node, section. */
static unsigned long page_flags(struct page *page)
{
	return page->flags & PAGEFLAGS_MASK;
}

/* Hand out a folio at page number @at of the region; it is checked in full. */
static struct folio *get_folio(struct region *region, unsigned long at, unsigned int order)
{
	struct kunit *test = region->test;
	unsigned long nr = 1UL << order, i;
	unsigned long bad_count = 0, bad_map = 0, bad_flags = 0, bad_tail = 0;
	struct page *page = region->page + at;
	long refs = region_refs(region);
	struct folio *folio;

	folio = zone_device_folio_init(page, &region->pgmap, order);
	KUNIT_ASSERT_PTR_EQ(test, folio, (struct folio *)page);
	KUNIT_EXPECT_EQ(test, folio_order(folio), order);
	KUNIT_EXPECT_EQ(test, folio_nr_pages(folio), nr);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 0);
	KUNIT_EXPECT_TRUE(test, folio_test_locked(folio));
	KUNIT_EXPECT_EQ(test, folio_test_large(folio), order > 0);
	KUNIT_EXPECT_NULL(test, folio->mapping);
	KUNIT_EXPECT_EQ(test, region_refs(region), refs + nr);
	KUNIT_EXPECT_EQ(test, page_flags(page), BIT(PG_locked) | BIT(PG_reserved) |
			(order ? BIT(PG_head) : 0));
	if (order) {
		KUNIT_EXPECT_TRUE(test, folio_test_large_rmappable(folio));
		KUNIT_EXPECT_FALSE(test, folio_test_has_hwpoisoned(folio));
		KUNIT_EXPECT_FALSE(test, folio_test_partially_mapped(folio));
		KUNIT_EXPECT_EQ(test, folio_entire_mapcount(folio), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&folio->_nr_pages_mapped), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&folio->_pincount), 0);
		KUNIT_EXPECT_TRUE(test, list_empty(&folio->_deferred_list));
	}
	for (i = 0; i < nr; i++) {
		bad_count += page_ref_count(page + i) != (i == 0);
		bad_map += page_pgmap(page + i) != &region->pgmap;
		/* The flags of the first tail are the order and more. */
		bad_flags += i > 1 && page_flags(page + i) != BIT(PG_reserved);
		bad_tail += i > 0 && (!PageTail(page + i) || page_folio(page + i) != folio);
		/* As a split of the folio wants it. */
		bad_tail += i > 2 && (page[i].mapping != TAIL_MAPPING || page[i].private);
		bad_tail += (i == 0 || i > 2) && atomic_read(&page[i]._mapcount) != -1;
		if (region->pgmap.type == MEMORY_DEVICE_PRIVATE)
			bad_tail += !is_device_private_page(page + i);
		else
			bad_tail += !is_device_coherent_page(page + i);
	}
	KUNIT_EXPECT_EQ(test, bad_count, 0);
	KUNIT_EXPECT_EQ(test, bad_map, 0);
	KUNIT_EXPECT_EQ(test, bad_flags, 0);
	KUNIT_EXPECT_EQ(test, bad_tail, 0);
	return folio;
}

static void put_folio(struct region *region, struct folio *folio)
{
	unsigned int freed = region->freed;
	unsigned int order = folio_order(folio);
	long refs = region_refs(region);

	folio_unlock(folio);
	folio_put(folio);
	KUNIT_EXPECT_EQ(region->test, region->freed, freed + 1);
	KUNIT_EXPECT_EQ(region->test, region->freed_order, order);
	KUNIT_EXPECT_EQ(region->test, region_refs(region), refs - (1L << order));
}

/* The folios in use, found as a walk by pfn finds them; @order is -1 or that of all. */
static unsigned long live_pages(struct region *region, int order)
{
	unsigned long i, live = 0;

	for (i = 0; i < REGION_PAGES;) {
		struct folio *folio = folio_get_nontail_page(region->page + i);
		unsigned long nr = 1;

		if (folio) {
			nr = folio_nr_pages(folio);
			if (order < 0 || folio_order(folio) == order)
				live += nr;
			folio_put(folio);
		}
		i += nr;
	}
	return live;
}

/* Before anybody uses a page: 0 where a driver hands pages out, else 1; tails 0. */
static void initial_refcount(struct kunit *test)
{
	const struct type_param *param = test->param_value;
	struct region *region = region_map(test, param);
	unsigned long nr = 1UL << param->shift, i;
	unsigned long bad_count = 0, bad_map = 0, bad_data = 0, bad_compound = 0;

	for (i = 0; i < REGION_PAGES; i++) {
		struct page *page = region->page + i;
		bool tail = i % nr;

		bad_count += page_ref_count(page) != (tail ? 0 : param->refcount);
		bad_map += page_pgmap(page) != &region->pgmap;
		bad_data += !tail && page->zone_device_data;
		bad_compound += PageTail(page) != tail || compound_nr(compound_head(page)) != nr;
	}
	KUNIT_EXPECT_EQ(test, bad_count, 0);
	KUNIT_EXPECT_EQ(test, bad_map, 0);
	KUNIT_EXPECT_EQ(test, bad_data, 0);
	KUNIT_EXPECT_EQ(test, bad_compound, 0);

	/* Types whose pages are not counted one by one hold all references from the start. */
	KUNIT_EXPECT_EQ(test, region->refs, param->folios ? 1 : 1 + REGION_PAGES / nr);
}

/* A page that is used and put: the driver hears of it, or it is as free as before. */
static void last_put(struct kunit *test)
{
	const struct type_param *param = test->param_value;
	struct region *region = region_map(test, param);
	struct page *page = region->page;

	if (param->folios) {
		put_folio(region, get_folio(region, 0, 0));
		expect_idle(region);
		return;
	}

	if (param->refcount == 0)
		set_page_count(page, 1);
	get_page(page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 2);
	put_page(page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_EQ(test, region->freed, 0);

	/* Nobody puts the last one of fsdax: a count of 1 is that of a free page. */
	if (param->type != MEMORY_DEVICE_FS_DAX)
		put_page(page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), param->refcount);
	KUNIT_EXPECT_EQ(test, region->freed, param->refcount == 0);
	KUNIT_EXPECT_EQ(test, region_refs(region), region->refs);
	KUNIT_EXPECT_PTR_EQ(test, page_pgmap(page), &region->pgmap);
	KUNIT_EXPECT_EQ(test, compound_order(page), param->shift);
}

/* Every order there is, with other folios to its left and right. */
static void folio_orders(struct kunit *test)
{
	struct region *region = region_map(test, test->param_value);
	struct folio *left, *folio, *right;
	unsigned int order;

	for (order = 0; order <= PMD_ORDER; order++) {
		if (order == 1)
			continue;
		left = get_folio(region, HPAGE_PMD_NR - 1, 0);
		folio = get_folio(region, HPAGE_PMD_NR, order);
		right = get_folio(region, HPAGE_PMD_NR + (1 << order), 0);
		KUNIT_EXPECT_EQ(test, live_pages(region, -1), (1 << order) + 2);
		put_folio(region, folio);
		KUNIT_EXPECT_EQ(test, live_pages(region, -1), 2);
		put_folio(region, right);
		put_folio(region, left);
		expect_idle(region);
	}
}

/* One huge folio, 512 single pages, one huge folio, all in the same place. */
static void reuse_at_other_orders(struct kunit *test)
{
	struct region *region = region_map(test, test->param_value);
	unsigned int round, order;
	unsigned long i;

	for (round = 0; round < 3; round++) {
		for (order = 0; order <= PMD_ORDER; order++) {
			if (order == 1)
				continue;
			put_folio(region, get_folio(region, 0, PMD_ORDER));
			for (i = 0; i < HPAGE_PMD_NR; i += 1 << order)
				get_folio(region, i, order);
			KUNIT_EXPECT_EQ(test, live_pages(region, order), HPAGE_PMD_NR);
			for (i = 0; i < HPAGE_PMD_NR; i += 1 << order)
				put_folio(region, page_folio(region->page + i));
			put_folio(region, get_folio(region, 0, PMD_ORDER));
			expect_idle(region);
		}
	}
}

/* What a freed huge folio leaves must not hide the folios that are handed out inside. */
static void carve_freed_folio(struct kunit *test)
{
	static const unsigned long at[] = { 0, 16, 48, 128, 496 };
	struct region *region = region_map(test, test->param_value);
	struct folio *folio[ARRAY_SIZE(at)];
	unsigned int i, first;

	/* In turn, each of them is the one that is handed out first. */
	for (first = 0; first < ARRAY_SIZE(at); first++) {
		put_folio(region, get_folio(region, 0, PMD_ORDER));
		for (i = 0; i < ARRAY_SIZE(at); i++) {
			unsigned int k = (first + i) % ARRAY_SIZE(at);

			folio[k] = get_folio(region, at[k], 4);
			KUNIT_EXPECT_EQ(test, live_pages(region, 4), (i + 1) * 16);
		}
		for (i = 0; i < ARRAY_SIZE(at); i++)
			put_folio(region, folio[i]);
		expect_idle(region);
	}
}

/* Flags of a page mean something else when it is the first tail of a folio. */
static void stale_flags(struct kunit *test)
{
	struct region *region = region_map(test, test->param_value);
	struct folio *folio = get_folio(region, 1, 0);

	folio_set_active(folio);
	folio_set_workingset(folio);
	folio_set_reclaim(folio);
	folio_set_dirty(folio);
	folio_set_referenced(folio);
	folio_mark_uptodate(folio);
	folio->index = 0x1234567;
	folio->private = region;
	put_folio(region, folio);

	/* get_folio() has what to expect. */
	put_folio(region, get_folio(region, 0, PMD_ORDER));

	/* The same on the first tail itself, for a folio that is handed out once more as it is. */
	folio = get_folio(region, 0, PMD_ORDER);
	folio_set_has_hwpoisoned(folio);
	folio_set_partially_mapped(folio);
	put_folio(region, folio);
	put_folio(region, get_folio(region, 0, PMD_ORDER));
	put_folio(region, get_folio(region, 1, 0));
	expect_idle(region);
}

/* A driver may set the data of a page before it hands it out; others get none of another's. */
static void driver_data(struct kunit *test)
{
	struct region *region = region_map(test, test->param_value);
	struct folio *folio;
	unsigned long i, stale = 0;

	region->page->zone_device_data = region;
	folio = get_folio(region, 0, PMD_ORDER);
	KUNIT_EXPECT_PTR_EQ(test, folio_zone_device_data(folio), (void *)region);
	put_folio(region, folio);

	for (i = 1; i < HPAGE_PMD_NR; i++) {
		folio = get_folio(region, i, 0);
		stale += !!folio_zone_device_data(folio);
		folio_set_zone_device_data(folio, test);
		put_folio(region, folio);
	}
	KUNIT_EXPECT_EQ(test, stale, 0);
	expect_idle(region);
}

struct carver {
	struct region *region;
	struct completion *start;
	struct completion done;
	unsigned long first;	/* of HPAGE_PMD_NR / 2 pages */
	unsigned int order;
	unsigned long bad;
};

/* Without the checks of get_folio(), which are not for two threads at once. */
static int carver_thread(void *data)
{
	struct carver *carver = data;
	struct region *region = carver->region;
	unsigned long end = carver->first + HPAGE_PMD_NR / 2, i;
	struct page *page;

	wait_for_completion(carver->start);
	for (i = carver->first; i < end; i += 1 << carver->order) {
		page = region->page + i;
		if (!zone_device_folio_init(page, &region->pgmap, carver->order))
			carver->bad++;
	}
	for (i = carver->first; i < end; i++) {
		unsigned long head = ALIGN_DOWN(i, 1UL << carver->order);

		page = region->page + i;
		carver->bad += page_folio(page) != (struct folio *)(region->page + head);
		carver->bad += page_ref_count(page) != (i == head);
		carver->bad += page_pgmap(page) != &region->pgmap;
		carver->bad += compound_order(compound_head(page)) != carver->order;
	}
	complete(&carver->done);
	return 0;
}

/* Two threads take different halves of a freed huge folio. */
static void carve_in_two_threads(struct kunit *test)
{
	struct region *region = region_map(test, test->param_value);
	static const unsigned int orders[][2] = { { 0, 0 }, { 0, 4 }, { 8, 0 }, { 2, 8 } };
	unsigned int round, k;
	unsigned long i;

	for (round = 0; round < 100; round++) {
		DECLARE_COMPLETION_ONSTACK(start);
		struct carver carver[2];
		struct task_struct *thread[2];

		put_folio(region, get_folio(region, 0, PMD_ORDER));
		for (k = 0; k < 2; k++) {
			carver[k] = (struct carver){
				.region = region,
				.start = &start,
				.first = k * HPAGE_PMD_NR / 2,
				.order = orders[round % ARRAY_SIZE(orders)][k],
			};
			init_completion(&carver[k].done);
			thread[k] = kthread_run(carver_thread, &carver[k], "carver/%u", k);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread[k]);
			get_task_struct(thread[k]);
		}
		complete_all(&start);
		for (k = 0; k < 2; k++) {
			/* One that is told to stop before it ran would never run. */
			wait_for_completion(&carver[k].done);
			kthread_stop_put(thread[k]);
			KUNIT_EXPECT_EQ(test, carver[k].bad, 0);
		}
		KUNIT_ASSERT_EQ(test, live_pages(region, -1), HPAGE_PMD_NR);
		for (i = 0; i < HPAGE_PMD_NR;) {
			struct folio *folio = page_folio(region->page + i);

			i += folio_nr_pages(folio);
			put_folio(region, folio);
		}
		expect_idle(region);
	}
}

/* A folio that somebody else still refers to is not free. */
static void two_references(struct kunit *test)
{
	struct region *region = region_map(test, test->param_value);
	struct folio *folio = get_folio(region, 0, PMD_ORDER);

	folio_get(folio);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, region->freed, 0);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	/* A reference to a tail is one to the folio. */
	get_page(folio_page(folio, HPAGE_PMD_NR - 1));
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 2);
	put_page(folio_page(folio, 7));
	KUNIT_EXPECT_EQ(test, region->freed, 0);
	put_folio(region, folio);
	expect_idle(region);
}

KUNIT_ARRAY_PARAM_DESC(type, types, name);

/* Only what drivers hand out as folios. */
static const void *folio_type_gen_params(const void *prev, char *desc)
{
	const struct type_param *param = prev ? (const struct type_param *)prev + 1 : types;

	for (; param < types + ARRAY_SIZE(types); param++) {
		if (!param->folios)
			continue;
		strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
		return param;
	}
	return NULL;
}

static struct kunit_case zone_device_cases[] = {
	KUNIT_CASE_PARAM(initial_refcount, type_gen_params),
	KUNIT_CASE_PARAM(last_put, type_gen_params),
	KUNIT_CASE_PARAM(folio_orders, folio_type_gen_params),
	KUNIT_CASE_PARAM(reuse_at_other_orders, folio_type_gen_params),
	KUNIT_CASE_PARAM(carve_freed_folio, folio_type_gen_params),
	KUNIT_CASE_PARAM(stale_flags, folio_type_gen_params),
	KUNIT_CASE_PARAM(driver_data, folio_type_gen_params),
	KUNIT_CASE_PARAM(two_references, folio_type_gen_params),
	KUNIT_CASE_PARAM(carve_in_two_threads, folio_type_gen_params),
	{}
};

static struct kunit_suite zone_device_suite = {
	.name = "zone_device",
	.test_cases = zone_device_cases,
};

kunit_test_suite(zone_device_suite);

MODULE_DESCRIPTION("KUnit tests of ZONE_DEVICE folios");
MODULE_LICENSE("GPL");
