#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A field that the NIC cannot match on: that flow runs in software and works, its neighbours stay in hardware, bytes are exact everywhere.
# stock: fails because bytes of flows in software tc leave out the Ethernet header
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 2
knob cannot_match ip
start_switch
bridge_up
flows priority=10,in_port=1,ip,nw_tos=32,actions=output:2 priority=5,in_port=1,arp,actions=output:2 in_port=2,actions=output:1
listen vm2
send vm1 to=vm2 count=40 size=100 tos=32
expect_heard vm2 40 "tos=32 .*sum=ok"
[ "$(hw_counter refused_match)" -ge 1 ] || fail "the NIC was never asked"
send vm1 to=vm2 type=0x0806 count=5 size=60
wait_in_hw "${REP[1]}"
flat send vm1 to=vm2 type=0x0806 count=20 size=60
expect_of_count ip,nw_tos=32 40 4000
expect_of_count arp 25 1500
if [ "$SWITCH" = flowerbed ]; then
    ovs-offload flows | grep -q "cannot match" || fail "ovs-offload does not say what the NIC said"
fi
