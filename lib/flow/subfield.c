// SPDX-License-Identifier: Apache-2.0
// Parts of fields: reading and writing a run of bits of a field's value, and their text,
// "NXM_NX_REG0[0..15]".
#include "lib/flow/field.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

#define VALUE_BITS (FIELD_VALUE_BYTES * 8)

// Bit 0 is the lowest of the big-endian number.
static bool
get_bit(const union field_value *v, unsigned i)
{
    return v->b[FIELD_VALUE_BYTES - 1 - i / 8] >> i % 8 & 1;
}

static void
put_bit(union field_value *v, unsigned i, bool on)
{
    uint8_t *b = &v->b[FIELD_VALUE_BYTES - 1 - i / 8];
    *b = (uint8_t) ((*b & ~(1u << i % 8)) | (unsigned) on << i % 8);
}

// dst[dst_ofs … + n) = src[src_ofs … + n).
static void
copy_bits(union field_value *dst, unsigned dst_ofs, const union field_value *src, unsigned src_ofs,
          unsigned n)
{
    while (n) {
        if (n >= 8 && !(dst_ofs % 8) && !(src_ofs % 8)) {
            dst->b[FIELD_VALUE_BYTES - 1 - dst_ofs / 8] =
                src->b[FIELD_VALUE_BYTES - 1 - src_ofs / 8];
            dst_ofs += 8, src_ofs += 8, n -= 8;
        } else {
            put_bit(dst, dst_ofs++, get_bit(src, src_ofs++));
            n--;
        }
    }
}

void
subfield_read(const struct subfield *sf, const struct flow_key *key, union field_value *out)
{
    union field_value whole;
    field_read(field_get(sf->field), key, &whole);
    memset(out, 0, sizeof *out);
    copy_bits(out, 0, &whole, sf->ofs, MIN(sf->n_bits, VALUE_BITS - sf->ofs));
}

void
subfield_write(const struct subfield *sf, struct flow_key *key, const union field_value *value)
{
    const struct field_info *f = field_get(sf->field);
    union field_value whole;
    field_read(f, key, &whole);
    copy_bits(&whole, sf->ofs, value, 0, MIN(sf->n_bits, VALUE_BITS - sf->ofs));
    field_write(f, key, &whole);
}

// The digits of a bit's number; false: something else.
static bool
parse_bit(const char **p, int *out)
{
    char *end;
    const long v = strtol(*p, &end, 10);
    if (end == *p || isspace((unsigned char) **p)) {
        return false;
    }
    *p = end;
    *out = (int) v;
    return true;
}

// "[]", "[5]", "[0..15]" at *p; false: a syntax error.
static bool
parse_range(const char **p, int *start, int *end)
{
    if (*++*p == ']') {
        ++*p;
        return true;
    }
    if (!parse_bit(p, start)) {
        return false;
    }
    *end = *start;
    if (!strncmp(*p, "..", 2)) {
        *p += 2;
        if (!parse_bit(p, end)) {
            return false;
        }
    }
    return *(*p)++ == ']';
}

char *
subfield_parse(const char **text, struct subfield *sf)
{
    const char *whole = *text, *p = whole;
    while (isalnum((unsigned char) *p) || *p == '_') {
        p++;
    }
    const struct field_info *f = field_by_name(whole, (size_t) (p - whole));
    if (!f) {
        return base_asprintf("%s: unknown field `%.*s'", whole, (int) strcspn(whole, "[-"), whole);
    }
    const int n = f->n_bits;
    int start = 0, end = n - 1;
    if (*p == '[' && !parse_range(&p, &start, &end)) {
        return base_asprintf("%s: syntax error expecting [] or [<bit>] or [<start>..<end>]", whole);
    }
    if (start > end) {
        return base_asprintf("%s: starting bit %d is after ending bit %d", whole, start, end);
    }
    if (start < 0 || start >= n) {
        return base_asprintf("%s: starting bit %d is not valid because field is only %d bits wide",
                             whole, start, n);
    }
    if (end >= n) {
        return base_asprintf("%s: ending bit %d is not valid because field is only %d bits wide",
                             whole, end, n);
    }
    *sf = (struct subfield){
        .field = f->id, .ofs = (uint16_t) start, .n_bits = (uint16_t) (end - start + 1)};
    *text = p;
    return NULL;
}

// The oldest code point's name: NXM before OXM; the field's own where there is none.
static const char *
oldest_name(const struct field_info *f)
{
    const struct field_oxm *oldest = &f->oxm[0];
    for (size_t i = 1; i < FIELD_MAX_OXM && f->oxm[i].name; i++) {
        if (f->oxm[i].version < oldest->version) {
            oldest = &f->oxm[i];
        }
    }
    return oldest->name ? oldest->name : f->name;
}

void
subfield_format(const struct subfield *sf, struct str *out)
{
    const struct field_info *f = field_get(sf->field);
    str_add(out, oldest_name(f));
    if (!sf->ofs && sf->n_bits == f->n_bits) {
        str_add(out, "[]");
    } else if (sf->n_bits == 1) {
        str_addf(out, "[%u]", sf->ofs);
    } else {
        str_addf(out, "[%u..%u]", sf->ofs, sf->ofs + sf->n_bits - 1u);
    }
}
