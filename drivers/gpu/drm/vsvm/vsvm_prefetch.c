// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Prefetch
 *
 * Prefetch does for a range, before it is used, what faults would do for it
 * later; synchronously, or by a work item (see Asynchronous prefetch). It moves up to
 * VSVM_PREFETCH_BLOCKS blocks at once that are in one mapping and have the same advice,
 * and can be killed in between. A prefetch to VRAM also enters the memory in the GPU's
 * page tables. What is swapped out, or in the memory of another device, comes to
 * system memory first. What must not migrate by advice is entered as well, but stays;
 * what is read-mostly is duplicated. Room is made in VRAM, but not at the cost of what
 * was used since the prefetch began, nor of what the range has there already. Where
 * VRAM is full this is done for one block after the other.
 */

#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vsvm_vm.h"

/* vsvm_prefetch_prepare() has made it, and it stays. */
static struct vsvm_range *vsvm_prefetch_range(struct vsvm_vm *vm,
					      unsigned long addr)
{
	return xa_load(&vm->ranges, addr >> VSVM_BLOCK_SHIFT);
}

static bool vsvm_prefetch_lacks(const struct vsvm_batch *batch,
				unsigned long first, unsigned long i)
{
	return test_bit(first + i, batch->skipped) &&
	       !(vsvm_snapshot_entry(batch->pfns, i) & HMM_PFN_VALID);
}

/*
 * Faults in what is neither in the snapshot of a block nor could be migrated: not what
 * has no memory yet, that is for VRAM. @first is the number of its first page in the
 * batch. Returns whether there is any more now.
 */
static bool vsvm_prefetch_fault_in_block(struct vsvm_range *range,
					 unsigned long start, unsigned long end,
					 unsigned long first,
					 struct vsvm_batch *batch)
{
	unsigned long i, next, npages = (end - start) >> PAGE_SHIFT;
	bool any = false;

	for (i = 0; i < npages; i = next) {
		next = i + 1;
		if (!vsvm_prefetch_lacks(batch, first, i))
			continue;
		while (next < npages && vsvm_prefetch_lacks(batch, first, next))
			next++;
		if (!vsvm_range_fault_in(range, start + (i << PAGE_SHIFT),
					 start + (next << PAGE_SHIFT), false,
					 batch))
			any = true;
	}
	return any;
}

/* The same for all blocks from @start to @end. */
static bool vsvm_prefetch_fault_in(struct vsvm_vm *vm, unsigned long start,
				   unsigned long end, struct vsvm_batch *batch)
{
	unsigned long addr, next, seq, first, last;
	struct vsvm_range *range;
	bool any = false;

	for (addr = start; addr < end; addr = next) {
		next = vsvm_block_end(addr, end);
		first = (addr - start) >> PAGE_SHIFT;
		last = (next - start) >> PAGE_SHIFT;
		range = vsvm_prefetch_range(vm, addr);
		if (find_next_bit(batch->skipped, last, first) < last &&
		    !vsvm_range_snapshot(range, addr, next, batch, &seq))
			any |= vsvm_prefetch_fault_in_block(range, addr, next,
							    first, batch);
	}
	return any;
}

/* Enters what there is in the GPU's page tables, block by block. */
static void vsvm_prefetch_map(struct vsvm_vm *vm, unsigned long start,
			      unsigned long end, const struct vsvm_attrs *attrs,
			      struct vsvm_batch *batch)
{
	unsigned long addr, next, seq, npages;
	struct vsvm_range *range;
	u64 bytes;

	for (addr = start; addr < end; addr = next) {
		next = vsvm_block_end(addr, end);
		npages = (next - addr) >> PAGE_SHIFT;
		range = vsvm_prefetch_range(vm, addr);
		if (vsvm_range_snapshot(range, addr, next, batch, &seq))
			continue;
		vsvm_attrs_restrict(attrs, batch->pfns, npages);
		if (!vsvm_range_map(range, addr, next, batch->pfns, seq,
				    vsvm_attrs_pte_flags(attrs,
							 VSVM_ISA_ACCESS_READ),
				    &bytes))
			vsvm_evict_note_use(vm->vdev, batch->pfns, npages);
	}
}

/* Returns whether there is a duplicate of the range, which is in one block, now. */
static bool vsvm_prefetch_duplicate(struct vsvm_vm *vm, struct vm_area_struct *vma,
				    unsigned long start, unsigned long end,
				    struct vsvm_batch *batch)
{
	bitmap_fill(batch->skipped, (end - start) >> PAGE_SHIFT);
	vsvm_prefetch_fault_in(vm, start, end, batch);
	return vsvm_duplicate(vsvm_prefetch_range(vm, start), vma, start, end,
			      end, batch);
}

/*
 * Returns the bytes that have moved, and sets *@end to the end of what is done. A
 * failure only means that the GPU will fault.
 */
static u64 vsvm_prefetch_to_vram(struct vsvm_vm *vm, struct vm_area_struct *vma,
				 unsigned long start, unsigned long *end,
				 const struct vsvm_attrs *attrs,
				 struct vsvm_batch *batch)
{
	bool move = !vsvm_attrs_no_migrate(attrs);
	u64 moved = 0;

	if (vsvm_attrs_want_duplicate(attrs) &&
	    vsvm_prefetch_duplicate(vm, vma, start, *end, batch))
		return 0;
	if (move) {
		moved = vsvm_migrate_to_vram(vm, vma, start, *end, batch);
		*end = batch->end;
	} else {
		bitmap_fill(batch->skipped, (*end - start) >> PAGE_SHIFT);
	}

	if ((!move || vsvm_vram_free_pages(&vm->vdev->vram)) &&
	    vsvm_prefetch_fault_in(vm, start, *end, batch) && move) {
		moved += vsvm_migrate_to_vram(vm, vma, start, *end, batch);
		*end = batch->end;
	}
	vsvm_prefetch_map(vm, start, *end, attrs, batch);
	return moved;
}

/*
 * Gets ready for a prefetch to VRAM, without the mmap lock: makes room for the first
 * block. Others come along as far as they find a free block as it is. Returns the end
 * of that, or an error.
 */
static long vsvm_prefetch_prepare(struct vsvm_vm *vm, unsigned long addr,
				  unsigned long end, u64 until,
				  struct vsvm_batch *batch)
{
	struct vsvm_range *range;
	unsigned int blocks;

	range = vsvm_range_get(vm, addr);
	if (IS_ERR(range))
		return PTR_ERR(range);
	vsvm_evict_for_prefetch(range, addr, vsvm_block_end(addr, end), until,
				batch);

	blocks = vsvm_vram_free_blocks(&vm->vdev->vram, batch->blocks);
	end = min(end, ALIGN_DOWN(addr, VSVM_BLOCK_SIZE) +
		       max(blocks, 1U) * VSVM_BLOCK_SIZE);
	for (; addr < end; addr = vsvm_block_end(addr, end)) {
		range = vsvm_range_get(vm, addr);
		if (IS_ERR(range))
			return PTR_ERR(range);
	}
	return end;
}

/*
 * Moves what @addr and the following addresses have in common: a mapping and
 * attributes; up to as many blocks as @batch is for. Room is made of what was not used
 * after @until. Returns the end of that, or an error.
 */
static long vsvm_prefetch_step(struct vsvm_vm *vm, unsigned long addr,
			       unsigned long end, u32 location, u64 until,
			       struct vsvm_batch *batch, u64 *moved)
{
	bool to_vram = location == DRM_VSVM_LOCATION_VRAM;
	struct vm_area_struct *vma;
	unsigned long start = addr;
	struct vsvm_attrs attrs;
	long ret;

	end = min(end, ALIGN_DOWN(addr, VSVM_BLOCK_SIZE) +
		       batch->blocks * VSVM_BLOCK_SIZE);
	if (to_vram) {
		ret = vsvm_prefetch_prepare(vm, addr, end, until, batch);
		if (ret < 0)
			return ret;
		end = ret;
	}
	if (mmap_read_lock_killable(vm->mm))
		return -EINTR;

	vma = vma_lookup(vm->mm, addr);
	if (!vma) {
		mmap_read_unlock(vm->mm);
		return -EFAULT;
	}
	end = min(end, vma->vm_end);
	attrs = vsvm_advice_get(vm, addr, &start, &end);
	/* A duplicate is of one block. */
	if (vsvm_attrs_want_duplicate(&attrs))
		end = vsvm_block_end(addr, end);

	if (vma_is_anonymous(vma)) {
		if (to_vram)
			*moved += vsvm_prefetch_to_vram(vm, vma, addr, &end,
							&attrs, batch);
		else
			*moved += vsvm_migrate_to_ram(vm->vdev, vma, addr, end,
						      batch);
	}
	mmap_read_unlock(vm->mm);
	return end;
}

/**
 * vsvm_prefetch_begin() - begin a prefetch
 * @vm: the address space; the caller has a reference to the users of its mm
 * @start: start of the range
 * @end: end of the range
 * @location: where to
 * @batch: scratch memory
 *
 * What the range has in VRAM already is used, so that it is not evicted for the rest.
 *
 * Return: what was used after that is not evicted, for vsvm_prefetch_next().
 */
u64 vsvm_prefetch_begin(struct vsvm_vm *vm, unsigned long start,
			unsigned long end, u32 location,
			struct vsvm_batch *batch)
{
	u64 until = vsvm_vram_uses(&vm->vdev->vram);

	if (location == DRM_VSVM_LOCATION_VRAM)
		vsvm_evict_keep(vm, start, end, batch);
	return until;
}

/**
 * vsvm_prefetch_next() - carry out a part of a prefetch
 * @vm: the address space; the caller has a reference to the users of its mm
 * @addr: start of what is left of the range
 * @end: end of the range
 * @location: where to
 * @until: from vsvm_prefetch_begin()
 * @batch: scratch memory
 * @moved: bytes that have moved are added to it
 *
 * A device that is removed waits for no more than this part.
 *
 * Return: start of the rest, or -ENODEV, -EFAULT for an unmapped address, -EINTR
 * or -ENOMEM.
 */
long vsvm_prefetch_next(struct vsvm_vm *vm, unsigned long addr,
			unsigned long end, u32 location, u64 until,
			struct vsvm_batch *batch, u64 *moved)
{
	long ret;
	int idx;

	if (!drm_dev_enter(&vm->vdev->drm, &idx))
		return -ENODEV;
	ret = vsvm_prefetch_step(vm, addr, end, location, until, batch, moved);
	drm_dev_exit(idx);
	cond_resched();
	return ret;
}

static int vsvm_check_prefetch(struct drm_device *drm,
			       const struct drm_vsvm_prefetch *args)
{
	bool async = args->flags & DRM_VSVM_PREFETCH_ASYNC;

	if (args->flags & ~DRM_VSVM_PREFETCH_ASYNC) {
		drm_dbg(drm, "unknown flags %#x\n", args->flags);
		return -EINVAL;
	}
	if (args->location != DRM_VSVM_LOCATION_SYSTEM &&
	    args->location != DRM_VSVM_LOCATION_VRAM) {
		drm_dbg(drm, "unknown location %u\n", args->location);
		return -EINVAL;
	}
	if (!vsvm_check_user_range(args->addr, args->length)) {
		drm_dbg(drm, "bad range %#llx, %#llx\n", args->addr,
			args->length);
		return -EINVAL;
	}
	if (async && (!args->fence_addr || !vsvm_user_u64_ok(args->fence_addr))) {
		drm_dbg(drm, "bad fence_addr %#llx\n", args->fence_addr);
		return -EINVAL;
	}
	if (!async && (args->fence_addr || args->fence_value)) {
		drm_dbg(drm, "a fence, but not asynchronous\n");
		return -EINVAL;
	}
	return 0;
}

int vsvm_ioctl_prefetch(struct drm_device *drm, void *data,
			struct drm_file *file)
{
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_prefetch *args = data;
	struct vsvm_batch *batch;
	unsigned long end;
	long addr;
	u64 until;
	int ret;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	args->moved = 0;
	ret = vsvm_check_prefetch(drm, args);
	if (ret)
		return ret;
	if (args->flags & DRM_VSVM_PREFETCH_ASYNC)
		return vsvm_async_submit(vm, args);

	batch = vsvm_batch_alloc(VSVM_PREFETCH_BLOCKS, GFP_KERNEL);
	if (!batch)
		return -ENOMEM;

	end = args->addr + args->length;
	until = vsvm_prefetch_begin(vm, args->addr, end, args->location, batch);
	for (addr = args->addr; addr >= 0 && addr < end;) {
		if (fatal_signal_pending(current)) {
			addr = -EINTR;
			break;
		}
		addr = vsvm_prefetch_next(vm, addr, end, args->location, until,
					  batch, &args->moved);
	}

	kvfree(batch);
	return addr < 0 ? addr : 0;
}
