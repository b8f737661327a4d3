// SPDX-License-Identifier: Apache-2.0
// The words of commands about datapaths ("dpctl/*" of the switch, ovs-dpctl): flows, flow ids,
// counters and ports as text. Reference: ovs-dpctl(8).
#ifndef LIB_FLOW_DP_COMMAND_H
#define LIB_FLOW_DP_COMMAND_H 1

#include "lib/flow/dp_ops.h"

struct str;

// "packets:0, bytes:0, used:never".
void dp_flow_stats_format(const struct dp_flow_stats *, struct str *);

// "ufid:…", four words in host order, as a UUID.
void dp_flow_id_format(const struct flow_id *, struct str *);
// The same at the start of a text. False: something else stands there.
bool dp_flow_id_parse(const char *text, struct flow_id *, size_t *len);

// A whole flow without a line's end. The match and the actions must be there; the id,
// "offloaded:yes" and "dp:…" only with verbose.
struct dp_flow_style {
    bool verbose;
    bool placeless;       // without place, as dpif/dump-flows prints flows
    bool kernel;          // as the kernel gives matches: dp_match_format_kernel()
    dp_port_namer *namer; // NULL: numbers
    void *aux;
};
void dp_flow_format(const struct dp_flow_record *, const struct dp_flow_style *, struct str *);

// "[ufid:…,]FLOW". NULL, or an error ("syntax error at …") to free.
struct dp_flow_text {
    struct flow_match match; // recirc_id is 0 unless said: has_recirc_id
    struct flow_id id;
    bool has_id, has_recirc_id;
};
char *dp_flow_parse(const char *text, dp_port_finder *, void *aux, struct dp_flow_text *);

// One line of a file, "[add|modify|delete] FLOW [ACTIONS]", cut into pieces. flow: NULL: nothing
// stands there, "" when it is missing. `verb`: in: what a line without a word means.
struct dp_flow_line {
    enum dp_flow_verb verb;
    const char *flow, *actions;
};
void dp_flow_line_parse(char *line, struct dp_flow_line *);

// "NAME[,type=TYPE][,port_no=N][,dst_port=N]", cut into pieces. What isn't said is NULL or
// DP_PORT_NONE; so is a port_no that isn't a number: *bad_number. name NULL: empty.
void dp_port_spec_parse(char *text, struct dp_port_spec *, bool *bad_number);
// NULL, or why the port can't become what the spec asks for: datapaths have nothing about ports
// that could be changed. To free.
char *dp_port_spec_conflict(const struct dp_port_spec *, const struct dp_port_info *);

#endif
