// SPDX-License-Identifier: Apache-2.0
// ovs-vswitchd: starts the rooms, ties them to one loop and one database, ends in order.
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kdatapath/kd.h"
#include "lib/base/clock.h"
#include "lib/base/cmdline.h"
#include "lib/base/coverage.h"
#include "lib/base/daemon.h"
#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "lib/base/unixctl.h"
#include "offload/ofl.h"
#include "slowpath/udp.h"
#include "tools/vswitchd/vswitchd.h"

LOG_MODULE(vswitchd);

struct vsw vsw;

static struct {
    char *unixctl_path;
    bool mlockall;
    bool disable_system;
} opt;

enum {
    OPT_MLOCKALL = 256,
    OPT_UNIXCTL,
    OPT_ENABLE_DUMMY,
    OPT_DISABLE_SYSTEM,
    OPT_DISABLE_SYSTEM_ROUTE,
    OPT_DPDK
};

static const struct option options[] = {
    {"mlockall", no_argument, NULL, OPT_MLOCKALL},
    {"unixctl", required_argument, NULL, OPT_UNIXCTL},
    {"enable-dummy", optional_argument, NULL, OPT_ENABLE_DUMMY},
    {"disable-system", no_argument, NULL, OPT_DISABLE_SYSTEM},
    {"disable-system-route", no_argument, NULL, OPT_DISABLE_SYSTEM_ROUTE},
    {"dpdk", optional_argument, NULL, OPT_DPDK},
    {NULL, 0, NULL, 0},
};

static void
usage(void)
{
    printf("%s: Open vSwitch daemon\n"
           "usage: %s [OPTIONS] [DATABASE]\n"
           "where DATABASE is a socket on which ovsdb-server is listening\n"
           "      (default: \"unix:%s/db.sock\").\n",
           dirs_program(), dirs_program(), dirs_run());
    cmdline_usage_groups(CMDLINE_LOG | CMDLINE_DAEMON | CMDLINE_TLS);
    printf("\nOther options:\n"
           "  --unixctl=SOCKET        override default control socket name\n"
           "  --mlockall              keep all memory resident\n"
           "  --enable-dummy[=override]  datapaths and interfaces for tests\n"
           "  --disable-system        leave the kernel's datapath alone\n"
           "  --disable-system-route  accepted for compatibility\n"
           "  -h, --help              display this help message\n"
           "  -V, --version           display version information\n");
}

static void
handle_option(int value, const char *arg, void *aux)
{
    switch (value) {
    case OPT_MLOCKALL:
        opt.mlockall = true;
        break;
    case OPT_UNIXCTL:
        opt.unixctl_path = base_strdup(arg);
        break;
    case OPT_ENABLE_DUMMY:
        vsw.dummy = !arg                        ? UDP_DUMMIES
                    : !strcmp(arg, "override") ? UDP_DUMMY_ALL
                                               : UDP_DUMMY_SYSTEM;
        if (arg && strcmp(arg, "override") && strcmp(arg, "system")) {
            log_fatal(0, "--enable-dummy=%s: the value may only be \"override\" or \"system\"",
                      arg);
        }
        break;
    case OPT_DISABLE_SYSTEM:
        opt.disable_system = true;
        break;
    case OPT_DISABLE_SYSTEM_ROUTE:
        break; // tunnels are what uses routes
    case OPT_DPDK:
        log_fatal(0, "--dpdk: this switch drives the kernel and SmartNICs and has no DPDK; leave "
                     "the option away");
    }
}

static void
db_changed(struct idl *idl, void *aux)
{
    if (idl_seqno(idl) != vsw.seen_seqno) {
        vsw.seen_seqno = idl_seqno(idl);
        vsw.reconcile_wanted = true;
    }
    loop_wake(vsw.loop);
}

static void
links_changed(void *aux)
{
    bool changed = false;
    struct vsw_bridge *br;
    HMAP_FOR_EACH (br, by_name, &vsw.bridges) {
        struct vsw_iface *iface;
        HMAP_FOR_EACH (iface, by_name, &br->ifaces) {
            unsigned mtu = iface->mtu;
            if (iface->error) {
                vsw.reconcile_wanted |= vsw.links && link_by_name(vsw.links, iface->name);
            } else if (vsw_iface_refresh(iface)) {
                vsw_iface_update_of(iface);
                changed = true;
                // Internal ports follow the smallest MTU of the devices.
                vsw.reconcile_wanted |= mtu != iface->mtu && !strcmp(iface->type, "system");
            }
        }
    }
    if (changed) {
        vsw_publish_snapshot();
        vsw.status_wanted = true;
    }
    loop_wake(vsw.loop);
}

// End of each turn: what the callbacks found out is done once.
static void
turn_end(void *aux)
{
    static bool contended;
    if (!idl_is_synced(vsw.idl)) {
        return;
    }
    if (idl_is_lock_contended(vsw.idl) && !contended) {
        LOG_ERR(
            "another ovs-vswitchd process is running, disabling this process until it goes away");
    }
    contended = idl_is_lock_contended(vsw.idl);
    if (!idl_has_lock(vsw.idl)) {
        return;
    }
    if (vsw.reconcile_wanted) {
        vsw.reconcile_wanted = false;
        vsw_reconcile();
        idl_track_clear(vsw.idl);
    }
    vsw_status_run();
}

static void
want_columns(struct idl *idl)
{
    // Everything is read; what the switch itself writes does not wake it.
    static const unsigned tables[] = {
        IDL_TABLE_OPEN_VSWITCH, IDL_TABLE_BRIDGE,     IDL_TABLE_PORT, IDL_TABLE_INTERFACE,
        IDL_TABLE_CONTROLLER,   IDL_TABLE_FLOW_TABLE, IDL_TABLE_SSL,  IDL_TABLE_DATAPATH};
    static const unsigned own[] = {IDL_OPEN_VSWITCH_CUR_CFG,
                                   IDL_OPEN_VSWITCH_IFACE_TYPES,
                                   IDL_OPEN_VSWITCH_DATAPATH_TYPES,
                                   IDL_OPEN_VSWITCH_DATAPATHS,
                                   IDL_OPEN_VSWITCH_OVS_VERSION,
                                   IDL_OPEN_VSWITCH_STATISTICS,
                                   IDL_OPEN_VSWITCH_DPDK_INITIALIZED,
                                   IDL_OPEN_VSWITCH_DPDK_VERSION,
                                   IDL_OPEN_VSWITCH_DB_VERSION,
                                   IDL_OPEN_VSWITCH_SYSTEM_TYPE,
                                   IDL_OPEN_VSWITCH_SYSTEM_VERSION,
                                   IDL_OPEN_VSWITCH_EXTERNAL_IDS,
                                   IDL_BRIDGE_DATAPATH_ID,
                                   IDL_BRIDGE_DATAPATH_VERSION,
                                   IDL_BRIDGE_STATUS,
                                   IDL_BRIDGE_EXTERNAL_IDS,
                                   IDL_BRIDGE_RSTP_STATUS,
                                   IDL_PORT_STATUS,
                                   IDL_PORT_STATISTICS,
                                   IDL_PORT_EXTERNAL_IDS,
                                   IDL_PORT_BOND_ACTIVE_SLAVE,
                                   IDL_INTERFACE_OFPORT,
                                   IDL_INTERFACE_ERROR,
                                   IDL_INTERFACE_MAC_IN_USE,
                                   IDL_INTERFACE_MTU,
                                   IDL_INTERFACE_ADMIN_STATE,
                                   IDL_INTERFACE_LINK_STATE,
                                   IDL_INTERFACE_LINK_RESETS,
                                   IDL_INTERFACE_LINK_SPEED,
                                   IDL_INTERFACE_DUPLEX,
                                   IDL_INTERFACE_IFINDEX,
                                   IDL_INTERFACE_STATISTICS,
                                   IDL_INTERFACE_STATUS,
                                   IDL_INTERFACE_EXTERNAL_IDS,
                                   IDL_CONTROLLER_IS_CONNECTED,
                                   IDL_CONTROLLER_ROLE,
                                   IDL_CONTROLLER_STATUS,
                                   IDL_CONTROLLER_EXTERNAL_IDS,
                                   IDL_DATAPATH_CAPABILITIES,
                                   IDL_DATAPATH_DATAPATH_VERSION};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        idl_want_all(idl, tables[i], IDL_READ);
    }
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        idl_want(idl, own[i], IDL_READ | IDL_QUIET);
    }
    idl_want(idl, IDL_MANAGER_TARGET, IDL_READ); // in-band control
    idl_want(idl, IDL_MANAGER_CONNECTION_MODE, IDL_READ);
    static const unsigned there[] = {IDL_MIRROR_NAME,   IDL_NETFLOW_TARGETS,
                                     IDL_SFLOW_TARGETS, IDL_IPFIX_TARGETS,
                                     IDL_QOS_TYPE,      IDL_AUTOATTACH_SYSTEM_NAME};
    for (size_t i = 0; i < ARRAY_SIZE(there);
         i++) { // so that records that name them are seen to (unsupported.c)
        idl_want(idl, there[i], IDL_READ | IDL_QUIET);
    }
}

static void
stop(void *aux)
{
    vsw.exiting = true;
    loop_stop(vsw.loop);
}

static void
start_rooms(void)
{
    udp_init(vsw.loop, vsw.dummy);
    if (vsw.dummy) {
        clock_unixctl_init();
    }
    if (!opt.disable_system && vsw.dummy < UDP_DUMMY_SYSTEM) {
        dp_ops_register(&kd_dp_ops);
        dp_ops_register(&ofl_dp_ops);
    }
    if (vsw.dummy != UDP_DUMMY_ALL) {
        int error = link_cache_new(vsw.loop, links_changed, NULL, &vsw.links);
        if (error) {
            log_fatal(-error, "could not follow the host's network devices through rtnetlink");
        }
    }
    sp_init(vsw.loop);
    sp_on_port_config(vsw_iface_port_config);
    sp_on_port_counters(vsw_iface_port_counters);
    udp_dummy_on_state(links_changed, NULL);
}

static void
end_rooms(void)
{
    // Without --cleanup ports and cached flows stay where they are and forward on, for the next
    // start to adopt.
    struct vsw_bridge *br;
    if (vsw.txn) {
        idl_txn_free(vsw.txn);
    }
    sp_exit(vsw.cleanup);
    HMAP_FOR_EACH_SAFE (br, by_name, &vsw.bridges) {
        vsw_bridge_free(br, false); // the datapath is closed already, with its ports where asked
    }
    idl_free(vsw.idl);
    link_cache_free(vsw.links);
}

int
main(int argc, char *argv[])
{
    dirs_set_program(argv[0]);
    rcu_start();
    const struct cmdline cl = {.own = options,
                               .mixed = true,
                               .groups = CMDLINE_LOG | CMDLINE_DAEMON | CMDLINE_TLS,
                               .usage = usage,
                               .handle = handle_option};
    log_enable_daemon(); // -v has the last word
    int first = cmdline_parse(&cl, argc, argv);
    if (argc - first > 1) {
        log_fatal(0, "at most one non-option argument accepted; use --help for usage");
    }
    char *remote =
        first < argc ? base_strdup(argv[first]) : base_asprintf("unix:%s/db.sock", dirs_run());
    daemon_start(false);
    if (opt.mlockall && mlockall(MCL_CURRENT | MCL_FUTURE)) {
        LOG_ERR("mlockall failed: %s", base_strerror(errno));
    }
    signal(SIGPIPE, SIG_IGN);
    vsw.loop = loop_new();
    hmap_init(&vsw.bridges);
    struct loop_signal *term = loop_signal_new(vsw.loop, SIGTERM, stop, NULL);
    struct loop_signal *intr = loop_signal_new(vsw.loop, SIGINT, stop, NULL);
    struct unixctl_server *ctl = NULL;
    int error = unixctl_server_new(vsw.loop, opt.unixctl_path, &ctl);
    if (error) {
        exit(EXIT_FAILURE); // said already
    }
    log_unixctl_init();
    coverage_init(vsw.loop);
    vsw_control_init();
    start_rooms();
    daemon_become_user();
    static const struct idl_cbs cbs = {db_changed};
    vsw.idl = idl_new(vsw.loop, remote, &cbs, NULL);
    want_columns(vsw.idl);
    idl_set_lock(vsw.idl, "ovs_vswitchd");
    idl_start(vsw.idl);
    vsw_status_init();
    vsw.hook = loop_hook_new(vsw.loop, turn_end, NULL);
    // The parent returns when the configuration that was there is in effect.
    while (!vsw.configured && !vsw.idle && !vsw.exiting && !idl_is_lock_contended(vsw.idl)) {
        loop_turn(vsw.loop, -1);
    }
    daemon_ready();
    LOG_INFO("%s (Open vSwitch) 3.1.0, Flowerbed " PACKAGE_VERSION, dirs_program());
    while (!vsw.exiting) {
        loop_turn(vsw.loop, -1);
    }
    loop_hook_free(vsw.hook);
    end_rooms();
    unixctl_server_free(ctl);
    loop_signal_free(term);
    loop_signal_free(intr);
    loop_free(vsw.loop);
    free(remote);
    return 0;
}
