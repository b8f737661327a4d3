#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tc-policy is changed while flows are there: they move to where it says, the first time already, and not a packet is lost or miscounted.
# stock: fails because a changed policy takes effect only after a restart
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
listen vm2
send vm1 to=vm2 count=10 size=100
wait_in_hw "${REP[1]}"

set_policy() { ovs-vsctl set Open_vSwitch . other_config:tc-policy="$1"; }
in_software() { [ "$(filters_not_in_hw "${REP[1]}")" -ge 1 ] && [ "$(filters_in_hw "${REP[1]}")" = 0 ] && [ "$(hw_counter rules)" = 0 ]; }
under_traffic set_policy skip_hw
wait_for 10 in_software
grep -q '^layers: *tc, then kernel' <(ovs-offload status) || fail "layers: $(ovs-offload status)"
[ -n "$(ovs-offload flows --place tc in_port=1)" ] || fail "no flow is in tc"
under_traffic set_policy skip_sw
wait_in_hw "${REP[1]}"
under_traffic set_policy skip_hw
wait_for 10 in_software
under_traffic set_policy none
wait_in_hw "${REP[1]}"
ovs-appctl upcall/show | grep -qx "  offloaded flows : 1" || fail "upcall/show: $(ovs-appctl upcall/show)"
flat send vm1 to=vm2 count=10 size=100
expect_heard vm2 12020
