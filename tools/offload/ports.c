// SPDX-License-Identifier: Apache-2.0
// ovs-offload ports.
#include <stdio.h>

#include "tools/offload/offload.h"

// "pf0 vf3", "pf0 sf88", "uplink".
static void
add_role(struct grid *g, const json_t *p)
{
    const char *flavour = get_str(p, "flavour");
    const long long pf = get_int(p, "pf"), vf = get_int(p, "vf"), sf = get_int(p, "sf");
    if (!strcmp(flavour, "pcivf")) {
        grid_addf(g, "pf%lld vf%lld", pf, vf);
    } else if (!strcmp(flavour, "pcisf")) {
        grid_addf(g, "pf%lld sf%lld", pf, sf);
    } else if (!strcmp(flavour, "pcipf")) {
        grid_addf(g, "pf%lld", pf);
    } else if (!strcmp(flavour, "physical")) {
        grid_add(g, "uplink");
    } else {
        grid_add(g, flavour);
    }
}

void
print_ports(const json_t *answer)
{
    static const char *const headings[] = {"bridge",    "port",       "device", "represents",
                                           "switch id", "ifindex",    "mtu",    "hw-tc-offload",
                                           "rdma",      "offloadable"};
    struct grid *g = grid_new(headings, ARRAY_SIZE(headings));
    size_t i;
    json_t *p;
    json_array_foreach(answer, i, p)
    {
        grid_add(g, get_str(p, "bridge"));
        grid_addf(g, "%lld", (long long) get_int(p, "ofport"));
        grid_add(g, get_str(p, "device"));
        add_role(g, p);
        grid_add(g, get_str(p, "switch_id"));
        grid_addf(g, "%lld", (long long) get_int(p, "ifindex"));
        grid_addf(g, "%lld", (long long) get_int(p, "mtu"));
        grid_add(g, get_bool(p, "hw_tc_offload") ? "on" : "off");
        if (get_int(p, "rdma_port")) {
            grid_addf(g, "%s/%lld", get_str(p, "rdma"), (long long) get_int(p, "rdma_port"));
        } else {
            grid_add(g, get_str(p, "rdma"));
        }
        const json_t *why = json_object_get(p, "reason");
        if (json_is_object(why)) {
            grid_addf(g, "no: %s", get_str(why, "text"));
        } else {
            grid_add(g, "yes");
        }
    }
    grid_print(g);
}
