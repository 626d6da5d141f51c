/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The driver's switch for huge folios.
 */
#ifndef HUGE_SWITCH_H
#define HUGE_SWITCH_H

#include <stdbool.h>

/* Both return 0 or -errno. */
int huge_switch_get(bool *on);
int huge_switch_set(bool on);

#endif /* HUGE_SWITCH_H */
