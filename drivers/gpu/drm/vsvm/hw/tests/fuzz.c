// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * The GPU at the mercy of its input: random code, page tables, dispatches and calls
 * of the driver. Compute units have no threads here, they take a turn when the
 * input says so: the same input always does the same.
 *
 * The memory of the machine is real memory with ASan's red zones behind it. What
 * the FPU computes is compared with what integers do.
 */

#include "vsvm_device.h"

/* Compute units of the model as they are, but for their threads. */
static void step_all(void);

#undef kthread_run
#define kthread_run(fn, data, ...) ((void)(fn), &thread)
#undef wait_event
#define wait_event(wq, condition) \
	while (!(condition))      \
	step_all()
#undef VSVM_SLICE
#define VSVM_SLICE 256

static struct task_struct thread;

/* clang-format off: the order matters */
#include "../vsvm_cu.c"
#include "../vsvm_ring.c"
/* clang-format on */

#define CUS	  2
#define HARTS	  8
#define RINGS	  2
#define LOW	  0x100001000ULL /* bus address of single pages */
#define LOW_PAGES 48
#define HUGE	  0x100200000ULL /* and of 2 MiB */
#define CODE	  0x10000ULL
#define CODE_PAGE 8  /* pages below are page tables */
#define STEPS	  48 /* turns that an input may have */
#define VRAM_SIZE (2 * VSVM_BLOCK_SIZE)

struct input {
	const u8 *data;
	size_t left;
	u32 steps;
};

static struct vsvm_hw *hw;
static u8 *low, *huge;
static bool low_used[LOW_PAGES], huge_used, vram_used;
static int vmid;
static int ring[RINGS];

static u64 take(struct input *in, u32 bytes)
{
	u64 value = 0;

	if (in->left < bytes)
		bytes = in->left;
	memcpy(&value, in->data, bytes);
	in->data += bytes;
	in->left -= bytes;
	return value;
}

static void *fuzz_sysmem(void *priv, u64 addr)
{
	(void)priv;
	if (addr >= LOW && addr < LOW + LOW_PAGES * VSVM_PAGE_SIZE) {
		low_used[(addr - LOW) / VSVM_PAGE_SIZE] = true;
		return low + (addr - LOW);
	}
	if (addr >= HUGE && addr < HUGE + VSVM_HUGE_SIZE) {
		huge_used = true;
		return huge + (addr - HUGE);
	}
	return NULL;
}

static void fuzz_irq(void *priv, u32 sources)
{
	(void)priv;
	(void)sources;
}

static void step_all(void)
{
	u32 i;

	for (i = 0; i < CUS; i++)
		vsvm_cu_step(hw->cu[i]);
}

static void fuzz_init(void)
{
	static const struct vsvm_hw_host host = {.sysmem = fuzz_sysmem, .irq = fuzz_irq};
	const struct vsvm_hw_config config = {
		.vram_size = VRAM_SIZE,
		.num_cus = CUS,
		.max_group = HARTS,
		.fault_entries = 4,
		.max_local = 2 * VSVM_PAGE_SIZE,
		.name = "fuzz",
	};
	void *mem = NULL;

	if (posix_memalign(&mem, VSVM_HUGE_SIZE, VSVM_HUGE_SIZE))
		abort();
	huge = memset(mem, 0, VSVM_HUGE_SIZE);
	if (posix_memalign(&mem, VSVM_PAGE_SIZE, LOW_PAGES * VSVM_PAGE_SIZE))
		abort();
	low = memset(mem, 0, LOW_PAGES * VSVM_PAGE_SIZE);
	hw = vsvm_hw_create(&config, &host, NULL);
	if (IS_ERR(hw))
		abort();
	vmid = vsvm_hw_vm_create(hw, LOW);
}

static void new_ring(u32 i)
{
	ring[i] = vsvm_hw_ring_create(hw, vmid, 4);
	if (ring[i] < 0)
		abort();
}

static u64 *entry_of(u32 page, u32 index)
{
	low_used[page] = true;
	return (u64 *)(low + page * VSVM_PAGE_SIZE) + index % VSVM_HW_PT_ENTRIES;
}

/* Tables for the low 2 MiB of addresses; the pages of LOW in a row from CODE on */
static void make_tables(void)
{
	u64 table = VSVM_HW_PTE_VALID | VSVM_HW_PTE_EXEC, i;

	*entry_of(0, 0) = (LOW + 1 * VSVM_PAGE_SIZE) | table;
	*entry_of(1, 0) = (LOW + 2 * VSVM_PAGE_SIZE) | table;
	*entry_of(2, 0) = (LOW + 3 * VSVM_PAGE_SIZE) | table;
	*entry_of(2, 1) = HUGE | table | VSVM_HW_PTE_LEAF | VSVM_HW_PTE_WRITE;
	*entry_of(2, 2) = table | VSVM_HW_PTE_LEAF | VSVM_HW_PTE_WRITE | VSVM_HW_PTE_VRAM;
	for (i = 0; i < 8; i++)
		*entry_of(3, CODE / VSVM_PAGE_SIZE + i) =
			(LOW + (CODE_PAGE + i) * VSVM_PAGE_SIZE) | table | VSVM_HW_PTE_WRITE;
}

/* An address that is likely to mean something */
static u64 take_address(struct input *in)
{
	static const u64 base[] = {
		CODE,
		CODE + VSVM_PAGE_SIZE,
		CODE + 7 * VSVM_PAGE_SIZE,
		VSVM_HUGE_SIZE,
		2 * VSVM_HUGE_SIZE,
		3 * VSVM_HUGE_SIZE,
		VSVM_VA_END - VSVM_PAGE_SIZE,
		VSVM_ISA_RETURN_PC,
	};
	u64 how = take(in, 1);

	if (how & 0x80)
		return take(in, 8);
	return base[how & 7] + (s16)take(in, 2);
}

static u64 take_entry(struct input *in)
{
	u64 how = take(in, 1), flags = take(in, 1) & 15;

	if (how & 0x80)
		return take(in, 8);
	if (how & 0x40)
		return (how & 1 ? HUGE : 0) | flags;
	return (LOW + how % (LOW_PAGES + 1) * VSVM_PAGE_SIZE) | flags;
}

/* Instructions: as they come, or with an opcode that exists */
static void write_code(struct input *in)
{
	static const u8 majors[] = {
		0x03, 0x07, 0x0f, 0x13, 0x17, 0x1b, 0x23, 0x27, 0x2f, 0x33, 0x37,
		0x3b, 0x43, 0x47, 0x4b, 0x4f, 0x53, 0x63, 0x67, 0x6f, 0x73, 0x53,
	};
	u64 how = take(in, 1), at = take(in, 1) * 4, count = how & 31, i;

	for (i = 0; i < count && in->left; i++) {
		u32 raw = take(in, 4);

		if (!(how & 0x80))
			raw = (raw & ~0x7fU) | majors[(raw & 0x7f) % sizeof(majors)];
		memcpy(low + CODE_PAGE * VSVM_PAGE_SIZE + at + i * 4, &raw, 4);
	}
	low_used[CODE_PAGE] = true;
}

static void submit(struct input *in, u32 r)
{
	struct vsvm_hw_dispatch d;
	u64 sizes = take(in, 2), how = take(in, 1);

	memset(&d, 0, sizeof(d));
	d.entry = how & 1 ? take_address(in) : CODE + (how & 0xf0) * 4;
	d.arg = how & 2 ? take_address(in) : VSVM_HUGE_SIZE;
	d.local_size = sizes >> 12 & 3 ? (u32)(sizes >> 12 & 3) * 3000 : 0;
	d.stack_base = how & 4 ? take_address(in) : CODE + 4 * VSVM_PAGE_SIZE;
	d.stack_size = how & 8 ? (u32)take(in, 4) : 256;
	d.groups[0] = sizes & 3;
	d.groups[1] = sizes >> 2 & 3;
	d.groups[2] = (sizes >> 4 & 1) + 1;
	d.group_size[0] = sizes >> 5 & 15;
	d.group_size[1] = (sizes >> 9 & 3) + 1;
	d.group_size[2] = (sizes >> 11 & 1) + 1;
	vsvm_hw_ring_submit(hw, ring[r], &d);
}

static void serve(struct input *in)
{
	u64 how = take(in, 1);
	struct vsvm_hw_fault fault;

	if (!vsvm_hw_fault_pop(hw, &fault))
		return;
	if (fault.addr % VSVM_PAGE_SIZE || fault.addr >= VSVM_VA_END ||
	    fault.access > VSVM_ISA_ACCESS_FETCH || fault.cu >= CUS)
		abort();
	if (how & 1 && fault.addr < VSVM_HUGE_SIZE)
		*entry_of(3, fault.addr / VSVM_PAGE_SIZE) = take_entry(in);
	if (!(how & 2))
		vsvm_hw_fault_ack(hw, &fault, how & 4);
}

static void copy(struct input *in)
{
	u64 size = take(in, 2) * 8, flags = take(in, 1);
	struct vsvm_hw_copy c = {.flags = flags, .size = size};

	/* The driver knows where system memory ends, VRAM the engine has to know. */
	c.dst = flags & VSVM_HW_COPY_DST_VRAM ? take(in, 3) * 8
					      : HUGE + take(in, 1) * VSVM_PAGE_SIZE;
	c.src = flags & VSVM_HW_COPY_SRC_VRAM ? take(in, 3) * 8
					      : HUGE + (1 << 20) + take(in, 1) * 256;
	if (!(flags & VSVM_HW_COPY_DST_VRAM) && size > VSVM_PAGE_SIZE)
		c.size = VSVM_PAGE_SIZE;
	if (!(flags & VSVM_HW_COPY_SRC_VRAM) && size > VSVM_PAGE_SIZE)
		c.size = VSVM_PAGE_SIZE;
	/* They must not overlap. */
	if ((flags & 3) == 3 && c.dst < c.src + c.size && c.src < c.dst + c.size)
		return;
	vram_used |= flags & VSVM_HW_COPY_DST_VRAM;
	vsvm_hw_copy(hw, &c, 1);
}

static void counters(void)
{
	struct vsvm_hw_counters c;
	struct vsvm_hw_access a[16];
	u32 i, n;

	vsvm_hw_read_counters(hw, &c);
	for (i = 0; i < CUS; i++) {
		n = vsvm_hw_take_accesses(hw, i, a, 16);
		while (n--)
			if (!a[n].count || a[n].addr % VSVM_HUGE_SIZE || a[n].addr >= VSVM_VA_END)
				abort();
	}
}

/* One instruction of floating point, on the FPU and with integers */
static void compare_fp(struct input *in)
{
	static const u8 majors[] = {0x53, 0x53, 0x43, 0x47, 0x4b, 0x4f};
	struct vsvm_core *core = &hw->cu[0]->core;
	struct vsvm_hart hart[2];
	enum vsvm_stop stop[2];
	struct vsvm_insn insn;
	u32 raw = take(in, 4), i;

	raw = (raw & ~0x7fU) | majors[(raw & 0x7f) % sizeof(majors)];
	memset(hart, 0, sizeof(hart));
	vsvm_decode(&insn, raw);
	if (insn.op != VSVM_OP_FP && insn.op != VSVM_OP_FP_FPU)
		return;
	hart[0].fcsr = take(in, 1);
	hart[0].x[insn.rs1] = insn.rs1 ? take(in, 8) : 0;
	hart[0].f[insn.rs1] = take(in, 8);
	hart[0].f[insn.rs2] = take(in, 8);
	hart[0].f[insn.rs3] = take(in, 8);
	hart[1] = hart[0];
	for (i = 0; i < 2; i++) {
		if (!i)
			vsvm_fpu_begin(&core->fpu);
		stop[i] = vsvm_fp_execute(&core->fpu, &hart[i], &insn);
		if (!i)
			vsvm_fpu_end(&core->fpu, &hart[i].fcsr);
	}
	if (stop[0] != stop[1] || memcmp(&hart[0], &hart[1], sizeof(hart[0])))
		abort();
}

static void step(struct input *in)
{
	u64 how = take(in, 1);
	u32 n;

	for (n = how >> 1 & 7; n + 1 && in->steps; n--, in->steps--)
		vsvm_cu_step(hw->cu[how & 1]);
}

static void act(struct input *in)
{
	u32 what = take(in, 1), r = what >> 7 & (RINGS - 1);
	struct vsvm_hw_done done;
	u64 start;

	switch (what % 13) {
	case 0:
	case 1: write_code(in); break;
	case 2: submit(in, r); break;
	case 3:
	case 4:
	case 5: step(in); break;
	case 6: serve(in); break;
	case 7: *entry_of(take(in, 1) % 5, take(in, 2)) = take_entry(in); break;
	case 8:
		start = take_address(in);
		vsvm_hw_tlb_invalidate(hw, vmid, start, start + take(in, 3), what & 0x80);
		break;
	case 9:
		vsvm_hw_ring_destroy(hw, ring[r]);
		new_ring(r);
		break;
	case 10:
		vsvm_hw_ring_pop(hw, ring[r], &done);
		counters();
		break;
	case 11: copy(in); break;
	default: compare_fp(in); break;
	}
}

/* Nothing of an input is left for the next one */
static void reset(void)
{
	u32 i;

	for (i = 0; i < RINGS; i++)
		vsvm_hw_ring_destroy(hw, ring[i]);
	vsvm_hw_tlb_invalidate(hw, vmid, 0, ~0ULL, true);
	counters();
	for (i = 0; i < LOW_PAGES; i++)
		if (low_used[i])
			memset(low + i * VSVM_PAGE_SIZE, 0, VSVM_PAGE_SIZE);
	memset(low_used, 0, sizeof(low_used));
	if (huge_used)
		memset(huge, 0, VSVM_HUGE_SIZE);
	huge_used = false;
	if (vram_used)
		vsvm_hw_vram_discard(hw, 0, VRAM_SIZE);
	vram_used = false;
	if (!list_empty(&hw->faults.queue) || !list_empty(&hw->faults.starved))
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = {.data = data, .left = size, .steps = STEPS};
	u32 i;

	if (!hw)
		fuzz_init();
	make_tables();
	for (i = 0; i < RINGS; i++)
		new_ring(i);
	while (in.left)
		act(&in);
	/* Whatever is in the rings runs for a while. */
	for (i = 0; i < 4; i++)
		step_all();
	reset();
	return 0;
}
