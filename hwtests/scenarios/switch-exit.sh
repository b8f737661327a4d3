#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# exit --cleanup leaves no filter and no datapath behind; a plain exit leaves the traffic running.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up standalone
settle ping_exact 1 2 20
stop_vswitchd
flat ping_exact 1 2 20
start_vswitchd
wait_for 10 ovs-ofctl show br0
settle ping_exact 1 2 20
stop_vswitchd --cleanup
no_filters "$UPLINK" "${REP[@]}" || fail "filters are left"
[ ! -e /sys/class/net/br0 ] || fail "br0 is left"

# Filters that a killed switch left, and that the next one has no rules for: they go, and so does what they hung on.
if [ "$SWITCH" = flowerbed ]; then
    start_vswitchd
    wait_for 10 ovs-ofctl show br0
    flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
    settle ping_exact 1 2 20
    kill_vswitchd
    start_vswitchd
    wait_for 15 no_filters "$UPLINK" "${REP[@]}"
    stop_vswitchd --cleanup
    no_clsact() { ! tc qdisc show | grep -q clsact; }
    no_clsact || fail "left behind: $(tc qdisc show | grep clsact)"
fi
