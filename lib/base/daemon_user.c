// SPDX-License-Identifier: Apache-2.0
// --user: giving up root, all but the few capabilities a switch works with.
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/daemon.h"
#include "lib/base/daemon_private.h"
#include "lib/base/log.h"

static char *user; // NULL: stay who we are
static uid_t uid;
static gid_t gid;

static gid_t
find_group(const char *spec, const char *name)
{
    errno = 0;
    struct group *gr = getgrnam(name);
    if (!gr) {
        log_fatal(errno, "%s: group %s not found, aborting", spec, name);
    }
    return gr->gr_gid;
}

void
daemon_set_user(const char *spec)
{
    const char *colon = strchr(spec, ':');
    size_t len = colon ? (size_t) (colon - spec) : strlen(spec);
    free(user);
    user = base_strndup(spec, len);
    uid = geteuid();
    gid = getegid();
    if (*user) {
        errno = 0;
        struct passwd *pw = getpwnam(user);
        if (!pw) {
            log_fatal(errno, "%s: user %s not found, aborting", spec, user);
        }
        uid = pw->pw_uid;
        gid = pw->pw_gid;
    }
    if (colon && colon[1]) {
        gid = find_group(spec, colon + 1);
    }
}

static void
keep_capabilities(bool datapath)
{
    static const int kept[] = {CAP_NET_BIND_SERVICE, CAP_IPC_LOCK, // all daemons
                               CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BROADCAST};
    const size_t n = datapath ? ARRAY_SIZE(kept) : 2;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    for (size_t i = 0; i < n; i++) {
        data[0].effective |= 1u << kept[i];
    }
    data[0].permitted = data[0].inheritable = data[0].effective;
    if (syscall(SYS_capset, &header, data) < 0) {
        log_fatal(errno, "cannot keep the capabilities of a daemon as user %s", user);
    }
}

// datapath: keep what is needed to run one.
static void
change(bool datapath)
{
    if (!user || (uid == geteuid() && gid == getegid())) {
        return;
    }
    const bool capable = !geteuid();
    if (capable && prctl(PR_SET_KEEPCAPS, 1) < 0) {
        log_fatal(errno, "cannot keep capabilities");
    }
    if (setgid(gid) < 0 || (*user && initgroups(user, gid) < 0) || setuid(uid) < 0) {
        log_fatal(errno, "cannot change to user %s", user);
    }
    if (capable && (uid || datapath)) {
        keep_capabilities(datapath);
    }
    free(user);
    user = NULL;
}

void
daemon_drop_root(void)
{
    change(false);
}

void
daemon_become_user(void)
{
    change(true);
}
