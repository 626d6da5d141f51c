/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_VRAM_H_
#define _VSVM_VRAM_H_

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct drm_printer;
struct vsvm_block;
struct vsvm_device;

/**
 * struct vsvm_owner - whom VRAM is accounted to
 * @refs: one of the client, one of each folio
 * @pages: pages of VRAM that the client's migrations have taken
 *
 * Outlives the client: a child may still hold folios after fork().
 */
struct vsvm_owner {
	refcount_t refs;
	atomic64_t pages;
};

/**
 * struct vsvm_vram - memory of the GPU
 * @pgmap: its struct pages
 * @first_pfn: the page at offset 0
 * @size: bytes
 * @blocks: state of each block of 2 MiB
 * @num_blocks: how many
 * @lock: protects the state of blocks and all below. Taken in folio_free, so
 *	with interrupts off
 * @free: blocks with no page in use, last used first
 * @partial: blocks with some pages in use
 * @full: blocks with all pages in use
 * @lru: blocks with pages in use, longest unused first, but those being evicted
 * @uses: how often blocks have been used, see &vsvm_block.last_use
 * @free_pages: pages not in use
 * @discarding: blocks that are being discarded: free, but on no list
 * @closed: nothing may be allocated any more
 * @discard_wq: woken when @discarding drops to 0
 * @discard_work: gives the backing memory of free blocks back
 */
struct vsvm_vram {
	struct dev_pagemap pgmap;
	unsigned long first_pfn;
	u64 size;
	struct vsvm_block *blocks;
	unsigned long num_blocks;

	spinlock_t lock;		/* for blocks and all below */
	struct list_head free;
	struct list_head partial;
	struct list_head full;
	struct list_head lru;
	u64 uses;
	unsigned long free_pages;
	unsigned int discarding;
	bool closed;
	wait_queue_head_t discard_wq;
	struct delayed_work discard_work;
};

int vsvm_vram_init(struct vsvm_device *vdev);
void vsvm_vram_close(struct vsvm_vram *vram);

struct vsvm_owner *vsvm_owner_create(void);
void vsvm_owner_put(struct vsvm_owner *owner);

unsigned long vsvm_vram_alloc(struct vsvm_vram *vram, unsigned long want,
			      unsigned long *pfn);
bool vsvm_vram_alloc_aligned(struct vsvm_vram *vram, unsigned int order,
			     unsigned long *pfn);
void vsvm_vram_release(struct vsvm_vram *vram, unsigned long pfn,
		       unsigned long count);
struct folio *vsvm_vram_folio(struct vsvm_vram *vram, unsigned long pfn,
			      unsigned int order, struct vsvm_owner *owner);

unsigned long vsvm_vram_free_pages(struct vsvm_vram *vram);
bool vsvm_vram_has_room(struct vsvm_vram *vram, unsigned long pages, bool whole);
unsigned int vsvm_vram_free_blocks(struct vsvm_vram *vram, unsigned int max);
u64 vsvm_vram_uses(struct vsvm_vram *vram);
void vsvm_vram_use(struct vsvm_vram *vram, unsigned long block);
bool vsvm_vram_evict_begin(struct vsvm_vram *vram, u64 until,
			   unsigned long *block);
bool vsvm_vram_evict_end(struct vsvm_vram *vram, unsigned long block);
bool vsvm_vram_block_used(struct vsvm_vram *vram, unsigned long block);
void vsvm_vram_print(struct vsvm_vram *vram, struct drm_printer *p);

static inline struct vsvm_vram *vsvm_vram_of(const struct page *page)
{
	return container_of(page_pgmap(page), struct vsvm_vram, pgmap);
}

/* Offset in VRAM of a page of VRAM. */
static inline u64 vsvm_vram_offset(const struct vsvm_vram *vram,
				   const struct page *page)
{
	return (u64)(page_to_pfn(page) - vram->first_pfn) << PAGE_SHIFT;
}

#endif /* _VSVM_VRAM_H_ */
