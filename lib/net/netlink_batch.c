// SPDX-License-Identifier: Apache-2.0
// Netlink messages, written one behind the other into memory that is kept for the next batch. See
// netlink.h.
//
// Reference: linux/netlink.h (struct nlmsghdr, struct nlattr). Paddings are zero: a batch's bytes
// depend on nothing but what was put.
#include "lib/net/netlink.h"

#include <linux/netlink.h>
#include <stdlib.h>

void
nlk_batch_init(struct nlk_batch *b)
{
    memset(b, 0, sizeof *b);
}

void
nlk_batch_free(struct nlk_batch *b)
{
    free(b->data);
    nlk_batch_init(b);
}

void
nlk_batch_clear(struct nlk_batch *b)
{
    b->len = b->msg = b->n = 0;
}

// `size` bytes at the end, the rest of the last four zeroed.
static void *
extend(struct nlk_batch *b, size_t size)
{
    const size_t aligned = NLMSG_ALIGN(size);
    if (b->cap - b->len < aligned) {
        b->cap = MAX(b->cap * 2, ROUND_UP(b->len + aligned, 4096));
        b->data = base_realloc(b->data, b->cap);
    }
    uint8_t *p = b->data + b->len;
    if (aligned != size) {
        memset(p + aligned - 4, 0, 4);
    }
    b->len += aligned;
    return p;
}

static void
update_length(struct nlk_batch *b)
{
    struct nlmsghdr *h = (struct nlmsghdr *) (void *) (b->data + b->msg);
    h->nlmsg_len = b->len - b->msg;
}

void *
nlk_begin(struct nlk_batch *b, uint16_t type, uint16_t flags, size_t size)
{
    const size_t at = b->len;
    struct nlmsghdr *h = extend(b, sizeof *h + size);

    memset(h, 0, sizeof *h + size);
    h->nlmsg_type = type;
    h->nlmsg_flags = flags | NLM_F_REQUEST;
    b->msg = at;
    b->n++;
    update_length(b);
    return h + 1;
}

static void *
put(struct nlk_batch *b, uint16_t type, size_t len)
{
    if (len > UINT16_MAX - sizeof(struct nlattr)) {
        abort(); // the caller's to check
    }
    struct nlattr *a = extend(b, sizeof *a + len);
    a->nla_type = type;
    a->nla_len = sizeof *a + len;
    update_length(b);
    return a + 1;
}

void
nlk_put(struct nlk_batch *b, uint16_t type, const void *data, size_t len)
{
    void *p = put(b, type, len);
    if (len) {
        memcpy(p, data, len);
    }
}

void *
nlk_put_zero(struct nlk_batch *b, uint16_t type, size_t len)
{
    return memset(put(b, type, len), 0, len);
}

void
nlk_put_flag(struct nlk_batch *b, uint16_t type)
{
    put(b, type, 0);
}

void
nlk_put_u8(struct nlk_batch *b, uint16_t type, uint8_t v)
{
    nlk_put(b, type, &v, sizeof v);
}

void
nlk_put_u16(struct nlk_batch *b, uint16_t type, uint16_t v)
{
    nlk_put(b, type, &v, sizeof v);
}

void
nlk_put_u32(struct nlk_batch *b, uint16_t type, uint32_t v)
{
    nlk_put(b, type, &v, sizeof v);
}

void
nlk_put_u64(struct nlk_batch *b, uint16_t type, uint64_t v)
{
    nlk_put(b, type, &v, sizeof v);
}

void
nlk_put_str(struct nlk_batch *b, uint16_t type, const char *s)
{
    nlk_put(b, type, s, strlen(s) + 1);
}

size_t
nlk_nest(struct nlk_batch *b, uint16_t type)
{
    const size_t at = b->len;
    put(b, type | NLA_F_NESTED, 0);
    return at;
}

bool
nlk_nest_end(struct nlk_batch *b, size_t nest)
{
    struct nlattr *a = (struct nlattr *) (void *) (b->data + nest);
    const size_t len = b->len - nest;
    a->nla_len = MIN(len, UINT16_MAX);
    return len <= UINT16_MAX;
}

void
nlk_cancel(struct nlk_batch *b)
{
    // The message before it is found by walking: cancelling is rare, remembering costs every
    // message.
    size_t at = 0, last = 0;
    while (at < b->msg) {
        struct nlmsghdr *h = (struct nlmsghdr *) (void *) (b->data + at);
        last = at;
        at += NLMSG_ALIGN(h->nlmsg_len);
    }
    b->len = b->msg;
    b->msg = last;
    b->n--;
}
