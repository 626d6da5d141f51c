/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * The life of folios of ZONE_DEVICE, and CPU faults on those that the CPU cannot
 * address.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM zone_device

#if !defined(_TRACE_ZONE_DEVICE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_ZONE_DEVICE_H

#include <linux/mm_types.h>
#include <linux/tracepoint.h>

/* The CPU touches a device-private page; its folio is mapped by a PMD or not. */
TRACE_EVENT(device_private_fault_begin,
	TP_PROTO(unsigned long address, unsigned int order, bool pmd),
	TP_ARGS(address, order, pmd),
	TP_STRUCT__entry(
		__field(unsigned long, address)
		__field(unsigned int, order)
		__field(bool, pmd)
	),
	TP_fast_assign(
		__entry->address = address;
		__entry->order = order;
		__entry->pmd = pmd;
	),
	TP_printk("address=0x%lx order=%u pmd=%d", __entry->address,
		  __entry->order, __entry->pmd)
);

/* @result is what the driver's migrate_to_ram() returned. */
TRACE_EVENT(device_private_fault,
	TP_PROTO(unsigned long address, bool pmd, vm_fault_t result),
	TP_ARGS(address, pmd, result),
	TP_STRUCT__entry(
		__field(unsigned long, address)
		__field(bool, pmd)
		__field(unsigned int, result)
	),
	TP_fast_assign(
		__entry->address = address;
		__entry->pmd = pmd;
		__entry->result = (__force unsigned int)result;
	),
	TP_printk("address=0x%lx pmd=%d result=0x%x", __entry->address,
		  __entry->pmd, __entry->result)
);

DECLARE_EVENT_CLASS(zone_device_folio,
	TP_PROTO(unsigned long pfn, unsigned int order),
	TP_ARGS(pfn, order),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned int, order)
	),
	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->order = order;
	),
	TP_printk("pfn=0x%lx order=%u", __entry->pfn, __entry->order)
);

/* A driver gets a folio, or mm gives it back. */
DEFINE_EVENT(zone_device_folio, zone_device_folio_init,
	TP_PROTO(unsigned long pfn, unsigned int order),
	TP_ARGS(pfn, order)
);

DEFINE_EVENT(zone_device_folio, zone_device_folio_free,
	TP_PROTO(unsigned long pfn, unsigned int order),
	TP_ARGS(pfn, order)
);

/* A split ends: the first part has @order now. There is one event a split. */
DEFINE_EVENT(zone_device_folio, zone_device_folio_split,
	TP_PROTO(unsigned long pfn, unsigned int order),
	TP_ARGS(pfn, order)
);

#endif /* _TRACE_ZONE_DEVICE_H */

#include <trace/define_trace.h>
