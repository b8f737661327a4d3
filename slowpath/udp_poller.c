// SPDX-License-Identifier: Apache-2.0
// The polling thread of a "netdev" datapath: takes batches from all ports in turn, and sleeps in
// poll(2) when none has any. It is woken by frames, by port changes, at exit.
//
// The table of ports is read anew for each round. A port is closed only after a round that doesn't
// see it (udp_quiesce()), and after poll(2) has given back a set with it (udp_poller_sync()): a TAP
// device is gone only when the last holder of its descriptor is, and its name is free only then.
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "slowpath/udp_private.h"

LOG_MODULE(udp);

struct poll_set {
    struct pollfd *fds; // fds[0]: the wake-up
    size_t n, cap;
};

static size_t
round_of(struct udp_poller *p, struct udp_rx *rx)
{
    struct dp_channel *ch = p->channel;
    size_t total = 0;
    udp_enter(ch);
    const struct udp_ports *ports = rcu_get(p->dp->ports);
    for (size_t i = 0; i < ports->n_polled; i++) {
        struct udp_port *port = ports->polled[i];
        if (__atomic_load_n(&port->gone, __ATOMIC_RELAXED)) {
            continue;
        }
        const size_t n = port->class->rx(port, rx, UDP_BATCH);
        if (n) {
            udp_process(ch, port, rx, n);
            port->class->rx_done(port, n);
            total += n;
        }
    }
    udp_leave(ch);
    return total;
}

static void
make_set(const struct udp_poller *p, struct poll_set *s)
{
    rcu_begin();
    const struct udp_ports *ports = rcu_get(p->dp->ports);
    while (s->cap < ports->n_polled + 1) {
        s->fds = base_grow(s->fds, &s->cap, sizeof *s->fds);
    }
    s->n = 0;
    s->fds[s->n++] = (struct pollfd){.fd = p->efd, .events = POLLIN};
    for (size_t i = 0; i < ports->n_polled; i++) {
        const struct udp_port *port = ports->polled[i];
        if (!__atomic_load_n(&port->gone, __ATOMIC_RELAXED)) {
            s->fds[s->n++] = (struct pollfd){.fd = port->fd, .events = POLLIN};
        }
    }
    rcu_end();
}

// A device that went down says so once and goes on later; one that vanished is left alone until it
// is removed.
static void
look_at_error(const struct udp_poller *p, int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    rcu_begin();
    const struct udp_ports *ports = rcu_get(p->dp->ports);
    for (size_t i = 0; i < ports->n_polled; i++) {
        struct udp_port *port = ports->polled[i];
        if (port->fd == fd && (int) if_nametoindex(port->name) != port->ifindex) {
            LOG_INFO("%s: the device has gone", port->name);
            __atomic_store_n(&port->gone, true, __ATOMIC_RELAXED);
        }
    }
    rcu_end();
}

static void
wait_in_set(struct udp_poller *p, struct poll_set *s)
{
    make_set(p, s);
    if (poll(s->fds, s->n, -1) <= 0) {
        return;
    }
    if (s->fds[0].revents) {
        uint64_t n;
        if (read(p->efd, &n, sizeof n) < 0 && errno != EAGAIN) {
            LOG_ERR("%s: the polling thread cannot be woken: %s", p->dp->name,
                    base_strerror(errno));
        }
    }
    for (size_t i = 1; i < s->n; i++) {
        if (s->fds[i].revents & (POLLERR | POLLHUP)) {
            look_at_error(p, s->fds[i].fd);
        }
    }
}

static void
sleep_until_work(struct udp_poller *p, struct poll_set *s)
{
    __atomic_store_n(&p->seq, p->seq + 1, __ATOMIC_SEQ_CST);
    wait_in_set(p, s);
    __atomic_store_n(&p->seq, p->seq + 1, __ATOMIC_SEQ_CST);
}

static void
run(void *p_)
{
    struct udp_poller *p = p_;
    struct udp_rx *rx = base_calloc(UDP_BATCH, sizeof *rx);
    struct poll_set set = {NULL, 0, 0};
    while (!__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE)) {
        if (!round_of(p, rx)) {
            sleep_until_work(p, &set);
        }
    }
    free(set.fds);
    free(rx);
}

int
udp_poller_new(struct dp *dp)
{
    struct udp_poller *p = base_calloc(1, sizeof *p);
    p->dp = dp;
    p->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = p->efd < 0 ? -errno : dp->ops->channel_open(dp, &p->channel);
    if (error) {
        if (p->efd >= 0) {
            close(p->efd);
        }
        free(p);
        return error;
    }
    dp->poller = p;
    p->thread = thread_start("poller1", run, p);
    return 0;
}

void
udp_poller_wake(struct udp_poller *p)
{
    const uint64_t one = 1;
    if (p && write(p->efd, &one, sizeof one) < 0 && errno != EAGAIN) {
        LOG_ERR("%s: the polling thread cannot be woken: %s", p->dp->name, base_strerror(errno));
    }
}

// It may sleep with a new set already: woken after its state was read, it leaves either way.
void
udp_poller_sync(struct udp_poller *p)
{
    const uint64_t seq = p ? __atomic_load_n(&p->seq, __ATOMIC_SEQ_CST) : 0;
    if (!(seq & 1)) {
        return;
    }
    udp_poller_wake(p);
    while (__atomic_load_n(&p->seq, __ATOMIC_SEQ_CST) == seq) {
        sched_yield();
    }
}

void
udp_poller_free(struct udp_poller *p)
{
    if (!p) {
        return;
    }
    __atomic_store_n(&p->stop, true, __ATOMIC_RELEASE);
    udp_poller_wake(p);
    thread_join(p->thread);
    p->dp->ops->channel_close(p->channel);
    close(p->efd);
    free(p);
}
