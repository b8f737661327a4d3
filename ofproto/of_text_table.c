// SPDX-License-Identifier: Apache-2.0
// Flow tables as text: statistics, settings. A table that is like the one before is "ditto", and a
// row of such tables is one line.
#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/of_text_private.h"

// --- Lists of names: "eth_{src,dst}", "reg0...reg15". ---

static size_t
stem(const char *s)
{
    size_t n = strlen(s);
    while (n && isdigit((unsigned char) s[n - 1])) {
        n--;
    }
    return n;
}

// True when b is a's name with the next number.
static bool
is_next(const char *a, const char *b)
{
    const size_t n = stem(a);
    return a[n] && stem(b) == n && b[n] && !strncmp(a, b, n) && atoi(b + n) == atoi(a + n) + 1;
}

static size_t
prefix(const char *s)
{
    const char *p = strchr(s, '_');
    return p ? p + 1 - s : 0;
}

void
of_text_names(const char *const *names, size_t n, const char *sep, struct str *out)
{
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        if (i) {
            str_add(out, sep);
        }
        const size_t len = prefix(names[i]);
        while (len && j < n && prefix(names[j]) == len && !strncmp(names[i], names[j], len)) {
            j++;
        }
        if (j > i + 1) {
            const char *rest[FIELD_COUNT];
            for (size_t k = i; k < j; k++) {
                rest[k - i] = names[k] + len;
            }
            str_add_n(out, names[i], len);
            str_add_char(out, '{');
            of_text_names(rest, j - i, ",", out);
            str_add_char(out, '}');
        } else {
            while (j < n && is_next(names[j - 1], names[j])) {
                j++;
            }
            str_add(out, names[i]);
            if (j > i + 1) {
                str_addf(out, "...%s", names[j - 1]);
            }
        }
        i = j;
    }
}

// --- Tables like the one before. ---

static void
close_row(struct of_text_ditto *d, struct str *out)
{
    if (!d->row_first) {
        return;
    }
    if (d->last != OF_TEXT_NAMED) {
        str_add_char(out, '\n');
    }
    if (d->row_first == d->row_last) {
        str_addf(out, "  table %u: ditto\n", d->row_first);
    } else {
        str_addf(out, "  tables %u...%u: ditto\n", d->row_first, d->row_last);
    }
    d->row_first = 0;
    d->last = OF_TEXT_ROW;
}

void
of_text_ditto(struct of_text_ditto *d, uint8_t table, const char *name, struct str *out)
{
    if (!*name) {
        if (d->row_first && d->row_last + 1 == table) {
            d->row_last = table;
            return;
        }
        close_row(d, out);
        d->row_first = d->row_last = table;
        return;
    }
    close_row(d, out);
    str_addf(out, "%s  table %u (\"%s\"): ditto\n", d->last == OF_TEXT_NAMED ? "" : "\n", table,
             name);
    d->last = OF_TEXT_NAMED;
}

void
of_text_table_block(struct of_text_ditto *d, uint8_t table, const char *name, struct str *out)
{
    close_row(d, out);
    if (d->last == OF_TEXT_BLOCK || d->last == OF_TEXT_ROW) {
        str_add_char(out, '\n');
    }
    str_addf(out, "  table %u", table);
    if (*name) {
        str_addf(out, " (\"%s\")", name);
    }
    str_add(out, ":\n");
    d->last = OF_TEXT_BLOCK;
}

void
of_text_ditto_end(struct of_text_ditto *d, struct str *out)
{
    close_row(d, out);
}

// --- Statistics. ---

static void
wildcards(uint32_t bits, struct str *out)
{
    static const struct of_text_bit fields[] = {
        {1 << 0, "in_port"},  {1 << 2, "eth_src"},   {1 << 3, "eth_dst"},   {1 << 4, "eth_type"},
        {1 << 1, "vlan_vid"}, {1 << 20, "vlan_pcp"}, {0x3f << 8, "ip_src"}, {0x3f << 14, "ip_dst"},
        {1 << 5, "nw_proto"}, {1 << 21, "nw_tos"},   {1 << 6, "tcp_src"},   {1 << 7, "tcp_dst"},
    };
    const char *names[ARRAY_SIZE(fields)];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (bits & fields[i].bit) {
            names[n++] = fields[i].name;
        }
    }
    if (n) {
        str_add(out, "    matching:\n      exact match or wildcard: ");
        of_text_names(names, n, " ", out);
        str_add_char(out, '\n');
    }
}

static void
table_stats(struct of_msg *m, struct str *out)
{
    struct of_table_stats s, before = {0};
    struct of_text_ditto d = {0};
    int error = 0;
    str_add_char(out, '\n');
    for (bool first = true; of_table_stats_next(m, &s, &error); first = false, before = s) {
        const bool features = m->version == OF_10;
        const bool same_features =
            !first && before.wildcards == s.wildcards && before.max_entries == s.max_entries;
        const bool same_stats =
            before.active == s.active && before.lookups == s.lookups && before.matched == s.matched;
        s.name[sizeof s.name - 1] = 0;
        if (!first && same_stats && same_features) {
            of_text_ditto(&d, s.table, s.name, out);
            continue;
        }
        of_text_table_block(&d, s.table, s.name, out);
        str_addf(out, "    active=%" PRIu32 ", lookup=%" PRIu64 ", matched=%" PRIu64 "\n", s.active,
                 s.lookups, s.matched);
        if (features && same_features) {
            str_add(out, "    (same features)\n");
        } else if (features) {
            str_addf(out, "    max_entries=%" PRIu32 "\n", s.max_entries);
            wildcards(s.wildcards, out);
        }
    }
    of_text_ditto_end(&d, out);
    if (error) {
        of_text_decode_error(error, m, out);
    }
}

// --- Settings. ---

static void
table_mod(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    static const char *const miss[] = {"controller", "continue", "drop", "Unknown"};
    const struct of_table_mod *tm = &m->u.table_mod;
    if (tm->table == OF_TABLE_ALL) {
        str_add(out, " table_id: ALL_TABLES");
    } else {
        of_text_table(" table_id=", tm->table, print, out);
    }
    if (m->version == OF_11 || m->version == OF_12) {
        str_addf(out, ", flow_miss_config=%s", miss[tm->config & 3]);
    } else if (m->version >= OF_14) {
        str_addf(out, ", eviction=%s, vacancy=%s", tm->config & 4 ? "on" : "off",
                 tm->config & 8 ? "on" : "off");
        if (tm->config & 8) {
            str_add(out, " vacancy:0,0"); // the codec carries no limits
        }
    }
    str_add_char(out, '\n');
}

bool
of_text_body_table(struct of_msg *m, const struct of_print *print, struct str *out)
{
    switch ((int) m->type) {
    case OF_MSG_TABLE_STATS_REPLY:
        table_stats(m, out);
        return true;
    case OF_MSG_TABLE_FEATURES_REQUEST:
    case OF_MSG_TABLE_FEATURES_REPLY:
        of_text_table_features(m, out);
        return true;
    case OF_MSG_TABLE_MOD:
        table_mod(m, print, out);
        return true;
    default:
        return false;
    }
}
