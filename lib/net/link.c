// SPDX-License-Identifier: Apache-2.0
// The cache of network devices, kept by rtnetlink notifications, and the settings a switch makes.
// See link.h.
//
// Owner: main thread. Two sockets: `events` is in the link group and only listens; `requests` asks
// and sets. An overrun of `events` is answered by a dump that corrects the cache. A removed or
// replaced entry lives until the end of the loop's turn, when `changed` is called.
//
// Reference: rtnetlink(7), linux/if_link.h.
#include "lib/net/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/net/netlink.h"

LOG_MODULE(link);

struct entry {
    struct hmap_node by_index, by_name;
    struct entry *next_dead;
    bool seen; // while a dump corrects the cache
    struct link link;
};

struct link_cache {
    struct nlk_sock *events, *requests;
    struct nlk_batch batch;
    struct hmap by_index, by_name; // of struct entry
    struct entry *dead;
    struct loop *loop;
    struct loop_io *io;
    struct loop_hook *hook;
    void (*changed)(void *aux);
    void *aux;
    bool dirty; // changed() is due
};

static struct entry *
find_index(const struct link_cache *c, int ifindex)
{
    struct entry *e;
    HMAP_FOR_EACH_HASH(e, by_index, hash_u64(ifindex, 0), &c->by_index)
    {
        if (e->link.ifindex == ifindex) {
            return e;
        }
    }
    return NULL;
}

static struct entry *
find_name(const struct link_cache *c, const char *name)
{
    struct entry *e;
    HMAP_FOR_EACH_HASH(e, by_name, hash_string(name, 0), &c->by_name)
    {
        if (!strcmp(e->link.name, name)) {
            return e;
        }
    }
    return NULL;
}

static void
set_dirty(struct link_cache *c)
{
    if (!c->dirty) {
        c->dirty = true;
        loop_wake(c->loop);
    }
}

static void
bury(struct link_cache *c, struct entry *e)
{
    hmap_remove(&c->by_index, &e->by_index);
    hmap_remove(&c->by_name, &e->by_name);
    e->next_dead = c->dead;
    c->dead = e;
    set_dirty(c);
}

static void
free_dead(struct link_cache *c)
{
    for (struct entry *e = c->dead, *next; e; e = next) {
        next = e->next_dead;
        free(e);
    }
    c->dead = NULL;
}

static void
copy_name(char *dst, size_t size, const char *src)
{
    const size_t n = MIN(strlen(src), size - 1);
    memcpy(dst, src, n);
    dst[n] = 0;
}

static void
parse_counters(const void *data, size_t len, struct link_counters *out)
{
    struct rtnl_link_stats64 s;

    memset(&s, 0, sizeof s);
    memcpy(&s, data, MIN(len, sizeof s));
    *out = (struct link_counters){
        .rx_packets = s.rx_packets,
        .tx_packets = s.tx_packets,
        .rx_bytes = s.rx_bytes,
        .tx_bytes = s.tx_bytes,
        .rx_dropped = s.rx_dropped,
        .tx_dropped = s.tx_dropped,
        .rx_errors = s.rx_errors,
        .tx_errors = s.tx_errors,
        .rx_frame_err = s.rx_frame_errors,
        .rx_over_err = s.rx_over_errors,
        .rx_crc_err = s.rx_crc_errors,
        .rx_missed = s.rx_missed_errors,
        .tx_aborted = s.tx_aborted_errors,
        .tx_carrier = s.tx_carrier_errors,
        .collisions = s.collisions,
        .multicast = s.multicast,
    };
}

static bool
parse_link(const struct nlk_msg *m, struct link *l)
{
    struct ifinfomsg head;
    struct nlk_attr t[IFLA_MAX + 1], info[IFLA_INFO_MAX + 1];

    if (m->len < sizeof head ||
        nlk_parse(m->data + sizeof head, m->len - sizeof head, t, ARRAY_SIZE(t))) {
        return false;
    }
    memcpy(&head, m->data, sizeof head);
    memset(l, 0, sizeof *l);
    l->ifindex = head.ifi_index;
    copy_name(l->name, sizeof l->name, nlk_str(&t[IFLA_IFNAME]));
    if (!nlk_parse_nested(&t[IFLA_LINKINFO], info, ARRAY_SIZE(info))) {
        copy_name(l->kind, sizeof l->kind, nlk_str(&info[IFLA_INFO_KIND]));
    }
    if (t[IFLA_ADDRESS].data && t[IFLA_ADDRESS].len == sizeof l->mac) {
        memcpy(&l->mac, t[IFLA_ADDRESS].data, sizeof l->mac);
    }
    l->mtu = nlk_u32(&t[IFLA_MTU]);
    l->min_mtu = nlk_u32(&t[IFLA_MIN_MTU]);
    l->max_mtu = nlk_u32(&t[IFLA_MAX_MTU]);
    l->up = head.ifi_flags & IFF_UP;
    // A device that is down carries nothing, whatever its driver says of its cable.
    l->carrier = head.ifi_flags & IFF_UP && (t[IFLA_CARRIER].data ? nlk_u8(&t[IFLA_CARRIER])
                                                                  : head.ifi_flags & IFF_RUNNING);
    l->loopback = head.ifi_flags & IFF_LOOPBACK;
    l->master = nlk_u32(&t[IFLA_MASTER]);
    l->carrier_changes = nlk_u32(&t[IFLA_CARRIER_CHANGES]);
    if (t[IFLA_STATS64].data) {
        parse_counters(t[IFLA_STATS64].data, t[IFLA_STATS64].len, &l->counters);
    }
    return l->ifindex > 0 && *l->name;
}

// Everything but counters is the same.
static bool
same(const struct link *a, const struct link *b)
{
    struct link copy = *a;
    copy.counters = b->counters;
    return !memcmp(&copy, b, sizeof copy);
}

static void
store(struct link_cache *c, const struct link *l)
{
    struct entry *e = find_index(c, l->ifindex), *other = find_name(c, l->name);

    if (other && other != e) {
        bury(c, other); // its own notification was lost, or comes later
    }
    if (!e) {
        e = base_calloc(1, sizeof *e);
        e->link = *l;
        hmap_insert(&c->by_index, &e->by_index, hash_u64(l->ifindex, 0));
        hmap_insert(&c->by_name, &e->by_name, hash_string(l->name, 0));
        set_dirty(c);
    } else if (!same(l, &e->link)) {
        hmap_remove(&c->by_name, &e->by_name);
        e->link = *l;
        hmap_insert(&c->by_name, &e->by_name, hash_string(l->name, 0));
        set_dirty(c);
    } else {
        e->link.counters = l->counters;
    }
    e->seen = true;
}

static void
take(const struct nlk_msg *m, void *aux)
{
    struct link_cache *c = aux;
    struct ifinfomsg head;
    struct link l;

    if (m->len < sizeof head || (m->type != RTM_NEWLINK && m->type != RTM_DELLINK)) {
        return;
    }
    memcpy(&head, m->data, sizeof head);
    if (head.ifi_family != AF_UNSPEC) {
        return; // bridge ports come with AF_BRIDGE: not about the device
    }
    if (m->type == RTM_DELLINK) {
        struct entry *e = find_index(c, head.ifi_index);
        if (e) {
            bury(c, e);
        }
    } else if (parse_link(m, &l)) {
        store(c, &l);
    }
}

static bool
take_dumped(const struct nlk_msg *m, void *aux)
{
    take(m, aux);
    return true;
}

static int
dump_all(struct link_cache *c)
{
    struct entry *e;
    int error;

    HMAP_FOR_EACH (e, by_index, &c->by_index) {
        e->seen = false;
    }
    for (int tries = 0; tries < 5; tries++) {
        nlk_batch_clear(&c->batch);
        nlk_begin(&c->batch, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
        error = nlk_dump(c->requests, &c->batch, take_dumped, c);
        if (error != -EINTR) {
            break;
        }
    }
    if (error && error != -EINTR) {
        return error;
    }
    HMAP_FOR_EACH_SAFE (e, by_index, &c->by_index) {
        if (!e->seen) {
            bury(c, e);
        }
    }
    return 0;
}

static void
ignore(const struct nlk_msg *m, void *aux)
{
}

// Some notifications were lost. Those still queued are older than what a dump tells: they go first.
static void
resync(struct link_cache *c)
{
    int n;

    do {
        n = nlk_receive(c->events, ignore, NULL);
    } while (n >= 0 || n == -ENOBUFS);
    int error = dump_all(c);
    if (error) {
        LOG_WARN(
            "network devices: too many changes at once, and reading them all again failed (%s)",
            base_strerror(error));
    }
}

static void
drain(struct link_cache *c)
{
    int n;

    while ((n = nlk_receive(c->events, take, c)) != -EAGAIN) {
        if (n == -ENOBUFS) {
            resync(c);
        } else if (n < 0) {
            LOG_WARN("network devices: reading notifications failed (%s)", base_strerror(n));
            break;
        }
    }
}

static void
on_readable(void *aux, int events)
{
    drain(aux);
}

static void
on_turn(void *aux)
{
    struct link_cache *c = aux;

    if (c->dirty) {
        c->dirty = false;
        free_dead(c);
        c->changed(c->aux);
    }
}

int
link_cache_new(struct loop *loop, void (*changed)(void *aux), void *aux, struct link_cache **out)
{
    struct link_cache *c = base_calloc(1, sizeof *c);

    *out = NULL;
    hmap_init(&c->by_index);
    hmap_init(&c->by_name);
    nlk_batch_init(&c->batch);
    c->loop = loop;
    c->changed = changed;
    c->aux = aux;
    int error = nlk_open(NLK_ROUTE, &c->events);
    if (!error) {
        error = nlk_open(NLK_ROUTE, &c->requests);
    }
    if (!error) {
        error = nlk_join(c->events, RTNLGRP_LINK);
    }
    if (!error) {
        error = dump_all(c);
    }
    if (error) {
        link_cache_free(c);
        return error;
    }
    c->io = loop_io_new(loop, nlk_fd(c->events), LOOP_READ, on_readable, c);
    c->hook = loop_hook_new(loop, on_turn, c);
    *out = c;
    return 0;
}

void
link_cache_free(struct link_cache *c)
{
    struct entry *e;

    if (!c) {
        return;
    }
    if (c->io) {
        loop_io_free(c->io);
        loop_hook_free(c->hook);
    }
    HMAP_FOR_EACH_SAFE (e, by_index, &c->by_index) {
        hmap_remove(&c->by_index, &e->by_index);
        free(e);
    }
    free_dead(c);
    hmap_destroy(&c->by_index);
    hmap_destroy(&c->by_name);
    nlk_batch_free(&c->batch);
    nlk_close(c->events);
    nlk_close(c->requests);
    free(c);
}

void
link_sync(struct link_cache *c)
{
    drain(c);
}

const struct link *
link_by_name(struct link_cache *c, const char *name)
{
    const struct entry *e = find_name(c, name);
    return e ? &e->link : NULL;
}

const struct link *
link_by_index(struct link_cache *c, int ifindex)
{
    const struct entry *e = find_index(c, ifindex);
    return e ? &e->link : NULL;
}

void
link_for_each(struct link_cache *c, void (*cb)(const struct link *, void *aux), void *aux)
{
    struct entry *e;
    HMAP_FOR_EACH (e, by_index, &c->by_index) {
        cb(&e->link, aux);
    }
}

static int
index_of(struct link_cache *c, const char *name)
{
    const struct entry *e = find_name(c, name);
    if (!e) {
        drain(c);
        e = find_name(c, name);
    }
    return e ? e->link.ifindex : 0;
}

int
link_read_counters(struct link_cache *c, const char *name, struct link_counters *out)
{
    struct nlk_attr t[IFLA_STATS_MAX + 1];
    struct nlk_msg reply;
    const int ifindex = index_of(c, name);

    memset(out, 0, sizeof *out);
    if (!ifindex) {
        return -ENODEV;
    }
    nlk_batch_clear(&c->batch);
    struct if_stats_msg *m = nlk_begin(&c->batch, RTM_GETSTATS, 0, sizeof *m);
    m->ifindex = ifindex;
    m->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
    int error = nlk_request(c->requests, &c->batch, &reply, NULL);
    if (error) {
        return error;
    }
    if (reply.len < sizeof *m ||
        nlk_parse(reply.data + sizeof *m, reply.len - sizeof *m, t, ARRAY_SIZE(t)) ||
        !t[IFLA_STATS_LINK_64].data) {
        return -EBADMSG;
    }
    parse_counters(t[IFLA_STATS_LINK_64].data, t[IFLA_STATS_LINK_64].len, out);
    return 0;
}

// Begins a change of a device. 0 or -errno.
static int
begin_set(struct link_cache *c, const char *name, struct ifinfomsg **head)
{
    const int ifindex = index_of(c, name);

    if (!ifindex) {
        return -ENODEV;
    }
    nlk_batch_clear(&c->batch);
    *head = nlk_begin(&c->batch, RTM_NEWLINK, 0, sizeof **head);
    (*head)->ifi_index = ifindex;
    return 0;
}

static int
finish_set(struct link_cache *c, const char *name, const char *what)
{
    static struct log_limit limit = LOG_LIMIT(20, 20);
    const char *why;

    int error = nlk_request(c->requests, &c->batch, NULL, &why);
    if (error) {
        LOG_DBG_RL(&limit, "%s: setting %s failed (%s%s%s)", name, what, base_strerror(error),
                   why ? ": " : "", why ? why : "");
    }
    drain(c); // what it changed is seen at once
    return error;
}

int
link_set_mac(struct link_cache *c, const char *name, const struct mac *mac)
{
    struct ifinfomsg *head;
    int error = begin_set(c, name, &head);
    if (error) {
        return error;
    }
    nlk_put(&c->batch, IFLA_ADDRESS, mac, sizeof *mac);
    return finish_set(c, name, "the Ethernet address");
}

int
link_set_mtu(struct link_cache *c, const char *name, unsigned mtu)
{
    struct ifinfomsg *head;
    int error = begin_set(c, name, &head);
    if (error) {
        return error;
    }
    nlk_put_u32(&c->batch, IFLA_MTU, mtu);
    return finish_set(c, name, "the MTU");
}

int
link_set_up(struct link_cache *c, const char *name, bool up)
{
    struct ifinfomsg *head;
    int error = begin_set(c, name, &head);
    if (error) {
        return error;
    }
    head->ifi_flags = up ? IFF_UP : 0;
    head->ifi_change = IFF_UP;
    return finish_set(c, name, up ? "it up" : "it down");
}
