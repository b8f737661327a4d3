#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The offload room alone on a NIC: filters go in and out, counters are whole frames, refusals bring the driver's words, a full table is met.
. "${0%/*}/../lib.sh"
DRIVE=${BUILD:-$(dirname "$LIB")}/tests/unit/offload/ofl_drive
[ -x "$DRIVE" ] || skip "$DRIVE is not there"
needs simulated
nic_up 3

coproc DRIVER { "$DRIVE" "${REP[1]}" "${REP[2]}" "${REP[3]}" "$UPLINK"; }
# say COMMAND EXPECTED: the answer's one line contains it.
say() {
    local answer
    echo "$1" >&"${DRIVER[1]}"
    read -r -t 10 answer <&"${DRIVER[0]}" || fail "no answer to '$1'"
    grep -qF -- "$2" <<<"$answer" || fail "'$1': expected '$2', answered '$answer'"
    echo "$1 -> $answer"
}
tell() {
    echo "$1" >&"${DRIVER[1]}"
}

listen vm2
listen vm3
say "create 1 in_port=1,ip 2" "hardware packets=0"
assert_equal "filters in hardware" 1 "$(tc filter show dev "${REP[1]}" ingress | grep -cw in_hw)"
flat send vm1 to=vm2 count=100 size=100
expect_heard vm2 100
say "get 1" "hardware packets=100 bytes=10000"
say "create 1 in_port=1,ip 2" "error -17"

# Other actions in its place: counters go on.
say "modify 1 in_port=1,ip 3" "hardware packets=100 bytes=10000"
flat send vm1 to=vm2 count=50 size=200
expect_heard vm3 50
say "get 1" "hardware packets=150 bytes=20000"

# More often than there are levels: the newest always counts, and nothing else is left.
changes=0
change_until() {
    local answer
    while [ $changes -lt "$1" ]; do
        changes=$((changes + 1))
        tell "modify 1 in_port=1,ip $((2 + changes % 2))"
        read -r -t 10 answer <&"${DRIVER[0]}"
        [[ $answer = *hardware* ]] || fail "change $changes: $answer"
    done
    flat send vm1 to=vm2 count=1 size=300 dport="$1"
    expect_heard vm$((2 + $1 % 2)) 1 "dport=$1 "
}
for n in 7 8 9 197 198 199 200 410; do
    change_until $n
done
assert_equal "filters" 1 "$(tc filter show dev "${REP[1]}" ingress | grep -c handle)"
say "get 1" "hardware packets=158 bytes=22400"
say "modify 1 in_port=1,ip eth_dst:02:00:00:00:00:77,nw_ttl:9,push_vlan:5,2,3" "hardware packets=158"
say "explain in_port=1,ip eth_dst:02:00:00:00:00:77,2" "hardware: filter protocol ip pref 2048 flower chain 0"
while read -r -t 10 line <&"${DRIVER[0]}" && [ "$line" != . ]; do echo "$line"; done
say "delete 1" "packets=158 bytes=22400"
say "get 1" "error -2"
[ -z "$(tc filter show dev "${REP[1]}" ingress)" ] || fail "a filter is left"

# The driver's words; the filter stands in software meanwhile, where bytes are the same.
knob cannot_match ip
say "create 2 in_port=1,ip,nw_tos=32 2" 'driver says "simnic: cannot match on TOS and TTL"'
send vm1 to=vm2 count=10 size=100 tos=32
say "get 2" "tc packets=10 bytes=1000"
say "delete 2" "packets=10 bytes=1000"
knob cannot_match ""
say "create 2 in_port=1,vlan_tci=0x1005/0x1fff,ip pop_vlan,2" "hardware"
say "delete 2" "hardware"
knob fail_next 2
say "create 3 in_port=1,ip 2" "HW_REJECTED"
say "modify 3 in_port=1,ip 2" "hardware"
say "delete 3" "packets=0"

# A full table.
knob table_size 2
say "create 1 in_port=1,udp,tp_dst=1 2" "hardware"
say "create 2 in_port=1,udp,tp_dst=2 2" "hardware"
say "create 3 in_port=1,udp,tp_dst=3 2" "HW_NO_SPACE"
say nics "rules=2 capacity=2"
say "delete 3" "tc"
say "delete 1" "hardware"
say "create 3 in_port=1,udp,tp_dst=3 2" "hardware"
say "create 4 in_port=1,udp,pkt_mark=1 2" "MATCH_SKB_MARK"

# Only hardware; only software.
tell "policy skip_sw"
say "create 5 in_port=1,udp,tp_dst=5 2" "error -28"
tell "policy skip_hw"
say "create 5 in_port=1,udp,tp_dst=5 2" "tc packets=0"
send vm1 to=vm2 count=10 size=100 dport=5
say "delete 5" "tc packets=10 bytes=1000"
tell "policy none"

# Others' filters are left alone; the qdisc stays with them.
tc filter add dev "${REP[1]}" ingress prio 7 protocol ip flower skip_hw dst_ip 1.2.3.4 action drop
say flush "flush: 0"
assert_equal "filters left" 1 "$(tc filter show dev "${REP[1]}" ingress | grep -c handle)"
tc filter del dev "${REP[1]}" ingress prio 7 protocol ip flower
say "create 6 in_port=1,arp 2" "hardware"
flat send vm1 to=vm2 type=0x0806 count=5 size=60

# A second run finds what the first left.
"$DRIVE" "${REP[1]}" "${REP[2]}" "${REP[3]}" "$UPLINK" >/tmp/second <<<"$(printf 'full\ndump\nget 6\nports\nflush\n')"
cat /tmp/second
grep -qF "flow 6: hardware packets=5 bytes=300 recirc_id=0,eth,arp,in_port=1," /tmp/second || fail "not read back"
grep -qF "get 6: hardware packets=5" /tmp/second || fail "not known after the dump"
grep -qF "${REP[2]} pcivf pf=0 vf=1" /tmp/second || fail "the representor is not known by its numbers"
[ -z "$(tc qdisc show dev "${REP[1]}" clsact)" ] || fail "clsact is left"
