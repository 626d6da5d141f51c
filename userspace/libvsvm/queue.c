// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Queues: launch and wait.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define STACK_ALIGN 16
#define STACK_MAX   (1U << 30)
#define BLOCK	    ((size_t)2 << 20)

/* Stack memory of a queue. A launch in flight may use any of the areas. */
struct stack_area {
	struct stack_area *next;
	void *base;
	size_t bytes;
	uint32_t stack_size;
};

struct vsvm_queue {
	struct vsvm_device *dev;
	uint32_t id;
	/*
	 * In shared memory: the driver writes it by the CPU, so it had better not
	 * go to VRAM when a neighbour does, nor be copied after fork().
	 */
	uint64_t *fence;
	size_t fence_bytes;
	/*
	 * Protects what follows and keeps fence values in order of submission. Held
	 * while a launch waits for room, so that a wait must do without.
	 */
	pthread_mutex_t lock;
	/* Only changed under the lock. */
	uint64_t submitted;
	struct stack_area *stacks;
};

/*
 * The driver serves a GPU fault for 2 MiB at once. Aligned to that, and allowed
 * to be a huge page, each part of a stack area is one folio of VRAM rather than
 * 512. @bytes is a multiple of it.
 */
static void *map_stacks(size_t bytes)
{
	uint8_t *base, *start;

	base = mmap(NULL, bytes + BLOCK, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	start = (uint8_t *)(((uintptr_t)base + BLOCK - 1) & ~(BLOCK - 1));
	if (start != base)
		munmap(base, start - base);
	munmap(start + bytes, base + BLOCK - start);
	/* Fails where the kernel has no huge pages, which does no harm. */
	madvise(start, bytes, MADV_HUGEPAGE);
	return start;
}

int vsvm_queue_create(struct vsvm_device *dev, struct vsvm_queue **out)
{
	struct drm_vsvm_queue_create args = {0};
	struct vsvm_queue *queue;
	int err;

	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return vsvm_fail(-ENOMEM, "out of memory");
	queue->fence_bytes = sysconf(_SC_PAGESIZE);
	queue->fence = mmap(NULL, queue->fence_bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (queue->fence == MAP_FAILED) {
		free(queue);
		return vsvm_fail(-ENOMEM, "no memory for a fence");
	}
	err = vsvm_ioctl(dev, DRM_IOCTL_VSVM_QUEUE_CREATE, &args);
	if (err) {
		munmap(queue->fence, queue->fence_bytes);
		free(queue);
		return vsvm_fail(err, "cannot create a queue: %s", strerror(-err));
	}
	pthread_mutex_init(&queue->lock, NULL);
	queue->id = args.queue_id;
	queue->dev = dev;
	vsvm_device_get(dev);
	*out = queue;
	return 0;
}

void vsvm_queue_destroy(struct vsvm_queue *queue)
{
	struct drm_vsvm_queue_destroy args;
	struct stack_area *area;

	if (!queue)
		return;
	/*
	 * From here on nothing of the queue runs. This cannot fail but in a child
	 * of fork(), where there is nothing to end, or after the device is gone.
	 */
	args = (struct drm_vsvm_queue_destroy){.queue_id = queue->id};
	vsvm_ioctl(queue->dev, DRM_IOCTL_VSVM_QUEUE_DESTROY, &args);

	while ((area = queue->stacks)) {
		queue->stacks = area->next;
		munmap(area->base, area->bytes);
		free(area);
	}
	munmap(queue->fence, queue->fence_bytes);
	pthread_mutex_destroy(&queue->lock);
	vsvm_device_put(queue->dev);
	free(queue);
}

static uint32_t round_up_pow2(uint32_t n)
{
	uint32_t p = STACK_ALIGN;

	while (p < n)
		p *= 2;
	return p;
}

/*
 * Finds the smallest area that has enough stack for each work-item, or makes
 * one. Sizes are powers of two, so that a queue has few areas. Returns NULL
 * when there is no memory.
 */
static const struct stack_area *get_stacks(struct vsvm_queue *queue, uint32_t stack_size)
{
	const struct drm_vsvm_info *info = &queue->dev->info;
	struct stack_area **link = &queue->stacks;
	struct stack_area *area;

	stack_size = round_up_pow2(stack_size);
	while (*link && (*link)->stack_size < stack_size)
		link = &(*link)->next;
	if (*link)
		return *link;

	area = calloc(1, sizeof(*area));
	if (!area)
		return NULL;
	area->stack_size = stack_size;
	area->bytes = (size_t)info->num_cus * info->max_group * stack_size;
	area->bytes = (area->bytes + BLOCK - 1) & ~(BLOCK - 1);
	area->base = map_stacks(area->bytes);
	if (!area->base) {
		free(area);
		return NULL;
	}
	*link = area;
	return area;
}

static uint32_t or_one(uint32_t n)
{
	return n ? n : 1;
}

int vsvm_queue_launch(struct vsvm_queue *queue, const struct vsvm_launch *launch, uint64_t *fence)
{
	uint32_t stack_size = launch->stack_size ? launch->stack_size : VSVM_STACK_DEFAULT;
	uint32_t max_group = queue->dev->info.max_group;
	const struct stack_area *stacks;
	struct drm_vsvm_submit args;
	uint64_t items = 1;
	int err, i;

	if (!launch->kernel)
		return vsvm_fail(-EINVAL, "a launch needs a kernel");
	if (launch->flags)
		return vsvm_fail(-EINVAL, "unknown flags %#x", launch->flags);
	if (!launch->groups[0])
		return vsvm_fail(-EINVAL, "a launch needs at least one work-group");
	if (stack_size > STACK_MAX)
		return vsvm_fail(-EINVAL, "a stack of %u bytes is too large", stack_size);
	for (i = 0; i < 3 && items <= max_group; i++)
		items *= or_one(launch->group_size[i]);
	if (items > max_group)
		return vsvm_fail(-EINVAL, "a work-group has at most %u work-items", max_group);

	if (launch->local_size > queue->dev->info.max_local)
		return vsvm_fail(-EINVAL, "a work-group has at most %u bytes of local memory",
				 queue->dev->info.max_local);

	pthread_mutex_lock(&queue->lock);
	stacks = get_stacks(queue, stack_size);
	if (!stacks) {
		err = vsvm_fail(-ENOMEM, "no memory for stacks of %u bytes", stack_size);
		goto unlock;
	}
	args = (struct drm_vsvm_submit){
		.queue_id = queue->id,
		.entry = launch->kernel->entry,
		.arg = (uintptr_t)launch->arg,
		.stack_base = (uintptr_t)stacks->base,
		.stack_size = stacks->stack_size,
		.local_size = launch->local_size,
		.fence_addr = (uintptr_t)queue->fence,
		.fence_value = queue->submitted + 1,
	};
	for (i = 0; i < 3; i++) {
		args.groups[i] = or_one(launch->groups[i]);
		args.group_size[i] = or_one(launch->group_size[i]);
	}
	err = vsvm_ioctl(queue->dev, DRM_IOCTL_VSVM_SUBMIT, &args);
	if (err == -EIO) {
		vsvm_fail(err, "the queue stopped: an earlier launch failed");
		goto unlock;
	}
	if (err) {
		vsvm_fail(err, "cannot launch '%s': %s", launch->kernel->name, strerror(-err));
		goto unlock;
	}
	__atomic_store_n(&queue->submitted, args.fence_value, __ATOMIC_RELEASE);
	if (fence)
		*fence = args.fence_value;
unlock:
	pthread_mutex_unlock(&queue->lock);
	return err;
}

int64_t vsvm_deadline(int64_t timeout)
{
	struct timespec now;
	int64_t end;

	if (timeout == 0)
		return 0;
	if (timeout < 0)
		return INT64_MAX;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (__builtin_add_overflow(now.tv_sec * INT64_C(1000000000) + now.tv_nsec, timeout, &end))
		return INT64_MAX;
	return end;
}

int vsvm_queue_wait(struct vsvm_queue *queue, uint64_t fence, int64_t timeout,
		    struct vsvm_failure *failure)
{
	struct drm_vsvm_wait args = {
		.fence_addr = (uintptr_t)queue->fence,
		.fence_value = fence,
		.timeout_ns = vsvm_deadline(timeout),
		.queue_id = queue->id,
	};
	int err;

	if (!fence || fence > __atomic_load_n(&queue->submitted, __ATOMIC_ACQUIRE))
		return vsvm_fail(-EINVAL, "nothing was launched with fence %llu",
				 (unsigned long long)fence);

	if (__atomic_load_n(queue->fence, __ATOMIC_ACQUIRE) >= fence)
		return 0;
	err = vsvm_ioctl(queue->dev, DRM_IOCTL_VSVM_WAIT, &args);
	if (err == -EIO) {
		if (failure)
			*failure = (struct vsvm_failure){
				.status = args.status,
				.access = args.fault_access,
				.addr = args.fault_addr,
				.pc = args.fault_pc,
			};
		if (args.status == VSVM_ISA_STATUS_FAULT)
			return vsvm_fail(err, "%s: %s at %#llx by the instruction at %#llx",
					 vsvm_status_string(args.status),
					 vsvm_access_string(args.fault_access),
					 (unsigned long long)args.fault_addr,
					 (unsigned long long)args.fault_pc);
		return vsvm_fail(err, "%s at %#llx", vsvm_status_string(args.status),
				 (unsigned long long)args.fault_pc);
	}
	if (err == -ETIME)
		return vsvm_fail(err, "not done in time");
	if (err)
		return vsvm_fail(err, "cannot wait: %s", strerror(-err));
	return 0;
}
