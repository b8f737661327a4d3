#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tc-policy=skip_hw: software tc is used because it was asked for; bytes are whole frames, tagged ones too; nothing is left behind.
# stock: fails because bytes of flows in software tc leave out the Ethernet header
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch tc-policy=skip_hw
bridge_up
flows in_port=1,dl_vlan=0xffff,ip,actions=output:2 in_port=1,dl_vlan=7,ip,actions=strip_vlan,output:2 in_port=2,actions=output:1
listen vm2
send vm1 to=vm2 count=5 size=100
send vm1 to=vm2 count=5 size=104 vlan=7
in_tc() { [ "$(filters_not_in_hw "${REP[1]}")" -ge 2 ]; }
wait_for 10 in_tc
[ "$(filters_in_hw "${REP[1]}")" = 0 ] || fail "a filter is in hardware"
send vm1 to=vm2 count=40 size=100
send vm1 to=vm2 count=30 size=104 vlan=7
expect_heard vm2 80 "size=100 .*sum=ok"
expect_of_count in_port=1,dl_vlan=0xffff 45 4500
expect_of_count in_port=1,dl_vlan=7 35 $((35 * 104))
stop_vswitchd --cleanup
no_filters "$UPLINK" "${REP[@]}" || fail "filters are left"
