#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hw-offload=false takes the rules out of the NIC and keeps the traffic; true puts them back.
# stock: fails because the change takes effect only after a restart
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up standalone
settle ping_exact 1 2 20
stream 1 2
ovs-vsctl set Open_vSwitch . other_config:hw-offload=false
wait_for 10 no_filters "$UPLINK" "${REP[@]}"
ping_exact 1 2 20
ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
settle ping_exact 1 2 20
end_stream
expect_loss_at_most 0
flat ping_exact 1 2 50
