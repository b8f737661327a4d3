#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a user reads: where flows are and why, in ovs-offload and in the dumps that scripts grep.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
settle ping_exact 1 2 20
ovs-appctl dpctl/dump-flows -m type=offloaded | grep -q "offloaded:yes" || fail "dpctl/dump-flows does not say offloaded:yes"
ovs-appctl dpctl/dump-flows type=offloaded | grep -q "in_port" || fail "no offloaded flows in the dump"
flowerbed_only
ovs-offload status | grep -q "$UPLINK" || ovs-offload status | grep -q switchdev || fail "status does not know the NIC"
ovs-offload ports | grep -q "${REP[1]}" || fail "ports does not list ${REP[1]}"
ovs-offload flows | grep -qi "tc_hw\|hardware" || fail "flows does not show the place"
