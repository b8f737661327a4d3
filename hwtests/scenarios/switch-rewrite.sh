#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Header rewrite in hardware: addresses, ports, TTL, TOS and a pushed tag arrive changed, with right checksums.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows "priority=10,in_port=1,udp,tp_dst=53,actions=mod_nw_dst:10.9.9.9,mod_tp_dst:5353,mod_dl_src:02:00:00:00:00:aa,output:2" \
    "priority=10,in_port=1,tcp,actions=mod_nw_src:10.8.8.8,mod_tp_src:80,mod_nw_tos:32,mod_nw_ecn:1,output:2" \
    "priority=10,in_port=1,udp,tp_dst=54,actions=mod_vlan_vid:30,output:2"
listen vm2
for round in dns tcp vlan; do
    case $round in
    dns) what="proto=udp dport=53 size=201" ;;
    tcp) what="proto=tcp sport=1234 dport=99 size=777" ;;
    vlan) what="proto=udp dport=54 size=100" ;;
    esac
    settle send vm1 to=vm2 count=2 $what
    flat send vm1 to=vm2 count=50 $what
done
heard vm2 | grep -q "sum=bad" && fail "a wrong checksum: $(heard vm2 | grep -m1 sum=bad)"
wait_for 5 heard_at_least vm2 52 "src_mac=02:00:00:00:00:aa type=0x0800 src=10.0.0.1 dst=10.9.9.9 .*dport=5353 sum=ok"
wait_for 5 heard_at_least vm2 52 "src=10.8.8.8 dst=10.0.1.2 tos=33 .*sport=80 dport=99 sum=ok"
wait_for 5 heard_at_least vm2 52 "vlan=30/0 type=0x0800 .*dport=54 sum=ok"
wait_in_hw "${REP[1]}" 3
