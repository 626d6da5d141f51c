/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Files that stand beside the program.
 */
#ifndef EXAMPLES_BESIDE_H
#define EXAMPLES_BESIDE_H

#include <stddef.h>

/*
 * Writes the path of the file @name in the directory of the program to @path, of
 * @size bytes. Returns 0 or a negative errno.
 */
int path_beside_program(const char *name, char *path, size_t size);

#endif /* EXAMPLES_BESIDE_H */
