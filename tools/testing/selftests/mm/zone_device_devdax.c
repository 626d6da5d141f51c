// SPDX-License-Identifier: MIT
/*
 * Pages of a device-dax device (MEMORY_DEVICE_GENERIC): a free page has a count of 1, be it a
 * single page or, with an alignment of 2 MiB, the head of a compound.
 *
 * environment: ZONE_DEVICE_DEVDAX, the device's name, as dax0.0; ZONE_DEVICE_ALIGN, its alignment,
 * which must be what the device has; ZONE_DEVICE_DISK, a block device for direct I/O, overwritten.
 */
#define _GNU_SOURCE
#include "../kselftest_harness.h"
#include "zone_device.h"

#include <limits.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#define PAGE 4096UL
#define SIZE (2 * SIZE_2M)

FIXTURE(devdax)
{
	char name[64];
	char path[PATH_MAX];
	size_t align;
	int fd;
	char *p;
};

FIXTURE_SETUP(devdax)
{
	const char *name = getenv("ZONE_DEVICE_DEVDAX"), *align = getenv("ZONE_DEVICE_ALIGN");
	char path[PATH_MAX];

	if (!name || !align)
		SKIP(return, "ZONE_DEVICE_DEVDAX or ZONE_DEVICE_ALIGN is not set");
	self->align = strtoul(align, NULL, 0);
	snprintf(self->name, sizeof(self->name), "%s", name);
	snprintf(self->path, sizeof(self->path), "/dev/%s", name);
	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/align", name);
	ASSERT_EQ(read_number(path), (long long)self->align);
	self->fd = open(self->path, O_RDWR);
	ASSERT_GE(self->fd, 0);
	self->p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(self->p, MAP_FAILED);
}

FIXTURE_TEARDOWN(devdax)
{
	munmap(self->p, SIZE);
	close(self->fd);
}

/* The data is there for who maps it next, and comes in faults of the device's alignment. */
TEST_F(devdax, write_and_read_back)
{
	long faults = page_faults();

	for (size_t i = 0; i < SIZE; i += PAGE)
		*(volatile char *)(self->p + i) = 1;
	EXPECT_EQ(page_faults() - faults, SIZE / self->align);
	pattern_fill(self->p, SIZE, 1);
	munmap(self->p, SIZE);
	self->p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(self->p, MAP_FAILED);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 1), 0);
}

TEST_F(devdax, refused)
{
	EXPECT_EQ(mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, self->fd, 0), MAP_FAILED);
	if (self->align == PAGE)
		return;
	/* Half of what one entry maps. */
	EXPECT_LT(munmap(self->p, SIZE_2M + PAGE), 0);
	EXPECT_LT(mprotect(self->p, PAGE, PROT_READ), 0);
	EXPECT_EQ(errno, EINVAL);
}

TEST_F(devdax, fork_shares)
{
	pid_t pid;

	pattern_fill(self->p, SIZE, 2);
	pid = fork();
	if (!pid) {
		if (pattern_wrong(self->p, SIZE, 2))
			_exit(1);
		pattern_fill(self->p, SIZE, 3);
		munmap(self->p, SIZE_2M);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 3), 0);
}

TEST_F(devdax, partial_unmap)
{
	pattern_fill(self->p, SIZE, 4);
	ASSERT_EQ(munmap(self->p, SIZE_2M), 0);
	pattern_fill(self->p + SIZE_2M, SIZE_2M, 5);
	EXPECT_EQ(pattern_wrong(self->p + SIZE_2M, SIZE_2M, 5), 0);
	ASSERT_EQ(madvise(self->p + SIZE_2M, SIZE_2M, MADV_DONTNEED), 0);
	EXPECT_EQ(pattern_wrong(self->p + SIZE_2M, SIZE_2M, 5), 0);
}

/* References of the kernel, to heads and tails, over and over: a lost one would end at 0. */
TEST_F(devdax, references)
{
	struct iovec part = {self->p + 7 * PAGE, 4 * PAGE};
	char *buffer = malloc(4 * PAGE);
	int end[2];

	pattern_fill(self->p, SIZE, 6);
	ASSERT_EQ(pipe(end), 0);
	for (int i = 0; i < 1000; i++) {
		part.iov_base = self->p + (i % 1000) * PAGE;
		ASSERT_EQ(vmsplice(end[1], &part, 1, 0), (ssize_t)(4 * PAGE));
		ASSERT_EQ(read(end[0], buffer, 4 * PAGE), (ssize_t)(4 * PAGE));
		ASSERT_EQ(memcmp(buffer, part.iov_base, 4 * PAGE), 0);
	}
	/* The mapping goes while the pipe has a reference. */
	memcpy(buffer, self->p + 7 * PAGE, 4 * PAGE);
	part.iov_base = self->p + 7 * PAGE;
	ASSERT_EQ(vmsplice(end[1], &part, 1, 0), (ssize_t)(4 * PAGE));
	munmap(self->p, SIZE);
	char *again = malloc(4 * PAGE);

	ASSERT_EQ(read(end[0], again, 4 * PAGE), (ssize_t)(4 * PAGE));
	EXPECT_EQ(memcmp(buffer, again, 4 * PAGE), 0);
	free(buffer);
	free(again);
}

TEST_F(devdax, direct_io)
{
	const char *name = getenv("ZONE_DEVICE_DISK");
	int disk = name ? open(name, O_RDWR | O_DIRECT) : -1;

	if (disk < 0)
		SKIP(return, "no block device for direct I/O");
	pattern_fill(self->p, SIZE, 7);
	ASSERT_EQ(pwrite(disk, self->p, SIZE, 0), (ssize_t)SIZE);
	memset(self->p, 0, SIZE);
	ASSERT_EQ(pread(disk, self->p, SIZE, 0), (ssize_t)SIZE);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 7), 0);
	close(disk);
}

/* The device goes while its memory is mapped, and comes again with what was written. */
TEST_F(devdax, unbind_while_mapped)
{
	pattern_fill(self->p, SIZE, 8);
	ASSERT_TRUE(write_text("/sys/bus/dax/drivers/device_dax/unbind", self->name));
	EXPECT_TRUE(read_is_sigbus(self->p));
	munmap(self->p, SIZE);
	close(self->fd);
	ASSERT_TRUE(write_text("/sys/bus/dax/drivers/device_dax/bind", self->name));
	self->fd = open(self->path, O_RDWR);
	ASSERT_GE(self->fd, 0);
	self->p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(self->p, MAP_FAILED);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 8), 0);
}

TEST_HARNESS_MAIN
