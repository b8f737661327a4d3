// SPDX-License-Identifier: Apache-2.0
// One walk over the data, several writers: tables as text, list, HTML, CSV or JSON (options -f, --no-headings, --pretty, --bare …) in the layouts of
// ovsdb-client(1) and ovs-vsctl(8).
#ifndef LIB_BASE_TABLE_H
#define LIB_BASE_TABLE_H 1

#include <jansson.h>

#include "lib/base/util.h"

struct str;

enum table_format { TABLE_TABLE, TABLE_LIST, TABLE_HTML, TABLE_CSV, TABLE_JSON };
enum table_cell_format { TABLE_CELL_STRING, TABLE_CELL_BARE, TABLE_CELL_JSON }; // --data=

struct table_style {
    enum table_format format;
    enum table_cell_format cell;
    bool headings;
    int json_flags; // TABLE_JSON_PRETTY or 0
    int max_column_width; // 0: none
    bool timestamp;
};

enum { TABLE_JSON_PRETTY = 1 };

#define TABLE_STYLE_DEFAULT                                                                                            \
    {                                                                                                                  \
        TABLE_TABLE, TABLE_CELL_STRING, true, 0, 0, false                                                              \
    }

extern struct table_style table_style; // set by cmdline_parse() for programs with CMDLINE_TABLE

struct table;
struct table *table_new(void);
void table_free(struct table *);
void table_set_caption(struct table *, const char *);
void table_add_column(struct table *, const char *heading);
void table_add_row(struct table *);
// Fills the next cell of the current row: text for people and (optional, taken) JSON for programs.
void table_add_cell(struct table *, const char *text, json_t *json_take);
void table_addf(struct table *, const char *fmt, ...) FB_PRINTF(2, 3);
// JSON with sorted keys, as tables and other output of the tools show it.
void table_json_add(struct str *, const json_t *, int flags);
void table_print(const struct table *, const struct table_style *, struct str *out);

#endif
