/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_DRV_H_
#define _VSVM_DRV_H_

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/vsvm_drm.h>

#include "hw/vsvm_hw.h"
#include "vsvm_duplicate.h"
#include "vsvm_fault_log.h"
#include "vsvm_stats.h"
#include "vsvm_vram.h"

struct drm_file;
struct vsvm_batch;

/* A block is the unit of the SVM path: what one leaf of level 1 maps. */
#define VSVM_BLOCK_SHIFT	VSVM_HW_HUGE_SHIFT
#define VSVM_BLOCK_SIZE		BIT(VSVM_BLOCK_SHIFT)
#define VSVM_BLOCK_ORDER	(VSVM_BLOCK_SHIFT - PAGE_SHIFT)
#define VSVM_BLOCK_PAGES	BIT(VSVM_BLOCK_ORDER)

/**
 * struct vsvm_device - one virtual GPU
 * @drm: base class
 * @index: number of this device, from 0
 * @config: what the GPU was created with
 * @hw: the GPU; valid until the devres of the platform device are released
 * @wq: where interrupts are served
 * @async_wq: where asynchronous prefetches and promotions run
 * @fault_work: takes records from the fault buffer
 * @fault_batch: scratch memory of @fault_work
 * @fault_log: the latest faults
 * @coredump_lock: queues may fail at the same time, there is one core dump
 * @done_work: finds out which queues have ended dispatches
 * @promote_work: reads the access counters, see vsvm_promote.c
 * @vram: the GPU's memory
 * @duplicates: see vsvm_duplicate.c
 * @stats: what this device did
 * @vms_lock: protects @vms and @hw_gone; held while an address space is shut
 *	down
 * @vms: all address spaces, by &vsvm_vm.link
 * @hw_gone: the device was removed, all address spaces have been shut down
 * @vmids: address spaces by their id in the GPU
 * @queues_lock: protects @queues
 * @queues: all queues, by &vsvm_queue.link
 */
struct vsvm_device {
	struct drm_device drm;
	unsigned int index;
	struct vsvm_hw_config config;
	struct vsvm_hw *hw;

	struct workqueue_struct *wq;
	struct workqueue_struct *async_wq;
	struct work_struct fault_work;
	struct vsvm_batch *fault_batch;
	struct vsvm_fault_log fault_log;
	struct mutex coredump_lock;	/* around dev_coredumpv() */
	struct work_struct done_work;
	struct delayed_work promote_work;

	struct vsvm_vram vram;
	struct vsvm_duplicates duplicates;
	struct vsvm_stats stats;

	struct mutex vms_lock;		/* for vms and hw_gone */
	struct list_head vms;
	bool hw_gone;
	struct xarray vmids;

	struct mutex queues_lock;	/* for queues */
	struct list_head queues;
};

static inline struct vsvm_device *to_vsvm_device(struct drm_device *drm)
{
	return container_of(drm, struct vsvm_device, drm);
}

bool vsvm_huge_enabled(void);
unsigned int vsvm_fill_order(void);

int vsvm_ioctl_query(struct drm_device *drm, void *data, struct drm_file *file);
int vsvm_ioctl_prefetch(struct drm_device *drm, void *data,
			struct drm_file *file);
int vsvm_ioctl_residency(struct drm_device *drm, void *data,
			 struct drm_file *file);
int vsvm_ioctl_queue_create(struct drm_device *drm, void *data,
			    struct drm_file *file);
int vsvm_ioctl_queue_destroy(struct drm_device *drm, void *data,
			     struct drm_file *file);
int vsvm_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);
int vsvm_ioctl_wait(struct drm_device *drm, void *data, struct drm_file *file);
int vsvm_ioctl_advise(struct drm_device *drm, void *data, struct drm_file *file);
int vsvm_ioctl_attributes(struct drm_device *drm, void *data,
			  struct drm_file *file);

void vsvm_fault_work(struct work_struct *work);
void vsvm_done_work(struct work_struct *work);
bool vsvm_queues_busy(struct vsvm_device *vdev);
void vsvm_promote_kick(struct vsvm_device *vdev);
void vsvm_promote_work(struct work_struct *work);

#endif /* _VSVM_DRV_H_ */
