// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Migration
 *
 * All migrations take the same steps: mm collects and unmaps the source, which
 * leaves an array of entries; destinations are allocated, the copy engine copies
 * or clears; mm moves the metadata over and maps what has moved. A page that
 * cannot move stays where it is, that is no error.
 *
 * The unit is a block of 2 MiB. Faults and evictions migrate one block; a prefetch
 * migrates several at once, because the notifiers, the flush of the CPUs' TLBs, and
 * what else mm does for each migration cost as much for many as for one.
 *
 * A source that is one folio, of any order, or a
 * hole of the size of a block, is one entry with MIGRATE_PFN_COMPOUND, and moves
 * to one folio of the same order if that can be had, else to single pages. What
 * else is a hole gets single pages, or folios of vsvm_fill_order() where they fit.
 *
 * There are four ways in:
 *
 * - vsvm_migrate_to_vram(), after a GPU fault or on demand;
 * - vsvm_cpu_fault() and vsvm_migrate_to_ram(), by address: a CPU fault brings a
 *   folio of 2 MiB that is mapped as such back whole, else one page;
 * - vsvm_migrate_block_to_ram(), by physical address, to make room in VRAM;
 * - vsvm_migrate_all_to_ram(), likewise, when the device goes.
 */

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "vsvm_copy.h"
#include "vsvm_trace.h"
#include "vsvm_vm.h"

/* Folios of all orders are entries of their own. */
#define VSVM_SELECT_LARGE	(MIGRATE_VMA_SELECT_COMPOUND | \
				 MIGRATE_VMA_SELECT_MTHP)

/**
 * vsvm_batch_alloc() - allocate scratch memory
 * @blocks: how many blocks are migrated at once
 * @gfp: flags of the allocation
 *
 * Return: the scratch memory, or NULL.
 */
struct vsvm_batch *vsvm_batch_alloc(unsigned int blocks, gfp_t gfp)
{
	size_t pages = blocks * VSVM_BLOCK_PAGES;
	struct vsvm_batch *batch;

	batch = kvmalloc(struct_size(batch, data,
				     2 * pages + BITS_TO_LONGS(pages)), gfp);
	if (!batch)
		return NULL;
	batch->blocks = blocks;
	batch->src = batch->data;
	batch->dst = batch->src + pages;
	batch->skipped = batch->dst + pages;
	return batch;
}

static unsigned int vsvm_entry_order(unsigned long entry)
{
	struct page *page = migrate_pfn_to_page(entry);

	if (!(entry & MIGRATE_PFN_COMPOUND))
		return 0;
	return page ? folio_order(page_folio(page)) : VSVM_BLOCK_ORDER;
}

static unsigned long vsvm_entry_pages(unsigned long entry)
{
	return 1UL << vsvm_entry_order(entry);
}

/* Gives destinations up that have been allocated. */
static void vsvm_drop_dst(unsigned long *dst, unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i++) {
		struct page *page = migrate_pfn_to_page(dst[i]);

		if (!page)
			continue;
		dst[i] = 0;
		folio_unlock(page_folio(page));
		folio_put(page_folio(page));
	}
}

/*
 * Copies every page that has a destination, or clears it when the source is a
 * hole. On an error nothing may be moved, so all destinations are given up.
 */
static int vsvm_copy_pages(struct vsvm_device *vdev, const unsigned long *src,
			   unsigned long *dst, unsigned long npages,
			   bool to_vram, enum drm_vsvm_stage_id stage)
{
	struct vsvm_copy copy = { .vdev = vdev };
	unsigned long i, n, first = 0, end = 0;
	struct page *source = NULL;
	u64 begin = ktime_get_ns();

	for (i = 0; i < npages; i += n) {
		struct page *target = migrate_pfn_to_page(dst[i]);

		/* The entries after a large source are 0: go by its pages. */
		if (i >= end) {
			first = i;
			end = i + vsvm_entry_pages(src[i]);
		}
		source = migrate_pfn_to_page(src[first]);
		if (source)
			source += i - first;

		n = 1;
		if (!target)
			continue;
		n = vsvm_entry_pages(dst[i]);

		if (!to_vram)
			vsvm_copy_add(&copy, page_to_phys(target),
				      vsvm_vram_offset(&vdev->vram, source),
				      n << PAGE_SHIFT, VSVM_HW_COPY_SRC_VRAM);
		else if (source)
			vsvm_copy_add(&copy, vsvm_vram_offset(&vdev->vram, target),
				      page_to_phys(source), n << PAGE_SHIFT,
				      VSVM_HW_COPY_DST_VRAM);
		else
			vsvm_copy_add(&copy, vsvm_vram_offset(&vdev->vram, target),
				      0, n << PAGE_SHIFT,
				      VSVM_HW_COPY_DST_VRAM |
				      VSVM_HW_COPY_FILL_ZERO);
	}
	vsvm_copy_run(&copy);

	if (copy.error) {
		drm_dbg(&vdev->drm, "copy of %llu bytes failed: %d\n",
			copy.bytes, copy.error);
		vsvm_drop_dst(dst, npages);
		return copy.error;
	}

	if (copy.bytes)
		vsvm_stage_add(&vdev->stats, stage, copy.bytes,
			       ktime_get_ns() - begin);
	return 0;
}

/*
 * Entries from one on that belong to it: after a large one the others are 0, and
 * the destination counts where it is not as large as the source.
 */
static unsigned long vsvm_moved_pages(unsigned long src, unsigned long dst)
{
	return vsvm_entry_pages(migrate_pfn_to_page(dst) ? dst : src);
}

/* Counts the folios that have moved. Returns the bytes in them. */
static u64 vsvm_count_moved(const unsigned long *src, const unsigned long *dst,
			    unsigned long npages, atomic64_t *folios)
{
	unsigned long i;
	u64 pages = 0;

	for (i = 0; i < npages; i += vsvm_moved_pages(src[i], dst[i])) {
		if (!(src[i] & MIGRATE_PFN_MIGRATE) ||
		    !migrate_pfn_to_page(dst[i]))
			continue;
		pages += vsvm_entry_pages(dst[i]);
		atomic64_inc(&folios[vsvm_entry_order(dst[i])]);
	}
	return pages << PAGE_SHIFT;
}

/* A large folio as the destination of entry @dst; false when there is none. */
static bool vsvm_vram_dst_large(struct vsvm_vm *vm, unsigned long *dst,
				unsigned int order)
{
	struct vsvm_vram *vram = &vm->vdev->vram;
	unsigned long pfn;

	if (!vsvm_huge_enabled() || !vsvm_vram_alloc_aligned(vram, order, &pfn))
		return false;
	if (!vsvm_vram_folio(vram, pfn, order, vm->owner)) {
		vsvm_vram_release(vram, pfn, 1UL << order);
		return false;
	}

	*dst = migrate_pfn(pfn) | MIGRATE_PFN_COMPOUND;
	return true;
}

/* Folios for rows of holes, if that is wanted and they fit. */
static void vsvm_vram_dst_fill(struct vsvm_vm *vm, const unsigned long *src,
			       unsigned long *dst, unsigned long npages,
			       unsigned long addr)
{
	unsigned int order = vsvm_fill_order();
	unsigned long i, j, nr = 1UL << order;

	if (!order)
		return;

	i = (ALIGN(addr, nr << PAGE_SHIFT) - addr) >> PAGE_SHIFT;
	for (; i + nr <= npages; i += nr) {
		for (j = 0; j < nr && src[i + j] == MIGRATE_PFN_MIGRATE; j++)
			;
		if (j == nr && !vsvm_vram_dst_large(vm, &dst[i], order))
			break;
	}
}

/*
 * Pages of VRAM as destinations of the entries from @first up to @last, as far
 * as they go. A large source is one entry for all of them, and gets all or none.
 * What has a destination already is left alone.
 */
static void vsvm_vram_dst_pages(struct vsvm_vm *vm, const unsigned long *src,
				unsigned long *dst, unsigned long first,
				unsigned long last)
{
	struct vsvm_vram *vram = &vm->vdev->vram;
	bool compound = src[first] & MIGRATE_PFN_COMPOUND;
	unsigned long i, want = 0, pfn = 0, left = 0;

	for (i = first; i < last; i += vsvm_entry_pages(dst[i]))
		want += !dst[i] && (compound || (src[i] & MIGRATE_PFN_MIGRATE));

	for (i = first; i < last; i += vsvm_entry_pages(dst[i])) {
		if (dst[i] || (!compound && !(src[i] & MIGRATE_PFN_MIGRATE)))
			continue;
		if (!left)
			left = vsvm_vram_alloc(vram, want, &pfn);
		if (!left || !vsvm_vram_folio(vram, pfn, 0, vm->owner))
			break;
		dst[i] = migrate_pfn(pfn);
		pfn++;
		left--;
		want--;
	}
	vsvm_vram_release(vram, pfn, left);

	if (compound && i < last)
		vsvm_drop_dst(&dst[first], i - first);
}

static void vsvm_vram_dst(struct vsvm_vm *vm, const unsigned long *src,
			  unsigned long *dst, unsigned long npages,
			  unsigned long addr)
{
	unsigned long i, end;

	vsvm_vram_dst_fill(vm, src, dst, npages, addr);
	for (i = 0; i < npages; i = end) {
		if (src[i] & MIGRATE_PFN_COMPOUND) {
			end = i + vsvm_entry_pages(src[i]);
			if ((src[i] & MIGRATE_PFN_MIGRATE) &&
			    !vsvm_vram_dst_large(vm, &dst[i],
						 vsvm_entry_order(src[i])))
				vsvm_vram_dst_pages(vm, src, dst, i, end);
			continue;
		}
		for (end = i + 1; end < npages; end++)
			if (src[end] & MIGRATE_PFN_COMPOUND)
				break;
		vsvm_vram_dst_pages(vm, src, dst, i, end);
	}
}

/* Notes what a migration to VRAM leaves where it is: it has no entry. */
static void vsvm_note_skipped(struct vsvm_batch *batch, unsigned long npages)
{
	unsigned long i, end;

	for (i = 0; i < npages; i = end) {
		end = i + vsvm_entry_pages(batch->src[i]);
		if (batch->src[i])
			bitmap_clear(batch->skipped, i, end - i);
	}
}

/*
 * Allocates and copies, block by block. Others may have taken what VRAM there was:
 * then it ends before the next block, for which room must be made first.
 */
static void vsvm_fill_vram(struct vsvm_vm *vm, struct migrate_vma *args,
			   struct vsvm_batch *batch)
{
	unsigned long addr, next, i = 0, npages;

	for (addr = args->start; addr < args->end; addr = next, i += npages) {
		if (i && !vsvm_vram_free_blocks(&vm->vdev->vram, 1))
			break;
		next = vsvm_block_end(addr, args->end);
		npages = (next - addr) >> PAGE_SHIFT;
		vsvm_vram_dst(vm, args->src + i, args->dst + i, npages, addr);
		vsvm_copy_pages(vm->vdev, args->src + i, args->dst + i, npages,
				true, DRM_VSVM_STAGE_COPY_TO_VRAM);
	}
	batch->end = addr;
}

/**
 * vsvm_migrate_to_vram() - move what can be moved of a range to VRAM
 * @vm: the address space
 * @vma: an anonymous mapping
 * @start: start of the range, which is in @vma and in &vsvm_batch.blocks blocks
 * @end: end of the range
 * @batch: scratch memory; &vsvm_batch.skipped and &vsvm_batch.end are filled in
 *
 * Addresses that have no memory yet get zeroed VRAM. What there is no VRAM for stays
 * where it is; from the second block on, whole blocks from &vsvm_batch.end on.
 *
 * Context: The mmap lock is held for reading.
 * Return: bytes that have moved.
 */
u64 vsvm_migrate_to_vram(struct vsvm_vm *vm, struct vm_area_struct *vma,
			 unsigned long start, unsigned long end,
			 struct vsvm_batch *batch)
{
	struct vsvm_device *vdev = vm->vdev;
	struct migrate_vma args = {
		.vma = vma,
		.src = batch->src,
		.dst = batch->dst,
		.start = start,
		.end = end,
		.pgmap_owner = vdev->vram.pgmap.owner,
		.flags = MIGRATE_VMA_SELECT_SYSTEM,
	};
	u64 begin = ktime_get_ns();
	u64 moved, ns;

	if (vsvm_huge_enabled())
		args.flags |= VSVM_SELECT_LARGE;

	batch->end = end;
	bitmap_fill(batch->skipped, (end - start) >> PAGE_SHIFT);
	if (migrate_vma_setup(&args) || !args.cpages)
		return 0;

	vsvm_note_skipped(batch, args.npages);
	vsvm_fill_vram(vm, &args, batch);
	migrate_vma_pages(&args);
	moved = vsvm_count_moved(args.src, args.dst, args.npages,
				 vdev->stats.folios_to_vram);
	migrate_vma_finalize(&args);

	ns = ktime_get_ns() - begin;
	trace_vsvm_migrate(vdev, true, start, end, moved, ns);
	if (moved)
		vsvm_stage_add(&vdev->stats, DRM_VSVM_STAGE_TO_VRAM, moved, ns);
	return moved;
}

static struct folio *vsvm_ram_folio(struct vm_area_struct *vma,
				    unsigned long addr, unsigned int order,
				    gfp_t gfp)
{
	if (order)
		gfp = GFP_TRANSHUGE | __GFP_NORETRY | __GFP_NOWARN;
	if (vma)
		return vma_alloc_folio(gfp, order, vma, addr, order);
	return folio_alloc(gfp, order);
}

/* An entry may migrate and have no page: a hole, which needs no system memory. */
static bool vsvm_has_source(unsigned long entry)
{
	return (entry & MIGRATE_PFN_MIGRATE) && migrate_pfn_to_page(entry);
}

/*
 * System memory as destinations, for the address @addr on if there is a VMA.
 * Single pages are allocated by @gfp.
 */
static void vsvm_ram_dst(const unsigned long *src, unsigned long *dst,
			 unsigned long npages, struct vm_area_struct *vma,
			 unsigned long addr, gfp_t gfp)
{
	unsigned long i, compound = 0;
	struct folio *folio;

	for (i = 0; i < npages; i++) {
		if (compound) {
			compound--;
		} else if (!vsvm_has_source(src[i])) {
			continue;
		} else if (src[i] & MIGRATE_PFN_COMPOUND) {
			folio = vsvm_ram_folio(vma, addr + (i << PAGE_SHIFT),
					       vsvm_entry_order(src[i]), gfp);
			if (folio) {
				folio_lock(folio);
				dst[i] = migrate_pfn(folio_pfn(folio)) |
					 MIGRATE_PFN_COMPOUND;
				i += vsvm_entry_pages(src[i]) - 1;
				continue;
			}
			compound = vsvm_entry_pages(src[i]) - 1;
		}

		folio = vsvm_ram_folio(vma, addr + (i << PAGE_SHIFT), 0, gfp);
		if (folio) {
			folio_lock(folio);
			dst[i] = migrate_pfn(folio_pfn(folio));
		}
	}
}

/*
 * Nobody knows whether the GPU has written to these pages. They must not be
 * taken for clean, as pages under MADV_FREE could be.
 */
static void vsvm_ram_mark_dirty(const unsigned long *src,
				const unsigned long *dst, unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i += vsvm_moved_pages(src[i], dst[i])) {
		struct page *page = migrate_pfn_to_page(dst[i]);

		if (page && (src[i] & MIGRATE_PFN_MIGRATE))
			folio_mark_dirty(page_folio(page));
	}
}

/*
 * The steps between setup and finalize of a migration by address. The copy of a block
 * that fails leaves that block where it is.
 */
static u64 vsvm_to_ram(struct vsvm_device *vdev, struct migrate_vma *args,
		       int *error)
{
	unsigned long addr, next, i = 0, npages;
	u64 moved;

	*error = 0;
	for (addr = args->start; addr < args->end; addr = next, i += npages) {
		int ret;

		next = vsvm_block_end(addr, args->end);
		npages = (next - addr) >> PAGE_SHIFT;
		vsvm_ram_dst(args->src + i, args->dst + i, npages, args->vma,
			     addr, GFP_HIGHUSER_MOVABLE);
		ret = vsvm_copy_pages(vdev, args->src + i, args->dst + i,
				      npages, false, DRM_VSVM_STAGE_COPY_TO_RAM);
		*error = *error ?: ret;
	}
	migrate_vma_pages(args);
	moved = vsvm_count_moved(args->src, args->dst, args->npages,
				 vdev->stats.folios_to_ram);
	vsvm_ram_mark_dirty(args->src, args->dst, args->npages);
	return moved;
}

/**
 * vsvm_migrate_to_ram() - move what is in VRAM of a range to system memory
 * @vdev: the device
 * @vma: the mapping
 * @start: start of the range, which is in @vma and in &vsvm_batch.blocks blocks
 * @end: end of the range
 * @batch: scratch memory
 *
 * Context: The mmap lock is held for reading.
 * Return: bytes that have moved.
 */
u64 vsvm_migrate_to_ram(struct vsvm_device *vdev, struct vm_area_struct *vma,
			unsigned long start, unsigned long end,
			struct vsvm_batch *batch)
{
	struct migrate_vma args = {
		.vma = vma,
		.src = batch->src,
		.dst = batch->dst,
		.start = start,
		.end = end,
		.pgmap_owner = vdev->vram.pgmap.owner,
		.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE | VSVM_SELECT_LARGE,
	};
	u64 begin = ktime_get_ns();
	u64 moved, ns;
	int error;

	if (migrate_vma_setup(&args) || !args.cpages)
		return 0;

	moved = vsvm_to_ram(vdev, &args, &error);
	migrate_vma_finalize(&args);

	ns = ktime_get_ns() - begin;
	trace_vsvm_migrate(vdev, false, start, end, moved, ns);
	if (moved)
		vsvm_stage_add(&vdev->stats, DRM_VSVM_STAGE_TO_RAM, moved, ns);
	return moved;
}

/*
 * What a CPU fault brings home: the block that a PMD maps, or the folio of the
 * page where that is mapped by page table entries from the beginning, or the
 * page. A block that has lost its PMD has most likely lost a part, too.
 */
static void vsvm_cpu_fault_range(const struct vm_fault *vmf,
				 unsigned long *start, unsigned long *end)
{
	unsigned long addr = vmf->address & PAGE_MASK;
	struct folio *folio = page_folio(vmf->page);
	unsigned long size = folio_size(folio);

	if (!vmf->pte) {
		*start = ALIGN_DOWN(addr, VSVM_BLOCK_SIZE);
		*end = *start + VSVM_BLOCK_SIZE;
		return;
	}

	*start = addr - (folio_page_idx(folio, vmf->page) << PAGE_SHIFT);
	*end = *start + size;
	if (size == VSVM_BLOCK_SIZE || *start > addr || *start < vmf->vma->vm_start ||
	    *end > vmf->vma->vm_end ||
	    ALIGN_DOWN(*start, VSVM_BLOCK_SIZE) !=
	    ALIGN_DOWN(*end - 1, VSVM_BLOCK_SIZE)) {
		*start = addr;
		*end = addr + PAGE_SIZE;
	}
}

/**
 * vsvm_cpu_fault() - the CPU touches a page in VRAM
 * @vmf: the fault; mm has locked the folio and holds a reference
 *
 * Takes no lock of the driver.
 *
 * Return: 0 when the page has moved, or when the access should be tried again.
 */
vm_fault_t vsvm_cpu_fault(struct vm_fault *vmf)
{
	struct vsvm_vram *vram = vsvm_vram_of(vmf->page);
	struct vsvm_device *vdev = container_of(vram, struct vsvm_device, vram);
	unsigned long one_src = 0, one_dst = 0;
	struct vsvm_batch *batch = NULL;
	struct migrate_vma args = {
		.vma = vmf->vma,
		.src = &one_src,
		.dst = &one_dst,
		.pgmap_owner = vram->pgmap.owner,
		.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
		.fault_page = vmf->page,
	};
	u64 begin = ktime_get_ns();
	u64 moved = 0, ns;
	unsigned long *wanted;
	vm_fault_t ret = 0;
	int error = 0;
	bool ready;

	atomic64_inc(&vdev->stats.cpu_faults);

	vsvm_cpu_fault_range(vmf, &args.start, &args.end);
	if (args.end - args.start > PAGE_SIZE) {
		batch = vsvm_batch_alloc(1, GFP_KERNEL);
		if (!batch)
			return VM_FAULT_OOM;
		args.src = batch->src;
		args.dst = batch->dst;
		args.flags |= VSVM_SELECT_LARGE;
	}

	if (migrate_vma_setup(&args)) {
		ret = VM_FAULT_SIGBUS;
		goto out;
	}
	if (!args.cpages)
		goto out;

	wanted = &args.dst[(vmf->address - args.start) >> PAGE_SHIFT];
	ready = vsvm_has_source(args.src[wanted - args.dst]) ||
		(vsvm_has_source(args.src[0]) &&
		 args.src[0] & MIGRATE_PFN_COMPOUND);
	moved = vsvm_to_ram(vdev, &args, &error);
	if (error)
		ret = VM_FAULT_SIGBUS;
	else if (ready && !*wanted && !(args.dst[0] & MIGRATE_PFN_COMPOUND))
		ret = VM_FAULT_OOM;
	migrate_vma_finalize(&args);
out:
	kvfree(batch);
	ns = ktime_get_ns() - begin;
	trace_vsvm_cpu_fault(vdev, vmf->address, !vmf->pte, moved, ns);
	if (moved) {
		vsvm_stage_add(&vdev->stats, DRM_VSVM_STAGE_TO_RAM, moved, ns);
		vsvm_stage_add(&vdev->stats, DRM_VSVM_STAGE_CPU_FAULT, moved, ns);
	}
	return ret;
}

/**
 * vsvm_migrate_block_to_ram() - move a block of VRAM to system memory
 * @vdev: the device
 * @block: number of the block
 * @evict: to make room: system memory is not worth to kill a process for, and
 *	what moves is counted as evicted
 * @batch: scratch memory
 *
 * Works on physical memory, whosever it is. A page that a CPU fault or another
 * migration has in its hands stays.
 *
 * Context: May sleep.
 * Return: bytes that have moved.
 */
u64 vsvm_migrate_block_to_ram(struct vsvm_device *vdev, unsigned long block,
			      bool evict, struct vsvm_batch *batch)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE |
		    (evict ? __GFP_RETRY_MAYFAIL | __GFP_NOWARN : 0);
	unsigned long pfn = vdev->vram.first_pfn + block * VSVM_BLOCK_PAGES;
	u64 begin = ktime_get_ns();
	u64 moved, ns;

	memset(batch->dst, 0, VSVM_BLOCK_PAGES * sizeof(*batch->dst));
	if (migrate_device_range(batch->src, pfn, VSVM_BLOCK_PAGES))
		return 0;

	vsvm_ram_dst(batch->src, batch->dst, VSVM_BLOCK_PAGES, NULL, 0, gfp);
	vsvm_copy_pages(vdev, batch->src, batch->dst, VSVM_BLOCK_PAGES, false,
			DRM_VSVM_STAGE_COPY_TO_RAM);
	migrate_device_pages(batch->src, batch->dst, VSVM_BLOCK_PAGES);
	moved = vsvm_count_moved(batch->src, batch->dst, VSVM_BLOCK_PAGES,
				 vdev->stats.folios_to_ram);
	if (evict)
		vsvm_count_moved(batch->src, batch->dst, VSVM_BLOCK_PAGES,
				 vdev->stats.folios_evicted);
	vsvm_ram_mark_dirty(batch->src, batch->dst, VSVM_BLOCK_PAGES);
	migrate_device_finalize(batch->src, batch->dst, VSVM_BLOCK_PAGES);

	ns = ktime_get_ns() - begin;
	trace_vsvm_evict(vdev, block, moved, ns);
	if (moved)
		vsvm_stage_add(&vdev->stats, DRM_VSVM_STAGE_TO_RAM, moved, ns);
	return moved;
}

/* Tries without any progress before vsvm_migrate_all_to_ram() gives up. */
#define VSVM_HOME_TRIES	500

/**
 * vsvm_migrate_all_to_ram() - bring all of VRAM home
 * @vdev: the device; nothing may be allocated in VRAM any more
 *
 * Works on physical memory, whosever it is. A page that a CPU fault or another
 * migration has in its hands is tried again.
 *
 * Return: true when VRAM is empty.
 */
bool vsvm_migrate_all_to_ram(struct vsvm_device *vdev)
{
	struct vsvm_vram *vram = &vdev->vram;
	unsigned int tries = VSVM_HOME_TRIES;
	struct vsvm_batch *batch;
	unsigned long i;

	batch = vsvm_batch_alloc(1, GFP_KERNEL | __GFP_NOFAIL);

	while (vsvm_duplicates_end_oldest(vdev))
		cond_resched();

	while (vsvm_vram_free_pages(vram) < vram->size >> PAGE_SHIFT) {
		u64 moved = 0;

		for (i = 0; i < vram->num_blocks; i++) {
			if (vsvm_vram_block_used(vram, i))
				moved += vsvm_migrate_block_to_ram(vdev, i,
								   false, batch);
			cond_resched();
		}
		if (moved) {
			tries = VSVM_HOME_TRIES;
			continue;
		}
		if (!--tries)
			break;
		msleep(20);
	}

	kvfree(batch);
	return tries;
}
