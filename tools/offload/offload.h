// SPDX-License-Identifier: Apache-2.0
// ovs-offload: asks ovs-vswitchd (offload/… commands, JSON) and words the answer for people, or
// passes it on to programs.
#ifndef TOOLS_OFFLOAD_OFFLOAD_H
#define TOOLS_OFFLOAD_OFFLOAD_H 1

#include <jansson.h>

#include "lib/base/util.h"

struct options {
    bool json;
    const char *place;  // flows: only those there; NULL: all
    const char *reason; // flows: only those with this code
    const char *sort;   // flows: pps, bytes or age
};

// Each prints an answer as text.
void print_status(const json_t *answer);
void print_ports(const json_t *answer);
void print_flows(const json_t *answer);
void print_explain(const json_t *answer);
void print_reasons(const json_t *answer);
// The flows that the options choose, sorted: a new reference.
json_t *choose_flows(const json_t *answer, const struct options *);

// Members, with what is missing as "", 0 or false.
const char *get_str(const json_t *, const char *key);
int64_t get_int(const json_t *, const char *key);
double get_real(const json_t *, const char *key);
bool get_bool(const json_t *, const char *key);

// A table on standard output: columns are as wide as their widest cell.
struct grid;
struct grid *grid_new(const char *const headings[], size_t n);
void grid_add(struct grid *, const char *cell); // row by row; copied
void grid_addf(struct grid *, const char *fmt, ...) FB_PRINTF(2, 3);
void grid_print(struct grid *); // and frees it

#endif
