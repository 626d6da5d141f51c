// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Asynchronous prefetch
 *
 * The asynchronous prefetches of a file are carried out one after the other by a work
 * item of its address space, on a workqueue of their own: one that waits for a process
 * must not hold up GPU faults. A limited number can be under way, more of them wait in
 * the ioctl.
 *
 * When a prefetch has ended its user fence is written, whatever came of it. Closing the
 * file or removing the device ends the one that runs with its current part and drops
 * the rest, and from then on no fence is written: the program may use the memory for
 * something else. Hence the fence is written under &vsvm_async.lock without taking
 * page faults, and a page that is not there is faulted in without the lock.
 *
 * The work item holds the users of the process' address space only for a part at a
 * time, so a process that ends is not held up.
 *
 * It carries out no more than that at once either, and then queues itself again: a
 * machine that is about to sleep waits for what is running, and not for long.
 */

#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "vsvm_vm.h"

#define VSVM_ASYNC_MAX	16

/**
 * struct vsvm_async_job - an asynchronous prefetch
 * @link: in &vsvm_async.jobs
 * @addr: start of what is left of the range
 * @end: its end
 * @location: where to
 * @begun: vsvm_prefetch_begin() was called
 * @until: what it returned
 * @fence: to be written when it has ended
 * @value: value to write
 */
struct vsvm_async_job {
	struct list_head link;
	unsigned long addr;
	unsigned long end;
	u32 location;
	bool begun;
	u64 until;
	u64 __user *fence;
	u64 value;
};

static struct vsvm_async_job *vsvm_async_next(struct vsvm_async *async)
{
	struct vsvm_async_job *job;

	mutex_lock(&async->lock);
	job = list_first_entry_or_null(&async->jobs, struct vsvm_async_job,
				       link);
	if (job)
		list_del(&job->link);
	mutex_unlock(&async->lock);
	return job;
}

static bool vsvm_async_is_closed(struct vsvm_async *async)
{
	bool closed;

	mutex_lock(&async->lock);
	closed = async->closed;
	mutex_unlock(&async->lock);
	return closed;
}

/*
 * Carries out a part, after which &vsvm_async_job.addr is the start of the rest. What cannot
 * move stays, and an error ends it all: errors do not matter, the GPU will fault.
 */
static void vsvm_async_run(struct vsvm_vm *vm, struct vsvm_async_job *job)
{
	struct vsvm_batch *batch;
	unsigned long addr = job->addr;
	u64 moved = 0;
	long next;

	job->addr = job->end;

	batch = vsvm_batch_alloc(VSVM_PREFETCH_BLOCKS, GFP_KERNEL);
	if (!batch)
		return;

	if (!vsvm_async_is_closed(&vm->async) && mmget_not_zero(vm->mm)) {
		if (!job->begun)
			job->until = vsvm_prefetch_begin(vm, addr, job->end,
							 job->location, batch);
		job->begun = true;
		next = vsvm_prefetch_next(vm, addr, job->end, job->location,
					  job->until, batch, &moved);
		if (next >= 0)
			job->addr = next;
		mmput(vm->mm);
	}
	kvfree(batch);
}

/* Writes the fence if its page is there. */
static int vsvm_async_try_signal(struct vsvm_async *async,
				 const struct vsvm_async_job *job)
{
	int ret = 0;

	mutex_lock(&async->lock);
	if (!async->closed) {
		pagefault_disable();
		ret = put_user(job->value, job->fence);
		pagefault_enable();
	}
	mutex_unlock(&async->lock);
	return ret;
}

static void vsvm_async_signal(struct vsvm_vm *vm,
			      const struct vsvm_async_job *job)
{
	unsigned long addr = (unsigned long)job->fence;
	struct mm_struct *mm = vm->mm;
	bool unlocked;
	int ret = 0;

	if (!mmget_not_zero(mm))
		return;

	kthread_use_mm(mm);
	while (!ret && vsvm_async_try_signal(&vm->async, job)) {
		mmap_read_lock(mm);
		ret = fixup_user_fault(mm, addr, FAULT_FLAG_WRITE, &unlocked);
		mmap_read_unlock(mm);
		cond_resched();
	}
	kthread_unuse_mm(mm);
	mmput(mm);

	if (ret)
		drm_dbg(&vm->vdev->drm, "cannot write the fence at %#lx\n",
			addr);
}

static void vsvm_async_end(struct vsvm_vm *vm, struct vsvm_async_job *job)
{
	struct vsvm_async *async = &vm->async;

	vsvm_async_signal(vm, job);
	kfree(job);

	mutex_lock(&async->lock);
	async->count--;
	mutex_unlock(&async->lock);
	vsvm_event_raise(&async->event);
}

/* Each time that the work item is queued, it has a reference to the address space. */
static void vsvm_async_work(struct work_struct *work)
{
	struct vsvm_async *async = container_of(work, struct vsvm_async, work);
	struct vsvm_vm *vm = container_of(async, struct vsvm_vm, async);
	struct vsvm_async_job *job = async->running;

	if (!job)
		job = vsvm_async_next(async);
	async->running = NULL;
	if (job) {
		vsvm_async_run(vm, job);
		if (job->addr < job->end)
			async->running = job;
		else
			vsvm_async_end(vm, job);
		if (queue_work(vm->vdev->async_wq, work))
			return;
	}
	vsvm_vm_put(vm);
}

/**
 * vsvm_async_init() - no prefetches to begin with
 * @async: the prefetches
 */
void vsvm_async_init(struct vsvm_async *async)
{
	INIT_WORK(&async->work, vsvm_async_work);
	mutex_init(&async->lock);
	INIT_LIST_HEAD(&async->jobs);
	vsvm_event_init(&async->event);
}

/**
 * vsvm_async_close() - drop prefetches that have not begun, and allow no more
 * @async: the prefetches
 *
 * No fence is written any more on return. The one that runs ends soon.
 */
void vsvm_async_close(struct vsvm_async *async)
{
	struct vsvm_async_job *job, *next;

	mutex_lock(&async->lock);
	async->closed = true;
	list_for_each_entry_safe(job, next, &async->jobs, link) {
		list_del(&job->link);
		kfree(job);
		async->count--;
	}
	mutex_unlock(&async->lock);
	vsvm_event_raise(&async->event);
}

/**
 * vsvm_async_fini() - free what there is
 * @async: the prefetches, which have all ended
 */
void vsvm_async_fini(struct vsvm_async *async)
{
	mutex_destroy(&async->lock);
}

/* One try. Returns -EBUSY when there are too many. */
static int vsvm_async_try_submit(struct vsvm_vm *vm, struct vsvm_async_job *job)
{
	struct vsvm_async *async = &vm->async;
	int ret = 0, idx;

	/* The workqueue is there until the device has gone. */
	if (!drm_dev_enter(&vm->vdev->drm, &idx))
		return -ENODEV;

	mutex_lock(&async->lock);
	if (async->closed) {
		ret = -ENODEV;
	} else if (async->count == VSVM_ASYNC_MAX) {
		ret = -EBUSY;
	} else {
		list_add_tail(&job->link, &async->jobs);
		async->count++;
	}
	mutex_unlock(&async->lock);

	if (!ret) {
		kref_get(&vm->ref);
		if (!queue_work(vm->vdev->async_wq, &async->work))
			vsvm_vm_put(vm);
	}
	drm_dev_exit(idx);
	return ret;
}

/**
 * vsvm_async_submit() - start an asynchronous prefetch
 * @vm: the address space
 * @args: checked arguments
 *
 * Waits for its turn when there are too many.
 *
 * Return: 0 or a negative errno.
 */
int vsvm_async_submit(struct vsvm_vm *vm, const struct drm_vsvm_prefetch *args)
{
	struct vsvm_event *event = &vm->async.event;
	struct vsvm_async_job *job;
	int ret, seen;

	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return -ENOMEM;
	job->addr = args->addr;
	job->end = args->addr + args->length;
	job->location = args->location;
	job->fence = u64_to_user_ptr(args->fence_addr);
	job->value = args->fence_value;

	for (;;) {
		seen = atomic_read(&event->count);
		ret = vsvm_async_try_submit(vm, job);
		if (ret != -EBUSY)
			break;
		ret = wait_event_interruptible(event->wait,
					       atomic_read(&event->count) != seen);
		if (ret)
			break;
	}
	if (ret)
		kfree(job);
	return ret;
}

static int vsvm_async_over(void *data)
{
	struct vsvm_async *async = data;
	int ret = 0;

	mutex_lock(&async->lock);
	if (async->closed)
		ret = -ENODEV;
	else if (!async->count)
		ret = -ENOENT;
	mutex_unlock(&async->lock);
	return ret;
}

/**
 * vsvm_async_wait() - wait for the fence of an asynchronous prefetch
 * @vm: the address space
 * @args: checked arguments
 *
 * Return: as vsvm_event_wait_fence(); -ENOENT when no prefetch is under way that could
 * write the fence, -ENODEV when none ever will.
 */
int vsvm_async_wait(struct vsvm_vm *vm, const struct drm_vsvm_wait *args)
{
	return vsvm_event_wait_fence(&vm->async.event, args, vsvm_async_over,
				     &vm->async);
}
