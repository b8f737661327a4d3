#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# idle_timeout sees traffic in hardware: the rule lives while packets flow and goes when they stop; hard_timeout does not care.
# What a controller is told then has all packets, and how long the rule was there.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
ovs-ofctl monitor br0 64 --detach --no-chdir --pidfile="$SWITCH_DIR/monitor.pid" 2>"$SWITCH_DIR/monitor"
end_monitor() { kill "$(cat "$SWITCH_DIR/monitor.pid")"; }
at_exit end_monitor
told() { grep -q "FLOW_REMOVED.*$1" "$SWITCH_DIR/monitor"; }
flows send_flow_rem,hard_timeout=3,in_port=1,udp,actions=output:2
send vm1 to=vm2 count=200 gap_us=2000 size=100
wait_for 20 told "reason=hard"
grep "reason=hard duration[34]\\..* pkts200 bytes20000" "$SWITCH_DIR/monitor" || fail "told: $(cat "$SWITCH_DIR/monitor")"

flows idle_timeout=6,in_port=1,ip,actions=output:2
settle send vm1 to=vm2 count=2 size=100
flat send vm1 to=vm2 count=600 gap_us=20000 size=100
of_count_is packets in_port=1 0 && fail "the rule went although packets flowed in hardware"
no_rule() { ! ovs-ofctl dump-flows br0 | grep -q in_port; }
wait_for 20 no_rule
