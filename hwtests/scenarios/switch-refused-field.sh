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

# A flow that has not come yet: what the NIC said of its like is known, and of another kind that it was not asked.
flowerbed_only
explained() { ovs-offload explain br0 "$1" >"$SWITCH_DIR/explained"; }
said() { grep -q "$1" "$SWITCH_DIR/explained" || fail "ovs-offload explain does not say \"$1\": $(cat "$SWITCH_DIR/explained")"; }
explained in_port=1,dl_src=02:00:00:00:00:77,dl_dst=02:00:00:00:00:78,ip,nw_tos=32,nw_src=10.0.0.77
said "^place:   kernel"
said "cannot match"
said "the driver refused such a filter before; the next such flow is tried in "
explained in_port=1,arp,arp_op=1
said "^such a flow is cached; it runs in: hardware"
flows priority=7,in_port=1,dl_type=0x88b5,actions=output:2
explained in_port=1,dl_type=0x88b5
said "^place:   hardware"
said "the driver is asked only when the flow comes"
