#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Multicast to two VFs and the wire, one of them with a tag: every copy arrives once, the rule counts each frame once.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs wire
nic_up 3
start_switch
bridge_up
flows "in_port=1,ip,dl_dst=01:00:5e:00:00:05,actions=output:2,output:9,mod_vlan_vid:30,output:3"
for place in vm2 vm3 wire; do
    listen $place
done
group="dst_mac=01:00:5e:00:00:05 dst=239.0.0.5 size=300"
send vm1 $group count=5
wait_in_hw "${REP[1]}"
flat send vm1 $group count=100
expect_heard vm2 105 "size=300 .*dst=239.0.0.5 .*sum=ok"
expect_heard wire 105 "size=300 .*dst=239.0.0.5 .*sum=ok"
expect_heard vm3 105 "size=304 .*vlan=30/0 .*dst=239.0.0.5 .*sum=ok"
expect_of_count dl_dst=01:00:5e:00:00:05 105 $((105 * 300))
