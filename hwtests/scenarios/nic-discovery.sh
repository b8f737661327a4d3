#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The NIC tells who it is: switch id, port names, flavours, driver and firmware; all ports share one switch id.
. "${0%/*}/../lib.sh"
nic_up 2

id=$(cat "/sys/class/net/$UPLINK/phys_switch_id")
[ -n "$id" ] || fail "the uplink has no switch id"
for n in 1 2; do
    assert_equal "switch id of ${REP[n]}" "$id" "$(cat "/sys/class/net/${REP[n]}/phys_switch_id")"
    name=$(cat "/sys/class/net/${REP[n]}/phys_port_name")
    [[ $name =~ ^(c[0-9]+)?pf[0-9]+vf$((n - 1))$ ]] || fail "phys_port_name of VF $((n - 1))'s representor is $name"
    [[ $(ethtool -k "${REP[n]}") == *"hw-tc-offload: on"* ]] || ethtool -K "${REP[n]}" hw-tc-offload on
done
[[ $(cat "/sys/class/net/$UPLINK/phys_port_name") =~ ^p[0-9]+$ ]] || fail "phys_port_name of the uplink"
[[ $(devlink port show) == *"netdev $UPLINK flavour physical"* ]] || fail "devlink does not call $UPLINK physical"
[[ $(devlink dev eswitch show "$DEVLINK") == *"mode switchdev"* ]] || fail "mode"
info=$(ethtool -i "$UPLINK")
[[ $info =~ driver:\ [a-z] && $info =~ firmware-version:\ [0-9] ]] || fail "ethtool -i: $info"
