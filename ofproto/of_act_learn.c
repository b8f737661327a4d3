// SPDX-License-Identifier: Apache-2.0
// learn: a flow made from the packet, in text and towards the wire. (The decoder is in
// of_act_decode_learn.c.)
//
// On the wire each specification is a 16-bit header (source kind, destination kind, bits) with its
// source and destination behind it.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdlib.h>
#include <strings.h>

#include "ofproto/of_match_wire.h"

// --- Text in. ---

// Where a learn action is being made: its place in the list moves as the list grows.
struct learn {
    struct of_act_text *t;
    size_t ofs;
    const char *all; // its whole text, for sentences
};

static struct of_act_learn *
head(struct learn *l)
{
    return (void *) (l->t->acts->list.data + l->ofs);
}

struct of_learn_spec *
of_act_learn_add_spec(struct of_actions *acts, size_t learn, unsigned imm_len)
{
    // Specifications have no header of an item: append one as raw bytes.
    const size_t n = sizeof(struct of_learn_spec) + ROUND_UP(imm_len, 8), ofs = acts->list.len;
    static const uint64_t zero[(sizeof(struct of_learn_spec) + FIELD_VALUE_BYTES) / 8 + 1];
    flat_append(&acts->list, zero, n);
    ((struct of_act_learn *) (void *) (acts->list.data + learn))->specs_len += (uint32_t) n;
    return (void *) (acts->list.data + ofs);
}

static void
add_imm(struct learn *l, struct of_learn_spec *spec, const union field_value *value)
{
    spec->src_type = OF_LEARN_SRC_IMM;
    spec->imm_len = (uint16_t) (DIV_ROUND_UP(spec->n_bits, 16) * 2);
    struct of_learn_spec *s = of_act_learn_add_spec(l->t->acts, l->ofs, spec->imm_len);
    *s = *spec;
    memcpy(s->imm, value->b + FIELD_VALUE_BYTES - s->imm_len, s->imm_len);
}

static void
add_field(struct learn *l, struct of_learn_spec *spec, const struct subfield *src)
{
    spec->src_type = OF_LEARN_SRC_FIELD;
    spec->src = *src;
    *of_act_learn_add_spec(l->t->acts, l->ofs, 0) = *spec;
}

// A number of any width, "0x…" or decimal up to 64 bits. False: it is none.
static bool
parse_big(const char *text, union field_value *out)
{
    uint64_t x;
    memset(out, 0, sizeof *out);
    if (base_parse_uint(text, UINT64_MAX, &x)) {
        out->be64[15] = htobe64(x);
        return true;
    }
    if (strncasecmp(text, "0x", 2) || !text[2]) {
        return false;
    }
    text += 2 + strspn(text + 2, "0");
    const size_t n = strlen(text);
    if (n > 2 * FIELD_VALUE_BYTES || strspn(text, "0123456789abcdefABCDEF") != n) {
        return false;
    }
    for (size_t k = 0; k < n; k++) {
        const char c = text[n - 1 - k];
        const unsigned digit = c <= '9' ? (unsigned) (c - '0') : (unsigned) ((c | 32) - 'a' + 10);
        out->b[FIELD_VALUE_BYTES - 1 - k / 2] |= (uint8_t) (digit << k % 2 * 4);
    }
    return true;
}

static bool
fits(const union field_value *v, unsigned n_bits)
{
    unsigned used = 0;
    for (unsigned k = 0; k < FIELD_VALUE_BYTES; k++) {
        if (v->b[k]) {
            used = (FIELD_VALUE_BYTES - k) * 8 - (unsigned) __builtin_clz(v->b[k]) + 24;
            break;
        }
    }
    return used <= n_bits;
}

static char *
parse_load(struct learn *l, char *arg)
{
    struct of_learn_spec spec = {.dst_type = OF_LEARN_DST_LOAD};
    char *arrow = strstr(arg, "->");
    if (!arrow) {
        return base_asprintf("load: missing `->' in `%s'", arg);
    }
    char *error = of_act_parse_subfield(arrow + 2, &spec.dst);
    if (error) {
        return error;
    }
    spec.n_bits = spec.dst.n_bits;
    union field_value value;
    *arrow = '\0';
    if (parse_big(arg, &value)) {
        *arrow = '-';
        if (!fits(&value, spec.n_bits)) {
            return base_asprintf("%s: value does not fit into %u bits", arg, spec.n_bits);
        }
        add_imm(l, &spec, &value);
        return NULL;
    }
    *arrow = '-';
    struct subfield src;
    const char *s = arg;
    error = of_act_parse_subfield_part(&s, &src);
    if (!error && s != arrow) {
        return base_asprintf("%s: missing `->' following source", arg);
    }
    if (!error && src.n_bits != spec.n_bits) {
        error = base_asprintf("%s: source field is %u bits wide but destination is %u bits wide",
                              arg, src.n_bits, spec.n_bits);
    }
    if (!error) {
        add_field(l, &spec, &src);
    }
    return error;
}

static char *
parse_output(struct learn *l, const char *arg)
{
    struct of_learn_spec spec = {.dst_type = OF_LEARN_DST_OUTPUT};
    struct subfield src;
    char *error = of_act_parse_subfield(arg, &src);
    if (!error) {
        spec.n_bits = src.n_bits;
        add_field(l, &spec, &src);
    }
    return error;
}

static char *
neither(const struct learn *l, const char *name, const char *value, const char *no_field,
        const char *no_value)
{
    return base_asprintf("%s: %s value %s cannot be parsed as a subfield (%s) or an immediate "
                         "value (%s)",
                         l->all, name, value, no_field, no_value);
}

// Into a part of a field goes a number.
static char *
parse_number_into(struct learn *l, struct of_learn_spec *spec, const char *value)
{
    union field_value x;
    if (!parse_big(value, &x)) {
        return base_asprintf("%s: cannot parse integer value", l->all);
    }
    if (!fits(&x, spec->n_bits)) {
        size_t n = 0;
        while (!x.b[n]) {
            n++;
        }
        struct str hex = STR_INIT;
        str_addf(&hex, "%x", x.b[n++]);
        while (n < FIELD_VALUE_BYTES) {
            str_addf(&hex, "%02x", x.b[n++]);
        }
        char *error = base_asprintf("%s: value 0x%s does not fit into %u bits", l->all,
                                    str_get(&hex), spec->n_bits);
        str_free(&hex);
        return error;
    }
    add_imm(l, spec, &x);
    return NULL;
}

// "eth_type=0x800", "reg1=reg0[0..31]": a whole field.
static char *
parse_field(struct learn *l, const struct field_info *f, const char *name, const char *value)
{
    struct of_learn_spec spec = {.dst_type = OF_LEARN_DST_MATCH};
    spec.dst = (struct subfield){f->id, 0, (uint16_t) of_act_field_bits(f)};
    spec.n_bits = spec.dst.n_bits;
    const struct field_oxm *oxm = of_oxm_for(f, OF_10);
    if (!oxm || oxm->experimenter) {
        return base_asprintf("%s: experimenter OXM field '%s' not supported", l->all, f->name);
    }
    struct subfield src;
    char *no_field = of_act_parse_subfield(value, &src);
    if (!no_field) {
        if (src.n_bits != spec.n_bits) {
            return base_asprintf("%s: bit widths of %s (%u) and %s (%u) differ", l->all, name,
                                 src.n_bits, value, spec.n_bits);
        }
        add_field(l, &spec, &src);
        return NULL;
    }
    union field_value x, mask;
    char *no_value = field_parse(f, value, l->t->ports, &x, &mask), *error = NULL;
    if (!no_value && !field_value_is_exact(f, &mask)) {
        no_value = base_asprintf("%s: wildcards not allowed here", value);
    }
    if (no_value) {
        error = neither(l, name, value, no_field, no_value);
        free(no_value);
    } else {
        add_imm(l, &spec, &x);
    }
    free(no_field);
    return error;
}

// "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]", "reg0[0..3]=5", "NXM_OF_VLAN_TCI[0..11]".
static char *
parse_part(struct learn *l, const char *name, const char *value)
{
    struct of_learn_spec spec = {.dst_type = OF_LEARN_DST_MATCH};
    char *error = of_act_parse_subfield(name, &spec.dst);
    if (error) {
        free(error);
        return base_asprintf("%s: unknown keyword %s", l->all, name);
    }
    spec.n_bits = spec.dst.n_bits;
    if (!*value) {
        add_field(l, &spec, &spec.dst);
        return NULL;
    }
    const struct field_info *f = field_get(spec.dst.field);
    if (spec.n_bits == of_act_field_bits(f)) {
        return parse_field(l, f, name, value);
    }
    struct subfield src;
    char *no_field = of_act_parse_subfield(value, &src);
    if (no_field) {
        char *no_value = parse_number_into(l, &spec, value);
        error = no_value ? neither(l, name, value, no_field, no_value) : NULL;
        free(no_field);
        free(no_value);
        return error;
    }
    if (src.n_bits != spec.n_bits) {
        return base_asprintf("%s: bit widths of %s (%u) and %s (%u) differ", l->all, name,
                             src.n_bits, value, spec.n_bits);
    }
    add_field(l, &spec, &src);
    return NULL;
}

static char *
parse_result(struct of_act_learn *a, const char *value)
{
    char *error = of_act_parse_subfield(value, &a->result_dst);
    if (!error && a->result_dst.n_bits != 1) {
        error = base_strdup("result_dst in 'learn' action must be a single bit");
    }
    a->flags |= OF_LEARN_WRITE_RESULT;
    return error;
}

// Members of the head. *known is false for other keys.
static char *
parse_member(struct of_act_learn *a, const char *key, const char *value, bool *known)
{
    *known = true;
    const struct {
        const char *name;
        uint16_t *to;
    } numbers[] = {{"idle_timeout", &a->idle_timeout},
                   {"hard_timeout", &a->hard_timeout},
                   {"fin_idle_timeout", &a->fin_idle_timeout},
                   {"fin_hard_timeout", &a->fin_hard_timeout},
                   {"priority", &a->priority}};
    for (size_t k = 0; k < ARRAY_SIZE(numbers); k++) {
        if (!strcmp(key, numbers[k].name)) {
            return of_act_parse_u16(value, key, numbers[k].to);
        }
    }
    if (!strcmp(key, "table")) {
        if (!of_act_parse_table(value, &a->table)) {
            return base_asprintf("unknown table \"%s\"", value);
        }
        return a->table == 0xff ? base_asprintf("table id 255 not valid for `learn' action") : NULL;
    }
    if (!strcmp(key, "cookie")) {
        uint64_t cookie = 0;
        char *error = of_act_parse_number64(value, &cookie);
        a->cookie = htobe64(cookie);
        return error;
    }
    if (!strcmp(key, "limit")) {
        return of_act_parse_number32(value, &a->limit);
    }
    if (!strcmp(key, "send_flow_rem")) {
        a->flags |= OF_LEARN_SEND_REM;
    } else if (!strcmp(key, "delete_learned")) {
        a->flags |= OF_LEARN_DELETE_LEARNED;
    } else if (!strcmp(key, "result_dst")) {
        return parse_result(a, value);
    } else {
        *known = false;
    }
    return NULL;
}

static char *
parse_key(struct learn *l, char *key, char *value)
{
    bool known;
    char *error = parse_member(head(l), key, value, &known);
    if (known) {
        if (error && strstr(error, "not valid for `learn'")) {
            char *whole = base_asprintf("%s: %s", l->all, error);
            free(error);
            error = whole;
        }
        return error;
    }
    if (!strcmp(key, "load")) {
        return parse_load(l, value);
    }
    if (!strcmp(key, "output")) {
        return parse_output(l, value);
    }
    const struct field_info *f = *value ? field_by_name(key, strlen(key)) : NULL;
    return f ? parse_field(l, f, key, value) : parse_part(l, key, value);
}

char *
of_act_parse_learn(struct of_act_text *t, char *arg)
{
    char *all = base_strdup(arg), *error = NULL, *key, *value;
    struct learn l = {t, flat_begin(&t->acts->list, OF_ACT_LEARN, sizeof(struct of_act_learn)),
                      all};
    head(&l)->priority = OF_DEFAULT_PRIORITY;
    head(&l)->table = 1;
    while (!error && of_act_next_key(&arg, &key, &value)) {
        error = parse_key(&l, key, value);
    }
    flat_end(&t->acts->list, l.ofs);
    free(all);
    return error;
}

// --- Text out. ---

static void
format_big(const uint8_t *p, size_t n, struct str *out)
{
    while (n && !*p) {
        p++, n--;
    }
    if (!n) {
        str_add_char(out, '0');
        return;
    }
    str_addf(out, "0x%x", *p);
    str_add_hex(out, p + 1, n - 1);
}

static bool
same(const struct subfield *a, const struct subfield *b)
{
    return a->field == b->field && a->ofs == b->ofs && a->n_bits == b->n_bits;
}

static void
format_match(const struct of_learn_spec *s, const struct of_act_form *f)
{
    const struct field_info *dst = field_get(s->dst.field);
    if (s->src_type == OF_LEARN_SRC_FIELD) {
        subfield_format(&s->dst, f->out);
        if (!same(&s->src, &s->dst)) {
            str_add_char(f->out, '=');
            subfield_format(&s->src, f->out);
        }
    } else if (!s->dst.ofs && s->dst.n_bits == of_act_field_bits(dst)) {
        union field_value value;
        memset(&value, 0, sizeof value);
        memcpy(value.b + FIELD_VALUE_BYTES - s->imm_len, s->imm, s->imm_len);
        str_addf(f->out, "%s=", dst->name);
        field_format(dst, &value, NULL, f->ports, f->out);
    } else {
        subfield_format(&s->dst, f->out);
        str_add_char(f->out, '=');
        format_big(s->imm, s->imm_len, f->out);
    }
}

static void
format_spec(const struct of_learn_spec *s, const struct of_act_form *f)
{
    switch ((enum of_learn_dst) s->dst_type) {
    case OF_LEARN_DST_MATCH:
        format_match(s, f);
        break;
    case OF_LEARN_DST_LOAD:
        str_add(f->out, "load:");
        if (s->src_type == OF_LEARN_SRC_IMM) {
            format_big(s->imm, s->imm_len, f->out);
        } else {
            subfield_format(&s->src, f->out);
        }
        str_add(f->out, "->");
        subfield_format(&s->dst, f->out);
        break;
    case OF_LEARN_DST_OUTPUT:
        str_add(f->out, "output:");
        subfield_format(&s->src, f->out);
        break;
    }
}

static void
format_u16(const char *name, uint16_t x, struct str *out)
{
    if (x) {
        str_addf(out, ",%s=%u", name, x);
    }
}

void
of_act_format_learn(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_learn, a, i);
    str_addf(f->out, "learn(table=%u", a->table);
    format_u16("idle_timeout", a->idle_timeout, f->out);
    format_u16("hard_timeout", a->hard_timeout, f->out);
    format_u16("fin_idle_timeout", a->fin_idle_timeout, f->out);
    format_u16("fin_hard_timeout", a->fin_hard_timeout, f->out);
    if (a->priority != OF_DEFAULT_PRIORITY) {
        str_addf(f->out, ",priority=%u", a->priority);
    }
    str_add(f->out, a->flags & OF_LEARN_SEND_REM ? ",send_flow_rem" : "");
    str_add(f->out, a->flags & OF_LEARN_DELETE_LEARNED ? ",delete_learned" : "");
    if (a->cookie) {
        str_addf(f->out, ",cookie=0x%llx", (unsigned long long) be64toh(a->cookie));
    }
    if (a->limit) {
        str_addf(f->out, ",limit=%u", a->limit);
    }
    if (a->flags & OF_LEARN_WRITE_RESULT) {
        str_add(f->out, ",result_dst=");
        subfield_format(&a->result_dst, f->out);
    }
    const struct of_learn_spec *s = of_learn_spec_first(a);
    for (; s < of_learn_spec_end(a); s = of_learn_spec_next(s)) {
        str_add_char(f->out, ',');
        format_spec(s, f);
    }
    str_add_char(f->out, ')');
}

// --- Wire out. ---

static void
put_spec(const struct of_learn_spec *s, const struct of_act_wire *w)
{
    of_put16(w->out, (uint16_t) (s->src_type << 13 | s->dst_type << 11 | s->n_bits));
    if (s->src_type == OF_LEARN_SRC_FIELD) {
        of_act_put_field(w, s->src.field);
        of_put16(w->out, s->src.ofs);
    } else {
        str_add_n(w->out, s->imm, s->imm_len);
    }
    if (s->dst_type != OF_LEARN_DST_OUTPUT) {
        of_act_put_field(w, s->dst.field);
        of_put16(w->out, s->dst.ofs);
    }
}

void
of_act_encode_learn(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_learn, a, i);
    const bool second = a->limit || a->flags & OF_LEARN_WRITE_RESULT;
    const size_t start = of_act_begin_nx(w, second ? 45 : 16);
    of_put16(w->out, a->idle_timeout);
    of_put16(w->out, a->hard_timeout);
    of_put16(w->out, a->priority);
    of_put_be64(w->out, a->cookie);
    of_put16(w->out, a->flags);
    of_put8(w->out, a->table);
    of_put_zeros(w->out, 1);
    of_put16(w->out, a->fin_idle_timeout);
    of_put16(w->out, a->fin_hard_timeout);
    if (second) {
        of_put32(w->out, a->limit);
        of_put16(w->out, a->flags & OF_LEARN_WRITE_RESULT ? a->result_dst.ofs : 0);
        if (a->flags & OF_LEARN_WRITE_RESULT) {
            of_put_zeros(w->out, 2);
            of_act_put_field(w, a->result_dst.field);
        } else {
            of_put_zeros(w->out, 2);
        }
    }
    const struct of_learn_spec *s = of_learn_spec_first(a);
    for (; s < of_learn_spec_end(a); s = of_learn_spec_next(s)) {
        put_spec(s, w);
    }
    of_act_end(w, start);
}
