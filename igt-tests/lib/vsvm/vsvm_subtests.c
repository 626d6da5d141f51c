// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <stdlib.h>
#include <unistd.h>

#include "vsvm_subtests.h"

unsigned int vsvm_order(unsigned int flags)
{
	return flags & VSVM_TEST_BASE ? 0 : 9;
}

uint64_t vsvm_folios(unsigned int flags, size_t size)
{
	return size / VSVM_4K >> vsvm_order(flags);
}

void vsvm_expect_to_vram(struct vsvm_test *t, size_t size, unsigned int flags)
{
	vsvm_expect(t, .order = vsvm_order(flags), .n_allocated = vsvm_folios(flags, size),
		    .n_to_vram = vsvm_folios(flags, size), .gpu_2m = size / VSVM_2M,
		    .dispatches = 1);
}

void vsvm_expect_home(struct vsvm_test *t, size_t size, unsigned int flags)
{
	uint64_t count = vsvm_folios(flags, size);

	vsvm_expect(t, .order = vsvm_order(flags), .n_freed = count, .n_to_ram = count,
		    .cpu_faults = count);
}

struct vsvm_buffer *vsvm_buffer_in_vram(struct vsvm_test *t, size_t size, unsigned int flags)
{
	struct vsvm_buffer *buffer = vsvm_buffer_create_filled(size, VSVM_THP, 1);

	vsvm_gpu_add(t, buffer, 0, size, 3);
	vsvm_expect_to_vram(t, size, flags);
	return buffer;
}

unsigned int vsvm_stress_seconds(unsigned int otherwise)
{
	const char *seconds = getenv("VSVM_STRESS_SECONDS");

	return seconds ? strtoul(seconds, NULL, 10) : otherwise;
}

static void run_subtest(const struct vsvm_subtest *subtest, unsigned int flags)
{
	unsigned int seconds = subtest->ways & VSVM_AGAIN ? vsvm_stress_seconds(0) : 0;
	static struct vsvm_test test;
	struct timespec began = {};
	unsigned int times = 0;

	igt_nsec_elapsed(&began);
	do {
		vsvm_test_begin(&test, flags);
		subtest->run(&test, flags);
		vsvm_test_end(&test);
		times++;
	} while (igt_seconds_elapsed(&began) < seconds);
	if (seconds)
		igt_info("%u times\n", times);
}

void vsvm_run_subtests(const struct vsvm_subtest *subtests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (unsigned int way = VSVM_HUGE; way <= VSVM_BASE; way <<= 1) {
			unsigned int flags = way == VSVM_BASE ? VSVM_TEST_BASE : 0;

			if (!(subtests[i].ways & way))
				continue;
			igt_describe_f("%s%s", subtests[i].description,
				       flags ? ", with base pages in VRAM" : "");
			igt_subtest_f("%s%s", subtests[i].name, flags ? "-base" : "")
				run_subtest(&subtests[i], flags);
		}
	}
}

void vsvm_gate_init(struct vsvm_gate *gate)
{
	igt_assert_eq(pipe(gate->fds), 0);
}

void vsvm_gate_open(struct vsvm_gate *gate)
{
	igt_assert_eq(write(gate->fds[1], "o", 1), 1);
}

void vsvm_gate_wait(struct vsvm_gate *gate)
{
	char byte;

	igt_assert_eq(read(gate->fds[0], &byte, 1), 1);
}

void vsvm_gate_fini(struct vsvm_gate *gate)
{
	close(gate->fds[0]);
	close(gate->fds[1]);
}
