#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Somebody removes the filters by hand, or puts his own beside them: the switch repairs what is its own and leaves the others.
# stock: fails because it doesn't notice
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
settle ping_exact 1 2 20
tc filter add dev "${REP[1]}" ingress prio 3 protocol ip flower skip_hw dst_ip 192.0.2.1 action drop
tc filter del dev "${REP[1]}" ingress prio 2048
ping_exact 1 2 20
wait_in_hw "${REP[1]}"
settle ping_exact 1 2 20
tc qdisc del dev "${REP[2]}" clsact
ping_exact 1 2 20
wait_in_hw "${REP[2]}"
settle ping_exact 1 2 20
ovs-vsctl set Open_vSwitch . other_config:hw-offload=false
only_his() { [ "$(tc filter show dev "${REP[1]}" ingress | grep -c handle)" = 1 ] && no_filters "${REP[2]}"; }
wait_for 20 only_his
ping_exact 1 2 20
tc filter del dev "${REP[1]}" ingress prio 3
