/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What GPU kernels (kernels.c) and tests have in common.
 */
#ifndef VSVM_KERNELS_H
#define VSVM_KERNELS_H

#ifdef __riscv
typedef unsigned int u32;
typedef unsigned long u64;
#else
#include <stdint.h>
typedef uint32_t u32;
typedef uint64_t u64;
#endif

/**
 * struct vsvm_arg - argument of every kernel
 * @addr: address to work on
 * @count: pages or words to work on, as the kernel says
 * @value: operand
 * @result: address of a &struct vsvm_result
 */
struct vsvm_arg {
	u64 addr;
	u64 count;
	u64 value;
	u64 result;
};

/**
 * struct vsvm_result - what kernels hand back
 * @done: work-items or words that were handled, added atomically
 * @sum: sum or number of differences, added atomically
 */
struct vsvm_result {
	u64 done;
	u64 sum;
};

/**
 * struct vsvm_ids - what the ids kernel stores for each work-item
 * @gid: global id
 * @local_id: linear id in the work-group
 * @group_id: linear id of the work-group
 * @total: work-items in the grid
 * @group_size: work-items in a work-group
 * @stack: address of something on the stack
 */
struct vsvm_ids {
	u64 gid[3];
	u64 local_id;
	u64 group_id;
	u64 total;
	u64 group_size;
	u64 stack;
};

/** VSVM_STACK_WORDS - words on the stack that the stack kernel fills */
#define VSVM_STACK_WORDS 64

/** vsvm_touch - offset of the word that a kernel touches in a page of a range */
static inline u64 vsvm_touch(u64 page, u64 value)
{
	return page * 4096 + ((page + value) % 512) * 8;
}

/** vsvm_pattern - word number @index of the pattern with number @seed */
static inline u64 vsvm_pattern(u64 seed, u64 index)
{
	return (seed << 48 | index) * 0x9e3779b97f4a7c15ULL;
}

#endif /* VSVM_KERNELS_H */
