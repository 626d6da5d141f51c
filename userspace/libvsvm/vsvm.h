/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_H
#define VSVM_H

#include <stddef.h>
#include <stdint.h>

#include <drm/vsvm_drm.h>
#include <drm/vsvm_isa.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: libvsvm
 *
 * Runs C code on a vsvm GPU, on plain pointers: what malloc() returns can be
 * handed to a kernel as it is.
 *
 *	struct vsvm_device *dev;
 *	struct vsvm_module *module;
 *	const struct vsvm_kernel *kernel;
 *	struct vsvm_queue *queue;
 *	uint64_t fence;
 *
 *	vsvm_device_open(0, &dev);
 *	vsvm_module_load_file("double.elf", &module);
 *	vsvm_module_kernel(module, "double_all", &kernel);
 *	vsvm_queue_create(dev, &queue);
 *	vsvm_queue_launch(queue, &(struct vsvm_launch){
 *			  .kernel = kernel, .arg = &args, .groups = { 1024 } },
 *			  &fence);
 *	vsvm_queue_wait(queue, fence, VSVM_WAIT_FOREVER, NULL);
 *
 * Errors: a function that returns int returns 0 on success, else a negative
 * errno; out parameters are then untouched unless the function says otherwise.
 * vsvm_error_message() has the reason in words. What needs the device can fail,
 * besides what is said there, with -ENODEV after the device was removed, and with
 * -ENOMEM.
 *
 * Units: sizes and addresses are bytes, times nanoseconds.
 *
 * Ownership: what a function hands out through a pointer to a pointer belongs
 * to the caller, who ends it with the function named there. Ending a null
 * pointer does nothing.
 *
 * Threads: every function may be called from any thread. Two threads may use
 * the same object at once, only not while one of them ends it.
 *
 * Processes: a device belongs to the process that opened it. In a child after
 * fork() every call that needs the device fails with -EPERM; ending objects
 * there is allowed and does not disturb the parent.
 */

/** VSVM_EXPORT - part of the interface of the library */
#define VSVM_EXPORT __attribute__((visibility("default")))

/** struct vsvm_device - an open GPU: the address space of this process on it */
struct vsvm_device;

/** struct vsvm_module - GPU code in the memory of this process */
struct vsvm_module;

/** struct vsvm_kernel - a function of a module that can be launched */
struct vsvm_kernel;

/** struct vsvm_queue - an in-order compute queue */
struct vsvm_queue;

/**
 * vsvm_error_message - say why the last call failed
 *
 * Return: a sentence without a full stop about the last function of the library
 * that failed in this thread, or an empty string. It is valid until the next
 * call of the library in this thread.
 */
VSVM_EXPORT const char *vsvm_error_message(void);

/**
 * vsvm_device_open - open a GPU by its number
 * @index: number of the device, counted from 0
 * @out: the device, to be closed with vsvm_device_close()
 *
 * Return: 0, or
 * -ENODEV there is no such device,
 * -EACCES there may be one, but a render node could not be opened,
 * -EPROTO the kernel's driver is not one that this library knows,
 * -ENOMEM
 */
VSVM_EXPORT int vsvm_device_open(unsigned int index, struct vsvm_device **out);

/**
 * vsvm_device_open_path - open a GPU by the path of its render node
 * @path: for instance "/dev/dri/renderD128"
 * @out: the device, to be closed with vsvm_device_close()
 *
 * Return: 0, what open() says, -ENODEV if the file is not a vsvm node, or as
 * vsvm_device_open()
 */
VSVM_EXPORT int vsvm_device_open_path(const char *path, struct vsvm_device **out);

/**
 * vsvm_device_close - let go of a device
 * @dev: the device or NULL
 *
 * Queues of the device that still exist keep it open.
 */
VSVM_EXPORT void vsvm_device_close(struct vsvm_device *dev);

/**
 * vsvm_device_fd - file descriptor of a device
 * @dev: the device
 *
 * Return: the descriptor. It belongs to the device and must not be closed
 */
VSVM_EXPORT int vsvm_device_fd(const struct vsvm_device *dev);

/**
 * vsvm_device_info - constant facts of a device
 * @dev: the device
 * @info: filled; members that the kernel does not know are 0
 * @size: sizeof(*info)
 *
 * Return: 0, or -EINVAL if @size does not fit into 32 bits
 */
VSVM_EXPORT int vsvm_device_info(struct vsvm_device *dev, struct drm_vsvm_info *info, size_t size);

/**
 * vsvm_device_counters - what the device did since its driver was loaded
 * @dev: the device
 * @counters: filled; members that the kernel does not know are 0
 * @size: sizeof(*counters)
 *
 * The counters are of the whole device, not only of this process.
 *
 * Return: 0, or -EINVAL if @size does not fit into 32 bits
 */
VSVM_EXPORT int vsvm_device_counters(struct vsvm_device *dev, struct drm_vsvm_counters *counters,
				     size_t size);

/**
 * vsvm_prefetch - move memory before it is used
 * @dev: the device
 * @addr: start of the range
 * @length: length of the range, not 0
 * @location: DRM_VSVM_LOCATION_VRAM or DRM_VSVM_LOCATION_SYSTEM
 * @moved: bytes that changed place, or NULL
 *
 * The range is widened to whole pages. It has been moved when the function
 * returns. Pages that cannot move stay where they are, which is no error: pages
 * of files, pages that are pinned, and all for which there is no VRAM left.
 *
 * Return: 0, or
 * -EFAULT there is a hole in the range; what is before it has been moved,
 * -EINVAL the range is empty or beyond the address space, or @location is neither
 *	of the two
 */
VSVM_EXPORT int vsvm_prefetch(struct vsvm_device *dev, const void *addr, size_t length,
			      enum drm_vsvm_location location, uint64_t *moved);

/**
 * vsvm_prefetch_start - have memory moved in the background
 * @dev: the device
 * @addr: start of the range
 * @length: length of the range, not 0
 * @location: DRM_VSVM_LOCATION_VRAM or DRM_VSVM_LOCATION_SYSTEM
 * @fence: number for vsvm_prefetch_wait(), or NULL; numbers of one device grow
 *
 * As vsvm_prefetch(), but does not wait for it, unless very many are under way. Those of
 * one device are carried out in order, and do not wait for launches. How much could be
 * moved, and whether there was a hole in the range, is not told.
 *
 * Return: 0, or -EINVAL if the range is empty or beyond the address space, or @location
 * is neither of the two
 */
VSVM_EXPORT int vsvm_prefetch_start(struct vsvm_device *dev, const void *addr, size_t length,
				    enum drm_vsvm_location location, uint64_t *fence);

/**
 * vsvm_prefetch_wait - wait until a prefetch has ended
 * @dev: the device
 * @fence: from vsvm_prefetch_start()
 * @timeout: nanoseconds from now, 0 to ask only, or VSVM_WAIT_FOREVER. Signals
 *	that are handled do not end the wait
 *
 * Return: 0, or
 * -ETIME it runs still,
 * -EINVAL no such prefetch
 */
VSVM_EXPORT int vsvm_prefetch_wait(struct vsvm_device *dev, uint64_t fence, int64_t timeout);

/**
 * vsvm_advise - say what the GPU should do with memory
 * @dev: the device
 * @addr: start of the range
 * @length: length of the range, not 0
 * @attribute: what is said, see &enum drm_vsvm_attribute
 * @value: its value, see there
 *
 * The range is widened to whole pages. Nothing moves at once: it holds from the next
 * access of the GPU on, until it is said otherwise or the memory is unmapped. It is
 * for this device only, and for as long as it is open.
 *
 * Return: 0, or
 * -EFAULT there is a hole in the range; nothing was changed,
 * -EINVAL the range is empty or beyond the address space, or the attribute cannot have
 *	that value
 */
VSVM_EXPORT int vsvm_advise(struct vsvm_device *dev, const void *addr, size_t length,
			    enum drm_vsvm_attribute attribute, uint32_t value);

/**
 * vsvm_attributes - ask what has been said by vsvm_advise()
 * @dev: the device
 * @addr: start of the range
 * @length: length of the range, not 0
 * @runs: array to fill, ordered by address; NULL if @num_runs is 0
 * @num_runs: in: entries in @runs, out: runs in the range, which may be more
 *	than were written
 *
 * The range is widened to whole pages.
 *
 * Return: 0, or -EINVAL if the range is empty or beyond the address space
 */
VSVM_EXPORT int vsvm_attributes(struct vsvm_device *dev, const void *addr, size_t length,
				struct drm_vsvm_attributes_run *runs, uint32_t *num_runs);

/**
 * vsvm_residency - ask where the pages of a range are
 * @dev: the device
 * @addr: start of the range
 * @length: length of the range, not 0
 * @runs: array to fill, ordered by address; NULL if @num_runs is 0
 * @num_runs: in: entries in @runs, out: runs in the range, which may be more
 *	than were written
 *
 * The range is widened to whole pages. Nothing is moved. Other threads and the
 * GPU may move memory at any time: the result is a snapshot, and a second call
 * may find more runs. There are never more than pages in the range.
 *
 * Return: 0, or -EINVAL if the range is empty or beyond the address space
 */
VSVM_EXPORT int vsvm_residency(struct vsvm_device *dev, const void *addr, size_t length,
			       struct drm_vsvm_residency_run *runs, uint32_t *num_runs);

/**
 * vsvm_module_load - load GPU code from memory
 * @image: an ELF shared object for RV64IMAFD
 * @size: bytes at @image
 * @out: the module, to be ended with vsvm_module_unload()
 *
 * @image is copied. A module is not bound to a device: all GPUs of the process
 * can run it. It must exist until all that runs its kernels has ended.
 *
 * Return: 0, or
 * -ENOEXEC the file is not what a vsvm GPU can run,
 * -ENOMEM
 */
VSVM_EXPORT int vsvm_module_load(const void *image, size_t size, struct vsvm_module **out);

/**
 * vsvm_module_load_file - load GPU code from a file
 * @path: the file
 * @out: the module, to be ended with vsvm_module_unload()
 *
 * Return: as vsvm_module_load(), or what open() and read() say
 */
VSVM_EXPORT int vsvm_module_load_file(const char *path, struct vsvm_module **out);

/**
 * vsvm_module_unload - remove GPU code and its kernels
 * @module: the module or NULL
 */
VSVM_EXPORT void vsvm_module_unload(struct vsvm_module *module);

/**
 * vsvm_module_kernel - find a kernel by the name of its function
 * @module: the module
 * @name: name of an exported function, see VSVM_KERNEL in vsvm_gpu.h
 * @out: the kernel, which belongs to the module
 *
 * Return: 0 or -ENOENT
 */
VSVM_EXPORT int vsvm_module_kernel(const struct vsvm_module *module, const char *name,
				   const struct vsvm_kernel **out);

/**
 * vsvm_queue_create - create an in-order compute queue
 * @dev: the device, which the queue keeps open
 * @out: the queue, to be ended with vsvm_queue_destroy()
 *
 * Return: 0, or as said above
 */
VSVM_EXPORT int vsvm_queue_create(struct vsvm_device *dev, struct vsvm_queue **out);

/**
 * vsvm_queue_destroy - end what runs in a queue, then remove it
 * @queue: the queue or NULL
 */
VSVM_EXPORT void vsvm_queue_destroy(struct vsvm_queue *queue);

/** VSVM_STACK_DEFAULT - bytes of stack of a work-item if a launch says 0 */
#define VSVM_STACK_DEFAULT 4096

/**
 * struct vsvm_launch - a grid of work-items
 * @kernel: what to run
 * @arg: first argument of every work-item; the memory that it points to must
 *	exist until the launch has ended
 * @groups: work-groups in x, y, z; 0 in y or z means 1
 * @group_size: work-items in a work-group in x, y, z; 0 means 1. The product
 *	must not exceed &drm_vsvm_info.max_group
 * @stack_size: bytes of stack of a work-item, 0 for VSVM_STACK_DEFAULT. It is
 *	rounded up to a power of two; the memory belongs to the queue
 * @local_size: bytes of local memory of a work-group, at most
 *	&drm_vsvm_info.max_local; kernels find it by vsvm_local_memory()
 * @flags: 0
 */
struct vsvm_launch {
	const struct vsvm_kernel *kernel;
	void *arg;
	uint32_t groups[3];
	uint32_t group_size[3];
	uint32_t stack_size;
	uint32_t local_size;
	uint32_t flags;
};

/**
 * vsvm_queue_launch - start a grid
 * @queue: the queue; the grid starts when all earlier ones of it have ended
 * @launch: what to run
 * @fence: number to wait for, or NULL; numbers of one queue grow
 *
 * Return: 0, or
 * -EINVAL a member of @launch is not allowed,
 * -EIO an earlier launch of this queue ended with an error,
 * -ENOMEM no memory for stacks
 *
 * Waits for room while too many launches of the queue have not ended.
 */
VSVM_EXPORT int vsvm_queue_launch(struct vsvm_queue *queue, const struct vsvm_launch *launch,
				  uint64_t *fence);

/** VSVM_WAIT_FOREVER - a timeout that never passes */
#define VSVM_WAIT_FOREVER (-1)

/**
 * struct vsvm_failure - why a queue stopped
 * @status: one of &enum vsvm_isa_status, see vsvm_status_string()
 * @access: with VSVM_ISA_STATUS_FAULT one of &enum vsvm_isa_access, see
 *	vsvm_access_string()
 * @addr: likewise: the address that could not be accessed
 * @pc: address of the instruction that failed
 */
struct vsvm_failure {
	uint32_t status;
	uint32_t access;
	uint64_t addr;
	uint64_t pc;
};

/**
 * vsvm_queue_wait - wait until a launch has ended
 * @queue: the queue
 * @fence: from vsvm_queue_launch()
 * @timeout: nanoseconds from now, 0 to ask only, or VSVM_WAIT_FOREVER. Signals
 *	that are handled do not end the wait
 * @failure: with -EIO: why, or NULL
 *
 * Return: 0, or
 * -ETIME it runs still,
 * -EIO the launch or an earlier one ended with an error; vsvm_error_message()
 *	has @failure in words,
 * -EINVAL no such launch
 */
VSVM_EXPORT int vsvm_queue_wait(struct vsvm_queue *queue, uint64_t fence, int64_t timeout,
				struct vsvm_failure *failure);

/**
 * vsvm_status_string - a few words about how a launch ended
 * @status: one of &enum vsvm_isa_status
 *
 * Return: a constant string, never NULL
 */
VSVM_EXPORT const char *vsvm_status_string(uint32_t status);

/**
 * vsvm_access_string - name of a kind of access
 * @access: one of &enum vsvm_isa_access
 *
 * Return: a constant string, never NULL
 */
VSVM_EXPORT const char *vsvm_access_string(uint32_t access);

#ifdef __cplusplus
}
#endif

#endif /* VSVM_H */
