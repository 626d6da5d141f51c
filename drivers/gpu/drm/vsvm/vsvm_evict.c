// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Eviction
 *
 * When VRAM has no room for a block that a GPU fault or a prefetch wants to move
 * there, another block (2 MiB of VRAM) is emptied: all of its folios go to system
 * memory, by physical address, whichever processes they belong to. A folio of
 * 2 MiB stays one, if system memory has such a page at hand, else it becomes
 * single pages. This is done before the migration that needs the room, without
 * the mmap lock and without any lock of the driver.
 *
 * Which one
 * ---------
 *
 * Blocks are kept in the order of their last use. A block is used when pages of
 * it are allocated, and when they are entered in page tables of the GPU. The GPU
 * does not tell which pages it accesses later, without a fault: its access
 * counters are for system memory.
 *
 * Duplicates of memory go first, see Read duplication.
 *
 * Then the block that has been unused for longest is evicted. But among the older
 * half of the blocks (the oldest 64, if that is less), one that has fewer pages
 * in use comes first: emptied, it is as good for a folio of 2 MiB, and costs
 * less. So VRAM that is in fragments becomes whole again. Where a block is not
 * needed as a whole, nothing is evicted as long as enough pages are free.
 *
 * Its end
 * -------
 *
 * An eviction can fail: a page is busy, or there is no system memory. The block
 * then counts as used, so that others are tried first, up to VSVM_EVICT_TRIES in
 * all. After that, the migration takes what VRAM there is, and what does not
 * move is used where it is, in system memory. Nothing is waited for, and a
 * prefetch whose process is killed stops between two migrations.
 *
 * A fault and a prefetch evict nothing that was used after they began, so never
 * what they themselves, or others at the same time, have brought. For a prefetch,
 * all of its range that is in VRAM is used when it begins. A prefetch of more
 * memory than there is VRAM therefore fills VRAM with the beginning of its range,
 * and leaves the rest in system memory.
 *
 * If several blocks are needed at the same time for one instruction, but
 * faults of other harts always evict one of them, no hart would get anywhere.
 * So a block that has evicted others VSVM_EVICT_ROUNDS times, less than
 * VSVM_EVICT_PERIOD apart, does not do so again before it has been left alone for
 * that time: the GPU gets it in system memory, from where nothing evicts it.
 *
 * The module parameter ``evict`` switches eviction off: then memory that finds
 * no room in VRAM stays in system memory, unless it is promoted, see Promotion.
 */

#include <linux/hmm.h>
#include <linux/jiffies.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "vsvm_vm.h"

/* Blocks that are tried to make room for one block. */
#define VSVM_EVICT_TRIES	8

/* Up to how many it is worth counting free blocks. */
#define VSVM_KEEP_BLOCKS	512

/* See "Its end". */
#define VSVM_EVICT_ROUNDS	8
#define VSVM_EVICT_PERIOD	HZ

static bool evict = true;
module_param(evict, bool, 0644);
MODULE_PARM_DESC(evict,
		 "Move memory from VRAM to system memory to make room for other memory; may be changed at any time (default Y)");

/**
 * enum vsvm_room_for - what room is needed for
 * @VSVM_ROOM_NONE: nothing, memory stays where it is
 * @VSVM_ROOM_PREFETCH: a prefetch
 * @VSVM_ROOM_FAULT: a fault
 */
enum vsvm_room_for {
	VSVM_ROOM_NONE,
	VSVM_ROOM_PREFETCH,
	VSVM_ROOM_FAULT,
};

/**
 * struct vsvm_room - room that a migration to VRAM needs
 * @purpose: what for
 * @access: enum vsvm_isa_access of the fault
 * @pages: number of pages
 * @whole: as one block
 */
struct vsvm_room {
	enum vsvm_room_for purpose;
	u32 access;
	unsigned long pages;
	bool whole;
};

/**
 * vsvm_evict_note_use() - memory in VRAM is used
 * @vdev: the device
 * @pfns: entries of vsvm_range_snapshot()
 * @npages: how many
 */
void vsvm_evict_note_use(struct vsvm_device *vdev, const unsigned long *pfns,
			 unsigned long npages)
{
	unsigned long last = ULONG_MAX;
	unsigned long i, block;
	struct page *page;

	for (i = 0; i < npages; i += vsvm_snapshot_step(pfns[i])) {
		if (!(pfns[i] & HMM_PFN_VALID))
			continue;
		page = hmm_pfn_to_page(pfns[i]);
		if (!is_device_private_page(page))
			continue;
		block = vsvm_vram_offset(&vdev->vram, page) >> VSVM_BLOCK_SHIFT;
		if (block != last)
			vsvm_vram_use(&vdev->vram, block);
		last = block;
	}
}

/* What is not in VRAM, going by the snapshot, needs room. */
static void vsvm_room_count(struct vsvm_room *room, const unsigned long *pfns,
			    unsigned long npages)
{
	bool huge = false, any = false;
	unsigned long i, n;

	for (i = 0; i < npages; i += n) {
		n = min(vsvm_snapshot_step(pfns[i]), npages - i);
		if (!(pfns[i] & HMM_PFN_VALID)) {
			room->pages += n;
		} else if (!is_device_private_page(hmm_pfn_to_page(pfns[i]))) {
			room->pages += n;
			any = true;
			huge |= hmm_pfn_to_map_order(pfns[i]) == VSVM_BLOCK_ORDER;
		}
	}
	/* A block that has no memory yet may get a huge page, too. */
	room->whole = room->pages == VSVM_BLOCK_PAGES && (huge || !any) &&
		      vsvm_huge_enabled();
}

/* Narrows a range to what moves by advice. Returns false when that is nothing. */
static bool vsvm_room_advised(const struct vsvm_room *room, struct vsvm_vm *vm,
			      unsigned long addr, unsigned long *start,
			      unsigned long *end)
{
	struct vsvm_attrs attrs;

	if (room->purpose == VSVM_ROOM_NONE)
		return true;
	attrs = vsvm_advice_get(vm, addr, start, end);
	if (room->purpose == VSVM_ROOM_PREFETCH)
		return !vsvm_attrs_no_migrate(&attrs) &&
		       !vsvm_attrs_want_duplicate(&attrs);
	vsvm_attrs_granule(&attrs, addr, start, end);
	return vsvm_attrs_want_vram(&attrs, room->access);
}

/*
 * Finds out what the part of the mapping of @addr from @start to @end needs.
 * What it has in VRAM is used. Returns false when there is nothing to be moved.
 */
static bool vsvm_room_find(struct vsvm_range *range, unsigned long addr,
			   unsigned long start, unsigned long end,
			   struct vsvm_batch *batch, struct vsvm_room *room)
{
	struct vsvm_vm *vm = range->vm;
	struct vm_area_struct *vma;
	unsigned long seq, npages;
	bool found = false;

	if (mmap_read_lock_killable(vm->mm))
		return false;

	vma = vma_lookup(vm->mm, addr);
	if (!vma || !vma_is_anonymous(vma))
		goto unlock;
	start = max(start, vma->vm_start);
	end = min(end, vma->vm_end);
	if (!vsvm_room_advised(room, vm, addr, &start, &end))
		goto unlock;
	npages = (end - start) >> PAGE_SHIFT;
	if (vsvm_range_snapshot(range, start, end, batch, &seq))
		goto unlock;

	vsvm_room_count(room, batch->pfns, npages);
	vsvm_evict_note_use(vm->vdev, batch->pfns, npages);
	found = room->pages;
unlock:
	mmap_read_unlock(vm->mm);
	return found;
}

/* Empties a block. Returns false when there is none to be emptied. */
static bool vsvm_evict_block(struct vsvm_device *vdev, u64 until,
			     struct vsvm_batch *batch)
{
	unsigned long block;

	if (!vsvm_vram_evict_begin(&vdev->vram, until, &block))
		return false;

	vsvm_migrate_block_to_ram(vdev, block, true, batch);
	if (vsvm_vram_evict_end(&vdev->vram, block))
		atomic64_inc(&vdev->stats.blocks_evicted);
	else
		atomic64_inc(&vdev->stats.evictions_failed);
	return true;
}

static void vsvm_evict(struct vsvm_device *vdev, const struct vsvm_room *room,
		       u64 until, struct vsvm_batch *batch)
{
	int tries = VSVM_EVICT_TRIES;

	while (tries && !fatal_signal_pending(current) &&
	       !vsvm_vram_has_room(&vdev->vram, room->pages, room->whole)) {
		cond_resched();
		if (vsvm_duplicates_end_oldest(vdev))
			continue;
		if (!vsvm_evict_block(vdev, until, batch))
			break;
		tries--;
	}
}

/* Whether room must be made, if at most a block is wanted. */
static bool vsvm_evict_wanted(struct vsvm_device *vdev)
{
	return READ_ONCE(evict) &&
	       !vsvm_vram_has_room(&vdev->vram, VSVM_BLOCK_PAGES, true);
}

/**
 * vsvm_evict_keep() - what is in VRAM of a range is used
 * @vm: the address space
 * @start: start of the range
 * @end: its end
 * @batch: scratch memory
 *
 * There is nothing to do while VRAM has a free block for each block of the range: then
 * nothing is evicted for it.
 *
 * Context: Process context without the mmap lock.
 */
void vsvm_evict_keep(struct vsvm_vm *vm, unsigned long start, unsigned long end,
		     struct vsvm_batch *batch)
{
	unsigned long first = start >> VSVM_BLOCK_SHIFT;
	unsigned long last = (end - 1) >> VSVM_BLOCK_SHIFT;
	unsigned long blocks = last - first + 1;
	struct vsvm_range *range;
	unsigned long index;

	if (blocks <= VSVM_KEEP_BLOCKS &&
	    vsvm_vram_free_blocks(&vm->vdev->vram, blocks) == blocks)
		return;

	xa_for_each_range(&vm->ranges, index, range, first, last) {
		unsigned long block = index << VSVM_BLOCK_SHIFT;
		struct vsvm_room room = {};

		if (fatal_signal_pending(current))
			return;
		vsvm_room_find(range, max(start, block), max(start, block),
			       min(end, block + VSVM_BLOCK_SIZE), batch, &room);
		cond_resched();
	}
}

/**
 * vsvm_evict_for_prefetch() - make room for a prefetch
 * @range: the block
 * @start: start of the part that is going to be moved to VRAM
 * @end: its end; what is behind the mapping of @start is left out
 * @until: what was used after that is not evicted, by vsvm_vram_uses()
 * @batch: scratch memory
 *
 * Context: Process context without the mmap lock.
 */
void vsvm_evict_for_prefetch(struct vsvm_range *range, unsigned long start,
			     unsigned long end, u64 until,
			     struct vsvm_batch *batch)
{
	struct vsvm_room room = { .purpose = VSVM_ROOM_PREFETCH };
	struct vsvm_device *vdev = range->vm->vdev;

	if (vsvm_evict_wanted(vdev) &&
	    vsvm_room_find(range, start, start, end, batch, &room))
		vsvm_evict(vdev, &room, until, batch);
}

/* Whether a fault may evict others for the sake of @range, see "Its end". */
static bool vsvm_evict_allowed(struct vsvm_range *range)
{
	if (time_after(jiffies, range->evict_time + VSVM_EVICT_PERIOD))
		range->evict_rounds = 0;
	range->evict_time = jiffies;
	if (range->evict_rounds == VSVM_EVICT_ROUNDS)
		return false;
	range->evict_rounds++;
	return true;
}

/**
 * vsvm_evict_for_fault() - make room for a block that the GPU needs
 * @range: the block
 * @addr: address of the fault; what is of its mapping is going to be moved, or less by
 *	advice
 * @access: enum vsvm_isa_access of the fault
 * @batch: scratch memory
 *
 * Context: vsvm_fault_work(), without the mmap lock.
 */
void vsvm_evict_for_fault(struct vsvm_range *range, unsigned long addr,
			  u32 access, struct vsvm_batch *batch)
{
	struct vsvm_room room = {
		.purpose = VSVM_ROOM_FAULT,
		.access = access,
	};
	unsigned long start = ALIGN_DOWN(addr, VSVM_BLOCK_SIZE);
	struct vsvm_device *vdev = range->vm->vdev;
	u64 until = vsvm_vram_uses(&vdev->vram);

	if (vsvm_evict_wanted(vdev) &&
	    vsvm_room_find(range, addr, start, start + VSVM_BLOCK_SIZE, batch,
			   &room) &&
	    !vsvm_vram_has_room(&vdev->vram, room.pages, room.whole) &&
	    vsvm_evict_allowed(range))
		vsvm_evict(vdev, &room, until, batch);
}
