// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: GPU faults
 *
 * The GPU's interrupt queues a work item, which takes records from the fault
 * buffer one after the other. A fault is served for the whole of its block, as
 * far as the mapping (VMA) reaches, or less if the program has advised so:
 *
 * 1. Anonymous memory is migrated to VRAM, where room is made for it, unless advice
 *    is against it. If it is read-mostly by advice, and to be read, it is duplicated
 *    instead, and that is all.
 * 2. What the process has, in VRAM or system memory, is looked up.
 * 3. What is missing is faulted in, as the CPU would do, and the service starts
 *    again. That is pages which are swapped out or for which VRAM had no room,
 *    and for a write also pages that are shared after a fork().
 * 4. All is entered in the GPU's page tables. After an atomic access to system memory
 *    with advice about that, it is one page, which the GPU then has for itself.
 *
 * So one fault is enough for 2 MiB, whether these are one folio or 512. When
 * there is no room in VRAM, or the memory cannot move, the GPU uses system memory. Of a file
 * not more than 64 KiB are faulted in at once, and written to one page.
 *
 * The service always ends: only the first try is thorough, later ones want
 * nothing but the page that faulted, and the last ones leave it where it is. If
 * others, who work on the same memory, win every time, nothing is wrong with the
 * access: the GPU tries it again, and faults again, until the work or its
 * process is ended. Meanwhile other faults have their turn.
 *
 * A fault that finds the access possible, because another one was served in the
 * meantime, is stale. A fault that cannot be served ends its dispatch.
 */

#include <linux/fs.h>
#include <linux/hmm.h>
#include <linux/magic.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_print.h>
#include <drm/vsvm_isa.h>

#include "vsvm_trace.h"
#include "vsvm_vm.h"

#define VSVM_FAULT_TRIES		10
#define VSVM_FAULT_MIGRATE_TRIES	5

/* Pages that even the kernel cannot read: the GPU would not, either. */
static bool vsvm_vma_is_secret(struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

/**
 * struct vsvm_service - service of a fault
 * @range: the block
 * @vma: the mapping of @addr
 * @addr: the page
 * @access: enum vsvm_isa_access
 * @write: to be written to
 * @fetch: to be executed
 * @attrs: what the program wants of @addr
 * @start: start of what is served at once: of the block in @vma that is to be treated
 *	alike
 * @end: its end
 * @batch: scratch memory
 * @bytes: bytes made accessible
 */
struct vsvm_service {
	struct vsvm_range *range;
	struct vm_area_struct *vma;
	unsigned long addr;
	u32 access;
	bool write;
	bool fetch;
	struct vsvm_attrs attrs;
	unsigned long start;
	unsigned long end;
	struct vsvm_batch *batch;
	u64 bytes;
};

/* Whether the page at @addr must be faulted in, going by the snapshot. */
static bool vsvm_service_lacks(const struct vsvm_service *s, unsigned long addr)
{
	unsigned long pfn = vsvm_snapshot_entry(s->batch->pfns,
						(addr - s->start) >> PAGE_SHIFT);

	if (!(pfn & HMM_PFN_VALID))
		return true;
	return s->write && !(pfn & HMM_PFN_WRITE) &&
	       (addr == s->addr || vma_is_anonymous(s->vma));
}

/* Faults in what the GPU is likely to use next. No error matters. */
static void vsvm_service_around(const struct vsvm_service *s)
{
	bool anon = vma_is_anonymous(s->vma);
	unsigned long start = s->start, end = s->end;
	unsigned long addr, next;

	if (!anon) {
		start = max(start, ALIGN_DOWN(s->addr, SZ_64K));
		end = min(end, ALIGN_DOWN(s->addr, SZ_64K) + SZ_64K);
	}

	for (addr = start; addr < end; addr = next) {
		next = addr + PAGE_SIZE;
		if (!vsvm_service_lacks(s, addr))
			continue;
		while (next < end && vsvm_service_lacks(s, next))
			next += PAGE_SIZE;
		vsvm_range_fault_in(s->range, addr, next, s->write && anon,
				    s->batch);
	}
}

/* Finds the mapping and checks that it allows the access. */
static int vsvm_service_find(struct vsvm_service *s)
{
	unsigned long block = ALIGN_DOWN(s->addr, VSVM_BLOCK_SIZE);
	struct mm_struct *mm = s->range->vm->mm;

	mmap_assert_locked(mm);

	s->vma = vma_lookup(mm, s->addr);
	if (!s->vma || vsvm_vma_is_secret(s->vma))
		return -EFAULT;
	if (!(s->vma->vm_flags & VM_READ) ||
	    (s->write && !(s->vma->vm_flags & VM_WRITE)) ||
	    (s->fetch && !(s->vma->vm_flags & VM_EXEC)))
		return -EACCES;

	s->start = max(block, s->vma->vm_start);
	s->end = min(block + VSVM_BLOCK_SIZE, s->vma->vm_end);
	s->attrs = vsvm_advice_get(s->range->vm, s->addr, &s->start, &s->end);
	vsvm_attrs_granule(&s->attrs, s->addr, &s->start, &s->end);
	return 0;
}

/*
 * Whether the page is to be the GPU's alone: for an atomic access to system memory. mm
 * can do that for single pages only.
 */
static bool vsvm_service_exclusive(const struct vsvm_service *s)
{
	unsigned long pfn = vsvm_snapshot_entry(s->batch->pfns,
						(s->addr - s->start) >> PAGE_SHIFT);
	struct page *page = hmm_pfn_to_page(pfn);

	return vma_is_anonymous(s->vma) &&
	       vsvm_attrs_want_exclusive(&s->attrs, s->access) &&
	       !is_device_private_page(page) &&
	       !folio_test_large(page_folio(page));
}

/* For a read of read-mostly memory. Returns whether there is a duplicate of it now. */
static bool vsvm_service_duplicate(struct vsvm_service *s)
{
	if (s->write || !vma_is_anonymous(s->vma) ||
	    !vsvm_attrs_want_duplicate(&s->attrs))
		return false;
	s->bytes = vsvm_duplicate(s->range, s->vma, s->start, s->end, s->addr,
				  s->batch);
	return s->bytes;
}

/*
 * What is duplicated cannot be written to. Lets the process do that before the memory
 * moves, while it has the only reference again: it need not be copied, as it would be
 * after a fork().
 */
static void vsvm_service_unshare(const struct vsvm_service *s)
{
	const unsigned long writable = HMM_PFN_VALID | HMM_PFN_WRITE;
	unsigned long addr, next, seq, pfn;

	if (!s->write || !vsvm_duplicate_end(s->range) ||
	    vsvm_range_snapshot(s->range, s->start, s->end, s->batch, &seq))
		return;
	for (addr = s->start; addr < s->end; addr = next) {
		pfn = vsvm_snapshot_entry(s->batch->pfns,
					  (addr - s->start) >> PAGE_SHIFT);
		next = addr + (vsvm_snapshot_step(pfn) << PAGE_SHIFT);
		if ((pfn & writable) == HMM_PFN_VALID)
			vsvm_range_fault_in(s->range, addr, addr + PAGE_SIZE,
					    true, s->batch);
	}
}

static int vsvm_service_try(struct vsvm_service *s, bool thorough, bool migrate)
{
	struct vsvm_vm *vm = s->range->vm;
	unsigned long seq;
	int ret;

	ret = vsvm_service_find(s);
	if (ret)
		return ret;

	vsvm_service_unshare(s);
	if (migrate && vsvm_service_duplicate(s))
		return 0;
	if (migrate && vma_is_anonymous(s->vma) &&
	    vsvm_attrs_want_vram(&s->attrs, s->access) &&
	    vsvm_vram_free_pages(&vm->vdev->vram))
		vsvm_migrate_to_vram(vm, s->vma, s->start, s->end, s->batch);

	ret = vsvm_range_snapshot(s->range, s->start, s->end, s->batch, &seq);
	if (ret)
		return ret;

	if (vsvm_service_lacks(s, s->addr)) {
		ret = vsvm_range_fault_in(s->range, s->addr, s->addr + PAGE_SIZE,
					  s->write, s->batch);
		if (!ret && thorough)
			vsvm_service_around(s);
		return ret ?: -EAGAIN;
	}

	if (migrate && vsvm_service_exclusive(s))
		return vsvm_range_map_exclusive(s->range, s->addr, &s->bytes);

	if (!s->write)
		vsvm_attrs_restrict(&s->attrs, s->batch->pfns,
				    (s->end - s->start) >> PAGE_SHIFT);
	ret = vsvm_range_map(s->range, s->start, s->end, s->batch->pfns, seq,
			     vsvm_attrs_pte_flags(&s->attrs, s->access),
			     &s->bytes);
	if (!ret)
		vsvm_evict_note_use(vm->vdev, s->batch->pfns,
				    (s->end - s->start) >> PAGE_SHIFT);
	return ret;
}

/* Returns 0 with the bytes made accessible, if any, or why that was impossible. */
static int vsvm_fault_serve(struct vsvm_vm *vm, unsigned long addr, u32 access,
			    struct vsvm_batch *batch, u64 *bytes)
{
	struct vsvm_service s = {
		.addr = addr,
		.access = access,
		.write = access == VSVM_ISA_ACCESS_WRITE ||
			 access == VSVM_ISA_ACCESS_ATOMIC,
		.fetch = access == VSVM_ISA_ACCESS_FETCH,
		.batch = batch,
	};
	int try, ret;

	if (!mmget_not_zero(vm->mm))
		return -ESRCH;

	s.range = vsvm_range_get(vm, addr);
	if (IS_ERR(s.range)) {
		ret = PTR_ERR(s.range);
		goto out;
	}

	vsvm_evict_for_fault(s.range, addr, access, batch);

	for (try = 0; try < VSVM_FAULT_TRIES; try++) {
		mmap_read_lock(vm->mm);
		ret = vsvm_service_try(&s, !try, try < VSVM_FAULT_MIGRATE_TRIES);
		mmap_read_unlock(vm->mm);
		if (ret != -EAGAIN && ret != -EBUSY)
			break;
		cond_resched();
	}
	/* Others were faster each time; the access is to be tried again. */
	if (ret == -EAGAIN || ret == -EBUSY)
		ret = 0;
	*bytes = s.bytes;
out:
	mmput(vm->mm);
	return ret;
}

/* Serves one record of the fault buffer. Returns whether the harts may go on. */
static bool vsvm_fault_handle(struct vsvm_device *vdev,
			      const struct vsvm_hw_fault *fault,
			      struct vsvm_batch *batch)
{
	struct vsvm_stats *stats = &vdev->stats;
	u64 begin = ktime_get_ns();
	struct vsvm_vm *vm;
	u64 bytes = 0, ns;
	int ret;

	vm = vsvm_vm_lookup(vdev, fault->vmid);
	if (!vm)
		return false;

	if (fault->addr < VSVM_USER_END &&
	    vsvm_pt_allows(vm, fault->addr, fault->access)) {
		atomic64_inc(&stats->gpu_faults_stale);
		trace_vsvm_gpu_fault(vdev, fault, 0, 0,
				     ktime_get_ns() - begin);
		vsvm_vm_put(vm);
		return true;
	}

	ret = -EFAULT;
	if (fault->addr < VSVM_USER_END)
		ret = vsvm_fault_serve(vm, fault->addr, fault->access, batch,
				       &bytes);
	ns = ktime_get_ns() - begin;
	trace_vsvm_gpu_fault(vdev, fault, ret, bytes, ns);
	vsvm_fault_log_add(&vdev->fault_log, fault, ret, bytes, ns);
	if (ret) {
		drm_dbg(&vdev->drm, "fault at %#llx, access %u: %d\n",
			fault->addr, fault->access, ret);
		atomic64_inc(&stats->gpu_faults_failed);
	} else if (!bytes) {
		atomic64_inc(&stats->gpu_faults_stale);
	} else {
		atomic64_inc(&stats->gpu_faults_served[vsvm_size_class(bytes)]);
		vsvm_stage_add(stats, DRM_VSVM_STAGE_GPU_FAULT, bytes, ns);
	}
	vsvm_vm_put(vm);
	return !ret;
}

/**
 * vsvm_fault_work() - take a record from the fault buffer
 * @work: &vsvm_device.fault_work
 *
 * Runs again as long as there is one. A freeze of the workqueue need not wait until the
 * GPU has no fault any more, which may be never.
 */
void vsvm_fault_work(struct work_struct *work)
{
	struct vsvm_device *vdev = container_of(work, struct vsvm_device,
						fault_work);
	struct vsvm_hw_fault fault;
	bool served;

	if (!vsvm_hw_fault_pop(vdev->hw, &fault))
		return;
	served = vsvm_fault_handle(vdev, &fault, vdev->fault_batch);
	vsvm_hw_fault_ack(vdev->hw, &fault, served);
	queue_work(vdev->wq, work);
}
