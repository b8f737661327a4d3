// SPDX-License-Identifier: Apache-2.0
// Attributes of a netlink message, read: tables by type, walks in order, values. Never trusts a
// length. See netlink.h.
//
// Reference: linux/netlink.h (struct nlattr, NLA_ALIGN).
#include "lib/net/netlink.h"

#include <errno.h>
#include <linux/netlink.h>

bool
nlk_next(const void *attrs, size_t len, size_t *pos, struct nlk_attr *attr, int *error)
{
    struct nlattr head;

    if (*pos >= len) {
        return false;
    }
    const uint8_t *at = (const uint8_t *) attrs + *pos;
    const size_t left = len - *pos;
    if (left >= sizeof head) {
        memcpy(&head, at, sizeof head);
        if (head.nla_len >= sizeof head && head.nla_len <= left) {
            attr->type = head.nla_type & NLA_TYPE_MASK;
            attr->len = head.nla_len - sizeof head;
            attr->data = at + sizeof head;
            *pos +=
                MIN(NLA_ALIGN((size_t) head.nla_len), left); // the last one may lack its padding
            return true;
        }
    }
    if (error) {
        *error = -EBADMSG;
    }
    *pos = len;
    return false;
}

int
nlk_parse(const void *attrs, size_t len, struct nlk_attr table[], size_t n)
{
    struct nlk_attr a;
    size_t pos = 0;
    int error = 0;

    memset(table, 0, n * sizeof *table);
    while (nlk_next(attrs, len, &pos, &a, &error)) {
        if (a.type < n) {
            table[a.type] = a;
        }
    }
    return error;
}

int
nlk_parse_nested(const struct nlk_attr *a, struct nlk_attr table[], size_t n)
{
    return nlk_parse(a->data, a->data ? a->len : 0, table, n);
}

uint8_t
nlk_u8(const struct nlk_attr *a)
{
    return a->data && a->len >= 1 ? *(const uint8_t *) a->data : 0;
}

uint16_t
nlk_u16(const struct nlk_attr *a)
{
    uint16_t v = 0;
    if (a->data && a->len >= sizeof v) {
        memcpy(&v, a->data, sizeof v);
    }
    return v;
}

uint32_t
nlk_u32(const struct nlk_attr *a)
{
    uint32_t v = 0;
    if (a->data && a->len >= sizeof v) {
        memcpy(&v, a->data, sizeof v);
    }
    return v;
}

uint64_t
nlk_u64(const struct nlk_attr *a)
{
    uint64_t v = 0;
    if (a->data && a->len >= sizeof v) {
        memcpy(&v, a->data, sizeof v);
        return v;
    }
    return nlk_u32(a);
}

const char *
nlk_str(const struct nlk_attr *a)
{
    return a->data && memchr(a->data, 0, a->len) ? a->data : "";
}
