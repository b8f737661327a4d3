// SPDX-License-Identifier: Apache-2.0
// Filters that an earlier run left at devices where this run offloads nothing: the port, or its
// bridge, was deleted while no switch ran, or offload was switched off. A worker adopts or removes
// those of its own ports; these have no worker, and would forward for ever what no table says.
//
// Which devices: the ports that the kernel's datapath has at start. They are looked at once, on the
// main thread.
#include "config.h"

#include <stdlib.h>

#include "kdatapath/kd.h"
#include "lib/base/log.h"
#include "offload/ofl.h"
#include "slowpath/place.h"
#include "slowpath/sp_config.h"
#include "slowpath/sp_private.h"

LOG_MODULE(place_left);

static struct {
    int *ifindexes;
    size_t n, cap;
    bool noted, cleaned;
} left;

static void
note(const struct dp_port_info *info, void *aux)
{
    (void) aux;
    if (info->ifindex && info->port_no) { // 0: the datapath's own
        if (left.n == left.cap) {
            left.ifindexes = base_grow(left.ifindexes, &left.cap, sizeof *left.ifindexes);
        }
        left.ifindexes[left.n++] = info->ifindex;
    }
}

void
sp_place_left_note(struct dp *kernel)
{
    if (!left.noted) {
        left.noted = true;
        kd_dp_ops.port_dump(kernel, note, NULL);
    }
}

// Nobody has opened the datapath: there is no bridge of this type any more.
static void
look(void)
{
    struct dp *dp;
    if (dp_ops_find("system") == &kd_dp_ops && !kd_dp_ops.open("ovs-system", false, &dp)) {
        sp_place_left_note(dp);
        kd_dp_ops.close(dp);
    }
}

static bool
has_worker(const struct sp_config *config, int ifindex)
{
    const struct sp_port *port;
    HMAP_FOR_EACH (port, by_dp, &config->dp_ports) {
        if (port->ifindex == ifindex && port->bridge->dp->home == DP_PLACE_KERNEL) {
            return config->hw_offload;
        }
    }
    return false;
}

void
sp_place_left_clean(const struct sp_config *config)
{
    if (left.cleaned) {
        return;
    }
    left.cleaned = true;
    if (!left.noted) {
        look();
    }
    left.noted = true; // what joins from now on is of this run
    size_t n = 0;
    for (size_t i = 0; i < left.n; i++) {
        if (!has_worker(config, left.ifindexes[i])) {
            left.ifindexes[n++] = left.ifindexes[i];
        }
    }
    const size_t removed = ofl_clean_devices(left.ifindexes, n);
    if (removed) {
        LOG_INFO("%zu filters of an earlier run were removed from devices where nothing is "
                 "offloaded now",
                 removed);
    }
    free(left.ifindexes);
    left.ifindexes = NULL;
    left.n = left.cap = 0;
}
