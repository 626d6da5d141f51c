/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_HW_H_
#define _VSVM_HW_H_

/**
 * DOC: Interface of the GPU model
 *
 * This is all that the driver knows of the GPU and all that it may use: address
 * spaces with page tables in system memory, rings of dispatches with a doorbell,
 * a fault buffer, a copy engine, interrupts and counters. The model knows
 * nothing of DRM, of struct page or of processes.
 *
 * Physical addresses come in two spaces: system memory (what the host bus calls
 * the address) and VRAM (an offset from 0 to the size of VRAM).
 *
 * Page tables have four levels of 512 eight byte entries in 4 KiB pages of
 * system memory, as on many CPUs: bits 47:39 of the address index the root, bits
 * 20:12 the last level. An entry of level 1 (bits 29:21) may be a leaf of 2 MiB.
 * The model only reads them, one aligned 64 bit load an entry; the driver writes
 * each entry with one aligned store, then calls vsvm_hw_tlb_invalidate() when
 * the old entry was valid.
 *
 * Faults are replayable. A hart that misses is parked, one record is written to
 * the fault buffer for each page and kind of access that a work-group waits for,
 * and %VSVM_HW_IRQ_FAULT is raised. The driver takes records by
 * vsvm_hw_fault_pop() and answers each with exactly one vsvm_hw_fault_ack():
 * the harts try again, or their dispatch ends with an error. A record of a page
 * serves weaker accesses, too: an atomic one stores and loads, a store loads;
 * fetches stand on their own. When the buffer is full of records that have not
 * been answered, harts wait until they can have one, nothing is lost.
 *
 * What can never be served gets no record, the dispatch ends with
 * %VSVM_ISA_STATUS_FAULT at once: an address of more than 48 bits, a malformed
 * table, a leaf that leads to memory which does not exist or to VRAM that was
 * never written.
 */

#ifdef __KERNEL__
#include <linux/bits.h>
#include <linux/types.h>
#else
#include "vsvm_hw_user.h"
#endif

#define VSVM_HW_PAGE_SHIFT	12
#define VSVM_HW_HUGE_SHIFT	21
#define VSVM_HW_PT_LEVELS	4
#define VSVM_HW_PT_ENTRIES	512

/* Bits of a page table entry; bits 47:12 are the physical address. */
#define VSVM_HW_PTE_VALID	BIT_ULL(0)
#define VSVM_HW_PTE_WRITE	BIT_ULL(1)	/* leaf: stores and atomics allowed */
#define VSVM_HW_PTE_VRAM	BIT_ULL(2)	/* leaf: address is in VRAM */
#define VSVM_HW_PTE_LEAF	BIT_ULL(3)	/* level 1: a leaf, not a table */
#define VSVM_HW_PTE_EXEC	BIT_ULL(4)	/* leaf: fetches allowed */
#define VSVM_HW_PTE_NO_ATOMIC	BIT_ULL(5)	/* leaf: atomics not allowed */
#define VSVM_HW_PTE_ADDR	0x0000fffffffff000ULL

/* Interrupt sources */
#define VSVM_HW_IRQ_FAULT	BIT(0)	/* the fault buffer is not empty */
#define VSVM_HW_IRQ_DONE	BIT(1)	/* a dispatch has ended */

struct vsvm_hw;

/**
 * struct vsvm_hw_host - what the platform gives to the GPU
 * @sysmem: returns the host pointer to the page of system memory at bus address
 *	@addr (page aligned), or NULL when there is none. Must not sleep. What
 *	is contiguous on the bus is contiguous there: a leaf of 2 MiB and a copy
 *	use one pointer for all of it. The pointer is used until the translation
 *	that led to it is invalidated
 * @irq: interrupt line; @sources is a mask of VSVM_HW_IRQ_*. Called in process
 *	context from the thread of a compute unit; must not sleep for long and
 *	must not call back into the model
 */
struct vsvm_hw_host {
	void *(*sysmem)(void *priv, u64 addr);
	void (*irq)(void *priv, u32 sources);
};

/**
 * struct vsvm_hw_config - size of the GPU
 * @vram_size: bytes of VRAM, a multiple of 2 MiB
 * @num_cus: compute units, 1 to 64, each a thread
 * @max_group: most harts in a work-group, 1 to 1024
 * @fault_entries: records in the fault buffer, a power of two; a record is in
 *	use until it has been answered
 * @max_local: most bytes of local memory of a work-group, a multiple of 4 KiB up to
 *	64 KiB; 0 for none
 * @name: for names of threads
 */
struct vsvm_hw_config {
	u64 vram_size;
	u32 num_cus;
	u32 max_group;
	u32 fault_entries;
	u32 max_local;
	const char *name;
};

/**
 * struct vsvm_hw_dispatch - a grid of work-items, written to a ring
 * @entry: first instruction
 * @arg: for register a0
 * @stack_base: start of the stack area or 0
 * @stack_size: bytes of one stack
 * @local_size: bytes of local memory of a work-group
 * @groups: work-groups in x, y, z
 * @group_size: work-items of a work-group in x, y, z
 * @cookie: comes back in &struct vsvm_hw_done
 */
struct vsvm_hw_dispatch {
	u64 entry;
	u64 arg;
	u64 stack_base;
	u32 stack_size;
	u32 local_size;
	u32 groups[3];
	u32 group_size[3];
	u64 cookie;
};

/**
 * struct vsvm_hw_done - how a dispatch ended
 * @cookie: from the dispatch
 * @status: enum vsvm_isa_status
 * @access: enum vsvm_isa_access, when @status is VSVM_ISA_STATUS_FAULT
 * @addr: faulting address, likewise
 * @pc: address of the failing instruction, when @status is not OK
 */
struct vsvm_hw_done {
	u64 cookie;
	u32 status;
	u32 access;
	u64 addr;
	u64 pc;
};

/**
 * struct vsvm_hw_error - the hart that ended its dispatch with an error
 * @dispatch: the dispatch
 * @cu: compute unit
 * @group: linear index of the work-group
 * @hart: linear index in the work-group
 * @pc: address of the instruction that failed
 * @x: integer registers
 * @f: floating point registers
 * @fcsr: floating point control and status
 */
struct vsvm_hw_error {
	struct vsvm_hw_dispatch dispatch;
	u32 cu;
	u64 group;
	u32 hart;
	u64 pc;
	u64 x[32];
	u64 f[32];
	u32 fcsr;
};

/**
 * struct vsvm_hw_fault - a record of the fault buffer
 * @addr: virtual address, rounded down to 4 KiB
 * @vmid: address space
 * @access: enum vsvm_isa_access
 * @cu: compute unit whose harts wait
 * @serial: identifies the record to vsvm_hw_fault_ack()
 */
struct vsvm_hw_fault {
	u64 addr;
	u32 vmid;
	u32 access;
	u32 cu;
	u32 serial;
};

/**
 * struct vsvm_hw_copy - descriptor of the copy engine
 * @dst: destination address, a multiple of 8
 * @src: source address, a multiple of 8; for a fill unused
 * @size: bytes, a multiple of 8
 * @flags: VSVM_HW_COPY_*
 *
 * Source and destination must each be physically contiguous and must not
 * overlap. They may cross 2 MiB boundaries. VRAM that was never written reads as
 * zero.
 */
struct vsvm_hw_copy {
	u64 dst;
	u64 src;
	u64 size;
	u32 flags;
};

#define VSVM_HW_COPY_DST_VRAM	BIT(0)
#define VSVM_HW_COPY_SRC_VRAM	BIT(1)
#define VSVM_HW_COPY_FILL_ZERO	BIT(2)

/**
 * struct vsvm_hw_counters - sums over all compute units since creation
 * @instructions: instructions retired
 * @tlb_hits: translations served by a TLB
 * @tlb_misses: translations that walked the tables
 * @faults: records written to the fault buffer
 * @bytes_copied: by the copy engine, fills included
 * @vram_blocks: 2 MiB blocks of VRAM that have backing memory now
 */
struct vsvm_hw_counters {
	u64 instructions;
	u64 tlb_hits;
	u64 tlb_misses;
	u64 faults;
	u64 bytes_copied;
	u64 vram_blocks;
};

#define VSVM_HW_ACCESS_SHIFT	21

/**
 * struct vsvm_hw_access - accesses to a region of system memory
 * @addr: virtual address of the region, which has 2 MiB
 * @count: accesses of a compute unit since it was read last
 * @vmid: address space
 */
struct vsvm_hw_access {
	u64 addr;
	u64 count;
	u32 vmid;
};

/**
 * struct vsvm_hw_fault_state - what the fault buffer holds
 * @entries: records that it can hold
 * @queued: records that the driver has not taken yet
 * @taken: records that the driver has taken and not answered
 * @answered: records whose harts have not seen the answer yet
 * @starved: work-groups that wait for a free record
 * @written: records written since creation
 */
struct vsvm_hw_fault_state {
	u32 entries;
	u32 queued;
	u32 taken;
	u32 answered;
	u32 starved;
	u64 written;
};

/**
 * vsvm_hw_create() - power up a GPU
 * @config: its size
 * @host: callbacks, must outlive the GPU
 * @priv: passed to the callbacks
 *
 * Context: May sleep.
 * Return: the GPU, or ERR_PTR(-EINVAL) or ERR_PTR(-ENOMEM).
 */
struct vsvm_hw *vsvm_hw_create(const struct vsvm_hw_config *config,
			       const struct vsvm_hw_host *host, void *priv);

/**
 * vsvm_hw_destroy() - stop all compute units and free the GPU
 * @hw: the GPU; all rings must have been destroyed
 */
void vsvm_hw_destroy(struct vsvm_hw *hw);

/**
 * vsvm_hw_halt() - stop all compute units where they are
 * @hw: the GPU
 *
 * On return no instruction is executed, no record is written to the fault buffer
 * and no interrupt is raised until vsvm_hw_run(). All else goes on: dispatches and
 * answers to faults are accepted, TLBs are invalidated, the copy engine works. But
 * no ring may be destroyed, since that waits for compute units. Bounded: waits for
 * the current slice of each. May sleep.
 */
void vsvm_hw_halt(struct vsvm_hw *hw);

/**
 * vsvm_hw_power_off() - lose what the GPU does not keep without power
 * @hw: the GPU, halted
 *
 * VRAM reads as zero and TLBs are empty. The state of the harts is kept, as by a
 * GPU that saves it. Nothing may be mapped to VRAM. May sleep.
 */
void vsvm_hw_power_off(struct vsvm_hw *hw);

/**
 * vsvm_hw_run() - let halted compute units go on
 * @hw: the GPU
 */
void vsvm_hw_run(struct vsvm_hw *hw);

/**
 * vsvm_hw_vm_create() - take a hardware address space
 * @hw: the GPU
 * @root: bus address of the root page table, a zeroed page to begin with
 *
 * Return: the vmid (not negative), or -ENOSPC.
 */
int vsvm_hw_vm_create(struct vsvm_hw *hw, u64 root);

/**
 * vsvm_hw_vm_destroy() - give an address space back
 * @hw: the GPU
 * @vmid: its id; no ring may use it any more
 *
 * On return no compute unit reads its page tables, and no access of it is counted.
 * May sleep.
 */
void vsvm_hw_vm_destroy(struct vsvm_hw *hw, u32 vmid);

/**
 * vsvm_hw_vm_busy_ns() - how long compute units worked for an address space
 * @hw: the GPU
 * @vmid: its id
 *
 * Time in which instructions were executed, summed over all compute units. A
 * hart that waits for the answer to a fault keeps no unit busy. A slice counts
 * when it has ended.
 *
 * Return: nanoseconds since vsvm_hw_vm_create().
 */
u64 vsvm_hw_vm_busy_ns(struct vsvm_hw *hw, u32 vmid);

/**
 * vsvm_hw_tlb_invalidate() - forget translations of a range
 * @hw: the GPU
 * @vmid: address space
 * @start: first byte
 * @end: first byte after the range
 * @may_block: false to give up rather than sleep
 *
 * On success no compute unit uses, or will use, a translation of the range that
 * was read before the call, nor does any walk read tables that were unlinked
 * before the call. Bounded: waits for the current slice of each compute unit.
 * Does not allocate memory, may be called from an MMU notifier.
 *
 * Return: 0, or -EAGAIN when @may_block is false and a compute unit is busy.
 */
int vsvm_hw_tlb_invalidate(struct vsvm_hw *hw, u32 vmid, u64 start, u64 end,
			   bool may_block);

/**
 * vsvm_hw_ring_create() - create a ring of dispatches
 * @hw: the GPU
 * @vmid: address space that its dispatches run in
 * @entries: length of the ring, a power of two
 *
 * Context: May sleep.
 * Return: ring id (not negative), -ENOSPC, -ENOMEM, or -EINVAL for a length that
 * is no power of two or an unknown @vmid.
 */
int vsvm_hw_ring_create(struct vsvm_hw *hw, u32 vmid, u32 entries);

/**
 * vsvm_hw_ring_destroy() - end everything in a ring and free it
 * @hw: the GPU
 * @ring: ring id
 *
 * A running dispatch ends at its next slice, parked harts end at once; on return
 * none of its harts exists, and its fault records need no answer any more (an
 * answer is ignored). May sleep, bounded.
 */
void vsvm_hw_ring_destroy(struct vsvm_hw *hw, u32 ring);

/**
 * vsvm_hw_ring_submit() - write a dispatch to a ring and ring the doorbell
 * @hw: the GPU
 * @ring: ring id
 * @dispatch: copied
 *
 * A ring runs its dispatches one after the other. Work-group n of a dispatch runs
 * on compute unit (ring + n) modulo their number. After a dispatch that did not end
 * with VSVM_ISA_STATUS_OK the ring is stopped: the rest ends as
 * VSVM_ISA_STATUS_KILLED.
 *
 * Return: 0, -EBUSY when the ring is full (done entries not yet popped count), or
 * -EINVAL for a grid without work-items, one of more than 2^64 of them, too large a
 * work-group or too much local memory.
 */
int vsvm_hw_ring_submit(struct vsvm_hw *hw, u32 ring,
			const struct vsvm_hw_dispatch *dispatch);

/**
 * vsvm_hw_ring_pop() - take the next ended dispatch of a ring, in order
 * @hw: the GPU
 * @ring: ring id
 * @done: filled in
 *
 * Return: true when there was one. Does not sleep.
 */
bool vsvm_hw_ring_pop(struct vsvm_hw *hw, u32 ring, struct vsvm_hw_done *done);

/**
 * vsvm_hw_ring_error() - see what stopped a ring
 * @hw: the GPU
 * @ring: ring id
 * @error: filled in
 *
 * Return: true when a hart stopped it, and not vsvm_hw_ring_destroy().
 */
bool vsvm_hw_ring_error(struct vsvm_hw *hw, u32 ring,
			struct vsvm_hw_error *error);

/**
 * vsvm_hw_fault_pop() - take the next record of the fault buffer
 * @hw: the GPU
 * @fault: filled in
 *
 * Return: true when there was one. Does not sleep.
 */
bool vsvm_hw_fault_pop(struct vsvm_hw *hw, struct vsvm_hw_fault *fault);

/**
 * vsvm_hw_fault_ack() - answer a record
 * @hw: the GPU
 * @fault: the record
 * @served: true: the harts replay the access; false: their dispatch ends with
 *	VSVM_ISA_STATUS_FAULT
 */
void vsvm_hw_fault_ack(struct vsvm_hw *hw, const struct vsvm_hw_fault *fault,
		       bool served);

/**
 * vsvm_hw_read_faults() - look at the fault buffer
 * @hw: the GPU
 * @state: filled in
 */
void vsvm_hw_read_faults(struct vsvm_hw *hw, struct vsvm_hw_fault_state *state);

/**
 * vsvm_hw_copy() - run descriptors on the copy engine
 * @hw: the GPU
 * @desc: descriptors
 * @count: how many
 *
 * The doorbell of the copy engine: the descriptors have been carried out, in
 * order, on return. Several callers run in parallel. May sleep (VRAM blocks are
 * allocated on first write).
 *
 * Return: 0, -EINVAL for a range outside VRAM, system memory that does not exist
 * or a malformed descriptor, -ENOMEM without backing memory; descriptors before
 * the failing one are done.
 */
int vsvm_hw_copy(struct vsvm_hw *hw, const struct vsvm_hw_copy *desc, u32 count);

/**
 * vsvm_hw_vram_discard() - contents of a range of VRAM are not needed any more
 * @hw: the GPU
 * @offset: first byte, a multiple of 4 KiB
 * @size: bytes, a multiple of 4 KiB
 *
 * Nothing may be mapped there. Backing memory of whole 2 MiB blocks in the range
 * is freed. May sleep.
 */
void vsvm_hw_vram_discard(struct vsvm_hw *hw, u64 offset, u64 size);

/**
 * vsvm_hw_read_counters() - read the counters
 * @hw: the GPU
 * @counters: filled in
 *
 * Bounded: waits for the current slice of each compute unit.
 */
void vsvm_hw_read_counters(struct vsvm_hw *hw, struct vsvm_hw_counters *counters);

/**
 * vsvm_hw_take_accesses() - read the access counters of a compute unit
 * @hw: the GPU
 * @cu: number of the compute unit
 * @accesses: filled in, one for each region of system memory with accesses
 * @max: elements of @accesses
 *
 * What was read is zero afterwards; call again for the rest if there were @max.
 * Loads, stores, atomics and translations for fetches count, by their virtual
 * address. There are 1024 counters; those with few accesses are lost to others
 * when they do not suffice. Bounded: waits for the current slice of the unit.
 *
 * Return: how many there were, 0 for a unit that does not exist.
 */
u32 vsvm_hw_take_accesses(struct vsvm_hw *hw, u32 cu,
			  struct vsvm_hw_access *accesses, u32 max);

#endif /* _VSVM_HW_H_ */
