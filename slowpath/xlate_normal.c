// SPDX-License-Identifier: Apache-2.0
// NORMAL: forwarding as a learning switch does it, with the VLAN modes of ports.
//
// References: IEEE 802.1Q (VLANs), 802.1D (learning, reserved addresses); ovs-vswitchd.conf.db(5)
// (vlan_mode, protected, forward-bpdu).
#include "config.h"

#include "slowpath/bridge_state.h"
#include "slowpath/xlate_ctx.h"

#define NO_VLAN (-1)
#define ETH_TYPE_VLAN 0x8100
#define ETH_TYPE_QINQ 0x88a8

static bool
bit_is_set(const unsigned long *bits, unsigned i)
{
    return bits[i / (8 * sizeof *bits)] >> (i % (8 * sizeof *bits)) & 1;
}

// Addresses that bridges keep to themselves unless told otherwise.
static bool
is_reserved(const struct mac *m)
{
    static const struct {
        uint8_t b[6];
        uint8_t last_mask;
    } reserved[] = {
        {{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00}, 0xf0}, // 802.1D: STP, pause, LACP …
        {{0x00, 0xe0, 0x2b, 0x00, 0x00, 0x00}, 0xff}, // EDP
        {{0x00, 0xe0, 0x2b, 0x00, 0x00, 0x04}, 0xfd}, // EAPS: …:04, …:06
        {{0x01, 0x00, 0x0c, 0x00, 0x00, 0x00}, 0xff}, // ISL
        {{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xc0}, 0xf0}, // CDP, VTP, PVST+, CFM
        {{0x01, 0x00, 0x0c, 0xcd, 0xcd, 0xcd}, 0xff}, // uplink fast
    };
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (!memcmp(m->b, reserved[i].b, 5) &&
            (m->b[5] & reserved[i].last_mask) == reserved[i].b[5]) {
            return true;
        }
    }
    return false;
}

static bool
trunk_carries(const struct sp_bundle *b, int vlan)
{
    return !b->trunks || bit_is_set(b->trunks, (unsigned) vlan);
}

static bool
bundle_carries(const struct sp_bundle *b, int vlan)
{
    switch (b->vlan_mode) {
    case SP_VLAN_ACCESS:
    case SP_VLAN_DOT1Q_TUNNEL:
        return vlan == b->tag;
    case SP_VLAN_NATIVE_TAGGED:
    case SP_VLAN_NATIVE_UNTAGGED:
        // Without a tag a packet would change into the native VLAN.
        return vlan == b->tag || (vlan && trunk_carries(b, vlan));
    case SP_VLAN_TRUNK:
        return trunk_carries(b, vlan);
    }
    return false;
}

// The VLAN a packet belongs to that came in by `b`, or NO_VLAN when the port doesn't take it.
static int
input_vlan(struct xlate_ctx *c, const struct sp_bundle *b, const char *port_name)
{
    xlate_read_vlan(c, 0x1fff);
    const uint16_t tci = be16toh(c->flow.vlan[0].tci);
    const int vid = tci & FLOW_VLAN_PRESENT ? tci & 0xfff : 0;

    switch (b->vlan_mode) {
    case SP_VLAN_ACCESS:
        if (vid) {
            XTRACE(c, TRACE_ERROR,
                   "dropping VLAN %d tagged packet received on port %s configured as VLAN %d "
                   "access port",
                   vid, port_name, b->tag);
            return NO_VLAN;
        }
        return b->tag;
    case SP_VLAN_DOT1Q_TUNNEL:
        return b->tag;
    case SP_VLAN_NATIVE_TAGGED:
    case SP_VLAN_NATIVE_UNTAGGED:
        if (!vid) {
            return b->tag;
        }
        break;
    case SP_VLAN_TRUNK:
        break;
    }
    if (!bundle_carries(b, vid)) {
        XTRACE(c, TRACE_ERROR,
               "dropping VLAN %d packet received on port %s not configured for trunking VLAN %d",
               vid, port_name, vid);
        return NO_VLAN;
    }
    return vid;
}

// The copy for one bundle: the tag it wants, then its port.
static void
output_bundle(struct xlate_ctx *c, const struct sp_bundle *b, int vlan, const struct sp_bundle *in)
{
    if (!b->n_ports) {
        return;
    }
    if (in->protect && b->protect) {
        XTRACE(c, TRACE_WARNING, "Flow is between protected ports, skipping output.");
        return;
    }
    const struct sp_port *port = b->ports[0];
    const bool in_tunnel = in->vlan_mode == SP_VLAN_DOT1Q_TUNNEL;
    const uint16_t tci = be16toh(c->flow.vlan[0].tci);
    const bool has_tag = tci & FLOW_VLAN_PRESENT && !in_tunnel;
    bool tagged = vlan && (b->vlan_mode == SP_VLAN_TRUNK || b->vlan_mode == SP_VLAN_NATIVE_TAGGED ||
                           (b->vlan_mode == SP_VLAN_NATIVE_UNTAGGED && vlan != b->tag));
    if (!vlan && has_tag && b->vlan_mode == SP_VLAN_TRUNK) {
        // A priority is kept from trunk to trunk.
        xlate_read_vlan(c, 0xe000);
        tagged = tci & 0xe000;
    }
    // What the copy needs, against what the packet has.
    const bool keep = tagged ? has_tag && (tci & 0xfff) == vlan : !has_tag && !b->priority_tags;

    if (keep) {
        xlate_output_port(c, port);
        return;
    }
    struct flow_vlan saved[FLOW_N_VLANS];
    memcpy(saved, c->flow.vlan, sizeof saved);
    xlate_touch_vlan(c);
    uint16_t pcp = 0;
    const be16_t tpid = in_tunnel || b->vlan_mode == SP_VLAN_DOT1Q_TUNNEL ? htobe16(ETH_TYPE_QINQ)
                        : has_tag                                         ? c->flow.vlan[0].tpid
                                                                          : htobe16(ETH_TYPE_VLAN);
    if (has_tag) {
        pcp = tci & 0xe000;
        xlate_pop_vlan(c);
    }
    if (tagged) {
        xlate_push_vlan(c, tpid, htobe16(pcp | (uint16_t) vlan));
    } else if (b->priority_tags && pcp) {
        xlate_push_vlan(c, htobe16(ETH_TYPE_VLAN), htobe16(pcp));
    }
    xlate_output_port(c, port);
    memcpy(c->flow.vlan, saved, sizeof saved);
    c->uncommitted = true;
}

static void
learn(struct xlate_ctx *c, const struct sp_bundle *in, int vlan)
{
    const struct sp_bridge *br = c->br;
    if (c->flow.eth_src.b[0] & 1 ||
        (br->flood_vlans && bit_is_set(br->flood_vlans, (unsigned) vlan))) {
        return;
    }
    struct xlate_dep *d = xlate_add_dep(c, XLATE_DEP_LEARN);
    d->bridge = br->state;
    d->mac = c->flow.eth_src;
    d->vlan = (uint16_t) vlan;
    d->port = in->ports[0]->ofp_port;
    if (c->in->learn) {
        const struct mac_limits limits = {br->mac_aging_s, br->mac_table_size};
        const struct mac_seen seen = {(uint16_t) vlan, &d->mac, d->port, c->in->now};
        if (sp_mac_learn(br->state, &limits, &seen) && c->in->trace) {
            struct str s = STR_INIT;
            str_add_mac(&s, &c->flow.eth_src);
            XTRACE(c, TRACE_REMARK, "learned that %s is on port %s in VLAN %d", str_get(&s),
                   in->name, vlan);
            str_free(&s);
        }
    }
}

static void
flood(struct xlate_ctx *c, const struct sp_bundle *in, int vlan)
{
    for (size_t i = 0; i < c->br->n_bundles && !c->exit; i++) {
        const struct sp_bundle *b = c->br->bundles[i];
        if (b != in && b->n_ports && bundle_carries(b, vlan) &&
            !(b->ports[0]->of_config & OF_PORT_CFG_NO_FLOOD)) {
            output_bundle(c, b, vlan, in);
        }
    }
}

void
xlate_normal(struct xlate_ctx *c)
{
    const struct sp_bridge *br = c->br;
    const uint32_t in_port = be32toh(c->flow.in_port);
    const struct sp_port *port = sp_bridge_port(br, in_port);

    memset(&c->scratch, 0, sizeof c->scratch);
    FLOW_MASK_EXACT(&c->scratch, eth_src);
    FLOW_MASK_EXACT(&c->scratch, eth_dst);
    xlate_read(c, &c->scratch);
    // What a controller sends comes from no port: it may go anywhere, and nothing is learned from
    // it.
    static const struct sp_bundle none = {.vlan_mode = SP_VLAN_TRUNK, .tag = -1};
    const struct sp_bundle *in = in_port == OF_PORT_CONTROLLER || in_port == OF_PORT_ANY ? &none
                                 : port ? port->bundle
                                        : NULL;
    if (!in) {
        if (!port) {
            XTRACE(c, TRACE_ERROR, "received packet on unknown port %u", in_port);
        }
        XTRACE(c, TRACE_WARNING, "no input bundle, dropping");
        return;
    }

    if (!br->forward_bpdu && is_reserved(&c->flow.eth_dst)) {
        XTRACE(c, TRACE_REMARK, "packet has reserved destination MAC, dropping");
        return;
    }
    const int vlan = input_vlan(c, in, port ? port->name : "");
    if (vlan == NO_VLAN) {
        XTRACE(c, TRACE_WARNING, "disallowed VLAN VID for this input port, dropping");
        return;
    }
    if (in != &none) {
        learn(c, in, vlan);
    }

    if (c->flow.eth_dst.b[0] & 1) {
        XTRACE(c, TRACE_REMARK, "no learned MAC for destination, flooding");
        flood(c, in, vlan);
        return;
    }
    const struct mac dst = c->flow.eth_dst;
    struct xlate_dep *d = xlate_add_dep(c, XLATE_DEP_MAC);
    d->bridge = br->state;
    d->mac = dst;
    d->vlan = (uint16_t) vlan;
    d->port = sp_mac_lookup(br->state, (uint16_t) vlan, &dst);
    const struct sp_port *out = d->port == MAC_NO_PORT ? NULL : sp_bridge_port(br, d->port);
    if (!out || !out->bundle) {
        XTRACE(c, TRACE_REMARK, "%s", "no learned MAC for destination, flooding");
        flood(c, in, vlan);
    } else if (out->bundle == in) {
        XTRACE(c, TRACE_REMARK, "learned port is input port, dropping");
    } else {
        XTRACE(c, TRACE_REMARK, "forwarding to learned port");
        output_bundle(c, out->bundle, vlan, in);
    }
}
