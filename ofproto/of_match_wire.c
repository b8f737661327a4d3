// SPDX-License-Identifier: Apache-2.0
// OXM and NXM fields and matches, by a walk over the field table.
//
// Where the two languages differ about a field, the match's own form decides what is said: NXM has
// the TCI where OXM has VLAN id and priority, the TOS octet where OXM has DSCP, 16-bit ports where
// OXM has 32-bit ones, 32-bit registers where OpenFlow 1.5 has 64-bit ones.
#include "config.h"

#include "ofproto/of_match_wire.h"

#include "ofproto/of_act.h"
#include "ofproto/of_error.h"
#include "ofproto/of_wire.h"

#define CLASS_EXPERIMENTER 0xffff
#define CLASS_NXM1 0x0001
#define NXM_COOKIE 30 // shares its number with mpls_ttl, which has one byte

int
of_port_from_11(uint32_t wire, uint32_t *port)
{
    if (wire >= 0xff00 && wire < OF_PORT_MAX) {
        return OF_ERROR_BAC_BAD_OUT_PORT;
    }
    *port = wire;
    return 0;
}

const struct field_oxm *
of_oxm_for(const struct field_info *f, enum of_version version)
{
    const struct field_oxm *last = NULL;
    for (int i = 0; i < FIELD_MAX_OXM && f->oxm[i].name; i++) {
        last = &f->oxm[i];
        if (last->version <= version) {
            break;
        }
    }
    return last;
}

static bool
is_tun_md(const struct field_info *f)
{
    return f->id >= FIELD_TUN_MD0 && f->id <= FIELD_TUN_MD63;
}

static void
put_header(const struct field_oxm *oxm, bool has_mask, size_t payload, struct str *out)
{
    size_t extra = oxm->experimenter ? 4 : 0;
    uint8_t h[8] = {oxm->oxm_class >> 8, (uint8_t) oxm->oxm_class,
                    (uint8_t) (oxm->number << 1 | has_mask), (uint8_t) (extra + payload)};
    be32_t experimenter = htobe32(oxm->experimenter);
    memcpy(h + 4, &experimenter, 4);
    str_add_n(out, h, 4 + extra);
}

void
of_oxm_header_encode(const struct field_info *f, bool has_mask, enum of_version version,
                     struct str *out)
{
    put_header(of_oxm_for(f, version), has_mask, has_mask ? f->n_bytes * 2 : f->n_bytes, out);
}

// A header as it stands on the wire.
struct header {
    uint16_t oxm_class;
    uint8_t number;
    bool has_mask;
    uint32_t experimenter;
    size_t len;     // of the header: 4 or 8
    size_t payload; // after it
};

static bool
read_header(const uint8_t *p, size_t len, struct header *h)
{
    if (len < 4) {
        return false;
    }
    h->oxm_class = p[0] << 8 | p[1];
    h->number = p[2] >> 1;
    h->has_mask = p[2] & 1;
    h->payload = p[3];
    h->experimenter = 0;
    h->len = 4;
    if (h->oxm_class == CLASS_EXPERIMENTER) {
        if (len < 8 || h->payload < 4) {
            return false;
        }
        h->experimenter = (uint32_t) p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7];
        h->len = 8;
        h->payload -= 4;
    }
    return true;
}

static const struct field_info *
find_field(const struct header *h)
{
    return field_by_oxm(h->oxm_class, h->number, h->experimenter);
}

static size_t
n_bytes_said(const struct header *h)
{
    return h->has_mask ? h->payload / 2 : h->payload;
}

// Every field has one length, but for tunnel metadata: with another one it isn't that field.
static int
check_header(const struct header *h, const struct field_info *f)
{
    size_t n = n_bytes_said(h);
    bool fits = is_tun_md(f) ? n <= f->n_bytes : n == f->n_bytes;
    if (!fits || (h->has_mask && (h->payload & 1))) {
        return OF_ERROR_BMC_BAD_FIELD;
    }
    return h->has_mask && f->masking == FIELD_EXACT_ONLY ? OF_ERROR_BMC_BAD_MASK : 0;
}

int
of_oxm_header_decode(const uint8_t **p, size_t *len, const struct field_info **f, bool *has_mask)
{
    struct header h;
    if (!read_header(*p, *len, &h)) {
        return OF_ERROR_BMC_BAD_LEN;
    }
    *p += h.len;
    *len -= h.len;
    *has_mask = h.has_mask;
    *f = find_field(&h);
    return *f ? check_header(&h, *f) : OF_ERROR_BMC_BAD_FIELD;
}

// Bytes of a field's value on the wire: tunnel metadata have as many as they were given.
static size_t
value_len(const struct field_info *f)
{
    struct field_tun_md md;
    return is_tun_md(f) && field_tun_md_find(f->id - FIELD_TUN_MD0, &md) ? md.len : f->n_bytes;
}

void
of_oxm_encode(const struct field_info *f, const union field_value *value,
              const union field_value *mask, enum of_version version, struct str *out)
{
    size_t n = value_len(f);
    if (is_tun_md(f) && mask && field_value_is_zero(f, mask)) {
        n = 0; // matches that the option is there
    }
    put_header(of_oxm_for(f, version), mask != NULL, mask ? n * 2 : n, out);
    str_add_n(out, value->b + FIELD_VALUE_BYTES - n, n);
    if (mask) {
        str_add_n(out, mask->b + FIELD_VALUE_BYTES - n, n);
    }
}

// Bits that the field doesn't have must be 0; ports below 1.0's reserved ones must exist.
static int
check_value(const struct of_oxm *x)
{
    const struct field_info *f = x->field;
    if (is_tun_md(f)) {
        return 0;
    }
    if (f->n_bytes <= 8) {
        uint64_t v = field_value_to_u64(f, &x->value);
        unsigned n = field_value_bits(f);
        uint32_t port;
        if (n < 64 && v >> n) {
            return OF_ERROR_BMC_BAD_VALUE;
        }
        if ((f->id == FIELD_IN_PORT_OXM && of_port_from_11((uint32_t) v, &port)) ||
            (f->id == FIELD_NW_TOS && v & 3)) {
            return OF_ERROR_BMC_BAD_VALUE;
        }
    }
    return 0;
}

static void
copy_masked(struct of_oxm *x, const struct header *h, const uint8_t *payload)
{
    size_t n = n_bytes_said(h), at = FIELD_VALUE_BYTES - n;
    memset(&x->value, 0, sizeof x->value);
    memcpy(x->value.b + at, payload, n);
    if (h->has_mask) {
        memset(&x->mask, 0, sizeof x->mask);
        memcpy(x->mask.b + at, payload + n, n);
    } else {
        field_value_exact(x->field, &x->mask);
    }
}

static bool
has_bits_outside_mask(const struct header *h, const uint8_t *payload)
{
    size_t n = n_bytes_said(h);
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) {
        any |= payload[i] & ~payload[n + i];
    }
    return any;
}

int
of_oxm_decode(const uint8_t **p, size_t *len, struct of_oxm *x)
{
    struct header h;
    if (!read_header(*p, *len, &h) || h.len + h.payload > *len) {
        return OF_ERROR_BMC_BAD_LEN;
    }
    const uint8_t *payload = *p + h.len;
    *p += h.len + h.payload;
    *len -= h.len + h.payload;
    x->has_mask = h.has_mask;
    x->field = find_field(&h);
    if (h.has_mask && has_bits_outside_mask(&h, payload)) {
        return OF_ERROR_BMC_BAD_WILDCARDS;
    }
    if (!x->field) {
        return OF_ERROR_BMC_BAD_FIELD;
    }
    const int bad = check_header(&h, x->field);
    if (bad && bad != OF_ERROR_BMC_BAD_MASK) {
        return bad;
    }
    copy_masked(x, &h, payload);
    const int error = check_value(x);
    return error ? error : bad;
}

// --- Lists. ---

static bool
take_cookie(const uint8_t **p, size_t *len, struct of_cookie *cookie)
{
    struct header h;
    if (!read_header(*p, *len, &h) || h.oxm_class != CLASS_NXM1 || h.number != NXM_COOKIE ||
        h.payload != (h.has_mask ? 16 : 8) || 4 + h.payload > *len) {
        return false;
    }
    memcpy(&cookie->value, *p + 4, 8);
    cookie->mask = UINT64_MAX;
    if (h.has_mask) {
        memcpy(&cookie->mask, *p + 12, 8);
    }
    *p += 4 + h.payload;
    *len -= 4 + h.payload;
    return true;
}

// vlan_vid says whether there is a tag, what it is, or both: 0 without a mask means no tag at all.
static int
check_vlan_vid(const struct of_oxm *x)
{
    uint64_t v = field_value_to_u64(x->field, &x->value),
             m = field_value_to_u64(x->field, &x->mask);
    if (m >> 13) {
        return OF_ERROR_BMC_BAD_MASK;
    }
    return (m & 0x1000) && !(v & 0x1000) && v ? OF_ERROR_BMC_BAD_VALUE : 0;
}

static int
add_field(struct flow_match *match, const struct of_oxm *x, enum of_oxm_unknown unknown)
{
    const struct field_info *f = x->field;
    union field_value before;
    if (unknown == OF_OXM_REFUSE_UNKNOWN && !field_prereqs_met(f, &match->key, NULL)) {
        return OF_ERROR_BMC_BAD_PREREQ;
    }
    field_read_mask(f, &match->mask, &before);
    if (!field_value_is_zero(f, &before)) {
        return OF_ERROR_BMC_DUP_FIELD;
    }
    int error = f->id == FIELD_VLAN_VID ? check_vlan_vid(x) : 0;
    if (!error) {
        match_put(match, f, &x->value, x->has_mask ? &x->mask : NULL);
    }
    return error;
}

int
of_oxm_match_decode(const void *data, size_t len, enum of_oxm_unknown unknown,
                    struct flow_match *match, struct of_cookie *cookie)
{
    const uint8_t *p = data;
    struct of_oxm x;
    match_init_any(match);
    if (cookie) {
        *cookie = (struct of_cookie){0, 0};
    }
    while (len) {
        if (cookie && take_cookie(&p, &len, cookie)) {
            continue;
        }
        int error = of_oxm_decode(&p, &len, &x);
        if (error == OF_ERROR_BMC_BAD_FIELD && unknown == OF_OXM_SKIP_UNKNOWN) {
            continue;
        }
        error = error ? error : add_field(match, &x, unknown);
        if (error) {
            return error;
        }
    }
    match_update_used(match);
    return 0;
}

// --- Encoding. ---

static void
put_field(const struct flow_match *match, enum field_id id, enum of_version version,
          struct str *out)
{
    const struct field_info *f = field_get(id);
    union field_value value, mask;
    field_read_mask(f, &match->mask, &mask);
    bool none = field_value_is_zero(f, &mask);
    if (none && !is_tun_md(f)) {
        return;
    }
    field_read(f, &match->key, &value);
    bool whole = f->masking == FIELD_EXACT_ONLY || field_value_is_exact(f, &mask);
    // tun_flags has room for flags to come: what is asked about is always said.
    of_oxm_encode(f, &value, whole && id != FIELD_TUN_FLAGS ? NULL : &mask, version, out);
}

// No tag; a tag with this id; any tag. The priority follows when it matters.
static void
put_vlan_oxm(const struct flow_match *match, enum of_version version, struct str *out)
{
    uint16_t mask = be16toh(match->mask.vlan[0].tci), tci = be16toh(match->key.vlan[0].tci);
    if (mask & 0x1fff) {
        put_field(match, FIELD_VLAN_VID, version, out);
    }
    if ((mask & 0xe000) == 0xe000 && tci & FLOW_VLAN_PRESENT) {
        put_field(match, FIELD_VLAN_PCP, version, out);
    }
}

// Fields that don't go out as their row says, by version. False: nothing special about it.
static bool
put_irregular(const struct flow_match *match, enum field_id id, enum of_version version,
              struct str *out)
{
    bool oxm = version != OF_10;
    switch (id) {
    case FIELD_IN_PORT:
        put_field(match, oxm ? FIELD_IN_PORT_OXM : FIELD_IN_PORT, version, out);
        return true;
    case FIELD_VLAN_VID:
        if (oxm) {
            put_vlan_oxm(match, version, out);
        } else {
            put_field(match, FIELD_VLAN_TCI, version, out);
        }
        return true;
    case FIELD_VLAN_PCP: // went out with the id, unless there was none
        if (!field_set_has(&match->used, FIELD_VLAN_VID)) {
            put_irregular(match, FIELD_VLAN_VID, version, out);
        }
        return true;
    case FIELD_NW_TOS:
        if (match->mask.nw_tos & 0xfc) {
            put_field(match, oxm ? FIELD_IP_DSCP : FIELD_NW_TOS, version, out);
        }
        put_field(match, FIELD_NW_ECN, version, out);
        return true;
    default:
        return false;
    }
}

// OpenFlow 1.5 pairs the registers.
static void
put_register(const struct flow_match *match, enum field_id id, enum of_version version,
             struct str *out)
{
    unsigned n = id - FIELD_REG0;
    if (version < OF_15) {
        put_field(match, id, version, out);
    } else if (!(n & 1) || !field_set_has(&match->used, id - 1)) {
        put_field(match, FIELD_XREG0 + n / 2, version, out);
    }
}

size_t
of_oxm_match_encode(const struct flow_match *match, enum of_version version,
                    const struct of_cookie *cookie, struct str *out)
{
    size_t start = out->len;
    for (size_t w = 0; w < ARRAY_SIZE(match->used.w); w++) {
        for (uint64_t bits = match->used.w[w]; bits; bits &= bits - 1) {
            enum field_id id = w * 64 + __builtin_ctzll(bits);
            if (id >= FIELD_REG0 && id <= FIELD_REG15) {
                put_register(match, id, version, out);
            } else if (!put_irregular(match, id, version, out) && field_get(id)->oxm[0].name) {
                put_field(match, id, version, out);
            }
        }
    }
    if (cookie && cookie->mask) {
        static const struct field_oxm name = {"NXM_NX_COOKIE", CLASS_NXM1, NXM_COOKIE, 0, 0};
        bool masked = cookie->mask != UINT64_MAX;
        put_header(&name, masked, masked ? 16 : 8, out);
        of_put_be64(out, cookie->value);
        str_add_n(out, &cookie->mask, masked ? 8 : 0);
    }
    return out->len - start;
}
