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
 *	    vsvm_vm.queues_lock
 *	        vsvm_device.queues_lock
 *	        vsvm_queue.lock
 *	mm_struct.mmap_lock
 *	    page table locks, folio locks, MMU notifiers
 *	        vsvm_vm.pt_lock
 *	            (inside the GPU model)
 *	vsvm_vram.lock (innermost, interrupts off)
 *
 * The two groups are not nested, but that vsvm_vm.pt_lock is also taken inside
 * vsvm_device.vms_lock. In detail:
 *
 * - Only vsvm_vm.pt_lock is taken in MMU notifiers. No memory may be allocated
 *   under it, since reclaim calls notifiers; fs_reclaim_acquire() at creation
 *   teaches this to lockdep.
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
 * - No driver lock is held while user memory is read or written.
 */

#include <linux/hmm.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "vsvm_vm.h"

/**
 * vsvm_check_user_range() - check a range of addresses given by user space
 * @addr: its start
 * @length: its length
 *
 * Return: true when it is a range of whole pages, not empty, that the process
 * can have memory in.
 */
bool vsvm_check_user_range(u64 addr, u64 length)
{
	return length && PAGE_ALIGNED(addr) && PAGE_ALIGNED(length) &&
	       addr < TASK_SIZE_MAX && length <= TASK_SIZE_MAX - addr;
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

	if (may_block)
		mutex_lock(&vm->pt_lock);
	else if (!mutex_trylock(&vm->pt_lock))
		return false;

	mmu_interval_set_seq(notifier, seq);
	if (vm->dead)
		goto unlock;

	start = ALIGN_DOWN(start, PAGE_SIZE);
	if (vsvm_pt_clear(vm, start, PAGE_ALIGN(end)))
		range->flush_pending = true;
	if (range->flush_pending) {
		done = !vsvm_hw_tlb_invalidate(vm->vdev->hw, vm->vmid, first,
					       first + VSVM_BLOCK_SIZE,
					       may_block);
		range->flush_pending = !done;
	}
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

	for (i = 0; i < count; i++) {
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

/**
 * vsvm_range_map() - let the GPU see what the process has in a block
 * @range: the block
 * @start: start of the part to map, which is in one VMA
 * @end: end of the part
 * @addr: page that is required, in the part
 * @required: 0, or HMM_PFN_REQ_FAULT and perhaps HMM_PFN_REQ_WRITE
 * @owner: owner of VRAM that may stay where it is; NULL moves @addr out of VRAM
 * @batch: scratch memory
 * @bytes: set to the number of bytes that are accessible now and were not
 *
 * All pages that the process has are mapped, but only @addr is faulted in.
 *
 * Context: The mmap lock is held for reading.
 * Return: 0; -EBUSY when the process' page tables do not come to rest; -ESTALE
 * when @addr is in VRAM and shared after a fork(), so that it cannot be written
 * to; -ENODEV when the device has gone, or an error of hmm_range_fault().
 */
int vsvm_range_map(struct vsvm_range *range, unsigned long start,
		   unsigned long end, unsigned long addr, unsigned long required,
		   void *owner, struct vsvm_batch *batch, u64 *bytes)
{
	unsigned long timeout = jiffies +
		msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT);
	unsigned long count = (end - start) >> PAGE_SHIFT;
	struct hmm_range hmm = {
		.notifier = &range->notifier,
		.start = start,
		.end = end,
		.hmm_pfns = batch->pfns,
		.pfn_flags_mask = HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE,
		.dev_private_owner = owner,
	};
	unsigned long *wanted = &batch->pfns[(addr - start) >> PAGE_SHIFT];
	struct vsvm_vm *vm = range->vm;
	u64 begin;
	int ret;

	for (;;) {
		if (time_after(jiffies, timeout))
			return -EBUSY;

		hmm.notifier_seq = mmu_interval_read_begin(&range->notifier);
		memset(batch->pfns, 0, count * sizeof(batch->pfns[0]));
		if (required)
			*wanted = required;
		ret = hmm_range_fault(&hmm);
		if (ret == -EBUSY)
			continue;
		if (ret)
			return ret;

		begin = ktime_get_ns();
		ret = vsvm_pt_lock_prepared(vm);
		if (ret)
			return ret;
		if (!mmu_interval_read_retry(&range->notifier,
					     hmm.notifier_seq))
			break;
		mutex_unlock(&vm->pt_lock);
	}

	if (vm->dead) {
		ret = -ENODEV;
	} else if ((required & HMM_PFN_REQ_WRITE) &&
		   !(*wanted & HMM_PFN_WRITE)) {
		ret = -ESTALE;
	} else {
		vsvm_mark_dirty(batch->pfns, count);
		*bytes = vsvm_pt_map(vm, start, end, batch->pfns,
				     range->flush_pending);
		range->flush_pending = false;
	}
	mutex_unlock(&vm->pt_lock);

	if (!ret && *bytes)
		vsvm_stage_add(&vm->vdev->stats, DRM_VSVM_STAGE_BIND, *bytes,
			       ktime_get_ns() - begin);
	return ret;
}

/**
 * vsvm_range_break_cow() - give the process a page of its own to write to
 * @range: the block
 * @addr: page in the block
 *
 * hmm_range_fault() leaves a page of VRAM that is shared after a fork() alone,
 * even if it was asked for write access. Without an owner it brings the page to
 * system memory, as the CPU would, and breaks the sharing there.
 *
 * Context: The mmap lock is held for reading.
 * Return: 0, or an error of hmm_range_fault().
 */
int vsvm_range_break_cow(struct vsvm_range *range, unsigned long addr)
{
	unsigned long pfn = 0;
	struct hmm_range hmm = {
		.notifier = &range->notifier,
		.start = addr,
		.end = addr + PAGE_SIZE,
		.hmm_pfns = &pfn,
		.default_flags = HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE,
	};

	hmm.notifier_seq = mmu_interval_read_begin(&range->notifier);
	return hmm_range_fault(&hmm);
}
