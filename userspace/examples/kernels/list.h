/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * What the program and its GPU kernel share.
 */
#ifndef LIST_KERNEL_H
#define LIST_KERNEL_H

struct list_node {
	struct list_node *next;
	unsigned long value;
};

struct list {
	struct list_node *first;
	/* Filled by the GPU. */
	unsigned long length;
	unsigned long sum;
};

#endif /* LIST_KERNEL_H */
