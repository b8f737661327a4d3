// SPDX-License-Identifier: Apache-2.0
// Run-time control: JSON-RPC 1.0 over the Unix socket $OVS_RUNDIR/PROG.PID.ctl. Method names are commands, params are
// strings; result is a string, error a string (ovs-appctl(8)).
#ifndef LIB_BASE_UNIXCTL_H
#define LIB_BASE_UNIXCTL_H 1

#include "lib/base/util.h"

struct loop;
struct str;
struct unixctl_conn;

// argv[0] is the command's name. Must end in exactly one reply, now or later (copying what it needs from argv).
typedef void unixctl_cb(struct unixctl_conn *, int argc, const char *argv[], void *aux);

// Registers a command (also before the server is created). `usage`: argument synopsis for list-commands. max_args INT_MAX: any.
#define unixctl_register(NAME, USAGE, MIN_ARGS, MAX_ARGS, CB, AUX)                                                     \
    unixctl_add(&(const struct unixctl_command) {NAME, USAGE, MIN_ARGS, MAX_ARGS, CB, AUX})
struct unixctl_command {
    const char *name, *usage; // copied
    int min_args, max_args;
    unixctl_cb *cb;
    void *aux;
};
void unixctl_add(const struct unixctl_command *);
void unixctl_reply(struct unixctl_conn *, const char *text); // NULL: empty. Frees the request.
void unixctl_reply_error(struct unixctl_conn *, const char *text);
void unixctl_reply_text(struct unixctl_conn *, struct str *take);
// With this error (to free), or well when it is NULL.
void unixctl_reply_outcome(struct unixctl_conn *, char *error_take);
struct loop *unixctl_conn_loop(const struct unixctl_conn *);

// Listens. path NULL: default; "none": no server. Registers list-commands and version. Loop of the main thread.
struct unixctl_server;
int unixctl_server_new(struct loop *, const char *path, struct unixctl_server **);
void unixctl_server_free(struct unixctl_server *);
const char *unixctl_server_path(const struct unixctl_server *);

// Client: one blocking call. Returns 0 and *result or *error (each to free, one of them NULL), or -errno when there is
// no answer at all.
// argv[0] is the command.
int unixctl_call(const char *path, int argc, char *argv[], char **result, char **error);
// Socket path of a target as ovs-appctl's --target takes it: absolute path, or name of a program whose pidfile tells. Caller frees; NULL with
// *error sentence (to free).
char *unixctl_target_path(const char *target, char **error);

#endif
