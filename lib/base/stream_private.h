// SPDX-License-Identifier: Apache-2.0
// Between stream.c (life of a stream), stream_name.c (names, addresses, sockets), stream_listen.c and stream_tls.c.
#ifndef LIB_BASE_STREAM_PRIVATE_H
#define LIB_BASE_STREAM_PRIVATE_H 1

#include <sys/socket.h>

#include "lib/base/loop_private.h"
#include "lib/base/stream.h"

struct addrinfo;
struct bufferevent;
struct thread;

enum stream_kind { STREAM_UNIX, STREAM_TCP, STREAM_SSL };

// A connection method's name, taken apart.
struct stream_target {
    enum stream_kind kind;
    bool passive;
    char *host; // tcp, ssl; NULL: any (passive). unix: absolute path
    uint16_t port;
};

// 0, -EAFNOSUPPORT (no such method) or -EINVAL (what follows is wrong).
int stream_target_parse(const char *name, uint16_t default_port, struct stream_target *);
void stream_target_free(struct stream_target *);

struct stream_addr {
    union {
        struct sockaddr sa;
        struct sockaddr_storage ss;
    };
    socklen_t len;
    int dir_fd; // of a long Unix path, which the address goes through; else -1
};
int stream_addr_unix(const char *path, struct stream_addr *);
// Literal addresses only: 0 or -ENOENT.
int stream_addr_literal(const char *host, uint16_t port, struct stream_addr *);
// "1.2.3.4:80", "[::1]:80".
char *stream_addr_text(const struct stream_addr *);
int stream_socket(int family, uint8_t dscp); // non-blocking; fd or -errno

struct stream *stream_accepted(struct loop *, enum stream_kind, int fd, char *name_take);

// TLS: a bufferevent over a connected socket, which it then owns; NULL after a log line.
struct bufferevent *stream_tls_wrap(struct loop *, int fd, bool accept, const char *name);
// After the handshake: 0 or -errno; *peer_id gets the peer's common name (to free) or NULL.
int stream_tls_check(struct bufferevent *, const char *name, char **peer_id);
// Why it failed, in one line; without an error: it ended during the handshake.
void stream_tls_log_error(struct bufferevent *, const char *name);
void stream_tls_close(struct bufferevent *); // and frees it

#endif
