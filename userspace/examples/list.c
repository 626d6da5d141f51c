// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * vsvm-list: linked lists, made by the CPU, turned round by the GPU, taken apart
 * by the CPU. A pointer means the same on both sides.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/gpu.h"
#include "kernels/list.h"

#define LISTS 64
#define NODES 500

/* Nodes of all lists in turn: no list has its nodes side by side. */
static void make_lists(struct list *lists)
{
	unsigned long i, l;

	for (l = 0; l < LISTS; l++)
		lists[l] = (struct list){0};
	for (i = 0; i < NODES; i++) {
		for (l = 0; l < LISTS; l++) {
			struct list_node *node = get_memory(sizeof(*node));

			*node = (struct list_node){.next = lists[l].first, .value = l * NODES + i};
			lists[l].first = node;
		}
	}
}

/* Values grow along a list that was turned round. Returns how much is wrong. */
static size_t free_list(struct list *list, unsigned long first_value)
{
	struct list_node *node = list->first, *next;
	unsigned long length = 0, sum = 0;
	size_t wrong = 0;

	for (; node; node = next) {
		next = node->next;
		wrong += node->value != first_value + length;
		length++;
		sum += node->value;
		free(node);
	}
	return wrong + (length != NODES) + (list->length != length) + (list->sum != sum);
}

int main(void)
{
	static struct list lists[LISTS];
	struct gpu gpu;
	size_t wrong = 0, l;

	printf("list: %d lists of %d nodes, each node from malloc()\n", LISTS, NODES);
	make_lists(lists);

	gpu_open(&gpu, "list.elf");
	gpu_run(&gpu, "list_reverse", (struct vsvm_launch){.arg = lists, .groups = {LISTS}});
	gpu_report(&gpu, "the GPU turns them round");

	for (l = 0; l < LISTS; l++)
		wrong += free_list(&lists[l], l * NODES);
	gpu_report(&gpu, "the CPU walks and frees them");
	gpu_close(&gpu);
	return verdict("list", wrong);
}
