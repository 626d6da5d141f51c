/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vsvm

#if !defined(_VSVM_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _VSVM_TRACE_H_

#include <linux/tracepoint.h>

#include <drm/vsvm_isa.h>

#include "vsvm_drv.h"

TRACE_DEFINE_ENUM(VSVM_ISA_ACCESS_READ);
TRACE_DEFINE_ENUM(VSVM_ISA_ACCESS_WRITE);
TRACE_DEFINE_ENUM(VSVM_ISA_ACCESS_ATOMIC);
TRACE_DEFINE_ENUM(VSVM_ISA_ACCESS_FETCH);

#define vsvm_show_access(access)				\
	__print_symbolic(access,				\
			 { VSVM_ISA_ACCESS_READ, "read" },	\
			 { VSVM_ISA_ACCESS_WRITE, "write" },	\
			 { VSVM_ISA_ACCESS_ATOMIC, "atomic" },	\
			 { VSVM_ISA_ACCESS_FETCH, "fetch" })

/*
 * A GPU fault was answered: with 0 and the bytes made accessible, which are 0
 * when it was stale, or with an error.
 */
TRACE_EVENT(vsvm_gpu_fault,
	    TP_PROTO(struct vsvm_device *vdev, const struct vsvm_hw_fault *fault,
		     int error, u64 bytes, u64 ns),
	    TP_ARGS(vdev, fault, error, bytes, ns),
	    TP_STRUCT__entry(__field(u32, device)
			     __field(u32, vmid)
			     __field(u64, addr)
			     __field(u32, access)
			     __field(u32, cu)
			     __field(int, error)
			     __field(u64, bytes)
			     __field(u64, ns)
			     ),
	    TP_fast_assign(__entry->device = vdev->index;
			   __entry->vmid = fault->vmid;
			   __entry->addr = fault->addr;
			   __entry->access = fault->access;
			   __entry->cu = fault->cu;
			   __entry->error = error;
			   __entry->bytes = bytes;
			   __entry->ns = ns;
			   ),
	    TP_printk("device=%u vmid=%u addr=%#llx access=%s cu=%u error=%d bytes=%llu ns=%llu",
		      __entry->device, __entry->vmid, __entry->addr,
		      vsvm_show_access(__entry->access), __entry->cu,
		      __entry->error, __entry->bytes, __entry->ns)
);

/* A CPU fault on VRAM was served, or should be tried again when @bytes is 0. */
TRACE_EVENT(vsvm_cpu_fault,
	    TP_PROTO(struct vsvm_device *vdev, unsigned long addr, bool huge,
		     u64 bytes, u64 ns),
	    TP_ARGS(vdev, addr, huge, bytes, ns),
	    TP_STRUCT__entry(__field(u32, device)
			     __field(unsigned long, addr)
			     __field(bool, huge)
			     __field(u64, bytes)
			     __field(u64, ns)
			     ),
	    TP_fast_assign(__entry->device = vdev->index;
			   __entry->addr = addr;
			   __entry->huge = huge;
			   __entry->bytes = bytes;
			   __entry->ns = ns;
			   ),
	    TP_printk("device=%u addr=%#lx huge=%d bytes=%llu ns=%llu",
		      __entry->device, __entry->addr, __entry->huge,
		      __entry->bytes, __entry->ns)
);

/* A range was to be migrated, and @bytes of it were. */
TRACE_EVENT(vsvm_migrate,
	    TP_PROTO(struct vsvm_device *vdev, bool to_vram, unsigned long start,
		     unsigned long end, u64 bytes, u64 ns),
	    TP_ARGS(vdev, to_vram, start, end, bytes, ns),
	    TP_STRUCT__entry(__field(u32, device)
			     __field(bool, to_vram)
			     __field(unsigned long, start)
			     __field(unsigned long, end)
			     __field(u64, bytes)
			     __field(u64, ns)
			     ),
	    TP_fast_assign(__entry->device = vdev->index;
			   __entry->to_vram = to_vram;
			   __entry->start = start;
			   __entry->end = end;
			   __entry->bytes = bytes;
			   __entry->ns = ns;
			   ),
	    TP_printk("device=%u to=%s start=%#lx end=%#lx bytes=%llu ns=%llu",
		      __entry->device, __entry->to_vram ? "vram" : "ram",
		      __entry->start, __entry->end, __entry->bytes, __entry->ns)
);

/* All of a block of VRAM was to be moved to system memory, and @bytes were. */
TRACE_EVENT(vsvm_evict,
	    TP_PROTO(struct vsvm_device *vdev, unsigned long block, u64 bytes,
		     u64 ns),
	    TP_ARGS(vdev, block, bytes, ns),
	    TP_STRUCT__entry(__field(u32, device)
			     __field(unsigned long, block)
			     __field(u64, bytes)
			     __field(u64, ns)
			     ),
	    TP_fast_assign(__entry->device = vdev->index;
			   __entry->block = block;
			   __entry->bytes = bytes;
			   __entry->ns = ns;
			   ),
	    TP_printk("device=%u block=%lu bytes=%llu ns=%llu", __entry->device,
		      __entry->block, __entry->bytes, __entry->ns)
);

/* A range was duplicated for reading, and @bytes of it can be accessed that could not. */
TRACE_EVENT(vsvm_duplicate,
	    TP_PROTO(struct vsvm_device *vdev, unsigned long start,
		     unsigned long end, u64 bytes, u64 ns),
	    TP_ARGS(vdev, start, end, bytes, ns),
	    TP_STRUCT__entry(__field(u32, device)
			     __field(unsigned long, start)
			     __field(unsigned long, end)
			     __field(u64, bytes)
			     __field(u64, ns)
			     ),
	    TP_fast_assign(__entry->device = vdev->index;
			   __entry->start = start;
			   __entry->end = end;
			   __entry->bytes = bytes;
			   __entry->ns = ns;
			   ),
	    TP_printk("device=%u start=%#lx end=%#lx bytes=%llu ns=%llu",
		      __entry->device, __entry->start, __entry->end,
		      __entry->bytes, __entry->ns)
);

/* The process' page tables are about to change; @flush: the GPU was affected. */
TRACE_EVENT(vsvm_invalidate,
	    TP_PROTO(struct vsvm_device *vdev, u32 vmid, unsigned long start,
		     unsigned long end, unsigned int event, bool flush),
	    TP_ARGS(vdev, vmid, start, end, event, flush),
	    TP_STRUCT__entry(__field(u32, device)
			     __field(u32, vmid)
			     __field(unsigned long, start)
			     __field(unsigned long, end)
			     __field(unsigned int, event)
			     __field(bool, flush)
			     ),
	    TP_fast_assign(__entry->device = vdev->index;
			   __entry->vmid = vmid;
			   __entry->start = start;
			   __entry->end = end;
			   __entry->event = event;
			   __entry->flush = flush;
			   ),
	    TP_printk("device=%u vmid=%u start=%#lx end=%#lx event=%u flush=%d",
		      __entry->device, __entry->vmid, __entry->start, __entry->end,
		      __entry->event, __entry->flush)
);

/* The GPU's page tables were filled: @bytes can be accessed that could not. */
TRACE_EVENT(vsvm_bind,
	    TP_PROTO(struct vsvm_device *vdev, u32 vmid, unsigned long start,
		     unsigned long end, u64 bytes),
	    TP_ARGS(vdev, vmid, start, end, bytes),
	    TP_STRUCT__entry(__field(u32, device)
			     __field(u32, vmid)
			     __field(unsigned long, start)
			     __field(unsigned long, end)
			     __field(u64, bytes)
			     ),
	    TP_fast_assign(__entry->device = vdev->index;
			   __entry->vmid = vmid;
			   __entry->start = start;
			   __entry->end = end;
			   __entry->bytes = bytes;
			   ),
	    TP_printk("device=%u vmid=%u start=%#lx end=%#lx bytes=%llu",
		      __entry->device, __entry->vmid, __entry->start, __entry->end,
		      __entry->bytes)
);

#endif /* _VSVM_TRACE_H_ */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE vsvm_trace
#include <trace/define_trace.h>
