#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The database server is killed and started again: every committed change is there, traffic and switch go on.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up standalone
settle ping_exact 1 2 20
ovs-vsctl set Bridge br0 external_ids:mark=committed
kill_database
flat ping_exact 1 2 50
start_database
assert_equal "committed value" committed "$(ovs-vsctl get Bridge br0 external_ids:mark | tr -d '"')"
ovs-vsctl --timeout=20 set Port "${REP[1]}" tag=5
ovs-vsctl --timeout=20 clear Port "${REP[1]}" tag
settle ping_exact 1 2 20
