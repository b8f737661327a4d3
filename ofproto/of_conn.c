// SPDX-License-Identifier: Apache-2.0
// One OpenFlow connection: bytes in, messages handled in order, bytes out once a turn; version
// negotiation; inactivity probes.
//
// All messages that have arrived are handled in one go, so that a loaded connection costs one turn,
// not one turn a message. Replies gather in `out` and leave when the input is used up. A peer that
// doesn't read its replies is not read from either.
//
// Reference: OpenFlow 1.3 section 6.3 (connection set-up), 1.5 section 6.3.
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/stream.h"
#include "ofproto/of_conn_private.h"

LOG_MODULE(rconn);

static struct log_limit limit = LOG_LIMIT(60, 5);

#define MAX_BACKLOG (8 << 20) // bytes of unsent replies before reading stops

static void
conn_free(struct of_conn *c)
{
    cds_list_del(&c->node);
    c->conns->n_snoops -= c->kind == OF_CONN_SNOOP;
    of_dump_cancel(c);
    loop_timer_free(c->probe);
    if (c->last_words) { // why the connection ends should still reach the peer
        stream_finish(c->stream);
    } else {
        stream_free(c->stream);
    }
    str_free(&c->out);
    free(c);
}

void
of_conn_close(struct of_conn *c, int error)
{
    if (c->closing) {
        return;
    }
    c->closing = true;
    if (c->kind == OF_CONN_PRIMARY) {
        LOG_INFO("%s<->%s: connection closed%s%s", c->conns->bridge->name, stream_name(c->stream),
                 error ? ": " : " by peer", error ? base_strerror(error) : "");
    }
    if (c->target) {
        of_target_disconnected(c->target, c, error);
    }
}

// Copies whole messages to those who listen in.
static void
tell_snoops(struct of_conn *c, const void *data, size_t len)
{
    struct of_conn *s;
    if (!c->conns->n_snoops || c->kind != OF_CONN_PRIMARY || !len) {
        return;
    }
    LIST_FOR_EACH (s, node, &c->conns->conns) {
        if (s->kind == OF_CONN_SNOOP && s->ready && !s->closing) {
            stream_write(s->stream, data, len);
        }
    }
}

static void
choose_reading(struct of_conn *c)
{
    stream_pause_reading(c->stream, c->dump || stream_backlog(c->stream) > MAX_BACKLOG);
}

void
of_conn_write(struct of_conn *c, const void *messages, size_t len)
{
    tell_snoops(c, messages, len);
    stream_write(c->stream, messages, len);
}

void
of_conn_flush(struct of_conn *c)
{
    if (c->out.len) {
        of_conn_write(c, c->out.p, c->out.len);
        str_clear(&c->out);
    }
    choose_reading(c);
}

void
of_conn_send(struct of_conn *c, struct str *messages)
{
    if (!c->closing && messages->len) {
        of_conn_write(c, messages->p, messages->len);
        choose_reading(c);
    }
    str_clear(messages);
}

void
of_conn_send_error(struct of_conn *c, int error, const struct of_msg *request)
{
    LOG_INFO_RL(&limit, "%s<->%s: sending %s error reply to %s message", c->conns->bridge->name,
                stream_name(c->stream), of_error_name(error), of_msg_type_name(request->type));
    of_msg_encode_error(error, c->wire.version, request->bytes, request->len, &c->out);
}

void
of_conn_reply(struct of_conn *c, struct of_msg *reply, const struct of_msg *request)
{
    reply->xid = request->xid;
    reply->version = c->wire.version;
    if (of_msg_encode(reply, &c->wire, &c->out)) {
        of_conn_send_error(c, OF_ERROR_BRC_BAD_TYPE, request);
    }
}

static void
send_hello(struct of_conn *c)
{
    enum of_version highest = OF_10;
    for (enum of_version v = OF_10; v <= OF_15; v++) {
        highest = c->conns->versions & OF_VERSION_BIT(v) ? v : highest;
    }
    c->wire.version = highest;
    struct of_msg m = {
        .type = OF_MSG_HELLO, .version = highest, .xid = 1, .u.hello.versions = c->conns->versions};
    of_msg_encode(&m, &c->wire, &c->out);
    of_conn_flush(c);
}

// The highest version that both sides offer.
static bool
take_hello(struct of_conn *c, struct of_msg *m)
{
    uint32_t common = m->u.hello.versions & c->conns->versions;
    for (enum of_version v = OF_15; v >= OF_10; v--) {
        if (common & OF_VERSION_BIT(v)) {
            c->wire.version = v;
            c->wire.packet_in = OF_PIN_FMT_STD;
            c->ready = true;
            if (c->target) {
                of_target_connected(c->target, c);
            }
            return true;
        }
    }
    LOG_WARN("%s<->%s: version negotiation failed: the peer offers none of this bridge's OpenFlow "
             "versions",
             c->conns->bridge->name, stream_name(c->stream));
    of_msg_encode_error(OF_ERROR_HFC_INCOMPATIBLE, c->wire.version, m->bytes, m->len, &c->out);
    of_conn_flush(c);
    c->last_words = true;
    return false;
}

// Messages that are the same in all versions. Some controllers send probes of another one.
static bool
is_of_any_version(enum of_msg_type type)
{
    return type == OF_MSG_HELLO || type == OF_MSG_ECHO_REQUEST || type == OF_MSG_ECHO_REPLY ||
           type == OF_MSG_ERROR;
}

static void
handle(struct of_conn *c, const uint8_t *data, size_t len)
{
    struct of_msg m;
    struct of_wire wire = c->wire;
    wire.version = data[0]; // decoded as what it says it is
    tell_snoops(c, data, len);
    int error = of_msg_decode(data, len, &wire, &m);
    if (!c->ready) {
        if (error || m.type != OF_MSG_HELLO) {
            LOG_WARN("%s<->%s: expected a hello and got something else", c->conns->bridge->name,
                     stream_name(c->stream));
            of_conn_close(c, -EPROTO);
        } else if (!take_hello(c, &m)) {
            of_conn_close(c, -EPROTO);
        }
    } else if (c->kind != OF_CONN_SNOOP) {
        if (!error && data[0] != c->wire.version && !is_of_any_version(m.type)) {
            error = OF_ERROR_BRC_BAD_VERSION;
        }
        if (error) {
            m.bytes = data;
            m.len = len;
            of_conn_send_error(c, error, &m);
        } else {
            error = of_request_handle(c, &m);
            if (error) {
                of_conn_send_error(c, error, &m);
            }
        }
    }
    of_msg_clear(&m);
}

static void
readable(struct stream *s, void *c_)
{
    struct of_conn *c = c_;
    const uint8_t *data;
    size_t n = stream_peek(s, &data), used = 0;
    c->probe_sent = false;
    if (c->probe_ms) {
        loop_timer_set(c->probe, c->probe_ms);
    }
    while (!c->closing && !c->dump) {
        size_t len = of_msg_length(data + used, n - used);
        if (len && len < OF_HEADER_LEN) {
            LOG_WARN("%s<->%s: a message of impossible length %zu", c->conns->bridge->name,
                     stream_name(c->stream), len);
            of_conn_close(c, -EPROTO);
            break;
        }
        if (!len || len > n - used) {
            break;
        }
        handle(c, data + used, len);
        used += len;
    }
    stream_drain(s, used);
    if (c->closing) {
        conn_free(c);
    } else {
        of_conn_flush(c);
    }
}

void
of_conn_resume(struct of_conn *c)
{
    if (!c->dump) {
        choose_reading(c);
        readable(c->stream, c);
    }
}

static void
drained(struct stream *s, void *c_)
{
    struct of_conn *c = c_;
    if (c->dump) {
        of_dump_continue(c);
        of_conn_resume(c);
    } else {
        choose_reading(c);
    }
}

static void
connected(struct stream *s, int error, void *c_)
{
    struct of_conn *c = c_;
    if (error) {
        of_conn_close(c, error);
        conn_free(c);
    } else {
        send_hello(c);
    }
}

static void
closed(struct stream *s, int error, void *c_)
{
    struct of_conn *c = c_;
    of_conn_close(c, error);
    conn_free(c);
}

static void
probe_due(void *c_)
{
    struct of_conn *c = c_;
    if (c->probe_sent || !c->ready) {
        LOG_ERR("%s<->%s: no response to inactivity probe after %d seconds, disconnecting",
                c->conns->bridge->name, stream_name(c->stream), c->probe_ms / 1000);
        of_conn_close(c, -ETIMEDOUT);
        conn_free(c);
        return;
    }
    of_msg_encode_plain(OF_MSG_ECHO_REQUEST, c->wire.version, 0, &c->out);
    of_conn_flush(c);
    c->probe_sent = true;
    loop_timer_set(c->probe, c->probe_ms);
}

struct of_conn *
of_conn_new(struct of_conns *conns, struct of_target *target, struct stream *stream,
            enum of_conn_kind kind)
{
    static const struct stream_cbs cbs = {connected, readable, drained, closed};
    struct of_conn *c = base_calloc(1, sizeof *c);
    c->conns = conns;
    c->target = target;
    c->kind = kind;
    c->stream = stream;
    c->connected_at = clock_now();
    c->role = OF_ROLE_EQUAL;
    c->probe_ms = kind == OF_CONN_PRIMARY && target ? target->config.probe_ms : 0;
    c->pin_rate = target ? target->config.rate_limit : 0;
    c->pin_burst = target ? target->config.burst_limit : 0;
    c->pin_tokens = c->pin_burst;
    c->pin_filled = clock_now();
    c->probe = loop_timer_new(conns->loop, probe_due, c);
    if (c->probe_ms) {
        loop_timer_set(c->probe, c->probe_ms);
    }
    of_async_init(c);
    conns->n_snoops += kind == OF_CONN_SNOOP;
    cds_list_add_tail(&c->node, &conns->conns);
    stream_set_cbs(stream, &cbs, c);
    if (stream_is_connected(stream)) {
        send_hello(c);
    }
    return c;
}

void
of_conn_destroy(struct of_conn *c)
{
    conn_free(c);
}
