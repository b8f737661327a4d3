// SPDX-License-Identifier: Apache-2.0
// The link cache in a network namespace of its own: devices that appear, change their name,
// settings and carrier, and go; overruns; counters. Skipped where a namespace cannot be made.
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/loop.h"
#include "lib/net/link.h"
#include "lib/net/netlink.h"

static struct nlk_sock *maker;
static int n_changed;

static void
on_changed(void *aux)
{
    n_changed++;
}

static int
send_link(uint16_t type, uint16_t flags, const char *name, const char *peer)
{
    struct nlk_batch b;

    nlk_batch_init(&b);
    nlk_begin(&b, type, flags, sizeof(struct ifinfomsg));
    nlk_put_str(&b, IFLA_IFNAME, name);
    if (peer) {
        size_t info = nlk_nest(&b, IFLA_LINKINFO);
        nlk_put_str(&b, IFLA_INFO_KIND, "veth");
        size_t data = nlk_nest(&b, IFLA_INFO_DATA), p = nlk_nest(&b, VETH_INFO_PEER);
        // The peer's struct ifinfomsg stands bare before its attributes: room for it, made by an
        // attribute of that size.
        const size_t head = b.len;
        nlk_put_zero(&b, 0, sizeof(struct ifinfomsg) - 4);
        memset(b.data + head, 0, sizeof(struct ifinfomsg));
        nlk_put_str(&b, IFLA_IFNAME, peer);
        nlk_nest_end(&b, p);
        nlk_nest_end(&b, data);
        nlk_nest_end(&b, info);
    }
    int error = nlk_request(maker, &b, NULL, NULL);
    nlk_batch_free(&b);
    return error;
}

static void
rename_link(int ifindex, const char *to)
{
    struct nlk_batch b;

    nlk_batch_init(&b);
    struct ifinfomsg *i = nlk_begin(&b, RTM_NEWLINK, 0, sizeof *i);
    i->ifi_index = ifindex;
    nlk_put_str(&b, IFLA_IFNAME, to);
    assert_int_equal(nlk_request(maker, &b, NULL, NULL), 0);
    nlk_batch_free(&b);
}

static void
count(const struct link *l, void *aux)
{
    ++*(int *) aux;
}

static void
follow(void **state)
{
    static const struct mac mac = {{2, 0, 0, 0, 0, 7}};
    struct link_counters counters;
    struct link_cache *c;
    struct loop *loop = loop_new();
    int n = 0;

    assert_int_equal(link_cache_new(loop, on_changed, NULL, &c), 0);
    const struct link *l = link_by_name(c, "lo");
    assert_non_null(l);
    assert_true(l->loopback);
    assert_string_equal(l->kind, "");
    assert_ptr_equal(link_by_index(c, l->ifindex), l);
    assert_null(link_by_name(c, "a"));

    // Made, and seen without a turn of the loop.
    assert_int_equal(send_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "a", "b"), 0);
    link_sync(c);
    l = link_by_name(c, "a");
    assert_non_null(l);
    assert_string_equal(l->kind, "veth");
    assert_int_equal(l->mtu, 1500);
    assert_int_equal(l->max_mtu, 65535);
    assert_false(l->up || l->carrier);
    assert_non_null(link_by_name(c, "b"));
    n_changed = 0;
    loop_turn(loop, 0);
    assert_int_equal(n_changed, 1);
    link_for_each(c, count, &n);
    assert_int_equal(n, 3);

    // Settings are seen at once.
    assert_int_equal(link_set_mac(c, "a", &mac), 0);
    assert_int_equal(link_set_mtu(c, "a", 1400), 0);
    assert_int_equal(link_set_mtu(c, "a", 70000), -EINVAL);
    assert_int_equal(link_set_mtu(c, "none-such", 1400), -ENODEV);
    assert_int_equal(link_set_up(c, "a", true), 0);
    l = link_by_name(c, "a");
    assert_memory_equal(&l->mac, &mac, sizeof mac);
    assert_int_equal(l->mtu, 1400);
    assert_true(l->up);
    assert_false(l->carrier);
    const uint64_t before = l->carrier_changes;
    assert_int_equal(link_set_up(c, "b", true), 0);
    for (int i = 0; i < 300 && !link_by_name(c, "a")->carrier; i++) {
        loop_turn(loop, 10); // the carrier is told by a work queue
    }
    assert_true(link_by_name(c, "a")->carrier);
    assert_true(link_by_name(c, "a")->carrier_changes > before);
    assert_int_equal(link_read_counters(c, "a", &counters), 0);
    assert_int_equal(link_read_counters(c, "none-such", &counters), -ENODEV);

    // A new name, and one that another device had.
    assert_int_equal(link_set_up(c, "a", false), 0);
    const int a = link_by_name(c, "a")->ifindex;
    rename_link(a, "z");
    link_sync(c);
    assert_null(link_by_name(c, "a"));
    assert_int_equal(link_by_name(c, "z")->ifindex, a);
    loop_turn(loop, 0);

    // More notifications than the socket holds: the cache is right again afterwards.
    assert_int_equal(send_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "c", "d"), 0);
    for (int i = 0; i < 8000; i++) {
        rename_link(a, i % 2 ? "z" : "y");
    }
    assert_int_equal(send_link(RTM_DELLINK, 0, "c", NULL), 0);
    rename_link(a, "last");
    link_sync(c);
    assert_non_null(link_by_name(c, "last"));
    assert_null(link_by_name(c, "z"));
    assert_null(link_by_name(c, "c"));
    assert_null(link_by_name(c, "d"));

    // Gone; what was borrowed lives until the loop turns.
    l = link_by_name(c, "last");
    assert_int_equal(send_link(RTM_DELLINK, 0, "last", NULL), 0);
    link_sync(c);
    assert_string_equal(l->name, "last");
    assert_null(link_by_name(c, "last"));
    assert_null(link_by_name(c, "b"));
    n_changed = 0;
    loop_turn(loop, 0);
    assert_int_equal(n_changed, 1);
    link_cache_free(c);
    loop_free(loop);
}

static void
driver(void **state)
{
    struct link_driver d;

    assert_int_equal(send_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "v", "w"), 0);
    assert_int_equal(link_driver_get("v", &d), 0);
    assert_string_equal(d.driver, "veth");
    assert_int_equal(d.speed_mbps, 10000);
    assert_true(d.full_duplex);
    assert_int_equal(d.of_curr,
                     1 << 6 | 1 << 11); // 10GB-FD COPPER, as the stock switch shows a veth
    assert_int_equal(d.of_supported, 0);
    assert_false(link_hw_tc_offload("v"));
    assert_false(link_hw_tc_offload("none-such"));
    assert_false(link_hw_tc_offload("a-name-that-is-too-long-for-a-device"));
    assert_int_equal(link_driver_get("none-such", &d), -ENODEV);
    assert_int_equal(link_driver_get("a-name-that-is-too-long-for-a-device", &d), -ENODEV);
    assert_int_equal(link_driver_get("lo", &d), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(follow), cmocka_unit_test(driver)};

    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
        printf("skipped: no network namespace can be made here (%s)\n", strerror(errno));
        return 77;
    }
    if (nlk_open(NLK_ROUTE, &maker)) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nlk_close(maker);
    return failed;
}
