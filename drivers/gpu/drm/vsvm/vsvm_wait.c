// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Waiting for user fences, whoever writes them: queues (vsvm_queue.c) and asynchronous
 * prefetches (vsvm_async.c).
 */

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "vsvm_wait.h"

/**
 * vsvm_event_init() - nothing has happened yet
 * @event: the event
 */
void vsvm_event_init(struct vsvm_event *event)
{
	atomic_set(&event->count, 0);
	init_waitqueue_head(&event->wait);
}

/**
 * vsvm_event_raise() - have all waiters look again
 * @event: the event
 */
void vsvm_event_raise(struct vsvm_event *event)
{
	/* The fence is visible before the event, see vsvm_event_wait_fence(). */
	smp_mb__before_atomic();
	atomic_inc(&event->count);
	wake_up_all(&event->wait);
}

/**
 * vsvm_event_wait_fence() - wait until a user fence has a value
 * @event: raised after the fence was written, and when @over may have changed
 * @args: fence, value and end of the wait
 * @over: returns 0 as long as the fence may be written yet, else the error for a fence
 *	that does not have the value
 * @data: for @over
 *
 * Return: 0, what @over says, -ETIME, -EFAULT, -EINTR or -ERESTARTSYS.
 */
int vsvm_event_wait_fence(struct vsvm_event *event,
			  const struct drm_vsvm_wait *args,
			  int (*over)(void *data), void *data)
{
	u64 __user *addr = u64_to_user_ptr(args->fence_addr);
	ktime_t now, left;
	int seen, error;
	u64 value;
	long ret;

	for (;;) {
		/* Whatever happens after this line ends the sleep below. */
		seen = atomic_read_acquire(&event->count);
		error = over(data);
		if (get_user(value, addr))
			return -EFAULT;
		if (value >= args->fence_value)
			return 0;
		if (error)
			return error;

		now = ktime_get();
		if (args->timeout_ns <= now)
			return -ETIME;
		left = ktime_sub(args->timeout_ns, now);
		ret = wait_event_interruptible_hrtimeout(event->wait,
							 atomic_read(&event->count) != seen,
							 left);
		if (ret && ret != -ETIME)
			return ret;
	}
}

/**
 * vsvm_user_u64_ok() - check the address of a user fence
 * @addr: the address
 *
 * Return: true when a u64 can be there.
 */
bool vsvm_user_u64_ok(u64 addr)
{
	return IS_ALIGNED(addr, sizeof(u64)) && addr < TASK_SIZE_MAX &&
	       access_ok(u64_to_user_ptr(addr), sizeof(u64));
}
