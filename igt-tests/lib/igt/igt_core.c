// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Life of a test program: fixtures, subtests, results, exit.
 */
#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/utsname.h>

#include "igt_internal.h"

#define NAME_LENGTH	  256
#define MAX_GROUPS	  8
#define MAX_EXIT_HANDLERS 16

/** enum outcome - how a test or a part of it ended */
enum outcome {
	OUTCOME_PASS,
	OUTCOME_SKIP,
	OUTCOME_FAIL,
	OUTCOME_CRASH,
	NUM_OUTCOMES,
};

static const char *const outcome_names[NUM_OUTCOMES] = {
	[OUTCOME_PASS] = "SUCCESS",
	[OUTCOME_SKIP] = "SKIP",
	[OUTCOME_FAIL] = "FAIL",
	[OUTCOME_CRASH] = "CRASH",
};

/** struct part - a subtest or dynamic subtest that runs now */
struct part {
	bool active;
	char name[NAME_LENGTH];
	struct timespec start;
};

/** struct group - what igt_subtest_group() limits */
struct group {
	/* what a fixture decided for all later subtests; PASS: run them */
	enum outcome fixture;
	char description[1024];
};

static struct {
	bool has_subtests;
	bool started;
	bool in_fixture;
	struct part subtest;
	struct part dynamic;
	/* the running subtest consists of dynamic ones */
	bool container;
	unsigned int results[NUM_OUTCOMES];
	unsigned int dynamic_results[NUM_OUTCOMES];
	bool fixture_failed;
	int fail_exitcode;
	/* some name fitted --run-subtest */
	bool matched;
	struct group groups[MAX_GROUPS];
	unsigned int depth;
	char description[1024];
	igt_exit_handler_t exit_handlers[MAX_EXIT_HANDLERS];
	int num_exit_handlers;
	bool repeat_on_stderr;
	atomic_bool thread_failed;
	struct timespec start;
} igt;

sigjmp_buf igt_jmp_block;
sigjmp_buf igt_jmp_dynamic;

const char *igt_test_name(void)
{
	return program_invocation_short_name;
}

const char *igt_subtest_name(void)
{
	return igt.subtest.active ? igt.subtest.name : NULL;
}

bool igt_only_list_subtests(void)
{
	return igt_options.list_subtests || igt_options.describe;
}

void igt_set_test_description(const char *text)
{
	igt_test_description = text;
}

/* A mistake in the test program itself. */
static void check_usage(bool good, const char *rule)
{
	if (good)
		return;
	fflush(stdout);
	fprintf(stderr, "%s: misuse of the IGT API: %s\n", igt_test_name(), rule);
	_exit(IGT_EXIT_FAILURE);
}

/* Lines for igt_runner. Called in signal handlers, too: write(2) only. */
static void emit(const char *line, size_t length)
{
	if (write(STDOUT_FILENO, line, length) < 0)
		return;
	if (igt.repeat_on_stderr && write(STDERR_FILENO, line, length) < 0)
		return;
}

static void emit_start(const char *kind, const char *name)
{
	char line[NAME_LENGTH + 64];

	fflush(stdout);
	emit(line, snprintf(line, sizeof(line), "Starting %s: %s\n", kind, name));
}

static void emit_result(const char *kind, const char *name, enum outcome result,
			const struct timespec *start)
{
	char line[NAME_LENGTH + 64];
	struct timespec now = {};
	long ms = 0;

	if (start) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
	}
	emit(line, snprintf(line, sizeof(line), "%s%s%s%s (%ld.%03lds)\n", kind, name,
			    *name ? ": " : "", outcome_names[result], ms / 1000, ms % 1000));
}

static void call_exit_handlers(int sig)
{
	while (igt.num_exit_handlers)
		igt.exit_handlers[--igt.num_exit_handlers](sig);
}

void igt_install_exit_handler(igt_exit_handler_t fn)
{
	for (int i = 0; i < igt.num_exit_handlers; i++)
		if (igt.exit_handlers[i] == fn)
			return;
	check_usage(igt.num_exit_handlers < MAX_EXIT_HANDLERS, "too many exit handlers");
	igt.exit_handlers[igt.num_exit_handlers++] = fn;
}

static const struct {
	int number;
	const char *text;
} fatal_signals[] = {
	/* without a text: the end comes from outside */
	{SIGINT, NULL},
	{SIGHUP, NULL},
	{SIGPIPE, NULL},
	{SIGTERM, NULL},
	{SIGQUIT, "Received signal SIGQUIT.\n"},
	{SIGABRT, "Received signal SIGABRT.\n"},
	{SIGTRAP, "Received signal SIGTRAP.\n"},
	{SIGBUS, "Received signal SIGBUS.\n"},
	{SIGFPE, "Received signal SIGFPE.\n"},
	{SIGILL, "Received signal SIGILL.\n"},
	{SIGSEGV, "Received signal SIGSEGV.\n"},
};

#define NUM_FATAL_SIGNALS (sizeof(fatal_signals) / sizeof(*fatal_signals))

static void fatal_signal(int sig)
{
	const char *text = NULL;

	for (size_t i = 0; i < NUM_FATAL_SIGNALS; i++)
		if (fatal_signals[i].number == sig)
			text = fatal_signals[i].text;

	signal(sig, SIG_DFL);
	if (text && write(STDERR_FILENO, text, strlen(text)) < 0)
		text = NULL;

	if (!igt_in_child()) {
		if (text && igt.dynamic.active)
			emit_result("Dynamic subtest ", igt.dynamic.name, OUTCOME_CRASH,
				    &igt.dynamic.start);
		if (text && igt.subtest.active)
			emit_result("Subtest ", igt.subtest.name, OUTCOME_CRASH,
				    &igt.subtest.start);
		igt_reap_children();
		call_exit_handlers(sig);
	}
	/* delivered when this handler returns */
	raise(sig);
}

static void catch_signals(void)
{
	static char stack[64 * 1024];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = fatal_signal, .sa_flags = SA_ONSTACK};

	/* a stack overflow needs a stack to be reported from */
	sigaltstack(&alternate, NULL);
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < NUM_FATAL_SIGNALS; i++)
		sigaction(fatal_signals[i].number, &action, NULL);
}

void igt_init(int argc, char **argv, bool has_subtests, const struct igt_extra_options *extra)
{
	struct utsname uts;

	igt.has_subtests = has_subtests;
	igt.fail_exitcode = IGT_EXIT_FAILURE;
	igt.repeat_on_stderr = getenv("IGT_SENTINEL_ON_STDERR");
	setvbuf(stdout, NULL, _IOLBF, 0);

	igt_log_init();
	igt_parse_options(argc, argv, has_subtests, extra);
	if (igt_only_list_subtests())
		return;

	catch_signals();
	uname(&uts);
	printf("IGT-Version: %s (%s) (Linux: %s %s)\n", IGT_VERSION, uts.machine, uts.release,
	       uts.machine);
	igt_kmsg("%s: executing", igt_test_name());
	igt.started = true;
	clock_gettime(CLOCK_MONOTONIC, &igt.start);
}

static int exit_status(void)
{
	if (igt.results[OUTCOME_FAIL])
		return igt.fail_exitcode;
	/* perhaps with no subtest behind it to show it */
	if (igt.fixture_failed)
		return igt.fail_exitcode;
	if (igt.results[OUTCOME_PASS])
		return IGT_EXIT_SUCCESS;
	return igt.results[OUTCOME_SKIP] ? IGT_EXIT_SKIP : IGT_EXIT_SUCCESS;
}

void igt_exit(void)
{
	int status;

	if (igt_only_list_subtests())
		exit(IGT_EXIT_SUCCESS);

	if (igt.has_subtests && igt_options.run && !igt.matched) {
		igt_critical("Unknown subtest: %s\n", igt_options.run);
		call_exit_handlers(0);
		exit(IGT_EXIT_INVALID);
	}

	if (!igt.has_subtests) {
		enum outcome result = OUTCOME_PASS;

		/* came here by falling off the end, or through end_block() */
		for (int i = OUTCOME_SKIP; i < NUM_OUTCOMES; i++)
			if (igt.results[i])
				result = i;
		if (result == OUTCOME_PASS && igt_reap_children()) {
			igt_critical("processes of igt_fork() were left\n");
			igt_log_dump("Test", NULL);
			result = OUTCOME_FAIL;
		}
		igt.results[result] = 1;
		fflush(stdout);
		emit_result("", "", result, &igt.start);
	}

	status = exit_status();
	igt_kmsg("%s: exiting, ret=%d", igt_test_name(), status);
	call_exit_handlers(0);
	exit(status);
}

static void end_part(struct part *part, const char *kind, enum outcome result)
{
	fflush(stdout);
	emit_result(kind, part->name, result, &part->start);
	part->active = false;
	igt_kmsg("%s: finished %c%s%s, %s", igt_test_name(), tolower(*kind), kind + 1, part->name,
		 outcome_names[result]);
}

/* Ends what runs now: dynamic subtest, subtest, fixture or simple main. */
__attribute__((noreturn)) static void end_block(enum outcome result)
{
	if (igt_reap_children() && result != OUTCOME_FAIL) {
		igt_critical("processes of igt_fork() were left\n");
		result = OUTCOME_FAIL;
	}
	if (atomic_exchange(&igt.thread_failed, false))
		result = OUTCOME_FAIL;

	if (result == OUTCOME_FAIL) {
		if (igt.dynamic.active)
			igt_log_dump("Dynamic subtest", igt.dynamic.name);
		else if (igt.subtest.active && !igt.dynamic_results[OUTCOME_FAIL])
			igt_log_dump("Subtest", igt.subtest.name);
		else if (!igt.subtest.active)
			igt_log_dump("Test", NULL);
	}

	if (igt.dynamic.active) {
		igt.dynamic_results[result]++;
		end_part(&igt.dynamic, "Dynamic subtest ", result);
		siglongjmp(igt_jmp_dynamic, 1);
	}

	if (igt.subtest.active) {
		if (igt.container && igt.dynamic_results[OUTCOME_FAIL])
			result = OUTCOME_FAIL;
		igt.results[result]++;
		end_part(&igt.subtest, "Subtest ", result);
		siglongjmp(igt_jmp_block, 1);
	}

	if (igt.in_fixture) {
		igt.in_fixture = false;
		igt.groups[igt.depth].fixture = result;
		igt.fixture_failed |= result == OUTCOME_FAIL;
		siglongjmp(igt_jmp_block, 1);
	}

	check_usage(!igt.has_subtests, "a test ended outside of fixture and subtest");
	igt.results[result]++;
	igt_exit();
}

bool igt_fixture_enter(void)
{
	check_usage(!igt.in_fixture && !igt.subtest.active && igt.has_subtests,
		    "igt_fixture inside of a fixture or subtest");
	if (igt_only_list_subtests() || igt.groups[igt.depth].fixture != OUTCOME_PASS)
		return false;
	igt_log_reset();
	igt.in_fixture = true;
	return true;
}

void igt_fixture_leave(void)
{
	check_usage(!igt_in_child(), "a child process left its block");
	end_block(OUTCOME_PASS);
}

void igt_group_enter(void)
{
	check_usage(!igt.in_fixture && !igt.subtest.active && igt.depth + 1 < MAX_GROUPS,
		    "igt_subtest_group inside of a fixture or subtest");
	igt.groups[igt.depth + 1] = igt.groups[igt.depth];
	memcpy(igt.groups[++igt.depth].description, igt.description, sizeof(igt.description));
	*igt.description = '\0';
}

void igt_group_leave(void)
{
	igt.depth--;
}

void igt_describe_f(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(igt.description, sizeof(igt.description), fmt, args);
	va_end(args);
}

static void print_description(const char *name, const char *file, int line)
{
	bool any = false;

	printf("SUB %s %s:%d:\n", name, file, line);
	for (unsigned int i = 1; i <= igt.depth; i++) {
		if (*igt.groups[i].description) {
			printf("  %s\n", igt.groups[i].description);
			any = true;
		}
	}
	if (*igt.description || !any)
		printf("  %s\n", *igt.description ? igt.description : "NO DOCUMENTATION!");
	putchar('\n');
}

static void format_name(char *name, const char *fmt, va_list args)
{
	int length = vsnprintf(name, NAME_LENGTH, fmt, args);

	check_usage(length > 0 && length < NAME_LENGTH,
		    "the name of a subtest is empty or too long");
	for (const char *c = name; *c; c++)
		check_usage(isalnum((unsigned char)*c) || *c == '-' || *c == '_',
			    "a character that no name of a subtest may have");
}

bool igt_subtest_enter(bool dynamic, const char *file, int line, const char *fmt, ...)
{
	enum outcome fixture = igt.groups[igt.depth].fixture;
	char name[NAME_LENGTH];
	va_list args;

	check_usage(!igt.in_fixture && !igt.subtest.active && igt.has_subtests,
		    "igt_subtest inside of a fixture or subtest");
	va_start(args, fmt);
	format_name(name, fmt, args);
	va_end(args);

	if (!igt_pattern_matches(igt_options.run, name)) {
		*igt.description = '\0';
		return false;
	}
	igt.matched = true;

	if (igt_options.describe)
		print_description(name, file, line);
	else if (igt_options.list_subtests)
		puts(name);
	*igt.description = '\0';
	if (igt_only_list_subtests())
		return false;

	if (fixture != OUTCOME_PASS) {
		fflush(stdout);
		emit_result("Subtest ", name, fixture, NULL);
		igt.results[fixture]++;
		return false;
	}

	igt_log_reset();
	memset(igt.dynamic_results, 0, sizeof(igt.dynamic_results));
	memcpy(igt.subtest.name, name, sizeof(name));
	igt_kmsg("%s: starting subtest %s", igt_test_name(), name);
	emit_start("subtest", name);
	clock_gettime(CLOCK_MONOTONIC, &igt.subtest.start);
	igt.container = dynamic;
	igt.subtest.active = true;
	return true;
}

void igt_container_leave(void)
{
	check_usage(!igt_in_child(), "a child process left its block");
	if (igt.dynamic_results[OUTCOME_FAIL])
		end_block(OUTCOME_FAIL);
	if (igt.dynamic_results[OUTCOME_PASS])
		end_block(OUTCOME_PASS);
	igt_info("No dynamic subtests executed.\n");
	end_block(OUTCOME_SKIP);
}

bool igt_dynamic_enter(const char *fmt, ...)
{
	char name[NAME_LENGTH];
	va_list args;

	check_usage(igt.subtest.active && igt.container && !igt.dynamic.active,
		    "igt_dynamic outside of igt_subtest_with_dynamic");
	va_start(args, fmt);
	format_name(name, fmt, args);
	va_end(args);

	*igt.description = '\0';
	if (!igt_pattern_matches(igt_options.run_dynamic, name))
		return false;

	memcpy(igt.dynamic.name, name, sizeof(name));
	igt_kmsg("%s: starting dynamic subtest %s", igt_test_name(), name);
	emit_start("dynamic subtest", name);
	clock_gettime(CLOCK_MONOTONIC, &igt.dynamic.start);
	igt.dynamic.active = true;
	return true;
}

void igt_success(void)
{
	check_usage(!igt_in_child(), "a child process left its block");
	end_block(OUTCOME_PASS);
}

static bool in_main_thread(void)
{
	return gettid() == getpid();
}

void igt_fail(int exitcode)
{
	check_usage(exitcode != IGT_EXIT_SUCCESS && exitcode != IGT_EXIT_SKIP,
		    "igt_fail() with a status that is no failure");

	if (!in_main_thread()) {
		atomic_store(&igt.thread_failed, true);
		pthread_exit(NULL);
	}
	if (igt_in_child()) {
		igt_log_dump("Child", NULL);
		fflush(stdout);
		_exit(exitcode);
	}

	igt.fail_exitcode = exitcode;
	end_block(OUTCOME_FAIL);
}

void igt_skip(const char *fmt, ...)
{
	va_list args;

	if (!in_main_thread() || igt_in_child()) {
		igt_critical("igt_skip() in a child process or thread\n");
		igt_fail(IGT_EXIT_FAILURE);
	}
	if (fmt) {
		va_start(args, fmt);
		igt_vlog(NULL, IGT_LOG_INFO, fmt, args);
		va_end(args);
	}
	end_block(OUTCOME_SKIP);
}

void igt_assert_failed(const char *file, int line, const char *func, const char *assertion,
		       const char *fmt, ...)
{
	int error = errno;
	va_list args;

	igt_critical("Test assertion failure function %s, file %s:%i:\n", func, file, line);
	igt_critical("Failed assertion: %s\n", assertion);
	if (error)
		igt_critical("Last errno: %i, %s\n", error, strerror(error));
	if (fmt) {
		va_start(args, fmt);
		igt_vlog(NULL, IGT_LOG_CRITICAL, fmt, args);
		va_end(args);
	}
	igt_fail(IGT_EXIT_FAILURE);
}

void igt_skip_check_failed(const char *file, int line, const char *func, const char *check,
			   const char *fmt, ...)
{
	int error = errno;
	va_list args;

	igt_info("Test requirement not met in function %s, file %s:%i:\n", func, file, line);
	igt_info("Test requirement: %s\n", check);
	if (error)
		igt_info("Last errno: %i, %s\n", error, strerror(error));
	if (fmt) {
		va_start(args, fmt);
		igt_vlog(NULL, IGT_LOG_INFO, fmt, args);
		va_end(args);
	}
	igt_skip(NULL);
}

void igt_abort_check_failed(const char *file, int line, const char *func, const char *check,
			    const char *fmt, ...)
{
	va_list args;

	igt_critical("Test abort in function %s, file %s:%i:\n", func, file, line);
	igt_critical("Abort condition: %s\n", check);
	va_start(args, fmt);
	igt_vlog(NULL, IGT_LOG_CRITICAL, fmt, args);
	va_end(args);

	if (igt_in_child())
		_exit(IGT_EXIT_ABORT);
	igt_reap_children();
	fflush(stdout);
	if (igt.dynamic.active)
		end_part(&igt.dynamic, "Dynamic subtest ", OUTCOME_FAIL);
	if (igt.subtest.active)
		end_part(&igt.subtest, "Subtest ", OUTCOME_FAIL);
	igt_kmsg("%s: exiting, ret=%d", igt_test_name(), IGT_EXIT_ABORT);
	call_exit_handlers(0);
	exit(IGT_EXIT_ABORT);
}

uint64_t igt_nsec_elapsed(struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!start->tv_sec && !start->tv_nsec) {
		*start = now;
		return 0;
	}
	return (now.tv_sec - start->tv_sec) * 1000000000ULL + now.tv_nsec - start->tv_nsec;
}
