// SPDX-License-Identifier: Apache-2.0
// Files that must not outlive the process. They are unlinked at exit and from a signal handler,
// hence a fixed table whose slots are filled and emptied atomically; a slot belongs to the process
// that filled it (a fork leaves it alone).
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/daemon.h"
#include "lib/base/daemon_private.h"
#include "lib/base/log_private.h"

static struct {
    char *path; // atomic
    pid_t owner;
} files[64];

static const int fatal_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM};

static void
unlink_all(bool in_signal_handler)
{
    pid_t self = getpid();
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char *path = __atomic_exchange_n(&files[i].path, NULL, __ATOMIC_ACQ_REL);
        if (path && files[i].owner == self) {
            unlink(path);
        }
        if (!in_signal_handler) {
            free(path);
        }
    }
}

static void
at_exit(void)
{
    unlink_all(false);
}

static void
on_fatal_signal(int signum)
{
    log_signal_line(signum);
    unlink_all(true);
    signal(signum, SIG_DFL);
    raise(signum);
}

void
daemon_catch_signals(void)
{
    static bool done;
    if (done) {
        return;
    }
    done = true;
    atexit(at_exit);
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++) {
        struct sigaction old, new = {.sa_handler = on_fatal_signal, .sa_flags = SA_NODEFER};
        if (!sigaction(fatal_signals[i], NULL, &old) && old.sa_handler == SIG_DFL) {
            sigaction(fatal_signals[i], &new, NULL);
        }
    }
}

void
daemon_unlink_at_exit(const char *path)
{
    daemon_catch_signals();
    char *copy = base_strdup(path);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char *expected = NULL;
        if (!__atomic_load_n(&files[i].path, __ATOMIC_ACQUIRE)) {
            files[i].owner = getpid();
            if (__atomic_compare_exchange_n(&files[i].path, &expected, copy, false,
                                            __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
                return;
            }
        }
    }
    free(copy); // no room: the file will be stale, which its next user copes with
}

void
daemon_cancel_unlink(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char *p = __atomic_load_n(&files[i].path, __ATOMIC_ACQUIRE);
        if (p && !strcmp(p, path)) {
            char *taken = __atomic_exchange_n(&files[i].path, NULL, __ATOMIC_ACQ_REL);
            free(taken);
            return;
        }
    }
}
