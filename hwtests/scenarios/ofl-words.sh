#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What ovs-offload explain shows of a filter is what `tc filter show` shows once it is there.
. "${0%/*}/../lib.sh"
DRIVE=${BUILD:-$(dirname "$LIB")}/tests/unit/offload/ofl_drive
[ -x "$DRIVE" ] || skip "$DRIVE is not there"
nic_up 3
coproc DRIVER { "$DRIVE" "${REP[1]}" "${REP[2]}" "${REP[3]}" "$UPLINK"; }
exec 8>&"${DRIVER[1]}" 9<&"${DRIVER[0]}" # inside pipes, too
ask() {
    local line
    echo "$1" >&8
    while read -r -t 10 line <&9 && [ "$line" != . ]; do
        echo "$line"
    done
}
one() {
    echo "$1" >&8
    read -r -t 10 ANSWER <&9 || fail "no answer to '$1'"
}
# What only a filter that is there has, and white space.
plain() {
    sed 's/ handle 0x[0-9a-f]*//; s/^hardware: //; s/^[ \t]*//; s/[ \t]*$//' |
        grep -v '^in_hw\|^not_in_hw\|^index\|^cookie\|^used_hw_stats\|^$\|^filter.*chain 0$'
}
n=0 differ=()
while read -r flow actions; do
    n=$((n + 1))
    ask "explain $flow $actions" | plain >/tmp/ours
    one "create $n $flow $actions"
    tc filter show dev "${REP[1]}" ingress | plain >/tmp/tc
    [ -s /tmp/tc ] || fail "tc shows nothing for $flow $actions: $ANSWER"
    diff /tmp/ours /tmp/tc || differ+=("$flow $actions")
    one "delete $n"
done <<'END'
in_port=1,ip 2
in_port=1,arp,arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.0.0/24,arp_sha=02:00:00:00:00:01 2,3
in_port=1,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.0/8,tp_dst=80 2
in_port=1,tcp,tcp_flags=0x12/0x17,tp_src=0x10/0xfff0 2
in_port=1,udp,tp_src=53,tp_dst=0x35/0xff drop
in_port=1,sctp,tp_dst=5 2
in_port=1,icmp,icmp_type=8,icmp_code=0 2
in_port=1,icmp6,icmp_type=128,ipv6_src=fc00::1,ipv6_dst=fc00::/64 2
in_port=1,ip,nw_tos=32,nw_ttl=64 2
in_port=1,dl_src=02:00:00:00:00:01,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,ip 2
in_port=1,dl_type=0x88cc 2
in_port=1,vlan_tci=0x1005/0x1fff,ip pop_vlan,2
in_port=1,vlan_tci=0x7005/0xffff,ip pop_vlan,push_vlan:6,2
in_port=1,ip 2,push_vlan:9,3
in_port=1,ip eth_dst:02:00:00:00:00:77,eth_src:02:00:00:00:00:78,2
in_port=1,tcp nw_src:10.9.9.9,nw_ttl:9,tcp_dst:81,2
in_port=1,udp6 ipv6_dst:fc00::9,udp_src:53,2
END
[ ${#differ[@]} = 0 ] || fail "other words for ${differ[*]}"
