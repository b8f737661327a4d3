#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The number of handler threads follows other_config:n-handler-threads while packets come, and none of them is forgotten.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
flowerbed_only
nic_up 2
start_switch hw-offload=false
bridge_up
flows in_port=1,udp,actions=output:2

handlers() {
    local n=0 comm
    for comm in /proc/"$(pid_of ovs-vswitchd)"/task/*/comm; do
        [[ $(cat "$comm") != handler* ]] || n=$((n + 1))
    done
    echo $n
}

for n in 3 1 4; do
    ovs-vsctl set Open_vSwitch . other_config:n-handler-threads=$n
    assert_equal "handler threads" $n "$(handlers)"
    for port in 1 2 3 4 5; do
        send vm1 to=vm2 count=2 dport=$((100 * n + port)) size=100
    done
done
expect_of_count in_port=1 30 3000
