#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A table of eight rules takes eight; the ninth gets ENOSPC and waits in software until there is room again.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 2 table_size=8
clsact
for i in 1 2 3 4 5 6 7 8; do
    rule "${REP[1]}" 1 ip ip_proto udp dst_port $i action drop
done
refused "the table is full" "${REP[1]}" 1 ip ip_proto udp dst_port 9 action drop
refused "table is full" "${REP[1]}" 1 ip ip_proto udp dst_port 9 action drop
assert_equal "rules" 8 "$(hw_counter rules)"
assert_equal "refused" 2 "$(hw_counter refused_full)"
flat send vm1 to=vm2 dport=8 count=3

knob table_size 9
rule "${REP[1]}" 1 ip ip_proto udp dst_port 9 action drop
flat send vm1 to=vm2 dport=9 count=3
tc filter del dev "${REP[1]}" ingress prio 1
assert_equal "rules after deletion" 0 "$(hw_counter rules)"
