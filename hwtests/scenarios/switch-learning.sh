#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Learning bridge: VF to VF and VF to wire settle in hardware, then no representor sees a packet.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs wire
nic_up 2
start_switch
bridge_up standalone

settle ping_exact 1 2 20
settle ping_exact 1 9 20
has_in_hw "${REP[1]}" 2 || fail "both directions' flows should be in hardware"
has_in_hw "$UPLINK" || fail "the wire's flow should be in hardware"
flat ping_exact 1 2 100
before=$(resting packets "")
flat ping_exact 1 9 100
expect_of_count "" $((before + 200))
