// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Read duplication
 *
 * Anonymous memory that is read-mostly by advice does not move to VRAM when the GPU
 * reads it, but is copied: the GPU reads the copy, its duplicate, and CPUs go on with
 * the original, without a fault on either side. On several GPUs each has its own.
 *
 * hmm_range_share() makes sure that the original is not written to without an MMU
 * notifier. The notifier ends the duplicate, as it would any entry of the GPU's page
 * tables: they are emptied, the TLBs flushed, and only then is its VRAM given back, and
 * its reference to the original. The next read makes a new one. When the GPU writes,
 * the duplicate is ended, too, and the memory moves to VRAM as it does without advice.
 *
 * A duplicate costs nothing but VRAM. So it takes what is free there and evicts nothing,
 * and when others need room, all duplicates go before anything is evicted, the oldest
 * first: to end one takes no copy and no system memory.
 *
 * The pages of VRAM of a duplicate are no folios: mm knows nothing of them, and the
 * process' page tables have the original, which is what a residency query shows.
 *
 * A write of a CPU to memory that is duplicated costs it what a write after a fork()
 * does: a fault, and a copy of the page; a PMD that maps a huge page is split.
 */

#include <linux/hmm.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "vsvm_copy.h"
#include "vsvm_trace.h"
#include "vsvm_vm.h"

/**
 * struct vsvm_duplicate - what is duplicated of a block
 * @link: in &vsvm_duplicates.list
 * @range: the block
 * @count: pages that are
 * @whole: no part of it can go alone: one leaf maps all of it, or there are large folios
 *	among the originals
 * @pages: the originals, each with a reference; NULL for a page that is not duplicated
 * @vram: for each of them the page of VRAM, counted from its beginning
 */
struct vsvm_duplicate {
	struct list_head link;
	struct vsvm_range *range;
	unsigned long count;
	bool whole;
	struct page *pages[VSVM_BLOCK_PAGES];
	u32 vram[VSVM_BLOCK_PAGES];
};

/**
 * vsvm_duplicates_init() - a device without duplicates
 * @duplicates: of the device
 */
void vsvm_duplicates_init(struct vsvm_duplicates *duplicates)
{
	spin_lock_init(&duplicates->lock);
	INIT_LIST_HEAD(&duplicates->list);
}

/* Whether a page of VRAM continues the one before it, in the same block of VRAM. */
static bool vsvm_duplicate_continues(const struct vsvm_duplicate *dup,
				     unsigned long i)
{
	return dup->vram[i] == dup->vram[i - 1] + 1 &&
	       dup->vram[i] % VSVM_BLOCK_PAGES;
}

/* Gives the originals from page @i to @end back, and the VRAM that they have. */
static void vsvm_duplicate_release(struct vsvm_duplicate *dup, unsigned long i,
				   unsigned long end)
{
	struct vsvm_vram *vram = &dup->range->vm->vdev->vram;
	unsigned long next;

	for (; i < end; i = next) {
		next = i + 1;
		if (!dup->pages[i])
			continue;
		while (next < end && dup->pages[next] &&
		       vsvm_duplicate_continues(dup, next))
			next++;
		vsvm_vram_release(vram, vram->first_pfn + dup->vram[i], next - i);
		dup->count -= next - i;
		for (; i < next; i++) {
			put_page(dup->pages[i]);
			dup->pages[i] = NULL;
		}
	}
}

/*
 * Leaves originals out that the process does not have any more. Makes @pfns what the GPU
 * may have of the block: an entry for each page, and none to be written to.
 */
static void vsvm_duplicate_match(struct vsvm_duplicate *dup, unsigned long first,
				 unsigned long *pfns, unsigned long npages)
{
	struct page **original;
	unsigned long i, pfn;

	/* The first one may stand for all and goes last. */
	for (i = npages; i--;) {
		pfn = vsvm_snapshot_entry(pfns, i);
		original = &dup->pages[first + i];
		if (*original &&
		    ((pfn & (HMM_PFN_VALID | HMM_PFN_WRITE)) != HMM_PFN_VALID ||
		     hmm_pfn_to_page(pfn) != *original)) {
			put_page(*original);
			*original = NULL;
		}
		pfns[i] = (pfn & ~HMM_PFN_FLAGS) | (pfn & HMM_PFN_VALID);
		if (!(pfn & HMM_PFN_VALID))
			pfns[i] = 0;
	}
}

/* VRAM for the originals, and entries for it. What gets none is not duplicated. */
static void vsvm_duplicate_alloc(struct vsvm_duplicate *dup, unsigned long first,
				 unsigned long *pfns, unsigned long npages)
{
	struct vsvm_vram *vram = &dup->range->vm->vdev->vram;
	unsigned long i, want = 0, pfn = 0, left = 0;

	for (i = 0; i < npages; i++)
		want += !!dup->pages[first + i];
	for (i = 0; i < npages; i++) {
		if (!dup->pages[first + i])
			continue;
		if (!left)
			left = vsvm_vram_alloc(vram, want, &pfn);
		if (!left) {
			put_page(dup->pages[first + i]);
			dup->pages[first + i] = NULL;
			continue;
		}
		dup->vram[first + i] = pfn - vram->first_pfn;
		dup->count++;
		pfns[i] = pfn++ | HMM_PFN_VALID;
		left--;
		want--;
	}
}

static int vsvm_duplicate_copy(struct vsvm_duplicate *dup)
{
	struct vsvm_copy copy = { .vdev = dup->range->vm->vdev };
	unsigned long i;

	for (i = 0; i < VSVM_BLOCK_PAGES; i++)
		if (dup->pages[i])
			vsvm_copy_add(&copy, (u64)dup->vram[i] << PAGE_SHIFT,
				      page_to_phys(dup->pages[i]), PAGE_SIZE,
				      VSVM_HW_COPY_DST_VRAM);
	vsvm_copy_run(&copy);
	return copy.error;
}

static bool vsvm_duplicate_has_large(const struct vsvm_duplicate *dup)
{
	unsigned long i;

	for (i = 0; i < VSVM_BLOCK_PAGES; i++)
		if (dup->pages[i] && folio_test_large(page_folio(dup->pages[i])))
			return true;
	return false;
}

/* Whether one leaf can map all of it. Then the first entry says so. */
static bool vsvm_duplicate_is_leaf(const struct vsvm_duplicate *dup,
				   unsigned long *pfns)
{
	unsigned long i;

	if (dup->count < VSVM_BLOCK_PAGES || dup->vram[0] % VSVM_BLOCK_PAGES)
		return false;
	for (i = 1; i < VSVM_BLOCK_PAGES; i++)
		if (!vsvm_duplicate_continues(dup, i))
			return false;
	pfns[0] |= (unsigned long)VSVM_BLOCK_ORDER << HMM_PFN_ORDER_SHIFT;
	return true;
}

/* Undoes what vsvm_duplicate_make() has done of it, and frees it. */
static void vsvm_duplicate_discard(struct vsvm_duplicate *dup)
{
	unsigned long i;

	if (dup->count)
		vsvm_duplicate_release(dup, 0, VSVM_BLOCK_PAGES);
	else
		for (i = 0; i < VSVM_BLOCK_PAGES; i++)
			if (dup->pages[i])
				put_page(dup->pages[i]);
	kfree(dup);
}

/* Fills in and enters a duplicate of the originals that it has. */
static int vsvm_duplicate_make(struct vsvm_duplicate *dup, unsigned long start,
			       unsigned long end, struct vsvm_batch *batch,
			       u64 *bytes)
{
	unsigned long first = (start >> PAGE_SHIFT) % VSVM_BLOCK_PAGES;
	unsigned long npages = (end - start) >> PAGE_SHIFT;
	unsigned long seq;
	int ret;

	ret = vsvm_range_snapshot(dup->range, start, end, batch, &seq);
	if (ret)
		return ret;
	vsvm_duplicate_match(dup, first, batch->pfns, npages);
	vsvm_duplicate_alloc(dup, first, batch->pfns, npages);
	if (!dup->count)
		return -ENOSPC;
	ret = vsvm_duplicate_copy(dup);
	if (ret)
		return ret;
	dup->whole = vsvm_duplicate_has_large(dup) |
		     vsvm_duplicate_is_leaf(dup, batch->pfns);
	return vsvm_range_map_duplicate(dup->range, start, end, batch->pfns, seq,
					dup, bytes);
}

/**
 * vsvm_duplicate() - let the GPU read a copy of what the process has in a block
 * @range: the block
 * @vma: an anonymous mapping
 * @start: start of the part to be duplicated, in @vma
 * @end: its end
 * @needed: a page that must be among those that are, or @end if any will do
 * @batch: scratch memory
 *
 * What cannot be duplicated is entered where it is, unless that is all there is.
 *
 * Context: The mmap lock is held for reading.
 * Return: bytes that are accessible now and were not; 0 when nothing was duplicated.
 */
u64 vsvm_duplicate(struct vsvm_range *range, struct vm_area_struct *vma,
		   unsigned long start, unsigned long end, unsigned long needed,
		   struct vsvm_batch *batch)
{
	unsigned long first = (start >> PAGE_SHIFT) % VSVM_BLOCK_PAGES;
	unsigned long page = (needed >> PAGE_SHIFT) % VSVM_BLOCK_PAGES;
	struct vsvm_device *vdev = range->vm->vdev;
	u64 begin = ktime_get_ns();
	struct vsvm_duplicate *dup;
	u64 bytes = 0;

	if (!vsvm_vram_free_pages(&vdev->vram))
		return 0;
	dup = kzalloc(sizeof(*dup), GFP_KERNEL);
	if (!dup)
		return 0;
	dup->range = range;

	if (hmm_range_share(vma, start, end, &dup->pages[first]) <= 0 ||
	    (needed != end && !dup->pages[page]) ||
	    vsvm_duplicate_make(dup, start, end, batch, &bytes)) {
		vsvm_duplicate_discard(dup);
		return 0;
	}

	vsvm_evict_note_use(vdev, batch->pfns, (end - start) >> PAGE_SHIFT);
	trace_vsvm_duplicate(vdev, start, end, bytes, ktime_get_ns() - begin);
	return bytes;
}

/**
 * vsvm_duplicate_install() - a duplicate has been entered in the GPU's page tables
 * @range: the block, of which nothing that @dup has is duplicated otherwise
 * @dup: the duplicate, which belongs to @range from now on
 */
void vsvm_duplicate_install(struct vsvm_range *range, struct vsvm_duplicate *dup)
{
	struct vsvm_duplicate *old = range->duplicate;
	struct vsvm_vm *vm = range->vm;
	struct vsvm_duplicates *all = &vm->vdev->duplicates;
	unsigned long i;

	lockdep_assert_held(&vm->pt_lock);

	atomic64_add(dup->count, &vm->owner->pages);
	atomic64_add(dup->count, &vm->vdev->stats.pages_duplicated);

	if (old) {
		for (i = 0; i < VSVM_BLOCK_PAGES; i++) {
			if (!old->pages[i])
				continue;
			dup->pages[i] = old->pages[i];
			dup->vram[i] = old->vram[i];
		}
		dup->count += old->count;
		dup->whole |= old->whole;
	}
	range->duplicate = dup;
	spin_lock(&all->lock);
	if (old)
		list_del(&old->link);
	list_add_tail(&dup->link, &all->list);
	spin_unlock(&all->lock);
	kfree(old);
}

/**
 * vsvm_duplicate_reach() - find out how much is duplicated no more when a range changes
 * @range: the block
 * @start: start of the range, which is in the block; lowered if need be
 * @end: its end; raised if need be
 *
 * Return: true if anything of it is duplicated.
 */
bool vsvm_duplicate_reach(const struct vsvm_range *range, unsigned long *start,
			  unsigned long *end)
{
	unsigned long block = range->notifier.interval_tree.start;
	const struct vsvm_duplicate *dup = range->duplicate;
	unsigned long i;

	lockdep_assert_held(&range->vm->pt_lock);

	if (!dup)
		return false;
	if (dup->whole) {
		*start = block;
		*end = block + VSVM_BLOCK_SIZE;
		return true;
	}
	for (i = (*start - block) >> PAGE_SHIFT; i < (*end - block) >> PAGE_SHIFT; i++)
		if (dup->pages[i])
			return true;
	return false;
}

/**
 * vsvm_duplicate_drop() - give up what is duplicated of a range
 * @range: the block
 * @start: start of the range, from vsvm_duplicate_reach()
 * @end: its end, likewise
 *
 * The GPU has no entry and no translation any more that leads to it.
 */
void vsvm_duplicate_drop(struct vsvm_range *range, unsigned long start,
			 unsigned long end)
{
	struct vsvm_duplicate *dup = range->duplicate;
	struct vsvm_vm *vm = range->vm;
	unsigned long block = range->notifier.interval_tree.start;
	unsigned long first = (start - block) >> PAGE_SHIFT;
	unsigned long last = (end - block) >> PAGE_SHIFT;
	struct vsvm_duplicates *all = &vm->vdev->duplicates;
	unsigned long count;

	lockdep_assert_held(&vm->pt_lock);

	if (!dup)
		return;
	count = dup->count;
	vsvm_duplicate_release(dup, first, last);
	count -= dup->count;
	atomic64_sub(count, &vm->owner->pages);
	atomic64_add(count, &vm->vdev->stats.duplicates_dropped);
	if (dup->count)
		return;

	range->duplicate = NULL;
	spin_lock(&all->lock);
	list_del(&dup->link);
	spin_unlock(&all->lock);
	kfree(dup);
}

/**
 * vsvm_duplicate_end() - have the GPU fault again on what is duplicated of a block
 * @range: the block
 *
 * Context: Process context, inside of drm_dev_enter() or of vsvm_fault_work().
 * Return: true when there was something.
 */
bool vsvm_duplicate_end(struct vsvm_range *range)
{
	unsigned long start = range->notifier.interval_tree.start;
	unsigned long end = start + VSVM_BLOCK_SIZE;
	struct vsvm_vm *vm = range->vm;
	bool any;

	mutex_lock(&vm->pt_lock);
	any = range->duplicate;
	if (any)
		vsvm_range_clear(range, start, end);
	mutex_unlock(&vm->pt_lock);
	return any;
}

/**
 * vsvm_duplicates_end_oldest() - end the duplicate of a device that is the oldest
 * @vdev: the device
 *
 * Context: Process context without the mmap lock, while the GPU exists.
 * Return: true when there was one.
 */
bool vsvm_duplicates_end_oldest(struct vsvm_device *vdev)
{
	struct vsvm_duplicates *all = &vdev->duplicates;
	struct vsvm_range *range = NULL;
	struct vsvm_duplicate *dup;

	spin_lock(&all->lock);
	dup = list_first_entry_or_null(&all->list, struct vsvm_duplicate, link);
	/* An address space that goes away ends its own. */
	if (dup && kref_get_unless_zero(&dup->range->vm->ref))
		range = dup->range;
	spin_unlock(&all->lock);
	if (!range)
		return false;

	vsvm_duplicate_end(range);
	vsvm_vm_put(range->vm);
	return true;
}

/**
 * vsvm_duplicates_fini() - give up all duplicates of an address space
 * @vm: the address space, marked as dead, which the GPU does not know any more
 */
void vsvm_duplicates_fini(struct vsvm_vm *vm)
{
	struct vsvm_range *range;
	unsigned long index;

	xa_for_each(&vm->ranges, index, range) {
		unsigned long start = index << VSVM_BLOCK_SHIFT;

		mutex_lock(&vm->pt_lock);
		vsvm_duplicate_drop(range, start, start + VSVM_BLOCK_SIZE);
		mutex_unlock(&vm->pt_lock);
		cond_resched();
	}
}
