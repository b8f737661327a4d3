// SPDX-License-Identifier: Apache-2.0
// unixctl commands that change datapaths: dpctl/add-flow and its kin, dpctl/add-dp, dpctl/add-if.
// Main thread.
//
// What they do to the flows of a datapath that serves bridges lasts as long as the revalidator lets
// it: a flow that the cache doesn't know goes with the next sweep, other actions stay until the
// flow is translated again. The ports of such a datapath are the bridges': here they are only
// looked at.
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "kdatapath/kd.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "lib/flow/dp_command.h"
#include "lib/flow/minimask.h"
#include "slowpath/ctl_private.h"
#include "slowpath/mega.h"
#include "slowpath/place.h"
#include "slowpath/reval.h"

// --- One flow. ---

// The datapath's flow that a packet like this would meet.
struct search {
    const struct flow_key *key;
    struct flow_id id;
    bool found, has_id;
    struct flow_match match;
};

static bool
covers(const struct dp_flow_record *r, void *s_)
{
    struct search *s = s_;
    if (!match_covers_key(r->match, s->key)) {
        return true;
    }
    s->found = true;
    s->has_id = r->has_id;
    s->id = r->id;
    s->match = *r->match;
    return false;
}

static int
find_flow(struct sp_target *t, const struct flow_key *key, struct search *s)
{
    *s = (struct search){.key = key};
    const int error = t->ops->flow_dump(t->ch, false, covers, s);
    return error ? error : s->found ? 0 : -ENOENT;
}

// The id that the cache would give it.
static struct flow_id
id_of(const struct flow_match *match)
{
    struct minimask *mask = minimask_new(&match->mask);
    uint64_t *words = base_calloc(mask->n + 1u, sizeof *words);
    minikey_extract(mask, &match->key, words);
    const struct flow_id id = mega_id(mask, words);
    free(words);
    free(mask);
    return id;
}

static int
apply(struct sp_target *t, struct dp_flow_op *op)
{
    const int error = t->ops->flow_apply(t->ch, op, 1);
    if (t->sp) {
        t->sp->edited = true;
    }
    return error ? error : op->error;
}

static int
delete_found(struct sp_target *t, const struct search *s)
{
    struct dp_flow_op op = {.verb = DP_FLOW_DELETE, .id = s->id, .match = &s->match};
    if (s->has_id || t->ops != &kd_dp_ops) {
        return apply(t, &op);
    }
    struct kd_flow_request request = {.op = &op, .by_key = true};
    return kd_flow_request(t->ch, &request);
}

// A flow in tc is the offload worker's: it goes soon.
static bool
delete_in_tc(struct sp_target *t, const struct flow_id *id)
{
    struct mega *m = t->sp ? mega_find(t->sp->cache, id) : NULL;
    if (!m || !mega_has(m, MEGA_TC)) {
        return false;
    }
    sp_place_remove(t->sp, m);
    return true;
}

static bool
parse_flow(struct sp_target *t, const struct dp_flow_line *l, struct dp_flow_text *f,
           struct str *error)
{
    char *bad = dp_flow_parse(l->flow, sp_target_port_by_name, t, f);
    if (bad && l->verb == DP_FLOW_DELETE) {
        sp_ctl_complain(error, EINVAL, "%s", bad);
    } else if (bad) {
        sp_ctl_complain(error, EINVAL, "parsing flow key (%s)", bad);
    }
    if (bad) {
        free(bad);
    }
    return !bad;
}

static void
put_flow(struct sp_target *t, const struct dp_flow_line *l, struct str *error)
{
    struct dp_actions actions = DP_ACTIONS_INIT;
    struct dp_flow_text f;
    struct search s;
    if (!parse_flow(t, l, &f, error)) {
        return;
    }
    char *bad = dp_actions_parse(l->actions, sp_target_port_by_name, t, &actions);
    if (bad) {
        sp_ctl_complain(error, EINVAL, "parsing actions");
        free(bad);
        dp_actions_free(&actions);
        return;
    }
    struct dp_flow_op op = {.verb = l->verb, .id = f.id, .match = &f.match, .actions = &actions};
    int rc = 0;
    if (!f.has_id) {
        rc = find_flow(t, &f.match.key, &s);
        op.id = rc ? id_of(&f.match) : s.id;
        rc = l->verb == DP_FLOW_MODIFY ? rc : !rc ? -EEXIST : rc == -ENOENT ? 0 : rc;
    }
    rc = rc ? rc : apply(t, &op);
    if (rc) {
        sp_ctl_complain(error, rc, "updating flow table");
    }
    dp_actions_free(&actions);
}

static void
del_flow(struct sp_target *t, const struct dp_flow_line *l, struct str *error)
{
    struct dp_flow_text f;
    struct search s = {.has_id = true};
    if (!parse_flow(t, l, &f, error)) {
        return;
    }
    const struct flow_id id = f.has_id ? f.id : id_of(&f.match);
    if (delete_in_tc(t, &id)) {
        return;
    }
    s.id = id;
    int rc = f.has_id ? 0 : find_flow(t, &f.match.key, &s);
    rc = rc ? rc : delete_found(t, &s);
    if (rc) {
        sp_ctl_complain(error, rc, "deleting flow");
    }
    if (rc == -ENOENT) {
        str_add(error, "Perhaps you need to specify a UFID?\n");
    }
}

static void
run_line(struct sp_target *t, const struct dp_flow_line *l, struct str *error)
{
    if (l->verb == DP_FLOW_DELETE) {
        del_flow(t, l, error);
    } else {
        put_flow(t, l, error);
    }
}

// Opens what a command is about, with a channel and the names of its ports. False: said why.
static bool
open_target(const char *name, struct sp_target *t, struct str *error)
{
    int rc = sp_target_open(name, t, error);
    if (rc) {
        sp_ctl_complain(error, EINVAL, "datapath not found");
        return false;
    }
    rc = sp_target_channel(t);
    if (rc) {
        sp_ctl_complain(error, rc, "opening datapath");
        sp_target_close(t);
        return false;
    }
    sp_target_ports(t);
    return true;
}

// aux of the commands about flows: what they do.
static const struct verb {
    enum dp_flow_verb verb;
    int n_args; // without the datapath
} add_verb = {DP_FLOW_CREATE, 2}, mod_verb = {DP_FLOW_MODIFY, 2}, del_verb = {DP_FLOW_DELETE, 1};

static void
one_flow(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    const struct verb *v = aux;
    const bool named = argc - 1 > v->n_args;
    const char **args = &argv[named ? 2 : 1];
    struct str out = STR_INIT, error = STR_INIT;
    struct sp_target t;
    rcu_begin();
    if (open_target(named ? argv[1] : NULL, &t, &error)) {
        const struct dp_flow_line l = {v->verb, args[0], v->n_args > 1 ? args[1] : ""};
        run_line(&t, &l, &error);
        sp_target_close(&t);
    }
    rcu_end();
    sp_ctl_finish(conn, &out, &error);
}

// --- Many flows. ---

// As in the stock switch, what is wrong with a file is an answer, no error.
static void
run_file(struct unixctl_conn *conn, const char *dp_name, const char *path, enum dp_flow_verb verb)
{
    struct str out = STR_INIT, error = STR_INIT;
    struct sp_target t;
    char *line = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "re");
    if (!f) {
        sp_ctl_complain(&out, errno, "Opening file \"%s\" failed", path);
        sp_ctl_finish(conn, &out, &error);
        return;
    }
    rcu_begin();
    if (open_target(dp_name, &t, &error)) {
        while (getline(&line, &size, f) >= 0) { // one that fails stops none of the others
            struct dp_flow_line l = {.verb = verb};
            dp_flow_line_parse(line, &l);
            if (l.flow) {
                run_line(&t, &l, &out);
            }
        }
        sp_target_close(&t);
    }
    rcu_end();
    free(line);
    fclose(f);
    sp_ctl_finish(conn, &out, &error);
}

static void
flow_file(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    const struct verb *v = aux;
    run_file(conn, argc > 2 ? argv[1] : NULL, argv[argc - 1], v->verb);
}

static void
flows_gone(void *conn)
{
    unixctl_reply(conn, "");
}

static bool
is_datapath(const char *name)
{
    struct sp_target t;
    rcu_begin();
    const int error = sp_target_open(name, &t, NULL);
    if (!error) {
        sp_target_close(&t);
    }
    rcu_end();
    return !error;
}

// One argument is a datapath where there is one of that name, else a file.
static void
del_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT, error = STR_INIT;
    struct sp_target t;
    struct sp_dp *sp = NULL;
    if (argc > 2 || (argc > 1 && !is_datapath(argv[1]))) {
        run_file(conn, argc > 2 ? argv[1] : NULL, argv[argc - 1], DP_FLOW_DELETE);
        return;
    }
    rcu_begin();
    if (open_target(argc > 1 ? argv[1] : NULL, &t, &error)) {
        sp = t.sp;
        const int rc = sp ? 0 : t.ops->flow_flush(t.ch);
        if (rc) {
            sp_ctl_complain(&error, rc, "deleting all flows");
        }
        sp_target_close(&t);
    }
    rcu_end();
    if (sp) {
        sp_reval_request(sp->reval, true, flows_gone, conn);
    } else {
        sp_ctl_finish(conn, &out, &error);
    }
}

// --- Datapaths and their ports. ---

static void
add_port(struct sp_target *t, const char *dp_name, char *text, struct str *error)
{
    struct dp_port_spec spec;
    uint32_t port_no;
    bool bad_number;
    dp_port_spec_parse(text, &spec, &bad_number);
    if (!spec.name) {
        sp_ctl_complain(error, 0, "%s is not a valid network device name", text);
        return;
    }
    if (bad_number) {
        sp_ctl_complain(error, 0, "%s: port_no is not a number", spec.name);
        return;
    }
    if (t->sp) {
        sp_ctl_complain(error, EBUSY,
                        "adding %s to %s failed: its ports are those of bridges, use ovs-vsctl",
                        spec.name, dp_name);
        return;
    }
    spec.type = spec.type ? spec.type : "system";
    const int rc = t->ops->port_add(t->dp, &spec, &port_no);
    if (rc == -ENODEV || rc == -EAFNOSUPPORT) {
        sp_ctl_complain(error, rc, "%s: failed to open network device", spec.name);
    } else if (rc) {
        sp_ctl_complain(error, rc, "adding %s to %s failed", spec.name, dp_name);
    }
}

static void
set_port(struct sp_target *t, const char *dp_name, char *text, struct str *error)
{
    struct dp_port_spec spec;
    bool bad_number;
    uint32_t port_no;
    dp_port_spec_parse(text, &spec, &bad_number);
    if (!spec.name) {
        sp_ctl_complain(error, 0, "%s is not a valid network device name", text);
        return;
    }
    sp_target_ports(t);
    if (!sp_target_port_by_name(spec.name, &port_no, t)) {
        sp_ctl_complain(error, ENODEV, "%s: failed to query port in %s", spec.name, dp_name);
        return;
    }
    for (size_t i = 0; i < t->n_ports; i++) {
        char *conflict =
            t->ports[i].port_no == port_no ? dp_port_spec_conflict(&spec, &t->ports[i]) : NULL;
        if (conflict) {
            sp_ctl_complain(error, 0, "%s", conflict);
            free(conflict);
        }
    }
}

static void
del_port(struct sp_target *t, const char *dp_name, char *text, struct str *error)
{
    uint64_t number;
    uint32_t port_no;
    if (*text >= '0' && *text <= '9' && base_parse_uint(text, UINT32_MAX - 1, &number)) {
        port_no = (uint32_t) number;
    } else {
        sp_target_ports(t);
        if (!sp_target_port_by_name(text, &port_no, t)) {
            sp_ctl_complain(error, 0, "no port named %s", text);
            return;
        }
    }
    if (t->sp) {
        sp_ctl_complain(error, EBUSY,
                        "deleting port %s from %s failed: its ports are those of bridges, use "
                        "ovs-vsctl",
                        text, dp_name);
        return;
    }
    const int rc = t->ops->port_del(t->dp, port_no);
    if (rc) {
        sp_ctl_complain(error, rc == -ENOENT ? ENODEV : rc, "deleting port %s from %s failed", text,
                        dp_name);
    }
}

struct port_command {
    void (*run)(struct sp_target *, const char *dp_name, char *text, struct str *error);
};

static void
each_port(int argc, const char *argv[], const struct port_command *c, struct str *error)
{
    struct sp_target t;
    const int rc = sp_target_open(argv[1], &t, error);
    if (rc) {
        sp_ctl_complain(error, rc, "opening datapath");
    }
    for (int i = 2; i < argc && !rc; i++) {
        char *text = base_strdup(argv[i]);
        c->run(&t, argv[1], text, error);
        free(text);
    }
    if (!rc) {
        sp_target_close(&t);
    }
}

static const struct port_command add_if = {add_port}, set_if = {set_port}, del_if = {del_port};

static void
change_ports(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT, error = STR_INIT;
    each_port(argc, argv, aux, &error);
    sp_ctl_finish(conn, &out, &error);
}

static void
add_dp(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT, error = STR_INIT;
    const int rc = sp_target_create(argv[1]);
    if (rc) {
        sp_ctl_complain(&error, rc, "add_dp");
    } else {
        each_port(argc, argv, &add_if, &error);
    }
    sp_ctl_finish(conn, &out, &error);
}

static void
del_dp(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT, error = STR_INIT;
    struct sp_target t;
    int rc = sp_target_open(argv[1], &t, &error);
    if (rc) {
        sp_ctl_complain(&error, rc, "opening datapath");
    } else {
        rc = sp_target_destroy(&t);
        if (rc) {
            sp_ctl_complain(&error, rc, "del_dp%s", t.sp ? ": bridges use it" : "");
        }
    }
    sp_ctl_finish(conn, &out, &error);
}

// --- Actions as text. ---

static void
parse_actions(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct str out = STR_INIT, error = STR_INIT;
    rcu_begin();
    for (int i = 1; i < argc && !error.len; i++) {
        dp_actions_clear(&acts);
        char *bad = dp_actions_parse(argv[i], sp_ctl_port_by_name, sp_dp_first(), &acts);
        if (bad) {
            str_add(&error, bad);
            free(bad);
        } else {
            dp_actions_format(&acts, NULL, NULL, &out);
            str_add_char(&out, '\n');
        }
    }
    rcu_end();
    sp_ctl_finish(conn, &out, &error);
    dp_actions_free(&acts);
}

void
sp_ctl_dpctl_init(void)
{
    static const struct {
        const char *name, *usage;
        int min, max;
        unixctl_cb *cb;
        const void *aux;
    } rows[] = {
        {"dpctl/add-dp", "dp [iface...]", 1, INT_MAX, add_dp, NULL},
        {"dpctl/del-dp", "dp", 1, 1, del_dp, NULL},
        {"dpctl/add-if", "dp iface...", 2, INT_MAX, change_ports, &add_if},
        {"dpctl/del-if", "dp iface...", 2, INT_MAX, change_ports, &del_if},
        {"dpctl/set-if", "dp iface...", 2, INT_MAX, change_ports, &set_if},
        {"dpctl/add-flow", "[dp] flow actions", 2, 3, one_flow, &add_verb},
        {"dpctl/mod-flow", "[dp] flow actions", 2, 3, one_flow, &mod_verb},
        {"dpctl/del-flow", "[dp] flow", 1, 2, one_flow, &del_verb},
        {"dpctl/add-flows", "[dp] file", 1, 2, flow_file, &add_verb},
        {"dpctl/mod-flows", "[dp] file", 1, 2, flow_file, &mod_verb},
        {"dpctl/del-flows", "[dp] [file]", 0, 2, del_flows, NULL},
        {"dpctl/parse-actions", "actions", 1, INT_MAX, parse_actions, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        unixctl_register(rows[i].name, rows[i].usage, rows[i].min, rows[i].max, rows[i].cb,
                         (void *) (uintptr_t) rows[i].aux);
    }
}
