// SPDX-License-Identifier: Apache-2.0
// Who a bridge is connected with: configured controllers (active ones come back with exponential back-off, passive ones are listeners), the management socket and
// the snoop socket; and what happens while no controller answers (fail-open).
//
// Reference: ovs-vswitchd.conf.db(5), tables Controller and Bridge (fail_mode).
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/stream.h"
#include "ofproto/of_conn_private.h"

LOG_MODULE(connmgr);

#define OF_DEFAULT_TCP_PORT 6653
#define MIN_BACKOFF_MS 1000
#define FAIL_OPEN_PRIORITY 0xf0f0f0

static void try_connect(void *target);

static bool
is_controller(const struct of_target *t)
{
    return t->kind == OF_CONN_PRIMARY;
}

// --- Targets. ---

static void
accepted(struct stream *stream, void *t_)
{
    struct of_target *t = t_;
    of_conn_new(t->conns, t->kind == OF_CONN_PRIMARY ? t : NULL, stream, t->kind);
}

void
of_target_connected(struct of_target *t, struct of_conn *c)
{
    t->state = "ACTIVE";
    t->backoff_ms = MIN_BACKOFF_MS;
    t->last_connected = clock_now();
    t->last_error = 0;
    LOG_INFO("%s<->%s: connected", t->conns->bridge->name, t->name);
    of_conns_update_fail_mode(t->conns);
}

void
of_target_disconnected(struct of_target *t, struct of_conn *c, int error)
{
    if (c->ready) {
        t->last_disconnected = clock_now();
    }
    t->last_error = error;
    if (t->conn == c) {
        t->conn = NULL;
        t->state = "BACKOFF";
        loop_timer_set(t->retry, t->backoff_ms);
        int most = t->config.max_backoff_ms > 0 ? MAX(t->config.max_backoff_ms, MIN_BACKOFF_MS) : 8000;
        t->backoff_ms = MIN(t->backoff_ms * 2, most);
    }
    of_conns_update_fail_mode(t->conns);
}

static void
try_connect(void *t_)
{
    struct of_target *t = t_;
    struct stream *stream;
    int error = stream_open(t->conns->loop, t->name, OF_DEFAULT_TCP_PORT, 0, &stream);
    if (error) {
        LOG_WARN("%s<->%s: connection failed (%s)", t->conns->bridge->name, t->name, base_strerror(error));
        t->state = "BACKOFF";
        t->last_error = error;
        loop_timer_set(t->retry, MAX(t->config.max_backoff_ms, MIN_BACKOFF_MS));
        return;
    }
    t->state = "CONNECTING";
    t->conn = of_conn_new(t->conns, t, stream, t->kind);
}

static struct of_target *
target_new(struct of_conns *conns, const struct of_controller *config, enum of_conn_kind kind, char **error)
{
    struct of_target *t = base_calloc(1, sizeof *t);
    t->conns = conns;
    t->kind = kind;
    t->name = base_strdup(config->target);
    t->config = *config;
    t->config.target = t->name;
    t->backoff_ms = MIN_BACKOFF_MS;
    t->last_connected = t->last_disconnected = -1;
    t->state = "VOID";
    t->seen = true;
    t->retry = loop_timer_new(conns->loop, try_connect, t);
    cds_list_add_tail(&t->node, &conns->targets);
    if (stream_name_is_passive(t->name)) {
        int e = stream_listen(conns->loop, t->name, OF_DEFAULT_TCP_PORT, 0, accepted, t, &t->listener);
        if (e && !*error) {
            *error = base_asprintf("could not listen for OpenFlow on %s (%s)", t->name, base_strerror(e));
        }
        t->last_error = e;
    } else if (stream_name_is_active(t->name)) {
        loop_timer_set(t->retry, 0);
    } else if (!*error) {
        *error = base_asprintf("controller target %s is not a connection method such as tcp:HOST:PORT", t->name);
    }
    return t;
}

static void
target_free(struct of_target *t)
{
    struct of_conn *c, *next;
    LIST_FOR_EACH_SAFE (c, next, node, &t->conns->conns) {
        if (c->target == t) {
            of_conn_destroy(c);
        }
    }
    stream_listener_free(t->listener);
    loop_timer_free(t->retry);
    cds_list_del(&t->node);
    free(t->name);
    free(t);
}

static struct of_target *
target_find(struct of_conns *conns, const char *name, enum of_conn_kind kind)
{
    struct of_target *t;
    LIST_FOR_EACH (t, node, &conns->targets) {
        if (t->kind == kind && !strcmp(t->name, name)) {
            return t;
        }
    }
    return NULL;
}

static void
want_target(struct of_conns *conns, const struct of_controller *config, enum of_conn_kind kind, char **error)
{
    struct of_target *t = target_find(conns, config->target, kind);
    if (!t) {
        conns->alone_since = kind == OF_CONN_PRIMARY ? -1 : conns->alone_since; // a new one gets its time
        target_new(conns, config, kind, error);
        return;
    }
    t->seen = true;
    t->config = *config;
    t->config.target = t->name;
    struct of_conn *c;
    LIST_FOR_EACH (c, node, &conns->conns) {
        if (c->target == t) {
            c->probe_ms = config->probe_ms;
            c->pin_rate = config->rate_limit;
            c->pin_burst = config->burst_limit;
            if (c->probe_ms) {
                loop_timer_set(c->probe, c->probe_ms);
            } else {
                loop_timer_cancel(c->probe);
            }
        }
    }
}

static void
want_socket(struct of_conns *conns, const char *path, enum of_conn_kind kind, char **error)
{
    if (path) {
        char *name = base_asprintf("punix:%s", path);
        struct of_controller c = {.target = name};
        want_target(conns, &c, kind, error);
        free(name);
    }
}

static void
set_versions(struct of_conns *conns, uint32_t versions)
{
    if (conns->versions == versions) {
        return;
    }
    conns->versions = versions;
    struct of_conn *c, *next;
    LIST_FOR_EACH_SAFE (c, next, node, &conns->conns) {
        if (c->ready && !(versions & OF_VERSION_BIT(c->wire.version))) {
            of_conn_close(c, 0);
            of_conn_destroy(c);
        }
    }
}

char *
of_conns_configure(struct of_conns *conns, const struct of_bridge_config *config)
{
    char *error = NULL;
    struct of_target *t, *next;
    struct of_desc *d = &conns->desc;
    snprintf(d->mfr, sizeof d->mfr, "%s", config->mfr_desc ? config->mfr_desc : "");
    snprintf(d->hw, sizeof d->hw, "%s", config->hw_desc ? config->hw_desc : "");
    snprintf(d->sw, sizeof d->sw, "%s", config->sw_desc ? config->sw_desc : "");
    snprintf(d->serial, sizeof d->serial, "%s", config->serial_desc ? config->serial_desc : "");
    snprintf(d->dp, sizeof d->dp, "%s", config->dp_desc ? config->dp_desc : "");
    set_versions(conns, config->versions);
    LIST_FOR_EACH (t, node, &conns->targets) {
        t->seen = false;
    }
    for (size_t i = 0; i < config->n_controllers; i++) {
        want_target(conns, &config->controllers[i], OF_CONN_PRIMARY, &error);
    }
    want_socket(conns, config->mgmt_path, OF_CONN_SERVICE, &error);
    want_socket(conns, config->snoop_path, OF_CONN_SNOOP, &error);
    LIST_FOR_EACH_SAFE (t, next, node, &conns->targets) {
        if (!t->seen) {
            target_free(t);
        }
    }
    conns->n_controllers = 0;
    for (size_t i = 0; i < config->n_controllers; i++) {
        conns->n_controllers += !stream_name_is_passive(config->controllers[i].target);
    }
    conns->fail_mode = config->fail_mode;
    of_conns_update_fail_mode(conns);
    return error;
}

bool
of_conns_any_connected(const struct of_conns *conns)
{
    const struct of_conn *c;
    LIST_FOR_EACH (c, node, &conns->conns) {
        if (c->kind == OF_CONN_PRIMARY && c->ready && !c->closing) {
            return true;
        }
    }
    return false;
}

void
of_conns_reconnect(struct of_conns *conns)
{
    struct of_conn *c, *next;
    LIST_FOR_EACH_SAFE (c, next, node, &conns->conns) {
        if (c->kind == OF_CONN_PRIMARY) {
            struct of_target *t = c->target;
            of_conn_close(c, 0);
            of_conn_destroy(c);
            if (!t->listener) {
                loop_timer_set(t->retry, 0);
            }
        }
    }
}

static const char *
role_of(const struct of_conn *c)
{
    return c->role == OF_ROLE_MASTER ? "master" : c->role == OF_ROLE_SLAVE ? "slave" : "other";
}

size_t
of_conns_status(const struct of_conns *conns, struct of_controller_status status[], size_t max)
{
    size_t n = 0;
    const struct of_target *t;
    LIST_FOR_EACH (t, node, &conns->targets) {
        if (!is_controller(t) || n == max) {
            continue;
        }
        struct of_controller_status *s = &status[n++];
        int64_t now = clock_now();
        *s = (struct of_controller_status){
            .target = t->name,
            .state = t->state,
            .sec_since_connect = t->last_connected >= 0 ? (now - t->last_connected) / 1000 : -1,
            .sec_since_disconnect = t->last_disconnected >= 0 ? (now - t->last_disconnected) / 1000 : -1,
            .last_error = t->last_error ? base_strerror(t->last_error) : NULL,
        };
        const struct of_conn *c;
        LIST_FOR_EACH (c, node, &conns->conns) {
            if (c->target == t && c->ready) {
                s->is_connected = true;
                s->role = role_of(c);
            }
        }
    }
    return n;
}

// --- Fail-open: without a controller for three probe intervals, a standalone bridge switches by itself, without the
// controller's rules. ---

static void
set_fail_open(struct of_conns *conns, bool on)
{
    if (on == conns->failing_open) {
        return;
    }
    conns->failing_open = on;
    struct of_bridge *br = conns->bridge;
    struct of_flow_mod fm = {.command = OF_FLOW_ADD, .flags = OF_FLOW_HIDDEN, .out_port = OF_PORT_ANY, .out_group = OF_GROUP_ANY};
    match_init_any(&fm.match);
    struct of_act_output *o = flat_add(&fm.actions.list, OF_ACT_OUTPUT, sizeof *o);
    o->port = OF_PORT_NORMAL;
    if (on) {
        LOG_WARN("%s: could not connect to a controller for a long time: the bridge switches by itself", br->name);
        of_bridge_flush_rules(br);
        of_bridge_add_hidden(br, &fm, FAIL_OPEN_PRIORITY);
    } else {
        LOG_WARN("%s: a controller is connected again: no more switching by itself", br->name);
        of_bridge_del_hidden(br, &fm, FAIL_OPEN_PRIORITY);
    }
    of_actions_free(&fm.actions);
}

static void
fail_due(void *conns)
{
    of_conns_update_fail_mode(conns); // or later, when a controller was added meanwhile
}

void
of_conns_update_fail_mode(struct of_conns *conns)
{
    bool alone = conns->n_controllers && !of_conns_any_connected(conns);
    int64_t now = clock_now();
    if (!alone) {
        conns->alone_since = -1;
    } else if (conns->alone_since < 0) {
        conns->alone_since = now;
    }
    if (!alone || conns->fail_mode != OF_FAIL_STANDALONE) {
        loop_timer_cancel(conns->fail_timer);
        set_fail_open(conns, false);
        return;
    }
    if (!conns->failing_open && !loop_timer_is_set(conns->fail_timer)) {
        int probe = 5000;
        struct of_target *t;
        LIST_FOR_EACH (t, node, &conns->targets) {
            probe = is_controller(t) && t->config.probe_ms ? t->config.probe_ms : probe;
        }
        int64_t due = conns->alone_since + probe * INT64_C(3);
        if (due > now) {
            loop_timer_set(conns->fail_timer, due - now);
        } else {
            set_fail_open(conns, true);
        }
    }
}

// --- Life. ---

struct of_conns *
of_conns_new(struct of_bridge *br, struct loop *loop)
{
    struct of_conns *conns = base_calloc(1, sizeof *conns);
    conns->bridge = br;
    conns->loop = loop;
    conns->versions = OF_VERSIONS_ALL;
    conns->alone_since = -1;
    CDS_INIT_LIST_HEAD(&conns->targets);
    CDS_INIT_LIST_HEAD(&conns->conns);
    conns->fail_timer = loop_timer_new(loop, fail_due, conns);
    return conns;
}

void
of_conns_free(struct of_conns *conns)
{
    struct of_conn *c, *next_c;
    struct of_target *t, *next_t;
    LIST_FOR_EACH_SAFE (c, next_c, node, &conns->conns) {
        of_conn_destroy(c);
    }
    LIST_FOR_EACH_SAFE (t, next_t, node, &conns->targets) {
        target_free(t);
    }
    loop_timer_free(conns->fail_timer);
    free(conns);
}
