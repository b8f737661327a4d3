// SPDX-License-Identifier: Apache-2.0
// Switch → database: what became of the configuration (ofport, error, cur_cfg …), link states, and counters. One transaction at a time; when it loses a
// race it is built anew from what is true then. Columns that already hold their value cost nothing: the client library leaves them out.
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kdatapath/kd.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "tools/vswitchd/vswitchd.h"

LOG_MODULE(status);

#define STATS_INTERVAL_MS 5000

static const char *
link_duplex(const struct vsw_iface *iface)
{
    return !iface->driver_known || !iface->driver.speed_mbps ? NULL : iface->driver.full_duplex ? "full" : "half";
}

static void
write_driver(const struct vsw_iface *iface)
{
    struct idl_pair_ss status[3];
    size_t n = 0;
    if (iface->driver_known && !iface->is_patch) {
        status[n++] = (struct idl_pair_ss){"driver_name", iface->driver.driver};
        status[n++] = (struct idl_pair_ss){"driver_version", iface->driver.version};
        status[n++] = (struct idl_pair_ss){"firmware_version", iface->driver.firmware};
    }
    idl_interface_set_status(iface->cfg, status, n);
}

static void
write_iface(const struct vsw_iface *iface)
{
    const struct idl_interface *cfg = iface->cfg;
    if (iface->error || iface->ofp_port == OF_PORT_ANY) {
        int64_t none = -1;
        idl_interface_set_ofport(cfg, &none);
        idl_interface_set_error(cfg, iface->error);
        idl_interface_set_mac_in_use(cfg, NULL);
        idl_interface_set_admin_state(cfg, NULL);
        idl_interface_set_link_state(cfg, NULL);
        idl_interface_set_mtu(cfg, NULL);
        idl_interface_set_ifindex(cfg, NULL);
        idl_interface_set_link_speed(cfg, NULL);
        idl_interface_set_duplex(cfg, NULL);
        idl_interface_set_status(cfg, NULL, 0);
        return;
    }
    int64_t ofport = iface->is_local ? VSW_DB_PORT_LOCAL : iface->ofp_port;
    int64_t mtu = iface->mtu, ifindex = iface->ifindex, resets = iface->link_resets;
    int64_t speed = iface->driver_known ? iface->driver.speed_mbps * INT64_C(1000000) : 0;
    struct str mac = STR_INIT;
    str_add_mac(&mac, &iface->mac);
    idl_interface_set_ofport(cfg, &ofport);
    char *note = NULL;
    if (iface->lacks_peer) {
        note = base_asprintf("No usable peer '%s' exists in '%s' datapath.",
                             idl_interface_options_get(cfg, "peer"), iface->bridge->dp_type);
    }
    idl_interface_set_error(cfg, note);
    free(note);
    idl_interface_set_mac_in_use(cfg, str_get(&mac));
    idl_interface_set_admin_state(cfg, iface->up ? "up" : "down");
    idl_interface_set_link_state(cfg, iface->carrier ? "up" : "down");
    idl_interface_set_link_resets(cfg, &resets);
    idl_interface_set_mtu(cfg, iface->is_patch ? NULL : &mtu);
    idl_interface_set_ifindex(cfg, iface->is_patch ? NULL : &ifindex);
    idl_interface_set_link_speed(cfg, speed ? &speed : NULL);
    idl_interface_set_duplex(cfg, link_duplex(iface));
    write_driver(iface);
    str_free(&mac);
}

static void
write_counters(const struct vsw_iface *iface)
{
    struct link_counters c;
    if (vsw_iface_counters(iface, &c)) {
        return;
    }
    const struct idl_pair_si stats[] = { // sorted by name
        {"collisions", c.collisions},     {"rx_bytes", c.rx_bytes},         {"rx_crc_err", c.rx_crc_err},
        {"rx_dropped", c.rx_dropped},     {"rx_errors", c.rx_errors},       {"rx_frame_err", c.rx_frame_err},
        {"rx_missed_errors", c.rx_missed}, {"rx_multicast_packets", c.multicast}, {"rx_over_err", c.rx_over_err},
        {"rx_packets", c.rx_packets},
        {"tx_bytes", c.tx_bytes},         {"tx_dropped", c.tx_dropped},     {"tx_errors", c.tx_errors},
        {"tx_packets", c.tx_packets},
    };
    idl_interface_set_statistics(iface->cfg, stats, ARRAY_SIZE(stats));
}

static void
write_controllers(const struct vsw_bridge *br)
{
    struct of_controller_status status[32];
    size_t n = of_bridge_controller_status(br->of, status, ARRAY_SIZE(status));
    for (size_t i = 0; i < br->cfg->n_controller; i++) {
        const struct idl_controller *c = br->cfg->controller[i];
        for (size_t j = 0; j < n; j++) {
            if (strcmp(status[j].target, c->target)) {
                continue;
            }
            struct idl_pair_ss pairs[4];
            char since[2][24];
            size_t k = 0;
            if (status[j].last_error) {
                pairs[k++] = (struct idl_pair_ss){"last_error", status[j].last_error};
            }
            if (status[j].sec_since_connect >= 0) {
                snprintf(since[0], sizeof since[0], "%d", status[j].sec_since_connect);
                pairs[k++] = (struct idl_pair_ss){"sec_since_connect", since[0]};
            }
            if (status[j].sec_since_disconnect >= 0) {
                snprintf(since[1], sizeof since[1], "%d", status[j].sec_since_disconnect);
                pairs[k++] = (struct idl_pair_ss){"sec_since_disconnect", since[1]};
            }
            pairs[k++] = (struct idl_pair_ss){"state", status[j].state};
            idl_controller_set_is_connected(c, status[j].is_connected);
            idl_controller_set_role(c, status[j].role);
            idl_controller_set_status(c, pairs, k);
        }
    }
}

static void
write_bridge(const struct vsw_bridge *br, bool counters)
{
    char dpid[17];
    snprintf(dpid, sizeof dpid, "%016" PRIx64, br->dpid);
    idl_bridge_set_datapath_id(br->cfg, dpid);
    idl_bridge_set_datapath_version(br->cfg, sp_dp_ops(br->dp) == &kd_dp_ops ? "<unknown>" : "<built-in>");
    struct vsw_iface *iface;
    HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
        write_iface(iface);
        if (counters) {
            write_counters(iface);
        }
    }
    write_controllers(br);
}

// What the datapath can do, by the names that clients look for, in the records that they made for it.
static void
write_datapaths(const struct idl_open_vswitch *root)
{
    for (size_t i = 0; i < root->n_datapaths; i++) {
        struct sp_dp *dp = NULL;
        struct vsw_bridge *br;
        HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
            dp = !strcmp(br->dp_type, root->datapaths[i].key) ? br->dp : dp;
        }
        if (!dp) {
            continue;
        }
        const struct dp_features *f = sp_dp_features(dp);
        char vlans[12], mpls[12], sample[12];
        snprintf(vlans, sizeof vlans, "%u", f->max_vlans);
        snprintf(mpls, sizeof mpls, "%u", f->max_mpls);
        snprintf(sample, sizeof sample, "%u", f->sample_nesting);
#define TF(x) ((x) ? "true" : "false")
        const struct idl_pair_ss caps[] = {
            {"check_pkt_len", TF(f->check_pkt_len)}, {"ct_orig_tuple", TF(f->ct_orig_tuple)},
            {"ct_state_nat", TF(f->ct_state_nat)},   {"ct_timeout", TF(f->ct_timeout)},
            {"masked_set_action", TF(f->masked_set)}, {"max_mpls_depth", mpls},
            {"max_vlan_headers", vlans},             {"recirc", TF(f->recirc)},
            {"sample_nesting", sample},              {"ufid", TF(f->ufid)},
        };
#undef TF
        idl_datapath_set_capabilities(root->datapaths[i].value, caps, ARRAY_SIZE(caps));
    }
}

static void
write_root(const struct idl_open_vswitch *root)
{
    static const char *const ifaces[] = {"internal", "patch", "system", "tap"};
    static const char *const ifaces_dummy[] = {"dummy", "dummy-internal", "internal", "patch", "system", "tap"};
    static const char *const dps[] = {"netdev", "system"};
    static const char *const dps_dummy[] = {"dummy", "netdev", "system"};
    if (vsw.dummy) {
        idl_open_vswitch_set_iface_types(root, ifaces_dummy, ARRAY_SIZE(ifaces_dummy));
        idl_open_vswitch_set_datapath_types(root, dps_dummy, ARRAY_SIZE(dps_dummy));
    } else {
        idl_open_vswitch_set_iface_types(root, ifaces, ARRAY_SIZE(ifaces));
        idl_open_vswitch_set_datapath_types(root, dps, ARRAY_SIZE(dps));
    }
    idl_open_vswitch_set_ovs_version(root, "3.1.0");
    idl_open_vswitch_set_dpdk_initialized(root, false);
    idl_open_vswitch_set_dpdk_version(root, "none");
    write_datapaths(root);
    idl_open_vswitch_set_cur_cfg(root, vsw.done_cfg);
}

static void
start_txn(bool counters)
{
    const struct idl_open_vswitch *root = idl_open_vswitch_first(vsw.idl);
    if (!root || !idl_has_lock(vsw.idl)) {
        return;
    }
    vsw.txn = idl_txn_new(vsw.idl);
    vsw.txn_cfg = vsw.done_cfg;
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        if (br->cfg) {
            write_bridge(br, counters);
        }
    }
    write_root(root);
    idl_txn_commit(vsw.txn);
}

void
vsw_status_run(void)
{
    if (vsw.txn) {
        enum idl_txn_status st = idl_txn_status(vsw.txn);
        if (st == IDL_TXN_INCOMPLETE) {
            return;
        }
        if (st == IDL_TXN_ERROR) {
            LOG_ERR("the database refuses the switch's status: %s", idl_txn_error(vsw.txn));
        } else if (st != IDL_TXN_SUCCESS && st != IDL_TXN_UNCHANGED) {
            vsw.status_wanted = true; // lost a race: once more with what is true now
        }
        idl_txn_free(vsw.txn);
        vsw.txn = NULL;
    }
    if ((vsw.status_wanted || vsw.stats_wanted) && !vsw.reconcile_wanted) {
        bool counters = vsw.stats_wanted;
        vsw.status_wanted = vsw.stats_wanted = false;
        start_txn(counters);
    }
}

static void
stats_due(void *aux)
{
    const struct idl_open_vswitch *root = idl_open_vswitch_first(vsw.idl);
    const char *v = root ? idl_open_vswitch_other_config_get(root, "stats-update-interval") : NULL;
    vsw.stats_wanted = vsw.configured;
    loop_timer_set(vsw.stats_timer, v ? MAX(atoi(v), STATS_INTERVAL_MS) : STATS_INTERVAL_MS);
}

void
vsw_status_init(void)
{
    vsw.stats_timer = loop_timer_new(vsw.loop, stats_due, NULL);
    loop_timer_set(vsw.stats_timer, STATS_INTERVAL_MS);
}
