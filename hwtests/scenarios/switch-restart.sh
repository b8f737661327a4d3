#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The switch restarts under traffic, as an upgrade would: not one packet is lost, and the OpenFlow counters go on from zero exactly.
# stock: fails because it removes all rules at start and has no flows for a while
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
settle ping_exact 1 2 20
stream 1 2
restart_switch stop_vswitchd
wait_in_hw "${REP[1]}"
settle ping_exact 1 2 20
end_stream
expect_loss_at_most 0
flat ping_exact 1 2 50

# At rest, a burst is counted exactly.
before=$(resting packets in_port=1)
bytes=$(of_count bytes in_port=1)
flat send vm1 to=vm2 count=100 size=100
expect_of_count in_port=1 $((before + 100)) $((bytes + 10000))
