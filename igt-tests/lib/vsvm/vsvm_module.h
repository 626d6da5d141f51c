/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_MODULE_H
#define VSVM_MODULE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * vsvm_module_set_huge - switch huge folios in VRAM on or off
 * @on: false for base pages only
 *
 * They are on again when the program ends, in whatever way.
 */
void vsvm_module_set_huge(bool on);

/**
 * vsvm_module_set_evict - switch eviction from VRAM on or off
 * @on: false to leave memory that has no room in VRAM where it is
 *
 * It is on again when the program ends, in whatever way.
 */
void vsvm_module_set_evict(bool on);

/**
 * vsvm_module_set_fill_order - order of the folios for new memory of less than 2 MiB
 * @order: 2 to 8, or 0 for single pages
 *
 * It is 0 again when the program ends, in whatever way.
 */
void vsvm_module_set_fill_order(unsigned int order);

/**
 * struct vsvm_module_params - what a module was loaded with
 * @text: "name=value" words
 */
struct vsvm_module_params {
	char text[1024];
};

/**
 * vsvm_module_get_params - read the parameters of the loaded module
 * @params: result
 */
void vsvm_module_get_params(struct vsvm_module_params *params);

/**
 * vsvm_module_unload - remove the module
 *
 * Returns 0 or a negative errno, -EWOULDBLOCK while it is in use.
 */
int vsvm_module_unload(void);

/**
 * vsvm_module_try_load - load the module
 * @params: its parameters
 *
 * Returns false if that does not work.
 */
bool vsvm_module_try_load(const struct vsvm_module_params *params);

/**
 * vsvm_module_load - load the module; the test fails if that does not work
 * @params: its parameters
 */
void vsvm_module_load(const struct vsvm_module_params *params);

/**
 * vsvm_module_reload - load the module with more parameters; no file may be open
 * @params: what it was loaded with, from vsvm_module_get_params()
 * @more: "name=value" words that take precedence, or ""
 */
void vsvm_module_reload(const struct vsvm_module_params *params, const char *more);

/** vsvm_module_loaded - true while the module is there */
bool vsvm_module_loaded(void);

/**
 * vsvm_device_unbind - take a device from its driver, as if it was pulled out
 * @index: number of the device
 *
 * Returns when the driver has let go of it. It is there again when the program ends,
 * in whatever way.
 */
void vsvm_device_unbind(unsigned int index);

/**
 * vsvm_device_bind - give a device to its driver again, if it has none
 * @index: number of the device
 *
 * Returns false if the driver does not take it.
 */
bool vsvm_device_bind(unsigned int index);

#endif /* VSVM_MODULE_H */
