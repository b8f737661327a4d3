// SPDX-License-Identifier: Apache-2.0
// Ports of a datapath.
#include <errno.h>

#include "kdatapath/kd_private.h"
#include "lib/base/rcu.h"

static const struct {
    const char *name;
    uint32_t type;
} types[] = {
    // Interface.type
    {"system", OVS_VPORT_TYPE_NETDEV}, {"internal", OVS_VPORT_TYPE_INTERNAL},
    {"gre", OVS_VPORT_TYPE_GRE},       {"vxlan", OVS_VPORT_TYPE_VXLAN},
    {"geneve", OVS_VPORT_TYPE_GENEVE},
};

typedef struct nlk_attr vport_table[OVS_VPORT_ATTR_MAX + 1];

static void
put_pids(struct dp *dp, uint16_t attr)
{
    const struct kd_user_pids *u = rcu_get(dp->user_pids);
    static const uint32_t none = 0;

    if (u && !u->per_cpu) {
        nlk_put(&dp->batch, attr, u->pids, u->n * sizeof u->pids[0]);
    } else {
        nlk_put(&dp->batch, attr, &none, sizeof none);
    }
}

static void
put_options(struct dp *dp, const struct dp_port_spec *spec)
{
    if (spec->tp_dst || spec->exts) {
        const size_t options = nlk_nest(&dp->batch, OVS_VPORT_ATTR_OPTIONS);
        if (spec->tp_dst) {
            nlk_put_u16(&dp->batch, OVS_TUNNEL_ATTR_DST_PORT, spec->tp_dst);
        }
        if (spec->exts) {
            const size_t ext = nlk_nest(&dp->batch, OVS_TUNNEL_ATTR_EXTENSION);
            for (uint16_t i = 1; i < 32; i++) {
                if (spec->exts >> i & 1) {
                    nlk_put_flag(&dp->batch, i);
                }
            }
            nlk_nest_end(&dp->batch, ext);
        }
        nlk_nest_end(&dp->batch, options);
    }
}

int
kd_vport_add(struct dp *dp, const struct dp_port_spec *spec, uint32_t *port_no)
{
    uint32_t type = OVS_VPORT_TYPE_UNSPEC;
    struct nlk_msg reply;
    vport_table t;

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        type = strcmp(types[i].name, spec->type) ? type : types[i].type;
    }
    if (type == OVS_VPORT_TYPE_UNSPEC) {
        return -EAFNOSUPPORT;
    }
    if (!*spec->name || strlen(spec->name) >= MEMBER_SIZE(struct dp_port_info, name)) {
        return -EINVAL;
    }
    nlk_batch_clear(&dp->batch);
    kd_begin(&dp->batch, dp, dp->fam.vport, OVS_VPORT_CMD_NEW, NLM_F_ECHO);
    nlk_put_u32(&dp->batch, OVS_VPORT_ATTR_TYPE, type);
    nlk_put_str(&dp->batch, OVS_VPORT_ATTR_NAME, spec->name);
    put_pids(dp, OVS_VPORT_ATTR_UPCALL_PID);
    if (spec->port_no != DP_PORT_NONE) {
        nlk_put_u32(&dp->batch, OVS_VPORT_ATTR_PORT_NO, spec->port_no);
    }
    put_options(dp, spec);
    int error = nlk_request(dp->sock, &dp->batch, &reply, NULL);
    if (!error) {
        error = kd_parse(&reply, t, ARRAY_SIZE(t), NULL, NULL);
    }
    if (!error) {
        *port_no = nlk_u32(&t[OVS_VPORT_ATTR_PORT_NO]);
    }
    return error;
}

int
kd_vport_del(struct dp *dp, uint32_t port_no)
{
    nlk_batch_clear(&dp->batch);
    kd_begin(&dp->batch, dp, dp->fam.vport, OVS_VPORT_CMD_DEL, 0);
    nlk_put_u32(&dp->batch, OVS_VPORT_ATTR_PORT_NO, port_no);
    return nlk_request(dp->sock, &dp->batch, NULL, NULL);
}

static void
copy_str(char *dst, size_t size, const char *src)
{
    const size_t n = MIN(strlen(src), size - 1);
    memcpy(dst, src, n);
    dst[n] = 0;
}

static void
parse_counters(const struct nlk_attr *a, struct kd_port *p)
{
    struct ovs_vport_stats s;

    if (!a->data || a->len < sizeof s) {
        return;
    }
    memcpy(&s, a->data, sizeof s);
    p->counters = (struct dp_port_counters){
        .rx_packets = s.rx_packets,
        .tx_packets = s.tx_packets,
        .rx_bytes = s.rx_bytes,
        .tx_bytes = s.tx_bytes,
        .rx_errors = s.rx_errors,
        .tx_errors = s.tx_errors,
        .rx_dropped = s.rx_dropped,
        .tx_dropped = s.tx_dropped,
    };
    p->has_counters = true;
}

static int
parse_port(const struct nlk_msg *m, struct kd_port *p)
{
    struct nlk_attr options[OVS_TUNNEL_ATTR_MAX + 1];
    vport_table t;

    memset(p, 0, sizeof *p);
    int error = kd_parse(m, t, ARRAY_SIZE(t), NULL, NULL);
    if (error || nlk_parse_nested(&t[OVS_VPORT_ATTR_OPTIONS], options, ARRAY_SIZE(options))) {
        return -EBADMSG;
    }
    copy_str(p->info.name, sizeof p->info.name, nlk_str(&t[OVS_VPORT_ATTR_NAME]));
    p->info.port_no = nlk_u32(&t[OVS_VPORT_ATTR_PORT_NO]);
    p->info.ifindex = nlk_u32(&t[OVS_VPORT_ATTR_IFINDEX]);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].type == nlk_u32(&t[OVS_VPORT_ATTR_TYPE])) {
            copy_str(p->info.type, sizeof p->info.type, types[i].name);
        }
    }
    parse_counters(&t[OVS_VPORT_ATTR_STATS], p);
    p->tp_dst = nlk_u16(&options[OVS_TUNNEL_ATTR_DST_PORT]);
    p->n_upcall_pids = t[OVS_VPORT_ATTR_UPCALL_PID].len / sizeof(uint32_t);
    p->upcall_pid = nlk_u32(&t[OVS_VPORT_ATTR_UPCALL_PID]);
    return 0;
}

struct each {
    dp_port_cb *cb;
    void (*cb_full)(const struct kd_port *, void *aux);
    void *aux;
};

static bool
tell_port(const struct nlk_msg *m, void *e_)
{
    const struct each *e = e_;
    struct kd_port p;

    if (!parse_port(m, &p)) {
        if (e->cb) {
            e->cb(&p.info, e->aux);
        } else {
            e->cb_full(&p, e->aux);
        }
    }
    return true;
}

// The kernel doesn't say when ports changed during a dump.
static int
dump(struct dp *dp, struct each *e)
{
    nlk_batch_clear(&dp->batch);
    kd_begin(&dp->batch, dp, dp->fam.vport, OVS_VPORT_CMD_GET, 0);
    int error = nlk_dump(dp->sock, &dp->batch, tell_port, e);
    return error == -EINTR ? 0 : error;
}

int
kd_vport_dump(struct dp *dp, dp_port_cb *cb, void *aux)
{
    struct each e = {.cb = cb, .aux = aux};
    return dump(dp, &e);
}

int
kd_port_for_each(struct dp *dp, void (*cb)(const struct kd_port *, void *aux), void *aux)
{
    struct each e = {.cb_full = cb, .aux = aux};
    return dump(dp, &e);
}

int
kd_port_get(struct dp *dp, const char *name, uint32_t port_no, struct kd_port *out)
{
    struct nlk_msg reply;

    memset(out, 0, sizeof *out);
    if (name && strlen(name) >= sizeof out->info.name) {
        return -ENODEV;
    }
    nlk_batch_clear(&dp->batch);
    kd_begin(&dp->batch, dp, dp->fam.vport, OVS_VPORT_CMD_GET, 0);
    if (name) {
        nlk_put_str(&dp->batch, OVS_VPORT_ATTR_NAME, name);
    } else {
        nlk_put_u32(&dp->batch, OVS_VPORT_ATTR_PORT_NO, port_no);
    }
    int error = nlk_request(dp->sock, &dp->batch, &reply, NULL);
    if (!error) {
        // A name is looked up in all datapaths.
        int dp_ifindex;
        struct nlk_attr none[1];
        error = kd_parse(&reply, none, 1, NULL, &dp_ifindex);
        if (!error) {
            error = dp_ifindex == dp->dp_ifindex ? parse_port(&reply, out) : -ENODEV;
        }
    }
    return error;
}

struct numbers {
    uint32_t *no;
    size_t n, cap;
};

static void
collect(const struct dp_port_info *info, void *n_)
{
    struct numbers *n = n_;
    if (n->n == n->cap) {
        n->no = base_grow(n->no, &n->cap, sizeof *n->no);
    }
    n->no[n->n++] = info->port_no;
}

int
kd_vport_set_pids(struct dp *dp, const uint32_t *pids, size_t n)
{
    static const uint32_t none = 0;
    struct numbers ports = {0};
    int error = kd_vport_dump(dp, collect, &ports);

    for (size_t i = 0; i < ports.n && !error; i++) {
        nlk_batch_clear(&dp->batch);
        kd_begin(&dp->batch, dp, dp->fam.vport, OVS_VPORT_CMD_SET, 0);
        nlk_put_u32(&dp->batch, OVS_VPORT_ATTR_PORT_NO, ports.no[i]);
        nlk_put(&dp->batch, OVS_VPORT_ATTR_UPCALL_PID, n ? pids : &none, MAX(n, 1) * sizeof *pids);
        error = nlk_request(dp->sock, &dp->batch, NULL, NULL);
        if (error == -ENODEV) {
            error = 0; // went meanwhile
        }
    }
    free(ports.no);
    return error;
}
