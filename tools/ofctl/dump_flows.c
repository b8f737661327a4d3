// SPDX-License-Identifier: Apache-2.0
// dump-flows and dump-aggregate. Flows are printed as they come in, so that memory doesn't grow
// with the tables; only sorting needs all of them at once.
#include "config.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/ofctl/ofctl.h"

static struct conn *
ask(struct cmdline_ctx *ctx, struct names *names, struct of_msg *request)
{
    uint32_t usable = OF_PROTO_ALL;
    if (ctx->argc > 2) {
        names_reserve_ports(names);
        names_reserve_tables(names);
    }
    const struct of_table_names *before = of_text_tables_use(names_tables(names));
    char *error = of_flow_request_parse(ctx->argc > 2 ? ctx->argv[2] : "", names_ports(names),
                                        &request->u.flow_request, &usable);
    of_text_tables_use(before);
    if (error) {
        log_fatal(0, "%s", error);
    }
    if (!(usable & opt.protos)) {
        char *want = of_protos_format(usable), *have = of_protos_format(opt.protos);
        log_fatal(0, "none of the usable flow formats (%s) is among the allowed flow formats (%s)",
                  want, have);
    }
    struct conn *c = conn_open(ctx->argv[1]);
    conn_set_proto_for_dump(c, usable);
    return c;
}

void
cmd_dump_aggregate(struct cmdline_ctx *ctx)
{
    struct of_msg request = {.type = OF_MSG_AGGREGATE_REQUEST};
    struct names *names = names_new(ctx->argv[1]);
    struct conn *c = ask(ctx, names, &request);
    conn_print_reply(c, &request);
    conn_free(c);
    names_free(names);
}

// --- Sorting. ---

// What is sorted: a flow's text, and its values of the sort fields one behind the other, each after
// a byte that says whether the flow has the field.
struct entry {
    char *text;
    uint8_t *keys;
};

struct entries {
    struct entry *e;
    size_t n, cap;
};

static size_t
key_size(const struct sort_key *k)
{
    return k->field ? 1U + k->field->n_bytes : 3;
}

static int
compare(const void *a_, const void *b_)
{
    const struct entry *a = a_, *b = b_;
    for (size_t i = 0, ofs = 0; i < opt.n_sort; ofs += key_size(&opt.sort[i++])) {
        const uint8_t *ka = a->keys + ofs, *kb = b->keys + ofs;
        if (ka[0] != kb[0]) {
            return kb[0] - ka[0]; // without the field: last, whichever the direction
        }
        const int order = memcmp(ka + 1, kb + 1, key_size(&opt.sort[i]) - 1);
        if (order) {
            return opt.sort[i].descending ? -order : order;
        }
    }
    return 0;
}

static uint8_t *
keys_of(const struct of_flow_stats *fs)
{
    struct str s = STR_INIT;
    for (size_t i = 0; i < opt.n_sort; i++) {
        const struct field_info *f = opt.sort[i].field;
        union field_value value, mask;
        if (!f) {
            const uint8_t priority[] = {1, fs->priority >> 8, fs->priority & 0xff};
            str_add_n(&s, priority, sizeof priority);
            continue;
        }
        field_read_mask(f, &fs->match.mask, &mask);
        field_read(f, &fs->match.key, &value);
        str_add_char(&s,
                     !field_value_is_zero(f, &mask) && field_prereqs_met(f, &fs->match.key, NULL));
        str_add_n(&s, value.b + FIELD_VALUE_BYTES - f->n_bytes, f->n_bytes);
    }
    return (uint8_t *) str_take(&s);
}

static void
keep(struct entries *all, const struct of_flow_stats *fs, struct str *text)
{
    if (all->n == all->cap) {
        all->e = base_grow(all->e, &all->cap, sizeof *all->e);
    }
    all->e[all->n++] = (struct entry){str_take(text), keys_of(fs)};
}

static void
print_sorted(struct entries *all)
{
    if (!all->n) {
        return;
    }
    qsort(all->e, all->n, sizeof *all->e,
          compare); // the library's is a merge sort: equal flows keep their order
    for (size_t i = 0; i < all->n; i++) {
        puts(all->e[i].text);
        free(all->e[i].text);
        free(all->e[i].keys);
    }
    free(all->e);
}

// Flows that are equal so far go by priority.
static void
complete_sort_keys(void)
{
    for (size_t i = 0; i < opt.n_sort; i++) {
        if (!opt.sort[i].field) {
            return;
        }
    }
    opt.sort = base_realloc(opt.sort, (opt.n_sort + 1) * sizeof *opt.sort);
    opt.sort[opt.n_sort++] = (struct sort_key){NULL, true};
}

// --- Flows one by one. ---

static void
print_part(struct of_msg *reply, const struct of_print *print, struct entries *all)
{
    struct of_flow_stats fs = {0};
    struct str text = STR_INIT;
    int error = 0;
    while (of_flow_stats_next(reply, &fs, &error)) {
        if (reply->version == OF_10) {
            fs.idle_age = fs.hard_age = -1; // only whole messages show them
        }
        str_add_char(&text, ' ');
        of_flow_stats_format(&fs, print, &text);
        if (opt.n_sort) {
            keep(all, &fs, &text);
        } else {
            str_add_char(&text, '\n');
            fwrite(text.p, 1, text.len, stdout);
            str_clear(&text);
        }
    }
    of_actions_free(&fs.actions);
    str_free(&text);
    if (error) {
        conn_bad_flows(error);
    }
}

static void
print_flows(struct conn *c, struct of_msg *request, struct names *names)
{
    const struct of_print print = {.ports = names_ports_shown(names),
                                   .tables = names_tables_shown(names),
                                   .stats = opt.show_stats,
                                   .verbosity = opt.verbosity};
    struct entries all = {0};
    struct of_msg reply;
    bool ok = conn_ask(c, request, &reply);
    if (!ok) {
        conn_no_flows(&reply);
    }
    while (ok) {
        print_part(&reply, &print, &all);
        if (!reply.more) {
            break;
        }
        conn_next_part(c, &reply);
    }
    of_msg_clear(&reply);
    if (opt.n_sort) {
        print_sorted(&all);
    }
}

void
cmd_dump_flows(struct cmdline_ctx *ctx)
{
    struct of_msg request = {.type = OF_MSG_FLOW_STATS_REQUEST};
    struct names *names = names_new(ctx->argv[1]);
    struct conn *c = ask(ctx, names, &request);
    if (opt.n_sort) {
        complete_sort_keys();
    }
    if (!opt.n_sort && opt.show_stats && !opt.show_names) {
        conn_print_reply(c, &request); // whole messages, with their headers
    } else {
        print_flows(c, &request, names);
    }
    conn_free(c);
    names_free(names);
}
