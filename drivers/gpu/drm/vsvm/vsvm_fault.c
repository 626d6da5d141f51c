// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: GPU faults
 *
 * The GPU's interrupt queues a work item, which takes records from the fault
 * buffer one after the other. A fault is served for the whole of its block, as
 * far as the mapping (VMA) reaches:
 *
 * 1. Anonymous memory is migrated to VRAM.
 * 2. What the process has, in VRAM or system memory, is entered in the GPU's
 *    page tables; the faulting page is faulted in first.
 *
 * So one fault is enough for 2 MiB, whether these are one folio or 512. When
 * VRAM is full, or the memory cannot move, the GPU uses system memory.
 *
 * A write to memory that is shared after a fork() must end with a copy. In
 * system memory the kernel does that by itself. In VRAM it does not: the page is
 * brought to system memory, copied there, and the service starts again. After
 * some tries the page is mapped in system memory, so that the service always
 * ends.
 *
 * A fault that finds the access possible, because another one was served in the
 * meantime, is stale. A fault that cannot be served ends its dispatch.
 */

#include <linux/fs.h>
#include <linux/hmm.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_print.h>
#include <drm/vsvm_isa.h>

#include "vsvm_vm.h"

#define VSVM_FAULT_TRIES	10

/* Pages that even the kernel cannot read: the GPU would not, either. */
static bool vsvm_vma_is_secret(struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

static int vsvm_fault_try(struct vsvm_range *range, unsigned long addr,
			  bool write, bool last, struct vsvm_batch *batch,
			  u64 *bytes)
{
	unsigned long block = ALIGN_DOWN(addr, VSVM_BLOCK_SIZE);
	unsigned long required = HMM_PFN_REQ_FAULT;
	struct vsvm_vm *vm = range->vm;
	struct vm_area_struct *vma;
	unsigned long start, end;
	int ret;

	mmap_assert_locked(vm->mm);

	vma = vma_lookup(vm->mm, addr);
	if (!vma || vsvm_vma_is_secret(vma))
		return -EFAULT;
	if (!(vma->vm_flags & VM_READ) ||
	    (write && !(vma->vm_flags & VM_WRITE)))
		return -EACCES;

	start = max(block, vma->vm_start);
	end = min(block + VSVM_BLOCK_SIZE, vma->vm_end);
	if (write)
		required |= HMM_PFN_REQ_WRITE;

	if (!last && vma_is_anonymous(vma))
		vsvm_migrate_to_vram(vm, vma, start, end, batch);

	ret = vsvm_range_map(range, start, end, addr, required,
			     last ? NULL : vm->vdev->vram.pgmap.owner, batch,
			     bytes);
	if (ret != -ESTALE)
		return ret;

	ret = vsvm_range_break_cow(range, addr);
	return ret && ret != -EBUSY ? ret : -EAGAIN;
}

/* Returns 0 with the bytes made accessible, or why that was impossible. */
static int vsvm_fault_serve(struct vsvm_vm *vm, unsigned long addr, bool write,
			    struct vsvm_batch *batch, u64 *bytes)
{
	struct vsvm_range *range;
	int tries, ret;

	if (addr >= TASK_SIZE_MAX)
		return -EFAULT;
	if (!mmget_not_zero(vm->mm))
		return -ESRCH;

	range = vsvm_range_get(vm, addr);
	if (IS_ERR(range)) {
		ret = PTR_ERR(range);
		goto out;
	}

	for (tries = 1; tries <= VSVM_FAULT_TRIES; tries++) {
		mmap_read_lock(vm->mm);
		ret = vsvm_fault_try(range, addr, write,
				     tries == VSVM_FAULT_TRIES, batch, bytes);
		mmap_read_unlock(vm->mm);
		if (ret != -EAGAIN && ret != -EBUSY)
			break;
		cond_resched();
	}
out:
	mmput(vm->mm);
	return ret;
}

/* Serves one record of the fault buffer. Returns whether the harts may go on. */
static bool vsvm_fault_handle(struct vsvm_device *vdev,
			      const struct vsvm_hw_fault *fault,
			      struct vsvm_batch *batch)
{
	bool write = fault->access == VSVM_ISA_ACCESS_WRITE ||
		     fault->access == VSVM_ISA_ACCESS_ATOMIC;
	struct vsvm_stats *stats = &vdev->stats;
	u64 begin = ktime_get_ns();
	struct vsvm_vm *vm;
	u64 bytes = 0;
	int ret;

	vm = vsvm_vm_lookup(vdev, fault->vmid);
	if (!vm)
		return false;

	if (vsvm_pt_allows(vm, fault->addr, write)) {
		atomic64_inc(&stats->gpu_faults_stale);
		vsvm_vm_put(vm);
		return true;
	}

	ret = vsvm_fault_serve(vm, fault->addr, write, batch, &bytes);
	if (ret) {
		drm_dbg(&vdev->drm, "fault at %#llx, access %u: %d\n",
			fault->addr, fault->access, ret);
		atomic64_inc(&stats->gpu_faults_failed);
	} else if (!bytes) {
		atomic64_inc(&stats->gpu_faults_stale);
	} else {
		atomic64_inc(&stats->gpu_faults_served[vsvm_size_class(bytes)]);
		vsvm_stage_add(stats, DRM_VSVM_STAGE_GPU_FAULT, bytes,
			       ktime_get_ns() - begin);
	}
	vsvm_vm_put(vm);
	return !ret;
}

/**
 * vsvm_fault_work() - empty the fault buffer
 * @work: &vsvm_device.fault_work
 */
void vsvm_fault_work(struct work_struct *work)
{
	struct vsvm_device *vdev = container_of(work, struct vsvm_device,
						fault_work);
	struct vsvm_hw_fault fault;

	while (vsvm_hw_fault_pop(vdev->hw, &fault)) {
		bool served = vsvm_fault_handle(vdev, &fault,
						vdev->fault_batch);

		vsvm_hw_fault_ack(vdev->hw, &fault, served);
		cond_resched();
	}
}
