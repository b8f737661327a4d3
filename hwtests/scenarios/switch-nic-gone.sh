#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A NIC that left is no more in ovs-offload status, whose JSON, as that of all commands, is what programs expect.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
flowerbed_only
nic_up 2
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
settle ping_exact 1 2 20
check_answers() { python3 "$LAB_TOP/tests/interop/offload" --ask; }
check_answers || fail "ovs-offload --format=json gives other members"
nics() { ovs-offload --format=json status | grep -c '"switch_id"' || :; }
assert_equal "NICs in status" "$(nics)" 1
hardware_flows() { ovs-offload --place=hardware --format=json flows | grep -c '"id"' || :; }
[ "$(hardware_flows)" -ge 2 ] || fail "there are no flows in hardware"
[ -n "$(ovs-offload --place=hardware flows "ip,in_port=${REP[1]}")" ] || fail "no flow comes from ${REP[1]}"
ovs-offload flows ip,in_port=1 | grep -q "in_port(${REP[1]})" || fail "flows does not know the OpenFlow port"
rmmod simnic
no_nics() { [ "$(nics)" = 0 ]; }
wait_for 10 no_nics
check_answers || fail "ovs-offload --format=json gives other members without a NIC"
