#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Header rewrite: addresses, TTL, TOS and ports, with every checksum right afterwards; fragments are left to software.
. "${0%/*}/../lib.sh"
nic_up 2
clsact
to2="action mirred egress redirect dev ${REP[2]}"
rule "${REP[1]}" 1 ip ip_proto udp dst_port 53 \
    action pedit ex munge ip dst set 10.0.0.77 munge ip ttl set 9 munge udp dport set 5353 munge eth src set 02:00:00:00:00:aa pipe \
    action csum ip4h and udp $to2
rule "${REP[1]}" 2 ip ip_proto tcp action pedit ex munge ip src set 10.9.8.7 munge tcp sport set 80 pipe action csum ip4h and tcp $to2
rule "${REP[1]}" 3 ip ip_proto icmp action pedit ex munge ip tos set 0x20 pipe action csum ip4h $to2

listen vm2
flat send vm1 to=vm2 count=5 proto=udp dport=53 size=201
flat send vm1 to=vm2 count=5 proto=tcp sport=1234 dport=99 size=777
flat send vm1 to=vm2 count=5 proto=icmp size=100
expect_heard vm2 5 "src_mac=02:00:00:00:00:aa type=0x0800 src=10.0.0.1 dst=10.0.0.77 tos=0 ttl=9 proto=17 sport=1000 dport=5353 sum=ok"
expect_heard vm2 5 "src=10.9.8.7 dst=10.0.1.2 .*proto=6 sport=80 dport=99 sum=ok"
expect_heard vm2 5 "tos=32 .*proto=1 .*sum=ok"
expect_heard vm2 15 "sum=ok"

# Non-first fragment of UDP, with bytes where the ports would be: none of the rules may touch it.
before=$(seen_by "${REP[1]}")
send vm1 to=vm2 count=2 proto=udp dport=53 fragment=0x2000
wait_for 5 test "$(seen_by "${REP[1]}")" -ge $((before + 2))
expect_heard vm2 15

refused "does not match on it" "${REP[1]}" 9 ip action pedit ex munge tcp sport set 80 pipe $to2
refused "cannot rewrite these bytes" "${REP[1]}" 9 ip ip_proto tcp action pedit ex munge tcp flags set 2 pipe $to2
refused "pedit add" "${REP[1]}" 9 ip action pedit ex munge ip ttl add 0xff pipe $to2
