// SPDX-License-Identifier: Apache-2.0
// Byte streams by name: tcp:HOST:PORT, ssl:HOST:PORT, unix:FILE and listeners ptcp:[PORT][:HOST], pssl:…, punix:FILE
// (ovs-vsctl(8), ovsdb(7)); IPv6 hosts in brackets. On libevent bufferevents; TLS by OpenSSL. One loop each, no threads.
#ifndef LIB_BASE_STREAM_H
#define LIB_BASE_STREAM_H 1

#include "lib/base/util.h"

struct evbuffer;
struct loop;
struct stream;
struct stream_listener;

struct stream_cbs {
    // Outcome of an active connection: 0 connected, else -errno. Of accepted streams only those with TLS get it, with 0, when the
    // handshake is done; the others are connected from the beginning.
    void (*connected)(struct stream *, int error, void *aux);
    // Bytes have arrived: drain from stream_input().
    void (*readable)(struct stream *, void *aux);
    // Output has drained below the low-water mark (0 by default).
    void (*drained)(struct stream *, void *aux);
    // The peer closed (error 0) or the stream failed (-errno). Free it here or later.
    void (*closed)(struct stream *, int error, void *aux);
    // As readable, for what came when no input was waiting: returns how much it took, the rest
    // waits. A NUL stands behind them. NULL: readable does all.
    size_t (*bytes)(struct stream *, const uint8_t *data, size_t n, void *aux);
};

// True when the name has the form of an active (stream_) or passive (listener) connection method.
bool stream_name_is_active(const char *name);
bool stream_name_is_passive(const char *name);
// Of an active method to a numeric IPv4 address.
bool stream_name_ipv4(const char *name, uint16_t default_port, be32_t *ip, uint16_t *port);

// Starts connecting. default_port for names without one. 0 or -errno (-EAFNOSUPPORT: unknown method). Callbacks come from the loop, never from here.
int stream_open(struct loop *, const char *name, uint16_t default_port, uint8_t dscp, struct stream **);
void stream_set_cbs(struct stream *, const struct stream_cbs *, void *aux);
void stream_free(struct stream *); // closes at once; unsent output is lost
// Sends what is queued (up to some seconds), then closes; the pointer is gone.
void stream_finish(struct stream *);
struct evbuffer *stream_input(struct stream *);
// All input so far as one run of bytes, valid until stream_drain() or the end of the callback; drain what was used up.
size_t stream_peek(struct stream *, const uint8_t **data);
void stream_drain(struct stream *, size_t n);
struct evbuffer *stream_output(struct stream *); // add here; it is sent by the loop
void stream_write(struct stream *, const void *, size_t);
size_t stream_backlog(const struct stream *); // bytes queued, not yet sent
void stream_pause_reading(struct stream *, bool pause);
const char *stream_name(const struct stream *); // "unix:…", "tcp:127.0.0.1:41234" (the peer's address for accepted ones)
const char *stream_peer_id(const struct stream *); // TLS: CN of the peer's certificate, else NULL (role-based access)
bool stream_is_connected(const struct stream *);

// accept callback: takes the new stream. 0 or -errno.
#define stream_listen(LOOP, NAME, DEFAULT_PORT, DSCP, ACCEPT, AUX, OUT)                                                \
    stream_listener_open(LOOP, &(const struct stream_listen_args) {NAME, DEFAULT_PORT, DSCP, ACCEPT, AUX}, OUT)
struct stream_listen_args {
    const char *name;
    uint16_t default_port;
    uint8_t dscp;
    void (*accept)(struct stream *new_take, void *aux);
    void *aux;
};
int stream_listener_open(struct loop *, const struct stream_listen_args *, struct stream_listener **);
void stream_listener_free(struct stream_listener *); // unlinks a punix: file
const char *stream_listener_name(const struct stream_listener *);
uint16_t stream_listener_port(const struct stream_listener *); // bound TCP port, host order; 0 for Unix

// TLS settings of the process; changing them affects connections made later. NULL leaves a setting as it is; "" clears.
// Files are read now, and again when they have changed and a connection is made; what is wrong with them is logged.
struct stream_tls {
    const char *private_key, *certificate, *ca_cert, *peer_ca_cert, *protocols, *ciphers;
    bool bootstrap_ca_cert; // ca_cert is written from the first peer when missing
};
void stream_set_tls(const struct stream_tls *);

#endif
