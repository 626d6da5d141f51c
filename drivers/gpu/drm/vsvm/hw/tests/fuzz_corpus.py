#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""usage: fuzz_corpus.py unpack CORPUS DIR | pack CORPUS DIR

A directory of inputs, as libFuzzer has it, from and to one file, see fuzz_replay.c.
"""
import hashlib
import pathlib
import struct
import sys

HEAD = b"SPDX-License-Identifier: GPL-2.0-only OR MIT; inputs for fuzz.c\n"
LIMIT = 200 * 1024


def unpack(corpus, folder):
    data = corpus.read_bytes()
    at = data.index(b"\n") + 1
    while at < len(data):
        (size,) = struct.unpack_from("<H", data, at)
        item = data[at + 2:at + 2 + size]
        (folder / hashlib.sha1(item).hexdigest()).write_bytes(item)
        at += 2 + size


def pack(corpus, folder):
    out = HEAD
    items = sorted((path.read_bytes() for path in folder.iterdir()), key=lambda i: (len(i), i))
    for item in items:
        if len(item) < 65536 and len(out) + 2 + len(item) <= LIMIT:
            out += struct.pack("<H", len(item)) + item
    corpus.write_bytes(out)


if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
    sys.exit(__doc__)
{"pack": pack, "unpack": unpack}[sys.argv[1]](pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
