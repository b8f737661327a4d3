// SPDX-License-Identifier: Apache-2.0
// Commands that transact, lock and wait.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "ovsdb/data.h"
#include "tools/dbclient/client.h"

LOG_MODULE(ovsdb_client);

static json_t *
parse_json(const char *text)
{
    json_error_t e;
    json_t *j = json_loads(text, JSON_DECODE_ANY, &e);
    if (!j) {
        log_fatal(0, "\"%s\": line %d, column %d: %s", text, e.line, e.column, e.text);
    }
    return j;
}

// A transaction's parameters: at least the database's name.
static json_t *
parse_transaction(struct client *c)
{
    json_t *txn = parse_json(c->argv[0]);
    if (!json_is_string(json_array_get(txn, 0))) {
        log_fatal(0, "not a valid OVSDB query");
    }
    return txn;
}

static json_t *
run_transaction(struct client *c, json_t *txn)
{
    json_t *result, *error;
    int rc = jsonrpc_sync_call(c->rpc, "transact", txn, &result, &error);
    if (rc) {
        client_lost(c, rc);
    }
    if (error) {
        struct str s = STR_INIT;
        db_json_write(error, &s);
        log_fatal(0, "transaction returned error: %s", str_get(&s));
    }
    return result;
}

void
client_transact(struct client *c)
{
    json_t *result = run_transaction(c, parse_transaction(c));
    client_print_json(result);
    json_decref(result);
}

// The transaction ends in an "abort", whose error is left out of the results.
void
client_query(struct client *c)
{
    json_t *txn = parse_transaction(c);
    json_array_append_new(txn, json_pack("{s:s}", "op", "abort"));
    json_t *result = run_transaction(c, txn);
    size_t n = json_array_size(result);
    const char *error =
        n ? json_string_value(json_object_get(json_array_get(result, n - 1), "error")) : NULL;
    if (error && !strcmp(error, "aborted")) {
        json_array_remove(result, n - 1);
    }
    client_print_json(result);
    json_decref(result);
}

// --- locks ---

static void
on_lock_notify(const char *method, json_t *params, void *aux)
{
    const bool reply = !*method; // to what the control socket asked for
    if (reply || !strcmp(method, "locked") || !strcmp(method, "stolen")) {
        if (!reply) {
            puts(method);
        }
        client_print_json(params);
        fflush(stdout);
    }
}

static void
lock_command(struct client *c, const char *method)
{
    jsonrpc_sync_on_notify(c->rpc, on_lock_notify, NULL);
    json_t *result = client_call(c, method, json_pack("[s]", c->argv[0]));
    client_print_json(result);
    fflush(stdout);
    json_decref(result);
}

// "lock", "steal" or "unlock", as the server calls them, too.
static void
cmd_lock(struct unixctl_conn *conn, int argc, const char *argv[], void *rpc)
{
    jsonrpc_sync_send(rpc, argv[0], json_pack("[s]", argv[1]));
    unixctl_reply(conn, NULL);
}

static void
lock_and_stay(struct client *c, const char *method)
{
    client_detach();
    lock_command(c, method);
    unixctl_register("lock", "LOCK", 1, 1, cmd_lock, c->rpc);
    unixctl_register("steal", "LOCK", 1, 1, cmd_lock, c->rpc);
    unixctl_register("unlock", "LOCK", 1, 1, cmd_lock, c->rpc);
    client_stay(c);
}

void
client_lock(struct client *c)
{
    lock_and_stay(c, "lock");
}

void
client_steal(struct client *c)
{
    lock_and_stay(c, "steal");
}

void
client_unlock(struct client *c)
{
    lock_command(c, "unlock");
}

// --- wait ---

static bool
in_state(const json_t *rows, const char *database, const char *state)
{
    bool found = false, connected = false;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        if (name && !strcmp(name, database)) {
            found = true;
            connected |= json_is_true(json_object_get(row, "connected"));
        }
    }
    return !strcmp(state, "added") ? found : !strcmp(state, "connected") ? connected : !found;
}

void
client_wait(struct client *c)
{
    const char *database = c->argv[0], *state = c->argv[1];
    if (strcmp(state, "added") && strcmp(state, "connected") && strcmp(state, "removed")) {
        log_fatal(0, "%s: unknown state", state);
    }
    for (;;) {
        if (!c->rpc && client_open(c)) {
            usleep(100 * 1000); // until there is a server
            continue;
        }
        // A monitor tells when to look again.
        json_t *result, *error;
        int rc =
            jsonrpc_sync_call(c->rpc, "set_db_change_aware", json_pack("[b]", 1), &result, &error);
        json_decref(result);
        json_decref(error);
        rc =
            rc ? rc
               : jsonrpc_sync_call(c->rpc, "monitor",
                                   json_pack("[sn{s:{}}]", "_Server", "Database"), &result, &error);
        if (!rc && error) {
            log_fatal(0, "%s: this server has no database _Server to wait on", c->server);
        }
        json_decref(result);
        while (!rc) {
            rc = jsonrpc_sync_call(c->rpc, "transact",
                                   json_pack("[s{s:s,s:s,s:[],s:[ss]}]", "_Server", "op", "select",
                                             "table", "Database", "where", "columns", "name",
                                             "connected"),
                                   &result, &error);
            const json_t *rows = json_object_get(json_array_get(result, 0), "rows");
            const bool done = !rc && in_state(rows, database, state);
            json_decref(result);
            json_decref(error);
            if (done) {
                return;
            }
            rc = rc ? rc : jsonrpc_sync_wait(c->rpc);
        }
        jsonrpc_sync_free(c->rpc);
        c->rpc = NULL;
    }
}
