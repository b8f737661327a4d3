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
python3 "$LIB/frames.py" receive br0 "$(heard_file host)" &
at_exit kill $!
wait_for 10 test -e "$(heard_file host)"
send vm1 count=20 dst=239.1.1.1 dst_mac=01:00:5e:01:01:01 size=100
for place in vm2 vm3 host; do
    expect_heard $place 20 "size=100 .*dst=239.1.1.1 .*sum=ok"
done
