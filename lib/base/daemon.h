// SPDX-License-Identifier: Apache-2.0
// Daemons: --detach (the parent returns only when the child serves), --pidfile, --monitor, --user.
// Order in main(): cmdline_parse → daemon_start() → open resources → daemon_ready() → loop.
#ifndef LIB_BASE_DAEMON_H
#define LIB_BASE_DAEMON_H 1

#include <sys/types.h>

#include "lib/base/util.h"

// Options, normally set by cmdline_parse().
void daemon_set_detach(void);
void daemon_set_no_chdir(void);
void daemon_set_pidfile(const char *name); // NULL: $OVS_RUNDIR/PROG.pid
void daemon_set_overwrite_pidfile(void);
void daemon_set_monitor(void);
void daemon_set_user(const char *user_group); // "user[:group]"
bool daemon_will_detach(void);

// Forks as asked (returns in the child; with --monitor in the grandchild), changes user if `early_user`, locks and writes the pidfile.
void daemon_start(bool early_user);
// Changes user now when daemon_start() did not (daemons that need root to open things first).
void daemon_become_user(void);
// The daemon's output is what it writes there: daemon_ready() leaves standard error open.
void daemon_keep_stderr(void);
void daemon_keep_stdout(void); // for programs whose output it is
// Tells the waiting parent that the daemon serves; closes the console, changes directory to /.
void daemon_ready(void);
// pid in a pidfile held by a running process, or -errno (-ESRCH: stale).
pid_t daemon_read_pidfile(const char *path);

// Files (sockets, pidfile) to unlink at exit or on a fatal signal.
void daemon_unlink_at_exit(const char *path);
void daemon_cancel_unlink(const char *path);

#endif
