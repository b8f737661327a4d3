#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Loading and unloading with everything in use leaves nothing behind, several NICs at once included.
. "${0%/*}/../lib.sh"
needs simulated
for round in 1 2 3; do
    insmod "$LAB_MODULE" nics=2 vfs=4 switchdev=1
    for n in 0 1; do
        tc qdisc add dev nic${n}_0 clsact
        rule nic${n}_0 1 ip action mirred egress redirect dev nic${n}_3
    done
    refused "not a port of this NIC" nic0_0 2 ip action mirred egress redirect dev nic1_1
    [ "$(cat /sys/class/net/nic0_0/phys_switch_id)" != "$(cat /sys/class/net/nic1_0/phys_switch_id)" ] || fail "two NICs, one switch id"
    rmmod simnic
    [ -z "$(ls -d /sys/class/net/nic* 2>/dev/null)" ] || fail "round $round left devices behind"
done
