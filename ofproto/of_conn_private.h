// SPDX-License-Identifier: Apache-2.0
// What the files of OpenFlow connections share. Main thread only.
//
//   of_conns.c    who to be connected with: controllers, listeners, back-off, status, fail-open
//   of_conn.c     one connection: bytes in and out, version negotiation, probes
//   of_request.c  requests that change or ask about the switch
//   of_stats.c    statistics requests
//   of_dump.c     dumps of many flows, as fast as the peer reads
//   of_async.c    what the switch says by itself: packet-in, flow-removed, port-status, role-status
#ifndef OFPROTO_OF_CONN_PRIVATE_H
#define OFPROTO_OF_CONN_PRIVATE_H 1

#include "lib/base/list.h"
#include "ofproto/of_bridge_private.h"
#include "ofproto/of_msg.h"

struct loop_timer;
struct stream;
struct stream_listener;

enum of_conn_kind {
    OF_CONN_PRIMARY, // a configured controller, active or accepted
    OF_CONN_SERVICE, // the management socket: no asynchronous messages until it asks
    OF_CONN_SNOOP    // listens to what primary connections say
};

struct of_conn {
    struct cds_list_head node; // in of_conns.conns
    struct of_conns *conns;
    struct of_target *target; // NULL for service and snoop connections
    enum of_conn_kind kind;
    struct stream *stream;
    bool ready;       // version negotiated
    bool closing;     // to be freed at the end of the present callback
    bool last_words;  // what is queued goes out before the stream closes
    int probe_ms;     // 0: none
    bool probe_sent;
    struct loop_timer *probe;
    int64_t connected_at; // ms
    struct of_wire wire;
    enum of_role role;
    struct of_async async;
    uint16_t miss_send_len;
    uint16_t controller_id;
    bool invalid_ttl; // wants packets with invalid TTL
    // Token bucket of packet-ins (controller_rate_limit); rate 0: none.
    int pin_rate, pin_burst;
    double pin_tokens;
    int64_t pin_filled;
    struct str out; // messages of this turn
    struct of_dump *dump; // of flows, being written; requests behind it wait
};

// One configured controller (or the management and snoop sockets).
struct of_target {
    struct cds_list_head node; // in of_conns.targets
    struct of_conns *conns;
    enum of_conn_kind kind;
    char *name;
    struct of_controller config; // strings not used
    struct stream_listener *listener; // passive
    struct of_conn *conn;             // active: the one connection
    struct loop_timer *retry;         // active
    int backoff_ms;
    const char *state; // "BACKOFF", "CONNECTING", "ACTIVE", "VOID"
    int last_error;    // 0: none
    int64_t last_connected, last_disconnected; // ms; -1: never
    bool seen;         // of_conns_configure()'s mark
};

struct of_conns {
    struct of_bridge *bridge;
    struct loop *loop;
    struct cds_list_head targets; // of_target
    struct cds_list_head conns;   // of_conn
    size_t n_snoops;
    uint32_t versions;            // allowed
    uint64_t generation_id;
    bool has_generation_id;
    struct of_desc desc;
    enum of_fail_mode fail_mode;
    size_t n_controllers; // active ones
    int64_t alone_since;  // ms; no controller is connected, though there are some; or -1
    struct loop_timer *fail_timer;
    bool failing_open;
};

// of_conn.c
struct of_conn *of_conn_new(struct of_conns *, struct of_target *, struct stream *take, enum of_conn_kind);
void of_conn_close(struct of_conn *, int error); // tells the target; the connection is freed when its present callback ends
void of_conn_destroy(struct of_conn *);         // outside its own callbacks
void of_conn_send(struct of_conn *, struct str *messages); // leaves it empty
void of_conn_send_error(struct of_conn *, int error, const struct of_msg *request);
void of_conn_write(struct of_conn *, const void *messages, size_t); // past `out`
void of_conn_flush(struct of_conn *);
void of_conn_resume(struct of_conn *); // a dump is out: handles what waited; may free the connection
void of_conn_reply(struct of_conn *, struct of_msg *reply, const struct of_msg *request);

// of_conns.c
void of_target_connected(struct of_target *, struct of_conn *);
void of_target_disconnected(struct of_target *, struct of_conn *, int error);
void of_conns_update_fail_mode(struct of_conns *);

// of_request.c: 0, or an OpenFlow error to be sent.
int of_request_handle(struct of_conn *, struct of_msg *);

// of_dump.c
struct of_dump_rules {
    struct of_rule **rules;
    size_t n, cap;
};
// Takes the array and a reference to each rule.
void of_dump_start(struct of_conn *, struct of_dump_rules *, const struct of_wire *, uint32_t xid);
void of_dump_continue(struct of_conn *); // the peer has read
void of_dump_cancel(struct of_conn *);   // NULL or a dump

// of_stats.c
int of_stats_handle(struct of_conn *, struct of_msg *);

// of_async.c
void of_async_init(struct of_conn *);
void of_async_role_status(struct of_conn *, uint8_t reason);

#endif
