// SPDX-License-Identifier: Apache-2.0
// Commands about flows: dump-flows, add-flow, mod-flow, get-flow, del-flow and their forms that
// read files.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "tools/dpctl/dpctl.h"

// A datapath, a channel to it and the names of its ports.
struct session {
    struct dp *dp;
    struct dp_channel *ch;
    struct dpctl_ports *ports;
};

static struct session
open_session(struct dp *dp)
{
    struct session s = {.dp = dp, .ports = dpctl_ports_read(dp)};
    const int error = kd_dp_ops.channel_open(dp, &s.ch);

    if (error) {
        log_fatal(-error, "opening datapath");
    }
    return s;
}

static void
close_session(struct session *s)
{
    dpctl_ports_free(s->ports);
    kd_dp_ops.channel_close(s->ch);
    kd_dp_ops.close(s->dp);
}

// Names in output: asked for, or with -m unless refused.
static void
format_flow(const struct dp_flow_record *r, const struct session *s, struct str *out)
{
    const bool names = dpctl_options.names || (dpctl_options.more && !dpctl_options.no_names);
    const struct dp_flow_style style = {.verbose = dpctl_options.more,
                                        .kernel = true,
                                        .namer = names ? dpctl_port_name : NULL,
                                        .aux = s->ports};
    dp_flow_format(r, &style, out);
}

// --- dump-flows ---

struct dump {
    const struct session *s;
    struct flow_match filter;
    bool has_filter;
    struct str out;
};

static bool
dump_one(const struct dp_flow_record *r, void *d_)
{
    struct dump *d = d_;

    if (!d->has_filter || match_overlaps(r->match, &d->filter)) {
        format_flow(r, d->s, &d->out);
        str_add_char(&d->out, '\n');
        fwrite(str_get(&d->out), 1, d->out.len, stdout);
        str_clear(&d->out);
    }
    return true;
}

static void
parse_filter(struct dump *d, const char *text)
{
    const struct field_port_names finder = {.port = dpctl_port_by_name, .aux = d->s->ports};

    char *error = match_parse(&d->filter, text, &finder);
    if (error) {
        fprintf(stderr, "ovs-dpctl: Failed to parse filter (%s: %s)\n", text, error);
        exit(1);
    }
    d->has_filter = true;
}

void
dpctl_dump_flows(struct cmdline_ctx *ctx)
{
    struct dump d = {.out = STR_INIT};
    const char *filter = NULL;
    int n = 1;

    for (int i = 1; i < ctx->argc; i++) {
        if (!strncmp(ctx->argv[i], "filter=", 7)) {
            filter = ctx->argv[i] + 7;
        } else if (!strncmp(ctx->argv[i], "type=", 5)) {
            log_fatal(0, "Invalid argument 'type'. Use 'ovs-appctl dpctl/dump-flows' instead.");
        } else if (strncmp(ctx->argv[i], "pmd=", 4)) {
            ctx->argv[n++] = ctx->argv[i];
        }
    }
    ctx->argc = n;
    struct session s = open_session(dpctl_open_optional(ctx, 0));
    d.s = &s;
    if (filter) {
        parse_filter(&d, filter);
    }
    const int error = kd_dp_ops.flow_dump(s.ch, false, dump_one, &d);
    str_free(&d.out);
    if (error) {
        log_fatal(-error, "Failed to dump flows from datapath");
    }
    close_session(&s);
}

// --- Changes. ---

// "[ufid:…,]FLOW" as the request's id and match. False: said why.
struct parsed {
    struct dp_flow_text flow;
    struct dp_actions actions;
    struct dp_flow_op op;
    struct kd_flow_request request;
};

static bool
parse_flow(const struct session *s, const char *text, struct parsed *p)
{
    memset(p, 0, sizeof *p);
    char *error = dp_flow_parse(text, dpctl_port_by_name, s->ports, &p->flow);
    if (error) {
        fprintf(stderr, "ovs-dpctl: parsing flow key (%s) (%s)\n", error, base_strerror(EINVAL));
        free(error);
        return false;
    }
    if (!p->flow.has_recirc_id) { // not said is not matched, here
        match_unset(&p->flow.match, field_get(FIELD_RECIRC_ID));
    }
    p->op.id = p->flow.id;
    p->op.match = &p->flow.match;
    p->op.actions = &p->actions;
    p->request.op = &p->op;
    p->request.by_key = !p->flow.has_id;
    return true;
}

static int
put_flow(const struct session *s, enum dp_flow_verb verb, const char *flow, const char *actions)
{
    struct str out = STR_INIT;
    struct parsed p;

    if (!parse_flow(s, flow, &p)) {
        return -EINVAL;
    }
    char *error = dp_actions_parse(actions, dpctl_port_by_name, s->ports, &p.actions);
    if (error) {
        fprintf(stderr, "ovs-dpctl: parsing actions (%s)\n", base_strerror(EINVAL));
        free(error);
        dp_actions_free(&p.actions);
        return -EINVAL;
    }
    p.op.verb = verb;
    p.request.may_create = dpctl_options.may_create;
    p.request.clear = verb == DP_FLOW_MODIFY && dpctl_options.zero;
    const int rc = kd_flow_request(s->ch, &p.request);
    if (rc) {
        fprintf(stderr, "ovs-dpctl: updating flow table (%s)\n", base_strerror(rc));
    } else if (dpctl_options.statistics && verb == DP_FLOW_MODIFY) {
        dp_flow_stats_format(&p.op.stats, &out);
        printf("%s\n", str_get(&out));
        str_free(&out);
    }
    dp_actions_free(&p.actions);
    return rc;
}

static int
del_flow(const struct session *s, const char *flow)
{
    struct str out = STR_INIT;
    struct parsed p;

    if (!parse_flow(s, flow, &p)) {
        return -EINVAL;
    }
    p.op.verb = DP_FLOW_DELETE;
    const int rc = kd_flow_request(s->ch, &p.request);
    if (rc) {
        fprintf(stderr, "ovs-dpctl: deleting flow (%s)\n", base_strerror(rc));
        if (rc == -ENOENT) {
            fprintf(stderr, "Perhaps you need to specify a UFID?\n");
        }
    } else if (dpctl_options.statistics) {
        dp_flow_stats_format(&p.op.stats, &out);
        printf("%s\n", str_get(&out));
        str_free(&out);
    }
    return rc;
}

static void
put_command(struct cmdline_ctx *ctx, enum dp_flow_verb verb)
{
    struct session s = open_session(dpctl_open_optional(ctx, 2));
    const int rc = put_flow(&s, verb, ctx->argv[ctx->argc - 2], ctx->argv[ctx->argc - 1]);

    close_session(&s);
    if (rc) {
        exit(1);
    }
}

void
dpctl_add_flow(struct cmdline_ctx *ctx)
{
    put_command(ctx, DP_FLOW_CREATE);
}

void
dpctl_mod_flow(struct cmdline_ctx *ctx)
{
    put_command(ctx, DP_FLOW_MODIFY);
}

void
dpctl_del_flow(struct cmdline_ctx *ctx)
{
    struct session s = open_session(dpctl_open_optional(ctx, 1));
    const int rc = del_flow(&s, ctx->argv[ctx->argc - 1]);

    close_session(&s);
    if (rc) {
        exit(1);
    }
}

void
dpctl_get_flow(struct cmdline_ctx *ctx)
{
    struct session s = open_session(dpctl_open_optional(ctx, 1));
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct flow_match match;
    struct dp_flow_op op = {.verb = DP_FLOW_GET};
    struct kd_flow_request request = {.op = &op, .got_match = &match, .got_actions = &acts};
    size_t len;

    if (!dp_flow_id_parse(ctx->argv[ctx->argc - 1], &op.id, &len) ||
        ctx->argv[ctx->argc - 1][len]) {
        log_fatal(0, "parsing flow ufid");
    }
    const int rc = kd_flow_request(s.ch, &request);
    if (rc) {
        log_fatal(-rc, "getting flow");
    }
    const struct dp_flow_record r = {
        .id = op.id, .has_id = true, .stats = op.stats, .match = &match, .actions = &acts};
    struct str out = STR_INIT;
    format_flow(&r, &s, &out);
    printf("%s\n", str_get(&out));
    str_free(&out);
    dp_actions_free(&acts);
    close_session(&s);
}

// --- Files: "[add|modify|delete] FLOW [ACTIONS]" a line. ---

static int
run_line(const struct session *s, char *line, enum dp_flow_verb verb)
{
    struct dp_flow_line l = {.verb = verb};

    dp_flow_line_parse(line, &l);
    if (!l.flow) {
        return 0;
    }
    return l.verb == DP_FLOW_DELETE ? del_flow(s, l.flow) : put_flow(s, l.verb, l.flow, l.actions);
}

static void
run_file(struct cmdline_ctx *ctx, enum dp_flow_verb verb)
{
    const char *path = ctx->argv[ctx->argc - 1];
    struct session s = open_session(dpctl_open_optional(ctx, 1));
    FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
    char *line = NULL;
    size_t size = 0;
    int rc = 0;

    if (!f) {
        log_fatal(errno, "Opening file \"%s\" failed", path);
    }
    while (!rc && getline(&line, &size, f) >= 0) {
        rc = run_line(&s, line, verb);
    }
    free(line);
    if (f != stdin) {
        fclose(f);
    }
    close_session(&s);
    if (rc) {
        exit(1);
    }
}

void
dpctl_add_flows(struct cmdline_ctx *ctx)
{
    run_file(ctx, DP_FLOW_CREATE);
}

void
dpctl_mod_flows(struct cmdline_ctx *ctx)
{
    run_file(ctx, DP_FLOW_MODIFY);
}

void
dpctl_del_flows(struct cmdline_ctx *ctx)
{
    // One argument is a datapath where there is one of that name, else a file.
    if (ctx->argc == 3 || (ctx->argc == 2 && !dpctl_is_datapath(ctx->argv[1]))) {
        run_file(ctx, DP_FLOW_DELETE);
        return;
    }
    struct session s = open_session(dpctl_open_optional(ctx, 0));
    const int rc = kd_dp_ops.flow_flush(s.ch);
    if (rc) {
        log_fatal(-rc, "deleting all flows");
    }
    close_session(&s);
}

void
dpctl_parse_actions(struct cmdline_ctx *ctx)
{
    for (int i = 1; i < ctx->argc; i++) {
        struct dp_actions acts = DP_ACTIONS_INIT;
        struct str out = STR_INIT;
        char *error = dp_actions_parse(ctx->argv[i], NULL, NULL, &acts);

        if (error) {
            log_fatal(EINVAL, "odp_actions_from_string");
        }
        dp_actions_format(&acts, NULL, NULL, &out);
        printf("%s\n", str_get(&out));
        str_free(&out);
        dp_actions_free(&acts);
    }
}
