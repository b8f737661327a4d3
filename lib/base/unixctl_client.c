// SPDX-License-Identifier: Apache-2.0
// The control socket's client: one call, and how a target's name leads to its socket.
#include <errno.h>
#include <stdlib.h>

#include "lib/base/daemon.h"
#include "lib/base/dirs.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/unixctl.h"

static char *
text_of(json_t *value)
{
    if (json_is_string(value)) {
        return base_strdup(json_string_value(value));
    }
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    return dumped ? dumped : base_strdup("");
}

int
unixctl_call(const char *path, int argc, char *argv[], char **result, char **error)
{
    *result = *error = NULL;
    struct jsonrpc_sync *sync;
    char *remote = base_asprintf("unix:%s", path);
    int rc = jsonrpc_sync_open(remote, &sync);
    free(remote);
    if (rc) {
        return rc;
    }
    json_t *params = json_array(), *reply, *failure;
    for (int i = 1; i < argc && !rc; i++) {
        rc = json_array_append_new(params, json_string(argv[i])) ? -EILSEQ : 0;
    }
    if (rc) {
        json_decref(params);
    } else {
        rc = jsonrpc_sync_call(sync, argv[0], params, &reply, &failure);
    }
    if (!rc) {
        *(failure ? error : result) = text_of(failure ? failure : reply);
        json_decref(reply);
        json_decref(failure);
    }
    jsonrpc_sync_free(sync);
    return rc;
}

char *
unixctl_target_path(const char *target, char **error)
{
    *error = NULL;
    if (target[0] == '/') {
        return base_strdup(target);
    }
    char *pidfile = base_asprintf("%s/%s.pid", dirs_run(), target);
    pid_t pid = daemon_read_pidfile(pidfile);
    char *path = NULL;
    if (pid < 0) {
        *error = base_asprintf("cannot read pidfile \"%s\" (%s)", pidfile, base_strerror(pid));
    } else {
        path = base_asprintf("%s/%s.%ld.ctl", dirs_run(), target, (long) pid);
    }
    free(pidfile);
    return path;
}
