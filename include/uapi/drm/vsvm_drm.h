/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _UAPI_VSVM_DRM_H_
#define _UAPI_VSVM_DRM_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: uAPI overview
 *
 * An open file of a vsvm render node is one GPU address space, bound to the
 * address space of the process that opened it: a GPU address is a CPU address.
 * There are no buffer objects. Calls from another address space (a child after
 * fork(), or a process that was handed the file) fail with -EPERM.
 *
 * Every structure is checked to the last bit: unknown flags, non-zero reserved
 * or padding fields and unaligned or overflowing ranges give -EINVAL, and a
 * message to the kernel log when ``drm.debug`` has the driver bit (0x2).
 * Addresses and lengths are in bytes, times in nanoseconds.
 */

/** DRM_VSVM_UAPI_VERSION - grows with every addition to this header */
#define DRM_VSVM_UAPI_VERSION	4

#define DRM_VSVM_QUERY		0x00
#define DRM_VSVM_PREFETCH	0x01
#define DRM_VSVM_RESIDENCY	0x02
#define DRM_VSVM_QUEUE_CREATE	0x03
#define DRM_VSVM_QUEUE_DESTROY	0x04
#define DRM_VSVM_SUBMIT		0x05
#define DRM_VSVM_WAIT		0x06
#define DRM_VSVM_ADVISE		0x07
#define DRM_VSVM_ATTRIBUTES	0x08

#define DRM_IOCTL_VSVM_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_QUERY, struct drm_vsvm_query)
#define DRM_IOCTL_VSVM_PREFETCH \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_PREFETCH, struct drm_vsvm_prefetch)
#define DRM_IOCTL_VSVM_RESIDENCY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_RESIDENCY, struct drm_vsvm_residency)
#define DRM_IOCTL_VSVM_QUEUE_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_QUEUE_CREATE, struct drm_vsvm_queue_create)
#define DRM_IOCTL_VSVM_QUEUE_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_VSVM_QUEUE_DESTROY, struct drm_vsvm_queue_destroy)
#define DRM_IOCTL_VSVM_SUBMIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_SUBMIT, struct drm_vsvm_submit)
#define DRM_IOCTL_VSVM_WAIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_WAIT, struct drm_vsvm_wait)
#define DRM_IOCTL_VSVM_ADVISE \
	DRM_IOW(DRM_COMMAND_BASE + DRM_VSVM_ADVISE, struct drm_vsvm_advise)
#define DRM_IOCTL_VSVM_ATTRIBUTES \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VSVM_ATTRIBUTES, struct drm_vsvm_attributes)

/**
 * enum drm_vsvm_query_id - what DRM_IOCTL_VSVM_QUERY returns
 * @DRM_VSVM_QUERY_INFO: &struct drm_vsvm_info
 * @DRM_VSVM_QUERY_COUNTERS: &struct drm_vsvm_counters
 */
enum drm_vsvm_query_id {
	DRM_VSVM_QUERY_INFO = 0,
	DRM_VSVM_QUERY_COUNTERS = 1,
};

/**
 * struct drm_vsvm_query - ask the device about itself
 * @query: one of &enum drm_vsvm_query_id
 * @size: in: size of the buffer at @data, out: size of the structure that the
 *	kernel knows. The kernel writes the smaller of the two, so that old and
 *	new user space get along with new and old kernels. With 0 only the size
 *	is returned
 * @data: user address of the buffer
 */
struct drm_vsvm_query {
	__u32 query;
	__u32 size;
	__u64 data;
};

/**
 * struct drm_vsvm_info - constant facts of a device
 * @uapi_version: %DRM_VSVM_UAPI_VERSION of the kernel
 * @num_cus: compute units
 * @max_group: most work-items in a work-group
 * @max_order: highest folio order that VRAM is allocated in now: 9, or 0 while
 *	huge folios are switched off
 * @va_bits: bits of a virtual address
 * @page_shift: log2 of the base page size
 * @vram_size: bytes of VRAM
 * @device_index: number of this device, counted from 0
 * @max_local: most bytes of local memory of a work-group; version 2
 */
struct drm_vsvm_info {
	__u32 uapi_version;
	__u32 num_cus;
	__u32 max_group;
	__u32 max_order;
	__u32 va_bits;
	__u32 page_shift;
	__u64 vram_size;
	__u32 device_index;
	__u32 max_local;
};

/** DRM_VSVM_ORDERS - length of a table indexed by folio order (0 to 9) */
#define DRM_VSVM_ORDERS 10

/**
 * enum drm_vsvm_size_class - size of a unit of work
 * @DRM_VSVM_SIZE_4K: less than 64 KiB
 * @DRM_VSVM_SIZE_64K: 64 KiB up to less than 2 MiB
 * @DRM_VSVM_SIZE_2M: 2 MiB and more
 * @DRM_VSVM_SIZE_CLASSES: number of size classes
 */
enum drm_vsvm_size_class {
	DRM_VSVM_SIZE_4K = 0,
	DRM_VSVM_SIZE_64K = 1,
	DRM_VSVM_SIZE_2M = 2,
	DRM_VSVM_SIZE_CLASSES = 3,
};

/**
 * enum drm_vsvm_stage_id - stages of the SVM path
 * @DRM_VSVM_STAGE_GPU_FAULT: service of a GPU fault, all of it
 * @DRM_VSVM_STAGE_TO_VRAM: a migration from system memory to VRAM, all of it
 * @DRM_VSVM_STAGE_COPY_TO_VRAM: the part of it that copies or clears
 * @DRM_VSVM_STAGE_BIND: writing of GPU page tables
 * @DRM_VSVM_STAGE_CPU_FAULT: service of a CPU fault on VRAM, all of it
 * @DRM_VSVM_STAGE_TO_RAM: a migration from VRAM to system memory, all of it
 * @DRM_VSVM_STAGE_COPY_TO_RAM: the part of it that copies
 * @DRM_VSVM_STAGES: number of stages
 */
enum drm_vsvm_stage_id {
	DRM_VSVM_STAGE_GPU_FAULT = 0,
	DRM_VSVM_STAGE_TO_VRAM = 1,
	DRM_VSVM_STAGE_COPY_TO_VRAM = 2,
	DRM_VSVM_STAGE_BIND = 3,
	DRM_VSVM_STAGE_CPU_FAULT = 4,
	DRM_VSVM_STAGE_TO_RAM = 5,
	DRM_VSVM_STAGE_COPY_TO_RAM = 6,
	DRM_VSVM_STAGES = 7,
};

/**
 * struct drm_vsvm_stage - sums of one stage in one size class
 * @count: how often
 * @ns: time spent
 * @bytes: bytes handled
 */
struct drm_vsvm_stage {
	__u64 count;
	__u64 ns;
	__u64 bytes;
};

/**
 * struct drm_vsvm_counters - what the device did since it was probed
 *
 * The sum over orders of pages in @folios_allocated less that in @folios_freed, and
 * @pages_duplicated less @duplicates_dropped, are together the number of VRAM pages in
 * use. A split turns one folio into several, so that only the pages, not the folios,
 * balance order by order.
 *
 * @folios_allocated: device-private folios initialised, by order
 * @folios_freed: ``folio_free`` calls, by order
 * @folios_split: ``folio_split`` calls with a new folio
 * @folios_to_vram: folios migrated from system memory, by order in VRAM
 * @folios_to_ram: folios migrated to system memory, by order in system memory
 * @gpu_faults_served: GPU faults that changed the page tables, by size class of
 *	the range that was made accessible
 * @gpu_faults_stale: GPU faults that found the access possible already
 * @gpu_faults_failed: GPU faults that ended their dispatch
 * @cpu_faults: CPU faults on VRAM pages
 * @dispatches: dispatches ended
 * @instructions: instructions executed by all harts
 * @tlb_hits: address translations served by a TLB
 * @tlb_misses: address translations that walked the page tables
 * @vram_total: bytes of VRAM
 * @vram_free: bytes of VRAM that can be allocated
 * @stage: see &enum drm_vsvm_stage_id and &enum drm_vsvm_size_class
 * @folios_evicted: folios migrated to system memory to make room in VRAM, by order
 *	in system memory; @folios_to_ram has them, too
 * @blocks_evicted: blocks of VRAM (2 MiB) that were emptied to make room
 * @evictions_failed: blocks that were to be emptied, but some of their pages could
 *	not move
 * @regions_promoted: regions (2 MiB) of which something moved to VRAM because the GPU
 *	accessed them often in system memory
 * @pages_duplicated: pages of read-mostly memory that were copied to VRAM; version 4
 * @duplicates_dropped: of these copies, those that are no more; version 4
 */
struct drm_vsvm_counters {
	__u64 folios_allocated[DRM_VSVM_ORDERS];
	__u64 folios_freed[DRM_VSVM_ORDERS];
	__u64 folios_split;
	__u64 folios_to_vram[DRM_VSVM_ORDERS];
	__u64 folios_to_ram[DRM_VSVM_ORDERS];
	__u64 gpu_faults_served[DRM_VSVM_SIZE_CLASSES];
	__u64 gpu_faults_stale;
	__u64 gpu_faults_failed;
	__u64 cpu_faults;
	__u64 dispatches;
	__u64 instructions;
	__u64 tlb_hits;
	__u64 tlb_misses;
	__u64 vram_total;
	__u64 vram_free;
	struct drm_vsvm_stage stage[DRM_VSVM_STAGES][DRM_VSVM_SIZE_CLASSES];
	__u64 folios_evicted[DRM_VSVM_ORDERS];
	__u64 blocks_evicted;
	__u64 evictions_failed;
	__u64 regions_promoted;
	__u64 pages_duplicated;
	__u64 duplicates_dropped;
};

/**
 * enum drm_vsvm_location - where memory is
 * @DRM_VSVM_LOCATION_NONE: nothing that this device can see: nothing is mapped
 *	there yet, or it is swapped out or in the VRAM of another device. Also a page
 *	of system memory that a GPU has for itself, see &enum drm_vsvm_atomic
 * @DRM_VSVM_LOCATION_SYSTEM: system memory
 * @DRM_VSVM_LOCATION_VRAM: VRAM of this device
 */
enum drm_vsvm_location {
	DRM_VSVM_LOCATION_NONE = 0,
	DRM_VSVM_LOCATION_SYSTEM = 1,
	DRM_VSVM_LOCATION_VRAM = 2,
};

/** DRM_VSVM_PREFETCH_ASYNC - return at once, write a user fence at the end; version 3 */
#define DRM_VSVM_PREFETCH_ASYNC	(1 << 0)

/**
 * struct drm_vsvm_prefetch - move a range before it is used
 *
 * Moves what can be moved and returns when it is done. Pages that cannot move
 * (file mappings, pinned pages, no VRAM left) stay where they are: that is not
 * an error, see @moved. Memory that was not used lately leaves VRAM to make room,
 * but nothing of the range itself: of a range that is larger than VRAM, the
 * beginning comes to VRAM and the rest stays. A range with an unmapped hole gives
 * -EFAULT, after the part before the hole has been moved. After a prefetch to VRAM
 * the GPU does not fault on the range, unless something changes there before it
 * comes.
 *
 * With DRM_VSVM_PREFETCH_ASYNC it is carried out in the background, and @fence_value is
 * stored as u64 at @fence_addr when it has ended, whatever came of it. Those of one file
 * run in order. DRM_IOCTL_VSVM_WAIT with queue id 0 waits for the fence. When too
 * many are under way the call waits for its turn. Those that have not ended when the file is
 * closed or the device is removed are dropped, without a fence.
 *
 * @addr: start of the range, a multiple of the base page size
 * @length: length of the range, likewise, not 0
 * @location: DRM_VSVM_LOCATION_SYSTEM or DRM_VSVM_LOCATION_VRAM
 * @flags: 0 or DRM_VSVM_PREFETCH_ASYNC
 * @moved: out: bytes that changed place, 0 if asynchronous
 * @fence_addr: address of the user fence, a multiple of 8; 0 if not asynchronous
 * @fence_value: value to store; likewise
 */
struct drm_vsvm_prefetch {
	__u64 addr;
	__u64 length;
	__u32 location;
	__u32 flags;
	__u64 moved;
	__u64 fence_addr;
	__u64 fence_value;
};

/**
 * struct drm_vsvm_residency_run - memory of one kind, contiguous in addresses
 * @addr: start
 * @length: length in bytes
 * @location: one of &enum drm_vsvm_location
 * @order: 9 where one entry maps 2 MiB; else the order of the folio for VRAM in
 *	folios of less than that, or 0. Equal neighbours are one run, so that a
 *	run may hold many folios
 */
struct drm_vsvm_residency_run {
	__u64 addr;
	__u64 length;
	__u32 location;
	__u32 order;
};

/**
 * struct drm_vsvm_residency - ask where the pages of a range are
 *
 * A snapshot: nothing is faulted in or moved. An unmapped hole in the range
 * is reported as DRM_VSVM_LOCATION_NONE.
 *
 * @addr: start of the range, a multiple of the base page size
 * @length: length of the range, likewise, not 0
 * @runs: user address of an array of &struct drm_vsvm_residency_run
 * @num_runs: in: entries in @runs, out: number of runs in the range, which may
 *	be more than were written
 * @flags: 0
 */
struct drm_vsvm_residency {
	__u64 addr;
	__u64 length;
	__u64 runs;
	__u32 num_runs;
	__u32 flags;
};

/**
 * struct drm_vsvm_queue_create - create an in-order compute queue
 * @flags: 0
 * @queue_id: out: id of the queue, not 0
 */
struct drm_vsvm_queue_create {
	__u32 flags;
	__u32 queue_id;
};

/**
 * struct drm_vsvm_queue_destroy - end what runs in a queue, then remove it
 * @queue_id: id of the queue
 * @pad: 0
 */
struct drm_vsvm_queue_destroy {
	__u32 queue_id;
	__u32 pad;
};

/**
 * struct drm_vsvm_submit - start a grid of work-items
 *
 * Work of one queue runs in order, different queues run independently. When the
 * grid has ended well, @fence_value is stored as u64 at @fence_addr. If it ends
 * with an error the fence is not written, the queue stops, and later submits
 * and waits on that queue return -EIO.
 *
 * @queue_id: id of the queue
 * @flags: 0
 * @entry: address of the first instruction, a multiple of 4
 * @arg: passed to every work-item
 * @groups: work-groups in x, y, z; none may be 0
 * @group_size: work-items in a work-group in x, y, z; none may be 0, their
 *	product must not exceed &drm_vsvm_info.max_group
 * @stack_base: start of the stack area, a multiple of 16, or 0 for no stack
 * @stack_size: bytes of stack of one work-item, a multiple of 16; the stack area
 *	has &drm_vsvm_info.num_cus * &drm_vsvm_info.max_group of them
 * @local_size: bytes of local memory of a work-group, at most
 *	&drm_vsvm_info.max_local, see %VSVM_ISA_LOCAL_BASE; 0 for none; version 2
 * @fence_addr: address of the user fence, a multiple of 8, or 0 for none
 * @fence_value: value to store
 * @reserved: 0
 */
struct drm_vsvm_submit {
	__u32 queue_id;
	__u32 flags;
	__u64 entry;
	__u64 arg;
	__u32 groups[3];
	__u32 group_size[3];
	__u64 stack_base;
	__u32 stack_size;
	__u32 local_size;
	__u64 fence_addr;
	__u64 fence_value;
	__u64 reserved[2];
};

/**
 * struct drm_vsvm_wait - wait for a user fence
 *
 * Returns 0 as soon as the u64 at @fence_addr is at least @fence_value, -ETIME
 * when @timeout_ns has passed, -EINTR or a restart on a signal, and -EIO when
 * the queue has stopped with an error; then the out fields tell why. The return
 * value is 0 also for a fence reached before the queue stopped.
 *
 * With @queue_id 0 it is the fence of an asynchronous prefetch. Then -ENOENT means that
 * none is under way that could write it, -ENODEV that the device was removed.
 *
 * @fence_addr: address of the user fence, a multiple of 8
 * @fence_value: value to wait for
 * @timeout_ns: absolute time of CLOCK_MONOTONIC; 0 or a time in the past polls
 * @queue_id: queue that the fence was submitted to; 0 for that of a prefetch, version 3
 * @flags: 0
 * @status: out, with -EIO: one of &enum vsvm_isa_status
 * @fault_access: out, with -EIO and VSVM_ISA_STATUS_FAULT: one of
 *	&enum vsvm_isa_access
 * @fault_addr: out, likewise: the address that could not be accessed
 * @fault_pc: out, with -EIO: address of the instruction that failed
 */
struct drm_vsvm_wait {
	__u64 fence_addr;
	__u64 fence_value;
	__s64 timeout_ns;
	__u32 queue_id;
	__u32 flags;
	__u32 status;
	__u32 fault_access;
	__u64 fault_addr;
	__u64 fault_pc;
};

/**
 * enum drm_vsvm_attribute - what a program can say about a range
 * @DRM_VSVM_ATTRIBUTE_LOCATION: preferred location, one of &enum drm_vsvm_location.
 *	With DRM_VSVM_LOCATION_SYSTEM the GPU uses what is in system memory from
 *	there. DRM_VSVM_LOCATION_NONE, the default, and DRM_VSVM_LOCATION_VRAM let it
 *	move to VRAM
 * @DRM_VSVM_ATTRIBUTE_GRANULARITY: order of the aligned range that a GPU fault
 *	migrates and maps at once: 0 or 2 to 9; the default is 9, which is 2 MiB
 * @DRM_VSVM_ATTRIBUTE_NO_MIGRATE: 1: memory never moves to VRAM, neither by a fault
 *	nor by a prefetch; 0: the default
 * @DRM_VSVM_ATTRIBUTE_ATOMIC: one of &enum drm_vsvm_atomic
 * @DRM_VSVM_ATTRIBUTE_READ_MOSTLY: 1: GPU reads and prefetches do not move memory to
 *	VRAM. Anonymous memory gets a second copy there, while VRAM has free room, which
 *	the GPU reads until either side writes; what has none is read where it is. A GPU
 *	write moves memory; 0: the default
 * @DRM_VSVM_ATTRIBUTE_COUNT: number of attributes
 */
enum drm_vsvm_attribute {
	DRM_VSVM_ATTRIBUTE_LOCATION = 0,
	DRM_VSVM_ATTRIBUTE_GRANULARITY = 1,
	DRM_VSVM_ATTRIBUTE_NO_MIGRATE = 2,
	DRM_VSVM_ATTRIBUTE_ATOMIC = 3,
	DRM_VSVM_ATTRIBUTE_READ_MOSTLY = 4,
	DRM_VSVM_ATTRIBUTE_COUNT = 5,
};

/**
 * enum drm_vsvm_atomic - where atomic operations of the GPU take place
 * @DRM_VSVM_ATOMIC_ANY: wherever a write of the GPU would; the default
 * @DRM_VSVM_ATOMIC_DEVICE: in VRAM: the first one moves the memory there, if that is
 *	possible, even if reads and writes do not
 * @DRM_VSVM_ATOMIC_SYSTEM: where the memory is: none moves it to VRAM. In system memory
 *	the GPU takes the page from the CPU for it, if it is a single page of anonymous
 *	memory, until the CPU accesses it again
 */
enum drm_vsvm_atomic {
	DRM_VSVM_ATOMIC_ANY = 0,
	DRM_VSVM_ATOMIC_DEVICE = 1,
	DRM_VSVM_ATOMIC_SYSTEM = 2,
};

/**
 * struct drm_vsvm_advise - set an attribute of a range
 *
 * It holds from the next access of the GPU on; nothing moves at once. Where
 * attributes contradict each other, no-migrate comes first, then the atomic mode for
 * atomic operations, then read-mostly for reads, then the preferred location. With an
 * unmapped hole in the range nothing is set, and the return value is -EFAULT.
 *
 * An attribute goes back to its default when its memory is unmapped or moved away
 * by mremap().
 *
 * @addr: start of the range, a multiple of the base page size
 * @length: length of the range, likewise, not 0
 * @attribute: one of &enum drm_vsvm_attribute
 * @value: what it says there
 * @flags: 0
 * @pad: 0
 */
struct drm_vsvm_advise {
	__u64 addr;
	__u64 length;
	__u32 attribute;
	__u32 value;
	__u32 flags;
	__u32 pad;
};

/** DRM_VSVM_ATTRIBUTE_ROOM - length of a table indexed by attribute */
#define DRM_VSVM_ATTRIBUTE_ROOM 8

/**
 * struct drm_vsvm_attributes_run - memory with the same attributes
 * @addr: start
 * @length: length in bytes
 * @value: by &enum drm_vsvm_attribute; 0 for those that the kernel does not know
 */
struct drm_vsvm_attributes_run {
	__u64 addr;
	__u64 length;
	__u32 value[DRM_VSVM_ATTRIBUTE_ROOM];
};

/**
 * struct drm_vsvm_attributes - ask for the attributes of a range
 *
 * Equal neighbours are one run. Where nothing is mapped they are the default ones.
 *
 * @addr: start of the range, a multiple of the base page size
 * @length: length of the range, likewise, not 0
 * @runs: user address of an array of &struct drm_vsvm_attributes_run
 * @num_runs: in: entries in @runs, out: number of runs in the range, which may
 *	be more than were written
 * @flags: 0
 */
struct drm_vsvm_attributes {
	__u64 addr;
	__u64 length;
	__u64 runs;
	__u32 num_runs;
	__u32 flags;
};

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_VSVM_DRM_H_ */
