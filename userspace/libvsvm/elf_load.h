/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_ELF_LOAD_H
#define VSVM_ELF_LOAD_H

#include "internal.h"

/*
 * Checks the ELF file at @image, places its segments in memory of @module,
 * relocates them and lists the kernels. On failure @module may be half done:
 * vsvm_module_unload() cleans up either way.
 */
VSVM_INTERNAL int vsvm_elf_load(struct vsvm_module *module, const void *image, size_t size);

#endif /* VSVM_ELF_LOAD_H */
