// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 1.0 over a stream (RFC 7047 section 4): framing without length, requests, replies, notifications, errors.
// jansson values; this header is one of the few places that may name them.
#ifndef LIB_BASE_JSONRPC_H
#define LIB_BASE_JSONRPC_H 1

#include <jansson.h>

#include "lib/base/util.h"

struct loop;
struct str;
struct stream;
struct jsonrpc;

enum jsonrpc_type { JSONRPC_REQUEST, JSONRPC_NOTIFY, JSONRPC_REPLY, JSONRPC_ERROR };

struct jsonrpc_msg {
    enum jsonrpc_type type;
    const char *method; // request, notify
    json_t *params;     // request, notify (array); borrowed while in the callback
    json_t *result;     // reply
    json_t *error;      // error
    json_t *id;         // request, reply, error
    size_t bytes;       // of its text
};

struct jsonrpc_cbs {
    // A well-formed message. Members are borrowed: json_incref() what is kept.
    void (*message)(struct jsonrpc *, const struct jsonrpc_msg *, void *aux);
    void (*connected)(struct jsonrpc *, int error, void *aux); // active streams only
    // Gone: peer closed (0), -errno, or -EPROTO after malformed input (already logged). Free it here or later.
    void (*closed)(struct jsonrpc *, int error, void *aux);
};

// Takes the stream. Answers "echo" requests by itself, unless the peer doesn't read the answers: then input waits.
struct jsonrpc *jsonrpc_new(struct loop *, struct stream *take, const struct jsonrpc_cbs *, void *aux);
void jsonrpc_free(struct jsonrpc *);
struct stream *jsonrpc_stream(struct jsonrpc *);
struct loop *jsonrpc_loop(const struct jsonrpc *);
const char *jsonrpc_name(const struct jsonrpc *);
// Inactivity probe: after ms without input an "echo" is sent, after as much again the connection is closed (-ETIMEDOUT). One that
// isn't made yet is closed after ms. 0: off.
void jsonrpc_set_probe(struct jsonrpc *, int ms);
// Stop taking input (flow control). Meanwhile output that leaves is the sign of life that the probe looks for.
void jsonrpc_pause(struct jsonrpc *, bool pause);
// Each time all output has left; NULL: nobody is told.
void jsonrpc_on_drained(struct jsonrpc *, void (*cb)(void *aux), void *aux);
size_t jsonrpc_backlog(const struct jsonrpc *);
// Asked first, with the text that a message begins (text[n] is NUL) or is (text[n - 1] ends it):
// how many bytes it has dealt with, a whole message; 0: none, it is to become values.
void jsonrpc_on_text(struct jsonrpc *, size_t (*cb)(const char *text, size_t n, void *aux),
                     void *aux);
// Bytes that a message may have, JSONRPC_MAX_MESSAGE at first. A longer one closes the connection (-EPROTO).
#define JSONRPC_MAX_MESSAGE ((size_t) 1 << 30)
void jsonrpc_set_max_message(struct jsonrpc *, size_t);
// Bytes received, sent.
uint64_t jsonrpc_received(const struct jsonrpc *);

// Sending takes the references. jsonrpc_request returns the id it chose.
uint64_t jsonrpc_request(struct jsonrpc *, const char *method, json_t *params_take);
void jsonrpc_notify(struct jsonrpc *, const char *method, json_t *params_take);
void jsonrpc_reply(struct jsonrpc *, json_t *result_take, json_t *id);
void jsonrpc_reply_error(struct jsonrpc *, json_t *error_take, json_t *id);
// Sends text that is a complete JSON-RPC message already (one serialisation, many receivers). A request among them takes its id
// from jsonrpc_next_id().
void jsonrpc_send_raw(struct jsonrpc *, const char *text, size_t len);
uint64_t jsonrpc_next_id(struct jsonrpc *);

// Splits a byte stream into JSON values. feed returns bytes used; *value is set (to json_decref) when one is complete, *error (a static sentence) when
// the input can't be JSON, or is longer than the limit (JSONRPC_MAX_MESSAGE at first).
struct jsonrpc_parser;
struct jsonrpc_parser *jsonrpc_parser_new(void);
void jsonrpc_parser_free(struct jsonrpc_parser *);
void jsonrpc_parser_set_limit(struct jsonrpc_parser *, size_t bytes);
size_t jsonrpc_parser_feed(struct jsonrpc_parser *, const char *data, size_t len, json_t **value, const char **error);
// In two steps: the text of a value, good until the next call (p NULL: none is complete yet), and
// the value of a text that is.
struct jsonrpc_text {
    const char *p;
    size_t n;
};
size_t jsonrpc_parser_split(struct jsonrpc_parser *, const char *data, size_t len,
                            struct jsonrpc_text *, const char **error);
json_t *jsonrpc_parser_value(const char *text, size_t n, const char **error);
void
jsonrpc_parser_forget(struct jsonrpc_parser *); // the text that split() gave is of no use any more
bool jsonrpc_parser_is_between(const struct jsonrpc_parser *); // no value has begun

// Blocking client for command-line tools (its own private loop).
struct jsonrpc_sync;
// Waits until connected, or, for a passive name, until the server has; 0 or -errno.
int jsonrpc_sync_open(const char *remote, struct jsonrpc_sync **);
void jsonrpc_sync_free(struct jsonrpc_sync *);
// Sends a request and waits for its reply; notifications in between go to the handler (may be NULL). 0: *result or *error set (to
// json_decref).
int jsonrpc_sync_call(struct jsonrpc_sync *, const char *method, json_t *params_take, json_t **result, json_t **error);
void jsonrpc_sync_on_notify(struct jsonrpc_sync *, void (*cb)(const char *method, json_t *params, void *aux), void *aux);
// Sends a request; its reply, result or error, comes to the handler of notifications, with method "".
void jsonrpc_sync_send(struct jsonrpc_sync *, const char *method, json_t *params_take);
void jsonrpc_sync_stop(struct jsonrpc_sync *); // jsonrpc_sync_wait() ends with -ECANCELED
struct loop *jsonrpc_sync_loop(struct jsonrpc_sync *); // what else is on it is served while it waits
int jsonrpc_sync_wait(struct jsonrpc_sync *); // waits for one notification or the end of the connection (-errno)

// Active connection that comes back: exponential back-off from min to max ms, probes, status for people.
struct jsonrpc_session;
struct jsonrpc_session_cbs {
    void (*message)(struct jsonrpc_session *, const struct jsonrpc_msg *, void *aux);
    void (*state)(struct jsonrpc_session *, bool connected, void *aux); // after each (dis)connection
};
// remotes: one or more active names separated by commas, tried in turn.
struct jsonrpc_session *jsonrpc_session_new(struct loop *, const char *remotes, const struct jsonrpc_session_cbs *, void *aux);
void jsonrpc_session_free(struct jsonrpc_session *);
struct jsonrpc *jsonrpc_session_conn(struct jsonrpc_session *); // NULL while not connected
void jsonrpc_session_set_probe(struct jsonrpc_session *, int ms);
void jsonrpc_session_set_backoff(struct jsonrpc_session *, int min_ms, int max_ms);
void jsonrpc_session_reconnect(struct jsonrpc_session *);
// The line about a connection that failed (-errno), of servers too.
void jsonrpc_log_dropped(const struct jsonrpc *, int error);

#endif
