#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the NIC cannot do it refuses with a sentence, and software takes the rule when it may.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 2
clsact
to2="action mirred egress redirect dev ${REP[2]}"
ip link add other type veth
refused "ranges of ports" "${REP[1]}" 1 ip ip_proto tcp dst_port 10-20 $to2
refused "not a port of this NIC" "${REP[1]}" 1 ip action mirred egress redirect dev other
knob cannot_chain 1
refused "goto chain" "${REP[1]}" 1 ip action goto chain 3
refused "police" "${REP[1]}" 1 ip action police rate 1mbit burst 10k conform-exceed drop pipe $to2
refused "skbedit mark" "${REP[1]}" 1 ip action skbedit mark 5 pipe $to2
refused "MPLS labels" "${REP[1]}" 1 mpls_uc mpls_label 5 $to2
refused "connection tracking" "${REP[1]}" 1 ip ct_state +trk $to2
refused "neither outputs nor drops" "${REP[1]}" 1 ip action vlan push id 3
assert_equal "rules in the table" 0 "$(hw_counter rules)"
[ "$(hw_counter refused_match)" -ge 3 ] && [ "$(hw_counter refused_action)" -ge 5 ] || fail "refusals are not counted"

# Without skip_sw the same rule works, in software.
tc filter add dev "${REP[1]}" ingress protocol ip prio 1 flower ip_proto udp dst_port 10-20 $to2
tc filter show dev "${REP[1]}" ingress | grep -qw not_in_hw || fail "should be not_in_hw"
listen vm2
send vm1 to=vm2 dport=15 count=4
expect_heard vm2 4
