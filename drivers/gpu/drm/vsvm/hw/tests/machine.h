/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_TEST_MACHINE_H_
#define _VSVM_TEST_MACHINE_H_

/* System memory, page tables and a driver for tests */

#include "vsvm_device.h"

#define RAM_BASE  0x100000000ULL
#define RAM_SIZE  (64ULL << 20)
#define VRAM_SIZE (32ULL << 20)

/* Page table entries */
#define PTE_RO	 (VSVM_HW_PTE_VALID | VSVM_HW_PTE_EXEC)
#define PTE_RW	 (PTE_RO | VSVM_HW_PTE_WRITE)
#define PTE_VRAM (PTE_RW | VSVM_HW_PTE_VRAM)

struct machine;

/* Answers one fault: true when it has been served */
typedef bool (*serve_fn)(struct machine *m, const struct vsvm_hw_fault *fault);

struct machine {
	u8 *ram;
	u64 low;  /* next free page, from the bottom */
	u64 high; /* last huge page, from the top */
	u64 root;
	struct vsvm_hw *hw;
	u32 vmid;
	pthread_mutex_t lock; /* irqs, and the page tables where tests need it */
	pthread_cond_t irq;
	u32 irqs; /* seen and not yet looked at */
	serve_fn serve;
	u64 popped; /* records taken */
	u64 addr;   /* of the last record */
	u32 access; /* likewise */
};

/* Without a GPU: memory and page tables only */
struct machine *machine_new(void);
/* With a GPU */
struct machine *machine_with_gpu(u32 cus, u32 max_group, u32 fault_entries);
void machine_free(struct machine *m);

extern const struct vsvm_hw_host machine_host;

/* Zeroed memory; bus addresses */
u64 ram_page(struct machine *m);
u64 ram_huge(struct machine *m);
void *ram_ptr(struct machine *m, u64 addr);

/* Write a leaf at @va; level 0 is 4 KiB, level 1 2 MiB */
void map(struct machine *m, u64 root, u64 va, u64 pte, u32 level);
/* The entry itself, NULL when there is no table */
u64 *map_entry(struct machine *m, u64 root, u64 va, u32 level);

/* Map new pages of system memory and return the host's pointer to the first */
void *map_new(struct machine *m, u64 va, u32 pages);
void *map_new_huge(struct machine *m, u64 va);
/* Put code there, with pages as needed */
void load_code(struct machine *m, u64 va, const u32 *code, u32 count);

/* Wait for interrupts and serve faults until a dispatch of the ring has ended */
struct vsvm_hw_done machine_wait(struct machine *m, u32 ring);
/* Wait for an interrupt from a source of @sources; false after 10 s */
bool machine_irq(struct machine *m, u32 sources);
/* Serve all faults that are in the buffer */
void machine_serve(struct machine *m);

/* A dispatch of @groups by @size harts in one dimension */
struct vsvm_hw_dispatch grid(u64 entry, u64 arg, u32 groups, u32 size);

/* Serve by mapping a new page of system memory */
bool serve_map(struct machine *m, const struct vsvm_hw_fault *fault);
bool serve_map_huge(struct machine *m, const struct vsvm_hw_fault *fault);
bool serve_refuse(struct machine *m, const struct vsvm_hw_fault *fault);

#endif /* _VSVM_TEST_MACHINE_H_ */
