#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The kernel's datapath goes with the last bridge, under traffic, with all filters, and comes with the next one; when somebody else deleted it, too.
. "${0%/*}/../lib.sh"
. "$LIB/switch.sh"
nic_up 2
[ "$SIMULATED" = no ] || knob stats_lag_ms 1500 # flows take their time to leave
start_switch
no_datapath() { [ -z "$(ovs-dpctl dump-dps)" ]; }
one_datapath() { assert_equal "the datapaths" system@ovs-system "$(ovs-dpctl dump-dps)"; }
bridge_up standalone
one_datapath
settle ping_exact 1 2 20

# Flows are in hardware and packets come as it goes, again and again, at once and with a pause.
for round in 1 2; do
    stream 1 2
    ovs-vsctl del-br br0
    if [ $round = 1 ]; then
        no_datapath || fail "the datapath stays when its last bridge goes"
        [ -z "$(ovs-appctl dpctl/show)$(ovs-appctl dpif/show)" ] || fail "dpctl/show knows a datapath"
        for n in 1 2; do
            no_filters "${REP[n]}" || fail "filters stay at ${REP[n]}"
        done
    fi
    kill "$STREAM" # nobody asks what arrived; SIGINT is ignored by a ping that has just been started
    wait "$STREAM" || :
    bridge_up standalone
    settle ping_exact 1 2 20
    flat ping_exact 1 2 20
done

# Another bridge in its place, in one transaction: the datapath stays.
ovs-vsctl del-br br0 -- add-br br1
one_datapath
ovs-vsctl del-br br1
no_datapath || fail "the datapath stays when the bridge that came instead goes"

# Of two bridges, the last one's end counts.
bridge_up standalone
ovs-vsctl add-br br1
ovs-vsctl del-br br1
one_datapath
settle ping_exact 1 2 20

# While offload is being switched off, and off.
ovs-vsctl --no-wait set Open_vSwitch . other_config:hw-offload=false -- del-br br0
wait_for 10 no_datapath
ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
bridge_up standalone
settle ping_exact 1 2 20
ovs-vsctl --no-wait set Open_vSwitch . other_config:hw-offload=false
ovs-vsctl del-br br0
no_datapath || fail "the datapath stays until all flows have left the NIC"
no_filters "${REP[@]}" || fail "filters stay when the datapath goes while flows leave the NIC"
[ "$SWITCH" = stock ] || ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
bridge_up standalone
settle ping_exact 1 2 20

# The same when somebody else deleted it, and the next bridge comes at once.
ovs-vsctl --no-wait set Open_vSwitch . other_config:hw-offload=false
ovs-dpctl del-dp ovs-system
ovs-vsctl del-br br0
bridge_up standalone
[ "$SWITCH" = stock ] || ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
settle ping_exact 1 2 20

# Somebody deletes it: the bridge has no ports any more; the next one is whole.
ovs-dpctl del-dp ovs-system
wait_for 10 no_datapath
lost() { ovs-vsctl get Interface br0 error | grep -q "could not add network device br0 to ofproto (No such device)"; }
wait_for 10 lost
ovs-vsctl del-br br0
no_datapath
bridge_up standalone
one_datapath
settle ping_exact 1 2 20
flat ping_exact 1 2 20
