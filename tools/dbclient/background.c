// SPDX-License-Identifier: Apache-2.0
// Commands that go on until the connection ends, perhaps in the background: there they write where
// they wrote before, and can be asked to end through a control socket.
#include <errno.h>
#include <stdlib.h>

#include "lib/base/daemon.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/unixctl.h"
#include "tools/dbclient/client.h"

LOG_MODULE(ovsdb_client);

void
client_detach(void)
{
    daemon_keep_stdout();
    daemon_start(false);
}

static void
cmd_exit(struct unixctl_conn *conn, int argc, const char *argv[], void *rpc)
{
    unixctl_reply(conn, NULL);
    jsonrpc_sync_stop(rpc);
}

void
client_stay(struct client *c)
{
    if (daemon_will_detach()) {
        struct unixctl_server *ctl;
        int error = unixctl_server_new(jsonrpc_sync_loop(c->rpc), NULL, &ctl);
        if (error) {
            log_fatal(-error, "could not listen on its control socket");
        }
        unixctl_register("exit", "", 0, 0, cmd_exit, c->rpc);
        log_unixctl_init();
        daemon_ready();
    }
    int error;
    while (!(error = jsonrpc_sync_wait(c->rpc))) {
    }
    if (error == -ECANCELED) {
        exit(EXIT_SUCCESS);
    }
    client_lost(c, error);
}
