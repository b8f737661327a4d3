#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With a lag, counters are what they were at the last publication, and right in the end.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 2
clsact
rule "${REP[1]}" 1 ip action mirred egress redirect dev "${REP[2]}"
send vm1 to=vm2 count=5
assert_equal "without lag" 5 "$(rule_counter "${REP[1]}" 1 packets)"
knob stats_lag_ms 1500
send vm1 to=vm2 count=7
assert_equal "before publication" 5 "$(rule_counter "${REP[1]}" 1 packets)"
published() { [ "$(rule_counter "${REP[1]}" 1 packets)" = 12 ]; }
wait_for 5 published
