// SPDX-License-Identifier: Apache-2.0
// In-band control: which controllers and managers a bridge lets through whatever its tables say
// (ofproto/of_inband.c), and the link addresses on the way to them, looked up once a second.
// Remotes with numeric IPv4 addresses only.
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/loop.h"
#include "lib/base/stream.h"
#include "lib/net/route.h"
#include "tools/vswitchd/vswitchd.h"

#define REFRESH_MS 1000
#define OF_PORT 6653
#define OVSDB_PORT 6640

static struct route_sock *kernel; // NULL: not asked yet, or not to be had
static struct loop_timer *timer;

static void
add(struct of_inband_remote *all, size_t *n, const char *target, uint16_t default_port)
{
    struct of_inband_remote *r = &all[*n];
    *r = (struct of_inband_remote){0};
    *n += stream_name_ipv4(target, default_port, &r->ip, &r->port);
}

// What is known of the way there already, until it is looked up again.
static void
inherit(struct of_inband_remote *r, const struct vsw_bridge *br)
{
    for (size_t i = 0; i < br->n_remotes; i++) {
        if (br->remotes[i].ip == r->ip) {
            r->has_hop = br->remotes[i].has_hop;
            r->hop = br->remotes[i].hop;
        }
    }
}

// What the kernel said in this turn: bridges often have the same controllers.
struct answers {
    struct of_inband_remote *r;
    size_t n, cap;
    bool silent; // it does not answer: no more questions
};

static const struct of_inband_remote *
look_up(struct answers *all, be32_t ip)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->r[i].ip == ip) {
            return &all->r[i];
        }
    }
    if (all->n == all->cap) {
        all->r = base_grow(all->r, &all->cap, sizeof *all->r);
    }
    struct of_inband_remote *r = &all->r[all->n++];
    *r = (struct of_inband_remote){.ip = ip};
    if (!all->silent && vsw.links && (kernel || !route_open(&kernel))) {
        const int error = route_next_hop(kernel, ip, &r->hop);
        r->has_hop = !error;
        all->silent = error == -ETIMEDOUT;
    }
    return r;
}

static void
look_up_all(struct answers *all, struct vsw_bridge *br)
{
    for (size_t i = 0; i < br->n_remotes; i++) {
        const struct of_inband_remote *found = look_up(all, br->remotes[i].ip);
        if (found->has_hop) { // else the one of before may be right still
            br->remotes[i].has_hop = true;
            br->remotes[i].hop = found->hop;
        }
    }
}

static void
apply(struct vsw_bridge *br)
{
    const struct vsw_iface *local = vsw_iface_find(br, br->name);
    const struct of_inband c = {.remotes = br->remotes,
                                .n = br->n_remotes,
                                .has_local = local && local->has_link,
                                .local = local ? local->mac : (struct mac){{0}},
                                .queue = br->inband_queue};
    of_bridge_set_inband(br->of, &c);
}

static void
refresh(void *aux)
{
    struct answers answers = {0};
    struct vsw_bridge *br;
    bool any = false;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        if (br->n_remotes) {
            any = true;
            look_up_all(&answers, br);
            apply(br);
        }
    }
    free(answers.r);
    if (any) {
        loop_timer_set(timer, REFRESH_MS);
    }
}

static int64_t
queue_of(const struct idl_bridge *cfg)
{
    const char *text = idl_bridge_other_config_get(cfg, "in-band-queue");
    char *end;
    const long queue = text ? strtol(text, &end, 10) : -1;
    return text && end != text && !*end && queue >= 0 && queue <= INT32_MAX ? queue : -1;
}

void
vsw_inband_configure(struct vsw_bridge *br, const struct idl_open_vswitch *root)
{
    const struct idl_bridge *cfg = br->cfg;
    const char *disable = idl_bridge_other_config_get(cfg, "disable-in-band");
    struct of_inband_remote *now =
        base_calloc(cfg->n_controller + root->n_manager_options + 1, sizeof *now);
    size_t n = 0;
    if (!disable || strcasecmp(disable, "true")) {
        for (size_t i = 0; i < cfg->n_controller; i++) {
            const struct idl_controller *c = cfg->controller[i];
            if (!c->connection_mode || strcmp(c->connection_mode, "out-of-band")) {
                add(now, &n, c->target, OF_PORT);
            }
        }
        for (size_t i = 0; i < root->n_manager_options; i++) {
            const struct idl_manager *m = root->manager_options[i];
            if (!m->connection_mode || strcmp(m->connection_mode, "out-of-band")) {
                add(now, &n, m->target, OVSDB_PORT);
            }
        }
    }
    bool unknown = false;
    for (size_t i = 0; i < n; i++) {
        inherit(&now[i], br);
        unknown |= !now[i].has_hop;
    }
    free(br->remotes);
    br->remotes = now;
    br->n_remotes = n;
    br->inband_queue = queue_of(cfg);
    apply(br);
    if (n && !timer) {
        timer = loop_timer_new(vsw.loop, refresh, NULL);
    }
    if (n && (unknown || !loop_timer_is_set(timer))) {
        loop_timer_set(timer, 0);
    }
}
