// SPDX-License-Identifier: Apache-2.0
// The blocking client of command-line tools: one connection on a loop of its own, turned only while waiting.
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

int
jsonrpc_sync_open(const char *remote, struct jsonrpc_sync **out)
{
    static const struct jsonrpc_cbs cbs = {on_message, on_connected, on_closed};
    struct stream *stream;
    struct loop *loop = loop_new();
    *out = NULL;
    int error = stream_open(loop, remote, OVSDB_PORT, 0, &stream);
    if (error) {
        loop_free(loop);
        return error;
    }
    struct jsonrpc_sync *s = base_calloc(1, sizeof *s);
    s->loop = loop;
    s->conn = jsonrpc_new(loop, stream, &cbs, s);
    while (!s->connected && !s->error) {
        loop_turn(loop, -1);
    }
    if (s->error) {
        error = s->error;
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
    struct evbuffer *out = stream_output(jsonrpc_stream(s->conn));
    evbuffer_drain(out, evbuffer_get_length(out)); // so that the stream ends at once
    jsonrpc_free(s->conn);
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
jsonrpc_sync_on_notify(struct jsonrpc_sync *s, void (*cb)(const char *, json_t *, void *), void *aux)
{
    s->on_notify = cb;
    s->notify_aux = aux;
}

int
jsonrpc_sync_wait(struct jsonrpc_sync *s)
{
    unsigned before = s->n_notified;
    while (s->n_notified == before && !s->error) {
        loop_turn(s->loop, -1);
    }
    return s->n_notified != before ? 0 : s->error;
}
