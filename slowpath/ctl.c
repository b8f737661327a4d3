// SPDX-License-Identifier: Apache-2.0
// unixctl commands about the cache and what bridges have learned: fdb/*, upcall/*, revalidator/*.
// Main thread. Outputs are those that scripts for the stock switch read (ovs-vswitchd(8)).
#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/coverage.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "lib/flow/field_text.h"
#include "slowpath/bridge_state.h"
#include "slowpath/ctl_private.h"
#include "slowpath/handler.h"
#include "slowpath/mega.h"
#include "slowpath/reval.h"

// --- fdb. ---

static void
fdb_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    rcu_begin();
    const struct sp_bridge *br = sp_ctl_bridge(conn, argv[1]);
    if (br) {
        struct str out = STR_INIT;
        sp_mac_format(br->state, clock_now(), NULL, NULL, &out);
        unixctl_reply(conn, str_get(&out));
        str_free(&out);
    }
    rcu_end();
}

static void
fdb_add(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    rcu_begin();
    const struct sp_bridge *br = sp_ctl_bridge(conn, argv[1]);
    struct mac mac;
    const struct sp_port *p = NULL, *port = NULL;
    if (br) {
        HMAP_FOR_EACH (p, by_ofp, &br->ports) {
            port = !strcmp(p->name, argv[2]) ? p : port;
        }
    }
    if (br && !port) {
        unixctl_reply_error(conn, "software error, odp port is present but no ofp port");
    } else if (br && !field_parse_mac(argv[4], strlen(argv[4]), &mac)) {
        unixctl_reply_error(conn, "bad MAC address");
    } else if (br) {
        const uint32_t was =
            sp_mac_add_static(br->state, (uint16_t) atoi(argv[3]), &mac, port->ofp_port);
        char *said = was == MAC_NO_PORT
                         ? NULL
                         : base_asprintf("Overriding already existing static entry on %u", was);
        unixctl_reply(conn, said);
        free(said);
    }
    rcu_end();
}

static void
fdb_del(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    rcu_begin();
    const struct sp_bridge *br = sp_ctl_bridge(conn, argv[1]);
    struct mac mac;
    if (br && !field_parse_mac(argv[3], strlen(argv[3]), &mac)) {
        unixctl_reply_error(conn, "bad MAC address");
    } else if (br && !sp_mac_del_static(br->state, (uint16_t) atoi(argv[2]), &mac)) {
        unixctl_reply_error(conn, "could not find static mac entry");
    } else if (br) {
        unixctl_reply(conn, NULL);
    }
    rcu_end();
}

static void
flush_one(struct sp_bridge_state *state)
{
    sp_mac_flush(state, MAC_NO_PORT);
}

// Answers `said` when it was done to the bridge that is named, or to all.
static void
for_bridges(struct unixctl_conn *conn, const char *name, void (*f)(struct sp_bridge_state *),
            const char *said)
{
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    const struct sp_bridge *br = name ? sp_ctl_bridge(conn, name) : NULL;
    const bool known = br || !name;
    if (br) {
        f(br->state);
    } else if (known && config) {
        HMAP_FOR_EACH (br, by_name, &config->bridges) {
            f(br->state);
        }
    }
    rcu_end();
    if (known) {
        unixctl_reply(conn, said);
    }
}

static void
fdb_flush(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    for_bridges(conn, argc > 1 ? argv[1] : NULL, flush_one, "table successfully flushed");
}

static void
fdb_stats_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    rcu_begin();
    const struct sp_bridge *br = sp_ctl_bridge(conn, argv[1]);
    if (br) {
        struct mac_stats s;
        sp_mac_stats(br->state, &s);
        struct str out = STR_INIT;
        str_addf(&out,
                 "Statistics for bridge \"%s\":\n"
                 "  Current/maximum MAC entries in the table: %zu/%u\n"
                 "  Current static MAC entries in the table : %zu\n"
                 "  Total number of learned MAC entries     : %llu\n"
                 "  Total number of expired MAC entries     : %llu\n"
                 "  Total number of evicted MAC entries     : %llu\n"
                 "  Total number of port moved MAC entries  : %llu\n",
                 br->name, sp_mac_count(br->state), br->mac_table_size ? br->mac_table_size : 8192,
                 s.n_static, (unsigned long long) s.learned, (unsigned long long) s.expired,
                 (unsigned long long) s.evicted, (unsigned long long) s.moved);
        unixctl_reply(conn, str_get(&out));
        str_free(&out);
    }
    rcu_end();
}

static void
fdb_stats_clear(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    for_bridges(conn, argc > 1 ? argv[1] : NULL, sp_mac_stats_clear,
                "statistics successfully cleared");
}

// --- upcall. ---

static void
upcall_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        struct mega_stats s;
        struct reval_stats r;
        mega_stats(dp->cache, &s);
        sp_reval_stats(dp->reval, &r);
        str_addf(&out,
                 "%s@ovs-%s:\n"
                 "  flows         : (current %zu) (avg %zu) (max %zu) (limit %u)\n",
                 dp->type, dp->type, s.n, s.n, s.max, sp_config_flow_limit(config));
        if (config && config->hw_offload && dp->home == DP_PLACE_KERNEL) {
            str_addf(&out, "  offloaded flows : %zu\n",
                     s.places[DP_PLACE_TC_SW] + s.places[DP_PLACE_TC_HW]);
        }
        str_addf(&out,
                 "  dump duration : %ums\n"
                 "  ufid enabled : true\n"
                 "  handlers      : %zu\n"
                 "  upcalls       : %llu\n"
                 "  retranslated  : %llu (changed %llu, evicted %llu)\n"
                 "  masks         : %zu, action lists %zu, dependencies %zu\n\n",
                 r.dump_ms, sp_handlers_n(dp->handlers),
                 (unsigned long long) __atomic_load_n(&dp->n_upcalls, __ATOMIC_RELAXED),
                 (unsigned long long) s.retranslated, (unsigned long long) s.changed,
                 (unsigned long long) s.evicted, s.n_masks, s.n_acts, s.n_deps);
        for (unsigned i = 0; i < r.n_threads; i++) {
            str_addf(&out, "  %u: (keys %zu)\n", i + 1, r.keys[i]);
        }
    }
    rcu_end();
    unixctl_reply(conn, str_get(&out));
    str_free(&out);
}

static void
purged(void *aux)
{
}

static void
set_flow_limit(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    const unsigned limit = (unsigned) atoi(argv[1]);
    sp_config_set_flow_limit(MAX(limit, 1u));
    char *said = base_asprintf("set flow_limit to %u", limit);
    unixctl_reply(conn, said);
    free(said);
}

// aux: on, or NULL. What is cached goes: it was translated otherwise.
static void
set_megaflows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    xlate_set_megaflows(aux != NULL);
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        sp_reval_request(dp->reval, true, purged, NULL);
    }
    unixctl_reply(conn, aux ? "megaflows enabled" : "megaflows disabled");
}

// --- revalidator. ---

struct wait { // for every datapath's sweep
    struct unixctl_conn *conn;
    size_t n;
};

static void
swept(void *w_)
{
    struct wait *w = w_;
    if (!--w->n) {
        unixctl_reply(w->conn, "");
        free(w);
    }
}

static void
revalidate(struct unixctl_conn *conn, bool purge)
{
    struct wait *w = base_malloc(sizeof *w);
    *w = (struct wait){conn, 1};
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        w->n++;
        sp_reval_request(dp->reval, purge, swept, w);
    }
    swept(w);
}

static void
revalidator_wait(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    revalidate(conn, false);
}

static void
revalidator_purge(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    revalidate(conn, true);
}

void
sp_ctl_init(void)
{
    unixctl_register("fdb/show", "bridge", 1, 1, fdb_show, NULL);
    unixctl_register("fdb/add", "bridge port vlan mac", 4, 4, fdb_add, NULL);
    unixctl_register("fdb/del", "bridge vlan mac", 3, 3, fdb_del, NULL);
    unixctl_register("fdb/flush", "[bridge]", 0, 1, fdb_flush, NULL);
    unixctl_register("fdb/stats-show", "bridge", 1, 1, fdb_stats_show, NULL);
    unixctl_register("fdb/stats-clear", "[bridge]", 0, 1, fdb_stats_clear, NULL);
    unixctl_register("upcall/show", "", 0, 0, upcall_show, NULL);
    unixctl_register("upcall/set-flow-limit", "flow-limit-number", 1, 1, set_flow_limit, NULL);
    unixctl_register("upcall/enable-megaflows", "", 0, 0, set_megaflows, (void *) 1);
    unixctl_register("upcall/disable-megaflows", "", 0, 0, set_megaflows, NULL);
    unixctl_register("revalidator/wait", "", 0, 0, revalidator_wait, NULL);
    unixctl_register("revalidator/purge", "", 0, 0, revalidator_purge, NULL);
}
