// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Rings
 *
 * A ring runs one dispatch at a time. Its work-groups are dealt out to the
 * compute units in turn, beginning with a unit that depends on the ring: which
 * unit runs which group never depends on timing, so that the pages of stacks
 * that are touched, and the faults for them, are the same in every run. Compute
 * units switch between rings after each slice, so that no ring waits for another
 * one to end, or to have its faults answered.
 *
 * The last context that has no more work ends the dispatch and starts the next.
 */

#include "vsvm_device.h"

static struct vsvm_ring *vsvm_ring_find(struct vsvm_hw *hw, u32 id)
{
	lockdep_assert_held(&hw->lock);
	return id < VSVM_MAX_RINGS ? hw->ring[id] : NULL;
}

/* Start the dispatch at the head of the ring, if there is one */
static void vsvm_ring_start(struct vsvm_ring *ring)
{
	struct vsvm_slot *slot = &ring->slot[ring->run & ring->mask];
	const struct vsvm_hw_dispatch *d = &slot->dispatch;
	u32 cus = ring->hw->config.num_cus;
	u32 i;

	if (ring->run == ring->head)
		return;
	ring->groups = (u64)d->groups[0] * d->groups[1] * d->groups[2];
	ring->active = min_t(u64, ring->groups, cus);
	for (i = 0; i < ring->active; i++) {
		struct vsvm_context *ctx = &ring->context[(ring->id + i) % cus];

		ctx->working = true;
		ctx->next_group = i;
		vsvm_cu_enqueue(ctx);
	}
}

/* The dispatches that wait in a stopped ring end without having run */
static void vsvm_ring_flush(struct vsvm_ring *ring)
{
	for (; ring->run != ring->head; ring->run++) {
		struct vsvm_slot *slot = &ring->slot[ring->run & ring->mask];

		slot->done.status = VSVM_ISA_STATUS_KILLED;
	}
}

/* The current dispatch has ended */
static void vsvm_ring_end(struct vsvm_ring *ring)
{
	ring->run++;
	if (ring->abort)
		ring->stopped = true;
	if (ring->stopped)
		vsvm_ring_flush(ring);
	else
		vsvm_ring_start(ring);
}

/**
 * vsvm_ring_leave() - a context has nothing more to do for the dispatch
 * @ctx: the context
 */
void vsvm_ring_leave(struct vsvm_context *ctx)
{
	struct vsvm_ring *ring = ctx->ring;

	lockdep_assert_held(&ring->hw->lock);

	ctx->working = false;
	if (--ring->active)
		return;
	vsvm_cu_interrupt(ctx->cu, VSVM_HW_IRQ_DONE);
	vsvm_ring_end(ring);
}

/**
 * vsvm_ring_fail() - end the current dispatch of a ring with an error
 * @ring: the ring
 * @why: what to tell; the first error counts
 */
void vsvm_ring_fail(struct vsvm_ring *ring, const struct vsvm_hw_done *why)
{
	struct vsvm_hw_done *done = &ring->slot[ring->run & ring->mask].done;
	u32 i;

	lockdep_assert_held(&ring->hw->lock);

	if (ring->abort)
		return;
	ring->abort = true;
	done->status = why->status;
	done->access = why->access;
	done->addr = why->addr;
	done->pc = why->pc;
	for (i = 0; i < ring->hw->config.num_cus; i++)
		if (ring->context[i].working)
			vsvm_cu_enqueue(&ring->context[i]);
}

/**
 * vsvm_ring_fail_hart() - end the current dispatch because of one of its harts
 * @ctx: context of the hart
 * @hart: the hart, kept for vsvm_hw_ring_error()
 * @why: what to tell
 */
void vsvm_ring_fail_hart(struct vsvm_context *ctx, const struct vsvm_hart *hart,
			 const struct vsvm_hw_done *why)
{
	struct vsvm_ring *ring = ctx->ring;
	struct vsvm_hw_error *error = &ring->error;

	lockdep_assert_held(&ring->hw->lock);

	if (!ring->abort) {
		error->dispatch = ring->slot[ring->run & ring->mask].dispatch;
		error->cu = ctx->cu->id;
		error->group = ctx->group;
		error->hart = hart - ctx->hart;
		error->pc = hart->pc;
		memcpy(error->x, hart->x, sizeof(error->x));
		memcpy(error->f, hart->f, sizeof(error->f));
		error->fcsr = hart->fcsr;
		ring->has_error = true;
	}
	vsvm_ring_fail(ring, why);
}

/**
 * vsvm_ring_unbusy() - a context has had its turn
 * @ring: its ring, not to be touched again when it is dying
 */
void vsvm_ring_unbusy(struct vsvm_ring *ring)
{
	lockdep_assert_held(&ring->hw->lock);

	ring->busy--;
	if (ring->dying && !ring->busy && !ring->active) {
		WRITE_ONCE(ring->idle, true);
		wake_up_all(&ring->hw->wait);
	}
}

static void vsvm_ring_free(struct vsvm_ring *ring)
{
	u32 i;

	for (i = 0; ring->context && i < ring->hw->config.num_cus; i++) {
		kvfree(ring->context[i].hart);
		kvfree(ring->context[i].state);
		kvfree(ring->context[i].local);
	}
	kvfree(ring->context);
	kvfree(ring->slot);
	kvfree(ring);
}

static bool vsvm_context_init(struct vsvm_context *ctx, struct vsvm_ring *ring,
			      struct vsvm_cu *cu)
{
	u32 harts = ring->hw->config.max_group;

	ctx->ring = ring;
	ctx->cu = cu;
	INIT_LIST_HEAD(&ctx->node);
	INIT_LIST_HEAD(&ctx->records);
	INIT_LIST_HEAD(&ctx->starved);
	ctx->hart = kvcalloc(harts, sizeof(*ctx->hart), GFP_KERNEL);
	ctx->state = kvcalloc(harts, sizeof(*ctx->state), GFP_KERNEL);
	if (ring->hw->config.max_local)
		ctx->local = kvcalloc(ring->hw->config.max_local, 1, GFP_KERNEL);
	return ctx->hart && ctx->state &&
	       (ctx->local || !ring->hw->config.max_local);
}

static struct vsvm_ring *vsvm_ring_alloc(struct vsvm_hw *hw, u32 entries)
{
	struct vsvm_ring *ring = kvzalloc(sizeof(*ring), GFP_KERNEL);
	u32 i;

	if (!ring)
		return NULL;
	ring->hw = hw;
	ring->mask = entries - 1;
	ring->slot = kvcalloc(entries, sizeof(*ring->slot), GFP_KERNEL);
	ring->context = kvcalloc(hw->config.num_cus, sizeof(*ring->context),
				 GFP_KERNEL);
	if (!ring->slot || !ring->context)
		goto err;
	for (i = 0; i < hw->config.num_cus; i++)
		if (!vsvm_context_init(&ring->context[i], ring, hw->cu[i]))
			goto err;
	return ring;

err:
	vsvm_ring_free(ring);
	return NULL;
}

int vsvm_hw_ring_create(struct vsvm_hw *hw, u32 vmid, u32 entries)
{
	struct vsvm_ring *ring;
	u32 id = 0;

	if (!is_power_of_2(entries) || vmid >= VSVM_MAX_VMS)
		return -EINVAL;
	ring = vsvm_ring_alloc(hw, entries);
	if (!ring)
		return -ENOMEM;

	spin_lock(&hw->lock);
	while (id < VSVM_MAX_RINGS && hw->ring[id])
		id++;
	if (!hw->vm[vmid].used || id == VSVM_MAX_RINGS) {
		int ret = hw->vm[vmid].used ? -ENOSPC : -EINVAL;

		spin_unlock(&hw->lock);
		vsvm_ring_free(ring);
		return ret;
	}
	ring->id = id;
	ring->vmid = vmid;
	ring->root = hw->vm[vmid].root;
	hw->ring[id] = ring;
	spin_unlock(&hw->lock);
	return id;
}

void vsvm_hw_ring_destroy(struct vsvm_hw *hw, u32 id)
{
	struct vsvm_hw_done why = { .status = VSVM_ISA_STATUS_KILLED };
	struct vsvm_ring *ring;

	might_sleep();

	spin_lock(&hw->lock);
	ring = vsvm_ring_find(hw, id);
	if (!ring || ring->dying) {
		spin_unlock(&hw->lock);
		return;
	}
	ring->dying = true;
	if (ring->active)
		vsvm_ring_fail(ring, &why);
	else if (!ring->busy)
		ring->idle = true;
	spin_unlock(&hw->lock);

	wait_event(hw->wait, READ_ONCE(ring->idle));

	spin_lock(&hw->lock);
	hw->ring[id] = NULL;
	spin_unlock(&hw->lock);
	vsvm_ring_free(ring);
}

static bool vsvm_dispatch_valid(const struct vsvm_hw *hw,
				const struct vsvm_hw_dispatch *d)
{
	u64 groups, harts, items;

	if (check_mul_overflow((u64)d->groups[0] * d->groups[1],
			       (u64)d->groups[2], &groups) ||
	    check_mul_overflow((u64)d->group_size[0] * d->group_size[1],
			       (u64)d->group_size[2], &harts) ||
	    check_mul_overflow(groups, harts, &items))
		return false;
	return items && harts <= hw->config.max_group &&
	       d->local_size <= hw->config.max_local;
}

int vsvm_hw_ring_submit(struct vsvm_hw *hw, u32 id,
			const struct vsvm_hw_dispatch *dispatch)
{
	struct vsvm_ring *ring;
	struct vsvm_slot *slot;
	int ret = 0;

	if (!vsvm_dispatch_valid(hw, dispatch))
		return -EINVAL;

	spin_lock(&hw->lock);
	ring = vsvm_ring_find(hw, id);
	if (!ring || ring->dying) {
		ret = -EINVAL;
		goto unlock;
	}
	if (ring->head - ring->tail > ring->mask) {
		ret = -EBUSY;
		goto unlock;
	}

	slot = &ring->slot[ring->head++ & ring->mask];
	slot->dispatch = *dispatch;
	memset(&slot->done, 0, sizeof(slot->done));
	slot->done.cookie = dispatch->cookie;
	slot->done.status = VSVM_ISA_STATUS_OK;
	if (ring->stopped) {
		vsvm_ring_flush(ring);
		vsvm_cu_interrupt(hw->cu[id % hw->config.num_cus],
				  VSVM_HW_IRQ_DONE);
	} else if (!ring->active) {
		vsvm_ring_start(ring);
	}
unlock:
	spin_unlock(&hw->lock);
	return ret;
}

bool vsvm_hw_ring_pop(struct vsvm_hw *hw, u32 id, struct vsvm_hw_done *done)
{
	struct vsvm_ring *ring;
	bool popped = false;

	spin_lock(&hw->lock);
	ring = vsvm_ring_find(hw, id);
	if (ring && ring->tail != ring->run) {
		*done = ring->slot[ring->tail++ & ring->mask].done;
		popped = true;
	}
	spin_unlock(&hw->lock);
	return popped;
}

bool vsvm_hw_ring_error(struct vsvm_hw *hw, u32 id, struct vsvm_hw_error *error)
{
	struct vsvm_ring *ring;
	bool has_error;

	spin_lock(&hw->lock);
	ring = vsvm_ring_find(hw, id);
	has_error = ring && ring->has_error;
	if (has_error)
		*error = ring->error;
	spin_unlock(&hw->lock);
	return has_error;
}
