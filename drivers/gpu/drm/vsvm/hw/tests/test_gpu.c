// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/* The whole GPU: rings, work-groups, barriers, faults, compute units */

#include <assert.h>
#include <unistd.h>

#include "machine.h"
#include "rv.h"
#include "test.h"

#define CODE  0x10000ULL
#define DATA  0x20000ULL
#define LAZY  0x10000000ULL
#define STACK 0x7000000000ULL

static struct vsvm_hw_counters counters(struct machine *m)
{
	struct vsvm_hw_counters c;

	vsvm_hw_read_counters(m->hw, &c);
	return c;
}

static u32 new_ring(struct machine *m, u32 entries)
{
	int ring = vsvm_hw_ring_create(m->hw, m->vmid, entries);

	assert(ring >= 0);
	return ring;
}

/* Run one dispatch on a ring of its own */
static struct vsvm_hw_done run(struct machine *m, const struct vsvm_hw_dispatch *d)
{
	struct vsvm_hw_done done;
	u32 ring = new_ring(m, 4);

	EQUAL(vsvm_hw_ring_submit(m->hw, ring, d), 0, "submit");
	done = machine_wait(m, ring);
	vsvm_hw_ring_destroy(m->hw, ring);
	return done;
}

#define CODE_AT(m, va, ...) \
	load_code((m), (va), (const u32[]){__VA_ARGS__}, sizeof((const u32[]){__VA_ARGS__}) / 4)

/* Everything that a hart gets: stores its registers at arg + 128 * its number */
static void load_dump(struct machine *m)
{
	CODE_AT(m, CODE, rv_mul(T0, A5, A7), rv_add(T0, T0, A4), rv_slli(T0, T0, 7),
		rv_add(T0, T0, A0), rv_sd(A0, T0, 0), rv_sd(A1, T0, 8), rv_sd(A2, T0, 16),
		rv_sd(A3, T0, 24), rv_sd(A4, T0, 32), rv_sd(A5, T0, 40), rv_sd(A6, T0, 48),
		rv_sd(A7, T0, 56), rv_sd(SP, T0, 64), rv_sd(RA, T0, 72), rv_or(T1, S0, S11),
		rv_or(T1, T1, T6), rv_or(T1, T1, GP), rv_or(T1, T1, TP), rv_sd(T1, T0, 80),
		rv_ret());
}

static void test_registers(void)
{
	struct machine *m = machine_with_gpu(3, 32, 64);
	struct vsvm_hw_dispatch d = {
		.entry = CODE,
		.arg = DATA,
		.stack_base = STACK,
		.stack_size = 1000,
		.groups = {3, 2, 4},
		.group_size = {2, 3, 5},
		.cookie = 0xc00c1e,
	};
	u64 *mem = map_new(m, DATA, 24 * 30 * 128 / 4096 + 1);
	struct vsvm_hw_done done;
	bool ok[9];
	u64 g, i;

	load_dump(m);
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_OK, "a grid of 3x2x4 groups of 2x3x5 ends well");
	EQUAL(done.cookie, 0xc00c1e, "its cookie comes back");
	memset(ok, true, sizeof(ok));
	for (g = 0; g < 24; g++) {
		for (i = 0; i < 30; i++) {
			const u64 *r = mem + (g * 30 + i) * 16;

			ok[0] &= r[0] == DATA;
			ok[1] &= r[1] == g % 3 * 2 + i % 2;
			ok[2] &= r[2] == g / 3 % 2 * 3 + i / 2 % 3;
			ok[3] &= r[3] == g / 6 * 5 + i / 6;
			ok[4] &= r[4] == i && r[5] == g;
			ok[5] &= r[6] == 720 && r[7] == 30;
			ok[6] &= r[8] == ((STACK + (g % 3 * 32 + i + 1) * 1000) & ~15ULL);
			ok[7] &= r[9] == VSVM_ISA_RETURN_PC;
			ok[8] &= r[10] == 0;
		}
	}
	CHECK(ok[0], "a0 is the argument");
	CHECK(ok[1], "a1 is the global id in x");
	CHECK(ok[2], "a2 is the global id in y");
	CHECK(ok[3], "a3 is the global id in z");
	CHECK(ok[4], "a4 and a5 are the linear ids");
	CHECK(ok[5], "a6 and a7 are the sizes");
	CHECK(ok[6], "sp is the top of the stack of compute unit and hart");
	CHECK(ok[7], "ra ends the hart");
	CHECK(ok[8], "the others are zero");
	EQUAL(counters(m).instructions, 720 * 20, "instructions are counted exactly");
	machine_free(m);
}

static void test_errors(void)
{
	const struct {
		const char *name;
		u32 insn;
		u32 status;
	} cases[] = {
		{"illegal instruction", 0, VSVM_ISA_STATUS_ILLEGAL},
		{"ebreak", RV_EBREAK, VSVM_ISA_STATUS_BREAK},
		{"unknown ecall", RV_ECALL, VSVM_ISA_STATUS_ECALL},
		{"misaligned atomic", rv_amoadd_w(A0, A0, A1), VSVM_ISA_STATUS_MISALIGNED},
		{"misaligned jump", rv_jalr(X0, A1, 3), VSVM_ISA_STATUS_MISALIGNED},
	};
	struct machine *m = machine_with_gpu(2, 8, 8);
	struct vsvm_hw_dispatch d = grid(CODE, 0, 4, 4);
	struct vsvm_hw_done done;
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* The last hart fails; the others wait for it at a barrier */
		CODE_AT(m, CODE, rv_li(T0, 15), rv_beq(A1, T0, 16), rv_li(A7, 1), RV_ECALL,
			rv_ret(), rv_li(A7, 99), cases[i].insn);
		done = run(m, &d);
		EQUAL(done.status, cases[i].status, "%s", cases[i].name);
		EQUAL(done.pc, CODE + 24, "its pc");
		EQUAL(done.addr, 0, "no address");
	}

	d.entry = CODE + 2;
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_MISALIGNED, "misaligned entry");
	d.entry = VSVM_VA_END;
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_FAULT, "entry behind the address space");
	EQUAL(done.addr, VSVM_VA_END, "its address");
	EQUAL(done.access, VSVM_ISA_ACCESS_FETCH, "its access");
	machine_free(m);
}

static void test_fault_kinds(void)
{
	const struct {
		const char *name;
		u32 insn;
		u32 access;
	} cases[] = {
		{"load", rv_lbu(A0, A0, 0), VSVM_ISA_ACCESS_READ},
		{"store", rv_sb(A1, A0, 0), VSVM_ISA_ACCESS_WRITE},
		{"atomic", rv_amoadd_w(X0, A1, A0), VSVM_ISA_ACCESS_ATOMIC},
		{"jump", rv_jalr(RA, A0, 0), VSVM_ISA_ACCESS_FETCH},
	};
	struct vsvm_hw_dispatch d = grid(CODE, 0, 1, 1);
	struct vsvm_hw_done done;
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine *m = machine_with_gpu(1, 1, 4);

		CODE_AT(m, CODE, rv_addi(S0, RA, 0), cases[i].insn, rv_jalr(X0, S0, 0));
		d.arg = LAZY + 0x124;
		m->serve = serve_refuse;
		done = run(m, &d);
		EQUAL(done.status, VSVM_ISA_STATUS_FAULT, "%s refused: status", cases[i].name);
		EQUAL(done.access, cases[i].access, "access");
		EQUAL(done.addr, LAZY + 0x124, "address, to the byte");
		EQUAL(done.pc, i == 3 ? LAZY + 0x124 : CODE + 4, "pc");
		EQUAL(m->popped, 1, "one record");
		EQUAL(m->addr, LAZY, "with the address of the page");
		EQUAL(m->access, cases[i].access, "and the access");
		EQUAL(counters(m).faults, 1, "counted");

		/* The same again, served */
		m->serve = serve_map;
		if (i == 3)
			CODE_AT(m, LAZY + 0x124, rv_ret());
		done = run(m, &d);
		EQUAL(done.status, VSVM_ISA_STATUS_OK, "%s replayed", cases[i].name);
		EQUAL(counters(m).faults, i == 3 ? 1 : 2, "in one go");
		machine_free(m);
	}
}

/* Harts of a group on one page, each access its own record only if stronger */
static void test_shared_records(void)
{
	struct machine *m = machine_with_gpu(1, 64, 64);
	struct vsvm_hw_dispatch d = grid(CODE, LAZY, 1, 64);
	struct vsvm_hw_done done;
	u64 *mem, i;
	bool ok = true;

	/* *(arg + 8 * id) = id */
	CODE_AT(m, CODE, rv_slli(T0, A1, 3), rv_add(T0, T0, A0), rv_sd(A1, T0, 0), rv_ret());
	m->serve = serve_map;
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_OK, "64 harts write to one page");
	EQUAL(m->popped, 1, "they share a record");
	mem = ram_ptr(m, *map_entry(m, m->root, LAZY, 0) & VSVM_HW_PTE_ADDR);
	for (i = 0; i < 64; i++)
		ok &= mem[i] == i;
	CHECK(ok, "all of them have written");

	/* hart 0 writes, the others read */
	CODE_AT(m, CODE, rv_bne(A1, X0, 12), rv_sd(A1, A0, 0), rv_ret(), rv_ld(T0, A0, 0),
		rv_ret());
	d.arg = LAZY + 0x10000;
	m->popped = 0;
	run(m, &d);
	EQUAL(m->popped, 1, "readers share the record of a writer");

	/* hart 0 reads, the others write */
	CODE_AT(m, CODE, rv_bne(A1, X0, 12), rv_ld(A1, A0, 0), rv_ret(), rv_sd(T0, A0, 0),
		rv_ret());
	d.arg = LAZY + 0x20000;
	m->popped = 0;
	run(m, &d);
	EQUAL(m->popped, 2, "writers do not share the record of a reader");

	/* one page each */
	CODE_AT(m, CODE, rv_slli(T0, A1, 12), rv_add(T0, T0, A0), rv_sd(A1, T0, 0), rv_ret());
	d.arg = LAZY + 0x30000;
	m->popped = 0;
	run(m, &d);
	EQUAL(m->popped, 64, "64 pages need 64 records");
	machine_free(m);
}

/* More harts that miss than records */
static void test_full_buffer(void)
{
	struct machine *m = machine_with_gpu(4, 32, 1);
	struct vsvm_hw_dispatch d = grid(CODE, LAZY, 12, 32);
	u32 rings[3], i;
	bool ok = true;

	CODE_AT(m, CODE, rv_slli(T0, A1, 12), rv_add(T0, T0, A0), rv_sd(A1, T0, 0), rv_ret());
	m->serve = serve_map;
	for (i = 0; i < 3; i++) {
		rings[i] = new_ring(m, 2);
		d.arg = LAZY + i * 0x10000000ULL;
		assert(!vsvm_hw_ring_submit(m->hw, rings[i], &d));
	}
	for (i = 0; i < 3; i++) {
		struct vsvm_hw_done done = machine_wait(m, rings[i]);

		ok &= done.status == VSVM_ISA_STATUS_OK;
		vsvm_hw_ring_destroy(m->hw, rings[i]);
	}
	CHECK(ok, "a fault buffer of one record serves three rings on four compute units");
	EQUAL(m->popped, 3 * 12 * 32, "no record is lost and none doubled");
	EQUAL(counters(m).faults, 3 * 12 * 32, "as counted");
	for (i = 0; i < 3 * 12 * 32; i++) {
		u64 va = LAZY + i / 384 * 0x10000000ULL + i % 384 * 4096;

		ok &= *(u64 *)ram_ptr(m, *map_entry(m, m->root, va, 0) & VSVM_HW_PTE_ADDR) ==
		      i % 384;
	}
	CHECK(ok, "every hart has written its page");
	machine_free(m);
}

/* An answer that has not helped: the hart misses again */
static u32 lazy_answers;

static bool serve_third_time(struct machine *m, const struct vsvm_hw_fault *fault)
{
	return ++lazy_answers < 3 || serve_map(m, fault);
}

static void test_replay(void)
{
	struct machine *m = machine_with_gpu(1, 4, 4);
	struct vsvm_hw_dispatch d = grid(CODE, LAZY, 1, 1);
	struct vsvm_hw_fault fault = {};

	CODE_AT(m, CODE, rv_addi(T0, T0, 1), rv_sd(T0, A0, 0), rv_ret());
	m->serve = serve_third_time;
	EQUAL(run(m, &d).status, VSVM_ISA_STATUS_OK, "two answers without a mapping");
	EQUAL(m->popped, 3, "lead to a new record each");
	EQUAL(counters(m).instructions, 3, "a replayed instruction counts once");
	EQUAL(*(u64 *)ram_ptr(m, *map_entry(m, m->root, LAZY, 0) & VSVM_HW_PTE_ADDR), 1,
	      "and is executed once");
	vsvm_hw_fault_ack(m->hw, &fault, true);
	fault.serial = 77;
	vsvm_hw_fault_ack(m->hw, &fault, false);
	CHECK(!vsvm_hw_fault_pop(m->hw, &fault), "answers to nothing are ignored");
	machine_free(m);
}

/* Each hart adds its part, waits, and checks the sum of all; three times */
static void test_barrier(void)
{
	struct machine *m = machine_with_gpu(2, 128, 64);
	struct vsvm_hw_dispatch d = grid(CODE, DATA, 6, 100);
	u64 *mem = map_new(m, DATA, 1), i;
	struct vsvm_hw_done done;
	bool ok = true;

	/* counter of the group at arg + 8 * group; wrong sums go to arg + 2048 */
	CODE_AT(m, CODE, rv_slli(S0, A5, 3), rv_add(S0, S0, A0), rv_addi(S2, A0, 1024),
		rv_addi(S2, S2, 1024), rv_addi(S4, A7, 0), rv_li(S1, 1), rv_li(S3, 3),
		/* loop: the first hart comes late */
		rv_bne(A4, X0, 16), rv_lui(T2, 2), rv_addi(T2, T2, -1), rv_bne(T2, X0, -4),
		rv_amoadd_d(X0, S1, S0), rv_li(A7, 1), RV_ECALL, rv_ld(T0, S0, 0),
		rv_add(T1, T1, S4), rv_beq(T0, T1, 8), rv_amoadd_d(X0, S1, S2), RV_ECALL,
		rv_addi(S3, S3, -1), rv_bne(S3, X0, -52), rv_ret());
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_OK, "barriers let everybody through");
	EQUAL(mem[256], 0, "each time after all have come");
	for (i = 0; i < 6; i++)
		ok &= mem[i] == 300;
	CHECK(ok, "all harts of all groups were there");

	/* Odd harts end instead of coming */
	CODE_AT(m, CODE, rv_andi(T0, A4, 1), rv_beq(T0, X0, 8), rv_ret(), rv_li(A7, 1), RV_ECALL,
		rv_li(T0, 1), rv_amoadd_d(X0, T0, A0), rv_ret());
	mem[0] = 0;
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_OK, "harts that have ended are not waited for");
	EQUAL(mem[0], 300, "the others go on");

	/* Odd harts miss before they come */
	CODE_AT(m, CODE, rv_andi(T0, A4, 1), rv_beq(T0, X0, 16), rv_lui(T0, LAZY >> 12),
		rv_slli(T1, A1, 12), rv_add(T0, T0, T1), rv_sd(X0, T0, 0), rv_li(A7, 1), RV_ECALL,
		rv_li(T0, 1), rv_amoadd_d(X0, T0, A0), rv_ret());
	/* the branch skips to sd otherwise */
	CODE_AT(m, CODE + 4, rv_beq(T0, X0, 20));
	mem[0] = 0;
	m->serve = serve_map;
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_OK, "harts that fault are waited for");
	EQUAL(mem[0], 600, "then all go on");
	EQUAL(m->popped, 300, "after a fault each");
	/* Exit by ecall */
	CODE_AT(m, CODE, rv_li(A7, 0), RV_ECALL, RV_EBREAK);
	EQUAL(run(m, &d).status, VSVM_ISA_STATUS_OK, "ecall ends a hart");
	machine_free(m);
}

/* One hart spins until another one of its group has written */
static void test_spin(void)
{
	struct machine *m = machine_with_gpu(1, 8, 8);
	struct vsvm_hw_dispatch d = grid(CODE, DATA, 1, 8);

	map_new(m, DATA, 1);
	CODE_AT(m, CODE, rv_li(T0, 7), rv_beq(A1, T0, 16), rv_ld(T1, A0, 0), rv_beq(T1, X0, -4),
		rv_ret(), rv_sd(T0, A0, 0), rv_ret());
	EQUAL(run(m, &d).status, VSVM_ISA_STATUS_OK, "a hart that spins lets the others run");
	/* Two groups that wait for each other need two compute units */
	machine_free(m);
	m = machine_with_gpu(2, 1, 8);
	map_new(m, DATA, 1);
	d = grid(CODE, DATA, 2, 1);
	CODE_AT(m, CODE, rv_slli(T0, A1, 3), rv_add(T0, T0, A0), rv_li(T1, 1), rv_sd(T1, T0, 0),
		rv_xori(T0, T0, 8), rv_ld(T1, T0, 0), rv_beq(T1, X0, -4), rv_ret());
	EQUAL(run(m, &d).status, VSVM_ISA_STATUS_OK, "compute units run at the same time");
	machine_free(m);
}

static void test_atomics(void)
{
	struct machine *m = machine_with_gpu(4, 64, 64);
	struct vsvm_hw_dispatch d = grid(CODE, DATA, 16, 64);
	u64 *mem = map_new(m, DATA, 1);

	/* 100 times: amoadd.d to arg, lr/sc to arg + 8, amoadd.w to arg + 20 */
	CODE_AT(m, CODE, rv_li(S0, 100), rv_li(S1, 1), rv_addi(S2, A0, 8), rv_addi(S3, A0, 20),
		rv_amoadd_d(X0, S1, A0), rv_amoadd_w(X0, S1, S3), rv_lr_d(T0, S2),
		rv_addi(T0, T0, 1), rv_sc_d(T1, T0, S2), rv_bne(T1, X0, -12), rv_addi(S0, S0, -1),
		rv_bne(S0, X0, -28), rv_ret());
	assert(run(m, &d).status == VSVM_ISA_STATUS_OK);
	EQUAL(mem[0], 16 * 64 * 100, "amoadd.d on four compute units loses nothing");
	EQUAL(mem[1], 16 * 64 * 100, "nor does lr.d, sc.d");
	EQUAL(mem[2], (16ULL * 64 * 100) << 32, "nor does amoadd.w");
	machine_free(m);
}

static void test_ring(void)
{
	struct machine *m = machine_with_gpu(2, 4, 4);
	struct vsvm_hw_dispatch d = grid(CODE, DATA, 1, 1), bad;
	u32 ring = new_ring(m, 4), other;
	struct vsvm_hw_done done;
	u64 *mem = map_new(m, DATA, 1);
	bool ok = true;
	u32 i;

	EQUAL(vsvm_hw_ring_create(m->hw, m->vmid, 3), -EINVAL, "a ring of 3 entries");
	EQUAL(vsvm_hw_ring_create(m->hw, m->vmid, 0), -EINVAL, "a ring of none");
	EQUAL(vsvm_hw_ring_create(m->hw, 5, 4), -EINVAL, "a ring without address space");
	EQUAL(vsvm_hw_ring_create(m->hw, ~0u, 4), -EINVAL, "a ring without valid vmid");
	bad = grid(CODE, 0, 0, 1);
	EQUAL(vsvm_hw_ring_submit(m->hw, ring, &bad), -EINVAL, "a grid of no group");
	bad = grid(CODE, 0, 1, 0);
	EQUAL(vsvm_hw_ring_submit(m->hw, ring, &bad), -EINVAL, "a group of no hart");
	bad = grid(CODE, 0, 1, 5);
	EQUAL(vsvm_hw_ring_submit(m->hw, ring, &bad), -EINVAL, "a group that is too large");
	bad = grid(CODE, 0, ~0u, 1);
	bad.groups[1] = ~0u;
	bad.groups[2] = ~0u;
	EQUAL(vsvm_hw_ring_submit(m->hw, ring, &bad), -EINVAL, "a grid that is too large");
	bad = grid(CODE, 0, 1, 1u << 31);
	bad.group_size[1] = 2;
	EQUAL(vsvm_hw_ring_submit(m->hw, ring, &bad), -EINVAL, "a group size that overflows");
	EQUAL(vsvm_hw_ring_submit(m->hw, 99, &d), -EINVAL, "a ring that does not exist");
	CHECK(!vsvm_hw_ring_pop(m->hw, 99, &done), "has no done entry");
	CHECK(!vsvm_hw_ring_pop(m->hw, ring, &done), "an empty ring has none");

	/* Each dispatch: *arg = *arg * 10 + cookie. In order, many times around */
	CODE_AT(m, CODE, rv_andi(T2, A0, 15), rv_andi(A0, A0, -16), rv_ld(T0, A0, 0), rv_li(T1, 3),
		rv_mul(T0, T0, T1), rv_add(T0, T0, T2), rv_sd(T0, A0, 0), rv_ret());
	for (i = 0; i < 40; i++) {
		u64 want = mem[0];
		u32 n;

		for (n = 0; n < 4; n++) {
			d.cookie = i * 4 + n;
			d.arg = DATA | (i + n) % 16;
			want = want * 3 + (i + n) % 16;
			ok &= !vsvm_hw_ring_submit(m->hw, ring, &d);
		}
		ok &= vsvm_hw_ring_submit(m->hw, ring, &d) == -EBUSY;
		for (n = 0; n < 4; n++) {
			done = machine_wait(m, ring);
			ok &= done.status == VSVM_ISA_STATUS_OK && done.cookie == i * 4 + n;
		}
		ok &= mem[0] == want;
	}
	CHECK(ok, "a ring runs its dispatches in order, takes four, then is busy");

	/* The second of four fails */
	CODE_AT(m, CODE, rv_andi(T2, A0, 15), rv_bne(T2, X0, 8), rv_ret(), RV_EBREAK);
	for (i = 0; i < 4; i++) {
		d.cookie = i;
		d.arg = DATA | (i == 1);
		assert(!vsvm_hw_ring_submit(m->hw, ring, &d));
	}
	EQUAL(machine_wait(m, ring).status, VSVM_ISA_STATUS_OK, "the dispatch before an error");
	EQUAL(machine_wait(m, ring).status, VSVM_ISA_STATUS_BREAK, "the error");
	EQUAL(machine_wait(m, ring).status, VSVM_ISA_STATUS_KILLED, "the dispatch after it");
	done = machine_wait(m, ring);
	EQUAL(done.status, VSVM_ISA_STATUS_KILLED, "and the next");
	EQUAL(done.cookie, 3, "with its cookie");
	other = new_ring(m, 4);
	assert(!vsvm_hw_ring_submit(m->hw, ring, &d));
	EQUAL(machine_wait(m, ring).status, VSVM_ISA_STATUS_KILLED, "the ring stays stopped");
	d.arg = DATA;
	assert(!vsvm_hw_ring_submit(m->hw, other, &d));
	EQUAL(machine_wait(m, other).status, VSVM_ISA_STATUS_OK, "other rings go on");
	vsvm_hw_ring_destroy(m->hw, ring);
	vsvm_hw_ring_destroy(m->hw, ring);
	vsvm_hw_ring_destroy(m->hw, 9999);
	EQUAL(new_ring(m, 2), ring, "the id of a destroyed ring is used again");
	vsvm_hw_ring_destroy(m->hw, ring);
	vsvm_hw_ring_destroy(m->hw, other);
	machine_free(m);
}

static void test_endless(void)
{
	struct machine *m = machine_with_gpu(2, 8, 8);
	struct vsvm_hw_dispatch d = grid(CODE, DATA, 64, 8);
	u32 endless = new_ring(m, 2), ring = new_ring(m, 2);
	struct vsvm_hw_counters before, after;
	struct vsvm_hw_done done;

	map_new(m, DATA, 1);
	CODE_AT(m, CODE, rv_jal(X0, 0));
	CODE_AT(m, CODE + 0x100, rv_ret());
	assert(!vsvm_hw_ring_submit(m->hw, endless, &d));
	assert(!vsvm_hw_ring_submit(m->hw, endless, &d));
	d.entry = CODE + 0x100;
	assert(!vsvm_hw_ring_submit(m->hw, ring, &d));
	EQUAL(machine_wait(m, ring).status, VSVM_ISA_STATUS_OK,
	      "a ring runs beside an endless kernel on all compute units");
	CHECK(!vsvm_hw_ring_pop(m->hw, endless, &done), "which has not ended");
	EQUAL(vsvm_hw_tlb_invalidate(m->hw, m->vmid, 0, VSVM_VA_END, true), 0,
	      "its TLB can be invalidated");
	vsvm_hw_ring_destroy(m->hw, endless);
	vsvm_hw_ring_destroy(m->hw, ring);
	before = counters(m);
	EQUAL(vsvm_hw_tlb_invalidate(m->hw, m->vmid, 0, VSVM_VA_END, false), 0,
	      "an idle GPU is invalidated without waiting");
	after = counters(m);
	CHECK(before.instructions && before.instructions == after.instructions,
	      "a destroyed ring executes nothing");
	machine_free(m);
}

/* A halted GPU does nothing by itself, forgets VRAM without power, and goes on */
static void test_halt(void)
{
	struct machine *m = machine_with_gpu(2, 8, 8);
	struct vsvm_hw_dispatch d = grid(CODE, DATA, 2, 1), lazy = grid(CODE + 0x100, LAZY, 1, 1);
	struct vsvm_hw_copy copy = {.size = 4096, .flags = VSVM_HW_COPY_DST_VRAM};
	u32 endless = new_ring(m, 2), ring = new_ring(m, 2);
	u64 page = ram_page(m), *mem = map_new(m, DATA, 1), halted;
	struct vsvm_hw_fault fault;

	CODE_AT(m, CODE, rv_slli(T1, A1, 3), rv_add(T1, T1, A0), rv_addi(T0, T0, 1),
		rv_sd(T0, T1, 0), rv_jal(X0, -8));
	CODE_AT(m, CODE + 0x100, rv_sd(A0, A0, 0), rv_ret());
	assert(!vsvm_hw_ring_submit(m->hw, endless, &d));
	while (!__atomic_load_n(&mem[0], __ATOMIC_RELAXED) ||
	       !__atomic_load_n(&mem[1], __ATOMIC_RELAXED))
		usleep(1000);

	vsvm_hw_halt(m->hw);
	halted = counters(m).instructions;
	assert(!vsvm_hw_ring_submit(m->hw, ring, &lazy));
	usleep(20000);
	EQUAL(counters(m).instructions, halted, "nothing runs");
	CHECK(!vsvm_hw_fault_pop(m->hw, &fault), "nor faults");

	copy.src = page;
	*(u64 *)ram_ptr(m, page) = 0x1234;
	EQUAL(vsvm_hw_copy(m->hw, &copy, 1), 0, "the copy engine works");
	vsvm_hw_power_off(m->hw);
	EQUAL(counters(m).vram_blocks, 0, "VRAM has nothing");
	copy = (struct vsvm_hw_copy){.dst = page, .size = 4096, .flags = VSVM_HW_COPY_SRC_VRAM};
	EQUAL(vsvm_hw_copy(m->hw, &copy, 1), 0, "but reads");
	EQUAL(*(u64 *)ram_ptr(m, page), 0, "as zero");
	EQUAL(counters(m).instructions, halted, "and still nothing runs");

	m->serve = serve_map;
	vsvm_hw_run(m->hw);
	EQUAL(machine_wait(m, ring).status, VSVM_ISA_STATUS_OK, "what was submitted runs");
	EQUAL(m->popped, 1, "with its fault");
	while (counters(m).instructions < halted + 10000)
		usleep(1000);
	vsvm_hw_ring_destroy(m->hw, endless);
	vsvm_hw_ring_destroy(m->hw, ring);

	vsvm_hw_halt(m->hw);
	machine_free(m);
}

/* Destroy a ring whose harts are parked, with records in every state */
static void test_destroy_parked(void)
{
	struct machine *m = machine_with_gpu(2, 8, 1);
	struct vsvm_hw_dispatch d = grid(CODE, LAZY, 2, 8);
	struct vsvm_hw_fault taken, next = {};
	u32 ring = new_ring(m, 2), other;

	CODE_AT(m, CODE, rv_slli(T0, A1, 12), rv_add(T0, T0, A0), rv_sd(A1, T0, 0), rv_ret());
	assert(!vsvm_hw_ring_submit(m->hw, ring, &d));
	CHECK(machine_irq(m, VSVM_HW_IRQ_FAULT), "harts fault");
	CHECK(vsvm_hw_fault_pop(m->hw, &taken), "the driver takes a record");
	EQUAL(taken.vmid, m->vmid, "of the address space");
	vsvm_hw_ring_destroy(m->hw, ring);
	CHECK(!vsvm_hw_fault_pop(m->hw, &next), "the others are gone with their ring");
	vsvm_hw_fault_ack(m->hw, &taken, true);

	m->serve = serve_map;
	other = new_ring(m, 2);
	assert(!vsvm_hw_ring_submit(m->hw, other, &d));
	while (!vsvm_hw_fault_pop(m->hw, &next))
		machine_irq(m, VSVM_HW_IRQ_FAULT);
	/* The only record there is, used again */
	vsvm_hw_fault_ack(m->hw, &taken, false);
	vsvm_hw_fault_ack(m->hw, &next, m->serve(m, &next));
	EQUAL(machine_wait(m, other).status, VSVM_ISA_STATUS_OK,
	      "late answers do not reach the next ring");
	EQUAL(m->popped, 15, "whose other faults are served");
	vsvm_hw_ring_destroy(m->hw, other);
	machine_free(m);
}

/* The page of the first ring is never mapped, so that it wants records for ever */
static bool serve_second(struct machine *m, const struct vsvm_hw_fault *fault)
{
	return fault->addr == LAZY || serve_map(m, fault);
}

/* One record, and two rings that want it */
static void test_starving(void)
{
	struct machine *m = machine_with_gpu(1, 4, 1);
	struct vsvm_hw_dispatch d = grid(CODE, LAZY, 1, 1);
	u32 greedy = new_ring(m, 2), modest = new_ring(m, 2);

	CODE_AT(m, CODE, rv_slli(T0, A1, 12), rv_add(T0, T0, A0), rv_sd(X0, T0, 0), rv_ret());
	m->serve = serve_second;
	assert(!vsvm_hw_ring_submit(m->hw, greedy, &d));
	machine_irq(m, VSVM_HW_IRQ_FAULT);
	d = grid(CODE, LAZY + 0x10000, 1, 4);
	assert(!vsvm_hw_ring_submit(m->hw, modest, &d));
	machine_serve(m);
	EQUAL(machine_wait(m, modest).status, VSVM_ISA_STATUS_OK,
	      "a ring that faults without end does not keep records from another");
	vsvm_hw_ring_destroy(m->hw, greedy);

	/* Both want the same page; the second one comes while the first has its record */
	m->serve = serve_map;
	m->popped = 0;
	greedy = new_ring(m, 2);
	d = grid(CODE, LAZY + 0x20000, 1, 1);
	assert(!vsvm_hw_ring_submit(m->hw, greedy, &d));
	machine_irq(m, VSVM_HW_IRQ_FAULT);
	assert(!vsvm_hw_ring_submit(m->hw, modest, &d));
	usleep(20000);
	machine_serve(m);
	EQUAL(machine_wait(m, greedy).status, VSVM_ISA_STATUS_OK, "two rings want one page");
	EQUAL(machine_wait(m, modest).status, VSVM_ISA_STATUS_OK, "both get it");
	EQUAL(m->popped, 1, "by one fault, as the buffer was full for the second");

	/* Four harts want pages of one huge page */
	m->serve = serve_map_huge;
	m->popped = 0;
	d = grid(CODE, LAZY + SZ_2M, 1, 4);
	assert(!vsvm_hw_ring_submit(m->hw, modest, &d));
	EQUAL(machine_wait(m, modest).status, VSVM_ISA_STATUS_OK, "a full buffer, a huge page");
	EQUAL(m->popped, 1, "who had to wait for a record looks again first");
	vsvm_hw_ring_destroy(m->hw, greedy);
	vsvm_hw_ring_destroy(m->hw, modest);
	machine_free(m);
}

/* One of many faults is refused; the rest of the group is parked */
static bool serve_but_one(struct machine *m, const struct vsvm_hw_fault *fault)
{
	return fault->addr != LAZY + 5 * VSVM_PAGE_SIZE && serve_map(m, fault);
}

static void test_refuse_one(void)
{
	struct machine *m = machine_with_gpu(2, 8, 32);
	struct vsvm_hw_dispatch d = grid(CODE, LAZY, 2, 8);
	struct vsvm_hw_done done;

	CODE_AT(m, CODE, rv_slli(T0, A1, 12), rv_add(T0, T0, A0), rv_sd(A1, T0, 8), rv_li(A7, 1),
		RV_ECALL, rv_ret());
	m->serve = serve_but_one;
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_FAULT, "one refused fault ends the dispatch");
	EQUAL(done.addr, LAZY + 5 * VSVM_PAGE_SIZE + 8, "with its address");
	EQUAL(done.access, VSVM_ISA_ACCESS_WRITE, "and access");
	EQUAL(done.pc, CODE + 8, "and pc");
	machine_free(m);
}

/* What can be seen of a ring that a hart has stopped, and of the rest of the GPU */
static void test_observe(void)
{
	struct machine *m = machine_with_gpu(2, 8, 32);
	struct vsvm_hw_dispatch d = grid(CODE, LAZY, 2, 8);
	u32 ring = new_ring(m, 2), other = new_ring(m, 2);
	struct vsvm_hw_fault_state state;
	struct vsvm_hw_error error;
	u64 busy;

	CODE_AT(m, CODE, rv_slli(T0, A1, 12), rv_add(T0, T0, A0), rv_sd(A1, T0, 8), rv_li(A7, 1),
		RV_ECALL, rv_ret());
	EQUAL(vsvm_hw_vm_busy_ns(m->hw, m->vmid), 0, "a new address space was never busy");
	CHECK(!vsvm_hw_ring_error(m->hw, ring, &error), "a new ring has no error");

	m->serve = serve_but_one;
	assert(!vsvm_hw_ring_submit(m->hw, ring, &d));
	EQUAL(machine_wait(m, ring).status, VSVM_ISA_STATUS_FAULT, "a fault is refused");
	CHECK(vsvm_hw_ring_error(m->hw, ring, &error), "the ring knows its error");
	EQUAL(error.dispatch.entry, CODE, "the dispatch");
	EQUAL(error.group, 0, "the group");
	EQUAL(error.hart, 5, "the hart");
	EQUAL(error.cu, ring % 2, "the compute unit");
	EQUAL(error.pc, CODE + 8, "the pc");
	EQUAL(error.x[A0], LAZY, "a register");
	EQUAL(error.x[T0], LAZY + 5 * VSVM_PAGE_SIZE, "another register");
	vsvm_hw_read_faults(m->hw, &state);
	EQUAL(state.entries, 32, "size of the fault buffer");
	EQUAL(state.queued + state.taken + state.answered + state.starved, 0, "which is empty");
	CHECK(state.written >= m->popped, "records taken have been written");

	/* A hart that waits for an answer keeps no unit busy */
	d.arg = LAZY + SZ_2M;
	assert(!vsvm_hw_ring_submit(m->hw, other, &d));
	do {
		vsvm_hw_read_faults(m->hw, &state);
	} while (state.queued < 16);
	vsvm_hw_fault_pop(m->hw, &(struct vsvm_hw_fault){});
	vsvm_hw_read_faults(m->hw, &state);
	EQUAL(state.taken, 1, "one record is taken");
	EQUAL(state.queued, 15, "the others are not");
	busy = vsvm_hw_vm_busy_ns(m->hw, m->vmid);
	CHECK(busy, "it was busy");
	usleep(20000);
	EQUAL(vsvm_hw_vm_busy_ns(m->hw, m->vmid), busy, "and is not while its harts are parked");
	vsvm_hw_ring_destroy(m->hw, other);
	CHECK(!vsvm_hw_ring_error(m->hw, other, &error), "a ring that is gone has no error");
	vsvm_hw_ring_destroy(m->hw, ring);
	machine_free(m);
}

static void test_two_processes(void)
{
	struct machine *m = machine_with_gpu(2, 8, 32);
	u64 root = ram_page(m);
	int vmid = vsvm_hw_vm_create(m->hw, root);
	struct vsvm_hw_dispatch d = grid(CODE, DATA, 64, 8);
	u64 *mine = map_new(m, DATA, 1), *theirs;
	int one, two;
	u64 page;

	CHECK(vmid >= 0 && (u32)vmid != m->vmid, "a second address space");
	CODE_AT(m, CODE, rv_li(T0, 1), rv_amoadd_d(X0, T0, A0), rv_ret());
	map(m, root, CODE, *map_entry(m, m->root, CODE, 0), 0);
	page = ram_page(m);
	map(m, root, DATA, page | PTE_RW, 0);
	theirs = ram_ptr(m, page);
	one = vsvm_hw_ring_create(m->hw, m->vmid, 8);
	two = vsvm_hw_ring_create(m->hw, vmid, 8);
	assert(!vsvm_hw_ring_submit(m->hw, one, &d));
	assert(!vsvm_hw_ring_submit(m->hw, two, &d));
	assert(!vsvm_hw_ring_submit(m->hw, two, &d));
	machine_wait(m, one);
	machine_wait(m, two);
	machine_wait(m, two);
	EQUAL(*mine, 512, "each works in its own memory");
	EQUAL(*theirs, 1024, "at the same address and time");
	vsvm_hw_ring_destroy(m->hw, one);
	vsvm_hw_ring_destroy(m->hw, two);
	vsvm_hw_vm_destroy(m->hw, vmid);
	EQUAL(vsvm_hw_vm_create(m->hw, root), (u64)vmid, "a vmid is used again");
	vsvm_hw_vm_destroy(m->hw, vmid);
	machine_free(m);
}

/* Same work, same counts */
static void test_repeatable(void)
{
	u64 faults[2], misses[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		struct machine *m = machine_with_gpu(3, 16, 64);
		struct vsvm_hw_dispatch d = grid(CODE, LAZY, 20, 16);

		d.stack_base = STACK;
		d.stack_size = 4096;
		m->serve = serve_map;
		CODE_AT(m, CODE, rv_sd(A1, SP, -8), rv_slli(T0, A1, 9), rv_add(T0, T0, A0),
			rv_sd(A1, T0, 0), rv_ret());
		assert(run(m, &d).status == VSVM_ISA_STATUS_OK);
		/* all is mapped now */
		m->popped = 0;
		assert(run(m, &d).status == VSVM_ISA_STATUS_OK);
		faults[i] = m->popped;
		misses[i] = counters(m).instructions;
		machine_free(m);
	}
	EQUAL(faults[0], 0, "a second run on the same pages has no faults");
	EQUAL(faults[1], 0, "ever");
	EQUAL(misses[0], misses[1], "and executes the same number of instructions");
}

/* Accesses to system memory are counted by regions, those to VRAM are not */
static void test_accesses(void)
{
	struct machine *m = machine_with_gpu(1, 4, 8);
	const struct vsvm_hw_copy clear = {
		.size = VSVM_HUGE_SIZE,
		.flags = VSVM_HW_COPY_DST_VRAM | VSVM_HW_COPY_FILL_ZERO,
	};
	struct vsvm_hw_dispatch d = grid(CODE, 0x40000000, 1, 1);
	struct vsvm_hw_access a[8];
	u64 system = 0, vram = 0;
	u32 i, n;

	map_new_huge(m, 0x40000000);
	EQUAL(vsvm_hw_copy(m->hw, &clear, 1), 0, "VRAM is cleared");
	map(m, m->root, 0x40200000, PTE_VRAM, 1);
	/* 100 times a load and a store in system memory, and an atomic in VRAM */
	CODE_AT(m, CODE, rv_li(T0, 100), rv_lui(T1, 0x200), rv_add(T1, T1, A0), rv_ld(T2, A0, 8),
		rv_sd(T2, A0, 16), rv_amoadd_d(X0, T0, T1), rv_addi(T0, T0, -1),
		rv_bne(T0, X0, -16), rv_ret());
	EQUAL(run(m, &d).status, VSVM_ISA_STATUS_OK, "loads, stores and atomics");
	EQUAL(vsvm_hw_take_accesses(m->hw, 1, a, 8), 0, "no such compute unit");
	n = vsvm_hw_take_accesses(m->hw, 0, a, 8);
	for (i = 0; i < n; i++) {
		EQUAL(a[i].vmid, m->vmid, "a region of the address space");
		EQUAL(a[i].addr % VSVM_HUGE_SIZE, 0, "of 2 MiB");
		system += a[i].addr == 0x40000000 ? a[i].count : 0;
		vram += a[i].addr == 0x40200000 ? a[i].count : 0;
	}
	EQUAL(system, 200, "system memory is counted exactly");
	EQUAL(vram, 0, "VRAM is not");
	EQUAL(n, 2, "code and data are two regions");
	EQUAL(vsvm_hw_take_accesses(m->hw, 0, a, 8), 0, "what was read is cleared");
	EQUAL(run(m, &d).status, VSVM_ISA_STATUS_OK, "once more");
	vsvm_hw_tlb_invalidate(m->hw, m->vmid, 0, VSVM_VA_END, true);
	EQUAL(vsvm_hw_take_accesses(m->hw, 0, a, 1), 1, "as many as fit");
	EQUAL(vsvm_hw_take_accesses(m->hw, 0, a + 1, 7), 1, "and the rest");
	EQUAL(a[0].addr == 0x40000000 ? a[0].count : a[1].count, 200, "also after a flush");
	machine_free(m);
}

/* When counters do not suffice, those with many accesses stay */
static void test_many_regions(void)
{
	struct vsvm_counters *c = calloc(1, sizeof(*c));
	struct vsvm_hw_access *a = calloc(2048, sizeof(*a));
	u64 i, n, hot = 0;

	assert(c && a);
	for (i = 0; i < 100; i++)
		vsvm_counter_add(c, 3, i << 21, 1000 + i);
	for (i = 0; i < 100000; i++)
		vsvm_counter_add(c, 3, (1000 + i) << 21, 1 + i % 7);
	n = vsvm_counter_take(c, a, 2048);
	EQUAL(n, VSVM_COUNTER_SETS * VSVM_COUNTER_WAYS, "all counters are in use");
	for (i = 0; i < n; i++)
		hot += a[i].addr < 100ULL << 21 && a[i].count == 1000 + (a[i].addr >> 21);
	EQUAL(hot, 100, "100 regions with many accesses are not lost to 100000 others");
	free(a);
	free(c);
}

/* Each hart stores its id and reads that of its counterpart in the group */
static void test_local(void)
{
	struct machine *m = machine_with_gpu(2, 128, 64);
	struct vsvm_hw_dispatch d = grid(CODE, DATA, 6, 100);
	u64 *mem = map_new(m, DATA, 1);
	struct vsvm_hw_done done;

	CODE_AT(m, CODE, rv_li(T0, 1), rv_slli(T0, T0, 47), rv_slli(T1, A4, 3), rv_add(T1, T1, T0),
		rv_sd(A1, T1, 0), rv_addi(S4, A7, -1), rv_sub(S4, S4, A4), rv_li(A7, 1), RV_ECALL,
		rv_slli(T1, S4, 3), rv_add(T1, T1, T0), rv_ld(T2, T1, 0), rv_sub(S1, A1, A4),
		rv_add(S1, S1, S4), rv_bne(T2, S1, 12), rv_li(T0, 1), rv_amoadd_d(X0, T0, A0),
		rv_ret());
	d.local_size = 800;
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_OK, "local memory can be used");
	EQUAL(mem[0], 600, "each hart reads what another of its group has stored");

	/* Atomically, at the end of the last page, and a byte behind it */
	CODE_AT(m, CODE, rv_li(T0, 1), rv_slli(T0, T0, 47), rv_lui(T1, 2), rv_add(T0, T0, T1),
		rv_li(T1, 1), rv_amoadd_d(X0, T1, A0), rv_addi(T2, T0, -8), rv_amoadd_d(X0, T1, T2),
		rv_sd(T1, T0, -1), rv_ret());
	mem[0] = 0;
	d.local_size = 4097;
	done = run(m, &d);
	EQUAL(done.status, VSVM_ISA_STATUS_FAULT, "there is an end of it");
	EQUAL(done.addr, VSVM_ISA_LOCAL_BASE + 8192, "after whole pages");
	EQUAL(done.access, VSVM_ISA_ACCESS_WRITE, "where a store crosses it");
	CHECK(mem[0] >= 1, "and not before");

	d.local_size = VSVM_MAX_LOCAL + 1;
	EQUAL(vsvm_hw_ring_submit(m->hw, 0, &d), -EINVAL, "too much of it is refused");
	machine_free(m);
}

static void test_config(void)
{
	const struct vsvm_hw_config good = {VRAM_SIZE, 1, 1, 1, 0, "test"};
	struct vsvm_hw_config config;
	struct machine *m = machine_new();
	struct vsvm_hw *hw;
	int i, vmid = 0;

#define BAD(field, value)                                                                 \
	do {                                                                              \
		config = good;                                                            \
		config.field = (value);                                                   \
		EQUAL(PTR_ERR(vsvm_hw_create(&config, &machine_host, m)), (u64) - EINVAL, \
		      #field " of " #value);                                              \
	} while (0)
	BAD(vram_size, 0);
	BAD(vram_size, SZ_2M + 4096);
	BAD(num_cus, 0);
	BAD(num_cus, 65);
	BAD(max_group, 0);
	BAD(max_group, 1025);
	BAD(fault_entries, 0);
	BAD(fault_entries, 3);
	BAD(max_local, 2048);
	BAD(max_local, VSVM_MAX_LOCAL + VSVM_PAGE_SIZE);

	config = (struct vsvm_hw_config){1ULL << 40, 64, 1024, 1024, 0, "big"};
	hw = vsvm_hw_create(&config, &machine_host, m);
	if (!CHECK(!IS_ERR(hw), "1 TiB of VRAM, 64 compute units"))
		return;
	for (i = 0; vmid >= 0; i++)
		vmid = vsvm_hw_vm_create(hw, m->root);
	EQUAL(vmid, -ENOSPC, "address spaces run out");
	EQUAL(i, VSVM_MAX_VMS + 1, "after %u", VSVM_MAX_VMS);
	vsvm_hw_destroy(hw);
	machine_free(m);
}

int main(void)
{
	test_registers();
	test_errors();
	test_fault_kinds();
	test_shared_records();
	test_full_buffer();
	test_replay();
	test_barrier();
	test_local();
	test_spin();
	test_atomics();
	test_ring();
	test_endless();
	test_halt();
	test_destroy_parked();
	test_starving();
	test_refuse_one();
	test_observe();
	test_two_processes();
	test_repeatable();
	test_accesses();
	test_many_regions();
	test_config();
	return test_finish();
}
