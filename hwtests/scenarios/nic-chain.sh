#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# goto chain: the NIC does and counts what comes before, and software goes on in that chain, and does nothing twice.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 3
clsact
ip link add sink type veth peer name source
for dev in sink source; do
    ip link set $dev up
done
tc filter add dev "${REP[1]}" ingress chain 7 protocol all prio 1 flower skip_hw action skbedit ptype host pipe \
    action mirred ingress redirect dev sink
tc filter add dev "${REP[1]}" ingress protocol ip prio 1 flower ip_proto udp action mirred egress mirror dev "${REP[2]}" pipe \
    action mirred egress mirror dev "${REP[3]}" pipe action goto chain 7
assert_in_hw "${REP[1]}" 1
python3 "$LIB/frames.py" receive sink "$(heard_file sink)" &
at_exit kill $!
wait_for 10 test -e "$(heard_file sink)"
listen vm2
listen vm3
send vm1 to=vm2 count=30 size=100
for place in sink vm2 vm3; do
    expect_heard $place 30 "size=100 .*sum=ok"
done
assert_equal "packets counted by the NIC" 30 "$(rule_counter "${REP[1]}" 1 packets)"
in_software() {
    tc -s filter show dev "${REP[1]}" ingress chain "$1" | awk '/Sent software/ && !n { n = $5 } END { print n + 0 }'
}
assert_equal "packets counted by software in the first chain" 0 "$(in_software 0)"

# What misses in the NIC goes the same way in software.
tc filter replace dev "${REP[1]}" ingress protocol ip prio 1 handle 1 flower skip_hw ip_proto udp action mirred egress mirror dev "${REP[2]}" \
    pipe action mirred egress mirror dev "${REP[3]}" pipe action goto chain 7
send vm1 to=vm2 count=5 size=200
for place in sink vm2 vm3; do
    expect_heard $place 5 "size=200 .*sum=ok"
done
knob cannot_chain 1
refused "goto chain" "${REP[1]}" 2 ip action goto chain 7
