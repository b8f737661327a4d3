// SPDX-License-Identifier: Apache-2.0
// Private to this room: datapath flow text in pieces, which flows and "set(…)" actions have in
// common. Groups and members are the last column of fields.def: "ipv4(src=…)" is group "ipv4" with
// member "src", "recirc_id(…)" a group without members.
#ifndef LIB_FLOW_DP_TEXT_H
#define LIB_FLOW_DP_TEXT_H 1

#include "lib/flow/dp_actions.h"
#include "lib/flow/match.h"

// What is printed, and how.
struct dp_text {
    const struct flow_key *key;
    const struct flow_mask *mask;
    bool verbose; // wildcards too
    bool v6;      // rows that IPv4 and IPv6 share go by their IPv6 names
    dp_port_namer *port_name;
    void *aux;
    struct str *out;
    const uint8_t *opts; // Geneve options of a tunnel to set, in wire format
    size_t opts_len;
};

const char *dp_field_group(enum field_id, bool v6);  // NULL: none
const char *dp_field_member(enum field_id, bool v6); // "" when the group is the field
// Has the mask bits of the field?
bool dp_field_is_used(enum field_id, const struct flow_mask *);
// "value" or "value/mask".
void dp_field_format(enum field_id, const struct flow_key *, const struct flow_mask *,
                     struct str *);
// The reverse, of the first len characters. False: a syntax error.
bool dp_field_parse(enum field_id, const char *text, size_t len, struct flow_match *);

// "group(member=value,…)" with a comma behind; nothing when no member is used, unless `always` or
// verbose.
void dp_text_group(const struct dp_text *, const enum field_id *ids, size_t n, bool always);
// "tunnel(…)" and a comma, of an exact tunnel or of a mask's bits.
void dp_text_tunnel(const struct dp_text *, bool exact);
// The group that contains the row, all members in order: into ids, number of them.
#define DP_GROUP_MAX 16
size_t dp_text_group_of(enum field_id, enum field_id ids[DP_GROUP_MAX]);

// Reads one "group(…)" at *p and moves *p behind it. False: a syntax error, *p where it was.
struct dp_parser {
    struct flow_match *match;
    dp_port_finder *port_by_name;
    void *aux;
    unsigned depth;     // encap() levels
    struct str *geneve; // NULL, or where Geneve options go in wire format
    bool v6;            // out: the last group had IPv6 names
};
bool dp_parse_group(struct dp_parser *, const char **p);

// Scanner. Each reads at *p and moves it; false: something else stands there, *p unchanged.
bool dp_scan(const char **p, const char *literal);
bool dp_scan_uint(const char **p, uint64_t max, uint64_t *);
// Characters up to one of `stop` outside of nested brackets; *len may be 0.
const char *dp_scan_until(const char **p, const char *stop, size_t *len);
bool dp_scan_geneve(const char **p, struct str *wire); // "{class=…,…}{…}" into wire format
bool dp_scan_ct(const char **p, struct dp_act_ct *);   // behind "ct(", up to and with ")"

#endif
