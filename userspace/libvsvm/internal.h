/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_INTERNAL_H
#define VSVM_INTERNAL_H

#include <pthread.h>

#include "vsvm.h"

#define VSVM_INTERNAL __attribute__((visibility("hidden")))

struct vsvm_device {
	int fd;
	unsigned int refs;
	struct drm_vsvm_info info;
	/* Protects what follows and keeps the fence values of prefetches in order. */
	pthread_mutex_t lock;
	/* Shared memory of one page, or NULL before the first asynchronous prefetch. */
	uint64_t *fence;
	/* Only changed under the lock. */
	uint64_t started;
};

/* Takes and drops a reference; the last one closes the file. */
VSVM_INTERNAL void vsvm_device_get(struct vsvm_device *dev);
VSVM_INTERNAL void vsvm_device_put(struct vsvm_device *dev);

/* An ioctl that restarts after signals; returns 0 or a negative errno. */
VSVM_INTERNAL int vsvm_ioctl(const struct vsvm_device *dev, unsigned long request, void *arg);

struct vsvm_kernel {
	char *name;
	uint64_t entry;
};

struct vsvm_module {
	/* The loaded image: all segments, relocated. */
	uint8_t *base;
	size_t size;
	struct vsvm_kernel *kernels;
	size_t num_kernels;
};

/* The time on CLOCK_MONOTONIC that is @timeout from now, without overflow. */
VSVM_INTERNAL int64_t vsvm_deadline(int64_t timeout);

/* Sets vsvm_error_message() and returns @err, so that it can end a function. */
VSVM_INTERNAL int vsvm_fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* VSVM_INTERNAL_H */
