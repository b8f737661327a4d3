// SPDX-License-Identifier: Apache-2.0
// Actions about the way through the tables, and instructions: resubmit, goto_table, write_metadata,
// clear_actions, write_actions, clone, meter, set_queue, pop_queue, exit, conjunction, ct_clear.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdio.h>
#include <stdlib.h>

// --- Actions that are only a word, or a word and a number. ---

char *
of_act_parse_plain(struct of_act_text *t, char *arg FB_UNUSED)
{
    struct of_act_plain *a = of_actions_add(t->acts, t->variant, sizeof *a);
    if (t->variant == OF_ACT_STRIP_VLAN && *t->word == 'p') {
        a->i.flags = OF_STRIP_VLAN_POP;
    }
    return NULL;
}

char *
of_act_parse_u32(struct of_act_text *t, char *arg)
{
    uint32_t x;
    char *error = of_act_parse_number32(arg, &x);
    if (error) {
        return error;
    }
    struct of_act_u32 *a = of_actions_add(t->acts, t->variant, sizeof *a);
    a->value = x;
    if (t->variant == OF_ACT_METER) {
        *t->usable &= OF_PROTO_13 | OF_PROTO_14 | OF_PROTO_15;
    }
    return NULL;
}

// name, Nicira's subtype
#define PLAIN(CODEC, SUBTYPE)                                                                      \
    void of_act_format_##CODEC(const struct flat_item *i FB_UNUSED, const struct of_act_form *f)   \
    {                                                                                              \
        str_add(f->out, #CODEC);                                                                   \
    }                                                                                              \
    void of_act_encode_##CODEC(const struct flat_item *i FB_UNUSED, const struct of_act_wire *w)   \
    {                                                                                              \
        of_act_put_nx_plain(w, SUBTYPE);                                                           \
    }

PLAIN(pop_queue, 5)
PLAIN(exit, 17)
PLAIN(ct_clear, 43)
PLAIN(dec_nsh_ttl, 48)
PLAIN(debug_slow, 254)
PLAIN(debug_recirc, 255)

void
of_act_format_set_queue(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "set_queue:%u", a->value);
}

void
of_act_encode_set_queue(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    const size_t start = w->version == OF_10 ? of_act_begin_nx(w, 4) : of_act_begin(w, 21);
    if (w->version == OF_10) {
        of_put_zeros(w->out, 2);
    }
    of_put32(w->out, a->value);
    of_act_end(w, start);
}

// --- resubmit ---

static char *
parse_resubmit_table(struct of_act_resubmit *r, char *rest)
{
    char *save = NULL, *table = strtok_r(rest, ",", &save), *ct = strtok_r(NULL, ",", &save);
    if (table) {
        if (!of_act_parse_table(table, &r->table)) {
            return base_asprintf("%s: resubmit to unknown table", table);
        }
    }
    if (ct) {
        if (strcmp(ct, "ct")) {
            return base_asprintf("%s: unknown parameter", ct);
        }
        r->with_ct = true;
    }
    return NULL;
}

char *
of_act_parse_resubmit(struct of_act_text *t, char *arg)
{
    struct of_act_resubmit r = {.in_port = OF_PORT_IN_PORT, .table = 0xff, .with_table = true};
    char *comma = strchr(arg, ',');
    if (comma) {
        *comma = '\0';
    }
    if (*arg && !field_parse_port(arg, t->ports, &r.in_port)) {
        return base_asprintf("%s: resubmit to unknown port", arg);
    }
    char *error = comma ? parse_resubmit_table(&r, comma + 1) : NULL;
    if (error) {
        return error;
    }
    if (r.in_port == OF_PORT_IN_PORT && r.table == 0xff) {
        return base_strdup("at least one \"in_port\" or \"table\" must be specified on resubmit");
    }
    struct of_act_resubmit *a = of_actions_add(t->acts, OF_ACT_RESUBMIT, sizeof *a);
    r.i = a->i;
    *a = r;
    return NULL;
}

void
of_act_format_resubmit(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_resubmit, a, i);
    if (a->in_port != OF_PORT_IN_PORT && a->table == 0xff && !a->with_ct) {
        str_add(f->out, "resubmit:");
        field_format_port(a->in_port, f->ports, f->out);
        return;
    }
    str_add(f->out, "resubmit(");
    if (a->in_port != OF_PORT_IN_PORT) {
        field_format_port(a->in_port, f->ports, f->out);
    }
    str_add_char(f->out, ',');
    if (a->table != 0xff) {
        str_addf(f->out, "%u", a->table);
    }
    str_add(f->out, a->with_ct ? ",ct)" : ")");
}

static void
put_resubmit(const struct of_act_wire *w, uint16_t subtype, uint32_t in_port, uint8_t table)
{
    const size_t start = of_act_begin_nx(w, subtype);
    of_put16(w->out, (uint16_t) in_port);
    of_put8(w->out, table);
    of_act_end(w, start);
}

void
of_act_encode_resubmit(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_resubmit, a, i);
    if (a->with_ct) {
        put_resubmit(w, 44, a->in_port, a->table);
    } else if (a->with_table || a->table != 0xff) {
        put_resubmit(w, 14, a->in_port, a->table);
    } else {
        put_resubmit(w, 1, a->in_port, 0);
    }
}

// --- conjunction ---

char *
of_act_parse_conjunction(struct of_act_text *t, char *arg)
{
    unsigned clause, n;
    uint32_t id;
    int end = 0;
    // %u takes signs and blanks: first look at what there is.
    if (strspn(arg, "0123456789abcdefxABCDEFX,/ ") != strlen(arg) ||
        sscanf(arg, "%i , %u / %u%n", (int *) &id, &clause, &n, &end) != 3 || arg[end]) {
        return base_strdup("\"conjunction\" syntax is \"conjunction(id,i/n)\"");
    }
    if (n < 2) {
        return base_strdup("conjunction must have at least 2 clauses");
    }
    if (n > 64) {
        return base_strdup("conjunction must have at most 64 clauses");
    }
    if (clause < 1) {
        return base_strdup("clause index must be positive");
    }
    if (clause > n) {
        return base_strdup("clause index must be less than or equal to number of clauses");
    }
    struct of_act_conjunction *a = of_actions_add(t->acts, OF_ACT_CONJUNCTION, sizeof *a);
    a->id = id;
    a->clause = (uint8_t) (clause - 1);
    a->n_clauses = (uint8_t) n;
    return NULL;
}

void
of_act_format_conjunction(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_conjunction, a, i);
    str_addf(f->out, "conjunction(%u,%u/%u)", a->id, a->clause + 1, a->n_clauses);
}

void
of_act_encode_conjunction(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_conjunction, a, i);
    const size_t start = of_act_begin_nx(w, 34);
    of_put8(w->out, a->clause);
    of_put8(w->out, a->n_clauses);
    of_put32(w->out, a->id);
    of_act_end(w, start);
}

// --- clone, write_actions ---

static char *
parse_nest(struct of_act_text *t, enum of_act_type type, char *arg)
{
    const size_t ofs = flat_begin(&t->acts->list, type, sizeof(struct of_act_nest));
    char *error = of_act_parse_list(t, type, arg);
    flat_end(&t->acts->list, ofs);
    return error;
}

static void
format_nest(const struct flat_item *i, const char *name, const struct of_act_form *f)
{
    str_addf(f->out, "%s(", name);
    of_act_format_list(i + 1, i->len - sizeof *i, f);
    str_add_char(f->out, ')');
}

char *
of_act_parse_clone(struct of_act_text *t, char *arg)
{
    return parse_nest(t, OF_ACT_CLONE, arg);
}

void
of_act_format_clone(const struct flat_item *i, const struct of_act_form *f)
{
    format_nest(i, "clone", f);
}

void
of_act_encode_clone(const struct flat_item *i, const struct of_act_wire *w)
{
    const size_t start = of_act_begin_nx(w, 42);
    of_put_zeros(w->out, 6);
    of_act_encode_list(i + 1, i->len - sizeof *i, w);
    of_act_end(w, start);
}

char *
of_act_parse_write_actions(struct of_act_text *t, char *arg)
{
    return parse_nest(t, OF_ACT_WRITE_ACTIONS, arg);
}

void
of_act_format_write_actions(const struct flat_item *i, const struct of_act_form *f)
{
    format_nest(i, "write_actions", f);
}

// Instructions: the header is like an action's, with four more bytes before a list.
void
of_act_encode_write_actions(const struct flat_item *i, const struct of_act_wire *w)
{
    if (w->version == OF_10 || i->len == sizeof *i) {
        return;
    }
    const size_t start = of_act_begin(w, 3);
    of_put_zeros(w->out, 4);
    of_act_encode_list(i + 1, i->len - sizeof *i, w);
    of_act_end(w, start);
}

// --- The other instructions ---

void
of_act_format_meter(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "meter:%u", a->value);
}

// An action in OpenFlow 1.5, an instruction in 1.3 and 1.4, unknown before.
void
of_act_encode_meter(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    if (w->version >= OF_13) {
        const size_t start = of_act_begin(w, w->version >= OF_15 ? 29 : 6);
        of_put32(w->out, a->value);
        of_act_end(w, start);
    }
}

void
of_act_format_clear_actions(const struct flat_item *i FB_UNUSED, const struct of_act_form *f)
{
    str_add(f->out, "clear_actions");
}

void
of_act_encode_clear_actions(const struct flat_item *i FB_UNUSED, const struct of_act_wire *w)
{
    if (w->version != OF_10) {
        of_act_put_plain(w, 5);
    }
}

char *
of_act_parse_write_metadata(struct of_act_text *t, char *arg)
{
    uint64_t value, mask = UINT64_MAX;
    char *slash = strchr(arg, '/'), *error = NULL;
    if (slash) {
        *slash = '\0';
        error = of_act_parse_number64(slash + 1, &mask);
    }
    error = error ? error : of_act_parse_number64(arg, &value);
    if (error) {
        return error;
    }
    struct of_act_write_metadata *a = of_actions_add(t->acts, OF_ACT_WRITE_METADATA, sizeof *a);
    a->metadata = htobe64(value);
    a->mask = htobe64(mask);
    *t->usable &= OF_PROTO_NXM_OXM | OF_PROTO_11;
    return NULL;
}

void
of_act_format_write_metadata(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_write_metadata, a, i);
    str_add(f->out, "write_metadata:");
    of_act_format_num(be64toh(a->metadata), f->out);
    if (a->mask != UINT64_MAX) {
        str_add_char(f->out, '/');
        of_act_format_num(be64toh(a->mask), f->out);
    }
}

void
of_act_encode_write_metadata(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_write_metadata, a, i);
    const size_t start = w->version == OF_10 ? of_act_begin_nx(w, 22) : of_act_begin(w, 2);
    of_put_zeros(w->out, w->version == OF_10 ? 6 : 4);
    of_put_be64(w->out, a->metadata);
    of_put_be64(w->out, a->mask);
    of_act_end(w, start);
}

char *
of_act_parse_goto_table(struct of_act_text *t, char *arg)
{
    uint8_t table;
    if (!of_act_parse_table(arg, &table)) {
        return base_asprintf("unknown table \"%s\"", arg);
    }
    struct of_act_u32 *a = of_actions_add(t->acts, OF_ACT_GOTO_TABLE, sizeof *a);
    a->value = table;
    return NULL;
}

void
of_act_format_goto_table(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "goto_table:%u", a->value);
}

// OpenFlow 1.0 says it as a resubmit.
void
of_act_encode_goto_table(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    if (w->version == OF_10) {
        put_resubmit(w, 14, OF_PORT_IN_PORT, (uint8_t) a->value);
        return;
    }
    const size_t start = of_act_begin(w, 1);
    of_put8(w->out, (uint8_t) a->value);
    of_act_end(w, start);
}
