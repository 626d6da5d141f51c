/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_MEMORY_H
#define VSVM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VSVM_4K ((size_t)4096)
#define VSVM_2M ((size_t)2 << 20)

/**
 * enum vsvm_buffer_kind - pages that a buffer is made of
 * @VSVM_THP: huge pages: MADV_HUGEPAGE
 * @VSVM_SMALL: base pages: MADV_NOHUGEPAGE
 * @VSVM_SHARED: anonymous shared memory
 */
enum vsvm_buffer_kind {
	VSVM_THP,
	VSVM_SMALL,
	VSVM_SHARED,
};

/**
 * struct vsvm_buffer - memory that the GPU works on, and what must be in it
 * @ptr: start, a multiple of 2 MiB. Inaccessible address space around it keeps
 *	it apart from all other memory, by 2 MiB on both sides
 * @size: bytes, a multiple of 4 KiB
 * @shadow: what the buffer must contain, in memory that no GPU touches
 */
struct vsvm_buffer {
	uint8_t *ptr;
	size_t size;
	uint8_t *shadow;
};

/**
 * vsvm_buffer_create - get an untouched buffer
 * @size: bytes, a multiple of 4 KiB
 * @kind: pages
 *
 * Its content is zero, and so is its shadow. Freed by vsvm_buffer_free() or
 * vsvm_buffers_free_all().
 */
struct vsvm_buffer *vsvm_buffer_create(size_t size, enum vsvm_buffer_kind kind);

/**
 * vsvm_buffer_create_filled - get a buffer with a pattern in it
 * @size: bytes
 * @kind: pages; with VSVM_THP the test fails unless all of them are huge
 * @seed: number of the pattern
 */
struct vsvm_buffer *vsvm_buffer_create_filled(size_t size, enum vsvm_buffer_kind kind,
					      uint64_t seed);

/**
 * vsvm_buffer_free - give a buffer back
 * @buffer: the buffer, whole or in pieces
 */
void vsvm_buffer_free(struct vsvm_buffer *buffer);

/** vsvm_buffers_free_all - give all buffers back, also those of a failed test */
void vsvm_buffers_free_all(void);

/**
 * vsvm_buffer_fill - write a pattern with the CPU
 * @buffer: the buffer
 * @offset: first byte, a multiple of 4 KiB
 * @length: bytes, likewise
 * @seed: number of the pattern
 */
void vsvm_buffer_fill(struct vsvm_buffer *buffer, size_t offset, size_t length, uint64_t seed);

/**
 * vsvm_buffer_check_range - compare with what must be there, all words
 * @buffer: the buffer
 * @offset: first byte
 * @length: bytes
 */
void vsvm_buffer_check_range(const struct vsvm_buffer *buffer, size_t offset, size_t length);

/**
 * vsvm_buffer_check - compare all of a buffer with what must be there
 * @buffer: the buffer
 */
void vsvm_buffer_check(const struct vsvm_buffer *buffer);

/**
 * vsvm_buffer_unmap - munmap() a part; nothing else will be mapped there
 * @buffer: the buffer
 * @offset: first byte, a multiple of 4 KiB
 * @length: bytes, likewise
 */
void vsvm_buffer_unmap(struct vsvm_buffer *buffer, size_t offset, size_t length);

/**
 * vsvm_anon_huge_bytes - how much of a range huge pages map
 * @addr: start
 * @length: bytes; the range must consist of whole mappings
 */
size_t vsvm_anon_huge_bytes(const void *addr, size_t length);

/**
 * vsvm_expect_residency - the test fails unless a range is all of one kind
 * @fd: the device
 * @addr: start
 * @length: bytes
 * @location: DRM_VSVM_LOCATION_*
 * @order: order of the mapping
 */
void vsvm_expect_residency(int fd, const void *addr, size_t length, uint32_t location,
			   uint32_t order);

/**
 * vsvm_expect_location - likewise, but of any orders
 * @fd: the device
 * @addr: start
 * @length: bytes
 * @location: DRM_VSVM_LOCATION_*
 */
void vsvm_expect_location(int fd, const void *addr, size_t length, uint32_t location);

/**
 * struct vsvm_usage - memory in use, for the leak check
 * @anon_kb: AnonPages of /proc/meminfo
 * @tables_kb: PageTables of /proc/meminfo
 * @own_tables_kb: VmPTE of this process
 */
struct vsvm_usage {
	long anon_kb;
	long tables_kb;
	long own_tables_kb;
};

/**
 * vsvm_usage_get - read the memory in use
 * @usage: result
 */
void vsvm_usage_get(struct vsvm_usage *usage);

/**
 * vsvm_leak_check - the test fails unless everything has been given back
 * @index: number of the device; the files of the test are closed
 * @before: what was in use before
 *
 * All VRAM must be free, as many pages freed as allocated, and anonymous
 * memory and page tables back to where they were, but for what other processes
 * of the system use. Work that ends a little later is waited for.
 */
void vsvm_leak_check(unsigned int index, const struct vsvm_usage *before);

#endif /* VSVM_MEMORY_H */
