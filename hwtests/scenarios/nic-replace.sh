#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Replacing a filter swaps its rule; counters and the table's use stay right; a shared block serves every port.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 3
clsact "${REP[1]}"
rule "${REP[1]}" 1 ip action mirred egress redirect dev "${REP[2]}"
listen vm2
listen vm3
flat send vm1 to=vm2 count=3
tc filter replace dev "${REP[1]}" ingress protocol ip prio 1 handle 1 flower skip_sw action mirred egress redirect dev "${REP[3]}"
flat send vm1 to=vm3 count=4
expect_heard vm2 3
expect_heard vm3 4
assert_equal "rules" 1 "$(hw_counter rules)"

tc qdisc add dev "${REP[2]}" ingress_block 7 clsact
tc qdisc add dev "${REP[3]}" ingress_block 7 clsact
tc filter add block 7 protocol ip prio 1 flower skip_sw action mirred egress redirect dev "${REP[1]}"
tc filter show block 7 | grep -q "in_hw_count 2" || fail "a shared block's rule is in hardware twice"
assert_equal "rules" 3 "$(hw_counter rules)"
listen vm1
flat send vm2 to=vm1 count=2
flat send vm3 to=vm1 count=3
expect_heard vm1 5
tc qdisc del dev "${REP[3]}" clsact
assert_equal "rules after one port left the block" 2 "$(hw_counter rules)"
tc qdisc del dev "${REP[2]}" clsact
assert_equal "rules after both left" 1 "$(hw_counter rules)"
