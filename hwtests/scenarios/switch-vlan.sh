#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Access and trunk ports, NORMAL: tags appear on the trunk, are gone on access ports, and keep VLANs apart, all in hardware.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
needs wire
nic_up 3
start_switch
bridge_up standalone
ovs-vsctl set Port "${REP[1]}" tag=10 -- set Port "${REP[2]}" tag=10 -- set Port "${REP[3]}" tag=20

# vm1 and vm2 share VLAN 10; the wire is a trunk.
settle ping_exact 1 2 20
flat ping_exact 1 2 50
listen wire
listen vm3
talk_to_wire() { # both ways, so that everybody is learned
    send wire to=vm1 vlan=10 count=2
    send vm1 to=wire count=2 dport=77
}
settle talk_to_wire
flat send vm1 to=wire count=25 dport=78 size=100
expect_heard wire 25 "size=104 .*vlan=10/0 type=0x0800 .*dport=78 sum=ok"
listen vm1
flat send wire to=vm1 vlan=10 count=25 size=104 dport=2000
heard vm1 | grep -q "vlan=" && fail "an access port got a tag"
expect_heard vm1 25 "size=100 .*dport=2000 sum=ok"

# VLAN 20 does not hear VLAN 10, and vm3 cannot reach vm1.
expect_heard vm3 0 "src=10.0.0.[129] .*dport=(78|2000)"
if in_vm 3 ping -q -c 2 -i 0.1 -W 1 10.0.0.1 >/dev/null; then
    fail "VLAN 20 reaches VLAN 10"
fi
