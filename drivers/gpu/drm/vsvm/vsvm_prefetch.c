// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Prefetch
 *
 * Prefetch does for a range, before it is used, what faults would do for it
 * later: block by block, and killable; synchronously, or by a work item (see
 * Asynchronous prefetch). A prefetch to VRAM also
 * enters the memory in the GPU's page tables. What is swapped out, or in the
 * memory of another device, comes to system memory first. What must not migrate by
 * advice is entered as well, but stays; what is read-mostly is duplicated. Room is made in VRAM, but not at the cost of
 * what was used since the prefetch began, nor of what the range has there already.
 */

#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vsvm_vm.h"

static bool vsvm_prefetch_lacks(const struct vsvm_batch *batch, unsigned long i)
{
	return test_bit(i, batch->skipped) &&
	       !(vsvm_snapshot_entry(batch->pfns, i) & HMM_PFN_VALID);
}

/*
 * Faults in what is neither in the snapshot nor could be migrated: not what has no
 * memory yet, that is for VRAM. Returns whether there is any more now.
 */
static bool vsvm_prefetch_fault_in(struct vsvm_range *range,
				   unsigned long start, unsigned long end,
				   struct vsvm_batch *batch)
{
	unsigned long i, next, npages = (end - start) >> PAGE_SHIFT;
	bool any = false;

	for (i = 0; i < npages; i = next) {
		i = find_next_bit(batch->skipped, npages, i);
		next = i + 1;
		if (i >= npages || !vsvm_prefetch_lacks(batch, i))
			continue;
		while (next < npages && vsvm_prefetch_lacks(batch, next))
			next++;
		if (!vsvm_range_fault_in(range, start + (i << PAGE_SHIFT),
					 start + (next << PAGE_SHIFT), false,
					 batch))
			any = true;
	}
	return any;
}

/* Returns whether there is a duplicate of the range now. */
static bool vsvm_prefetch_duplicate(struct vsvm_range *range,
				    struct vm_area_struct *vma,
				    unsigned long start, unsigned long end,
				    struct vsvm_batch *batch)
{
	unsigned long seq;

	bitmap_fill(batch->skipped, VSVM_BLOCK_PAGES);
	if (!vsvm_range_snapshot(range, start, end, batch, &seq))
		vsvm_prefetch_fault_in(range, start, end, batch);
	return vsvm_duplicate(range, vma, start, end, end, batch);
}

/* Returns the bytes that have moved. A failure only means that the GPU will fault. */
static u64 vsvm_prefetch_to_vram(struct vsvm_range *range,
				 struct vm_area_struct *vma,
				 unsigned long start, unsigned long end,
				 const struct vsvm_attrs *attrs,
				 struct vsvm_batch *batch)
{
	bool move = !vsvm_attrs_no_migrate(attrs);
	struct vsvm_vm *vm = range->vm;
	unsigned long seq;
	u64 moved = 0, bytes;

	if (vsvm_attrs_want_duplicate(attrs) &&
	    vsvm_prefetch_duplicate(range, vma, start, end, batch))
		return 0;
	if (move)
		moved = vsvm_migrate_to_vram(vm, vma, start, end, batch);
	else
		bitmap_fill(batch->skipped, VSVM_BLOCK_PAGES);
	if (vsvm_range_snapshot(range, start, end, batch, &seq))
		return moved;

	if ((!move || vsvm_vram_free_pages(&vm->vdev->vram)) &&
	    vsvm_prefetch_fault_in(range, start, end, batch)) {
		if (move)
			moved += vsvm_migrate_to_vram(vm, vma, start, end,
						      batch);
		if (vsvm_range_snapshot(range, start, end, batch, &seq))
			return moved;
	}
	vsvm_attrs_restrict(attrs, batch->pfns, (end - start) >> PAGE_SHIFT);
	if (!vsvm_range_map(range, start, end, batch->pfns, seq,
			    vsvm_attrs_pte_flags(attrs, VSVM_ISA_ACCESS_READ),
			    &bytes))
		vsvm_evict_note_use(vm->vdev, batch->pfns,
				    (end - start) >> PAGE_SHIFT);
	return moved;
}

/*
 * Moves what @addr and the following addresses have in common: a block, a mapping
 * and attributes. Room is made of what was not used after @until. Returns the end of
 * that, or an error.
 */
static long vsvm_prefetch_step(struct vsvm_vm *vm, unsigned long addr,
			       unsigned long end, u32 location, u64 until,
			       struct vsvm_batch *batch, u64 *moved)
{
	struct vsvm_device *vdev = vm->vdev;
	struct vm_area_struct *vma;
	unsigned long start = addr;
	struct vsvm_range *range;
	struct vsvm_attrs attrs;

	range = vsvm_range_get(vm, addr);
	if (IS_ERR(range))
		return PTR_ERR(range);
	end = min(end, ALIGN(addr + 1, VSVM_BLOCK_SIZE));
	if (location == DRM_VSVM_LOCATION_VRAM)
		vsvm_evict_for_prefetch(range, addr, end, until, batch);
	if (mmap_read_lock_killable(vm->mm))
		return -EINTR;

	vma = vma_lookup(vm->mm, addr);
	if (!vma) {
		mmap_read_unlock(vm->mm);
		return -EFAULT;
	}
	end = min(end, vma->vm_end);
	attrs = vsvm_advice_get(vm, addr, &start, &end);

	if (vma_is_anonymous(vma)) {
		if (location == DRM_VSVM_LOCATION_VRAM)
			*moved += vsvm_prefetch_to_vram(range, vma, addr, end,
							&attrs, batch);
		else
			*moved += vsvm_migrate_to_ram(vdev, vma, addr, end, batch);
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

	batch = kmalloc(sizeof(*batch), GFP_KERNEL);
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

	kfree(batch);
	return addr < 0 ? addr : 0;
}
