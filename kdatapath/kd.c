// SPDX-License-Identifier: Apache-2.0
// The table of the kernel datapath's functions, and the frame of its messages. See kd.h.
#include "kdatapath/kd.h"

#include <errno.h>

#include "kdatapath/kd_private.h"

const struct dp_ops kd_dp_ops = {
    .type = "system",
    .open = kd_dp_open,
    .close = kd_dp_close,
    .destroy = kd_dp_destroy,
    .features = kd_features,
    .stats = kd_dp_stats,
    .port_add = kd_vport_add,
    .port_del = kd_vport_del,
    .port_dump = kd_vport_dump,
    .channel_open = kd_channel_open,
    .channel_close = kd_channel_close,
    .flow_apply = kd_flow_apply,
    .flow_dump = kd_flow_dump,
    .flow_flush = kd_flow_flush,
    .execute = kd_execute,
    .apply_execute = kd_apply_execute,
    .upcall_set = kd_upcall_set,
    .upcall_fd = kd_upcall_fd,
    .upcall_recv = kd_upcall_recv,
};

struct frame {
    struct genlmsghdr g;
    struct ovs_header o;
};

void
kd_begin(struct nlk_batch *b, const struct dp *dp, uint16_t family, uint8_t cmd, uint16_t flags)
{
    struct frame *f = nlk_begin(b, family, flags, sizeof *f);

    f->g.cmd = cmd;
    f->g.version = family == dp->fam.datapath ? OVS_DATAPATH_VERSION : 1;
    f->o.dp_ifindex = dp->dp_ifindex;
}

int
kd_parse(const struct nlk_msg *m, struct nlk_attr table[], size_t n, uint8_t *cmd, int *dp_ifindex)
{
    struct frame f;

    if (m->len < sizeof f) {
        return -EBADMSG;
    }
    memcpy(&f, m->data, sizeof f);
    if (cmd) {
        *cmd = f.g.cmd;
    }
    if (dp_ifindex) {
        *dp_ifindex = f.o.dp_ifindex;
    }
    return nlk_parse(m->data + sizeof f, m->len - sizeof f, table, n);
}

int
kd_families_find(struct nlk_sock *s, struct kd_families *fam)
{
    int error = nlk_genl_family(s, OVS_DATAPATH_FAMILY, &fam->datapath);
    if (!error) {
        error = nlk_genl_family(s, OVS_VPORT_FAMILY, &fam->vport);
    }
    if (!error) {
        error = nlk_genl_family(s, OVS_FLOW_FAMILY, &fam->flow);
    }
    if (!error) {
        error = nlk_genl_family(s, OVS_PACKET_FAMILY, &fam->packet);
    }
    return error;
}
