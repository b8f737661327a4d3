#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The VFs vanish under traffic and come back: the switch says so, survives, and forwards in hardware again.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 2
start_switch
bridge_up standalone
settle ping_exact 1 2 20
stream 1 2
echo 0 >"/sys/class/net/$UPLINK/device/sriov_numvfs"
kill -INT $STREAM 2>/dev/null || :
wait $STREAM || :
has_error() { [ "$(ovs-vsctl get Interface "${REP[1]}" ofport)" = -1 ] || [ -n "$(ovs-vsctl get Interface "${REP[1]}" error | tr -d '[]')" ]; }
wait_for 10 has_error
[ -n "$(pid_of ovs-vswitchd)" ] && ! gone "$(pid_of ovs-vswitchd)" || fail "the switch died"
set_vfs 2
find_ports 2
for n in 1 2; do
    MAC[n]=$(cat "/sys/class/net/${VF[n]}/address")
    ip link set "${VF[n]}" netns "vm$n"
    ip -n "vm$n" addr add "10.0.0.$n/24" dev "${VF[n]}"
    ip -n "vm$n" link set "${VF[n]}" up
    ip link set "${REP[n]}" up
done
neighbour vm1 "${VF[1]}" 10.0.0.2 "${MAC[2]}"
neighbour vm2 "${VF[2]}" 10.0.0.1 "${MAC[1]}"
has_ofport() { [ "$(ovs-vsctl get Interface "${REP[1]}" ofport)" -ge 1 ] && [ "$(ovs-vsctl get Interface "${REP[2]}" ofport)" -ge 1 ]; }
wait_for 10 has_ofport
settle ping_exact 1 2 20
flat ping_exact 1 2 50
