/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef _UAPI_VSVM_ISA_H_
#define _UAPI_VSVM_ISA_H_

/**
 * DOC: The vsvm instruction set and kernel ABI
 *
 * A compute unit of the vsvm GPU executes RV64IMAFD, little endian, user level
 * only, with no compressed instructions. Of the control and status registers
 * there are fflags, frm and fcsr. Every work-item is a hart of its own.
 * All addresses are virtual addresses of the process that submitted the work:
 * code, stack, arguments and data. The memory must be mapped with the protection
 * that the access needs, as for the CPU: that of code with PROT_EXEC.
 *
 * When a hart starts, its registers hold
 *
 * ======== =========================================================
 * register contents
 * ======== =========================================================
 * pc       &drm_vsvm_submit.entry
 * ra       %VSVM_ISA_RETURN_PC: returning from the kernel ends the hart
 * sp       top of the stack of this work-item, 16 byte aligned
 * a0       &drm_vsvm_submit.arg
 * a1 to a3 global id of the work-item: x, y, z
 * a4       linear id of the work-item in its work-group
 * a5       linear id of the work-group in the grid
 * a6       number of work-items in the whole grid
 * a7       number of work-items in a work-group
 * ======== =========================================================
 *
 * and every other register is zero, those of floating point and fcsr included. A
 * GPU kernel is thus an ordinary C function of up to eight integer arguments, see
 * &VSVM_ISA_RETURN_PC.
 *
 * The environment call (``ecall``) takes its function in a7, see
 * &enum vsvm_isa_ecall. ``fence`` orders all memory accesses of the hart;
 * ``fence.i`` makes stores visible to instruction fetches of the same hart.
 * ``ebreak``, an unknown instruction and a misaligned atomic end the dispatch
 * with an error. Misaligned loads and stores work, also across pages. ``lr`` is an
 * atomic access, too, and needs write permission; ``sc`` fails unless the memory
 * still has the value that ``lr`` read.
 *
 * A work-group has local memory at &VSVM_ISA_LOCAL_BASE, as much as
 * &drm_vsvm_submit.local_size says, rounded up to 4 KiB. It is the same for all its
 * harts and nobody else sees it; it is never faulted on, and it is lost with the
 * work-group. What it holds to begin with is undefined, but nothing of another
 * process. All accesses work there as elsewhere, fetches included.
 *
 * The stack of a work-item is slot ``cu * max_group + local_id`` of the stack
 * area of the dispatch, where ``cu`` is the compute unit that runs the
 * work-group and ``local_id`` the linear id in the work-group.
 */

/** VSVM_ISA_RETURN_PC - a jump to this address ends the hart */
#define VSVM_ISA_RETURN_PC	0xfffffffffffffff0ULL

/** VSVM_ISA_LOCAL_BASE - address of local memory, where no process has memory */
#define VSVM_ISA_LOCAL_BASE	0x800000000000ULL

/** VSVM_ISA_VA_BITS - bits of a GPU virtual address; higher bits are zero */
#define VSVM_ISA_VA_BITS	48

/**
 * enum vsvm_isa_ecall - functions of the environment call
 * @VSVM_ISA_ECALL_EXIT: ends the hart
 * @VSVM_ISA_ECALL_BARRIER: waits until every hart of the work-group that has
 *	not ended waits here, too; orders all memory accesses before it
 */
enum vsvm_isa_ecall {
	VSVM_ISA_ECALL_EXIT = 0,
	VSVM_ISA_ECALL_BARRIER = 1,
};

/**
 * enum vsvm_isa_access - kind of a memory access
 * @VSVM_ISA_ACCESS_READ: load
 * @VSVM_ISA_ACCESS_WRITE: store
 * @VSVM_ISA_ACCESS_ATOMIC: atomic memory operation, needs write permission
 * @VSVM_ISA_ACCESS_FETCH: instruction fetch
 */
enum vsvm_isa_access {
	VSVM_ISA_ACCESS_READ = 0,
	VSVM_ISA_ACCESS_WRITE = 1,
	VSVM_ISA_ACCESS_ATOMIC = 2,
	VSVM_ISA_ACCESS_FETCH = 3,
};

/**
 * enum vsvm_isa_status - how a dispatch ended
 * @VSVM_ISA_STATUS_OK: every hart ended by itself
 * @VSVM_ISA_STATUS_FAULT: a memory access could not be served
 * @VSVM_ISA_STATUS_ILLEGAL: unknown or malformed instruction
 * @VSVM_ISA_STATUS_MISALIGNED: misaligned atomic access or jump target
 * @VSVM_ISA_STATUS_BREAK: ``ebreak`` was executed
 * @VSVM_ISA_STATUS_ECALL: ``ecall`` with an unknown function
 * @VSVM_ISA_STATUS_KILLED: the queue was destroyed or the device removed
 */
enum vsvm_isa_status {
	VSVM_ISA_STATUS_OK = 0,
	VSVM_ISA_STATUS_FAULT = 1,
	VSVM_ISA_STATUS_ILLEGAL = 2,
	VSVM_ISA_STATUS_MISALIGNED = 3,
	VSVM_ISA_STATUS_BREAK = 4,
	VSVM_ISA_STATUS_ECALL = 5,
	VSVM_ISA_STATUS_KILLED = 6,
};

#endif /* _UAPI_VSVM_ISA_H_ */
