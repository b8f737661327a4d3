#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes flows.txt: what the stock ovs-dpctl sends to the kernel for a flow. Run it in the lab, as root of a guest:

    hwtests/lab run --out DIR tests/golden/kdatapath/make-flows.py DIR/flows.txt

Each line: flow, actions, and the attributes OVS_FLOW_ATTR_KEY, _MASK and _ACTIONS in hex, tab-separated. The messages are read off an nlmon device."""
import os
import socket
import struct
import subprocess
import sys
import time

FLOWS = [
    ("recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.0/255.255.255.0,proto=6,"
     "tos=0/0x3,ttl=64,frag=no),tcp(src=1,dst=2),tcp_flags(0/0)", "2,9"),
    ("recirc_id(0x5),dp_hash(0x3/0xf),in_port(2),skb_mark(0x1/0xff),skb_priority(7),eth(),eth_type(0x0800),ipv4(frag=later)",
     "set(eth(src=02:00:00:00:00:09)),set(ipv4(src=1.2.3.4,ttl=3)),1"),
    ("recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(frag=first)", "set(ipv4(tos=0x4/0xfc)),1"),
    ("recirc_id(0),in_port(2),ct_state(+est+trk),ct_zone(0x5),ct_mark(0x1),ct_label(0x1/0xff),eth(),eth_type(0x0800),ipv4(proto=17,frag=no),"
     "udp(src=0/0,dst=53)", "ct(commit,zone=5,mark=0x1/0xff,label=0x2/0xf,nat(src=10.0.0.1-10.0.0.9:1000-2000,random)),recirc(9)"),
    ("recirc_id(0),in_port(9),eth(),eth_type(0x8100),vlan(vid=3,pcp=0),encap(eth_type(0x0800),ipv4(proto=17,frag=no),udp(src=0/0,dst=53))",
     "pop_vlan,push_vlan(vid=5,pcp=0),userspace(pid=5,userdata(0102030405060708)),1"),
    ("recirc_id(0),in_port(9),eth(),eth_type(0x88a8),vlan(vid=3,pcp=2),encap(eth_type(0x8100),vlan(vid=4,pcp=0/0),encap(eth_type(0x86dd),"
     "ipv6(proto=58,frag=no),icmpv6(type=128,code=0/0)))", "pop_vlan,1"),
    ("recirc_id(0),in_port(1),eth(),eth_type(0x8847),mpls(label=5,tc=0,ttl=0/0,bos=1)", "2"),
    ("recirc_id(0),in_port(1),eth(),eth_type(0x88cc)", "sample(sample=10.0%,actions(2)),trunc(100),2,clone(push_vlan(vid=1,pcp=0),9),meter(3),ct_clear"),
    ("recirc_id(0),in_port(77),eth(),eth_type(0x86dd),ipv6(src=::1,dst=fe80::/ffff:ffff:ffff:ffff::,label=0/0,proto=6,tclass=0/0,hlimit=64,frag=no),"
     "tcp(src=0/0xff00,dst=0/0),tcp_flags(+syn-ack)", "set(ipv6(dst=::5,hlimit=3)),check_pkt_len(size=100,gt(1),le(2))"),
    ("recirc_id(0),in_port(3),eth(),eth_type(0x0800),ipv4(proto=1,frag=no),icmp(type=8,code=0)", "set(skb_mark(0x5/0xf)),set(skb_priority(6)),2"),
    ("recirc_id(0),in_port(3),eth(),eth_type(0x0800),ipv4(proto=132,frag=no),sctp(src=5,dst=6)", "set(sctp(dst=7)),2"),
    ("recirc_id(0),in_port(3),eth(),eth_type(0x0800),ipv4(proto=17,frag=no),udp(src=5,dst=6)", "set(udp(src=7,dst=8)),2"),
    ("recirc_id(0),in_port(4),eth(),eth_type(0x0800),ipv4(proto=6,frag=no),tcp(src=5,dst=6),tcp_flags(0/0)", "set(tcp(src=7)),ct(zone=3,nat),recirc(4)"),
    ("recirc_id(0),tunnel(tun_id=0x5,src=1.2.3.4,dst=5.6.7.8,tos=0x0,ttl=64,flags(key)),in_port(4),eth(),eth_type(0x1234)",
     "set(tunnel(tun_id=0x7,dst=10.0.0.9,ttl=64,tp_dst=4789,flags(df|csum|key))),3"),
]
KEY, ACTIONS, MASK = 1, 2, 7


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack("=HH", data[:4])
        if length < 4:
            break
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def flow_message(data):
    """Attributes of a request that adds a flow, or None. They stand behind nlmsghdr, genlmsghdr and ovs_header."""
    if len(data) < 24:
        return None
    length, _, flags, _, _, cmd = struct.unpack("=IHHIIB", data[:17])
    if length != len(data) or not flags & 1 or cmd != 1:
        return None
    found = attributes(data[24:])
    return found if KEY in found and ACTIONS in found and MASK in found else None


def main():
    run = lambda *args: subprocess.run(args, check=True, env=dict(os.environ, OVS_RUNDIR="/run"))
    run("ip", "link", "add", "nlmon0", "type", "nlmon")
    run("ip", "link", "set", "nlmon0", "up")
    monitor = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    monitor.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    monitor.bind(("nlmon0", 0))
    monitor.settimeout(0.2)
    run("/usr/bin/ovs-dpctl", "add-dp", "dp0")
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("# SPDX-License-Identifier: Apache-2.0\n# Made by make-flows.py from the stock ovs-dpctl 3.1.0.\n")
        for flow, actions in FLOWS:
            run("/usr/bin/ovs-dpctl", "add-flow", "dp0", flow, actions)
            found, end = None, time.monotonic() + 3
            while found is None and time.monotonic() < end:
                try:
                    found = flow_message(monitor.recv(65536))
                except socket.timeout:
                    pass
            if found is None:
                sys.exit(f"{flow}: its message was not seen")
            out.write("\t".join([flow, actions] + [found[a].hex() for a in (KEY, MASK, ACTIONS)]) + "\n")


main()
