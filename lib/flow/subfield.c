// SPDX-License-Identifier: Apache-2.0
// Parts of fields: reading and writing a run of bits of a field's value.
#include "lib/flow/field.h"

#include <string.h>

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
