// SPDX-License-Identifier: Apache-2.0
// Entries of flow statistics, and OpenFlow 1.5's statistics fields (OXS).
//
// Reference: OpenFlow 1.0 section 5.3.5, OpenFlow 1.3 section 7.3.5.2, OpenFlow 1.5 sections 7.2.4
// and 7.3.5.2.
#include "config.h"

#include "ofproto/of_error.h"
#include "ofproto/of_msg_private.h"

// --- OXS. ---

#define OXS_CLASS 0x8002

enum { OXS_DURATION, OXS_IDLE_TIME, OXS_FLOW_COUNT = 3, OXS_PACKET_COUNT, OXS_BYTE_COUNT };

static const uint8_t oxs_lens[] = {[OXS_DURATION] = 8,
                                   [OXS_IDLE_TIME] = 8,
                                   [OXS_FLOW_COUNT] = 4,
                                   [OXS_PACKET_COUNT] = 8,
                                   [OXS_BYTE_COUNT] = 8};

static int
get_field(struct of_reader *r, struct of_oxs *oxs)
{
    uint16_t class = of_get16(r);
    unsigned field = of_get8(r) >> 1;
    size_t len = of_get8(r);
    const uint8_t *p = of_get(r, len);
    if (!p) {
        return OF_ERROR_BMC_BAD_LEN;
    }
    if (class != OXS_CLASS || field >= ARRAY_SIZE(oxs_lens) || !oxs_lens[field]) {
        return 0; // not ours: no harm
    }
    struct of_reader value = {p, len, false};
    if (len != oxs_lens[field]) {
        return OF_ERROR_BMC_BAD_LEN;
    }
    switch (field) {
    case OXS_DURATION:
        oxs->duration_s = of_get32(&value);
        oxs->duration_ns = of_get32(&value);
        break;
    case OXS_IDLE_TIME:
        oxs->idle_s = of_get32(&value);
        oxs->has_idle = true;
        break;
    case OXS_FLOW_COUNT:
        oxs->flows = of_get32(&value);
        break;
    case OXS_PACKET_COUNT:
        oxs->packets = of_get64(&value);
        break;
    case OXS_BYTE_COUNT:
        oxs->bytes = of_get64(&value);
        break;
    }
    return 0;
}

int
of_oxs_get(struct of_reader *r, struct of_oxs *oxs)
{
    of_get16(r);
    size_t len = of_get16(r);
    if (r->bad || len < 4) {
        return OF_ERROR_BMC_BAD_LEN;
    }
    const uint8_t *p = of_get(r, ROUND_UP(len, 8) - 4);
    if (!p) {
        return OF_ERROR_BMC_BAD_LEN;
    }
    struct of_reader fields = {p, len - 4, false};
    while (fields.left) {
        int error = get_field(&fields, oxs);
        if (error) {
            return error;
        }
    }
    return 0;
}

static void
put_header(unsigned field, struct str *out)
{
    of_put16(out, OXS_CLASS);
    of_put8(out, (uint8_t) (field << 1));
    of_put8(out, oxs_lens[field]);
}

void
of_oxs_put(const struct of_oxs *oxs, bool aggregate, struct str *out)
{
    size_t start = of_prop_begin(out, 0);
    if (!aggregate) {
        put_header(OXS_DURATION, out);
        of_put32(out, oxs->duration_s);
        of_put32(out, oxs->duration_ns);
    }
    if (oxs->has_idle) {
        put_header(OXS_IDLE_TIME, out);
        of_put32(out, oxs->idle_s);
        of_put32(out, 0);
    }
    put_header(OXS_PACKET_COUNT, out);
    of_put64(out, oxs->packets);
    put_header(OXS_BYTE_COUNT, out);
    of_put64(out, oxs->bytes);
    if (aggregate) {
        put_header(OXS_FLOW_COUNT, out);
        of_put32(out, oxs->flows);
    }
    of_prop_end(out, start);
}

// --- Reading entries. ---

// `r` holds one entry, behind its length.
static int
get10(struct of_reader *r, struct of_flow_stats *fs)
{
    fs->table = of_get8(r);
    of_get8(r);
    const uint8_t *match = of_get(r, OF10_MATCH_LEN);
    if (!match) {
        return OF_ERROR_BRC_BAD_LEN;
    }
    of_match10_decode(match, &fs->match);
    fs->duration_s = of_get32(r);
    fs->duration_ns = of_get32(r);
    fs->priority = of_get16(r);
    fs->idle_timeout = of_get16(r);
    fs->hard_timeout = of_get16(r);
    of_get(r, 6);
    fs->cookie = of_get_be64(r);
    fs->packets = of_get64(r);
    fs->bytes = of_get64(r);
    return 0;
}

static int
get11(struct of_reader *r, enum of_version version, struct of_flow_stats *fs)
{
    bool unknown;
    fs->table = of_get8(r);
    of_get8(r);
    fs->duration_s = of_get32(r);
    fs->duration_ns = of_get32(r);
    fs->priority = of_get16(r);
    fs->idle_timeout = of_get16(r);
    fs->hard_timeout = of_get16(r);
    uint16_t flags = of_get16(r);
    fs->flags = version >= OF_13 ? of_flags_from_wire(flags, version, &unknown) : 0;
    uint16_t importance = of_get16(r);
    fs->importance = version >= OF_14 ? importance : 0;
    of_get16(r);
    fs->cookie = of_get_be64(r);
    fs->packets = of_get64(r);
    fs->bytes = of_get64(r);
    return r->bad ? OF_ERROR_BRC_BAD_LEN
                  : of_match_decode(&r->p, &r->left, OF_OXM_SKIP_UNKNOWN, &fs->match);
}

static int
get15(struct of_reader *r, struct of_flow_stats *fs)
{
    bool unknown;
    of_get16(r);
    fs->table = of_get8(r);
    of_get8(r);
    fs->priority = of_get16(r);
    fs->idle_timeout = of_get16(r);
    fs->hard_timeout = of_get16(r);
    fs->flags = of_flags_from_wire(of_get16(r), OF_15, &unknown);
    fs->importance = of_get16(r);
    fs->cookie = of_get_be64(r);
    int error = r->bad ? OF_ERROR_BRC_BAD_LEN
                       : of_match_decode(&r->p, &r->left, OF_OXM_SKIP_UNKNOWN, &fs->match);
    struct of_oxs oxs = {.packets = UINT64_MAX, .bytes = UINT64_MAX};
    error = error ? error : of_oxs_get(r, &oxs);
    fs->packets = oxs.packets;
    fs->bytes = oxs.bytes;
    fs->duration_s = oxs.duration_s;
    fs->duration_ns = oxs.duration_ns;
    fs->idle_age = oxs.has_idle ? (int32_t) MIN(oxs.idle_s, (uint32_t) INT32_MAX) : -1;
    return error;
}

// On the wire an age is one more, 0: unknown, 0xffff: that long or longer.
static int
get_nx(struct of_reader *r, struct of_flow_stats *fs)
{
    fs->table = of_get8(r);
    of_get8(r);
    fs->duration_s = of_get32(r);
    fs->duration_ns = of_get32(r);
    fs->priority = of_get16(r);
    fs->idle_timeout = of_get16(r);
    fs->hard_timeout = of_get16(r);
    size_t match_len = of_get16(r);
    fs->idle_age = of_get16(r) - 1;
    fs->hard_age = of_get16(r) - 1;
    fs->cookie = of_get_be64(r);
    fs->packets = of_get64(r);
    fs->bytes = of_get64(r);
    return of_nxm_get(r, match_len, &fs->match, NULL);
}

bool
of_flow_stats_next(struct of_msg *m, struct of_flow_stats *fs, int *error)
{
    struct of_reader all = {m->body, m->body_len, false};
    *error = 0;
    if (!all.left) {
        return false;
    }
    size_t len = of_get16(&all);
    if (len < 8 || len > m->body_len) {
        *error = OF_ERROR_BRC_BAD_LEN;
        return false;
    }
    struct of_reader r = {m->body + 2, len - 2, false};
    fs->idle_age = fs->hard_age = -1;
    fs->flags = 0;
    fs->importance = 0;
    int e = m->nxm                ? get_nx(&r, fs)
            : m->version == OF_10 ? get10(&r, fs)
            : m->version == OF_15 ? get15(&r, fs)
                                  : get11(&r, m->version, fs);
    e = e ? e : r.bad ? OF_ERROR_BRC_BAD_LEN : 0;
    of_actions_clear(&fs->actions);
    if (!e) {
        e = m->version != OF_10 && m->nxm
                ? of_actions_decode(r.p, r.left, m->version, &fs->actions)
                : of_instructions_decode(r.p, r.left, m->version, &fs->actions);
    }
    *error = e;
    m->body += len;
    m->body_len -= len;
    return !e;
}

// --- Writing entries. ---

static uint64_t
known_or_0(uint64_t x)
{
    return x == UINT64_MAX ? 0 : x;
}

static void
put10(const struct of_flow_stats *fs, struct str *out)
{
    of_put8(out, fs->table);
    of_put8(out, 0);
    of_match10_encode(&fs->match, out);
    of_put32(out, fs->duration_s);
    of_put32(out, fs->duration_ns);
    of_put16(out, fs->priority);
    of_put16(out, fs->idle_timeout);
    of_put16(out, fs->hard_timeout);
    of_put_zeros(out, 6);
    of_put_be64(out, fs->cookie);
    of_put64(out, known_or_0(fs->packets));
    of_put64(out, known_or_0(fs->bytes));
    of_actions_encode(&fs->actions, OF_10, out);
}

static void
put11(const struct of_flow_stats *fs, enum of_version version, struct str *out)
{
    of_put8(out, fs->table);
    of_put8(out, 0);
    of_put32(out, fs->duration_s);
    of_put32(out, fs->duration_ns);
    of_put16(out, fs->priority);
    of_put16(out, fs->idle_timeout);
    of_put16(out, fs->hard_timeout);
    of_put16(out, version >= OF_13 ? of_flags_to_wire(fs->flags, version) : 0);
    of_put16(out, version >= OF_14 ? fs->importance : 0);
    of_put16(out, 0);
    of_put_be64(out, fs->cookie);
    of_put64(out, fs->packets);
    of_put64(out, fs->bytes);
    of_match_encode_oxm(&fs->match, version, out);
    of_instructions_encode(&fs->actions, version, out);
}

static void
put15(const struct of_flow_stats *fs, struct str *out)
{
    const struct of_oxs oxs = {.packets = fs->packets,
                               .bytes = fs->bytes,
                               .duration_s = fs->duration_s,
                               .duration_ns = fs->duration_ns,
                               .has_idle = fs->idle_age >= 0,
                               .idle_s = (uint32_t) fs->idle_age};
    of_put16(out, 0);
    of_put8(out, fs->table);
    of_put8(out, 0);
    of_put16(out, fs->priority);
    of_put16(out, fs->idle_timeout);
    of_put16(out, fs->hard_timeout);
    of_put16(out, of_flags_to_wire(fs->flags, OF_15));
    of_put16(out, fs->importance);
    of_put_be64(out, fs->cookie);
    of_match_encode(&fs->match, OF_15, out);
    of_oxs_put(&oxs, false, out);
    of_instructions_encode(&fs->actions, OF_15, out);
}

static uint16_t
age_on_wire(int32_t age)
{
    return (uint16_t) (age < 0 ? 0 : MIN(age, UINT16_MAX - 1) + 1);
}

static void
put_nx(const struct of_flow_stats *fs, enum of_version version, struct str *out)
{
    of_put8(out, fs->table);
    of_put8(out, 0);
    of_put32(out, fs->duration_s);
    of_put32(out, fs->duration_ns);
    of_put16(out, fs->priority);
    of_put16(out, fs->idle_timeout);
    of_put16(out, fs->hard_timeout);
    size_t len_at = out->len;
    of_put16(out, 0);
    of_put16(out, age_on_wire(fs->idle_age));
    of_put16(out, age_on_wire(fs->hard_age));
    of_put_be64(out, fs->cookie);
    of_put64(out, fs->packets);
    of_put64(out, fs->bytes);
    of_nxm_put(&fs->match, NULL, len_at, out);
    of_actions_encode(&fs->actions, version, out);
}

void
of_flow_stats_put(const struct of_flow_stats *fs, const struct of_wire *wire, struct str *out)
{
    size_t start = out->len;
    of_put16(out, 0);
    if (wire->nxm) {
        put_nx(fs, wire->version, out);
    } else if (wire->version == OF_10) {
        put10(fs, out);
    } else if (wire->version == OF_15) {
        put15(fs, out);
    } else {
        put11(fs, wire->version, out);
    }
    of_set16(out, start, (uint16_t) (out->len - start));
}
