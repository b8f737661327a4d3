// SPDX-License-Identifier: Apache-2.0
// replace-flows and diff-flows: two sets of flows, each from a file or a switch, side by side. A
// flow is known by its canonical text: what it matches on (table, priority, match) is the key, the
// rest is what may differ. Both are listed by table and priority.
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/log.h"
#include "ofproto/of_text.h"
#include "tools/ofctl/flow_batch.h"
#include "tools/ofctl/ofctl.h"

enum { A, B }; // the two sets

struct flow {
    struct hmap_node node;
    char *key;     // "priority=5,tcp"
    char *rest[2]; // " cookie=0x3 idle_timeout=5 actions=drop"; NULL: not in this set
    char *line;    // of a file: its text, for sending
    size_t order;  // in which it was read
    uint16_t priority;
    uint8_t table;
};

struct flows {
    struct hmap map;
    struct flow **list; // sorted
    size_t n;
    uint32_t usable; // for those from files
};

static struct flow *
find_or_add(struct flows *all, const char *key, uint8_t table, uint16_t priority)
{
    const uint32_t hash = hash_string(key, table);
    struct flow *f;
    HMAP_FOR_EACH_HASH(f, node, hash, &all->map)
    {
        if (f->table == table && !strcmp(f->key, key)) {
            return f;
        }
    }
    f = base_calloc(1, sizeof *f);
    f->key = base_strdup(key);
    f->table = table;
    f->priority = priority;
    f->order = hmap_count(&all->map);
    hmap_insert(&all->map, &f->node, hash);
    return f;
}

// Adds a flow, in place of an equal one.
static struct flow *
add(struct flows *all, int set, const struct of_flow_stats *fs)
{
    static const struct of_print print = {0};
    struct str key = STR_INIT, rest = STR_INIT;
    match_format(&fs->match, NULL, fs->priority, &key);
    if (fs->cookie) {
        str_addf(&rest, " cookie=0x%" PRIx64, be64toh(fs->cookie));
    }
    if (fs->idle_timeout) {
        str_addf(&rest, " idle_timeout=%u", fs->idle_timeout);
    }
    if (fs->hard_timeout) {
        str_addf(&rest, " hard_timeout=%u", fs->hard_timeout);
    }
    if (fs->importance) {
        str_addf(&rest, " importance=%u", fs->importance);
    }
    str_add(&rest, " actions=");
    of_actions_format(&fs->actions, print.ports, &rest);
    struct flow *f = find_or_add(all, str_get(&key), fs->table, fs->priority);
    free(f->rest[set]);
    f->rest[set] = str_take(&rest);
    str_free(&key);
    return f;
}

static void
read_file(const char *name, struct names *names, struct flows *all, int set)
{
    FILE *file = ofctl_open_file(name, "open");
    struct str line = STR_INIT;
    int number = 0;
    const struct of_table_names *before = of_text_tables_use(names ? names_tables(names) : NULL);
    while (ofctl_read_line(file, &line, &number)) {
        struct of_flow_mod fm;
        char *error = of_flow_mod_parse(line.p, OF_FLOW_ADD, names ? names_ports(names) : NULL, &fm,
                                        &all->usable);
        if (error) {
            log_fatal(0, "%s:%d: %s", name, number, error);
        }
        const struct of_flow_stats fs = {.match = fm.match,
                                         .priority = fm.priority,
                                         .table = fm.table,
                                         .cookie = fm.new_cookie,
                                         .idle_timeout = fm.idle_timeout,
                                         .hard_timeout = fm.hard_timeout,
                                         .importance = fm.importance,
                                         .actions = fm.actions};
        struct flow *f = add(all, set, &fs);
        free(f->line);
        f->line = base_strdup(line.p);
        of_flow_mod_free(&fm);
    }
    of_text_tables_use(before);
    str_free(&line);
    if (file != stdin) {
        fclose(file);
    }
}

static void
read_switch(struct conn *c, struct flows *all, int set)
{
    struct of_msg reply, request = {.type = OF_MSG_FLOW_STATS_REQUEST};
    struct of_flow_stats fs = {0};
    int error = 0;
    match_init_any(&request.u.flow_request.match);
    request.u.flow_request.table = OF_TABLE_ALL;
    request.u.flow_request.out_port = OF_PORT_ANY;
    request.u.flow_request.out_group = OF_GROUP_ANY;
    if (!conn_ask(c, &request, &reply)) {
        conn_no_flows(&reply);
    }
    for (;; conn_next_part(c, &reply)) {
        while (of_flow_stats_next(&reply, &fs, &error)) {
            add(all, set, &fs);
        }
        if (error) {
            conn_bad_flows(error);
        }
        if (!reply.more) {
            break;
        }
    }
    of_actions_free(&fs.actions);
    of_msg_clear(&reply);
}

static int
compare(const void *a_, const void *b_)
{
    const struct flow *a = *(struct flow *const *) a_, *b = *(struct flow *const *) b_;
    if (a->table != b->table) {
        return a->table - b->table;
    }
    return a->priority != b->priority ? b->priority - a->priority
           : a->order < b->order      ? -1
                                      : a->order > b->order;
}

static void
sort(struct flows *all)
{
    struct flow *f;
    all->list = base_calloc(hmap_count(&all->map) + 1, sizeof *all->list);
    HMAP_FOR_EACH (f, node, &all->map) {
        all->list[all->n++] = f;
    }
    qsort(all->list, all->n, sizeof *all->list, compare);
}

static void
init(struct flows *all)
{
    memset(all, 0, sizeof *all);
    hmap_init(&all->map);
    all->usable = OF_PROTO_ALL;
}

static void
finish(struct flows *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct flow *f = all->list[i];
        free(f->key);
        free(f->rest[A]);
        free(f->rest[B]);
        free(f->line);
        free(f);
    }
    free(all->list);
    hmap_destroy(&all->map);
}

static bool
same(const struct flow *f)
{
    return f->rest[A] && f->rest[B] && !strcmp(f->rest[A], f->rest[B]);
}

// --- diff-flows ---

static bool
is_file(const char *name)
{
    struct stat s;
    if (strchr("/.", *name)) {
        return true;
    }
    return !strchr(name, ':') && !stat(name, &s) && !S_ISSOCK(s.st_mode);
}

static void
print_side(char sign, const struct flow *f, int set)
{
    if (!f->rest[set]) {
        return;
    }
    printf("%c", sign);
    if (f->table) {
        printf("table=%u ", f->table);
    }
    printf("%s%s\n", f->key, f->rest[set]);
}

void
cmd_diff_flows(struct cmdline_ctx *ctx)
{
    struct flows all;
    bool differences = false;
    init(&all);
    for (int set = A; set <= B; set++) {
        const char *source = ctx->argv[set + 1];
        if (is_file(source)) {
            read_file(source, NULL, &all, set);
        } else {
            struct conn *c = conn_open(source);
            conn_set_proto_for_dump(c, OF_PROTO_ALL);
            read_switch(c, &all, set);
            conn_free(c);
        }
    }
    sort(&all);
    for (size_t i = 0; i < all.n; i++) {
        if (!same(all.list[i])) {
            print_side('-', all.list[i], A);
            print_side('+', all.list[i], B);
            differences = true;
        }
    }
    finish(&all);
    if (differences) {
        fflush(stdout);
        exit(2);
    }
}

// --- replace-flows ---

// A set B flow that A (the file) doesn't have goes; those that A has come or change.
static void
add_mod(const struct flow *f, struct names *names, struct flow_batch *b)
{
    struct of_flow_mod fm;
    uint32_t usable = OF_PROTO_ALL;
    struct str text = STR_INIT;
    if (!f->rest[A]) {
        str_addf(&text, "table=%u,%s", f->table, f->key);
    }
    char *error =
        f->rest[A] ? of_flow_mod_parse(f->line, OF_FLOW_ADD, names_ports(names), &fm, &usable)
                   : of_flow_mod_parse(str_get(&text), OF_FLOW_DELETE_STRICT, NULL, &fm, &usable);
    if (error) {
        log_fatal(0, "%s: %s", f->key, error);
    }
    if (!f->rest[A] && b->proto & OF_PROTO_10_ANY && !(b->proto & OF_PROTO_TID)) {
        fm.table = OF_TABLE_ALL; // cannot be said; strict deletion finds the one flow
    }
    flow_batch_add(b, &fm, OF_PROTO_ALL);
    of_flow_mod_free(&fm);
    str_free(&text);
}

// Of each table: first what goes, then what comes.
static void
make_mods(const struct flows *all, struct names *names, struct flow_batch *b)
{
    const struct of_table_names *before = of_text_tables_use(names_tables(names));
    for (size_t first = 0, end; first < all->n; first = end) {
        for (end = first; end < all->n && all->list[end]->table == all->list[first]->table; end++) {
            if (!all->list[end]->rest[A]) {
                add_mod(all->list[end], names, b);
            }
        }
        for (size_t i = first; i < end; i++) {
            const struct flow *f = all->list[i];
            if (f->rest[A] && (opt.readd || !same(f))) {
                add_mod(f, names, b);
            }
        }
    }
    of_text_tables_use(before);
}

void
cmd_replace_flows(struct cmdline_ctx *ctx)
{
    struct flows all;
    struct flow_batch b = {.out = STR_INIT};
    struct names *names = names_new(ctx->argv[1]);
    init(&all);
    names_reserve_ports(names);
    names_reserve_tables(names);
    if (opt.bundle) {
        opt.protos &= OF_PROTO_14 | OF_PROTO_15;
    }
    read_file(ctx->argv[2], names, &all, A);
    struct conn *c = conn_open(ctx->argv[1]);
    conn_set_proto_for_dump(c, all.usable);
    read_switch(c, &all, B);
    sort(&all);
    flow_batch_begin(&b, c, OF_PROTO_ALL);
    make_mods(&all, names, &b);
    flow_batch_send(&b, c);
    str_free(&b.out);
    conn_free(c);
    finish(&all);
    names_free(names);
}
