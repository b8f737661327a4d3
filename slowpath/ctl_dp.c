// SPDX-License-Identifier: Apache-2.0
// unixctl commands that show datapaths and bridges: dpif/*, dpctl/show, dpctl/dump-dps. Main
// thread.
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "kdatapath/kd.h"
#include "lib/base/coverage.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "ofproto/of_bridge.h"
#include "slowpath/ctl_private.h"
#include "slowpath/handler.h"
#include "slowpath/mega.h"

// --- Datapaths. ---

static void
format_port_counters(const struct sp_target *t, uint32_t port_no, struct str *out)
{
    struct dp_port_state s;
    if (!t->ops->port_state || t->ops->port_state(t->dp, port_no, &s)) {
        str_add(out, "    statistics: see ip -s link\n");
        return;
    }
    const struct dp_port_counters *c = &s.counters;
    str_addf(out,
             "    RX packets:%llu errors:%llu dropped:%llu overruns:%llu frame:%llu\n"
             "    TX packets:%llu errors:%llu dropped:%llu aborted:? carrier:?\n"
             "    collisions:%llu\n"
             "    RX bytes:%llu  TX bytes:%llu\n",
             (unsigned long long) c->rx_packets, (unsigned long long) c->rx_errors,
             (unsigned long long) c->rx_dropped, (unsigned long long) c->rx_over_err,
             (unsigned long long) c->rx_frame_err, (unsigned long long) c->tx_packets,
             (unsigned long long) c->tx_errors, (unsigned long long) c->tx_dropped,
             (unsigned long long) c->collisions, (unsigned long long) c->rx_bytes,
             (unsigned long long) c->tx_bytes);
}

// Only the kernel's datapath has one whose size can be told.
static void
format_caches(const struct sp_target *t, struct str *out)
{
    if (t->ops == &kd_dp_ops) {
        str_addf(out, "  caches:\n    masks-cache: size:%u\n", kd_dp_mask_cache(t->dp));
    }
}

static void
format_stats(const struct sp_target *t, struct str *out)
{
    struct dp_stats s;
    if (t->ops->stats(t->dp, &s)) {
        return;
    }
    str_addf(out, "  lookups: hit:%llu missed:%llu lost:%llu\n  flows: %llu\n",
             (unsigned long long) s.hit, (unsigned long long) s.missed, (unsigned long long) s.lost,
             (unsigned long long) s.flows);
    if (t->ops != &kd_dp_ops) {
        return;
    }
    const uint64_t n = s.hit + s.missed;
    str_addf(out, "  masks: hit:%llu total:%u hit/pkt:%.2f\n", (unsigned long long) s.mask_hit,
             s.masks, n ? (double) s.mask_hit / (double) n : 0);
    if (s.cache_hit) {
        str_addf(out, "  cache: hit:%llu hit-rate:%.2f%%\n", (unsigned long long) s.cache_hit,
                 n ? (double) s.cache_hit / (double) n * 100 : 0);
    }
    format_caches(t, out);
}

struct show {
    bool counters;
    struct str *out;
};

static void
show_target(struct sp_target *t, void *show_)
{
    const struct show *show = show_;
    str_addf(show->out, "%s@%s:\n", t->type, t->name);
    format_stats(t, show->out);
    sp_target_ports(t);
    for (size_t i = 0; i < t->n_ports; i++) {
        const struct dp_port_info *info = &t->ports[i];
        const bool plain = !strcmp(info->type, "system") || !info->type[0];
        str_addf(show->out, "  port %u: %s%s%s%s\n", info->port_no, info->name, plain ? "" : " (",
                 plain ? "" : info->type, plain ? "" : ")");
        if (show->counters) {
            format_port_counters(t, info->port_no, show->out);
        }
    }
}

static void
dpctl_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT, error = STR_INIT;
    struct show show = {.out = &out};
    bool named = false, failed = false;
    rcu_begin();
    for (int i = 1; i < argc; i++) {
        show.counters |= !strcmp(argv[i], "-s") || !strcmp(argv[i], "--statistics");
        named |= argv[i][0] != '-';
    }
    for (int i = 1; i < argc; i++) {
        struct sp_target t;
        if (argv[i][0] == '-') {
            continue;
        }
        const int e = sp_target_open(argv[i], &t, NULL);
        if (e) {
            sp_ctl_complain(&out, e, "opening datapath %s failed", argv[i]);
            failed = true;
        } else {
            show_target(&t, &show);
            sp_target_close(&t);
        }
    }
    if (!named) {
        sp_target_for_each(show_target, &show);
    }
    rcu_end();
    // One that is missing makes the whole answer an error.
    sp_ctl_finish(conn, failed ? &error : &out, failed ? &out : &error);
}

static void
add_name(struct sp_target *t, void *out)
{
    str_addf(out, "%s@%s\n", t->type, t->name);
}

static void
dpctl_dump_dps(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    sp_target_for_each(add_name, &out);
    unixctl_reply(conn, str_get(&out));
    str_free(&out);
}

static void
cache_get_size(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT, error = STR_INIT;
    struct sp_target t;
    const int e = sp_target_open(argc > 1 ? argv[1] : NULL, &t, &error);
    if (e) {
        sp_ctl_complain(&error, e, "Opening datapath %s failed", argc > 1 ? argv[1] : "");
    } else {
        str_addf(&out, "%s@%s:\n", t.type, t.name);
        format_caches(&t, &out);
        sp_target_close(&t);
    }
    sp_ctl_finish(conn, &out, &error);
}

static void
set_cache(struct sp_target *t, const char *cache, uint32_t size, struct str *out, struct str *error)
{
    if (t->ops != &kd_dp_ops) {
        sp_ctl_complain(error, EOPNOTSUPP, "Setting caches not supported");
    } else if (strcmp(cache, "masks-cache")) {
        sp_ctl_complain(error, EINVAL, "Cache name \"%s\" not found on dpif", cache);
    } else {
        const int e = kd_dp_set_mask_cache(t->dp, size);
        if (e) {
            sp_ctl_complain(error, e, "Setting cache size failed");
        } else {
            str_addf(out, "Setting cache size successful, new size %u\n", kd_dp_mask_cache(t->dp));
        }
    }
}

static void
cache_set_size(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT, error = STR_INIT;
    struct sp_target t;
    uint64_t size;
    const int e = sp_target_open(argv[1], &t, NULL);
    if (e) {
        sp_ctl_complain(&error, e, "Opening datapath %s failed", argv[1]);
    } else {
        if (base_parse_uint(argv[3], UINT32_MAX, &size)) {
            set_cache(&t, argv[2], (uint32_t) size, &out, &error);
        } else {
            sp_ctl_complain(&error, EINVAL, "size is malformed");
        }
        sp_target_close(&t);
    }
    sp_ctl_finish(conn, &out, &error);
}

static int
compare_bridges(const void *a, const void *b)
{
    return strcmp((*(const struct sp_bridge *const *) a)->name,
                  (*(const struct sp_bridge *const *) b)->name);
}

// Bridges of a datapath (NULL: all), by name; an array to free.
static const struct sp_bridge **
sorted_bridges(const struct sp_dp *dp, size_t *n)
{
    const struct sp_config *config = sp_config_get();
    const struct sp_bridge **list =
        base_calloc(config ? hmap_count(&config->bridges) + 1 : 1, sizeof *list);
    const struct sp_bridge *br;
    *n = 0;
    if (config) {
        HMAP_FOR_EACH (br, by_name, &config->bridges) {
            if (br->dp && (!dp || br->dp == dp)) {
                list[(*n)++] = br;
            }
        }
    }
    qsort(list, *n, sizeof *list, compare_bridges);
    return list;
}

static void
dpif_dump_dps(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    size_t n;
    rcu_begin();
    const struct sp_bridge **list = sorted_bridges(NULL, &n);
    for (size_t i = 0; i < n; i++) {
        str_addf(&out, "%s@%s\n", sp_dp_type(list[i]->dp), list[i]->name);
    }
    rcu_end();
    free(list);
    unixctl_reply(conn, str_get(&out));
    str_free(&out);
}

static int
compare_sp_ports(const void *a_, const void *b_)
{
    return strcmp((*(const struct sp_port *const *) a_)->name,
                  (*(const struct sp_port *const *) b_)->name);
}

// As the datapath calls it.
static const char *
kind_name(const struct sp_target *t, const struct sp_port *p)
{
    for (size_t i = 0; i < t->n_ports; i++) {
        if (t->ports[i].port_no == p->dp_port && t->ports[i].type[0]) {
            return t->ports[i].type;
        }
    }
    return "system";
}

static void
show_bridge(const struct sp_bridge *br, const struct sp_target *t, struct str *out)
{
    const struct sp_port **list = base_calloc(hmap_count(&br->ports) + 1, sizeof *list), *p;
    size_t n = 0;
    HMAP_FOR_EACH (p, by_ofp, &br->ports) {
        list[n++] = p;
    }
    qsort(list, n, sizeof *list, compare_sp_ports);
    str_addf(out, "  %s:\n", br->name);
    for (size_t i = 0; i < n; i++) {
        p = list[i];
        const unsigned ofp = p->ofp_port > 0xffffff00 ? p->ofp_port & 0xffff : p->ofp_port;
        if (p->kind == SP_PORT_PATCH) {
            str_addf(out, "    %s %u/none: (patch: peer=%s)\n", p->name, ofp,
                     p->peer ? p->peer->name : "?");
        } else {
            str_addf(out, "    %s %u/%u: (%s)\n", p->name, ofp, p->dp_port, kind_name(t, p));
        }
    }
    free(list);
}

static void
dpif_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    rcu_begin();
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        struct dp_stats s = {0};
        size_t n;
        const struct sp_bridge **list = sorted_bridges(dp, &n);
        dp->ops->stats(dp->dp, &s);
        if (n) {
            str_addf(&out, "%s@ovs-%s: hit:%llu missed:%llu\n", dp->type, dp->type,
                     (unsigned long long) s.hit, (unsigned long long) s.missed);
        }
        struct sp_target t = {.ops = dp->ops, .dp = dp->dp, .sp = dp};
        sp_target_ports(&t);
        for (size_t i = 0; i < n; i++) {
            show_bridge(list[i], &t, &out);
        }
        sp_target_close(&t);
        free(list);
    }
    rcu_end();
    unixctl_reply(conn, str_get(&out));
    str_free(&out);
}

static void
dpif_show_features(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    rcu_begin();
    const struct sp_bridge *br = sp_ctl_bridge(conn, argv[1]);
    if (br) {
        const struct dp_features *f = sp_dp_features(br->dp);
        const struct {
            const char *name;
            unsigned value;
        } rows[] = {
            {"Masked set action", f->masked_set},
            {"Tunnel push pop", false},
            {"Ufid", f->ufid},
            {"Truncate action", f->actions & 1u << DP_ACT_TRUNC},
            {"Clone action", f->actions & 1u << DP_ACT_CLONE},
            {"Sample nesting", f->sample_nesting},
            {"Conntrack eventmask", f->actions & 1u << DP_ACT_CT},
            {"Conntrack clear", f->actions & 1u << DP_ACT_CT_CLEAR},
            {"Max dp_hash algorithm", false},
            {"Check pkt length action", f->check_pkt_len},
            {"Conntrack timeout policy", f->ct_timeout},
            {"Explicit Drop action", f->actions & 1u << DP_ACT_DROP},
            {"Optimized Balance TCP mode", f->actions & 1u << DP_ACT_LB_OUTPUT},
            {"Conntrack all-zero IP SNAT", false},
            {"MPLS Label add", false},
            {"Max VLAN headers", f->max_vlans},
            {"Max MPLS depth", f->max_mpls},
            {"Recirc", f->recirc},
            {"CT state", field_set_has(&f->match, FIELD_CT_STATE)},
            {"CT zone", field_set_has(&f->match, FIELD_CT_ZONE)},
            {"CT mark", field_set_has(&f->match, FIELD_CT_MARK)},
            {"CT label", field_set_has(&f->match, FIELD_CT_LABEL)},
            {"CT state NAT", f->ct_state_nat},
            {"CT orig tuple", f->ct_orig_tuple},
            {"CT orig tuple for IPv6", f->ct_orig_tuple},
            {"IPv6 ND Extension", false},
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            const bool number =
                !strncmp(rows[i].name, "Max ", 4) || !strncmp(rows[i].name, "Sample", 6);
            if (number) {
                str_addf(&out, "%s: %u\n", rows[i].name, rows[i].value);
            } else {
                str_addf(&out, "%s: %s\n", rows[i].name, rows[i].value ? "Yes" : "No");
            }
        }
        unixctl_reply(conn, str_get(&out));
    }
    rcu_end();
    str_free(&out);
}

static void
report_memory(void *aux)
{
    const struct sp_config *config = sp_config_get();
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        struct mega_stats s;
        mega_stats(dp->cache, &s);
        if (s.n) {
            coverage_memory_add("udpif keys", s.n);
        }
        coverage_memory_add("handlers", MAX(sp_handlers_n(dp->handlers), 1));
        coverage_memory_add("revalidators", 1);
    }
    const struct sp_bridge *br;
    if (config) {
        HMAP_FOR_EACH (br, by_name, &config->bridges) {
            coverage_memory_add("ports", hmap_count(&br->ports));
            if (br->of) {
                coverage_memory_add("rules", of_bridge_n_rules(br->of) + of_bridge_n_hidden(br->of));
            }
        }
    }
}

void
sp_ctl_dp_init(void)
{
    unixctl_register("dpif/dump-dps", "", 0, 0, dpif_dump_dps, NULL);
    unixctl_register("dpif/show", "", 0, 0, dpif_show, NULL);
    unixctl_register("dpif/show-dp-features", "bridge", 1, 1, dpif_show_features, NULL);
    unixctl_register("dpctl/dump-dps", "", 0, 0, dpctl_dump_dps, NULL);
    unixctl_register("dpctl/cache-get-size", "[dp]", 0, 1, cache_get_size, NULL);
    unixctl_register("dpctl/cache-set-size", "dp cache <size>", 3, 3, cache_set_size, NULL);
    unixctl_register("dpctl/show", "[-s] [dp...]", 0, INT_MAX, dpctl_show, NULL);
    sp_ctl_flows_init();
    sp_ctl_dpctl_init();
    coverage_memory_register(report_memory, NULL);
}
