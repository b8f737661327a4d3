#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A restart takes over the kernel's flows, of a learning bridge too, with hardly more than one translation each (those that wait for an address have two), and no packet is lost.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
flowerbed_only
nic_up 2
start_switch hw-offload=false
bridge_up standalone
for port in $(seq 1 25); do
    flows "priority=9,in_port=1,udp,tp_dst=$port,actions=output:2"
done
ping_exact 1 2 20
for port in $(seq 1 25); do
    send vm1 to=vm2 count=1 dport="$port" size=100
done
n_flows=$(ovs-appctl dpctl/dump-flows | grep -c recirc_id)
[ "$n_flows" -ge 27 ] || fail "only $n_flows flows: $(ovs-appctl dpctl/dump-flows)"
stream 1 2
: >"$SWITCH_DIR/ovs-vswitchd.log"
restart_switch stop_vswitchd
adopted() { sed -n 's/.*system: \([0-9]*\) flows of an earlier run go on, 0 did not agree.*/\1/p' "$SWITCH_DIR/ovs-vswitchd.log"; }
some() { [ -n "$(adopted)" ]; }
wait_for 10 some
translations=$(ovs-appctl coverage/read-counter xlate_actions)
end_stream
expect_loss_at_most 0
assert_equal "flows taken over" "$n_flows" "$(adopted)"
echo "$n_flows flows, $translations translations"
[ "$translations" -le $((n_flows + 8)) ] || fail "$translations translations for $n_flows flows"
