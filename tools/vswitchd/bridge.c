// SPDX-License-Identifier: Apache-2.0
// One bridge: which datapath it lives in, its MAC address and datapath id, its controllers, and the rule it has without any.
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/dirs.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/base/stream.h"
#include "tools/vswitchd/vswitchd.h"

LOG_MODULE(vbridge);

// "system" where the kernel has a datapath; user space where it hasn't, with one log line.
const char *
vsw_bridge_dp_type(const struct idl_bridge *cfg, char **error)
{
    const char *type = cfg->datapath_type[0] ? cfg->datapath_type : "system";
    if (!strcmp(type, "dummy") && !vsw.dummy) {
        *error = base_strdup("unknown datapath type dummy (the switch was started without --enable-dummy)");
        return NULL;
    }
    if (!dp_ops_find(type) && strcmp(type, "system")) {
        *error = base_asprintf("unknown datapath type %s", type);
        return NULL;
    }
    if (!strcmp(type, "system")) {
        char *why = NULL;
        if (!dp_ops_find("system") || !sp_dp_get("system", &why)) {
            if (!vsw.system_missing) {
                LOG_WARN("bridges without a datapath_type run in user space: the kernel has no openvswitch datapath (%s)",
                         why ? why : "switched off");
                vsw.system_missing = true;
            }
            free(why);
            return "netdev";
        }
    }
    return type;
}

struct vsw_bridge *
vsw_bridge_new(const struct idl_bridge *cfg, const char *dp_type, char **error)
{
    struct sp_dp *dp = sp_dp_get(dp_type, error);
    if (!dp) {
        return NULL;
    }
    struct vsw_bridge *br = base_calloc(1, sizeof *br);
    br->name = base_strdup(cfg->name);
    br->dp_type = base_strdup(dp_type);
    br->dp = dp;
    br->number = ++vsw.next_number;
    br->next_ofport = 1;
    br->state = sp_bridge_state_new(cfg->name);
    random_bytes(br->mac.b, sizeof br->mac.b); // until its ports say better
    br->mac.b[0] = (br->mac.b[0] & ~0x01) | 0x02;
    hmap_init(&br->ifaces);
    hmap_init(&br->ofports);
    br->of = of_bridge_new(vsw.loop, cfg->name, 0);
    hmap_insert(&vsw.bridges, &br->by_name, hash_string(br->name, 0));
    LOG_INFO("bridge %s: added, datapath type %s", br->name, dp_type);
    return br;
}

void
vsw_bridge_free(struct vsw_bridge *br, bool del_ports)
{
    struct vsw_iface *iface;
    HMAP_FOR_EACH_SAFE (iface, by_name, &br->ifaces) {
        vsw_iface_free(iface, del_ports);
    }
    hmap_remove(&vsw.bridges, &br->by_name);
    vsw_publish_snapshot(); // without this bridge, before what it points to goes
    of_bridge_free(br->of);
    sp_bridge_state_unref(br->state);
    hmap_destroy(&br->ifaces);
    hmap_destroy(&br->ofports);
    free(br->remotes);
    free(br->name);
    free(br->dp_type);
    free(br);
}

// other_config:hwaddr, else the smallest address among the ports that have one of their own, else that of the local port.
void
vsw_bridge_choose_mac(struct vsw_bridge *br)
{
    const char *hwaddr = idl_bridge_other_config_get(br->cfg, "hwaddr");
    struct mac mac, best = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    bool found = false;
    if (hwaddr && sscanf(hwaddr, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac.b[0], &mac.b[1], &mac.b[2], &mac.b[3],
                         &mac.b[4], &mac.b[5]) == 6 && !(mac.b[0] & 1)) {
        best = mac;
        found = true;
    } else {
        struct vsw_iface *iface;
        HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
            bool own = !iface->is_local && !iface->is_patch && strcmp(iface->type, "internal");
            if (own && iface->has_link && !iface->error && !(iface->mac.b[0] & 1) &&
                memcmp(&iface->mac, &best, sizeof best) < 0) {
                best = iface->mac;
                found = true;
            }
        }
    }
    struct vsw_iface *local = vsw_iface_find(br, br->name);
    if (!found && local && local->has_link) {
        best = local->mac;
        found = true;
    }
    if (found) {
        br->mac = best;
    }
    const char *id = idl_bridge_other_config_get(br->cfg, "datapath-id");
    uint64_t dpid = 0;
    for (int i = 0; i < 6; i++) {
        dpid = dpid << 8 | br->mac.b[i];
    }
    if (id) {
        char *end;
        uint64_t asked = strtoull(id, &end, 16);
        if (*end || !asked || (strlen(id) != 16 && strncmp(id, "0x", 2))) {
            LOG_WARN("bridge %s: other_config:datapath-id %s is not 16 hex digits; %016" PRIx64 " is used", br->name,
                     id, dpid);
        } else {
            dpid = asked;
        }
    }
    br->dpid = dpid;
}

static const struct {
    const char *name;
    enum of_version version;
} protocols[] = {{"OpenFlow10", OF_10}, {"OpenFlow11", OF_11}, {"OpenFlow12", OF_12},
                 {"OpenFlow13", OF_13}, {"OpenFlow14", OF_14}, {"OpenFlow15", OF_15}};

static uint32_t
allowed_versions(const struct vsw_bridge *br)
{
    uint32_t versions = 0;
    for (size_t i = 0; i < br->cfg->n_protocols; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(protocols); j++) {
            if (!strcmp(br->cfg->protocols[i], protocols[j].name)) {
                versions |= OF_VERSION_BIT(protocols[j].version);
            }
        }
    }
    return versions ? versions : OF_VERSIONS_ALL;
}

// The rule that makes a bridge without controllers a learning switch.
static void
set_default_rule(struct vsw_bridge *br, bool standalone)
{
    if (!standalone) {
        return;
    }
    struct of_flow_mod fm = {.command = OF_FLOW_ADD, .out_port = OF_PORT_ANY, .out_group = UINT32_MAX};
    match_init_any(&fm.match);
    struct of_act_output *o = flat_add(&fm.actions.list, OF_ACT_OUTPUT, sizeof *o);
    o->port = OF_PORT_NORMAL;
    of_bridge_flow_mod(br->of, &fm);
    of_actions_free(&fm.actions);
}

// Fields or parts of them; what isn't one is ignored.
static size_t
parse_groups(const struct idl_flow_table *cfg, struct subfield groups[])
{
    static struct log_limit limit = LOG_LIMIT(1, 5);
    size_t n = 0;
    for (size_t i = 0; i < cfg->n_groups; i++) {
        const char *text = cfg->groups[i];
        char *error = subfield_parse(&text, &groups[n]);
        if (error || *text) {
            LOG_WARN_RL(&limit, "flow table %s: group %s is ignored: %s", cfg->name ? cfg->name : "", cfg->groups[i],
                     error ? error : "it goes on after the field");
        } else {
            n++;
        }
        free(error);
    }
    return n;
}

void
vsw_bridge_configure_tables(struct vsw_bridge *br)
{
    const struct idl_flow_table *tables[OF_N_TABLES] = {NULL};
    for (size_t i = 0; i < br->cfg->n_flow_tables; i++) {
        const int64_t number = br->cfg->flow_tables[i].key;
        if (number >= 0 && number < OF_TABLE_OWN) {
            tables[number] = br->cfg->flow_tables[i].value;
        }
    }
    for (unsigned t = 0; t < OF_TABLE_OWN; t++) {
        const struct idl_flow_table *cfg = tables[t];
        struct of_table_config c = {.max_flows = UINT32_MAX};
        if (cfg) {
            c.name = cfg->name;
            c.max_flows = cfg->flow_limit ? (uint32_t) MIN(*cfg->flow_limit, (int64_t) UINT32_MAX) : UINT32_MAX;
            c.evict = cfg->overflow_policy && !strcmp(cfg->overflow_policy, "evict");
            c.groups = base_calloc(cfg->n_groups + 1, sizeof *c.groups);
            c.n_groups = parse_groups(cfg, c.groups);
        }
        of_bridge_configure_table(br->of, (uint8_t) t, &c);
        free(c.groups);
    }
}

static int64_t
number_or(const int64_t *value, int64_t otherwise)
{
    return value ? *value : otherwise;
}

void
vsw_bridge_configure_of(struct vsw_bridge *br)
{
    const struct idl_bridge *cfg = br->cfg;
    struct of_controller *ctls = base_calloc(cfg->n_controller + 1, sizeof *ctls);
    for (size_t i = 0; i < cfg->n_controller; i++) {
        const struct idl_controller *c = cfg->controller[i];
        ctls[i] = (struct of_controller){
            .target = c->target,
            .max_backoff_ms = number_or(c->max_backoff, 8000),
            .probe_ms = number_or(c->inactivity_probe, 5000),
            .rate_limit = number_or(c->controller_rate_limit, 0),
            .burst_limit = number_or(c->controller_burst_limit, 0),
            .enable_async = !c->enable_async_messages || *c->enable_async_messages,
        };
    }
    char *file = base_asprintf("%s.mgmt", br->name), *snoop = base_asprintf("%s.snoop", br->name);
    char *mgmt_path = dirs_abs(dirs_run(), file), *snoop_path = dirs_abs(dirs_run(), snoop);
    const char *dp_desc = idl_bridge_other_config_get(cfg, "dp-desc");
    const char *serial = idl_bridge_other_config_get(cfg, "dp-sn");
    bool secure = cfg->fail_mode && !strcmp(cfg->fail_mode, "secure");
    struct of_bridge_config oc = {
        .dpid = br->dpid,
        .fail_mode = secure ? OF_FAIL_SECURE : OF_FAIL_STANDALONE,
        .versions = allowed_versions(br),
        .controllers = ctls,
        .n_controllers = cfg->n_controller,
        .mfr_desc = "Nicira, Inc.",
        .hw_desc = "Open vSwitch",
        .sw_desc = "3.1.0",
        .serial_desc = serial ? serial : "None",
        .dp_desc = dp_desc ? dp_desc : "None",
        .mgmt_path = mgmt_path,
        .snoop_path = snoop_path,
    };
    char *error = of_bridge_configure(br->of, &oc);
    if (error) {
        LOG_WARN("bridge %s: %s", br->name, error);
        free(error);
    }
    bool has = false; // one that is waited for takes over nothing
    for (size_t i = 0; i < cfg->n_controller; i++) {
        has |= !stream_name_is_passive(ctls[i].target);
    }
    bool other = has != br->had_controllers || (!has && secure != br->was_secure);
    if (br->started && other) {
        of_bridge_flush_rules(br->of);
    }
    if (!br->started || other) {
        set_default_rule(br, !has && !secure);
    }
    br->had_controllers = has;
    br->was_secure = secure;
    br->started = true;
    free(file);
    free(snoop);
    free(mgmt_path);
    free(snoop_path);
    free(ctls);
}
