// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: MMU of a compute unit
 *
 * Two levels of TLB, both direct mapped and tagged with the vmid. The first
 * level holds pages of 4 KiB; the interpreter looks it up inline. The second
 * level holds leaves of 2 MiB; a hit there refills the first level and needs no
 * walk, so that a 2 MiB leaf is walked once however many of its pages are used.
 * There is no cache of page directories, and a translation that is not there is
 * never remembered.
 *
 * Local memory is a window of addresses that is not looked up in the tables. The
 * first level TLB holds its pages like any other; they go when another work-group
 * has its turn, see vsvm_mmu_select_local().
 *
 * An MMU belongs to its compute unit, which uses it under the slice lock, see
 * vsvm_cu.c.
 */

#include "vsvm_mmu.h"
#include "vsvm_vmem.h"

void vsvm_mmu_init(struct vsvm_mmu *mmu, const struct vsvm_hw_host *host,
		   void *priv, struct vsvm_vmem *vmem)
{
	u32 i;

	mmu->host = host;
	mmu->priv = priv;
	mmu->vmem = vmem;
	mmu->regions = 0;
	for (i = 0; i < VSVM_TLB_PAGES; i++) {
		mmu->page[i].read = VSVM_TLB_EMPTY;
		mmu->page[i].write = VSVM_TLB_EMPTY;
	}
	for (i = 0; i < VSVM_TLB_HUGE; i++) {
		mmu->huge[i].read = VSVM_TLB_EMPTY;
		mmu->huge[i].write = VSVM_TLB_EMPTY;
	}
}

/**
 * vsvm_mmu_select() - make an address space the current one
 * @mmu: the MMU
 * @vmid: its id
 * @root: bus address of its root page table
 */
void vsvm_mmu_select(struct vsvm_mmu *mmu, u32 vmid, u64 root)
{
	mmu->tag = (u64)vmid << VSVM_TLB_VMID_SHIFT;
	mmu->root = root;
}

/* The bit of &vsvm_mmu.regions that an address has */
static u64 vsvm_mmu_region(u64 va)
{
	return BIT_ULL((va >> VSVM_HW_HUGE_SHIFT) % 64);
}

/* The bits that a range has */
static u64 vsvm_mmu_regions(u64 start, u64 end)
{
	u64 first = start >> VSVM_HW_HUGE_SHIFT;
	u64 more = ((end - 1) >> VSVM_HW_HUGE_SHIFT) - first;

	return more < 63 ? rol64((2ULL << more) - 1, first % 64) : ~0ULL;
}

static struct vsvm_tlb_huge *vsvm_mmu_huge(struct vsvm_mmu *mmu, u64 va)
{
	return &mmu->huge[(va >> VSVM_HW_HUGE_SHIFT) % VSVM_TLB_HUGE];
}

/* Take what an entry has counted */
static void vsvm_mmu_collect_page(struct vsvm_mmu *mmu,
				  struct vsvm_tlb_page *page)
{
	u64 uses = page->uses & ~VSVM_TLB_FLAGS;

	if (!uses)
		return;
	mmu->hits += uses;
	if (page->uses & VSVM_TLB_SYSTEM)
		vsvm_counter_add(&mmu->counters,
				 (page->read & ~VSVM_PAGE_MASK) >> VSVM_TLB_VMID_SHIFT,
				 page->read, uses);
	page->uses &= VSVM_TLB_FLAGS;
}

/**
 * vsvm_mmu_select_local() - make the local memory of a work-group the current one
 * @mmu: the MMU
 * @local: the memory
 * @size: its bytes, a multiple of 4 KiB; 0 for none
 *
 * To be called after vsvm_mmu_select().
 */
void vsvm_mmu_select_local(struct vsvm_mmu *mmu, u8 *local, u32 size)
{
	u64 va = VSVM_ISA_LOCAL_BASE;

	if (mmu->local == local && mmu->local_size == size)
		return;
	/* Any vmid: what is left of that of the previous one must go. */
	for (; va < VSVM_ISA_LOCAL_BASE + mmu->local_size; va += VSVM_PAGE_SIZE) {
		struct vsvm_tlb_page *page = vsvm_mmu_entry(mmu, va);

		if ((page->read & VSVM_PAGE_MASK) != va)
			continue;
		vsvm_mmu_collect_page(mmu, page);
		page->read = VSVM_TLB_EMPTY;
		page->write = VSVM_TLB_EMPTY;
	}
	mmu->local = local;
	mmu->local_size = size;
}

/**
 * vsvm_mmu_collect() - bring the counters up to date
 * @mmu: the MMU
 */
void vsvm_mmu_collect(struct vsvm_mmu *mmu)
{
	u32 i;

	for (i = 0; i < VSVM_TLB_PAGES; i++)
		vsvm_mmu_collect_page(mmu, &mmu->page[i]);
}

static struct vsvm_tlb_page *vsvm_mmu_fill_page(struct vsvm_mmu *mmu, u64 va,
						unsigned long offset,
						bool write, u64 flags)
{
	struct vsvm_tlb_page *page = vsvm_mmu_entry(mmu, va);

	vsvm_mmu_collect_page(mmu, page);
	page->read = (va & VSVM_PAGE_MASK) | mmu->tag;
	page->write = write ? page->read : VSVM_TLB_EMPTY;
	page->offset = offset;
	page->uses = flags;
	mmu->regions |= vsvm_mmu_region(va);
	return page;
}

/**
 * vsvm_mmu_leaf() - find the memory behind a leaf
 * @mmu: the MMU
 * @pte: the leaf
 * @size: bytes that it maps
 *
 * Return: the host's pointer, or NULL when the driver has mapped what does not
 * exist: beyond VRAM, VRAM without contents, a misaligned 2 MiB leaf.
 */
static void *vsvm_mmu_leaf(struct vsvm_mmu *mmu, u64 pte, u64 size)
{
	u64 addr = pte & VSVM_HW_PTE_ADDR;

	if (!IS_ALIGNED(addr, size))
		return NULL;
	if (pte & VSVM_HW_PTE_VRAM)
		return vsvm_vmem_pointer(mmu->vmem, addr);
	return mmu->host->sysmem(mmu->priv, addr);
}

static bool vsvm_mmu_allowed(u64 pte, u32 access)
{
	switch (access) {
	case VSVM_ISA_ACCESS_READ:
		return true;
	case VSVM_ISA_ACCESS_FETCH:
		return pte & VSVM_HW_PTE_EXEC;
	case VSVM_ISA_ACCESS_ATOMIC:
		return (pte & VSVM_HW_PTE_WRITE) &&
		       !(pte & VSVM_HW_PTE_NO_ATOMIC);
	default:
		return pte & VSVM_HW_PTE_WRITE;
	}
}

static enum vsvm_xlat vsvm_mmu_walk(struct vsvm_mmu *mmu, u64 va, u32 access,
				    void **host)
{
	u64 table = mmu->root;
	u32 level = VSVM_HW_PT_LEVELS - 1;
	u32 shift = VSVM_HW_PAGE_SHIFT + 9 * level;
	u64 pte, size, flags = 0;
	u8 *mem;

	for (;; level--, shift -= 9) {
		const u64 *entries = mmu->host->sysmem(mmu->priv, table);

		if (!entries)
			return VSVM_XLAT_BAD;
		pte = READ_ONCE(entries[(va >> shift) % VSVM_HW_PT_ENTRIES]);
		if (!(pte & VSVM_HW_PTE_VALID))
			return VSVM_XLAT_MISS;
		if (!level || (level == 1 && (pte & VSVM_HW_PTE_LEAF)))
			break;
		if (pte & (VSVM_HW_PTE_LEAF | VSVM_HW_PTE_VRAM))
			return VSVM_XLAT_BAD;
		table = pte & VSVM_HW_PTE_ADDR;
	}
	if (!vsvm_mmu_allowed(pte, access))
		return VSVM_XLAT_MISS;

	size = 1ULL << shift;
	mem = vsvm_mmu_leaf(mmu, pte, size);
	if (!mem)
		return VSVM_XLAT_BAD;

	if (!(pte & VSVM_HW_PTE_VRAM))
		flags |= VSVM_TLB_SYSTEM;
	if (pte & VSVM_HW_PTE_EXEC)
		flags |= VSVM_TLB_EXEC;
	if (pte & VSVM_HW_PTE_NO_ATOMIC)
		flags |= VSVM_TLB_NO_ATOMIC;
	*host = mem + (va & (size - 1));
	if (level) {
		struct vsvm_tlb_huge *huge = vsvm_mmu_huge(mmu, va);

		huge->read = (va & VSVM_HUGE_MASK) | mmu->tag;
		huge->write = pte & VSVM_HW_PTE_WRITE ? huge->read :
							VSVM_TLB_EMPTY;
		huge->offset = (unsigned long)*host - va;
		huge->flags = flags;
	}
	vsvm_mmu_fill_page(mmu, va, (unsigned long)*host - va,
			   pte & VSVM_HW_PTE_WRITE, flags);
	if (flags & VSVM_TLB_SYSTEM)
		vsvm_counter_add(&mmu->counters,
				 mmu->tag >> VSVM_TLB_VMID_SHIFT, va, 1);
	return VSVM_XLAT_OK;
}

/**
 * vsvm_mmu_translate() - translate an address
 * @mmu: the MMU
 * @va: virtual address, of any alignment
 * @access: enum vsvm_isa_access
 * @host: set to the pointer to the byte at @va, valid to the end of its 4 KiB
 *	page and until the slice lock is released
 *
 * Return: how it went.
 */
enum vsvm_xlat vsvm_mmu_translate(struct vsvm_mmu *mmu, u64 va, u32 access,
				  void **host)
{
	bool write = access == VSVM_ISA_ACCESS_WRITE ||
		     access == VSVM_ISA_ACCESS_ATOMIC;
	u64 need = access == VSVM_ISA_ACCESS_FETCH ? VSVM_TLB_EXEC : 0;
	u64 mask = need;
	struct vsvm_tlb_page *page;
	struct vsvm_tlb_huge *huge;
	u64 tag;

	if (va >= VSVM_VA_END)
		return VSVM_XLAT_BAD;
	if (access == VSVM_ISA_ACCESS_ATOMIC)
		mask |= VSVM_TLB_NO_ATOMIC;

	page = vsvm_mmu_entry(mmu, va);
	tag = (va & VSVM_PAGE_MASK) | mmu->tag;
	if ((write ? page->write : page->read) == tag &&
	    (page->uses & mask) == need) {
		page->uses++;
		*host = (void *)(va + page->offset);
		return VSVM_XLAT_OK;
	}

	if (va - VSVM_ISA_LOCAL_BASE < mmu->local_size) {
		*host = mmu->local + (va - VSVM_ISA_LOCAL_BASE);
		page = vsvm_mmu_fill_page(mmu, va, (unsigned long)*host - va,
					  true, VSVM_TLB_EXEC);
		page->uses++;
		return VSVM_XLAT_OK;
	}

	huge = vsvm_mmu_huge(mmu, va);
	tag = (va & VSVM_HUGE_MASK) | mmu->tag;
	if ((write ? huge->write : huge->read) == tag &&
	    (huge->flags & mask) == need) {
		*host = (void *)(va + huge->offset);
		page = vsvm_mmu_fill_page(mmu, va, huge->offset,
					  huge->write == tag, huge->flags);
		page->uses++;
		return VSVM_XLAT_OK;
	}

	mmu->misses++;
	return vsvm_mmu_walk(mmu, va, access, host);
}

static bool vsvm_mmu_in_range(u64 tag, u64 size, u64 vmid_tag, u64 start,
			      u64 end)
{
	u64 va = tag & ~(size - 1);

	return (tag & (size - 1)) == vmid_tag && va < end && va + size > start;
}

/**
 * vsvm_mmu_flush() - forget translations
 * @mmu: the MMU
 * @vmid: address space
 * @start: first byte
 * @end: first byte after the range
 *
 * Where nothing is used, it takes no more than a look at &vsvm_mmu.regions.
 */
void vsvm_mmu_flush(struct vsvm_mmu *mmu, u32 vmid, u64 start, u64 end)
{
	u64 vmid_tag = (u64)vmid << VSVM_TLB_VMID_SHIFT;
	u32 i;

	if (!(mmu->regions & vsvm_mmu_regions(start, end)))
		return;

	mmu->regions = 0;
	for (i = 0; i < VSVM_TLB_PAGES; i++) {
		struct vsvm_tlb_page *page = &mmu->page[i];

		if (vsvm_mmu_in_range(page->read, VSVM_PAGE_SIZE, vmid_tag,
				      start, end)) {
			vsvm_mmu_collect_page(mmu, page);
			page->read = VSVM_TLB_EMPTY;
			page->write = VSVM_TLB_EMPTY;
		} else if (page->read != VSVM_TLB_EMPTY) {
			mmu->regions |= vsvm_mmu_region(page->read);
		}
	}
	for (i = 0; i < VSVM_TLB_HUGE; i++) {
		struct vsvm_tlb_huge *huge = &mmu->huge[i];

		if (vsvm_mmu_in_range(huge->read, VSVM_HUGE_SIZE, vmid_tag,
				      start, end)) {
			huge->read = VSVM_TLB_EMPTY;
			huge->write = VSVM_TLB_EMPTY;
		} else if (huge->read != VSVM_TLB_EMPTY) {
			mmu->regions |= vsvm_mmu_region(huge->read);
		}
	}
}
