// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: VRAM
 *
 * VRAM takes host memory in blocks of 2 MiB, each when the copy engine first
 * writes to it, and gives a block back when the driver discards all of it. The
 * reference count of a block lets a copy go on while the block is discarded; a
 * compute unit needs none, because it gets at a block only by a translation, and
 * the driver invalidates those before it discards.
 */

#include "vsvm_copy.h"
#include "vsvm_vmem.h"

int vsvm_vmem_init(struct vsvm_vmem *vmem, u64 size)
{
	spin_lock_init(&vmem->lock);
	vmem->count = size / VSVM_BLOCK_SIZE;
	vmem->block = kvcalloc(vmem->count, sizeof(*vmem->block), GFP_KERNEL);
	return vmem->block ? 0 : -ENOMEM;
}

void vsvm_vmem_fini(struct vsvm_vmem *vmem)
{
	vsvm_vmem_discard(vmem, 0, vmem->count * VSVM_BLOCK_SIZE);
	kvfree(vmem->block);
}

/**
 * vsvm_vmem_contains() - check a range
 * @vmem: VRAM
 * @offset: first byte
 * @size: bytes
 *
 * Return: true when all of the range is VRAM.
 */
bool vsvm_vmem_contains(const struct vsvm_vmem *vmem, u64 offset, u64 size)
{
	u64 end = vmem->count * VSVM_BLOCK_SIZE;

	return offset <= end && size <= end - offset;
}

/**
 * vsvm_vmem_get() - get the backing memory of an address
 * @vmem: VRAM
 * @offset: address in VRAM
 *
 * Return: the block with a reference, or NULL when there is none.
 */
struct vsvm_block *vsvm_vmem_get(struct vsvm_vmem *vmem, u64 offset)
{
	struct vsvm_block *block;

	spin_lock(&vmem->lock);
	block = vmem->block[offset / VSVM_BLOCK_SIZE];
	if (block)
		refcount_inc(&block->refs);
	spin_unlock(&vmem->lock);
	return block;
}

static struct vsvm_block *vsvm_block_alloc(bool zero)
{
	struct vsvm_block *block = kzalloc(sizeof(*block), GFP_KERNEL);

	if (!block)
		return NULL;
	block->mem = vsvm_os_block_alloc();
	if (!block->mem) {
		kfree(block);
		return NULL;
	}
	refcount_set(&block->refs, 1);
	if (zero)
		vsvm_zero_words(block->mem, VSVM_BLOCK_SIZE);
	return block;
}

/**
 * vsvm_vmem_get_new() - get the backing memory of an address, which may be new
 * @vmem: VRAM
 * @offset: address in VRAM
 * @zero: clear new memory; false only if the caller writes all of it
 *
 * Context: May sleep.
 * Return: the block with a reference, or NULL when there is no memory.
 */
struct vsvm_block *vsvm_vmem_get_new(struct vsvm_vmem *vmem, u64 offset,
				     bool zero)
{
	struct vsvm_block **slot = &vmem->block[offset / VSVM_BLOCK_SIZE];
	struct vsvm_block *block = vsvm_vmem_get(vmem, offset);
	struct vsvm_block *spare;

	if (block)
		return block;

	spare = vsvm_block_alloc(zero);
	if (!spare)
		return NULL;

	spin_lock(&vmem->lock);
	block = *slot;
	if (!block) {
		*slot = spare;
		vmem->used++;
		block = spare;
		spare = NULL;
	}
	refcount_inc(&block->refs);
	spin_unlock(&vmem->lock);

	if (spare)
		vsvm_vmem_put(spare);
	return block;
}

/**
 * vsvm_vmem_put() - drop a reference to a block
 * @block: the block
 *
 * Context: May sleep.
 */
void vsvm_vmem_put(struct vsvm_block *block)
{
	might_sleep();
	if (refcount_dec_and_test(&block->refs)) {
		vsvm_os_block_free(block->mem);
		kfree(block);
	}
}

/**
 * vsvm_vmem_pointer() - the host's pointer to an address in VRAM
 * @vmem: VRAM
 * @offset: address in VRAM
 *
 * Return: the pointer, usable to the end of the 2 MiB block for as long as the
 * block is not discarded; NULL outside VRAM and where nothing was ever written.
 */
void *vsvm_vmem_pointer(struct vsvm_vmem *vmem, u64 offset)
{
	struct vsvm_block *block;
	u8 *mem = NULL;

	if (!vsvm_vmem_contains(vmem, offset, 1))
		return NULL;
	spin_lock(&vmem->lock);
	block = vmem->block[offset / VSVM_BLOCK_SIZE];
	if (block)
		mem = (u8 *)block->mem + offset % VSVM_BLOCK_SIZE;
	spin_unlock(&vmem->lock);
	return mem;
}

/**
 * vsvm_vmem_discard() - free the blocks that lie in a range
 * @vmem: VRAM
 * @offset: first byte
 * @size: bytes
 *
 * Context: May sleep.
 */
void vsvm_vmem_discard(struct vsvm_vmem *vmem, u64 offset, u64 size)
{
	u64 i = (offset + VSVM_BLOCK_SIZE - 1) / VSVM_BLOCK_SIZE;
	u64 end = (offset + size) / VSVM_BLOCK_SIZE;

	for (; i < end; i++) {
		struct vsvm_block *block;

		spin_lock(&vmem->lock);
		block = vmem->block[i];
		if (block) {
			vmem->block[i] = NULL;
			vmem->used--;
		}
		spin_unlock(&vmem->lock);
		if (block)
			vsvm_vmem_put(block);
	}
}

u64 vsvm_vmem_used(struct vsvm_vmem *vmem)
{
	u64 used;

	spin_lock(&vmem->lock);
	used = vmem->used;
	spin_unlock(&vmem->lock);
	return used;
}
