// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_DBTOOL_SHOW_LOG_H
#define TOOLS_DBTOOL_SHOW_LOG_H 1

struct db_error;

// Prints the records of a database file; more 0: dates and comments, 1: rows, 2: columns.
struct db_error *dbtool_show_log(const char *path, int more);

#endif
