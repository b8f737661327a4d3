// SPDX-License-Identifier: Apache-2.0
// Of the build's generator.
#ifndef OVSDB_COLUMNS_PAGE_H
#define OVSDB_COLUMNS_PAGE_H 1

void columns_page(void); // ovs-vswitchd.conf.db(5), to standard output

#endif
