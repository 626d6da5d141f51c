// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: The GPU model
 *
 * ==================  =====================================================
 * vsvm_rv64.c         instructions, with vsvm_access.c and vsvm_atomic.c
 * vsvm_decode.c       their encoding
 * vsvm_fp_*.c         floating point, see vsvm_fp_round.c; vsvm_fpu*.c
 * vsvm_mmu.c          translation, TLB
 * vsvm_counter.c      access counters
 * vsvm_group.c        a work-group on a compute unit
 * vsvm_cu.c           compute units: threads, slices, interrupts
 * vsvm_ring.c         rings and dispatches
 * vsvm_fault.c        fault buffer
 * vsvm_vmem.c         VRAM
 * vsvm_copy.c         copy engine
 * this file           the whole: creation, power, address spaces, counters
 * ==================  =====================================================
 *
 * There are three locks. The slice lock of a compute unit is held while it
 * executes instructions; inside it come the lock of the device (everything about
 * scheduling) and the lock of VRAM (which block is where), neither inside the
 * other. vsvm_hw_tlb_invalidate() takes slice locks only. None of them is held when
 * memory is allocated or freed, or the interrupt callback called. Outside of all,
 * a compute unit holds its turn lock, which vsvm_hw_halt() waits for.
 */

#include "vsvm_device.h"

static bool vsvm_config_valid(const struct vsvm_hw_config *config)
{
	return config->vram_size && IS_ALIGNED(config->vram_size, VSVM_BLOCK_SIZE) &&
	       config->vram_size <= VSVM_HW_PTE_ADDR &&
	       config->num_cus && config->num_cus <= VSVM_MAX_CUS &&
	       config->max_group && config->max_group <= VSVM_MAX_GROUP &&
	       is_power_of_2(config->fault_entries) &&
	       IS_ALIGNED(config->max_local, VSVM_PAGE_SIZE) &&
	       config->max_local <= VSVM_MAX_LOCAL;
}

struct vsvm_hw *vsvm_hw_create(const struct vsvm_hw_config *config,
			       const struct vsvm_hw_host *host, void *priv)
{
	struct vsvm_hw *hw;
	u32 i;

	if (!vsvm_config_valid(config))
		return ERR_PTR(-EINVAL);
	hw = kvzalloc(sizeof(*hw), GFP_KERNEL);
	if (!hw)
		return ERR_PTR(-ENOMEM);
	hw->config = *config;
	hw->host = host;
	hw->priv = priv;
	spin_lock_init(&hw->lock);
	init_waitqueue_head(&hw->wait);

	if (vsvm_vmem_init(&hw->vmem, config->vram_size))
		goto err_free;
	if (vsvm_faults_init(&hw->faults, config->fault_entries))
		goto err_vmem;
	for (i = 0; i < config->num_cus; i++) {
		hw->cu[i] = vsvm_cu_create(hw, i);
		if (!hw->cu[i])
			goto err_cus;
	}
	return hw;

err_cus:
	while (i--)
		vsvm_cu_destroy(hw->cu[i]);
	vsvm_faults_fini(&hw->faults);
err_vmem:
	vsvm_vmem_fini(&hw->vmem);
err_free:
	kvfree(hw);
	return ERR_PTR(-ENOMEM);
}

void vsvm_hw_destroy(struct vsvm_hw *hw)
{
	u32 i;

	for (i = 0; i < hw->config.num_cus; i++)
		vsvm_cu_destroy(hw->cu[i]);
	vsvm_faults_fini(&hw->faults);
	vsvm_vmem_fini(&hw->vmem);
	kvfree(hw);
}

void vsvm_hw_halt(struct vsvm_hw *hw)
{
	u32 i;

	WRITE_ONCE(hw->halted, true);
	for (i = 0; i < hw->config.num_cus; i++)
		vsvm_cu_end_turn(hw->cu[i]);
}

void vsvm_hw_power_off(struct vsvm_hw *hw)
{
	u32 vmid;

	for (vmid = 0; vmid < VSVM_MAX_VMS; vmid++)
		vsvm_hw_tlb_invalidate(hw, vmid, 0, VSVM_VA_END, true);
	vsvm_vmem_discard(&hw->vmem, 0, hw->config.vram_size);
}

void vsvm_hw_run(struct vsvm_hw *hw)
{
	u32 i;

	WRITE_ONCE(hw->halted, false);
	for (i = 0; i < hw->config.num_cus; i++)
		vsvm_cu_wake(hw->cu[i]);
}

int vsvm_hw_vm_create(struct vsvm_hw *hw, u64 root)
{
	int vmid;

	spin_lock(&hw->lock);
	for (vmid = 0; vmid < VSVM_MAX_VMS && hw->vm[vmid].used; vmid++)
		;
	if (vmid < VSVM_MAX_VMS) {
		hw->vm[vmid].root = root;
		hw->vm[vmid].used = true;
		atomic64_set(&hw->vm[vmid].busy_ns, 0);
	}
	spin_unlock(&hw->lock);
	return vmid < VSVM_MAX_VMS ? vmid : -ENOSPC;
}

void vsvm_hw_vm_destroy(struct vsvm_hw *hw, u32 vmid)
{
	u32 i;

	vsvm_hw_tlb_invalidate(hw, vmid, 0, VSVM_VA_END, true);
	for (i = 0; i < hw->config.num_cus; i++) {
		struct vsvm_cu *cu = hw->cu[i];

		mutex_lock(&cu->slice);
		vsvm_counter_forget(&cu->core.mmu.counters, vmid);
		mutex_unlock(&cu->slice);
	}

	spin_lock(&hw->lock);
	hw->vm[vmid].used = false;
	spin_unlock(&hw->lock);
}

u64 vsvm_hw_vm_busy_ns(struct vsvm_hw *hw, u32 vmid)
{
	return vmid < VSVM_MAX_VMS ? atomic64_read(&hw->vm[vmid].busy_ns) : 0;
}

int vsvm_hw_tlb_invalidate(struct vsvm_hw *hw, u32 vmid, u64 start, u64 end,
			   bool may_block)
{
	u32 i;

	for (i = 0; i < hw->config.num_cus; i++) {
		struct vsvm_cu *cu = hw->cu[i];

		if (may_block)
			mutex_lock(&cu->slice);
		else if (!mutex_trylock(&cu->slice))
			return -EAGAIN;
		vsvm_mmu_flush(&cu->core.mmu, vmid, start, end);
		mutex_unlock(&cu->slice);
	}
	return 0;
}

void vsvm_hw_vram_discard(struct vsvm_hw *hw, u64 offset, u64 size)
{
	if (vsvm_vmem_contains(&hw->vmem, offset, size))
		vsvm_vmem_discard(&hw->vmem, offset, size);
}

void vsvm_hw_read_counters(struct vsvm_hw *hw, struct vsvm_hw_counters *counters)
{
	u32 i;

	memset(counters, 0, sizeof(*counters));
	for (i = 0; i < hw->config.num_cus; i++) {
		struct vsvm_cu *cu = hw->cu[i];
		struct vsvm_mmu *mmu = &cu->core.mmu;

		mutex_lock(&cu->slice);
		vsvm_mmu_collect(mmu);
		counters->instructions += cu->instructions;
		counters->tlb_hits += mmu->hits;
		counters->tlb_misses += mmu->misses;
		mutex_unlock(&cu->slice);
	}
	spin_lock(&hw->lock);
	counters->faults = hw->faults.written;
	spin_unlock(&hw->lock);
	counters->bytes_copied = atomic64_read(&hw->bytes_copied);
	counters->vram_blocks = vsvm_vmem_used(&hw->vmem);
}

u32 vsvm_hw_take_accesses(struct vsvm_hw *hw, u32 cu,
			  struct vsvm_hw_access *accesses, u32 max)
{
	struct vsvm_mmu *mmu;
	u32 count;

	if (cu >= hw->config.num_cus)
		return 0;
	mmu = &hw->cu[cu]->core.mmu;
	mutex_lock(&hw->cu[cu]->slice);
	vsvm_mmu_collect(mmu);
	count = vsvm_counter_take(&mmu->counters, accesses, max);
	mutex_unlock(&hw->cu[cu]->slice);
	return count;
}
