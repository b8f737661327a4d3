// SPDX-License-Identifier: Apache-2.0
// Actions on fields in general: set_field and load, move, push and pop of the stack, delete_field.
//
// set_field and load are one action in two forms. On the wire, set_field is OpenFlow 1.2's (with a
// mask OpenFlow 1.5's), and the loads of Nicira before; load stays a load before OpenFlow 1.5.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdlib.h>

#include "ofproto/of_match_wire.h"

static bool
is_tun_md(unsigned id)
{
    return id >= FIELD_TUN_MD0 && id <= FIELD_TUN_MD63;
}

struct of_act_set_field *
of_act_add_set_field(struct of_actions *acts, const struct field_info *f,
                     const union field_value *value, const union field_value *mask)
{
    size_t n = f->n_bytes;
    if (is_tun_md(f->id)) { // as long as it has to be
        n = DIV_ROUND_UP(field_value_bits(f), 8);
    }
    struct of_act_set_field *a = of_actions_add(acts, OF_ACT_SET_FIELD, sizeof *a + 2 * n);
    a->field = (uint16_t) f->id;
    a->n_bytes = (uint16_t) n;
    for (size_t k = 0; k < n; k++) {
        const size_t at = FIELD_VALUE_BYTES - n + k;
        a->data[k] = value->b[at] & mask->b[at];
        a->data[n + k] = mask->b[at];
    }
    return a;
}

static uint64_t
low_bits(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

// v = (v << n), as one big number.
static void
shift_left(union field_value *v, unsigned n)
{
    const unsigned bytes = n / 8, bits = n % 8;
    if (!n) {
        return;
    }
    for (size_t k = 0; k < FIELD_VALUE_BYTES; k++) {
        const size_t from = k + bytes;
        const unsigned high = from < FIELD_VALUE_BYTES ? v->b[from] : 0,
                       low = from + 1 < FIELD_VALUE_BYTES ? v->b[from + 1] : 0;
        v->b[k] = (uint8_t) ((high << 8 | low) << bits >> 8);
    }
}

static void
ones(union field_value *v, unsigned n)
{
    memset(v, 0, sizeof *v);
    memset(v->b + FIELD_VALUE_BYTES - n / 8, 0xff, n / 8);
    if (n % 8) {
        v->b[FIELD_VALUE_BYTES - n / 8 - 1] = (uint8_t) low_bits(n % 8);
    }
}

void
of_act_add_load(struct of_actions *acts, const struct subfield *s, const union field_value *bits)
{
    union field_value value = *bits, mask;
    ones(&mask, s->n_bits);
    shift_left(&mask, s->ofs);
    shift_left(&value, s->ofs);
    of_act_add_set_field(acts, field_get(s->field), &value, &mask)->i.flags = OF_SET_FIELD_LOAD;
}

// --- Text. ---

char *
of_act_parse_set_field(struct of_act_text *t, char *arg)
{
    char *name = of_act_split_arrow(arg);
    if (!name) {
        return of_act_missing_arrow(arg);
    }
    if (!*name) {
        return base_asprintf("%s->: missing field name following `->'", arg);
    }
    const struct field_info *f = field_by_name(name, strlen(name));
    if (!f) {
        return base_asprintf("%s is not a valid OXM field name", name);
    }
    if (f->access != FIELD_RW) {
        return base_asprintf("%s is read-only", f->name);
    }
    union field_value value, mask;
    char *error = field_parse(f, arg, t->ports, &value, &mask);
    if (error) {
        return error;
    }
    if (f->id == FIELD_VLAN_VID && value.b[FIELD_VALUE_BYTES - 2] & 0xe0) {
        return base_asprintf("%s is not a valid value for field %s", arg, f->name);
    }
    of_act_add_set_field(t->acts, f, &value, &mask);
    *t->usable &= of_act_usable(f->id);
    return NULL;
}

char *
of_act_parse_load(struct of_act_text *t, char *arg)
{
    char *rest = strstr(arg, "->");
    if (!rest) {
        return of_act_missing_arrow(arg);
    }
    // The number fills a whole field's width at most; 64 bits hold all that ovs-ofctl takes.
    struct subfield dst;
    char *error = of_act_parse_subfield(rest + 2, &dst);
    if (error) {
        return error;
    }
    uint64_t x;
    *rest = '\0';
    const struct field_info *f = field_get(dst.field);
    const bool number = base_parse_uint(arg, low_bits(MIN(f->n_bytes * 8u, 64u)), &x);
    if (!number || (dst.n_bits < 64 && x >> dst.n_bits)) {
        *rest = '-';
        return number ? base_asprintf("%s: value 0x%llx does not fit into %u bits", arg,
                                      (unsigned long long) x, dst.n_bits)
                      : base_asprintf("%s: cannot parse integer value", arg);
    }
    union field_value bits;
    memset(&bits, 0, sizeof bits);
    bits.be64[15] = htobe64(x);
    of_act_add_load(t->acts, &dst, &bits);
    return NULL;
}

static bool
bit_of(const uint8_t *data, size_t n, unsigned bit)
{
    return data[n - 1 - bit / 8] >> bit % 8 & 1;
}

// Next run of 1 bits of a mask from bit *ofs on, at most 64 long. False: none.
static bool
next_run(const struct of_act_set_field *a, struct subfield *run)
{
    const uint8_t *mask = of_act_set_field_mask(a);
    const unsigned bits = of_act_field_bits(field_get((enum field_id) a->field)),
                   end = MIN(bits, a->n_bytes * 8u);
    unsigned from = run->ofs + run->n_bits;
    while (from < end && !bit_of(mask, a->n_bytes, from)) {
        from++;
    }
    unsigned n = 0;
    while (from + n < end && n < 64 && bit_of(mask, a->n_bytes, from + n)) {
        n++;
    }
    *run = (struct subfield){(enum field_id) a->field, (uint16_t) from, (uint16_t) n};
    return n != 0;
}

static uint64_t
run_value(const struct of_act_set_field *a, const struct subfield *run)
{
    uint64_t x = 0;
    for (unsigned k = run->n_bits; k-- > 0;) {
        x = x << 1 | bit_of(a->data, a->n_bytes, run->ofs + k);
    }
    return x;
}

void
of_act_format_num(uint64_t x, struct str *out)
{
    str_addf(out, x ? "0x%llx" : "%llu", (unsigned long long) x);
}

void
of_act_format_set_field(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_set_field, a, i);
    const struct field_info *info = field_get((enum field_id) a->field);
    if (i->flags == OF_SET_FIELD_LOAD) {
        struct subfield run = {0};
        bool more = false;
        while (next_run(a, &run)) {
            str_add(f->out, more ? ",load:" : "load:");
            of_act_format_num(run_value(a, &run), f->out);
            str_add(f->out, "->");
            subfield_format(&run, f->out);
            more = true;
        }
        return;
    }
    union field_value value, mask;
    of_act_set_field_value(a, &value, &mask);
    str_add(f->out, "set_field:");
    field_format(info, &value, &mask, f->ports, f->out);
    str_addf(f->out, "->%s", info->name);
}

// --- Wire. ---

static bool
is_exact(const struct of_act_set_field *a)
{
    union field_value value, mask;
    of_act_set_field_value(a, &value, &mask);
    return field_value_is_exact(field_get((enum field_id) a->field), &mask);
}

// Tunnel metadata is as long as it has to be: without the bytes that say nothing.
static void
put_tun_md(const struct of_act_set_field *a, bool exact, const struct of_act_wire *w)
{
    const uint8_t *mask = of_act_set_field_mask(a);
    size_t from = 0;
    while (from + 1 < a->n_bytes && !(exact ? a->data[from] : mask[from])) {
        from++;
    }
    const size_t n = a->n_bytes - from;
    const struct field_oxm *oxm = of_oxm_for(field_get((enum field_id) a->field), w->version);
    of_put16(w->out, oxm->oxm_class);
    of_put8(w->out, (uint8_t) (oxm->number << 1 | !exact));
    of_put8(w->out, (uint8_t) (exact ? n : 2 * n));
    str_add_n(w->out, a->data + from, n);
    if (!exact) {
        str_add_n(w->out, mask + from, n);
    }
}

// Header, value, mask.
static void
put_oxm(const struct of_act_set_field *a, const struct of_act_wire *w)
{
    const bool exact = is_exact(a);
    if (is_tun_md(a->field)) {
        put_tun_md(a, exact, w);
        return;
    }
    union field_value value, mask;
    of_act_set_field_value(a, &value, &mask);
    of_oxm_encode(field_get((enum field_id) a->field), &value, exact ? NULL : &mask, w->version,
                  w->out);
}

// Fields that the header of the plain load has no room for.
static bool
needs_load2(const struct of_act_set_field *a)
{
    const struct field_oxm *oxm = of_oxm_for(field_get((enum field_id) a->field), OF_10);
    return is_tun_md(a->field) || (oxm && oxm->experimenter);
}

static void
put_loads(const struct of_act_set_field *a, const struct of_act_wire *w)
{
    struct subfield run = {0};
    if (needs_load2(a) || a->i.flags == OF_SET_FIELD_LOAD2) {
        const size_t start = of_act_begin_nx(w, 33);
        put_oxm(a, w);
        of_act_end(w, start);
        return;
    }
    while (next_run(a, &run)) {
        const size_t start = of_act_begin_nx(w, 7);
        of_put16(w->out, of_act_ofs_nbits(&run));
        of_act_put_field(w, (enum field_id) a->field);
        of_put64(w->out, run_value(a, &run));
        of_act_end(w, start);
    }
}

static void
put_bytes(const struct of_act_wire *w, uint16_t type, const void *data, size_t n)
{
    const size_t start = of_act_begin(w, type);
    str_add_n(w->out, data, n);
    of_act_end(w, start);
}

static void
put_vlan(const struct of_act_wire *w, uint16_t type, uint16_t x)
{
    const be16_t vid = htobe16(x);
    const uint8_t pcp = (uint8_t) x;
    if (type == 1) {
        put_bytes(w, type, &vid, 2);
    } else {
        put_bytes(w, type, &pcp, 1);
    }
}

// vlan_tci as a whole: a tag with these contents, or none.
static void
put_tci(const struct of_act_set_field *a, const struct of_act_wire *w, uint16_t tci)
{
    if (!(tci & FLOW_VLAN_PRESENT)) {
        of_act_put_plain(w, w->version == OF_10 ? 3 : 18);
        return;
    }
    if (w->version == OF_11 && !a->has_vlan) {
        const be16_t type = htobe16(0x8100);
        put_bytes(w, 17, &type, 2);
    }
    put_vlan(w, 1, tci & 0xfff);
    put_vlan(w, 2, tci >> 13);
}

// OpenFlow 1.0 and 1.1 have actions for some fields. False: this isn't one.
static bool
put_standard(const struct of_act_set_field *a, const struct of_act_wire *w)
{
    const bool old = w->version == OF_10; // 1.1's numbers of what follows VLAN are one lower
    const uint16_t less = old ? 0 : 1;
    uint8_t tos = a->data[0];
    switch ((enum field_id) a->field) {
    case FIELD_VLAN_TCI:
        put_tci(a, w, (uint16_t) (a->data[0] << 8 | a->data[1]));
        return true;
    case FIELD_DL_VLAN:
    case FIELD_VLAN_VID:
        put_vlan(w, 1, (uint16_t) ((a->data[0] & 0xf) << 8 | a->data[1]));
        return true;
    case FIELD_DL_VLAN_PCP:
    case FIELD_VLAN_PCP:
        put_vlan(w, 2, a->data[0]);
        return true;
    case FIELD_ETH_SRC:
        put_bytes(w, 4 - less, a->data, 6);
        return true;
    case FIELD_ETH_DST:
        put_bytes(w, 5 - less, a->data, 6);
        return true;
    case FIELD_NW_SRC:
        put_bytes(w, 6 - less, a->data, 4);
        return true;
    case FIELD_NW_DST:
        put_bytes(w, 7 - less, a->data, 4);
        return true;
    case FIELD_NW_TOS:
    case FIELD_IP_DSCP:
        tos = a->field == FIELD_IP_DSCP ? (uint8_t) (tos << 2) : tos;
        put_bytes(w, 8 - less, &tos, 1);
        return true;
    case FIELD_NW_ECN:
        if (old) {
            return false;
        }
        put_bytes(w, 8, a->data, 1);
        return true;
    case FIELD_TCP_SRC:
    case FIELD_UDP_SRC:
        put_bytes(w, 9, a->data, 2);
        return true;
    case FIELD_TCP_DST:
    case FIELD_UDP_DST:
        put_bytes(w, 10, a->data, 2);
        return true;
    default:
        return false;
    }
}

void
of_act_encode_set_field(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_set_field, a, i);
    const struct field_info *f = field_get((enum field_id) a->field);
    const bool load = i->flags != OF_SET_FIELD_STD, exact = is_exact(a);
    if (w->version <= OF_11) {
        if (load || !exact || !put_standard(a, w)) {
            put_loads(a, w);
        }
        return;
    }
    if (w->version < OF_15 && (load || !exact)) {
        put_loads(a, w);
        return;
    }
    if (a->field == FIELD_DL_VLAN || a->field == FIELD_DL_VLAN_PCP) { // names of OpenFlow 1.0 only
        union field_value value, mask;
        of_act_set_field_value(a, &value, &mask);
        const uint64_t x = field_value_to_u64(f, &value);
        const bool vid = a->field == FIELD_DL_VLAN;
        of_act_put_set_number(w, vid ? FIELD_VLAN_VID : FIELD_VLAN_PCP,
                              vid ? (x & 0xfff) | FLOW_VLAN_PRESENT : x);
        return;
    }
    const size_t start = of_act_begin(w, 25);
    put_oxm(a, w);
    of_act_end(w, start);
}

void
of_act_put_set_number(const struct of_act_wire *w, enum field_id id, uint64_t x)
{
    struct of_actions one = OF_ACTIONS_INIT;
    uint64_t room[16];
    one.list = (struct flat){.data = (uint8_t *) room, .cap = sizeof room};
    const struct field_info *f = field_get(id);
    union field_value value, mask;
    field_value_from_u64(f, x, &value);
    field_value_exact(f, &mask);
    struct of_act_set_field *a = of_act_add_set_field(&one, f, &value, &mask);
    if (w->version <= OF_11) {
        put_loads(a, w);
    } else {
        of_act_encode_set_field(&a->i, w);
    }
}

void
of_act_put_field(const struct of_act_wire *w, enum field_id id)
{
    of_oxm_header_encode(field_get(id), false, OF_10, w->out);
}

// --- move ---

char *
of_act_parse_move(struct of_act_text *t, char *arg)
{
    struct subfield src, dst;
    const char *s = arg;
    char *error = of_act_parse_subfield_part(&s, &src);
    if (error) {
        return error;
    }
    if (strncmp(s, "->", 2)) {
        return base_asprintf("%s: missing `->' following source", arg);
    }
    error = of_act_parse_subfield(s + 2, &dst);
    if (error) {
        return error;
    }
    if (src.n_bits != dst.n_bits) {
        return base_asprintf("%s: source field is %u bits wide but destination is %u bits wide",
                             arg, src.n_bits, dst.n_bits);
    }
    struct of_act_move *a = of_actions_add(t->acts, OF_ACT_REG_MOVE, sizeof *a);
    a->src = src;
    a->dst = dst;
    return NULL;
}

void
of_act_format_move(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_move, a, i);
    str_add(f->out, "move:");
    subfield_format(&a->src, f->out);
    str_add(f->out, "->");
    subfield_format(&a->dst, f->out);
}

void
of_act_encode_move(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_move, a, i);
    const bool standard = w->version >= OF_15;
    const size_t start = standard ? of_act_begin(w, 28) : of_act_begin_nx(w, 6);
    of_put16(w->out, a->src.n_bits);
    of_put16(w->out, a->src.ofs);
    of_put16(w->out, a->dst.ofs);
    if (standard) {
        of_put_zeros(w->out, 2);
    }
    const enum of_version names = standard ? w->version : OF_10;
    of_oxm_header_encode(field_get(a->src.field), false, names, w->out);
    of_oxm_header_encode(field_get(a->dst.field), false, names, w->out);
    of_act_end(w, start);
}

// --- push, pop ---

char *
of_act_parse_stack(struct of_act_text *t, char *arg)
{
    struct subfield sub;
    const char *s = arg;
    char *error = of_act_parse_subfield_part(&s, &sub);
    if (error) {
        return error;
    }
    if (*s) {
        return base_asprintf("%s: trailing garbage following push or pop", s);
    }
    struct of_act_stack *a = of_actions_add(t->acts, t->variant, sizeof *a);
    a->sub = sub;
    return NULL;
}

void
of_act_format_stack(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_stack, a, i);
    str_add(f->out, i->type == OF_ACT_STACK_PUSH ? "push:" : "pop:");
    subfield_format(&a->sub, f->out);
}

void
of_act_encode_stack(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_stack, a, i);
    const size_t start = of_act_begin_nx(w, i->type == OF_ACT_STACK_PUSH ? 27 : 28);
    of_put16(w->out, a->sub.ofs);
    of_act_put_field(w, a->sub.field);
    of_put16(w->out, a->sub.n_bits);
    of_act_end(w, start);
}

// --- delete_field ---

char *
of_act_parse_delete_field(struct of_act_text *t, char *arg)
{
    const struct field_info *f = field_by_name(arg, strlen(arg));
    if (!f) {
        return base_asprintf("unknown field `%s'", arg);
    }
    struct of_act_field *a = of_actions_add(t->acts, OF_ACT_DELETE_FIELD, sizeof *a);
    a->field = f->id;
    return NULL;
}

void
of_act_format_delete_field(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_field, a, i);
    str_addf(f->out, "delete_field:%s", field_get((enum field_id) a->field)->name);
}

void
of_act_encode_delete_field(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_field, a, i);
    const size_t start = of_act_begin_nx(w, 50);
    of_act_put_field(w, (enum field_id) a->field);
    of_put_zeros(w->out, start + 24 - w->out->len); // room for the longest header
    of_act_end(w, start);
}
