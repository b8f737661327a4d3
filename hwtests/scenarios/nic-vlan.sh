#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# VLAN push, pop and change; two tags; and "protocol ip" does not take tagged frames.
. "${0%/*}/../lib.sh"
nic_up 2
clsact
to2="action mirred egress redirect dev ${REP[2]}"
rule "${REP[1]}" 1 ip ip_proto udp dst_port 1 action vlan push id 100 priority 3 $to2
rule "${REP[1]}" 2 802.1q vlan_id 5 vlan_ethtype ip ip_proto udp dst_port 2 action vlan pop $to2
rule "${REP[1]}" 3 802.1q vlan_id 6 vlan_prio 2 action vlan modify id 200 priority 4 $to2
rule "${REP[1]}" 4 802.1q vlan_id 7 vlan_ethtype 802.1q cvlan_id 8 cvlan_ethtype ip action vlan pop action vlan pop $to2
rule "${REP[1]}" 5 ip action drop

listen vm2
flat send vm1 to=vm2 count=3 dport=1 size=100
flat send vm1 to=vm2 count=3 dport=2 vlan=5
flat send vm1 to=vm2 count=3 dport=3 vlan=6/2
flat send vm1 to=vm2 count=3 dport=4 vlan=7,8
flat send vm1 to=vm2 count=3 dport=5
expect_heard vm2 3 "size=104 .*vlan=100/3 type=0x0800 .*dport=1 sum=ok"
expect_heard vm2 3 "mac=[^ ]* type=0x0800 .*dport=2 sum=ok"
expect_heard vm2 3 "vlan=200/4 type=0x0800 .*dport=3 sum=ok"
expect_heard vm2 3 "mac=[^ ]* type=0x0800 .*dport=4 sum=ok"
assert_equal "bytes of the pushing rule: as they came in" 300 "$(rule_counter "${REP[1]}" 1 bytes)"
assert_equal "packets of the ip rule" 3 "$(rule_counter "${REP[1]}" 5 packets)"

# A tag that no rule knows goes to the representor, not to the rule for ip.
before=$(seen_by "${REP[1]}")
send vm1 to=vm2 count=4 vlan=99
wait_for 5 test "$(seen_by "${REP[1]}")" -ge $((before + 4))
expect_heard vm2 12
