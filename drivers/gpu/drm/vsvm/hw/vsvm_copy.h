/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _VSVM_COPY_H_
#define _VSVM_COPY_H_

#include "vsvm_hw_os.h"

void vsvm_copy_words(void *dst, const void *src, size_t size);
void vsvm_zero_words(void *dst, size_t size);

#endif /* _VSVM_COPY_H_ */
