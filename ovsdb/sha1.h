// SPDX-License-Identifier: Apache-2.0
// SHA-1 (FIPS 180-4), which database files use as a checksum of each record.
#ifndef OVSDB_SHA1_H
#define OVSDB_SHA1_H 1

#include "lib/base/util.h"

#define DB_SHA1_HEX 40

// db_sha1_hex() takes the processor's instructions for it, where there are some; plain never does.
void db_sha1_hex_plain(const void *, size_t, char out[DB_SHA1_HEX + 1]);
void db_sha1_hex(const void *, size_t, char out[DB_SHA1_HEX + 1]);

#endif
