// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Residency
 *
 * Where memory is, is a question to the process' page tables, asked by
 * hmm_range_fault() without any wish for a fault. Nothing moves.
 */

#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vsvm_vm.h"

#define VSVM_RESIDENCY_TRIES	100

/**
 * struct vsvm_residency - a query on its way
 * @notifier: of the whole range
 * @lock: protects the sequence number of @notifier
 * @vram: memory of this device
 * @runs: where to write the runs to
 * @room: runs that fit there
 * @count: runs found, without @run
 * @run: the run that grows
 * @pfns: result of hmm_range_fault() for a block
 */
struct vsvm_residency {
	struct mmu_interval_notifier notifier;
	spinlock_t lock;		/* for the sequence number */
	struct vsvm_vram *vram;
	struct drm_vsvm_residency_run __user *runs;
	u32 room;
	u32 count;
	struct drm_vsvm_residency_run run;
	unsigned long pfns[VSVM_BLOCK_PAGES];
};

static bool vsvm_residency_invalidate(struct mmu_interval_notifier *notifier,
				      const struct mmu_notifier_range *event,
				      unsigned long seq)
{
	struct vsvm_residency *res = container_of(notifier,
						  struct vsvm_residency, notifier);

	spin_lock(&res->lock);
	mmu_interval_set_seq(notifier, seq);
	spin_unlock(&res->lock);
	return true;
}

static const struct mmu_interval_notifier_ops vsvm_residency_ops = {
	.invalidate = vsvm_residency_invalidate,
};

static int vsvm_residency_flush(struct vsvm_residency *res)
{
	if (!res->run.length)
		return 0;
	if (res->count < res->room &&
	    copy_to_user(&res->runs[res->count], &res->run, sizeof(res->run)))
		return -EFAULT;
	res->count++;
	return 0;
}

static int vsvm_residency_add(struct vsvm_residency *res, u64 addr, u64 length,
			      u32 location, u32 order)
{
	int ret;

	if (res->run.length && res->run.location == location &&
	    res->run.order == order) {
		res->run.length += length;
		return 0;
	}

	ret = vsvm_residency_flush(res);
	res->run = (struct drm_vsvm_residency_run) {
		.addr = addr,
		.length = length,
		.location = location,
		.order = order,
	};
	return ret;
}

static int vsvm_residency_add_pfn(struct vsvm_residency *res, u64 addr,
				  unsigned long pfn)
{
	u32 location = DRM_VSVM_LOCATION_NONE, order = 0;
	struct page *page;

	if (pfn & HMM_PFN_VALID) {
		page = hmm_pfn_to_page(pfn);
		location = DRM_VSVM_LOCATION_SYSTEM;
		if (hmm_pfn_to_map_order(pfn) >= VSVM_BLOCK_ORDER)
			order = VSVM_BLOCK_ORDER;
		if (is_device_private_page(page)) {
			location = DRM_VSVM_LOCATION_VRAM;
			/* hmm says nothing of folios below that. */
			if (folio_order(page_folio(page)) < VSVM_BLOCK_ORDER)
				order = folio_order(page_folio(page));
		}
	}
	return vsvm_residency_add(res, addr, PAGE_SIZE, location, order);
}

/*
 * Looks at the rest of a block. A page must not go away between the walk and the
 * look at its struct page, but nothing can be done for long under a lock: the
 * locations are made out under the mmap lock, and struct pages of VRAM live
 * longer than any ioctl.
 */
static int vsvm_residency_block(struct vsvm_residency *res, unsigned long start,
				unsigned long end)
{
	struct mm_struct *mm = res->notifier.mm;
	struct hmm_range hmm = {
		.notifier = &res->notifier,
		.start = start,
		.end = end,
		.hmm_pfns = res->pfns,
		.dev_private_owner = res->vram->pgmap.owner,
	};
	int tries = VSVM_RESIDENCY_TRIES;
	unsigned long i;
	int ret;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!tries--)
			return -EAGAIN;
		hmm.notifier_seq = mmu_interval_read_begin(&res->notifier);
		memset(res->pfns, 0, sizeof(res->pfns));
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		ret = hmm_range_fault(&hmm);
		mmap_read_unlock(mm);
		cond_resched();
	} while (ret == -EBUSY);

	for (i = 0; !ret && i < (end - start) >> PAGE_SHIFT; i++)
		ret = vsvm_residency_add_pfn(res, start + (i << PAGE_SHIFT),
					     res->pfns[i]);
	return ret;
}

/* First address from @addr on that is mapped, at most @end; or an error. */
static long vsvm_residency_next_vma(struct mm_struct *mm, unsigned long addr,
				    unsigned long end)
{
	struct vm_area_struct *vma;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = find_vma(mm, addr);
	if (!vma || vma->vm_start > end)
		addr = end;
	else
		addr = max(addr, vma->vm_start);
	mmap_read_unlock(mm);
	return addr;
}

static int vsvm_residency_walk(struct vsvm_residency *res, unsigned long addr,
			       unsigned long end)
{
	unsigned long stop;
	long next;
	int ret;

	while (addr < end) {
		next = vsvm_residency_next_vma(res->notifier.mm, addr, end);
		if (next < 0)
			return next;
		if (next > addr) {
			ret = vsvm_residency_add(res, addr, next - addr,
						 DRM_VSVM_LOCATION_NONE, 0);
			if (ret)
				return ret;
			addr = next;
			continue;
		}
		stop = min(end, ALIGN(addr + 1, VSVM_BLOCK_SIZE));
		ret = vsvm_residency_block(res, addr, stop);
		if (ret)
			return ret;
		addr = stop;
	}
	return vsvm_residency_flush(res);
}

int vsvm_ioctl_residency(struct drm_device *drm, void *data,
			 struct drm_file *file)
{
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_residency *args = data;
	struct vsvm_residency *res;
	int ret;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (args->flags) {
		drm_dbg(drm, "unknown flags %#x\n", args->flags);
		return -EINVAL;
	}
	if (!vsvm_check_user_range(args->addr, args->length)) {
		drm_dbg(drm, "bad range %#llx, %#llx\n", args->addr,
			args->length);
		return -EINVAL;
	}

	res = kzalloc(sizeof(*res), GFP_KERNEL);
	if (!res)
		return -ENOMEM;
	spin_lock_init(&res->lock);
	res->vram = &vm->vdev->vram;
	res->runs = u64_to_user_ptr(args->runs);
	res->room = args->num_runs;

	ret = mmu_interval_notifier_insert(&res->notifier, vm->mm, args->addr,
					   args->length, &vsvm_residency_ops);
	if (ret)
		goto out;
	ret = vsvm_residency_walk(res, args->addr, args->addr + args->length);
	mmu_interval_notifier_remove(&res->notifier);
	args->num_runs = res->count;
out:
	kfree(res);
	return ret;
}
