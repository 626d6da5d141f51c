// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Promotion
 *
 * Memory that could not move to VRAM when the GPU faulted on it is used in system
 * memory, and causes no fault any more that would move it later, when there is room.
 * That is what the GPU's access counters are for: while work runs, they are read every
 * VSVM_PROMOTE_PERIOD, and a region (2 MiB of addresses) that one compute unit accessed
 * often enough in that time moves to VRAM, as by a prefetch of what the GPU has of it in
 * its page tables.
 *
 * Advice decides as for a read: what must not migrate, prefers system memory or is
 * read-mostly stays. Memory of files does not migrate anyway.
 *
 * The module parameter ``promote`` is the number of accesses from which on a region
 * moves, and can be changed at any time; the next dispatch begins the reading. It is
 * 0 at first, which means never: a threshold that is good for one program is bad for
 * another, and a region that CPU and GPU use in turn would go to and fro.
 */

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "vsvm_vm.h"

#define VSVM_PROMOTE_PERIOD	(HZ / 10)

/* Access counters that are read at once. */
#define VSVM_PROMOTE_READ	32

static unsigned long promote;
module_param(promote, ulong, 0644);
MODULE_PARM_DESC(promote,
		 "Move 2 MiB of system memory to VRAM that a compute unit accessed so many times in 100 ms, 0 for never; may be changed at any time (default 0)");

/**
 * vsvm_promote_kick() - there is work that may use system memory
 * @vdev: the device, inside of drm_dev_enter()
 */
void vsvm_promote_kick(struct vsvm_device *vdev)
{
	if (READ_ONCE(promote))
		queue_delayed_work(vdev->async_wq, &vdev->promote_work,
				   VSVM_PROMOTE_PERIOD);
}

/*
 * Whether the memory at @addr may move. Sets *@end to the end of what the program wants to
 * be treated alike.
 */
static bool vsvm_promote_allowed(struct vsvm_vm *vm, unsigned long addr,
				 unsigned long *end)
{
	struct vm_area_struct *vma;
	struct vsvm_attrs attrs;
	bool allowed = false;

	mmap_read_lock(vm->mm);
	vma = vma_lookup(vm->mm, addr);
	if (vma) {
		unsigned long start = addr;

		*end = min(*end, vma->vm_end);
		attrs = vsvm_advice_get(vm, addr, &start, end);
		allowed = vma_is_anonymous(vma) &&
			  vsvm_attrs_want_vram(&attrs, VSVM_ISA_ACCESS_READ);
	}
	mmap_read_unlock(vm->mm);
	return allowed;
}

/*
 * Of the region only what the GPU has in its page tables: something else may be the
 * neighbour of what it accesses.
 */
static void vsvm_promote_region(struct vsvm_vm *vm, unsigned long addr,
				struct vsvm_batch *batch)
{
	unsigned long end = addr + BIT(VSVM_HW_ACCESS_SHIFT), part;
	u64 moved = 0, until;

	until = vsvm_prefetch_begin(vm, addr, end, DRM_VSVM_LOCATION_VRAM,
				    batch);
	for (; addr < end; addr = part) {
		part = vsvm_pt_find_system(vm, &addr, end);
		if (addr == end)
			break;
		if (vsvm_promote_allowed(vm, addr, &part) &&
		    vsvm_prefetch_next(vm, addr, part, DRM_VSVM_LOCATION_VRAM,
				       until, batch, &moved) < 0)
			break;
	}
	if (moved)
		atomic64_inc(&vm->vdev->stats.regions_promoted);
}

static void vsvm_promote(struct vsvm_device *vdev,
			 const struct vsvm_hw_access *access,
			 struct vsvm_batch *batch)
{
	struct vsvm_vm *vm = vsvm_vm_lookup(vdev, access->vmid);

	if (!vm)
		return;
	if (mmget_not_zero(vm->mm)) {
		vsvm_promote_region(vm, access->addr, batch);
		mmput(vm->mm);
	}
	vsvm_vm_put(vm);
}

/* Reads the counters of a compute unit. Returns whether it accessed system memory. */
static bool vsvm_promote_read(struct vsvm_device *vdev, u32 cu,
			      unsigned long threshold, struct vsvm_batch *batch)
{
	struct vsvm_hw_access access[VSVM_PROMOTE_READ];
	bool any = false;
	u32 i, count;

	do {
		count = vsvm_hw_take_accesses(vdev->hw, cu, access,
					      ARRAY_SIZE(access));
		for (i = 0; i < count; i++)
			if (access[i].count >= threshold)
				vsvm_promote(vdev, &access[i], batch);
		any |= count;
	} while (count == ARRAY_SIZE(access));
	return any;
}

/**
 * vsvm_promote_work() - read the access counters, move what is accessed often
 * @work: &vsvm_device.promote_work
 *
 * Comes back as long as there is work or system memory is accessed.
 */
void vsvm_promote_work(struct work_struct *work)
{
	struct vsvm_device *vdev = container_of(to_delayed_work(work),
						struct vsvm_device,
						promote_work);
	unsigned long threshold = READ_ONCE(promote);
	struct vsvm_batch *batch;
	bool again;
	u32 cu;

	if (!threshold)
		return;
	again = vsvm_queues_busy(vdev);
	batch = vsvm_batch_alloc(1, GFP_KERNEL);
	if (batch)
		for (cu = 0; cu < vdev->config.num_cus; cu++)
			again |= vsvm_promote_read(vdev, cu, threshold, batch);
	kvfree(batch);
	if (again)
		vsvm_promote_kick(vdev);
}
