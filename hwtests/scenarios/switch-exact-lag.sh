#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The NIC reports its counters a second late: rules change, offload goes off and on, ports leave, and every packet is counted.
# stock: fails because what a filter has not reported when it goes is lost
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 3
knob stats_lag_ms 1000
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:3
settle send vm1 to=vm2 count=2 size=100
settle send vm2 to=vm3 count=2 size=120

REST_S=3.5

# More often than there was room for once.
change_often() {
    local port
    for port in 3 2 3 2 3 2 3 2 3 2 3 2 3 2; do
        ovs-ofctl mod-flows br0 "in_port=1,ip,actions=output:$port"
        pause 0.15
    done
}

off_and_on() {
    pause 0.7
    ovs-vsctl set Open_vSwitch . other_config:hw-offload=false
    wait_for 10 no_filters "$UPLINK" "${REP[@]}"
    ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
}

# The flow changes what it matches: the cached one goes, and another comes.
match_changes() {
    pause 0.4
    ovs-ofctl add-flow br0 "priority=40000,in_port=1,udp,tp_dst=77,actions=drop"
    pause 0.7
    ovs-ofctl del-flows --strict br0 "priority=40000,in_port=1,udp,tp_dst=77"
}

# Its actions change, and soon after what it matches: filters of two changes have counters to come when it goes.
both_change() {
    pause 0.4
    ovs-ofctl mod-flows br0 "in_port=1,ip,actions=output:3"
    pause 0.5
    ovs-ofctl mod-flows br0 "in_port=1,ip,actions=mod_vlan_vid:9,output:2" # to push a tag, it must know that there is none
    pause 0.3
    ovs-ofctl mod-flows br0 "in_port=1,ip,actions=output:2"
}

under_traffic both_change
under_traffic change_often
under_traffic match_changes
under_traffic off_and_on
wait_in_hw "${REP[1]}"

# A port that frames come from leaves the bridge: what its flow sent by then is counted, and not one less.
packets=$(resting packets in_port=2)
bytes=$(of_count bytes in_port=2)
listen vm3
send vm2 to=vm3 count=2500 gap_us=400 size=120 &
sender=$!
wait_for 10 heard_at_least vm3 700
ovs-vsctl del-port br0 "${REP[2]}"
wait $sender
pause 0.5
arrived=$(heard_count vm3)
[ "$arrived" -lt 2500 ] || fail "the port left too late"
expect_of_count in_port=2 $((packets + arrived)) $((bytes + 120 * arrived))
wait_for 10 no_filters "${REP[2]}"

# Filters that were replaced are gone, and those before them.
rules_left() { [ "$(hw_counter rules)" -le 2 ]; }
wait_for 10 rules_left
