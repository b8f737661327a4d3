#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A VF and the wire, both ways, in hardware.
. "${0%/*}/../lib.sh"
needs wire
nic_up 1
clsact
rule "${REP[1]}" 1 ip action mirred egress redirect dev "$UPLINK"
rule "$UPLINK" 1 ip action mirred egress redirect dev "${REP[1]}"

flat ping_exact 1 9 40
assert_equal "packets to the wire" 40 "$(rule_counter "${REP[1]}" 1 packets)"
assert_equal "packets from the wire" 40 "$(rule_counter "$UPLINK" 1 packets)"
assert_equal "bytes from the wire" $((40 * 98)) "$(rule_counter "$UPLINK" 1 bytes)"
