// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Errors in words.
 */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

static _Thread_local char message[256];

int vsvm_fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return err;
}

const char *vsvm_error_message(void)
{
	return message;
}

const char *vsvm_status_string(uint32_t status)
{
	switch (status) {
	case VSVM_ISA_STATUS_OK: return "ended well";
	case VSVM_ISA_STATUS_FAULT: return "memory access that cannot be served";
	case VSVM_ISA_STATUS_ILLEGAL: return "illegal instruction";
	case VSVM_ISA_STATUS_MISALIGNED: return "misaligned atomic access or jump";
	case VSVM_ISA_STATUS_BREAK: return "ebreak instruction";
	case VSVM_ISA_STATUS_ECALL: return "ecall with an unknown function";
	case VSVM_ISA_STATUS_KILLED: return "queue destroyed or device removed";
	default: return "unknown status";
	}
}

const char *vsvm_access_string(uint32_t access)
{
	switch (access) {
	case VSVM_ISA_ACCESS_READ: return "read";
	case VSVM_ISA_ACCESS_WRITE: return "write";
	case VSVM_ISA_ACCESS_ATOMIC: return "atomic";
	case VSVM_ISA_ACCESS_FETCH: return "fetch";
	default: return "unknown access";
	}
}
