// SPDX-License-Identifier: Apache-2.0
// Database → switch. One walk makes what is there equal to what is wanted, in an order that never needs a resource twice: first whatever must go (bridges, interfaces,
// datapath ports nobody wants), then bridges, interfaces, numbers, MAC addresses; then one snapshot is published, and only then do
// OpenFlow ports and controllers learn about it.
#include "config.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/stream.h"
#include "tools/vswitchd/vswitchd.h"

LOG_MODULE(bridge);

struct vsw_bridge *
vsw_bridge_find(const char *name)
{
    struct vsw_bridge *br;
    HMAP_FOR_EACH_HASH (br, by_name, hash_string(name, 0), &vsw.bridges) {
        if (!strcmp(br->name, name)) {
            return br;
        }
    }
    return NULL;
}

// A record counts from when it is there; without one, what the command line says.
static void
configure_tls(const struct idl_ssl *ssl)
{
    if (ssl) {
        const struct stream_tls tls = {.private_key = ssl->private_key,
                                       .certificate = ssl->certificate,
                                       .ca_cert = ssl->ca_cert,
                                       .bootstrap_ca_cert = ssl->bootstrap_ca_cert};
        stream_set_tls(&tls);
    }
}

static const char *
iface_type(const struct idl_interface *cfg)
{
    return cfg->type[0] ? cfg->type : "system";
}

// The record of each bridge that stays as it is, and the bridges that go.
static void
drop_bridges(const struct idl_open_vswitch *root)
{
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        br->cfg = NULL;
    }
    for (size_t i = 0; i < root->n_bridges; i++) {
        const struct idl_bridge *cfg = root->bridges[i];
        br = vsw_bridge_find(cfg->name);
        char *error = NULL;
        const char *type = vsw_bridge_dp_type(cfg, &error);
        if (br && type && !strcmp(br->dp_type, type)) {
            br->cfg = cfg;
        }
        free(error);
    }
    HMAP_FOR_EACH_SAFE (br, by_name, &vsw.bridges) {
        if (!br->cfg) {
            LOG_INFO("bridge %s: deleted", br->name);
            vsw_bridge_free(br, true);
        }
    }
}

static void
add_bridges(const struct idl_open_vswitch *root)
{
    for (size_t i = 0; i < root->n_bridges; i++) {
        const struct idl_bridge *cfg = root->bridges[i];
        if (vsw_bridge_find(cfg->name)) {
            continue;
        }
        char *error = NULL;
        if (!*cfg->name || strchr(cfg->name, '/')) { // sockets are named after it
            LOG_WARN("ignoring bridge with invalid name '%s'", cfg->name);
            continue;
        }
        const char *type = vsw_bridge_dp_type(cfg, &error);
        struct vsw_bridge *br = type ? vsw_bridge_new(cfg, type, &error) : NULL;
        if (br) {
            br->cfg = cfg;
        } else {
            LOG_ERR("bridge %s: not set up: %s", cfg->name, error);
        }
        free(error);
    }
}

// Ties interfaces to their records of this turn; those without one go, and so do those whose kind has changed.
static void
drop_ifaces(struct vsw_bridge *br)
{
    struct vsw_iface *iface;
    HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
        iface->cfg = NULL;
    }
    for (size_t i = 0; i < br->cfg->n_ports; i++) {
        const struct idl_port *port = br->cfg->ports[i];
        for (size_t j = 0; j < port->n_interfaces; j++) {
            iface = vsw_iface_find(br, port->interfaces[j]->name);
            if (iface && (!strcmp(iface->type, iface_type(port->interfaces[j])) || iface->is_local)) {
                iface->cfg = port->interfaces[j];
                iface->port_cfg = port;
            }
        }
    }
    HMAP_FOR_EACH_SAFE (iface, by_name, &br->ifaces) {
        if (!iface->cfg) {
            if (iface->is_local || iface->ofp_port != OF_PORT_ANY) { // it was there
                LOG_INFO("bridge %s: deleted interface %s on port %u", br->name, iface->name,
                         iface->is_local ? VSW_DB_PORT_LOCAL : iface->ofp_port);
            }
            vsw_iface_free(iface, true);
        }
    }
}

// Numbers: those asked for first, then those held before (in this run or, from the database, in an earlier one), then the next free ones.
static uint32_t
wanted_ofport(const struct vsw_iface *iface)
{
    const int64_t *request = iface->cfg->ofport_request;
    if (iface->is_local) {
        return OF_PORT_LOCAL;
    }
    if (request && *request > 0 && *request <= VSW_MAX_OFPORT) {
        return *request;
    }
    return OF_PORT_ANY;
}

static uint32_t
previous_ofport(const struct vsw_iface *iface)
{
    const int64_t *old = iface->cfg->ofport;
    if (iface->last_ofp_port != OF_PORT_ANY && !iface->is_local) {
        return iface->last_ofp_port;
    }
    return old && *old > 0 && *old <= VSW_MAX_OFPORT ? *old : OF_PORT_ANY;
}

static uint32_t
free_ofport(struct vsw_bridge *br)
{
    for (uint32_t i = 0; i < VSW_MAX_OFPORT; i++) {
        uint32_t n = br->next_ofport;
        br->next_ofport = n == VSW_MAX_OFPORT ? 1 : n + 1;
        if (!vsw_iface_by_ofport(br, n)) {
            return n;
        }
    }
    return OF_PORT_ANY;
}

static void
number_ifaces(struct vsw_bridge *br)
{
    struct vsw_iface *iface;
    HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
        uint32_t want = wanted_ofport(iface);
        if (iface->error) {
            vsw_iface_set_ofport(iface, OF_PORT_ANY);
        } else if (want != OF_PORT_ANY && want != iface->ofp_port) {
            struct vsw_iface *holder = vsw_iface_by_ofport(br, want);
            if (holder && wanted_ofport(holder) == want) {
                LOG_WARN("bridge %s: interface %s cannot have OpenFlow port %u: %s asked for it too", br->name,
                         iface->name, want, holder->name);
                continue;
            }
            if (holder) {
                vsw_iface_set_ofport(holder, OF_PORT_ANY);
            }
            vsw_iface_set_ofport(iface, want);
        }
    }
    HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
        uint32_t old = previous_ofport(iface);
        if (!iface->error && iface->ofp_port == OF_PORT_ANY && old != OF_PORT_ANY && !vsw_iface_by_ofport(br, old)) {
            vsw_iface_set_ofport(iface, old);
        }
    }
    for (size_t i = 0; i < br->cfg->n_ports; i++) { // in the database's order, so that numbers don't depend on hashing
        for (size_t j = 0; j < br->cfg->ports[i]->n_interfaces; j++) {
            iface = vsw_iface_find(br, br->cfg->ports[i]->interfaces[j]->name);
            if (iface && !iface->error && iface->ofp_port == OF_PORT_ANY) {
                vsw_iface_set_ofport(iface, free_ofport(br));
            }
        }
    }
}

static void
add_ifaces(struct vsw_bridge *br)
{
    for (size_t i = 0; i < br->cfg->n_ports; i++) {
        const struct idl_port *port = br->cfg->ports[i];
        for (size_t j = 0; j < port->n_interfaces; j++) {
            const struct idl_interface *cfg = port->interfaces[j];
            struct vsw_iface *iface = vsw_iface_find(br, cfg->name);
            if (!iface) {
                iface = vsw_iface_new(br, cfg, port);
            }
            if (iface->error || iface->dp_port == DP_PORT_NONE) { // patch ports, too: their options may be others
                vsw_iface_open(iface);
            }
        }
    }
}

struct keep {
    struct sp_dp *dp;
    uint32_t *del;
    size_t n_del, cap_del;
};

static void
mark_foreign(const struct dp_port_info *info, void *k_)
{
    struct keep *k = k_;
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        if (br->dp == k->dp) {
            struct vsw_iface *iface;
            HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
                if (iface->dp_port == info->port_no) {
                    return;
                }
            }
        }
    }
    if (info->port_no != 0) { // the datapath's own
        if (k->n_del == k->cap_del) {
            k->del = base_grow(k->del, &k->cap_del, sizeof *k->del);
        }
        k->del[k->n_del++] = info->port_no;
        LOG_INFO("%s: port %s of an earlier run is removed: no bridge has it", sp_dp_type(k->dp), info->name);
    }
}

// Once after start: ports that an earlier run left in a datapath and that no bridge wants.
static void
drop_foreign_ports(void)
{
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        const struct dp_ops *ops = sp_dp_ops(br->dp);
        struct keep k = {.dp = br->dp};
        ops->port_dump(sp_dp_handle(br->dp), mark_foreign, &k);
        for (size_t i = 0; i < k.n_del; i++) {
            ops->port_del(sp_dp_handle(br->dp), k.del[i]);
        }
        free(k.del);
    }
}

static void
configure_ifaces(struct vsw_bridge *br)
{
    struct vsw_iface *iface;
    HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
        vsw_iface_refresh(iface);
    }
    vsw_bridge_choose_mac(br);
    // Internal ports have the MTU that the others have by then.
    for (int internal = 0; internal < 2; internal++) {
        HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
            if (internal == !strcmp(iface->type, "internal")) {
                vsw_iface_apply_settings(iface);
                vsw_iface_refresh(iface);
            }
        }
    }
}

void
vsw_reconcile(void)
{
    const struct idl_open_vswitch *root = idl_open_vswitch_first(vsw.idl);
    vsw.idle = !root;
    if (!root) {
        return;
    }
    if (vsw.links) {
        link_sync(vsw.links);
    }
    configure_tls(root->ssl);
    drop_bridges(root);
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        drop_ifaces(br);
    }
    if (vsw.links) {
        link_sync(vsw.links); // internal ports have taken their devices with them
    }
    add_bridges(root);
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        add_ifaces(br);
        number_ifaces(br);
        configure_ifaces(br);
    }
    if (!vsw.configured) {
        drop_foreign_ports();
        vsw.configured = true;
    }
    vsw_publish_snapshot();
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        struct vsw_iface *iface;
        HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
            vsw_iface_update_of(iface);
        }
        vsw_bridge_configure_tables(br);
        vsw_bridge_configure_of(br);
        vsw_inband_configure(br, root);
        vsw_tell_unsupported(br);
    }
    sp_ready();
    sp_tidy();
    vsw.done_cfg = root->next_cfg;
    vsw.status_wanted = vsw.stats_wanted = true;
}
