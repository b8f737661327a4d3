#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two rules join two VFs in hardware: representors stay flat, counters are exact in packets and bytes, Ethernet header included.
. "${0%/*}/../lib.sh"
nic_up 2
clsact
rule "${REP[1]}" 1 ip action mirred egress redirect dev "${REP[2]}"
rule "${REP[2]}" 1 ip action mirred egress redirect dev "${REP[1]}"
assert_in_hw "${REP[1]}" 1

flat ping_exact 1 2 50
flat ping_exact 1 2 50 1000
flat send vm1 to=vm2 count=30 size=400
pings=$((50 * (56 + 42) + 50 * (1000 + 42)))
assert_equal "packets of VF 0" 130 "$(rule_counter "${REP[1]}" 1 packets)"
assert_equal "bytes of VF 0" $((pings + 30 * 400)) "$(rule_counter "${REP[1]}" 1 bytes)"
assert_equal "packets of VF 1" 100 "$(rule_counter "${REP[2]}" 1 packets)"
assert_equal "bytes of VF 1" $pings "$(rule_counter "${REP[2]}" 1 bytes)"
