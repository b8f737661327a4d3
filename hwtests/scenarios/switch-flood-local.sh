#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A flood that includes the bridge's own port is in hardware: VFs and wire get theirs from the NIC, the host gets one from software.
# stock: fails because such a flood runs in software tc
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 3
start_switch
bridge_up standalone
ip link set br0 address 02:00:00:00:00:b0 up
listen_host() {
    python3 "$LIB/frames.py" receive br0 "$(heard_file host)" &
    at_exit kill $!
    wait_for 10 test -e "$(heard_file host)"
}
for place in vm2 vm3 wire; do
    listen $place
done
listen_host
everybody="host vm2 vm3 wire"

# in_hardware MATCH: the flow is in the NIC, and says why the host's copy isn't.
in_hardware() {
    ovs-offload flows | grep -A6 -- "$1" | grep -q 'bridge.s own port to software'
}

# flood SIZE TIMES PORT NAME=VALUE...: everybody hears each frame once, whatever the place of the flow.
flood() {
    local size=$1 count=$2 port=$3 place
    shift 3
    send vm1 "$@" count="$count" gap_us=500 size="$size" dport="$port"
    for place in $everybody; do
        expect_heard "$place" "$count" "size=$size .*dport=$port .*sum=ok"
    done
}

broadcast="dst_mac=ff:ff:ff:ff:ff:ff dst=10.0.0.255"
packets=$(of_count packets) bytes=$(of_count bytes)

# While it moves in: nothing is lost, nothing comes twice.
flood 100 1000 7 $broadcast
wait_in_hw "${REP[1]}"
wait_for 10 in_hardware ff:ff:ff:ff:ff:ff
before=$(hw_counter hw_packets)
missed=$(hw_counter hw_misses)
flood 200 300 8 $broadcast
assert_equal "frames that the NIC forwarded" 300 $(($(hw_counter hw_packets) - before))
assert_equal "frames that the NIC had no rule for" 0 $(($(hw_counter hw_misses) - missed))
expect_of_count "" $((packets + 1300)) $((bytes + 1000 * 100 + 300 * 200))
ovs-offload explain br0 in_port=1,udp,dl_src="${MAC[1]}",dl_dst=ff:ff:ff:ff:ff:ff >"$SWITCH_DIR/explain"
grep -q "goto chain" "$SWITCH_DIR/explain" && grep -q "bridge's own port" "$SWITCH_DIR/explain" \
    || fail "explain: $(cat "$SWITCH_DIR/explain")"
ovs-appctl ofproto/trace br0 in_port=1,udp,dl_src="${MAC[1]}",dl_dst=ff:ff:ff:ff:ff:ff | grep -q "Place: .*bridge's own port" \
    || fail "trace does not say it"

# Unicast to an address that nobody knows: the host must not take it for its own.
flood 100 500 9 dst_mac=02:00:00:00:00:77 dst=10.0.1.77
wait_for 10 in_hardware 02:00:00:00:00:77
flood 200 100 10 dst_mac=02:00:00:00:00:77 dst=10.0.1.77

# A port that is down gets nothing, and the others get theirs; up again, it has what comes.
ip link set br0 down
dropping() { tc filter show dev "${REP[1]}" ingress | grep -q 'action drop'; }
wait_for 5 dropping
everybody="vm2 vm3 wire"
flood 100 100 14 $broadcast
ip link set br0 up
redirecting() { ! dropping; }
wait_for 5 redirecting
rm "$(heard_file host)"    # the first listener ended with the port
listen_host
everybody="host vm2 vm3 wire"
flood 100 100 15 $broadcast

# Unicast between VFs has nothing to do with it.
settle ping_exact 1 2 20
flat ping_exact 1 2 50

# The rules change, and offload goes: exact as well.
packets=$(resting packets "") bytes=$(of_count bytes "")
(flood 120 1500 11 $broadcast) &
flooding=$!
pause 0.2
ovs-ofctl add-flow br0 "priority=7,in_port=1,actions=normal"
pause 0.2
ovs-vsctl set Open_vSwitch . other_config:hw-offload=false
wait_for 10 no_filters "$UPLINK" "${REP[@]}"
ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
wait $flooding || fail "while rules changed and offload went off and on"
expect_of_count "" $((packets + 1500)) $((bytes + 1500 * 120))

# A bridge port that cannot be reached so goes the old way, with the driver's sentence.
knob cannot_chain 1
ovs-vsctl set Open_vSwitch . other_config:hw-offload=false
wait_for 10 no_filters "$UPLINK" "${REP[@]}"
ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
flood 140 100 12 $broadcast
refused_now() { ovs-offload flows | grep -q 'simnic: cannot do the action'; }
wait_for 10 refused_now
flood 160 100 13 $broadcast
