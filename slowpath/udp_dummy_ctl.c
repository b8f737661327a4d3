// SPDX-License-Identifier: Apache-2.0
// Commands about dummy ports, by which tests take the part of the network: netdev-dummy/receive and
// others.
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "lib/net/checksum.h"
#include "lib/net/packet_headers.h"
#include "slowpath/udp.h"
#include "slowpath/udp_dummy.h"

#define MAX_PACKETS 64

static struct udp_port *
find(const char *name)
{
    for (struct dp *dp = udp_first(); dp; dp = dp->next) {
        struct udp_port *port = dp->dummy ? udp_port_find(dp, name) : NULL;
        if (port) {
            return port;
        }
    }
    return NULL;
}

static void
for_each(void (*cb)(struct udp_port *, void *aux), void *aux)
{
    for (struct dp *dp = udp_first(); dp; dp = dp->next) {
        for (size_t i = 0; dp->dummy && i < dp->ports->n; i++) {
            if (dp->ports->by_number[i]) {
                cb(dp->ports->by_number[i], aux);
            }
        }
    }
}

// --- netdev-dummy/receive. ---

static int
digit(char c)
{
    return isdigit((unsigned char) c)    ? c - '0'
           : isxdigit((unsigned char) c) ? tolower((unsigned char) c) - 'a' + 10
                                         : -1;
}

// Pairs of digits, with spaces between them allowed.
static bool
parse_hex(const char *s, struct packet *p)
{
    packet_init(p, strlen(s) / 2);
    while (*s) {
        if (isspace((unsigned char) *s)) {
            s++;
            continue;
        }
        const int high = digit(s[0]), low = high < 0 ? -1 : digit(s[1]);
        if (low < 0) {
            packet_free(p);
            return false;
        }
        const uint8_t byte = (uint8_t) (high << 4 | low);
        packet_append(p, &byte, 1);
        s += 2;
    }
    if (p->len < ETH_HLEN) { // no frame
        packet_free(p);
        return false;
    }
    return true;
}

static be16_t *
l4_checksum(const struct packet *p, const struct flow_key *key)
{
    if (p->l4 == PACKET_NO_LAYER) {
        return NULL;
    }
    switch (key->nw_proto) {
    case IP_PROTO_TCP:
        return (be16_t *) (void *) (p->data + p->l4 + 16);
    case IP_PROTO_UDP:
        return (be16_t *) (void *) (p->data + p->l4 + 6);
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
    case IP_PROTO_IGMP:
        return (be16_t *) (void *) (p->data + p->l4 + 2);
    default:
        return NULL;
    }
}

// The last n bytes become zero; the checksum follows.
static void
clear_payload(struct packet *p, const struct flow_key *key, size_t n)
{
    uint8_t *was = base_calloc(1, n + 2), *zero = base_calloc(1, n + 2);
    uint8_t *at = p->data + p->len - n;
    be16_t *csum = l4_checksum(p, key);
    memcpy(was, at, n);
    memset(at, 0, n);
    if (csum) {
        be16_t c;
        memcpy(&c, csum, sizeof c);
        c = csum_update_bytes(c, was, zero, ROUND_UP(n, 2));
        c = !c && key->nw_proto == IP_PROTO_UDP ? 0xffff : c;
        memcpy(csum, &c, sizeof c);
    }
    free(was);
    free(zero);
}

// NULL, or what is wrong (static).
static const char *
compose(const struct flow_key *key, uint64_t len, struct packet *p)
{
    if (!len) {
        packet_compose(p, key, packet_made_payload(key));
        return NULL;
    }
    packet_compose(p, key, 0);
    const size_t headers = p->len;
    if (len < headers) {
        packet_free(p);
        return "too small packet len";
    }
    packet_free(p);
    packet_compose(p, key, len - headers);
    if (p->len > headers) {
        clear_payload(p, key, p->len - headers);
    }
    return NULL;
}

static void
receive(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct udp_port *port = find(argv[1]);
    uint64_t number;
    int i = 2;
    if (!port) {
        unixctl_reply_error(conn, "no such dummy netdev");
        return;
    }
    if (i + 1 < argc && !strcmp(argv[i], "--qid")) {
        if (!base_parse_uint(argv[i + 1], INT_MAX, &number) || number) {
            unixctl_reply_error(conn, "bad rx queue id.");
            return;
        }
        i += 2;
    }
    for (; i < argc; i++) {
        struct packet p;
        if (parse_hex(argv[i], &p)) {
            udp_dummy_receive(port, &p);
            continue;
        }
        struct flow_match *match = base_calloc(1, sizeof *match);
        char *error = dp_match_parse(argv[i], NULL, NULL, match);
        const char *text = argv[i];
        const char *wrong = NULL;
        number = 0;
        if (!error && i + 2 < argc && !strcmp(argv[i + 1], "--len")) {
            wrong =
                base_parse_uint(argv[i + 2], UINT16_MAX, &number) ? NULL : "too small packet len";
            i += 2;
        }
        if (!error && !wrong) {
            wrong = compose(&match->key, number, &p);
        }
        free(match);
        if (error || wrong) {
            struct str s = STR_INIT;
            str_addf(&s, error ? "syntax error at %s" : "%s", error ? text : wrong);
            unixctl_reply_error(conn, str_get(&s));
            str_free(&s);
            free(error);
            return;
        }
        udp_dummy_receive(port, &p);
    }
    unixctl_reply(conn, NULL);
}

// --- The others. ---

static struct {
    void (*cb)(void *aux);
    void *aux;
} on_state;

void
udp_dummy_on_state(void (*cb)(void *aux), void *aux)
{
    on_state.cb = cb;
    on_state.aux = aux;
}

static void
set_up(struct udp_port *port, void *up)
{
    udp_dummy_set_up(port, *(bool *) up);
}

static void
set_admin_state(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    const char *state = argv[argc - 1];
    bool up = !strcasecmp(state, "up");
    if (!up && strcasecmp(state, "down")) {
        unixctl_reply_error(conn, "Invalid Admin State");
        return;
    }
    struct udp_port *port = argc > 2 ? find(argv[1]) : NULL;
    if (argc > 2 && !port) {
        unixctl_reply_error(conn, "Unknown Dummy Interface");
        return;
    }
    if (port) {
        set_up(port, &up);
    } else {
        for_each(set_up, &up);
    }
    if (on_state.cb) {
        on_state.cb(on_state.aux);
    }
    unixctl_reply(conn, "OK");
}

// Dummy ports here have no sockets that stand for their wires.
static void
conn_state(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    if (argc < 2) {
        unixctl_reply(conn, NULL);
        return;
    }
    if (!find(argv[1])) {
        unixctl_reply_error(conn, "Unknown Dummy Interface");
        return;
    }
    struct str s = STR_INIT;
    str_addf(&s, "%s: unknown\n", argv[1]);
    unixctl_reply(conn, str_get(&s));
    str_free(&s);
}

// Addresses are checked; nothing in the switch asks for them yet.
static void
set_address(struct unixctl_conn *conn, int argc, const char *argv[], void *family_)
{
    const int family = *(const int *) family_;
    if (!find(argv[1])) {
        unixctl_reply_error(conn, "Unknown Dummy Interface");
        return;
    }
    uint8_t address[16];
    uint64_t len = 0;
    const char *slash = strchr(argv[2], '/');
    char *host = slash ? base_strndup(argv[2], (size_t) (slash - argv[2])) : base_strdup(argv[2]);
    const bool good = inet_pton(family, host, address) == 1 &&
                      (!slash || base_parse_uint(slash + 1, family == AF_INET ? 32 : 128, &len));
    free(host);
    if (good) {
        unixctl_reply(conn, "OK");
        return;
    }
    struct str s = STR_INIT;
    str_addf(&s, "%s: invalid %s address", argv[2], family == AF_INET ? "IP" : "IPv6");
    unixctl_reply_error(conn, str_get(&s));
    str_free(&s);
}

void
udp_dummy_unixctl_init(void)
{
    static int ip4 = AF_INET, ip6 = AF_INET6;
    unixctl_register("netdev-dummy/receive", "name [--qid queue_id] packet|flow [--len packet_len]",
                     2, INT_MAX, receive, NULL);
    unixctl_register("netdev-dummy/set-admin-state", "[netdev] up|down", 1, 2, set_admin_state,
                     NULL);
    unixctl_register("netdev-dummy/conn-state", "[netdev]", 0, 1, conn_state, NULL);
    unixctl_register("netdev-dummy/ip4addr", "[netdev] ipaddr/mask-prefix-len", 2, 2, set_address,
                     &ip4);
    unixctl_register("netdev-dummy/ip6addr", "[netdev] ip6addr", 2, 2, set_address, &ip6);
}
