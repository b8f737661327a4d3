// SPDX-License-Identifier: Apache-2.0
// Source: rtnetlink(7), RTM_GETROUTE and RTM_GETNEIGH; linux/rtnetlink.h, linux/neighbour.h.
#include "config.h"

#include "lib/net/route.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/net/netlink.h"

struct route_sock {
    struct nlk_sock *sock;
    struct nlk_batch batch;
};

int
route_open(struct route_sock **n)
{
    struct nlk_sock *sock;
    int error = nlk_open(NLK_ROUTE, &sock);
    if (error) {
        return error;
    }
    *n = base_calloc(1, sizeof **n);
    (*n)->sock = sock;
    nlk_batch_init(&(*n)->batch);
    return 0;
}

void
route_close(struct route_sock *n)
{
    if (n) {
        nlk_close(n->sock);
        nlk_batch_free(&n->batch);
        free(n);
    }
}

static be32_t
ipv4_of(const struct nlk_attr *a)
{
    be32_t ip = 0;
    if (a->data && a->len == sizeof ip) {
        memcpy(&ip, a->data, sizeof ip);
    }
    return ip;
}

// Where packets to *ip go out, and to whom on that link (*ip, too).
static int
find_route(struct route_sock *n, be32_t *ip, uint32_t *ifindex)
{
    struct nlk_attr a[RTA_MAX + 1];
    struct nlk_msg reply;
    nlk_batch_clear(&n->batch);
    struct rtmsg *rt = nlk_begin(&n->batch, RTM_GETROUTE, 0, sizeof *rt);
    rt->rtm_family = AF_INET;
    rt->rtm_dst_len = 32;
    nlk_put(&n->batch, RTA_DST, ip, sizeof *ip);
    int error = nlk_request(n->sock, &n->batch, &reply, NULL);
    if (error) {
        return error;
    }
    if (reply.len < sizeof *rt ||
        nlk_parse(reply.data + sizeof *rt, reply.len - sizeof *rt, a, ARRAY_SIZE(a))) {
        return -EBADMSG;
    }
    const be32_t gateway = ipv4_of(&a[RTA_GATEWAY]);
    *ip = gateway ? gateway : *ip;
    *ifindex = nlk_u32(&a[RTA_OIF]);
    return 0;
}

int
route_next_hop(struct route_sock *n, be32_t ip, struct mac *mac)
{
    static const struct mac zero;
    struct nlk_attr a[NDA_MAX + 1];
    struct nlk_msg reply;
    uint32_t ifindex;
    int error = find_route(n, &ip, &ifindex);
    if (error) {
        return error;
    }
    nlk_batch_clear(&n->batch);
    struct ndmsg *nd = nlk_begin(&n->batch, RTM_GETNEIGH, 0, sizeof *nd);
    nd->ndm_family = AF_INET;
    nd->ndm_ifindex = (int) ifindex;
    nlk_put(&n->batch, NDA_DST, &ip, sizeof ip);
    error = nlk_request(n->sock, &n->batch, &reply, NULL);
    if (error) {
        return error;
    }
    if (reply.len < sizeof *nd ||
        nlk_parse(reply.data + sizeof *nd, reply.len - sizeof *nd, a, ARRAY_SIZE(a))) {
        return -EBADMSG;
    }
    if (!a[NDA_LLADDR].data || a[NDA_LLADDR].len != sizeof *mac) {
        return -ENOENT;
    }
    memcpy(mac, a[NDA_LLADDR].data, sizeof *mac);
    return memcmp(mac, &zero, sizeof zero) ? 0 : -ENOENT;
}
