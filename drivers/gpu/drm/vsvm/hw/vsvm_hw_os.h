/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_HW_OS_H_
#define _VSVM_HW_OS_H_

/*
 * What the GPU model needs of its surroundings. In user space vsvm_hw_user.h
 * provides all of it.
 */

#include "vsvm_hw.h"

#if __SIZEOF_LONG__ != 8 || (__BYTE_ORDER__) != __ORDER_LITTLE_ENDIAN__
#error "The vsvm GPU model needs a little endian 64 bit host"
#endif

#ifdef __KERNEL__

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kasan-checks.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

/* Nanoseconds of a clock that never goes back */
static inline u64 vsvm_os_time_ns(void)
{
	return ktime_get_ns();
}

static inline void vsvm_os_thread_stop(struct task_struct *task,
				       struct wait_queue_head *wq)
{
	kthread_stop(task);
}

/**
 * vsvm_os_reclaim_safe() - tell lockdep that a mutex is taken by reclaim
 * @mutex: mutex that an MMU notifier takes
 *
 * From then on lockdep reports any allocation under @mutex that may reclaim, at
 * its first occurrence instead of at the first deadlock.
 */
static inline void vsvm_os_reclaim_safe(struct mutex *mutex)
{
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(mutex);
	fs_reclaim_release(GFP_KERNEL);
}

/**
 * vsvm_os_block_alloc() - allocate 2 MiB of backing memory for VRAM
 *
 * Physically contiguous memory is preferred, its mapping costs the host fewer
 * TLB entries; but it is not worth any effort of reclaim or compaction.
 *
 * Context: Process context. May sleep.
 * Return: memory with undefined contents, or NULL.
 */
static inline void *vsvm_os_block_alloc(void)
{
	struct page *page;

	page = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY,
			   get_order(SZ_2M));
	if (page)
		return page_address(page);
	return __vmalloc(SZ_2M,
			 GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
}

static inline void vsvm_os_block_free(void *mem)
{
	if (is_vmalloc_addr(mem))
		vfree(mem);
	else
		free_pages((unsigned long)mem, get_order(SZ_2M));
}

/**
 * vsvm_os_check_read() - let KASAN check memory that is going to be read
 * @mem: the memory
 * @size: bytes
 *
 * For code that the compiler does not instrument because it is too hot for that.
 */
static __always_inline void vsvm_os_check_read(const void *mem, size_t size)
{
	__kasan_check_read(mem, size);
}

/* Same as vsvm_os_check_read() for memory that is going to be written */
static __always_inline void vsvm_os_check_write(void *mem, size_t size)
{
	__kasan_check_write(mem, size);
}

#endif /* __KERNEL__ */

#endif /* _VSVM_HW_OS_H_ */
