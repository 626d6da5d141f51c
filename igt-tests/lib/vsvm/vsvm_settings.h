/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Settings of the system that a test changes for itself.
 */
#ifndef VSVM_SETTINGS_H
#define VSVM_SETTINGS_H

#include <stdbool.h>

/** VSVM_KHUGEPAGED - folder of the settings of khugepaged */
#define VSVM_KHUGEPAGED "/sys/kernel/mm/transparent_hugepage/khugepaged/"

/** VSVM_KSM - folder of the settings of KSM */
#define VSVM_KSM "/sys/kernel/mm/ksm/"

/** VSVM_BALANCING - whether NUMA balancing runs */
#define VSVM_BALANCING "/proc/sys/kernel/numa_balancing"

/**
 * vsvm_setting - write a number to a file of /proc or /sys
 * @path: the file, in memory that stays
 * @number: the number
 *
 * As it was before when the program ends, in whatever way, or by
 * vsvm_settings_reset(). Returns false if there is no such file to write to.
 */
bool vsvm_setting(const char *path, long long number);

/** vsvm_settings_reset - what has been set before the first vsvm_setting() of each */
void vsvm_settings_reset(void);

/**
 * vsvm_rest_khugepaged - let khugepaged sleep, unless it does for long
 *
 * It would make huge pages of base pages whose number a test expects.
 */
void vsvm_rest_khugepaged(void);

/**
 * vsvm_hurry_khugepaged - let khugepaged run all the time
 *
 * Returns false if there is none.
 */
bool vsvm_hurry_khugepaged(void);

/**
 * vsvm_hurry_ksm - let KSM run all the time
 *
 * Returns false if there is none.
 */
bool vsvm_hurry_ksm(void);

#endif /* VSVM_SETTINGS_H */
