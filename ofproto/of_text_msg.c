// SPDX-License-Identifier: Apache-2.0
// OpenFlow messages as ovs-ofctl prints them: a header, "OFPT_FLOW_MOD (OF1.3) (xid=0x1):", and
// what of_text_*.c know of the type. What cannot be decoded is shown as bytes, after the error.
#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/of_msg.h"
#include "ofproto/of_text_private.h"

void
of_text_bits(uint32_t bits, const struct of_text_bit *names, size_t n, const char *sep,
             struct str *out)
{
    const char *before = "";
    if (!bits) {
        str_add_char(out, '0');
    }
    for (size_t i = 0; i < n; i++) {
        if (bits & names[i].bit) {
            str_addf(out, "%s%s", before, names[i].name);
            before = sep;
        }
    }
}

void
of_text_hex(const void *data, size_t len, bool characters, struct str *out)
{
    const uint8_t *p = data;
    for (size_t ofs = 0; ofs < len; ofs += 16) {
        const size_t n = MIN(len - ofs, 16);
        str_addf(out, "%08zx ", ofs);
        for (size_t i = 0; i < n; i++) {
            str_addf(out, "%c%02x", i == 8 ? '-' : ' ', p[ofs + i]);
        }
        if (characters) {
            str_add_char(out, n == 8 ? '-' : ' ');
            str_add_chars(out, ' ', 3 * (16 - n));
            str_add_char(out, '|');
            for (size_t i = 0; i < n; i++) {
                str_add_char(out, p[ofs + i] >= ' ' && p[ofs + i] < 0x7f ? (char) p[ofs + i] : '.');
            }
            str_add_chars(out, ' ', 16 - n);
            str_add_char(out, '|');
        }
        str_add_char(out, '\n');
    }
}

static uint32_t
get32(const uint8_t *p)
{
    be32_t x;
    memcpy(&x, p, sizeof x);
    return be32toh(x);
}

// Name of a message that came in one of Nicira's forms; NULL: it is called as its type is.
static const char *
nicira_name(const struct of_msg *m)
{
    if (!m->nxm && (m->len < 16 || m->bytes[1] != 4 || get32(m->bytes + 8) != OF_VENDOR_NICIRA)) {
        return NULL;
    }
    switch ((int) m->type) {
    case OF_MSG_FLOW_MOD:
        return "NXT_FLOW_MOD";
    case OF_MSG_FLOW_REMOVED:
        return "NXT_FLOW_REMOVED";
    case OF_MSG_FLOW_STATS_REQUEST:
        return "NXST_FLOW request";
    case OF_MSG_FLOW_STATS_REPLY:
        return "NXST_FLOW reply";
    case OF_MSG_AGGREGATE_REQUEST:
        return "NXST_AGGREGATE request";
    case OF_MSG_AGGREGATE_REPLY:
        return "NXST_AGGREGATE reply";
    case OF_MSG_PACKET_IN:
        return m->len >= 16 && get32(m->bytes + 12) == 30 ? "NXT_PACKET_IN2" : "NXT_PACKET_IN";
    case OF_MSG_ROLE_REQUEST:
        return "NXT_ROLE_REQUEST";
    case OF_MSG_ROLE_REPLY:
        return "NXT_ROLE_REPLY";
    case OF_MSG_SET_ASYNC:
        return m->len >= 16 && get32(m->bytes + 12) == 27 ? "NXT_SET_ASYNC_CONFIG2"
                                                          : "NXT_SET_ASYNC_CONFIG";
    default:
        return NULL;
    }
}

void
of_msg_format_header(const struct of_msg *m, struct str *out)
{
    const char *name = nicira_name(m);
    str_add(out, name ? name : of_msg_type_name(m->type));
    if (m->version > OF_10 && m->version <= OF_15) {
        str_addf(out, " (OF1.%d)", m->version - OF_10);
    } else if (m->version != OF_10) {
        str_addf(out, " (OF 0x%02x)", m->version);
    }
    str_addf(out, " (xid=0x%" PRIx32 "):", m->xid);
}

void
of_text_decode_error(int error, const struct of_msg *m, struct str *out)
{
    const char last = out->len ? out->p[out->len - 1] : '\n';
    str_add(out, last == '\n' ? "" : last == ':' ? " " : "\n");
    str_addf(out, "***decode error: %s***\n", of_error_name(error));
    of_text_hex(m->bytes, m->len, true, out);
}

static void
flow_stats(struct of_msg *m, const struct of_print *print, struct str *out)
{
    const struct of_print all = {print->ports, print->tables, true, print->verbosity};
    struct of_flow_stats fs = {0};
    int error = 0;
    while (of_flow_stats_next(m, &fs, &error)) {
        str_add(out, "\n ");
        of_flow_stats_format(&fs, &all, out);
    }
    of_actions_free(&fs.actions);
    if (error) {
        of_text_decode_error(error, m, out);
    } else {
        str_add_char(out, '\n');
    }
}

static void
flow_request(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    const struct of_flow_request *r = &m->u.flow_request;
    if (r->table != OF_TABLE_ALL) {
        of_text_table(" table=", r->table, print, out);
    }
    if (r->out_port != OF_PORT_ANY) {
        str_add(out, " out_port=");
        field_format_port(r->out_port, print->ports, out);
    }
    str_add_char(out, ' ');
    match_format(&r->match, print->ports, -1, out);
    str_chomp(out, " ");
    str_add_char(out, '\n');
}

static void
flow_mod(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    struct of_flow_mod fm = m->u.flow_mod; // actions borrowed
    if (m->version == OF_10 && fm.table == OF_TABLE_ALL) {
        fm.table = 0; // OpenFlow 1.0 knows no tables
    }
    str_add_char(out, ' ');
    of_flow_mod_format(&fm, print, out);
    str_add_char(out, '\n');
}

static bool
body_flow(struct of_msg *m, const struct of_print *print, struct str *out)
{
    switch ((int) m->type) {
    case OF_MSG_FLOW_MOD:
        flow_mod(m, print, out);
        return true;
    case OF_MSG_FLOW_STATS_REQUEST:
    case OF_MSG_AGGREGATE_REQUEST:
        flow_request(m, print, out);
        return true;
    case OF_MSG_FLOW_STATS_REPLY:
        flow_stats(m, print, out);
        return true;
    case OF_MSG_AGGREGATE_REPLY:
        str_addf(out, " packet_count=%" PRIu64 " byte_count=%" PRIu64 " flow_count=%" PRIu32 "\n",
                 m->u.aggregate.packets, m->u.aggregate.bytes, m->u.aggregate.flows);
        return true;
    default:
        return false;
    }
}

// Multipart messages say whether more follows.
static void
multipart_flags(const struct of_msg *m, struct str *out)
{
    const bool stats =
        m->len >= 12 && (m->version == OF_10 ? m->bytes[1] == 16 || m->bytes[1] == 17
                                             : m->bytes[1] == 18 || m->bytes[1] == 19);
    const unsigned flags = stats ? m->bytes[10] << 8 | m->bytes[11] : 0;
    if (!flags) {
        return;
    }
    str_add(out, " flags=");
    if (flags & 1) {
        str_add(out, "[more]");
    }
    if (flags & ~1U) {
        str_addf(out, "[***unknown flags 0x%04x***]", flags & ~1U);
    }
}

void
of_msg_format(struct of_msg *m, const struct of_print *print, struct str *out)
{
    static bool (*const bodies[])(struct of_msg *, const struct of_print *, struct str *) = {
        body_flow,          of_text_body_packet,  of_text_body_port,
        of_text_body_table, of_text_body_session, of_text_body_raw,
    };
    of_msg_format_header(m, out);
    multipart_flags(m, out);
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        if (bodies[i](m, print, out)) {
            return;
        }
    }
    str_add_char(out, '\n');
}

// Bytes that are more or less than the message's header says: its name, if it can be told, and the
// bytes.
static void
wrong_length(const uint8_t *p, size_t len, const struct of_wire *wire, struct str *out)
{
    const size_t says = p[2] << 8 | p[3];
    struct of_msg m = {0};
    uint8_t *copy = base_memdup(p, len);
    copy[2] = len >> 8;
    copy[3] = len & 0xff;
    const bool whole = !of_msg_decode(copy, len, wire, &m);
    if (m.type != OF_MSG_NONE && says >= OF_HEADER_LEN) {
        of_msg_format_header(&m, out);
        str_add_char(out, '\n');
    }
    if (says > len) {
        str_addf(out, "(***truncated to %zu bytes from %zu***)\n", len, says);
    } else {
        str_addf(out, "(***only uses %zu bytes out of %zu***)\n", says, len);
    }
    of_text_hex(p, len, true, out);
    if (whole) {
        of_msg_clear(&m);
    }
    free(copy);
}

void
of_msg_format_bytes(const void *data, size_t len, const struct of_wire *wire,
                    const struct of_print *print, struct str *out)
{
    const uint8_t *p = data;
    if (!len) {
        str_add(out, "OpenFlow message is empty\n");
        return;
    }
    if (len < OF_HEADER_LEN) {
        str_addf(out, "OpenFlow packet too short (only %zu bytes):\n", len);
        of_text_hex(data, len, true, out);
        return;
    }
    const size_t says = p[2] << 8 | p[3];
    if (says != len) {
        wrong_length(p, len, wire, out);
        return;
    }
    struct of_msg m = {0};
    struct of_wire any = wire ? *wire : (struct of_wire){0};
    any.table_id = true; // were it off, the table would be 0
    const int error = of_msg_decode(data, len, &any, &m);
    if (!error) {
        of_msg_format(&m, print, out);
        of_msg_clear(&m);
        return;
    }
    m.bytes = data;
    m.len = len;
    if (m.type != OF_MSG_NONE && error != OF_ERROR_BRC_BAD_LEN) {
        of_msg_format_header(&m, out);
    }
    of_text_decode_error(error, &m, out);
}
