#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes errors.txt: what the stock switch answers to damaged requests.

Takes the requests in messages.txt, cuts them short, lengthens them and damages bytes (always the same way), and notes
for each the error it got: HEX TAB (the error's body up to the data, in hex, or "-")."""
import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stock

SEED = 20
PER_MESSAGE = 24
# Flow monitors, TLV tables, continuations, groups in OpenFlow 1.0, flushing connections.
NICIRA_LATER = [bytes([n]) for n in (21, 22, 23, 24, 25, 26, 28, 29, 31, 32)]


def is_request(m):
    version, kind = m[0], m[1]
    replies = {3, 6, 8, 10, 11, 12, 17, 19, 21} if version == 1 else {3, 6, 8, 10, 11, 12, 19, 21, 23, 25, 27, 30}
    nicira_async = kind == 4 and m[8:12] == b"\0\0\x23\x20" and m[15:16] in (b"\x0b", b"\x0e", b"\x11", b"\x1e")
    return kind not in replies and kind > 1 and not nicira_async


def unsupported(m):
    """What our switch doesn't do yet: groups, meters, bundles, monitors, queues' configuration."""
    kind, version = m[1], m[0]
    if len(m) < 12:
        return False
    if kind == 4 and m[8:12] == b"\0\0\x23\x20" and m[15:16] in NICIRA_LATER:
        return True
    if kind == 18 and version > 1 and m[12:16] != b"\0\0\0\0":  # a header's padding: the stock switch reads some of it
        return True
    if kind in ((20,) if version == 1 else (15, 22, 24, 29, 33, 34)):
        return True
    if kind == (16 if version == 1 else 18):
        stat = struct.unpack(">H", m[8:10])[0]
        if stat == 0xFFFF:
            return len(m) > 23 and m[(16 if version == 1 else 20) + 3] not in (0, 1)
        if stat == 5 and m.endswith(b"\0\0\0\0"):  # dummy ports have a queue 0
            return True
        return stat in (6, 7, 8, 9, 10, 11, 12, 14, 15, 16)
    return False


def damage(m, rng):
    out = []
    body = len(m) - 8
    for cut in sorted(rng.sample(range(body), min(body, 6))):
        out.append(m[:8 + cut])
    out.append(m + b"\0" * 8)
    out.append(m + b"\0")
    while body and len(out) < PER_MESSAGE:
        at = rng.randrange(8, len(m))
        b = bytearray(m)
        b[at] = rng.choice([rng.randrange(256), b[at] ^ 1 << rng.randrange(8), 0xFF, 0])
        out.append(bytes(b))
    b = bytearray(m)
    b[1] = rng.choice([7, 14, 17, 18, 19, 23, 35, 36, 40, 255])
    out.append(bytes(b))
    return [bytes(x[:2]) + struct.pack(">HI", len(x), 7) + bytes(x[8:]) for x in out]


def ask(path, version, m, macs):
    for golden, real in macs:
        m = m.replace(golden, real)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(3)
    s.connect(path)
    bitmap = struct.pack(">HHI", 1, 8, 1 << version) if version > 1 else b""
    s.sendall(struct.pack(">BBHI", version, 0, 8 + len(bitmap), 1) + bitmap)
    barrier = 18 if version == 1 else 20
    s.sendall(m + struct.pack(">BBHI", version, barrier, 8, 9))
    buf = b""
    answer = "-"
    while True:
        while len(buf) >= 8:
            _, kind, length, xid = struct.unpack(">BBHI", buf[:8])
            if len(buf) < length:
                break
            if kind == 1 and xid == 7:
                vendor = buf[8:12] == b"\xb0\xc2\0\0"
                experimenter = buf[8:10] == b"\xff\xff" and version >= 3
                answer = buf[8:20 if vendor else 16 if experimenter else 12].hex()
            if kind == barrier + 1 and xid == 9:
                s.close()
                return answer
            buf = buf[length:]
        data = s.recv(65536)
        if not data:
            return "closed"
        buf += data


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    rng = random.Random(SEED)
    with open(here + "/messages.txt", encoding="ascii") as f:
        requests = [bytes.fromhex(line) for line in f]
    requests = [m for m in requests if is_request(m) and len(m) < 400]
    kept, seen = [], {}
    for m in requests:
        key = (m[0], m[1], m[8:16] if m[1] in (4, 16, 18) else b"")
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= 3:
            kept.append(m)
    with stock.Stock() as switch:
        macs = switch.macs()
        assert len(macs) == 2
        for m in kept:
            for bad in damage(m, rng):
                if is_request(bad) and not unsupported(bad):
                    print(bad.hex(), ask(switch.mgmt, m[0], bad, macs), sep="\t")


main()
