#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The NIC reports its counters late and refuses filters by chance: actions and masks of forty rules change under traffic, offload goes off and on, and each rule has counted what was sent to it.
# stock: fails because what a filter has not reported when it goes is lost
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
SEED=${SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "SEED=$SEED"
RANDOM=$SEED
RULES=40
EACH=${EACH:-150} # packets to each rule in a storm
SIZE=100
nic_up 3
knob stats_lag_ms 1500
knob table_size 20000
start_switch
bridge_up
for ((i = 0; i < RULES; i++)); do
    echo "in_port=1,udp,tp_dst=$((2000 + i)),actions=output:2"
done | ovs-ofctl add-flows br0 -
settle send vm1 to=vm2 count=$((2 * RULES)) spread=$RULES size=$SIZE
REST_S=3.5
SENT_EACH=$(($(resting packets in_port=1) / RULES))

# ---- what happens in a storm ------------------------------------------------------------------------------------------------

ACTIONS=(output:2 output:3 drop output:2,output:3)
REWRITES=(output:2 mod_nw_src:10.0.0.7,output:2 dec_ttl,output:3 mod_tp_src:7,output:2 mod_nw_tos:32,output:3)

# Of one rule, or of all at once.
change_one() {
    ovs-ofctl mod-flows br0 "in_port=1,udp,tp_dst=$((2000 + RANDOM % RULES)),actions=${ACTIONS[RANDOM % ${#ACTIONS[@]}]}"
}

change_all() {
    ovs-ofctl mod-flows br0 "in_port=1,udp,actions=${ACTIONS[RANDOM % ${#ACTIONS[@]}]}"
}

rewrite_all() {
    ovs-ofctl mod-flows br0 "in_port=1,udp,actions=${REWRITES[RANDOM % ${#REWRITES[@]}]}"
}

# Another rule that all of them must be told apart from, by one more bit of an address: cached flows go, and others come.
BITS=0
widen() {
    local bit=$((9 + BITS / 2 % 22)) field=(nw_src nw_dst) n
    n=$(((BITS % 2 ? 0x0a000102 : 0x0a000001) ^ 1 << (32 - bit)))
    ovs-ofctl add-flow br0 "priority=40000,in_port=1,udp,${field[BITS % 2]}=$((n >> 24)).$((n >> 16 & 255)).$((n >> 8 & 255)).$((n & 255))/$bit,actions=drop"
    BITS=$((BITS + 1))
}

refuse() {
    knob fail_next $((1 + RANDOM % 9))
}

OFFLOAD=true
offload() {
    OFFLOAD=$1
    ovs-vsctl --no-wait set Open_vSwitch . other_config:hw-offload="$OFFLOAD"
}

# Now and then: all flows leave the NIC, which takes as long as its counters.
toggle() {
    if [ $((RANDOM % 6)) = 0 ]; then
        offload "$([ $OFFLOAD = true ] && echo false || echo true)"
    fi
}

# ---- storms -----------------------------------------------------------------------------------------------------------------

each_counted() {
    [ "$(ovs-ofctl dump-flows br0 | grep -c "n_packets=$SENT_EACH, n_bytes=$((SENT_EACH * SIZE)),")" = $RULES ]
}

# storm STEP...: these, in turn, while vm1 sends to all rules.
storm() {
    local step sender
    send vm1 to=vm2 count=$((EACH * RULES)) spread=$RULES gap_us=400 size=$SIZE &
    sender=$!
    while ! gone $sender; do
        for step; do
            $step
            pause 0.0$((RANDOM % 9 + 1))
        done
    done
    wait $sender
    knob fail_next 0
    offload true
    SENT_EACH=$((SENT_EACH + EACH))
    local deadline=$((SECONDS + 10))
    until each_counted; do
        if [ $SECONDS -gt $deadline ]; then
            ovs-ofctl dump-flows br0 | grep tp_dst | grep -v "n_packets=$SENT_EACH, " || :
            fail "after a storm of $*: $(of_count packets in_port=1) of $((SENT_EACH * RULES)) packets, $(of_count bytes in_port=1) of $((SENT_EACH * RULES * SIZE)) bytes"
        fi
        pause 0.3
    done
}

storm refuse change_all refuse rewrite_all change_one
storm toggle widen
storm toggle refuse widen change_one
knob insert_delay_ms 20
storm refuse change_all rewrite_all change_one
