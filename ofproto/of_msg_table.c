// SPDX-License-Identifier: Apache-2.0
// Bodies and entries about tables: modification, statistics, features.
//
// What a table can do is the same for all tables here, so the properties of table features are
// derived from the field table and a few lists, unless the entry brings its own.
//
// Reference: OpenFlow 1.0 section 5.3.5, OpenFlow 1.2 section A.3.5.5, OpenFlow 1.3
// section 7.3.5.5.
#include "config.h"

#include "ofproto/of_error.h"
#include "ofproto/of_msg_private.h"

// --- Modification. ---

int
of_msg_get_table_mod(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.table_mod.table = of_get8(r);
    of_get(r, 3);
    m->u.table_mod.config = of_get32(r);
    while (r->left) { // OpenFlow 1.4: how to evict and when to warn
        struct of_prop prop;
        int error = of_prop_get(r, &prop);
        if (error) {
            return error;
        }
        if (prop.type != 2 && prop.type != 3) {
            return prop.type == 0xffff ? OF_ERROR_BPC_BAD_EXPERIMENTER : OF_ERROR_BPC_BAD_TYPE;
        }
    }
    return 0;
}

int
of_msg_put_table_mod(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put8(out, m->u.table_mod.table);
    of_put_zeros(out, 3);
    of_put32(out, m->u.table_mod.config);
    return 0;
}

// --- Statistics. ---

static void
get_name(struct of_reader *r, char name[32])
{
    of_get_copy(r, name, 32);
    name[31] = '\0';
}

static void
put_name(struct str *out, const char name[32])
{
    size_t n = strnlen(name, 31);
    str_add_n(out, name, n);
    of_put_zeros(out, 32 - n);
}

bool
of_table_stats_next(struct of_msg *m, struct of_table_stats *s, int *error)
{
    struct of_reader r = {m->body, m->body_len, false};
    *error = 0;
    if (!r.left) {
        return false;
    }
    *s = (struct of_table_stats){.table = of_get8(&r)};
    if (m->version >= OF_13) {
        of_get(&r, 3);
    } else {
        of_get(&r, m->version == OF_10 ? 3 : 7);
        get_name(&r, s->name);
        if (m->version == OF_10) {
            s->wildcards = of_get32(&r);
        } else { // what it can do
            of_get(&r, m->version == OF_11 ? 24 : 64);
        }
        s->max_entries = of_get32(&r);
    }
    s->active = of_get32(&r);
    s->lookups = of_get64(&r);
    s->matched = of_get64(&r);
    *error = r.bad ? OF_ERROR_BRC_BAD_LEN : 0;
    m->body = r.p;
    m->body_len = r.left;
    return !*error;
}

// What tables can do, in the words of OpenFlow 1.1 and 1.2.
#define INSTRUCTIONS 0x3e // goto_table, write_metadata, write_actions, apply_actions, clear_actions
#define GOTO_TABLE 0x02
#define LAST_TABLE (OF_N_TABLES - 2) // of those that OpenFlow sees: has none to go to
#define FIELDS11 0xfbff
#define ACTIONS11 0x01ffe7ff
#define FIELDS12 UINT64_C(0x0000101ffffffffd)
#define ACTIONS12 0x03ff8001
#define SET_FIELDS12 UINT64_C(0x0000000ffffffbdd)

static void
put_abilities(uint8_t table, enum of_version version, struct str *out)
{
    uint32_t instructions = table < LAST_TABLE ? INSTRUCTIONS : INSTRUCTIONS & ~GOTO_TABLE;
    if (version == OF_11) {
        of_put32(out, FIELDS11);
        of_put32(out, FIELDS11);
        of_put32(out, instructions);
        of_put32(out, ACTIONS11);
        of_put32(out, ACTIONS11);
    } else {
        of_put64(out, FIELDS12);
        of_put64(out, FIELDS12);
        of_put32(out, ACTIONS12);
        of_put32(out, ACTIONS12);
        of_put64(out, SET_FIELDS12);
        of_put64(out, SET_FIELDS12);
        of_put64(out, UINT64_MAX);
        of_put64(out, UINT64_MAX);
        of_put32(out, instructions);
    }
    of_put32(out, 0);
}

void
of_table_stats_put(const struct of_table_stats *s, enum of_version version, struct str *out)
{
    of_put8(out, s->table);
    if (version >= OF_13) {
        of_put_zeros(out, 3);
    } else {
        of_put_zeros(out, version == OF_10 ? 3 : 7);
        put_name(out, s->name);
        if (version == OF_10) {
            of_put32(out, s->wildcards);
        } else {
            put_abilities(s->table, version, out);
        }
        of_put32(out, s->max_entries);
    }
    of_put32(out, s->active);
    of_put64(out, s->lookups);
    of_put64(out, s->matched);
}

// --- Features. ---

bool
of_table_features_next(struct of_msg *m, struct of_table_features *tf, int *error)
{
    struct of_reader r = {m->body, m->body_len, false};
    *error = 0;
    if (!r.left) {
        return false;
    }
    size_t len = of_get16(&r);
    if (len < 64 || len > m->body_len || len % 8) {
        *error = OF_ERROR_BPC_BAD_LEN;
        return false;
    }
    *tf = (struct of_table_features){.table = of_get8(&r)};
    of_get(&r, 5);
    get_name(&r, tf->name);
    tf->metadata_match = of_get64(&r);
    tf->metadata_write = of_get64(&r);
    uint32_t bits = of_get32(&r);
    tf->config = m->version == OF_13 ? bits : 0;
    tf->capabilities = m->version == OF_13 ? 0 : bits;
    tf->max_entries = of_get32(&r);
    tf->properties = r.p;
    tf->properties_len = len - 64;
    m->body += len;
    m->body_len -= len;
    return true;
}

enum {
    TFP_INSTRUCTIONS = 0,
    TFP_NEXT_TABLES = 2,
    TFP_WRITE_ACTIONS = 4,
    TFP_APPLY_ACTIONS = 6,
    TFP_MATCH = 8,
    TFP_WILDCARDS = 10,
    TFP_WRITE_SETFIELD = 12,
    TFP_APPLY_SETFIELD = 14
};

// Ids of actions that every version from 1.3 on has: output, copy-free pushes and pops, set_queue,
// group, TTLs, set_field.
static const uint8_t action_ids[] = {0, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25};

static void
put_ids(const uint8_t *ids, size_t n, uint16_t type, struct str *out)
{
    size_t start = of_prop_begin(out, type);
    for (size_t i = 0; i < n; i++) {
        of_put16(out, ids[i]);
        of_put16(out, 4);
    }
    of_prop_end(out, start);
}

// Tables can be reached from those before them; the last one is the switch's own.
static void
put_next_tables(uint8_t table, struct str *out)
{
    size_t start = of_prop_begin(out, TFP_NEXT_TABLES);
    for (unsigned t = table + 1u; t <= LAST_TABLE; t++) {
        of_put8(out, (uint8_t) t);
    }
    of_prop_end(out, start);
}

static void
put_fields(uint16_t type, bool (*wanted)(const struct field_info *), enum of_version version,
           struct str *out)
{
    size_t start = of_prop_begin(out, type);
    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = field_get(id);
        if (f->access != FIELD_INTERNAL && f->oxm[0].name && wanted(f)) {
            of_oxm_header_encode(f, type == TFP_MATCH && f->masking == FIELD_MASKABLE, version,
                                 out);
        }
    }
    of_prop_end(out, start);
}

static bool
is_matchable(const struct field_info *f)
{
    return true;
}

static bool
is_settable(const struct field_info *f)
{
    return f->access == FIELD_RW;
}

static void
put_properties(uint8_t table, enum of_version version, struct str *out)
{
    static const uint8_t instructions[] = {1, 2, 3, 4, 5, 6}; // the last: meter, an action in 1.5
    size_t first = table < LAST_TABLE ? 0 : 1, n = version >= OF_15 ? 5 : 6;
    put_ids(instructions + first, n - first, TFP_INSTRUCTIONS, out);
    put_next_tables(table, out);
    put_ids(action_ids, ARRAY_SIZE(action_ids), TFP_WRITE_ACTIONS, out);
    put_fields(TFP_WRITE_SETFIELD, is_settable, version, out);
    put_ids(action_ids, ARRAY_SIZE(action_ids), TFP_APPLY_ACTIONS, out);
    put_fields(TFP_APPLY_SETFIELD, is_settable, version, out);
    put_fields(TFP_MATCH, is_matchable, version, out);
    put_fields(TFP_WILDCARDS, is_matchable, version, out);
}

void
of_table_features_put(const struct of_table_features *tf, enum of_version version, struct str *out)
{
    size_t start = out->len;
    of_put16(out, 0);
    of_put8(out, tf->table);
    of_put_zeros(out, 5);
    put_name(out, tf->name);
    of_put64(out, tf->metadata_match);
    of_put64(out, tf->metadata_write);
    of_put32(out, version == OF_13 ? tf->config : tf->capabilities);
    of_put32(out, tf->max_entries);
    if (tf->properties_len) {
        str_add_n(out, tf->properties, tf->properties_len);
    } else {
        put_properties(tf->table, version, out);
    }
    of_set16(out, start, (uint16_t) (out->len - start));
}
