#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# OpenFlow rules: what the endpoints sent is what the rules count, to the packet and byte.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs wire
nic_up 2
start_switch
bridge_up
flows in_port=1,ip,nw_dst=10.0.1.2,actions=output:2 in_port=1,ip,nw_dst=10.0.1.9,actions=output:9 \
    in_port=9,ip,actions=output:1 in_port=2,actions=output:1
listen vm2
listen wire

send vm1 to=vm2 count=10 size=100
send vm1 to=wire count=10 size=200
send wire to=vm1 count=10 size=300
wait_in_hw "${REP[1]}" 2
wait_in_hw "$UPLINK" 1
settle send vm1 to=vm2 count=1 size=100 dport=9
expect_of_count in_port=9 10 3000

sent=$(of_count packets ip,nw_dst=10.0.1.2)
flat send vm1 to=vm2 count=500 size=100
flat send vm1 to=wire count=300 size=200
flat send wire to=vm1 count=200 size=300
expect_of_count ip,nw_dst=10.0.1.2 $((sent + 500)) $(((sent + 500) * 100))
expect_of_count ip,nw_dst=10.0.1.9 310 $((310 * 200))
expect_of_count in_port=9 210 $((210 * 300))
expect_heard vm2 $((sent + 500)) size=100
expect_heard wire 310 size=200
