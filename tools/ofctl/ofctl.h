// SPDX-License-Identifier: Apache-2.0
// ovs-ofctl: what its files share. Command functions (cmd_*) are in the table of main.c.
//
// Transaction ids are part of what ovs-ofctl prints, so they are counted as users know them: one
// for the hello of each connection, one for each message. Names of ports and tables are asked for
// on a connection of their own, and only when one is needed; the ids that asking takes are set
// aside where the question belongs.
#ifndef TOOLS_OFCTL_OFCTL_H
#define TOOLS_OFCTL_OFCTL_H 1

#include <stdio.h>

#include "lib/base/cmdline.h"
#include "ofproto/of_msg.h"

struct loop;

// --- Options. ---
struct sort_key {
    const struct field_info *field; // NULL: priority
    bool descending;
};

struct ofctl_options {
    uint32_t versions; // OF_VERSION_BIT()s
    uint32_t protos;   // OF_PROTO_*
    bool strict, readd, bundle, read_only, timestamps;
    bool accept_names, show_names, show_stats;
    int verbosity;
    int packet_in_format; // -1: the best that the switch has
    struct sort_key *sort;
    size_t n_sort;
    const char *unixctl_path;
};
extern struct ofctl_options opt;

// --- Connections (conn.c). ---
struct conn;

uint32_t ofctl_xid(void); // the next one
// Goes on counting at `next`; returns where it was: to use ids that were set aside.
uint32_t ofctl_xid_swap(uint32_t next);
struct loop *ofctl_loop(void);
// "br0", a socket's file, "tcp:…": connects and agrees on a version; ends the program when it
// can't.
struct conn *conn_open(const char *name);
struct conn *conn_open_suffix(const char *name, const char *suffix); // "mgmt", "snoop"
bool conn_try_open(const char *name, struct conn **); // false: no bridge or socket of that name
void conn_free(struct conn *);
const char *conn_name(const struct conn *);  // "unix:/run/…/br0.mgmt"
const char *conn_given(const struct conn *); // "br0"
struct of_wire *conn_wire(struct conn *);
enum of_version conn_version(const struct conn *);
void conn_set_blocked(struct conn *, bool blocked); // ofctl/block: no more input is taken

// Sends, waiting for room. Messages get the next transaction id; returned.
uint32_t conn_send(struct conn *, struct of_msg *);
void conn_send_bytes(struct conn *, const void *, size_t);
size_t conn_backlog(const struct conn *);
// Waits for a message; ends the program at the end of the connection. Valid until the next call.
// Echo requests are answered.
void conn_recv(struct conn *, const uint8_t **data, size_t *len);
// Without waiting. False: nothing there. *end: the connection is over (0: by the peer, -errno).
bool conn_poll(struct conn *, const uint8_t **data, size_t *len, int *end);
void conn_lost(const struct conn *, int error) FB_NORETURN;

// Sends the request and waits for its reply, or an error for it, which is decoded into *reply;
// false: an error.
bool conn_ask(struct conn *, struct of_msg *request, struct of_msg *reply);
bool conn_ask_plain(struct conn *, enum of_msg_type, struct of_msg *reply);
// The next part of a reply with more parts.
void conn_next_part(struct conn *, struct of_msg *reply);
// Sends and waits for a barrier; an error is printed and ends the program.
void conn_do(struct conn *, struct of_msg *);
// The same; returns the error, already decoded for printing, or false.
bool conn_do_or_error(struct conn *, struct of_msg *, struct of_msg *error);
// The reply that should hold flows is an error; holds one that cannot be read (enum of_error).
void conn_no_flows(struct of_msg *) FB_NORETURN;
void conn_bad_flows(int error) FB_NORETURN;
// Request → reply in parts, each printed as it comes.
void conn_print_reply(struct conn *, struct of_msg *request);
void conn_decode(struct conn *, const uint8_t *, size_t,
                 struct of_msg *); // ends the program when it can't

// Flow formats.
bool conn_try_proto(struct conn *, enum of_proto);
void conn_set_proto_for_mods(struct conn *, uint32_t usable);
void conn_set_proto_for_dump(struct conn *, uint32_t usable);
enum of_proto conn_proto(const struct conn *);

// --- Names (names.c). ---
struct names;
struct names *names_new(const char *conn_name);
void names_free(struct names *);
void names_reserve_ports(struct names *); // sets ids aside
void names_reserve_tables(struct names *);
const struct field_port_names *
names_ports(struct names *); // for parsing and formatting; NULL with --no-names
const struct of_table_names *names_tables(struct names *);
const struct field_port_names *names_ports_shown(struct names *); // NULL: show numbers
const struct of_table_names *names_tables_shown(struct names *);
// Description of a port by number or name; ends the program when there is none.
void ofctl_find_port(const char *switch_name, const char *port_name, struct of_port_desc *);
uint32_t ofctl_port_number(const char *switch_name,
                           const char *port_name); // a number needs no question

// --- Files and texts (flow_file.c). ---
// One line without its comment; false: end. *number counts lines.
bool ofctl_read_line(FILE *, struct str *line, int *number);
FILE *ofctl_open_file(const char *name, const char *verb); // "-": standard input

void ofctl_print(struct of_msg *, struct names *); // a message on standard output

// --- Commands. ---
void cmd_show(struct cmdline_ctx *);
void cmd_dump_desc(struct cmdline_ctx *);
void cmd_dump_tables(struct cmdline_ctx *);
void cmd_dump_table_features(struct cmdline_ctx *);
void cmd_dump_table_desc(struct cmdline_ctx *);
void cmd_dump_ports(struct cmdline_ctx *);
void cmd_dump_ports_desc(struct cmdline_ctx *);
void cmd_queue_stats(struct cmdline_ctx *);
void cmd_queue_get_config(struct cmdline_ctx *);
void cmd_mod_port(struct cmdline_ctx *);
void cmd_mod_table(struct cmdline_ctx *);
void cmd_get_frags(struct cmdline_ctx *);
void cmd_set_frags(struct cmdline_ctx *);
void cmd_dump_flows(struct cmdline_ctx *);
void cmd_dump_aggregate(struct cmdline_ctx *);
void cmd_add_flow(struct cmdline_ctx *);
void cmd_add_flows(struct cmdline_ctx *);
void cmd_mod_flows(struct cmdline_ctx *);
void cmd_del_flows(struct cmdline_ctx *);
void cmd_replace_flows(struct cmdline_ctx *);
void cmd_diff_flows(struct cmdline_ctx *);
void cmd_packet_out(struct cmdline_ctx *);
void cmd_monitor(struct cmdline_ctx *);
void cmd_snoop(struct cmdline_ctx *);
void cmd_probe(struct cmdline_ctx *);
void cmd_ping(struct cmdline_ctx *);
void cmd_benchmark(struct cmdline_ctx *);
void cmd_ofp_print(struct cmdline_ctx *);
void cmd_ofp_parse(struct cmdline_ctx *);
void cmd_parse_flow(struct cmdline_ctx *);
void cmd_parse_flows(struct cmdline_ctx *);
void cmd_print_error(struct cmdline_ctx *);

// Packet-out text of ovs-ofctl(8); NULL or an error to free. The actions and *packet are to be
// freed.
char *ofctl_packet_out_parse(const char *text, const struct field_port_names *,
                             struct of_msg_packet_out *, uint8_t **packet);

#endif
