// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/* Translation: tables, TLB, permissions; misaligned and faulting accesses; atomics */

#include <assert.h>

#include "machine.h"
#include "rv.h"
#include "test.h"

#define CODE 0x10000ULL
#define DATA 0x20000ULL
#define HUGE 0x40000000ULL

static struct machine *m;
static struct vsvm_vmem vmem;
static struct vsvm_core core;

static enum vsvm_stop step(struct vsvm_hart *hart, u32 insn)
{
	u32 budget = 1;

	hart->pc = CODE;
	load_code(m, CODE, &insn, 1);
	return vsvm_rv64_run(&core, hart, &budget);
}

static void flush(void)
{
	vsvm_mmu_flush(&core.mmu, 1, 0, VSVM_VA_END);
}

static bool missed(const struct vsvm_hart *hart, enum vsvm_stop stop, u64 addr, u32 access)
{
	return stop == VSVM_STOP_MISS && hart->fault_addr == addr && hart->fault_access == access &&
	       hart->pc == CODE;
}

static bool refused(const struct vsvm_hart *hart, enum vsvm_stop stop, u64 addr)
{
	return stop == VSVM_STOP_ERROR && hart->status == VSVM_ISA_STATUS_FAULT &&
	       hart->fault_addr == addr;
}

/* Whatever bits an address has, an empty TLB has no translation of it */
static void test_empty(void)
{
	bool ok = true;
	u32 vmid, i;

	for (vmid = 0; vmid < VSVM_MAX_VMS; vmid += 10) {
		vsvm_mmu_init(&core.mmu, &machine_host, m, &vmem);
		vsvm_mmu_select(&core.mmu, vmid, m->root);
		for (i = 0; i < 16; i++) {
			struct vsvm_hart hart = {.x[A1] = i};
			enum vsvm_stop stop = step(&hart, rv_i(0x03, i % 7, A0, A1, 0));

			ok &= missed(&hart, stop, i, VSVM_ISA_ACCESS_READ);
			stop = step(&hart, rv_s(i % 4, A1, A0, 0));
			ok &= missed(&hart, stop, i, VSVM_ISA_ACCESS_WRITE);
		}
	}
	CHECK(ok, "the empty TLB serves nothing, misaligned accesses to page 0 included");
	vsvm_mmu_select(&core.mmu, 1, m->root);
	flush();
}

/* A fetch needs permission of its own, whatever loads have left in the TLB */
static void test_fetch(void)
{
	const u64 va[] = {0x323456789000ULL, 0x423456600000ULL};
	u32 level;

	for (level = 0; level < 2; level++) {
		u64 mem = level ? ram_huge(m) | VSVM_HW_PTE_LEAF : ram_page(m);
		struct vsvm_hart hart = {.pc = va[level]};
		struct vsvm_hart load = {.x[A1] = va[level]};
		u32 budget = 1;
		enum vsvm_stop stop;

		*(u32 *)ram_ptr(m, mem & VSVM_HW_PTE_ADDR) = rv_addi(A0, A0, 7);
		map(m, m->root, va[level], mem | VSVM_HW_PTE_VALID | VSVM_HW_PTE_WRITE, level);
		EQUAL(step(&load, rv_ld(A0, A1, 0)), VSVM_STOP_SLICE, "data can be read");
		stop = vsvm_rv64_run(&core, &hart, &budget);
		CHECK(stop == VSVM_STOP_MISS && hart.fault_access == VSVM_ISA_ACCESS_FETCH &&
			      hart.fault_addr == va[level],
		      "and not executed");
		map(m, m->root, va[level], mem | PTE_RO, level);
		flush();
		stop = vsvm_rv64_run(&core, &hart, &budget);
		EQUAL(stop, VSVM_STOP_SLICE, "code can be executed");
		EQUAL(hart.x[A0], 7, "and is");
		map(m, m->root, va[level], 0, level);
		flush();
	}
}

static void test_walk(void)
{
	const u64 va = 0x123456789000ULL;
	struct vsvm_hart hart = {.x[A1] = va + 8};
	enum vsvm_stop stop;
	u64 page = ram_page(m);
	u32 level;

	*(u64 *)((u8 *)ram_ptr(m, page) + 8) = 42;
	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(missed(&hart, stop, va + 8, VSVM_ISA_ACCESS_READ), "an empty root misses");

	map(m, m->root, va, 0, 0);
	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(missed(&hart, stop, va + 8, VSVM_ISA_ACCESS_READ), "an empty last level misses");

	map(m, m->root, va, page | PTE_RW, 0);
	EQUAL(step(&hart, rv_ld(A0, A1, 0)), VSVM_STOP_SLICE, "a leaf is found");
	EQUAL(hart.x[A0], 42, "what it maps is read");

	for (level = 1; level < 4; level++) {
		u64 *entry = map_entry(m, m->root, va, level);
		u64 old = *entry;

		flush();
		*entry = old & ~VSVM_HW_PTE_VALID;
		stop = step(&hart, rv_ld(A0, A1, 0));
		CHECK(missed(&hart, stop, va + 8, VSVM_ISA_ACCESS_READ),
		      "an invalid entry of level %u misses", level);
		*entry = old;
	}
	for (level = 2; level < 4; level++) {
		u64 *entry = map_entry(m, m->root, va, level);
		u64 old = *entry;

		flush();
		*entry = old | VSVM_HW_PTE_LEAF;
		stop = step(&hart, rv_ld(A0, A1, 0));
		CHECK(refused(&hart, stop, va + 8), "a leaf of level %u is malformed", level);
		*entry = old;
	}
	for (level = 1; level < 4; level++) {
		u64 *entry = map_entry(m, m->root, va, level);
		u64 old = *entry;

		flush();
		*entry = old | VSVM_HW_PTE_VRAM;
		stop = step(&hart, rv_ld(A0, A1, 0));
		CHECK(refused(&hart, stop, va + 8), "a table of level %u in VRAM is malformed",
		      level);
		*entry = VSVM_HW_PTE_ADDR | VSVM_HW_PTE_VALID;
		stop = step(&hart, rv_ld(A0, A1, 0));
		CHECK(refused(&hart, stop, va + 8), "a table of level %u beyond memory", level);
		*entry = old;
	}
	EQUAL(step(&hart, rv_ld(A0, A1, 0)), VSVM_STOP_SLICE, "and all is well again");
}

static void test_bad_leaves(void)
{
	const u64 va = 0x500000000ULL;
	struct vsvm_hart hart = {.x[A1] = va};
	enum vsvm_stop stop;

	map(m, m->root, va, PTE_RW | VSVM_HW_PTE_ADDR, 0);
	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(refused(&hart, stop, va), "a page of memory that does not exist");
	map(m, m->root, va, PTE_VRAM | VRAM_SIZE, 0);
	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(refused(&hart, stop, va), "a page beyond VRAM");
	map(m, m->root, va, PTE_VRAM, 0);
	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(refused(&hart, stop, va), "a page of VRAM without contents");
	map(m, m->root, va + VSVM_HUGE_SIZE, (RAM_BASE + VSVM_PAGE_SIZE) | PTE_RW, 1);
	hart.x[A1] = va + VSVM_HUGE_SIZE;
	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(refused(&hart, stop, va + VSVM_HUGE_SIZE), "a misaligned leaf of 2 MiB");
}

static void test_canonical(void)
{
	const u64 bad[] = {VSVM_VA_END, VSVM_VA_END + DATA, 1ULL << 63, ~7ULL,
			   /* its upper bits look like the vmid */
			   DATA | 1ULL << 48};
	struct vsvm_hart hart = {};
	enum vsvm_stop stop;
	u32 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hart.x[A1] = bad[i];
		stop = step(&hart, rv_ld(A0, A1, 0));
		CHECK(refused(&hart, stop, bad[i]), "load from 0x%llx", (long long)bad[i]);
		stop = step(&hart, rv_sd(A0, A1, 0));
		CHECK(refused(&hart, stop, bad[i]), "store to it");
		stop = step(&hart, rv_amoadd_d(A0, A2, A1));
		CHECK(refused(&hart, stop, bad[i]), "atomic to it");
	}
	hart.x[A1] = VSVM_VA_END - 4;
	map_new(m, VSVM_VA_END - VSVM_PAGE_SIZE, 1);
	EQUAL(step(&hart, rv_lw(A0, A1, 0)), VSVM_STOP_SLICE, "the last word can be used");
	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(refused(&hart, stop, VSVM_VA_END), "an access does not cross the end");

	hart.pc = VSVM_VA_END - 4;
	load_code(m, VSVM_VA_END - 4, &(u32){rv_addi(A0, A0, 1)}, 1);
	i = 10;
	stop = vsvm_rv64_run(&core, &hart, &i);
	CHECK(refused(&hart, stop, VSVM_VA_END), "nor does code");
	EQUAL(hart.fault_access, VSVM_ISA_ACCESS_FETCH, "its access is a fetch");
}

static void test_permission(void)
{
	const u64 va = 0x600000000ULL;
	struct vsvm_hart hart = {.x[A1] = va, .x[A2] = 5};
	enum vsvm_stop stop;
	u64 page = ram_page(m);
	u64 *word = ram_ptr(m, page);

	*word = 3;
	map(m, m->root, va, page | PTE_RO, 0);
	stop = step(&hart, rv_sd(A2, A1, 0));
	CHECK(missed(&hart, stop, va, VSVM_ISA_ACCESS_WRITE), "store to a read-only page, cold");
	EQUAL(step(&hart, rv_ld(A0, A1, 0)), VSVM_STOP_SLICE, "it can be read");
	stop = step(&hart, rv_sd(A2, A1, 0));
	CHECK(missed(&hart, stop, va, VSVM_ISA_ACCESS_WRITE), "store to a read-only page, warm");
	stop = step(&hart, rv_amoadd_d(A0, A2, A1));
	CHECK(missed(&hart, stop, va, VSVM_ISA_ACCESS_ATOMIC), "atomic on a read-only page");
	stop = step(&hart, rv_lr_d(A0, A1));
	CHECK(missed(&hart, stop, va, VSVM_ISA_ACCESS_ATOMIC), "lr.d on a read-only page");
	EQUAL(*word, 3, "nothing was written");

	map(m, m->root, va, page | PTE_RW, 0);
	EQUAL(step(&hart, rv_sd(A2, A1, 0)), VSVM_STOP_SLICE,
	      "a page that becomes writable needs no invalidation");
	EQUAL(*word, 5, "it is written");

	map(m, m->root, va, page | PTE_RO, 0);
	vsvm_mmu_flush(&core.mmu, 1, va, va + 1);
	stop = step(&hart, rv_sd(A2, A1, 0));
	CHECK(missed(&hart, stop, va, VSVM_ISA_ACCESS_WRITE), "one that becomes read-only does");

	/* 2 MiB */
	page = ram_huge(m);
	map(m, m->root, HUGE, page | PTE_RO, 1);
	hart.x[A1] = HUGE + 0x12340;
	EQUAL(step(&hart, rv_ld(A0, A1, 0)), VSVM_STOP_SLICE, "a read-only 2 MiB leaf is read");
	stop = step(&hart, rv_sd(A2, A1, 0));
	CHECK(missed(&hart, stop, HUGE + 0x12340, VSVM_ISA_ACCESS_WRITE), "but not written");
	hart.x[A1] = HUGE + 0x99990;
	stop = step(&hart, rv_sd(A2, A1, 0));
	CHECK(missed(&hart, stop, HUGE + 0x99990, VSVM_ISA_ACCESS_WRITE), "in any of its pages");
}

/* Atomics may be forbidden where stores are allowed, and from one TLB to the other */
static void test_no_atomic(void)
{
	const struct {
		u64 va;
		u64 page;
		u32 level;
	} leaves[] = {{0x620000000ULL, ram_page(m), 0}, {HUGE + (2 << 21), ram_huge(m), 1}};
	u32 i;

	for (i = 0; i < 2; i++) {
		struct vsvm_hart hart = {.x[A1] = leaves[i].va, .x[A2] = 5};
		u64 *word = ram_ptr(m, leaves[i].page);
		enum vsvm_stop stop;

		*word = 3;
		map(m, m->root, leaves[i].va, leaves[i].page | PTE_RW | VSVM_HW_PTE_NO_ATOMIC,
		    leaves[i].level);
		stop = step(&hart, rv_amoadd_d(A0, A2, A1));
		CHECK(missed(&hart, stop, leaves[i].va, VSVM_ISA_ACCESS_ATOMIC), "cold");
		EQUAL(step(&hart, rv_sd(A2, A1, 0)), VSVM_STOP_SLICE, "it can be written");
		stop = step(&hart, rv_amoadd_d(A0, A2, A1));
		CHECK(missed(&hart, stop, leaves[i].va, VSVM_ISA_ACCESS_ATOMIC), "warm");
		stop = step(&hart, rv_lr_d(A0, A1));
		CHECK(missed(&hart, stop, leaves[i].va, VSVM_ISA_ACCESS_ATOMIC), "lr.d");
		hart.x[A1] += leaves[i].level ? 4096 : 0;
		stop = step(&hart, rv_amoadd_d(A0, A2, A1));
		CHECK(missed(&hart, stop, hart.x[A1], VSVM_ISA_ACCESS_ATOMIC), "all of it");
		hart.x[A1] = leaves[i].va;
		EQUAL(*word, 5, "nothing was added");

		map(m, m->root, leaves[i].va, leaves[i].page | PTE_RW, leaves[i].level);
		flush();
		EQUAL(step(&hart, rv_amoadd_d(A0, A2, A1)), VSVM_STOP_SLICE, "allowed");
		EQUAL(*word, 10, "it was added");
	}
}

static void test_huge(void)
{
	const u64 va = HUGE + 2 * VSVM_HUGE_SIZE;
	struct vsvm_hart hart = {.x[A2] = 1};
	u64 misses, page;
	u8 *mem = map_new_huge(m, va);
	bool ok = true;
	u64 offset;

	flush();
	step(&hart, rv_addi(A0, A0, 0));
	misses = core.mmu.misses;
	for (offset = 0; offset < VSVM_HUGE_SIZE; offset += 4080) {
		hart.x[A1] = va + offset;
		hart.x[A2] = offset;
		ok &= step(&hart, rv_sd(A2, A1, 0)) == VSVM_STOP_SLICE;
		ok &= *(u64 *)(mem + offset) == offset;
	}
	CHECK(ok, "all of a 2 MiB leaf is written");
	/* Code is evicted from the first level by data at the same place in it */
	CHECK(core.mmu.misses - misses < 20, "it was walked once, and not for each page");

	/* A table takes the place of the leaf */
	page = ram_page(m);
	*(u64 *)ram_ptr(m, page) = 77;
	*map_entry(m, m->root, va, 1) = 0;
	map(m, m->root, va + 5 * VSVM_PAGE_SIZE, page | PTE_RW, 0);
	hart.x[A1] = va + 5 * VSVM_PAGE_SIZE;
	vsvm_mmu_flush(&core.mmu, 1, va + 5 * VSVM_PAGE_SIZE, va + 6 * VSVM_PAGE_SIZE);
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 77, "invalidation of one page forgets the 2 MiB leaf");
	hart.x[A1] = va + 0x100 * VSVM_PAGE_SIZE;
	vsvm_mmu_flush(&core.mmu, 1, va, va + VSVM_HUGE_SIZE);
	CHECK(missed(&hart, step(&hart, rv_ld(A0, A1, 0)), hart.x[A1], VSVM_ISA_ACCESS_READ),
	      "the other pages are not mapped any more");
}

/* What a load without an instruction, which would be translated as well, finds; or 0 */
static u64 load(u64 va)
{
	void *host;

	if (vsvm_mmu_translate(&core.mmu, va, VSVM_ISA_ACCESS_READ, &host) != VSVM_XLAT_OK)
		return 0;
	return *(u64 *)host;
}

/* What is flushed is found by its region, of which every 64th looks the same */
static void test_flush_regions(void)
{
	const u64 va = 0x740000000ULL + 5 * VSVM_HUGE_SIZE, huge = HUGE + 9 * VSVM_HUGE_SIZE;
	static const struct {
		const char *what;
		/* in regions, from the page */
		s64 start, end;
		bool forgotten;
	} cases[] = {
		{"its own region", 0, 1, true},
		{"the region before", -1, 0, false},
		{"the region behind", 1, 2, false},
		{"64 regions behind", 64, 65, false},
		{"64 regions before", -64, -63, false},
		{"this region and the one before", -1, 1, true},
		{"this region and the one behind", 0, 2, true},
		{"63 regions, the first of which is its own", 0, 63, true},
		{"64 regions, it is in the middle", -32, 32, true},
		{"129 regions, it is in the middle", -70, 59, true},
	};
	u64 page[2] = {ram_page(m), ram_page(m)}, offset;
	u32 i;

	*(u64 *)ram_ptr(m, page[0]) = 1;
	*(u64 *)ram_ptr(m, page[1]) = 2;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		flush();
		map(m, m->root, va, page[0] | PTE_RW, 0);
		load(va);
		map(m, m->root, va, page[1] | PTE_RW, 0);
		vsvm_mmu_flush(&core.mmu, 1, va + cases[i].start * VSVM_HUGE_SIZE,
			       va + cases[i].end * VSVM_HUGE_SIZE);
		EQUAL(load(va), cases[i].forgotten ? 2 : 1, "%s", cases[i].what);
		vsvm_mmu_flush(&core.mmu, 1, va, va + 1);
		EQUAL(load(va), 2, "%s, then the page alone", cases[i].what);
	}

	/* A leaf that only the second level has, since pages of another took the first */
	*(u64 *)map_new_huge(m, huge) = 3;
	map_new_huge(m, huge + VSVM_HUGE_SIZE);
	EQUAL(load(huge), 3, "a leaf of 2 MiB");
	for (offset = 0; offset < VSVM_HUGE_SIZE; offset += VSVM_PAGE_SIZE)
		load(huge + VSVM_HUGE_SIZE + offset);
	vsvm_mmu_flush(&core.mmu, 1, huge + VSVM_HUGE_SIZE, huge + 2 * VSVM_HUGE_SIZE);
	*map_entry(m, m->root, huge, 1) = 0;
	vsvm_mmu_flush(&core.mmu, 1, huge, huge + VSVM_HUGE_SIZE);
	EQUAL(load(huge), 0, "what only the second level has is found as well");
}

static void test_flush(void)
{
	const u64 va = 0x700000000ULL;
	struct vsvm_hart hart = {.x[A1] = va};
	u64 one = ram_page(m), two = ram_page(m), other_root = ram_page(m);

	*(u64 *)ram_ptr(m, one) = 1;
	*(u64 *)ram_ptr(m, two) = 2;
	map(m, m->root, va, one | PTE_RW, 0);
	step(&hart, rv_ld(A0, A1, 0));
	map(m, m->root, va, two | PTE_RW, 0);
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 1, "there is a TLB: an old translation is used");
	vsvm_mmu_flush(&core.mmu, 1, va - VSVM_PAGE_SIZE, va);
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 1, "a range that ends before keeps it");
	vsvm_mmu_flush(&core.mmu, 1, va + VSVM_PAGE_SIZE, va + 2 * VSVM_PAGE_SIZE);
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 1, "a range that starts behind keeps it");
	vsvm_mmu_flush(&core.mmu, 2, va, va + VSVM_PAGE_SIZE);
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 1, "another vmid keeps it");
	vsvm_mmu_flush(&core.mmu, 1, va + 4095, va + 4096);
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 2, "one byte of the page is enough to forget it");

	/* Two address spaces at once */
	map(m, other_root, va, one | PTE_RW, 0);
	map(m, other_root, CODE, *map_entry(m, m->root, CODE, 0), 0);
	vsvm_mmu_select(&core.mmu, 7, other_root);
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 1, "another address space has its own translation");
	vsvm_mmu_select(&core.mmu, 1, m->root);
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 2, "the first one has kept its");
	hart.x[A1] = va + VSVM_PAGE_SIZE;
	map(m, other_root, va + VSVM_PAGE_SIZE, one | PTE_RW, 0);
	vsvm_mmu_select(&core.mmu, 7, other_root);
	EQUAL(step(&hart, rv_ld(A0, A1, 0)), VSVM_STOP_SLICE, "a page in one address space");
	vsvm_mmu_select(&core.mmu, 1, m->root);
	CHECK(missed(&hart, step(&hart, rv_ld(A0, A1, 0)), hart.x[A1], VSVM_ISA_ACCESS_READ),
	      "can not be seen in another");
}

/* More pages than the TLB has entries */
static void test_conflicts(void)
{
	const u64 va = 0x800000000ULL;
	struct vsvm_hart hart = {};
	bool ok = true;
	u32 i, n;

	for (i = 0; i < 3 * VSVM_TLB_PAGES; i++) {
		u64 *mem = map_new(m, va + i * VSVM_PAGE_SIZE, 1);

		*mem = i;
	}
	for (n = 0; n < 2; n++) {
		for (i = 0; i < 3 * VSVM_TLB_PAGES; i++) {
			hart.x[A1] = va + i * VSVM_PAGE_SIZE;
			ok &= step(&hart, rv_ld(A0, A1, 0)) == VSVM_STOP_SLICE && hart.x[A0] == i;
		}
	}
	CHECK(ok, "three pages for each entry of the TLB");
	for (i = 0; i < 2 * VSVM_TLB_HUGE; i++)
		map(m, m->root, va + VSVM_HUGE_SIZE * (i + 8),
		    (RAM_BASE + (i % 2) * SZ_2M) | PTE_RO, 1);
	for (n = 0; n < 2; n++) {
		for (i = 0; i < 2 * VSVM_TLB_HUGE; i++) {
			hart.x[A1] = va + VSVM_HUGE_SIZE * (i + 8) + 64;
			ok &= step(&hart, rv_ld(A0, A1, 0)) == VSVM_STOP_SLICE;
			ok &= hart.x[A0] == *(u64 *)ram_ptr(m, RAM_BASE + (i % 2) * SZ_2M + 64);
		}
	}
	CHECK(ok, "two leaves of 2 MiB for each");
}

static void test_misaligned(void)
{
	static const u32 sizes[] = {2, 4, 8};
	static u32 (*const loads[])(u32, u32, s32) = {rv_lhu, rv_lwu, rv_ld};
	static u32 (*const stores[])(u32, u32, s32) = {rv_sh, rv_sw, rv_sd};
	const u64 va = 0x900000000ULL;
	struct vsvm_hart hart = {};
	u8 *page[2];
	u32 i, at, n;

	/* Not next to each other in memory */
	page[1] = map_new(m, va + VSVM_PAGE_SIZE, 1);
	page[0] = map_new(m, va, 1);

	for (i = 0; i < 3; i++) {
		bool load_ok = true, store_ok = true;

		for (at = 4096 - 2 * sizes[i]; at < 4096 + sizes[i]; at++) {
			u64 want = 0, got = 0;

			for (n = 0; n < 4096; n++) {
				page[0][n] = n * 7;
				page[1][n] = (n + 4096) * 7;
			}
			for (n = 0; n < sizes[i]; n++)
				want |= (u64)(u8)((at + n) * 7) << (8 * n);
			hart.x[A1] = va + at;
			load_ok &= step(&hart, loads[i](A0, A1, 0)) == VSVM_STOP_SLICE;
			load_ok &= hart.x[A0] == want;

			hart.x[A2] = 0xf1e2d3c4b5a69788;
			store_ok &= step(&hart, stores[i](A2, A1, 0)) == VSVM_STOP_SLICE;
			for (n = 0; n < sizes[i]; n++)
				got |= (u64)page[(at + n) / 4096][(at + n) % 4096] << (8 * n);
			store_ok &= !((got ^ hart.x[A2]) << (64 - 8 * sizes[i]));
			store_ok &= page[(at - 1) / 4096][(at - 1) % 4096] == (u8)((at - 1) * 7);
			n = at + sizes[i];
			store_ok &= page[n / 4096][n % 4096] == (u8)(n * 7);
		}
		CHECK(load_ok, "loads of %u bytes at every alignment and across pages", sizes[i]);
		CHECK(store_ok, "stores of %u bytes likewise", sizes[i]);
	}

	hart.x[A1] = va + 4095;
	page[0][4095] = 0x34;
	page[1][0] = 0x92;
	step(&hart, rv_lh(A0, A1, 0));
	EQUAL(hart.x[A0], 0xffffffffffff9234, "a misaligned load extends the sign");
}

static void test_crossing_faults(void)
{
	const u64 va = 0xa00000000ULL, border = va + VSVM_PAGE_SIZE;
	struct vsvm_hart hart = {.x[A1] = border - 3, .x[A2] = ~0ULL};
	enum vsvm_stop stop;
	u64 page;
	u8 *mem;

	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(missed(&hart, stop, border - 3, VSVM_ISA_ACCESS_READ), "the first page misses");
	mem = map_new(m, va, 1);
	stop = step(&hart, rv_ld(A0, A1, 0));
	CHECK(missed(&hart, stop, border, VSVM_ISA_ACCESS_READ), "then the second one");
	stop = step(&hart, rv_sd(A2, A1, 0));
	CHECK(missed(&hart, stop, border, VSVM_ISA_ACCESS_WRITE), "so does a store");
	EQUAL(mem[4093], 0, "which has not written its first half");
	page = ram_page(m);
	map(m, m->root, border, page | PTE_RO, 0);
	EQUAL(step(&hart, rv_ld(A0, A1, 0)), VSVM_STOP_SLICE, "the load is done");
	stop = step(&hart, rv_sd(A2, A1, 0));
	CHECK(missed(&hart, stop, border, VSVM_ISA_ACCESS_WRITE), "the store needs permission");
	EQUAL(mem[4093], 0, "and has still not written its first half");
	map(m, m->root, border, page | PTE_RW, 0);
	EQUAL(step(&hart, rv_sd(A2, A1, 0)), VSVM_STOP_SLICE, "the store is done");
	EQUAL(mem[4093], 0xff, "with its first half");
	EQUAL(((u8 *)ram_ptr(m, page))[4], 0xff, "and its second");
}

struct amo_case {
	const char *name;
	u32 (*word)(u32 rd, u32 rs2, u32 rs1);
	u32 (*twice)(u32 rd, u32 rs2, u32 rs1);
	u64 memory, operand;
	u64 want_word, want_double;
};

static void test_amo(void)
{
	/* Memory and operand of 64 bits; for .w the lower half of both */
	const struct amo_case cases[] = {
		{"amoadd", rv_amoadd_w, rv_amoadd_d, 0xffffffffffffffff, 2, 1, 1},
		{"amoadd carry", rv_amoadd_w, rv_amoadd_d, 0x00000001ffffffff, 1, 0,
		 0x0000000200000000},
		{"amoswap", rv_amoswap_w, rv_amoswap_d, 0x1111111122222222, 0x3333333344444444,
		 0x44444444, 0x3333333344444444},
		{"amoxor", rv_amoxor_w, rv_amoxor_d, 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0,
		 0xf0f0f0f0, 0xf0f0f0f0f0f0f0f0},
		{"amoor", rv_amoor_w, rv_amoor_d, 0xf0000000000000f0, 0x0f0000000000000f, 0xff,
		 0xff000000000000ff},
		{"amoand", rv_amoand_w, rv_amoand_d, 0xff000000000000ff, 0x0f0000000000000f, 0x0f,
		 0x0f0000000000000f},
		{"amomin", rv_amomin_w, rv_amomin_d, 0x0000000080000000, 5, 0x80000000, 5},
		{"amomin of -1", rv_amomin_w, rv_amomin_d, 7, 0xffffffffffffffff, 0xffffffff,
		 0xffffffffffffffff},
		{"amomax", rv_amomax_w, rv_amomax_d, 0x0000000080000000, 5, 5, 0x80000000},
		{"amomax of -1", rv_amomax_w, rv_amomax_d, 7, 0xffffffffffffffff, 7, 7},
		{"amominu", rv_amominu_w, rv_amominu_d, 0xffffffff00000001, 0x00000000fffffffe, 1,
		 0x00000000fffffffe},
		{"amomax of a negative word", rv_amomax_w, rv_amomax_d, 5, 0x80000000, 5,
		 0x80000000},
		{"amominu of a small word", rv_amominu_w, rv_amominu_d, 2, 0xf00000001, 1, 2},
		{"amominu of large", rv_amominu_w, rv_amominu_d, 0xffffffffffffffff,
		 0x8000000080000000, 0x80000000, 0x8000000080000000},
		{"amomaxu", rv_amomaxu_w, rv_amomaxu_d, 0xffffffff00000001, 0x00000000fffffffe,
		 0xfffffffe, 0xffffffff00000001},
		{"amomaxu of -1", rv_amomaxu_w, rv_amomaxu_d, 7, 0xffffffffffffffff, 0xffffffff,
		 0xffffffffffffffff},
	};
	const u64 va = 0xb00000000ULL;
	u64 *mem = map_new(m, va, 1);
	u32 i, aqrl;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct amo_case *c = &cases[i];

		for (aqrl = 0; aqrl < 4; aqrl++) {
			struct vsvm_hart hart = {.x[A1] = va, .x[A2] = c->operand};
			bool ok;

			mem[0] = c->memory;
			mem[1] = 0x55;
			ok = step(&hart, c->twice(A0, A2, A1) | aqrl << 25) == VSVM_STOP_SLICE;
			ok &= hart.x[A0] == c->memory && mem[0] == c->want_double && mem[1] == 0x55;
			CHECK(ok, "%s.d, aqrl %u", c->name, aqrl);

			hart.x[A1] = va + 4;
			mem[0] = c->memory << 32 | 0xabcd;
			ok = step(&hart, c->word(A0, A2, A1) | aqrl << 25) == VSVM_STOP_SLICE;
			ok &= hart.x[A0] == (u64)(s64)(s32)c->memory;
			ok &= mem[0] == (c->want_word << 32 | 0xabcd) && mem[1] == 0x55;
			CHECK(ok, "%s.w, aqrl %u", c->name, aqrl);

			/* rd is the address, rd is the operand */
			hart.x[A1] = va;
			mem[0] = c->memory;
			step(&hart, c->twice(A1, A2, A1));
			ok = hart.x[A1] == c->memory && mem[0] == c->want_double;
			hart.x[A1] = va;
			mem[0] = c->memory;
			step(&hart, c->twice(A2, A2, A1));
			ok &= hart.x[A2] == c->memory && mem[0] == c->want_double;
			CHECK(ok, "%s.d to a register of its own", c->name);
		}
	}
}

static enum vsvm_stop run(struct vsvm_hart *hart, const u32 *code, u32 count)
{
	u32 budget = count;

	hart->pc = CODE;
	load_code(m, CODE, code, count);
	return vsvm_rv64_run(&core, hart, &budget);
}

#define RUN(hart, ...) \
	run((hart), (const u32[]){__VA_ARGS__}, sizeof((const u32[]){__VA_ARGS__}) / 4)

static void test_lr_sc(void)
{
	const u64 va = 0xc00000000ULL;
	u64 *mem = map_new(m, va, 1);
	struct vsvm_hart hart = {.x[A1] = va, .x[A2] = 9, .x[A4] = va + 8};

	mem[0] = 0x1234567890;
	EQUAL(RUN(&hart, rv_lr_d(A0, A1), rv_sc_d(A3, A2, A1)), VSVM_STOP_SLICE, "lr.d, sc.d");
	EQUAL(hart.x[A0], 0x1234567890, "lr.d reads");
	EQUAL(hart.x[A3], 0, "sc.d succeeds");
	EQUAL(mem[0], 9, "sc.d writes");

	mem[0] = 0x1180000000;
	RUN(&hart, rv_lr_w(A0, A1), rv_sc_w(A3, A2, A1));
	EQUAL(hart.x[A0], 0xffffffff80000000, "lr.w extends the sign");
	EQUAL(hart.x[A3], 0, "sc.w succeeds");
	EQUAL(mem[0], 0x1100000009, "sc.w writes 32 bits");

	mem[0] = 1;
	RUN(&hart, rv_sc_d(A3, A2, A1));
	EQUAL(hart.x[A3], 1, "sc.d without reservation fails");
	EQUAL(mem[0], 1, "and does not write");
	RUN(&hart, rv_lr_d(A0, A1), rv_sd(A2, A1, 0), rv_sc_d(A3, X0, A1));
	EQUAL(hart.x[A3], 1, "sc.d after a store fails");
	EQUAL(mem[0], 9, "the store stays");
	mem[1] = mem[0];
	RUN(&hart, rv_lr_d(A0, A1), rv_sc_d(A3, A2, A4));
	EQUAL(hart.x[A3], 1, "sc.d to another address fails, whatever is there");
	RUN(&hart, rv_lr_d(A0, A1), rv_sc_w(A3, A2, A1));
	EQUAL(hart.x[A3], 1, "sc.w after lr.d fails");
	RUN(&hart, rv_lr_d(A0, A1), rv_sc_d(A3, A0, A1), rv_sc_d(A3, A0, A1));
	EQUAL(hart.x[A3], 1, "a reservation is used up by success");
	RUN(&hart, rv_lr_d(A0, A1), rv_sc_d(A3, A0, A4), rv_sc_d(A3, A0, A1));
	EQUAL(hart.x[A3], 1, "and by failure");
	RUN(&hart, rv_lr_d(A0, A4), rv_lr_d(A0, A1), rv_sc_d(A3, A0, A4));
	EQUAL(hart.x[A3], 1, "and by another reservation");
	RUN(&hart, rv_lr_d(A0, A1));
	RUN(&hart, rv_sc_d(A3, A0, A1));
	EQUAL(hart.x[A3], 1, "and by the end of a slice");
}

static void test_misaligned_atomics(void)
{
	const u64 va = 0xd00000000ULL;
	const struct {
		const char *name;
		u32 insn;
		u64 offset;
	} cases[] = {
		{"amoadd.w at 2", rv_amoadd_w(A0, A2, A1), 2},
		{"amoadd.d at 4", rv_amoadd_d(A0, A2, A1), 4},
		{"amoswap.w across pages", rv_amoswap_w(A0, A2, A1), 4094},
		{"lr.w at 1", rv_lr_w(A0, A1), 1},
		{"lr.d at 4", rv_lr_d(A0, A1), 4},
		{"sc.d at 4", rv_sc_d(A0, A2, A1), 4},
	};
	struct vsvm_hart hart = {};
	u64 *mem = map_new(m, va, 1);
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hart.x[A1] = va + cases[i].offset;
		hart.x[A2] = 1;
		CHECK(step(&hart, cases[i].insn) == VSVM_STOP_ERROR &&
			      hart.status == VSVM_ISA_STATUS_MISALIGNED,
		      "%s is misaligned", cases[i].name);
	}
	EQUAL(mem[0] | mem[1], 0, "they write nothing");
}

static void test_vram(void)
{
	const u64 va = 0xe00000000ULL;
	struct vsvm_block *block = vsvm_vmem_get_new(&vmem, VSVM_BLOCK_SIZE, true);
	struct vsvm_hart hart = {.x[A1] = va + 0x3450, .x[A2] = 0x77};

	map(m, m->root, va, VSVM_BLOCK_SIZE | PTE_VRAM, 1);
	EQUAL(step(&hart, rv_sd(A2, A1, 0)), VSVM_STOP_SLICE, "store to VRAM by a 2 MiB leaf");
	EQUAL(*(u64 *)((u8 *)block->mem + 0x3450), 0x77, "VRAM is written");
	map(m, m->root, va + VSVM_HUGE_SIZE, (VSVM_BLOCK_SIZE + 0x3000) | PTE_VRAM, 0);
	hart.x[A1] = va + VSVM_HUGE_SIZE + 0x450;
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(hart.x[A0], 0x77, "load from VRAM by a 4 KiB leaf");
	vsvm_vmem_put(block);
}

static void test_counters(void)
{
	struct vsvm_hart hart = {.x[A1] = DATA};
	u64 hits, misses;

	flush();
	vsvm_mmu_collect(&core.mmu);
	hits = core.mmu.hits;
	misses = core.mmu.misses;
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(core.mmu.misses - misses, 2, "a fetch and a load walk");
	vsvm_mmu_collect(&core.mmu);
	EQUAL(core.mmu.hits - hits, 0, "and do not hit");
	step(&hart, rv_ld(A0, A1, 0));
	EQUAL(core.mmu.misses - misses, 2, "then they do not walk");
	vsvm_mmu_collect(&core.mmu);
	EQUAL(core.mmu.hits - hits, 2, "and hit");
}

int main(void)
{
	m = machine_new();
	assert(!vsvm_vmem_init(&vmem, VRAM_SIZE));
	vsvm_mmu_init(&core.mmu, &machine_host, m, &vmem);
	vsvm_mmu_select(&core.mmu, 1, m->root);
	map_new(m, DATA, 1);

	test_empty();
	test_fetch();
	test_walk();
	test_bad_leaves();
	test_canonical();
	test_permission();
	test_no_atomic();
	test_huge();
	test_flush();
	test_flush_regions();
	test_conflicts();
	test_misaligned();
	test_crossing_faults();
	test_amo();
	test_lr_sc();
	test_misaligned_atomics();
	test_vram();
	test_counters();

	vsvm_vmem_fini(&vmem);
	machine_free(m);
	return test_finish();
}
