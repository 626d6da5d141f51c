/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the small examples share. Every function ends the program with a sentence
 * and status 1 when it fails.
 */
#ifndef EXAMPLES_GPU_H
#define EXAMPLES_GPU_H

#include <stdbool.h>
#include <stddef.h>

#include "vsvm.h"

/* The first GPU with a queue and a module. */
struct gpu {
	struct vsvm_device *dev;
	struct vsvm_module *module;
	struct vsvm_queue *queue;
	/* At gpu_open() or the last gpu_report(). */
	struct drm_vsvm_counters counters;
};

/* @code is the name of a file beside the program. */
void gpu_open(struct gpu *gpu, const char *code);
void gpu_close(struct gpu *gpu);

/* Fills launch->kernel by name and starts it. Returns the fence to wait for. */
uint64_t gpu_start(struct gpu *gpu, const char *kernel, struct vsvm_launch launch);
void gpu_wait(struct gpu *gpu, uint64_t fence);

/* Both in one. */
void gpu_run(struct gpu *gpu, const char *kernel, struct vsvm_launch launch);

/* Prints a line: what the GPU did since the last one, faults and moved memory. */
void gpu_report(struct gpu *gpu, const char *what);

/* Bytes that came to VRAM since the last line of gpu_report(). */
size_t gpu_bytes_to_vram(struct gpu *gpu);

/* Bytes of @size at @addr that are in VRAM. */
size_t gpu_bytes_in_vram(struct gpu *gpu, const void *addr, size_t size);

/* malloc() and aligned_alloc() that do not return NULL. */
void *get_memory(size_t size);
void *get_aligned_memory(size_t align, size_t size);

/* Prints what the comparison with the CPU gave. Returns the exit status. */
int verdict(const char *name, size_t wrong);

#endif /* EXAMPLES_GPU_H */
