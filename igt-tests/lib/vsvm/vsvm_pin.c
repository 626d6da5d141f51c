// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "igt.h"
#include "vsvm_pin.h"

/* The interface of CONFIG_GUP_TEST, which is in no header for user space. */
#define GUP_TEST "/sys/kernel/debug/gup_test"

struct pin_longterm_test {
	uint64_t addr;
	uint64_t size;
	uint32_t flags;
};

#define PIN_WRITE		1
#define PIN_LONGTERM_TEST_START _IOW('g', 7, struct pin_longterm_test)
#define PIN_LONGTERM_TEST_STOP	_IO('g', 8)
#define PIN_LONGTERM_TEST_READ	_IOW('g', 9, uint64_t)

int vsvm_pin(const struct vsvm_buffer *buffer)
{
	struct pin_longterm_test arg = {
		.addr = (uintptr_t)buffer->ptr,
		.size = buffer->size,
		.flags = PIN_WRITE,
	};
	int fd = open(GUP_TEST, O_RDWR | O_CLOEXEC);

	igt_require_f(fd >= 0, "the kernel has no gup_test\n");
	igt_assert_eq(ioctl(fd, PIN_LONGTERM_TEST_START, &arg), 0);
	return fd;
}

void vsvm_check_pinned(int fd, const struct vsvm_buffer *buffer)
{
	struct vsvm_buffer *copy = vsvm_buffer_create(buffer->size, VSVM_SHARED);
	uint64_t to = (uintptr_t)copy->ptr;

	igt_assert_eq(ioctl(fd, PIN_LONGTERM_TEST_READ, &to), 0);
	igt_assert(!memcmp(copy->ptr, buffer->shadow, buffer->size));
	vsvm_buffer_free(copy);
}

void vsvm_unpin(int fd)
{
	igt_assert_eq(ioctl(fd, PIN_LONGTERM_TEST_STOP), 0);
	close(fd);
}
