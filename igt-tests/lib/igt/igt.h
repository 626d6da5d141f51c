/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef IGT_H
#define IGT_H

#include "igt_core.h"

#endif /* IGT_H */
