// SPDX-License-Identifier: Apache-2.0
// Packets from the kernel. Each handler's channel has one socket. Where the kernel can, a packet
// goes to the socket of the processor that it is handled on (OVS_DP_F_DISPATCH_UPCALL_PER_CPU);
// else each port knows all handlers' sockets and the kernel spreads by the packet's hash.
//
// The key is first read from the packet's bytes (fields that the kernel doesn't have), then
// overwritten by what the kernel saw: flows made from it match what the kernel matches.
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kdatapath/kd_private.h"
#include "kdatapath/kd_userdata.h"
#include "lib/base/coverage.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"

LOG_MODULE(kdatapath);
COVERAGE(kd_upcall_overrun);
COVERAGE(kd_upcall_malformed);

static void
close_sockets(struct dp_channel *handlers[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        nlk_close(handlers[i]->upcall);
        handlers[i]->upcall = NULL;
    }
}

static void
publish(struct dp *dp, struct kd_user_pids *u)
{
    struct kd_user_pids *old = dp->user_pids;
    rcu_set(dp->user_pids, u);
    rcu_free_later(old);
}

// Pids for each processor, handlers taking turns.
static int
set_per_cpu(struct dp *dp, const struct kd_user_pids *u)
{
    const long n_cpus = MAX(sysconf(_SC_NPROCESSORS_CONF), 1);
    uint32_t *pids = base_calloc(n_cpus, sizeof *pids);

    for (long i = 0; i < n_cpus; i++) {
        pids[i] = u->pids[i % u->n];
    }
    int error = kd_dp_set(dp, dp->user_features | OVS_DP_F_DISPATCH_UPCALL_PER_CPU, pids, n_cpus);
    free(pids);
    return error;
}

int
kd_upcall_set(struct dp *dp, struct dp_channel *handlers[], size_t n)
{
    if (!n) {
        publish(dp, NULL);
        if (dp->user_features & OVS_DP_F_DISPATCH_UPCALL_PER_CPU) {
            const uint32_t none = 0;
            return kd_dp_set(dp, dp->user_features, &none, 1);
        }
        return kd_vport_set_pids(dp, NULL, 0);
    }
    struct kd_user_pids *u = base_calloc(1, sizeof *u + n * sizeof u->pids[0]);
    u->n = n;
    for (size_t i = 0; i < n; i++) {
        int error = nlk_open(NLK_GENERIC, &handlers[i]->upcall);
        if (error) {
            close_sockets(handlers, i);
            free(u);
            return error;
        }
        u->pids[i] = nlk_pid(handlers[i]->upcall);
    }
    u->per_cpu = dp->user_features & OVS_DP_F_DISPATCH_UPCALL_PER_CPU && !set_per_cpu(dp, u);
    if (dp->user_features & OVS_DP_F_DISPATCH_UPCALL_PER_CPU && !u->per_cpu) {
        kd_dp_set(dp, dp->user_features & ~OVS_DP_F_DISPATCH_UPCALL_PER_CPU, NULL, 0);
    }
    int error = u->per_cpu ? 0 : kd_vport_set_pids(dp, u->pids, n);
    if (error) {
        close_sockets(handlers, n);
        free(u);
        return error;
    }
    publish(dp, u);
    return 0;
}

int
kd_upcall_fd(struct dp_channel *ch)
{
    return ch->upcall ? nlk_fd(ch->upcall) : -1;
}

struct receiving {
    struct dp_channel *ch;
    struct dp_upcall *out;
    size_t n, max;
};

static bool
parse_action(struct receiving *r, struct dp_upcall *u, const struct nlk_attr t[])
{
    u->user.a.type = DP_ACT_USERSPACE;
    u->user.a.len = sizeof u->user;
    u->user.egress_port = UINT32_MAX;
    kd_userdata_get(&t[OVS_PACKET_ATTR_USERDATA], &u->user);
    if (t[OVS_PACKET_ATTR_ACTIONS].data) {
        struct dp_actions *acts = &r->ch->upcall_acts[r->n];
        acts->len = 0;
        u->user.has_actions = true;
        u->actions = acts;
        return kd_actions_get(&t[OVS_PACKET_ATTR_ACTIONS], acts) != -EBADMSG;
    }
    return true;
}

static bool
parse_upcall(struct receiving *r, const struct nlk_msg *m, struct dp_upcall *u)
{
    struct nlk_attr t[OVS_PACKET_ATTR_MAX + 1];
    uint8_t cmd;
    int dp_ifindex;

    if (m->type != r->ch->dp->fam.packet || kd_parse(m, t, ARRAY_SIZE(t), &cmd, &dp_ifindex) ||
        dp_ifindex != r->ch->dp->dp_ifindex ||
        (cmd != OVS_PACKET_CMD_MISS && cmd != OVS_PACKET_CMD_ACTION)) {
        return false;
    }
    const struct nlk_attr *packet = &t[OVS_PACKET_ATTR_PACKET];
    if (!packet->data || !t[OVS_PACKET_ATTR_KEY].data) {
        return false;
    }
    memset(u, 0, sizeof *u);
    u->kind = cmd == OVS_PACKET_CMD_MISS ? DP_UPCALL_MISS : DP_UPCALL_ACTION;
    u->egress_port = UINT32_MAX;
    u->mru = nlk_u16(&t[OVS_PACKET_ATTR_MRU]);
    packet_init_borrowed(&u->packet, packet->data, packet->len);
    packet_extract(&u->packet, &u->key);
    if (kd_key_get(&t[OVS_PACKET_ATTR_KEY], &u->key)) {
        return false;
    }
    return u->kind == DP_UPCALL_MISS || parse_action(r, u, t);
}

static void
take_packet(const struct nlk_msg *m, void *r_)
{
    struct receiving *r = r_;

    if (r->n < r->max && parse_upcall(r, m, &r->out[r->n])) {
        r->n++;
    } else {
        COVERAGE_INC(kd_upcall_malformed);
    }
}

size_t
kd_upcall_recv(struct dp_channel *ch, struct dp_upcall *out, size_t max)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    struct receiving r = {.ch = ch, .out = out, .max = MIN(max, NLK_RECEIVE_MAX)};

    if (!ch->upcall) {
        return 0;
    }
    // An overrun is told once, before the packets that are there.
    for (int tries = 0; tries < 2; tries++) {
        int got = nlk_receive_max(ch->upcall, r.max, take_packet, &r);
        if (got != -ENOBUFS) {
            break;
        }
        COVERAGE_INC(kd_upcall_overrun);
        LOG_WARN_RL(&limit,
                    "%s: packets for user space were lost: they came faster than they were handled",
                    ch->dp->name);
    }
    return r.n;
}
