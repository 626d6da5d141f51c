// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/*
 * Runs the inputs of a corpus; usage: fuzz-replay CORPUS
 *
 * A corpus is a line of text, then inputs, each after its length in two bytes.
 */

#include "test.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	unsigned int count = 0;
	uint8_t length[2];
	int c;

	if (!file)
		return 2;
	while ((c = getc(file)) != '\n' && c != EOF)
		;
	while (fread(length, 1, 2, file) == 2) {
		size_t size = length[0] | length[1] << 8;
		uint8_t *data = malloc(size ? size : 1);

		if (!data || fread(data, 1, size, file) != size)
			return 2;
		LLVMFuzzerTestOneInput(data, size);
		free(data);
		count++;
	}
	fclose(file);
	CHECK(count > 0, "%u inputs do no harm", count);
	return test_finish();
}
