// SPDX-License-Identifier: Apache-2.0
// The life of a stream. Plain sockets are read and written here through evbuffers: what a turn of
// the loop wrote leaves at its end in one system call, and writability is watched only after a
// short write. TLS is a bufferevent (stream_tls.c). Connecting: [resolving, in a thread] → one
// address after the other → [handshake] → connected.
#include "lib/base/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/stream_private.h"
#include "lib/base/thread.h"

LOG_MODULE(stream);

#define READ_MIN 976 // with the head of an evbuffer's piece, what malloc() has at hand
#define READ_MAX (256 * 1024)
#define READY_MAX 4096
#define READ_DIRECT 4096
#define FINISH_MS 5000

static struct mutex resolver_mutex = MUTEX_INIT;

enum state { CONNECTING, HANDSHAKE, OPEN, CLOSED };

// A name being resolved. The thread may take longer than its stream and the loop live: then it is
// abandoned, and frees this by itself.
struct resolver {
    struct stream *stream; // NULL: nobody waits any more
    struct loop *loop;
    struct thread *thread;
    char *host;
    char port[8];
    struct addrinfo *found;
    int error;
    bool abandoned GUARDED_BY(resolver_mutex);
    bool done GUARDED_BY(resolver_mutex); // the loop has it
};

struct stream {
    struct loop *loop;
    enum stream_kind kind;
    enum state state;
    char *name;
    char *peer_id;
    uint8_t dscp;
    const struct stream_cbs *cbs;
    void *aux;

    int fd; // -1: none, or the bufferevent's
    struct loop_io *io;
    struct evbuffer *in, *out; // plain
    struct str ready; // output of this turn, before it needs `out`: little, and nothing is there
    struct bufferevent *bev; // TLS
    size_t read_size;        // adapts to what arrives
    bool accepted;
    bool paused;
    bool want_write; // watching for room after a short write
    struct loop_flush flush;

    struct resolver *resolver;
    struct stream_addr addrs[8]; // left to try, the next last
    int n_addrs;
    int error; // for the deferred report

    struct loop_timer *timer; // deferred failure; end of stream_finish()
    bool finishing;
    int busy;  // callbacks under way: freeing waits for them
    bool dead; // freed inside a callback
};

static void flush_now(struct loop_flush *);
static void try_next(struct stream *, int error);

static void
on_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *s_)
{
    struct stream *s = s_;
    if (info->n_added && s->state == OPEN && !s->want_write) {
        loop_flush_later(s->loop, &s->flush);
    }
}

static struct stream *
new_stream(struct loop *loop, enum stream_kind kind, char *name_take)
{
    static const struct stream_cbs none;
    signal(SIGPIPE, SIG_IGN);
    struct stream *s = base_calloc(1, sizeof *s);
    s->loop = loop;
    s->kind = kind;
    s->name = name_take;
    s->cbs = &none;
    s->fd = -1;
    s->read_size = READ_MIN;
    s->flush.cb = flush_now;
    s->in = evbuffer_new();
    s->out = evbuffer_new();
    if (!s->in || !s->out) {
        abort();
    }
    evbuffer_add_cb(s->out, on_output, s);
    return s;
}

void
stream_set_cbs(struct stream *s, const struct stream_cbs *cbs, void *aux)
{
    s->cbs = cbs;
    s->aux = aux;
}

static void
close_transport(struct stream *s)
{
    loop_flush_cancel(&s->flush);
    loop_io_free(s->io);
    s->io = NULL;
    if (s->bev) {
        // Its buffers stay readable: what has arrived belongs to the user.
        bufferevent_disable(s->bev, EV_READ | EV_WRITE);
        bufferevent_setcb(s->bev, NULL, NULL, NULL, NULL);
    }
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    s->want_write = false;
}

// Apart: gcc -O3 doesn't see that "busy" keeps it from running twice.
static void __attribute__((noinline)) destroy(struct stream *s)
{
    if (s->bev) {
        stream_tls_close(s->bev);
    }
    loop_timer_free(s->timer);
    evbuffer_free(s->in);
    evbuffer_free(s->out);
    str_free(&s->ready);
    free(s->name);
    free(s->peer_id);
    free(s);
}

static void
abandon(struct resolver *r)
{
    r->stream = NULL;
    mutex_lock(&resolver_mutex);
    r->abandoned = !r->done;
    mutex_unlock(&resolver_mutex);
}

void
stream_free(struct stream *s)
{
    if (!s) {
        return;
    }
    close_transport(s);
    s->state = CLOSED;
    s->dead = true;
    if (s->resolver) {
        abandon(s->resolver);
        s->resolver = NULL;
    }
    if (s->timer) {
        loop_timer_cancel(s->timer);
    }
    if (!s->busy) {
        destroy(s);
    }
}

// Ends a section in which the stream may have been freed; false if it was.
static bool
release(struct stream *s)
{
    bool dead = s->dead;
    if (!--s->busy && dead) {
        destroy(s);
    }
    return !dead;
}

// Calls back; false when the stream is gone afterwards.
#define CALL(s, CB, ...)                                                                           \
    ({                                                                                             \
        (s)->busy++;                                                                               \
        if ((s)->cbs->CB) {                                                                        \
            (s)->cbs->CB(__VA_ARGS__);                                                             \
        }                                                                                          \
        release(s);                                                                                \
    })

static void
ended(struct stream *s, int error)
{
    bool connecting = s->state == CONNECTING || s->state == HANDSHAKE;
    if (s->state == CLOSED) {
        return;
    }
    s->state = CLOSED;
    close_transport(s);
    if (s->finishing) {
        stream_free(s);
    } else if (connecting && !s->accepted && s->cbs->connected) {
        (void) CALL(s, connected, s, error ? error : -ECONNRESET, s->aux);
    } else {
        (void) CALL(s, closed, s, error, s->aux);
    }
}

static void
update_io(struct stream *s)
{
    if (s->io) {
        int events = s->state == CONNECTING
                         ? LOOP_WRITE
                         : (s->paused ? 0 : LOOP_READ) | (s->want_write ? LOOP_WRITE : 0);
        loop_io_set(s->io, events);
    }
}

// One piece, as most output is, goes by send(), which has less in front of it than writev().
static ssize_t
send_some(struct stream *s)
{
    struct evbuffer_iovec v;
    if (evbuffer_peek(s->out, -1, NULL, &v, 1) != 1) {
        return evbuffer_write(s->out, s->fd);
    }
    ssize_t n = send(s->fd, v.iov_base, v.iov_len, MSG_NOSIGNAL);
    if (n > 0) {
        evbuffer_drain(s->out, n);
    }
    return n;
}

static void
send_ready(struct stream *s)
{
    const ssize_t n = send(s->fd, s->ready.p, s->ready.len, MSG_NOSIGNAL);
    const size_t sent = n > 0 ? (size_t) n : 0;
    if (sent < s->ready.len) {
        evbuffer_add(s->out, s->ready.p + sent, s->ready.len - sent);
    }
    str_clear(&s->ready);
}

static void
flush_now(struct loop_flush *f)
{
    struct stream *s = CONTAINER_OF(f, struct stream, flush);
    if (s->state != OPEN) {
        return;
    }
    const bool had = s->ready.len || evbuffer_get_length(s->out);
    if (s->ready.len) {
        send_ready(s);
    }
    size_t left = evbuffer_get_length(s->out);
    while (left) {
        ssize_t n = send_some(s);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            // The reading side will say how it ended; meanwhile nothing more can be sent.
            evbuffer_drain(s->out, left);
            if (s->paused) {
                ended(s, -errno);
                return;
            }
        } else if (n < 0 && errno == EAGAIN) {
            break;
        }
        left = evbuffer_get_length(s->out);
    }
    s->want_write = left > 0;
    update_io(s);
    if (had && !left) {
        if (s->finishing) {
            stream_free(s);
            return;
        }
        (void) CALL(s, drained, s, s->aux);
    }
}

// What arrived, without an evbuffer between; what is not taken at once goes there. False: not now.
static bool
read_direct(struct stream *s)
{
    uint8_t room[READ_DIRECT + 1];
    if (!s->cbs->bytes || s->read_size > READ_MIN || s->finishing || evbuffer_get_length(s->in)) {
        return false;
    }
    const ssize_t n = recv(s->fd, room, READ_DIRECT, 0);
    const int error = n < 0 ? errno : 0;
    if (n <= 0) {
        if (!n || (error != EAGAIN && error != EINTR)) {
            ended(s, -error);
        }
        return true;
    }
    if (n == READ_DIRECT) {
        s->read_size = 16 * READ_MIN; // there is more: many at once from here on
    }
    room[n] = '\0';
    s->busy++;
    const size_t used = s->cbs->bytes(s, room, (size_t) n, s->aux);
    if (!s->dead && used < (size_t) n) {
        evbuffer_add(s->in, room + used, (size_t) n - used);
    }
    (void) release(s);
    return true;
}

static void
read_some(struct stream *s)
{
    if (read_direct(s)) {
        return;
    }
    struct evbuffer_iovec v;
    if (evbuffer_reserve_space(s->in, s->read_size, &v, 1) < 1) {
        abort();
    }
    ssize_t n = recv(s->fd, v.iov_base, v.iov_len, 0);
    int error = n < 0 ? errno : 0;
    if (n > 0) {
        if ((size_t) n == v.iov_len) {
            s->read_size = MIN(s->read_size * 4, (size_t) READ_MAX);
        } else if ((size_t) n < s->read_size / 16) {
            s->read_size = MAX(s->read_size / 4, (size_t) READ_MIN);
        }
        v.iov_len = n;
        evbuffer_commit_space(s->in, &v, 1);
        if (s->finishing) {
            evbuffer_drain(s->in, n);
        } else {
            (void) CALL(s, readable, s, s->aux);
        }
    } else if (!n || (error != EAGAIN && error != EINTR)) {
        ended(s, -error);
    }
}

static void
now_open(struct stream *s, bool accepted)
{
    s->state = OPEN;
    update_io(s);
    if (evbuffer_get_length(s->out)) {
        loop_flush_later(s->loop, &s->flush);
    }
    if (!accepted) {
        (void) CALL(s, connected, s, 0, s->aux);
    }
}

// --- TLS ---

static void
tls_readable(struct bufferevent *bev, void *s_)
{
    struct stream *s = s_;
    if (s->finishing) {
        struct evbuffer *in = bufferevent_get_input(bev);
        evbuffer_drain(in, evbuffer_get_length(in));
    } else if (s->state == OPEN) {
        (void) CALL(s, readable, s, s->aux);
    }
}

static void
tls_drained(struct bufferevent *bev, void *s_)
{
    struct stream *s = s_;
    if (s->state != OPEN) {
        return;
    }
    if (s->finishing && stream_backlog(s)) {
        return; // it was empty before the last words came
    }
    if (s->finishing) {
        stream_free(s);
    } else {
        (void) CALL(s, drained, s, s->aux);
    }
}

static void
tls_event(struct bufferevent *bev, short what, void *s_)
{
    struct stream *s = s_;
    int error = errno;
    if (what & BEV_EVENT_CONNECTED) {
        error = stream_tls_check(bev, s->name, &s->peer_id);
        if (error) {
            ended(s, error);
            return;
        }
        // Reading stays paused until the user has had the connection.
        if (s->paused) {
            bufferevent_disable(bev, EV_READ);
        }
        now_open(s, false);
        return;
    }
    if (what & BEV_EVENT_EOF && s->state == OPEN) {
        ended(s, 0);
        return;
    }
    stream_tls_log_error(bev, s->name);
    if (s->state == HANDSHAKE && s->accepted) {
        ended(s, 0); // all has been said
        return;
    }
    ended(s, s->state == OPEN && error && error != EAGAIN ? -error : -EPROTO);
}

// fd becomes the bufferevent's.
static bool
start_tls(struct stream *s, int fd, bool accepted)
{
    s->bev = stream_tls_wrap(s->loop, fd, accepted, s->name);
    if (!s->bev) {
        close(fd);
        return false;
    }
    s->state = HANDSHAKE;
    s->accepted = accepted;
    // What was queued before goes first.
    bufferevent_write_buffer(s->bev, s->out);
    bufferevent_setcb(s->bev, tls_readable, tls_drained, tls_event, s);
    bufferevent_enable(s->bev, EV_READ | EV_WRITE);
    return true;
}

// --- connecting ---

static void
connected(struct stream *s)
{
    if (s->kind != STREAM_SSL) {
        now_open(s, false);
        return;
    }
    int fd = s->fd;
    loop_io_free(s->io);
    s->io = NULL;
    s->fd = -1;
    if (!start_tls(s, fd, false)) {
        ended(s, -EPROTO);
    }
}

static void
on_io(void *s_, int events)
{
    struct stream *s = s_;
    if (s->state == CONNECTING) {
        int error = 0;
        socklen_t len = sizeof error;
        getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error) {
            try_next(s, -error);
        } else {
            connected(s);
        }
        return;
    }
    s->busy++;
    if (events & LOOP_WRITE) {
        flush_now(&s->flush);
    }
    if (events & LOOP_READ && s->state == OPEN && !s->paused) {
        read_some(s);
    }
    (void) release(s);
}

static void
deferred_failure(void *s_)
{
    struct stream *s = s_;
    if (s->finishing) {
        stream_free(s);
        return;
    }
    ended(s, s->error);
}

static void
fail_later(struct stream *s, int error)
{
    s->error = error;
    if (!s->timer) {
        s->timer = loop_timer_new(s->loop, deferred_failure, s);
    }
    loop_timer_set(s->timer, 0);
}

// Tries addresses until one is under way; error tells how the last one ended.
static void
try_next(struct stream *s, int error)
{
    while (s->n_addrs) {
        struct stream_addr *a = &s->addrs[--s->n_addrs];
        loop_io_free(s->io);
        s->io = NULL;
        if (s->fd >= 0) {
            close(s->fd);
        }
        s->fd = stream_socket(a->sa.sa_family, s->dscp);
        if (s->fd < 0) {
            error = s->fd;
            s->fd = -1;
            continue;
        }
        int rc = connect(s->fd, &a->sa, a->len) < 0 ? -errno : 0;
        if (a->dir_fd >= 0) {
            close(a->dir_fd);
        }
        if (!rc || rc == -EINPROGRESS) {
            // A socket that is connected already is writable: the loop reports it.
            s->io = loop_io_new(s->loop, s->fd, LOOP_WRITE, on_io, s);
            return;
        }
        error = rc;
    }
    fail_later(s, error);
}

static void
resolver_free(struct resolver *r)
{
    if (r->found) {
        freeaddrinfo(r->found);
    }
    free(r->host);
    free(r);
}

static void
resolver_join(void *r_)
{
    struct resolver *r = r_;
    thread_join(r->thread);
    resolver_free(r);
}

static void
resolved(void *r_)
{
    struct resolver *r = r_;
    struct stream *s = r->stream;
    if (s) {
        s->resolver = NULL;
        for (struct addrinfo *ai = r->found; ai && s->n_addrs < (int) ARRAY_SIZE(s->addrs);
             ai = ai->ai_next) {
            memmove(&s->addrs[1], &s->addrs[0], s->n_addrs++ * sizeof s->addrs[0]);
            memset(&s->addrs[0], 0, sizeof s->addrs[0]);
            memcpy(&s->addrs[0].ss, ai->ai_addr, ai->ai_addrlen);
            s->addrs[0].len = ai->ai_addrlen;
            s->addrs[0].dir_fd = -1;
        }
        if (r->error) {
            LOG_WARN("%s: the name cannot be resolved (%s)", s->name, gai_strerror(r->error));
        }
        try_next(s, -EHOSTUNREACH);
    }
    resolver_join(r);
}

static void
resolve_main(void *r_)
{
    struct resolver *r = r_;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    r->error = getaddrinfo(r->host, r->port, &hints, &r->found);
    mutex_lock(&resolver_mutex);
    bool abandoned = r->abandoned;
    if (!abandoned) {
        r->done = true;
        loop_call_or_drop(r->loop, resolved, resolver_join, r);
    }
    mutex_unlock(&resolver_mutex);
    if (abandoned) {
        thread_detach(r->thread);
        resolver_free(r);
    }
}

static void
resolve(struct stream *s, const struct stream_target *t)
{
    struct resolver *r = base_calloc(1, sizeof *r);
    r->stream = s;
    r->loop = s->loop;
    r->host = base_strdup(t->host);
    snprintf(r->port, sizeof r->port, "%u", t->port);
    s->resolver = r;
    r->thread = thread_start("resolver", resolve_main, r);
}

int
stream_open(struct loop *loop, const char *name, uint16_t default_port, uint8_t dscp,
            struct stream **out)
{
    struct stream_target t;
    *out = NULL;
    int error = stream_target_parse(name, default_port, &t);
    if (error || t.passive) {
        if (!error) {
            stream_target_free(&t);
        }
        return error ? error : -EAFNOSUPPORT;
    }
    struct stream *s = new_stream(loop, t.kind, base_strdup(name));
    s->dscp = dscp;
    if (t.kind == STREAM_UNIX) {
        error = stream_addr_unix(t.host, &s->addrs[0]);
        s->n_addrs = !error;
        try_next(s, error);
    } else if (!stream_addr_literal(t.host, t.port, &s->addrs[0])) {
        s->n_addrs = 1;
        try_next(s, 0);
    } else {
        resolve(s, &t);
    }
    stream_target_free(&t);
    *out = s;
    return 0;
}

struct stream *
stream_accepted(struct loop *loop, enum stream_kind kind, int fd, char *name)
{
    struct stream *s = new_stream(loop, kind, name);
    if (kind == STREAM_SSL) {
        if (!start_tls(s, fd, true)) {
            stream_free(s);
            return NULL;
        }
        return s;
    }
    s->fd = fd;
    s->io = loop_io_new(loop, fd, 0, on_io, s);
    now_open(s, true);
    return s;
}

void
stream_finish(struct stream *s)
{
    if (s->state == CLOSED || !stream_backlog(s)) {
        stream_free(s);
        return;
    }
    static const struct stream_cbs none;
    stream_set_cbs(s, &none, NULL);
    s->finishing = true;
    stream_pause_reading(s, false);
    if (!s->timer) {
        s->timer = loop_timer_new(s->loop, deferred_failure, s);
    }
    loop_timer_set(s->timer, FINISH_MS);
}

struct evbuffer *
stream_input(struct stream *s)
{
    return s->bev ? bufferevent_get_input(s->bev) : s->in;
}

size_t
stream_peek(struct stream *s, const uint8_t **data)
{
    struct evbuffer *in = stream_input(s);
    *data = evbuffer_pullup(in, -1);
    return evbuffer_get_length(in);
}

void
stream_drain(struct stream *s, size_t n)
{
    evbuffer_drain(stream_input(s), n);
}

struct evbuffer *
stream_output(struct stream *s)
{
    if (s->bev) {
        return bufferevent_get_output(s->bev);
    }
    if (s->ready.len) {
        evbuffer_add(s->out, s->ready.p, s->ready.len);
        str_clear(&s->ready);
    }
    return s->out;
}

void
stream_write(struct stream *s, const void *p, size_t n)
{
    if (!s->bev && s->state == OPEN && s->ready.len + n <= READY_MAX &&
        !evbuffer_get_length(s->out)) {
        str_add_n(&s->ready, p, n);
        loop_flush_later(s->loop, &s->flush);
        return;
    }
    evbuffer_add(stream_output(s), p, n);
}

size_t
stream_backlog(const struct stream *s)
{
    return s->ready.len + evbuffer_get_length(s->bev ? bufferevent_get_output(s->bev) : s->out);
}

void
stream_pause_reading(struct stream *s, bool pause)
{
    if (s->paused == pause) {
        return;
    }
    s->paused = pause;
    if (s->bev && s->state == OPEN) {
        (pause ? bufferevent_disable : bufferevent_enable)(s->bev, EV_READ);
    }
    update_io(s);
}

const char *
stream_name(const struct stream *s)
{
    return s->name;
}

const char *
stream_peer_id(const struct stream *s)
{
    return s->peer_id;
}

bool
stream_is_connected(const struct stream *s)
{
    return s->state == OPEN;
}
