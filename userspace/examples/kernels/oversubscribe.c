// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Changes all records of an array that is larger than the VRAM.
 */
#include "vsvm_gpu.h"

#include "oversubscribe.h"

VSVM_KERNEL oversubscribe(const struct oversubscribe_args *args, unsigned long x)
{
	struct oversubscribe_record *record = args->records + x * OVERSUBSCRIBE_CHUNK;
	struct oversubscribe_record *end = record + OVERSUBSCRIBE_CHUNK;
	unsigned long salt = args->salt;

	for (; record != end; record++)
		record->value = oversubscribe_step(record->value, salt);
}
