// SPDX-License-Identifier: MIT
/*
 * Pages of a file system on persistent memory (MEMORY_DEVICE_FS_DAX): a free page has a count of 1,
 * and who takes a file's block away waits until the count is 1 again.
 *
 * environment: ZONE_DEVICE_FSDAX, a folder of a file system mounted with -o dax, which can give
 * files of 2 MiB in one piece; ZONE_DEVICE_DISK, a block device for direct I/O, overwritten.
 */
#define _GNU_SOURCE
#include "../kselftest_harness.h"
#include "zone_device.h"

#include <limits.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#define PAGE 4096UL
#define SIZE (2 * SIZE_2M)

#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif

FIXTURE(fsdax)
{
	char path[PATH_MAX];
	int fd;
	char *p; /* the whole file, at an address that a PMD can map */
};

/* The file, mapped where both address and offset are multiples of 2 MiB. */
static char *map_file(int fd, int flags)
{
	char *p = mmap(NULL, SIZE + SIZE_2M, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *aligned = (char *)(((uintptr_t)p + SIZE_2M - 1) & ~(SIZE_2M - 1));

	return mmap(aligned, SIZE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
}

FIXTURE_SETUP(fsdax)
{
	const char *dir = getenv("ZONE_DEVICE_FSDAX");

	if (!dir)
		SKIP(return, "ZONE_DEVICE_FSDAX is not set");
	snprintf(self->path, sizeof(self->path), "%s/test", dir);
	self->fd = open(self->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(fallocate(self->fd, 0, 0, SIZE), 0);
	/* MAP_SYNC is refused where the file is not really in persistent memory. */
	self->p = map_file(self->fd, MAP_SHARED_VALIDATE | MAP_SYNC);
	ASSERT_NE(self->p, MAP_FAILED);
}

FIXTURE_TEARDOWN(fsdax)
{
	munmap(self->p, SIZE);
	/* Waits for ever for a page with a count that is not 1. */
	EXPECT_EQ(ftruncate(self->fd, 0), 0);
	close(self->fd);
	EXPECT_EQ(unlink(self->path), 0);
}

TEST_F(fsdax, write_and_read_back)
{
	char *buffer = malloc(SIZE);

	pattern_fill(self->p, SIZE, 1);
	EXPECT_EQ(msync(self->p, SIZE, MS_SYNC), 0);
	ASSERT_EQ(pread(self->fd, buffer, SIZE, 0), (ssize_t)SIZE);
	EXPECT_EQ(pattern_wrong(buffer, SIZE, 1), 0);
	pattern_fill(buffer, SIZE, 2);
	ASSERT_EQ(pwrite(self->fd, buffer, SIZE, 0), (ssize_t)SIZE);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 2), 0);
	free(buffer);
}

/* One fault for 2 MiB. */
TEST_F(fsdax, faults_are_huge)
{
	long faults = page_faults();

	for (size_t i = 0; i < SIZE; i += PAGE)
		*(volatile char *)(self->p + i) = i / PAGE;
	EXPECT_EQ(page_faults() - faults, SIZE / SIZE_2M);
}

/* And 512 where the mapping does not fit. */
TEST_F(fsdax, faults_are_small)
{
	char *p = mmap(self->p + PAGE, SIZE_2M, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		       self->fd, 0);
	long faults;

	ASSERT_NE(p, MAP_FAILED);
	faults = page_faults();
	for (size_t i = 0; i < SIZE_2M; i += PAGE)
		*(volatile char *)(p + i) = i / PAGE;
	EXPECT_EQ(page_faults() - faults, SIZE_2M / PAGE);
}

TEST_F(fsdax, fork_shares)
{
	pid_t pid;

	pattern_fill(self->p, SIZE, 3);
	pid = fork();
	if (!pid) {
		if (pattern_wrong(self->p, SIZE, 3))
			_exit(1);
		pattern_fill(self->p, SIZE, 4);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 4), 0);
}

TEST_F(fsdax, private_copy)
{
	char *p;
	pid_t pid;

	pattern_fill(self->p, SIZE, 5);
	p = map_file(self->fd, MAP_PRIVATE);
	ASSERT_NE(p, MAP_FAILED);
	EXPECT_EQ(pattern_wrong(p, SIZE, 5), 0);
	pattern_fill(p, SIZE_2M, 6);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 5), 0);
	pid = fork();
	if (!pid) {
		if (pattern_wrong(p, SIZE_2M, 6))
			_exit(1);
		memset(p, 0, SIZE);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(pattern_wrong(p, SIZE_2M, 6), 0);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 5), 0);
	munmap(p, SIZE);
}

TEST_F(fsdax, zap_move_protect)
{
	char *q;

	pattern_fill(self->p, SIZE, 7);
	ASSERT_EQ(madvise(self->p, SIZE, MADV_DONTNEED), 0);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 7), 0);
	/* A part of what a PMD maps. */
	ASSERT_EQ(madvise(self->p + PAGE, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 7), 0);
	ASSERT_EQ(mprotect(self->p, SIZE_2M + PAGE, PROT_READ), 0);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 7), 0);
	ASSERT_EQ(mprotect(self->p, SIZE, PROT_READ | PROT_WRITE), 0);
	pattern_fill(self->p, SIZE, 8);
	q = mmap(NULL, SIZE + SIZE_2M, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(q, MAP_FAILED);
	ASSERT_EQ(mremap(self->p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE), q + PAGE);
	self->p = q + PAGE;
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 8), 0);
}

/* The kernel reads and writes the pages through references of its own. */
TEST_F(fsdax, direct_io)
{
	const char *name = getenv("ZONE_DEVICE_DISK");
	int disk = name ? open(name, O_RDWR | O_DIRECT) : -1;

	if (disk < 0)
		SKIP(return, "no block device for direct I/O");
	pattern_fill(self->p, SIZE, 9);
	ASSERT_EQ(pwrite(disk, self->p, SIZE, 0), (ssize_t)SIZE);
	memset(self->p, 0, SIZE);
	ASSERT_EQ(pread(disk, self->p, SIZE, 0), (ssize_t)SIZE);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 9), 0);
	/* Into pages that are not mapped yet. */
	memset(self->p, 0, SIZE);
	ASSERT_EQ(madvise(self->p, SIZE, MADV_DONTNEED), 0);
	ASSERT_EQ(pread(disk, self->p + PAGE, SIZE - PAGE, PAGE), (ssize_t)(SIZE - PAGE));
	/* The first page is zero, and the pattern starts with the second. */
	pattern_fill(self->p, PAGE, 9);
	EXPECT_EQ(pattern_wrong(self->p, SIZE, 9), 0);
	close(disk);
}

TEST_F(fsdax, truncated_and_punched)
{
	pattern_fill(self->p, SIZE, 10);
	ASSERT_EQ(fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE), 0);
	EXPECT_EQ(pattern_wrong(self->p, PAGE, 10), 0);
	for (size_t i = PAGE; i < 2 * PAGE; i++)
		ASSERT_EQ(self->p[i], 0);
	self->p[PAGE] = 1;
	ASSERT_EQ(ftruncate(self->fd, SIZE_2M), 0);
	EXPECT_FALSE(read_is_sigbus(self->p + SIZE_2M - 1));
	EXPECT_TRUE(read_is_sigbus(self->p + SIZE_2M));
	ASSERT_EQ(ftruncate(self->fd, SIZE), 0);
	EXPECT_EQ(self->p[SIZE_2M], 0);
}

struct taker {
	int fd;
	bool punch;
	int result;
	bool done;
};

/* Takes the blocks of the file away, which must wait for the references to its pages. */
static void *take_blocks(void *data)
{
	struct taker *taker = data;

	if (taker->punch)
		taker->result = fallocate(taker->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
					  SIZE_2M);
	else
		taker->result = ftruncate(taker->fd, 0);
	__atomic_store_n(&taker->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* A page in a pipe keeps its block; the last reference wakes who waits for the page. */
static void wait_for_reference(struct __test_metadata *_metadata, int fd, char *p, bool punch)
{
	struct taker taker = {.fd = fd, .punch = punch};
	struct iovec part = {p + 5 * PAGE, 2 * PAGE};
	char *buffer = malloc(2 * PAGE);
	pthread_t thread;
	int end[2];

	pattern_fill(p, SIZE, 11);
	ASSERT_EQ(pipe(end), 0);
	ASSERT_EQ(vmsplice(end[1], &part, 1, 0), (ssize_t)(2 * PAGE));
	ASSERT_EQ(pthread_create(&thread, NULL, take_blocks, &taker), 0);
	usleep(300000);
	EXPECT_FALSE(__atomic_load_n(&taker.done, __ATOMIC_ACQUIRE));

	/* The first of two pages is not enough. */
	ASSERT_EQ(read(end[0], buffer, PAGE), (ssize_t)PAGE);
	usleep(300000);
	EXPECT_FALSE(__atomic_load_n(&taker.done, __ATOMIC_ACQUIRE));
	ASSERT_EQ(read(end[0], buffer + PAGE, PAGE), (ssize_t)PAGE);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_EQ(taker.result, 0);

	/* The data was ours until then. */
	for (size_t i = 0; i < 2 * PAGE / 4; i++)
		ASSERT_EQ(((uint32_t *)buffer)[i], 11 + (uint32_t)(5 * PAGE / 4 + i) * 2654435761u);
	free(buffer);
	close(end[0]);
	close(end[1]);
}

TEST_F(fsdax, truncate_waits_for_reference)
{
	wait_for_reference(_metadata, self->fd, self->p, false);
}

TEST_F(fsdax, punch_waits_for_reference)
{
	wait_for_reference(_metadata, self->fd, self->p, true);
}

TEST_HARNESS_MAIN
