/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the parts of the benchmark, and vsvm-prefetch-speed, share. Every function
 * ends the program with a sentence and status 1 when it fails.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vsvm.h"

#define KIB	1024UL
#define MIB	(1024 * KIB)
#define BLOCK	(2 * MIB)
#define THREADS 2
#define REPEATS 64

/* Pages that memory is made of, on both sides. */
enum pages { PAGES_HUGE, PAGES_SMALL, PAGES_KINDS };

/* What one repetition took, and what the driver's counters say of it. */
struct sample {
	uint64_t ns;
	/* Copied by memcpy() in the kernel, as many bytes, just before. */
	uint64_t memcpy_ns;
	/* The whole of all migrations, their copies, and faults as a whole. */
	uint64_t migrate_ns, copy_ns, fault_ns, bind_ns;
};

/* A measurement: @name with its circumstances, and a sample for each repetition. */
struct result {
	const char *name;
	enum pages pages;
	uint64_t bytes;
	unsigned int threads, repeats;
	struct sample sample[REPEATS];
};

struct bench {
	struct vsvm_device *dev;
	struct vsvm_module *module;
	const struct vsvm_kernel *touch;
	struct vsvm_queue *queue;
	int measure;
	bool icount, quick;
};

/* Memory that is measured: whole blocks, or a part of one. */
struct memory {
	unsigned char *start;
	size_t bytes;
	enum pages pages;
	void *mapping;
	size_t mapped;
};

/* common.c */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);
/* Ends the program if a call of the library has failed. */
void must(int err);
uint64_t now_ns(void);

/* memory.c */
void huge_switch(bool on);
/* Memory of @bytes with a pattern in it. */
struct memory memory_get(size_t bytes, enum pages pages);
void memory_put(struct memory *memory);
/* Fails if the pattern is not there any more. */
void memory_check(const struct memory *memory);
/* Size of the folios that it should be made of. */
size_t memory_unit(const struct memory *memory);

/* measure.c: the driver's file for steps that nobody can take alone, and its counters */
void measure_open(struct bench *bench);
void measure_close(struct bench *bench);
uint64_t measure(struct bench *bench, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct drm_vsvm_counters device_counters(struct bench *bench);
/* The time of a stage, of all sizes. */
uint64_t stage_ns(const struct drm_vsvm_counters *counters, enum drm_vsvm_stage_id stage);

/* evict.c, move.c, steps.c, storm.c: measurements of a size */
void bench_evict(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats);
void bench_prefetch(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats);
void bench_faults(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats);
void bench_threads(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats);
void bench_folios(struct bench *bench, unsigned int repeats);
void bench_storm(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats);
void bench_fork(struct bench *bench, size_t bytes, enum pages pages, unsigned int repeats);

/* report.c */
/* A result of one thread, with no samples yet. */
struct result new_result(const char *name, const struct memory *memory, unsigned int repeats);
void report_open(const char *path, const struct bench *bench);
void report_add(const struct result *result);
void report_close(void);

#endif /* BENCH_H */
