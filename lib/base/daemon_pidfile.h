// SPDX-License-Identifier: Apache-2.0
// For daemon.c: pidfiles. Both end the program with the usual sentence when another process has the file.
#ifndef LIB_BASE_DAEMON_PIDFILE_H
#define LIB_BASE_DAEMON_PIDFILE_H 1

#include <stdbool.h>

void daemon_pidfile_check(const char *path);
void daemon_pidfile_make(const char *path, bool overwrite);

#endif
