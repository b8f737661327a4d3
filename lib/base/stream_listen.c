// SPDX-License-Identifier: Apache-2.0
// Listeners: TCP, TLS and Unix.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/daemon.h"
#include "lib/base/log.h"
#include "lib/base/stream_private.h"

LOG_MODULE(socket_util);

#define ACCEPT_BATCH 32
#define AGAIN_MS 100

struct stream_listener {
    struct loop *loop;
    enum stream_kind kind;
    char *name;
    char *path; // Unix
    int fd;
    uint16_t port;
    struct loop_io *io;
    struct loop_timer *again; // after a while without descriptors
    void (*accept)(struct stream *, void *);
    void *aux;
    bool busy, dead; // freed inside the accept callback
};

static void
take_one(struct stream_listener *l, int fd, const struct stream_addr *peer)
{
    static unsigned n_unix;
    char *name;
    if (l->kind == STREAM_UNIX) {
        name = base_asprintf("unix#%u", __atomic_fetch_add(&n_unix, 1, __ATOMIC_RELAXED));
    } else {
        char *text = stream_addr_text(peer);
        name = base_asprintf("%s:%s", l->kind == STREAM_SSL ? "ssl" : "tcp", text);
        free(text);
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    struct stream *s = stream_accepted(l->loop, l->kind, fd, name);
    if (s) {
        l->accept(s, l->aux);
    }
}

static void
on_accept(void *l_, int events)
{
    struct stream_listener *l = l_;
    l->busy = true;
    for (int i = 0; i < ACCEPT_BATCH && !l->dead; i++) {
        struct stream_addr peer = {.len = sizeof peer.ss};
        int fd = accept4(l->fd, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_one(l, fd, &peer);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN) {
                static struct log_limit limit = LOG_LIMIT(10, 10);
                LOG_WARN_RL(&limit, "%s: accept: %s", l->name, base_strerror(errno));
                // Whatever is short, the next turn will not have it either.
                loop_io_set(l->io, 0);
                loop_timer_set(l->again, AGAIN_MS);
            }
            break;
        }
    }
    l->busy = false;
    if (l->dead) {
        free(l);
    }
}

static void
on_again(void *l_)
{
    struct stream_listener *l = l_;
    loop_io_set(l->io, LOOP_READ);
}

// A listening socket or -errno.
static int
open_unix(const char *path)
{
    struct stream_addr a;
    int error = stream_addr_unix(path, &a);
    if (error) {
        return error;
    }
    int fd = stream_socket(AF_UNIX, 0);
    if (fd >= 0) {
        // The mode of the socket's file follows the descriptor's (and the umask).
        fchmod(fd, 0770);
        unlink(path);
        if (bind(fd, &a.sa, a.len) < 0 || listen(fd, 1024) < 0) {
            error = -errno;
            close(fd);
            fd = error;
        }
    }
    if (a.dir_fd >= 0) {
        close(a.dir_fd);
    }
    return fd;
}

static int
open_tcp(const struct stream_target *t, uint8_t dscp, uint16_t *port)
{
    struct stream_addr a;
    int on = 1;
    int error = stream_addr_literal(t->host ? t->host : "0.0.0.0", t->port, &a);
    if (error) {
        return -EINVAL;
    }
    int fd = stream_socket(a.sa.sa_family, dscp);
    if (fd < 0) {
        return fd;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &a.sa, a.len) < 0 || listen(fd, 1024) < 0 || getsockname(fd, &a.sa, &a.len) < 0) {
        error = -errno;
        close(fd);
        return error;
    }
    *port = ntohs(a.sa.sa_family == AF_INET6 ? ((struct sockaddr_in6 *) &a.ss)->sin6_port
                                             : ((struct sockaddr_in *) &a.ss)->sin_port);
    return fd;
}

int
stream_listener_open(struct loop *loop, const struct stream_listen_args *args,
                     struct stream_listener **out)
{
    const char *name = args->name;
    struct stream_target t;
    *out = NULL;
    int error = stream_target_parse(name, args->default_port, &t);
    if (error || !t.passive) {
        if (!error) {
            stream_target_free(&t);
        }
        return error ? error : -EAFNOSUPPORT;
    }
    uint16_t port = 0;
    int fd = t.kind == STREAM_UNIX ? open_unix(t.host) : open_tcp(&t, args->dscp, &port);
    if (fd < 0) {
        LOG_ERR("%s: cannot listen: %s", name, base_strerror(fd));
        stream_target_free(&t);
        return fd;
    }
    struct stream_listener *l = base_calloc(1, sizeof *l);
    l->loop = loop;
    l->kind = t.kind;
    l->name = base_strdup(name);
    l->fd = fd;
    l->port = port;
    l->accept = args->accept;
    l->aux = args->aux;
    if (t.kind == STREAM_UNIX) {
        l->path = t.host;
        t.host = NULL;
        daemon_unlink_at_exit(l->path);
    } else if (!t.port) {
        LOG_INFO("%s: listening on port %u", strchr(name, ':') + 1, port);
    }
    l->io = loop_io_new(loop, fd, LOOP_READ, on_accept, l);
    l->again = loop_timer_new(loop, on_again, l);
    stream_target_free(&t);
    *out = l;
    return 0;
}

void
stream_listener_free(struct stream_listener *l)
{
    if (!l) {
        return;
    }
    loop_io_free(l->io);
    loop_timer_free(l->again);
    close(l->fd);
    if (l->path) {
        unlink(l->path);
        daemon_cancel_unlink(l->path);
    }
    free(l->path);
    free(l->name);
    l->dead = true;
    if (!l->busy) {
        free(l);
    }
}

const char *
stream_listener_name(const struct stream_listener *l)
{
    return l->name;
}

uint16_t
stream_listener_port(const struct stream_listener *l)
{
    return l->port;
}
