// SPDX-License-Identifier: Apache-2.0
// See kd_userdata.h. Host byte order: it comes back on the machine that wrote it, but perhaps to a
// newer program.
#include "kdatapath/kd_userdata.h"

#include "kdatapath/kd_codec.h"

#define MAGIC 0x31646246u // "Fbd1": the layout's version

struct userdata {
    uint32_t magic;
    uint8_t kind;
    uint8_t pad;
    uint16_t controller_id;
    uint32_t arg;
    uint32_t ofp_in_port;
    uint32_t ofproto;
    uint32_t recirc_id;
    uint64_t cookie;
};
_Static_assert(sizeof(struct userdata) == 32, "no holes");

void
kd_userdata_put(struct nlk_batch *b, uint16_t attr, const struct dp_act_userspace *a)
{
    if (a->kind == DP_USER_RAW) {
        nlk_put(b, attr, a + 1, MIN(a->arg, a->a.len - sizeof *a));
        return;
    }
    const struct userdata u = {
        .magic = MAGIC,
        .kind = a->kind,
        .controller_id = a->controller_id,
        .arg = a->arg,
        .ofp_in_port = a->ofp_in_port,
        .ofproto = a->ofproto,
        .recirc_id = a->recirc_id,
        .cookie = a->cookie,
    };
    nlk_put(b, attr, &u, sizeof u);
}

bool
kd_userdata_parse(const struct nlk_attr *attr, struct dp_act_userspace *a)
{
    struct userdata u;

    if (!attr->data || attr->len != sizeof u) {
        return false;
    }
    memcpy(&u, attr->data, sizeof u);
    if (u.magic != MAGIC || u.kind >= DP_USER_RAW) {
        return false;
    }
    a->kind = u.kind;
    a->controller_id = u.controller_id;
    a->arg = u.arg;
    a->ofp_in_port = u.ofp_in_port;
    a->ofproto = u.ofproto;
    a->recirc_id = u.recirc_id;
    a->cookie = u.cookie;
    return true;
}

void
kd_userdata_get(const struct nlk_attr *attr, struct dp_act_userspace *a)
{
    if (!kd_userdata_parse(attr, a)) {
        a->kind = DP_USER_RAW; // the bytes don't travel with an upcall: nobody here knows them
        a->arg = 0;
    }
}
