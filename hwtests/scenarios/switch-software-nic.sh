#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A NIC without offload: traffic and counters are right, and tc is left alone.
# stock: fails because it puts software filters on ordinary NICs, and leaves them behind
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
for dev in "$UPLINK" "${REP[@]}"; do
    ethtool -K "$dev" hw-tc-offload off
done
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
listen vm2
send vm1 to=vm2 count=100 size=100
expect_heard vm2 100 size=100
no_filters "$UPLINK" "${REP[@]}" || fail "there are filters on devices without offload"
expect_of_count in_port=1 100 10000
ping_exact 1 2 20
kill_vswitchd
no_filters "$UPLINK" "${REP[@]}" || fail "filters are left"
