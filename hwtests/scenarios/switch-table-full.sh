#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# More flows than the table holds: all work, all count; when there is room again, the others move in.
# stock: fails because it never tries again
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 2 table_size=6
start_switch
bridge_up
for port in $(seq 1 12); do
    flows "in_port=1,udp,tp_dst=$port,actions=output:2"
done
flows in_port=2,actions=output:1
listen vm2
traffic() {
    local port
    for port in $(seq 1 12); do
        send vm1 to=vm2 count=10 dport="$port" size=100
    done
}
traffic
expect_heard vm2 120
[ "$(hw_counter refused_full)" -ge 1 ] || fail "the table was never full"
[ "$(hw_counter rules)" -le 6 ] || fail "more rules than the table holds"
for port in 1 6 12; do
    expect_of_count udp,tp_dst=$port 10 1000
done

knob table_size 100
traffic
all_in() { traffic && [ "$(filters_in_hw "${REP[1]}")" -ge 12 ]; }
wait_for 20 all_in
flat send vm1 to=vm2 count=10 dport=12 size=100
