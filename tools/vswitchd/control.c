// SPDX-License-Identifier: Apache-2.0
// unixctl commands about bridges and the daemon itself; the packet path's own commands are registered by slowpath.
#include "config.h"

#include <stdlib.h>

#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "tools/vswitchd/vswitchd.h"

static bool
add_rule(struct of_rule *rule, void *out)
{
    if (rule->table) {
        str_addf(out, "table_id=%u, ", rule->table);
    }
    of_rule_format(rule, out);
    str_add_char(out, '\n');
    return true;
}

static void
dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct vsw_bridge *br = vsw_bridge_find(argv[argc - 1]);
    if (!br) {
        unixctl_reply_error(conn, "Unknown bridge");
        return;
    }
    struct str out = STR_INIT;
    of_bridge_refresh_stats(br->of);
    of_bridge_for_each_rule(br->of, add_rule, &out);
    unixctl_reply_text(conn, &out);
}

static void
quit(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    vsw.exiting = true;
    vsw.cleanup = argc == 2 && !strcmp(argv[1], "--cleanup");
    unixctl_reply(conn, NULL);
    loop_stop(vsw.loop);
}

static void
reconnect(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct vsw_bridge *br;
    if (argc > 1) {
        br = vsw_bridge_find(argv[1]);
        if (!br) {
            unixctl_reply_error(conn, "unknown bridge");
            return;
        }
        of_bridge_reconnect(br->of);
    } else {
        HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
            of_bridge_reconnect(br->of);
        }
    }
    unixctl_reply(conn, NULL);
}

static void
list_bridges(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        str_addf(&out, "%s\n", br->name);
    }
    unixctl_reply_text(conn, &out);
}

void
vsw_control_init(void)
{
    unixctl_register("exit", "[--cleanup]", 0, 1, quit, NULL);
    unixctl_register("bridge/dump-flows", "[--offload-stats] bridge", 1, 2, dump_flows, NULL);
    unixctl_register("bridge/reconnect", "[bridge]", 0, 1, reconnect, NULL);
    unixctl_register("ofproto/list", "", 0, 0, list_bridges, NULL);
}
