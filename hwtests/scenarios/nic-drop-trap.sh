#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# drop counts and swallows; trap counts and gives the packet to the representor.
. "${0%/*}/../lib.sh"
nic_up 2
clsact
rule "${REP[1]}" 1 ip ip_proto udp dst_port 7 action drop
rule "${REP[1]}" 2 ip ip_proto udp dst_port 8 action trap
rule "${REP[1]}" 3 ip action mirred egress redirect dev "${REP[2]}"
listen vm2
flat send vm1 to=vm2 count=12 dport=7
before=$(seen_by "${REP[1]}")
send vm1 to=vm2 count=13 dport=8
wait_for 5 test "$(seen_by "${REP[1]}")" -ge $((before + 13))
flat send vm1 to=vm2 count=1 dport=9
expect_heard vm2 1
assert_equal "dropped" 12 "$(rule_counter "${REP[1]}" 1 packets)"
assert_equal "trapped" 13 "$(rule_counter "${REP[1]}" 2 packets)"
