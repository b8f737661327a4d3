// SPDX-License-Identifier: Apache-2.0
// Where tun_metadata0 … 63 live in struct flow_key: the TLV table that is in force for this thread. Without
// one, each field has 4 bytes of its own.
#include "lib/flow/field.h"

static _Thread_local const struct field_tun_md_map *current;

const struct field_tun_md_map *
field_tun_md_use(const struct field_tun_md_map *map)
{
    const struct field_tun_md_map *old = current;
    current = map;
    return old;
}

bool
field_tun_md_find(unsigned n, struct field_tun_md *out)
{
    if (current) {
        *out = current->md[n];
    } else {
        *out = (struct field_tun_md){.ofs = (uint16_t) (n * 4), .len = 4};
    }
    return out->len != 0;
}
