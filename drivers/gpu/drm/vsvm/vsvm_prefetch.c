// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Prefetch
 *
 * Prefetch does for a range, before it is used, what faults would do for it
 * later: block by block, synchronously, and killable. A prefetch to VRAM also
 * enters the memory in the GPU's page tables. What is swapped out, or in the
 * memory of another device, comes to system memory first. What must not migrate by
 * advice is entered as well, but stays. Room is made in VRAM, but not at the cost of
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

/* Faults in what the snapshot did not find. Returns whether there is any more now. */
static bool vsvm_prefetch_fault_in(struct vsvm_range *range,
				   unsigned long start, unsigned long end,
				   struct vsvm_batch *batch)
{
	unsigned long addr = start, next;
	bool any = false;

	for (; addr < end; addr = next) {
		next = addr + PAGE_SIZE;
		if (batch->pfns[(addr - start) >> PAGE_SHIFT] & HMM_PFN_VALID)
			continue;
		while (next < end && !(batch->pfns[(next - start) >> PAGE_SHIFT] &
				       HMM_PFN_VALID))
			next += PAGE_SIZE;
		if (!vsvm_range_fault_in(range, addr, next, false, batch))
			any = true;
	}
	return any;
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

	if (move)
		moved = vsvm_migrate_to_vram(vm, vma, start, end, batch);
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

int vsvm_ioctl_prefetch(struct drm_device *drm, void *data,
			struct drm_file *file)
{
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_prefetch *args = data;
	struct vsvm_batch *batch;
	unsigned long end;
	long addr = 0;
	u64 until;
	int idx;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	args->moved = 0;
	if (args->flags) {
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

	batch = kmalloc(sizeof(*batch), GFP_KERNEL);
	if (!batch)
		return -ENOMEM;

	until = vsvm_vram_uses(&vm->vdev->vram);
	end = args->addr + args->length;
	if (args->location == DRM_VSVM_LOCATION_VRAM)
		vsvm_evict_keep(vm, args->addr, end, batch);
	for (addr = args->addr; addr >= 0 && addr < end;) {
		if (fatal_signal_pending(current)) {
			addr = -EINTR;
			break;
		}
		/* A device that is removed must not wait for the whole range. */
		if (!drm_dev_enter(drm, &idx)) {
			addr = -ENODEV;
			break;
		}
		addr = vsvm_prefetch_step(vm, addr, end, args->location, until,
					  batch, &args->moved);
		drm_dev_exit(idx);
		cond_resched();
	}

	kfree(batch);
	return addr < 0 ? addr : 0;
}
