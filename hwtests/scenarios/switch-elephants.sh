#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A table too small for all: flows with few packets had it first, the one with many gets it, and keeps it.
# stock: fails because the first come keep the table
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 2 table_size=3
start_switch max-idle=60000
bridge_up
flows in_port=1,udp,tp_dst=9,actions=output:2
for port in 1 2 3 4; do
    flows "in_port=1,udp,tp_dst=$port,actions=output:2"
done
listen vm2
for port in 1 2 3 4; do
    send vm1 to=vm2 count=2 dport="$port" size=100
done
full() { [ "$(hw_counter rules)" = 3 ]; }
wait_for 10 full

# hardware_has PORT
hardware_has() {
    tc filter show dev "${REP[1]}" ingress | grep -q "dst_port $1\$"
}
elephant() { send vm1 to=vm2 count=100 gap_us=1000 dport=9 size=100 && hardware_has 9; }
wait_for 30 elephant
[ "$(hw_counter rules)" -le 3 ] || fail "more rules than the table holds"
if [ "$SWITCH" = flowerbed ]; then
    ! grep "reports counters late" "$SWITCH_DIR/ovs-vswitchd.log" || fail "the log speaks of late counters, of a NIC that has none"
    ovs-offload flows --place=kernel | grep -q "POLICY_MICE\|HW_NO_SPACE" || fail "nobody says why small flows are not in hardware"
fi
# The small ones come again and again; it stays.
for _ in 1 2 3; do
    for port in 1 2 3 4; do
        send vm1 to=vm2 count=1 dport="$port" size=100
    done
    hardware_has 9 || fail "the flow with the most packets lost its place"
    send vm1 to=vm2 count=100 gap_us=1000 dport=9 size=100
done
sent=$(heard vm2 | grep -c "dport=9 ")
expect_of_count udp,tp_dst=9 "$sent" $((sent * 100))
for port in 1 2 3 4; do
    expect_of_count udp,tp_dst=$port 5 500
done
