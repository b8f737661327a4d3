// SPDX-License-Identifier: Apache-2.0
// The field table in memory, look-ups in it, and access to a field's bits in a key or mask.
//
// The table is constant. Its two indexes (by name, by code point) are filled by a constructor before
// main() and only read afterwards.
#include "lib/flow/field.h"

#include <string.h>

#include "lib/base/hash.h"

#define NAME(text, alias_) .name = text, .alias = alias_
#define PLACE(how, member, shift_, width_, bits, bytes)                                            \
    .place = how, .offset = offsetof(struct flow_key, member), .shift = shift_, .width = width_,   \
    .size = MAX((width_) / 8, MEMBER_SIZE(struct flow_key, member)), .n_bits = bits, .n_bytes = bytes
#define AT(...) PLACE(FIELD_AT, __VA_ARGS__)
#define SHARED(...) PLACE(FIELD_SHARED, __VA_ARGS__)
#define VIEW(...) PLACE(FIELD_VIEW, __VA_ARGS__)
#define RULES(mask, fmt, pre, acc)                                                                 \
    .masking = FIELD_##mask, .format = FIELD_FMT_##fmt, .prereq = FIELD_PRE_##pre, .access = FIELD_##acc
#define OXM(...) .oxm = {__VA_ARGS__}
#define OXM_OF(n, num, ver) {"OXM_OF_" #n, 0x8000, num, ver, 0},
#define OXM_PKT_REG(n, num, ver) {"OXM_OF_PKT_REG" #n, 0x8001, num, ver, 0},
#define NXM_OF(n, num, ver) {"NXM_OF_" #n, 0x0000, num, ver, 0},
#define NXM_NX(n, num, ver) {"NXM_NX_" #n, 0x0001, num, ver, 0},
#define ERICOXM_OF(n, num, ver) {"ERICOXM_OF_" #n, 0x1000, num, ver, 0},
#define ONFOXM_ET(n, num, ver) {"ONFOXM_ET_" #n, 0xffff, num, ver, 0x4f4e4600},
#define NXOXM_ET(n, num, ver) {"NXOXM_ET_" #n, 0xffff, num, ver, 0x00002320},
#define NXOXM_NSH(n, num, ver) {"NXOXM_NSH_" #n, 0xffff, num, ver, 0x005ad650},

static const struct field_info fields[FIELD_COUNT] = {
#define FIELD(ID, NAME_, AT_, RULES_, OXM_, KERNEL_, FLOWER_, PEDIT_, ODP_)                        \
    [FIELD_##ID] = {.id = FIELD_##ID, NAME_, AT_, RULES_, OXM_},
#include "lib/flow/fields.def"
#undef FIELD
};

const struct field_info *
field_get(enum field_id id)
{
    return &fields[id];
}

// By name: open addressing, at most half full.
#define NAME_SLOTS 2048
struct name_slot {
    const char *name;
    uint8_t len;
    uint16_t field;
};
static struct name_slot by_name[NAME_SLOTS];

// By code point: one table of numbers for each class; FIELD_COUNT where there is none.
enum { CLASS_NXM0, CLASS_NXM1, CLASS_ERIC, CLASS_OXM, CLASS_REG, CLASS_ONF, CLASS_NX, CLASS_NSH, N_CLASSES };
static uint16_t by_oxm[N_CLASSES][128];

static uint32_t
name_hash(const char *name, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (uint8_t) name[i]) * 16777619u;
    }
    return h ^ h >> 15;
}

static void
name_insert(const char *name, enum field_id id)
{
    size_t len = strlen(name);
    uint32_t i = name_hash(name, len) % NAME_SLOTS;
    while (by_name[i].name) {
        i = (i + 1) % NAME_SLOTS;
    }
    by_name[i] = (struct name_slot){name, (uint8_t) len, (uint16_t) id};
}

const struct field_info *
field_by_name(const char *name, size_t len)
{
    for (uint32_t i = name_hash(name, len) % NAME_SLOTS; by_name[i].name; i = (i + 1) % NAME_SLOTS) {
        if (by_name[i].len == len && !memcmp(by_name[i].name, name, len)) {
            return &fields[by_name[i].field];
        }
    }
    return NULL;
}

static int
class_index(uint16_t oxm_class, uint32_t experimenter)
{
    switch (oxm_class) {
    case 0x0000:
        return CLASS_NXM0;
    case 0x0001:
        return CLASS_NXM1;
    case 0x1000:
        return CLASS_ERIC;
    case 0x8000:
        return CLASS_OXM;
    case 0x8001:
        return CLASS_REG;
    case 0xffff:
        return experimenter == 0x4f4e4600   ? CLASS_ONF
               : experimenter == 0x00002320 ? CLASS_NX
               : experimenter == 0x005ad650 ? CLASS_NSH
                                            : -1;
    default:
        return -1;
    }
}

const struct field_info *
field_by_oxm(uint16_t oxm_class, uint8_t number, uint32_t experimenter)
{
    int c = class_index(oxm_class, experimenter);
    if (c < 0 || number > 127 || by_oxm[c][number] == FIELD_COUNT) {
        return NULL;
    }
    return &fields[by_oxm[c][number]];
}

__attribute__((constructor)) static void
index_fields(void)
{
    for (int c = 0; c < N_CLASSES; c++) {
        for (int n = 0; n < 128; n++) {
            by_oxm[c][n] = FIELD_COUNT;
        }
    }
    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = &fields[id];
        if (f->access == FIELD_INTERNAL) {
            continue;
        }
        name_insert(f->name, f->id);
        if (f->alias) {
            name_insert(f->alias, f->id);
        }
        for (int i = 0; i < FIELD_MAX_OXM && f->oxm[i].name; i++) {
            name_insert(f->oxm[i].name, f->id);
            by_oxm[class_index(f->oxm[i].oxm_class, f->oxm[i].experimenter)][f->oxm[i].number] = id;
        }
    }
}

// Access. Most fields are numbers of at most 64 bits inside a member of at most 8 bytes, or whole
// members of 16 bytes. Irregular: in_port, VLAN, nw_tos, tun_metadata.

static uint64_t
low_bits(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static uint64_t
load(const uint8_t *p, size_t size)
{
    uint64_t v = 0;
    switch (size) {
    case 1:
        return *p;
    case 2:
        return (uint64_t) p[0] << 8 | p[1];
    case 4: {
        be32_t x;
        memcpy(&x, p, 4);
        return be32toh(x);
    }
    case 8: {
        be64_t x;
        memcpy(&x, p, 8);
        return be64toh(x);
    }
    default:
        for (size_t i = 0; i < size; i++) {
            v = v << 8 | p[i];
        }
        return v;
    }
}

static void
store(uint8_t *p, size_t size, uint64_t v)
{
    for (size_t i = size; i-- > 0; v >>= 8) {
        p[i] = (uint8_t) v;
    }
}

// Bits of the member that stand for the field; VLAN fields include the bit that says the tag is there.
static uint64_t
member_bits(const struct field_info *f)
{
    switch (f->id) {
    case FIELD_VLAN_PCP:
    case FIELD_DL_VLAN_PCP:
        return 0xf000;
    case FIELD_NW_TOS:
        return 0xfc;
    default:
        return low_bits(f->width) << f->shift;
    }
}

static bool
is_tun_md(const struct field_info *f)
{
    return f->id >= FIELD_TUN_MD0 && f->id <= FIELD_TUN_MD63;
}

static uint64_t
value_low(const union field_value *v)
{
    return be64toh(v->be64[15]);
}

// Member → OpenFlow value, fields of at most 64 bits.
static uint64_t
value_from_member(const struct field_info *f, uint64_t m)
{
    switch (f->id) {
    case FIELD_IN_PORT:
        return m & 0xffff; // 0xffffff00 … 0xffffffff are 0xff00 … 0xffff in OpenFlow 1.0
    case FIELD_DL_VLAN:
        return m & FLOW_VLAN_PRESENT ? m & 0xfff : 0xffff;
    case FIELD_NW_TOS:
        return m & 0xfc;
    default:
        return m >> f->shift & low_bits(f->width);
    }
}

// OpenFlow value → bits of the member.
static uint64_t
member_from_value(const struct field_info *f, uint64_t v)
{
    switch (f->id) {
    case FIELD_IN_PORT:
        v &= 0xffff;
        return v >= 0xff00 ? v | 0xffff0000 : v;
    case FIELD_DL_VLAN:
        return v == 0xffff ? 0 : (v & 0xfff) | FLOW_VLAN_PRESENT;
    case FIELD_VLAN_PCP:
    case FIELD_DL_VLAN_PCP:
        return (v & 7) << 13 | FLOW_VLAN_PRESENT;
    case FIELD_NW_TOS:
        return v & 0xfc;
    default:
        return (v & low_bits(f->width)) << f->shift;
    }
}

// Mask of the member → mask of the OpenFlow value: for exact-only fields, all or nothing.
static uint64_t
value_mask_from_member(const struct field_info *f, uint64_t m)
{
    uint64_t bits = member_bits(f);
    if (f->masking == FIELD_EXACT_ONLY && (m & bits) == bits) {
        return low_bits(f->n_bytes * 8);
    }
    if (f->id == FIELD_NW_TOS) {
        return m & 0xfc;
    }
    return m >> f->shift & low_bits(f->width);
}

static uint64_t
member_mask_from_value(const struct field_info *f, uint64_t v)
{
    uint64_t bits = member_bits(f);
    if (f->masking == FIELD_EXACT_ONLY) {
        return v ? bits : 0;
    }
    return (v << f->shift) & bits;
}

static void
tun_md_read(const struct field_info *f, const uint8_t *base, union field_value *out)
{
    struct field_tun_md md;
    if (field_tun_md_find(f->id - FIELD_TUN_MD0, &md)) {
        memcpy(out->b + FIELD_VALUE_BYTES - md.len, base + offsetof(struct flow_key, tun_md) + md.ofs, md.len);
    }
}

static void
tun_md_write(const struct field_info *f, uint8_t *base, const union field_value *v, bool present)
{
    struct field_tun_md md;
    unsigned n = f->id - FIELD_TUN_MD0;
    if (field_tun_md_find(n, &md)) {
        be64_t bit = htobe64(UINT64_C(1) << n);
        struct flow_key *k = (struct flow_key *) (void *) base;
        memcpy(k->tun_md + md.ofs, v->b + FIELD_VALUE_BYTES - md.len, md.len);
        k->tun_md_present = present ? k->tun_md_present | bit : k->tun_md_present & ~bit;
    }
}

static bool
is_big(const struct field_info *f)
{
    return f->size > 8;
}

void
field_read(const struct field_info *f, const struct flow_key *key, union field_value *out)
{
    const uint8_t *p = (const uint8_t *) key + f->offset;
    memset(out, 0, sizeof *out);
    if (is_tun_md(f)) {
        tun_md_read(f, (const uint8_t *) key, out);
    } else if (is_big(f)) {
        memcpy(out->b + FIELD_VALUE_BYTES - f->size, p, f->size);
    } else {
        out->be64[15] = htobe64(value_from_member(f, load(p, f->size)));
    }
}

void
field_write(const struct field_info *f, struct flow_key *key, const union field_value *v)
{
    uint8_t *p = (uint8_t *) key + f->offset;
    if (is_tun_md(f)) {
        tun_md_write(f, (uint8_t *) key, v, true);
    } else if (is_big(f)) {
        memcpy(p, v->b + FIELD_VALUE_BYTES - f->size, f->size);
    } else {
        uint64_t bits = f->id == FIELD_DL_VLAN && value_low(v) == 0xffff ? 0xffff : member_bits(f);
        store(p, f->size, (load(p, f->size) & ~bits) | member_from_value(f, value_low(v)));
    }
}

void
field_read_mask(const struct field_info *f, const struct flow_mask *mask, union field_value *out)
{
    const uint8_t *p = (const uint8_t *) mask + f->offset;
    memset(out, 0, sizeof *out);
    if (is_tun_md(f)) {
        tun_md_read(f, (const uint8_t *) mask, out);
    } else if (is_big(f)) {
        memcpy(out->b + FIELD_VALUE_BYTES - f->size, p, f->size);
    } else {
        out->be64[15] = htobe64(value_mask_from_member(f, load(p, f->size)));
    }
}

void
field_write_mask(const struct field_info *f, struct flow_mask *mask, const union field_value *v)
{
    uint8_t *p = (uint8_t *) mask + f->offset;
    if (is_tun_md(f)) {
        tun_md_write(f, (uint8_t *) mask, v, !field_value_is_zero(f, v));
    } else if (is_big(f)) {
        memcpy(p, v->b + FIELD_VALUE_BYTES - f->size, f->size);
    } else {
        store(p, f->size, (load(p, f->size) & ~member_bits(f)) | member_mask_from_value(f, value_low(v)));
    }
}

void
field_mask_exact(const struct field_info *f, struct flow_mask *mask)
{
    uint8_t *p = (uint8_t *) mask + f->offset;
    struct field_tun_md md;
    if (is_tun_md(f)) {
        unsigned n = f->id - FIELD_TUN_MD0;
        if (field_tun_md_find(n, &md)) {
            memset(mask->tun_md + md.ofs, 0xff, md.len);
            mask->tun_md_present |= htobe64(UINT64_C(1) << n);
        }
    } else if (is_big(f)) {
        memset(p, 0xff, f->size);
    } else {
        store(p, f->size, load(p, f->size) | member_bits(f));
    }
}

void
field_write_masked(const struct field_info *f, struct flow_key *key, const union field_value *value,
                   const union field_value *mask)
{
    union field_value old;
    field_read(f, key, &old);
    for (size_t i = FIELD_VALUE_BYTES - f->n_bytes; i < FIELD_VALUE_BYTES; i++) {
        old.b[i] = (old.b[i] & ~mask->b[i]) | (value->b[i] & mask->b[i]);
    }
    field_write(f, key, &old);
}

bool
field_value_is_zero(const struct field_info *f, const union field_value *v)
{
    uint8_t any = 0;
    for (size_t i = FIELD_VALUE_BYTES - f->n_bytes; i < FIELD_VALUE_BYTES; i++) {
        any |= v->b[i];
    }
    return !any;
}

unsigned
field_value_bits(const struct field_info *f)
{
    struct field_tun_md md;
    if (is_tun_md(f)) {
        return field_tun_md_find(f->id - FIELD_TUN_MD0, &md) ? md.len * 8 : 0;
    }
    return f->id == FIELD_VLAN_VID || f->id == FIELD_VLAN2_VID ? 13 : f->n_bits;
}

bool
field_value_is_exact(const struct field_info *f, const union field_value *v)
{
    unsigned n = field_value_bits(f);
    size_t i = FIELD_VALUE_BYTES;
    for (; n >= 8; n -= 8) {
        if (v->b[--i] != 0xff) {
            return false;
        }
    }
    uint8_t top = (uint8_t) low_bits(n);
    return !n || (v->b[i - 1] & top) == top;
}

void
field_value_exact(const struct field_info *f, union field_value *v)
{
    unsigned n = field_value_bits(f);
    memset(v, 0, sizeof *v);
    memset(v->b + FIELD_VALUE_BYTES - n / 8, 0xff, n / 8);
    if (n % 8) {
        v->b[FIELD_VALUE_BYTES - n / 8 - 1] = (uint8_t) low_bits(n % 8);
    }
}

void
field_value_from_u64(const struct field_info *f, uint64_t x, union field_value *v)
{
    memset(v, 0, sizeof *v);
    v->be64[15] = htobe64(f->n_bytes < 8 ? x & low_bits(f->n_bytes * 8) : x);
}

uint64_t
field_value_to_u64(const struct field_info *f FB_UNUSED, const union field_value *v)
{
    return value_low(v);
}
