#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds packets of every kind the parser knows, whole and broken, and writes "HEX<TAB>FLOW" lines: the flow is what the stock
ovs-ofctl reads from the same bytes (its parse-pcap command), used as a black box.

usage: make-extract.py > extract.txt
"""
import os, random, struct, subprocess, sys, tempfile

R = random.Random(20)
D = bytes.fromhex("020000000002")
S = bytes.fromhex("020000000001")


def eth(t, p=b"", d=D, s=S):
    return d + s + struct.pack("!H", t) + p


def vlan(tci, t, p):
    return struct.pack("!HH", tci, t) + p


def ip4(proto, p, off=0, opts=b"", tos=0x2e, ttl=64, total=None, ihl=None, src=0x0a000001, dst=0x0a000002, ver=4):
    ihl = ihl if ihl is not None else 5 + len(opts) // 4
    total = total if total is not None else 20 + len(opts) + len(p)
    return struct.pack("!BBHHHBBHII", ver << 4 | ihl, tos, total, 7, off, ttl, proto, 0, src, dst) + opts + p


def ip6(nxt, p, plen=None, tc=0xb9, label=0x12345, hlim=63, ver=6):
    plen = plen if plen is not None else len(p)
    return struct.pack("!IHBB", ver << 28 | tc << 20 | label, plen, nxt, hlim) + bytes(range(0x20, 0x30)) + bytes(range(0x40, 0x50)) + p


def tcp(flags=0x012, off=5, more=b""):
    return struct.pack("!HHIIHHHH", 1234, 80, 1, 2, off << 12 | flags, 512, 0, 0) + more


def udp(n=0):
    return struct.pack("!HHHH", 53, 5353, 8 + n, 0) + bytes(n)


def sctp():
    return struct.pack("!HHII", 36412, 38412, 9, 0) + bytes(8)


def icmp(t, c, p=bytes(4)):
    return struct.pack("!BBH", t, c, 0) + p


def ext(nxt, n=0):
    return struct.pack("!BB", nxt, n) + bytes(6 + 8 * n)


def frag(nxt, off, more, res=0):
    return struct.pack("!BBHI", nxt, 0, off << 3 | res << 1 | more, 77)


def arp(op, hrd=1, pro=0x800, hln=6, pln=4):
    return struct.pack("!HHBBH", hrd, pro, hln, pln, op) + S + b"\x0a\0\0\1" + D + b"\x0a\0\0\2"


def nd(t, opts=b"", code=0, res=0, target=bytes(range(0x60, 0x70))):
    return struct.pack("!BBHI", t, code, 0, res) + target + opts


def lla(t, m=b"\x02\x11\x22\x33\x44\x55", n=1):
    return bytes([t, n]) + m


def nsh(np, p, mdtype=1, ver=0, length=6, ttl=63, flags=0, ctx=bytes(range(0x80, 0x90))):
    return struct.pack("!HBBI", ver << 14 | flags << 12 | ttl << 6 | length, mdtype, np, 0x00123405) + ctx + p


def lse(label, tc, bos, ttl):
    return struct.pack("!I", label << 12 | tc << 9 | bos << 8 | ttl)


def base():
    yield eth(0x1234)
    yield eth(0x05ff, bytes(40))
    yield eth(0x0600, bytes(40))
    yield eth(0)
    # 802.2
    snap = b"\xaa\xaa\x03\0\0\0"
    yield eth(46, snap + struct.pack("!H", 0x0800) + ip4(17, udp()))
    yield eth(46, snap + struct.pack("!H", 0x05f0) + bytes(38))
    yield eth(46, b"\xaa\xaa\x03\0\0\1" + struct.pack("!H", 0x0800) + ip4(17, udp()))
    yield eth(38, b"\x42\x42\x03" + bytes(43))
    yield eth(46, snap + struct.pack("!H", 0x8100) + vlan(5, 0x800, ip4(6, tcp())))
    # VLAN
    for t in (0x8100, 0x88a8, 0x9100):
        yield eth(t, vlan(0xe007, 0x0800, ip4(6, tcp())))
        yield eth(t, vlan(0, 0x0800, ip4(6, tcp())))
        yield eth(t, vlan(0x1fff, 0x0800, ip4(6, tcp())))
        yield eth(t, vlan(7, 0x8100, vlan(0x2008, 0x86dd, ip6(6, tcp()))))
        yield eth(t, vlan(7, 0x88a8, vlan(0x2008, 0x8100, vlan(9, 0x800, ip4(6, tcp())))))
    yield eth(0x8100, vlan(7, 46, snap + struct.pack("!H", 0x0800) + ip4(17, udp())))
    # MPLS
    for t in (0x8847, 0x8848):
        yield eth(t, lse(100, 5, 1, 64) + ip4(6, tcp()))
        yield eth(t, lse(100, 5, 0, 64) + lse(200, 1, 1, 63) + ip4(6, tcp()))
        yield eth(t, lse(1, 1, 0, 1) + lse(2, 2, 0, 2) + lse(3, 3, 1, 3) + bytes(20))
        yield eth(t, lse(1, 1, 0, 1) + lse(2, 2, 0, 2) + lse(3, 3, 0, 3) + lse(4, 4, 1, 4) + bytes(20))
        yield eth(t, lse(1, 1, 0, 1) + lse(2, 2, 0, 2))
    yield eth(0x8100, vlan(7, 0x8847, lse(100, 5, 1, 64) + bytes(20)))
    # ARP
    for op in (0, 1, 2, 3, 8, 255, 256, 258, 511):
        yield eth(0x0806, arp(op))
        yield eth(0x8035, arp(op))
    yield eth(0x0806, arp(1, hrd=6))
    yield eth(0x0806, arp(1, pro=0x86dd))
    yield eth(0x0806, arp(1, hln=8))
    yield eth(0x0806, arp(1, pln=16))
    yield eth(0x0806, arp(1) + bytes(18))
    # IPv4
    l4 = [(6, tcp()), (6, tcp(0xfff)), (6, tcp(more=bytes(10))), (6, tcp(off=4)), (6, tcp(off=0)), (6, tcp(off=15)), (17, udp()), (17, udp(9)),
          (132, sctp()), (1, icmp(8, 0)), (1, icmp(3, 1, bytes(32))), (2, icmp(0x16, 0, b"\xe0\0\0\x05")), (2, icmp(0x22, 0, bytes(12))),
          (47, bytes(20)), (50, bytes(20)), (58, icmp(128, 0)), (255, b""), (0, bytes(8)), (136, udp())]
    for proto, p in l4:
        yield eth(0x800, ip4(proto, p))
        yield eth(0x800, ip4(proto, p, opts=bytes(4)))
        yield eth(0x800, ip4(proto, p, opts=bytes(40)))
        for off in (0x2000, 0x2001, 0x0001, 0x1fff, 0x4000, 0x8000, 0x6000):
            yield eth(0x800, ip4(proto, p, off=off))
    yield eth(0x800, ip4(17, udp(4)) + bytes(14))
    yield eth(0x800, ip4(17, udp(4)) + bytes(255))
    yield eth(0x800, ip4(17, udp(4)) + bytes(256))
    yield eth(0x800, ip4(17, udp(4)) + bytes(300))
    yield eth(0x800, ip4(17, udp(4), total=20))
    yield eth(0x800, ip4(17, udp(4), total=27))
    yield eth(0x800, ip4(17, udp(4), total=28))
    yield eth(0x800, ip4(17, udp(4), total=19))
    yield eth(0x800, ip4(17, udp(4), total=0))
    yield eth(0x800, ip4(17, udp(4), total=33))
    yield eth(0x800, ip4(17, udp(4), ihl=4))
    yield eth(0x800, ip4(17, udp(4), ihl=6))
    yield eth(0x800, ip4(17, udp(4), ihl=15))
    for ver in (0, 5, 6):
        yield eth(0x800, ip4(17, udp(4), ver=ver))
    yield eth(0x800, ip4(17, udp(4), tos=3, ttl=0, src=0, dst=0xffffffff))
    # IPv6
    l6 = [(6, tcp()), (17, udp(3)), (132, sctp()), (58, icmp(128, 0)), (58, icmp(1, 4, bytes(44))), (1, icmp(8, 0)), (2, icmp(0x16, 0)), (59, b""), (59, bytes(8)),
          (47, bytes(8)), (58, icmp(128, 0)[:4]), (58, icmp(130, 0, bytes(20)))]
    for nxt, p in l6:
        yield eth(0x86dd, ip6(nxt, p))
        for h in (0, 43, 60, 135, 139, 140, 50):
            yield eth(0x86dd, ip6(h, ext(nxt) + p))
            yield eth(0x86dd, ip6(h, ext(nxt, 2) + p))
        yield eth(0x86dd, ip6(51, struct.pack("!BB", nxt, 4) + bytes(22) + p))
        yield eth(0x86dd, ip6(0, ext(43) + ext(60) + ext(51) + struct.pack("!BB", nxt, 1) + bytes(10) + p))
        for off, more in ((0, 0), (0, 1), (5, 1), (5, 0), (8191, 0)):
            yield eth(0x86dd, ip6(44, frag(nxt, off, more) + p))
            yield eth(0x86dd, ip6(0, ext(44) + frag(nxt, off, more, 3) + p))
            yield eth(0x86dd, ip6(44, frag(60, off, more) + ext(nxt) + p))
    yield eth(0x86dd, ip6(6, tcp(), plen=0))
    yield eth(0x86dd, ip6(6, tcp(), plen=19))
    yield eth(0x86dd, ip6(6, tcp(), plen=21))
    yield eth(0x86dd, ip6(6, tcp() + bytes(300), plen=20))
    yield eth(0x86dd, ip6(6, tcp() + bytes(30), plen=20))
    yield eth(0x86dd, ip6(6, tcp(), ver=4))
    yield eth(0x86dd, ip6(0, ext(6, 9) + tcp()))
    yield eth(0x86dd, ip6(44, frag(44, 0, 1) + frag(6, 0, 0) + tcp()))
    # ND
    for t in (133, 134, 135, 136, 137):
        for o in (b"", lla(1), lla(2), lla(1) + lla(2), lla(1) + lla(1), lla(14), lla(5) + lla(1), lla(1, n=0), lla(1, n=2) + bytes(8), lla(2, n=9),
                  lla(1, m=bytes(6)), lla(2)[:5], lla(14) + lla(15), lla(2) + lla(14), b"\1"):
            yield eth(0x86dd, ip6(58, nd(t, o, res=0xe0000005)))
        yield eth(0x86dd, ip6(58, nd(t, lla(1), code=1)))
        yield eth(0x86dd, ip6(58, nd(t)[:20]))
        yield eth(0x86dd, ip6(58, nd(t, lla(1), target=bytes(16))))
    yield eth(0x86dd, ip6(44, frag(58, 0, 1) + nd(135, lla(1))))
    # NSH
    inner = eth(0x800, ip4(6, tcp()))
    for kw in ({}, {"mdtype": 2, "length": 2, "ctx": b""}, {"mdtype": 2, "length": 3, "ctx": b"\0\1\2\0"}, {"mdtype": 3}, {"ver": 1}, {"length": 5},
               {"length": 7, "ctx": bytes(20)}, {"flags": 2, "ttl": 1}, {"length": 63}):
        yield eth(0x894f, nsh(3, inner, **kw))
        yield eth(0x894f, nsh(1, ip4(6, tcp()), **kw))
    yield eth(0x8100, vlan(9, 0x894f, nsh(3, inner)))


def packets():
    whole = list(base())
    yield from whole
    # Every truncation of a few, some truncations of others.
    deep = [eth(0x800, ip4(6, tcp())), eth(0x8100, vlan(7, 0x88a8, vlan(8, 0x86dd, ip6(58, nd(135, lla(1)))))), eth(0x806, arp(1)),
            eth(0x8847, lse(1, 1, 0, 1) + lse(2, 2, 1, 2) + bytes(8)), eth(46, b"\xaa\xaa\x03\0\0\0\x08\x06" + arp(2)),
            eth(0x86dd, ip6(0, ext(44) + frag(17, 0, 1) + udp(2))), eth(0x894f, nsh(3, eth(0x1234)))]
    for p in deep:
        for n in range(len(p)):
            yield p[:n]
    for p in whole:
        yield p[:R.randrange(14, len(p) + 1)]
    # Damage.
    for p in whole:
        b = bytearray(p)
        for _ in range(R.choice((1, 1, 2, 8))):
            b[R.randrange(12, len(b))] = R.randrange(256)
        yield bytes(b)


def main():
    seen = {}
    for p in packets():
        seen.setdefault(p)
    pkts = [p for p in seen if p]
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "p.pcap")
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for p in pkts:
                f.write(struct.pack("<IIII", 0, 0, len(p), len(p)) + p)
        out = subprocess.run(["ovs-ofctl", "parse-pcap", path], capture_output=True, text=True, check=True).stdout.splitlines()
    if len(out) != len(pkts):
        sys.exit(f"{len(pkts)} packets, {len(out)} lines")
    print("# SPDX-License-Identifier: Apache-2.0")
    print("# Made by make-extract.py with ovs-ofctl 3.1.0: packet, flow.")
    for p, line in zip(pkts, out):
        print(p.hex() + "\t" + line)


main()
