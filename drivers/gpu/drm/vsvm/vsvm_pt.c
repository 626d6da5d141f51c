// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: GPU page tables
 *
 * The format is described in hw/vsvm_hw.h. Tables are pages of system memory; a
 * table that was added stays until the address space goes, or until a leaf of
 * 2 MiB takes its place.
 *
 * Entries change under &vsvm_vm.pt_lock only, which MMU notifiers take. No table
 * may be allocated there, hence the stash: vsvm_pt_lock_prepared() returns with
 * the lock held and enough zeroed pages for any one block.
 */

#include <linux/gfp.h>
#include <linux/hmm.h>
#include <linux/io.h>
#include <linux/mm.h>

#include <drm/vsvm_isa.h>

#include "vsvm_vm.h"

/* Level of the entries that are a leaf of 2 MiB or refer to a last table. */
#define VSVM_PT_BLOCK_LEVEL	1

static unsigned int vsvm_pt_index(unsigned long addr, unsigned int level)
{
	return (addr >> (VSVM_HW_PAGE_SHIFT + 9 * level)) &
	       (VSVM_HW_PT_ENTRIES - 1);
}

static u64 *vsvm_pt_table(u64 entry)
{
	return phys_to_virt(entry & VSVM_HW_PTE_ADDR);
}

static void vsvm_pt_set(u64 *entry, u64 value)
{
	/* A table is seen filled in, or not at all. */
	smp_store_release(entry, value);
}

static u64 vsvm_pt_new_table(struct vsvm_pt *pt)
{
	return page_to_phys(pt->stash[--pt->stashed]) | VSVM_HW_PTE_VALID;
}

/* Entry of the block of @addr, or NULL when a table above it is missing. */
static u64 *vsvm_pt_block_entry(struct vsvm_vm *vm, unsigned long addr,
				bool create)
{
	u64 *table = page_address(vm->pt.root);
	unsigned int level;

	lockdep_assert_held(&vm->pt_lock);

	for (level = VSVM_HW_PT_LEVELS - 1; level > VSVM_PT_BLOCK_LEVEL; level--) {
		u64 *entry = &table[vsvm_pt_index(addr, level)];

		if (!(*entry & VSVM_HW_PTE_VALID)) {
			if (!create)
				return NULL;
			vsvm_pt_set(entry, vsvm_pt_new_table(&vm->pt));
		}
		table = vsvm_pt_table(*entry);
	}
	return &table[vsvm_pt_index(addr, VSVM_PT_BLOCK_LEVEL)];
}

/**
 * vsvm_pt_init() - create an empty root table
 * @vm: the address space
 *
 * Return: 0 or -ENOMEM.
 */
int vsvm_pt_init(struct vsvm_vm *vm)
{
	vm->pt.root = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return vm->pt.root ? 0 : -ENOMEM;
}

static void vsvm_pt_free_table(u64 *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; level && i < VSVM_HW_PT_ENTRIES; i++) {
		if ((table[i] & VSVM_HW_PTE_VALID) &&
		    !(table[i] & VSVM_HW_PTE_LEAF))
			vsvm_pt_free_table(vsvm_pt_table(table[i]), level - 1);
	}
	free_page((unsigned long)table);
	cond_resched();
}

/**
 * vsvm_pt_fini() - free all tables
 * @vm: the address space, which the GPU must not know any more
 */
void vsvm_pt_fini(struct vsvm_vm *vm)
{
	while (vm->pt.stashed)
		__free_page(vm->pt.stash[--vm->pt.stashed]);
	if (vm->pt.root)
		vsvm_pt_free_table(page_address(vm->pt.root),
				   VSVM_HW_PT_LEVELS - 1);
}

/**
 * vsvm_pt_lock_prepared() - take the lock of the tables, ready to map a block
 * @vm: the address space
 *
 * Return: 0 with &vsvm_vm.pt_lock held, or -ENOMEM without.
 */
int vsvm_pt_lock_prepared(struct vsvm_vm *vm)
{
	struct vsvm_pt *pt = &vm->pt;
	struct page *page;

	mutex_lock(&vm->pt_lock);
	while (pt->stashed < VSVM_PT_STASH) {
		mutex_unlock(&vm->pt_lock);
		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!page)
			return -ENOMEM;
		mutex_lock(&vm->pt_lock);
		if (pt->stashed < VSVM_PT_STASH)
			pt->stash[pt->stashed++] = page;
		else
			__free_page(page);
	}
	return 0;
}

/*
 * The entry for one result of hmm_range_fault(), 0 for none; @flags are those that do
 * not come from the result. Atomics on VRAM are always allowed.
 */
static u64 vsvm_pt_entry(struct vsvm_vram *vram, unsigned long pfn, u64 flags)
{
	struct page *page;
	u64 entry;

	if (!(pfn & HMM_PFN_VALID))
		return 0;

	page = hmm_pfn_to_page(pfn);
	entry = VSVM_HW_PTE_VALID | flags;
	if (pfn & HMM_PFN_WRITE)
		entry |= VSVM_HW_PTE_WRITE;
	if (is_device_private_page(page))
		entry = (entry & ~VSVM_HW_PTE_NO_ATOMIC) | VSVM_HW_PTE_VRAM |
			vsvm_vram_offset(vram, page);
	else
		entry |= page_to_phys(page);
	return entry;
}

/* The entry that maps the whole block, or 0 when that takes more than one. */
static u64 vsvm_pt_leaf(struct vsvm_vram *vram, unsigned long start,
			unsigned long end, const unsigned long *pfns, u64 flags)
{
	if (end - start != VSVM_BLOCK_SIZE ||
	    vsvm_snapshot_step(pfns[0]) < VSVM_BLOCK_PAGES)
		return 0;
	return vsvm_pt_entry(vram, pfns[0], flags) | VSVM_HW_PTE_LEAF;
}

static bool vsvm_pt_entry_allows(u64 entry, u32 access)
{
	u64 need = VSVM_HW_PTE_VALID;

	if (access == VSVM_ISA_ACCESS_FETCH)
		need |= VSVM_HW_PTE_EXEC;
	else if (access != VSVM_ISA_ACCESS_READ)
		need |= VSVM_HW_PTE_WRITE;
	if (access == VSVM_ISA_ACCESS_ATOMIC && (entry & VSVM_HW_PTE_NO_ATOMIC))
		return false;
	return (entry & need) == need;
}

/* Pages that @new allows something for that @old did not. */
static unsigned int vsvm_pt_gain(u64 old, u64 new)
{
	if ((old & ~new & VSVM_HW_PTE_NO_ATOMIC) && (new & VSVM_HW_PTE_VALID))
		return 1;
	return (new & ~old & (VSVM_HW_PTE_VALID | VSVM_HW_PTE_WRITE)) ? 1 : 0;
}

static int vsvm_pt_flush(struct vsvm_vm *vm, unsigned long addr)
{
	unsigned long start = ALIGN_DOWN(addr, VSVM_BLOCK_SIZE);

	return vsvm_hw_tlb_invalidate(vm->vdev->hw, vm->vmid, start,
				      start + VSVM_BLOCK_SIZE, true);
}

/**
 * vsvm_pt_map() - write the entries of a block
 * @vm: the address space, locked by vsvm_pt_lock_prepared()
 * @start: start of the range, which is in one block
 * @end: end of the range
 * @pfns: result of vsvm_range_snapshot() for it
 * @flags: %VSVM_HW_PTE_EXEC and %VSVM_HW_PTE_NO_ATOMIC as they apply; the latter to
 *	system memory only
 * @flush: the TLBs must be invalidated in any case
 *
 * Pages without a result keep the entry that they have.
 *
 * Return: bytes that can be accessed now in a way in which they could not.
 */
u64 vsvm_pt_map(struct vsvm_vm *vm, unsigned long start, unsigned long end,
		const unsigned long *pfns, u64 flags, bool flush)
{
	struct vsvm_vram *vram = &vm->vdev->vram;
	u64 *block = vsvm_pt_block_entry(vm, start, true);
	u64 leaf = vsvm_pt_leaf(vram, start, end, pfns, flags);
	u64 old = *block, pages = 0;
	unsigned int i;
	u64 *table;

	if (leaf) {
		struct page *unlinked = NULL;

		if (old == leaf)
			goto out;
		if ((old & VSVM_HW_PTE_VALID) && !(old & VSVM_HW_PTE_LEAF)) {
			table = vsvm_pt_table(old);
			unlinked = virt_to_page(table);
			for (i = 0; i < VSVM_HW_PT_ENTRIES; i++)
				pages += vsvm_pt_gain(table[i], leaf);
		} else {
			pages = vsvm_pt_gain(old, leaf) * VSVM_BLOCK_PAGES;
		}
		vsvm_pt_set(block, leaf);
		if (old)
			flush = true;
		if (flush)
			vsvm_pt_flush(vm, start);
		if (unlinked)
			__free_page(unlinked);
		return pages << PAGE_SHIFT;
	}

	if (old & VSVM_HW_PTE_LEAF) {
		/* The GPU must not see both at once. */
		vsvm_pt_set(block, 0);
		flush = true;
		old = 0;
	}
	if (!old)
		vsvm_pt_set(block, vsvm_pt_new_table(&vm->pt));

	table = vsvm_pt_table(*block) + vsvm_pt_index(start, 0);
	for (i = 0; i < (end - start) >> PAGE_SHIFT; i++) {
		u64 new = vsvm_pt_entry(vram, pfns[i], flags);

		old = table[i];
		if (!new || new == old)
			continue;
		pages += vsvm_pt_gain(old, new);
		if (old)
			flush = true;
		vsvm_pt_set(&table[i], new);
	}
out:
	if (flush)
		vsvm_pt_flush(vm, start);
	return pages << PAGE_SHIFT;
}

/**
 * vsvm_pt_clear() - remove the entries of a range
 * @vm: the address space
 * @start: start of the range, which is in one block
 * @end: end of the range
 *
 * A leaf of 2 MiB goes as a whole. The caller invalidates the TLBs, of the whole
 * block.
 *
 * Return: true when there were valid entries.
 */
bool vsvm_pt_clear(struct vsvm_vm *vm, unsigned long start, unsigned long end)
{
	u64 *block = vsvm_pt_block_entry(vm, start, false);
	bool valid = false;
	unsigned int i;
	u64 *table;

	if (!block || !*block)
		return false;

	if (*block & VSVM_HW_PTE_LEAF) {
		vsvm_pt_set(block, 0);
		return true;
	}

	table = vsvm_pt_table(*block) + vsvm_pt_index(start, 0);
	for (i = 0; i < (end - start) >> PAGE_SHIFT; i++) {
		if (!table[i])
			continue;
		vsvm_pt_set(&table[i], 0);
		valid = true;
	}
	return valid;
}

/**
 * vsvm_pt_allows() - whether an access is possible already
 * @vm: the address space
 * @addr: address
 * @access: enum vsvm_isa_access
 *
 * Return: true when it is.
 */
bool vsvm_pt_allows(struct vsvm_vm *vm, unsigned long addr, u32 access)
{
	bool allows = false;
	u64 *block;

	mutex_lock(&vm->pt_lock);
	block = vsvm_pt_block_entry(vm, addr, false);
	if (block && (*block & VSVM_HW_PTE_LEAF))
		allows = vsvm_pt_entry_allows(*block, access);
	else if (block && *block)
		allows = vsvm_pt_entry_allows(vsvm_pt_table(*block)[vsvm_pt_index(addr, 0)],
					      access);
	mutex_unlock(&vm->pt_lock);
	return allows;
}

static bool vsvm_pt_entry_is_system(u64 entry)
{
	return (entry & VSVM_HW_PTE_VALID) && !(entry & VSVM_HW_PTE_VRAM);
}

/**
 * vsvm_pt_find_system() - find what is entered as system memory
 * @vm: the address space
 * @start: in: start of the range, which is in one block; out: start of the first pages
 *	that are, or @end if there are none
 * @end: end of the range
 *
 * Return: the end of these pages.
 */
unsigned long vsvm_pt_find_system(struct vsvm_vm *vm, unsigned long *start,
				  unsigned long end)
{
	unsigned long addr = *start;
	u64 *block, *table;

	mutex_lock(&vm->pt_lock);
	block = vsvm_pt_block_entry(vm, addr, false);
	if (!block || !*block) {
		*start = end;
	} else if (*block & VSVM_HW_PTE_LEAF) {
		if (!vsvm_pt_entry_is_system(*block))
			*start = end;
	} else {
		table = vsvm_pt_table(*block);
		while (addr < end &&
		       !vsvm_pt_entry_is_system(table[vsvm_pt_index(addr, 0)]))
			addr += PAGE_SIZE;
		*start = addr;
		while (addr < end &&
		       vsvm_pt_entry_is_system(table[vsvm_pt_index(addr, 0)]))
			addr += PAGE_SIZE;
		end = addr;
	}
	mutex_unlock(&vm->pt_lock);
	return end;
}

static void vsvm_pt_count_entry(struct vsvm_pt_usage *usage, u64 entry,
				unsigned int pages)
{
	if (!(entry & VSVM_HW_PTE_VALID))
		return;
	if (entry & VSVM_HW_PTE_VRAM)
		usage->vram += pages;
	else
		usage->system += pages;
	if (entry & VSVM_HW_PTE_WRITE)
		usage->writable += pages;
}

/**
 * vsvm_pt_count() - count the entries of a block
 * @vm: the address space
 * @addr: an address in the block
 * @usage: filled in
 */
void vsvm_pt_count(struct vsvm_vm *vm, unsigned long addr,
		   struct vsvm_pt_usage *usage)
{
	unsigned int i;
	u64 *block;

	*usage = (struct vsvm_pt_usage) {};

	mutex_lock(&vm->pt_lock);
	block = vsvm_pt_block_entry(vm, addr, false);
	if (block && (*block & VSVM_HW_PTE_LEAF)) {
		usage->leaf = true;
		vsvm_pt_count_entry(usage, *block, VSVM_BLOCK_PAGES);
	} else if (block && *block) {
		for (i = 0; i < VSVM_HW_PT_ENTRIES; i++)
			vsvm_pt_count_entry(usage, vsvm_pt_table(*block)[i], 1);
	}
	mutex_unlock(&vm->pt_lock);
}
