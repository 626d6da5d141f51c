/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_WAIT_H_
#define _VSVM_WAIT_H_

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <drm/vsvm_drm.h>

/**
 * struct vsvm_event - something that waiters for a user fence have to look at
 * @count: how often it has happened
 * @wait: waiters
 */
struct vsvm_event {
	atomic_t count;
	wait_queue_head_t wait;
};

void vsvm_event_init(struct vsvm_event *event);
void vsvm_event_raise(struct vsvm_event *event);
int vsvm_event_wait_fence(struct vsvm_event *event,
			  const struct drm_vsvm_wait *args,
			  int (*over)(void *data), void *data);
bool vsvm_user_u64_ok(u64 addr);

#endif /* _VSVM_WAIT_H_ */
