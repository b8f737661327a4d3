#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes match.txt: the matches that the stock ovs-ofctl puts into flow-mods, in every version and in NXM.

Lines: VERSION(or nxm) TAB TEXT TAB HEX. Run it with openvswitch-switch 3.1 installed; it listens on a
socket of its own and records what ovs-ofctl sends."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import recorder

MATCHES = """in_port=1
in_port=LOCAL
in_port=controller
dl_src=01:02:03:04:05:06,dl_dst=0a:0b:0c:0d:0e:0f
dl_dst=01:00:00:00:00:00/01:00:00:00:00:00
dl_type=0x1234
dl_vlan=5
dl_vlan=0xffff
dl_vlan=0
dl_vlan_pcp=3
dl_vlan_pcp=0
dl_vlan=7,dl_vlan_pcp=2
vlan_tci=0x1000/0x1000
vlan_tci=0x1003/0x1fff
vlan_tci=0x1123/0x1f3f
vlan_vid=0x1005/0x1005
ip
ip,nw_src=10.1.2.3,nw_dst=10.0.0.0/8
ip,nw_src=10.0.1.0/255.0.255.0
ip,nw_tos=8
ip,nw_tos=252,nw_ecn=2
ip,nw_ecn=1
ip,nw_ttl=64
ip,nw_proto=47
ip,ip_frag=yes
ip,ip_frag=not_later
arp
arp,arp_op=2,arp_spa=1.2.3.4,arp_tpa=5.6.7.8/16
arp,arp_sha=00:01:02:03:04:05,arp_tha=ff:ff:ff:ff:ff:ff
rarp
tcp,tp_src=80
tcp,tp_dst=1000/0xfff8,nw_src=1.2.3.4
tcp,tcp_flags=+syn-ack
udp,tp_src=53,tp_dst=1
sctp,tp_src=9,tp_dst=10
icmp,icmp_type=8,icmp_code=0
ipv6
tcp6,tp_dst=22,ipv6_src=fe80::1,ipv6_dst=2001:db8::/32
ipv6,ipv6_label=0x12345
icmp6,icmp_type=1,icmp_code=2
icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::2,nd_sll=00:01:02:03:04:05
icmp6,icmp_type=136,icmp_code=0,nd_target=fe80::/64,nd_tll=00:01:02:03:04:06
mpls,mpls_label=100,mpls_tc=3,mpls_bos=1
mplsm,mpls_ttl=5
metadata=0x1234567890abcdef
metadata=0x12/0xff
reg0=1
reg1=0x10/0xf0,reg15=3
xreg0=0x100000002
xxreg1=5/15
tun_id=5
tun_id=0x50/0xf0,tun_src=1.1.1.1,tun_dst=2.2.2.0/24
tun_ipv6_dst=::1
tun_flags=oam
tun_gbp_id=3,tun_gbp_flags=8
tun_erspan_ver=1,tun_erspan_idx=0x10
pkt_mark=5/0xff
ct_state=+trk+est-inv
ct_zone=7,ct_mark=1,ct_label=0x1/0x3
ct_state=+trk+est,ct_nw_src=1.2.3.4,ip
conj_id=9
recirc_id=3
dp_hash=5/7
nsh,nsh_spi=5,nsh_si=6,nsh_c1=7/0xff
packet_type=(1,0x800)
actset_output=5
in_port=2,dl_vlan=3,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_src=3,tp_dst=4,nw_tos=4,reg3=9"""

NAMES = {"1": ["-O", "OpenFlow10", "-F", "OpenFlow10"], "nxm": ["-O", "OpenFlow10", "-F", "NXM"]}


def match_of(message, form):
    if form == "1":
        return message[8:48]
    if form == "nxm":
        n = int.from_bytes(message[40:42], "big")
        return message[48:48 + n]
    body = message[48:]
    n = int.from_bytes(body[2:4], "big")
    return body[:(n + 7) // 8 * 8]


def main():
    for form in ["1", "nxm", "2", "3", "4", "5", "6"]:
        version = 1 if form == "nxm" else int(form)
        options = NAMES.get(form, ["-O", "OpenFlow1%d" % (version - 1)])
        for text in MATCHES.split("\n"):
            got, err = recorder.record(version, ["ovs-ofctl", "--no-names", *options, "add-flow", "SOCK", text + ",actions=drop"])
            mods = [m for m in got if (m[1] == 14 or (form == "nxm" and m[1] == 4 and m[12:16] == b"\0\0\0\x0d"))]
            if mods:
                print(form, text, match_of(mods[0], form).hex(), sep="\t")


main()
