/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef IGT_CORE_H
#define IGT_CORE_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/**
 * DOC: The stand-alone IGT API
 *
 * A small implementation of the part of IGT's public test API that the vsvm
 * tests use, so that they build and run without an IGT source tree. A program
 * built on it is an ordinary IGT test for igt_runner: same options, same lines
 * on stdout and stderr, same exit status.
 *
 * A test program is a list of fixtures and subtests::
 *
 *	int igt_main()
 *	{
 *		igt_fixture() {
 *			fd = open_device();
 *		}
 *
 *		igt_describe("Checks what it is named after");
 *		igt_subtest("basic") {
 *			igt_assert_eq(ask(fd), 42);
 *		}
 *	}
 *
 * The body of a subtest is left by siglongjmp() when it ends early. Variables
 * that are set in a fixture and used in a later subtest therefore must not be
 * automatic ones.
 *
 * IGT up to 2.2 spells igt_main, igt_simple_main, igt_fixture and
 * igt_subtest_group without parentheses and "int". Define IGT_OLD_SPELLING
 * before the first include to get that one.
 */

/** IGT_EXIT_SUCCESS - exit status of a program whose tests passed */
#define IGT_EXIT_SUCCESS 0
/** IGT_EXIT_SKIP - exit status of a program all of whose tests were skipped */
#define IGT_EXIT_SKIP	 77
/** IGT_EXIT_INVALID - exit status after bad options or an unknown subtest */
#define IGT_EXIT_INVALID 79
/** IGT_EXIT_FAILURE - exit status of a program with a failed test */
#define IGT_EXIT_FAILURE 98
/** IGT_EXIT_ABORT - exit status that makes igt_runner stop the whole run */
#define IGT_EXIT_ABORT	 112

#ifndef IGT_LOG_DOMAIN
/** IGT_LOG_DOMAIN - may be set to a name for the messages of one source file */
#define IGT_LOG_DOMAIN ((const char *)NULL)
#endif

#define igt_paste_(a, b)      a##b
#define igt_paste(a, b)	      igt_paste_(a, b)
#define igt_printf(fmt, args) __attribute__((format(printf, fmt, args)))

struct option;

/** IGT_OPT_HANDLER_SUCCESS - an igt_opt_handler_t has understood the option */
#define IGT_OPT_HANDLER_SUCCESS 0
/** IGT_OPT_HANDLER_ERROR - an igt_opt_handler_t finds the option wrong */
#define IGT_OPT_HANDLER_ERROR	-2

/**
 * typedef igt_opt_handler_t - see igt_main_args()
 * @opt: what getopt_long() returned; its optarg is set
 * @index: index in the long options, when it is one of them
 * @data: as given to igt_main_args()
 *
 * Returns IGT_OPT_HANDLER_SUCCESS or IGT_OPT_HANDLER_ERROR.
 */
typedef int (*igt_opt_handler_t)(int opt, int index, void *data);

/* What the macros below expand to; not for direct use in a test. */
extern sigjmp_buf igt_jmp_block;
extern sigjmp_buf igt_jmp_dynamic;

struct igt_extra_options {
	const char *short_options;
	const struct option *long_options;
	const char *help;
	igt_opt_handler_t handler;
	void *data;
};
void igt_init(int argc, char **argv, bool has_subtests, const struct igt_extra_options *extra);
__attribute__((noreturn)) void igt_exit(void);
bool igt_fixture_enter(void);
void igt_fixture_leave(void);
void igt_group_enter(void);
void igt_group_leave(void);
bool igt_subtest_enter(bool dynamic, const char *file, int line, const char *fmt, ...)
	igt_printf(4, 5);
void igt_container_leave(void);
bool igt_dynamic_enter(const char *fmt, ...) igt_printf(1, 2);
__attribute__((noreturn)) void igt_success(void);
void igt_set_test_description(const char *text);
__attribute__((noreturn)) void igt_child_leave(void);
bool igt_child_enter(void);
__attribute__((noreturn)) void igt_assert_failed(const char *file, int line, const char *func,
						 const char *assertion, const char *fmt, ...)
	igt_printf(5, 6);
__attribute__((noreturn)) void igt_skip_check_failed(const char *file, int line, const char *func,
						     const char *check, const char *fmt, ...)
	igt_printf(5, 6);
__attribute__((noreturn)) void igt_abort_check_failed(const char *file, int line, const char *func,
						      const char *check, const char *fmt, ...)
	igt_printf(5, 6);

/*
 * The main function. With "int" before and the body behind it, the text makes
 * a complete main() and the head of the function that holds the body.
 */
#define igt_main_text(has_subtests, ...)                                  \
	main(int argc, char **argv)                                       \
	{                                                                 \
		extern void igt_body(void);                               \
		igt_init(argc, argv, has_subtests,                        \
			 &(const struct igt_extra_options){__VA_ARGS__}); \
		igt_body();                                               \
		igt_exit();                                               \
	}                                                                 \
	extern void igt_body(void);                                       \
	void igt_body(void)

#define igt_fixture_text \
	for (; igt_fixture_enter() && !sigsetjmp(igt_jmp_block, 1); igt_fixture_leave())

#define igt_group_text                                                     \
	for (int igt_paste(igt_group_, __LINE__) = (igt_group_enter(), 1); \
	     igt_paste(igt_group_, __LINE__);                              \
	     igt_group_leave(), igt_paste(igt_group_, __LINE__) = 0)

#ifdef IGT_OLD_SPELLING
#define igt_main	   int igt_main_text(true, NULL)
#define igt_main_args(...) int igt_main_text(true, __VA_ARGS__)
#define igt_simple_main	   int igt_main_text(false, NULL)
#define igt_fixture	   igt_fixture_text
#define igt_subtest_group  igt_group_text
#else
/** igt_main - head of the main function of a program with subtests */
#define igt_main()	    igt_main_text(true, NULL)
/**
 * igt_main_args - igt_main() of a program with options of its own
 * @...: short options as for getopt_long(), long options likewise or NULL, text for
 *	--help or NULL, igt_opt_handler_t for them, data for that. Values from 500
 *	on are free for long options without a letter
 */
#define igt_main_args(...)  igt_main_text(true, __VA_ARGS__)
/** igt_simple_main - head of the main function of a program that is one test */
#define igt_simple_main()   igt_main_text(false, NULL)
/**
 * igt_fixture - a block of code that sets up or clears up for subtests
 *
 * It is not executed when subtests are only listed. When it skips or fails,
 * all later subtests (of its group) do the same.
 */
#define igt_fixture()	    igt_fixture_text
/** igt_subtest_group - a block that limits the effect of a skipping fixture */
#define igt_subtest_group() igt_group_text
#endif

/**
 * igt_subtest_f - a subtest with a formatted name
 * @...: printf format and arguments; letters, digits, "-" and "_" in the result
 */
#define igt_subtest_f(...)                                                  \
	for (; igt_subtest_enter(false, __FILE__, __LINE__, __VA_ARGS__) && \
	       !sigsetjmp(igt_jmp_block, 1);                                \
	     igt_success())

/**
 * igt_subtest - a block of code that passes, fails or is skipped
 * @name: its name
 */
#define igt_subtest(name) igt_subtest_f("%s", name)

/**
 * igt_subtest_with_dynamic_f - as igt_subtest_with_dynamic(), formatted name
 * @...: printf format and arguments
 */
#define igt_subtest_with_dynamic_f(...)                                    \
	for (; igt_subtest_enter(true, __FILE__, __LINE__, __VA_ARGS__) && \
	       !sigsetjmp(igt_jmp_block, 1);                               \
	     igt_container_leave())

/**
 * igt_subtest_with_dynamic - a subtest whose parts are found out at run time
 * @name: its name
 *
 * It fails when one of its dynamic subtests does, and is skipped if it has none
 * or all of them were skipped.
 */
#define igt_subtest_with_dynamic(name) igt_subtest_with_dynamic_f("%s", name)

/**
 * igt_dynamic_f - one part of an igt_subtest_with_dynamic(), formatted name
 * @...: printf format and arguments
 */
#define igt_dynamic_f(...) \
	for (; igt_dynamic_enter(__VA_ARGS__) && !sigsetjmp(igt_jmp_dynamic, 1); igt_success())

/**
 * igt_dynamic - one part of an igt_subtest_with_dynamic()
 * @name: its name
 */
#define igt_dynamic(name) igt_dynamic_f("%s", name)

/**
 * IGT_TEST_DESCRIPTION - say what the whole program tests
 * @text: a string literal
 */
#define IGT_TEST_DESCRIPTION(text)                                                           \
	__attribute__((constructor)) static void igt_paste(igt_description_, __LINE__)(void) \
	{                                                                                    \
		igt_set_test_description(text);                                              \
	}                                                                                    \
	struct igt_needs_semicolon

/**
 * igt_describe_f - describe the subtest or group that follows, formatted
 * @fmt: printf format
 */
void igt_describe_f(const char *fmt, ...) igt_printf(1, 2);

/**
 * igt_describe - describe the subtest or group that follows
 * @text: the description
 */
#define igt_describe(text) igt_describe_f("%s", text)

/**
 * igt_fail - end the test as failed
 * @exitcode: exit status of the program, normally IGT_EXIT_FAILURE
 *
 * In a process made by igt_fork() it ends that process, in a thread that
 * thread; the test then fails in the parent.
 */
__attribute__((noreturn)) void igt_fail(int exitcode);

/**
 * igt_skip - end the test as skipped
 * @fmt: printf format of the reason
 *
 * Only for a fixture, a subtest or a simple main, and for the process and
 * thread that runs it.
 */
__attribute__((noreturn)) void igt_skip(const char *fmt, ...) igt_printf(1, 2);

/** igt_test_name - name of the program without folder */
const char *igt_test_name(void);
/** igt_subtest_name - name of the running subtest, NULL outside */
const char *igt_subtest_name(void);
/** igt_only_list_subtests - true while subtests are listed, not run */
bool igt_only_list_subtests(void);

/**
 * typedef igt_exit_handler_t - see igt_install_exit_handler()
 * @sig: signal that ends the program, 0 on a normal exit
 */
typedef void (*igt_exit_handler_t)(int sig);

/**
 * igt_install_exit_handler - have a function called when the program ends
 * @fn: the function; with a signal it may call async-signal-safe functions only
 *
 * The last one installed is called first, each one once. Processes made by
 * igt_fork() do not call them.
 */
void igt_install_exit_handler(igt_exit_handler_t fn);

/**
 * igt_fork - run a block in several new processes
 * @child: name of a variable for the block: the number of the process from 0
 * @count: how many processes
 *
 * The parent goes on behind the block at once and must call
 * igt_waitchildren() before the end of the test.
 */
#define igt_fork(child, count)                        \
	for (int child = 0; child < (count); child++) \
		for (; igt_child_enter(); igt_child_leave())

/** igt_waitchildren - wait for igt_fork(); the test fails if one of them did */
void igt_waitchildren(void);

/**
 * igt_nsec_elapsed - time since a first call
 * @start: zeroed before the first call, which returns 0 and stores the time
 */
uint64_t igt_nsec_elapsed(struct timespec *start);

/**
 * igt_seconds_elapsed - igt_nsec_elapsed() in whole seconds
 * @start: likewise
 */
#define igt_seconds_elapsed(start) ((uint32_t)(igt_nsec_elapsed(start) / 1000000000))

/**
 * igt_until_timeout - repeat a block until some seconds have passed
 * @seconds: how long
 */
#define igt_until_timeout(seconds)                                 \
	for (struct timespec igt_paste(igt_start_, __LINE__) = {}; \
	     igt_seconds_elapsed(&igt_paste(igt_start_, __LINE__)) < (seconds);)

/**
 * enum igt_log_level - importance of a message
 * @IGT_LOG_DEBUG: kept, and shown when the test fails or with --debug
 * @IGT_LOG_INFO: to stdout
 * @IGT_LOG_WARN: to stderr; igt_runner reports "warn" instead of "pass"
 * @IGT_LOG_CRITICAL: to stderr, why a test fails
 * @IGT_LOG_NONE: above all messages
 */
enum igt_log_level {
	IGT_LOG_DEBUG,
	IGT_LOG_INFO,
	IGT_LOG_WARN,
	IGT_LOG_CRITICAL,
	IGT_LOG_NONE,
};

/**
 * igt_log - write a message; see igt_info() and its sisters
 * @domain: part of the program, or NULL
 * @level: importance
 * @fmt: printf format, with the newline
 */
void igt_log(const char *domain, enum igt_log_level level, const char *fmt, ...) igt_printf(3, 4);

#define igt_debug(...)	  igt_log(IGT_LOG_DOMAIN, IGT_LOG_DEBUG, __VA_ARGS__)
#define igt_info(...)	  igt_log(IGT_LOG_DOMAIN, IGT_LOG_INFO, __VA_ARGS__)
#define igt_warn(...)	  igt_log(IGT_LOG_DOMAIN, IGT_LOG_WARN, __VA_ARGS__)
#define igt_critical(...) igt_log(IGT_LOG_DOMAIN, IGT_LOG_CRITICAL, __VA_ARGS__)

#define igt_warn_on_f(cond, ...)                                            \
	({                                                                  \
		bool igt_cond = !!(cond);                                   \
		if (igt_cond) {                                             \
			igt_warn("Warning on condition %s in function %s, " \
				 "file %s:%i\n",                            \
				 #cond, __func__, __FILE__, __LINE__);      \
			igt_warn(__VA_ARGS__);                              \
		}                                                           \
		igt_cond;                                                   \
	})
#define igt_warn_on(cond)                                                   \
	({                                                                  \
		bool igt_cond = !!(cond);                                   \
		if (igt_cond)                                               \
			igt_warn("Warning on condition %s in function %s, " \
				 "file %s:%i\n",                            \
				 #cond, __func__, __FILE__, __LINE__);      \
		igt_cond;                                                   \
	})

/* Assertions: the test fails unless they hold. */
#define igt_assert_text(cond, text, ...)                                                    \
	do {                                                                                \
		if (!(cond))                                                                \
			igt_assert_failed(__FILE__, __LINE__, __func__, text, __VA_ARGS__); \
	} while (0)

#define igt_assert(cond)                                                              \
	do {                                                                          \
		if (!(cond))                                                          \
			igt_assert_failed(__FILE__, __LINE__, __func__, #cond, NULL); \
	} while (0)
#define igt_assert_f(cond, ...)	 igt_assert_text(cond, #cond, __VA_ARGS__)
#define igt_fail_on(cond)	 igt_assert(!(cond))
#define igt_fail_on_f(cond, ...) igt_assert_text(!(cond), "!(" #cond ")", __VA_ARGS__)

#define igt_assert_cmp(type, prifmt, a, op, notop, b)                                         \
	do {                                                                                  \
		const type igt_a = (a), igt_b = (b);                                          \
		igt_assert_text(igt_a op igt_b, #a " " #op " " #b,                            \
				"error: %" prifmt " " #notop " %" prifmt "\n", igt_a, igt_b); \
	} while (0)

#define igt_assert_cmpint(a, op, notop, b)  igt_assert_cmp(int, "d", a, op, notop, b)
#define igt_assert_cmpuint(a, op, notop, b) igt_assert_cmp(uint32_t, PRIu32, a, op, notop, b)
#define igt_assert_cmps64(a, op, notop, b)  igt_assert_cmp(int64_t, PRIi64, a, op, notop, b)
#define igt_assert_cmpu64(a, op, notop, b)  igt_assert_cmp(uint64_t, PRIu64, a, op, notop, b)

#define igt_assert_eq(a, b)	 igt_assert_cmpint(a, ==, !=, b)
#define igt_assert_eq_u32(a, b)	 igt_assert_cmpuint(a, ==, !=, b)
#define igt_assert_eq_s64(a, b)	 igt_assert_cmps64(a, ==, !=, b)
#define igt_assert_eq_u64(a, b)	 igt_assert_cmpu64(a, ==, !=, b)
#define igt_assert_neq(a, b)	 igt_assert_cmpint(a, !=, ==, b)
#define igt_assert_neq_u32(a, b) igt_assert_cmpuint(a, !=, ==, b)
#define igt_assert_neq_u64(a, b) igt_assert_cmpu64(a, !=, ==, b)
#define igt_assert_lt(a, b)	 igt_assert_cmpint(a, <, >=, b)
#define igt_assert_lt_s64(a, b)	 igt_assert_cmps64(a, <, >=, b)
#define igt_assert_lt_u64(a, b)	 igt_assert_cmpu64(a, <, >=, b)
#define igt_assert_lte(a, b)	 igt_assert_cmpint(a, <=, >, b)
#define igt_assert_lte_s64(a, b) igt_assert_cmps64(a, <=, >, b)
#define igt_assert_lte_u64(a, b) igt_assert_cmpu64(a, <=, >, b)
#define igt_assert_fd(fd) \
	igt_assert_text((fd) >= 0, #fd " >= 0", "file descriptor " #fd " failed\n")

/* Requirements: the test is skipped unless they hold. */
#define igt_require(cond)                                                                 \
	do {                                                                              \
		if (!(cond))                                                              \
			igt_skip_check_failed(__FILE__, __LINE__, __func__, #cond, NULL); \
	} while (0)
#define igt_require_f(cond, ...)                                                                 \
	do {                                                                                     \
		if (!(cond))                                                                     \
			igt_skip_check_failed(__FILE__, __LINE__, __func__, #cond, __VA_ARGS__); \
	} while (0)
#define igt_require_fd(fd)	 igt_require_f((fd) >= 0, "file descriptor " #fd " failed\n")
#define igt_skip_on(cond)	 igt_require(!(cond))
#define igt_skip_on_f(cond, ...) igt_require_f(!(cond), __VA_ARGS__)

/** igt_abort_on_f - end the whole run of igt_runner if a condition holds */
#define igt_abort_on_f(cond, ...)                                                                 \
	do {                                                                                      \
		if (cond)                                                                         \
			igt_abort_check_failed(__FILE__, __LINE__, __func__, #cond, __VA_ARGS__); \
	} while (0)

#endif /* IGT_CORE_H */
