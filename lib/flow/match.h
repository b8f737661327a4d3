// SPDX-License-Identifier: Apache-2.0
// A match: a key, the mask that says which of its bits matter, and the set of fields used. Key bits outside the mask are 0.
#ifndef LIB_FLOW_MATCH_H
#define LIB_FLOW_MATCH_H 1

#include "lib/flow/field.h"

struct flow_match {
    struct flow_key key;
    struct flow_mask mask;
    struct field_set used;
};

void match_init_any(struct flow_match *);
// From parts: zeroes key bits outside the mask and derives `used`.
void match_init(struct flow_match *, const struct flow_key *, const struct flow_mask *);
void match_set(struct flow_match *, const struct field_info *, const union field_value *value,
               const union field_value *mask); // mask NULL: exact
// The same for one of many fields: `used` is only right after match_update_used(), behind the last.
void match_put(struct flow_match *, const struct field_info *, const union field_value *value,
               const union field_value *mask);
void match_unset(struct flow_match *, const struct field_info *);
// Recomputes `used` after the mask was changed directly.
void match_update_used(struct flow_match *);
void match_normalize(struct flow_match *); // drops fields whose prerequisites aren't met, as OpenFlow 1.0 wants; but not ct_nw_*, ct_ipv6_*, nsh_* and Ethernet addresses
bool match_equals(const struct flow_match *, const struct flow_match *);
bool match_covers_key(const struct flow_match *, const struct flow_key *);
// a is at least as specific as b and agrees with it: OpenFlow's loose matching of flow-mods and statistics.
bool match_is_within(const struct flow_match *a, const struct flow_match *b);
bool match_overlaps(const struct flow_match *, const struct flow_match *);

// Text of ovs-ofctl(8), "priority=5,tcp,in_port=1,nw_src=10.0.0.0/8". Formats shorthands (ip, tcp6, arp …) and omits what they imply.
// priority < 0 or == 32768: not printed.
void match_format(const struct flow_match *, const struct field_port_names *, int priority, struct str *out);
// A key as "ofproto/trace" prints one: all that its kind of packet has, and what metadata isn't zero.
void match_format_key(const struct flow_key *, const struct field_port_names *, struct str *out);
// The mask of that: what a packet like this can be matched on.
void match_mask_of_key(const struct flow_key *, struct flow_mask *);
// Parses one "field=value" or shorthand into the match. NULL, or an error sentence to free. *known is false when `name` is
// neither. value NULL or "": as "0/0", which matches anything where the field can have a mask.
char *match_parse_field(struct flow_match *, const char *name, const char *value, const struct field_port_names *,
                        bool *known);
// Parses a whole comma- or space-separated list of fields (for explain, dump filters…).
char *match_parse(struct flow_match *, const char *text, const struct field_port_names *);
// The same for one packet: no masks, and what a field needs stands before it (ofproto/trace, netdev-dummy/receive). Without
// an in_port it is ANY (0xffffffff).
char *match_parse_key(struct flow_key *, const char *text, const struct field_port_names *);
// Is the field one that the match doesn't make sure to exist? (tcp_src without tcp)
bool match_lacks_prereqs(const struct flow_match *, const struct field_info *);
// A sentence (static) on unmet prerequisites or contradictory fields, or NULL.
const char *match_check(const struct flow_match *);

#endif
