#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A port leaves the bridge under traffic: its rules leave the hardware; when it comes back, so do they.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up standalone
settle ping_exact 1 2 20
stream 1 2
ovs-vsctl del-port br0 "${REP[2]}"
wait_for 10 no_filters "${REP[2]}"
points_there() { tc filter show dev "${REP[1]}" ingress | grep -q "Redirect to device ${REP[2]}"; }
points_nowhere() { ! points_there; }
wait_for 10 points_nowhere
if in_vm 1 ping -q -c 3 -i 0.1 -W 1 10.0.0.2 >/dev/null; then
    fail "vm2 answers although its port has left the bridge"
fi
ovs-vsctl add-port br0 "${REP[2]}"
end_stream
settle ping_exact 1 2 20
flat ping_exact 1 2 50
