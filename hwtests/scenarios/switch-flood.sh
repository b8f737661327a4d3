#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A flood that includes the bridge's own port: the VFs get their copies, the host gets its own.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 3
start_switch
bridge_up standalone
ip link set br0 up
listen vm2
listen vm3
before=$(seen_by br0)
send vm1 count=20 dst=239.1.1.1 dst_mac=01:00:5e:01:01:01 size=100
expect_heard vm2 20 "size=100 .*dst=239.1.1.1 .*sum=ok"
expect_heard vm3 20 "size=100 .*dst=239.1.1.1 .*sum=ok"
host_got() { [ $(($(seen_by br0) - before)) -ge 20 ]; }
wait_for 5 host_got
