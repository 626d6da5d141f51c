/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The job: count the bytes of a file on the GPU.
 */
#ifndef JOB_H
#define JOB_H

#include "run.h"

/*
 * Counts the first @bytes bytes of the open file @fd and fills @run, all but
 * run->leaks. Everything that it takes is given back before it returns.
 */
void job_run(int fd, uint64_t bytes, struct run *run);

/*
 * Moves the same bytes to VRAM and back, without any counting. After that, the
 * first run does not pay for memory that the machine has never used before.
 * Returns 0 or a negative number, and then says why in @error.
 */
int job_rehearse(int fd, uint64_t bytes, char *error, size_t size);

#endif /* JOB_H */
