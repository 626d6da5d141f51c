// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Shared virtual memory
 *
 * The GPU's page tables are a cache of the process' page tables. They are filled
 * block by block (2 MiB) as the GPU faults, and emptied by MMU notifiers before
 * the process' page tables change.
 *
 * Each block that the GPU has touched has one &struct vsvm_range with a notifier
 * of its own. It stays until the file is closed: a range that is unmapped and
 * mapped again is the same block.
 *
 * Partial unmapping needs no care: an invalidation empties exactly the entries
 * it names, except that a leaf of 2 MiB goes as a whole. What was emptied too
 * much comes back with the next fault.
 */

/**
 * DOC: Locking
 *
 * Lock order, outer first::
 *
 *	vsvm_device.vms_lock
 *	    vsvm_async.lock
 *	    vsvm_vm.queues_lock
 *	        vsvm_device.queues_lock
 *	        vsvm_queue.lock
 *	mm_struct.mmap_lock
 *	    page table locks, folio locks, MMU notifiers
 *	        vsvm_advice.lock (spinlock)
 *	        vsvm_vm.pt_lock
 *	            (inside the GPU model)
 *	            vsvm_duplicates.lock (spinlock)
 *	vsvm_vram.lock (innermost, interrupts off)
 *
 * The two groups are not nested, but that vsvm_vm.pt_lock is also taken inside
 * vsvm_device.vms_lock. In detail:
 *
 * - Only vsvm_vm.pt_lock and vsvm_advice.lock are taken in MMU notifiers. No memory
 *   may be waited for under them, since reclaim calls notifiers;
 *   fs_reclaim_acquire() at creation teaches this to lockdep.
 * - Entries are written under vsvm_vm.pt_lock, after mmu_interval_read_retry()
 *   under the same lock has said that the result of hmm_range_fault() is still
 *   true. The notifier calls mmu_interval_set_seq() under it and empties the
 *   entries. So an entry that is present is one that the process has.
 * - The GPU's TLBs are invalidated before the notifier returns, under the lock.
 *   A notifier that must not sleep gives up if a compute unit is busy; entries
 *   that it has removed are then remembered in &vsvm_range.flush_pending, for
 *   the next one to flush.
 * - migrate_to_ram takes none of these locks. It finds the device by the page,
 *   and the page is locked by mm. Migrations of different ranges run in
 *   parallel, as do copies.
 * - When the GPU gets a page of system memory for itself, the notifier ignores what
 *   make_device_exclusive_range() says in the name of the same address space, so
 *   that the sequence number stays valid.
 * - A duplicate, and what is entered of it, changes under vsvm_vm.pt_lock. It is found by
 *   its device under vsvm_duplicates.lock, which is not held for longer.
 * - Advice changes under the mmap lock, held for writing, and is read under it. It is
 *   removed in a notifier, which runs under the mmap lock, too, but not always for
 *   writing: hence vsvm_advice.lock.
 * - An eviction takes none of these locks but vsvm_vram.lock, to choose the block
 *   and to give it back. Nobody allocates in it in between, and mm tells the
 *   owners of its pages by MMU notifiers.
 * - No driver lock is held while user memory is read or written.
 */

#include <linux/hmm.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/slab.h>

#include "vsvm_trace.h"
#include "vsvm_vm.h"

/**
 * vsvm_check_user_range() - check a range of addresses given by user space
 * @addr: its start
 * @length: its length
 *
 * Return: true when it is a range of whole pages, not empty, that the process
 * can have memory in and the GPU can reach.
 */
bool vsvm_check_user_range(u64 addr, u64 length)
{
	return length && PAGE_ALIGNED(addr) && PAGE_ALIGNED(length) &&
	       addr < VSVM_USER_END && length <= VSVM_USER_END - addr;
}

static bool vsvm_range_invalidate(struct mmu_interval_notifier *notifier,
				  const struct mmu_notifier_range *event,
				  unsigned long seq)
{
	struct vsvm_range *range = container_of(notifier, struct vsvm_range,
						notifier);
	unsigned long first = notifier->interval_tree.start;
	unsigned long start = max(event->start, first);
	unsigned long end = min(event->end, first + VSVM_BLOCK_SIZE);
	bool may_block = mmu_notifier_range_blockable(event);
	struct vsvm_vm *vm = range->vm;
	bool done = true;

	/* Our own doing, see vsvm_range_map_exclusive(). */
	if (event->event == MMU_NOTIFY_EXCLUSIVE && event->owner == vm)
		return true;

	if (may_block)
		mutex_lock(&vm->pt_lock);
	else if (!mutex_trylock(&vm->pt_lock))
		return false;

	mmu_interval_set_seq(notifier, seq);
	if (vm->dead)
		goto unlock;

	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = PAGE_ALIGN(end);
	vsvm_duplicate_reach(range, &start, &end);
	if (vsvm_pt_clear(vm, start, end))
		range->flush_pending = true;
	trace_vsvm_invalidate(vm->vdev, vm->vmid, start, end, event->event,
			      range->flush_pending);
	if (range->flush_pending) {
		done = !vsvm_hw_tlb_invalidate(vm->vdev->hw, vm->vmid, first,
					       first + VSVM_BLOCK_SIZE,
					       may_block);
		range->flush_pending = !done;
	}
	if (done)
		vsvm_duplicate_drop(range, start, end);
unlock:
	mutex_unlock(&vm->pt_lock);
	return done;
}

static const struct mmu_interval_notifier_ops vsvm_range_ops = {
	.invalidate = vsvm_range_invalidate,
};

/**
 * vsvm_range_get() - find or create the range of a block
 * @vm: the address space; the caller has a reference to the users of its mm
 * @addr: any address in the block
 *
 * Context: Process context without the mmap lock.
 * Return: the range, which lives as long as @vm, or an ERR_PTR().
 */
struct vsvm_range *vsvm_range_get(struct vsvm_vm *vm, unsigned long addr)
{
	unsigned long index = addr >> VSVM_BLOCK_SHIFT;
	struct vsvm_range *range, *other;
	int ret;

	range = xa_load(&vm->ranges, index);
	if (range)
		return range;

	range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range)
		return ERR_PTR(-ENOMEM);

	range->vm = vm;
	ret = mmu_interval_notifier_insert(&range->notifier, vm->mm,
					   index << VSVM_BLOCK_SHIFT,
					   VSVM_BLOCK_SIZE, &vsvm_range_ops);
	if (ret)
		goto err_free;

	other = xa_cmpxchg(&vm->ranges, index, NULL, range, GFP_KERNEL);
	if (!other)
		return range;

	ret = xa_err(other);
	mmu_interval_notifier_remove(&range->notifier);
err_free:
	kfree(range);
	return ret ? ERR_PTR(ret) : other;
}

/**
 * vsvm_range_clear() - remove what the GPU has of a part of a block
 * @range: the block; &vsvm_vm.pt_lock is held, and the GPU knows the address space
 * @start: start of the part
 * @end: its end
 *
 * Context: May sleep.
 */
void vsvm_range_clear(struct vsvm_range *range, unsigned long start,
		      unsigned long end)
{
	unsigned long first = range->notifier.interval_tree.start;
	struct vsvm_vm *vm = range->vm;

	lockdep_assert_held(&vm->pt_lock);

	vsvm_duplicate_reach(range, &start, &end);
	if (vsvm_pt_clear(vm, start, end) || range->flush_pending)
		vsvm_hw_tlb_invalidate(vm->vdev->hw, vm->vmid, first,
				       first + VSVM_BLOCK_SIZE, true);
	range->flush_pending = false;
	vsvm_duplicate_drop(range, start, end);
}

/**
 * vsvm_ranges_forget() - have the GPU fault again on a range
 * @vm: the address space
 * @start: start of the range
 * @end: end of the range
 *
 * Context: Process context, inside of drm_dev_enter().
 */
void vsvm_ranges_forget(struct vsvm_vm *vm, unsigned long start,
			unsigned long end)
{
	struct vsvm_range *range;
	unsigned long index;

	xa_for_each_range(&vm->ranges, index, range, start >> VSVM_BLOCK_SHIFT,
			  (end - 1) >> VSVM_BLOCK_SHIFT) {
		unsigned long first = index << VSVM_BLOCK_SHIFT;

		mutex_lock(&vm->pt_lock);
		if (!vm->dead)
			vsvm_range_clear(range, max(start, first),
					 min(end, first + VSVM_BLOCK_SIZE));
		mutex_unlock(&vm->pt_lock);
		cond_resched();
	}
}

/**
 * vsvm_ranges_fini() - remove all ranges
 * @vm: the address space, not in use any more
 */
void vsvm_ranges_fini(struct vsvm_vm *vm)
{
	struct vsvm_range *range;
	unsigned long index;

	xa_for_each(&vm->ranges, index, range) {
		mmu_interval_notifier_remove(&range->notifier);
		kfree(range);
		cond_resched();
	}
	xa_destroy(&vm->ranges);
}

/*
 * The GPU leaves no trace in the process' page tables when it writes. What the
 * process may write without a fault is therefore taken to be dirty, or reclaim
 * could drop it as clean: MADV_FREE, or a copy in swap. Of files, only shmem is
 * concerned: others write-protect clean pages.
 */
static void vsvm_mark_dirty(const unsigned long *pfns, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i += vsvm_snapshot_step(pfns[i])) {
		struct folio *folio;

		if ((pfns[i] & (HMM_PFN_VALID | HMM_PFN_WRITE)) !=
		    (HMM_PFN_VALID | HMM_PFN_WRITE))
			continue;
		folio = page_folio(hmm_pfn_to_page(pfns[i]));
		if (folio_is_zone_device(folio) || folio_test_dirty(folio))
			continue;
		if (folio_test_anon(folio) || folio_test_swapbacked(folio))
			folio_mark_dirty(folio);
	}
}

/* Repeats hmm_range_fault() until the page tables come to rest, not for ever. */
static int vsvm_range_walk(struct vsvm_range *range, struct hmm_range *hmm)
{
	unsigned long timeout = jiffies +
		msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT);
	int ret;

	hmm->notifier = &range->notifier;
	do {
		hmm->notifier_seq = mmu_interval_read_begin(hmm->notifier);
		ret = hmm_range_fault(hmm);
	} while (ret == -EBUSY && time_before(jiffies, timeout));
	return ret;
}

/**
 * vsvm_range_snapshot() - see what the process has in a block
 * @range: the block
 * @start: start of the part of interest
 * @end: end of the part
 * @batch: &vsvm_batch.pfns is filled in
 * @seq: set to what vsvm_range_map() needs
 *
 * If one mapping has all of the block, only the first entry is filled in.
 *
 * Context: The mmap lock is held for reading.
 * Return: 0, -EBUSY when the page tables do not come to rest, or an error of
 * hmm_range_fault().
 */
int vsvm_range_snapshot(struct vsvm_range *range, unsigned long start,
			unsigned long end, struct vsvm_batch *batch,
			unsigned long *seq)
{
	struct hmm_range hmm = {
		.start = start,
		.end = end,
		.hmm_pfns = batch->pfns,
		.dev_private_owner = range->vm->vdev->vram.pgmap.owner,
	};
	bool whole = end - start == VSVM_BLOCK_SIZE;
	int ret;

	if (whole)
		hmm.end = start + PAGE_SIZE;
	ret = vsvm_range_walk(range, &hmm);
	if (whole && !ret &&
	    vsvm_snapshot_step(batch->pfns[0]) < VSVM_BLOCK_PAGES) {
		hmm.end = end;
		ret = vsvm_range_walk(range, &hmm);
	}

	*seq = hmm.notifier_seq;
	return ret;
}

/**
 * vsvm_range_fault_in() - fault pages of the process in, as the CPU would
 * @range: the block
 * @start: first page
 * @end: end of the last page; all from @start on are faulted in
 * @write: for writing
 * @batch: &vsvm_batch.faulted is used
 *
 * A page in VRAM that cannot be written to, because it is shared after a
 * fork(), comes home and is copied. hmm_range_fault() does that for other
 * devices' pages only, so it is not told that the page is ours.
 *
 * Context: The mmap lock is held for reading.
 * Return: 0, -EBUSY, or an error of hmm_range_fault().
 */
int vsvm_range_fault_in(struct vsvm_range *range, unsigned long start,
			unsigned long end, bool write, struct vsvm_batch *batch)
{
	struct hmm_range hmm = {
		.start = start,
		.end = end,
		.hmm_pfns = batch->faulted,
		.default_flags = HMM_PFN_REQ_FAULT |
				 (write ? HMM_PFN_REQ_WRITE : 0),
	};

	return vsvm_range_walk(range, &hmm);
}

/* What vsvm_range_map() and vsvm_range_map_duplicate() have in common. */
static int vsvm_range_enter(struct vsvm_range *range, unsigned long start,
			    unsigned long end, const unsigned long *pfns,
			    unsigned long seq, u64 flags,
			    struct vsvm_duplicate *duplicate, u64 *bytes)
{
	unsigned long old_start = start, old_end = end;
	struct vsvm_vm *vm = range->vm;
	struct vm_area_struct *vma;
	u64 begin = ktime_get_ns();
	int ret;

	vma = vma_lookup(vm->mm, start);
	if (!vma)
		return -EAGAIN;
	if (vma->vm_flags & VM_EXEC)
		flags |= VSVM_HW_PTE_EXEC;

	ret = vsvm_pt_lock_prepared(vm);
	if (ret)
		return ret;

	if (mmu_interval_read_retry(&range->notifier, seq)) {
		ret = -EAGAIN;
	} else if (vm->dead) {
		ret = -ENODEV;
	} else {
		vsvm_mark_dirty(pfns, (end - start) >> PAGE_SHIFT);
		if (vsvm_duplicate_reach(range, &old_start, &old_end))
			vsvm_range_clear(range, old_start, old_end);
		*bytes = vsvm_pt_map(vm, start, end, pfns, flags,
				     range->flush_pending);
		range->flush_pending = false;
		if (duplicate)
			vsvm_duplicate_install(range, duplicate);
	}
	mutex_unlock(&vm->pt_lock);

	if (!ret && *bytes) {
		trace_vsvm_bind(vm->vdev, vm->vmid, start, end, *bytes);
		vsvm_stage_add(&vm->vdev->stats, DRM_VSVM_STAGE_BIND, *bytes,
			       ktime_get_ns() - begin);
	}
	return ret;
}

/**
 * vsvm_range_map() - let the GPU see what the process has in a block
 * @range: the block
 * @start: start of the part to map, in one mapping
 * @end: end of the part
 * @pfns: result of vsvm_range_snapshot() for that part
 * @seq: likewise
 * @flags: %VSVM_HW_PTE_NO_ATOMIC, to have atomics on system memory fault, or 0
 * @bytes: set to the number of bytes that are accessible now and were not
 *
 * Context: The mmap lock is held for reading.
 * Return: 0, -EAGAIN when the snapshot is out of date, -ENODEV when the device
 * has gone, or -ENOMEM.
 */
int vsvm_range_map(struct vsvm_range *range, unsigned long start,
		   unsigned long end, const unsigned long *pfns,
		   unsigned long seq, u64 flags, u64 *bytes)
{
	return vsvm_range_enter(range, start, end, pfns, seq, flags, NULL, bytes);
}

/**
 * vsvm_range_map_duplicate() - let the GPU see a duplicate of what the process has
 * @range: the block
 * @start: start of the part to map, in one mapping
 * @end: end of the part
 * @pfns: entries like those of vsvm_range_snapshot(), none to be written to
 * @seq: from vsvm_range_snapshot(), of which @pfns and @duplicate were made
 * @duplicate: the duplicate, that belongs to @range after success
 * @bytes: set to the number of bytes that are accessible now and were not
 *
 * Context: The mmap lock is held for reading.
 * Return: see vsvm_range_map().
 */
int vsvm_range_map_duplicate(struct vsvm_range *range, unsigned long start,
			     unsigned long end, const unsigned long *pfns,
			     unsigned long seq, struct vsvm_duplicate *duplicate,
			     u64 *bytes)
{
	return vsvm_range_enter(range, start, end, pfns, seq, 0, duplicate, bytes);
}

/**
 * vsvm_range_map_exclusive() - let the GPU have a page for itself
 * @range: the block
 * @addr: the page, of an anonymous mapping
 * @bytes: set to the number of bytes that are accessible now and were not
 *
 * The CPU has no access to the page until it faults on it: then a notifier takes the
 * page from the GPU's page tables.
 *
 * Context: The mmap lock is held for reading.
 * Return: 0, -EAGAIN when that was not possible just now, -ENODEV when the device has
 * gone, -ENOMEM, or an error of get_user_pages_remote().
 */
int vsvm_range_map_exclusive(struct vsvm_range *range, unsigned long addr,
			     u64 *bytes)
{
	struct vsvm_vm *vm = range->vm;
	struct page *page = NULL;
	unsigned long seq, pfn;
	int ret;

	/* Not changed by what the next call tells the notifiers. */
	seq = mmu_interval_read_begin(&range->notifier);
	ret = make_device_exclusive_range(vm->mm, addr, addr + PAGE_SIZE, &page,
					  vm);
	if (ret < 0)
		return ret;
	if (!page)
		return -EAGAIN;

	/* The folio is locked: the CPU gets the page back after it is mapped. */
	pfn = page_to_pfn(page) | HMM_PFN_VALID | HMM_PFN_WRITE;
	ret = vsvm_range_map(range, addr, addr + PAGE_SIZE, &pfn, seq, 0, bytes);
	unlock_page(page);
	put_page(page);
	return ret;
}
