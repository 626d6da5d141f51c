// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Walks lists, one for each work-item, and turns them round.
 */
#include <stddef.h>

#include "vsvm_gpu.h"

#include "list.h"

VSVM_KERNEL list_reverse(struct list *lists, unsigned long x)
{
	struct list *list = &lists[x];
	struct list_node *node = list->first, *before = NULL;

	list->length = 0;
	list->sum = 0;
	while (node) {
		struct list_node *next = node->next;

		list->length++;
		list->sum += node->value;
		node->next = before;
		before = node;
		node = next;
	}
	list->first = before;
}
