#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One frame to several ports; what is done to a copy does not touch the others.
. "${0%/*}/../lib.sh"
needs wire
nic_up 3
clsact
rule "${REP[1]}" 1 ip dst_mac 01:00:5e:00:00:05/ff:ff:ff:00:00:00 \
    action mirred egress mirror dev "${REP[2]}" \
    action vlan push id 30 \
    action mirred egress mirror dev "${REP[3]}" \
    action vlan pop \
    action mirred egress redirect dev "$UPLINK"
for place in vm2 vm3 wire; do
    listen $place
done
flat send vm1 dst_mac=01:00:5e:00:00:05 dst=239.0.0.5 count=20 size=300
expect_heard vm2 20 "size=300 .*mac=[^ ]* type=0x0800 .*dst=239.0.0.5 .*sum=ok"
expect_heard vm3 20 "size=304 .*vlan=30/0 .*dst=239.0.0.5 .*sum=ok"
expect_heard wire 20 "size=300 .*mac=[^ ]* type=0x0800 .*dst=239.0.0.5 .*sum=ok"
assert_equal "one counter for the rule, not one per copy" 20 "$(rule_counter "${REP[1]}" 1 packets)"
