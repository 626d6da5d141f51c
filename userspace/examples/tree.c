// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * vsvm-tree: two CPU threads and the GPU grow one search tree, all at the same
 * time. Pages go to and fro as either side touches them; atomic operations are
 * atomic for both.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/gpu.h"
#include "kernels/tree.h"

#define THREADS 2
#define SHARE	4000
#define COUNT	((THREADS + 1) * SHARE)
#define GROUP	64
#define BREAK	64

#define MILLISECOND 1000000

struct worker {
	pthread_t thread;
	struct tree *tree;
	struct tree_node **nodes;
	/* What the GPU had inserted by then. */
	unsigned long gpu_at_start, gpu_at_end;
};

static unsigned long gpu_progress(const struct tree *tree)
{
	return __atomic_load_n(&tree->gpu_inserted, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct tree *tree = worker->tree;
	size_t i;

	worker->gpu_at_start = gpu_progress(tree);
	for (i = 0; i < SHARE; i++) {
		tree_insert(tree, worker->nodes[i]);
		/* A GPU of software is slow. Without a break it would come too late. */
		if (i % BREAK == 0)
			usleep(1000);
	}
	worker->gpu_at_end = gpu_progress(tree);
	return NULL;
}

/* Counts the keys and checks that they grow from left to right. */
static size_t walk(const struct tree_node *node, const unsigned long **last, size_t *wrong)
{
	size_t count = 1;

	if (!node)
		return 0;
	count += walk(node->child[0], last, wrong);
	*wrong += *last && **last >= node->key;
	*last = &node->key;
	return count + walk(node->child[1], last, wrong);
}

int main(void)
{
	static struct tree_node *nodes[COUNT];
	static struct tree tree = {
		.gpu_nodes = nodes,
		.gpu_count = SHARE,
		.count = COUNT,
	};
	struct worker workers[THREADS];
	const unsigned long *last = NULL;
	size_t wrong = 0, found = 0, i;
	struct gpu gpu;
	uint64_t fence;

	printf("tree: the GPU and %d threads insert %d nodes each\n", THREADS, SHARE);
	for (i = 0; i < COUNT; i++) {
		nodes[i] = get_memory(sizeof(*nodes[i]));
		*nodes[i] = (struct tree_node){.key = tree_key(i)};
	}

	gpu_open(&gpu, "tree.elf");
	fence = gpu_start(&gpu, "tree_grow",
			  (struct vsvm_launch){.arg = &tree, .groups = {4}, .group_size = {4}});
	/* The threads begin when the GPU is at work. */
	while (!gpu_progress(&tree) &&
	       vsvm_queue_wait(gpu.queue, fence, MILLISECOND, NULL) == -ETIME)
		;
	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.tree = &tree, .nodes = nodes + (i + 1) * SHARE};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			fprintf(stderr, "cannot create a thread\n");
			return EXIT_FAILURE;
		}
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	gpu_wait(&gpu, fence);
	gpu_report(&gpu, "all insert");
	for (i = 0; i < THREADS; i++)
		printf("  while thread %zu inserted %d nodes, the GPU inserted %lu\n", i, SHARE,
		       workers[i].gpu_at_end - workers[i].gpu_at_start);

	gpu_run(&gpu, "tree_look_up",
		(struct vsvm_launch){
			.arg = &tree,
			.groups = {(COUNT + GROUP - 1) / GROUP},
			.group_size = {GROUP},
		});
	gpu_report(&gpu, "the GPU finds all of them");

	for (i = 0; i < COUNT; i++)
		wrong += !tree_has(&tree, tree_key(i));
	found = walk(tree.root, &last, &wrong);
	wrong += (found != COUNT) + (tree.gpu_inserted != SHARE) + tree.gpu_missed;
	gpu_report(&gpu, "the CPU does so, too");
	gpu_close(&gpu);
	for (i = 0; i < COUNT; i++)
		free(nodes[i]);
	return verdict("tree", wrong);
}
