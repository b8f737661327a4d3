// SPDX-License-Identifier: Apache-2.0
// add-flow, add-flows, mod-flows, del-flows. All flows are read and encoded before the first is
// sent, so that a mistake in one of them changes nothing. Then they go out many per write without
// waiting, and one barrier follows the last; errors are printed as they come back, which is in the
// order of the flows.
//
// The flow format must suit all flows: they are encoded in the first one that suits those read so
// far, and once more if a later flow rules it out.
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/ofctl/flow_batch.h"
#include "tools/ofctl/ofctl.h"

struct source {
    struct str text;  // of a file: all of it; else one flow
    const char *file; // NULL: not from a file
    int command;      // of of_flow_mod_parse()
};

bool
ofctl_read_line(FILE *f, struct str *line, int *number)
{
    char *buffer = NULL;
    size_t cap = 0;
    ssize_t n;
    bool got = false;
    while (!got && (n = getline(&buffer, &cap, f)) >= 0) {
        ++*number;
        char *hash = memchr(buffer, '#', n);
        const size_t len = hash ? (size_t) (hash - buffer) : (size_t) n;
        str_clear(line);
        str_add_n(line, buffer, len);
        str_chomp(line, " \t\r\n");
        got = line->len && strspn(line->p, " \t\r\n") < line->len;
    }
    free(buffer);
    return got;
}

FILE *
ofctl_open_file(const char *name, const char *verb)
{
    FILE *f = !strcmp(name, "-") ? stdin : fopen(name, "r");
    if (!f) {
        log_fatal(0, "%s: %s (%s)", name, verb, base_strerror(errno));
    }
    return f;
}

static void
read_all(const char *name, struct str *text)
{
    FILE *f = ofctl_open_file(name, "open failed");
    for (;;) {
        str_reserve(text, 65536);
        const size_t n = fread(text->p + text->len, 1, 65535, f);
        if (!n) {
            break;
        }
        text->len += n;
    }
    str_add(text, "");
    text->p[text->len] = 0;
    if (f != stdin) {
        fclose(f);
    }
}

// --- Encoding. ---

static enum of_proto
suitable(const struct conn *c, uint32_t usable)
{
    const enum of_proto now = conn_proto(c);
    if (now & usable & opt.protos) {
        return now;
    }
    for (uint32_t p = 1; p <= OF_PROTO_15; p <<= 1) {
        if (p & usable & opt.protos && of_proto_version(p) == conn_version(c)) {
            return p;
        }
    }
    return 0;
}

void
flow_batch_begin(struct flow_batch *b, const struct conn *c, uint32_t usable)
{
    str_clear(&b->out);
    b->n = 0;
    b->usable = usable;
    b->proto = suitable(c, usable);
    b->wire = (struct of_wire){.version = conn_version(c),
                               .nxm = b->proto & OF_PROTO_10_NXM,
                               .table_id = b->proto & OF_PROTO_TID};
}

void
flow_batch_add(struct flow_batch *b, struct of_flow_mod *fm, uint32_t usable)
{
    b->usable &= usable;
    if (b->proto & b->usable) {
        // The message's other members are zero.
        static struct of_msg m;
        m.type = OF_MSG_FLOW_MOD;
        m.u.flow_mod = *fm;
        of_msg_encode(&m, &b->wire, &b->out);
    }
    b->n++;
}

bool
flow_batch_is_whole(const struct flow_batch *b)
{
    return b->proto & b->usable;
}

static void
check_usable(uint32_t usable)
{
    if (!(usable & opt.protos)) {
        char *want = of_protos_format(usable), *have = of_protos_format(opt.protos);
        log_fatal(0, "none of the usable flow formats (%s) is among the allowed flow formats (%s)",
                  want, have);
    }
}

static void
parse_one(const char *text, const struct source *s, struct names *names, struct flow_batch *b)
{
    struct of_flow_mod fm;
    uint32_t usable = OF_PROTO_ALL;
    char *error = of_flow_mod_parse(text, s->command, names_ports(names), &fm, &usable);
    if (error && s->file) {
        log_fatal(0, "%s:%d: %s", s->file, b->line, error);
    } else if (error) {
        log_fatal(0, "%s", error);
    }
    flow_batch_add(b, &fm, usable);
    of_flow_mod_free(&fm);
}

// Cuts off the comment and the blanks at the end; false: nothing is left.
static bool
trim(char *line, char *end)
{
    char *hash = memchr(line, '#', end - line);
    end = hash ? hash : end;
    while (end > line && strchr(" \t\r\n", end[-1])) {
        end--;
    }
    *end = 0;
    return line[strspn(line, " \t\r\n")];
}

static void
encode_source(struct source *s, struct names *names, struct flow_batch *b)
{
    if (!s->file) {
        parse_one(str_get(&s->text), s, names, b);
        return;
    }
    struct str line = STR_INIT;
    const char *p = str_get(&s->text), *const end = p + s->text.len;
    for (b->line = 1; p < end; b->line++) {
        const char *eol = memchr(p, '\n', end - p);
        const size_t len = (eol ? eol : end) - p;
        str_clear(&line);
        str_add_n(&line, p, len);
        str_add_char(&line, '\n');
        if (trim(line.p, line.p + len)) {
            parse_one(line.p, s, names, b);
        }
        p += len + 1;
    }
    str_free(&line);
}

static void
load(const char *switch_name, struct source *s)
{
    struct names *names = names_new(switch_name);
    struct flow_batch b = {.out = STR_INIT};
    names_reserve_tables(names);
    names_reserve_ports(names);
    if (opt.bundle) {
        opt.protos &= OF_PROTO_14 | OF_PROTO_15;
    }
    const struct of_table_names *before = of_text_tables_use(names_tables(names));
    struct conn *c = conn_open(switch_name);
    flow_batch_begin(&b, c, OF_PROTO_ALL);
    encode_source(s, names, &b);
    check_usable(b.usable);
    if (!flow_batch_is_whole(&b) && b.n) {
        flow_batch_begin(&b, c, b.usable);
        encode_source(s, names, &b);
    }
    of_text_tables_use(before);
    str_free(&s->text);
    names_free(names);
    flow_batch_send(&b, c);
    str_free(&b.out);
    conn_free(c);
}

// --- Commands. ---

static void
one_or_file(struct cmdline_ctx *ctx, int command, int file_command)
{
    struct source s = {.text = STR_INIT, .command = command};
    const char *text = ctx->argc > 2 ? ctx->argv[2] : "";
    if (!strcmp(text, "-")) {
        s.file = "-";
        s.command = file_command;
        read_all("-", &s.text);
    } else {
        str_add(&s.text, text);
    }
    load(ctx->argv[1], &s);
}

void
cmd_add_flow(struct cmdline_ctx *ctx)
{
    one_or_file(ctx, OF_FLOW_ADD, -1);
}

void
cmd_mod_flows(struct cmdline_ctx *ctx)
{
    const int command = opt.strict ? OF_FLOW_MODIFY_STRICT : OF_FLOW_MODIFY;
    one_or_file(ctx, command, command);
}

void
cmd_del_flows(struct cmdline_ctx *ctx)
{
    const int command = opt.strict ? OF_FLOW_DELETE_STRICT : OF_FLOW_DELETE;
    one_or_file(ctx, command, command);
}

void
cmd_add_flows(struct cmdline_ctx *ctx)
{
    struct source s = {.text = STR_INIT, .file = ctx->argv[2], .command = -1};
    read_all(ctx->argv[2], &s.text);
    load(ctx->argv[1], &s);
}
