#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ovs-dpctl against the stock one: each sees the datapaths, ports and flows that the other made, word for word.
. "${0%/*}/../lib.sh"
ours=${BUILD:-$LAB_TOP}/tools/ovs-dpctl
stock=/usr/bin/ovs-dpctl
[ -x "$ours" ] || skip "$ours isn't built: make"
[ -x $stock ] || skip "$stock isn't installed"
export OVS_RUNDIR=/run/ovs
mkdir -p $OVS_RUNDIR
for where in all default; do echo 1 >/proc/sys/net/ipv6/conf/$where/disable_ipv6; done
for pair in "a0 a1" "b0 b1"; do
    read -r one other <<<"$pair"
    ip link add "$one" type veth peer name "$other"
    ip link set "$one" up
    ip link set "$other" up
done

# both COMMAND...: their output and exit status are the same.
both() {
    local a b
    # Without log lines, and the attribute of IPv6 extension headers that the stock program doesn't know.
    a=$($stock "$@" 2>&1 | sed -E '/^[0-9-]+T.*\|/d; s/key32\(00 00\/00 00\),//'; echo "status ${PIPESTATUS[0]}")
    b=$("$ours" "$@" 2>&1 | sed -E '/^[0-9-]+T.*\|/d'; echo "status ${PIPESTATUS[0]}")
    [ "$a" = "$b" ] || { diff <(echo "$a") <(echo "$b") || :; fail "$*: not what the stock program says"; }
}

see() {
    local options
    both -s show
    for options in "" -m --names; do
        both dump-flows $options dp0
    done
    both dump-flows dp0 filter=tcp
    both dump-flows dp0 filter=in_port=2
    both get-flow dp0 ufid:00000000-0000-0000-0000-0000000000aa
}

flow() {
    "$1" add-flow dp0 "$2" "$3" || fail "$1 does not take the flow $2"
    flows=$((flows + 1))
}

for maker in $stock "$ours"; do
    flows=0
    $maker add-dp dp0 p9,type=internal,port_no=9
    $maker add-dp dp1
    $maker add-if dp0 a0 b0,port_no=2,type=system
    flow $maker 'ufid:00000000-0000-0000-0000-0000000000aa,recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.0/255.255.255.0,proto=6,tos=0/0x3,ttl=64,frag=no),tcp(src=1,dst=2),tcp_flags(0/0)' 2,9
    flow $maker 'recirc_id(0x5),dp_hash(0x3/0xf),in_port(2),skb_mark(0x1/0xff),eth(),eth_type(0x0800),ipv4(frag=later)' 'set(eth(src=02:00:00:00:00:09)),set(ipv4(src=1.2.3.4,ttl=3)),1'
    flow $maker 'recirc_id(0),in_port(2),ct_state(+est+trk),ct_zone(0x5),ct_mark(0x1),ct_label(0x1/0xff),eth(),eth_type(0x0800),ipv4(proto=17,frag=no),udp(src=0/0,dst=53)' 'ct(commit,zone=5,mark=0x1/0xff,nat(src=10.0.0.1-10.0.0.9:1000-2000,random)),recirc(9)'
    flow $maker 'recirc_id(0),in_port(9),eth(),eth_type(0x8100),vlan(vid=3,pcp=0),encap(eth_type(0x0800),ipv4(proto=17,frag=no),udp(src=0/0,dst=53))' 'pop_vlan,push_vlan(vid=5,pcp=0),userspace(pid=5,userdata(0102030405060708)),1'
    flow $maker 'recirc_id(0),in_port(9),eth(),eth_type(0x88a8),vlan(vid=3,pcp=2),encap(eth_type(0x8100),vlan(vid=4,pcp=0/0),encap(eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=128,code=0/0)))' 'pop_vlan,1'
    flow $maker 'recirc_id(0),in_port(1),eth(),eth_type(0x8847),mpls(label=5,tc=0,ttl=0/0,bos=1)' '2,9'
    flow $maker 'recirc_id(0),in_port(1),eth(),eth_type(0x88cc)' 'sample(sample=10.0%,actions(2)),trunc(100),2,clone(push_vlan(vid=1,pcp=0),9),meter(3),ct_clear'
    flow $maker 'recirc_id(0),in_port(77),eth(),eth_type(0x86dd),ipv6(src=::1,dst=fe80::/ffff:ffff:ffff:ffff::,label=0/0,proto=6,tclass=0/0,hlimit=64,frag=no),tcp(src=0/0xff00,dst=0/0),tcp_flags(+syn-ack)' 'set(ipv6(dst=::5,hlimit=3)),check_pkt_len(size=100,gt(1),le(2))'
    # What the stock program prints, but doesn't read.
    [ "$maker" = $stock ] || flow "$ours" 'recirc_id(0),in_port(2),eth(),eth_type(0x8847),mpls(label=5,tc=0,ttl=0/0,bos=1)' 'pop_mpls(eth_type=0x800),hash(l4(0)),recirc(1)'
    assert_equal "flows that the kernel has" $flows "$($stock dump-flows dp0 | wc -l)"
    see
    $maker mod-flow dp0 'ufid:00000000-0000-0000-0000-0000000000aa,recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.0/255.255.255.0,proto=6,tos=0/0x3,ttl=64,frag=no),tcp(src=1,dst=2),tcp_flags(0/0)' 2
    both get-flow dp0 ufid:00000000-0000-0000-0000-0000000000aa
    $maker del-flow dp0 ufid:00000000-0000-0000-0000-0000000000aa
    both get-flow dp0 ufid:00000000-0000-0000-0000-0000000000aa
    $maker del-if dp0 b0
    both show dp0
    $maker del-flows dp0
    both dump-flows dp0
    both dump-dps
    $maker del-dp dp0
    $maker del-dp dp1
    both dump-dps
done

$stock add-dp dp0
for command in "add-dp dp0" "add-if dp9 a0" "add-if dp0 nosuch" "add-if dp0 x,type=foo" "set-if dp0 dp0,port_no=8" \
    "set-if dp0 dp0,type=internal" "set-if dp0 zz" "del-if dp0 zz" "del-if dp0 0" "del-if dp0 99" "show dp9" "add-flow dp0 bogus 1" \
    "add-flow dp0 in_port(1),eth(),eth_type(0x88cc) bogus" "del-flow dp0 ufid:00000000-0000-0000-0000-000000000001" \
    "dump-flows dp0 filter=bogus" "dump-flows dp0 type=ovs" "cache-set-size dp0 bogus 9" "bogus" "add-if dp0" "parse-actions 1,2" "del-dp dp9"; do
    both $command
done
