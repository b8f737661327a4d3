#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Rules change, offload and its policy are switched, under traffic and with slow firmware: every packet and byte is counted.
# stock: fails because counters of replaced filters are lost
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 3
start_switch
bridge_up
flows in_port=1,ip,actions=output:2
settle send vm1 to=vm2 count=2 size=100

change_often() {
    local port
    for port in 3 2 3 2 3 2 3 2 3 2 3 2; do
        ovs-ofctl mod-flows br0 "in_port=1,ip,actions=output:$port"
        pause 0.2
    done
}

switch_policies() {
    local policy
    for policy in skip_hw skip_sw none; do
        ovs-vsctl set Open_vSwitch . other_config:tc-policy=$policy
        pause 0.5
    done
    ovs-vsctl set Open_vSwitch . other_config:hw-offload=false
    pause 0.5
    ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
}

under_traffic change_often
knob insert_delay_ms 20
under_traffic change_often
knob insert_delay_ms 0
under_traffic switch_policies
wait_in_hw "${REP[1]}"
