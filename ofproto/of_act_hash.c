// SPDX-License-Identifier: Apache-2.0
// Actions that choose by a hash: multipath, bundle, bundle_load.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdlib.h>
#include <strings.h>

#include "ofproto/of_match_wire.h"

static const char *const hash_names[OF_N_HASH_FIELDS] = {
    [OF_HASH_ETH_SRC] = "eth_src",
    [OF_HASH_SYMMETRIC_L4] = "symmetric_l4",
    [OF_HASH_SYMMETRIC_L3L4] = "symmetric_l3l4",
    [OF_HASH_SYMMETRIC_L3L4_UDP] = "symmetric_l3l4+udp",
    [OF_HASH_NW_SRC] = "nw_src",
    [OF_HASH_NW_DST] = "nw_dst",
    [OF_HASH_SYMMETRIC_L3] = "symmetric_l3",
};

static const char *const multipath_algs[] = {[OF_MP_MODULO_N] = "modulo_n",
                                             [OF_MP_HASH_THRESHOLD] = "hash_threshold",
                                             [OF_MP_HRW] = "hrw",
                                             [OF_MP_ITER_HASH] = "iter_hash"};

static const char *const bundle_algs[] = {
    [OF_BUNDLE_ACTIVE_BACKUP] = "active_backup", [OF_BUNDLE_HRW] = "hrw"};

// Index of a name, or -1.
static int
find(const char *const names[], size_t n, const char *name)
{
    for (size_t k = 0; k < n; k++) {
        if (!strcasecmp(names[k], name)) {
            return (int) k;
        }
    }
    return -1;
}

static const char *
name_of(const char *const names[], size_t n, unsigned k)
{
    return k < n ? names[k] : "<unknown>";
}

static bool
parse_basis(const char *text, uint16_t *out)
{
    uint64_t x;
    const bool good = base_parse_uint(text, UINT16_MAX, &x);
    *out = good ? (uint16_t) x : 0;
    return good;
}

// --- multipath ---

// Six words; every sentence begins with the whole text.
static char *
parse_multipath(const char *all, char *arg, struct of_act_multipath *m)
{
    char *w[6], *save = NULL;
    for (unsigned k = 0; k < ARRAY_SIZE(w); k++) {
        w[k] = strtok_r(k ? NULL : arg, ", ", &save);
        if (!w[k]) {
            return base_asprintf("%s: not enough arguments to multipath action", all);
        }
    }
    const int fields = find(hash_names, OF_N_HASH_FIELDS, w[0]),
              alg = find(multipath_algs, ARRAY_SIZE(multipath_algs), w[2]);
    uint64_t links, number;
    if (fields < 0) {
        return base_asprintf("%s: unknown fields `%s'", all, w[0]);
    }
    if (!parse_basis(w[1], &m->basis)) {
        return base_asprintf("%s: invalid basis `%s'", all, w[1]);
    }
    if (alg < 0) {
        return base_asprintf("%s: unknown algorithm `%s'", all, w[2]);
    }
    if (!base_parse_uint(w[3], UINT64_MAX, &links) || links < 1 || links > 65536) {
        return base_asprintf("%s: n_links %s is not in valid range 1 to 65536", all, w[3]);
    }
    if (!base_parse_uint(w[4], UINT32_MAX, &number)) {
        return base_asprintf("%s: invalid argument `%s'", all, w[4]);
    }
    m->fields = (uint16_t) fields;
    m->algorithm = (uint16_t) alg;
    m->max_link = (uint16_t) (links - 1);
    m->arg = (uint32_t) number;
    char *error = of_act_parse_subfield(w[5], &m->dst);
    if (!error && m->dst.n_bits < 16 && links > UINT64_C(1) << m->dst.n_bits) {
        error = base_asprintf("%s: %u-bit destination field has %u possible values, less than "
                              "specified n_links %u",
                              all, m->dst.n_bits, 1u << m->dst.n_bits, (unsigned) links);
    }
    return error;
}

char *
of_act_parse_multipath(struct of_act_text *t, char *arg)
{
    struct of_act_multipath m = {.fields = 0};
    char *all = base_strdup(arg), *error = parse_multipath(all, arg, &m);
    free(all);
    if (!error) {
        struct of_act_multipath *a = of_actions_add(t->acts, OF_ACT_MULTIPATH, sizeof *a);
        m.i = a->i;
        *a = m;
    }
    return error;
}

void
of_act_format_multipath(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_multipath, a, i);
    str_addf(f->out, "multipath(%s,%u,%s,%u,%u,", name_of(hash_names, OF_N_HASH_FIELDS, a->fields),
             a->basis, name_of(multipath_algs, ARRAY_SIZE(multipath_algs), a->algorithm),
             a->max_link + 1, a->arg);
    subfield_format(&a->dst, f->out);
    str_add_char(f->out, ')');
}

void
of_act_encode_multipath(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_multipath, a, i);
    const size_t start = of_act_begin_nx(w, 10);
    of_put16(w->out, a->fields);
    of_put16(w->out, a->basis);
    of_put_zeros(w->out, 2);
    of_put16(w->out, a->algorithm);
    of_put16(w->out, a->max_link);
    of_put32(w->out, a->arg);
    of_put_zeros(w->out, 2);
    of_put16(w->out, of_act_ofs_nbits(&a->dst));
    of_act_put_field(w, a->dst.field);
    of_act_end(w, start);
}

// --- bundle, bundle_load ---

#define MAX_MEMBERS 2048

struct bundle {
    struct of_act_bundle head;
    uint32_t members[MAX_MEMBERS];
};

static char *
parse_bundle_head(const char *all, char **w, bool load, struct of_act_bundle *b)
{
    const int fields = find(hash_names, OF_N_HASH_FIELDS, w[0]),
              alg = find(bundle_algs, ARRAY_SIZE(bundle_algs), w[2]);
    if (fields < 0) {
        return base_asprintf("%s: unknown fields `%s'", all, w[0]);
    }
    if (!parse_basis(w[1], &b->basis)) {
        return base_asprintf("%s: invalid basis `%s'", all, w[1]);
    }
    if (alg < 0) {
        return base_asprintf("%s: unknown algorithm `%s'", all, w[2]);
    }
    if (strcasecmp(w[3], "ofport")) {
        return base_asprintf("%s: unknown member_type `%s'", all, w[3]);
    }
    b->fields = (uint16_t) fields;
    b->algorithm = (uint16_t) alg;
    const char *delimiter = w[load ? 5 : 4];
    if (strcasecmp(delimiter, "members") && strcasecmp(delimiter, "slaves")) {
        return base_asprintf("%s: missing member delimiter, expected `members', got `%s'", all,
                             delimiter);
    }
    return load ? of_act_parse_subfield(w[4], &b->dst) : NULL;
}

static char *
parse_bundle(struct of_act_text *t, const char *all, char *arg, struct bundle *b)
{
    const bool load = t->variant;
    char *w[6], *save = NULL;
    const unsigned last = load ? 5 : 4; // the word before the members
    for (unsigned k = 0; k <= last; k++) {
        w[k] = strtok_r(k ? NULL : arg, k == last ? ": " : ", ", &save);
        if (!w[k]) {
            return base_asprintf("%s: not enough arguments to bundle action", all);
        }
    }
    char *error = parse_bundle_head(all, w, load, &b->head);
    char *member;
    while (!error && (member = strtok_r(NULL, ", [", &save))) {
        if (b->head.n_members == MAX_MEMBERS) {
            return base_asprintf("%s: too many members", all);
        }
        if (!field_parse_port(member, t->ports, &b->members[b->head.n_members])) {
            return base_asprintf("%s: bad port number", member);
        }
        b->head.n_members++;
    }
    return error;
}

char *
of_act_parse_bundle(struct of_act_text *t, char *arg)
{
    struct bundle *b = base_calloc(1, sizeof *b);
    char *all = base_strdup(arg), *error = parse_bundle(t, all, arg, b);
    if (!error) {
        const size_t n = b->head.n_members * sizeof b->members[0];
        struct of_act_bundle *a = of_actions_add(t->acts, OF_ACT_BUNDLE, sizeof *a + n);
        b->head.i = a->i;
        *a = b->head;
        memcpy(a->members, b->members, n);
    }
    free(all);
    free(b);
    return error;
}

void
of_act_format_bundle(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_bundle, a, i);
    str_addf(f->out, "%s(%s,%u,%s,ofport,", a->dst.n_bits ? "bundle_load" : "bundle",
             name_of(hash_names, OF_N_HASH_FIELDS, a->fields), a->basis,
             name_of(bundle_algs, ARRAY_SIZE(bundle_algs), a->algorithm));
    if (a->dst.n_bits) {
        subfield_format(&a->dst, f->out);
        str_add_char(f->out, ',');
    }
    str_add(f->out, "members:");
    for (unsigned k = 0; k < a->n_members; k++) {
        str_add(f->out, k ? "," : "");
        field_format_port(a->members[k], f->ports, f->out);
    }
    str_add_char(f->out, ')');
}

void
of_act_encode_bundle(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_bundle, a, i);
    const size_t start = of_act_begin_nx(w, a->dst.n_bits ? 13 : 12);
    of_put16(w->out, a->algorithm);
    of_put16(w->out, a->fields);
    of_put16(w->out, a->basis);
    of_put32(w->out, 2); // members are named like NXM_OF_IN_PORT
    of_put16(w->out, a->n_members);
    if (a->dst.n_bits) {
        of_put16(w->out, of_act_ofs_nbits(&a->dst));
        of_act_put_field(w, a->dst.field);
    } else {
        of_put_zeros(w->out, 6);
    }
    of_put_zeros(w->out, 4);
    for (unsigned k = 0; k < a->n_members; k++) {
        of_put16(w->out, of_port_to_10(a->members[k]));
    }
    of_act_end(w, start);
}
