/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the program and its GPU kernels share.
 */
#ifndef HISTOGRAM_KERNEL_H
#define HISTOGRAM_KERNEL_H

#define HISTOGRAM_BINS 256

/* Bytes that a work-item counts before it takes its next block. */
#define HISTOGRAM_BLOCK (512UL * 1024)

struct histogram_args {
	const unsigned char *input;
	unsigned long bytes;
	/* The result: HISTOGRAM_BINS counts. */
	unsigned long *bins;
	/* A table of HISTOGRAM_BINS counts for each work-item. */
	unsigned int *tables;
};

#endif /* HISTOGRAM_KERNEL_H */
