// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Compute units
 *
 * A compute unit is a thread. It takes the contexts in its queue in turn and
 * executes a slice of each:
 *
 * #. with the lock of the device: see what has happened to the context since
 *    (answers to faults, the end of its dispatch), find a work-group for it;
 * #. with the slice lock of the unit: execute instructions. All use of
 *    translations happens here, so whoever holds the slice lock knows that the
 *    unit uses none, see vsvm_hw_tlb_invalidate();
 * #. with the lock of the device: write fault records, queue the context again
 *    unless all its harts wait;
 * #. with neither of these locks: raise interrupts.
 *
 * All of that is a turn, for which the thread holds the turn lock of the unit. No
 * turn begins while the GPU is halted, see vsvm_hw_halt().
 *
 * A context that has nothing to execute is in no queue and costs nothing; it is
 * queued again by an answer to a fault, a dispatch or the end of its ring.
 */

#include "vsvm_device.h"

/**
 * vsvm_cu_wake() - have the thread of a compute unit look for work
 * @cu: the compute unit
 */
void vsvm_cu_wake(struct vsvm_cu *cu)
{
	WRITE_ONCE(cu->pending, true);
	wake_up_all(&cu->wait);
}

/**
 * vsvm_cu_interrupt() - have the thread of a compute unit raise interrupts
 * @cu: the compute unit
 * @sources: VSVM_HW_IRQ_*
 */
void vsvm_cu_interrupt(struct vsvm_cu *cu, u32 sources)
{
	lockdep_assert_held(&cu->hw->lock);

	cu->irq |= sources;
	vsvm_cu_wake(cu);
}

/**
 * vsvm_cu_enqueue() - give a context a turn
 * @ctx: the context
 */
void vsvm_cu_enqueue(struct vsvm_context *ctx)
{
	struct vsvm_cu *cu = ctx->cu;

	lockdep_assert_held(&cu->hw->lock);

	if (ctx->queued)
		return;
	ctx->queued = true;
	ctx->ring->busy++;
	list_add_tail(&ctx->node, &cu->queue);
	vsvm_cu_wake(cu);
}

/* The dispatch of the context has failed: its harts are gone */
static void vsvm_context_drop(struct vsvm_context *ctx)
{
	vsvm_faults_cancel(ctx);
	ctx->fresh = false;
	ctx->alive = 0;
	ctx->runnable = 0;
	ctx->missed = 0;
	vsvm_ring_leave(ctx);
}

static void vsvm_context_retry(struct vsvm_context *ctx)
{
	u32 i;

	ctx->retry = false;
	for (i = vsvm_group_find(ctx, 0, VSVM_HART_MISSED); i < ctx->size;
	     i = vsvm_group_find(ctx, i + 1, VSVM_HART_MISSED))
		vsvm_group_set(ctx, i, VSVM_HART_RUNS);
}

/* Take the next work-group, or leave when there is none */
static void vsvm_context_next_group(struct vsvm_context *ctx)
{
	struct vsvm_ring *ring = ctx->ring;

	if (ctx->next_group >= ring->groups) {
		vsvm_ring_leave(ctx);
		return;
	}
	ctx->group = ctx->next_group;
	ctx->next_group += ring->hw->config.num_cus;
	ctx->fresh = true;
}

/**
 * vsvm_context_prepare() - begin the turn of a context
 * @ctx: the context
 *
 * Return: true when there are instructions to execute.
 */
static bool vsvm_context_prepare(struct vsvm_context *ctx)
{
	lockdep_assert_held(&ctx->cu->hw->lock);

	if (!ctx->working)
		return false;
	if (ctx->acked)
		vsvm_faults_answer(ctx);
	if (ctx->ring->abort) {
		vsvm_context_drop(ctx);
		return false;
	}
	if (ctx->retry)
		vsvm_context_retry(ctx);
	if (!ctx->alive)
		vsvm_context_next_group(ctx);
	return ctx->fresh || ctx->runnable;
}

/* End the turn of a context; it may be gone afterwards */
static void vsvm_context_settle(struct vsvm_context *ctx)
{
	struct vsvm_ring *ring = ctx->ring;

	lockdep_assert_held(&ctx->cu->hw->lock);

	if (ctx->working && !ring->abort)
		vsvm_faults_record(ctx);
	if (ctx->working && (ctx->runnable || !ctx->alive || ctx->acked ||
			     ctx->retry || ring->abort))
		vsvm_cu_enqueue(ctx);
	vsvm_ring_unbusy(ring);
}

/* Execute a slice of a context */
static void vsvm_cu_slice(struct vsvm_cu *cu, struct vsvm_context *ctx)
{
	struct vsvm_mmu *mmu = &cu->core.mmu;
	u32 vmid = ctx->ring->vmid;
	u32 executed;
	u64 begin;

	if (ctx->fresh)
		vsvm_group_setup(ctx);

	mutex_lock(&cu->slice);
	begin = vsvm_os_time_ns();
	vsvm_mmu_select(mmu, vmid, ctx->ring->root);
	vsvm_mmu_select_local(mmu, ctx->local, vsvm_group_local_size(ctx));
	executed = vsvm_group_run(ctx, &cu->core, VSVM_SLICE);
	cu->instructions += executed;
	atomic64_add(vsvm_os_time_ns() - begin, &cu->hw->vm[vmid].busy_ns);
	mutex_unlock(&cu->slice);
}

/* Give the next context its turn, raise interrupts */
static void vsvm_cu_step(struct vsvm_cu *cu)
{
	struct vsvm_hw *hw = cu->hw;
	struct vsvm_context *ctx;
	bool execute = false;
	u32 irq;

	spin_lock(&hw->lock);
	ctx = list_first_entry_or_null(&cu->queue, struct vsvm_context, node);
	if (ctx) {
		list_del_init(&ctx->node);
		ctx->queued = false;
		execute = vsvm_context_prepare(ctx);
	}
	spin_unlock(&hw->lock);

	if (execute)
		vsvm_cu_slice(cu, ctx);

	spin_lock(&hw->lock);
	if (ctx)
		vsvm_context_settle(ctx);
	irq = cu->irq;
	cu->irq = 0;
	if (list_empty(&cu->queue))
		WRITE_ONCE(cu->pending, false);
	spin_unlock(&hw->lock);

	if (irq)
		hw->host->irq(hw->priv, irq);
}

static int vsvm_cu_thread(void *data)
{
	struct vsvm_cu *cu = data;

	for (;;) {
		wait_event_idle(cu->wait,
				(READ_ONCE(cu->pending) && !READ_ONCE(cu->hw->halted)) ||
				kthread_should_stop());
		if (kthread_should_stop())
			return 0;
		mutex_lock(&cu->turn);
		if (!READ_ONCE(cu->hw->halted))
			vsvm_cu_step(cu);
		mutex_unlock(&cu->turn);
		cond_resched();
	}
}

/**
 * vsvm_cu_end_turn() - wait for the end of the current turn of a compute unit
 * @cu: the compute unit; when &vsvm_hw.halted is set, it does not begin another one
 *
 * Context: May sleep.
 */
void vsvm_cu_end_turn(struct vsvm_cu *cu)
{
	mutex_lock(&cu->turn);
	mutex_unlock(&cu->turn);
}

/**
 * vsvm_cu_create() - power up a compute unit
 * @hw: the GPU
 * @id: its number
 *
 * Return: the compute unit, or NULL.
 */
struct vsvm_cu *vsvm_cu_create(struct vsvm_hw *hw, u32 id)
{
	struct vsvm_cu *cu = kvzalloc(sizeof(*cu), GFP_KERNEL);

	if (!cu)
		return NULL;
	cu->hw = hw;
	cu->id = id;
	mutex_init(&cu->turn);
	mutex_init(&cu->slice);
	vsvm_os_reclaim_safe(&cu->slice);
	vsvm_mmu_init(&cu->core.mmu, hw->host, hw->priv, &hw->vmem);
	INIT_LIST_HEAD(&cu->queue);
	init_waitqueue_head(&cu->wait);

	cu->thread = kthread_run(vsvm_cu_thread, cu, "%s-cu%u", hw->config.name,
				 id);
	if (IS_ERR(cu->thread)) {
		mutex_destroy(&cu->slice);
		mutex_destroy(&cu->turn);
		kvfree(cu);
		return NULL;
	}
	return cu;
}

void vsvm_cu_destroy(struct vsvm_cu *cu)
{
	vsvm_os_thread_stop(cu->thread, &cu->wait);
	mutex_destroy(&cu->slice);
	mutex_destroy(&cu->turn);
	kvfree(cu);
}
