// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * GPU kernels of the tests, compiled by clang for the vsvm GPU. Each global
 * function is one kernel. Work-items share a job by striding over it.
 */
#include "vsvm_isa.h"
#include "vsvm_kernels.h"

#define KERNEL(name)                                                                               \
	void name(struct vsvm_arg *arg, u64 gid, u64 gid_y, u64 gid_z, u64 local_id, u64 group_id, \
		  u64 total, u64 group_size);                                                      \
	void name(struct vsvm_arg *arg, u64 gid, u64 gid_y __attribute__((unused)),                \
		  u64 gid_z __attribute__((unused)), u64 local_id __attribute__((unused)),         \
		  u64 group_id __attribute__((unused)), u64 total,                                 \
		  u64 group_size __attribute__((unused)))

static inline void atomic_add(u64 addr, u64 value)
{
	__atomic_fetch_add((u64 *)addr, value, __ATOMIC_RELAXED);
}

static inline void add_result(const struct vsvm_arg *arg, u64 done, u64 sum)
{
	struct vsvm_result *result = (struct vsvm_result *)arg->result;

	atomic_add((u64)&result->done, done);
	atomic_add((u64)&result->sum, sum);
}

static inline void ecall(u64 function)
{
	register u64 a7 __asm__("a7") = function;

	__asm__ volatile("ecall" : : "r"(a7) : "memory");
}

/* Makes @count pages accessible and changes nothing. */
KERNEL(warm)
{
	for (u64 i = gid; i < arg->count; i += total)
		atomic_add(arg->addr + i * 4096, 0);
}

/* Stores the pattern with number @value to @count words. */
KERNEL(fill)
{
	volatile u64 *words = (volatile u64 *)arg->addr;

	for (u64 i = gid; i < arg->count; i += total)
		words[i] = vsvm_pattern(arg->value, i);
}

/* Compares @count words with the pattern; sum = number of wrong words. */
KERNEL(check)
{
	volatile u64 *words = (volatile u64 *)arg->addr;
	u64 done = 0, wrong = 0;

	for (u64 i = gid; i < arg->count; i += total) {
		wrong += words[i] != vsvm_pattern(arg->value, i);
		done++;
	}
	add_result(arg, done, wrong);
}

/* Adds @value to one word of each of @count pages. */
KERNEL(add)
{
	for (u64 i = gid; i < arg->count; i += total) {
		volatile u64 *word = (volatile u64 *)(arg->addr + vsvm_touch(i, arg->value));

		*word += arg->value;
	}
}

/* Stores @value in one word of each of @count pages. */
KERNEL(set)
{
	for (u64 i = gid; i < arg->count; i += total)
		*(volatile u64 *)(arg->addr + vsvm_touch(i, arg->value)) = arg->value;
}

/* Sums one word of each of @count pages. */
KERNEL(sum)
{
	u64 done = 0, sum = 0;

	for (u64 i = gid; i < arg->count; i += total) {
		sum += *(volatile u64 *)(arg->addr + vsvm_touch(i, arg->value));
		done++;
	}
	add_result(arg, done, sum);
}

/* Copies @count words from @addr to @value. */
KERNEL(copy)
{
	volatile u64 *from = (volatile u64 *)arg->addr;
	volatile u64 *to = (volatile u64 *)arg->value;

	for (u64 i = gid; i < arg->count; i += total)
		to[i] = from[i];
}

/* Every work-item adds @value to the same word, @count times, atomically. */
KERNEL(atomic)
{
	for (u64 i = 0; i < arg->count; i++)
		atomic_add(arg->addr, arg->value);
	add_result(arg, total ? 1 : 0, gid);
}

/*
 * The work-group fills @count words of local memory, half of it through atomics, then
 * each work-item checks what another one has stored; sum = number of wrong words.
 */
KERNEL(local)
{
	u64 *local = (u64 *)VSVM_ISA_LOCAL_BASE, done = 0, wrong = 0;
	u64 seed = arg->value + group_id;

	for (u64 i = local_id; i < arg->count; i += group_size)
		local[i] = 0;
	ecall(VSVM_ISA_ECALL_BARRIER);
	for (u64 i = local_id; i < arg->count; i += group_size) {
		if (i % 2)
			atomic_add((u64)&local[i], vsvm_pattern(seed, i));
		else
			local[i] = vsvm_pattern(seed, i);
	}
	ecall(VSVM_ISA_ECALL_BARRIER);
	for (u64 i = group_size - 1 - local_id; i < arg->count; i += group_size) {
		wrong += local[i] != vsvm_pattern(seed, i);
		done++;
	}
	add_result(arg, done, wrong + 0 * (gid + total));
}

/* Runs until the word at @addr is not 0, for ever if nobody sets it. */
KERNEL(spin)
{
	add_result(arg, 1, gid + total);
	while (!*(volatile u64 *)arg->addr)
		;
}

/* One access to @addr of each kind. */
KERNEL(load)
{
	add_result(arg, 1, *(volatile u64 *)arg->addr + 0 * (gid + total));
}

KERNEL(store)
{
	*(volatile u64 *)arg->addr = arg->value + 0 * (gid + total);
}

KERNEL(amo)
{
	atomic_add(arg->addr, arg->value + 0 * (gid + total));
}

KERNEL(jump)
{
	((void (*)(u64))arg->addr)(gid + total);
}

/* The ways to end a dispatch with an error of the program. */
KERNEL(illegal)
{
	(void)arg, (void)gid, (void)total;
	__asm__ volatile(".word 0");
}

KERNEL(break_)
{
	(void)arg, (void)gid, (void)total;
	__asm__ volatile("ebreak");
}

KERNEL(bad_ecall)
{
	(void)gid, (void)total;
	ecall(arg->value);
}

/*
 * Work-items of a group write words at @addr, meet, then each one reads what
 * its neighbour wrote and stores that at @value: @count rounds.
 */
KERNEL(barrier)
{
	volatile u64 *shared = (volatile u64 *)arg->addr + group_id * group_size;
	volatile u64 *out = (volatile u64 *)arg->value + group_id * group_size;
	u64 neighbour = local_id + 1 < group_size ? local_id + 1 : 0;
	u64 sum = 0;

	(void)gid, (void)total;
	for (u64 round = 0; round < arg->count; round++) {
		shared[local_id] = vsvm_pattern(round, group_id * group_size + local_id);
		ecall(VSVM_ISA_ECALL_BARRIER);
		sum += shared[neighbour];
		ecall(VSVM_ISA_ECALL_BARRIER);
	}
	out[local_id] = sum;
}

/* Fills and sums words on its stack, then stores the sum at @addr. */
KERNEL(stack)
{
	volatile u64 words[VSVM_STACK_WORDS];
	u64 sum = 0;

	(void)total;
	for (u64 i = 0; i < VSVM_STACK_WORDS; i++)
		words[i] = vsvm_pattern(gid, i);
	for (u64 i = 0; i < VSVM_STACK_WORDS; i++)
		sum += words[i];
	((volatile u64 *)arg->addr)[gid] = sum;
}

/* Stores what the hart was started with. */
KERNEL(ids)
{
	volatile struct vsvm_ids *ids =
		(volatile struct vsvm_ids *)arg->addr + group_id * group_size + local_id;
	volatile u64 on_stack = gid;

	ids->gid[0] = on_stack;
	ids->gid[1] = gid_y;
	ids->gid[2] = gid_z;
	ids->local_id = local_id;
	ids->group_id = group_id;
	ids->total = total;
	ids->group_size = group_size;
	ids->stack = (u64)&on_stack;
}
