// SPDX-License-Identifier: Apache-2.0
// What the files of the message codec share. A message in one of its wire forms is a row of
// of_msgs.def; each row names a function that reads its body and one that writes it.
//
//   of_msg.c             rows, headers, finding a row, errors
//   of_msg_switch.c      hello, error, features, configuration, roles, asynchronous configuration,
//   description of_msg_flow.c        flow-mod, flow-removed, flow and aggregate requests
//   of_msg_flow_stats.c  entries of flow statistics
//   of_msg_port.c        ports: description, status, modification, statistics; queues
//   of_msg_pin.c         packet-in, packet-out
//   of_msg_table.c       tables: modification, statistics, features
//   of_mp.c              replies in parts
#ifndef OFPROTO_OF_MSG_PRIVATE_H
#define OFPROTO_OF_MSG_PRIVATE_H 1

#include "ofproto/of_match_wire.h"
#include "ofproto/of_msg.h"
#include "ofproto/of_wire.h"

enum of_msg_kind {
    OF_KIND_OFPT, // a type of its own
    OF_KIND_NXT,  // Nicira's experimenter messages
    OF_KIND_ONFT, // the ONF's
    OF_KIND_STAT_REQUEST,
    OF_KIND_STAT_REPLY,
    OF_KIND_NXST_REQUEST, // Nicira's experimenter statistics
    OF_KIND_NXST_REPLY,
    OF_N_KINDS
};

// Which of a message's forms; of packet-ins there are three.
enum of_msg_form { OF_FORM_STD, OF_FORM_NX, OF_FORM_NX2 };

// Reads the body at `r`, as long as the row demands at least. What it leaves is m->body. 0 or enum
// of_error.
typedef int of_msg_decoder(struct of_reader *r, const struct of_wire *, struct of_msg *m);
// Appends the body. 0, or -EPROTO: cannot be said in this form.
typedef int of_msg_encoder(const struct of_msg *m, const struct of_wire *, struct str *out);

struct of_msg_row {
    enum of_msg_type type;
    const char *name;    // as ovs-ofctl prints it
    uint8_t first, last; // enum of_version
    enum of_msg_kind kind;
    uint16_t number;
    enum of_msg_form form;
    uint16_t len;  // of the body, at least
    uint16_t unit; // beyond `len`, multiples of this; 0: nothing
    of_msg_decoder *decode;
    of_msg_encoder *encode;
};

// The row by which a message of this type and form goes out; NULL: this version has none.
const struct of_msg_row *of_msg_row(enum of_msg_type, enum of_version, enum of_msg_form);
// Header of a message or of a part of one, its length still 0. Returns where it starts.
size_t of_msg_begin(const struct of_msg_row *, enum of_version, uint32_t xid, struct str *out);
void of_msg_end(struct str *out, size_t start, bool more);

// --- Functions of rows. ---

#define OF_MSG_CODEC(NAME)                                                                         \
    int of_msg_get_##NAME(struct of_reader *, const struct of_wire *, struct of_msg *);            \
    int of_msg_put_##NAME(const struct of_msg *, const struct of_wire *, struct str *out);
OF_MSG_CODEC(none)
OF_MSG_CODEC(raw)
OF_MSG_CODEC(hello)
OF_MSG_CODEC(error)
OF_MSG_CODEC(data)
OF_MSG_CODEC(features)
OF_MSG_CODEC(config)
OF_MSG_CODEC(role)
OF_MSG_CODEC(nx_role)
OF_MSG_CODEC(role_status)
OF_MSG_CODEC(async)
OF_MSG_CODEC(async_props)
OF_MSG_CODEC(value32)
OF_MSG_CODEC(value8)
OF_MSG_CODEC(value16)
OF_MSG_CODEC(desc)
OF_MSG_CODEC(flow_mod10)
OF_MSG_CODEC(flow_mod11)
OF_MSG_CODEC(nx_flow_mod)
OF_MSG_CODEC(flow_removed10)
OF_MSG_CODEC(flow_removed11)
OF_MSG_CODEC(flow_removed15)
OF_MSG_CODEC(nx_flow_removed)
OF_MSG_CODEC(flow_request10)
OF_MSG_CODEC(flow_request11)
OF_MSG_CODEC(nx_flow_request)
OF_MSG_CODEC(aggregate)
OF_MSG_CODEC(aggregate15)
OF_MSG_CODEC(packet_in10)
OF_MSG_CODEC(packet_in11)
OF_MSG_CODEC(packet_in12)
OF_MSG_CODEC(nx_packet_in)
OF_MSG_CODEC(nx_packet_in2)
OF_MSG_CODEC(packet_out10)
OF_MSG_CODEC(packet_out11)
OF_MSG_CODEC(packet_out15)
OF_MSG_CODEC(port_status)
OF_MSG_CODEC(port_mod)
OF_MSG_CODEC(port_no10)
OF_MSG_CODEC(port_no11)
OF_MSG_CODEC(u32_pad4)
OF_MSG_CODEC(queue10)
OF_MSG_CODEC(queue11)
OF_MSG_CODEC(queue_config10)
OF_MSG_CODEC(queue_config11)
OF_MSG_CODEC(table_mod)
#undef OF_MSG_CODEC

// --- Shared parts. ---

// A list of NXMs of `len` bytes and its padding to 8. 0 or enum of_error; *cookie (may be NULL):
// see of_match_wire.h.
int of_nxm_get(struct of_reader *, size_t len, struct flow_match *, struct of_cookie *);
// Appends one with its padding, and writes its length at `len_at`.
void of_nxm_put(const struct flow_match *, const struct of_cookie *, size_t len_at,
                struct str *out);

// OpenFlow 1.5 statistics (OXS). Missing ones stay as they are.
struct of_oxs {
    uint64_t packets, bytes;
    uint32_t flows;
    uint32_t duration_s, duration_ns;
    uint32_t idle_s; // since it was used
    bool has_idle;
};
int of_oxs_get(struct of_reader *, struct of_oxs *);
// `flows` only when it is an aggregate, durations when it is not.
void of_oxs_put(const struct of_oxs *, bool aggregate, struct str *out);

// A property of OpenFlow 1.4 and later: reads one, padding included. 0 or OF_ERROR_BPC_BAD_LEN.
struct of_prop {
    uint16_t type;
    struct of_reader body;
};
int of_prop_get(struct of_reader *, struct of_prop *);
// Writes a header; of_prop_end() sets the length and pads to 8.
size_t of_prop_begin(struct str *out, uint16_t type);
void of_prop_end(struct str *out, size_t start);

uint8_t of_flags_from_wire(uint16_t wire, enum of_version, bool *unknown);
uint16_t of_flags_to_wire(uint8_t flags, enum of_version);
// Entries, as the writer of replies appends them.
void of_flow_stats_put(const struct of_flow_stats *, const struct of_wire *, struct str *out);
void of_table_stats_put(const struct of_table_stats *, enum of_version, struct str *out);
void of_table_features_put(const struct of_table_features *, enum of_version, struct str *out);
void of_port_stats_put(const struct of_port_stats *, uint32_t port, enum of_version,
                       struct str *out);
void of_queue_stats_put(const struct of_queue_stats *, enum of_version, struct str *out);
// One port description. 0 or enum of_error.
int of_port_desc_get(struct of_reader *, enum of_version, struct of_port_desc *);
void of_port_desc_put(const struct of_port_desc *, enum of_version, struct str *out);

#endif
