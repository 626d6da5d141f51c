// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Address spaces
 *
 * An open file is an address space of the GPU, bound to the address space of the
 * process that opened it. It keeps the &struct mm_struct, not its users: the
 * process can exit while the file is open elsewhere, then every GPU fault fails.
 *
 * An address space ends twice. First it is shut down: its queues end and the GPU
 * forgets it. That happens when the file is closed, or when the device is
 * removed, whichever comes first, under &vsvm_device.vms_lock. Then, with the
 * last reference, notifiers and tables are freed; a fault that is being served
 * may hold that up.
 */

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vsvm_vm.h"

static void vsvm_vm_free(struct kref *ref)
{
	struct vsvm_vm *vm = container_of(ref, struct vsvm_vm, ref);

	vsvm_advice_fini(vm);
	vsvm_ranges_fini(vm);
	vsvm_pt_fini(vm);
	vsvm_owner_put(vm->owner);
	xa_destroy(&vm->queues);
	vsvm_async_fini(&vm->async);
	mutex_destroy(&vm->queues_lock);
	mutex_destroy(&vm->pt_lock);
	mmdrop(vm->mm);
	kfree(vm);
}

/**
 * vsvm_vm_put() - drop a reference to an address space
 * @vm: the address space
 *
 * Context: Process context with no locks held.
 */
void vsvm_vm_put(struct vsvm_vm *vm)
{
	kref_put(&vm->ref, vsvm_vm_free);
}

/**
 * vsvm_vm_lookup() - find an address space by its id in the GPU
 * @vdev: the device
 * @vmid: the id
 *
 * Return: the address space with a reference for the caller, or NULL.
 */
struct vsvm_vm *vsvm_vm_lookup(struct vsvm_device *vdev, u32 vmid)
{
	struct vsvm_vm *vm;

	xa_lock(&vdev->vmids);
	vm = xa_load(&vdev->vmids, vmid);
	if (vm && !kref_get_unless_zero(&vm->ref))
		vm = NULL;
	xa_unlock(&vdev->vmids);
	return vm;
}

/**
 * vsvm_vm_of_file() - address space of an open file, for an ioctl
 * @file: the file
 *
 * Return: the address space, or ERR_PTR(-EPERM) when the caller runs in another
 * one than the process that opened the file.
 */
struct vsvm_vm *vsvm_vm_of_file(struct drm_file *file)
{
	struct vsvm_vm *vm = file->driver_priv;

	if (vm->mm != current->mm) {
		drm_dbg(&vm->vdev->drm,
			"call from another address space than the file was opened in\n");
		return ERR_PTR(-EPERM);
	}
	return vm;
}

/* Teach lockdep what is allowed under the lock that notifiers take. */
static void vsvm_vm_prime_lockdep(struct vsvm_vm *vm)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&vm->pt_lock);
	fs_reclaim_release(GFP_KERNEL);
}

/**
 * vsvm_open() - create the address space of a new file
 * @drm: the device
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int vsvm_open(struct drm_device *drm, struct drm_file *file)
{
	struct vsvm_device *vdev = to_vsvm_device(drm);
	struct vsvm_vm *vm;
	int ret, idx;

	if (!current->mm)
		return -EINVAL;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	if (!vm)
		return -ENOMEM;

	kref_init(&vm->ref);
	vm->vdev = vdev;
	vm->mm = current->mm;
	vm->client = file->client_id;
	vm->pid = task_tgid_nr(current);
	get_task_comm(vm->comm, current->group_leader);
	vm->dead = true;
	mmgrab(vm->mm);
	INIT_LIST_HEAD(&vm->link);
	mutex_init(&vm->queues_lock);
	mutex_init(&vm->pt_lock);
	xa_init_flags(&vm->queues, XA_FLAGS_ALLOC1);
	xa_init(&vm->ranges);
	vsvm_advice_init(&vm->advice);
	vsvm_async_init(&vm->async);
	vsvm_vm_prime_lockdep(vm);

	vm->owner = vsvm_owner_create();
	if (!vm->owner) {
		ret = -ENOMEM;
		goto err_mm;
	}
	ret = vsvm_pt_init(vm);
	if (ret)
		goto err_owner;

	if (!drm_dev_enter(drm, &idx)) {
		ret = -ENODEV;
		goto err_pt;
	}
	ret = vsvm_hw_vm_create(vdev->hw, page_to_phys(vm->pt.root));
	if (ret < 0)
		goto err_exit;
	vm->vmid = ret;
	vm->dead = false;
	ret = xa_err(xa_store(&vdev->vmids, vm->vmid, vm, GFP_KERNEL));
	if (ret)
		goto err_hw;

	mutex_lock(&vdev->vms_lock);
	list_add_tail(&vm->link, &vdev->vms);
	mutex_unlock(&vdev->vms_lock);
	drm_dev_exit(idx);

	file->driver_priv = vm;
	return 0;

err_hw:
	vsvm_hw_vm_destroy(vdev->hw, vm->vmid);
err_exit:
	drm_dev_exit(idx);
err_pt:
	vsvm_pt_fini(vm);
err_owner:
	vsvm_owner_put(vm->owner);
err_mm:
	mmdrop(vm->mm);
	kfree(vm);
	return ret;
}

/* Ends the queues of an address space and makes the GPU forget it. */
static void vsvm_vm_shutdown(struct vsvm_vm *vm)
{
	struct vsvm_device *vdev = vm->vdev;

	lockdep_assert_held(&vdev->vms_lock);

	xa_erase(&vdev->vmids, vm->vmid);
	vsvm_async_close(&vm->async);
	vsvm_queues_shutdown(vm);

	mutex_lock(&vm->pt_lock);
	vm->dead = true;
	mutex_unlock(&vm->pt_lock);
	vsvm_hw_vm_destroy(vdev->hw, vm->vmid);
	vsvm_duplicates_fini(vm);
}

/**
 * vsvm_vm_shutdown_all() - shut all address spaces down, for good
 * @vdev: the device, unplugged
 *
 * The files stay open, but on return the GPU is not used by any of them.
 */
void vsvm_vm_shutdown_all(struct vsvm_device *vdev)
{
	struct vsvm_vm *vm;

	mutex_lock(&vdev->vms_lock);
	list_for_each_entry(vm, &vdev->vms, link)
		vsvm_vm_shutdown(vm);
	vdev->hw_gone = true;
	mutex_unlock(&vdev->vms_lock);
}

/**
 * vsvm_postclose() - end the address space of a file
 * @drm: the device, which may have been removed
 * @file: the file
 */
void vsvm_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct vsvm_device *vdev = to_vsvm_device(drm);
	struct vsvm_vm *vm = file->driver_priv;

	mutex_lock(&vdev->vms_lock);
	list_del(&vm->link);
	if (!vdev->hw_gone)
		vsvm_vm_shutdown(vm);
	mutex_unlock(&vdev->vms_lock);
	vsvm_vm_put(vm);
}
