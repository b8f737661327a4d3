#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ovs-dpctl dump-flows, as everybody types it: the stock switch and ours, one after the other, in the kernel's datapath of one guest.
#
#     vm1 ── p1 ─ br0 ─ a0 ══ b0 ─ br1 ─ p2 ── vm2          "ovs-vsctl add-br br0": the system datapath
. "${0%/*}/../lib.sh"
. "${0%/*}/../switch.sh"
[ -x /usr/sbin/ovs-vswitchd ] || skip "the stock switch isn't installed"
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
PATH_BEFORE=$PATH
out=$(mktemp -d)
for n in 1 2; do
    quiet_namespace "vm$n"
    ip link add "p$n" type veth peer name eth0 address "02:00:00:00:01:0$n" netns "vm$n"
    ip link set "p$n" up
    ip -n "vm$n" addr add "10.0.0.$n/24" dev eth0
    ip -n "vm$n" link set eth0 up
    neighbour "vm$n" eth0 "10.0.0.$((3 - n))" "02:00:00:00:01:0$((3 - n))"
done
ip link add a0 type veth peer name b0
ip link set a0 up
ip link set b0 up

# The stock switch matches a packet's old priority before it sets a new one.
plain() {
    sed -E '/^[0-9-]+T.*\|/d; s/used:([0-9.]+s|never)/used:T/; s/skb_priority\(0\),//; s/packets:[0-9]+, bytes:[0-9]+/packets:N, bytes:N/; s/eth\(src=(..:){5}..,dst=33:33.*//' | sort
}

counted() {
    ovs-ofctl dump-flows "$1" | grep -q "n_packets=20, n_bytes=1960"
}

walk() {
    SWITCH=$1 PATH=$PATH_BEFORE
    find_programs
    make_switch_dir
    start_database
    ovs-vsctl --no-wait init
    # Flows stay as long as this takes on a slow machine.
    ovs-vsctl --no-wait set Open_vSwitch . other_config:max-idle=60000
    start_vswitchd
    ovs-vsctl add-br br0
    ovs-vsctl add-br br1
    # One at a time: the datapath numbers them as they come.
    for port in "br0 p1 1" "br0 a0 2" "br1 p2 1" "br1 b0 2"; do
        read -r bridge device number <<<"$port"
        ovs-vsctl add-port "$bridge" "$device" -- set Interface "$device" ofport_request="$number"
    done
    ip netns exec vm1 ping -q -c 20 -i 0.01 -W 3 10.0.0.2 >/dev/null || fail "$1: vm2 is not reached through two bridges and a veth pair"
    ovs-dpctl dump-flows >"$out/before.$1" || fail "$1: ovs-dpctl dump-flows"
    for bridge in br0 br1; do
        ovs-ofctl del-flows $bridge
        ovs-ofctl add-flow $bridge in_port=1,ip,actions=output:2
        ovs-ofctl add-flow $bridge in_port=2,ip,actions=set_queue:3,output:1,pop_queue,enqueue:LOCAL:4
    done
    ovs-appctl revalidator/purge
    ip netns exec vm1 ping -q -c 20 -i 0.01 -W 3 10.0.0.2 >/dev/null || fail "$1: the flows don't let the ping through"
    for bridge in br0 br1; do
        wait_for 20 counted $bridge
    done
    {
        ovs-dpctl dump-flows || fail "$1: ovs-dpctl dump-flows"
    } | plain >"$out/flows.$1"
    {
        ovs-dpctl dump-flows --names || fail "$1: ovs-dpctl dump-flows --names"
        ovs-dpctl dump-dps || fail "$1: ovs-dpctl dump-dps"
    } | plain >"$out/names.$1"
    for bridge in br0 br1; do
        ovs-ofctl dump-flows $bridge | sed -E 's/duration=[0-9.]+s/duration=T/; s/ idle_age=[0-9]+,//' | sort
    done >"$out/openflow.$1"
    ovs-vsctl del-br br0 -- del-br br1
    stop_vswitchd --cleanup
    end_switch || :
}

at_exit end_switch
walk stock
walk flowerbed
for what in flows names openflow; do
    diff "$out/$what.stock" "$out/$what.flowerbed" || fail "$what: not what the stock switch shows"
done
grep -q 'eth_type(0x0800).*actions:' "$out/flows.stock" || fail "no flow was compared"
