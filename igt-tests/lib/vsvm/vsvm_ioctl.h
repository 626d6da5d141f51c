/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_IOCTL_H
#define VSVM_IOCTL_H

#include "igt.h"
#include "vsvm_drm.h"
#include "vsvm_isa.h"

/** VSVM_MAX_DEVICES - most devices that the driver has */
#define VSVM_MAX_DEVICES 8

/**
 * vsvm_open - open the render node of a vsvm device
 * @index: number of the device, from 0
 *
 * Returns the file, or a negative errno: -ENODEV if there is no such device.
 */
int vsvm_open(unsigned int index);

/**
 * vsvm_ioctl - an ioctl that is not repeated on EAGAIN
 * @fd: the device
 * @request: number
 * @arg: its structure
 *
 * Returns 0 or a negative errno.
 */
int vsvm_ioctl(int fd, unsigned long request, void *arg);

/**
 * vsvm_query_info - constant facts of the device; the test fails on an error
 * @fd: the device
 * @info: result
 */
void vsvm_query_info(int fd, struct drm_vsvm_info *info);

/**
 * vsvm_query_counters - counters of the device; the test fails on an error
 * @fd: the device
 * @counters: result
 */
void vsvm_query_counters(int fd, struct drm_vsvm_counters *counters);

/**
 * vsvm_try_prefetch - move a range
 * @fd: the device
 * @addr: start
 * @length: length
 * @location: DRM_VSVM_LOCATION_SYSTEM or DRM_VSVM_LOCATION_VRAM
 * @moved: bytes that changed place, may be NULL
 *
 * Returns 0 or a negative errno.
 */
int vsvm_try_prefetch(int fd, const void *addr, uint64_t length, uint32_t location,
		      uint64_t *moved);

/**
 * vsvm_try_advise - set an attribute of a range
 * @fd: the device
 * @addr: start
 * @length: length
 * @attribute: DRM_VSVM_ATTRIBUTE_*
 * @value: its value
 *
 * Returns 0 or a negative errno.
 */
int vsvm_try_advise(int fd, const void *addr, uint64_t length, uint32_t attribute, uint32_t value);

/**
 * vsvm_try_residency - ask where a range is
 * @fd: the device
 * @addr: start
 * @length: length
 * @runs: array for the result
 * @num_runs: in: its length, out: number of runs in the range
 *
 * Returns 0 or a negative errno.
 */
int vsvm_try_residency(int fd, const void *addr, uint64_t length,
		       struct drm_vsvm_residency_run *runs, uint32_t *num_runs);

#endif /* VSVM_IOCTL_H */
