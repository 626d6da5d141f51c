/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_HW_USER_H_
#define _VSVM_HW_USER_H_

/**
 * DOC: User space build of the GPU model
 *
 * The model is written to the interfaces of the kernel. This header provides the
 * few of them that it uses on top of pthreads and the compiler, so that unit
 * tests, sanitizers and fuzzers run on the very same code in user space. Kernel
 * builds never see it.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned __int128 u128;

#define BIT(n)	   (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define SZ_2M	   0x200000UL

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#undef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#define noinline	__attribute__((__noinline__))
#define fallthrough	__attribute__((__fallthrough__))

#define READ_ONCE(x)	 __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define smp_mb()	 __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define try_cmpxchg(p, old, new) \
	__atomic_compare_exchange_n((p), (old), (new), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define min_t(type, a, b)          \
	({                         \
		type _a = (a);     \
		type _b = (b);     \
		_a < _b ? _a : _b; \
	})
#define ALIGN(x, a)		    (((x) + ((a) - 1)) & ~((a) - 1))
#define IS_ALIGNED(x, a)	    (((x) & ((a) - 1)) == 0)
#define check_mul_overflow(a, b, d) __builtin_mul_overflow((a), (b), (d))

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline u64 rol64(u64 word, unsigned int shift)
{
	return (word << (shift & 63)) | (word >> (-shift & 63));
}

static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (u64)(((unsigned __int128)a * b) >> shift);
}

/* Errors as pointers */
#define MAX_ERRNO 4095

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-MAX_ERRNO;
}

/* Memory */
#define GFP_KERNEL 0

static inline void *kvcalloc(size_t n, size_t size, int gfp)
{
	(void)gfp;
	return calloc(n, size);
}

static inline void *kvzalloc(size_t size, int gfp)
{
	return kvcalloc(1, size, gfp);
}

#define kzalloc kvzalloc
#define kvfree	free
#define kfree	free

/* Doubly linked lists */
struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	entry->prev = head->prev;
	entry->next = head;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_del_init(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	INIT_LIST_HEAD(entry);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	list_del_init(entry);
	list_add_tail(entry, head);
}

#define list_first_entry(head, type, member) container_of((head)->next, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_for_each_entry(pos, head, member)                                                   \
	for (pos = container_of((head)->next, __typeof__(*pos), member); &pos->member != (head); \
	     pos = container_of(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, n, head, member)                    \
	for (pos = container_of((head)->next, __typeof__(*pos), member),  \
	    n = container_of(pos->member.next, __typeof__(*pos), member); \
	     &pos->member != (head);                                      \
	     pos = n, n = container_of(n->member.next, __typeof__(*n), member))

/* Counters */
typedef struct {
	s64 counter;
} atomic64_t;

#define atomic64_add(v, a) ((void)__atomic_fetch_add(&(a)->counter, (v), __ATOMIC_RELAXED))
#define atomic64_set(a, v) __atomic_store_n(&(a)->counter, (v), __ATOMIC_RELAXED)
#define atomic64_read(a)   __atomic_load_n(&(a)->counter, __ATOMIC_RELAXED)

typedef struct {
	int refs;
} refcount_t;

#define refcount_set(r, n)	 __atomic_store_n(&(r)->refs, (n), __ATOMIC_RELAXED)
#define refcount_inc(r)		 ((void)__atomic_fetch_add(&(r)->refs, 1, __ATOMIC_RELAXED))
#define refcount_dec_and_test(r) (__atomic_sub_fetch(&(r)->refs, 1, __ATOMIC_ACQ_REL) == 0)

/* Locks */
typedef struct {
	pthread_mutex_t lock;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	pthread_mutex_init(&lock->lock, NULL);
}

static inline void spin_lock(spinlock_t *lock)
{
	pthread_mutex_lock(&lock->lock);
}

static inline void spin_unlock(spinlock_t *lock)
{
	pthread_mutex_unlock(&lock->lock);
}

/**
 * struct mutex - a fair mutex
 * @lock: protects the tickets
 * @turn: signalled when @serving changes
 * @next: next ticket to hand out
 * @serving: ticket of the owner
 *
 * The mutex of the kernel hands over to a waiter that has waited for too long; a
 * plain pthread mutex lets a thread that locks in a loop starve the others.
 */
struct mutex {
	pthread_mutex_t lock;
	pthread_cond_t turn;
	u64 next;
	u64 serving;
};

static inline void mutex_init(struct mutex *mutex)
{
	pthread_mutex_init(&mutex->lock, NULL);
	pthread_cond_init(&mutex->turn, NULL);
	mutex->next = 0;
	mutex->serving = 0;
}

static inline void mutex_destroy(struct mutex *mutex)
{
	pthread_mutex_destroy(&mutex->lock);
	pthread_cond_destroy(&mutex->turn);
}

static inline void mutex_lock(struct mutex *mutex)
{
	u64 ticket;

	pthread_mutex_lock(&mutex->lock);
	ticket = mutex->next++;
	while (mutex->serving != ticket)
		pthread_cond_wait(&mutex->turn, &mutex->lock);
	pthread_mutex_unlock(&mutex->lock);
}

static inline bool mutex_trylock(struct mutex *mutex)
{
	bool locked;

	pthread_mutex_lock(&mutex->lock);
	locked = mutex->serving == mutex->next;
	if (locked)
		mutex->next++;
	pthread_mutex_unlock(&mutex->lock);
	return locked;
}

static inline void mutex_unlock(struct mutex *mutex)
{
	pthread_mutex_lock(&mutex->lock);
	mutex->serving++;
	pthread_cond_broadcast(&mutex->turn);
	pthread_mutex_unlock(&mutex->lock);
}

#define lockdep_assert_held(l) ((void)(l))
#define might_sleep() \
	do {          \
	} while (0)
#define cond_resched() sched_yield()

/* A thread may use its FPU at any time. */
#define kernel_fpu_begin() \
	do {               \
	} while (0)
#define kernel_fpu_end() \
	do {             \
	} while (0)

/* Wait queues. A waiter evaluates its condition with no lock of the queue. */
struct wait_queue_head {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	u64 seq;
};

static inline void init_waitqueue_head(struct wait_queue_head *wq)
{
	pthread_mutex_init(&wq->lock, NULL);
	pthread_cond_init(&wq->wake, NULL);
	wq->seq = 0;
}

static inline void wake_up_all(struct wait_queue_head *wq)
{
	pthread_mutex_lock(&wq->lock);
	wq->seq++;
	pthread_cond_broadcast(&wq->wake);
	pthread_mutex_unlock(&wq->lock);
}

static inline u64 vsvm_wait_begin(struct wait_queue_head *wq)
{
	u64 seq;

	pthread_mutex_lock(&wq->lock);
	seq = wq->seq;
	pthread_mutex_unlock(&wq->lock);
	return seq;
}

static inline void vsvm_wait_change(struct wait_queue_head *wq, u64 seq)
{
	pthread_mutex_lock(&wq->lock);
	while (wq->seq == seq)
		pthread_cond_wait(&wq->wake, &wq->lock);
	pthread_mutex_unlock(&wq->lock);
}

#define wait_event(wq, condition)                  \
	do {                                       \
		u64 _seq = vsvm_wait_begin(&(wq)); \
                                                   \
		if (condition)                     \
			break;                     \
		vsvm_wait_change(&(wq), _seq);     \
	} while (true)
#define wait_event_idle wait_event

/* Threads */
struct task_struct {
	pthread_t thread;
	bool stop;
	int (*fn)(void *data);
	void *data;
};

__attribute__((__weak__)) __thread struct task_struct *vsvm_hw_current;

static inline bool kthread_should_stop(void)
{
	return READ_ONCE(vsvm_hw_current->stop);
}

static inline void *vsvm_hw_thread_entry(void *data)
{
	struct task_struct *task = data;

	vsvm_hw_current = task;
	task->fn(task->data);
	return NULL;
}

static inline struct task_struct *kthread_run(int (*fn)(void *data), void *data, const char *name,
					      ...)
{
	struct task_struct *task = calloc(1, sizeof(*task));

	(void)name;
	if (!task)
		return ERR_PTR(-ENOMEM);
	task->fn = fn;
	task->data = data;
	if (pthread_create(&task->thread, NULL, vsvm_hw_thread_entry, task)) {
		free(task);
		return ERR_PTR(-ENOMEM);
	}
	return task;
}

/* What vsvm_hw_os.h defines for the kernel */
static inline void vsvm_os_thread_stop(struct task_struct *task, struct wait_queue_head *wq)
{
	WRITE_ONCE(task->stop, true);
	wake_up_all(wq);
	pthread_join(task->thread, NULL);
	free(task);
}

static inline u64 vsvm_os_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static inline void vsvm_os_reclaim_safe(struct mutex *mutex)
{
	(void)mutex;
}

static inline void *vsvm_os_block_alloc(void)
{
	void *mem = NULL;

	if (posix_memalign(&mem, SZ_2M, SZ_2M))
		return NULL;
	return mem;
}

static inline void vsvm_os_block_free(void *mem)
{
	free(mem);
}

static inline void vsvm_os_check_read(const void *mem, size_t size)
{
	(void)mem;
	(void)size;
}

static inline void vsvm_os_check_write(void *mem, size_t size)
{
	(void)mem;
	(void)size;
}

#endif /* _VSVM_HW_USER_H_ */
