// SPDX-License-Identifier: Apache-2.0
// A connection that comes back. States: waiting (timer set) → connecting → connected → waiting …;
// the back-off doubles with each failed attempt and starts anew once a connection has lived as long
// as the present back-off. An attempt (names, TCP, TLS) that takes longer than ATTEMPT_MS, or than
// the back-off, has failed.
#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/stream.h"

LOG_MODULE(reconnect);

#define OVSDB_PORT 6640
#define ATTEMPT_MS 5000

struct jsonrpc_session {
    struct loop *loop;
    char **remotes;
    size_t n_remotes, cap_remotes;
    size_t current;
    const struct jsonrpc_session_cbs *cbs;
    void *aux;
    struct jsonrpc *conn;
    bool connected;
    struct loop_timer *timer; // next attempt
    int probe_ms;
    int min_backoff, max_backoff, backoff; // ms
    int64_t connected_at;                  // ms
    unsigned failures;
};

static void attempt(void *);

static void
wait_then_attempt(struct jsonrpc_session *s)
{
    const char *name = s->remotes[s->current];
    s->current = (s->current + 1) % s->n_remotes;
    if (s->current && s->n_remotes > 1) {
        loop_timer_set(s->timer, 0); // another remote first
        return;
    }
    s->backoff = s->backoff ? MIN(s->backoff * 2, s->max_backoff) : s->min_backoff;
    if (s->backoff < s->max_backoff) {
        LOG_INFO("%s: waiting %.3g seconds before reconnect", name, s->backoff / 1000.0);
    } else if (s->failures++ == 0) {
        LOG_INFO("%s: continuing to reconnect in the background but suppressing further logging",
                 name);
    }
    loop_timer_set(s->timer, s->backoff);
}

static void
disconnected(struct jsonrpc_session *s)
{
    bool was = s->connected;
    s->connected = false;
    jsonrpc_free(s->conn);
    s->conn = NULL;
    if (was && clock_now() - s->connected_at >= MAX(s->backoff, s->min_backoff)) {
        s->backoff = 0;
        s->failures = 0;
    }
    wait_then_attempt(s);
    if (was && s->cbs->state) {
        s->cbs->state(s, false, s->aux); // may free s
    }
}

static void
on_message(struct jsonrpc *j, const struct jsonrpc_msg *m, void *s_)
{
    struct jsonrpc_session *s = s_;
    s->cbs->message(s, m, s->aux);
}

static void
on_connected(struct jsonrpc *j, int error, void *s_)
{
    struct jsonrpc_session *s = s_;
    if (error) {
        if (!s->failures) {
            LOG_WARN("%s: connection attempt failed (%s)", jsonrpc_name(j), base_strerror(error));
        }
        disconnected(s);
        return;
    }
    LOG_INFO("%s: connected", jsonrpc_name(j));
    s->connected = true;
    s->connected_at = clock_now();
    jsonrpc_set_probe(j, s->probe_ms);
    if (s->cbs->state) {
        s->cbs->state(s, true, s->aux);
    }
}

void
jsonrpc_log_dropped(const struct jsonrpc *j, int error)
{
    LOG_WARN("%s: connection dropped (%s)", jsonrpc_name(j), base_strerror(error));
}

static void
on_closed(struct jsonrpc *j, int error, void *s_)
{
    struct jsonrpc_session *s = s_;
    if (!s->connected) {
        if (!s->failures) {
            LOG_WARN("%s: connection attempt timed out", jsonrpc_name(j));
        }
    } else if (error) {
        jsonrpc_log_dropped(j, error);
    } else {
        LOG_INFO("%s: connection closed by peer", jsonrpc_name(j));
    }
    disconnected(s);
}

static void
attempt(void *s_)
{
    static const struct jsonrpc_cbs cbs = {on_message, on_connected, on_closed};
    struct jsonrpc_session *s = s_;
    const char *name = s->remotes[s->current];
    struct stream *stream;
    if (!s->failures) {
        LOG_INFO("%s: connecting...", name);
    }
    int error = stream_open(s->loop, name, OVSDB_PORT, 0, &stream);
    if (error) {
        if (!s->failures) {
            LOG_WARN("%s: connection attempt failed (%s)", name, base_strerror(error));
        }
        wait_then_attempt(s);
        return;
    }
    s->conn = jsonrpc_new(s->loop, stream, &cbs, s);
    jsonrpc_set_probe(s->conn, MAX(ATTEMPT_MS, s->backoff));
}

struct jsonrpc_session *
jsonrpc_session_new(struct loop *loop, const char *remotes, const struct jsonrpc_session_cbs *cbs,
                    void *aux)
{
    struct jsonrpc_session *s = base_calloc(1, sizeof *s);
    s->loop = loop;
    s->cbs = cbs;
    s->aux = aux;
    s->probe_ms = 5000;
    s->min_backoff = 1000;
    s->max_backoff = 8000;
    char *copy = base_strdup(remotes);
    for (char *word, *save = NULL, *p = copy; (word = strtok_r(p, ", ", &save)); p = NULL) {
        if (s->n_remotes == s->cap_remotes) {
            s->remotes = base_grow(s->remotes, &s->cap_remotes, sizeof *s->remotes);
        }
        s->remotes[s->n_remotes++] = base_strdup(word);
    }
    free(copy);
    s->timer = loop_timer_new(loop, attempt, s);
    if (s->n_remotes) {
        loop_timer_set(s->timer, 0);
    } else {
        LOG_ERR("there is no remote to connect to in \"%s\"", remotes);
    }
    return s;
}

void
jsonrpc_session_free(struct jsonrpc_session *s)
{
    if (!s) {
        return;
    }
    jsonrpc_free(s->conn);
    loop_timer_free(s->timer);
    for (size_t i = 0; i < s->n_remotes; i++) {
        free(s->remotes[i]);
    }
    free(s->remotes);
    free(s);
}

struct jsonrpc *
jsonrpc_session_conn(struct jsonrpc_session *s)
{
    return s->connected ? s->conn : NULL;
}

void
jsonrpc_session_set_probe(struct jsonrpc_session *s, int ms)
{
    s->probe_ms = ms;
    if (s->connected) {
        jsonrpc_set_probe(s->conn, ms);
    }
}

void
jsonrpc_session_set_backoff(struct jsonrpc_session *s, int min_ms, int max_ms)
{
    s->min_backoff = MAX(min_ms, 1);
    s->max_backoff = MAX(max_ms, s->min_backoff);
    if (s->backoff > s->max_backoff) {
        s->backoff = s->max_backoff;
    }
}

void
jsonrpc_session_reconnect(struct jsonrpc_session *s)
{
    if (s->conn) {
        s->backoff = 0;
        s->failures = 0;
        LOG_INFO("%s: connection dropped to reconnect", jsonrpc_name(s->conn));
        disconnected(s);
    }
}
