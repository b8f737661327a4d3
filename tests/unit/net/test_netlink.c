// SPDX-License-Identifier: Apache-2.0
// The netlink transport: bytes of built messages (golden: written by hand after linux/netlink.h),
// malformed attributes, and talks with this kernel's rtnetlink and generic netlink, which need no
// rights: large batches with a result for each request, dumps, extended errors.
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/net/netlink.h"

static void
build(void **state)
{
    static const uint8_t golden[] = {
        36,  0,   0, 0,    7, 0, 5, 0, 0,    0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, // header with
                                                                              // NLM_F_REQUEST |
                                                                              // NLM_F_ACK, family's
                                                                              // four bytes
        16,  0,   3, 0x80, 5, 0, 1, 0, 0xaa, 0, 0, 0, 4, 0, 2, 0, // nest(3) { u8(1) = 0xaa, flag(2)
                                                                  // }
        28,  0,   0, 0,    8, 0, 1, 0, 0,    0, 0, 0, 0, 0, 0, 0, 8, 0, 4, 0, 'a',
        'b', 'c', 0, 4,    0, 5, 0,
    };
    struct nlk_batch b;

    nlk_batch_init(&b);
    uint8_t *family = nlk_begin(&b, 7, NLM_F_ACK, 4);
    family[0] = 9;
    family[1] = 1;
    size_t nest = nlk_nest(&b, 3);
    nlk_put_u8(&b, 1, 0xaa);
    nlk_put_flag(&b, 2);
    assert_true(nlk_nest_end(&b, nest));
    nlk_begin(&b, 99, 0, 4);
    nlk_put_u64(&b, 1, 1);
    nlk_cancel(&b);
    nlk_begin(&b, 8, 0, 0);
    nlk_put_str(&b, 4, "abc");
    nlk_put(&b, 5, NULL, 0);
    assert_int_equal(b.n, 2);
    assert_int_equal(b.len, sizeof golden);
    assert_memory_equal(b.data, golden, sizeof golden);

    nlk_batch_clear(&b);
    nlk_begin(&b, 1, 0, 0);
    nest = nlk_nest(&b, 1);
    nlk_put_zero(&b, 1, 40000);
    nlk_put_zero(&b, 1, 40000);
    assert_false(nlk_nest_end(&b, nest));
    nlk_batch_free(&b);
}

static void
parse(void **state)
{
    static const uint8_t good[] = {5, 0,    1,    0x80, 0x11, 0, 0, 0, 6, 0,   2,
                                   0, 0x22, 0x33, 0,    0,    6, 0, 3, 0, 'x', 0};
    static const uint8_t too_long[] = {12, 0, 1, 0, 1, 2, 3, 4}, too_short[] = {3, 0, 1, 0},
                         rest[] = {4, 0, 1, 0, 9};
    struct nlk_attr t[4];

    assert_int_equal(nlk_parse(good, sizeof good, t, 4), 0);
    assert_int_equal(nlk_u8(&t[1]), 0x11);
    assert_int_equal(nlk_u32(&t[1]), 0);
    assert_int_equal(nlk_u16(&t[2]), 0x3322);
    assert_string_equal(nlk_str(&t[3]), "x");
    assert_string_equal(nlk_str(&t[2]), "");
    assert_null(t[0].data);
    assert_int_equal(nlk_parse(good, sizeof good, t, 2), 0); // the others are unknown
    assert_int_equal(nlk_parse(too_long, sizeof too_long, t, 4), -EBADMSG);
    assert_int_equal(nlk_parse(too_short, sizeof too_short, t, 4), -EBADMSG);
    assert_int_equal(nlk_parse(rest, sizeof rest, t, 4), -EBADMSG);
    assert_int_equal(nlk_parse(NULL, 0, t, 4), 0);
}

#define N 700

struct seen {
    size_t n;
    bool of[N];
};

static void
link_reply(size_t i, const struct nlk_msg *m, void *aux)
{
    struct seen *s = aux;
    struct nlk_attr t[IFLA_IFNAME + 1];

    assert_int_equal(m->type, RTM_NEWLINK);
    assert_int_equal(nlk_parse(m->data + sizeof(struct ifinfomsg),
                               m->len - sizeof(struct ifinfomsg), t, ARRAY_SIZE(t)),
                     0);
    assert_string_equal(nlk_str(&t[IFLA_IFNAME]), "lo");
    assert_false(s->of[i]);
    s->of[i] = true;
    s->n++;
}

static void
ask_link(struct nlk_batch *b, const char *name)
{
    struct ifinfomsg *i = nlk_begin(b, RTM_GETLINK, 0, sizeof *i);
    i->ifi_family = 0;
    nlk_put_str(b, IFLA_IFNAME, name);
}

static void
transact(void **state)
{
    static struct nlk_result results[N];
    static struct seen seen;
    struct nlk_sock *s;
    struct nlk_batch b;

    assert_int_equal(nlk_open(NLK_ROUTE, &s), 0);
    nlk_batch_init(&b);
    for (size_t i = 0; i < N; i++) {
        ask_link(&b, i % 3 ? "lo" : "none-such");
    }
    assert_int_equal(nlk_transact(s, &b, results, link_reply, &seen), 0);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(results[i].error, i % 3 ? 0 : -ENODEV);
        assert_int_equal(seen.of[i], i % 3 != 0);
    }

    // One request; the reply is borrowed until the next call.
    struct nlk_msg reply;
    nlk_batch_clear(&b);
    ask_link(&b, "lo");
    assert_int_equal(nlk_request(s, &b, &reply, NULL), 0);
    assert_int_equal(((const struct ifinfomsg *) (const void *) reply.data)->ifi_index,
                     if_nametoindex("lo"));
    nlk_batch_clear(&b);
    ask_link(&b, "none-such");
    assert_int_equal(nlk_request(s, &b, &reply, NULL), -ENODEV);

    // The kernel's own words.
    const char *extack;
    nlk_batch_clear(&b);
    struct ifinfomsg *i = nlk_begin(&b, RTM_GETLINK, 0, sizeof *i);
    i->ifi_change = 1; // refused with strict checking
    assert_int_equal(nlk_request(s, &b, &reply, &extack), -EINVAL);
    assert_non_null(extack);
    assert_true(strlen(extack) > 5);

    nlk_batch_free(&b);
    nlk_close(s);
    nlk_close(NULL);
}

struct count {
    size_t n, max;
    bool lo;
};

static bool
count_links(const struct nlk_msg *m, void *aux)
{
    struct count *c = aux;
    struct nlk_attr t[IFLA_IFNAME + 1];

    assert_int_equal(m->type, RTM_NEWLINK);
    nlk_parse(m->data + sizeof(struct ifinfomsg), m->len - sizeof(struct ifinfomsg), t,
              ARRAY_SIZE(t));
    c->lo |= !strcmp(nlk_str(&t[IFLA_IFNAME]), "lo");
    return ++c->n < c->max;
}

static bool
count_any(const struct nlk_msg *m, void *aux)
{
    return ++*(size_t *) aux;
}

static void
dump(void **state)
{
    struct nlk_sock *s;
    struct nlk_batch b;
    struct count all = {.max = SIZE_MAX}, one = {.max = 1};

    assert_int_equal(nlk_open(NLK_ROUTE, &s), 0);
    nlk_batch_init(&b);
    nlk_begin(&b, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    assert_int_equal(nlk_dump(s, &b, count_links, &all), 0);
    assert_true(all.lo);
    nlk_batch_clear(&b);
    nlk_begin(&b, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    assert_int_equal(nlk_dump(s, &b, count_links, &one), 0);
    assert_int_equal(one.n, 1);
    nlk_batch_clear(&b);
    struct ifinfomsg *i = nlk_begin(&b, RTM_GETLINK, 0, sizeof *i);
    i->ifi_change = 1;
    assert_int_equal(nlk_dump(s, &b, count_links, &one), -EINVAL);
    assert_int_equal(one.n, 1);
    assert_int_equal(nlk_receive(s, NULL, NULL), -EAGAIN);
    nlk_batch_free(&b);
    nlk_close(s);
}

static void
generic(void **state)
{
    struct nlk_sock *s;
    struct nlk_batch b;
    uint16_t id;
    uint32_t group;
    size_t families = 0;

    assert_int_equal(nlk_open(NLK_GENERIC, &s), 0);
    assert_int_equal(nlk_genl_family(s, "nlctrl", &id), 0);
    assert_int_equal(id, GENL_ID_CTRL);
    assert_int_equal(nlk_genl_family(s, "none-such", &id), -ENOENT);
    assert_int_equal(nlk_genl_group(s, "nlctrl", "notify", &group), 0);
    assert_int_equal(group, GENL_ID_CTRL);
    assert_int_equal(nlk_genl_group(s, "nlctrl", "other", &group), -ENOENT);
    assert_int_equal(nlk_join(s, GENL_ID_CTRL), 0);
    nlk_batch_init(&b);
    struct genlmsghdr *g = nlk_begin(&b, GENL_ID_CTRL, 0, sizeof *g);
    g->cmd = CTRL_CMD_GETFAMILY;
    assert_int_equal(nlk_dump(s, &b, count_any, &families), 0);
    assert_true(families > 0);
    nlk_batch_free(&b);
    nlk_close(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build), cmocka_unit_test(parse),   cmocka_unit_test(transact),
        cmocka_unit_test(dump),  cmocka_unit_test(generic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
