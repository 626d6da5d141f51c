// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * How fast the interpreter is: usage: bench [INSTRUCTIONS]. The number of host
 * instructions is a job for valgrind --tool=callgrind --toggle-collect=vsvm_rv64_run.
 */

#include <assert.h>
#include <time.h>

#include "machine.h"
#include "rv.h"

#define CODE 0x10000ULL
#define DATA 0x40000000ULL

static struct machine *m;
static struct vsvm_vmem vmem;
static struct vsvm_core core;

static void bench(const char *name, const u32 *code, u32 count, u64 total)
{
	struct vsvm_hart hart = {.pc = CODE, .x[A0] = DATA, .x[A1] = DATA + SZ_2M / 2};
	struct timespec start, end;
	u64 left;
	double ns;

	load_code(m, CODE, code, count);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (left = total; left >= VSVM_SLICE; left -= VSVM_SLICE) {
		u32 budget = VSVM_SLICE;

		if (vsvm_rv64_run(&core, &hart, &budget) != VSVM_STOP_SLICE)
			abort();
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	ns = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
	printf("%-12s %6.2f ns per instruction\n", name, ns / (total - left));
}

#define BENCH(name, total, ...) \
	bench((name), (const u32[]){__VA_ARGS__}, sizeof((const u32[]){__VA_ARGS__}) / 4, (total))

int main(int argc, char **argv)
{
	u64 total = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000000;

	m = machine_new();
	assert(!vsvm_vmem_init(&vmem, VSVM_BLOCK_SIZE));
	vsvm_mmu_init(&core.mmu, &machine_host, m, &vmem);
	vsvm_mmu_select(&core.mmu, 1, m->root);
	map_new_huge(m, DATA);

	BENCH("arithmetic", total, rv_add(T0, T0, T1), rv_xori(T1, T0, 55), rv_slli(T2, T1, 3),
	      rv_sub(T0, T0, T2), rv_addiw(T1, T1, 1), rv_mul(T2, T2, T0), rv_bne(X0, X0, 8),
	      rv_jal(X0, -28));
	/* for (i = 0; i < 8192; i++) count[data[i]]++ */
	BENCH("histogram", total, rv_addi(S0, A0, 0), rv_lui(S1, 2), rv_add(S1, S1, S0),
	      rv_li(S2, 1), rv_lbu(T0, S0, 0), rv_slli(T0, T0, 2), rv_add(T0, T0, A1),
	      rv_amoadd_w(X0, S2, T0), rv_addi(S0, S0, 1), rv_bne(S0, S1, -20), rv_jal(X0, -40));
	BENCH("copy", total, rv_addi(S0, A0, 0), rv_addi(S1, A1, 0), rv_addi(S2, A1, -64),
	      rv_ld(T0, S0, 0), rv_ld(T1, S0, 8), rv_sd(T0, S1, 0), rv_sd(T1, S1, 8),
	      rv_addi(S0, S0, 16), rv_addi(S1, S1, 16), rv_bltu(S0, S2, -24), rv_jal(X0, -40));

	vsvm_vmem_fini(&vmem);
	machine_free(m);
	return 0;
}
