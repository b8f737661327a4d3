// SPDX-License-Identifier: Apache-2.0
// One interface: its datapath port, its OpenFlow number, and its link as users see it.
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "slowpath/udp.h"
#include "tools/vswitchd/vswitchd.h"

LOG_MODULE(iface);

struct vsw_iface *
vsw_iface_find(const struct vsw_bridge *br, const char *name)
{
    struct vsw_iface *iface;
    HMAP_FOR_EACH_HASH (iface, by_name, hash_string(name, 0), &br->ifaces) {
        if (!strcmp(iface->name, name)) {
            return iface;
        }
    }
    return NULL;
}

struct vsw_iface *
vsw_iface_by_ofport(const struct vsw_bridge *br, uint32_t ofp_port)
{
    struct vsw_iface *iface;
    HMAP_FOR_EACH_HASH (iface, by_ofp, hash_u64(ofp_port, 0), &br->ofports) {
        if (iface->ofp_port == ofp_port) {
            return iface;
        }
    }
    return NULL;
}

static void
leave_of(struct vsw_iface *iface)
{
    if (iface->in_of) {
        of_bridge_port_del(iface->bridge->of, iface->desc.port);
        iface->in_of = false;
    }
}

void
vsw_iface_set_ofport(struct vsw_iface *iface, uint32_t ofp_port)
{
    if (iface->ofp_port == ofp_port) {
        return;
    }
    leave_of(iface);
    if (iface->ofp_port != OF_PORT_ANY) {
        hmap_remove(&iface->bridge->ofports, &iface->by_ofp);
    }
    iface->ofp_port = ofp_port;
    if (ofp_port != OF_PORT_ANY) {
        iface->last_ofp_port = ofp_port;
        hmap_insert(&iface->bridge->ofports, &iface->by_ofp, hash_u64(ofp_port, 0));
        LOG_INFO("bridge %s: added interface %s on port %u", iface->bridge->name, iface->name,
                 iface->is_local ? VSW_DB_PORT_LOCAL : ofp_port);
    }
}

struct vsw_iface *
vsw_iface_new(struct vsw_bridge *br, const struct idl_interface *cfg, const struct idl_port *port)
{
    struct vsw_iface *iface = base_calloc(1, sizeof *iface);
    iface->bridge = br;
    iface->name = base_strdup(cfg->name);
    iface->is_local = !strcmp(cfg->name, br->name);
    iface->type = base_strdup(iface->is_local ? "internal" : cfg->type[0] ? cfg->type : "system");
    iface->is_patch = !strcmp(iface->type, "patch");
    iface->ofp_port = iface->last_ofp_port = OF_PORT_ANY;
    iface->dp_port = DP_PORT_NONE;
    iface->cfg = cfg;
    iface->port_cfg = port;
    hmap_insert(&br->ifaces, &iface->by_name, hash_string(iface->name, 0));
    return iface;
}

void
vsw_iface_free(struct vsw_iface *iface, bool del_port)
{
    vsw_iface_set_ofport(iface, OF_PORT_ANY);
    if (iface->dp_port != DP_PORT_NONE && del_port) {
        struct vsw_bridge *br = iface->bridge;
        int error = sp_dp_ops(br->dp)->port_del(sp_dp_handle(br->dp), iface->dp_port);
        if (error && error != -ENODEV && error != -ENOENT) {
            LOG_WARN("%s: could not be taken out of the datapath (%s)", iface->name, base_strerror(error));
        }
    }
    hmap_remove(&iface->bridge->ifaces, &iface->by_name);
    free(iface->name);
    free(iface->type);
    free(iface->error);
    free(iface);
}

static void
fail(struct vsw_iface *iface, char *sentence)
{
    if (!iface->error || strcmp(iface->error, sentence)) {
        LOG_WARN("%s", sentence);
    }
    free(iface->error);
    iface->error = sentence;
}

// How the datapath names this kind of port.
static const char *
dp_type_of(const struct vsw_iface *iface)
{
    return !strcmp(iface->type, "dummy-internal") ? "internal" : iface->type;
}

static bool
is_dummy(const struct vsw_bridge *br)
{
    return udp_is_dummy(sp_dp_ops(br->dp));
}

static bool
type_is_known(const struct vsw_iface *iface)
{
    const char *t = iface->type;
    return !strcmp(t, "system") || !strcmp(t, "internal") || !strcmp(t, "patch") || !strcmp(t, "tap") ||
           (vsw.dummy && (!strcmp(t, "dummy") || !strcmp(t, "dummy-internal")));
}

struct find_port {
    const char *name;
    uint32_t port_no;
};

static void
find_port(const struct dp_port_info *info, void *f_)
{
    struct find_port *f = f_;
    if (!strcmp(info->name, f->name)) {
        f->port_no = info->port_no;
    }
}

// A port of that name which an earlier run left in the datapath goes on forwarding under its number.
static uint32_t
adoptable_port(const struct vsw_iface *iface)
{
    struct find_port f = {iface->name, DP_PORT_NONE};
    sp_dp_ops(iface->bridge->dp)->port_dump(sp_dp_handle(iface->bridge->dp), find_port, &f);
    return f.port_no;
}

static bool
open_device(struct vsw_iface *iface)
{
    struct vsw_bridge *br = iface->bridge;
    const struct dp_ops *ops = sp_dp_ops(br->dp);
    const char *type = dp_type_of(iface);
    if (!strcmp(type, "system") && vsw.links && !is_dummy(br) && !link_by_name(vsw.links, iface->name)) {
        fail(iface, base_asprintf("could not open network device %s (No such device)", iface->name));
        return false;
    }
    const struct link *link = vsw.links ? link_by_name(vsw.links, iface->name) : NULL;
    if (link && link->loopback) {
        fail(iface, base_asprintf("could not add network device %s to ofproto (%s)", iface->name,
                                  base_strerror(EINVAL)));
        return false;
    }
    struct dp_port_spec spec = {.name = iface->name, .type = type, .port_no = DP_PORT_NONE};
    int error = ops->port_add(sp_dp_handle(br->dp), &spec, &iface->dp_port);
    if (error == -EEXIST || error == -EBUSY) {
        iface->dp_port = adoptable_port(iface);
        error = iface->dp_port == DP_PORT_NONE ? error : 0;
    }
    if (error) {
        iface->dp_port = DP_PORT_NONE;
        fail(iface, base_asprintf("could not add network device %s to ofproto (%s)", iface->name, base_strerror(error)));
        return false;
    }
    if (vsw.links) {
        link_sync(vsw.links);
    }
    return true;
}

void
vsw_iface_open(struct vsw_iface *iface)
{
    bool good = true;
    if (!type_is_known(iface)) {
        if (!iface->error) {
            LOG_WARN("could not create netdev %s of unknown type %s", iface->name, iface->type);
        }
        fail(iface, base_asprintf("could not open network device %s (%s)", iface->name,
                                  base_strerror(EAFNOSUPPORT)));
        good = false;
    } else if (iface->is_patch) {
        const char *peer = idl_interface_options_get(iface->cfg, "peer");
        if (!peer) {
            fail(iface, base_asprintf("%s: patch type requires valid 'peer' argument", iface->name));
        } else if (!strcmp(peer, iface->name)) {
            fail(iface, base_asprintf("%s: patch peer must not be self", iface->name));
        }
        good = peer && strcmp(peer, iface->name);
    } else {
        good = open_device(iface);
    }
    if (good) {
        free(iface->error);
        iface->error = NULL;
    }
}

static void
stable_mac(const char *seed, struct mac *mac)
{
    // Locally administered, the same in every run, so that a bridge keeps its identity.
    uint64_t h = (uint64_t) hash_string(seed, 1) << 32 | hash_string(seed, 2);
    memcpy(mac->b, &h, 6);
    mac->b[0] = (mac->b[0] & ~0x01) | 0x02;
}

bool
vsw_iface_refresh(struct vsw_iface *iface)
{
    struct dp_port_state ps;
    const struct dp_ops *ops = sp_dp_ops(iface->bridge->dp);
    const struct link *link = NULL;
    struct vsw_iface was = *iface;
    iface->has_link = false;
    if (iface->is_patch) {
        iface->has_link = iface->up = iface->carrier = true;
        char *seed = base_asprintf("patch %s", iface->name);
        stable_mac(seed, &iface->mac);
        free(seed);
    } else if (iface->dp_port != DP_PORT_NONE && ops->port_state &&
               !ops->port_state(sp_dp_handle(iface->bridge->dp), iface->dp_port, &ps)) {
        iface->has_link = true;
        iface->mac = ps.mac;
        iface->mtu = ps.mtu;
        iface->up = ps.up;
        iface->carrier = ps.carrier;
    } else if (vsw.links && (link = link_by_name(vsw.links, iface->name))) {
        iface->has_link = true;
        iface->ifindex = link->ifindex;
        iface->mac = link->mac;
        iface->mtu = link->mtu;
        iface->up = link->up;
        iface->carrier = link->carrier;
        iface->carrier_changes = link->carrier_changes;
        if (!iface->driver_known || iface->carrier != was.carrier) {
            iface->driver_known = !link_driver_get(iface->name, &iface->driver);
        }
    } else if (iface->dp_port != DP_PORT_NONE) {
        // The device has vanished, and the kernel has taken its port out of the datapath.
        iface->dp_port = DP_PORT_NONE;
        iface->up = iface->carrier = false;
        iface->driver_known = false;
        fail(iface, base_asprintf("could not open network device %s (No such device)", iface->name));
        vsw.reconcile_wanted = true;
    }
    if (iface->carrier != was.carrier && was.has_link) {
        iface->link_resets++;
    }
    return iface->up != was.up || iface->carrier != was.carrier || iface->mtu != was.mtu ||
           iface->ifindex != was.ifindex || iface->has_link != was.has_link ||
           memcmp(&iface->mac, &was.mac, sizeof iface->mac);
}

// The smallest MTU of the bridge's devices: what its own ports should have.
static unsigned
smallest_mtu(const struct vsw_bridge *br)
{
    unsigned mtu = 0;
    struct vsw_iface *iface;
    HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
        if (!strcmp(iface->type, "system") && iface->has_link && !iface->error) {
            mtu = mtu ? MIN(mtu, iface->mtu) : iface->mtu;
        }
    }
    return mtu;
}

static void
set_mac(struct vsw_iface *iface, const struct mac *mac)
{
    const struct dp_ops *ops = sp_dp_ops(iface->bridge->dp);
    if (!memcmp(mac, &iface->mac, sizeof *mac)) {
        return;
    }
    int error = ops->port_set ? ops->port_set(sp_dp_handle(iface->bridge->dp), iface->dp_port, mac, 0) : -ENODEV;
    if (error && vsw.links) {
        error = link_set_mac(vsw.links, iface->name, mac);
    }
    if (error) {
        LOG_WARN("%s: could not set its MAC address (%s)", iface->name, base_strerror(error));
    }
}

static void
set_mtu(struct vsw_iface *iface, unsigned mtu)
{
    const struct dp_ops *ops = sp_dp_ops(iface->bridge->dp);
    if (!mtu || mtu == iface->mtu) {
        return;
    }
    int error = ops->port_set ? ops->port_set(sp_dp_handle(iface->bridge->dp), iface->dp_port, NULL, mtu) : -ENODEV;
    if (error && vsw.links) {
        error = link_set_mtu(vsw.links, iface->name, mtu);
    }
    if (error) {
        LOG_WARN("%s: could not set its MTU to %u (%s)", iface->name, mtu, base_strerror(error));
    }
}

static void
apply_dummy_options(const struct vsw_iface *iface)
{
    static const char *const keys[] = {"pcap", "tx_pcap", "rxq_pcap"};
    for (size_t i = 0; i < ARRAY_SIZE(keys) && is_dummy(iface->bridge); i++) {
        udp_dummy_option(sp_dp_handle(iface->bridge->dp), iface->dp_port, keys[i],
                         idl_interface_options_get(iface->cfg, keys[i]));
    }
}

void
vsw_iface_apply_settings(struct vsw_iface *iface)
{
    if (iface->error || iface->is_patch || !iface->has_link) {
        return;
    }
    apply_dummy_options(iface);
    bool internal = !strcmp(iface->type, "internal");
    struct mac mac;
    if (iface->is_local) {
        set_mac(iface, &iface->bridge->mac);
    } else if (internal && iface->cfg->mac &&
               sscanf(iface->cfg->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac.b[0], &mac.b[1], &mac.b[2],
                      &mac.b[3], &mac.b[4], &mac.b[5]) == 6) {
        if (mac.b[0] & 1) {
            LOG_WARN("%s: %s is a multicast address and can't be the interface's own", iface->name, iface->cfg->mac);
        } else {
            set_mac(iface, &mac);
        }
    }
    if (iface->cfg->mtu_request) {
        set_mtu(iface, *iface->cfg->mtu_request);
    } else if (internal) {
        set_mtu(iface, smallest_mtu(iface->bridge));
    }
}

void
vsw_iface_update_of(struct vsw_iface *iface)
{
    if (iface->ofp_port == OF_PORT_ANY || iface->error) {
        leave_of(iface);
        return;
    }
    const struct of_port_desc *now = iface->in_of ? of_bridge_port(iface->bridge->of, iface->ofp_port) : NULL;
    struct of_port_desc d = {.port = iface->ofp_port, .hw_addr = iface->mac};
    snprintf(d.name, sizeof d.name, "%s", iface->name);
    d.config = (now ? now->config & ~OF_PORT_CFG_DOWN : 0) | (iface->up ? 0 : OF_PORT_CFG_DOWN);
    d.state = iface->carrier ? OF_PORT_ST_LIVE : OF_PORT_ST_LINK_DOWN;
    if (iface->driver_known) {
        d.curr = iface->driver.of_curr;
        d.advertised = iface->driver.of_advertised;
        d.supported = iface->driver.of_supported;
        d.peer = iface->driver.of_peer;
        d.curr_speed = d.max_speed = iface->driver.speed_mbps * 1000;
    }
    iface->desc = d;
    if (!iface->in_of) {
        of_bridge_port_add(iface->bridge->of, &d);
        iface->in_of = true;
    } else {
        of_bridge_port_update(iface->bridge->of, &d);
    }
}

static int
set_up(struct vsw_iface *iface, bool up)
{
    int error = -ENODEV;
    if (iface->is_patch) {
        return 0; // no device: the packet path reads the bit
    }
    if (is_dummy(iface->bridge)) {
        error = udp_dummy_admin(sp_dp_handle(iface->bridge->dp), iface->dp_port, up);
    } else if (vsw.links) {
        error = link_set_up(vsw.links, iface->name, up);
        link_sync(vsw.links);
    }
    if (error) {
        LOG_WARN("%s: could not be set %s (%s)", iface->name, up ? "up" : "down", base_strerror(error));
    }
    return error;
}

int
vsw_iface_port_config(struct of_bridge *of, uint32_t ofp_port, uint32_t config)
{
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        struct vsw_iface *iface = br->of == of ? vsw_iface_by_ofport(br, ofp_port) : NULL;
        if (!iface) {
            continue;
        }
        bool up = !(config & OF_PORT_CFG_DOWN);
        int error = up == iface->up ? 0 : set_up(iface, up);
        if (error) {
            return error;
        }
        vsw_iface_refresh(iface);
        vsw_iface_update_of(iface);
        vsw_publish_snapshot();
        vsw.status_wanted = true;
    }
    return 0;
}

int
vsw_iface_counters(const struct vsw_iface *iface, struct link_counters *c)
{
    const struct dp_ops *ops = sp_dp_ops(iface->bridge->dp);
    struct dp_port_state ps;
    memset(c, 0, sizeof *c);
    if (iface->dp_port != DP_PORT_NONE && ops->port_state &&
        !ops->port_state(sp_dp_handle(iface->bridge->dp), iface->dp_port, &ps)) {
        const struct dp_port_counters *s = &ps.counters;
        *c = (struct link_counters){.rx_packets = s->rx_packets, .tx_packets = s->tx_packets, .rx_bytes = s->rx_bytes,
                                    .tx_bytes = s->tx_bytes, .rx_dropped = s->rx_dropped, .tx_dropped = s->tx_dropped,
                                    .rx_errors = s->rx_errors, .tx_errors = s->tx_errors,
                                    .rx_frame_err = s->rx_frame_err, .rx_over_err = s->rx_over_err,
                                    .rx_crc_err = s->rx_crc_err, .collisions = s->collisions};
        return 0;
    }
    if (!vsw.links || iface->is_patch || iface->error) {
        return -ENODEV;
    }
    int error = link_read_counters(vsw.links, iface->name, c);
    struct dp_port_drops drops;
    if (!error && iface->dp_port != DP_PORT_NONE && ops->port_drops &&
        !ops->port_drops(sp_dp_handle(iface->bridge->dp), iface->dp_port, &drops)) {
        c->rx_dropped += drops.rx;
        c->tx_dropped += drops.tx;
    }
    if (!error && !strcmp(iface->type, "internal")) {
        // What the host receives on an internal port is what the switch sent, and the other way round.
        struct link_counters h = *c;
        c->rx_packets = h.tx_packets, c->tx_packets = h.rx_packets;
        c->rx_bytes = h.tx_bytes, c->tx_bytes = h.rx_bytes;
        c->rx_dropped = h.tx_dropped, c->tx_dropped = h.rx_dropped;
        c->rx_errors = h.tx_errors, c->tx_errors = h.rx_errors;
        c->rx_frame_err = c->rx_over_err = c->rx_crc_err = 0;
    }
    return error;
}

int
vsw_iface_port_counters(struct of_bridge *of, uint32_t ofp_port, struct dp_port_counters *n)
{
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        const struct vsw_iface *iface = br->of == of ? vsw_iface_by_ofport(br, ofp_port) : NULL;
        struct link_counters c;
        if (!iface) {
            continue;
        }
        const int error = vsw_iface_counters(iface, &c);
        *n = (struct dp_port_counters){.rx_packets = c.rx_packets,
                                       .tx_packets = c.tx_packets,
                                       .rx_bytes = c.rx_bytes,
                                       .tx_bytes = c.tx_bytes,
                                       .rx_dropped = c.rx_dropped,
                                       .tx_dropped = c.tx_dropped,
                                       .rx_errors = c.rx_errors,
                                       .tx_errors = c.tx_errors,
                                       .rx_frame_err = c.rx_frame_err,
                                       .rx_over_err = c.rx_over_err,
                                       .rx_crc_err = c.rx_crc_err,
                                       .collisions = c.collisions};
        return error;
    }
    return -ENODEV;
}
