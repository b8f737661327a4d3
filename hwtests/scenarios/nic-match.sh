#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each kind of match takes what it should and nothing else.
. "${0%/*}/../lib.sh"
nic_up 2
clsact
d=${REP[1]}
to2="action mirred egress redirect dev ${REP[2]}"
rule "$d" 1 ip ip_proto tcp tcp_flags 0x2/0x12 $to2
rule "$d" 2 ip ip_proto udp src_port 0x1000/0xf000 $to2
rule "$d" 3 ip src_ip 10.1.0.0/16 $to2
rule "$d" 4 ip ip_tos 0x48/0xfc ip_ttl 3 $to2
rule "$d" 5 ip ip_flags firstfrag $to2
rule "$d" 6 ip ip_flags frag $to2
rule "$d" 7 ip ip_proto icmp type 8 code 0 $to2
rule "$d" 8 ip ip_proto sctp dst_port 9 $to2
rule "$d" 9 0x88b5 dst_mac "${MAC[2]}" $to2
rule "$d" 10 all action drop
listen vm2
try() { # PRIO FRAME...
    local prio=$1
    shift
    local before
    before=$(rule_counter "$d" "$prio" packets)
    flat send vm1 to=vm2 "$@"
    assert_equal "prio $prio after: $*" $((before + 1)) "$(rule_counter "$d" "$prio" packets)"
}
try 1 proto=tcp flags=2
try 10 proto=tcp flags=0x12
try 2 sport=4097
try 10 sport=100
try 3 src=10.1.2.3
try 10 src=10.2.2.3
try 4 tos=0x49 ttl=3
try 10 tos=0x49 ttl=4
try 5 fragment=0x2000
try 6 fragment=0x0010
try 7 proto=icmp
try 10 proto=132
try 9 type=0x88b5
expect_heard vm2 8
