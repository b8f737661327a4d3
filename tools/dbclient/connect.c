// SPDX-License-Identifier: Apache-2.0
// Which server to talk to: the one that was named, or of several, in an order by chance, the first
// that leads its cluster (any with --no-leader-only). A server whose databases are in no cluster
// leads.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/base/stream.h"
#include "tools/dbclient/client.h"

LOG_MODULE(ovsdb_client);

// Whether no database of the server is led by another one.
static bool
leads(struct jsonrpc_sync *rpc)
{
    json_t *result, *error;
    int rc = jsonrpc_sync_call(
        rpc, "transact",
        json_pack("[s{s:s,s:s,s:[]}]", "_Server", "op", "select", "table", "Database", "where"),
        &result, &error);
    bool yes = !rc;
    const json_t *rows = rc ? NULL : json_object_get(json_array_get(result, 0), "rows");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        yes &= !json_is_false(json_object_get(json_array_get(rows, i), "leader"));
    }
    if (!rc) {
        json_decref(result);
        json_decref(error);
    }
    return yes;
}

// To free; *n names that point into *copy.
static const char **
split(const char *servers, char **copy, size_t *n)
{
    const char **names = NULL;
    size_t cap = 0;
    char *save = NULL;
    *copy = base_strdup(servers);
    *n = 0;
    for (char *name = strtok_r(*copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (*n == cap) {
            names = base_grow(names, &cap, sizeof *names);
        }
        names[(*n)++] = name;
    }
    return names;
}

static bool
is_name(const char *s)
{
    return stream_name_is_active(s) || stream_name_is_passive(s);
}

bool
client_is_server(const char *arg)
{
    char *copy;
    size_t n;
    const char **names = split(arg, &copy, &n);
    bool yes = n > 0;
    for (size_t i = 0; i < n; i++) {
        yes &= is_name(names[i]);
    }
    free(names);
    free(copy);
    return yes;
}

int
client_open(struct client *c)
{
    char *copy;
    size_t n;
    const char **names = split(c->server, &copy, &n);
    bool several = n > 1;
    int error = 0;
    while (n && !c->rpc) {
        size_t i = random_below(n);
        error = jsonrpc_sync_open(names[i], &c->rpc);
        if (!error && several && c->leader_only && !leads(c->rpc)) {
            jsonrpc_sync_free(c->rpc);
            c->rpc = NULL;
        }
        names[i] = names[--n];
    }
    free(names);
    free(copy);
    return c->rpc ? 0 : error ? error : -ECONNREFUSED;
}

void
client_connect(struct client *c)
{
    int error = client_open(c);
    if (error && strchr(c->server, ',')) {
        log_fatal(0, "no servers were available");
    } else if (error) {
        log_fatal(0, "failed to connect to \"%s\" (%s)", c->server, base_strerror(error));
    }
}
