// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/* Memory moves between system memory and VRAM while harts work in it */

#include <assert.h>

#include "machine.h"
#include "rv.h"
#include "test.h"

#define CODE 0x10000ULL
#define DATA 0x40000000ULL

#define CUS    3
#define HARTS  16
#define ROUNDS 0x5000ULL
#define MOVES  300
#define POISON 0xdeadbeefULL

/*
 * What a driver does, reduced to one page or one huge page at DATA: every fault
 * waits until no move is under way and is then answered to be replayed.
 */
struct mover {
	struct machine *m;
	pthread_mutex_t lock; /* one move or one answer at a time */
	u32 level;
	u64 size;
	u64 ram;
	u64 vram;
	bool in_vram;
	u64 busy; /* invalidations that did not block and gave up */
};

static void mover_move(struct mover *mv, bool may_block)
{
	struct machine *m = mv->m;
	struct vsvm_hw_copy desc = {.size = mv->size};
	u64 *entry;
	u64 *old;

	pthread_mutex_lock(&mv->lock);
	entry = map_entry(m, m->root, DATA, mv->level);
	WRITE_ONCE(*entry, 0);
	while (vsvm_hw_tlb_invalidate(m->hw, m->vmid, DATA, DATA + mv->size, may_block)) {
		mv->busy++;
		sched_yield();
	}

	/* From here on nobody may see the old place. */
	if (mv->in_vram) {
		desc.dst = mv->ram;
		desc.src = mv->vram;
		desc.flags = VSVM_HW_COPY_SRC_VRAM;
	} else {
		desc.dst = mv->vram;
		desc.src = mv->ram;
		desc.flags = VSVM_HW_COPY_DST_VRAM;
	}
	assert(!vsvm_hw_copy(m->hw, &desc, 1));
	if (mv->in_vram) {
		vsvm_hw_vram_discard(m->hw, mv->vram, VSVM_HUGE_SIZE);
	} else {
		old = ram_ptr(m, mv->ram);
		old[0] = POISON;
		old[1] = POISON;
	}
	mv->in_vram = !mv->in_vram;
	map(m, m->root, DATA, mv->in_vram ? mv->vram | PTE_VRAM : mv->ram | PTE_RW, mv->level);
	pthread_mutex_unlock(&mv->lock);
}

struct server {
	struct mover *mv;
	u32 ring;
	struct vsvm_hw_done done;
};

static void *server_main(void *data)
{
	struct server *s = data;
	struct machine *m = s->mv->m;
	struct vsvm_hw_fault fault;

	while (!vsvm_hw_ring_pop(m->hw, s->ring, &s->done)) {
		if (!machine_irq(m, VSVM_HW_IRQ_FAULT | VSVM_HW_IRQ_DONE))
			break;
		while (vsvm_hw_fault_pop(m->hw, &fault)) {
			pthread_mutex_lock(&s->mv->lock);
			m->popped++;
			vsvm_hw_fault_ack(m->hw, &fault, true);
			pthread_mutex_unlock(&s->mv->lock);
		}
	}
	return NULL;
}

static void test_moves(u32 level, const char *name)
{
	struct machine *m = machine_with_gpu(CUS, HARTS, 8);
	struct mover mv = {
		.m = m,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.level = level,
		.size = level ? VSVM_HUGE_SIZE : VSVM_PAGE_SIZE,
		.vram = 3 * VSVM_HUGE_SIZE,
	};
	struct vsvm_hw_dispatch d = grid(CODE, DATA, CUS, HARTS);
	const u32 code[] = {
		rv_lui(S0, ROUNDS >> 12),
		rv_li(S1, 1),
		rv_lui(S3, POISON >> 12),
		rv_slli(S3, S3, 32),
		rv_srli(S3, S3, 32),
		rv_addi(S4, A0, 8),
		/* loop: */
		rv_amoadd_d(X0, S1, A0),
		rv_ld(T0, S4, 0),
		rv_srli(T0, T0, 12),
		rv_slli(T0, T0, 12),
		rv_beq(T0, S3, 16),
		rv_addi(S0, S0, -1),
		rv_bne(S0, X0, -24),
		rv_ret(),
		/* it has seen the old place */
		RV_EBREAK,
	};
	struct server s = {.mv = &mv, .done.status = ~0u};
	pthread_t thread;
	u64 *word;
	int ring;
	u32 i;

	load_code(m, CODE, code, sizeof(code) / 4);
	mv.ram = level ? ram_huge(m) : ram_page(m);
	map(m, m->root, DATA, mv.ram | PTE_RW, level);
	ring = vsvm_hw_ring_create(m->hw, m->vmid, 2);
	assert(ring >= 0);
	s.ring = ring;
	assert(!vsvm_hw_ring_submit(m->hw, ring, &d));
	assert(!pthread_create(&thread, NULL, server_main, &s));
	for (i = 0; i < MOVES; i++)
		mover_move(&mv, i % 3);
	pthread_join(thread, NULL);
	EQUAL(s.done.status, VSVM_ISA_STATUS_OK, "%s: no hart sees the place it has left", name);
	if (mv.in_vram)
		mover_move(&mv, true);
	word = ram_ptr(m, mv.ram);
	EQUAL(word[0], CUS * HARTS * ROUNDS, "%s: no addition is lost in %u moves", name, MOVES);
	printf("# %llu records, %llu times busy\n", (long long)m->popped, (long long)mv.busy);
	vsvm_hw_ring_destroy(m->hw, ring);
	machine_free(m);
}

/* Rings come and go, endless, faulting or short, while translations are invalidated */
static void *churn_main(void *data)
{
	struct machine *m = data;
	u32 i;

	for (i = 0; i < 150; i++) {
		struct vsvm_hw_dispatch d = grid(CODE + 0x100 * (i % 3), DATA, 1 + i % 4, HARTS);
		int ring = vsvm_hw_ring_create(m->hw, m->vmid, 4);
		struct vsvm_hw_fault fault;
		struct vsvm_hw_done done;

		assert(ring >= 0);
		vsvm_hw_ring_submit(m->hw, ring, &d);
		vsvm_hw_ring_submit(m->hw, ring, &d);
		vsvm_hw_tlb_invalidate(m->hw, m->vmid, 0, VSVM_VA_END, i % 2);
		if (vsvm_hw_fault_pop(m->hw, &fault))
			vsvm_hw_fault_ack(m->hw, &fault, i % 5);
		vsvm_hw_ring_pop(m->hw, ring, &done);
		vsvm_hw_ring_destroy(m->hw, ring);
	}
	return NULL;
}

static void test_churn(void)
{
	struct machine *m = machine_with_gpu(CUS, HARTS, 4);
	pthread_t threads[4];
	struct vsvm_hw_fault fault;
	u32 i;

	load_code(m, CODE, &(u32){rv_jal(X0, 0)}, 1);
	load_code(m, CODE + 0x100, (u32[]){rv_sd(A1, A0, 0), rv_ret()}, 2);
	load_code(m, CODE + 0x200, &(u32){rv_ret()}, 1);
	for (i = 0; i < 4; i++)
		assert(!pthread_create(&threads[i], NULL, churn_main, m));
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK(!vsvm_hw_fault_pop(m->hw, &fault), "600 rings leave no record behind");
	for (i = 0; i < VSVM_MAX_RINGS; i++)
		if (m->hw->ring[i])
			break;
	EQUAL(i, VSVM_MAX_RINGS, "and no ring");
	machine_free(m);
}

int main(void)
{
	test_moves(0, "4 KiB");
	test_moves(1, "2 MiB");
	test_churn();
	return test_finish();
}
