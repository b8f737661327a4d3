#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# idle_timeout sees traffic in hardware: the rule lives while packets flow and goes when they stop; hard_timeout does not care.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows idle_timeout=6,in_port=1,ip,actions=output:2
settle send vm1 to=vm2 count=2 size=100
flat send vm1 to=vm2 count=600 gap_us=20000 size=100
of_count_is packets in_port=1 0 && fail "the rule went although packets flowed in hardware"
no_rule() { ! ovs-ofctl dump-flows br0 | grep -q in_port; }
wait_for 20 no_rule
