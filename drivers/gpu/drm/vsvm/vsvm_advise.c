// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Advice
 *
 * A program can say for ranges of its memory what GPU faults should do with it, by
 * attributes, see &enum drm_vsvm_attribute. Advice moves nothing by itself. It holds
 * from the next access on: when an attribute changes, the range leaves the GPU's page
 * tables.
 *
 * Where several attributes have a say, the first one of these decides whether a GPU
 * fault migrates memory to VRAM:
 *
 * 1. with no-migrate it does not;
 * 2. an atomic access does in atomic mode device, and does not in mode system;
 * 3. a read does not in read-mostly memory;
 * 4. it does unless the preferred location is system memory.
 *
 * An atomic access to system memory that must not migrate, or has another atomic mode
 * than any, makes the page exclusive to the GPU: the CPU's next access faults, takes it
 * from the GPU's page tables, and vice versa. So it works for a GPU whose atomics
 * are none for the CPU. mm can do that for single pages of anonymous memory; the rest,
 * huge pages above all, is shared, as this GPU's atomics allow. To see such accesses,
 * atomics on the memory are forbidden in the GPU's page tables until one has faulted.
 * Likewise, read-mostly memory is read-only there until a write has faulted. What the
 * GPU reads of it is duplicated in VRAM, if it is anonymous and may migrate, see Read
 * duplication.
 *
 * The granularity is that of faults. A prefetch moves what it is told to, except what
 * must not migrate or is duplicated.
 *
 * Advice belongs to the mapping and dies with it. One MMU notifier for all of the
 * address space, inserted with the first advice, hears of munmap() and of mappings
 * that take the place of others, and removes the advice before the address can be
 * mapped again. For mremap() it is told the old address only: there the advice is
 * removed, and the new address has none. A mapping that grows or shrinks in place
 * keeps the advice of what it keeps. Memory that is dropped, by madvise() for
 * instance, leaves the mapping and its advice.
 *
 * Splitting a run needs memory, which a notifier may not wait for. If there is none,
 * the run loses the advice behind what was unmapped. It is only advice.
 */

#include <linux/hmm.h>
#include <linux/interval_tree.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vsvm_vm.h"

/**
 * struct vsvm_run - addresses with the same attributes
 * @node: the addresses, in &vsvm_advice.runs
 * @attrs: the attributes
 */
struct vsvm_run {
	struct interval_tree_node node;
	struct vsvm_attrs attrs;
};

static const struct vsvm_attrs vsvm_attrs_default = {
	.value = {
		[DRM_VSVM_ATTRIBUTE_GRANULARITY] = VSVM_BLOCK_ORDER,
	},
};

static bool vsvm_attrs_equal(const struct vsvm_attrs *a,
			     const struct vsvm_attrs *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/**
 * vsvm_attrs_granule() - narrow a range to what one fault may migrate
 * @attrs: the attributes
 * @addr: the address of the fault
 * @start: start of the range
 * @end: end of the range
 */
void vsvm_attrs_granule(const struct vsvm_attrs *attrs, unsigned long addr,
			unsigned long *start, unsigned long *end)
{
	unsigned long size = PAGE_SIZE <<
		attrs->value[DRM_VSVM_ATTRIBUTE_GRANULARITY];

	*start = max(*start, ALIGN_DOWN(addr, size));
	*end = min(*end, ALIGN_DOWN(addr, size) + size);
}

/**
 * vsvm_attrs_want_vram() - whether an access should move memory to VRAM
 * @attrs: the attributes
 * @access: enum vsvm_isa_access
 *
 * Return: true if it should.
 */
bool vsvm_attrs_want_vram(const struct vsvm_attrs *attrs, u32 access)
{
	u8 atomic = attrs->value[DRM_VSVM_ATTRIBUTE_ATOMIC];
	bool write = access == VSVM_ISA_ACCESS_WRITE ||
		     access == VSVM_ISA_ACCESS_ATOMIC;

	if (vsvm_attrs_no_migrate(attrs))
		return false;
	if (access == VSVM_ISA_ACCESS_ATOMIC && atomic != DRM_VSVM_ATOMIC_ANY)
		return atomic == DRM_VSVM_ATOMIC_DEVICE;
	if (!write && attrs->value[DRM_VSVM_ATTRIBUTE_READ_MOSTLY])
		return false;
	return attrs->value[DRM_VSVM_ATTRIBUTE_LOCATION] !=
	       DRM_VSVM_LOCATION_SYSTEM;
}

/**
 * vsvm_attrs_restrict() - have the first write to read-mostly memory fault
 * @attrs: the attributes
 * @pfns: result of vsvm_range_snapshot(), to be mapped for something else than a
 *	write
 * @count: how many
 */
void vsvm_attrs_restrict(const struct vsvm_attrs *attrs, unsigned long *pfns,
			 unsigned long count)
{
	unsigned long i, end;

	if (!attrs->value[DRM_VSVM_ATTRIBUTE_READ_MOSTLY])
		return;
	for (i = 0; i < count; i = end) {
		end = min(i + vsvm_snapshot_step(pfns[i]), count);
		if (!(pfns[i] & HMM_PFN_VALID) ||
		    is_device_private_page(hmm_pfn_to_page(pfns[i])))
			continue;
		for (; i < end; i++)
			pfns[i] &= ~HMM_PFN_WRITE;
	}
}

/**
 * vsvm_attrs_want_duplicate() - whether memory is to be duplicated, not moved
 * @attrs: the attributes
 *
 * Return: true if a read or a prefetch should do that.
 */
bool vsvm_attrs_want_duplicate(const struct vsvm_attrs *attrs)
{
	return attrs->value[DRM_VSVM_ATTRIBUTE_READ_MOSTLY] &&
	       !vsvm_attrs_no_migrate(attrs);
}

/**
 * vsvm_attrs_want_exclusive() - whether a page of system memory is to be the GPU's alone
 * @attrs: the attributes
 * @access: enum vsvm_isa_access
 *
 * Return: true if it is.
 */
bool vsvm_attrs_want_exclusive(const struct vsvm_attrs *attrs, u32 access)
{
	return access == VSVM_ISA_ACCESS_ATOMIC &&
	       (vsvm_attrs_no_migrate(attrs) ||
		attrs->value[DRM_VSVM_ATTRIBUTE_ATOMIC] != DRM_VSVM_ATOMIC_ANY);
}

/**
 * vsvm_attrs_pte_flags() - bits of page table entries that attributes demand
 * @attrs: the attributes
 * @access: enum vsvm_isa_access, that the entries are for
 *
 * Return: the bits.
 */
u64 vsvm_attrs_pte_flags(const struct vsvm_attrs *attrs, u32 access)
{
	if (access == VSVM_ISA_ACCESS_ATOMIC ||
	    !vsvm_attrs_want_exclusive(attrs, VSVM_ISA_ACCESS_ATOMIC))
		return 0;
	return VSVM_HW_PTE_NO_ATOMIC;
}

/* The first run that has anything of [@start, @last]. */
static struct vsvm_run *vsvm_run_first(struct vsvm_advice *advice,
				       unsigned long start, unsigned long last)
{
	struct interval_tree_node *node;

	lockdep_assert_held(&advice->lock);

	node = interval_tree_iter_first(&advice->runs, start, last);
	return node ? container_of(node, struct vsvm_run, node) : NULL;
}

static void vsvm_run_insert(struct vsvm_advice *advice, struct vsvm_run *run,
			    unsigned long start, unsigned long last)
{
	lockdep_assert_held(&advice->lock);

	run->node.start = start;
	run->node.last = last;
	interval_tree_insert(&run->node, &advice->runs);
}

static void vsvm_run_remove(struct vsvm_advice *advice, struct vsvm_run *run)
{
	lockdep_assert_held(&advice->lock);

	interval_tree_remove(&run->node, &advice->runs);
}

/* Removes all advice for [@start, @last]. */
static void vsvm_advice_drop(struct vsvm_advice *advice, unsigned long start,
			     unsigned long last)
{
	struct vsvm_run *run, *tail;

	while ((run = vsvm_run_first(advice, start, last))) {
		unsigned long run_start = run->node.start;
		unsigned long run_last = run->node.last;

		vsvm_run_remove(advice, run);
		tail = run;
		if (run_start < start) {
			vsvm_run_insert(advice, run, run_start, start - 1);
			tail = NULL;
		}
		if (run_last > last) {
			if (!tail)
				tail = kmemdup(run, sizeof(*run),
					       GFP_NOWAIT | __GFP_ACCOUNT);
			if (tail)
				vsvm_run_insert(advice, tail, last + 1,
						run_last);
		} else {
			kfree(tail);
		}
	}
}

static bool vsvm_advice_invalidate(struct mmu_interval_notifier *notifier,
				   const struct mmu_notifier_range *event,
				   unsigned long seq)
{
	struct vsvm_advice *advice = container_of(notifier, struct vsvm_advice,
						  notifier);

	spin_lock(&advice->lock);
	mmu_interval_set_seq(notifier, seq);
	if (event->event == MMU_NOTIFY_UNMAP)
		vsvm_advice_drop(advice, event->start, event->end - 1);
	spin_unlock(&advice->lock);
	return true;
}

static const struct mmu_interval_notifier_ops vsvm_advice_ops = {
	.invalidate = vsvm_advice_invalidate,
};

/**
 * vsvm_advice_init() - no advice to begin with
 * @advice: the advice
 */
void vsvm_advice_init(struct vsvm_advice *advice)
{
	spin_lock_init(&advice->lock);
	advice->runs = RB_ROOT_CACHED;
}

/**
 * vsvm_advice_fini() - forget all advice
 * @vm: the address space, not in use any more
 */
void vsvm_advice_fini(struct vsvm_vm *vm)
{
	struct vsvm_advice *advice = &vm->advice;
	struct vsvm_run *run, *next;

	if (advice->watching)
		mmu_interval_notifier_remove(&advice->notifier);
	rbtree_postorder_for_each_entry_safe(run, next,
					     &advice->runs.rb_root, node.rb) {
		kfree(run);
		cond_resched();
	}
}

/**
 * vsvm_advice_get() - find out what the program wants of an address
 * @vm: the address space
 * @addr: the address
 * @start: start of a range with @addr in it; moved to where the attributes are those
 *	of @addr
 * @end: end of the range, likewise
 *
 * Context: The mmap lock is held.
 * Return: the attributes.
 */
struct vsvm_attrs vsvm_advice_get(struct vsvm_vm *vm, unsigned long addr,
				  unsigned long *start, unsigned long *end)
{
	struct vsvm_attrs attrs = vsvm_attrs_default;
	struct vsvm_advice *advice = &vm->advice;
	struct vsvm_run *run;

	mmap_assert_locked(vm->mm);

	spin_lock(&advice->lock);
	while (*start < addr &&
	       (run = vsvm_run_first(advice, *start, addr - 1))) {
		if (run->node.last >= addr)
			break;
		*start = run->node.last + 1;
	}
	run = vsvm_run_first(advice, addr, *end - 1);
	if (run && run->node.start <= addr) {
		attrs = run->attrs;
		*start = max(*start, run->node.start);
		*end = min(*end, run->node.last + 1);
	} else if (run) {
		*end = run->node.start;
	}
	spin_unlock(&advice->lock);
	return attrs;
}

/* Makes @addr the start of a run, if it is inside of one. */
static int vsvm_advice_split(struct vsvm_advice *advice, unsigned long addr)
{
	struct vsvm_run *run, *tail;

	tail = kmalloc(sizeof(*tail), GFP_KERNEL_ACCOUNT);
	if (!tail)
		return -ENOMEM;

	spin_lock(&advice->lock);
	run = vsvm_run_first(advice, addr, addr);
	if (run && run->node.start < addr) {
		vsvm_run_remove(advice, run);
		tail->attrs = run->attrs;
		vsvm_run_insert(advice, tail, addr, run->node.last);
		vsvm_run_insert(advice, run, run->node.start, addr - 1);
		tail = NULL;
	}
	spin_unlock(&advice->lock);
	kfree(tail);
	return 0;
}

/* Adds runs with the default attributes where there is none in [@start, @last]. */
static int vsvm_advice_fill(struct vsvm_advice *advice, unsigned long start,
			    unsigned long last)
{
	struct vsvm_run *run, *fresh = NULL;

	while (start <= last) {
		if (!fresh)
			fresh = kmalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
		if (!fresh)
			return -ENOMEM;

		spin_lock(&advice->lock);
		run = vsvm_run_first(advice, start, last);
		if (!run || run->node.start > start) {
			fresh->attrs = vsvm_attrs_default;
			vsvm_run_insert(advice, fresh, start,
					run ? run->node.start - 1 : last);
			run = fresh;
			fresh = NULL;
		}
		start = run->node.last + 1;
		spin_unlock(&advice->lock);
		cond_resched();
	}
	kfree(fresh);
	return 0;
}

/* Sets an attribute of all runs in [@start, @last]. Returns whether that changed any. */
static bool vsvm_advice_set(struct vsvm_advice *advice, unsigned long start,
			    unsigned long last, u32 attribute, u8 value)
{
	struct vsvm_run *run;
	bool changed = false;

	spin_lock(&advice->lock);
	while (start <= last && (run = vsvm_run_first(advice, start, last))) {
		if (run->attrs.value[attribute] != value)
			changed = true;
		run->attrs.value[attribute] = value;
		start = run->node.last + 1;
	}
	spin_unlock(&advice->lock);
	return changed;
}

/* Joins equal runs in [@start, @last], and removes those that say nothing. */
static void vsvm_advice_tidy(struct vsvm_advice *advice, unsigned long start,
			     unsigned long last)
{
	struct vsvm_run *run, *before = NULL;

	spin_lock(&advice->lock);
	while (start <= last && (run = vsvm_run_first(advice, start, last))) {
		start = run->node.last + 1;
		if (vsvm_attrs_equal(&run->attrs, &vsvm_attrs_default)) {
			vsvm_run_remove(advice, run);
			kfree(run);
		} else if (before && before->node.last + 1 == run->node.start &&
			   vsvm_attrs_equal(&before->attrs, &run->attrs)) {
			vsvm_run_remove(advice, run);
			vsvm_run_remove(advice, before);
			vsvm_run_insert(advice, before, before->node.start,
					run->node.last);
			kfree(run);
		} else {
			before = run;
		}
	}
	spin_unlock(&advice->lock);
}

/*
 * Does all of it or nothing. The mmap lock, held for writing, keeps out those who read
 * advice or remove it, so that they never see anything in between.
 */
static int vsvm_advice_apply(struct vsvm_vm *vm, unsigned long start,
			     unsigned long end, u32 attribute, u8 value)
{
	struct vsvm_advice *advice = &vm->advice;
	unsigned long last = end - 1;
	int ret;

	mmap_assert_write_locked(vm->mm);

	ret = vsvm_advice_split(advice, start);
	if (!ret)
		ret = vsvm_advice_split(advice, end);
	if (!ret && value != vsvm_attrs_default.value[attribute])
		ret = vsvm_advice_fill(advice, start, last);
	if (!ret && vsvm_advice_set(advice, start, last, attribute, value))
		vsvm_ranges_forget(vm, start, end);
	vsvm_advice_tidy(advice, start ? start - 1 : 0, end);
	return ret;
}

/* Whether there are mappings in all of a range. */
static bool vsvm_is_mapped(struct mm_struct *mm, unsigned long start,
			   unsigned long end)
{
	VMA_ITERATOR(vmi, mm, start);
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > start)
			return false;
		start = vma->vm_end;
	}
	return start >= end;
}

static int vsvm_advise_locked(struct vsvm_vm *vm,
			      const struct drm_vsvm_advise *args)
{
	struct vsvm_advice *advice = &vm->advice;
	unsigned long end = args->addr + args->length;
	int ret;

	if (!vsvm_is_mapped(vm->mm, args->addr, end))
		return -EFAULT;

	if (!advice->watching) {
		ret = mmu_interval_notifier_insert_locked(&advice->notifier,
							  vm->mm, 0,
							  VSVM_USER_END,
							  &vsvm_advice_ops);
		if (ret)
			return ret;
		advice->watching = true;
	}
	return vsvm_advice_apply(vm, args->addr, end, args->attribute,
				 args->value);
}

static bool vsvm_attribute_allows(u32 attribute, u32 value)
{
	switch (attribute) {
	case DRM_VSVM_ATTRIBUTE_LOCATION:
		return value <= DRM_VSVM_LOCATION_VRAM;
	case DRM_VSVM_ATTRIBUTE_GRANULARITY:
		return value <= VSVM_BLOCK_ORDER && value != 1;
	case DRM_VSVM_ATTRIBUTE_ATOMIC:
		return value <= DRM_VSVM_ATOMIC_SYSTEM;
	case DRM_VSVM_ATTRIBUTE_NO_MIGRATE:
	case DRM_VSVM_ATTRIBUTE_READ_MOSTLY:
		return value <= 1;
	default:
		return false;
	}
}

int vsvm_ioctl_advise(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_advise *args = data;
	int ret, idx;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (args->flags || args->pad) {
		drm_dbg(drm, "flags or pad is not 0\n");
		return -EINVAL;
	}
	if (!vsvm_attribute_allows(args->attribute, args->value)) {
		drm_dbg(drm, "bad attribute %u, value %u\n", args->attribute,
			args->value);
		return -EINVAL;
	}
	if (!vsvm_check_user_range(args->addr, args->length)) {
		drm_dbg(drm, "bad range %#llx, %#llx\n", args->addr,
			args->length);
		return -EINVAL;
	}

	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	ret = -EINTR;
	if (!mmap_write_lock_killable(vm->mm)) {
		ret = vsvm_advise_locked(vm, args);
		mmap_write_unlock(vm->mm);
	}
	drm_dev_exit(idx);
	return ret;
}

/* The run that begins at @addr, at most up to @end. */
static int vsvm_attributes_run(struct vsvm_vm *vm, unsigned long addr,
			       unsigned long end,
			       struct drm_vsvm_attributes_run *run)
{
	unsigned long start = addr;
	struct vsvm_attrs attrs;
	unsigned int i;

	if (mmap_read_lock_killable(vm->mm))
		return -EINTR;
	attrs = vsvm_advice_get(vm, addr, &start, &end);
	mmap_read_unlock(vm->mm);

	*run = (struct drm_vsvm_attributes_run) {
		.addr = addr,
		.length = end - addr,
	};
	for (i = 0; i < DRM_VSVM_ATTRIBUTE_COUNT; i++)
		run->value[i] = attrs.value[i];
	return 0;
}

int vsvm_ioctl_attributes(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_attributes *args = data;
	struct drm_vsvm_attributes_run __user *runs;
	struct drm_vsvm_attributes_run run;
	unsigned long addr, end;
	u32 count = 0;
	int ret;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (args->flags) {
		drm_dbg(drm, "unknown flags %#x\n", args->flags);
		return -EINVAL;
	}
	if (!vsvm_check_user_range(args->addr, args->length)) {
		drm_dbg(drm, "bad range %#llx, %#llx\n", args->addr,
			args->length);
		return -EINVAL;
	}

	runs = u64_to_user_ptr(args->runs);
	end = args->addr + args->length;
	for (addr = args->addr; addr < end; addr += run.length) {
		ret = vsvm_attributes_run(vm, addr, end, &run);
		if (ret)
			return ret;
		if (count < args->num_runs &&
		    copy_to_user(&runs[count], &run, sizeof(run)))
			return -EFAULT;
		count++;
		cond_resched();
	}
	args->num_runs = count;
	return 0;
}
