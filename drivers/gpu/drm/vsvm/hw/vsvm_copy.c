// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Copy engine
 *
 * Physical copies and fills, in the context of the caller. A descriptor is cut
 * where it crosses a block of VRAM. VRAM that was never written reads as zero.
 *
 * Memory is moved through registers, eight words at a time and four times in a
 * round of the loop. String instructions would be as fast on hardware, but where an
 * emulator runs the kernel they are several times slower, and vector registers take
 * twice as long; that is where this model lives.
 */

#include "vsvm_copy.h"
#include "vsvm_device.h"

/* Eight words, all of them read before the first is written */
static __always_inline void vsvm_copy_line(u64 *d, const u64 *s)
{
	u64 w0 = READ_ONCE(s[0]), w1 = READ_ONCE(s[1]);
	u64 w2 = READ_ONCE(s[2]), w3 = READ_ONCE(s[3]);
	u64 w4 = READ_ONCE(s[4]), w5 = READ_ONCE(s[5]);
	u64 w6 = READ_ONCE(s[6]), w7 = READ_ONCE(s[7]);

	WRITE_ONCE(d[0], w0);
	WRITE_ONCE(d[1], w1);
	WRITE_ONCE(d[2], w2);
	WRITE_ONCE(d[3], w3);
	WRITE_ONCE(d[4], w4);
	WRITE_ONCE(d[5], w5);
	WRITE_ONCE(d[6], w6);
	WRITE_ONCE(d[7], w7);
}

/**
 * vsvm_copy_words() - copy memory
 * @dst: destination, aligned to 8 bytes
 * @src: source, aligned to 8 bytes
 * @size: bytes, a multiple of 8
 */
void vsvm_copy_words(void *dst, const void *src, size_t size)
{
	const u64 *s = src;
	u64 *d = dst;

	vsvm_os_check_read(src, size);
	vsvm_os_check_write(dst, size);
	for (; size >= 256; size -= 256, s += 32, d += 32) {
		vsvm_copy_line(d, s);
		vsvm_copy_line(d + 8, s + 8);
		vsvm_copy_line(d + 16, s + 16);
		vsvm_copy_line(d + 24, s + 24);
	}
	for (; size; size -= 8)
		WRITE_ONCE(*d++, READ_ONCE(*s++));
}

/**
 * vsvm_zero_words() - clear memory
 * @dst: destination, aligned to 8 bytes
 * @size: bytes, a multiple of 8
 */
void vsvm_zero_words(void *dst, size_t size)
{
	u64 *d = dst;

	vsvm_os_check_write(dst, size);
	for (; size >= 64; size -= 64, d += 8) {
		WRITE_ONCE(d[0], 0);
		WRITE_ONCE(d[1], 0);
		WRITE_ONCE(d[2], 0);
		WRITE_ONCE(d[3], 0);
		WRITE_ONCE(d[4], 0);
		WRITE_ONCE(d[5], 0);
		WRITE_ONCE(d[6], 0);
		WRITE_ONCE(d[7], 0);
	}
	for (; size; size -= 8)
		WRITE_ONCE(*d++, 0);
}

/* Bytes from @addr to the end of its 2 MiB, at most @size */
static u64 vsvm_copy_span(u64 addr, u64 size)
{
	return min_t(u64, size, VSVM_BLOCK_SIZE - addr % VSVM_BLOCK_SIZE);
}

static void *vsvm_copy_sysmem(struct vsvm_hw *hw, u64 addr)
{
	u8 *page = hw->host->sysmem(hw->priv, addr & VSVM_PAGE_MASK);

	return page ? page + addr % VSVM_PAGE_SIZE : NULL;
}

/**
 * vsvm_copy_to() - write to one destination
 * @hw: the GPU
 * @desc: descriptor, for flags
 * @addr: destination address
 * @src: source, or NULL for zeroes
 * @size: bytes, in VRAM not beyond the end of the block
 *
 * Return: 0 or a negative error code.
 */
static int vsvm_copy_to(struct vsvm_hw *hw, const struct vsvm_hw_copy *desc,
			u64 addr, const void *src, u64 size)
{
	struct vsvm_block *block = NULL;
	u8 *dst;

	if (desc->flags & VSVM_HW_COPY_DST_VRAM) {
		block = vsvm_vmem_get_new(&hw->vmem, addr,
					  size != VSVM_BLOCK_SIZE);
		if (!block)
			return -ENOMEM;
		dst = (u8 *)block->mem + addr % VSVM_BLOCK_SIZE;
	} else {
		dst = vsvm_copy_sysmem(hw, addr);
		if (!dst)
			return -EINVAL;
	}

	if (src)
		vsvm_copy_words(dst, src, size);
	else
		vsvm_zero_words(dst, size);
	atomic64_add(size, &hw->bytes_copied);

	if (block)
		vsvm_vmem_put(block);
	return 0;
}

/**
 * vsvm_copy_chunk() - copy or fill within one block of VRAM on either side
 * @hw: the GPU
 * @desc: descriptor
 * @done: bytes of the descriptor that have been carried out
 * @size: bytes to do now
 *
 * Return: 0 or a negative error code.
 */
static int vsvm_copy_chunk(struct vsvm_hw *hw, const struct vsvm_hw_copy *desc,
			   u64 done, u64 size)
{
	struct vsvm_block *block = NULL;
	u64 addr = desc->src + done;
	const u8 *src = NULL;
	int ret;

	if (desc->flags & VSVM_HW_COPY_FILL_ZERO) {
		src = NULL;
	} else if (desc->flags & VSVM_HW_COPY_SRC_VRAM) {
		block = vsvm_vmem_get(&hw->vmem, addr);
		if (block)
			src = (u8 *)block->mem + addr % VSVM_BLOCK_SIZE;
	} else {
		src = vsvm_copy_sysmem(hw, addr);
		if (!src)
			return -EINVAL;
	}

	ret = vsvm_copy_to(hw, desc, desc->dst + done, src, size);
	if (block)
		vsvm_vmem_put(block);
	return ret;
}

static bool vsvm_copy_valid(struct vsvm_hw *hw, const struct vsvm_hw_copy *desc)
{
	bool fill = desc->flags & VSVM_HW_COPY_FILL_ZERO;

	if (desc->flags & ~(VSVM_HW_COPY_DST_VRAM | VSVM_HW_COPY_SRC_VRAM |
			    VSVM_HW_COPY_FILL_ZERO))
		return false;
	if (!IS_ALIGNED(desc->size, 8) || !IS_ALIGNED(desc->dst, 8))
		return false;
	if (desc->flags & VSVM_HW_COPY_DST_VRAM &&
	    !vsvm_vmem_contains(&hw->vmem, desc->dst, desc->size))
		return false;
	if (fill)
		return true;
	if (!IS_ALIGNED(desc->src, 8))
		return false;
	return !(desc->flags & VSVM_HW_COPY_SRC_VRAM) ||
	       vsvm_vmem_contains(&hw->vmem, desc->src, desc->size);
}

static int vsvm_copy_one(struct vsvm_hw *hw, const struct vsvm_hw_copy *desc)
{
	u64 done, size;
	int ret;

	if (!vsvm_copy_valid(hw, desc))
		return -EINVAL;
	for (done = 0; done < desc->size; done += size) {
		size = min_t(u64, desc->size - done, VSVM_BLOCK_SIZE);
		if (desc->flags & VSVM_HW_COPY_DST_VRAM)
			size = vsvm_copy_span(desc->dst + done, size);
		if (desc->flags & VSVM_HW_COPY_SRC_VRAM)
			size = vsvm_copy_span(desc->src + done, size);
		ret = vsvm_copy_chunk(hw, desc, done, size);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

int vsvm_hw_copy(struct vsvm_hw *hw, const struct vsvm_hw_copy *desc, u32 count)
{
	int ret = 0;

	might_sleep();
	for (; count && !ret; count--, desc++)
		ret = vsvm_copy_one(hw, desc);
	return ret;
}
