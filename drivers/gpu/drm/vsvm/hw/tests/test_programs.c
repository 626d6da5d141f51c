// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

/* The programs of programs.c on the GPU and on the host; usage: test-programs IMAGE */

#include <assert.h>

#include "machine.h"
#include "programs.h"
#include "test.h"

#define ARGS   0x20000ULL
#define OUT    0x40000000ULL
#define STACKS 0x7000000000ULL
#define GROUPS 6
#define HARTS  16

static u64 table[PROGRAM_COUNT];

static void load_image(struct machine *m, const char *name)
{
	FILE *file = fopen(name, "rb");
	u32 words[65536];
	size_t count;

	assert(file);
	count = fread(words, 1, sizeof(words), file);
	fclose(file);
	assert(count > sizeof(table) && count < sizeof(words));
	load_code(m, PROGRAM_BASE, words, (count + 3) / 4);
	memcpy(table, words, sizeof(table));
}

int main(int argc, char **argv)
{
	static const char *const names[PROGRAM_COUNT] = {"sort", "hash",  "modular",
							 "lock", "float", "calls"};
	u64 *want = calloc(GROUPS * HARTS, PROGRAM_WORDS * 8);
	struct machine *m = machine_with_gpu(3, HARTS, 32);
	struct program_args *args = map_new(m, ARGS, 1);
	u64 *got = map_new_huge(m, OUT);
	struct program_args on_host;
	int ring;
	u64 i, id;

	if (argc != 2)
		return 2;
	assert(want);
	load_image(m, argv[1]);
	m->serve = serve_map;
	ring = vsvm_hw_ring_create(m->hw, m->vmid, 4);
	assert(ring >= 0);

	for (i = 0; i < PROGRAM_COUNT; i++) {
		struct vsvm_hw_dispatch d = grid(table[i], ARGS, GROUPS, HARTS);
		struct vsvm_hw_done done;

		d.stack_base = STACKS;
		d.stack_size = 8192;
		memset(args, 0, sizeof(*args));
		memset(got, 0, GROUPS * HARTS * PROGRAM_WORDS * 8);
		memset(want, 0, GROUPS * HARTS * PROGRAM_WORDS * 8);
		args->out = (uint64_t *)OUT;
		on_host = (struct program_args){.out = want};
		for (id = 0; id < GROUPS * HARTS; id++)
			programs[i](&on_host, id);
		assert(!vsvm_hw_ring_submit(m->hw, ring, &d));
		done = machine_wait(m, ring);
		EQUAL(done.status, VSVM_ISA_STATUS_OK, "%s ends well", names[i]);
		CHECK(!memcmp(got, want, GROUPS * HARTS * PROGRAM_WORDS * 8) &&
			      !memcmp(args->shared, on_host.shared, sizeof(args->shared)),
		      "%s has the same results as on the host", names[i]);
		CHECK(want[0] || want[1], "which are not empty");
	}
	vsvm_hw_ring_destroy(m->hw, ring);
	machine_free(m);
	free(want);
	return test_finish();
}
