/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_DEVICE_H_
#define _VSVM_DEVICE_H_

#include "vsvm_hw_os.h"
#include "vsvm_mmu.h"
#include "vsvm_rv64.h"
#include "vsvm_vmem.h"

#define VSVM_MAX_CUS		64
#define VSVM_MAX_GROUP		1024
#define VSVM_MAX_RINGS		1024

/* Instructions that a compute unit executes under its slice lock */
#define VSVM_SLICE		4096

struct vsvm_cu;
struct vsvm_ring;

/**
 * enum vsvm_hart_state - what a hart does
 * @VSVM_HART_RUNS: nothing keeps it from running
 * @VSVM_HART_BARRIER: it waits for the others at a barrier
 * @VSVM_HART_MISSED: it needs a record in the fault buffer
 * @VSVM_HART_PARKED: it waits for the answer to a record
 * @VSVM_HART_ENDED: it does not exist any more
 */
enum vsvm_hart_state {
	VSVM_HART_RUNS,
	VSVM_HART_BARRIER,
	VSVM_HART_MISSED,
	VSVM_HART_PARKED,
	VSVM_HART_ENDED,
};

/**
 * struct vsvm_context - what a compute unit keeps of a ring
 * @ring: the ring
 * @cu: the compute unit
 * @node: in &vsvm_cu.queue while @queued
 * @records: records of the fault buffer that harts wait for
 * @starved: in &vsvm_faults.starved while the fault buffer has no record for it
 * @queued: waits for its turn on the compute unit
 * @working: takes part in the current dispatch of the ring
 * @acked: there are answered records
 * @retry: harts that missed may try again to get a record
 * @next_group: the work-group to run next
 * @fresh: @group has not been set up yet; from here on the fields belong to the
 *	thread of the compute unit
 * @group: linear index of the current work-group
 * @size: its harts
 * @alive: those that have not ended
 * @runnable: those that run
 * @at_barrier: those at a barrier
 * @missed: those that missed
 * @cursor: where to look first for a hart to run
 * @state: enum vsvm_hart_state of each hart
 * @hart: the harts
 * @local: local memory, or NULL if the GPU has none
 */
struct vsvm_context {
	struct vsvm_ring *ring;
	struct vsvm_cu *cu;
	struct list_head node;
	struct list_head records;
	struct list_head starved;
	bool queued;
	bool working;
	bool acked;
	bool retry;
	u64 next_group;

	bool fresh;
	u64 group;
	u32 size;
	u32 alive;
	u32 runnable;
	u32 at_barrier;
	u32 missed;
	u32 cursor;
	u8 *state;
	struct vsvm_hart *hart;
	u8 *local;
};

/**
 * struct vsvm_slot - place for a dispatch in a ring
 * @dispatch: what to run
 * @done: how it ended
 */
struct vsvm_slot {
	struct vsvm_hw_dispatch dispatch;
	struct vsvm_hw_done done;
};

/**
 * struct vsvm_ring - a ring of dispatches
 * @hw: the GPU
 * @id: index in &vsvm_hw.ring
 * @vmid: address space
 * @root: its root page table
 * @mask: number of slots less one
 * @head: dispatches written
 * @run: dispatches ended, the next one is the current
 * @tail: ended dispatches popped
 * @groups: work-groups of the current dispatch
 * @active: contexts that work on the current dispatch
 * @busy: contexts in a queue and contexts that have their turn
 * @abort: the current dispatch has failed or is to be killed
 * @stopped: a dispatch has failed, no other will run
 * @dying: the ring is being destroyed
 * @idle: nothing will touch the ring again, set when @dying
 * @slot: the dispatches
 * @context: one for each compute unit
 * @has_error: @error is valid
 * @error: the hart that made the ring stop
 *
 * All but the constants is protected by &vsvm_hw.lock.
 */
struct vsvm_ring {
	struct vsvm_hw *hw;
	u32 id;
	u32 vmid;
	u64 root;
	u32 mask;
	u32 head;
	u32 run;
	u32 tail;
	u64 groups;
	u32 active;
	u32 busy;
	bool abort;
	bool stopped;
	bool dying;
	bool idle;
	struct vsvm_slot *slot;
	struct vsvm_context *context;
	bool has_error;
	struct vsvm_hw_error error;
};

/**
 * struct vsvm_cu - a compute unit
 * @hw: the GPU
 * @id: its number
 * @slice: the slice lock, held while instructions are executed. It is taken by
 *	MMU notifiers: nothing under it may allocate memory, sleep or call the
 *	driver, except for &vsvm_hw_host.sysmem
 * @core: executes instructions, protected by @slice
 * @queue: contexts that wait for their turn, protected by &vsvm_hw.lock
 * @irq: interrupts to raise, protected by &vsvm_hw.lock
 * @pending: @queue or @irq may have something, read without lock
 * @turn: held by the thread while it does anything at all
 * @wait: where the thread sleeps
 * @thread: executes harts and raises interrupts
 * @instructions: instructions retired, protected by @slice
 */
struct vsvm_cu {
	struct vsvm_hw *hw;
	u32 id;
	struct mutex slice;	/* around execution */
	struct vsvm_core core;
	struct list_head queue;
	u32 irq;
	bool pending;
	struct mutex turn;	/* around a turn, outside of @slice */
	struct wait_queue_head wait;
	struct task_struct *thread;
	u64 instructions;
};

/**
 * enum vsvm_record_state - state of a record
 * @VSVM_RECORD_FREE: unused
 * @VSVM_RECORD_QUEUED: in the fault buffer
 * @VSVM_RECORD_TAKEN: with the driver
 * @VSVM_RECORD_SERVED: answered, harts are to try again
 * @VSVM_RECORD_REFUSED: answered, the dispatch is to end
 */
enum vsvm_record_state {
	VSVM_RECORD_FREE,
	VSVM_RECORD_QUEUED,
	VSVM_RECORD_TAKEN,
	VSVM_RECORD_SERVED,
	VSVM_RECORD_REFUSED,
};

/**
 * struct vsvm_record - a record of the fault buffer until it is answered
 * @fifo: in &vsvm_faults.free or &vsvm_faults.queue
 * @bucket: in &vsvm_faults.hash
 * @owned: in &vsvm_context.records
 * @context: whose harts wait
 * @addr: virtual address of the page
 * @access: enum vsvm_isa_access
 * @serial: number of the record, changes with each use; its low bits are the
 *	index
 * @state: enum vsvm_record_state
 */
struct vsvm_record {
	struct list_head fifo;
	struct list_head bucket;
	struct list_head owned;
	struct vsvm_context *context;
	u64 addr;
	u32 access;
	u32 serial;
	u32 state;
};

/**
 * struct vsvm_faults - the fault buffer
 * @record: all records
 * @hash: records in use by context and page
 * @mask: number of records less one
 * @free: unused records
 * @queue: records that the driver has not taken yet, oldest first
 * @starved: contexts that found no free record, in the order they are served
 * @written: records written since creation
 *
 * Protected by &vsvm_hw.lock.
 */
struct vsvm_faults {
	struct vsvm_record *record;
	struct list_head *hash;
	u32 mask;
	struct list_head free;
	struct list_head queue;
	struct list_head starved;
	u64 written;
};

/**
 * struct vsvm_vm - a hardware address space
 * @root: bus address of the root page table
 * @used: it exists
 * @busy_ns: time of slices, changed by all compute units without a lock
 */
struct vsvm_vm {
	u64 root;
	bool used;
	atomic64_t busy_ns;
};

/**
 * struct vsvm_hw - the GPU
 * @config: its size
 * @host: callbacks
 * @priv: for @host
 * @lock: protects scheduling, rings, the fault buffer and @vm; innermost, and
 *	never taken with interrupts to be raised or memory to be allocated
 * @vmem: VRAM
 * @bytes_copied: by the copy engine
 * @halted: no turn begins, read and written without a lock
 * @wait: for rings to become idle
 * @faults: the fault buffer
 * @vm: address spaces
 * @ring: rings
 * @cu: compute units
 */
struct vsvm_hw {
	struct vsvm_hw_config config;
	const struct vsvm_hw_host *host;
	void *priv;
	spinlock_t lock;	/* all but @vmem and the TLBs */
	struct vsvm_vmem vmem;
	atomic64_t bytes_copied;
	bool halted;
	struct wait_queue_head wait;
	struct vsvm_faults faults;
	struct vsvm_vm vm[VSVM_MAX_VMS];
	struct vsvm_ring *ring[VSVM_MAX_RINGS];
	struct vsvm_cu *cu[VSVM_MAX_CUS];
};

/* vsvm_cu.c */
struct vsvm_cu *vsvm_cu_create(struct vsvm_hw *hw, u32 id);
void vsvm_cu_destroy(struct vsvm_cu *cu);
void vsvm_cu_interrupt(struct vsvm_cu *cu, u32 sources);
void vsvm_cu_enqueue(struct vsvm_context *ctx);
void vsvm_cu_wake(struct vsvm_cu *cu);
void vsvm_cu_end_turn(struct vsvm_cu *cu);

/* vsvm_group.c */
void vsvm_group_setup(struct vsvm_context *ctx);
u32 vsvm_group_local_size(const struct vsvm_context *ctx);
u32 vsvm_group_run(struct vsvm_context *ctx, struct vsvm_core *core,
		   u32 budget);
u32 vsvm_group_find(const struct vsvm_context *ctx, u32 from, u8 state);
void vsvm_group_set(struct vsvm_context *ctx, u32 i, u8 state);

/* vsvm_ring.c */
void vsvm_ring_leave(struct vsvm_context *ctx);
void vsvm_ring_fail(struct vsvm_ring *ring, const struct vsvm_hw_done *why);
void vsvm_ring_fail_hart(struct vsvm_context *ctx, const struct vsvm_hart *hart,
			 const struct vsvm_hw_done *why);
void vsvm_ring_unbusy(struct vsvm_ring *ring);

/* vsvm_fault.c */
int vsvm_faults_init(struct vsvm_faults *faults, u32 entries);
void vsvm_faults_fini(struct vsvm_faults *faults);
void vsvm_faults_record(struct vsvm_context *ctx);
void vsvm_faults_answer(struct vsvm_context *ctx);
void vsvm_faults_cancel(struct vsvm_context *ctx);

#endif /* _VSVM_DEVICE_H_ */
