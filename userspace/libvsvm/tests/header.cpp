// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The public header, as C++ sees it: compiled with all warnings as errors, and
 * linked. Needs no device.
 */
#include <cerrno>
#include <cstdio>

#include <vsvm.h>

int main()
{
	const char text[] = "not an ELF file";
	vsvm_module *module = nullptr;
	vsvm_launch launch = {};
	vsvm_failure failure = {};

	launch.groups[0] = 1;
	failure.status = VSVM_ISA_STATUS_FAULT;
	if (vsvm_module_load(text, sizeof(text), &module) != -ENOEXEC || module || launch.kernel)
		return 1;
	std::printf("%s; %s\n", vsvm_error_message(), vsvm_status_string(failure.status));
	return 0;
}
