/* SPDX-License-Identifier: MIT */
/*
 * Copyright (C) 2026 The vsvm developers
 */
#ifndef VSVM_IGT_COMPAT_H
#define VSVM_IGT_COMPAT_H

/**
 * DOC: Old spelling
 *
 * IGT up to 2.2 writes "igt_main {" where later ones write "int igt_main() {". The
 * vsvm tests use the later spelling, and of what has changed only this. With
 * VSVM_IGT_OLD_SPELLING, which the build finds out by trying, the later spelling
 * is made of the old one: the "int" becomes a variable that nobody uses.
 */
#ifdef VSVM_IGT_OLD_SPELLING
#undef igt_main
#define igt_main()              \
	vsvm_igt_compat_unused; \
	igt_main_args("", NULL, NULL, NULL, NULL)
#endif

#endif /* VSVM_IGT_COMPAT_H */
