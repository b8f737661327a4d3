#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Idle flows leave the hardware, their last packets counted; the next packet brings them back.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 2
start_switch
idle_after() { ovs-vsctl set Open_vSwitch . other_config:max-idle="$1"; }
bridge_up
flows in_port=1,ip,actions=output:2
listen vm2
send vm1 to=vm2 count=20 size=100
wait_in_hw "${REP[1]}"
flat send vm1 to=vm2 count=57 size=100
idle_after 1500
empty() { [ "$(hw_counter rules)" = 0 ]; }
wait_for 15 empty
expect_of_count in_port=1 77 7700
idle_after 60000
send vm1 to=vm2 count=3 size=100
wait_in_hw "${REP[1]}"
expect_heard vm2 80
expect_of_count in_port=1 80 8000
