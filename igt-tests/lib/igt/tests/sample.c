// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Every way a subtest can end, for igt_api_test.py.
 */
#include <pthread.h>
#include <signal.h>

#include "igt.h"

#define LOG_NOISE 300

IGT_TEST_DESCRIPTION("Sample of the stand-alone IGT API");

static int fixture_value;

static void exit_handler(int sig)
{
	const char *text = sig ? "exit handler: signal\n" : "exit handler\n";

	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

static void *failing_thread(void *arg)
{
	igt_assert_eq(*(int *)arg, 1);
	return NULL;
}

static int overflow_stack(volatile char *above)
{
	volatile char here[4096];

	here[0] = *above;
	return here[0] ? 0 : overflow_stack(here) + here[0];
}

static void ways_to_pass(void)
{
	igt_subtest("pass")
		igt_info("value %d\n", fixture_value);

	igt_subtest("pass-checks") {
		igt_assert(fixture_value);
		igt_assert_f(fixture_value, "never shown\n");
		igt_assert_eq(fixture_value, 7);
		igt_assert_eq_u32(0xffffffff, 0xffffffff);
		igt_assert_eq_u64(UINT64_MAX, UINT64_MAX);
		igt_assert_eq_s64(INT64_MIN, INT64_MIN);
		igt_assert_neq(1, 2);
		igt_assert_neq_u32(1, 2);
		igt_assert_neq_u64(1ULL << 32, 0);
		igt_assert_lt(-1, 0);
		igt_assert_lt_s64(INT64_MIN, INT64_MAX);
		igt_assert_lt_u64(0, UINT64_MAX);
		igt_assert_lte(-1, -1);
		igt_assert_lte_u64(1, 1ULL << 32);
		igt_assert_lte_s64(-1, 1LL << 32);
		igt_assert_fd(0);
		igt_fail_on(!fixture_value);
		igt_fail_on_f(!fixture_value, "never shown\n");
		igt_require(fixture_value);
		igt_require_f(fixture_value, "never shown\n");
		igt_require_fd(0);
		igt_skip_on(!fixture_value);
		igt_skip_on_f(!fixture_value, "never shown\n");
		igt_assert(!igt_warn_on(!fixture_value));
		igt_assert(!igt_warn_on_f(!fixture_value, "never shown\n"));
		igt_abort_on_f(!fixture_value, "never shown\n");
	}

	igt_describe("Counts rounds of a loop with an end in time");
	igt_subtest("pass-timeout") {
		static unsigned int rounds;

		igt_until_timeout(1)
			rounds++;
		igt_assert_neq_u32(rounds, 0);
	}

	igt_subtest("pass-fork") {
		igt_fork(child, 3)
			igt_assert_lt(child, 3);
		igt_waitchildren();
	}

	igt_subtest("pass-name")
		igt_info("%s in %s\n", igt_subtest_name(), igt_test_name());

	for (int i = 0; i < 2; i++) {
		igt_describe_f("Number %d", i);
		igt_subtest_f("pass-number-%d", i)
			igt_assert_lt(i, 2);
	}
}

static void ways_to_warn_or_skip(void)
{
	igt_subtest("warn")
		igt_warn("look here\n");

	igt_subtest("warn-condition")
		igt_assert(igt_warn_on_f(fixture_value, "too high\n"));

	igt_subtest("skip")
		igt_skip("no reason\n");

	igt_subtest("skip-require")
		igt_require_f(!fixture_value, "value is %d\n", fixture_value);
}

static void ways_to_fail(void)
{
	igt_subtest("fail")
		igt_fail(IGT_EXIT_FAILURE);

	igt_subtest("fail-status")
		igt_fail(99);

	igt_subtest("fail-eq") {
		igt_debug("kept for the failure\n");
		errno = ENOENT;
		igt_assert_eq(fixture_value, 8);
	}

	igt_subtest("fail-u64")
		igt_assert_eq_u64(1ULL << 32, 0);

	igt_subtest("fail-long-log") {
		for (int i = 0; i < LOG_NOISE; i++)
			igt_debug("noise %d\n", i);
		igt_assert_f(!fixture_value, "value %d\n", fixture_value);
	}

	igt_subtest("fail-child") {
		igt_fork(child, 2) {
			/* the one that fails must not leave this one alone */
			if (!child)
				pause();
			igt_assert_eq(child, 0);
		}
		igt_waitchildren();
	}

	igt_subtest("fail-child-signal") {
		igt_fork(child, 1)
			kill(getpid(), SIGKILL);
		igt_waitchildren();
	}

	igt_subtest("fail-child-skip") {
		igt_fork(child, 1)
			igt_skip("a child must not\n");
		igt_waitchildren();
	}

	igt_subtest("fail-child-left") {
		igt_fork(child, 1)
			pause();
	}

	igt_subtest("fail-thread") {
		pthread_t thread;
		int zero = 0;

		igt_assert(!pthread_create(&thread, NULL, failing_thread, &zero));
		igt_assert(!pthread_join(thread, NULL));
	}
}

static void ways_to_die(void)
{
	igt_subtest("crash")
		*(volatile int *)4096 = 1;

	igt_subtest("crash-stack") {
		volatile char zero = 0;

		igt_assert(overflow_stack(&zero));
	}

	igt_subtest("crash-abort")
		abort();

	igt_subtest("die-term") {
		igt_fork(child, 1)
			pause();
		kill(getpid(), SIGTERM);
	}

	igt_subtest("die-exit")
		_exit(0);

	igt_subtest("abort-run")
		igt_abort_on_f(fixture_value, "no use to go on\n");
}

static void dynamic_ones(void)
{
	igt_subtest_with_dynamic("dynamic") {
		igt_dynamic("first")
			igt_assert(fixture_value);
		for (int i = 0; i < 2; i++)
			igt_dynamic_f("number-%d", i)
				igt_skip_on(i);
	}

	igt_subtest_with_dynamic("dynamic-fail") {
		igt_dynamic("good")
			igt_assert(fixture_value);
		igt_dynamic("bad")
			igt_assert(!fixture_value);
		igt_dynamic("also-good")
			igt_assert(fixture_value);
	}

	igt_subtest_with_dynamic("dynamic-crash")
		igt_dynamic("part")
			raise(SIGSEGV);

	igt_subtest_with_dynamic("dynamic-none")
		igt_info("nothing in here\n");

	igt_subtest_with_dynamic("dynamic-all-skip")
		igt_dynamic("part")
			igt_skip(NULL);
}

static void groups(void)
{
	igt_describe("A group");
	igt_subtest_group() {
		igt_fixture()
			igt_skip("nothing of this group\n");

		igt_describe("A member");
		igt_subtest("group-skipped")
			igt_fail(IGT_EXIT_FAILURE);
	}

	igt_subtest_group() {
		igt_fixture()
			igt_assert_eq(fixture_value, 7);

		igt_subtest_group() {
			igt_subtest("group-runs")
				igt_assert_eq(fixture_value, 7);
		}
	}
}

int igt_main()
{
	igt_fixture() {
		igt_install_exit_handler(exit_handler);
		igt_install_exit_handler(exit_handler);
		fixture_value = 7;
	}

	ways_to_pass();
	ways_to_warn_or_skip();
	ways_to_fail();
	dynamic_ones();
	groups();
	ways_to_die();

	igt_fixture()
		igt_info("last fixture\n");
}
