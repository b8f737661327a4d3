// SPDX-License-Identifier: Apache-2.0
// unixctl commands about datapaths and the flows in them: dpif/*, dpctl/*. Main thread. Flows are
// told from the cache, which knows of each in which place it is, with the counters that its places
// have reported; what an earlier run left and nobody adopted is gone after the first sweep.
#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "kdatapath/kd.h"
#include "lib/base/clock.h"
#include "lib/base/coverage.h"
#include "lib/base/hash.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "lib/base/uuid.h"
#include "ofproto/of_bridge.h"
#include "slowpath/handler.h"
#include "slowpath/mega.h"
#include "slowpath/place.h"
#include "slowpath/reval.h"
#include "slowpath/sp_private.h"

// --- Names. ---

// "system@ovs-system", "ovs-system", "system"; NULL without arguments: the only one there is.
static struct sp_dp *
dp_arg(const char *name, char **error)
{
    struct sp_dp *dp = sp_dp_first();
    *error = NULL;
    if (!name) {
        if (!dp) {
            *error = base_strdup("no datapaths exist");
        } else if (dp->next) {
            *error = base_strdup("multiple datapaths, specify one");
            dp = NULL;
        }
        return dp;
    }
    const char *at = strchr(name, '@');
    const char *rest = at ? at + 1 : name;
    for (; dp; dp = dp->next) {
        const bool type_fits = !at || !strncmp(name, dp->type, (size_t) (at - name));
        const bool name_fits =
            !strncmp(rest, "ovs-", 4)
                ? !strcmp(rest + 4, dp->type)
                : at && sp_config_get() && sp_config_bridge(sp_config_get(), rest);
        if (type_fits && name_fits) {
            return dp;
        }
    }
    *error = base_asprintf("%s: there is no such datapath", name);
    return NULL;
}

static const char *
port_name(uint32_t dp_port, void *dp)
{
    const struct sp_config *config = sp_config_get();
    const struct sp_port *p = config ? sp_config_dp_port(config, dp, dp_port) : NULL;
    return p ? p->name : NULL;
}

static bool
port_by_name(const char *name, uint32_t *dp_port, void *dp)
{
    const struct sp_config *config = sp_config_get();
    const struct sp_port *p;
    if (config) {
        HMAP_FOR_EACH_HASH(p, by_name, hash_string(name, 0), &config->names)
        {
            if (!strcmp(p->name, name) && p->dp_port != DP_PORT_NONE && p->bridge->dp == dp) {
                *dp_port = p->dp_port;
                return true;
            }
        }
    }
    return false;
}

// --- Flows. ---

enum dump_type { DUMP_OVS = 1, DUMP_TC = 2, DUMP_OFFLOADED = 4, DUMP_NOT_OFFLOADED = 8 };

struct dump {
    struct sp_dp *dp;
    const struct of_bridge *bridge; // NULL: all
    bool verbose, names;
    unsigned types; // enum dump_type
    struct flow_match filter;
    bool has_filter;
    int64_t now;
    struct str *out;
};

static bool
type_is_wanted(const struct dump *d, enum dp_place place)
{
    const bool tc = place == DP_PLACE_TC_SW || place == DP_PLACE_TC_HW;
    return (d->types & DUMP_OVS && !tc) || (d->types & DUMP_TC && tc && place == DP_PLACE_TC_SW) ||
           (d->types & DUMP_OFFLOADED && place == DP_PLACE_TC_HW) ||
           (d->types & DUMP_NOT_OFFLOADED && place != DP_PLACE_TC_HW);
}

static bool
passes_bridge(const struct mega *m, const struct of_bridge *of)
{
    const struct mega_xlate *x = rcu_get(m->x);
    for (size_t i = 0; i < x->n_links; i++) {
        const struct mega_link *l = &x->links[i];
        if ((l->kind == XLATE_DEP_RULE && l->dep->rule->bridge == of) ||
            (l->kind == XLATE_DEP_MISS && l->dep->of == of)) {
            return true;
        }
    }
    return false;
}

static void
format_tcp_flags(uint16_t flags, struct str *out)
{
    static const char letters[] = "FSRP.UEC";
    str_add(out, ", flags:");
    for (size_t i = 0; letters[i]; i++) {
        if (flags & 1u << i) {
            str_add_char(out, letters[i]);
        }
    }
}

// As the stock switch words UFIDs: four 32-bit numbers in host order, grouped like a UUID.
static void
format_id(const struct flow_id *id, struct str *out)
{
    struct uuid uuid;
    char text[UUID_LEN + 1];
    memcpy(uuid.w, id->w, sizeof uuid.w);
    uuid_format(&uuid, text);
    str_addf(out, "ufid:%s, ", text);
}

static void
format_flow(const struct dump *d, struct mega *m, struct str *out)
{
    struct flow_match match;
    struct mega_counts c;
    const enum dp_place place = __atomic_load_n(&m->now, __ATOMIC_RELAXED);
    dp_port_namer *namer = d->names ? port_name : NULL;
    mega_match(m, &match);
    mega_counts(m, &c);
    const uint64_t packets = c.last_packets[MEGA_HOME] + c.last_packets[MEGA_TC];
    const uint64_t bytes = c.last_bytes[MEGA_HOME] + c.last_bytes[MEGA_TC];
    if (d->verbose) {
        format_id(&m->id, out);
    }
    if (d->dp->home == DP_PLACE_KERNEL) {
        dp_match_format_kernel(&match, d->verbose, namer, d->dp, out);
    } else {
        dp_match_format(&match, d->verbose, namer, d->dp, out);
    }
    str_addf(out, ", packets:%llu, bytes:%llu, used:", (unsigned long long) packets,
             (unsigned long long) bytes);
    if (packets && c.used) {
        str_addf(out, "%.3fs", (double) MAX(d->now - c.used, 0) / 1000.0);
    } else {
        str_add(out, "never");
    }
    if (packets && c.tcp_flags) {
        format_tcp_flags(c.tcp_flags, out);
    }
    if (d->verbose) {
        str_add(out, place == DP_PLACE_TC_HW ? ", offloaded:yes" : "");
        str_addf(out, ", dp:%s", place == DP_PLACE_TC_HW || place == DP_PLACE_TC_SW ? "tc" : "ovs");
    }
    str_add(out, ", actions:");
    dp_actions_format(&rcu_get(m->x)->acts->acts, namer, d->dp, out);
    str_add_char(out, '\n');
}

static bool
dump_one(struct mega *m, void *d_)
{
    struct dump *d = d_;
    const enum dp_place place = __atomic_load_n(&m->now, __ATOMIC_RELAXED);
    if (place == DP_PLACE_NONE || !type_is_wanted(d, place) ||
        (d->bridge && !passes_bridge(m, d->bridge))) {
        return true;
    }
    if (d->has_filter) {
        struct flow_match match;
        mega_match(m, &match);
        if (!match_is_within(&match, &d->filter)) {
            return true;
        }
    }
    format_flow(d, m, d->out);
    return true;
}

static void
dump_run(struct dump *d)
{
    sp_reval_refresh(d->dp->reval);
    d->now = clock_now();
    mega_for_each(d->dp->cache, dump_one, d);
}

static char *
parse_types(struct dump *d, const char *list)
{
    static const struct {
        const char *name;
        unsigned types;
    } rows[] = {{"ovs", DUMP_OVS},
                {"tc", DUMP_TC},
                {"dpdk", 0},
                {"offloaded", DUMP_OFFLOADED},
                {"partially-offloaded", 0},
                {"non-offloaded", DUMP_NOT_OFFLOADED},
                {"all", DUMP_OVS | DUMP_TC | DUMP_OFFLOADED}};
    d->types = 0;
    while (*list) {
        const size_t n = strcspn(list, ",");
        size_t i;
        for (i = 0; i < ARRAY_SIZE(rows); i++) {
            if (strlen(rows[i].name) == n && !strncmp(rows[i].name, list, n)) {
                d->types |= rows[i].types;
                break;
            }
        }
        if (i == ARRAY_SIZE(rows)) {
            return base_asprintf("ovs-vswitchd: Failed to parse type (%.*s) (Invalid argument)", (int) n, list);
        }
        list += n + (list[n] == ',');
    }
    return NULL;
}

// Options and filters, which may stand anywhere; what is left are names, at most one. NULL, or an
// error sentence.
static char *
parse_dump(struct dump *d, int argc, const char *argv[], const char **name)
{
    *name = NULL;
    d->types = DUMP_OVS | DUMP_TC | DUMP_OFFLOADED;
    for (int i = 1; i < argc; i++) {
        char *error = NULL;
        if (!strcmp(argv[i], "-m") || !strcmp(argv[i], "--more")) {
            d->verbose = true;
        } else if (!strcmp(argv[i], "--names")) {
            d->names = true;
        } else if (!strcmp(argv[i], "--no-names")) {
            d->names = false;
        } else if (!strncmp(argv[i], "type=", 5)) {
            error = parse_types(d, argv[i] + 5);
        } else if (!strncmp(argv[i], "filter=", 7)) {
            match_init_any(&d->filter);
            error = match_parse(&d->filter, argv[i] + 7, NULL);
            d->has_filter = true;
        } else if (!strncmp(argv[i], "pmd=", 4)) {
            continue;
        } else if (*name) {
            error = base_asprintf("%s: only one datapath or bridge can be given", argv[i]);
        } else {
            *name = argv[i];
        }
        if (error) {
            return error;
        }
    }
    return NULL;
}

static void
reply_dump(struct unixctl_conn *conn, struct dump *d, char *error)
{
    if (error) {
        unixctl_reply_error(conn, error);
        free(error);
        return;
    }
    struct str out = STR_INIT;
    d->out = &out;
    dump_run(d);
    unixctl_reply(conn, str_get(&out));
    str_free(&out);
}

static void
dpctl_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct dump *d = base_calloc(1, sizeof *d);
    const char *name;
    rcu_begin();
    char *error = parse_dump(d, argc, argv, &name);
    d->names |= d->verbose;
    if (!error) {
        d->dp = dp_arg(name, &error);
    }
    reply_dump(conn, d, error);
    rcu_end();
    free(d);
}

static void
dpif_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct dump *d = base_calloc(1, sizeof *d);
    const char *name;
    rcu_begin();
    char *error = parse_dump(d, argc, argv, &name);
    const struct sp_bridge *br = !error && name ? sp_config_bridge(sp_config_get(), name) : NULL;
    if (!error && !br) {
        error = base_strdup("no such bridge");
    }
    if (br) {
        d->dp = br->dp;
        d->bridge = br->of;
    }
    reply_dump(conn, d, error);
    rcu_end();
    free(d);
}

// --- One flow. ---

static bool
parse_id(const char *text, struct flow_id *id)
{
    struct uuid uuid;
    if (!uuid_parse(text + (strncmp(text, "ufid:", 5) ? 0 : 5), &uuid)) {
        return false;
    }
    memcpy(id->w, uuid.w, sizeof id->w);
    return true;
}

static void
dpctl_get_flow(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *error;
    struct flow_id id = {{0, 0}};
    rcu_begin();
    struct sp_dp *dp = dp_arg(argc > 2 ? argv[1] : NULL, &error);
    if (dp && !parse_id(argv[argc - 1], &id)) {
        error = base_asprintf("%s: Failed to parse ufid", argv[argc - 1]);
    }
    struct mega *m = error ? NULL : mega_find(dp->cache, &id);
    if (!error && !m) {
        error = base_strdup("getting flow (No such file or directory)");
    }
    if (error) {
        unixctl_reply_error(conn, error);
        free(error);
    } else {
        struct str out = STR_INIT;
        struct dump d = {.dp = dp, .now = clock_now()};
        format_flow(&d, m, &out);
        unixctl_reply(conn, str_get(&out));
        str_free(&out);
    }
    rcu_end();
}

static void
flows_gone(void *conn)
{
    unixctl_reply(conn, "");
}

static void
dpctl_del_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *error;
    rcu_begin();
    struct sp_dp *dp = dp_arg(argc > 1 ? argv[1] : NULL, &error);
    rcu_end();
    if (!dp) {
        unixctl_reply_error(conn, error);
        free(error);
        return;
    }
    sp_reval_request(dp->reval, true, flows_gone, conn);
}

// --- Datapaths. ---

struct port_row {
    struct dp_port_info info;
};

struct port_rows {
    struct port_row *rows;
    size_t n, cap;
};

static void
collect_port(const struct dp_port_info *info, void *p_)
{
    struct port_rows *p = p_;
    if (p->n == p->cap) {
        p->rows = base_grow(p->rows, &p->cap, sizeof *p->rows);
    }
    p->rows[p->n++].info = *info;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct port_row *a = a_, *b = b_;
    return a->info.port_no < b->info.port_no ? -1 : a->info.port_no > b->info.port_no;
}

static void
format_port_counters(struct sp_dp *dp, uint32_t port_no, struct str *out)
{
    struct dp_port_state s;
    if (!dp->ops->port_state || dp->ops->port_state(dp->dp, port_no, &s)) {
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

static void
show_dp(struct sp_dp *dp, bool counters, struct str *out)
{
    struct dp_stats s;
    str_addf(out, "%s@ovs-%s:\n", dp->type, dp->type);
    if (!dp->ops->stats(dp->dp, &s)) {
        str_addf(out, "  lookups: hit:%llu missed:%llu lost:%llu\n  flows: %llu\n",
                 (unsigned long long) s.hit, (unsigned long long) s.missed,
                 (unsigned long long) s.lost, (unsigned long long) s.flows);
        if (dp->home == DP_PLACE_KERNEL) {
            const uint64_t n = s.hit + s.missed;
            str_addf(out, "  masks: hit:%llu total:%u hit/pkt:%.2f\n",
                     (unsigned long long) s.mask_hit, s.masks,
                     n ? (double) s.mask_hit / (double) n : 0);
            if (s.cache_hit) {
                str_addf(out, "  cache: hit:%llu hit-rate:%.2f%%\n", (unsigned long long) s.cache_hit,
                         n ? (double) s.cache_hit / (double) n * 100 : 0);
            }
            str_addf(out, "  caches:\n    masks-cache: size:%u\n", kd_dp_mask_cache(dp->dp));
        }
    }
    struct port_rows p = {NULL, 0, 0};
    dp->ops->port_dump(dp->dp, collect_port, &p);
    if (p.n) {
        qsort(p.rows, p.n, sizeof *p.rows, compare_ports);
    }
    for (size_t i = 0; i < p.n; i++) {
        const struct dp_port_info *info = &p.rows[i].info;
        const bool plain = !strcmp(info->type, "system") || !info->type[0];
        str_addf(out, "  port %u: %s%s%s%s\n", info->port_no, info->name, plain ? "" : " (",
                 plain ? "" : info->type, plain ? "" : ")");
        if (counters) {
            format_port_counters(dp, info->port_no, out);
        }
    }
    free(p.rows);
}

static void
dpctl_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    bool counters = false, named = false;
    char *error = NULL;
    rcu_begin();
    for (int i = 1; i < argc; i++) {
        counters |= !strcmp(argv[i], "-s") || !strcmp(argv[i], "--statistics");
        named |= argv[i][0] != '-';
    }
    for (int i = 1; i < argc && !error; i++) {
        struct sp_dp *dp = argv[i][0] == '-' ? NULL : dp_arg(argv[i], &error);
        if (dp) {
            show_dp(dp, counters, &out);
        }
    }
    for (struct sp_dp *dp = named ? NULL : sp_dp_first(); dp; dp = dp->next) {
        show_dp(dp, counters, &out);
    }
    rcu_end();
    if (error) {
        unixctl_reply_error(conn, error);
        free(error);
    } else {
        unixctl_reply(conn, str_get(&out));
    }
    str_free(&out);
}

static void
dpctl_dump_dps(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        str_addf(&out, "%s@ovs-%s\n", dp->type, dp->type);
    }
    unixctl_reply(conn, str_get(&out));
    str_free(&out);
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

static const char *
kind_name(const struct sp_dp *dp, const struct sp_port *p)
{
    const bool dummy = !strcmp(dp->type, "dummy");
    return p->kind == SP_PORT_PATCH      ? "patch"
           : p->kind == SP_PORT_INTERNAL ? (dummy                         ? "dummy-internal"
                                            : !strcmp(dp->type, "netdev") ? "tap"
                                                                          : "internal")
                                         : (dummy ? "dummy" : "system");
}

static void
show_bridge(const struct sp_bridge *br, struct str *out)
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
            str_addf(out, "    %s %u/%u: (%s)\n", p->name, ofp, p->dp_port, kind_name(br->dp, p));
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
        for (size_t i = 0; i < n; i++) {
            show_bridge(list[i], &out);
        }
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
    const struct sp_config *config = sp_config_get();
    const struct sp_bridge *br = config ? sp_config_bridge(config, argv[1]) : NULL;
    if (!br) {
        unixctl_reply_error(conn, "no such bridge");
    } else {
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
            const bool number = !strncmp(rows[i].name, "Max ", 4) || !strncmp(rows[i].name, "Sample", 6);
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

// --- Actions as text. ---

static void
dpctl_parse_actions(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct str out = STR_INIT;
    for (int i = 1; i < argc; i++) {
        dp_actions_clear(&acts);
        char *error = dp_actions_parse(argv[i], port_by_name, sp_dp_first(), &acts);
        if (error) {
            unixctl_reply_error(conn, error);
            free(error);
            goto done;
        }
        dp_actions_format(&acts, NULL, NULL, &out);
        str_add_char(&out, '\n');
    }
    unixctl_reply(conn, str_get(&out));
done:
    str_free(&out);
    dp_actions_free(&acts);
}

static void
report_memory(void *aux)
{
    const struct sp_config *config = sp_config_get();
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        struct mega_stats s;
        mega_stats(dp->cache, &s);
        coverage_memory_add("udpif keys", s.n);
        coverage_memory_add("handlers", MAX(sp_handlers_n(dp->handlers), 1));
        coverage_memory_add("revalidators", 1);
    }
    const struct sp_bridge *br;
    if (config) {
        HMAP_FOR_EACH (br, by_name, &config->bridges) {
            coverage_memory_add("ports", hmap_count(&br->ports));
            if (br->of) {
                coverage_memory_add("rules", of_bridge_n_rules(br->of));
            }
        }
    }
}

void
sp_ctl_dp_init(void)
{
    unixctl_register("dpif/dump-dps", "", 0, 0, dpif_dump_dps, NULL);
    unixctl_register("dpif/show", "", 0, 0, dpif_show, NULL);
    unixctl_register("dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, INT_MAX,
                     dpif_dump_flows, NULL);
    unixctl_register("dpif/show-dp-features", "bridge", 1, 1, dpif_show_features, NULL);
    unixctl_register("dpctl/dump-dps", "", 0, 0, dpctl_dump_dps, NULL);
    unixctl_register("dpctl/show", "[-s] [dp...]", 0, INT_MAX, dpctl_show, NULL);
    unixctl_register("dpctl/dump-flows", "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]", 0, 6,
                     dpctl_dump_flows, NULL);
    unixctl_register("dpctl/get-flow", "[dp] ufid", 1, 2, dpctl_get_flow, NULL);
    unixctl_register("dpctl/del-flows", "[dp]", 0, 1, dpctl_del_flows, NULL);
    unixctl_register("dpctl/parse-actions", "actions", 1, INT_MAX, dpctl_parse_actions, NULL);
    coverage_memory_register(report_memory, NULL);
}
