#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (C) 2026 The vsvm developers
"""Turns the linked GPU kernels into a C header.

usage: embed_kernels.py NM OBJCOPY KERNELS.ELF HEADER

The header has the code, vsvm_kernel_code[], and enum vsvm_kernel with the
offset of each kernel in it.
"""

import subprocess
import sys
import tempfile

WORDS_PER_LINE = 6


def output_of(*command):
    """Output of a command that must succeed."""
    return subprocess.run(command, check=True, capture_output=True).stdout


def main():
    """Writes the header."""
    nm_tool, objcopy, elf, header = sys.argv[1:]
    symbols = [line.split() for line in output_of(
        nm_tool, "--defined-only", "--extern-only", elf).decode().splitlines()]
    kernels = {name: int(address, 16) for address, kind, name in symbols
               if kind == "T"}
    if not kernels:
        raise SystemExit(f"{elf}: no kernels")
    with tempfile.TemporaryDirectory() as scratch:
        flat = f"{scratch}/flat"
        output_of(objcopy, "-O", "binary", elf, flat)
        with open(flat, "rb") as file:
            code = file.read()
    code += bytes(-len(code) % 4)
    words = [f"0x{int.from_bytes(code[i:i + 4], 'little'):08x},"
             for i in range(0, len(code), 4)]

    with open(header, "w", encoding="utf-8") as out:
        out.write("/* SPDX-License-Identifier: MIT */\n"
                  "/* Made by embed_kernels.py. */\n"
                  "#ifndef VSVM_KERNEL_CODE_H\n#define VSVM_KERNEL_CODE_H\n\n"
                  "#include <stdint.h>\n\nenum vsvm_kernel {\n")
        for name, offset in sorted(kernels.items(), key=lambda k: k[1]):
            out.write(f"\tVSVM_KERNEL_{name.strip('_').upper()} = {offset},\n")
        out.write("};\n\nextern const uint32_t vsvm_kernel_code"
                  f"[{len(words)}];\n\n#endif\n\n"
                  "#ifdef VSVM_KERNEL_CODE_HERE\n"
                  f"const uint32_t vsvm_kernel_code[{len(words)}] = {{\n")
        for i in range(0, len(words), WORDS_PER_LINE):
            out.write("\t" + " ".join(words[i:i + WORDS_PER_LINE]) + "\n")
        out.write("};\n#endif\n")


if __name__ == "__main__":
    main()
