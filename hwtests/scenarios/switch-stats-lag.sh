#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hardware counters come two seconds late: flows stay in hardware, nothing flaps, and in the end every packet is counted.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs simulated
nic_up 2
knob stats_lag_ms 2000
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
listen vm2
settle send vm1 to=vm2 count=1 size=100
first=$(heard vm2 | wc -l)
inserted=$(hw_counter inserted)
flat send vm1 to=vm2 count=2000 gap_us=2000 size=100
assert_equal "insertions meanwhile" "$inserted" "$(hw_counter inserted)"
expect_of_count in_port=1 $((first + 2000)) $(((first + 2000) * 100))
