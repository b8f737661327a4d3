// SPDX-License-Identifier: Apache-2.0
// Flows as ovs-ofctl prints them: "cookie=0x0, duration=1.5s, table=0, …, priority=5,tcp
// actions=NORMAL" and flow-mods, "ADD table:3 priority=4 idle:5 actions=drop". What the text leaves
// out is what a reader may assume: zeros, defaults.
#include "config.h"

#include <ctype.h>
#include <inttypes.h>

#include "ofproto/of_msg.h"
#include "ofproto/of_text_private.h"

void
of_text_duration(uint32_t s, uint32_t ns, struct str *out)
{
    str_addf(out, "%" PRIu32, s);
    if (!ns) {
        return;
    }
    // Milliseconds at least; no zeros after them.
    str_addf(out, ".%09" PRIu32, ns);
    for (int i = 0; i < 6 && out->p[out->len - 1] == '0'; i++) {
        str_truncate(out, out->len - 1);
    }
}

void
of_text_count(const char *label, uint64_t n, struct str *out)
{
    str_add(out, label);
    if (n == UINT64_MAX) {
        str_add_char(out, '?');
    } else {
        str_addf(out, "%" PRIu64, n);
    }
}

// A name that could be taken for something else stands in quotes.
void
of_text_name(const char *name, struct str *out)
{
    size_t n = isalpha((unsigned char) *name) ? 1 : 0;
    while (n && isalnum((unsigned char) name[n])) {
        n++;
    }
    if (n && !name[n]) {
        str_add(out, name);
        return;
    }
    str_add_char(out, '"');
    for (const char *p = name; *p; p++) {
        if (*p == '"' || *p == '\\') {
            str_add_char(out, '\\');
        }
        if ((unsigned char) *p < ' ') {
            str_addf(out, "\\u%04x", (unsigned char) *p);
        } else {
            str_add_char(out, *p);
        }
    }
    str_add_char(out, '"');
}

void
of_text_table(const char *label, uint8_t table, const struct of_print *print, struct str *out)
{
    const char *name = print->tables ? print->tables->name(table, print->tables->aux) : NULL;
    str_add(out, label);
    if (name) {
        of_text_name(name, out);
    } else {
        str_addf(out, "%u", table);
    }
}

static const struct of_text_bit flow_flags[] = {
    {OF_FLOW_SEND_REM, "send_flow_rem"},       {OF_FLOW_CHECK_OVERLAP, "check_overlap"},
    {OF_FLOW_RESET_COUNTS, "reset_counts"},    {OF_FLOW_NO_PKT_COUNTS, "no_packet_counts"},
    {OF_FLOW_NO_BYT_COUNTS, "no_byte_counts"},
};

void
of_text_flow_flags(unsigned flags, const char *after, struct str *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(flow_flags); i++) {
        if (flags & flow_flags[i].bit) {
            str_addf(out, "%s%s", flow_flags[i].name, after);
        }
    }
}

unsigned
of_text_flow_flag(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(flow_flags); i++) {
        if (!strcmp(name, flow_flags[i].name)) {
            return flow_flags[i].bit;
        }
    }
    return 0;
}

void
of_text_actions(const struct of_actions *acts, const struct of_print *print, struct str *out)
{
    str_add(out, "actions=");
    of_actions_format(acts, print->ports, out);
}

void
of_flow_stats_format(const struct of_flow_stats *fs, const struct of_print *print, struct str *out)
{
    const bool all = print->stats;
    if (all || fs->cookie) {
        str_addf(out, "cookie=0x%" PRIx64 ", ", be64toh(fs->cookie));
    }
    if (all) {
        str_add(out, "duration=");
        of_text_duration(fs->duration_s, fs->duration_ns, out);
        str_add(out, "s, ");
    }
    if (all || fs->table) {
        of_text_table("table=", fs->table, print, out);
        str_add(out, ", ");
    }
    if (all) {
        of_text_count("n_packets=", fs->packets, out);
        of_text_count(", n_bytes=", fs->bytes, out);
        str_add(out, ", ");
    }
    if (fs->idle_timeout) {
        str_addf(out, "idle_timeout=%u, ", fs->idle_timeout);
    }
    if (fs->hard_timeout) {
        str_addf(out, "hard_timeout=%u, ", fs->hard_timeout);
    }
    of_text_flow_flags(fs->flags, " ", out);
    if (fs->importance) {
        str_addf(out, "importance=%u, ", fs->importance);
    }
    if (all && fs->idle_age >= 0) {
        str_addf(out, "idle_age=%" PRId32 ", ", fs->idle_age);
    }
    if (all && fs->hard_age >= 0 && (uint32_t) fs->hard_age != fs->duration_s) {
        str_addf(out, "hard_age=%" PRId32 ", ", fs->hard_age);
    }
    const size_t before = out->len;
    match_format(&fs->match, print->ports, fs->priority, out);
    if (out->len > before) {
        str_add_char(out, ' ');
    }
    of_text_actions(&fs->actions, print, out);
}

void
of_flow_mod_format(const struct of_flow_mod *fm, const struct of_print *print, struct str *out)
{
    static const char *const commands[] = {
        [OF_FLOW_ADD] = "ADD",
        [OF_FLOW_MODIFY] = "MOD",
        [OF_FLOW_DELETE] = "DEL",
        [OF_FLOW_MODIFY_STRICT] = "MOD_STRICT",
        [OF_FLOW_DELETE_STRICT] = "DEL_STRICT",
    };
    str_add(out, commands[fm->command]);
    if (fm->table) {
        of_text_table(" table:", fm->table, print, out);
    }
    str_add_char(out, ' ');
    const size_t before = out->len;
    match_format(&fm->match, print->ports, fm->priority, out);
    if (out->len > before) {
        str_add_char(out, ' ');
    }
    if (fm->new_cookie && fm->new_cookie != UINT64_MAX) {
        str_addf(out, "cookie:0x%" PRIx64 " ", be64toh(fm->new_cookie));
    }
    if (fm->cookie_mask) {
        str_addf(out, "cookie:0x%" PRIx64 "/0x%" PRIx64 " ", be64toh(fm->cookie),
                 be64toh(fm->cookie_mask));
    }
    if (fm->idle_timeout) {
        str_addf(out, "idle:%u ", fm->idle_timeout);
    }
    if (fm->hard_timeout) {
        str_addf(out, "hard:%u ", fm->hard_timeout);
    }
    if (fm->importance) {
        str_addf(out, "importance:%u ", fm->importance);
    }
    if (fm->buffer_id != OF_BUFFER_NONE) {
        str_addf(out, "buf:0x%" PRIx32 " ", fm->buffer_id);
    }
    if (fm->out_port != OF_PORT_ANY) {
        str_add(out, "out_port:");
        field_format_port(fm->out_port, print->ports, out);
        str_add_char(out, ' ');
    }
    of_text_flow_flags(fm->flags, " ", out);
    of_text_actions(&fm->actions, print, out);
}
