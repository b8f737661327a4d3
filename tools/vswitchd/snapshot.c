// SPDX-License-Identifier: Apache-2.0
// Bridges and interfaces → the packet path's snapshot (slowpath/sp_config.h): built anew each time, published whole.
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "slowpath/bridge_state.h"
#include "tools/vswitchd/vswitchd.h"

#define VLANS 4096
#define BITS (8 * sizeof(unsigned long))

// Set of VLANs; NULL for an empty list.
static unsigned long *
vlan_set(const int64_t *vlans, size_t n)
{
    if (!n) {
        return NULL;
    }
    unsigned long *set = base_calloc(VLANS / BITS, sizeof *set);
    for (size_t i = 0; i < n; i++) {
        if (vlans[i] >= 0 && vlans[i] < VLANS) {
            set[vlans[i] / BITS] |= 1UL << (vlans[i] % BITS);
        }
    }
    return set;
}

// ovs-vswitchd.conf.db(5): without vlan_mode a port with a tag is an access port, any other a trunk.
static enum sp_vlan_mode
vlan_mode(const struct idl_port *port)
{
    static const struct {
        const char *name;
        enum sp_vlan_mode mode;
    } modes[] = {{"access", SP_VLAN_ACCESS},
                 {"trunk", SP_VLAN_TRUNK},
                 {"native-tagged", SP_VLAN_NATIVE_TAGGED},
                 {"native-untagged", SP_VLAN_NATIVE_UNTAGGED},
                 {"dot1q-tunnel", SP_VLAN_DOT1Q_TUNNEL}};
    for (size_t i = 0; port->vlan_mode && i < ARRAY_SIZE(modes); i++) {
        if (!strcmp(port->vlan_mode, modes[i].name)) {
            return modes[i].mode;
        }
    }
    return port->tag ? SP_VLAN_ACCESS : SP_VLAN_TRUNK;
}

static void
add_iface(struct sp_bridge *sb, struct sp_bundle *bundle, const struct vsw_iface *iface)
{
    struct sp_port *p = sp_config_add_port(sb, bundle, iface->name, iface->ofp_port, iface->dp_port);
    p->kind = iface->is_patch ? SP_PORT_PATCH : !strcmp(iface->type, "internal") ? SP_PORT_INTERNAL : SP_PORT_DEVICE;
    p->ifindex = iface->ifindex;
    p->hw_addr = iface->mac;
    const struct of_port_desc *desc = of_bridge_port(iface->bridge->of, iface->ofp_port);
    p->of_config = desc ? desc->config : iface->up ? 0 : OF_PORT_CFG_DOWN;
    p->up = iface->is_patch || (iface->up && iface->carrier);
}

static void
add_port(struct sp_bridge *sb, const struct vsw_bridge *br, const struct idl_port *port)
{
    struct sp_bundle *bundle = sp_config_add_bundle(sb, port->name);
    bundle->vlan_mode = vlan_mode(port);
    bundle->tag = port->tag ? *port->tag : bundle->vlan_mode == SP_VLAN_TRUNK ? -1 : 0;
    bundle->trunks = vlan_set(port->trunks, port->n_trunks);
    const char *pt = idl_port_other_config_get(port, "priority-tags");
    bundle->priority_tags = pt && strcmp(pt, "false") && strcmp(pt, "no") && strcmp(pt, "never");
    bundle->protect = port->protected;
    for (size_t i = 0; i < port->n_interfaces; i++) {
        const struct vsw_iface *iface = vsw_iface_find(br, port->interfaces[i]->name);
        if (iface && iface->ofp_port != OF_PORT_ANY && !iface->error) {
            add_iface(sb, bundle, iface);
        }
    }
}

static void
add_bridge(struct sp_config *sc, const struct vsw_bridge *br)
{
    struct sp_bridge *sb = sp_config_add_bridge(sc, br->name);
    sb->number = br->number;
    sb->of = br->of;
    sb->dp = br->dp;
    sb->state = sp_bridge_state_ref(br->state);
    sb->mac = br->mac;
    const char *aging = idl_bridge_other_config_get(br->cfg, "mac-aging-time");
    const char *size = idl_bridge_other_config_get(br->cfg, "mac-table-size");
    const char *bpdu = idl_bridge_other_config_get(br->cfg, "forward-bpdu");
    sb->mac_aging_s = aging ? MIN(MAX(atoi(aging), 15), 3600) : 300;
    sb->mac_table_size = size ? MAX(atoi(size), 10) : 8192;
    sb->forward_bpdu = bpdu && !strcmp(bpdu, "true");
    sb->flood_vlans = vlan_set(br->cfg->flood_vlans, br->cfg->n_flood_vlans);
    sb->secure = br->cfg->fail_mode && !strcmp(br->cfg->fail_mode, "secure");
    for (size_t i = 0; i < br->cfg->n_ports; i++) {
        add_port(sb, br, br->cfg->ports[i]);
    }
}

static struct sp_port *
port_named(const struct sp_config *sc, const char *name)
{
    struct sp_port *p;
    HMAP_FOR_EACH_HASH (p, by_name, hash_string(name, 0), &sc->names) {
        if (!strcmp(p->name, name)) {
            return p;
        }
    }
    return NULL;
}

// Two patch ports of one datapath are a pair when each names the other. Those that are left alone say so in the database.
static void
join_patches(struct sp_config *sc)
{
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        struct vsw_iface *iface;
        HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
            const char *peer_name = br->cfg && iface->is_patch && iface->cfg ?
                                        idl_interface_options_get(iface->cfg, "peer") : NULL;
            struct sp_port *a = peer_name ? port_named(sc, iface->name) : NULL;
            struct sp_port *b = a ? port_named(sc, peer_name) : NULL;
            if (b && b->kind == SP_PORT_PATCH && b != a && b->bridge->dp == a->bridge->dp) {
                a->peer = b;
            }
        }
    }
    struct sp_port *p;
    HMAP_FOR_EACH (p, by_name, &sc->names) {
        if (p->peer && p->peer->peer != p) {
            p->peer = NULL;
        }
    }
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        struct vsw_iface *iface;
        HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
            const struct sp_port *a = iface->is_patch ? port_named(sc, iface->name) : NULL;
            iface->lacks_peer = a && !a->peer;
        }
    }
}

static unsigned
number_config(const struct idl_open_vswitch *root, const char *key, unsigned otherwise)
{
    const char *v = root ? idl_open_vswitch_other_config_get(root, key) : NULL;
    uint64_t n;
    return v && base_parse_uint(v, UINT32_MAX, &n) ? n : otherwise;
}

void
vsw_publish_snapshot(void)
{
    const struct idl_open_vswitch *root = idl_open_vswitch_first(vsw.idl);
    struct sp_config *sc = sp_config_new();
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        if (br->cfg) {
            add_bridge(sc, br);
        }
    }
    join_patches(sc);
    sc->n_handlers = number_config(root, "n-handler-threads", 0);
    sc->n_revalidators = number_config(root, "n-revalidator-threads", 0);
    sc->max_idle_ms = MAX(number_config(root, "max-idle", 10000), 500);
    sc->max_revalidator_ms = number_config(root, "max-revalidator", 0);
    sc->max_revalidator_ms = sc->max_revalidator_ms ? MAX(sc->max_revalidator_ms, 100) : 0;
    sc->flow_limit = number_config(root, "flow-limit", 200000);
    const char *wait = root ? idl_open_vswitch_other_config_get(root, "flow-restore-wait") : NULL;
    sc->restore_wait = wait && !strcmp(wait, "true");
    const char *hw = root ? idl_open_vswitch_other_config_get(root, "hw-offload") : NULL;
    sc->hw_offload = hw && !strcmp(hw, "true");
    const char *policy = root ? idl_open_vswitch_other_config_get(root, "tc-policy") : NULL;
    sc->tc_policy = !policy                       ? SP_TC_NONE
                    : !strcmp(policy, "skip_sw") ? SP_TC_SKIP_SW
                    : !strcmp(policy, "skip_hw") ? SP_TC_SKIP_HW
                                                 : SP_TC_NONE;
    sc->offload_rate = number_config(root, "offload-rate", 0);
    sc->offload_in_flight = number_config(root, "offload-in-flight", 0);
    sp_config_publish(sc);
}
