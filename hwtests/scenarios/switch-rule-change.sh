#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rule's actions change under traffic: frames go one way or the other, none is lost, none goes both ways.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 3
start_switch
bridge_up
flows in_port=1,ip,actions=output:2
listen vm2
listen vm3
settle send vm1 to=vm2 count=2 size=100
send vm1 to=vm2 count=2000 gap_us=500 size=100 dport=99 &
sender=$!
wait_for 10 heard_at_least vm2 300 dport=99
ovs-ofctl mod-flows br0 "in_port=1,ip,actions=output:3"
wait $sender
all_there() { [ $(($(heard_count vm2 dport=99) + $(heard_count vm3 dport=99))) -ge 2000 ]; }
wait_for 5 all_there
[ "$(heard_count vm3 dport=99)" -ge 500 ] || fail "the change came too late"
assert_equal "frames that arrived" 2000 $(($(heard_count vm2 dport=99) + $(heard_count vm3 dport=99)))
settle send vm1 to=vm3 count=2 size=100 dport=5
flat send vm1 to=vm3 count=50 size=100 dport=5
