// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Fault buffer
 *
 * A hart that misses is parked on a record. Harts of a work-group share the
 * record of a page, if its access is as strong as theirs: a page that can be
 * written can be read, too. Fetches stand on their own.
 *
 * A record is in use until its answer has been seen by the compute unit, so the
 * size of the buffer bounds what is outstanding at the driver. When no record is
 * left, nothing is lost: the harts stay as they are, their context queues up as
 * starved, and the context at the head executes the faulting instructions again
 * when a record becomes free. Only that context may take it then, so that none
 * starves for good.
 */

#include "vsvm_device.h"

static struct vsvm_hw *vsvm_context_hw(const struct vsvm_context *ctx)
{
	return ctx->ring->hw;
}

int vsvm_faults_init(struct vsvm_faults *faults, u32 entries)
{
	u32 i;

	faults->mask = entries - 1;
	faults->record = kvcalloc(entries, sizeof(*faults->record), GFP_KERNEL);
	faults->hash = kvcalloc(entries, sizeof(*faults->hash), GFP_KERNEL);
	if (!faults->record || !faults->hash) {
		vsvm_faults_fini(faults);
		return -ENOMEM;
	}
	INIT_LIST_HEAD(&faults->free);
	INIT_LIST_HEAD(&faults->queue);
	INIT_LIST_HEAD(&faults->starved);
	for (i = 0; i < entries; i++) {
		struct vsvm_record *record = &faults->record[i];

		INIT_LIST_HEAD(&faults->hash[i]);
		INIT_LIST_HEAD(&record->bucket);
		INIT_LIST_HEAD(&record->owned);
		list_add_tail(&record->fifo, &faults->free);
		record->serial = i;
	}
	return 0;
}

void vsvm_faults_fini(struct vsvm_faults *faults)
{
	kvfree(faults->hash);
	kvfree(faults->record);
}

static struct list_head *vsvm_faults_bucket(struct vsvm_faults *faults,
					    const struct vsvm_context *ctx,
					    u64 page)
{
	u64 key = (page >> VSVM_HW_PAGE_SHIFT) ^ (unsigned long)ctx;

	return &faults->hash[(key * 0x9e3779b97f4a7c15ULL >> 40) & faults->mask];
}

static bool vsvm_access_covers(u32 strong, u32 weak)
{
	if (strong == VSVM_ISA_ACCESS_FETCH || weak == VSVM_ISA_ACCESS_FETCH)
		return strong == weak;
	return strong >= weak;
}

static struct vsvm_record *vsvm_faults_find(struct vsvm_context *ctx, u64 page,
					    u32 access)
{
	struct vsvm_faults *faults = &vsvm_context_hw(ctx)->faults;
	struct list_head *bucket = vsvm_faults_bucket(faults, ctx, page);
	struct vsvm_record *record;

	list_for_each_entry(record, bucket, bucket)
		if (record->context == ctx && record->addr == page &&
		    vsvm_access_covers(record->access, access))
			return record;
	return NULL;
}

/* Give the context that has starved longest a turn, if there is a record */
static void vsvm_faults_feed(struct vsvm_faults *faults)
{
	struct vsvm_context *ctx;

	if (list_empty(&faults->free) || list_empty(&faults->starved))
		return;
	ctx = list_first_entry(&faults->starved, struct vsvm_context, starved);
	ctx->retry = true;
	vsvm_cu_enqueue(ctx);
}

static struct vsvm_record *vsvm_faults_new(struct vsvm_context *ctx, u64 page,
					   u32 access)
{
	struct vsvm_faults *faults = &vsvm_context_hw(ctx)->faults;
	struct vsvm_context *first;
	struct vsvm_record *record;

	first = list_first_entry_or_null(&faults->starved, struct vsvm_context,
					 starved);
	if (list_empty(&faults->free) || (first && first != ctx)) {
		if (list_empty(&ctx->starved))
			list_add_tail(&ctx->starved, &faults->starved);
		return NULL;
	}
	list_del_init(&ctx->starved);

	record = list_first_entry(&faults->free, struct vsvm_record, fifo);
	record->context = ctx;
	record->addr = page;
	record->access = access;
	record->serial += faults->mask + 1;
	record->state = VSVM_RECORD_QUEUED;
	list_move_tail(&record->fifo, &faults->queue);
	list_add_tail(&record->bucket, vsvm_faults_bucket(faults, ctx, page));
	list_add_tail(&record->owned, &ctx->records);
	faults->written++;
	return record;
}

static void vsvm_faults_free(struct vsvm_faults *faults,
			     struct vsvm_record *record)
{
	record->state = VSVM_RECORD_FREE;
	list_del_init(&record->bucket);
	list_del_init(&record->owned);
	list_move_tail(&record->fifo, &faults->free);
}

/**
 * vsvm_faults_record() - write records for the harts that missed
 * @ctx: context of the harts
 */
void vsvm_faults_record(struct vsvm_context *ctx)
{
	struct vsvm_hw *hw = vsvm_context_hw(ctx);
	u64 before = hw->faults.written;
	u32 i;

	lockdep_assert_held(&hw->lock);

	for (i = 0; ctx->missed; i++) {
		struct vsvm_hart *hart = &ctx->hart[i];
		u64 page = hart->fault_addr & VSVM_PAGE_MASK;
		struct vsvm_record *record;

		if (ctx->state[i] != VSVM_HART_MISSED)
			continue;
		record = vsvm_faults_find(ctx, page, hart->fault_access);
		if (!record)
			record = vsvm_faults_new(ctx, page, hart->fault_access);
		if (!record)
			break;
		hart->record = record->serial & hw->faults.mask;
		vsvm_group_set(ctx, i, VSVM_HART_PARKED);
	}
	if (!ctx->missed)
		list_del_init(&ctx->starved);
	vsvm_faults_feed(&hw->faults);

	if (hw->faults.written != before)
		vsvm_cu_interrupt(ctx->cu, VSVM_HW_IRQ_FAULT);
}

static void vsvm_faults_refuse(struct vsvm_context *ctx,
			       const struct vsvm_hart *hart)
{
	struct vsvm_hw_done why = {
		.status = VSVM_ISA_STATUS_FAULT,
		.access = hart->fault_access,
		.addr = hart->fault_addr,
		.pc = hart->pc,
	};

	vsvm_ring_fail_hart(ctx, hart, &why);
}

/**
 * vsvm_faults_answer() - let harts see the answers to their records
 * @ctx: context of the harts
 */
void vsvm_faults_answer(struct vsvm_context *ctx)
{
	struct vsvm_hw *hw = vsvm_context_hw(ctx);
	struct vsvm_record *record, *next;
	u32 i;

	lockdep_assert_held(&hw->lock);

	ctx->acked = false;
	for (i = vsvm_group_find(ctx, 0, VSVM_HART_PARKED); i < ctx->size;
	     i = vsvm_group_find(ctx, i + 1, VSVM_HART_PARKED)) {
		record = &hw->faults.record[ctx->hart[i].record];
		if (record->state == VSVM_RECORD_REFUSED)
			vsvm_faults_refuse(ctx, &ctx->hart[i]);
		else if (record->state == VSVM_RECORD_SERVED)
			vsvm_group_set(ctx, i, VSVM_HART_RUNS);
	}
	list_for_each_entry_safe(record, next, &ctx->records, owned)
		if (record->state == VSVM_RECORD_SERVED)
			vsvm_faults_free(&hw->faults, record);
	vsvm_faults_feed(&hw->faults);
}

/**
 * vsvm_faults_cancel() - no hart waits for anything any more
 * @ctx: context of the harts
 */
void vsvm_faults_cancel(struct vsvm_context *ctx)
{
	struct vsvm_hw *hw = vsvm_context_hw(ctx);
	struct vsvm_record *record, *next;

	lockdep_assert_held(&hw->lock);

	ctx->acked = false;
	ctx->retry = false;
	list_del_init(&ctx->starved);
	list_for_each_entry_safe(record, next, &ctx->records, owned)
		vsvm_faults_free(&hw->faults, record);
	vsvm_faults_feed(&hw->faults);
}

bool vsvm_hw_fault_pop(struct vsvm_hw *hw, struct vsvm_hw_fault *fault)
{
	struct vsvm_faults *faults = &hw->faults;
	struct vsvm_record *record;

	spin_lock(&hw->lock);
	record = list_first_entry_or_null(&faults->queue, struct vsvm_record,
					  fifo);
	if (record) {
		list_del_init(&record->fifo);
		record->state = VSVM_RECORD_TAKEN;
		fault->addr = record->addr;
		fault->vmid = record->context->ring->vmid;
		fault->access = record->access;
		fault->cu = record->context->cu->id;
		fault->serial = record->serial;
	}
	spin_unlock(&hw->lock);
	return record;
}

void vsvm_hw_fault_ack(struct vsvm_hw *hw, const struct vsvm_hw_fault *fault,
		       bool served)
{
	struct vsvm_faults *faults = &hw->faults;
	struct vsvm_record *record;

	record = &faults->record[fault->serial & faults->mask];
	spin_lock(&hw->lock);
	if (record->serial == fault->serial &&
	    record->state == VSVM_RECORD_TAKEN) {
		record->state = served ? VSVM_RECORD_SERVED :
					 VSVM_RECORD_REFUSED;
		record->context->acked = true;
		vsvm_cu_enqueue(record->context);
	}
	spin_unlock(&hw->lock);
}

void vsvm_hw_read_faults(struct vsvm_hw *hw, struct vsvm_hw_fault_state *state)
{
	struct vsvm_faults *faults = &hw->faults;
	struct vsvm_context *ctx;
	u32 i;

	*state = (struct vsvm_hw_fault_state) { .entries = faults->mask + 1 };

	spin_lock(&hw->lock);
	for (i = 0; i <= faults->mask; i++) {
		switch (faults->record[i].state) {
		case VSVM_RECORD_QUEUED:
			state->queued++;
			break;
		case VSVM_RECORD_TAKEN:
			state->taken++;
			break;
		case VSVM_RECORD_SERVED:
		case VSVM_RECORD_REFUSED:
			state->answered++;
			break;
		}
	}
	list_for_each_entry(ctx, &faults->starved, starved)
		state->starved++;
	state->written = faults->written;
	spin_unlock(&hw->lock);
}
