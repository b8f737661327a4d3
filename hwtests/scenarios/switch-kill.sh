#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9: offloaded traffic goes on without the switch; it starts again, adopts, and nothing is lost.
# stock: fails because it removes all rules at start and has no flows for a while
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
settle ping_exact 1 2 20
kill_vswitchd_while_pinging() {
    kill_vswitchd
    flat ping_exact 1 2 100
}
stream 1 2
restart_switch kill_vswitchd_while_pinging
wait_in_hw "${REP[1]}"
settle ping_exact 1 2 20
end_stream
expect_loss_at_most 0
flat ping_exact 1 2 50
[ "$(ovs-vsctl list-ports br0 | wc -l)" = 3 ] || fail "ports are missing after the restart"
