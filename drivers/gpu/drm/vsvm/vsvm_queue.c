// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Queues and user fences
 *
 * A queue is a ring of the GPU. Its work may fault for as long as the process'
 * memory needs, so no dma_fence waits for it: completion is a user fence, a u64
 * in the memory of the process.
 *
 * When dispatches have ended, the GPU's interrupt queues one work item, which
 * queues the work item of each queue. That takes the ended dispatches in order,
 * borrows the process' address space, and stores the fence values. The store may
 * sleep, for a page in VRAM or even for a userfaultfd, and then holds up this
 * queue alone. A queue can go while its work item is stuck: it drops the ring
 * under &vsvm_queue.lock, and the work item has a reference of its own.
 *
 * After an error the queue has failed for good.
 */

#include <linux/kref.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/vsvm_isa.h>

#include "vsvm_coredump.h"
#include "vsvm_vm.h"

#define VSVM_RING_ENTRIES	64
#define VSVM_NO_RING		(-1)

/* What a dispatch does when it has ended. */
struct vsvm_fence {
	u64 __user *addr;
	u64 value;
};

/**
 * struct vsvm_queue - an in-order compute queue
 * @ref: one of the address space, one of a queued work item, one of each caller
 * @vdev: the device
 * @mm: address space of the process
 * @vm: address space of the GPU; NULL after the queue was shut down
 * @link: in &vsvm_device.queues
 * @id: what user space calls it
 * @work: writes the fences of ended dispatches
 * @lock: protects the following
 * @ring: ring of the GPU, or VSVM_NO_RING after the queue was shut down
 * @fences: of the dispatches in the ring
 * @head: counts submitted dispatches
 * @tail: counts ended dispatches
 * @failed: a dispatch has failed, or the queue was shut down
 * @error: how, valid when @failed
 * @event: raised for whatever waiters have to look at
 */
struct vsvm_queue {
	struct kref ref;
	struct vsvm_device *vdev;
	struct mm_struct *mm;
	struct vsvm_vm *vm;
	struct list_head link;
	u32 id;
	struct work_struct work;

	struct mutex lock;		/* for all up to error */
	int ring;
	struct vsvm_fence fences[VSVM_RING_ENTRIES];
	u32 head;
	u32 tail;
	bool failed;
	struct vsvm_hw_done error;

	struct vsvm_event event;
};

static void vsvm_queue_free(struct kref *ref)
{
	struct vsvm_queue *queue = container_of(ref, struct vsvm_queue, ref);

	mutex_destroy(&queue->lock);
	mmdrop(queue->mm);
	kfree(queue);
}

static void vsvm_queue_put(struct vsvm_queue *queue)
{
	kref_put(&queue->ref, vsvm_queue_free);
}

static struct vsvm_queue *vsvm_queue_lookup(struct vsvm_vm *vm, u32 id)
{
	struct vsvm_queue *queue;

	xa_lock(&vm->queues);
	queue = xa_load(&vm->queues, id);
	if (queue)
		kref_get(&queue->ref);
	xa_unlock(&vm->queues);
	if (!queue)
		drm_dbg(&vm->vdev->drm, "no queue %u\n", id);
	return queue;
}

static void vsvm_queue_fail(struct vsvm_queue *queue,
			    const struct vsvm_hw_done *error)
{
	lockdep_assert_held(&queue->lock);

	if (queue->failed)
		return;
	queue->error = *error;
	/* Pairs with vsvm_queue_has_failed(). */
	smp_store_release(&queue->failed, true);
}

static bool vsvm_queue_has_failed(struct vsvm_queue *queue)
{
	/* Pairs with vsvm_queue_fail(): @error is valid then. */
	return smp_load_acquire(&queue->failed);
}

/* What can be told of an error while the queue is there; NULL without memory. */
static struct vsvm_crash *vsvm_queue_crash(struct vsvm_queue *queue,
					   const struct vsvm_hw_done *done)
{
	struct vsvm_vm *vm = queue->vm;
	struct vsvm_crash *crash;

	lockdep_assert_held(&queue->lock);

	crash = kzalloc(sizeof(*crash), GFP_KERNEL);
	if (!crash)
		return NULL;

	crash->client = vm->client;
	crash->pid = vm->pid;
	memcpy(crash->comm, vm->comm, sizeof(crash->comm));
	crash->vmid = vm->vmid;
	crash->queue = queue->id;
	crash->dispatches = queue->tail - 1;
	crash->done = *done;
	crash->has_hart = vsvm_hw_ring_error(queue->vdev->hw, queue->ring,
					     &crash->error);
	return crash;
}

/*
 * Takes the next ended dispatch. Returns false when there is none. @crash is set
 * when it ended with an error, for the caller to free.
 */
static bool vsvm_queue_pop(struct vsvm_queue *queue, struct vsvm_fence *fence,
			   struct vsvm_crash **crash)
{
	struct vsvm_hw_done done;
	bool found = false;

	*crash = NULL;
	mutex_lock(&queue->lock);
	if (queue->ring != VSVM_NO_RING &&
	    vsvm_hw_ring_pop(queue->vdev->hw, queue->ring, &done)) {
		found = true;
		*fence = queue->fences[queue->tail++ % VSVM_RING_ENTRIES];
		atomic64_inc(&queue->vdev->stats.dispatches);

		if (done.status != VSVM_ISA_STATUS_OK) {
			if (done.status != VSVM_ISA_STATUS_KILLED)
				*crash = vsvm_queue_crash(queue, &done);
			vsvm_queue_fail(queue, &done);
		}
		/* Nothing after an error has happened. */
		if (queue->failed)
			fence->addr = NULL;
	}
	mutex_unlock(&queue->lock);
	return found;
}

static void vsvm_queue_signal(struct vsvm_queue *queue,
			      const struct vsvm_fence *fence)
{
	int ret = -EFAULT;

	if (!fence->addr)
		return;

	if (mmget_not_zero(queue->mm)) {
		kthread_use_mm(queue->mm);
		ret = put_user(fence->value, fence->addr);
		kthread_unuse_mm(queue->mm);
		mmput(queue->mm);
	}

	if (ret) {
		struct vsvm_hw_done error = {
			.status = VSVM_ISA_STATUS_FAULT,
			.access = VSVM_ISA_ACCESS_WRITE,
			.addr = (uintptr_t)fence->addr,
		};

		drm_dbg(&queue->vdev->drm, "cannot write the fence at %#llx\n",
			error.addr);
		mutex_lock(&queue->lock);
		vsvm_queue_fail(queue, &error);
		mutex_unlock(&queue->lock);
	}
}

static void vsvm_queue_work(struct work_struct *work)
{
	struct vsvm_queue *queue = container_of(work, struct vsvm_queue, work);
	struct vsvm_crash *crash;
	struct vsvm_fence fence;

	while (vsvm_queue_pop(queue, &fence, &crash)) {
		if (crash)
			vsvm_coredump(queue->vdev, crash);
		kfree(crash);
		vsvm_queue_signal(queue, &fence);
		vsvm_event_raise(&queue->event);
	}
	vsvm_queue_put(queue);
}

/**
 * vsvm_done_work() - have all queues look for ended dispatches
 * @work: &vsvm_device.done_work
 */
void vsvm_done_work(struct work_struct *work)
{
	struct vsvm_device *vdev = container_of(work, struct vsvm_device,
						done_work);
	struct vsvm_queue *queue;

	mutex_lock(&vdev->queues_lock);
	list_for_each_entry(queue, &vdev->queues, link) {
		kref_get(&queue->ref);
		if (!queue_work(vdev->wq, &queue->work))
			vsvm_queue_put(queue);
	}
	mutex_unlock(&vdev->queues_lock);
}

/**
 * vsvm_queues_busy() - whether there is work for the GPU
 * @vdev: the device
 *
 * Return: true if a dispatch has been submitted and has not ended, as far as is known.
 */
bool vsvm_queues_busy(struct vsvm_device *vdev)
{
	struct vsvm_queue *queue;
	bool busy = false;

	mutex_lock(&vdev->queues_lock);
	list_for_each_entry(queue, &vdev->queues, link)
		busy |= !READ_ONCE(queue->failed) &&
			READ_ONCE(queue->head) != READ_ONCE(queue->tail);
	mutex_unlock(&vdev->queues_lock);
	return busy;
}

/* Ends what runs in a queue and lets its waiters go. Keeps the memory. */
static void vsvm_queue_shutdown(struct vsvm_queue *queue)
{
	static const struct vsvm_hw_done killed = {
		.status = VSVM_ISA_STATUS_KILLED,
	};
	struct vsvm_device *vdev = queue->vdev;
	int ring;

	mutex_lock(&vdev->queues_lock);
	list_del_init(&queue->link);
	mutex_unlock(&vdev->queues_lock);

	mutex_lock(&queue->lock);
	ring = queue->ring;
	queue->ring = VSVM_NO_RING;
	queue->vm = NULL;
	vsvm_queue_fail(queue, &killed);
	mutex_unlock(&queue->lock);

	if (ring != VSVM_NO_RING)
		vsvm_hw_ring_destroy(vdev->hw, ring);
	vsvm_event_raise(&queue->event);
}

/**
 * vsvm_queues_shutdown() - shut all queues of an address space down, for good
 * @vm: the address space
 */
void vsvm_queues_shutdown(struct vsvm_vm *vm)
{
	struct vsvm_queue *queue;
	unsigned long id;

	mutex_lock(&vm->queues_lock);
	xa_for_each(&vm->queues, id, queue) {
		xa_erase(&vm->queues, id);
		vsvm_queue_shutdown(queue);
		vsvm_queue_put(queue);
	}
	mutex_unlock(&vm->queues_lock);
}

int vsvm_ioctl_queue_create(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct vsvm_device *vdev = to_vsvm_device(drm);
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_queue_create *args = data;
	struct vsvm_queue *queue;
	int ret, idx;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (args->flags) {
		drm_dbg(drm, "unknown flags %#x\n", args->flags);
		return -EINVAL;
	}

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return -ENOMEM;

	kref_init(&queue->ref);
	queue->vdev = vdev;
	queue->vm = vm;
	queue->mm = vm->mm;
	mmgrab(queue->mm);
	mutex_init(&queue->lock);
	vsvm_event_init(&queue->event);
	INIT_WORK(&queue->work, vsvm_queue_work);

	if (!drm_dev_enter(drm, &idx)) {
		ret = -ENODEV;
		goto err_put;
	}
	queue->ring = vsvm_hw_ring_create(vdev->hw, vm->vmid,
					  VSVM_RING_ENTRIES);
	if (queue->ring < 0) {
		ret = queue->ring;
		goto err_exit;
	}

	mutex_lock(&vdev->queues_lock);
	list_add_tail(&queue->link, &vdev->queues);
	mutex_unlock(&vdev->queues_lock);

	mutex_lock(&vm->queues_lock);
	ret = xa_alloc(&vm->queues, &queue->id, queue, xa_limit_31b, GFP_KERNEL);
	args->queue_id = queue->id;
	mutex_unlock(&vm->queues_lock);
	if (ret) {
		vsvm_queue_shutdown(queue);
		goto err_exit;
	}
	drm_dev_exit(idx);
	return 0;

err_exit:
	drm_dev_exit(idx);
err_put:
	vsvm_queue_put(queue);
	return ret;
}

int vsvm_ioctl_queue_destroy(struct drm_device *drm, void *data,
			     struct drm_file *file)
{
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_queue_destroy *args = data;
	struct vsvm_queue *queue;
	int idx;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (args->pad) {
		drm_dbg(drm, "pad is not 0\n");
		return -EINVAL;
	}
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	mutex_lock(&vm->queues_lock);
	queue = xa_erase(&vm->queues, args->queue_id);
	if (queue) {
		vsvm_queue_shutdown(queue);
		vsvm_queue_put(queue);
	}
	mutex_unlock(&vm->queues_lock);
	drm_dev_exit(idx);

	if (!queue) {
		drm_dbg(drm, "no queue %u\n", args->queue_id);
		return -ENOENT;
	}
	return 0;
}

static int vsvm_check_grid(struct vsvm_device *vdev,
			   const struct drm_vsvm_submit *args)
{
	u64 total = 1, group = 1;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (!args->groups[i] || !args->group_size[i]) {
			drm_dbg(&vdev->drm, "a dimension of the grid is 0\n");
			return -EINVAL;
		}
		if (check_mul_overflow(group, (u64)args->group_size[i], &group) ||
		    group > vdev->config.max_group) {
			drm_dbg(&vdev->drm, "work-group of more than %u items\n",
				vdev->config.max_group);
			return -EINVAL;
		}
		if (check_mul_overflow(total, (u64)args->groups[i], &total)) {
			drm_dbg(&vdev->drm, "too many work-groups\n");
			return -EINVAL;
		}
	}
	if (check_mul_overflow(total, group, &total)) {
		drm_dbg(&vdev->drm, "too many work-items\n");
		return -EINVAL;
	}
	return 0;
}

static int vsvm_check_stack(struct vsvm_device *vdev,
			    const struct drm_vsvm_submit *args)
{
	u64 size = (u64)args->stack_size * vdev->config.num_cus *
		   vdev->config.max_group;

	if (!args->stack_base != !args->stack_size) {
		drm_dbg(&vdev->drm, "only one of stack_base and stack_size is 0\n");
		return -EINVAL;
	}
	if (!IS_ALIGNED(args->stack_base, 16) ||
	    !IS_ALIGNED(args->stack_size, 16)) {
		drm_dbg(&vdev->drm, "stack is not aligned to 16 bytes\n");
		return -EINVAL;
	}
	if (args->stack_base >= VSVM_USER_END ||
	    size > VSVM_USER_END - args->stack_base) {
		drm_dbg(&vdev->drm, "stack beyond the address space\n");
		return -EINVAL;
	}
	return 0;
}

static int vsvm_check_submit(struct vsvm_device *vdev,
			     const struct drm_vsvm_submit *args)
{
	int ret;

	if (args->flags || args->reserved[0] || args->reserved[1]) {
		drm_dbg(&vdev->drm, "flags or reserved is not 0\n");
		return -EINVAL;
	}
	if (args->local_size > vdev->config.max_local) {
		drm_dbg(&vdev->drm, "local memory of more than %u bytes\n",
			vdev->config.max_local);
		return -EINVAL;
	}
	if (!IS_ALIGNED(args->entry, 4) || args->entry >= VSVM_USER_END) {
		drm_dbg(&vdev->drm, "bad entry %#llx\n", args->entry);
		return -EINVAL;
	}
	if (args->fence_addr && !vsvm_user_u64_ok(args->fence_addr)) {
		drm_dbg(&vdev->drm, "bad fence_addr %#llx\n", args->fence_addr);
		return -EINVAL;
	}
	ret = vsvm_check_grid(vdev, args);
	return ret ?: vsvm_check_stack(vdev, args);
}

/* One try. Returns -EBUSY when the ring is full. */
static int vsvm_queue_submit(struct vsvm_queue *queue,
			     const struct drm_vsvm_submit *args)
{
	struct vsvm_hw_dispatch dispatch = {
		.entry = args->entry,
		.arg = args->arg,
		.stack_base = args->stack_base,
		.stack_size = args->stack_size,
		.local_size = args->local_size,
	};
	int ret;

	memcpy(dispatch.groups, args->groups, sizeof(dispatch.groups));
	memcpy(dispatch.group_size, args->group_size,
	       sizeof(dispatch.group_size));

	mutex_lock(&queue->lock);
	if (queue->failed) {
		ret = -EIO;
	} else if (queue->head - queue->tail == VSVM_RING_ENTRIES) {
		ret = -EBUSY;
	} else {
		dispatch.cookie = queue->head;
		ret = vsvm_hw_ring_submit(queue->vdev->hw, queue->ring,
					  &dispatch);
	}
	if (!ret) {
		queue->fences[queue->head++ % VSVM_RING_ENTRIES] =
			(struct vsvm_fence) {
				.addr = u64_to_user_ptr(args->fence_addr),
				.value = args->fence_value,
			};
	}
	mutex_unlock(&queue->lock);
	return ret;
}

int vsvm_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_submit *args = data;
	struct vsvm_queue *queue;
	int ret, idx, events;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	ret = vsvm_check_submit(vm->vdev, args);
	if (ret)
		return ret;
	queue = vsvm_queue_lookup(vm, args->queue_id);
	if (!queue)
		return -ENOENT;

	for (;;) {
		events = atomic_read(&queue->event.count);
		if (!drm_dev_enter(drm, &idx)) {
			ret = -ENODEV;
			break;
		}
		ret = vsvm_queue_submit(queue, args);
		if (!ret)
			vsvm_promote_kick(vm->vdev);
		drm_dev_exit(idx);
		if (ret != -EBUSY)
			break;
		ret = wait_event_interruptible(queue->event.wait,
					       atomic_read(&queue->event.count) != events);
		if (ret)
			break;
	}
	vsvm_queue_put(queue);
	return ret;
}

static int vsvm_queue_over(void *data)
{
	return vsvm_queue_has_failed(data) ? -EIO : 0;
}

static int vsvm_queue_wait(struct vsvm_queue *queue, struct drm_vsvm_wait *args)
{
	int ret = vsvm_event_wait_fence(&queue->event, args, vsvm_queue_over,
					queue);

	if (ret != -EIO)
		return ret;
	args->status = queue->error.status;
	args->fault_pc = queue->error.pc;
	if (args->status == VSVM_ISA_STATUS_FAULT) {
		args->fault_access = queue->error.access;
		args->fault_addr = queue->error.addr;
	}
	return ret;
}

int vsvm_ioctl_wait(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct vsvm_vm *vm = vsvm_vm_of_file(file);
	struct drm_vsvm_wait *args = data;
	struct vsvm_queue *queue;
	int ret;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	args->status = 0;
	args->fault_access = 0;
	args->fault_addr = 0;
	args->fault_pc = 0;
	if (args->flags) {
		drm_dbg(drm, "unknown flags %#x\n", args->flags);
		return -EINVAL;
	}
	if (!args->fence_addr || !vsvm_user_u64_ok(args->fence_addr)) {
		drm_dbg(drm, "bad fence_addr %#llx\n", args->fence_addr);
		return -EINVAL;
	}
	if (!args->queue_id)
		return vsvm_async_wait(vm, args);
	queue = vsvm_queue_lookup(vm, args->queue_id);
	if (!queue)
		return -ENOENT;

	ret = vsvm_queue_wait(queue, args);
	vsvm_queue_put(queue);
	return ret;
}
