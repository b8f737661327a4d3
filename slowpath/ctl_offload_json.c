// SPDX-License-Identifier: Apache-2.0
// unixctl commands offload/status, ports, flows, explain, reasons: JSON for ovs-offload(8), which
// words it for people. Main thread.
#include "config.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "lib/flow/classifier.h"
#include "offload/ofl.h"
#include "ofproto/of_act.h"
#include "ofproto/of_bridge.h"
#include "slowpath/ctl_private.h"
#include "slowpath/mega.h"
#include "slowpath/place.h"
#include "slowpath/reval.h"
#include "slowpath/sp_config.h"
#include "slowpath/xlate_trace.h"

static void
reply(struct unixctl_conn *conn, json_t *take)
{
    char *text = json_dumps(take, JSON_COMPACT | JSON_REAL_PRECISION(12));
    unixctl_reply(conn, text);
    free(text);
    json_decref(take);
}

// What drivers say needn't be UTF-8: no member may be missing for that.
static void
set_str(json_t *o, const char *key, const char *value)
{
    json_t *s = json_string(value);
    if (!s) {
        char *ascii = base_strdup(value);
        for (char *p = ascii; *p; p++) {
            *p = (unsigned char) *p < 0x80 ? *p : '?';
        }
        s = json_string(ascii);
        free(ascii);
    }
    json_object_set_new(o, key, s);
}

static void
set_int(json_t *o, const char *key, uint64_t value)
{
    json_object_set_new(o, key, json_integer((json_int_t) value));
}

// Takes the string's text.
static void
set_take(json_t *o, const char *key, struct str *s)
{
    set_str(o, key, str_get(s));
    str_free(s);
}

static json_t *
reason_json(const struct reason *r)
{
    if (r->code == REASON_NONE) {
        return json_null();
    }
    const struct reason_info *info = reason_get(r->code);
    struct str s = STR_INIT;
    json_t *o = json_object();
    set_str(o, "code", info->name);
    set_str(o, "stage", reason_stage_name(info->stage));
    if (r->field < FIELD_COUNT) {
        set_str(o, "field", field_get(r->field)->name);
    }
    if (r->error) {
        set_str(o, "error", base_strerror(r->error));
    }
    if (r->detail[0]) {
        set_str(o, "detail", r->detail);
    }
    set_str(o, "hint", info->hint);
    reason_format(r, &s);
    set_take(o, "text", &s);
    return o;
}

// --- status. ---

struct tally { // of all entries
    uint64_t packets, bytes, hw_packets, hw_bytes;
    struct {
        uint64_t flows, packets;
    } reasons[REASON_COUNT];
};

static bool
tally_one(struct mega *m, void *t_)
{
    struct tally *t = t_;
    struct mega_counts n;
    mega_counts(m, &n);
    t->packets += n.packets;
    t->bytes += n.bytes;
    if (__atomic_load_n(&m->now, __ATOMIC_RELAXED) == DP_PLACE_TC_HW) {
        t->hw_packets += MIN(n.last_packets[MEGA_TC], n.packets);
        t->hw_bytes += MIN(n.last_bytes[MEGA_TC], n.bytes);
    }
    const struct reason *r = __atomic_load_n(&m->reason, __ATOMIC_ACQUIRE);
    t->reasons[r->code].flows++;
    t->reasons[r->code].packets += n.packets;
    return true;
}

static json_t *
reasons_json(const struct tally *t, bool all)
{
    json_t *list = json_array();
    for (int i = 1; i < REASON_COUNT; i++) {
        if (!all && !t->reasons[i].flows) {
            continue;
        }
        const struct reason_info *info = reason_get((enum reason_code) i);
        json_t *o = json_object();
        set_str(o, "code", info->name);
        set_str(o, "stage", reason_stage_name(info->stage));
        set_str(o, "text", info->text);
        set_str(o, "hint", info->hint);
        set_int(o, "flows", t->reasons[i].flows);
        set_int(o, "packets", t->reasons[i].packets);
        json_array_append_new(list, o);
    }
    return list;
}

static void
add_nic(const struct ofl_nic_stats *n, void *list)
{
    json_t *o = json_object();
    set_str(o, "switch_id", n->switch_id);
    set_int(o, "rules", n->rules);
    json_object_set_new(o, "capacity",
                        n->capacity ? json_integer((json_int_t) n->capacity) : json_null());
    set_int(o, "inserts", n->inserts);
    set_int(o, "failures", n->failures);
    set_int(o, "insert_us_p99", n->insert_us_p99);
    json_object_set_new(o, "ports", json_array());
    json_array_append_new(list, o);
}

// One that left stays in the offload room's table; here only while it has filters.
static void
drop_gone_nics(json_t *list)
{
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *o = json_array_get(list, i);
        if (!json_array_size(json_object_get(o, "ports")) &&
            !json_integer_value(json_object_get(o, "rules"))) {
            json_array_remove(list, i);
        }
    }
}

// What the ports know of their eswitch.
static void
add_port_to_nic(const struct ofl_port_info *p, void *list)
{
    size_t i;
    json_t *o;
    json_array_foreach(list, i, o)
    {
        if (!p->switch_id[0] ||
            strcmp(json_string_value(json_object_get(o, "switch_id")), p->switch_id)) {
            continue;
        }
        json_array_append_new(json_object_get(o, "ports"), json_string(p->name));
        if (!json_object_get(o, "devlink") || !strcmp(p->flavour, "physical")) {
            set_str(o, "devlink", p->devlink);
            set_str(o, "mode", p->eswitch_mode);
            set_str(o, "driver", p->driver);
            set_str(o, "firmware", p->firmware);
            set_str(o, "rdma", p->rdma);
        }
    }
}

static json_t *
places_json(const struct sp_dp *dp)
{
    struct mega_stats s;
    json_t *o = json_object();
    mega_stats(dp->cache, &s);
    for (int i = DP_PLACE_USER; i < DP_N_PLACES; i++) {
        set_int(o, dp_place_name((enum dp_place) i), s.places[i]);
    }
    return o;
}

static json_t *
dp_status(struct sp_dp *dp, const struct sp_config *config)
{
    static const char *const policies[] = {"none", "skip_sw", "skip_hw"};
    struct tally *t = base_calloc(1, sizeof *t);
    struct place_stats s;
    json_t *o = json_object(), *nics = json_array();
    const struct place_tc *tc = sp_place_tc(dp);

    mega_for_each(dp->cache, tally_one, t);
    sp_place_stats(dp, &s);
    set_str(o, "datapath", dp->type);
    json_object_set_new(o, "hw_offload", json_boolean(s.active));
    set_str(o, "tc_policy", policies[config->tc_policy % 3]);
    json_object_set_new(o, "layers",
                        s.active                      ? json_pack("[s,s,s]",
                                             config->tc_policy == SP_TC_SKIP_HW ? "tc" : "hardware",
                                                                  "kernel", "user")
                        : dp->home == DP_PLACE_KERNEL ? json_pack("[s,s]", "kernel", "user")
                                                      : json_pack("[s]", "user"));
    if (tc) {
        ofl_for_each_nic(tc->dp, add_nic, nics);
        ofl_for_each_port(tc->dp, add_port_to_nic, nics);
        drop_gone_nics(nics);
    }
    json_object_set_new(o, "eswitches", nics);
    json_object_set_new(o, "flows", places_json(dp));
    set_int(o, "packets", t->packets);
    set_int(o, "bytes", t->bytes);
    set_int(o, "packets_in_hardware", t->hw_packets);
    set_int(o, "bytes_in_hardware", t->hw_bytes);
    set_int(o, "adopted", s.adopted);
    set_int(o, "moved_in", s.moved_in);
    set_int(o, "moved_out", s.moved_out);
    json_object_set_new(o, "reasons", reasons_json(t, false));
    free(t);
    return o;
}

static void
cmd_status(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    (void) argc;
    (void) argv;
    (void) aux;
    json_t *list = json_array();
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    for (struct sp_dp *dp = sp_dp_first(); dp && config; dp = dp->next) {
        json_array_append_new(list, dp_status(dp, config));
    }
    rcu_end();
    reply(conn, list);
}

static void
cmd_reasons(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    (void) argc;
    (void) argv;
    (void) aux;
    struct tally *t = base_calloc(1, sizeof *t);
    rcu_begin();
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        mega_for_each(dp->cache, tally_one, t);
    }
    rcu_end();
    reply(conn, reasons_json(t, true));
    free(t);
}

// --- ports. ---

struct ports {
    struct sp_dp *dp;
    json_t *list;
};

static void
set_number(json_t *o, const char *key, int value)
{
    json_object_set_new(o, key, value < 0 ? json_null() : json_integer(value));
}

static void
add_port(const struct ofl_port_info *p, void *ports_)
{
    struct ports *ports = ports_;
    const struct sp_port *sp = sp_config_dp_port(sp_config_get(), ports->dp, p->dp_port);
    json_t *o = json_object();
    set_str(o, "device", p->name);
    set_str(o, "bridge", sp ? sp->bridge->name : "");
    // As the database has it: LOCAL is 65534.
    set_number(o, "ofport", !sp ? -1 : sp->ofp_port == OF_PORT_LOCAL ? 65534 : (int) sp->ofp_port);
    set_int(o, "dp_port", p->dp_port);
    set_int(o, "ifindex", (uint64_t) p->ifindex);
    set_str(o, "flavour", p->flavour);
    set_number(o, "controller", p->controller);
    set_number(o, "pf", p->pf);
    set_number(o, "vf", p->vf);
    set_number(o, "sf", p->sf);
    set_str(o, "switch_id", p->switch_id);
    set_str(o, "devlink", p->devlink);
    set_str(o, "mode", p->eswitch_mode);
    set_str(o, "driver", p->driver);
    set_str(o, "firmware", p->firmware);
    json_object_set_new(o, "hw_tc_offload", json_boolean(p->hw_tc_offload));
    set_int(o, "mtu", p->mtu);
    set_str(o, "rdma", p->rdma);
    set_int(o, "rdma_port", (uint64_t) p->rdma_port);
    json_object_set_new(o, "reason", reason_json(&p->reason));
    json_array_append_new(ports->list, o);
}

static void
cmd_ports(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    (void) argc;
    (void) argv;
    (void) aux;
    struct ports ports = {.list = json_array()};
    rcu_begin();
    for (struct sp_dp *dp = sp_dp_first(); dp && sp_config_get(); dp = dp->next) {
        const struct place_tc *tc = sp_place_tc(dp);
        ports.dp = dp;
        if (tc) {
            ofl_for_each_port(tc->dp, add_port, &ports);
        }
    }
    rcu_end();
    reply(conn, ports.list);
}

// --- flows. ---

static json_t *
rule_json(const struct of_rule *rule)
{
    struct str s = STR_INIT;
    struct flow_match *m = base_calloc(1, sizeof *m);
    json_t *o = json_object();
    set_str(o, "bridge", of_bridge_name(rule->bridge));
    set_int(o, "table", rule->table);
    set_int(o, "priority", (uint64_t) MAX(rule->cr.priority, 0));
    str_addf(&s, "0x%llx", (unsigned long long) be64toh(rule->cookie));
    set_take(o, "cookie", &s);
    cls_rule_match(&rule->cr, m);
    match_format(m, NULL, -1, &s);
    set_take(o, "match", &s);
    of_actions_format(&rcu_get(rule->actions)->acts, NULL, &s);
    set_take(o, "actions", &s);
    free(m);
    return o;
}

static json_t *
rules_json(const struct mega *m)
{
    const struct mega_xlate *x = rcu_get(m->x);
    json_t *list = json_array();
    for (size_t i = 0; i < x->n_links; i++) {
        if (x->links[i].kind == XLATE_DEP_RULE) {
            json_array_append_new(list, rule_json(x->links[i].dep->rule));
        }
    }
    return list;
}

struct flows {
    struct sp_dp *dp;
    struct flow_match *filter; // NULL: all
    uint32_t ofp_port;         // with a filter: OF_PORT_ANY, or the OpenFlow port it comes from
    struct flow_match match;   // scratch
    int64_t now;
    json_t *list;
};

static json_t *
counts_json(uint64_t packets, uint64_t bytes)
{
    json_t *o = json_object();
    set_int(o, "packets", packets);
    set_int(o, "bytes", bytes);
    return o;
}

// f->match is the entry's.
static void
add_flow(struct mega *m, struct flows *f)
{
    struct mega_counts n;
    struct str s = STR_INIT;
    const enum dp_place place = (enum dp_place) __atomic_load_n(&m->now, __ATOMIC_RELAXED);
    mega_counts(m, &n);
    json_t *o = json_object(), *places = json_object();
    str_addf(&s, "%016llx%016llx", (unsigned long long) m->id.w[0],
             (unsigned long long) m->id.w[1]);
    set_take(o, "id", &s);
    dp_match_format(&f->match, false, sp_ctl_port_name, f->dp, &s);
    set_take(o, "match", &s);
    dp_actions_format(&rcu_get(m->x)->acts->acts, sp_ctl_port_name, f->dp, &s);
    set_take(o, "actions", &s);
    set_str(o, "place", dp_place_name(place));
    json_object_set_new(o, "age", json_real((double) (f->now - mega_time_ms(m->created)) / 1000));
    json_object_set_new(o, "since", json_real((double) (f->now - mega_time_ms(m->since)) / 1000));
    json_object_set_new(o, "idle",
                        n.used ? json_real((double) MAX(f->now - n.used, 0) / 1000) : json_null());
    set_int(o, "packets", n.packets);
    set_int(o, "bytes", n.bytes);
    json_object_set_new(places, dp_place_name(f->dp->home),
                        counts_json(n.last_packets[MEGA_HOME], n.last_bytes[MEGA_HOME]));
    json_object_set_new(places, place == DP_PLACE_TC_SW ? "tc" : "hardware",
                        counts_json(n.last_packets[MEGA_TC], n.last_bytes[MEGA_TC]));
    json_object_set_new(o, "counters", places);
    json_object_set_new(o, "adopted",
                        json_boolean(__atomic_load_n(&m->flags, __ATOMIC_RELAXED) & MEGA_ADOPTED));
    json_object_set_new(o, "reason", reason_json(__atomic_load_n(&m->reason, __ATOMIC_ACQUIRE)));
    json_object_set_new(o, "rules", rules_json(m));
    json_array_append_new(f->list, o);
}

// "in_port=p1", but not "in_port=1", is a port of the datapath.
struct port_words {
    struct sp_dp *dp;
    bool named;
};

static bool
port_word(const char *name, uint32_t *port, void *w_)
{
    struct port_words *w = w_;
    const struct sp_config *config = sp_config_get();
    const struct sp_port *p;
    w->named = sp_ctl_port_by_name(name, port, w->dp);
    HMAP_FOR_EACH_HASH(p, by_name, hash_string(name, 0), &config->names)
    {
        if (!w->named && !strcmp(p->name, name)) { // of another datapath: no flow of this one
            w->named = true;
            *port = DP_PORT_NONE;
        }
    }
    return w->named;
}

static char *
parse_openflow(struct flows *f, const char *text)
{
    struct port_words words = {.dp = f->dp};
    const struct field_port_names names = {.port = port_word, .aux = &words};
    char *error = match_parse(f->filter, text, &names);
    const char *lacks = error ? NULL : match_check(f->filter);
    if (lacks) {
        return base_strdup(lacks);
    }
    if (!error && !words.named && f->filter->mask.in_port) {
        f->ofp_port = be32toh(f->filter->key.in_port);
        match_unset(f->filter, field_get(FIELD_IN_PORT));
    }
    return error;
}

// As ovs-dpctl writes flows, "eth_type(0x0800),…", or as ovs-ofctl does: "ip,in_port=p1". NULL, or
// a sentence to free.
static char *
parse_filter(struct flows *f, const char *text)
{
    const bool datapath = strchr(text, '(') != NULL;
    f->ofp_port = OF_PORT_ANY;
    match_init_any(f->filter);
    char *error = datapath ? dp_match_parse(text, sp_ctl_port_by_name, f->dp, f->filter)
                           : parse_openflow(f, text);
    if (error) {
        char *sentence = base_asprintf("\"%s\" is no flow as ovs-%s writes it: %s", text,
                                       datapath ? "dpctl" : "ofctl", error);
        free(error);
        return sentence;
    }
    if (datapath && !strstr(text, "recirc_id(")) { // not said is not asked for
        match_unset(f->filter, field_get(FIELD_RECIRC_ID));
    }
    return NULL;
}

static bool
is_asked_for(const struct flows *f)
{
    if (!f->filter) {
        return true;
    }
    if (f->ofp_port != OF_PORT_ANY) {
        const struct sp_port *p =
            sp_config_dp_port(sp_config_get(), f->dp, be32toh(f->match.key.in_port));
        if (!p || p->ofp_port != f->ofp_port) {
            return false;
        }
    }
    return match_is_within(&f->match, f->filter);
}

static bool
add_wanted(struct mega *m, void *f_)
{
    struct flows *f = f_;
    mega_match(m, &f->match);
    if (__atomic_load_n(&m->now, __ATOMIC_RELAXED) != DP_PLACE_NONE && is_asked_for(f)) {
        add_flow(m, f);
    }
    return true;
}

static void
cmd_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct flows *f = base_calloc(1, sizeof *f);
    char *error = NULL;
    (void) aux;
    f->list = json_array();
    f->now = clock_now();
    f->filter = argc > 1 ? base_calloc(1, sizeof *f->filter) : NULL;
    rcu_begin();
    for (f->dp = sp_dp_first(); f->dp && sp_config_get() && !error; f->dp = f->dp->next) {
        error = f->filter ? parse_filter(f, argv[1]) : NULL;
        if (!error) {
            sp_reval_refresh(f->dp->reval);
            mega_for_each(f->dp->cache, add_wanted, f);
        }
    }
    rcu_end();
    if (error) {
        unixctl_reply_error(conn, error);
        json_decref(f->list);
        free(error);
    } else {
        reply(conn, f->list);
    }
    free(f->filter);
    free(f);
}

// --- explain. ---

static json_t *
visited_json(const struct xlate_out *x)
{
    json_t *list = json_array();
    for (size_t i = 0; i < x->n_deps; i++) {
        if (x->deps[i].kind == XLATE_DEP_RULE) {
            json_array_append_new(list, rule_json(x->deps[i].rule));
        }
    }
    return list;
}

static json_t *
explain(const struct sp_bridge *br, const struct flow_key *key)
{
    struct xlate_out x;
    struct str s = STR_INIT, filter = STR_INIT;
    json_t *o = json_object();
    xlate_out_init(&x);
    struct xlate_in in = {.config = sp_config_get(),
                          .dp = br->dp,
                          .key = key,
                          .bridge = br,
                          .now = clock_now(),
                          .trace = xlate_trace_new()};
    xlate_flow(&in, &x);
    xlate_trace_format(in.trace, &s);
    set_take(o, "trace", &s);

    struct flow_key k = *key;
    const struct sp_port *port = sp_bridge_port(br, x.ofp_in_port);
    k.in_port = htobe32(port ? port->dp_port : DP_PORT_NONE);
    struct flow_match *m = base_calloc(1, sizeof *m);
    match_init(m, &k, &x.wc);
    dp_match_format(m, false, sp_ctl_port_name, br->dp, &s);
    set_take(o, "match", &s);
    dp_actions_format(&x.acts, sp_ctl_port_name, br->dp, &s);
    set_take(o, "actions", &s);
    struct place_forecast f = {.filter = &filter};
    sp_place_forecast(br->dp, &x, &k, &f);
    set_str(o, "place", dp_place_name(f.place));
    json_object_set_new(o, "reason", reason_json(&f.why));
    if (filter.len) {
        set_str(o, "filter", str_get(&filter));
    }
    if (f.unasked || f.refused) {
        json_object_set_new(o, "driver_asked", json_boolean(f.refused));
    }
    if (f.refused) {
        json_object_set_new(o, "again_in", json_real((double) f.again_ms / 1000));
    }
    json_object_set_new(o, "rules", visited_json(&x));
    // The entry that is there already knows better: what the driver said.
    const struct mega *there = NULL;
    struct minimask *mm = minimask_new(&x.wc);
    uint64_t *words = base_calloc(mm->n + 1u, sizeof *words);
    minikey_extract(mm, &k, words);
    const struct flow_id id = mega_id(mm, words);
    there = mega_find(br->dp->cache, &id);
    if (there) {
        set_str(o, "place_now",
                dp_place_name((enum dp_place) __atomic_load_n(&there->now, __ATOMIC_RELAXED)));
        json_object_set_new(o, "reason_now",
                            reason_json(__atomic_load_n(&there->reason, __ATOMIC_ACQUIRE)));
    }
    free(words);
    free(mm);
    free(m);
    str_free(&filter);
    xlate_trace_free(in.trace);
    xlate_out_destroy(&x);
    return o;
}

// Why no cached flow can begin with this; NULL: one can.
static char *
no_entry(const struct sp_bridge *br, const struct flow_match *m)
{
    const uint32_t ofp_port = be32toh(m->key.in_port);
    const struct sp_port *port = sp_bridge_port(br, ofp_port);
    if (!be32toh(m->mask.in_port)) {
        return base_strdup("the flow says no in_port, and where a flow goes depends on the port "
                           "that it comes from");
    }
    if (!port) {
        return base_asprintf("bridge %s has no port %" PRIu32, br->name, ofp_port);
    }
    if (port->kind == SP_PORT_PATCH) {
        return base_asprintf(
            "%s is a patch port: say which port packets come from before they get there",
            port->name);
    }
    return NULL;
}

static void
cmd_explain(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct flow_match *m = base_calloc(1, sizeof *m);
    char *error = NULL;
    json_t *o = NULL;
    (void) argc;
    (void) aux;
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    const struct sp_bridge *br = config ? sp_config_bridge(config, argv[1]) : NULL;
    if (!br || !br->dp) {
        error = base_asprintf("there is no bridge %s", argv[1]);
    } else {
        const struct field_port_names names = {NULL, sp_ctl_ofport_by_name,
                                               (void *) (uintptr_t) br};
        match_init_any(m);
        error = match_parse(m, argv[2], &names);
        if (!error) {
            error = no_entry(br, m);
        }
        if (!error) {
            o = explain(br, &m->key);
        }
    }
    rcu_end();
    if (error) {
        unixctl_reply_error(conn, error);
        free(error);
    } else {
        reply(conn, o);
    }
    free(m);
}

void
sp_ctl_offload_init(void)
{
    unixctl_register("offload/status", "", 0, 0, cmd_status, NULL);
    unixctl_register("offload/ports", "", 0, 0, cmd_ports, NULL);
    unixctl_register("offload/flows", "[MATCH]", 0, 1, cmd_flows, NULL);
    unixctl_register("offload/explain", "BRIDGE FLOW", 2, 2, cmd_explain, NULL);
    unixctl_register("offload/reasons", "", 0, 0, cmd_reasons, NULL);
}
