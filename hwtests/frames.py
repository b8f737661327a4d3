#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exact frames for scenarios.

frames.py send DEVICE NAME=VALUE...   sends frames built from the values below
frames.py receive DEVICE FILE         writes one line for each frame that DEVICE receives, until it is killed

A line: size=98 src_mac=... dst_mac=... [vlan=VID/PCP]... type=0x0800 src=... dst=... tos= ttl= proto=17 sport= dport= sum=ok
`sum` is ok when every checksum that the frame has is right.
"""
import socket
import struct
import sys
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4
PACKET_AUXDATA = 8
SOL_PACKET = 263
DEFAULTS = {
    "count": "1", "size": "0", "dst_mac": "ff:ff:ff:ff:ff:ff", "src_mac": "", "vlan": "", "type": "ip", "src": "0.0.0.0",
    "dst": "0.0.0.0", "proto": "udp", "sport": "1000", "dport": "2000", "ttl": "64", "tos": "0", "flags": "2", "gap_us": "0",
    "fragment": "0", "payload": "", "spread": "1",
}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def transport(o, src, dst, payload):
    """The layer-4 header and payload, with the right checksum."""
    sport, dport = int(o["sport"]), int(o["dport"])
    if o["proto"] == "udp":
        number, at = 17, 6
        body = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    elif o["proto"] == "tcp":
        number, at = 6, 16
        body = struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 5 << 4, int(o["flags"], 0), 512, 0, 0) + payload
    elif o["proto"] == "icmp":
        body = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + payload
        return 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    else:
        return int(o["proto"]), payload
    pseudo = src + dst + struct.pack("!BBH", 0, number, len(body))
    value = checksum(pseudo + body) or 0xffff
    return number, body[:at] + struct.pack("!H", value) + body[at + 2:]


def build(o, own_mac):
    payload = o["payload"].encode()
    headers = 14 + 4 * len([v for v in o["vlan"].split(",") if v]) + 20
    headers += {"udp": 8, "tcp": 20, "icmp": 8}.get(o["proto"], 0)
    payload += bytes(max(0, int(o["size"]) - headers - len(payload)))
    src, dst = socket.inet_aton(o["src"]), socket.inet_aton(o["dst"])
    number, body = transport(o, src, dst, payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, int(o["tos"], 0), 20 + len(body), 1, int(o["fragment"], 0), int(o["ttl"]), number, 0, src, dst)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    frame = mac_bytes(o["dst_mac"]) + (mac_bytes(o["src_mac"]) if o["src_mac"] else own_mac)
    for tag in [v for v in o["vlan"].split(",") if v]:
        vid, _, pcp = tag.partition("/")
        frame += struct.pack("!HH", 0x8100, int(vid) | int(pcp or 0) << 13)
    if o["type"] != "ip":
        frame += struct.pack("!H", int(o["type"], 0)) + o["payload"].encode()
        return frame + bytes(max(0, int(o["size"]) - len(frame)))
    return frame + struct.pack("!H", 0x0800) + ip + body


def send(device, pairs):
    o = dict(DEFAULTS)
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in o:
            sys.exit("frames.py: there is no '%s'; known: %s" % (name, " ".join(sorted(o))))
        o[name] = value
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind((device, 0))
    frames = []
    for i in range(int(o["spread"])):  # over so many destination ports, in turn
        frames.append(build(dict(o, dport=str(int(o["dport"]) + i)), s.getsockname()[4]))
    gap = int(o["gap_us"]) / 1e6
    for i in range(int(o["count"])):
        s.send(frames[i % len(frames)])
        if gap:
            time.sleep(gap)


def describe_transport(number, ip, body, words):
    """Appends what there is of layer 4; returns whether its checksum is right."""
    if number in (6, 17) and len(body) >= 8:
        words += ["sport=%d" % struct.unpack("!H", body[:2]), "dport=%d" % struct.unpack("!H", body[2:4])]
        if number == 17 and body[6:8] == b"\0\0":
            return True
        return checksum(ip[12:20] + struct.pack("!BBH", 0, number, len(body)) + body) == 0
    if number == 1:
        words += ["icmp_type=%d" % body[0]]
        return checksum(body) == 0
    return True


def describe(frame, tags):
    words = ["size=%d" % (len(frame) + 4 * len(tags)), "dst_mac=" + frame[0:6].hex(":"), "src_mac=" + frame[6:12].hex(":")]
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        tags.append(struct.unpack("!H", frame[at + 2:at + 4])[0])
        at += 4
    words += ["vlan=%d/%d" % (tag & 0xfff, tag >> 13) for tag in tags]
    (ethertype,) = struct.unpack("!H", frame[at:at + 2])
    words.append("type=0x%04x" % ethertype)
    if ethertype == 0x0800:
        ip = frame[at + 2:]
        words += ["src=" + socket.inet_ntoa(ip[12:16]), "dst=" + socket.inet_ntoa(ip[16:20])]
        words += ["tos=%d" % ip[1], "ttl=%d" % ip[8], "proto=%d" % ip[9]]
        good = checksum(ip[:20]) == 0
        if not struct.unpack("!H", ip[6:8])[0] & 0x3fff:
            good = describe_transport(ip[9], ip, ip[20:struct.unpack("!H", ip[2:4])[0]], words) and good
        words.append("sum=ok" if good else "sum=bad")
    return " ".join(words)


def receive(device, path):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind((device, ETH_P_ALL))
    with open(path, "w") as out:
        while True:
            frame, ancillary, _, address = s.recvmsg(65536, 256)
            if address[2] == PACKET_OUTGOING:
                continue
            tags = []
            for level, kind, data in ancillary:
                if level == SOL_PACKET and kind == PACKET_AUXDATA and len(data) >= 18:
                    status, tci = struct.unpack("=I", data[:4])[0], struct.unpack("=H", data[16:18])[0]
                    if status & 0x10:  # TP_STATUS_VLAN_VALID: the kernel took the outer tag off
                        tags.append(tci)
            out.write(describe(frame, tags) + "\n")
            out.flush()


def main():
    if len(sys.argv) >= 3 and sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3:])
    elif len(sys.argv) == 4 and sys.argv[1] == "receive":
        receive(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)


main()
