// SPDX-License-Identifier: Apache-2.0
// The client library against the server, over a socket, in one loop: two clients change bridges and
// ports at random, and after each step both replicas must have what the server has, column by
// column; connections are cut in between.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/stream.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/idl.h"
#include "ovsdb/server.h"

static struct loop *loop;
static struct db_server *server;
static struct stream_listener *listener;
static struct db *db;
static char *remote;
static struct idl *clients[2];

// --- the server's side of a connection ---

struct conn {
    struct jsonrpc *rpc;
    struct db_session *session;
};

static void
on_message(struct jsonrpc *rpc, const struct jsonrpc_msg *m, void *c_)
{
    struct conn *c = c_;
    db_session_message(c->session, m);
}

static void
conn_free(void *c_)
{
    struct conn *c = c_;
    db_session_free(c->session);
    jsonrpc_free(c->rpc);
    free(c);
}

static void
on_closed(struct jsonrpc *rpc, int error, void *c)
{
    conn_free(c);
}

static void
on_disconnect(struct db_session *s, void *c)
{
    loop_call(loop, conn_free, c);
}

static void
on_accept(struct stream *stream, void *aux)
{
    static const struct jsonrpc_cbs cbs = {.message = on_message, .closed = on_closed};
    static const struct db_session_cbs session_cbs = {on_disconnect};
    struct conn *c = base_calloc(1, sizeof *c);
    c->rpc = jsonrpc_new(loop, stream, &cbs, c);
    c->session = db_session_new(server, c->rpc, &session_cbs, c);
}

static void
on_changed(struct idl *idl, void *aux)
{
}

static struct idl *
new_client(const char *lock)
{
    static const struct idl_cbs cbs = {on_changed};
    static const unsigned tables[] = {IDL_TABLE_OPEN_VSWITCH, IDL_TABLE_BRIDGE, IDL_TABLE_PORT,
                                      IDL_TABLE_INTERFACE, IDL_TABLE_MIRROR};
    struct idl *idl = idl_new(loop, remote, &cbs, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        idl_want_all(idl, tables[i], IDL_READ);
    }
    idl_set_lock(idl, lock);
    idl_start(idl);
    return idl;
}

// Waits for something to happen; virtual time goes on, so that back-off costs nothing.
static void
turn(void)
{
    if (!loop_turn(loop, 1)) {
        clock_warp(50);
    }
}

// --- comparing ---

static bool
row_agrees(struct idl *idl, unsigned table, const struct db_row *row)
{
    const struct idl_row *mine = idl_row_by_uuid(idl, table, &row->uuid.uuid);
    for (unsigned i = 0; mine && i < idl_table_n_columns(table); i++) {
        unsigned column = idl_table_first_column(table) + i;
        const struct db_column_schema *c =
            db_table_schema_column(row->table->schema, idl_column_name(column));
        const struct db_datum *d = idl_row_datum(mine, column);
        if (!d || !db_datum_equals(d, &row->data[c->index], &c->type)) {
            return false;
        }
    }
    return mine != NULL;
}

static bool
agrees(struct idl *idl)
{
    static const unsigned tables[] = {IDL_TABLE_OPEN_VSWITCH, IDL_TABLE_BRIDGE, IDL_TABLE_PORT,
                                      IDL_TABLE_INTERFACE, IDL_TABLE_MIRROR};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        const struct db_table *t = db_table_find(db, idl_table_name(tables[i]));
        const struct db_row *row;
        if (idl_table_count(idl, tables[i]) != hmap_count(&t->rows)) {
            return false;
        }
        HMAP_FOR_EACH (row, by_uuid, &t->rows) {
            if (!row_agrees(idl, tables[i], row)) {
                return false;
            }
        }
    }
    return true;
}

// Turns the loop until both replicas have everything; a test that never gets there is ended by
// alarm().
static void
settle(void)
{
    while (!idl_is_synced(clients[0]) || !idl_is_synced(clients[1]) || !agrees(clients[0]) ||
           !agrees(clients[1])) {
        turn();
    }
}

// --- random changes ---

static const struct idl_bridge *
random_bridge(struct idl *idl)
{
    const struct idl_bridge *br, *found = NULL;
    unsigned n = 0;
    IDL_BRIDGE_FOR_EACH(br, idl)
    {
        if (!random_below(++n)) {
            found = br;
        }
    }
    return found;
}

static void
add_port(struct idl_txn *txn, const struct idl_bridge *br, const char *name)
{
    const struct idl_interface *iface = idl_interface_insert(txn);
    idl_interface_set_name(iface, name);
    const struct idl_port *port = idl_port_insert(txn);
    idl_port_set_name(port, name);
    idl_refs_add(&port->row, IDL_PORT_INTERFACES, &iface->row);
    idl_refs_add(&br->row, IDL_BRIDGE_PORTS, &port->row);
}

static void
change(struct idl *idl, struct idl_txn *txn, unsigned what)
{
    const struct idl_open_vswitch *ovs = idl_open_vswitch_first(idl);
    const struct idl_bridge *br = random_bridge(idl);
    char name[16], key[8];
    snprintf(name, sizeof name, "n%u", random_below(200));
    snprintf(key, sizeof key, "k%u", random_below(4));
    if (!br || what == 0) {
        br = idl_bridge_insert(txn);
        idl_bridge_set_name(br, name);
        idl_open_vswitch_bridges_add(ovs, br);
    } else if (what < 3) {
        add_port(txn, br, name);
    } else if (what == 3 && br->n_ports) {
        idl_refs_remove(&br->row, IDL_BRIDGE_PORTS, &br->ports[random_below(br->n_ports)]->row);
    } else if (what == 4) {
        idl_map_put(&br->row, IDL_BRIDGE_OTHER_CONFIG, key, name);
    } else if (what == 5) {
        idl_map_del(&br->row, IDL_BRIDGE_OTHER_CONFIG, key);
    } else if (what == 6 && br->n_ports) {
        int64_t tag = random_below(4096);
        idl_port_set_tag(br->ports[0], &tag);
    } else if (random_below(4) == 0) {
        idl_open_vswitch_bridges_remove(ovs, br);
    } else {
        idl_bridge_set_datapath_type(br, name);
    }
}

static unsigned outcomes[IDL_TXN_ERROR + 1];

// One transaction of one client, started while the other's may be under way.
static struct idl_txn *
start_txn(struct idl *idl)
{
    struct idl_txn *txn = idl_txn_new(idl);
    for (unsigned n = 1 + random_below(3); n > 0; n--) {
        change(idl, txn, random_below(8));
    }
    if (random_below(2)) {
        idl_txn_increment(txn, &idl_open_vswitch_first(idl)->row, IDL_OPEN_VSWITCH_NEXT_CFG,
                          random_below(2));
    }
    idl_txn_commit(txn);
    return txn;
}

static void
finish_txn(struct idl_txn *txn)
{
    enum idl_txn_status status;
    while ((status = idl_txn_status(txn)) == IDL_TXN_INCOMPLETE) {
        turn();
    }
    outcomes[status]++;
    idl_txn_free(txn);
}

static void
insert_root(void)
{
    struct idl_txn *txn = idl_txn_new(clients[0]);
    idl_open_vswitch_insert(txn);
    assert_int_equal(idl_txn_commit_block(txn), IDL_TXN_SUCCESS);
    idl_txn_free(txn);
}

static void
two_clients(void **unused)
{
    clients[0] = new_client(NULL);
    clients[1] = new_client(NULL);
    settle();
    insert_root();
    settle();
    for (int i = 0; i < 600; i++) {
        struct idl_txn *a = start_txn(clients[0]), *b = start_txn(clients[1]);
        if (i % 50 == 49) {
            db_server_disconnect(server, true);
        }
        finish_txn(a);
        finish_txn(b);
        settle();
        idl_track_clear(clients[i % 2]);
    }
    print_message("%u succeeded, %u without effect, %u to try again, %u refused\n",
                  outcomes[IDL_TXN_SUCCESS], outcomes[IDL_TXN_UNCHANGED],
                  outcomes[IDL_TXN_TRY_AGAIN], outcomes[IDL_TXN_ERROR]);
    assert_true(outcomes[IDL_TXN_SUCCESS] > 300);
    idl_free(clients[0]);
    idl_free(clients[1]);
}

static enum idl_txn_status
commit(struct idl_txn *txn)
{
    idl_txn_commit(txn);
    while (idl_txn_status(txn) == IDL_TXN_INCOMPLETE) {
        turn();
    }
    return idl_txn_status(txn);
}

// Such a request would cost the connection, and so would each other try.
static void
not_utf8(void **unused)
{
    struct idl *idl = new_client(NULL);
    while (!idl_is_synced(idl) || !idl_open_vswitch_first(idl)) {
        turn();
    }
    struct idl_txn *txn = idl_txn_new(idl);
    idl_open_vswitch_set_system_type(idl_open_vswitch_first(idl), "x\xc3(");
    assert_int_equal(commit(txn), IDL_TXN_ERROR);
    assert_string_equal(
        idl_txn_error(txn),
        "constraint violation: not a valid UTF-8 string: invalid UTF-8 sequence 0xc3 0x28");
    idl_txn_free(txn);
    txn = idl_txn_new(idl);
    idl_open_vswitch_set_system_type(idl_open_vswitch_first(idl), "x\xc3\xa4");
    assert_int_equal(commit(txn), IDL_TXN_SUCCESS);
    idl_txn_free(txn);
    idl_free(idl);
}

static void
lock_passes_on(void **unused)
{
    clients[0] = new_client("l");
    while (!idl_has_lock(clients[0])) {
        turn();
    }
    clients[1] = new_client("l");
    while (!idl_is_lock_contended(clients[1])) {
        turn();
    }
    assert_false(idl_has_lock(clients[1]));
    idl_free(clients[0]);
    while (!idl_has_lock(clients[1])) {
        turn();
    }
    idl_free(clients[1]);
}

static void
start_server(void)
{
    struct db_schema *schema;
    const char *top = getenv("top_builddir");
    char *path = base_asprintf("%s/ovsdb/vswitch.ovsschema", top ? top : ".");
    char *listen = base_asprintf("punix:/tmp/test_idl.%d.sock", (int) getpid());
    remote = base_strdup(listen + 1);
    loop = loop_new();
    server = db_server_new(loop);
    struct db_error *e = db_schema_from_file(path, &schema);
    if (e) {
        log_fatal(0, "%s", db_error_take_text(e));
    }
    db = db_new(schema);
    db_error_free(db_server_add(server, db, NULL));
    int error = stream_listen(loop, listen, 0, 0, on_accept, NULL, &listener);
    if (error) {
        log_fatal(-error, "%s: cannot listen", listen);
    }
    free(path);
    free(listen);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_clients), cmocka_unit_test(not_utf8),
                                       cmocka_unit_test(lock_passes_on)};
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : random_u64();
    print_message("seed %llu\n", (unsigned long long) seed);
    random_seed(seed);
    rcu_start();
    alarm(120);
    clock_stop();
    start_server();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    stream_listener_free(listener);
    return failed;
}
