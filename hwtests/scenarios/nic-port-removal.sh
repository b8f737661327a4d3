#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# VFs vanish under traffic: their rules go, rules that pointed to them drop, the module unloads cleanly.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 2
clsact
rule "${REP[1]}" 1 ip action mirred egress redirect dev "${REP[2]}"
rule "${REP[2]}" 1 ip action mirred egress redirect dev "${REP[1]}"
rule "$UPLINK" 1 ip action mirred egress redirect dev "${REP[1]}"
in_vm 1 ping -q -n -i 0.002 -c 100000 10.0.0.2 >/dev/null &
ping1=$!
in_wire ping -q -n -i 0.002 -c 100000 10.0.0.1 >/dev/null &
ping2=$!
flowing() { [ "$(hw_counter hw_packets)" -gt 50 ]; }
wait_for 10 flowing
echo 0 >"/sys/class/net/$UPLINK/device/sriov_numvfs"
kill $ping1 2>/dev/null || :
assert_equal "rules left: the uplink's" 1 "$(hw_counter rules)"
grep -q "output=gone" $KNOBS/table || fail "the uplink's rule still points to a VF"
before=$(hw_counter hw_packets)
still() { [ "$(hw_counter hw_packets)" -gt $((before + 10)) ]; }
wait_for 10 still
kill $ping2
wait 2>/dev/null || :
echo 2 >"/sys/class/net/$UPLINK/device/sriov_numvfs"
[ -n "$(representor_of 1)" ] || fail "VFs do not come back"
