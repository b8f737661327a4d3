#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Without rules, a VF's packets come out of its representor, and what the representor sends arrives at the VF.
. "${0%/*}/../lib.sh"
nic_up 2

before=$(seen_by "${REP[1]}")
send vm1 to=vm2 count=10
wait_for 5 test "$(seen_by "${REP[1]}")" -ge $((before + 10))
assert_equal "packets at the representor" 10 $(($(seen_by "${REP[1]}") - before))

listen vm2
python3 "$LIB/frames.py" send "${REP[2]}" dst_mac="${MAC[2]}" src_mac="${MAC[1]}" src=10.0.0.1 dst=10.0.0.2 dport=77 count=5
expect_heard vm2 5 dport=77

# In software, tc on the host joins the two.
clsact "${REP[@]}"
for pair in 1:2 2:1; do
    tc filter add dev "${REP[${pair%:*}]}" ingress protocol all prio 1 flower skip_hw action mirred egress redirect dev "${REP[${pair#*:}]}"
done
ping_exact 1 2 20
