// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (C) 2026 The vsvm developers
 */

/**
 * DOC: debugfs
 *
 * The files show what is there without a stop of anything: each line is true for
 * itself, neighbours may be from different moments. A reader keeps the device
 * from going, by drm_dev_enter(), and the one client that it looks at, by a
 * reference; a client that goes in between is not shown.
 */

#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "vsvm_debugfs.h"
#include "vsvm_vm.h"

#ifdef CONFIG_DEBUG_FS
static struct vsvm_device *vsvm_debugfs_device(struct seq_file *m)
{
	struct drm_debugfs_entry *entry = m->private;

	return to_vsvm_device(entry->dev);
}

static int vsvm_debugfs_counters(struct seq_file *m, void *unused)
{
	struct vsvm_device *vdev = vsvm_debugfs_device(m);
	struct drm_printer p = drm_seq_file_printer(m);
	int ret, idx;

	if (!drm_dev_enter(&vdev->drm, &idx))
		return -ENODEV;
	ret = vsvm_stats_print(vdev, &p);
	drm_dev_exit(idx);
	return ret;
}

static int vsvm_debugfs_vram(struct seq_file *m, void *unused)
{
	struct vsvm_device *vdev = vsvm_debugfs_device(m);
	struct drm_printer p = drm_seq_file_printer(m);
	int idx;

	if (!drm_dev_enter(&vdev->drm, &idx))
		return -ENODEV;
	vsvm_vram_print(&vdev->vram, &p);
	drm_dev_exit(idx);
	return 0;
}

static int vsvm_debugfs_faults(struct seq_file *m, void *unused)
{
	struct vsvm_device *vdev = vsvm_debugfs_device(m);
	struct drm_printer p = drm_seq_file_printer(m);
	struct vsvm_hw_fault_state state;
	int idx;

	if (!drm_dev_enter(&vdev->drm, &idx))
		return -ENODEV;
	vsvm_hw_read_faults(vdev->hw, &state);
	drm_dev_exit(idx);

	seq_printf(m, "records: %u\nqueued: %u\ntaken: %u\nanswered: %u\n",
		   state.entries, state.queued, state.taken, state.answered);
	seq_printf(m, "starved groups: %u\nwritten: %llu\n", state.starved,
		   state.written);
	vsvm_fault_log_print(&vdev->fault_log, &p);
	return 0;
}

/* Prints the blocks of a client. Returns -EINTR when the reader is killed. */
static int vsvm_debugfs_client(struct seq_file *m, struct vsvm_vm *vm)
{
	u64 vram = 0, system = 0;
	struct vsvm_range *range;
	unsigned long index;

	seq_printf(m, "client %llu: pid %d (%s) vmid %u vram %lld KiB\n",
		   vm->client, vm->pid, vm->comm, vm->vmid,
		   (s64)atomic64_read(&vm->owner->pages) << (PAGE_SHIFT - 10));
	xa_for_each(&vm->ranges, index, range) {
		struct vsvm_pt_usage usage;

		/* It comes again with a larger buffer. */
		if (seq_has_overflowed(m))
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
		vsvm_pt_count(vm, index << VSVM_BLOCK_SHIFT, &usage);
		seq_printf(m, "  range %#lx: vram %u system %u writable %u%s\n",
			   index << VSVM_BLOCK_SHIFT, usage.vram, usage.system,
			   usage.writable, usage.leaf ? " leaf" : "");
		vram += usage.vram;
		system += usage.system;
		cond_resched();
	}
	seq_printf(m, "  mapped: vram %llu KiB system %llu KiB\n",
		   vram << (PAGE_SHIFT - 10), system << (PAGE_SHIFT - 10));
	return 0;
}

static int vsvm_debugfs_ranges(struct seq_file *m, void *unused)
{
	struct vsvm_device *vdev = vsvm_debugfs_device(m);
	unsigned long vmid;
	struct vsvm_vm *vm;
	int ret = 0, idx;
	void *entry;

	if (!drm_dev_enter(&vdev->drm, &idx))
		return -ENODEV;
	/* Not @entry, only what has got a reference may be looked at. */
	xa_for_each(&vdev->vmids, vmid, entry) {
		vm = vsvm_vm_lookup(vdev, vmid);
		if (!vm)
			continue;
		ret = vsvm_debugfs_client(m, vm);
		vsvm_vm_put(vm);
		if (ret)
			break;
	}
	drm_dev_exit(idx);
	return ret;
}

static const struct drm_debugfs_info vsvm_debugfs_files[] = {
	{ "counters", vsvm_debugfs_counters },
	{ "faults", vsvm_debugfs_faults },
	{ "ranges", vsvm_debugfs_ranges },
	{ "vram", vsvm_debugfs_vram },
};

/**
 * vsvm_debugfs_init() - add the files of a device to debugfs
 * @vdev: the device, not registered yet
 */
void vsvm_debugfs_init(struct vsvm_device *vdev)
{
	drm_debugfs_add_files(&vdev->drm, vsvm_debugfs_files,
			      ARRAY_SIZE(vsvm_debugfs_files));
	vsvm_measure_init(vdev);
}
#endif
