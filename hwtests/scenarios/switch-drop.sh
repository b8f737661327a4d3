#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rule that drops does so in hardware, and counts what it swallowed.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows priority=10,in_port=1,udp,tp_dst=7,actions=drop priority=5,in_port=1,actions=output:2 in_port=2,actions=output:1
listen vm2
send vm1 to=vm2 count=5 dport=7 size=60
send vm1 to=vm2 count=5 dport=8 size=60
wait_in_hw "${REP[1]}" 2
tc filter show dev "${REP[1]}" ingress | grep -q drop || fail "the hardware has no rule that drops"
flat send vm1 to=vm2 count=200 dport=7 size=60
flat send vm1 to=vm2 count=30 dport=8 size=60
expect_heard vm2 35 dport=8
expect_heard vm2 0 dport=7
expect_of_count udp,tp_dst=7 205 $((205 * 60))
