// SPDX-License-Identifier: Apache-2.0
// Bodies of flow-mods, flow-removed, and requests for flow and aggregate statistics.
//
// Reference: OpenFlow 1.0 section 5.3.3, OpenFlow 1.5 section 7.3.4.3.
#include "config.h"

#include <errno.h>

#include "ofproto/of_msg_private.h"

// --- Flags. ---

#define FLAG10_EMERG 4 // OF_FLOW_RESET_COUNTS in later versions

uint8_t
of_flags_from_wire(uint16_t wire, enum of_version version, bool *unknown)
{
    uint16_t known = OF_FLOW_SEND_REM | OF_FLOW_CHECK_OVERLAP;
    known |= version >= OF_12 ? OF_FLOW_RESET_COUNTS : 0;
    known |= version >= OF_13 ? OF_FLOW_NO_PKT_COUNTS | OF_FLOW_NO_BYT_COUNTS : 0;
    *unknown = wire & ~known;
    return (uint8_t) (wire & known);
}

uint16_t
of_flags_to_wire(uint8_t flags, enum of_version version)
{
    bool unknown;
    return of_flags_from_wire(flags & ~OF_FLOW_HIDDEN, version, &unknown);
}

static bool
is_delete(enum of_flow_command command)
{
    return command == OF_FLOW_DELETE || command == OF_FLOW_DELETE_STRICT;
}

// --- Flow-mods. ---

// OpenFlow 1.0: the high byte of the command is the table once NXT_FLOW_MOD_TABLE_ID was said.
static int
set_command(struct of_flow_mod *fm, uint16_t command, bool with_table)
{
    fm->table = OF_TABLE_ALL;
    if (with_table) {
        fm->table = command >> 8;
        command &= 0xff;
    }
    if (command > OF_FLOW_DELETE_STRICT) {
        return OF_ERROR_FMFC_BAD_COMMAND;
    }
    fm->command = command;
    return 0;
}

static int
set_flags(struct of_flow_mod *fm, uint16_t flags, enum of_version version)
{
    bool unknown;
    fm->flags = of_flags_from_wire(flags, version, &unknown);
    return unknown ? OF_ERROR_FMFC_BAD_FLAGS : 0;
}

// The middle of an OpenFlow 1.0 flow-mod and of Nicira's, from the cookie on.
static int
get_common10(struct of_reader *r, bool with_table, struct of_msg *m)
{
    struct of_flow_mod *fm = &m->u.flow_mod;
    fm->new_cookie = of_get_be64(r);
    fm->modify_cookie = fm->new_cookie != UINT64_MAX;
    int error = set_command(fm, of_get16(r), with_table);
    fm->idle_timeout = of_get16(r);
    fm->hard_timeout = of_get16(r);
    fm->priority = of_get16(r);
    fm->buffer_id = of_get32(r);
    fm->out_port = of_port_from_10(of_get16(r));
    fm->out_group = OF_GROUP_ANY;
    if (!is_delete(fm->command)) {
        fm->out_port = OF_PORT_ANY;
    }
    uint16_t flags = of_get16(r);
    if (!error && !m->nxm && flags & FLAG10_EMERG) {
        return OF_ERROR_FMFC_TABLE_FULL; // there is no emergency table
    }
    return error ? error : set_flags(fm, flags, m->version);
}

int
of_msg_get_flow_mod10(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_mod *fm = &m->u.flow_mod;
    const uint8_t *match = of_get(r, OF10_MATCH_LEN);
    be32_t wildcards;
    memcpy(&wildcards, match, 4);
    of_match10_decode(match, &fm->match);
    int error = get_common10(r, wire->table_id, m);
    if (!(be32toh(wildcards) & 0x3fffff)) {
        fm->priority = UINT16_MAX; // what matches exactly comes first, whatever it says
    }
    if (!error) {
        error = of_instructions_decode(r->p, r->left, OF_10, &fm->actions);
    }
    r->left = 0;
    return error;
}

static void
put_common10(const struct of_flow_mod *fm, const struct of_wire *wire, struct str *out)
{
    bool modifies = fm->command == OF_FLOW_MODIFY || fm->command == OF_FLOW_MODIFY_STRICT;
    bool keeps = modifies && fm->cookie_mask && !fm->modify_cookie; // what is compared stays
    of_put_be64(out, keeps ? UINT64_MAX : fm->new_cookie);
    of_put16(out, (uint16_t) (fm->command | (wire->table_id ? fm->table << 8 : 0)));
    of_put16(out, fm->idle_timeout);
    of_put16(out, fm->hard_timeout);
    of_put16(out, fm->priority);
    of_put32(out, fm->buffer_id);
    of_put16(out, of_port_to_10(fm->out_port));
    of_put16(out, of_flags_to_wire(fm->flags, wire->version));
}

int
of_msg_put_flow_mod10(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_mod *fm = &m->u.flow_mod;
    of_match10_encode(&fm->match, out);
    put_common10(fm, wire, out);
    of_actions_encode(&fm->actions, OF_10, out);
    return 0;
}

int
of_nxm_get(struct of_reader *r, size_t len, struct flow_match *match, struct of_cookie *cookie)
{
    const uint8_t *p = of_get(r, ROUND_UP(len, 8));
    return p ? of_oxm_match_decode(p, len, OF_OXM_REFUSE_UNKNOWN, match, cookie)
             : OF_ERROR_BMC_BAD_LEN;
}

void
of_nxm_put(const struct flow_match *match, const struct of_cookie *cookie, size_t len_at,
           struct str *out)
{
    size_t start = out->len;
    size_t len = of_oxm_match_encode(match, OF_10, cookie, out);
    of_set16(out, len_at, (uint16_t) len);
    of_put_pad8(out, start);
}

int
of_msg_get_nx_flow_mod(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_mod *fm = &m->u.flow_mod;
    struct of_cookie cookie;
    int error = get_common10(r, wire->table_id, m);
    size_t match_len = of_get16(r);
    of_get(r, 6);
    if (!error) {
        error = of_nxm_get(r, match_len, &fm->match, &cookie);
    }
    if (!error && fm->command == OF_FLOW_ADD && cookie.mask) {
        error = OF_ERROR_NXBRC_NXM_INVALID; // an addition has nothing to compare its cookie with
    }
    if (!error) {
        fm->cookie = cookie.value;
        fm->cookie_mask = cookie.mask;
        error = m->version == OF_10 ? of_instructions_decode(r->p, r->left, OF_10, &fm->actions)
                                    : of_actions_decode(r->p, r->left, m->version, &fm->actions);
    }
    r->left = 0;
    return error;
}

int
of_msg_put_nx_flow_mod(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_mod *fm = &m->u.flow_mod;
    const struct of_cookie cookie = {fm->cookie, fm->cookie_mask};
    put_common10(fm, wire, out);
    size_t len_at = out->len;
    of_put_zeros(out, 8);
    of_nxm_put(&fm->match, &cookie, len_at, out);
    of_actions_encode(&fm->actions, wire->version, out);
    return 0;
}

// Which cookie is compared and which is set: an addition sets; in OpenFlow 1.1 so does a
// modification that compares none, for then it adds what it doesn't find.
static void
set_cookies(struct of_flow_mod *fm, be64_t cookie, be64_t mask, enum of_version version)
{
    bool modifies = fm->command == OF_FLOW_MODIFY || fm->command == OF_FLOW_MODIFY_STRICT;
    if (fm->command == OF_FLOW_ADD || (version == OF_11 && modifies && !mask)) {
        fm->new_cookie = cookie;
    } else {
        fm->cookie = cookie;
        fm->cookie_mask = mask;
        fm->new_cookie = UINT64_MAX;
    }
}

int
of_msg_get_flow_mod11(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_mod *fm = &m->u.flow_mod;
    be64_t cookie = of_get_be64(r), mask = of_get_be64(r);
    fm->table = of_get8(r);
    uint8_t command = of_get8(r);
    fm->command = command;
    fm->idle_timeout = of_get16(r);
    fm->hard_timeout = of_get16(r);
    fm->priority = of_get16(r);
    fm->buffer_id = of_get32(r);
    int error = of_port_from_11(of_get32(r), &fm->out_port);
    fm->out_group = of_get32(r);
    uint16_t flags = of_get16(r);
    fm->importance = m->version >= OF_14 ? of_get16(r) : (of_get16(r), 0);
    bool deletes = command == OF_FLOW_DELETE || command == OF_FLOW_DELETE_STRICT;
    if (fm->table == OF_TABLE_ALL && !deletes) {
        return OF_ERROR_FMFC_BAD_TABLE_ID;
    }
    if (command > OF_FLOW_DELETE_STRICT) {
        return OF_ERROR_FMFC_BAD_COMMAND;
    }
    if (!deletes) {
        fm->out_port = OF_PORT_ANY;
        fm->out_group = OF_GROUP_ANY;
    }
    set_cookies(fm, cookie, mask, m->version);
    if (!error) {
        error = of_match_decode(&r->p, &r->left, OF_OXM_REFUSE_UNKNOWN, &fm->match);
    }
    error = error ? error : of_instructions_decode(r->p, r->left, m->version, &fm->actions);
    error = error ? error : set_flags(fm, flags, m->version);
    r->left = 0;
    return error;
}

int
of_msg_put_flow_mod11(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_mod *fm = &m->u.flow_mod;
    bool sets = fm->command == OF_FLOW_ADD ||
                (wire->version == OF_11 && !is_delete(fm->command) && !fm->cookie_mask);
    of_put_be64(out, sets ? fm->new_cookie : fm->cookie);
    of_put_be64(out, sets ? 0 : fm->cookie_mask);
    of_put8(out, fm->table == OF_TABLE_ALL && fm->command == OF_FLOW_ADD ? 0 : fm->table);
    of_put8(out, (uint8_t) fm->command);
    of_put16(out, fm->idle_timeout);
    of_put16(out, fm->hard_timeout);
    of_put16(out, fm->priority);
    of_put32(out, fm->buffer_id);
    of_put32(out, fm->out_port);
    of_put32(out, fm->out_group);
    of_put16(out, of_flags_to_wire(fm->flags, wire->version));
    of_put16(out, wire->version >= OF_14 ? fm->importance : 0);
    of_match_encode(&fm->match, wire->version, out);
    of_instructions_encode(&fm->actions, wire->version, out);
    return 0;
}

// --- Flow-removed. ---

int
of_msg_get_flow_removed10(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_removed *fr = &m->u.flow_removed;
    of_match10_decode(of_get(r, OF10_MATCH_LEN), &fr->match);
    fr->cookie = of_get_be64(r);
    fr->priority = of_get16(r);
    fr->reason = of_get8(r);
    of_get8(r);
    fr->duration_s = of_get32(r);
    fr->duration_ns = of_get32(r);
    fr->idle_timeout = of_get16(r);
    of_get16(r);
    fr->packets = of_get64(r);
    fr->bytes = of_get64(r);
    fr->table = OF_TABLE_ALL;
    return 0;
}

static uint64_t
known_or_0(uint64_t x)
{
    return x == UINT64_MAX ? 0 : x;
}

// Reasons that only later versions have are deletions in the others.
static uint8_t
removed_reason(const struct of_flow_removed *fr, enum of_version version)
{
    enum of_removed_reason last = version >= OF_14   ? OF_REMOVED_EVICTION
                                  : version >= OF_11 ? OF_REMOVED_GROUP
                                                     : OF_REMOVED_DELETE;
    return (uint8_t) (fr->reason <= last ? fr->reason : OF_REMOVED_DELETE);
}

int
of_msg_put_flow_removed10(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_removed *fr = &m->u.flow_removed;
    of_match10_encode(&fr->match, out);
    of_put_be64(out, fr->cookie);
    of_put16(out, fr->priority);
    of_put8(out, removed_reason(fr, OF_10));
    of_put8(out, 0);
    of_put32(out, fr->duration_s);
    of_put32(out, fr->duration_ns);
    of_put16(out, fr->idle_timeout);
    of_put16(out, 0);
    of_put64(out, known_or_0(fr->packets));
    of_put64(out, known_or_0(fr->bytes));
    return 0;
}

int
of_msg_get_flow_removed11(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_removed *fr = &m->u.flow_removed;
    fr->cookie = of_get_be64(r);
    fr->priority = of_get16(r);
    fr->reason = of_get8(r);
    fr->table = of_get8(r);
    fr->duration_s = of_get32(r);
    fr->duration_ns = of_get32(r);
    fr->idle_timeout = of_get16(r);
    fr->hard_timeout = of_get16(r);
    fr->packets = of_get64(r);
    fr->bytes = of_get64(r);
    return of_match_decode(&r->p, &r->left, OF_OXM_SKIP_UNKNOWN, &fr->match);
}

int
of_msg_put_flow_removed11(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_removed *fr = &m->u.flow_removed;
    of_put_be64(out, fr->cookie);
    of_put16(out, fr->priority);
    of_put8(out, removed_reason(fr, wire->version));
    of_put8(out, fr->table);
    of_put32(out, fr->duration_s);
    of_put32(out, fr->duration_ns);
    of_put16(out, fr->idle_timeout);
    of_put16(out, fr->hard_timeout);
    of_put64(out, fr->packets);
    of_put64(out, fr->bytes);
    of_match_encode(&fr->match, wire->version, out);
    return 0;
}

int
of_msg_get_flow_removed15(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_removed *fr = &m->u.flow_removed;
    struct of_oxs oxs = {.packets = UINT64_MAX, .bytes = UINT64_MAX};
    fr->table = of_get8(r);
    fr->reason = of_get8(r);
    fr->priority = of_get16(r);
    fr->idle_timeout = of_get16(r);
    fr->hard_timeout = of_get16(r);
    fr->cookie = of_get_be64(r);
    int error = of_match_decode(&r->p, &r->left, OF_OXM_SKIP_UNKNOWN, &fr->match);
    error = error ? error : of_oxs_get(r, &oxs);
    fr->packets = oxs.packets;
    fr->bytes = oxs.bytes;
    fr->duration_s = oxs.duration_s;
    fr->duration_ns = oxs.duration_ns;
    return error;
}

int
of_msg_put_flow_removed15(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_removed *fr = &m->u.flow_removed;
    const struct of_oxs oxs = {.packets = fr->packets,
                               .bytes = fr->bytes,
                               .duration_s = fr->duration_s,
                               .duration_ns = fr->duration_ns};
    of_put8(out, fr->table);
    of_put8(out, removed_reason(fr, wire->version));
    of_put16(out, fr->priority);
    of_put16(out, fr->idle_timeout);
    of_put16(out, fr->hard_timeout);
    of_put_be64(out, fr->cookie);
    of_match_encode(&fr->match, wire->version, out);
    of_oxs_put(&oxs, false, out);
    return 0;
}

int
of_msg_get_nx_flow_removed(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_removed *fr = &m->u.flow_removed;
    fr->cookie = of_get_be64(r);
    fr->priority = of_get16(r);
    fr->reason = of_get8(r);
    fr->table = of_get8(r) - 1; // 0 on the wire: unknown
    fr->duration_s = of_get32(r);
    fr->duration_ns = of_get32(r);
    fr->idle_timeout = of_get16(r);
    size_t match_len = of_get16(r);
    fr->packets = of_get64(r);
    fr->bytes = of_get64(r);
    return of_nxm_get(r, match_len, &fr->match, NULL);
}

int
of_msg_put_nx_flow_removed(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_removed *fr = &m->u.flow_removed;
    of_put_be64(out, fr->cookie);
    of_put16(out, fr->priority);
    of_put8(out, removed_reason(fr, wire->version));
    of_put8(out, fr->table + 1);
    of_put32(out, fr->duration_s);
    of_put32(out, fr->duration_ns);
    of_put16(out, fr->idle_timeout);
    size_t len_at = out->len;
    of_put16(out, 0);
    of_put64(out, fr->packets);
    of_put64(out, fr->bytes);
    of_nxm_put(&fr->match, NULL, len_at, out);
    return 0;
}

// --- Requests for statistics of flows. ---

int
of_msg_get_flow_request10(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_request *q = &m->u.flow_request;
    of_match10_decode(of_get(r, OF10_MATCH_LEN), &q->match);
    q->table = of_get8(r);
    of_get8(r);
    q->out_port = of_port_from_10(of_get16(r));
    q->out_group = OF_GROUP_ANY;
    return 0;
}

int
of_msg_put_flow_request10(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_request *q = &m->u.flow_request;
    of_match10_encode(&q->match, out);
    of_put8(out, q->table);
    of_put8(out, 0);
    of_put16(out, of_port_to_10(q->out_port));
    return 0;
}

int
of_msg_get_flow_request11(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_request *q = &m->u.flow_request;
    q->table = of_get8(r);
    of_get(r, 3);
    int error = of_port_from_11(of_get32(r), &q->out_port);
    q->out_group = of_get32(r);
    of_get32(r);
    q->cookie = of_get_be64(r);
    q->cookie_mask = of_get_be64(r);
    return error ? error : of_match_decode(&r->p, &r->left, OF_OXM_REFUSE_UNKNOWN, &q->match);
}

int
of_msg_put_flow_request11(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_request *q = &m->u.flow_request;
    of_put8(out, q->table);
    of_put_zeros(out, 3);
    of_put32(out, q->out_port);
    of_put32(out, q->out_group);
    of_put32(out, 0);
    of_put_be64(out, q->cookie);
    of_put_be64(out, q->cookie_mask);
    of_match_encode(&q->match, wire->version, out);
    return 0;
}

int
of_msg_get_nx_flow_request(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_flow_request *q = &m->u.flow_request;
    struct of_cookie cookie;
    q->out_port = of_port_from_10(of_get16(r));
    q->out_group = OF_GROUP_ANY;
    size_t match_len = of_get16(r);
    q->table = of_get8(r);
    of_get(r, 3);
    int error = of_nxm_get(r, match_len, &q->match, &cookie);
    if (!error) {
        q->cookie = cookie.value;
        q->cookie_mask = cookie.mask;
        error = r->left ? OF_ERROR_BRC_BAD_LEN : 0;
    }
    return error;
}

int
of_msg_put_nx_flow_request(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_flow_request *q = &m->u.flow_request;
    const struct of_cookie cookie = {q->cookie, q->cookie_mask};
    of_put16(out, of_port_to_10(q->out_port));
    size_t len_at = out->len;
    of_put16(out, 0);
    of_put8(out, q->table);
    of_put_zeros(out, 3);
    of_nxm_put(&q->match, &cookie, len_at, out);
    return 0;
}

// --- Aggregates. ---

int
of_msg_get_aggregate(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.aggregate.packets = of_get64(r);
    m->u.aggregate.bytes = of_get64(r);
    m->u.aggregate.flows = of_get32(r);
    of_get32(r);
    return 0;
}

int
of_msg_put_aggregate(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put64(out, m->u.aggregate.packets);
    of_put64(out, m->u.aggregate.bytes);
    of_put32(out, m->u.aggregate.flows);
    of_put32(out, 0);
    return 0;
}

int
of_msg_get_aggregate15(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_oxs oxs = {.packets = UINT64_MAX, .bytes = UINT64_MAX};
    int error = of_oxs_get(r, &oxs);
    m->u.aggregate = (struct of_aggregate){oxs.packets, oxs.bytes, oxs.flows};
    return error;
}

int
of_msg_put_aggregate15(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_oxs oxs = {.packets = m->u.aggregate.packets,
                               .bytes = m->u.aggregate.bytes,
                               .flows = m->u.aggregate.flows};
    of_oxs_put(&oxs, true, out);
    return 0;
}
