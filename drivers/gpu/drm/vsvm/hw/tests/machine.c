// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

#include <assert.h>
#include <time.h>

#include "machine.h"

void *ram_ptr(struct machine *m, u64 addr)
{
	assert(addr >= RAM_BASE && addr < RAM_BASE + RAM_SIZE);
	return m->ram + (addr - RAM_BASE);
}

static void *machine_sysmem(void *priv, u64 addr)
{
	struct machine *m = priv;

	if (addr < RAM_BASE || addr >= RAM_BASE + RAM_SIZE || addr % VSVM_PAGE_SIZE)
		return NULL;
	return m->ram + (addr - RAM_BASE);
}

static void machine_raise(void *priv, u32 sources)
{
	struct machine *m = priv;

	pthread_mutex_lock(&m->lock);
	m->irqs |= sources;
	pthread_cond_broadcast(&m->irq);
	pthread_mutex_unlock(&m->lock);
}

const struct vsvm_hw_host machine_host = {
	.sysmem = machine_sysmem,
	.irq = machine_raise,
};

u64 ram_page(struct machine *m)
{
	u64 addr = m->low;

	m->low += VSVM_PAGE_SIZE;
	assert(m->low <= m->high);
	return addr;
}

u64 ram_huge(struct machine *m)
{
	m->high -= VSVM_HUGE_SIZE;
	assert(m->low <= m->high);
	return m->high;
}

struct machine *machine_new(void)
{
	struct machine *m = calloc(1, sizeof(*m));
	void *ram = NULL;

	assert(m);
	assert(!posix_memalign(&ram, VSVM_HUGE_SIZE, RAM_SIZE));
	memset(ram, 0, RAM_SIZE);
	m->ram = ram;
	m->low = RAM_BASE;
	m->high = RAM_BASE + RAM_SIZE;
	m->root = ram_page(m);
	m->serve = serve_refuse;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->irq, NULL);
	return m;
}

struct machine *machine_with_gpu(u32 cus, u32 max_group, u32 fault_entries)
{
	struct vsvm_hw_config config = {
		.vram_size = VRAM_SIZE,
		.num_cus = cus,
		.max_group = max_group,
		.fault_entries = fault_entries,
		.max_local = VSVM_MAX_LOCAL,
		.name = "test",
	};
	struct machine *m = machine_new();
	int vmid;

	m->hw = vsvm_hw_create(&config, &machine_host, m);
	assert(!IS_ERR(m->hw));
	vmid = vsvm_hw_vm_create(m->hw, m->root);
	assert(vmid >= 0);
	m->vmid = vmid;
	return m;
}

void machine_free(struct machine *m)
{
	if (m->hw) {
		vsvm_hw_vm_destroy(m->hw, m->vmid);
		vsvm_hw_destroy(m->hw);
	}
	free(m->ram);
	free(m);
}

static u64 *table_entry(struct machine *m, u64 root, u64 va, u32 level, bool make)
{
	u64 table = root;
	u32 i;

	for (i = VSVM_HW_PT_LEVELS - 1;; i--) {
		u64 *entry = (u64 *)ram_ptr(m, table) + (va >> (12 + 9 * i)) % 512;

		if (i == level)
			return entry;
		if (!(*entry & VSVM_HW_PTE_VALID)) {
			if (!make)
				return NULL;
			WRITE_ONCE(*entry, ram_page(m) | VSVM_HW_PTE_VALID);
		}
		table = *entry & VSVM_HW_PTE_ADDR;
	}
}

u64 *map_entry(struct machine *m, u64 root, u64 va, u32 level)
{
	return table_entry(m, root, va, level, false);
}

void map(struct machine *m, u64 root, u64 va, u64 pte, u32 level)
{
	u64 *entry = table_entry(m, root, va, level, true);

	if (level)
		pte |= VSVM_HW_PTE_LEAF;
	WRITE_ONCE(*entry, pte);
}

void *map_new(struct machine *m, u64 va, u32 pages)
{
	u64 addr = 0;
	u64 first = 0;
	u32 i;

	for (i = 0; i < pages; i++) {
		u64 *entry = table_entry(m, m->root, va + i * VSVM_PAGE_SIZE, 0, true);

		addr = ram_page(m);
		WRITE_ONCE(*entry, addr | PTE_RW);
		if (!i)
			first = addr;
	}
	return ram_ptr(m, first);
}

void *map_new_huge(struct machine *m, u64 va)
{
	u64 addr = ram_huge(m);

	map(m, m->root, va, addr | PTE_RW, 1);
	return ram_ptr(m, addr);
}

void load_code(struct machine *m, u64 va, const u32 *code, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++, va += 4) {
		u64 *entry = table_entry(m, m->root, va, 0, true);

		if (!*entry)
			WRITE_ONCE(*entry, ram_page(m) | PTE_RO);
		memcpy((u8 *)ram_ptr(m, *entry & VSVM_HW_PTE_ADDR) + va % 4096, &code[i], 4);
	}
}

bool machine_irq(struct machine *m, u32 sources)
{
	struct timespec limit;
	bool seen;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 60;
	pthread_mutex_lock(&m->lock);
	while (!(m->irqs & sources))
		if (pthread_cond_timedwait(&m->irq, &m->lock, &limit))
			break;
	seen = m->irqs & sources;
	m->irqs &= ~sources;
	pthread_mutex_unlock(&m->lock);
	return seen;
}

void machine_serve(struct machine *m)
{
	struct vsvm_hw_fault fault;

	while (vsvm_hw_fault_pop(m->hw, &fault)) {
		m->popped++;
		m->addr = fault.addr;
		m->access = fault.access;
		vsvm_hw_fault_ack(m->hw, &fault, m->serve(m, &fault));
	}
}

struct vsvm_hw_done machine_wait(struct machine *m, u32 ring)
{
	struct vsvm_hw_done done = {.status = ~0u};

	while (!vsvm_hw_ring_pop(m->hw, ring, &done)) {
		if (!machine_irq(m, VSVM_HW_IRQ_FAULT | VSVM_HW_IRQ_DONE))
			break;
		machine_serve(m);
	}
	return done;
}

struct vsvm_hw_dispatch grid(u64 entry, u64 arg, u32 groups, u32 size)
{
	return (struct vsvm_hw_dispatch){
		.entry = entry,
		.arg = arg,
		.groups = {groups, 1, 1},
		.group_size = {size, 1, 1},
	};
}

bool serve_map(struct machine *m, const struct vsvm_hw_fault *fault)
{
	u64 *entry = table_entry(m, m->root, fault->addr, 0, true);

	if (!*entry)
		WRITE_ONCE(*entry, ram_page(m) | PTE_RW);
	return true;
}

bool serve_map_huge(struct machine *m, const struct vsvm_hw_fault *fault)
{
	u64 *entry = table_entry(m, m->root, fault->addr, 1, true);

	if (!*entry)
		WRITE_ONCE(*entry, ram_huge(m) | PTE_RW | VSVM_HW_PTE_LEAF);
	return true;
}

bool serve_refuse(struct machine *m, const struct vsvm_hw_fault *fault)
{
	(void)m;
	(void)fault;
	return false;
}
