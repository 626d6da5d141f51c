/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_VM_H_
#define _VSVM_VM_H_

#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/hmm.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include <drm/vsvm_isa.h>

#include "vsvm_advise.h"
#include "vsvm_async.h"
#include "vsvm_drv.h"
#include "vsvm_pt.h"

/* End of the addresses that a process can have and the GPU can form. */
#define VSVM_USER_END	min(TASK_SIZE_MAX, BIT(VSVM_ISA_VA_BITS))

/**
 * struct vsvm_vm - address space of the GPU, bound to that of a process
 * @ref: one of the file, one of each fault that is being served
 * @vdev: the device
 * @mm: the process' address space, by mmgrab()
 * @owner: whom VRAM is accounted to
 * @link: in &vsvm_device.vms
 * @vmid: id in the GPU
 * @client: id of the file that fdinfo shows
 * @pid: process that opened the file, in the initial namespace
 * @comm: its name
 * @queues_lock: protects @queues against shutdown
 * @queues: queues by the id that user space knows
 * @ranges: &struct vsvm_range by number of the block
 * @pt_lock: protects @pt and @dead. Taken in MMU notifiers, so no memory may be
 *	allocated under it
 * @pt: the page tables
 * @dead: the GPU does not know this address space any more
 * @advice: what the program wants of ranges
 * @async: asynchronous prefetches
 */
struct vsvm_vm {
	struct kref ref;
	struct vsvm_device *vdev;
	struct mm_struct *mm;
	struct vsvm_owner *owner;
	struct list_head link;
	u32 vmid;

	u64 client;
	pid_t pid;
	char comm[TASK_COMM_LEN];

	struct mutex queues_lock;	/* for queues */
	struct xarray queues;

	struct xarray ranges;

	struct mutex pt_lock;		/* for pt and dead */
	struct vsvm_pt pt;
	bool dead;

	struct vsvm_advice advice;
	struct vsvm_async async;
};

/**
 * struct vsvm_range - a block that the GPU has touched
 * @notifier: tells when the process' page tables change in it
 * @vm: the address space
 * @flush_pending: entries were removed, but a TLB may still have them; protected
 *	by &vsvm_vm.pt_lock
 * @duplicate: what is duplicated of it, or NULL; likewise
 * @evict_time: when a fault last wanted to evict others for it, in jiffies; this
 *	and the next for vsvm_fault_work() only
 * @evict_rounds: how often that was, each time soon after the last
 */
struct vsvm_range {
	struct mmu_interval_notifier notifier;
	struct vsvm_vm *vm;
	bool flush_pending;
	struct vsvm_duplicate *duplicate;
	unsigned long evict_time;
	unsigned int evict_rounds;
};

/**
 * struct vsvm_batch - scratch memory of a migration, or of one block's mapping
 * @blocks: how many blocks can be migrated at once
 * @end: end of what vsvm_migrate_to_vram() has tried to find VRAM for
 * @src: source entries
 * @dst: destination entries
 * @pfns: what the process has in one block, from vsvm_range_snapshot(); for
 *	vsvm_snapshot_entry() and vsvm_snapshot_step()
 * @faulted: result of vsvm_range_fault_in(), of no interest
 * @skipped: bitmap of pages that vsvm_migrate_to_vram() has found to be neither in
 *	system memory nor without any memory
 * @data: all of these arrays
 *
 * From vsvm_batch_alloc(), for kvfree().
 */
struct vsvm_batch {
	unsigned int blocks;
	unsigned long end;
	union {
		unsigned long *src;
		unsigned long *pfns;
	};
	union {
		unsigned long *dst;
		unsigned long *faulted;
	};
	unsigned long *skipped;
	unsigned long data[];
};

/* Blocks that a prefetch moves at once. */
#define VSVM_PREFETCH_BLOCKS	8

/**
 * vsvm_block_end() - cut a range to its first block
 * @start: its start
 * @end: its end
 *
 * Return: where the part ends that is in the first block.
 */
static inline unsigned long vsvm_block_end(unsigned long start,
					   unsigned long end)
{
	return min(end, ALIGN(start + 1, VSVM_BLOCK_SIZE));
}

/* vsvm_vm.c */
int vsvm_open(struct drm_device *drm, struct drm_file *file);
void vsvm_postclose(struct drm_device *drm, struct drm_file *file);
struct vsvm_vm *vsvm_vm_of_file(struct drm_file *file);
struct vsvm_vm *vsvm_vm_lookup(struct vsvm_device *vdev, u32 vmid);
void vsvm_vm_put(struct vsvm_vm *vm);
void vsvm_vm_shutdown_all(struct vsvm_device *vdev);

/* vsvm_svm.c */
struct vsvm_range *vsvm_range_get(struct vsvm_vm *vm, unsigned long addr);
void vsvm_ranges_forget(struct vsvm_vm *vm, unsigned long start,
			unsigned long end);
void vsvm_ranges_fini(struct vsvm_vm *vm);
void vsvm_range_clear(struct vsvm_range *range, unsigned long start,
		      unsigned long end);
int vsvm_range_snapshot(struct vsvm_range *range, unsigned long start,
			unsigned long end, struct vsvm_batch *batch,
			unsigned long *seq);
int vsvm_range_fault_in(struct vsvm_range *range, unsigned long start,
			unsigned long end, bool write, struct vsvm_batch *batch);
int vsvm_range_map(struct vsvm_range *range, unsigned long start,
		   unsigned long end, const unsigned long *pfns,
		   unsigned long seq, u64 flags, u64 *bytes);
int vsvm_range_map_duplicate(struct vsvm_range *range, unsigned long start,
			     unsigned long end, const unsigned long *pfns,
			     unsigned long seq, struct vsvm_duplicate *duplicate,
			     u64 *bytes);
int vsvm_range_map_exclusive(struct vsvm_range *range, unsigned long addr,
			     u64 *bytes);
bool vsvm_check_user_range(u64 addr, u64 length);

/**
 * vsvm_snapshot_step() - how far one large mapping reaches
 * @pfn: an entry of vsvm_range_snapshot()
 *
 * The entries of a large mapping differ in the page only, and its pages are one
 * folio, or belong to a device as a whole. So the first entry can speak for all.
 *
 * Return: number of entries from @pfn on that belong to the same mapping, if the
 * snapshot has as many; 1 for a single page, or none.
 */
static inline unsigned long vsvm_snapshot_step(unsigned long pfn)
{
	unsigned long pages = 1UL << hmm_pfn_to_map_order(pfn);

	if (!(pfn & HMM_PFN_VALID))
		return 1;
	return pages - (pfn & (pages - 1));
}

/**
 * vsvm_snapshot_entry() - what the process has in a page
 * @pfns: entries of vsvm_range_snapshot()
 * @i: number of the page
 *
 * Return: its entry.
 */
static inline unsigned long vsvm_snapshot_entry(const unsigned long *pfns,
						unsigned long i)
{
	return i < vsvm_snapshot_step(pfns[0]) ? pfns[0] + i : pfns[i];
}

/* vsvm_migrate.c */
struct vsvm_batch *vsvm_batch_alloc(unsigned int blocks, gfp_t gfp);
u64 vsvm_migrate_to_vram(struct vsvm_vm *vm, struct vm_area_struct *vma,
			 unsigned long start, unsigned long end,
			 struct vsvm_batch *batch);
u64 vsvm_migrate_to_ram(struct vsvm_device *vdev, struct vm_area_struct *vma,
			unsigned long start, unsigned long end,
			struct vsvm_batch *batch);
u64 vsvm_migrate_block_to_ram(struct vsvm_device *vdev, unsigned long block,
			      bool evict, struct vsvm_batch *batch);
bool vsvm_migrate_all_to_ram(struct vsvm_device *vdev);
vm_fault_t vsvm_cpu_fault(struct vm_fault *vmf);

/* vsvm_evict.c */
void vsvm_evict_keep(struct vsvm_vm *vm, unsigned long start, unsigned long end,
		     struct vsvm_batch *batch);
void vsvm_evict_for_prefetch(struct vsvm_range *range, unsigned long start,
			     unsigned long end, u64 until,
			     struct vsvm_batch *batch);
void vsvm_evict_for_fault(struct vsvm_range *range, unsigned long addr,
			  u32 access, struct vsvm_batch *batch);
void vsvm_evict_note_use(struct vsvm_device *vdev, const unsigned long *pfns,
			 unsigned long npages);

/* vsvm_prefetch.c */
u64 vsvm_prefetch_begin(struct vsvm_vm *vm, unsigned long start,
			unsigned long end, u32 location,
			struct vsvm_batch *batch);
long vsvm_prefetch_next(struct vsvm_vm *vm, unsigned long addr,
			unsigned long end, u32 location, u64 until,
			struct vsvm_batch *batch, u64 *moved);

/* vsvm_queue.c */
void vsvm_queues_shutdown(struct vsvm_vm *vm);

#endif /* _VSVM_VM_H_ */
