/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * A binary search tree that any number of CPU threads and GPU work-items grow at
 * the same time, without locks. Both sides compile this.
 */
#ifndef TREE_KERNEL_H
#define TREE_KERNEL_H

#include <stddef.h>

struct tree_node {
	unsigned long key;
	/* Smaller and greater keys. */
	struct tree_node *child[2];
};

struct tree {
	struct tree_node *root;
	/* Nodes that the GPU has inserted, and keys that it has not found. */
	unsigned long gpu_inserted;
	unsigned long gpu_missed;
	/* The nodes of the GPU, and how many nodes there are in all. */
	struct tree_node **gpu_nodes;
	unsigned long gpu_count;
	unsigned long count;
};

/* The key of node @i: a permutation, so that the tree is not deep. */
static inline unsigned long tree_key(unsigned long i)
{
	return i * 0x9e3779b97f4a7c15UL;
}

/*
 * Nodes are never removed, so one compare-and-swap of the empty place is all
 * that it takes. Who comes late goes on from the node that is there now.
 */
static inline void tree_insert(struct tree *tree, struct tree_node *node)
{
	struct tree_node **place = &tree->root;
	struct tree_node *there = NULL;

	while (!__atomic_compare_exchange_n(place, &there, node, 0, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE)) {
		do {
			place = &there->child[node->key > there->key];
			there = __atomic_load_n(place, __ATOMIC_ACQUIRE);
		} while (there);
	}
}

static inline int tree_has(const struct tree *tree, unsigned long key)
{
	const struct tree_node *node = tree->root;

	while (node && node->key != key)
		node = node->child[key > node->key];
	return node != NULL;
}

#endif /* TREE_KERNEL_H */
