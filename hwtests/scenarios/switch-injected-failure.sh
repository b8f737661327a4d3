#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The NIC fails insertions for a while: traffic goes on in software, and moves into hardware when the NIC has recovered.
# stock: fails because it never tries again
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 2
start_switch
bridge_up
knob fail_next 3
flows in_port=1,ip,actions=output:2 in_port=2,actions=output:1
listen vm2
send vm1 to=vm2 count=30 size=100
expect_heard vm2 30
[ "$(hw_counter injected_failures)" -ge 1 ] || fail "the NIC was never asked"
expect_of_count in_port=1,ip 30 3000
arrived() { send vm1 to=vm2 count=1 size=100 && has_in_hw "${REP[1]}"; }
wait_for 30 arrived
flat send vm1 to=vm2 count=30 size=100
