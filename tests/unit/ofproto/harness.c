// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/ofproto/harness.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "lib/flow/packet.h"

#define TURNS 400 // of 5 ms at most, that an answer may take

static struct harness *current; // the packet path's functions know only bridges

static void
bridge_nothing(struct of_bridge *br)
{
}

static void
rules_changed(struct of_bridge *br, const struct of_change *changes, size_t n)
{
    current->n_batches++;
    current->n_changes += (int) n;
}

static int
packet_out(struct of_bridge *br, const struct of_packet_out *po)
{
    current->n_packet_outs++;
    current->last_in_port = be32toh(po->metadata->in_port);
    str_clear(&current->last_packet);
    str_add_n(&current->last_packet, po->packet->data, po->packet->len);
    return 0;
}

static void
refresh_stats(struct of_bridge *br)
{
    current->n_refreshes++;
}

static int
port_stats(struct of_bridge *br, uint32_t port, struct of_port_stats *s)
{
    *s = (struct of_port_stats){
        .rx_packets = port * 10, .tx_packets = 2, .rx_bytes = 300, .collisions = UINT64_MAX};
    return 0;
}

static int
port_config(struct of_bridge *br, uint32_t port, uint32_t config)
{
    if (port < 3) {
        current->port_config[port] = config;
    }
    return 0;
}

static void
flush(struct of_bridge *br)
{
    current->n_flushes++;
}

static const struct of_ops ops = {bridge_nothing, bridge_nothing, rules_changed,
                                  packet_out,     refresh_stats,  port_stats,
                                  port_config,    flush,          bridge_nothing};

int
harness_setup(void **state)
{
    struct harness *h = base_calloc(1, sizeof *h);
    harness_start(h);
    *state = h;
    return 0;
}

int
harness_teardown(void **state)
{
    harness_stop(*state);
    free(*state);
    return 0;
}

void
harness_configure(struct harness *h)
{
    char *error = of_bridge_configure(h->br, &h->config);
    if (error) {
        fail_msg("%s", error);
    }
}

void
harness_start(struct harness *h)
{
    static bool started;
    memset(h, 0, sizeof *h);
    current = h;
    if (!started) {
        rcu_start();
        of_ops_register(&ops);
        started = true;
    }
    snprintf(h->dir, sizeof h->dir, "/tmp/test-of.XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    snprintf(h->mgmt, sizeof h->mgmt, "%s/br0.mgmt", h->dir);
    h->loop = loop_new();
    h->br = of_bridge_new(h->loop, "br0", 0x123);
    h->config = (struct of_bridge_config){.dpid = 0x123,
                                          .fail_mode = OF_FAIL_SECURE,
                                          .versions = OF_VERSIONS_ALL,
                                          .mfr_desc = "Flowerbed",
                                          .sw_desc = "1",
                                          .mgmt_path = h->mgmt};
    harness_configure(h);
    struct of_port_desc d = {
        .port = OF_PORT_LOCAL, .hw_addr = {{2, 0, 0, 0, 0, 0xfe}}, .name = "br0"};
    of_bridge_port_add(h->br, &d);
    for (uint8_t i = 1; i <= 2; i++) {
        d = (struct of_port_desc){.port = i,
                                  .hw_addr = {{2, 0, 0, 0, 0, i}},
                                  .curr = 1 << 5,
                                  .curr_speed = 1000000,
                                  .state = OF_PORT_ST_LIVE};
        snprintf(d.name, sizeof d.name, "p%d", i);
        of_bridge_port_add(h->br, &d);
    }
}

void
harness_turns(struct harness *h, int n)
{
    while (n-- > 0) {
        loop_turn(h->loop, 5);
    }
}

void
harness_stop(struct harness *h)
{
    of_bridge_free(h->br);
    rcu_drain();
    loop_free(h->loop);
    str_free(&h->last_packet);
    unlink(h->mgmt);
    rmdir(h->dir);
}

// --- Clients. ---

static void
read_more(struct client *c)
{
    if (c->in_cap - c->in_len < 65536) {
        c->in_cap = c->in_len + 131072;
        c->in = base_realloc(c->in, c->in_cap);
    }
    ssize_t n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, MSG_DONTWAIT);
    if (n > 0) {
        c->in_len += (size_t) n;
    } else if (!n || (errno != EAGAIN && errno != EINTR)) {
        c->closed = true;
    }
}

bool
client_recv(struct client *c, struct of_msg *m)
{
    for (int i = 0; i < TURNS; i++) {
        size_t len = of_msg_length(c->in, c->in_len);
        if (len && len <= c->in_len) {
            str_clear(&c->msg);
            str_add_n(&c->msg, c->in, len);
            memmove(c->in, c->in + len, c->in_len - len);
            c->in_len -= len;
            int error = of_msg_decode(c->msg.p, len, &c->wire, m);
            if (error) {
                fail_msg("the switch sent something malformed: %s", of_error_name(error));
            }
            return true;
        }
        if (c->closed) {
            return false;
        }
        loop_turn(c->h->loop, 0);
        read_more(c);
        if (!c->closed && c->in_len < OF_HEADER_LEN) {
            loop_turn(c->h->loop, 5);
            read_more(c);
        }
    }
    return false;
}

void
client_send(struct client *c, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len && !c->closed) {
        ssize_t n = send(c->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            p += n;
            len -= (size_t) n;
        } else if (errno == EAGAIN) {
            loop_turn(c->h->loop, 5);
            read_more(c);
        } else {
            c->closed = true;
        }
    }
}

void
client_send_msg(struct client *c, const struct of_msg *m)
{
    struct str out = STR_INIT;
    assert_int_equal(of_msg_encode(m, &c->wire, &out), 0);
    client_send(c, out.p, out.len);
    str_free(&out);
}

void
client_attach(struct client *c, struct harness *h, int fd, enum of_version version)
{
    struct of_msg m;
    *c = (struct client){.h = h, .fd = fd, .version = version, .wire = {.version = version}};
    const struct of_msg hello = {
        .type = OF_MSG_HELLO, .xid = 1, .u.hello.versions = OF_VERSION_BIT(version)};
    client_send_msg(c, &hello);
    assert_true(client_recv(c, &m));
    assert_int_equal(m.type, OF_MSG_HELLO);
    of_msg_clear(&m);
}

static int
open_socket(struct harness *h, const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path ? path : h->mgmt);
    assert_int_equal(connect(fd, (struct sockaddr *) &sun, sizeof sun), 0);
    return fd;
}

void
client_open(struct client *c, struct harness *h, const char *path, enum of_version version)
{
    client_attach(c, h, open_socket(h, path), version);
}

void
client_open_raw(struct client *c, struct harness *h, const char *path, enum of_version header,
                uint32_t versions)
{
    *c = (struct client){
        .h = h, .fd = open_socket(h, path), .version = header, .wire = {.version = header}};
    if (header) {
        be32_t bitmap = htobe32(versions);
        uint8_t hello[16] = {(uint8_t) header, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8};
        memcpy(hello + 12, &bitmap, 4);
        client_send(c, hello, sizeof hello);
    }
}

void
client_close(struct client *c)
{
    close(c->fd);
    free(c->in);
    str_free(&c->msg);
    harness_turns(c->h, 2);
}

void
client_ask(struct client *c, const struct of_msg *request, struct of_msg *reply)
{
    client_send_msg(c, request);
    if (!client_recv(c, reply)) {
        fail_msg("no answer to %s in version %d", of_msg_type_name(request->type), c->version);
    }
    assert_int_equal(reply->xid, request->xid);
}

void
client_barrier(struct client *c)
{
    const struct of_msg ask = {.type = OF_MSG_BARRIER_REQUEST, .xid = 0xba};
    struct of_msg m;
    client_ask(c, &ask, &m);
    if (m.type == OF_MSG_ERROR) {
        fail_msg("%s instead of a barrier's reply", of_error_name(m.u.error.error));
    }
    assert_int_equal(m.type, OF_MSG_BARRIER_REPLY);
}

void
client_flow_mod(struct client *c, enum of_flow_command command, const char *text)
{
    struct of_msg m = {.type = OF_MSG_FLOW_MOD, .xid = 0xf0};
    uint32_t usable;
    char *error = of_flow_mod_parse(text, command, NULL, &m.u.flow_mod, &usable);
    if (error) {
        fail_msg("%s", error);
    }
    client_send_msg(c, &m);
    of_flow_mod_free(&m.u.flow_mod);
}

size_t
harness_unhex(const char *text, uint8_t *out, size_t max)
{
    size_t n = 0;
    for (; isxdigit((unsigned char) text[0]) && isxdigit((unsigned char) text[1]) && n < max;
         text += 2) {
        char digits[3] = {text[0], text[1], 0};
        out[n++] = (uint8_t) strtoul(digits, NULL, 16);
    }
    return n;
}
