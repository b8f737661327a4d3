// SPDX-License-Identifier: Apache-2.0
// The KERNEL column of the field table: which part of which OVS_KEY_ATTR_* is a member of the flow
// key, and the conversion between them. Rows are grouped by attribute once, before main();
// afterwards everything here is read-only.
//
// Kernel masks name significant bits only, ours are exact when all bits of the member are set: bits
// past a field's significance are cut on the way out, and set on the way in when the field is
// exact.
#include <stdlib.h>

#include "kdatapath/kd_codec.h"

enum conv { CONV_BE, CONV_HOST, CONV_FRAG, CONV_LABEL };

struct part {
    uint8_t attr;    // OVS_KEY_ATTR_*; 0: none
    uint8_t at, len; // bytes inside the attribute; len 0: as long as the member
    uint8_t size;    // of the attribute; 0: len
    uint8_t conv;
};

struct row {
    struct part part[2]; // for IPv4 or any; for IPv6
    uint8_t tunnel;      // OVS_TUNNEL_KEY_ATTR_* + 1; 0: none
    bool irregular;
};

#define PART(A, S, M)                                                                              \
    {                                                                                              \
        OVS_KEY_ATTR_##A, offsetof(struct ovs_key_##S, M), MEMBER_SIZE(struct ovs_key_##S, M),     \
            sizeof(struct ovs_key_##S), CONV_BE                                                    \
    }
#define KERNEL(A) .part = {{.attr = OVS_KEY_ATTR_##A, .conv = CONV_BE}}
#define KERNEL_HOST(A) .part = {{.attr = OVS_KEY_ATTR_##A, .conv = CONV_HOST}}
#define KERNEL_PART(A, S, M) .part = {PART(A, S, M)}
#define KERNEL_EITHER(A4, S4, M4, A6, S6, M6) .part = {PART(A4, S4, M4), PART(A6, S6, M6)}
#define KERNEL_TUN(A) .tunnel = OVS_TUNNEL_KEY_ATTR_##A + 1
#define KERNEL_FN(A) .irregular = true
#define KERNEL_NONE .irregular = false

static const struct row rows[FIELD_COUNT] = {
#define FIELD(ID, NAME_, AT_, RULES_, OXM_, KERNEL_, FLOWER_, PEDIT_, ODP_)                        \
    [FIELD_##ID] = {KERNEL_},
#include "lib/flow/fields.def"
#undef FIELD
};

// A part with everything that its row and the field table know.
struct place {
    uint16_t offset; // in the key
    uint8_t member;  // bytes of it
    uint8_t at, len;
    uint8_t conv;
    bool plain;    // copied as it is
    uint64_t bits; // significant ones of the number
};

#define MAX_PLACES 8
static struct {
    uint8_t size, n;
    struct place place[MAX_PLACES];
} attrs[OVS_KEY_ATTR_MAX + 1];

static uint64_t
low_bits(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static void
add(const struct field_info *f, const struct part *p)
{
    const unsigned len = p->len ? p->len : f->size;
    unsigned bits = MIN(f->id == FIELD_IN_PORT ? 32 : f->n_bits, MIN(len, f->size) * 8);
    if (f->id == FIELD_CT_STATE) {
        bits = 8; // the kernel refuses others
    }

    if (attrs[p->attr].n == MAX_PLACES) {
        abort(); // a table's error: no build with it passes a test
    }
    attrs[p->attr].size = p->size ? p->size : len;
    attrs[p->attr].place[attrs[p->attr].n++] = (struct place){
        .offset = f->offset,
        .member = f->size,
        .at = p->at,
        .len = len,
        .conv = p->conv,
        .plain = p->conv == CONV_BE && len == f->size && (len > 8 || bits == len * 8),
        .bits = low_bits(bits),
    };
}

__attribute__((constructor)) static void
group_rows(void)
{
    static const struct part state = {.attr = OVS_KEY_ATTR_CT_STATE, .conv = CONV_HOST},
                             labels = {.attr = OVS_KEY_ATTR_CT_LABELS, .conv = CONV_LABEL};

    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = field_get(id);
        for (size_t i = 0; i < ARRAY_SIZE(rows[id].part); i++) {
            struct part p = rows[id].part[i];
            if (p.attr && f->place != FIELD_VIEW) {
                p.conv = id == FIELD_IP_FRAG ? CONV_FRAG : p.conv;
                add(f, &p);
            }
        }
    }
    add(field_get(FIELD_CT_STATE), &state);
    add(field_get(FIELD_CT_LABEL), &labels);
}

static uint64_t
load(const uint8_t *p, size_t n, bool host)
{
    uint64_t v = 0;
    if (host) {
        uint16_t v16;
        uint32_t v32;
        memcpy(&v16, p, 2);
        memcpy(&v32, p, n == 2 ? 2 : 4);
        return n == 2 ? v16 : v32;
    }
    for (size_t i = 0; i < n; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

static void
store(uint8_t *p, size_t n, uint64_t v, bool host)
{
    if (host) {
        const uint16_t v16 = v;
        const uint32_t v32 = v;
        memcpy(p, n == 2 ? (const void *) &v16 : (const void *) &v32, n);
        return;
    }
    for (size_t i = n; i-- > 0; v >>= 8) {
        p[i] = v;
    }
}

// OVS_FRAG_TYPE_* counts 0 none, 1 first, 2 later; we have a bit for "a fragment" and one for "a
// later one". Of masks, the kernel's bit 1 is our "later"; "a fragment" alone needs both.
static uint64_t
frag_out(uint64_t v, bool is_mask)
{
    if (is_mask) {
        return v & FLOW_FRAG_ANY ? 0xff : v & FLOW_FRAG_LATER ? 0x02 : 0;
    }
    return v & FLOW_FRAG_LATER ? OVS_FRAG_TYPE_LATER
           : v & FLOW_FRAG_ANY ? OVS_FRAG_TYPE_FIRST
                               : OVS_FRAG_TYPE_NONE;
}

static uint64_t
frag_in(uint64_t v, bool is_mask)
{
    if (is_mask) {
        return (v & 3) == 3 ? FLOW_FRAG_ANY | FLOW_FRAG_LATER
               : v & 2      ? FLOW_FRAG_LATER
               : v          ? FLOW_FRAG_ANY
                            : 0;
    }
    return v == OVS_FRAG_TYPE_LATER   ? FLOW_FRAG_ANY | FLOW_FRAG_LATER
           : v == OVS_FRAG_TYPE_FIRST ? FLOW_FRAG_ANY
                                      : 0;
}

void
kd_ct_label(const uint8_t in[16], uint8_t out[16])
{
#if __BYTE_ORDER == __LITTLE_ENDIAN
    for (int i = 0; i < 16; i++) {
        out[i] = in[15 - i];
    }
#else
    memmove(out, in, 16);
#endif
}

size_t
kd_attr_size(uint16_t attr)
{
    return attr <= OVS_KEY_ATTR_MAX ? attrs[attr].size : 0;
}

void
kd_attr_encode(uint16_t attr, const void *side, bool is_mask, uint8_t out[KD_ATTR_MAX_SIZE])
{
    memset(out, 0, attrs[attr].size);
    for (int i = 0; i < attrs[attr].n; i++) {
        const struct place *p = &attrs[attr].place[i];
        const uint8_t *member = (const uint8_t *) side + p->offset;
        if (p->plain) {
            memcpy(out + p->at, member, p->len);
        } else if (p->conv == CONV_LABEL) {
            kd_ct_label(member, out + p->at);
        } else {
            uint64_t v = load(member, p->member, false);
            v = p->conv == CONV_FRAG ? frag_out(v, is_mask) : v & p->bits;
            store(out + p->at, p->len, v, p->conv == CONV_HOST);
        }
    }
}

bool
kd_attr_decode(const struct nlk_attr *a, void *side, bool is_mask)
{
    if (a->len < attrs[a->type].size) {
        return false;
    }
    for (int i = 0; i < attrs[a->type].n; i++) {
        const struct place *p = &attrs[a->type].place[i];
        uint8_t *member = (uint8_t *) side + p->offset;
        const uint8_t *in = (const uint8_t *) a->data + p->at;
        if (p->plain) {
            memcpy(member, in, p->len);
        } else if (p->conv == CONV_LABEL) {
            kd_ct_label(in, member);
        } else {
            uint64_t v = load(in, p->len, p->conv == CONV_HOST);
            v = p->conv == CONV_FRAG ? frag_in(v, is_mask) : v & p->bits;
            if (is_mask && p->conv != CONV_FRAG && v == p->bits) {
                v = UINT64_MAX;
            }
            store(member, p->member, v, false);
        }
    }
    return true;
}

uint16_t
kd_field_attr(enum field_id id, be16_t eth_type)
{
    const struct row *r = &rows[id];
    return r->part[1].attr && eth_type == htobe16(0x86dd) ? r->part[1].attr : r->part[0].attr;
}

uint16_t
kd_field_tunnel_attr(enum field_id id)
{
    return rows[id].tunnel ? rows[id].tunnel - 1 : 0;
}

void
kd_fields_supported(struct field_set *s)
{
    memset(s, 0, sizeof *s);
    for (int id = 0; id < FIELD_COUNT; id++) {
        // Of the irregular ones, these are still without a function: options of Geneve, ERSPAN and
        // GTP-U tunnels.
        const bool missing = (id >= FIELD_TUN_MD0 && id <= FIELD_TUN_MD63) ||
                             (id >= FIELD_TUN_ERSPAN_IDX && id <= FIELD_TUN_GTPU_MSGTYPE);
        if ((rows[id].part[0].attr || rows[id].tunnel || rows[id].irregular) && !missing) {
            field_set_add(s, id);
        }
    }
}
