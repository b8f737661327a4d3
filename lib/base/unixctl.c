// SPDX-License-Identifier: Apache-2.0
// The control socket's server: commands by name, each request ends in one reply, now or later. Main
// thread.
#include "config.h"

#include "lib/base/unixctl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/coverage.h"
#include "lib/base/dirs.h"
#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/stream.h"

LOG_MODULE(unixctl);
COVERAGE(unixctl_received);
COVERAGE(unixctl_replied);

#define COMMAND_MAX ((size_t) 16 << 20) // bytes; a command line of the system is much shorter

struct command {
    struct hmap_node by_name;
    struct unixctl_command def; // owns the strings
};

struct unixctl_server {
    struct loop *loop;
    struct stream_listener *listener; // NULL: "none"
    char *path;
    struct cds_list_head peers;
};

// One client.
struct peer {
    struct cds_list_head node; // server->peers
    struct jsonrpc *rpc;
    struct cds_list_head requests; // unanswered
};

// One unanswered request.
struct unixctl_conn {
    struct cds_list_head node; // peer->requests
    struct peer *peer;         // NULL: has left
    struct loop *loop;
    json_t *id;
};

static struct hmap commands; // zeroes are an empty map

static struct command *
find_command(const char *name)
{
    struct command *c;
    HMAP_FOR_EACH_HASH(c, by_name, hash_string(name, 0), &commands)
    {
        if (!strcmp(c->def.name, name)) {
            return c;
        }
    }
    return NULL;
}

void
unixctl_add(const struct unixctl_command *def)
{
    struct command *c = find_command(def->name);
    if (!c) {
        c = base_calloc(1, sizeof *c);
        c->def.name = base_strdup(def->name);
        hmap_insert(&commands, &c->by_name, hash_string(def->name, 0));
    }
    free((char *) c->def.usage);
    const char *name = c->def.name;
    c->def = *def;
    c->def.name = name;
    c->def.usage = base_strdup(def->usage);
}

struct loop *
unixctl_conn_loop(const struct unixctl_conn *conn)
{
    return conn->loop;
}

static void
reply(struct unixctl_conn *conn, const char *text, bool error)
{
    if (conn->peer) {
        struct str s = STR_INIT;
        str_add(&s, text ? text : "");
        if (s.len && s.p[s.len - 1] != '\n') {
            str_add_char(&s, '\n');
        }
        // A reply is text for people: bytes that are no UTF-8 must not cost the connection.
        json_t *body = json_stringn(str_get(&s), s.len);
        for (size_t i = 0; !body && i < s.len; i++) {
            s.p[i] = (unsigned char) s.p[i] < 0x80 ? s.p[i] : '?';
        }
        body = body ? body : json_stringn(str_get(&s), s.len);
        (error ? jsonrpc_reply_error : jsonrpc_reply)(conn->peer->rpc, body, conn->id);
        COVERAGE_INC(unixctl_replied);
        str_free(&s);
        cds_list_del(&conn->node);
    }
    json_decref(conn->id);
    free(conn);
}

void
unixctl_reply(struct unixctl_conn *conn, const char *text)
{
    reply(conn, text, false);
}

void
unixctl_reply_error(struct unixctl_conn *conn, const char *text)
{
    LOG_DBG("replying with error: \"%s\"", text);
    reply(conn, text, true);
}

void
unixctl_reply_text(struct unixctl_conn *conn, struct str *text)
{
    unixctl_reply(conn, str_get(text));
    str_free(text);
}

void
unixctl_reply_outcome(struct unixctl_conn *conn, char *error)
{
    error ? unixctl_reply_error(conn, error) : unixctl_reply(conn, NULL);
    free(error);
}

static void
run(struct unixctl_conn *conn, const char *method, const json_t *params)
{
    int n = json_array_size(params);
    struct command *c = find_command(method);
    char *error = NULL;
    if (!c) {
        error = base_asprintf("\"%s\" is not a valid command (use \"list-commands\" to see a list "
                              "of valid commands)",
                              method);
    } else if (n < c->def.min_args) {
        error =
            base_asprintf("\"%s\" command requires at least %d arguments", method, c->def.min_args);
    } else if (n > c->def.max_args) {
        error = base_asprintf("\"%s\" command takes at most %d arguments", method, c->def.max_args);
    }
    const char **argv = base_calloc(n + 2, sizeof *argv);
    argv[0] = method;
    for (int i = 0; !error && i < n; i++) {
        const json_t *param = json_array_get(params, i);
        argv[i + 1] = json_string_value(param);
        if (!argv[i + 1]) {
            error = base_asprintf("\"%s\" command has non-string argument", method);
        }
    }
    if (error) {
        unixctl_reply_error(conn, error);
        free(error);
    } else {
        c->def.cb(conn, n + 1, argv, c->def.aux);
    }
    free(argv);
}

static void
on_message(struct jsonrpc *rpc, const struct jsonrpc_msg *m, void *peer_)
{
    struct peer *p = peer_;
    if (m->type != JSONRPC_REQUEST) {
        return;
    }
    COVERAGE_INC(unixctl_received);
    LOG_DBG("received request %s with %zu arguments", m->method, json_array_size(m->params));
    struct unixctl_conn *conn = base_calloc(1, sizeof *conn);
    conn->peer = p;
    conn->loop = jsonrpc_loop(rpc);
    conn->id = json_incref(m->id);
    cds_list_add_tail(&conn->node, &p->requests);
    run(conn, m->method, m->params);
}

static void
free_peer(struct peer *p)
{
    struct unixctl_conn *conn, *next;
    LIST_FOR_EACH_SAFE (conn, next, node, &p->requests) {
        cds_list_del(&conn->node);
        conn->peer = NULL;
    }
    cds_list_del(&p->node);
    jsonrpc_free(p->rpc);
    free(p);
}

static void
on_closed(struct jsonrpc *rpc, int error, void *peer_)
{
    free_peer(peer_);
}

static void
on_accept(struct stream *stream, void *server_)
{
    static const struct jsonrpc_cbs cbs = {on_message, NULL, on_closed};
    struct unixctl_server *server = server_;
    struct peer *p = base_calloc(1, sizeof *p);
    CDS_INIT_LIST_HEAD(&p->requests);
    p->rpc = jsonrpc_new(server->loop, stream, &cbs, p);
    jsonrpc_set_max_message(p->rpc, COMMAND_MAX);
    cds_list_add(&p->node, &server->peers);
}

static int
compare_names(const void *a, const void *b)
{
    const struct command *const *ca = a, *const *cb = b;
    return strcmp((*ca)->def.name, (*cb)->def.name);
}

static void
list_commands(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    size_t n = 0;
    struct command **sorted = base_calloc(hmap_count(&commands), sizeof *sorted), *c;
    HMAP_FOR_EACH (c, by_name, &commands) {
        sorted[n++] = c;
    }
    qsort(sorted, n, sizeof *sorted, compare_names);
    struct str s = STR_INIT;
    str_add(&s, "The available commands are:\n");
    for (size_t i = 0; i < n; i++) {
        str_addf(&s, "  %-23s %s\n", sorted[i]->def.name, sorted[i]->def.usage);
    }
    unixctl_reply_text(conn, &s);
    free(sorted);
}

static void
version(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *text =
        base_asprintf("%s (Open vSwitch) 3.1.0\nFlowerbed " PACKAGE_VERSION "\n", dirs_program());
    unixctl_reply(conn, text);
    free(text);
}

int
unixctl_server_new(struct loop *loop, const char *path, struct unixctl_server **out)
{
    unixctl_register("list-commands", "", 0, 0, list_commands, NULL);
    unixctl_register("version", "", 0, 0, version, NULL);
    log_unixctl_init();
    struct unixctl_server *server = base_calloc(1, sizeof *server);
    CDS_INIT_LIST_HEAD(&server->peers);
    server->loop = loop;
    *out = server;
    if (path && !strcmp(path, "none")) {
        return 0;
    }
    char *own = path ? NULL : base_asprintf("%s.%ld.ctl", dirs_program(), (long) getpid());
    server->path = dirs_abs(dirs_run(), path ? path : own);
    free(own);
    char *name = base_asprintf("punix:%s", server->path);
    int error = stream_listen(loop, name, 0, 0, on_accept, server, &server->listener);
    if (error) {
        fprintf(stderr, "%s: could not initialize control socket (%s)\n", dirs_program(),
                base_strerror(error));
        unixctl_server_free(server);
        *out = NULL;
    }
    free(name);
    return error;
}

void
unixctl_server_free(struct unixctl_server *server)
{
    if (!server) {
        return;
    }
    struct peer *p, *next;
    LIST_FOR_EACH_SAFE (p, next, node, &server->peers) {
        free_peer(p);
    }
    stream_listener_free(server->listener);
    free(server->path);
    free(server);
}

const char *
unixctl_server_path(const struct unixctl_server *server)
{
    return server->path;
}
