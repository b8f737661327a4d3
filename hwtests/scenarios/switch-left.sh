#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What became of a port while no switch ran, its filters go at the next start: port deleted, offload switched off, bridge deleted.
# stock: fails because the filters of a bridge that was deleted stay
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 3
start_switch
rules=(in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1 in_port=3,ip,actions=output:1)
traffic() {
    ping_exact 1 2 20
    send vm3 to=vm1 count=20 size=100
}
all_up() {
    wait_for 10 ovs-ofctl show br0
    flows "${rules[@]}"
    settle traffic
    [ "$(hw_counter rules)" -ge 3 ] || fail "the flows are not in the NIC"
}
# Somebody else's, at the same place.
clsact "${REP[3]}"
tc filter add dev "${REP[3]}" ingress prio 4 protocol ip flower skip_hw dst_ip 192.0.2.1 action drop
others_stay() {
    [ "$(tc filter show dev "${REP[3]}" ingress | grep -c "handle")" = 1 ] || fail "somebody else's filter went, too"
}
only_others() { no_filters "$UPLINK" "${REP[1]}" "${REP[2]}" && [ "$(hw_counter rules)" = 0 ]; }

bridge_up
all_up
kill_vswitchd
ovs-vsctl --no-wait del-port br0 "${REP[3]}"
start_vswitchd
all_but_3() { [ "$(tc filter show dev "${REP[3]}" ingress | grep -c in_hw)" = 1 ]; } # not_in_hw of the other one
wait_for 10 all_but_3
others_stay

ovs-vsctl add-port br0 "${REP[3]}" -- set Interface "${REP[3]}" ofport_request=3
all_up
kill_vswitchd
ovs-vsctl --no-wait set Open_vSwitch . other_config:hw-offload=false
start_vswitchd
wait_for 10 only_others
others_stay
flows "${rules[@]}"
ping_exact 1 2 20

ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
all_up
kill_vswitchd
ovs-vsctl --no-wait del-br br0
start_vswitchd
wait_for 10 only_others
others_stay
