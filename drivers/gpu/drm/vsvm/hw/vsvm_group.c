// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * A work-group on its compute unit: how its harts start, take turns and meet at
 * barriers.
 */

#include "vsvm_device.h"

/**
 * vsvm_group_set() - change the state of a hart
 * @ctx: context of the group
 * @i: index of the hart
 * @state: enum vsvm_hart_state
 */
void vsvm_group_set(struct vsvm_context *ctx, u32 i, u8 state)
{
	switch (ctx->state[i]) {
	case VSVM_HART_RUNS:
		ctx->runnable--;
		break;
	case VSVM_HART_BARRIER:
		ctx->at_barrier--;
		break;
	case VSVM_HART_MISSED:
		ctx->missed--;
		break;
	}
	switch (state) {
	case VSVM_HART_RUNS:
		ctx->runnable++;
		break;
	case VSVM_HART_BARRIER:
		ctx->at_barrier++;
		break;
	case VSVM_HART_MISSED:
		ctx->missed++;
		break;
	case VSVM_HART_ENDED:
		ctx->alive--;
		break;
	}
	ctx->state[i] = state;
}

/**
 * vsvm_group_find() - find a hart
 * @ctx: context of the group
 * @from: first index to look at
 * @state: enum vsvm_hart_state of it
 *
 * Return: the lowest such index, or the size of the group.
 */
u32 vsvm_group_find(const struct vsvm_context *ctx, u32 from, u8 state)
{
	while (from < ctx->size && ctx->state[from] != state)
		from++;
	return from;
}

static const struct vsvm_hw_dispatch *
vsvm_group_dispatch(const struct vsvm_context *ctx)
{
	const struct vsvm_ring *ring = ctx->ring;

	return &ring->slot[ring->run & ring->mask].dispatch;
}

/**
 * vsvm_group_local_size() - local memory of a work-group
 * @ctx: context of the group
 *
 * Return: bytes, whole pages.
 */
u32 vsvm_group_local_size(const struct vsvm_context *ctx)
{
	return ALIGN(vsvm_group_dispatch(ctx)->local_size, VSVM_PAGE_SIZE);
}

/**
 * vsvm_group_setup() - start the harts of the current work-group
 * @ctx: context with the index of the group
 */
void vsvm_group_setup(struct vsvm_context *ctx)
{
	struct vsvm_ring *ring = ctx->ring;
	const struct vsvm_hw_dispatch *d = vsvm_group_dispatch(ctx);
	u32 size = d->group_size[0] * d->group_size[1] * d->group_size[2];
	u64 row = ctx->group / d->groups[0];
	u64 x = ctx->group % d->groups[0] * d->group_size[0];
	u64 y = row % d->groups[1] * d->group_size[1];
	u64 z = row / d->groups[1] * d->group_size[2];
	u64 slot = (u64)ctx->cu->id * ring->hw->config.max_group;
	u32 i;

	memset(ctx->state, VSVM_HART_RUNS, size);
	memset(ctx->hart, 0, size * sizeof(*ctx->hart));
	for (i = 0; i < size; i++) {
		struct vsvm_hart *hart = &ctx->hart[i];
		u32 local_row = i / d->group_size[0];

		hart->pc = d->entry;
		hart->x[1] = VSVM_ISA_RETURN_PC;
		if (d->stack_base)
			hart->x[2] = (d->stack_base +
				      (slot + i + 1) * d->stack_size) & ~15ULL;
		hart->x[10] = d->arg;
		hart->x[11] = x + i % d->group_size[0];
		hart->x[12] = y + local_row % d->group_size[1];
		hart->x[13] = z + local_row / d->group_size[1];
		hart->x[14] = i;
		hart->x[15] = ctx->group;
		hart->x[16] = ring->groups * size;
		hart->x[17] = size;
	}
	ctx->size = size;
	ctx->alive = size;
	ctx->runnable = size;
	ctx->at_barrier = 0;
	ctx->missed = 0;
	ctx->cursor = 0;
	ctx->fresh = false;
}

/* Let the harts go on when all that are left have come to the barrier */
static void vsvm_group_barrier(struct vsvm_context *ctx)
{
	u32 i;

	if (ctx->at_barrier != ctx->alive)
		return;
	for (i = vsvm_group_find(ctx, 0, VSVM_HART_BARRIER); i < ctx->size;
	     i = vsvm_group_find(ctx, i + 1, VSVM_HART_BARRIER))
		vsvm_group_set(ctx, i, VSVM_HART_RUNS);
}

static void vsvm_group_error(struct vsvm_context *ctx,
			     const struct vsvm_hart *hart)
{
	struct vsvm_hw_done why = {
		.status = hart->status,
		.pc = hart->pc,
	};
	struct vsvm_hw *hw = ctx->ring->hw;

	if (hart->status == VSVM_ISA_STATUS_FAULT) {
		why.access = hart->fault_access;
		why.addr = hart->fault_addr;
	}
	spin_lock(&hw->lock);
	vsvm_ring_fail_hart(ctx, hart, &why);
	spin_unlock(&hw->lock);
}

/**
 * vsvm_group_run() - execute a slice of the current work-group
 * @ctx: its context
 * @core: of the compute unit, with the address space selected
 * @budget: most instructions to execute
 *
 * A hart runs until something stops it, then the next one has its turn.
 *
 * Return: number of instructions executed.
 */
u32 vsvm_group_run(struct vsvm_context *ctx, struct vsvm_core *core, u32 budget)
{
	u32 left = budget;

	while (left && ctx->runnable) {
		u32 i = vsvm_group_find(ctx, ctx->cursor, VSVM_HART_RUNS);
		struct vsvm_hart *hart = &ctx->hart[i];

		if (i == ctx->size) {
			ctx->cursor = 0;
			continue;
		}
		ctx->cursor = i + 1;

		switch (vsvm_rv64_run(core, hart, &left)) {
		case VSVM_STOP_NONE:
		case VSVM_STOP_SLICE:
			break;
		case VSVM_STOP_EXIT:
			vsvm_group_set(ctx, i, VSVM_HART_ENDED);
			vsvm_group_barrier(ctx);
			break;
		case VSVM_STOP_BARRIER:
			vsvm_group_set(ctx, i, VSVM_HART_BARRIER);
			vsvm_group_barrier(ctx);
			break;
		case VSVM_STOP_MISS:
			vsvm_group_set(ctx, i, VSVM_HART_MISSED);
			break;
		case VSVM_STOP_ERROR:
			vsvm_group_error(ctx, hart);
			return budget - left;
		}
	}
	return budget - left;
}
