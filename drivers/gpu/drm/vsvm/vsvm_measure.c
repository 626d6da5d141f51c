// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: Measuring
 *
 * A benchmark needs to know what a migration could cost at best, and what single
 * steps of it cost that no program can take alone. The file ``measure`` in debugfs
 * takes a command, and reading it back gives the nanoseconds that the command took,
 * without its preparations:
 *
 * ``memcpy BYTES``
 *	Copies so many bytes, up to 1 GiB, by memcpy() of the kernel, in pieces of
 *	up to 2 MiB. Above 256 MiB the same memory is copied again.
 * ``folios ORDER COUNT``
 *	Allocates and frees a folio of VRAM, one after the other.
 * ``blocks ORDER COUNT``
 *	The part of it that is the allocator of VRAM alone. The difference is what
 *	zone_device_folio_init(), folio_put() and free_zone_device_folio() cost.
 *
 * Each open file has a result of its own. Up to 100000 folios are made at once.
 */

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "vsvm_debugfs.h"
#include "vsvm_vm.h"

#define VSVM_MEASURE_BYTES	SZ_1G
#define VSVM_MEASURE_MEMORY	SZ_256M
#define VSVM_MEASURE_FOLIOS	100000
/* Folios between two looks at signals and the scheduler. */
#define VSVM_MEASURE_BATCH	256

/**
 * struct vsvm_measure - an open file
 * @vdev: the device
 * @lock: protects @ns
 * @ns: time of the last command
 */
struct vsvm_measure {
	struct vsvm_device *vdev;
	struct mutex lock;		/* for ns */
	u64 ns;
};

/**
 * struct vsvm_memory - memory to copy from and to
 * @pieces: pairs of pieces of 2 MiB
 * @page: first pages, those of a pair beside each other
 */
struct vsvm_memory {
	unsigned int pieces;
	struct page *page[][2];
};

static void vsvm_memory_free(struct vsvm_memory *memory)
{
	unsigned int i, j;

	for (i = 0; i < memory->pieces; i++)
		for (j = 0; j < 2; j++)
			if (memory->page[i][j])
				__free_pages(memory->page[i][j],
					     VSVM_BLOCK_ORDER);
	kvfree(memory);
}

static struct vsvm_memory *vsvm_memory_alloc(u64 bytes)
{
	unsigned int pieces = DIV_ROUND_UP_ULL(bytes, VSVM_BLOCK_SIZE), i, j;
	struct vsvm_memory *memory;

	memory = kvzalloc(struct_size(memory, page, pieces), GFP_KERNEL);
	if (!memory)
		return NULL;
	memory->pieces = pieces;
	for (i = 0; i < pieces; i++) {
		for (j = 0; j < 2; j++) {
			/* Cleared, which also makes the host provide it. */
			memory->page[i][j] = alloc_pages(GFP_KERNEL | __GFP_ZERO |
							 __GFP_NOWARN |
							 __GFP_RETRY_MAYFAIL,
							 VSVM_BLOCK_ORDER);
			if (!memory->page[i][j]) {
				vsvm_memory_free(memory);
				return NULL;
			}
		}
		cond_resched();
	}
	return memory;
}

static int vsvm_measure_memcpy(u64 bytes, u64 *ns)
{
	struct vsvm_memory *memory;
	u64 begin, done, size;
	unsigned int i = 0;
	int ret = 0;

	if (!bytes || bytes > VSVM_MEASURE_BYTES)
		return -EINVAL;
	memory = vsvm_memory_alloc(min_t(u64, bytes, VSVM_MEASURE_MEMORY));
	if (!memory)
		return -ENOMEM;

	begin = ktime_get_ns();
	for (done = 0; done < bytes; done += size) {
		size = min_t(u64, bytes - done, VSVM_BLOCK_SIZE);
		memcpy(page_address(memory->page[i][1]),
		       page_address(memory->page[i][0]), size);
		if (++i == memory->pieces)
			i = 0;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	*ns = ktime_get_ns() - begin;
	vsvm_memory_free(memory);
	return ret;
}

/* Takes pages and gives them back; as a folio if there is an @owner for it. */
static int vsvm_measure_one(struct vsvm_vram *vram, unsigned int order,
			    struct vsvm_owner *owner)
{
	struct folio *folio;
	unsigned long pfn;

	if (!vsvm_vram_alloc_aligned(vram, order, &pfn))
		return -ENOSPC;
	if (!owner) {
		vsvm_vram_release(vram, pfn, 1UL << order);
		return 0;
	}

	folio = vsvm_vram_folio(vram, pfn, order, owner);
	if (!folio) {
		vsvm_vram_release(vram, pfn, 1UL << order);
		return -ENODEV;
	}
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

static int vsvm_measure_folios(struct vsvm_device *vdev, unsigned int order,
			       unsigned int count, bool init, u64 *ns)
{
	struct vsvm_owner *owner = NULL;
	unsigned int i;
	u64 begin;
	int ret;

	if (order == 1 || order > VSVM_BLOCK_ORDER || !count ||
	    count > VSVM_MEASURE_FOLIOS)
		return -EINVAL;
	if (init) {
		owner = vsvm_owner_create();
		if (!owner)
			return -ENOMEM;
	}

	/* The first one may have to change what it finds to its order. */
	ret = vsvm_measure_one(&vdev->vram, order, owner);
	begin = ktime_get_ns();
	for (i = 0; i < count && !ret; i++) {
		ret = vsvm_measure_one(&vdev->vram, order, owner);
		if (i % VSVM_MEASURE_BATCH)
			continue;
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	*ns = ktime_get_ns() - begin;

	if (owner)
		vsvm_owner_put(owner);
	return ret;
}

static int vsvm_measure_run(struct vsvm_device *vdev, const char *command,
			    u64 *ns)
{
	unsigned int order, count;
	unsigned long long bytes;
	int end = 0;

	if (sscanf(command, "memcpy %llu%n", &bytes, &end) == 1 && !command[end])
		return vsvm_measure_memcpy(bytes, ns);
	if (sscanf(command, "folios %u %u%n", &order, &count, &end) == 2 &&
	    !command[end])
		return vsvm_measure_folios(vdev, order, count, true, ns);
	if (sscanf(command, "blocks %u %u%n", &order, &count, &end) == 2 &&
	    !command[end])
		return vsvm_measure_folios(vdev, order, count, false, ns);

	drm_dbg(&vdev->drm, "unknown command\n");
	return -EINVAL;
}

static ssize_t vsvm_measure_write(struct file *file, const char __user *user,
				  size_t size, loff_t *pos)
{
	struct vsvm_measure *measure = file->private_data;
	struct vsvm_device *vdev = measure->vdev;
	char *command;
	u64 ns = 0;
	int ret, idx;

	if (!size || size >= 64)
		return -EINVAL;
	command = memdup_user_nul(user, size);
	if (IS_ERR(command))
		return PTR_ERR(command);

	ret = -ENODEV;
	if (drm_dev_enter(&vdev->drm, &idx)) {
		ret = vsvm_measure_run(vdev, strim(command), &ns);
		drm_dev_exit(idx);
	}
	kfree(command);
	if (ret)
		return ret;

	mutex_lock(&measure->lock);
	measure->ns = ns;
	mutex_unlock(&measure->lock);
	return size;
}

static ssize_t vsvm_measure_read(struct file *file, char __user *user,
				 size_t size, loff_t *pos)
{
	struct vsvm_measure *measure = file->private_data;
	char text[24];
	int length;

	mutex_lock(&measure->lock);
	length = scnprintf(text, sizeof(text), "%llu\n", measure->ns);
	mutex_unlock(&measure->lock);
	return simple_read_from_buffer(user, size, pos, text, length);
}

static int vsvm_measure_open(struct inode *inode, struct file *file)
{
	struct vsvm_measure *measure = kzalloc(sizeof(*measure), GFP_KERNEL);

	if (!measure)
		return -ENOMEM;
	measure->vdev = inode->i_private;
	drm_dev_get(&measure->vdev->drm);
	mutex_init(&measure->lock);
	file->private_data = measure;
	return 0;
}

static int vsvm_measure_release(struct inode *inode, struct file *file)
{
	struct vsvm_measure *measure = file->private_data;

	mutex_destroy(&measure->lock);
	drm_dev_put(&measure->vdev->drm);
	kfree(measure);
	return 0;
}

static const struct file_operations vsvm_measure_fops = {
	.owner = THIS_MODULE,
	.open = vsvm_measure_open,
	.release = vsvm_measure_release,
	.read = vsvm_measure_read,
	.write = vsvm_measure_write,
	.llseek = default_llseek,
};

/**
 * vsvm_measure_init() - add the file to debugfs
 * @vdev: the device, not registered yet
 */
void vsvm_measure_init(struct vsvm_device *vdev)
{
	debugfs_create_file("measure", 0600, vdev->drm.debugfs_root, vdev,
			    &vsvm_measure_fops);
}
