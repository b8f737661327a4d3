#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Insertions take as long as the knob says; meanwhile the packet path and everything under rtnl goes on.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 2
clsact
rule "${REP[1]}" 1 ip action mirred egress redirect dev "${REP[2]}"
rule "${REP[2]}" 1 ip action mirred egress redirect dev "${REP[1]}"
knob insert_delay_ms 5000
rule "${REP[1]}" 2 arp action drop &
inserting=$!
started=$(cut -d' ' -f1 /proc/uptime)
flat ping_exact 1 2 20
ip link set "$UPLINK" mtu 1400    # needs rtnl
kill -0 $inserting || fail "the insertion should still be under way"
wait $inserting || fail "the insertion failed"
awk -v a="$started" -v b="$(cut -d' ' -f1 /proc/uptime)" 'BEGIN { exit !(b - a > 1.2) }' || fail "the insertion was not slow"
knob insert_delay_ms 0
assert_in_hw "${REP[1]}" 2
