#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A NIC that took many filters is believed to take the next ones without a look at each (offload/ofl_trust.c). When it then says no, silently as drivers do to
# filters that software has too, the switch notices, takes those flows home, and asks again later. All packets arrive, all count.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
flowerbed_only "the stock switch doesn't notice"
blast=$LAB_TOP/tests/fakes/blast
[ -x "$blast" ] || skip "$blast is not built"
nic_up 2 table_size=2000
start_switch
bridge_up
flows 'in_port=1,udp,actions=move:NXM_OF_IP_SRC[]->NXM_NX_REG0[],move:NXM_OF_UDP_SRC[]->NXM_NX_REG1[0..15],move:NXM_OF_UDP_DST[]->NXM_NX_REG1[16..31],output:2'
sent=$(mktemp)
at_exit rm -f "$sent"
blast() { # COUNT FIRST
    in_vm 1 "$blast" "$(device_of vm1)" "$1" "$1" 500 60 "$2" >>"$sent"
}
expect_all_counted() {
    local n
    n=$(awk '{ n += $1 } END { print n }' "$sent")
    expect_of_count in_port=1,udp "$n" $((n * 60))
}

blast 300 0
wait_in_hw "${REP[1]}" 300

knob fail_next 60
blast 150 300
refused() { [ "$(hw_counter injected_failures)" -ge 60 ]; }
wait_for 10 refused
none_in_software() { [ "$(filters_not_in_hw "${REP[1]}")" = 0 ]; }
wait_for 10 none_in_software
noticed=$(ovs-appctl -t ovs-vswitchd coverage/read-counter flow_left_hardware)
[ "$noticed" -ge 1 ] || fail "no filter was believed to be in hardware that wasn't: $noticed"
expect_all_counted

again() { blast 450 0 && has_in_hw "${REP[1]}" 450; }
wait_for 30 again
flat blast 450 0
expect_all_counted
