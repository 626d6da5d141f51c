// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Modules: GPU code and its kernels.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_load.h"

#define FILE_MAX (256L << 20)

int vsvm_module_load(const void *image, size_t size, struct vsvm_module **out)
{
	struct vsvm_module *module;
	int err;

	module = calloc(1, sizeof(*module));
	if (!module)
		return vsvm_fail(-ENOMEM, "out of memory");
	err = vsvm_elf_load(module, image, size);
	if (err) {
		vsvm_module_unload(module);
		return err;
	}
	*out = module;
	return 0;
}

static int read_all(int fd, const char *path, char *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, buf + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vsvm_fail(-errno, "cannot read %s: %s", path, strerror(errno));
		if (n == 0)
			return vsvm_fail(-EIO, "%s shrank while it was read", path);
		done += n;
	}
	return 0;
}

int vsvm_module_load_file(const char *path, struct vsvm_module **out)
{
	struct stat st;
	char *image;
	int err, fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		err = vsvm_fail(-errno, "cannot open %s: %s", path, strerror(errno));
		goto close;
	}
	if (!S_ISREG(st.st_mode)) {
		err = vsvm_fail(-ENOEXEC, "%s is not a regular file", path);
		goto close;
	}
	if (st.st_size <= 0 || st.st_size > FILE_MAX) {
		err = vsvm_fail(-ENOEXEC, "%s is %s", path, st.st_size ? "too large" : "empty");
		goto close;
	}
	image = malloc(st.st_size);
	if (!image) {
		err = vsvm_fail(-ENOMEM, "out of memory");
		goto close;
	}
	err = read_all(fd, path, image, st.st_size);
	if (!err)
		err = vsvm_module_load(image, st.st_size, out);
	free(image);
close:
	if (fd >= 0)
		close(fd);
	return err;
}

void vsvm_module_unload(struct vsvm_module *module)
{
	size_t i;

	if (!module)
		return;
	for (i = 0; i < module->num_kernels; i++)
		free(module->kernels[i].name);
	free(module->kernels);
	if (module->base)
		munmap(module->base, module->size);
	free(module);
}

int vsvm_module_kernel(const struct vsvm_module *module, const char *name,
		       const struct vsvm_kernel **out)
{
	size_t i;

	for (i = 0; i < module->num_kernels; i++) {
		if (!strcmp(module->kernels[i].name, name)) {
			*out = &module->kernels[i];
			return 0;
		}
	}
	return vsvm_fail(-ENOENT, "the module has no kernel '%s'", name);
}
