// SPDX-License-Identifier: Apache-2.0
// What the files of the database's values share, and nobody else sees.
#ifndef OVSDB_DATA_PRIV_H
#define OVSDB_DATA_PRIV_H 1

#include "ovsdb/data.h"

// Characters (not bytes) of UTF-8 text.
uint32_t db_utf8_length(const char *s, size_t len);
// True when the text needs no quotes where ovs-vsctl(8) prints a value.
bool db_text_is_plain(const char *s, size_t len);

#endif
