#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The NIC takes two seconds for each insertion: no packet waits for it.
# stock: fails because the first packet waits until the NIC has taken the flow
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 2
start_switch
bridge_up
knob insert_delay_ms 2000
for port in $(seq 1 8); do
    flows "in_port=1,udp,tp_dst=$port,actions=output:2"
done
flows in_port=1,icmp,actions=output:2 in_port=2,actions=output:1
listen vm2
for port in $(seq 1 8); do
    send vm1 to=vm2 count=3 dport="$port" size=100
done
expect_heard vm2 24
[ "$(hw_counter inserted)" -lt 8 ] || fail "packets waited for the NIC"
out=$(in_vm 1 ping -q -n -i 0.01 -c 20 -W 2 10.0.0.2)
grep -q " 20 received" <<<"$out" || fail "ping: $out"
slowest=$(sed -n 's|^rtt [^=]*= [0-9.]*/[0-9.]*/\([0-9]*\).*|\1|p' <<<"$out")
[ "$slowest" -lt 500 ] || fail "a ping took $slowest ms"
wait_for 60 has_in_hw "${REP[1]}" 8
for port in $(seq 1 8); do
    expect_of_count udp,tp_dst="$port" 3 300
done
