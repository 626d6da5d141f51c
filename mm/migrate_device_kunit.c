// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Tests of device migration
 *
 * What a driver of the tree does not do, or not every time: migrations of several
 * PMDs at once, arrays that begin and end anywhere, destinations that do not fit,
 * and what the driver hears of a split. The device here is a page map and a
 * vmalloc() area that stands for its memory; the process is the thread of the test,
 * which has an address space of its own.
 */

#include <kunit/test.h>
#include <linux/highmem.h>
#include <linux/hmm.h>
#include <linux/huge_mm.h>
#include <linux/ioport.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define BLOCKS		8
#define BLOCK_PAGES	HPAGE_PMD_NR
#define PAGES		(BLOCKS * BLOCK_PAGES)
#define DEVICE_PAGES	(2 * PAGES)

/* Nothing else is in this part of the address space, not even a page table. */
#define FAR_AWAY	(1024UL * SZ_1G)

/**
 * struct fake_device - device memory and what happened to it
 * @pgmap: the page map
 * @res: addresses of the memory
 * @memory: what it holds
 * @first_pfn: its first page
 * @next: pages from here on have not been handed out yet
 * @used: pages handed out
 * @freed: calls of folio_free, by order
 * @splits: calls of folio_split with a new folio
 * @split_ends: calls of folio_split without
 * @bad_splits: calls with a folio that is not as it must be
 * @faults: calls of migrate_to_ram
 * @small: system memory is to be allocated in single pages
 * @src: array for migrations by @faults
 * @dst: likewise
 */
struct fake_device {
	struct dev_pagemap pgmap;
	struct resource *res;
	void *memory;
	unsigned long first_pfn;
	unsigned long next;
	unsigned long used;
	unsigned long freed[HPAGE_PMD_ORDER + 1];
	unsigned long splits;
	unsigned long split_ends;
	unsigned long bad_splits;
	unsigned long faults;
	bool small;
	unsigned long src[PAGES];
	unsigned long dst[PAGES];
};

static struct fake_device *device_of(struct page *page)
{
	return container_of(page_pgmap(page), struct fake_device, pgmap);
}

static void *memory_of(struct page *page)
{
	struct fake_device *dev = device_of(page);

	return dev->memory + ((page_to_pfn(page) - dev->first_pfn) << PAGE_SHIFT);
}

/* The owner of a page: different for each, so that a mix-up shows. */
static void *tag_of(struct folio *folio)
{
	return (void *)(folio_pfn(folio) << 4);
}

static void fake_folio_free(struct folio *folio)
{
	struct fake_device *dev = device_of(&folio->page);

	if (folio_zone_device_data(folio) != tag_of(folio))
		dev->bad_splits++;
	dev->freed[folio_order(folio)]++;
}

static void fake_folio_split(struct folio *folio, struct folio *new)
{
	struct fake_device *dev = device_of(&folio->page);

	if (folio_zone_device_data(folio) != tag_of(folio))
		dev->bad_splits++;
	if (!new) {
		dev->split_ends++;
		return;
	}
	if (page_pgmap(&new->page) != &dev->pgmap || folio_zone_device_data(new) ||
	    folio_order(new))
		dev->bad_splits++;
	folio_set_zone_device_data(new, tag_of(new));
	dev->splits++;
}

static struct folio *device_folio(struct fake_device *dev, unsigned int order)
{
	unsigned long first = ALIGN(dev->next, 1UL << order);
	struct page *page = pfn_to_page(dev->first_pfn + first);
	struct folio *folio;

	if (first + (1UL << order) > DEVICE_PAGES)
		return NULL;
	folio = zone_device_folio_init(page, &dev->pgmap, order);
	if (!folio)
		return NULL;
	dev->next = first + (1UL << order);
	dev->used += 1UL << order;
	folio_set_zone_device_data(folio, tag_of(folio));
	return folio;
}

/* Pages that an entry stands for; a hole is that of a PMD. */
static unsigned long entry_pages(unsigned long entry)
{
	struct page *page = migrate_pfn_to_page(entry);

	if (!(entry & MIGRATE_PFN_COMPOUND))
		return 1;
	return page ? folio_nr_pages(page_folio(page)) : BLOCK_PAGES;
}

/* Bring everything that can be migrated to new system memory. */
static void to_ram(struct fake_device *dev, unsigned long *src,
		   unsigned long *dst, unsigned long npages)
{
	unsigned long i, j, nr, step;

	for (i = 0; i < npages; i += nr) {
		struct page *page = migrate_pfn_to_page(src[i]);

		nr = entry_pages(src[i]);
		if (!page || !(src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		step = dev->small ? 1 : nr;
		for (j = 0; j < nr; j += step) {
			struct folio *folio = folio_alloc(GFP_HIGHUSER_MOVABLE,
							  ilog2(step));
			unsigned long k;

			if (!folio)
				break;
			for (k = 0; k < step; k++)
				memcpy(page_address(folio_page(folio, k)),
				       memory_of(page + j + k), PAGE_SIZE);
			folio_lock(folio);
			dst[i + j] = migrate_pfn(folio_pfn(folio)) |
				     (step > 1 ? MIGRATE_PFN_COMPOUND : 0);
		}
	}
}

static vm_fault_t fake_migrate_to_ram(struct vm_fault *vmf)
{
	unsigned long size = vmf->pte ? PAGE_SIZE : HPAGE_PMD_SIZE;
	struct fake_device *dev = device_of(vmf->page);
	struct migrate_vma args = {
		.vma = vmf->vma,
		.src = dev->src,
		.dst = dev->dst,
		.start = ALIGN_DOWN(vmf->address, size),
		.end = ALIGN_DOWN(vmf->address, size) + size,
		.pgmap_owner = dev,
		.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE |
			 (vmf->pte ? 0 : MIGRATE_VMA_SELECT_COMPOUND),
		.fault_page = vmf->page,
	};

	dev->faults++;
	memset(dev->dst, 0, sizeof(dev->dst));
	if (migrate_vma_setup(&args))
		return VM_FAULT_SIGBUS;
	to_ram(dev, args.src, args.dst, args.npages);
	migrate_vma_pages(&args);
	migrate_vma_finalize(&args);
	return 0;
}

static const struct dev_pagemap_ops fake_ops = {
	.folio_free = fake_folio_free,
	.folio_split = fake_folio_split,
	.migrate_to_ram = fake_migrate_to_ram,
};

static int fake_device_init(struct kunit *test)
{
	struct fake_device *dev = vzalloc(sizeof(*dev));
	void *addr;

	if (!dev)
		return -ENOMEM;
	test->priv = dev;
	dev->memory = vzalloc(DEVICE_PAGES << PAGE_SHIFT);
	if (!dev->memory)
		goto err_free;
	dev->res = request_free_mem_region(&iomem_resource,
					   DEVICE_PAGES << PAGE_SHIFT,
					   "migrate_device_kunit");
	if (IS_ERR(dev->res))
		goto err_memory;
	dev->first_pfn = PHYS_PFN(dev->res->start);
	dev->pgmap.type = MEMORY_DEVICE_PRIVATE;
	dev->pgmap.range.start = dev->res->start;
	dev->pgmap.range.end = dev->res->end;
	dev->pgmap.nr_range = 1;
	dev->pgmap.ops = &fake_ops;
	dev->pgmap.owner = dev;
	addr = memremap_pages(&dev->pgmap, NUMA_NO_NODE);
	if (!IS_ERR(addr))
		return 0;

	release_mem_region(dev->res->start, resource_size(dev->res));
err_memory:
	vfree(dev->memory);
err_free:
	vfree(dev);
	test->priv = NULL;
	return -ENOMEM;
}

/* The address space of the test is gone by now, or goes soon. */
static void fake_device_exit(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	if (!dev)
		return;
	memunmap_pages(&dev->pgmap);
	release_mem_region(dev->res->start, resource_size(dev->res));
	vfree(dev->memory);
	vfree(dev);
}

/* Memory of the process in which huge pages are wanted. */
static unsigned long user_memory(struct kunit *test)
{
	unsigned long addr;
	struct vm_area_struct *vma;

	addr = kunit_vm_mmap(test, NULL, FAR_AWAY, BLOCKS * HPAGE_PMD_SIZE,
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
	KUNIT_ASSERT_EQ(test, addr, FAR_AWAY);
	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, addr);
	vm_flags_set(vma, VM_HUGEPAGE);
	mmap_write_unlock(current->mm);
	return addr;
}

/* One word in each page, at a different place in each. */
static unsigned long word_offset(unsigned long page)
{
	return page % 512 * sizeof(u64);
}

static u64 pattern(unsigned long seed, unsigned long page)
{
	return (seed << 32 | page) * 0x9e3779b97f4a7c15ULL;
}

static u64 __user *user_word(unsigned long page)
{
	return (u64 __user *)(FAR_AWAY + (page << PAGE_SHIFT) + word_offset(page));
}

static void fill(struct kunit *test, unsigned long first, unsigned long npages,
		 unsigned long seed)
{
	unsigned long i, failed = 0;

	for (i = first; i < first + npages; i++)
		failed += !!put_user(pattern(seed, i), user_word(i));
	KUNIT_ASSERT_EQ(test, failed, 0);
}

static void check(struct kunit *test, unsigned long first, unsigned long npages,
		  unsigned long seed)
{
	unsigned long i, wrong = 0;
	u64 word;

	for (i = first; i < first + npages; i++)
		wrong += get_user(word, user_word(i)) ||
			 word != (seed ? pattern(seed, i) : 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/**
 * enum destination - what to answer an entry with
 * @HUGE: a folio of the same size
 * @SMALL: single pages
 * @EVEN: likewise, but every other one only
 * @NOT_FIRST: likewise, but not the first
 * @TOO_LARGE: a folio of 2 MiB, whatever the entry is
 */
enum destination {
	HUGE,
	SMALL,
	EVEN,
	NOT_FIRST,
	TOO_LARGE,
};

static bool wanted(enum destination kind, unsigned long page)
{
	return !(kind == EVEN && page % 2) && !(kind == NOT_FIRST && !page);
}

/* What the device puts where nothing was yet. */
#define DEVICE_SEED 77

static void device_copy(struct page *to, struct page *from, unsigned long page)
{
	if (from)
		memcpy(memory_of(to), page_address(from), PAGE_SIZE);
	else
		*(u64 *)(memory_of(to) + word_offset(page)) =
			pattern(DEVICE_SEED, page);
}

/* Destinations of one entry, with its content. */
static void device_dst(struct fake_device *dev, unsigned long src,
		       unsigned long *dst, unsigned long first,
		       enum destination kind)
{
	struct page *page = migrate_pfn_to_page(src);
	unsigned long nr = entry_pages(src), j;
	struct folio *folio;

	if (kind == TOO_LARGE || (kind == HUGE && nr > 1)) {
		folio = device_folio(dev, kind == HUGE ? ilog2(nr) :
						 HPAGE_PMD_ORDER);
		if (!folio)
			return;
		for (j = 0; j < nr; j++)
			device_copy(folio_page(folio, j), page ? page + j : NULL,
				    first + j);
		*dst = migrate_pfn(folio_pfn(folio)) | MIGRATE_PFN_COMPOUND;
		return;
	}
	for (j = 0; j < nr; j++) {
		folio = wanted(kind, j) ? device_folio(dev, 0) : NULL;
		if (!folio)
			continue;
		device_copy(&folio->page, page ? page + j : NULL, first + j);
		dst[j] = migrate_pfn(folio_pfn(folio));
	}
}

/* Pages of the entries that have moved. */
static unsigned long moved(const struct migrate_vma *args)
{
	unsigned long i, pages = 0;

	for (i = 0; i < args->npages; i++)
		if ((args->src[i] & MIGRATE_PFN_MIGRATE) &&
		    migrate_pfn_to_page(args->dst[i]))
			pages += entry_pages(args->dst[i]);
	return pages;
}

/**
 * struct result - what a migration came to
 * @cpages: entries that could be migrated
 * @compound: those of them that were a PMD
 * @moved: pages that moved
 */
struct result {
	unsigned long cpages;
	unsigned long compound;
	unsigned long moved;
};

/* One migration of these pages of the user memory to the device. */
static struct result to_device(struct kunit *test, unsigned long first,
			       unsigned long npages, unsigned long flags,
			       enum destination kind)
{
	struct fake_device *dev = test->priv;
	struct migrate_vma args = {
		.src = dev->src,
		.dst = dev->dst,
		.start = FAR_AWAY + (first << PAGE_SHIFT),
		.end = FAR_AWAY + ((first + npages) << PAGE_SHIFT),
		.pgmap_owner = dev,
		.flags = MIGRATE_VMA_SELECT_SYSTEM | flags,
	};
	struct result result = {};
	unsigned long i, nr;

	mmap_read_lock(current->mm);
	args.vma = find_vma(current->mm, args.start);
	memset(dev->dst, 0, sizeof(dev->dst));
	if (!migrate_vma_setup(&args)) {
		result.cpages = args.cpages;
		for (i = 0; i < args.npages; i += nr) {
			nr = entry_pages(args.src[i]);
			if (!(args.src[i] & MIGRATE_PFN_MIGRATE))
				continue;
			result.compound += nr > 1;
			device_dst(dev, args.src[i], args.dst + i, first + i, kind);
			if (kind == TOO_LARGE)
				break;
		}
		migrate_vma_pages(&args);
		result.moved = moved(&args);
		migrate_vma_finalize(&args);
	}
	mmap_read_unlock(current->mm);
	return result;
}

/* And of these back, as @owner. */
static struct result to_system(struct kunit *test, unsigned long first,
			       unsigned long npages, unsigned long flags,
			       void *owner)
{
	struct fake_device *dev = test->priv;
	struct migrate_vma args = {
		.src = dev->src,
		.dst = dev->dst,
		.start = FAR_AWAY + (first << PAGE_SHIFT),
		.end = FAR_AWAY + ((first + npages) << PAGE_SHIFT),
		.pgmap_owner = owner,
		.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE | flags,
	};
	struct result result = {};

	mmap_read_lock(current->mm);
	args.vma = find_vma(current->mm, args.start);
	memset(dev->dst, 0, sizeof(dev->dst));
	if (!migrate_vma_setup(&args)) {
		result.cpages = args.cpages;
		to_ram(dev, args.src, args.dst, args.npages);
		migrate_vma_pages(&args);
		result.moved = moved(&args);
		migrate_vma_finalize(&args);
	}
	mmap_read_unlock(current->mm);
	return result;
}

/* All that was allocated has been freed, and nothing else. */
static void finish(struct kunit *test)
{
	struct fake_device *dev = test->priv;
	unsigned long freed = 0;
	unsigned int order;

	KUNIT_EXPECT_EQ(test, vm_munmap(FAR_AWAY, BLOCKS * HPAGE_PMD_SIZE), 0);
	for (order = 0; order < ARRAY_SIZE(dev->freed); order++)
		freed += dev->freed[order] << order;
	KUNIT_EXPECT_EQ(test, freed, dev->used);
	KUNIT_EXPECT_EQ(test, dev->bad_splits, 0);
	KUNIT_EXPECT_EQ(test, dev->splits, dev->split_ends * (BLOCK_PAGES - 1));
	KUNIT_EXPECT_EQ(test, mm_pgtables_bytes(current->mm), 0);
	KUNIT_EXPECT_EQ(test,
			percpu_counter_sum(&current->mm->rss_stat[MM_ANONPAGES]),
			0);
}

static void expect_moved(struct kunit *test, struct result result,
			 unsigned long compound, unsigned long pages)
{
	KUNIT_EXPECT_EQ(test, result.compound, compound);
	KUNIT_EXPECT_EQ(test, result.moved, pages);
}

/* A hole where not even a PMD table is: all of its PMDs are filled. */
static void hole_of_many_pmds(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	expect_moved(test, to_device(test, 0, PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     BLOCKS, PAGES);
	check(test, 0, PAGES, DEVICE_SEED);
	KUNIT_EXPECT_EQ(test, dev->faults, BLOCKS);
	KUNIT_EXPECT_EQ(test, dev->freed[HPAGE_PMD_ORDER], BLOCKS);
	finish(test);
}

/* A hole that begins and ends within a PMD: single pages at both ends. */
static void hole_with_edges(struct kunit *test)
{
	unsigned long first = BLOCK_PAGES - 16, npages = 2 * BLOCK_PAGES + 16 + 32;
	struct fake_device *dev = test->priv;

	user_memory(test);
	expect_moved(test,
		     to_device(test, first, npages, MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     2, npages);
	check(test, first, npages, DEVICE_SEED);
	check(test, 0, first, 0);
	check(test, first + npages, BLOCK_PAGES - 32, 0);
	KUNIT_EXPECT_EQ(test, dev->faults, 2 + 16 + 32);
	finish(test);
}

/* The huge zero page is a hole, and has its page table deposited already. */
static void huge_zero_page(struct kunit *test)
{
	struct fake_device *dev = test->priv;
	unsigned long tables;

	user_memory(test);
	check(test, 0, PAGES, 0);
	tables = mm_pgtables_bytes(current->mm);
	expect_moved(test, to_device(test, 0, PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     BLOCKS, PAGES);
	KUNIT_EXPECT_EQ(test, mm_pgtables_bytes(current->mm), tables);
	check(test, 0, PAGES, DEVICE_SEED);
	KUNIT_EXPECT_EQ(test, dev->faults, BLOCKS);
	KUNIT_EXPECT_EQ(test, mm_pgtables_bytes(current->mm), tables);
	finish(test);
}

/* Huge pages to single pages, and back in single pages, with one fault each. */
static void huge_to_small(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	fill(test, 0, PAGES, 1);
	expect_moved(test,
		     to_device(test, 0, PAGES, MIGRATE_VMA_SELECT_COMPOUND, SMALL),
		     BLOCKS, PAGES);
	check(test, 0, PAGES, 1);
	KUNIT_EXPECT_EQ(test, dev->faults, PAGES);
	KUNIT_EXPECT_EQ(test, dev->freed[0], PAGES);
	finish(test);
}

/* The way home without a huge page, in a fault: one for each PMD. */
static void huge_home_small(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	fill(test, 0, PAGES, 1);
	expect_moved(test, to_device(test, 0, PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     BLOCKS, PAGES);
	dev->small = true;
	/* half of it by a fault, half of it on demand */
	check(test, 0, PAGES / 2, 1);
	KUNIT_EXPECT_EQ(test, dev->faults, BLOCKS / 2);
	KUNIT_EXPECT_EQ(test,
			to_system(test, PAGES / 2, PAGES / 2,
				  MIGRATE_VMA_SELECT_COMPOUND, dev).moved,
			PAGES / 2);
	check(test, 0, PAGES, 1);
	KUNIT_EXPECT_EQ(test, dev->faults, BLOCKS / 2);
	KUNIT_EXPECT_EQ(test, dev->splits, BLOCKS * (BLOCK_PAGES - 1));
	finish(test);
}

/* Only some of the single pages could be allocated: those move, no more. */
static void some_destinations(struct kunit *test)
{
	user_memory(test);
	fill(test, 0, PAGES, 1);
	expect_moved(test, to_device(test, 0, PAGES, MIGRATE_VMA_SELECT_COMPOUND, EVEN),
		     BLOCKS, PAGES / 2);
	check(test, 0, PAGES, 1);
	fill(test, 0, PAGES, 2);
	check(test, 0, PAGES, 2);
	finish(test);
}

/* Without the first of them the entry is left alone. */
static void no_first_destination(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	fill(test, 0, BLOCK_PAGES, 1);
	expect_moved(test,
		     to_device(test, 0, BLOCK_PAGES, MIGRATE_VMA_SELECT_COMPOUND,
			       NOT_FIRST),
		     1, 0);
	KUNIT_EXPECT_EQ(test, dev->freed[0], BLOCK_PAGES - 1);
	check(test, 0, BLOCK_PAGES, 1);
	fill(test, 0, BLOCK_PAGES, 2);
	check(test, 0, BLOCK_PAGES, 2);
	finish(test);
}

/* A large folio for a single page is refused. */
static void small_to_huge(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	fill(test, 0, BLOCK_PAGES, 1);
	expect_moved(test, to_device(test, 0, BLOCK_PAGES, 0, TOO_LARGE), 0, 0);
	KUNIT_EXPECT_EQ(test, dev->freed[HPAGE_PMD_ORDER], 1);
	check(test, 0, BLOCK_PAGES, 1);
	fill(test, 0, BLOCK_PAGES, 2);
	check(test, 0, BLOCK_PAGES, 2);
	finish(test);
}

/* So it is for a hole of less than its size: nothing appears behind the range. */
static void small_hole_to_huge(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	expect_moved(test,
		     to_device(test, 0, BLOCK_PAGES / 2, MIGRATE_VMA_SELECT_COMPOUND,
			       TOO_LARGE),
		     0, 0);
	KUNIT_EXPECT_EQ(test, dev->freed[HPAGE_PMD_ORDER], 1);
	check(test, 0, BLOCK_PAGES, 0);
	KUNIT_EXPECT_EQ(test, dev->faults, 0);
	finish(test);
}

/* Half of a huge page moves, there and back. */
static void half_range(struct kunit *test)
{
	unsigned long half = BLOCK_PAGES / 2;
	struct fake_device *dev = test->priv;

	user_memory(test);
	fill(test, 0, 2 * BLOCK_PAGES, 1);
	expect_moved(test,
		     to_device(test, half, half, MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     0, half);
	expect_moved(test,
		     to_device(test, BLOCK_PAGES, BLOCK_PAGES,
			       MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     1, BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test,
			to_system(test, BLOCK_PAGES, half,
				  MIGRATE_VMA_SELECT_COMPOUND, dev).moved,
			half);
	KUNIT_EXPECT_EQ(test, dev->splits, BLOCK_PAGES - 1);
	KUNIT_EXPECT_EQ(test, dev->split_ends, 1);
	check(test, 0, 2 * BLOCK_PAGES, 1);
	KUNIT_EXPECT_EQ(test, dev->faults, 2 * half);
	finish(test);
}

/* A folio that somebody else refers to is not split, and stays as it is. */
static void split_refused(struct kunit *test)
{
	struct fake_device *dev = test->priv;
	struct page *page = pfn_to_page(dev->first_pfn);

	user_memory(test);
	fill(test, 0, BLOCK_PAGES, 1);
	expect_moved(test,
		     to_device(test, 0, BLOCK_PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     1, BLOCK_PAGES);
	get_page(page);
	KUNIT_EXPECT_EQ(test, to_system(test, 3, 5, 0, dev).moved, 0);
	KUNIT_EXPECT_EQ(test, dev->splits, 0);
	KUNIT_EXPECT_EQ(test, dev->freed[HPAGE_PMD_ORDER], 0);
	put_page(page);
	KUNIT_EXPECT_EQ(test, to_system(test, 3, 5, 0, dev).moved, 5);
	KUNIT_EXPECT_EQ(test, dev->splits, BLOCK_PAGES - 1);
	check(test, 0, BLOCK_PAGES, 1);
	finish(test);
}

/* A folio that page table entries map in part: its last page is touched first. */
static void last_page_first(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	fill(test, 0, BLOCK_PAGES, 1);
	expect_moved(test,
		     to_device(test, 0, BLOCK_PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     1, BLOCK_PAGES);
	KUNIT_ASSERT_EQ(test, vm_munmap(FAR_AWAY, 3 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, dev->freed[HPAGE_PMD_ORDER] + dev->freed[0], 0);
	check(test, BLOCK_PAGES - 1, 1, 1);
	KUNIT_EXPECT_EQ(test, dev->faults, 1);
	/* what was unmapped goes with the split, what was touched went home */
	KUNIT_EXPECT_EQ(test, dev->freed[0], 4);
	check(test, 3, BLOCK_PAGES - 3, 1);
	finish(test);
}

/* Who asks for memory of another owner gets nothing. */
static void foreign_owner(struct kunit *test)
{
	struct fake_device *dev = test->priv;
	struct result result;

	user_memory(test);
	fill(test, 0, PAGES, 1);
	to_device(test, 0, PAGES / 2, MIGRATE_VMA_SELECT_COMPOUND, HUGE);
	to_device(test, PAGES / 2, PAGES / 2, 0, SMALL);
	result = to_system(test, 0, PAGES, MIGRATE_VMA_SELECT_COMPOUND, &result);
	KUNIT_EXPECT_EQ(test, result.cpages, 0);
	KUNIT_EXPECT_EQ(test, result.moved, 0);
	/* nor does who asks for system memory only */
	expect_moved(test, to_device(test, 0, PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE),
		     0, 0);
	KUNIT_EXPECT_EQ(test, dev->splits, 0);
	check(test, 0, PAGES, 1);
	finish(test);
}

static bool ignore_invalidation(struct mmu_interval_notifier *notifier,
				const struct mmu_notifier_range *range,
				unsigned long seq)
{
	mmu_interval_set_seq(notifier, seq);
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = {
	.invalidate = ignore_invalidation,
};

/* What hmm_range_fault() says of some pages, into the source array. */
static int ask_hmm(struct kunit *test, unsigned long first, unsigned long npages,
		   void *owner, unsigned long flags)
{
	struct fake_device *dev = test->priv;
	struct mmu_interval_notifier notifier;
	struct hmm_range range = {
		.notifier = &notifier,
		.start = FAR_AWAY + (first << PAGE_SHIFT),
		.end = FAR_AWAY + ((first + npages) << PAGE_SHIFT),
		.hmm_pfns = dev->src,
		.default_flags = flags,
		.dev_private_owner = owner,
	};
	int ret;

	ret = mmu_interval_notifier_insert(&notifier, current->mm, FAR_AWAY,
					   BLOCKS * HPAGE_PMD_SIZE, &notifier_ops);
	KUNIT_ASSERT_EQ(test, ret, 0);
	do {
		range.notifier_seq = mmu_interval_read_begin(&notifier);
		mmap_read_lock(current->mm);
		ret = hmm_range_fault(&range);
		mmap_read_unlock(current->mm);
	} while (ret == -EBUSY);
	mmu_interval_notifier_remove(&notifier);
	return ret;
}

/* A walk that starts within a PMD reports the pages from there on. */
static void hmm_from_the_middle(struct kunit *test)
{
	struct fake_device *dev = test->priv;
	unsigned long first, i, wrong = 0;

	user_memory(test);
	fill(test, 0, BLOCK_PAGES, 1);
	to_device(test, 0, BLOCK_PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE);
	for (first = 0; first < BLOCK_PAGES; first += 37) {
		KUNIT_ASSERT_EQ(test, ask_hmm(test, first, BLOCK_PAGES - first, dev, 0),
				0);
		for (i = 0; i < BLOCK_PAGES - first; i++) {
			struct page *page = hmm_pfn_to_page(dev->src[i]);

			wrong += page_to_pfn(page) != dev->first_pfn + first + i ||
				 !(dev->src[i] & HMM_PFN_WRITE) ||
				 hmm_pfn_to_map_order(dev->src[i]) !=
					HPAGE_PMD_ORDER;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, dev->faults, 0);
	finish(test);
}

/* To anybody else it is not there, or comes home if it is asked for. */
static void hmm_of_another_owner(struct kunit *test)
{
	struct fake_device *dev = test->priv;
	unsigned long i, valid = 0;

	user_memory(test);
	fill(test, 0, BLOCK_PAGES, 1);
	to_device(test, 0, BLOCK_PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE);
	KUNIT_ASSERT_EQ(test, ask_hmm(test, 0, BLOCK_PAGES, NULL, 0), 0);
	for (i = 0; i < BLOCK_PAGES; i++)
		valid += !!(dev->src[i] & HMM_PFN_VALID);
	KUNIT_EXPECT_EQ(test, valid, 0);
	KUNIT_EXPECT_EQ(test, dev->faults, 0);

	KUNIT_ASSERT_EQ(test, ask_hmm(test, 5, 1, NULL, HMM_PFN_REQ_FAULT), 0);
	KUNIT_EXPECT_EQ(test, dev->faults, 1);
	check(test, 0, BLOCK_PAGES, 1);
	KUNIT_EXPECT_EQ(test, dev->faults, 1);
	finish(test);
}

/* Entries of a range of device pages that are there. */
static unsigned long device_range(struct kunit *test, unsigned long first,
				  unsigned long npages, bool move)
{
	struct fake_device *dev = test->priv;
	unsigned long i, entries = 0;

	memset(dev->dst, 0, sizeof(dev->dst));
	migrate_device_range(dev->src, dev->first_pfn + first, npages);
	for (i = 0; i < npages; i++)
		entries += !!(dev->src[i] & MIGRATE_PFN_MIGRATE);
	if (move)
		to_ram(dev, dev->src, dev->dst, npages);
	migrate_device_pages(dev->src, dev->dst, npages);
	migrate_device_finalize(dev->src, dev->dst, npages);
	return entries;
}

/* migrate_device_range() that starts at a tail page, and that ends in a folio. */
static void range_in_a_folio(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	fill(test, 0, 2 * BLOCK_PAGES, 1);
	to_device(test, 0, 2 * BLOCK_PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE);
	/* no entry for the tails, one for the folio behind them */
	KUNIT_EXPECT_EQ(test, device_range(test, 7, 2 * BLOCK_PAGES - 7, false), 1);
	KUNIT_EXPECT_EQ(test, dev->splits, 0);
	/* a folio that is longer than the range is split */
	KUNIT_EXPECT_EQ(test, device_range(test, 0, 100, false), 100);
	KUNIT_EXPECT_EQ(test, dev->splits, BLOCK_PAGES - 1);
	KUNIT_EXPECT_EQ(test, device_range(test, 0, 2 * BLOCK_PAGES, true),
			BLOCK_PAGES + 1);
	KUNIT_EXPECT_EQ(test, dev->freed[0], BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, dev->freed[HPAGE_PMD_ORDER], 1);
	check(test, 0, 2 * BLOCK_PAGES, 1);
	KUNIT_EXPECT_EQ(test, dev->faults, 0);
	finish(test);
}

/* Single pages where a folio was: all of them are found, wherever they are. */
static void range_over_carved_folio(struct kunit *test)
{
	struct fake_device *dev = test->priv;

	user_memory(test);
	fill(test, 0, BLOCK_PAGES, 1);
	to_device(test, 0, BLOCK_PAGES, MIGRATE_VMA_SELECT_COMPOUND, HUGE);
	check(test, 0, BLOCK_PAGES, 1);
	KUNIT_ASSERT_EQ(test, dev->freed[HPAGE_PMD_ORDER], 1);
	/* from the 112th page on it is handed out again, page by page */
	dev->next = 112;
	to_device(test, 0, 400, 0, SMALL);
	KUNIT_EXPECT_EQ(test, device_range(test, 0, BLOCK_PAGES, true), 400);
	KUNIT_EXPECT_EQ(test, dev->freed[0], 400);
	check(test, 0, BLOCK_PAGES, 1);
	KUNIT_EXPECT_EQ(test, dev->faults, 1);
	finish(test);
}

static struct kunit_case migrate_device_cases[] = {
	KUNIT_CASE(hole_of_many_pmds),
	KUNIT_CASE(hole_with_edges),
	KUNIT_CASE(huge_zero_page),
	KUNIT_CASE(huge_to_small),
	KUNIT_CASE(huge_home_small),
	KUNIT_CASE(some_destinations),
	KUNIT_CASE(no_first_destination),
	KUNIT_CASE(small_to_huge),
	KUNIT_CASE(small_hole_to_huge),
	KUNIT_CASE(half_range),
	KUNIT_CASE(split_refused),
	KUNIT_CASE(last_page_first),
	KUNIT_CASE(foreign_owner),
	KUNIT_CASE(hmm_from_the_middle),
	KUNIT_CASE(hmm_of_another_owner),
	KUNIT_CASE(range_in_a_folio),
	KUNIT_CASE(range_over_carved_folio),
	{}
};

static struct kunit_suite migrate_device_suite = {
	.name = "migrate_device",
	.init = fake_device_init,
	.exit = fake_device_exit,
	.test_cases = migrate_device_cases,
};

kunit_test_suite(migrate_device_suite);

MODULE_DESCRIPTION("Tests of device migration");
MODULE_LICENSE("GPL");
