// SPDX-License-Identifier: Apache-2.0
// One JSON-RPC connection. All messages that a read brought are handled in one go; what is sent is
// serialised straight into the stream's buffer, which leaves at the end of the turn. Owner: the
// loop's thread.
#include "lib/base/jsonrpc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "lib/base/stream.h"

LOG_MODULE(jsonrpc);

#define ECHO_BACKLOG (256 * 1024) // bytes

#define DUMP_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

struct jsonrpc {
    struct loop *loop;
    struct stream *stream;
    const struct jsonrpc_cbs *cbs;
    void *aux;
    struct jsonrpc_parser *parser;
    uint64_t received;
    size_t begun; // bytes of the message that is arriving
    uint64_t next_id;
    bool paused;
    bool choked; // echoes' answers pile up: as paused, until they have left
    bool closed; // the user has been told
    struct loop_timer *resume;
    struct loop_timer *probe;
    int probe_ms;
    int64_t last_input;   // ms
    bool probing;         // an echo is out
    size_t probe_backlog; // output at the last look of the probe
    void (*drained)(void *aux);
    void *drained_aux;
    size_t (*text)(const char *text, size_t n, void *aux);
    void *text_aux;
    int busy; // process() calls under way: freeing waits for them
    bool dead;
};

static const struct stream_cbs no_cbs;

static void process(struct jsonrpc *);
static size_t feed(struct jsonrpc *, const char *data, size_t n, bool ended);

static void
report_closed(struct jsonrpc *j, int error)
{
    if (!j->closed) { // nothing after this: the callback may free j
        j->closed = true;
        stream_pause_reading(j->stream, true);
        if (j->cbs->closed) {
            j->cbs->closed(j, error, j->aux);
        }
    }
}

static void
on_connected(struct stream *s, int error, void *j_)
{
    struct jsonrpc *j = j_;
    j->last_input = clock_now();
    j->closed = error != 0;
    if (j->cbs->connected) {
        j->cbs->connected(j, error, j->aux);
    }
}

// Who is never probed needs no look at the clock.
static void
alive(struct jsonrpc *j)
{
    if (j->probe_ms) {
        j->last_input = clock_now();
    }
    j->probing = false;
}

static void
on_readable(struct stream *s, void *j_)
{
    struct jsonrpc *j = j_;
    alive(j);
    process(j);
}

static size_t
on_bytes(struct stream *s, const uint8_t *data, size_t n, void *j_)
{
    struct jsonrpc *j = j_;
    alive(j);
    return feed(j, (const char *) data, n, true);
}

static bool
may_read(const struct jsonrpc *j)
{
    return !j->paused && !j->choked && !j->closed;
}

static void
resume(struct jsonrpc *j)
{
    if (may_read(j)) {
        stream_pause_reading(j->stream, false);
        loop_timer_set(j->resume, 0); // input that is already here
    }
}

static void
on_drained(struct stream *s, void *j_)
{
    struct jsonrpc *j = j_;
    if (j->paused || j->choked) {
        alive(j);
    }
    if (j->choked) {
        j->choked = false;
        resume(j);
    }
    if (j->drained) {
        j->drained(j->drained_aux);
    }
}

static void
on_closed(struct stream *s, int error, void *j_)
{
    report_closed(j_, error);
}

static void
on_resume(void *j_)
{
    process(j_);
}

static void
on_probe(void *j_)
{
    struct jsonrpc *j = j_;
    if ((j->paused || j->choked) && stream_backlog(j->stream) < j->probe_backlog) {
        alive(j);
    }
    int64_t idle = clock_now() - j->last_input;
    if (j->closed) {
        return;
    }
    if (!stream_is_connected(j->stream)) { // in a handshake that does not end
        report_closed(j, -ETIMEDOUT);
        return;
    }
    if (idle < j->probe_ms) {
        loop_timer_set(j->probe, j->probe_ms - idle);
    } else if (!j->probing) {
        static const char echo[] = "{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}";
        j->probing = true;
        jsonrpc_send_raw(j, echo, sizeof echo - 1);
        loop_timer_set(j->probe, j->probe_ms);
    } else {
        LOG_ERR("%s: no response to inactivity probe after %g seconds, disconnecting",
                jsonrpc_name(j), j->probe_ms / 1000.0);
        report_closed(j, -ETIMEDOUT);
        return; // it may be gone
    }
    j->probe_backlog = stream_backlog(j->stream);
}

struct jsonrpc *
jsonrpc_new(struct loop *loop, struct stream *stream, const struct jsonrpc_cbs *cbs, void *aux)
{
    static const struct stream_cbs stream_cbs = {.connected = on_connected,
                                                 .readable = on_readable,
                                                 .bytes = on_bytes,
                                                 .drained = on_drained,
                                                 .closed = on_closed};
    struct jsonrpc *j = base_calloc(1, sizeof *j);
    j->loop = loop;
    j->stream = stream;
    j->cbs = cbs;
    j->aux = aux;
    j->parser = jsonrpc_parser_new();
    j->resume = loop_timer_new(loop, on_resume, j);
    j->probe = loop_timer_new(loop, on_probe, j);
    j->last_input = clock_now();
    stream_set_cbs(stream, &stream_cbs, j);
    return j;
}

static void
destroy(struct jsonrpc *j)
{
    jsonrpc_parser_free(j->parser);
    // Replies that are queued still leave.
    stream_finish(j->stream);
    free(j);
}

void
jsonrpc_free(struct jsonrpc *j)
{
    if (!j) {
        return;
    }
    loop_timer_free(j->resume);
    loop_timer_free(j->probe);
    j->closed = true;
    j->dead = true;
    stream_set_cbs(j->stream, &no_cbs, NULL);
    if (!j->busy) {
        destroy(j);
    }
}

struct stream *
jsonrpc_stream(struct jsonrpc *j)
{
    return j->stream;
}

struct loop *
jsonrpc_loop(const struct jsonrpc *j)
{
    return j->loop;
}

const char *
jsonrpc_name(const struct jsonrpc *j)
{
    return stream_name(j->stream);
}

void
jsonrpc_set_probe(struct jsonrpc *j, int ms)
{
    if (!j->probe_ms) {
        j->last_input = clock_now();
    }
    j->probe_ms = ms;
    if (ms > 0) {
        loop_timer_set(j->probe, ms);
    } else {
        loop_timer_cancel(j->probe);
    }
}

void
jsonrpc_pause(struct jsonrpc *j, bool pause)
{
    if (j->paused != pause) {
        j->paused = pause;
        pause ? stream_pause_reading(j->stream, true) : resume(j);
    }
}

void
jsonrpc_set_max_message(struct jsonrpc *j, size_t bytes)
{
    jsonrpc_parser_set_limit(j->parser, bytes);
}

void
jsonrpc_on_drained(struct jsonrpc *j, void (*cb)(void *), void *aux)
{
    j->drained = cb;
    j->drained_aux = aux;
}

void
jsonrpc_on_text(struct jsonrpc *j, size_t (*cb)(const char *, size_t, void *), void *aux)
{
    j->text = cb;
    j->text_aux = aux;
}

size_t
jsonrpc_backlog(const struct jsonrpc *j)
{
    return stream_backlog(j->stream);
}

uint64_t
jsonrpc_received(const struct jsonrpc *j)
{
    return j->received;
}

// --- input ---

// A member that is null is as good as none.
static json_t *
member(const json_t *message, const char *name)
{
    json_t *value = json_object_get(message, name);
    return json_is_null(value) ? NULL : value;
}

static bool
has_strange_member(const json_t *message)
{
    static const char *const known[] = {"method", "params", "id", "result", "error"};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        n += json_object_get(message, known[i]) != NULL;
    }
    return json_object_size(message) > n;
}

// Sorts a value into m; an error sentence or NULL.
static const char *
classify(json_t *value, struct jsonrpc_msg *m)
{
    if (!json_is_object(value)) {
        return "message is not a JSON object";
    }
    if (has_strange_member(value)) {
        return "message has a member that JSON-RPC does not know";
    }
    json_t *method = member(value, "method");
    m->id = member(value, "id");
    m->params = member(value, "params");
    m->result = json_object_get(value, "result");
    m->error = member(value, "error");
    if (method) {
        if (!json_is_string(method)) {
            return "method is not JSON string";
        }
        if (!json_is_array(m->params)) {
            return "params is not a JSON array";
        }
        if (member(value, "result") || m->error) {
            return "request has both a method and an outcome";
        }
        m->result = NULL;
        m->method = json_string_value(method);
        m->type = m->id ? JSONRPC_REQUEST : JSONRPC_NOTIFY;
        return NULL;
    }
    if (!m->id) {
        return "message has neither a method nor an id";
    }
    if (!m->error && !m->result) {
        return "reply has no result";
    }
    m->type = m->error ? JSONRPC_ERROR : JSONRPC_REPLY;
    m->result = m->error ? NULL : m->result;
    return NULL;
}

// Echoes both ways are nobody else's business.
static bool
is_echo(struct jsonrpc *j, const struct jsonrpc_msg *m)
{
    if (m->type == JSONRPC_REQUEST && !strcmp(m->method, "echo")) {
        jsonrpc_reply(j, json_incref(m->params), m->id);
        if (stream_backlog(j->stream) > ECHO_BACKLOG) {
            j->choked = true;
            stream_pause_reading(j->stream, true);
        }
        return true;
    }
    return (m->type == JSONRPC_REPLY || m->type == JSONRPC_ERROR) && json_is_string(m->id) &&
           !strcmp(json_string_value(m->id), "echo");
}

static void
log_message(struct jsonrpc *j, const char *what, json_t *value)
{
    char *text = json_dumps(value, DUMP_FLAGS);
    LOG_DBG("%s: %s %s", jsonrpc_name(j), what, text ? text : "?");
    free(text);
}

// Handles one message; takes the value.
static void
handle(struct jsonrpc *j, json_t *value, size_t bytes)
{
    struct jsonrpc_msg m = {.bytes = bytes};
    if (log_enabled(LOG_LEVEL_DBG)) {
        log_message(j, "received", value);
    }
    const char *error = classify(value, &m);
    if (error) {
        LOG_WARN("%s: received bad JSON-RPC message: %s", jsonrpc_name(j), error);
        report_closed(j, -EPROTO);
    } else if (!is_echo(j, &m) && j->cbs->message) {
        j->cbs->message(j, &m, j->aux);
    }
    json_decref(value);
}

// Without values between, and what the log wants.
static size_t
deal_with_text(struct jsonrpc *j, const char *text, size_t n)
{
    return j->text && !log_enabled(LOG_LEVEL_DBG) ? j->text(text, n, j->text_aux) : 0;
}

// One message, or a part of it; returns how many bytes.
static size_t
feed_one(struct jsonrpc *j, const char *data, size_t n)
{
    struct jsonrpc_text text;
    const char *error;
    const size_t used = jsonrpc_parser_split(j->parser, data, n, &text, &error);
    j->begun += used;
    if (text.p) {
        const size_t bytes = j->begun;
        j->begun = 0;
        json_t *value =
            deal_with_text(j, text.p, text.n) ? NULL : jsonrpc_parser_value(text.p, text.n, &error);
        jsonrpc_parser_forget(j->parser);
        if (value) {
            handle(j, value, bytes);
        }
    }
    if (error) {
        LOG_WARN("%s: error parsing stream: %s", jsonrpc_name(j), error);
        report_closed(j, -EPROTO);
    }
    return used;
}

// Handles the messages in a run of bytes, as far as it may read; returns how many of them. ended: a
// NUL stands behind them.
static size_t
feed(struct jsonrpc *j, const char *data, size_t n, bool ended)
{
    size_t at = 0;
    j->busy++;
    while (at < n && may_read(j)) {
        // What fits here is no longer than messages may be.
        size_t used = ended && jsonrpc_parser_is_between(j->parser)
                          ? deal_with_text(j, data + at, n - at)
                          : 0;
        used = used ? used : feed_one(j, data + at, n - at);
        at += used;
        j->received += used;
    }
    if (!--j->busy && j->dead) {
        destroy(j);
    }
    return at;
}

static void
process(struct jsonrpc *j)
{
    j->busy++;
    while (may_read(j)) {
        struct evbuffer *in = stream_input(j->stream);
        struct evbuffer_iovec v;
        if (evbuffer_peek(in, -1, NULL, &v, 1) < 1 || !v.iov_len) {
            break;
        }
        // The piece stays where it is until the values in it are handled: draining early could move
        // it.
        evbuffer_drain(in, feed(j, v.iov_base, v.iov_len, false));
    }
    if (!--j->busy && j->dead) {
        destroy(j);
    }
}

// --- output ---

// Serialisation buffer of the thread, kept between messages.
static _Thread_local struct str scratch;

static void
add_json(struct str *s, json_t *value)
{
    size_t room = s->cap > s->len ? s->cap - s->len : 0;
    size_t n = json_dumpb(value, s->p ? s->p + s->len : NULL, room, DUMP_FLAGS);
    if (n > room) {
        str_reserve(s, n);
        json_dumpb(value, s->p + s->len, n, DUMP_FLAGS);
    }
    s->len += n;
}

static void
send_scratch(struct jsonrpc *j)
{
    str_add_char(&scratch, '}');
    jsonrpc_send_raw(j, scratch.p, scratch.len);
    if (scratch.cap > 4 * 1024 * 1024) {
        str_free(&scratch);
    }
}

static void
begin_call(const char *method, json_t *params)
{
    json_t *name = json_string(method);
    str_add(&scratch, ",\"method\":");
    add_json(&scratch, name);
    json_decref(name);
    str_add(&scratch, ",\"params\":");
    add_json(&scratch, params);
    json_decref(params);
}

uint64_t
jsonrpc_next_id(struct jsonrpc *j)
{
    return j->next_id++;
}

uint64_t
jsonrpc_request(struct jsonrpc *j, const char *method, json_t *params)
{
    uint64_t id = jsonrpc_next_id(j);
    str_clear(&scratch);
    str_addf(&scratch, "{\"id\":%llu", (unsigned long long) id);
    begin_call(method, params);
    send_scratch(j);
    return id;
}

void
jsonrpc_notify(struct jsonrpc *j, const char *method, json_t *params)
{
    str_clear(&scratch);
    str_add(&scratch, "{\"id\":null");
    begin_call(method, params);
    send_scratch(j);
}

void
jsonrpc_reply(struct jsonrpc *j, json_t *result, json_t *id)
{
    str_clear(&scratch);
    str_add(&scratch, "{\"id\":");
    add_json(&scratch, id);
    str_add(&scratch, ",\"result\":");
    add_json(&scratch, result);
    str_add(&scratch, ",\"error\":null");
    json_decref(result);
    send_scratch(j);
}

void
jsonrpc_reply_error(struct jsonrpc *j, json_t *error, json_t *id)
{
    str_clear(&scratch);
    str_add(&scratch, "{\"id\":");
    add_json(&scratch, id);
    str_add(&scratch, ",\"result\":null,\"error\":");
    add_json(&scratch, error);
    json_decref(error);
    send_scratch(j);
}

void
jsonrpc_send_raw(struct jsonrpc *j, const char *text, size_t len)
{
    if (log_enabled(LOG_LEVEL_DBG)) {
        LOG_DBG("%s: send %.*s", jsonrpc_name(j), (int) MIN(len, (size_t) INT_MAX), text);
    }
    if (!j->closed) {
        stream_write(j->stream, text, len);
    }
}
