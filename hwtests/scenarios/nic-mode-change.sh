#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Representors are there in switchdev mode only; rules on the uplink hold the mode; legacy mode bridges by address.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 2
clsact
rule "${REP[1]}" 1 ip action mirred egress redirect dev "${REP[2]}"
rule "$UPLINK" 1 ip action mirred egress redirect dev "${REP[2]}"
if set_mode legacy 2>/dev/null; then
    fail "the mode changed although the uplink has rules"
fi
tc qdisc del dev "$UPLINK" clsact
set_mode legacy
assert_equal "rules" 0 "$(hw_counter rules)"
[ -z "$(representor_of 0)" ] || fail "a representor outlived switchdev mode"
[ ! -e "/sys/class/net/${REP[1]}" ] || fail "${REP[1]} is still there"
cat "/sys/class/net/$UPLINK/phys_switch_id" 2>/dev/null && fail "the uplink has a switch id in legacy mode"
ping_exact 1 2 10
ping_exact 1 9 10

set_mode switchdev
find_ports_again() { [ -n "$(representor_of 1)" ]; }
wait_for 5 find_ports_again
for n in 1 2; do
    REP[n]=$(representor_of $((n - 1)))
    ip link set "${REP[n]}" up
done
clsact "${REP[@]}"
rule "${REP[1]}" 1 ip action mirred egress redirect dev "${REP[2]}"
rule "${REP[2]}" 1 ip action mirred egress redirect dev "${REP[1]}"
flat ping_exact 1 2 10
