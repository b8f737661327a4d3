// SPDX-License-Identifier: Apache-2.0
// What flow tables can do, as text: the properties of OpenFlow 1.3+ table features, read from their
// bytes into sets. What a property for table-miss entries leaves out is as for other entries. Which
// tables may follow isn't compared: it is said once.
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/of_text_private.h"

struct acts {
    uint32_t actions; // bit: index in action_names
    struct field_set set_fields;
};

struct side { // of table-miss entries, or the others
    uint64_t next[4];
    uint32_t instructions; // bit: index in instruction_names
    struct acts write, apply;
};

struct tables {
    struct side others, miss;
    bool has_miss;
    struct field_set match, mask, wildcard;
    struct of_table_features tf;
};

static const struct {
    uint16_t type;
    const char *name;
} action_names[] =
    {
        {0, "output"},        {22, "group"},      {25, "set_field"}, {18, "strip_vlan"},
        {17, "push_vlan"},    {23, "mod_nw_ttl"}, {24, "dec_ttl"},   {15, "set_mpls_ttl"},
        {16, "dec_mpls_ttl"}, {19, "push_mpls"},  {20, "pop_mpls"},  {21, "set_queue"},
        {28, "move"},
},
  instruction_names[] = {
      {6, "meter"},         {4, "apply_actions"},  {5, "clear_actions"},
      {3, "write_actions"}, {2, "write_metadata"}, {1, "goto_table"},
};

static uint16_t
get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static uint32_t
read_actions(const uint8_t *p, size_t len)
{
    uint32_t bits = 0;
    for (size_t i = 0; i + 4 <= len; i += MAX(get16(p + i + 2), 4)) {
        for (size_t a = 0; a < ARRAY_SIZE(action_names); a++) {
            bits |= action_names[a].type == get16(p + i) ? 1U << a : 0;
        }
    }
    return bits;
}

static uint32_t
read_instructions(const uint8_t *p, size_t len)
{
    uint32_t bits = 0;
    for (size_t i = 0; i + 4 <= len; i += MAX(get16(p + i + 2), 4)) {
        for (size_t a = 0; a < ARRAY_SIZE(instruction_names); a++) {
            bits |= instruction_names[a].type == get16(p + i) ? 1U << a : 0;
        }
    }
    return bits;
}

// OXM ids without values; `masked`: those that have the mask bit.
static void
read_fields(const uint8_t *p, size_t len, struct field_set *all, struct field_set *masked)
{
    for (size_t i = 0; i + 4 <= len;) {
        const uint16_t oxm_class = get16(p + i);
        const uint8_t number = p[i + 2] >> 1, has_mask = p[i + 2] & 1;
        uint32_t experimenter = 0;
        i += 4;
        if (oxm_class == 0xffff) {
            if (i + 4 > len) {
                return;
            }
            experimenter = (uint32_t) get16(p + i) << 16 | get16(p + i + 2);
            i += 4;
        }
        const struct field_info *f = field_by_oxm(oxm_class, number, experimenter);
        if (f) {
            field_set_add(all, f->id);
            if (has_mask && masked) {
                field_set_add(masked, f->id);
            }
        }
    }
}

static void
read_side(struct side *s, unsigned type, const uint8_t *p, size_t len)
{
    switch (type) {
    case 0:
        s->instructions = read_instructions(p, len);
        break;
    case 2:
        for (size_t i = 0; i < len; i++) {
            s->next[p[i] / 64] |= UINT64_C(1) << (p[i] % 64);
        }
        break;
    case 4:
        s->write.actions = read_actions(p, len);
        break;
    case 6:
        s->apply.actions = read_actions(p, len);
        break;
    case 12:
        read_fields(p, len, &s->write.set_fields, NULL);
        break;
    default:
        read_fields(p, len, &s->apply.set_fields, NULL);
        break;
    }
}

// A table that says anything has to say all that is asked of it (OpenFlow 1.3, A.3.5.5.2).
static bool
has_required(const struct of_table_features *tf)
{
    const uint32_t required =
        1 << 0 | 1 << 2 | 1 << 4 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 14;
    const uint8_t *p = tf->properties, *const end = p + tf->properties_len;
    uint32_t seen = 0;
    while (end - p >= 4) {
        const unsigned type = get16(p), len = get16(p + 2);
        if (len < 4 || len > (size_t) (end - p)) {
            return false;
        }
        seen |= type < 32 ? 1U << type : 0;
        p += MIN(ROUND_UP(len, 8), (size_t) (end - p));
    }
    return (seen & required) == required;
}

static void
read_properties(struct tables *t)
{
    const uint8_t *p = t->tf.properties, *const start = p, *const end = p + t->tf.properties_len;
    for (int pass = 0; pass < 2; pass++) { // the miss properties start from the others
        for (p = start; end - p >= 4;) {
            const unsigned type = get16(p), len = get16(p + 2);
            if (len < 4 || len > (size_t) (end - p)) {
                break;
            }
            const bool sided = type <= 7 || (type >= 12 && type <= 15);
            if (sided && !(type & 1) && !pass) {
                read_side(&t->others, type, p + 4, len - 4);
            } else if (sided && type & 1 && pass) {
                if (type - 1 == 2) {
                    memset(t->miss.next, 0, sizeof t->miss.next);
                } else if (type - 1 == 12) {
                    memset(&t->miss.write.set_fields, 0, sizeof t->miss.write.set_fields);
                } else if (type - 1 == 14) {
                    memset(&t->miss.apply.set_fields, 0, sizeof t->miss.apply.set_fields);
                }
                read_side(&t->miss, type - 1, p + 4, len - 4);
            } else if (type == 8 && !pass) {
                read_fields(p + 4, len - 4, &t->match, &t->mask);
            } else if (type == 10 && !pass) {
                read_fields(p + 4, len - 4, &t->wildcard, NULL);
            }
            p += MIN(ROUND_UP(len, 8), (size_t) (end - p));
        }
        if (!pass) {
            t->miss = t->others;
        }
    }
}

// --- Text. ---

// Fields are listed with the metadata first, conntrack before the registers and NSH at the end;
// else in the table's order.
static int
rank(enum field_id id)
{
    enum { STEP = 64 };
    if (id == FIELD_METADATA) {
        return FIELD_IN_PORT * STEP - 1;
    }
    if (id >= FIELD_CT_STATE && id <= FIELD_CT_TP_DST) {
        return FIELD_PKT_MARK * STEP + 1 + (int) id - FIELD_CT_STATE;
    }
    if (id >= FIELD_NSH_FLAGS && id <= FIELD_NSH_C4) {
        return FIELD_ND_OPTIONS_TYPE * STEP +
               (id == FIELD_NSH_TTL ? STEP - 1 : 1 + (int) id - FIELD_NSH_FLAGS);
    }
    return id * STEP;
}

static int
compare_ranks(const void *a, const void *b)
{
    return rank(*(const enum field_id *) a) - rank(*(const enum field_id *) b);
}

static void
fields(const char *label, const struct field_set *set, struct str *out)
{
    enum field_id ids[FIELD_COUNT];
    const char *names[FIELD_COUNT];
    size_t n = 0;
    for (int f = 0; f < FIELD_COUNT; f++) {
        if (field_set_has(set, f)) {
            ids[n++] = f;
        }
    }
    qsort(ids, n, sizeof *ids, compare_ranks);
    for (size_t i = 0; i < n; i++) {
        names[i] = field_get(ids[i])->name;
    }
    if (n) {
        str_add(out, label);
        of_text_names(names, n, " ", out);
        str_add_char(out, '\n');
    }
}

static void
acts_text(const char *label, const struct acts *a, struct str *out)
{
    str_addf(out, "      %s features:\n        actions:", label);
    for (size_t i = 0; i < ARRAY_SIZE(action_names); i++) {
        if (a->actions >> i & 1) {
            str_addf(out, " %s", action_names[i].name);
        }
    }
    str_add_char(out, '\n');
    fields("        supported on Set-Field: ", &a->set_fields, out);
}

static void
next_tables(const uint64_t next[4], struct str *out)
{
    const char *sep = "      next tables: ";
    for (unsigned i = 0; i < 256; i++) {
        if (!(next[i / 64] >> (i % 64) & 1)) {
            continue;
        }
        const unsigned first = i;
        while (i < 255 && next[(i + 1) / 64] >> ((i + 1) % 64) & 1) {
            i++;
        }
        str_addf(out, i > first ? "%s%u-%u" : "%s%u", sep, first, i);
        sep = ",";
    }
    if (*sep == ',') {
        str_add_char(out, '\n');
    }
}

static bool
acts_equal(const struct side *a, const struct side *b)
{
    return !memcmp(&a->write, &b->write, sizeof a->write) &&
           !memcmp(&a->apply, &b->apply, sizeof a->apply);
}

static bool
sides_equal(const struct side *a, const struct side *b)
{
    return a->instructions == b->instructions && acts_equal(a, b);
}

static void
side_text(const char *label, const struct side *s, const struct side *before, struct str *out)
{
    str_addf(out, "    instructions (%s):\n", label);
    next_tables(s->next, out);
    str_add(out, "      instructions:");
    for (size_t i = 0; i < ARRAY_SIZE(instruction_names); i++) {
        if (s->instructions >> i & 1) {
            str_addf(out, " %s", instruction_names[i].name);
        }
    }
    str_add_char(out, '\n');
    if (before && acts_equal(s, before)) {
        str_add(out, "      (same actions)\n");
    } else if (!memcmp(&s->write, &s->apply, sizeof s->write)) {
        acts_text("Write-Actions and Apply-Actions", &s->write, out);
    } else {
        acts_text("Write-Actions", &s->write, out);
        acts_text("Apply-Actions", &s->apply, out);
    }
}

static void
matching(const struct tables *t, struct str *out)
{
    struct field_set exact = {0}, must = {0};
    for (size_t i = 0; i < ARRAY_SIZE(exact.w); i++) {
        exact.w[i] = t->match.w[i] & ~t->mask.w[i] & t->wildcard.w[i];
        must.w[i] = t->match.w[i] & ~t->mask.w[i] & ~t->wildcard.w[i];
    }
    str_add(out, "    matching:\n");
    fields("      arbitrary mask: ", &t->mask, out);
    fields("      exact match or wildcard: ", &exact, out);
    fields("      must exact match: ", &must, out);
}

static bool
same_matching(const struct tables *a, const struct tables *b)
{
    return !memcmp(&a->match, &b->match, sizeof a->match) &&
           !memcmp(&a->mask, &b->mask, sizeof a->mask) &&
           !memcmp(&a->wildcard, &b->wildcard, sizeof a->wildcard);
}

static bool
same_basics(const struct of_table_features *a, const struct of_table_features *b)
{
    return a->metadata_match == b->metadata_match && a->metadata_write == b->metadata_write &&
           a->max_entries == b->max_entries && a->config == b->config &&
           a->capabilities == b->capabilities;
}

static void
table_text(const struct of_msg *m, const struct tables *t, const struct tables *before,
           struct str *out)
{
    const struct of_table_features *tf = &t->tf;
    if (tf->metadata_match || tf->metadata_write) {
        str_addf(out, "    metadata: match=%#" PRIx64 " write=%#" PRIx64 "\n", tf->metadata_match,
                 tf->metadata_write);
    }
    if (m->version >= OF_14) {
        str_addf(out, "    eviction: %ssupported\n", tf->capabilities & 4 ? "" : "not ");
        str_addf(out, "    vacancy events: %ssupported\n", tf->capabilities & 8 ? "" : "not ");
    }
    if (tf->max_entries) {
        str_addf(out, "    max_entries=%" PRIu32 "\n", tf->max_entries);
    }
    if (before && sides_equal(&t->others, &before->others) &&
        sides_equal(&t->miss, &before->miss)) {
        str_add(out, "    (same instructions)\n");
    } else if (sides_equal(&t->others, &t->miss) &&
               !memcmp(t->others.next, t->miss.next, sizeof t->miss.next)) {
        side_text("table miss and others", &t->others, before ? &before->others : NULL, out);
    } else {
        side_text("other than table miss", &t->others, before ? &before->others : NULL, out);
        side_text("table miss", &t->miss, before ? &before->miss : NULL, out);
    }
    if (before && same_matching(t, before)) {
        str_add(out, "    (same matching)\n");
    } else {
        matching(t, out);
    }
}

void
of_text_table_features_add(struct of_text_features *f, struct of_msg *m, struct str *out)
{
    struct tables t = {0};
    int error = 0;
    if (!f->before) {
        f->before = base_calloc(1, sizeof(struct tables));
    }
    struct tables *before = f->before;
    for (; of_table_features_next(m, &t.tf, &error); memset(&t, 0, sizeof t)) {
        t.tf.name[sizeof t.tf.name - 1] = 0;
        if (!has_required(&t.tf)) {
            error = OF_ERROR_TFFC_BAD_FEATURES;
            break;
        }
        read_properties(&t);
        const bool ditto = f->any && same_basics(&t.tf, &before->tf) &&
                           sides_equal(&t.others, &before->others) &&
                           sides_equal(&t.miss, &before->miss) && same_matching(&t, before);
        if (ditto) {
            of_text_ditto(&f->ditto, t.tf.table, t.tf.name, out);
        } else {
            of_text_table_block(&f->ditto, t.tf.table, t.tf.name, out);
            table_text(m, &t, f->any ? before : NULL, out);
        }
        *before = t;
        f->any = true;
    }
    if (error) {
        of_text_decode_error(error, m, out);
    }
}

void
of_text_table_features_end(struct of_text_features *f, struct str *out)
{
    of_text_ditto_end(&f->ditto, out);
    free(f->before);
    memset(f, 0, sizeof *f);
}

void
of_text_table_features(struct of_msg *m, struct str *out)
{
    struct of_text_features f = {0};
    struct str text = STR_INIT;
    of_text_table_features_add(&f, m, &text);
    of_text_table_features_end(&f, &text);
    str_add_char(out, text.len && *text.p == '*' ? ' ' : '\n'); // an error stands behind the header
    str_add_n(out, text.p, text.len);
    str_free(&text);
}
