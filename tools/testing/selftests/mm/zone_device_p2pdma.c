// SPDX-License-Identifier: MIT
/*
 * Memory of a PCI device (MEMORY_DEVICE_PCI_P2PDMA) in a process: mmap() of p2pmem/allocate takes
 * pages from the device's pool, and the last reference to a page gives it back. After each test
 * the pool must have exactly what it had before.
 *
 * The device is the first one that has a pool; the kernel's nvme driver makes one of a
 * controller memory buffer.
 */
#define _GNU_SOURCE
#include "../kselftest_harness.h"
#include "zone_device.h"

#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PAGE 4096UL

FIXTURE(p2pdma)
{
	char device[256]; /* its folder in sysfs */
	char available[PATH_MAX];
	int fd; /* of p2pmem/allocate */
	long long before;
};

/* The folder of the first device with a pool; false if there is none. */
static bool find_device(char *device, size_t size)
{
	glob_t found;
	bool ok = false;

	if (!glob("/sys/bus/pci/devices/*/p2pmem/allocate", 0, NULL, &found)) {
		snprintf(device, size, "%s", found.gl_pathv[0]);
		*strstr(device, "/p2pmem/allocate") = '\0';
		ok = true;
	}
	globfree(&found);
	return ok;
}

static int open_pool(const char *device)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/p2pmem/allocate", device);
	return open(path, O_RDWR);
}

static void *map(int fd, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* The device's disk, opened for direct I/O, or -1. */
static int open_disk(const char *device)
{
	char pattern[PATH_MAX], path[PATH_MAX];
	glob_t found;
	int fd = -1;

	snprintf(pattern, sizeof(pattern), "%s/nvme/nvme*/nvme*n*", device);
	if (!glob(pattern, 0, NULL, &found)) {
		snprintf(path, sizeof(path), "/dev%s", strrchr(found.gl_pathv[0], '/'));
		fd = open(path, O_RDWR | O_DIRECT);
	}
	globfree(&found);
	return fd;
}

FIXTURE_SETUP(p2pdma)
{
	if (!find_device(self->device, sizeof(self->device)))
		SKIP(return, "no device with a pool of memory");
	snprintf(self->available, sizeof(self->available), "%s/p2pmem/available", self->device);
	self->fd = open_pool(self->device);
	ASSERT_GE(self->fd, 0);
	self->before = read_number(self->available);
	ASSERT_GE(self->before, (long long)(16 * SIZE_2M));
}

FIXTURE_TEARDOWN(p2pdma)
{
	close(self->fd);
	/* Exactly: nothing else uses the pool. */
	EXPECT_EQ(read_number(self->available), self->before);
}

TEST_F(p2pdma, map_and_unmap)
{
	static const size_t sizes[] = {PAGE, 3 * PAGE, SIZE_2M + PAGE};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *p = map(self->fd, sizes[i]);

		ASSERT_NE(p, MAP_FAILED);
		EXPECT_EQ(read_number(self->available), self->before - (long long)sizes[i]);
		pattern_fill(p, sizes[i], i);
		EXPECT_EQ(pattern_wrong(p, sizes[i], i), 0);
		ASSERT_EQ(munmap(p, sizes[i]), 0);
		EXPECT_EQ(read_number(self->available), self->before);
	}
}

TEST_F(p2pdma, two_mappings_are_apart)
{
	char *a = map(self->fd, 4 * PAGE), *b = map(self->fd, 4 * PAGE);

	ASSERT_NE(a, MAP_FAILED);
	ASSERT_NE(b, MAP_FAILED);
	pattern_fill(a, 4 * PAGE, 1);
	pattern_fill(b, 4 * PAGE, 2);
	EXPECT_EQ(pattern_wrong(a, 4 * PAGE, 1), 0);
	EXPECT_EQ(pattern_wrong(b, 4 * PAGE, 2), 0);
	EXPECT_EQ(read_number(self->available), self->before - 8 * (long long)PAGE);
	munmap(a, 4 * PAGE);
	EXPECT_EQ(pattern_wrong(b, 4 * PAGE, 2), 0);
	EXPECT_EQ(read_number(self->available), self->before - 4 * (long long)PAGE);
	munmap(b, 4 * PAGE);
}

TEST_F(p2pdma, refused)
{
	EXPECT_EQ(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, self->fd, 0), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, PAGE), MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(map(self->fd, self->before + PAGE), MAP_FAILED);
	EXPECT_EQ(errno, ENOMEM);
}

/* A page is back as soon as it is not mapped any more, whatever becomes of its neighbours. */
TEST_F(p2pdma, partial_unmap)
{
	const long long size = 64 * PAGE;
	char *p = map(self->fd, size);

	ASSERT_NE(p, MAP_FAILED);
	pattern_fill(p, size, 3);
	ASSERT_EQ(munmap(p + 16 * PAGE, 8 * PAGE), 0);
	EXPECT_EQ(read_number(self->available), self->before - size + 8 * (long long)PAGE);
	/* What is taken meanwhile must not be what is still mapped. */
	char *other = map(self->fd, 8 * PAGE);

	ASSERT_NE(other, MAP_FAILED);
	memset(other, 0xff, 8 * PAGE);
	EXPECT_EQ(pattern_wrong(p, 16 * PAGE, 3), 0);
	munmap(other, 8 * PAGE);
	ASSERT_EQ(munmap(p, 16 * PAGE), 0);
	EXPECT_EQ(read_number(self->available), self->before - 40 * (long long)PAGE);
	ASSERT_EQ(munmap(p + 24 * PAGE, 40 * PAGE), 0);
}

TEST_F(p2pdma, fork_child_ends_first)
{
	const long long size = 32 * PAGE;
	char *p = map(self->fd, size);
	pid_t pid;

	ASSERT_NE(p, MAP_FAILED);
	pattern_fill(p, size, 4);
	pid = fork();
	if (!pid) {
		if (pattern_wrong(p, size, 4))
			_exit(1);
		pattern_fill(p, size, 5);
		munmap(p, size / 2);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	/* Shared: what the child wrote, and no page was given back by its end. */
	EXPECT_EQ(pattern_wrong(p, size, 5), 0);
	EXPECT_EQ(read_number(self->available), self->before - size);
	munmap(p, size);
}

TEST_F(p2pdma, fork_parent_unmaps_first)
{
	const long long size = 32 * PAGE;
	char *p = map(self->fd, size);
	int go[2];
	pid_t pid;

	ASSERT_NE(p, MAP_FAILED);
	ASSERT_EQ(pipe(go), 0);
	pattern_fill(p, size, 6);
	pid = fork();
	if (!pid) {
		char c;

		close(go[1]);
		if (read(go[0], &c, 1) != 0)
			_exit(2);
		_exit(pattern_wrong(p, size, 6) ? 1 : 0);
	}
	close(go[0]);
	ASSERT_EQ(munmap(p, size), 0);
	EXPECT_EQ(read_number(self->available), self->before - size);
	close(go[1]);
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(read_number(self->available), self->before);
}

/* Zapped is given back, and never comes again. */
TEST_F(p2pdma, madv_dontneed)
{
	const long long size = 8 * PAGE;
	char *p = map(self->fd, size);

	ASSERT_NE(p, MAP_FAILED);
	pattern_fill(p, size, 7);
	ASSERT_EQ(madvise(p, 2 * PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(read_number(self->available), self->before - 6 * (long long)PAGE);
	EXPECT_TRUE(read_is_sigbus(p));
	EXPECT_TRUE(read_is_sigbus(p + PAGE));
	EXPECT_FALSE(read_is_sigbus(p + 2 * PAGE));
	munmap(p, size);
}

TEST_F(p2pdma, moved)
{
	const long long size = 8 * PAGE;
	char *p = map(self->fd, size), *q;

	ASSERT_NE(p, MAP_FAILED);
	pattern_fill(p, size, 8);
	q = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(q, MAP_FAILED);
	ASSERT_EQ(mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, q), q);
	EXPECT_EQ(pattern_wrong(q, size, 8), 0);
	EXPECT_EQ(read_number(self->available), self->before - size);
	munmap(q, size);
}

/* Take all there is, in pieces of @size; returns how many, or -1 if it ended with a wrong error. */
static int take_all(int fd, size_t size, char **piece, int max)
{
	int n = 0;

	for (; n < max; n++) {
		piece[n] = map(fd, size);
		if (piece[n] == MAP_FAILED)
			return errno == ENOMEM ? n : -1;
		*(volatile char *)piece[n] = n;
	}
	return -1;
}

TEST_F(p2pdma, exhaustion)
{
	static char *big[256], *small[256];
	int bigs, smalls;
	char *last;

	for (int round = 0; round < 2; round++) {
		bigs = take_all(self->fd, SIZE_2M / 2, big, 256);
		ASSERT_GT(bigs, 0);
		smalls = take_all(self->fd, PAGE, small, 256);
		ASSERT_GE(smalls, 0);
		EXPECT_EQ(read_number(self->available), 0);
		for (int i = 0; i < bigs; i++)
			EXPECT_EQ(*(volatile char *)big[i], (char)i);
		/* One page is enough for one page. */
		ASSERT_EQ(munmap(big[0] + PAGE, PAGE), 0);
		EXPECT_EQ(map(self->fd, 2 * PAGE), MAP_FAILED);
		last = map(self->fd, PAGE);
		ASSERT_NE(last, MAP_FAILED);
		EXPECT_EQ(read_number(self->available), 0);
		/* First, for it may be where the other one was. */
		munmap(last, PAGE);
		EXPECT_EQ(read_number(self->available), (long long)PAGE);
		for (int i = 0; i < bigs; i++)
			munmap(big[i], SIZE_2M / 2);
		for (int i = 0; i < smalls; i++)
			munmap(small[i], PAGE);
		EXPECT_EQ(read_number(self->available), self->before);
	}
}

/* Kernel access that does not know such memory must fail, and leave no reference. */
TEST_F(p2pdma, not_for_everybody)
{
	struct iovec local, remote;
	char *p = map(self->fd, PAGE), buffer[64];
	int end[2];

	ASSERT_NE(p, MAP_FAILED);
	local = (struct iovec){buffer, sizeof(buffer)};
	remote = (struct iovec){p, sizeof(buffer)};
	EXPECT_LT(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), 0);
	ASSERT_EQ(pipe(end), 0);
	EXPECT_LT(vmsplice(end[1], &remote, 1, 0), 0);
	munmap(p, PAGE);
}

TEST_F(p2pdma, direct_io)
{
	const size_t size = 16 * PAGE;
	int disk = open_disk(self->device);
	char *p = map(self->fd, size), *ram;

	if (disk < 0)
		SKIP(return, "the device has no disk");
	ASSERT_NE(p, MAP_FAILED);
	ASSERT_EQ(posix_memalign((void **)&ram, PAGE, size), 0);
	pattern_fill(p, size, 9);
	ASSERT_EQ(pwrite(disk, p, size, 0), (ssize_t)size);
	memset(ram, 0, size);
	ASSERT_EQ(pread(disk, ram, size, 0), (ssize_t)size);
	EXPECT_EQ(pattern_wrong(ram, size, 9), 0);
	pattern_fill(ram, size, 10);
	ASSERT_EQ(pwrite(disk, ram, size, 1 << 20), (ssize_t)size);
	ASSERT_EQ(pread(disk, p, size, 1 << 20), (ssize_t)size);
	EXPECT_EQ(pattern_wrong(p, size, 10), 0);
	EXPECT_EQ(read_number(self->available), self->before - (long long)size);
	munmap(p, size);
	free(ram);
	close(disk);
}

/* Pages that are unmapped while the disk still writes to them go back when it is done. */
TEST_F(p2pdma, direct_io_outlives_mapping)
{
	enum { N = 8 };
	const size_t size = 64 * PAGE;
	struct iocb iocb[N], *list[N];
	struct io_event event[N];
	aio_context_t context = 0;
	int disk = open_disk(self->device);
	char *p = map(self->fd, N * size);

	if (disk < 0)
		SKIP(return, "the device has no disk");
	ASSERT_NE(p, MAP_FAILED);
	ASSERT_EQ(syscall(SYS_io_setup, N, &context), 0);
	for (int i = 0; i < N; i++) {
		list[i] = memset(&iocb[i], 0, sizeof(iocb[i]));
		iocb[i].aio_lio_opcode = IOCB_CMD_PREAD;
		iocb[i].aio_fildes = disk;
		iocb[i].aio_buf = (uintptr_t)p + i * size;
		iocb[i].aio_nbytes = size;
		iocb[i].aio_offset = i * size;
	}
	ASSERT_EQ(syscall(SYS_io_submit, context, N, list), N);
	munmap(p, N * size);
	ASSERT_EQ(syscall(SYS_io_getevents, context, N, N, event, NULL), N);
	for (int i = 0; i < N; i++)
		EXPECT_EQ((ssize_t)event[i].res, (ssize_t)size);
	syscall(SYS_io_destroy, context);
	close(disk);
}

/*
 * Let the n-th allocation within mmap() fail, for every n until it succeeds. Returns how many
 * failed, or -1 where the pool is not as it was after one of them.
 */
static int fail_each(int fd, const char *available, char *at, size_t size)
{
	const int fail_nth = open("/proc/self/fail-nth", O_RDWR);
	const long long before = read_number(available);
	int failed = 0;

	for (int n = 1; n < 1000; n++) {
		char text[16] = "";
		char *p;

		snprintf(text, sizeof(text), "%d", n);
		if (pwrite(fail_nth, text, strlen(text), 0) < 0)
			break;
		p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
		memset(text, 0, sizeof(text));
		/* What is left of n: 0 when the fault has been injected. */
		if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0)
			break;
		(void)!pwrite(fail_nth, "0", 1, 0);
		if (p != MAP_FAILED) {
			memset(p, 0x55, PAGE);
			munmap(p, size);
		} else {
			failed++;
		}
		if (read_number(available) != before)
			break;
		if (atoi(text) > 0) {
			close(fail_nth);
			return failed;
		}
	}
	close(fail_nth);
	return -1;
}

/* The settings of a kind of fault that fail-nth goes by. */
static bool fault_setting(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s", name);
	return write_text(path, value);
}

/* vm_insert_page() that fails for want of a page table, at the first page and in the middle. */
TEST_F(p2pdma, insert_fails)
{
	char *const at = (char *)(1UL << 40);
	int one, four;

	if (access("/sys/kernel/debug/fail_page_alloc", F_OK))
		SKIP(return, "this kernel cannot inject faults");
	ASSERT_TRUE(fault_setting("fail_page_alloc/min-order", "0"));
	ASSERT_TRUE(fault_setting("fail_page_alloc/ignore-gfp-wait", "N"));
	ASSERT_TRUE(fault_setting("fail_page_alloc/verbose", "0"));
	if (!access("/sys/kernel/debug/failslab", F_OK)) {
		ASSERT_TRUE(fault_setting("failslab/ignore-gfp-wait", "N"));
		ASSERT_TRUE(fault_setting("failslab/verbose", "0"));
	}

	one = fail_each(self->fd, self->available, at, SIZE_2M);
	four = fail_each(self->fd, self->available, at, 4 * SIZE_2M);
	TH_LOG("%d failures of a mapping with one page table, %d with four", one, four);
	EXPECT_GT(one, 0);
	/* Each table more is a place more to fail, after 512 pages each. */
	EXPECT_GE(four, one + 3);
}

/* The device goes while its memory is mapped: it is taken from us, and nothing waits. */
TEST_F(p2pdma, unbind_while_mapped)
{
	const size_t size = SIZE_2M + 4 * PAGE;
	const char *name = strrchr(self->device, '/') + 1;
	char *p = map(self->fd, size), *q;
	long long wait = 0;

	ASSERT_NE(p, MAP_FAILED);
	pattern_fill(p, size, 11);
	ASSERT_TRUE(write_text("/sys/bus/pci/drivers/nvme/unbind", name));
	EXPECT_LT(open_pool(self->device), 0);
	EXPECT_TRUE(read_is_sigbus(p));
	EXPECT_TRUE(read_is_sigbus(p + size - 1));
	q = map(self->fd, PAGE);
	EXPECT_EQ(q, MAP_FAILED);
	munmap(p, size);
	close(self->fd);

	ASSERT_TRUE(write_text("/sys/bus/pci/drivers/nvme/bind", name));
	/* The driver takes its queues from the pool after the write has returned. */
	while (read_number(self->available) != self->before && wait++ < 200)
		usleep(50000);
	self->fd = open_pool(self->device);
	ASSERT_GE(self->fd, 0);
	p = map(self->fd, size);
	ASSERT_NE(p, MAP_FAILED);
	pattern_fill(p, size, 12);
	EXPECT_EQ(pattern_wrong(p, size, 12), 0);
	munmap(p, size);
}

TEST_HARNESS_MAIN
