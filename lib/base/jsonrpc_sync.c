// SPDX-License-Identifier: Apache-2.0
// The blocking client of command-line tools: one connection on a loop of its own, turned only while
// waiting.
#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/loop.h"
#include "lib/base/stream.h"

#define OVSDB_PORT 6640

struct jsonrpc_sync {
    struct loop *loop;
    struct jsonrpc *conn;
    bool connected;
    int error; // the connection's end: -errno
    uint64_t wanted;
    bool waiting; // for the reply `wanted`
    bool stopped;
    json_t *result, *reply_error;
    unsigned n_notified;
    void (*on_notify)(const char *, json_t *, void *);
    void *notify_aux;
};

static void
on_message(struct jsonrpc *j, const struct jsonrpc_msg *m, void *s_)
{
    struct jsonrpc_sync *s = s_;
    if (m->type == JSONRPC_NOTIFY) {
        s->n_notified++;
        if (s->on_notify) {
            s->on_notify(m->method, m->params, s->notify_aux);
        }
    } else if (m->type == JSONRPC_REQUEST) {
        jsonrpc_reply_error(j, json_string("unknown method"), m->id);
    } else if (s->waiting && json_is_integer(m->id) &&
               (uint64_t) json_integer_value(m->id) == s->wanted) {
        s->waiting = false;
        s->result = json_incref(m->result);
        s->reply_error = json_incref(m->error);
    } else if (s->on_notify) { // of jsonrpc_sync_send()
        s->on_notify("", m->type == JSONRPC_ERROR ? m->error : m->result, s->notify_aux);
    }
}

static void
on_connected(struct jsonrpc *j, int error, void *s_)
{
    struct jsonrpc_sync *s = s_;
    s->connected = !error;
    s->error = error;
}

static void
on_closed(struct jsonrpc *j, int error, void *s_)
{
    struct jsonrpc_sync *s = s_;
    s->error = error ? error : -ECONNRESET;
}

static const struct jsonrpc_cbs sync_cbs = {on_message, on_connected, on_closed};

static void
on_accept(struct stream *new, void *s_)
{
    struct jsonrpc_sync *s = s_;
    if (s->conn) {
        stream_free(new);
        return;
    }
    s->conn = jsonrpc_new(s->loop, new, &sync_cbs, s);
    s->connected = stream_is_connected(new); // one with TLS is later
}

// Waits for the server to come to us.
static int
await_server(struct jsonrpc_sync *s, const char *name)
{
    struct stream_listener *listener;
    int error = stream_listener_open(
        s->loop, &(const struct stream_listen_args){name, OVSDB_PORT, 0, on_accept, s}, &listener);
    if (error) {
        return error;
    }
    while (!s->connected && !s->error) {
        loop_turn(s->loop, -1);
    }
    stream_listener_free(listener);
    return s->error;
}

static int
connect_to(struct jsonrpc_sync *s, const char *name)
{
    struct stream *stream;
    int error = stream_open(s->loop, name, OVSDB_PORT, 0, &stream);
    if (error) {
        return error;
    }
    s->conn = jsonrpc_new(s->loop, stream, &sync_cbs, s);
    while (!s->connected && !s->error) {
        loop_turn(s->loop, -1);
    }
    return s->error;
}

int
jsonrpc_sync_open(const char *remote, struct jsonrpc_sync **out)
{
    struct jsonrpc_sync *s = base_calloc(1, sizeof *s);
    s->loop = loop_new();
    *out = NULL;
    int error = stream_name_is_passive(remote) ? await_server(s, remote) : connect_to(s, remote);
    if (error) {
        jsonrpc_sync_free(s);
        return error;
    }
    *out = s;
    return 0;
}

void
jsonrpc_sync_free(struct jsonrpc_sync *s)
{
    if (!s) {
        return;
    }
    // What is queued leaves first, as far as the peer takes it.
    for (int i = 0; i < 100 && s->connected && !s->error && jsonrpc_backlog(s->conn); i++) {
        loop_turn(s->loop, 10);
    }
    if (s->conn) {
        struct evbuffer *out = stream_output(jsonrpc_stream(s->conn));
        evbuffer_drain(out, evbuffer_get_length(out)); // so that the stream ends at once
        jsonrpc_free(s->conn);
    }
    loop_free(s->loop);
    json_decref(s->result);
    json_decref(s->reply_error);
    free(s);
}

int
jsonrpc_sync_call(struct jsonrpc_sync *s, const char *method, json_t *params, json_t **result,
                  json_t **error)
{
    *result = *error = NULL;
    if (s->error) {
        json_decref(params);
        return s->error;
    }
    s->wanted = jsonrpc_request(s->conn, method, params);
    s->waiting = true;
    while (s->waiting && !s->error) {
        loop_turn(s->loop, -1);
    }
    if (s->waiting) {
        s->waiting = false;
        return s->error;
    }
    *result = s->result;
    *error = s->reply_error;
    s->result = s->reply_error = NULL;
    return 0;
}

void
jsonrpc_sync_on_notify(struct jsonrpc_sync *s, void (*cb)(const char *, json_t *, void *),
                       void *aux)
{
    s->on_notify = cb;
    s->notify_aux = aux;
}

void
jsonrpc_sync_send(struct jsonrpc_sync *s, const char *method, json_t *params)
{
    (void) jsonrpc_request(s->conn, method, params);
}

void
jsonrpc_sync_stop(struct jsonrpc_sync *s)
{
    s->stopped = true;
}

struct loop *
jsonrpc_sync_loop(struct jsonrpc_sync *s)
{
    return s->loop;
}

int
jsonrpc_sync_wait(struct jsonrpc_sync *s)
{
    unsigned before = s->n_notified;
    while (s->n_notified == before && !s->error && !s->stopped) {
        loop_turn(s->loop, -1);
    }
    return s->stopped ? -ECANCELED : s->n_notified != before ? 0 : s->error;
}
