// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/* RV64F and RV64D, bit by bit and flag by flag against the host */

#include <assert.h>
#include <inttypes.h>

#include "fp_host.h"
#include "machine.h"
#include "rv.h"
#include "test.h"

#define CODE 0x10000ULL
#define DATA 0x20000ULL
#define BOX  0xffffffff00000000ULL

/* Both have to be there in each test: the FPU, and integers */
#define WAYS 2

static const char *const way_names[WAYS] = {"FPU", "integers"};

static struct machine *m;
static struct vsvm_vmem vmem;
static struct vsvm_core core;
static u8 *data;

static u64 random_state = 88172645463325252ULL;

static u64 random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static enum vsvm_stop run(struct vsvm_hart *hart, const u32 *code, u32 count)
{
	u32 budget = count;

	hart->pc = CODE;
	load_code(m, CODE, code, count);
	return vsvm_rv64_run(&core, hart, &budget);
}

static enum vsvm_stop step(struct vsvm_hart *hart, u32 insn)
{
	return run(hart, &insn, 1);
}

static u64 box(bool dbl, u64 bits)
{
	return dbl ? bits : bits | BOX;
}

static u32 encode(u32 op, bool dbl, u32 type, u32 rm)
{
	switch (op) {
	case VSVM_FP_SQRT: return rv_fp(0x0b, dbl, rm, 10, 11, 0);
	case VSVM_FP_CVT_FORMAT: return rv_fp(0x08, dbl, rm, 10, 11, !dbl);
	case VSVM_FP_CVT_TO_INT: return rv_fp(0x18, dbl, rm, A0, 11, type);
	case VSVM_FP_CVT_FROM_INT: return rv_fp(0x1a, dbl, rm, 10, A1, type);
	default:
		if (op >= VSVM_FP_MADD)
			return rv_fma(op - VSVM_FP_MADD, dbl, rm, 10, 11, 12, 13);
		return rv_fp(op, dbl, rm, 10, 11, 12);
	}
}

/* One operation on the GPU; by the mode of the instruction or by that of fcsr */
static struct fp_result on_gpu(u32 op, bool dbl, u32 type, u64 a, u64 b, u64 c, u32 rm,
			       bool dynamic)
{
	bool dbl_a = op == VSVM_FP_CVT_FORMAT ? !dbl : dbl;
	struct vsvm_hart hart = {
		.f = {[11] = box(dbl_a, a), [12] = box(dbl, b), [13] = box(dbl, c)},
		.x = {[A1] = a},
		.fcsr = dynamic ? rm << 5 : 0,
	};
	struct fp_result r;

	if (step(&hart, encode(op, dbl, type, dynamic ? VSVM_FP_DYN : rm)) != VSVM_STOP_SLICE)
		return (struct fp_result){0xdead, ~0u};
	r.bits = hart.f[10];
	if (op == VSVM_FP_CVT_TO_INT)
		r.bits = hart.x[A0];
	else if (!dbl)
		r.bits = hart.f[10] >= BOX ? (u32)hart.f[10] : 0xdeadbeefdead;
	r.flags = hart.fcsr & VSVM_FP_FLAGS;
	return r;
}

static const u64 doubles[] = {
	0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x800fffffffffffff,
	0x0010000000000000, 0x8010000000000001, 0x001fffffffffffff, 0x3fe0000000000000,
	0x3ff0000000000000, 0xbff0000000000000, 0x3ff0000000000001, 0xbfefffffffffffff,
	0x3ff8000000000000, 0xc004000000000000, 0x3ca0000000000000, 0x41dfffffffe00000,
	0x41e0000000000000, 0xc1e0000000000000, 0x41effffffff00000, 0x43e0000000000000,
	0xc3e0000000000000, 0x43f0000000000000, 0x36a0000000000000, 0x3810000000000000,
	0x380fffffffffffff, 0x380fffffe0000000, 0x380ffffff0000000, 0x47efffffe0000000,
	0x47effffff0000000, 0x7fefffffffffffff, 0xffefffffffffffff, 0x7ff0000000000000,
	0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000001234, 0x7ff0000000000001,
};

static const u64 singles[] = {
	0x00000000, 0x80000000, 0x00000001, 0x807fffff, 0x00800000, 0x80800001,
	0x00ffffff, 0x3f000000, 0x3f800000, 0xbf800000, 0x3f800001, 0xbf7fffff,
	0x3fc00000, 0xc0200000, 0x33800000, 0x4effffff, 0x4f000000, 0xcf000000,
	0x4f7fffff, 0x5f000000, 0xdf000000, 0x5f7fffff, 0x5f800000, 0x7f7fffff,
	0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc01234, 0x7f800001,
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static u64 special(bool dbl, u32 i)
{
	return dbl ? doubles[i] : singles[i];
}

static u32 specials(bool dbl)
{
	return dbl ? LENGTH(doubles) : LENGTH(singles);
}

/* Numbers of all kinds; many are near to others, or have few bits and so lie half way */
static u64 random_operand(bool dbl)
{
	u32 exp_bits = dbl ? 11 : 8, frac = dbl ? 52 : 23;
	u64 r = random_bits(), sign = (r & 1) << (exp_bits + frac), exp, sig;

	r >>= 1;
	if (r % 8 == 0)
		return special(dbl, (r >> 8) % specials(dbl));
	exp = random_bits() & ((1ULL << exp_bits) - 1);
	if (r % 8 < 4)
		exp = (1ULL << (exp_bits - 1)) - 1 + random_bits() % (frac * 2 + 4) - frac;
	else if (r % 8 == 4)
		exp = random_bits() % 4;
	else if (r % 8 == 5)
		exp = (1ULL << exp_bits) - 1 - random_bits() % 4;
	sig = random_bits() & ((1ULL << frac) - 1);
	if (r >> 8 & 1)
		sig &= ~0ULL << random_bits() % frac;
	else if (r >> 9 & 1)
		sig |= (1ULL << random_bits() % frac) - 1;
	return sign | exp << frac | (sig & ((1ULL << frac) - 1));
}

struct operation {
	const char *name;
	u32 op;
	u32 type;
	u32 operands;
};

static const struct operation operations[] = {
	{"add", VSVM_FP_ADD, 0, 2},
	{"sub", VSVM_FP_SUB, 0, 2},
	{"mul", VSVM_FP_MUL, 0, 2},
	{"div", VSVM_FP_DIV, 0, 2},
	{"sqrt", VSVM_FP_SQRT, 0, 1},
	{"madd", VSVM_FP_MADD, 0, 3},
	{"msub", VSVM_FP_MSUB, 0, 3},
	{"nmsub", VSVM_FP_NMSUB, 0, 3},
	{"nmadd", VSVM_FP_NMADD, 0, 3},
	{"cvt of the other format", VSVM_FP_CVT_FORMAT, 0, 1},
	{"cvt to w", VSVM_FP_CVT_TO_INT, VSVM_FP_W, 1},
	{"cvt to wu", VSVM_FP_CVT_TO_INT, VSVM_FP_WU, 1},
	{"cvt to l", VSVM_FP_CVT_TO_INT, VSVM_FP_L, 1},
	{"cvt to lu", VSVM_FP_CVT_TO_INT, VSVM_FP_LU, 1},
	{"cvt from w", VSVM_FP_CVT_FROM_INT, VSVM_FP_W, 1},
	{"cvt from wu", VSVM_FP_CVT_FROM_INT, VSVM_FP_WU, 1},
	{"cvt from l", VSVM_FP_CVT_FROM_INT, VSVM_FP_L, 1},
	{"cvt from lu", VSVM_FP_CVT_FROM_INT, VSVM_FP_LU, 1},
};

static bool same(const struct operation *o, bool dbl, const u64 *v, u32 rm, u32 way)
{
	struct fp_result want = fp_host(o->op, dbl, o->type, v[0], v[1], v[2], rm);
	struct fp_result got;

	core.fpu.off = way;
	got = on_gpu(o->op, dbl, o->type, v[0], v[1], v[2], rm, random_bits() & 1);
	if (got.bits == want.bits && got.flags == want.flags)
		return true;
	printf("# %s %s rm %u of %" PRIx64 " %" PRIx64 " %" PRIx64 ": got %" PRIx64 " flags %x, "
	       "want %" PRIx64 " flags %x\n",
	       o->name, way_names[way], rm, v[0], v[1], v[2], got.bits, got.flags, want.bits,
	       want.flags);
	return false;
}

/* All combinations of special operands, then many random ones */
static bool next_operands(const struct operation *o, bool dbl, u32 n, u64 *v)
{
	bool of_int = o->op == VSVM_FP_CVT_FROM_INT;
	bool dbl_a = o->op == VSVM_FP_CVT_FORMAT ? !dbl : dbl;
	u32 count = specials(dbl_a), i, left = n;

	memset(v, 0, 3 * sizeof(*v));
	for (i = 0; i < o->operands; i++, left /= count)
		v[i] = special(dbl_a, left % count);
	if (left || of_int) {
		for (i = 0; i < o->operands; i++)
			v[i] = random_operand(dbl_a);
		if (of_int)
			v[0] = (u64)((s64)random_bits() >> random_bits() % 64) +
			       (1ULL << random_bits() % 63) * (random_bits() % 3);
	}
	/* Factors of about the inverse: sums that cancel */
	if (left && o->operands == 3 && n % 4 == 0) {
		struct fp_result p = fp_host(VSVM_FP_MUL, dbl, 0, v[0], v[1], 0, n / 4 % 4);

		v[2] = p.bits ^ (n / 16 % 2 ? dbl ? 1ULL << 63 : 1U << 31 : 0);
	}
	return left < 2 || n < 60000;
}

static void test_operation(const struct operation *o, bool dbl)
{
	u32 bad = 0, n, rm, way;
	u64 v[3], done = 0;

	for (n = 0; next_operands(o, dbl, n, v) && n < 120000; n++) {
		for (rm = VSVM_FP_RNE; rm <= VSVM_FP_RMM; rm++) {
			/* The FPU is in use for these only */
			for (way = o->op > VSVM_FP_SQRT; way < WAYS && bad < 5; way++, done++)
				bad += !same(o, dbl, v, rm, way);
		}
	}
	CHECK(!bad && done > 100000, "%s of %s: %" PRIu64 " results and flags are as on the host",
	      o->name, dbl ? "double" : "single", done);
}

/* Minimum, maximum, comparisons, by their definition */
struct fp_parts {
	bool nan, snan;
	double x;
	bool sign;
};

static struct fp_parts parts(bool dbl, u64 bits)
{
	const struct vsvm_fp_format *f = dbl ? &vsvm_fp_double : &vsvm_fp_single;
	u64 inf = vsvm_fp_inf(f, false), abs = bits & (f->sign - 1);
	struct fp_parts p = {.nan = abs > inf, .sign = bits & f->sign};
	u32 low = bits;
	float single;

	p.snan = p.nan && !(abs >> (f->frac - 1) & 1);
	memcpy(&single, &low, sizeof(single));
	if (!p.nan && dbl)
		memcpy(&p.x, &bits, sizeof(p.x));
	else if (!p.nan)
		p.x = single;
	return p;
}

static bool compared_well(bool dbl, u64 a, u64 b, u32 f3)
{
	struct vsvm_hart hart = {.f = {[11] = box(dbl, a), [12] = box(dbl, b)}};
	struct fp_parts x = parts(dbl, a), y = parts(dbl, b);
	bool nan = x.nan || y.nan, want;
	u32 flags = x.snan || y.snan || (nan && f3 != 2) ? VSVM_FP_NV : 0;

	want = !nan && (f3 == 0 ? x.x <= y.x : f3 == 1 ? x.x < y.x : x.x == y.x);
	return step(&hart, rv_fp(0x14, dbl, f3, A0, 11, 12)) == VSVM_STOP_SLICE &&
	       hart.x[A0] == want && hart.fcsr == flags;
}

static bool chosen_well(bool dbl, u64 a, u64 b, bool max)
{
	struct vsvm_hart hart = {.f = {[11] = box(dbl, a), [12] = box(dbl, b)}};
	const struct vsvm_fp_format *f = dbl ? &vsvm_fp_double : &vsvm_fp_single;
	struct fp_parts x = parts(dbl, a), y = parts(dbl, b);
	bool less = x.x < y.x || (x.x == y.x && x.sign && !y.sign);
	u64 want = less != max ? a : b;

	if (x.nan || y.nan)
		want = !x.nan ? a : !y.nan ? b : f->nan;
	return step(&hart, rv_fp(0x05, dbl, max, 10, 11, 12)) == VSVM_STOP_SLICE &&
	       hart.f[10] == box(dbl, want) && hart.fcsr == (x.snan || y.snan ? VSVM_FP_NV : 0);
}

static bool signed_well(bool dbl, u64 a, u64 b, u32 f3)
{
	struct vsvm_hart hart = {.f = {[11] = box(dbl, a), [12] = box(dbl, b)}};
	u64 sign = dbl ? 1ULL << 63 : 1U << 31, s = b & sign;

	if (f3)
		s = f3 == 1 ? ~b & sign : (a ^ b) & sign;
	return step(&hart, rv_fp(0x04, dbl, f3, 10, 11, 12)) == VSVM_STOP_SLICE &&
	       hart.f[10] == box(dbl, (a & ~sign) | s) && !hart.fcsr;
}

static void test_compare(bool dbl)
{
	u32 count = specials(dbl), n;
	bool cmp = true, min = true, sgn = true;

	for (n = 0; n < 20000; n++) {
		u64 a = random_operand(dbl);
		u64 b = n % 4 ? random_operand(dbl) : a;

		if (n < count * count) {
			a = special(dbl, n % count);
			b = special(dbl, n / count);
		}
		cmp &= compared_well(dbl, a, b, n % 3);
		cmp &= compared_well(dbl, a, b, (n + 1) % 3) &&
		       compared_well(dbl, a, b, (n + 2) % 3);
		min &= chosen_well(dbl, a, b, false) && chosen_well(dbl, a, b, true);
		sgn &= signed_well(dbl, a, b, n % 3) && signed_well(dbl, a, b, (n + 1) % 3);
	}
	CHECK(cmp, "comparisons of %s", dbl ? "double" : "single");
	CHECK(min, "minimum and maximum of %s", dbl ? "double" : "single");
	CHECK(sgn, "signs of %s", dbl ? "double" : "single");
}

static void test_class(void)
{
	const struct {
		bool dbl;
		u64 bits;
		u32 bit;
	} cases[] = {
		{true, 0xfff0000000000000, 0},
		{true, 0xbff0000000000000, 1},
		{true, 0x800fffffffffffff, 2},
		{true, 0x8000000000000000, 3},
		{true, 0, 4},
		{true, 0x0000000000000001, 5},
		{true, 0x0010000000000000, 6},
		{true, 0x7ff0000000000000, 7},
		{true, 0x7ff7ffffffffffff, 8},
		{true, 0xfff8000000000000, 9},
		{false, BOX | 0xff800000, 0},
		{false, BOX | 0xff7fffff, 1},
		{false, BOX | 0x80000001, 2},
		{false, BOX | 0x80000000, 3},
		{false, BOX, 4},
		{false, BOX | 0x007fffff, 5},
		{false, BOX | 0x00800000, 6},
		{false, BOX | 0x7f800000, 7},
		{false, BOX | 0xffbfffff, 8},
		{false, BOX | 0x7fc00000, 9},
		{false, 0x3ff00000, 9},
	};
	u32 i;

	for (i = 0; i < LENGTH(cases); i++) {
		struct vsvm_hart hart = {.f[11] = cases[i].bits};

		step(&hart, rv_fp(0x1c, cases[i].dbl, 1, A0, 11, 0));
		EQUAL(hart.x[A0], 1U << cases[i].bit, "class of %" PRIx64, cases[i].bits);
		EQUAL(hart.fcsr, 0, "and no flag");
	}
}

static void test_boxing(void)
{
	struct vsvm_hart hart = {.f = {[11] = 0x3f800000, [12] = BOX | 0x40000000}};
	u32 way;

	for (way = 0; way < WAYS; way++) {
		core.fpu.off = way;
		step(&hart, rv_fp(0x00, 0, 0, 10, 11, 12));
		EQUAL(hart.f[10], BOX | 0x7fc00000, "%s: a single that is not boxed is a NaN",
		      way_names[way]);
		step(&hart, rv_fp(0x00, 0, 0, 10, 12, 12));
		EQUAL(hart.f[10], BOX | 0x40800000, "%s: a result is boxed", way_names[way]);
	}
	step(&hart, rv_fp(0x04, 0, 1, 10, 11, 12));
	EQUAL(hart.f[10], BOX | 0xffc00000, "also for fsgnjn");
	step(&hart, rv_fp(0x05, 0, 0, 10, 11, 12));
	EQUAL(hart.f[10], BOX | 0x40000000, "and for fmin");
	step(&hart, rv_fp(0x08, 1, 0, 10, 11, 0));
	EQUAL(hart.f[10], 0x7ff8000000000000, "and for fcvt.d.s");
	step(&hart, rv_fma(0, 0, 0, 10, 11, 12, 12));
	EQUAL(hart.f[10], BOX | 0x7fc00000, "and for fmadd");
	EQUAL(hart.fcsr, 0, "these NaNs are quiet");
	step(&hart, rv_fp(0x1c, 0, 0, A0, 11, 0));
	EQUAL(hart.x[A0], 0x3f800000, "fmv.x.w moves bits of any register");
	hart.f[11] = 0x123456789abcdef0;
	step(&hart, rv_fp(0x1c, 0, 0, A0, 11, 0));
	EQUAL(hart.x[A0], 0xffffffff9abcdef0, "and extends them");
	step(&hart, rv_fp(0x1c, 1, 0, A0, 11, 0));
	EQUAL(hart.x[A0], 0x123456789abcdef0, "fmv.x.d moves all");
	hart.x[A1] = 0x8877665544332211;
	step(&hart, rv_fp(0x1e, 0, 0, 0, A1, 0));
	EQUAL(hart.f[0], BOX | 0x44332211, "fmv.w.x boxes; f0 is a register");
	step(&hart, rv_fp(0x1e, 1, 0, 31, A1, 0));
	EQUAL(hart.f[31], 0x8877665544332211, "fmv.d.x moves all");
	step(&hart, rv_fp(0x1c, 1, 0, X0, 11, 0));
	EQUAL(hart.x[0], 0, "x0 stays 0");
}

static void test_memory(void)
{
	struct vsvm_hart hart = {.x[A1] = DATA};
	u64 bits = 0x1122334455667788;

	memcpy(data, &bits, 8);
	step(&hart, rv_i(0x07, 3, 10, A1, 0));
	EQUAL(hart.f[10], bits, "fld");
	step(&hart, rv_i(0x07, 2, 0, A1, 4));
	EQUAL(hart.f[0], BOX | 0x11223344, "flw boxes; f0 is a register");
	step(&hart, rv_i(0x07, 3, 11, A1, 1));
	EQUAL(hart.f[11], bits >> 8, "misaligned fld");
	hart.f[12] = 0xaabbccddeeff0011;
	step(&hart, rv_s(2, A1, 12, 0x10) | 4);
	memcpy(&bits, data + 0x10, 8);
	EQUAL(bits, 0xeeff0011, "fsw stores the low bits of any register");
	step(&hart, rv_s(3, A1, 12, 0x20) | 4);
	memcpy(&bits, data + 0x20, 8);
	EQUAL(bits, 0xaabbccddeeff0011, "fsd");
	hart.x[A1] = DATA + 0x100000;
	CHECK(step(&hart, rv_i(0x07, 3, 10, A1, 0)) == VSVM_STOP_MISS && hart.pc == CODE,
	      "fld of no page misses");
	EQUAL(hart.f[10], 0x1122334455667788, "and changes nothing");
	CHECK(step(&hart, rv_s(2, A1, 12, 0) | 4) == VSVM_STOP_MISS, "fsw of no page misses");
}

static void test_csr(void)
{
	struct vsvm_hart hart = {.x = {[A1] = 0xffffffffffffffff, [A2] = 0x45}};

	step(&hart, rv_csr(1, A0, 3, A1));
	EQUAL(hart.fcsr, 0xff, "fcsr has 8 bits");
	EQUAL(hart.x[A0], 0, "csrrw reads the old value");
	step(&hart, rv_csr(1, A0, 1, X0));
	EQUAL(hart.x[A0], 0x1f, "fflags has 5 bits");
	EQUAL(hart.fcsr, 0xe0, "and leaves frm alone");
	step(&hart, rv_csr(1, A0, 2, A2));
	EQUAL(hart.x[A0], 7, "frm has 3 bits");
	EQUAL(hart.fcsr, 0xa0, "and 5 is one of its values");
	CHECK(step(&hart, rv_fp(0, 1, VSVM_FP_DYN, 10, 10, 10)) == VSVM_STOP_ERROR &&
		      hart.status == VSVM_ISA_STATUS_ILLEGAL,
	      "which no instruction can use");
	CHECK(step(&hart, rv_fma(0, 1, VSVM_FP_DYN, 10, 10, 10, 10)) == VSVM_STOP_ERROR,
	      "nor a fused one");
	EQUAL(step(&hart, rv_fp(0, 1, VSVM_FP_RNE, 10, 10, 10)), VSVM_STOP_SLICE,
	      "but those with a mode of their own go on");
	step(&hart, rv_csr(6, A0, 1, 0x11));
	EQUAL(hart.fcsr, 0xb1, "csrrsi sets bits");
	step(&hart, rv_csr(7, A0, 3, 0x01));
	EQUAL(hart.x[A0], 0xb1, "csrrci reads");
	EQUAL(hart.fcsr, 0xb0, "and clears bits");
	step(&hart, rv_csr(5, A0, 2, 1));
	EQUAL(hart.fcsr, 0x30, "csrrwi writes frm");
	step(&hart, rv_csr(2, A0, 3, X0));
	EQUAL(hart.x[A0], 0x30, "csrrs of x0 reads");
	EQUAL(hart.fcsr, 0x30, "and writes nothing");
	hart.x[A1] = 0x10;
	step(&hart, rv_csr(3, A0, 3, A1));
	EQUAL(hart.fcsr, 0x20, "csrrc clears bits");
}

/* Flags are there for a csr read in the middle, and modes change from one to the next */
static void test_section(void)
{
	const u32 code[] = {
		rv_fp(0x03, 1, 0, 10, 1, 0), rv_csr(2, A0, 1, X0),
		rv_fp(0x03, 1, 2, 11, 1, 2), rv_fp(0x03, 1, 3, 12, 1, 2),
		rv_fp(0x03, 1, 1, 13, 1, 2), rv_fp(0x03, 1, 4, 14, 1, 2),
		rv_csr(2, A1, 1, X0),	     rv_fp(0x00, 1, 0, 15, 3, 3),
		rv_csr(1, A2, 1, X0),	     rv_fp(0x00, 1, 0, 16, 1, 1),
		rv_csr(2, A3, 1, X0),
	};
	u32 way;

	for (way = 0; way < WAYS; way++) {
		struct vsvm_hart hart = {
			.f = {[1] = 0x3ff0000000000000,
			      [2] = 0x4008000000000000,
			      [3] = 0x7ff0000000000001},
		};

		core.fpu.off = way;
		CHECK(run(&hart, code, LENGTH(code)) == VSVM_STOP_SLICE &&
			      hart.pc == CODE + sizeof(code),
		      "%s: a sequence with changing modes", way_names[way]);
		EQUAL(hart.x[A0], VSVM_FP_DZ, "division by zero");
		EQUAL(hart.x[A1], VSVM_FP_DZ | VSVM_FP_NX, "flags add up");
		EQUAL(hart.f[12] - hart.f[11], 1, "down and up");
		EQUAL(hart.f[13], hart.f[11], "towards zero");
		EQUAL(hart.f[14], hart.f[11], "to nearest");
		EQUAL(hart.x[A2], VSVM_FP_DZ | VSVM_FP_NX | VSVM_FP_NV, "a signaling NaN");
		EQUAL(hart.x[A3], 0, "flags can be cleared");
	}
}

/* Sections end and begin again within a slice: nothing is lost, the budget is exact */
static void test_long(void)
{
	u32 code[] = {rv_fp(0x00, 1, 0, 10, 10, 11), rv_addi(A0, A0, 1), rv_jal(X0, -8)};
	u32 way;

	for (way = 0; way < WAYS; way++) {
		struct vsvm_hart hart = {.pc = CODE, .f = {[11] = 0x3ff0000000000000}};
		u32 budget = 3000;

		core.fpu.off = way;
		load_code(m, CODE, code, 3);
		EQUAL(vsvm_rv64_run(&core, &hart, &budget), VSVM_STOP_SLICE,
		      "a loop of 1000 rounds");
		EQUAL(budget, 0, "takes its 3000 instructions");
		EQUAL(hart.x[A0], 1000, "of integers");
		EQUAL(hart.f[10], 0x408f400000000000, "and of floating point");
		code[2] = RV_EBREAK;
		load_code(m, CODE, code, 3);
		hart.pc = CODE;
		budget = 3000;
		EQUAL(vsvm_rv64_run(&core, &hart, &budget), VSVM_STOP_ERROR,
		      "an error in a section");
		EQUAL(budget, 2998, "counts what was before");
		CHECK(!core.fpu.open, "and ends the section");
		code[2] = rv_jal(X0, -8);
	}
}

int main(void)
{
	u32 i;

	m = machine_new();
	assert(!vsvm_vmem_init(&vmem, VRAM_SIZE));
	vsvm_mmu_init(&core.mmu, &machine_host, m, &vmem);
	vsvm_mmu_select(&core.mmu, 1, m->root);
	data = map_new(m, DATA, 1);

	test_class();
	test_boxing();
	test_memory();
	test_csr();
	test_section();
	test_long();
	test_compare(false);
	test_compare(true);
	for (i = 0; i < LENGTH(operations); i++) {
		test_operation(&operations[i], false);
		test_operation(&operations[i], true);
	}

	vsvm_vmem_fini(&vmem);
	machine_free(m);
	return test_finish();
}
