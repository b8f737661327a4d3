// SPDX-License-Identifier: Apache-2.0
// The defaults FB_* come from configure: --runstatedir, --localstatedir, --sysconfdir, --datadir.
#include "lib/base/dirs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/util.h"

static const char *program = "flowerbed";
static char *db_dir; // set once
static pthread_once_t db_once = PTHREAD_ONCE_INIT;

void
dirs_set_program(const char *argv0)
{
    const char *slash = strrchr(argv0, '/');
    const char *base = slash ? slash + 1 : argv0;
    // libtool's wrappers run "lt-PROG".
    program = !strncmp(base, "lt-", 3) ? base + 3 : base;
}

const char *
dirs_program(void)
{
    return program;
}

static const char *
env_or(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);
    return value && *value ? value : otherwise;
}

const char *
dirs_run(void)
{
    return env_or("OVS_RUNDIR", FB_RUNDIR);
}

const char *
dirs_log(void)
{
    return env_or("OVS_LOGDIR", FB_LOGDIR);
}

const char *
dirs_sysconf(void)
{
    return env_or("OVS_SYSCONFDIR", FB_SYSCONFDIR);
}

const char *
dirs_pkgdata(void)
{
    return env_or("OVS_PKGDATADIR", FB_PKGDATADIR);
}

static void
set_db_dir(void)
{
    const char *value = getenv("OVS_DBDIR");
    db_dir = value && *value ? base_strdup(value)
                             : base_asprintf("%s/openvswitch", dirs_sysconf());
}

const char *
dirs_db(void)
{
    pthread_once(&db_once, set_db_dir);
    return db_dir;
}

char *
dirs_abs(const char *dir, const char *name)
{
    if (name[0] == '/') {
        return base_strdup(name);
    }
    if (dir) {
        return base_asprintf("%s/%s", dir, name);
    }
    char *cwd = getcwd(NULL, 0);
    char *path = cwd ? base_asprintf("%s/%s", cwd, name) : base_strdup(name);
    free(cwd);
    return path;
}
