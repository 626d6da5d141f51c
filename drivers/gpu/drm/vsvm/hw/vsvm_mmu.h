/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_MMU_H_
#define _VSVM_MMU_H_

#include <drm/vsvm_isa.h>

#include "vsvm_counter.h"
#include "vsvm_hw_os.h"

struct vsvm_vmem;

#define VSVM_PAGE_SIZE		BIT_ULL(VSVM_HW_PAGE_SHIFT)
#define VSVM_PAGE_MASK		(~(VSVM_PAGE_SIZE - 1))
#define VSVM_HUGE_SIZE		BIT_ULL(VSVM_HW_HUGE_SHIFT)
#define VSVM_HUGE_MASK		(~(VSVM_HUGE_SIZE - 1))
#define VSVM_VA_END		BIT_ULL(VSVM_ISA_VA_BITS)

/* Most local memory of a work-group */
#define VSVM_MAX_LOCAL		(16 * VSVM_PAGE_SIZE)

#define VSVM_TLB_PAGE_BITS	8
#define VSVM_TLB_PAGES		BIT(VSVM_TLB_PAGE_BITS)
#define VSVM_TLB_HUGE		64

/*
 * A tag is the address of the page with the vmid in bits 11:3. Bits 2:0 are zero
 * in the tag, so that a lookup which keeps the low bits of a misaligned address
 * misses. An empty entry has the tag of a vmid that does not exist: any other
 * value is what some lookup of some address may ask for.
 */
#define VSVM_TLB_VMID_SHIFT	3
#define VSVM_MAX_VMS		511
#define VSVM_TLB_EMPTY		((u64)VSVM_MAX_VMS << VSVM_TLB_VMID_SHIFT)

/* In the uses of an entry: it leads to system memory, what is allowed or not */
#define VSVM_TLB_SYSTEM		BIT_ULL(63)
#define VSVM_TLB_EXEC		BIT_ULL(62)
#define VSVM_TLB_NO_ATOMIC	BIT_ULL(61)
#define VSVM_TLB_FLAGS		(VSVM_TLB_SYSTEM | VSVM_TLB_EXEC | \
				 VSVM_TLB_NO_ATOMIC)

/**
 * struct vsvm_tlb_page - translation of 4 KiB
 * @read: tag for loads, and for fetches where allowed
 * @write: tag for stores and atomics, %VSVM_TLB_EMPTY where not allowed
 * @offset: what to add to an address to get the host's pointer
 * @uses: translations served, and %VSVM_TLB_FLAGS; see vsvm_mmu_collect()
 */
struct vsvm_tlb_page {
	u64 read;
	u64 write;
	unsigned long offset;
	u64 uses;
};

/**
 * struct vsvm_tlb_huge - translation of 2 MiB
 * @read: tag for loads, and for fetches where allowed
 * @write: tag for stores and atomics, %VSVM_TLB_EMPTY where not allowed
 * @offset: what to add to an address to get the host's pointer
 * @flags: of %VSVM_TLB_FLAGS
 */
struct vsvm_tlb_huge {
	u64 read;
	u64 write;
	unsigned long offset;
	u64 flags;
};

/**
 * struct vsvm_mmu - the MMU of a compute unit
 * @page: first level TLB, direct mapped; a lookup is inlined in the interpreter
 * @huge: second level TLB for leaves of 2 MiB, direct mapped; refills @page
 * @regions: what they may have translations of: a bit for all regions of 2 MiB
 *	whose numbers are the same modulo 64, in any address space
 * @tag: vmid of the current address space, shifted to its place in a tag
 * @root: bus address of the current root page table
 * @local: local memory of the current work-group
 * @local_size: its bytes, a multiple of 4 KiB
 * @hits: translations served by @page or @huge, as of vsvm_mmu_collect()
 * @misses: translations that walked the tables
 * @host: callbacks
 * @priv: for @host
 * @vmem: VRAM
 * @counters: accesses to system memory, likewise
 */
struct vsvm_mmu {
	struct vsvm_tlb_page page[VSVM_TLB_PAGES];
	struct vsvm_tlb_huge huge[VSVM_TLB_HUGE];
	u64 regions;
	u64 tag;
	u64 root;
	u8 *local;
	u32 local_size;
	u64 hits;
	u64 misses;
	const struct vsvm_hw_host *host;
	void *priv;
	struct vsvm_vmem *vmem;
	struct vsvm_counters counters;
};

/**
 * enum vsvm_xlat - outcome of a translation
 * @VSVM_XLAT_OK: done
 * @VSVM_XLAT_MISS: there is no such translation, the driver may provide it
 * @VSVM_XLAT_BAD: there can never be one
 */
enum vsvm_xlat {
	VSVM_XLAT_OK,
	VSVM_XLAT_MISS,
	VSVM_XLAT_BAD,
};

/**
 * vsvm_mmu_entry() - first level TLB entry that is responsible for an address
 * @mmu: the MMU
 * @va: virtual address
 *
 * Buffers that are aligned to 2 MiB and used side by side are the usual case here,
 * so low bits alone would make them share entries all the time; this spreads any
 * regular pattern of pages.
 *
 * Return: the entry, which may hold another translation.
 */
static __always_inline struct vsvm_tlb_page *
vsvm_mmu_entry(struct vsvm_mmu *mmu, u64 va)
{
	u32 hash = (u32)(va >> VSVM_HW_PAGE_SHIFT) * 0x9e3779b1U;

	return &mmu->page[hash >> (32 - VSVM_TLB_PAGE_BITS)];
}

/**
 * vsvm_mmu_tag() - the tag that serves a naturally aligned access
 * @mmu: the MMU
 * @va: virtual address
 * @size: bytes, a power of two up to 8
 *
 * Return: the tag, or for a misaligned access a value that no entry has.
 */
static __always_inline u64 vsvm_mmu_tag(const struct vsvm_mmu *mmu, u64 va,
					u32 size)
{
	return (va & (VSVM_PAGE_MASK | (size - 1))) | mmu->tag;
}

void vsvm_mmu_init(struct vsvm_mmu *mmu, const struct vsvm_hw_host *host,
		   void *priv, struct vsvm_vmem *vmem);
void vsvm_mmu_select(struct vsvm_mmu *mmu, u32 vmid, u64 root);
void vsvm_mmu_select_local(struct vsvm_mmu *mmu, u8 *local, u32 size);
enum vsvm_xlat vsvm_mmu_translate(struct vsvm_mmu *mmu, u64 va, u32 access,
				  void **host);
void vsvm_mmu_collect(struct vsvm_mmu *mmu);
void vsvm_mmu_flush(struct vsvm_mmu *mmu, u32 vmid, u64 start, u64 end);

#endif /* _VSVM_MMU_H_ */
