// SPDX-License-Identifier: Apache-2.0
// unixctl commands that show flows: dpctl/dump-flows, dpctl/get-flow, dpif/dump-flows. Flows are
// told from the cache, which knows of each in which place it is, with the counters that its places
// have reported. Only after dpctl/* changed flows behind the cache's back (sp_dp.edited), those at
// home are read from the datapath, until both agree again. Main thread.
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "kdatapath/kd.h"
#include "lib/base/clock.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "lib/flow/dp_command.h"
#include "ofproto/of_bridge.h"
#include "slowpath/ctl_private.h"
#include "slowpath/mega.h"
#include "slowpath/reval.h"

// --- What is asked for. ---

enum dump_type { DUMP_OVS = 1, DUMP_TC = 2, DUMP_OFFLOADED = 4, DUMP_NOT_OFFLOADED = 8 };

struct dump {
    struct sp_target target;
    struct sp_dp *dp;               // NULL: one without a cache
    const struct of_bridge *bridge; // NULL: all
    bool verbose, names, numbers;   // numbers: asked for
    unsigned types;                 // enum dump_type
    struct flow_match filter;
    bool has_filter;
    const char *filter_text; // not read yet: the datapath says which ports there are
    struct str *out;
    size_t n_known, n_cached; // at home: of the datapath's flows, and of the cache's
    bool differs;             // the datapath has others
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

// --- Lines. ---

static void
format_flow(const struct dump *d, const struct dp_flow_record *r, struct str *out)
{
    dp_port_namer *namer = d->dp ? sp_ctl_port_name : sp_target_port_name;
    const struct dp_flow_style style = {.verbose = d->verbose,
                                        .placeless = d->bridge,
                                        .kernel = d->target.ops == &kd_dp_ops,
                                        .namer =
                                            d->names || (d->verbose && !d->numbers) ? namer : NULL,
                                        .aux = d->dp ? (void *) d->dp : (void *) &d->target};
    dp_flow_format(r, &style, out);
}

// A datapath in user space gives only frames: its flows say so, as in the stock switch.
static void
say_packet_type(const struct dump *d, struct flow_match *match)
{
    if (d->dp && d->dp->home == DP_PLACE_USER) {
        FLOW_MASK_EXACT(&match->mask, packet_type);
    }
}

static void
format_entry(const struct dump *d, struct mega *m, struct str *out)
{
    struct flow_match match;
    struct mega_counts c;
    mega_match(m, &match);
    mega_counts(m, &c);
    say_packet_type(d, &match);
    const uint64_t packets = c.last_packets[MEGA_HOME] + c.last_packets[MEGA_TC];
    const struct dp_flow_record r = {
        .id = m->id,
        .has_id = true,
        .place = (enum dp_place) __atomic_load_n(&m->now, __ATOMIC_RELAXED),
        .stats = {.packets = packets,
                  .bytes = c.last_bytes[MEGA_HOME] + c.last_bytes[MEGA_TC],
                  .used = packets ? c.used : 0,
                  .tcp_flags = packets ? c.tcp_flags : 0},
        .match = &match,
        .actions = &rcu_get(m->x)->acts->acts,
    };
    format_flow(d, &r, out);
}

static bool
passes_filter(const struct dump *d, const struct flow_match *match)
{
    return !d->has_filter || match_overlaps(match, &d->filter);
}

// --- All flows. ---

static bool
dump_entry(struct mega *m, void *d_)
{
    struct dump *d = d_;
    const enum dp_place place = (enum dp_place) __atomic_load_n(&m->now, __ATOMIC_RELAXED);
    struct flow_match match;
    if (place == d->dp->home) {
        d->n_cached++;
    }
    if (place == DP_PLACE_NONE || (d->dp->edited && place == d->dp->home) ||
        !type_is_wanted(d, place) || (d->bridge && !passes_bridge(m, d->bridge))) {
        return true;
    }
    mega_match(m, &match);
    if (passes_filter(d, &match)) {
        format_entry(d, m, d->out);
        str_add_char(d->out, '\n');
    }
    return true;
}

static bool
dump_record(const struct dp_flow_record *r, void *d_)
{
    struct dump *d = d_;
    struct mega *m = d->dp && r->has_id ? mega_find(d->dp->cache, &r->id) : NULL;
    d->n_known += m != NULL;
    d->differs |= !m || !dp_actions_equal(r->actions, &rcu_get(m->x)->acts->acts);
    if (type_is_wanted(d, r->place) && passes_filter(d, r->match) &&
        (!d->bridge || (m && passes_bridge(m, d->bridge)))) {
        struct flow_match match = *r->match;
        struct dp_flow_record said = *r;
        said.match = &match;
        if (m) {
            say_packet_type(d, &match);
        }
        format_flow(d, &said, d->out);
        str_add_char(d->out, '\n');
    }
    return true;
}

static int
dump_run(struct dump *d)
{
    int error = 0;
    if (d->dp) {
        sp_reval_refresh(d->dp->reval);
        mega_for_each(d->dp->cache, dump_entry, d);
    }
    if (!d->dp || d->dp->edited) {
        error = sp_target_channel(&d->target);
        if (!error) {
            error = d->target.ops->flow_dump(d->target.ch, false, dump_record, d);
        }
    }
    if (d->dp && !d->differs && d->n_known == d->n_cached) {
        d->dp->edited = false;
    }
    return error;
}

// --- Arguments. ---

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
            return base_asprintf("ovs-vswitchd: Failed to parse type (%.*s) (Invalid argument)",
                                 (int) n, list);
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
            d->numbers = false;
        } else if (!strcmp(argv[i], "--no-names")) {
            d->names = false;
            d->numbers = true;
        } else if (!strncmp(argv[i], "type=", 5)) {
            error = parse_types(d, argv[i] + 5);
        } else if (!strncmp(argv[i], "filter=", 7)) {
            d->filter_text = argv[i] + 7;
        } else if (!strncmp(argv[i], "pmd=", 4)) {
            continue;
        } else if (argv[i][0] == '-') {
            error = base_asprintf("Unrecognized option %s", argv[i]);
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

static char *
parse_filter(struct dump *d)
{
    const struct field_port_names names = {NULL,
                                           d->dp ? sp_ctl_port_by_name : sp_target_port_by_name,
                                           d->dp ? (void *) d->dp : (void *) &d->target};
    match_init_any(&d->filter);
    d->has_filter = d->filter_text;
    return d->filter_text ? match_parse(&d->filter, d->filter_text, &names) : NULL;
}

static void
reply_dump(struct unixctl_conn *conn, struct dump *d, struct str *error)
{
    struct str out = STR_INIT;
    d->out = &out;
    char *bad = error->len ? NULL : parse_filter(d);
    if (bad) {
        str_addf(error, "ovs-vswitchd: Failed to parse filter (%s: %s)", d->filter_text, bad);
        free(bad);
    }
    if (!error->len) {
        const int e = dump_run(d);
        if (e) {
            sp_ctl_complain(error, e, "Failed to dump flows from datapath");
        }
    }
    sp_ctl_finish(conn, &out, error);
    sp_target_close(&d->target);
}

static void
dpctl_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct dump *d = base_calloc(1, sizeof *d);
    struct str error = STR_INIT;
    const char *name;
    rcu_begin();
    char *bad = parse_dump(d, argc, argv, &name);
    if (bad) {
        str_add(&error, bad);
        free(bad);
    } else {
        const int e = sp_target_open(name, &d->target, &error);
        if (e) {
            sp_ctl_complain(&error, EINVAL, "datapath not found");
        } else if (!d->target.sp) {
            sp_target_ports(&d->target);
        }
        d->dp = d->target.sp;
    }
    reply_dump(conn, d, &error);
    rcu_end();
    free(d);
}

static void
dpif_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct dump *d = base_calloc(1, sizeof *d);
    struct str error = STR_INIT;
    const char *name;
    rcu_begin();
    char *bad = parse_dump(d, argc, argv, &name);
    const struct sp_config *config = sp_config_get();
    const struct sp_bridge *br = !bad && name && config ? sp_config_bridge(config, name) : NULL;
    if (bad || !br) {
        str_add(&error, bad ? bad : "no such bridge");
        free(bad);
    } else {
        d->dp = br->dp;
        d->bridge = br->of;
        char *dp_name = base_asprintf("%s@ovs-%s", br->dp->type, br->dp->type);
        sp_target_open(dp_name, &d->target, NULL); // it serves a bridge: it is there
        free(dp_name);
    }
    reply_dump(conn, d, &error);
    rcu_end();
    free(d);
}

// --- One flow. ---

struct wanted {
    struct flow_id id;
    struct dump *d;
    bool found;
};

static bool
is_wanted(const struct dp_flow_record *r, void *w_)
{
    struct wanted *w = w_;
    if (!r->has_id || !flow_id_equals(&r->id, &w->id)) {
        return true;
    }
    format_flow(w->d, r, w->d->out);
    w->found = true;
    return false;
}

static int
get_flow(struct dump *d, const struct flow_id *id)
{
    struct wanted w = {.id = *id, .d = d};
    struct mega *m = d->dp ? mega_find(d->dp->cache, id) : NULL;
    const enum dp_place place =
        m ? (enum dp_place) __atomic_load_n(&m->now, __ATOMIC_RELAXED) : DP_PLACE_NONE;
    if (m && place != DP_PLACE_NONE && !(d->dp->edited && place == d->dp->home)) {
        sp_reval_refresh(d->dp->reval);
        format_entry(d, m, d->out);
        return 0;
    }
    if (d->dp && !d->dp->edited) {
        return -ENOENT;
    }
    const int error = sp_target_channel(&d->target);
    if (!error) {
        d->target.ops->flow_dump(d->target.ch, false, is_wanted, &w);
    }
    return error ? error : w.found ? 0 : -ENOENT;
}

static void
dpctl_get_flow(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT, error = STR_INIT;
    struct dump *d = base_calloc(1, sizeof *d);
    struct flow_id id;
    size_t len;
    d->out = &out;
    rcu_begin();
    int e = sp_target_open(argc > 2 ? argv[1] : NULL, &d->target, &error);
    d->dp = d->target.sp;
    if (e) {
        sp_ctl_complain(&error, EINVAL, "datapath not found");
    } else if (!dp_flow_id_parse(argv[argc - 1], &id, &len) || argv[argc - 1][len]) {
        sp_ctl_complain(&out, 0, "parsing flow ufid"); // an answer, as in the stock switch
    } else {
        e = get_flow(d, &id);
        if (e) {
            sp_ctl_complain(&error, e, "getting flow");
        }
        str_add_char(&out, '\n');
    }
    sp_ctl_finish(conn, &out, &error);
    sp_target_close(&d->target);
    rcu_end();
    free(d);
}

void
sp_ctl_flows_init(void)
{
    unixctl_register("dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, INT_MAX,
                     dpif_dump_flows, NULL);
    unixctl_register("dpctl/dump-flows", "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]", 0, 6,
                     dpctl_dump_flows, NULL);
    unixctl_register("dpctl/get-flow", "[dp] ufid", 1, 2, dpctl_get_flow, NULL);
}
