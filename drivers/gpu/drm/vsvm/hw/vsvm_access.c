// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Loads and stores that the interpreter does not serve inline: those that miss
 * the first level TLB and misaligned ones.
 */

#include "vsvm_rv64.h"

/**
 * struct vsvm_span - host memory of an access
 * @mem: pointers to the bytes before and after a page boundary
 * @first: bytes before the boundary, all of them when there is none inside
 */
struct vsvm_span {
	u8 *mem[2];
	u32 first;
};

/**
 * vsvm_span_translate() - translate every byte of an access
 * @mmu: the MMU
 * @hart: the hart
 * @va: first byte, of any alignment
 * @size: bytes
 * @access: enum vsvm_isa_access
 * @span: filled in
 *
 * Return: %VSVM_STOP_NONE, or what became of the hart.
 */
static enum vsvm_stop vsvm_span_translate(struct vsvm_mmu *mmu,
					  struct vsvm_hart *hart, u64 va,
					  u32 size, u32 access,
					  struct vsvm_span *span)
{
	u32 room = VSVM_PAGE_SIZE - va % VSVM_PAGE_SIZE;
	enum vsvm_stop stop;
	void *host;

	stop = vsvm_hart_translate(mmu, hart, va, access, &host);
	if (stop != VSVM_STOP_NONE)
		return stop;
	span->mem[0] = host;
	span->mem[1] = NULL;
	span->first = size;
	if (size <= room)
		return VSVM_STOP_NONE;

	stop = vsvm_hart_translate(mmu, hart, va + room, access, &host);
	span->mem[1] = host;
	span->first = room;
	return stop;
}

static u8 *vsvm_span_byte(const struct vsvm_span *span, u32 i)
{
	return i < span->first ? span->mem[0] + i :
				 span->mem[1] + (i - span->first);
}

/**
 * vsvm_rv64_load_slow() - load from any address
 * @mmu: the MMU
 * @hart: the hart
 * @va: address
 * @size: 1, 2, 4 or 8 bytes
 * @value: set to what was loaded, zero extended
 *
 * An aligned load is atomic, a misaligned one is done byte by byte.
 *
 * Return: %VSVM_STOP_NONE, or what became of the hart.
 */
enum vsvm_stop vsvm_rv64_load_slow(struct vsvm_mmu *mmu, struct vsvm_hart *hart,
				   u64 va, u32 size, u64 *value)
{
	struct vsvm_span span;
	enum vsvm_stop stop;
	u32 i;

	stop = vsvm_span_translate(mmu, hart, va, size, VSVM_ISA_ACCESS_READ,
				   &span);
	if (stop != VSVM_STOP_NONE)
		return stop;

	if (!IS_ALIGNED(va, size)) {
		*value = 0;
		for (i = 0; i < size; i++)
			*value |= (u64)READ_ONCE(*vsvm_span_byte(&span, i))
				  << (8 * i);
		return VSVM_STOP_NONE;
	}

	switch (size) {
	case 1:
		*value = READ_ONCE(*span.mem[0]);
		break;
	case 2:
		*value = READ_ONCE(*(u16 *)span.mem[0]);
		break;
	case 4:
		*value = READ_ONCE(*(u32 *)span.mem[0]);
		break;
	default:
		*value = READ_ONCE(*(u64 *)span.mem[0]);
		break;
	}
	return VSVM_STOP_NONE;
}

/**
 * vsvm_rv64_store_slow() - store to any address
 * @mmu: the MMU
 * @hart: the hart
 * @va: address
 * @size: 1, 2, 4 or 8 bytes
 * @value: what to store
 *
 * An aligned store is atomic, a misaligned one is done byte by byte.
 *
 * Return: %VSVM_STOP_NONE, or what became of the hart.
 */
enum vsvm_stop vsvm_rv64_store_slow(struct vsvm_mmu *mmu,
				    struct vsvm_hart *hart, u64 va, u32 size,
				    u64 value)
{
	struct vsvm_span span;
	enum vsvm_stop stop;
	u32 i;

	stop = vsvm_span_translate(mmu, hart, va, size, VSVM_ISA_ACCESS_WRITE,
				   &span);
	if (stop != VSVM_STOP_NONE)
		return stop;

	if (!IS_ALIGNED(va, size)) {
		for (i = 0; i < size; i++)
			WRITE_ONCE(*vsvm_span_byte(&span, i), value >> (8 * i));
		return VSVM_STOP_NONE;
	}

	switch (size) {
	case 1:
		WRITE_ONCE(*span.mem[0], value);
		break;
	case 2:
		WRITE_ONCE(*(u16 *)span.mem[0], value);
		break;
	case 4:
		WRITE_ONCE(*(u32 *)span.mem[0], value);
		break;
	default:
		WRITE_ONCE(*(u64 *)span.mem[0], value);
		break;
	}
	return VSVM_STOP_NONE;
}
