// SPDX-License-Identifier: Apache-2.0
// Dying by a signal: after a log line and after unlinking what daemon_unlink_at_exit() was told. (daemon_exit.c)
#ifndef LIB_BASE_DAEMON_PRIVATE_H
#define LIB_BASE_DAEMON_PRIVATE_H 1

void daemon_catch_signals(void);
void daemon_drop_root(void); // becomes the user of --user with the capabilities of any daemon (daemon_user.c)

#endif
