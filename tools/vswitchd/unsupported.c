// SPDX-License-Identifier: Apache-2.0
// What is configured and this switch cannot do yet: said once in the log, by record and column,
// instead of nothing at all.
#include "config.h"

#include "lib/base/log.h"
#include "tools/vswitchd/vswitchd.h"

LOG_MODULE(bridge);

struct setting {
    const char *column;
    bool set;
};

// said: bit i for settings[i], of an earlier turn.
static void
tell(const char *kind, const char *name, const struct setting settings[], size_t n, uint32_t *said)
{
    uint32_t now = 0;
    for (size_t i = 0; i < n; i++) {
        now |= settings[i].set ? 1u << i : 0;
        if (settings[i].set && !(*said & 1u << i)) {
            LOG_WARN("%s %s: %s has no effect: this switch does not support it yet", kind, name,
                     settings[i].column);
        }
    }
    *said = now;
}

static void
tell_bridge(struct vsw_bridge *br)
{
    const struct idl_bridge *c = br->cfg;
    const struct setting settings[] = {{"mirrors", c->n_mirrors},
                                       {"netflow", c->netflow},
                                       {"sflow", c->sflow},
                                       {"ipfix", c->ipfix},
                                       {"stp_enable", c->stp_enable},
                                       {"rstp_enable", c->rstp_enable},
                                       {"mcast_snooping_enable", c->mcast_snooping_enable},
                                       {"auto_attach", c->auto_attach}};
    tell("bridge", br->name, settings, ARRAY_SIZE(settings), &br->unsupported);
}

static bool
is_true(const char *value)
{
    return value && !strcmp(value, "true");
}

static void
tell_iface(struct vsw_iface *iface)
{
    const struct idl_interface *c = iface->cfg;
    const struct idl_port *p = iface->port_cfg;
    const struct setting port[] = {{"a bond of several interfaces", p->n_interfaces > 1},
                                   {"lacp", p->lacp && strcmp(p->lacp, "off")},
                                   {"qos", p->qos}};
    const struct setting own[] = {
        {"bfd", is_true(idl_interface_bfd_get(c, "enable"))},
        {"cfm_mpid", c->cfm_mpid},
        {"lldp", is_true(idl_interface_lldp_get(c, "enable"))},
        {"ingress_policing_rate", c->ingress_policing_rate > 0},
        {"ingress_policing_kpkts_rate", c->ingress_policing_kpkts_rate > 0}};
    if (p->interfaces[0] == c) {
        tell("port", p->name, port, ARRAY_SIZE(port), &iface->port_unsupported);
    }
    tell("interface", iface->name, own, ARRAY_SIZE(own), &iface->unsupported);
}

void
vsw_tell_unsupported(struct vsw_bridge *br)
{
    struct vsw_iface *iface;
    tell_bridge(br);
    HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
        tell_iface(iface);
    }
}
