// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The GPU's part in a tree that it shares with the CPU.
 */
#include "vsvm_gpu.h"

#include "tree.h"

/* Every work-item inserts one node after the other of its share. */
VSVM_KERNEL tree_grow(struct tree *tree, unsigned long x, unsigned long y, unsigned long z,
		      unsigned long local, unsigned long group, unsigned long total)
{
	unsigned long i;

	(void)y;
	(void)z;
	(void)local;
	(void)group;
	for (i = x; i < tree->gpu_count; i += total) {
		tree_insert(tree, tree->gpu_nodes[i]);
		vsvm_atomic_add_u64(&tree->gpu_inserted, 1);
	}
}

/* Looks for the keys of all nodes, whoever inserted them. */
VSVM_KERNEL tree_look_up(struct tree *tree, unsigned long x)
{
	if (x < tree->count && !tree_has(tree, tree_key(x)))
		vsvm_atomic_add_u64(&tree->gpu_missed, 1);
}
