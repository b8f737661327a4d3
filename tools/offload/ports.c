// SPDX-License-Identifier: Apache-2.0
// ovs-offload ports.
#include <stdio.h>
#include <stdlib.h>

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

static int
by_port(const void *a_, const void *b_)
{
    const json_t *a = *(json_t *const *) a_, *b = *(json_t *const *) b_;
    const int bridges = strcmp(get_str(a, "bridge"), get_str(b, "bridge"));
    const long long x = get_int(a, "ofport"), y = get_int(b, "ofport");
    return bridges ? bridges : (x > y) - (x < y);
}

static json_t *
sort_ports(const json_t *answer)
{
    json_t **all = base_calloc(json_array_size(answer) + 1, sizeof *all), *p;
    json_t *out = json_array();
    size_t i;
    json_array_foreach(answer, i, p)
    {
        all[i] = p;
    }
    qsort(all, json_array_size(answer), sizeof *all, by_port);
    for (i = 0; i < json_array_size(answer); i++) {
        json_array_append(out, all[i]);
    }
    free(all);
    return out;
}

void
print_ports(const json_t *answer)
{
    static const char *const headings[] = {"bridge",    "port",       "device", "represents",
                                           "switch id", "ifindex",    "mtu",    "hw-tc-offload",
                                           "rdma",      "offloadable"};
    struct grid *g = grid_new(headings, ARRAY_SIZE(headings));
    size_t i;
    json_t *sorted = sort_ports(answer), *p;
    json_array_foreach(sorted, i, p)
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
    json_decref(sorted);
    grid_print(g);
}
