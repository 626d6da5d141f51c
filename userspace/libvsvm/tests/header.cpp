// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The public header, as C++ sees it.
 */
#include "vsvm.h"

int main()
{
	return *vsvm_error_message();
}
