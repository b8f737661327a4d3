#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Filters of an earlier switch that say other things than the tables go at start; those of other people stay.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
flowerbed_only
nic_up 2
clsact "${REP[1]}"
tc filter add dev "${REP[1]}" ingress prio 2048 handle 77 protocol ip flower ip_flags nofrag \
    action drop cookie 00112233445566778899aabbccddeeff
tc filter add dev "${REP[1]}" ingress prio 5 protocol ip flower ip_proto 99 \
    action mirred egress redirect dev "${REP[2]}" cookie ffeeddccbbaa99887766554433221100
tc filter add dev "${REP[1]}" ingress prio 4 protocol ip flower skip_hw dst_ip 192.0.2.1 action drop
tc filter add dev "${REP[1]}" ingress prio 6 protocol ip flower skip_hw dst_ip 192.0.2.2 action drop cookie 0011
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
strays() { tc filter show dev "${REP[1]}" ingress | grep -c "cookie 00112233445566778899aabbccddeeff\|cookie ffeeddccbbaa99887766554433221100"; }
strays_gone() { [ "$(strays)" = 0 ]; }
wait_for 15 strays_gone
settle ping_exact 1 2 20
flat ping_exact 1 2 20
stop_vswitchd --cleanup
left=$(tc filter show dev "${REP[1]}" ingress | grep -c "dst_ip 192.0.2.")
[ "$left" = 2 ] || fail "$left of 2 filters of others are left"
[ "$(tc filter show dev "${REP[1]}" ingress | grep -c handle)" = 2 ] || fail "filters of the switch are left"
