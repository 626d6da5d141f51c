// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/* VRAM and the copy engine */

#include "machine.h"
#include "test.h"

static struct machine *m;

static u64 blocks(void)
{
	struct vsvm_hw_counters counters;

	vsvm_hw_read_counters(m->hw, &counters);
	return counters.vram_blocks;
}

static u64 copied(void)
{
	struct vsvm_hw_counters counters;

	vsvm_hw_read_counters(m->hw, &counters);
	return counters.bytes_copied;
}

static int copy(u64 dst, u64 src, u64 size, u32 flags)
{
	struct vsvm_hw_copy desc = {.dst = dst, .src = src, .size = size, .flags = flags};

	return vsvm_hw_copy(m->hw, &desc, 1);
}

static void pattern(void *mem, u64 size, u64 seed)
{
	u64 *words = mem;
	u64 i;

	for (i = 0; i < size / 8; i++)
		words[i] = (i + seed) * 0x9e3779b97f4a7c15ULL;
}

static bool has_pattern(const void *mem, u64 size, u64 seed)
{
	const u64 *words = mem;
	u64 i;

	for (i = 0; i < size / 8; i++)
		if (words[i] != (i + seed) * 0x9e3779b97f4a7c15ULL)
			return false;
	return true;
}

static bool is_zero(const void *mem, u64 size)
{
	const u8 *bytes = mem;
	u64 i;

	for (i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static void test_round_trip(void)
{
	u64 src = ram_huge(m), dst = ram_huge(m);

	EQUAL(blocks(), 0, "a new GPU has no VRAM blocks");
	pattern(ram_ptr(m, src), SZ_2M, 1);
	EQUAL(copy(4 * SZ_2M, src, SZ_2M, VSVM_HW_COPY_DST_VRAM), 0, "2 MiB to VRAM");
	EQUAL(blocks(), 1, "take one block");
	EQUAL(copied(), SZ_2M, "are counted");
	EQUAL(copy(dst, 4 * SZ_2M, SZ_2M, VSVM_HW_COPY_SRC_VRAM), 0, "2 MiB from VRAM");
	CHECK(has_pattern(ram_ptr(m, dst), SZ_2M, 1), "come back as they were");
	EQUAL(blocks(), 1, "no further block");

	/* A range that is not aligned to blocks */
	pattern(ram_ptr(m, src), SZ_2M, 99);
	EQUAL(copy(6 * SZ_2M - 0x5000, src, 0xa000, VSVM_HW_COPY_DST_VRAM), 0,
	      "a copy across blocks");
	EQUAL(blocks(), 3, "takes two blocks");
	memset(ram_ptr(m, dst), 0xee, SZ_2M);
	EQUAL(copy(dst + 8, 6 * SZ_2M - 0x5000, 0xa000, VSVM_HW_COPY_SRC_VRAM), 0, "and back");
	CHECK(has_pattern((u8 *)ram_ptr(m, dst) + 8, 0xa000, 99), "is as it was");
	EQUAL(*(u64 *)ram_ptr(m, dst), 0xeeeeeeeeeeeeeeee, "nothing before it");
	EQUAL(*(u64 *)((u8 *)ram_ptr(m, dst) + 0xa008), 0xeeeeeeeeeeeeeeee, "nothing behind it");

	EQUAL(copy(6 * SZ_2M + 0x20000, 6 * SZ_2M - 0x5000, 0xa000,
		   VSVM_HW_COPY_SRC_VRAM | VSVM_HW_COPY_DST_VRAM),
	      0, "VRAM to VRAM");
	copy(dst, 6 * SZ_2M + 0x20000, 0xa000, VSVM_HW_COPY_SRC_VRAM);
	CHECK(has_pattern(ram_ptr(m, dst), 0xa000, 99), "is the same");
	EQUAL(copy(dst + 0x100000, dst, 0x1000, 0), 0, "memory to memory");
	CHECK(has_pattern((u8 *)ram_ptr(m, dst) + 0x100000, 0x1000, 99), "is the same");
}

static void test_small(void)
{
	u64 src = ram_page(m), dst = ram_page(m);
	bool ok = true;
	u32 size;

	pattern(ram_ptr(m, src), 4096, 5);
	for (size = 0; size <= 256; size += 8) {
		memset(ram_ptr(m, dst), 0xee, 4096);
		ok &= !copy(dst + 16, src, size, 0);
		ok &= has_pattern((u8 *)ram_ptr(m, dst) + 16, size, 5);
		ok &= ((u8 *)ram_ptr(m, dst))[16 + size] == 0xee;
		ok &= ((u8 *)ram_ptr(m, dst))[15] == 0xee;
		ok &= !copy(dst + 16, 0, size, VSVM_HW_COPY_FILL_ZERO);
		ok &= is_zero((u8 *)ram_ptr(m, dst) + 16, size);
		ok &= ((u8 *)ram_ptr(m, dst))[16 + size] == 0xee;
	}
	CHECK(ok, "copies and fills of every size up to 256");
}

static void test_fill(void)
{
	u64 dst = ram_huge(m);
	u64 before = blocks();

	EQUAL(copy(9 * SZ_2M, 0, SZ_2M, VSVM_HW_COPY_FILL_ZERO | VSVM_HW_COPY_DST_VRAM), 0,
	      "fill of new VRAM");
	EQUAL(blocks(), before + 1, "takes a block");
	memset(ram_ptr(m, dst), 0xee, SZ_2M);
	copy(dst, 9 * SZ_2M, SZ_2M, VSVM_HW_COPY_SRC_VRAM);
	CHECK(is_zero(ram_ptr(m, dst), SZ_2M), "VRAM is zero");

	pattern(ram_ptr(m, dst), SZ_2M, 3);
	copy(9 * SZ_2M, dst, SZ_2M, VSVM_HW_COPY_DST_VRAM);
	EQUAL(copy(9 * SZ_2M + 0x1000, 0, 0x2000, VSVM_HW_COPY_FILL_ZERO | VSVM_HW_COPY_DST_VRAM),
	      0, "fill of old VRAM");
	copy(dst, 9 * SZ_2M, SZ_2M, VSVM_HW_COPY_SRC_VRAM);
	CHECK(has_pattern(ram_ptr(m, dst), 0x1000, 3), "nothing before it");
	CHECK(is_zero((u8 *)ram_ptr(m, dst) + 0x1000, 0x2000), "is zero");
	CHECK(has_pattern((u8 *)ram_ptr(m, dst) + 0x3000, SZ_2M - 0x3000, 3 + 0x600),
	      "nothing behind it");

	memset(ram_ptr(m, dst), 0xee, SZ_2M);
	copy(11 * SZ_2M + 0x8000, dst, 8, VSVM_HW_COPY_DST_VRAM);
	copy(dst, 11 * SZ_2M, SZ_2M, VSVM_HW_COPY_SRC_VRAM);
	CHECK(is_zero(ram_ptr(m, dst), 0x8000), "a new block is zero before what is written");
	CHECK(is_zero((u8 *)ram_ptr(m, dst) + 0x8008, SZ_2M - 0x8008), "and behind it");

	before = blocks();
	memset(ram_ptr(m, dst), 0xee, 4096);
	EQUAL(copy(dst, 13 * SZ_2M, 4096, VSVM_HW_COPY_SRC_VRAM), 0, "a copy from new VRAM");
	CHECK(is_zero(ram_ptr(m, dst), 4096), "reads as zero");
	EQUAL(blocks(), before, "takes no block");
}

static void test_bounds(void)
{
	const u32 vram = VSVM_HW_COPY_DST_VRAM;
	u64 page = ram_page(m);
	u64 before = blocks();

	EQUAL(copy(VRAM_SIZE, page, 8, vram), -EINVAL, "behind VRAM");
	EQUAL(copy(VRAM_SIZE - 8, page, 16, vram), -EINVAL, "across its end");
	EQUAL(copy(~7ULL, page, 16, vram), -EINVAL, "with an overflow");
	EQUAL(copy(8, page, ~7ULL, vram), -EINVAL, "of everything");
	EQUAL(copy(page, VRAM_SIZE - 8, 16, VSVM_HW_COPY_SRC_VRAM), -EINVAL, "from across its end");
	EQUAL(copy(0, 0, 8, vram | 1u << 3), -EINVAL, "with an unknown flag");
	EQUAL(copy(0, page, 12, vram), -EINVAL, "of 12 bytes");
	EQUAL(copy(4, page, 8, vram), -EINVAL, "to a misaligned address");
	EQUAL(copy(0, page + 4, 8, vram), -EINVAL, "from a misaligned address");
	EQUAL(copy(0, RAM_BASE + RAM_SIZE, 8, vram), -EINVAL, "from memory that does not exist");
	EQUAL(copy(RAM_BASE + RAM_SIZE, page, 8, 0), -EINVAL, "to memory that does not exist");
	EQUAL(blocks(), before, "none of them takes a block");
	EQUAL(copy(VRAM_SIZE - 8, page, 8, vram), 0, "the last word of VRAM");
	EQUAL(copy(VRAM_SIZE, page, 0, vram), 0, "nothing at the end of VRAM");
}

static void test_list(void)
{
	u64 page = ram_page(m), src = ram_page(m);
	struct vsvm_hw_copy desc[] = {
		{.dst = page, .src = src, .size = 4096},
		{.dst = page + 8, .size = 8, .flags = VSVM_HW_COPY_FILL_ZERO},
		{.dst = VRAM_SIZE, .src = src, .size = 8, .flags = VSVM_HW_COPY_DST_VRAM},
		{.dst = page, .size = 4096, .flags = VSVM_HW_COPY_FILL_ZERO},
	};
	u64 *words = ram_ptr(m, page);

	pattern(ram_ptr(m, src), 4096, 8);
	EQUAL(vsvm_hw_copy(m->hw, desc, 4), -EINVAL, "a list with an error");
	CHECK(has_pattern(words, 8, 8) && !words[1] && has_pattern(words + 2, 4080, 10),
	      "is done in order up to there");
	EQUAL(vsvm_hw_copy(m->hw, desc, 0), 0, "an empty list");
}

static void test_discard(void)
{
	u64 start, dst = ram_huge(m);

	vsvm_hw_vram_discard(m->hw, 0, VRAM_SIZE);
	EQUAL(blocks(), 0, "discard of all frees all");
	for (start = 0; start < 4 * SZ_2M; start += SZ_2M)
		copy(start, dst, SZ_2M, VSVM_HW_COPY_DST_VRAM);
	EQUAL(blocks(), 4, "four blocks");
	vsvm_hw_vram_discard(m->hw, 0x1000, SZ_2M - 0x1000);
	EQUAL(blocks(), 4, "a block is not freed without its first page");
	vsvm_hw_vram_discard(m->hw, 0, SZ_2M - 0x1000);
	EQUAL(blocks(), 4, "nor without its last page");
	vsvm_hw_vram_discard(m->hw, 0x1000, 3 * SZ_2M - 0x1000);
	EQUAL(blocks(), 2, "whole blocks in the range are");
	memset(ram_ptr(m, dst), 0xee, SZ_2M);
	copy(dst, SZ_2M, SZ_2M, VSVM_HW_COPY_SRC_VRAM);
	CHECK(is_zero(ram_ptr(m, dst), SZ_2M), "they are zero again");
	vsvm_hw_vram_discard(m->hw, VRAM_SIZE - SZ_2M, 2 * SZ_2M);
	vsvm_hw_vram_discard(m->hw, ~0xfffULL, SZ_2M);
	EQUAL(blocks(), 2, "a range outside VRAM does nothing");
}

struct copier {
	pthread_t thread;
	u64 vram;
	u64 mem;
	bool ok;
};

static void *copier_main(void *data)
{
	struct copier *c = data;
	u32 i;

	for (i = 0; i < 50; i++) {
		u64 size = 0x10000;

		pattern(ram_ptr(m, c->mem), size, c->vram + i);
		c->ok &= !copy(c->vram, c->mem, size, VSVM_HW_COPY_DST_VRAM);
		memset(ram_ptr(m, c->mem), 0, size);
		c->ok &= !copy(c->mem, c->vram, size, VSVM_HW_COPY_SRC_VRAM);
		c->ok &= has_pattern(ram_ptr(m, c->mem), size, c->vram + i);
	}
	return NULL;
}

/* Copies in one block and in neighbours while other blocks are discarded */
static void test_parallel(void)
{
	struct copier c[4];
	u64 mem = ram_huge(m), spare = ram_huge(m);
	bool ok = true;
	u32 i;

	vsvm_hw_vram_discard(m->hw, 0, VRAM_SIZE);
	for (i = 0; i < 4; i++) {
		c[i].vram = 2 * SZ_2M + 0x1f8000 + i * 0x10000;
		c[i].mem = mem + i * 0x10000;
		c[i].ok = true;
		if (pthread_create(&c[i].thread, NULL, copier_main, &c[i]))
			abort();
	}
	for (i = 0; i < 50; i++) {
		ok &= !copy(5 * SZ_2M, spare, SZ_2M, VSVM_HW_COPY_DST_VRAM);
		vsvm_hw_vram_discard(m->hw, 5 * SZ_2M, SZ_2M);
		vsvm_hw_vram_discard(m->hw, 0, 2 * SZ_2M);
	}
	for (i = 0; i < 4; i++) {
		pthread_join(c[i].thread, NULL);
		ok &= c[i].ok;
	}
	CHECK(ok, "copies in parallel, with discards elsewhere");
	EQUAL(blocks(), 2, "they share their blocks");
}

struct racer {
	pthread_t thread;
	pthread_barrier_t *start;
	u64 mem;
	u64 vram;
	bool ok;
};

static void *racer_main(void *data)
{
	struct racer *r = data;
	u32 i;

	for (i = 0; i < 100; i++) {
		pthread_barrier_wait(r->start);
		r->ok &= !copy(r->vram, r->mem, 8, VSVM_HW_COPY_DST_VRAM);
		pthread_barrier_wait(r->start);
		if (r->vram % SZ_2M)
			continue;
		r->ok &= blocks() == 1;
		vsvm_hw_vram_discard(m->hw, r->vram, SZ_2M);
	}
	return NULL;
}

/* Two copies are the first to write to a block */
static void test_first_write(void)
{
	struct racer r[2];
	pthread_barrier_t start;
	u64 mem = ram_page(m);
	u32 i;

	vsvm_hw_vram_discard(m->hw, 0, VRAM_SIZE);
	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < 2; i++) {
		r[i] = (struct racer){
			.start = &start, .mem = mem, .vram = SZ_2M + i * 8, .ok = true};
		if (pthread_create(&r[i].thread, NULL, racer_main, &r[i]))
			abort();
	}
	for (i = 0; i < 2; i++)
		pthread_join(r[i].thread, NULL);
	CHECK(r[0].ok && r[1].ok, "a block that two copies find missing is made once");
	EQUAL(blocks(), 0, "none is left");
	pthread_barrier_destroy(&start);
}

int main(void)
{
	m = machine_with_gpu(1, 1, 1);
	test_round_trip();
	test_small();
	test_fill();
	test_bounds();
	test_list();
	test_discard();
	test_parallel();
	test_first_write();
	machine_free(m);
	return test_finish();
}
