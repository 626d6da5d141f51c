/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_ASYNC_H_
#define _VSVM_ASYNC_H_

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "vsvm_wait.h"

struct vsvm_async_job;
struct vsvm_vm;

/**
 * struct vsvm_async - asynchronous prefetches of an address space
 * @work: carries them out
 * @running: the one of which a part has been carried out; only @work uses it
 * @lock: protects the following; held while a fence is written, so that none is
 *	after @closed was set
 * @jobs: those that have not begun
 * @count: those that have not ended
 * @closed: there will be no more
 * @event: raised whenever one has ended
 */
struct vsvm_async {
	struct work_struct work;
	struct vsvm_async_job *running;
	struct mutex lock;		/* for jobs, count and closed */
	struct list_head jobs;
	unsigned int count;
	bool closed;
	struct vsvm_event event;
};

void vsvm_async_init(struct vsvm_async *async);
void vsvm_async_close(struct vsvm_async *async);
void vsvm_async_fini(struct vsvm_async *async);
int vsvm_async_submit(struct vsvm_vm *vm, const struct drm_vsvm_prefetch *args);
int vsvm_async_wait(struct vsvm_vm *vm, const struct drm_vsvm_wait *args);

#endif /* _VSVM_ASYNC_H_ */
