// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: VRAM
 *
 * The memory of the GPU is one device-private page map, cut into blocks of
 * 2 MiB. A block is free, or full, or partial: one block never gives more than
 * one folio of order 9, or up to 512 folios of smaller orders.
 *
 * mm gives folios back in any context, often with a page table lock held. The
 * allocator is therefore a bitmap for each block under one spinlock: a folio is
 * free for the next allocation, and counted, as soon as mm has called
 * &dev_pagemap_ops.folio_free. Nothing is put off, so that the counters are
 * exact at any time. drm_buddy, which allocates memory to free a part of a
 * block, cannot do that; it was also renamed within 6.12.y.
 *
 * What a client wrote is never seen by another one: VRAM is handed out as the
 * destination of a migration or for a duplicate only, and each of its pages is
 * overwritten, by a copy or by zeroes, before it is mapped.
 *
 * Backing memory of free blocks is given back a while after the last use, by a
 * work item, because that may sleep.
 */

#include <linux/bitmap.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "vsvm_drv.h"
#include "vsvm_vm.h"

/* Long enough not to free what a program uses again and again. */
#define VSVM_DISCARD_DELAY	(5 * HZ)

/**
 * struct vsvm_block - 2 MiB of VRAM
 * @link: in one of the lists of &struct vsvm_vram by use
 * @lru: in &vsvm_vram.lru
 * @last_use: &vsvm_vram.uses when it was last used
 * @used: pages in use
 * @backed: was in use since it was last discarded
 * @evicting: being emptied, and therefore on no list
 * @map: one bit for each page, set when it is in use
 */
struct vsvm_block {
	struct list_head link;
	struct list_head lru;
	u64 last_use;
	unsigned int used;
	bool backed;
	bool evicting;
	DECLARE_BITMAP(map, VSVM_BLOCK_PAGES);
};

static struct vsvm_device *vsvm_device_of(struct vsvm_vram *vram)
{
	return container_of(vram, struct vsvm_device, vram);
}

/**
 * vsvm_owner_create() - start an account of VRAM
 *
 * Return: the account with one reference, or NULL.
 */
struct vsvm_owner *vsvm_owner_create(void)
{
	struct vsvm_owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL);

	if (owner)
		refcount_set(&owner->refs, 1);
	return owner;
}

/**
 * vsvm_owner_put() - drop a reference to an account
 * @owner: the account
 *
 * Context: Any.
 */
void vsvm_owner_put(struct vsvm_owner *owner)
{
	if (refcount_dec_and_test(&owner->refs))
		kfree(owner);
}

/* Puts a block on the list that fits its use. */
static void vsvm_block_sort(struct vsvm_vram *vram, struct vsvm_block *block)
{
	lockdep_assert_held(&vram->lock);

	if (block->evicting)
		return;

	if (!block->used) {
		list_del_init(&block->lru);
		list_move(&block->link, &vram->free);
		return;
	}

	if (block->used < VSVM_BLOCK_PAGES)
		list_move(&block->link, &vram->partial);
	else
		list_move_tail(&block->link, &vram->full);
}

/* Makes a block with pages in use the last one to be evicted. */
static void vsvm_block_use(struct vsvm_vram *vram, struct vsvm_block *block)
{
	lockdep_assert_held(&vram->lock);

	block->last_use = ++vram->uses;
	list_move_tail(&block->lru, &vram->lru);
}

/* Marks pages of a block as used. Returns the first. */
static unsigned long vsvm_block_take(struct vsvm_vram *vram,
				     struct vsvm_block *block,
				     unsigned long first, unsigned long nr)
{
	lockdep_assert_held(&vram->lock);

	bitmap_set(block->map, first, nr);
	block->used += nr;
	block->backed = true;
	vram->free_pages -= nr;
	vsvm_block_sort(vram, block);
	vsvm_block_use(vram, block);
	return vram->first_pfn + (block - vram->blocks) * VSVM_BLOCK_PAGES + first;
}

/* Up to @want pages of the first fitting block; 0 when there is none. */
static unsigned long vsvm_vram_take(struct vsvm_vram *vram, unsigned long want,
				    unsigned long *pfn)
{
	struct vsvm_block *block = NULL;
	unsigned long first, end;

	lockdep_assert_held(&vram->lock);

	if (vram->closed)
		return 0;

	/* Parts of a block come from a broken one, to keep others whole. */
	if (want < VSVM_BLOCK_PAGES)
		block = list_first_entry_or_null(&vram->partial,
						 struct vsvm_block, link);
	if (!block)
		block = list_first_entry_or_null(&vram->free,
						 struct vsvm_block, link);
	if (!block)
		block = list_first_entry_or_null(&vram->partial,
						 struct vsvm_block, link);
	if (!block)
		return 0;

	first = find_first_zero_bit(block->map, VSVM_BLOCK_PAGES);
	end = find_next_bit(block->map, VSVM_BLOCK_PAGES, first);
	want = min(want, end - first);

	*pfn = vsvm_block_take(vram, block, first, want);
	return want;
}

/* Pages for a folio of an order below that of a block, of a block in use. */
static bool vsvm_vram_take_aligned(struct vsvm_vram *vram, unsigned int order,
				   unsigned long *pfn)
{
	unsigned long nr = 1UL << order, first;
	struct vsvm_block *block;

	lockdep_assert_held(&vram->lock);

	list_for_each_entry(block, &vram->partial, link) {
		first = bitmap_find_next_zero_area(block->map, VSVM_BLOCK_PAGES,
						   0, nr, nr - 1);
		if (first < VSVM_BLOCK_PAGES) {
			*pfn = vsvm_block_take(vram, block, first, nr);
			return true;
		}
	}
	return false;
}

/**
 * vsvm_vram_alloc_aligned() - take pages of VRAM for a large folio
 * @vram: the memory
 * @order: of the folio, at most that of a block
 * @pfn: set to the first page, which is aligned to the size of the folio
 *
 * Context: May sleep.
 * Return: false when there is no such piece of VRAM.
 */
bool vsvm_vram_alloc_aligned(struct vsvm_vram *vram, unsigned int order,
			     unsigned long *pfn)
{
	unsigned long nr = 1UL << order, count;
	bool found = false;

	*pfn = 0;
	if (order < VSVM_BLOCK_ORDER) {
		spin_lock_irq(&vram->lock);
		if (!vram->closed)
			found = vsvm_vram_take_aligned(vram, order, pfn);
		spin_unlock_irq(&vram->lock);
		if (found)
			return true;
	}

	/* The whole of a free block, of which the rest goes back. */
	count = vsvm_vram_alloc(vram, VSVM_BLOCK_PAGES, pfn);
	if (count < VSVM_BLOCK_PAGES) {
		vsvm_vram_release(vram, *pfn, count);
		return false;
	}
	vsvm_vram_release(vram, *pfn + nr, VSVM_BLOCK_PAGES - nr);
	return true;
}

/**
 * vsvm_vram_alloc() - take pages of VRAM
 * @vram: the memory
 * @want: pages, 1 to 512
 * @pfn: set to the first page
 *
 * For 512 pages a whole block is given while there is one, aligned to 2 MiB.
 *
 * Context: May sleep.
 * Return: number of contiguous pages taken: less than @want when there is no
 * larger run at hand, 0 when VRAM is full.
 */
unsigned long vsvm_vram_alloc(struct vsvm_vram *vram, unsigned long want,
			      unsigned long *pfn)
{
	unsigned long count;
	bool wait;

	do {
		spin_lock_irq(&vram->lock);
		count = vsvm_vram_take(vram, want, pfn);
		wait = !count && vram->discarding;
		spin_unlock_irq(&vram->lock);
		if (wait)
			wait_event(vram->discard_wq,
				   !READ_ONCE(vram->discarding));
	} while (wait);

	return count;
}

/**
 * vsvm_vram_release() - give pages of VRAM back
 * @vram: the memory
 * @pfn: first page
 * @count: number of pages, all in one block, or 0
 *
 * Context: Any.
 */
void vsvm_vram_release(struct vsvm_vram *vram, unsigned long pfn,
		       unsigned long count)
{
	unsigned long page = pfn - vram->first_pfn;
	struct vsvm_block *block;
	unsigned long flags;
	bool idle;

	if (!count)
		return;

	block = &vram->blocks[page / VSVM_BLOCK_PAGES];

	spin_lock_irqsave(&vram->lock, flags);
	bitmap_clear(block->map, page % VSVM_BLOCK_PAGES, count);
	block->used -= count;
	vram->free_pages += count;
	vsvm_block_sort(vram, block);
	idle = !block->used && !vram->closed;
	spin_unlock_irqrestore(&vram->lock, flags);

	if (idle)
		mod_delayed_work(system_wq, &vram->discard_work,
				 VSVM_DISCARD_DELAY);
}

/**
 * vsvm_vram_folio() - make a folio of pages of VRAM
 * @vram: the memory
 * @pfn: first page, from vsvm_vram_alloc()
 * @order: of the folio
 * @owner: whom the folio is accounted to
 *
 * Return: the folio, locked, with one reference; NULL when the device goes away,
 * then the pages still belong to the caller.
 */
struct folio *vsvm_vram_folio(struct vsvm_vram *vram, unsigned long pfn,
			      unsigned int order, struct vsvm_owner *owner)
{
	struct vsvm_stats *stats = &vsvm_device_of(vram)->stats;
	struct folio *folio;

	folio = zone_device_folio_init(pfn_to_page(pfn), &vram->pgmap, order);
	if (!folio)
		return NULL;

	refcount_inc(&owner->refs);
	atomic64_add(1L << order, &owner->pages);
	folio_set_zone_device_data(folio, owner);
	atomic64_inc(&stats->folios_allocated[order]);
	return folio;
}

static void vsvm_folio_free(struct folio *folio)
{
	struct vsvm_vram *vram = vsvm_vram_of(&folio->page);
	struct vsvm_owner *owner = folio_zone_device_data(folio);
	unsigned int order = folio_order(folio);

	folio_set_zone_device_data(folio, NULL);
	atomic64_sub(1L << order, &owner->pages);
	vsvm_owner_put(owner);
	atomic64_inc(&vsvm_device_of(vram)->stats.folios_freed[order]);
	vsvm_vram_release(vram, folio_pfn(folio), 1UL << order);
}

/* Each part of a folio is freed on its own, so each needs its own reference. */
static void vsvm_folio_split(struct folio *head, struct folio *tail)
{
	struct vsvm_owner *owner = folio_zone_device_data(head);
	struct vsvm_vram *vram;

	if (!tail)
		return;

	vram = vsvm_vram_of(&head->page);
	refcount_inc(&owner->refs);
	folio_set_zone_device_data(tail, owner);
	atomic64_inc(&vsvm_device_of(vram)->stats.folios_split);
}

static const struct dev_pagemap_ops vsvm_pagemap_ops = {
	.folio_free = vsvm_folio_free,
	.folio_split = vsvm_folio_split,
	.migrate_to_ram = vsvm_cpu_fault,
};

static void vsvm_discard_work(struct work_struct *work)
{
	struct vsvm_vram *vram = container_of(to_delayed_work(work),
					      struct vsvm_vram, discard_work);
	struct vsvm_device *vdev = vsvm_device_of(vram);
	struct vsvm_block *block;

	for (;;) {
		bool found = false;

		spin_lock_irq(&vram->lock);
		list_for_each_entry(block, &vram->free, link) {
			if (!block->backed)
				continue;
			list_del_init(&block->link);
			vram->discarding++;
			found = true;
			break;
		}
		spin_unlock_irq(&vram->lock);
		if (!found)
			return;

		vsvm_hw_vram_discard(vdev->hw,
				     (u64)(block - vram->blocks) << VSVM_BLOCK_SHIFT,
				     VSVM_BLOCK_SIZE);

		spin_lock_irq(&vram->lock);
		block->backed = false;
		list_add_tail(&block->link, &vram->free);
		if (!--vram->discarding)
			wake_up_all(&vram->discard_wq);
		spin_unlock_irq(&vram->lock);
		cond_resched();
	}
}

static void vsvm_vram_region_release(void *data)
{
	struct resource *res = data;

	release_mem_region(res->start, resource_size(res));
}

static void vsvm_vram_fini(void *data)
{
	struct vsvm_vram *vram = data;

	cancel_delayed_work_sync(&vram->discard_work);
	WARN_ON(vram->free_pages != vram->num_blocks * VSVM_BLOCK_PAGES);
	kvfree(vram->blocks);
}

/**
 * vsvm_vram_init() - make the memory of the GPU known to mm
 * @vdev: the device, with its GPU powered up
 *
 * All of it is undone when the driver leaves the platform device.
 *
 * Return: 0 or a negative errno.
 */
int vsvm_vram_init(struct vsvm_device *vdev)
{
	struct vsvm_vram *vram = &vdev->vram;
	struct device *dev = vdev->drm.dev;
	struct resource *res;
	unsigned long i;
	void *addr;
	int ret;

	vram->size = vdev->config.vram_size;
	vram->num_blocks = vram->size >> VSVM_BLOCK_SHIFT;
	vram->free_pages = vram->size >> PAGE_SHIFT;
	spin_lock_init(&vram->lock);
	INIT_LIST_HEAD(&vram->free);
	INIT_LIST_HEAD(&vram->partial);
	INIT_LIST_HEAD(&vram->full);
	INIT_LIST_HEAD(&vram->lru);
	init_waitqueue_head(&vram->discard_wq);
	INIT_DELAYED_WORK(&vram->discard_work, vsvm_discard_work);

	vram->blocks = kvcalloc(vram->num_blocks, sizeof(*vram->blocks),
				GFP_KERNEL);
	if (!vram->blocks)
		return -ENOMEM;
	for (i = 0; i < vram->num_blocks; i++) {
		INIT_LIST_HEAD(&vram->blocks[i].lru);
		list_add_tail(&vram->blocks[i].link, &vram->free);
	}
	ret = devm_add_action_or_reset(dev, vsvm_vram_fini, vram);
	if (ret)
		return ret;

	res = request_free_mem_region(&iomem_resource, vram->size,
				      dev_name(dev));
	if (IS_ERR(res))
		return PTR_ERR(res);
	ret = devm_add_action_or_reset(dev, vsvm_vram_region_release, res);
	if (ret)
		return ret;

	/* The region is aligned to a memory section; folios rely on it. */
	if (WARN_ON(!IS_ALIGNED(res->start, VSVM_BLOCK_SIZE)))
		return -EINVAL;

	vram->first_pfn = PHYS_PFN(res->start);
	vram->pgmap.type = MEMORY_DEVICE_PRIVATE;
	vram->pgmap.range.start = res->start;
	vram->pgmap.range.end = res->start + vram->size - 1;
	vram->pgmap.nr_range = 1;
	vram->pgmap.ops = &vsvm_pagemap_ops;
	vram->pgmap.owner = vram;
	addr = devm_memremap_pages(dev, &vram->pgmap);
	return PTR_ERR_OR_ZERO(addr);
}

/**
 * vsvm_vram_close() - allow no more allocations
 * @vram: the memory
 */
void vsvm_vram_close(struct vsvm_vram *vram)
{
	spin_lock_irq(&vram->lock);
	vram->closed = true;
	spin_unlock_irq(&vram->lock);
}

/**
 * vsvm_vram_free_pages() - pages that can be allocated now
 * @vram: the memory
 *
 * Return: their number.
 */
unsigned long vsvm_vram_free_pages(struct vsvm_vram *vram)
{
	unsigned long count;

	spin_lock_irq(&vram->lock);
	count = vram->free_pages;
	spin_unlock_irq(&vram->lock);
	return count;
}

/**
 * vsvm_vram_has_room() - whether pages can be allocated now
 * @vram: the memory
 * @pages: how many, at most those of a block
 * @whole: as one block
 *
 * Return: true when they can, as far as nobody else takes them.
 */
bool vsvm_vram_has_room(struct vsvm_vram *vram, unsigned long pages, bool whole)
{
	bool room;

	spin_lock_irq(&vram->lock);
	room = !list_empty(&vram->free) ||
	       (!whole && vram->free_pages >= pages);
	spin_unlock_irq(&vram->lock);
	return room;
}

/**
 * vsvm_vram_free_blocks() - count blocks that are free as a whole
 * @vram: the memory
 * @max: how many are of interest
 *
 * Return: their number, at most @max.
 */
unsigned int vsvm_vram_free_blocks(struct vsvm_vram *vram, unsigned int max)
{
	struct vsvm_block *block;
	unsigned int count = 0;

	spin_lock_irq(&vram->lock);
	list_for_each_entry(block, &vram->free, link)
		if (++count >= max)
			break;
	spin_unlock_irq(&vram->lock);
	return count;
}

/**
 * vsvm_vram_uses() - a point in time for vsvm_vram_evict_begin()
 * @vram: the memory
 *
 * Return: how often blocks have been used up to now.
 */
u64 vsvm_vram_uses(struct vsvm_vram *vram)
{
	u64 uses;

	spin_lock_irq(&vram->lock);
	uses = vram->uses;
	spin_unlock_irq(&vram->lock);
	return uses;
}

/**
 * vsvm_vram_use() - a block is used
 * @vram: the memory
 * @block: its number
 */
void vsvm_vram_use(struct vsvm_vram *vram, unsigned long block)
{
	struct vsvm_block *used = &vram->blocks[block];

	spin_lock_irq(&vram->lock);
	if (used->used && !used->evicting)
		vsvm_block_use(vram, used);
	spin_unlock_irq(&vram->lock);
}

/* Most blocks that are looked at to find the one that is evicted. */
#define VSVM_EVICT_SCAN		64UL

/**
 * vsvm_vram_evict_begin() - choose a block to be emptied
 * @vram: the memory
 * @until: a block that was used after that, by vsvm_vram_uses(), is not chosen
 * @block: set to its number
 *
 * Of the older half of the blocks in use, as far as that is not more than
 * VSVM_EVICT_SCAN, it is the one with the fewest pages in use, and of several
 * the one that is unused for longest. Nothing is allocated in it until
 * vsvm_vram_evict_end().
 *
 * Return: false when there is none.
 */
bool vsvm_vram_evict_begin(struct vsvm_vram *vram, u64 until,
			   unsigned long *block)
{
	unsigned long scan = clamp(vram->num_blocks / 2, 1UL, VSVM_EVICT_SCAN);
	struct vsvm_block *best = NULL, *next;

	spin_lock_irq(&vram->lock);
	list_for_each_entry(next, &vram->lru, lru) {
		if (vram->closed || !scan-- || next->last_use > until)
			break;
		if (!best || next->used < best->used)
			best = next;
	}
	if (best) {
		best->evicting = true;
		list_del_init(&best->link);
		list_del_init(&best->lru);
		*block = best - vram->blocks;
	}
	spin_unlock_irq(&vram->lock);
	return best;
}

/**
 * vsvm_vram_evict_end() - allow allocations in a block again
 * @vram: the memory
 * @block: from vsvm_vram_evict_begin()
 *
 * A block that still has pages in use counts as used now: it will not be chosen
 * again before the others.
 *
 * Return: true when it is free.
 */
bool vsvm_vram_evict_end(struct vsvm_vram *vram, unsigned long block)
{
	struct vsvm_block *done = &vram->blocks[block];
	bool empty;

	spin_lock_irq(&vram->lock);
	done->evicting = false;
	vsvm_block_sort(vram, done);
	empty = !done->used;
	if (!empty)
		vsvm_block_use(vram, done);
	spin_unlock_irq(&vram->lock);
	return empty;
}

/**
 * vsvm_vram_block_used() - whether a block has pages in use
 * @vram: the memory
 * @block: its number
 *
 * Return: true when it has.
 */
bool vsvm_vram_block_used(struct vsvm_vram *vram, unsigned long block)
{
	return READ_ONCE(vram->blocks[block].used);
}

/* Copies the state of a block to @copy. Returns false when there is none to show. */
static bool vsvm_vram_copy_block(struct vsvm_vram *vram, unsigned long i,
				 struct vsvm_block *copy)
{
	spin_lock_irq(&vram->lock);
	*copy = vram->blocks[i];
	spin_unlock_irq(&vram->lock);
	return copy->used || copy->backed;
}

/**
 * vsvm_vram_print() - print a map of VRAM
 * @vram: the memory, inside of drm_dev_enter()
 * @p: printer
 *
 * One line for each block that is in use, with its pages, or that was in use and
 * still has backing memory. Each line is true for itself.
 */
void vsvm_vram_print(struct vsvm_vram *vram, struct drm_printer *p)
{
	unsigned long i, blocks = 0, pages = 0;
	struct vsvm_block copy;

	for (i = 0; i < vram->num_blocks; i++) {
		if (!vsvm_vram_copy_block(vram, i, &copy))
			continue;
		blocks += copy.used > 0;
		pages += copy.used;
		drm_printf(p, "block %lu: used %u of %lu pages: %*pbl\n", i,
			   copy.used, VSVM_BLOCK_PAGES, (int)VSVM_BLOCK_PAGES,
			   copy.map);
		cond_resched();
	}
	drm_printf(p, "blocks in use: %lu of %lu\n", blocks, vram->num_blocks);
	drm_printf(p, "pages in use: %lu of %llu\n", pages,
		   vram->size >> PAGE_SHIFT);
}
