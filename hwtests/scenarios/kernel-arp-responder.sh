#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A switch on the kernel datapath answers ARP by rewriting the request, which the kernel cannot do itself; other traffic stays in the kernel.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
for where in all default; do echo 1 >/proc/sys/net/ipv6/conf/$where/disable_ipv6; done
start_switch hw-offload=false
ovs-vsctl add-br br0 -- set Bridge br0 fail_mode=secure
for i in 1 2; do
    ip netns add "vm$i"
    ip -n "vm$i" link set lo up
    ip link add "v$i" type veth peer name eth0 netns "vm$i"
    ip -n "vm$i" link set eth0 address "02:00:00:00:00:0$i"
    ip -n "vm$i" addr add "10.0.0.$i/24" dev eth0
    ip -n "vm$i" link set eth0 up
    ip link set "v$i" up
    ovs-vsctl add-port br0 "v$i" -- set Interface "v$i" "ofport_request=$i"
done
for i in 1 2; do
    ovs-ofctl add-flow br0 "priority=9,arp,arp_op=1,arp_tpa=10.0.0.$i,actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:02:00:00:00:00:0$i->eth_src,\
load:2->NXM_OF_ARP_OP[],move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],load:0x02000000000$i->NXM_NX_ARP_SHA[],\
load:0x0a00000$i->NXM_OF_ARP_SPA[],in_port"
    ovs-ofctl add-flow br0 "priority=5,ip,nw_dst=10.0.0.$i,actions=output:$i"
done
ip netns exec vm1 ping -q -c 20 -i 0.05 -W 2 10.0.0.2 >/run/ping || :
assert_equal "answers" 20 "$(sed -n 's/.* \([0-9]*\) received.*/\1/p' /run/ping)"
assert_equal "address that vm1 has learned" 02:00:00:00:00:02 "$(ip -n vm1 neigh show 10.0.0.2 | sed 's/.*lladdr \([^ ]*\).*/\1/')"
count() {
    ovs-ofctl dump-flows br0 "$1" | sed -n 's/.*n_packets=\([0-9]*\).*/\1/p'
}
is_count() {
    [ "$(count "$1")" = "$2" ]
}
wait_for 10 is_count ip,nw_dst=10.0.0.2 20
wait_for 10 is_count ip,nw_dst=10.0.0.1 20
[ "$(count arp,arp_tpa=10.0.0.2)" -ge 1 ] || fail "no ARP request was counted"
