#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The switch's dpctl/* commands on the kernel's datapaths: flows that nobody knows go, other datapaths are left alone.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
start_switch
bridge_up
flows in_port=1,ip,actions=output:2 in_port=2,ip,actions=output:1
dpctl() { local command=$1; shift; ovs-appctl "dpctl/$command" "$@"; }
odd='in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)'
dpctl add-flow system@ovs-system "$odd" 2
has_odd() { dpctl dump-flows system@ovs-system | grep -q 0x1234; }
# A sweep may take it away at any moment: twice in a row, it is refused in the end.
refused_twice() { dpctl add-flow system@ovs-system "$odd" 2 2>/dev/null; ! dpctl add-flow system@ovs-system "$odd" 2 2>/dev/null; }
wait_for 10 refused_twice
no_odd() { ! has_odd; }
wait_for 10 no_odd
dpctl add-flow system@ovs-system "ufid:00000000-0000-0000-0000-0000000000aa,$odd" 2
dpctl del-flow system@ovs-system "ufid:00000000-0000-0000-0000-0000000000aa" || ! has_odd || fail "a flow cannot be deleted by its id"
settle ping_exact 1 2 20
flowerbed_only # the stock switch shows flows of tc in datapaths that aren't theirs
dpctl add-dp system@other
ip link add q0 type veth peer name q1
dpctl add-if system@other q0,port_no=7
dpctl show system@other | grep -q "port 7: q0" || fail "the port is missing: $(dpctl show system@other)"
dpctl dump-dps | grep -qx system@other || fail "dump-dps does not know the datapath"
dpctl set-if system@other q0,port_no=7
! dpctl set-if system@other q0,port_no=8 2>/dev/null || fail "the port's number can be changed"
dpctl add-flow system@other "$odd" 7
pause 1.5 # more than a sweep: this datapath isn't the switch's
dpctl dump-flows system@other | grep -q "0x1234.*actions:7" || fail "the flow is gone: $(dpctl dump-flows system@other)"
dpctl mod-flow system@other "$odd" 0
dpctl dump-flows -m system@other | grep -q "0x1234.*actions:other" || dpctl dump-flows system@other | grep -q "0x1234.*actions:0" || fail "the flow has the old actions"
dpctl del-flow system@other "$odd"
[ -z "$(dpctl dump-flows system@other | grep 0x1234)" ] || fail "the flow is still there"
dpctl cache-set-size system@other masks-cache 512
dpctl cache-get-size system@other | grep -q "masks-cache: size:512" || fail "the cache has another size"
dpctl del-if system@other q0
dpctl del-dp system@other
! dpctl show system@other 2>/dev/null || fail "the datapath is still there"
! dpctl del-dp system@ovs-system 2>/dev/null || fail "the datapath of the bridges can be deleted"
! dpctl del-if system@ovs-system "${REP[1]}" 2>/dev/null || fail "a bridge's port can be taken away"
! dpctl add-if system@ovs-system q0 2>/dev/null || fail "a port can be added behind the bridge's back"
settle ping_exact 1 2 20
