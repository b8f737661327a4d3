// SPDX-License-Identifier: Apache-2.0
// OpenFlow messages as typed C: decode bytes of any version into struct of_msg, encode it into the
// bytes of a version. Replies that hold many entries (statistics, port descriptions) are read one
// entry at a time from the message's bytes and written by struct of_mp, which splits them into
// parts of at most 64 kB; so neither side ever holds a whole table of flows.
//
// All multi-byte members are in host order unless they are be16_t … be64_t. Ports are 32-bit
// OpenFlow 1.1+ numbers.
//
// Source: OpenFlow 1.0 to 1.5 specifications; Nicira's extensions as the stock switch speaks them.
#ifndef OFPROTO_OF_MSG_H
#define OFPROTO_OF_MSG_H 1

#include "lib/base/str.h"
#include "ofproto/of_error.h"
#include "ofproto/of_types.h"

#define OF_HEADER_LEN 8
#define OF_MAX_LEN 65535

enum of_msg_type {
    OF_MSG_NONE,
    // Symmetric.
    OF_MSG_HELLO,        // hello
    OF_MSG_ERROR,        // error
    OF_MSG_ECHO_REQUEST, // data
    OF_MSG_ECHO_REPLY,   // data
    // Configuration.
    OF_MSG_FEATURES_REQUEST,
    OF_MSG_FEATURES_REPLY, // features
    OF_MSG_GET_CONFIG_REQUEST,
    OF_MSG_GET_CONFIG_REPLY, // config
    OF_MSG_SET_CONFIG,       // config
    OF_MSG_BARRIER_REQUEST,
    OF_MSG_BARRIER_REPLY,
    // Asynchronous.
    OF_MSG_PACKET_IN,    // packet_in
    OF_MSG_FLOW_REMOVED, // flow_removed
    OF_MSG_PORT_STATUS,  // port_status
    OF_MSG_ROLE_STATUS,  // role_status
    // Commands.
    OF_MSG_PACKET_OUT,   // packet_out
    OF_MSG_FLOW_MOD,     // flow_mod
    OF_MSG_PORT_MOD,     // port_mod
    OF_MSG_TABLE_MOD,    // table_mod
    OF_MSG_GROUP_MOD,    // raw bytes only, until groups come
    OF_MSG_METER_MOD,    // raw bytes only
    OF_MSG_ROLE_REQUEST, // role
    OF_MSG_ROLE_REPLY,   // role
    OF_MSG_GET_ASYNC_REQUEST,
    OF_MSG_GET_ASYNC_REPLY,          // async
    OF_MSG_SET_ASYNC,                // async
    OF_MSG_BUNDLE_CONTROL,           // raw bytes only, until bundles come
    OF_MSG_BUNDLE_ADD,               // raw bytes only
    OF_MSG_QUEUE_GET_CONFIG_REQUEST, // queue_config: OpenFlow 1.0 to 1.3; a multipart request later
    OF_MSG_QUEUE_GET_CONFIG_REPLY,   // raw
    // Nicira.
    OF_MSG_SET_FLOW_FORMAT,      // value: 0 OpenFlow 1.0, 2 NXM
    OF_MSG_FLOW_MOD_TABLE_ID,    // value: 0, 1
    OF_MSG_SET_PACKET_IN_FORMAT, // value: enum of_packet_in_format
    OF_MSG_SET_CONTROLLER_ID,    // value
    OF_MSG_FLOW_AGE,             // nothing happens
    OF_MSG_RESUME,               // packet_in (continuations)
    // Statistics.
    OF_MSG_DESC_REQUEST,
    OF_MSG_DESC_REPLY,         // desc
    OF_MSG_FLOW_STATS_REQUEST, // flow_request
    OF_MSG_FLOW_STATS_REPLY,   // of_flow_stats_next()
    OF_MSG_AGGREGATE_REQUEST,  // flow_request
    OF_MSG_AGGREGATE_REPLY,    // aggregate
    OF_MSG_TABLE_STATS_REQUEST,
    OF_MSG_TABLE_STATS_REPLY,      // of_table_stats_next()
    OF_MSG_TABLE_FEATURES_REQUEST, // of_table_features_next(); no entries: a question
    OF_MSG_TABLE_FEATURES_REPLY,   // of_table_features_next()
    OF_MSG_TABLE_DESC_REQUEST,
    OF_MSG_TABLE_DESC_REPLY,    // raw
    OF_MSG_PORT_STATS_REQUEST,  // port_no (OF_PORT_ANY: all)
    OF_MSG_PORT_STATS_REPLY,    // of_port_stats_next()
    OF_MSG_PORT_DESC_REQUEST,   // port_no (OF_PORT_ANY: all)
    OF_MSG_PORT_DESC_REPLY,     // of_port_desc_next()
    OF_MSG_QUEUE_STATS_REQUEST, // queue_request
    OF_MSG_QUEUE_STATS_REPLY,   // of_queue_stats_next()
    OF_MSG_QUEUE_DESC_REQUEST,  // queue_request
    OF_MSG_QUEUE_DESC_REPLY,    // raw
    OF_MSG_GROUP_STATS_REQUEST, // port_no: the group (raw replies)
    OF_MSG_GROUP_STATS_REPLY,
    OF_MSG_GROUP_DESC_REQUEST,
    OF_MSG_GROUP_DESC_REPLY,
    OF_MSG_GROUP_FEATURES_REQUEST,
    OF_MSG_GROUP_FEATURES_REPLY,
    OF_MSG_METER_STATS_REQUEST,
    OF_MSG_METER_STATS_REPLY,
    OF_MSG_METER_CONFIG_REQUEST,
    OF_MSG_METER_CONFIG_REPLY,
    OF_MSG_METER_FEATURES_REQUEST,
    OF_MSG_METER_FEATURES_REPLY,
    OF_MSG_FLOW_MONITOR_REQUEST, // raw
    OF_MSG_FLOW_MONITOR_REPLY,   // raw
    OF_MSG_COUNT
};

// How packet-ins are sent (NXT_SET_PACKET_IN_FORMAT; OF_PIN_STD for OpenFlow 1.1+ connections
// unless asked otherwise).
enum of_packet_in_format { OF_PIN_FMT_STD, OF_PIN_FMT_NXT, OF_PIN_FMT_NXT2 };

// What the codec has to know of a connection beyond a message's own version.
struct of_wire {
    enum of_version version; // encode: of new messages
    bool nxm;                // OpenFlow 1.0: flow-mods, flow statistics in NXM form
    bool table_id;           // OpenFlow 1.0: NXT_FLOW_MOD_TABLE_ID is on (both directions)
    enum of_packet_in_format packet_in;
};

struct of_hello {
    uint32_t versions; // OF_VERSION_BIT()s offered; decode: at least all up to the header's version
                       // when no bitmap came
};

struct of_error_msg {
    int error;           // enum of_error; 0: unknown, see type and code
    uint16_t type, code; // as on the wire; encode: derived from `error`
    uint32_t vendor;     // decode: of experimenter errors
    const void *data;    // of the failed message; for OF_ERR_HELLO_*: a text
    size_t len;
};

struct of_data {
    const void *data;
    size_t len;
};

// Capabilities: bits of OpenFlow 1.1+ features; ARP_MATCH_IP also exists in 1.0.
enum of_capability {
    OF_CAP_FLOW_STATS = 1,
    OF_CAP_TABLE_STATS = 2,
    OF_CAP_PORT_STATS = 4,
    OF_CAP_GROUP_STATS = 8,
    OF_CAP_STP = 16, // OpenFlow 1.0 only, bit 3 on its wire
    OF_CAP_IP_REASM = 32,
    OF_CAP_QUEUE_STATS = 64,
    OF_CAP_ARP_MATCH_IP = 128, // OpenFlow 1.0 and 1.1
    OF_CAP_PORT_BLOCKED = 256,
    OF_CAP_BUNDLES = 512, // OpenFlow 1.4+
    OF_CAP_FLOW_MONITORING = 1024
};

struct of_features { // ports (OpenFlow 1.0 to 1.2) follow: of_port_desc_next(), of_mp_port_desc()
    uint64_t datapath_id;
    uint32_t n_buffers;
    uint8_t n_tables;
    uint8_t auxiliary_id;
    uint32_t capabilities; // enum of_capability
    uint32_t actions;      // OpenFlow 1.0 bitmap of action types
};

struct of_config {
    uint16_t
        flags; // 0 normal, 1 drop, 2 reassemble fragments, 3 nx-match; 4 invalid TTL to controller
    uint16_t miss_send_len;
};
#define OF_CONFIG_INVALID_TTL 4

struct of_msg_packet_in {
    const void *data; // frame, possibly cut
    size_t len;
    size_t total_len;
    uint32_t buffer_id; // OF_BUFFER_NONE
    enum of_packet_in_reason reason;
    uint8_t table; // OF_TABLE_ALL: unknown (OpenFlow 1.0)
    bool has_cookie;
    be64_t cookie;
    struct flow_match metadata; // in_port and other pipeline fields
    const void *userdata;
    size_t userdata_len;
    bool has_userdata;
};

struct of_flow_removed {
    struct flow_match match;
    uint16_t priority;
    uint8_t table; // OF_TABLE_ALL: unknown
    be64_t cookie;
    enum of_removed_reason reason;
    uint32_t duration_s, duration_ns;
    uint16_t idle_timeout, hard_timeout;
    uint64_t packets, bytes;
};

enum of_port_reason { OF_PORT_ADDED, OF_PORT_DELETED, OF_PORT_MODIFIED };

struct of_port_status {
    enum of_port_reason reason;
    struct of_port_desc desc;
};

enum of_role {
    OF_ROLE_NOCHANGE,
    OF_ROLE_EQUAL,
    OF_ROLE_MASTER,
    OF_ROLE_SLAVE
}; // equal: Nicira's "other"

struct of_role_msg { // request, reply, status
    enum of_role role;
    bool has_generation_id;
    uint64_t generation_id;
    uint8_t reason; // status: 0 master request, 1 config, 2 experimenter
};

struct of_msg_packet_out {
    const void *data;
    size_t len;
    uint32_t buffer_id;
    struct flow_match metadata; // in_port, and others in OpenFlow 1.5
    struct of_actions actions;
};

struct of_port_mod {
    uint32_t port;
    struct mac hw_addr;
    uint32_t config, mask; // enum of_port_config
    uint32_t advertise;    // OpenFlow 1.1 feature bits, 0: as they are
};

struct of_table_mod {
    uint8_t table;
    uint32_t config; // bits 0-1: OpenFlow 1.1/1.2 miss handling; 4 eviction, 8 vacancy
#define OF_TABLE_CONFIG_EVICTION 4
};

enum of_async_kind {
    OF_ASYNC_PACKET_IN,
    OF_ASYNC_PORT_STATUS,
    OF_ASYNC_FLOW_REMOVED,
    OF_ASYNC_ROLE_STATUS,
    OF_ASYNC_TABLE_STATUS,
    OF_ASYNC_REQUESTFORWARD,
    OF_N_ASYNC
};

struct of_async {                // reason bits
    uint32_t master[OF_N_ASYNC]; // master or equal
    uint32_t slave[OF_N_ASYNC];
    uint32_t has_master,
        has_slave; // bit per kind: said by this message (OpenFlow 1.4 carries some only)
};

struct of_desc {
    char mfr[256], hw[256], sw[256], serial[32], dp[256];
};

struct of_flow_request { // flow and aggregate statistics
    struct flow_match match;
    uint8_t table; // OF_TABLE_ALL: all
    uint32_t out_port, out_group;
    be64_t cookie, cookie_mask;
};

struct of_flow_stats {
    struct flow_match match;
    uint16_t priority;
    uint8_t table;
    uint8_t flags; // enum of_flow_flags (OpenFlow 1.3+)
    be64_t cookie;
    uint64_t packets, bytes; // UINT64_MAX: unknown
    uint32_t duration_s, duration_ns;
    uint16_t idle_timeout, hard_timeout, importance;
    int32_t idle_age, hard_age; // s; -1: unknown (Nicira's OpenFlow 1.0 form has them)
    struct of_actions actions;
};

struct of_aggregate {
    uint64_t packets, bytes; // UINT64_MAX: unknown
    uint32_t flows;
};

struct of_table_stats {
    uint8_t table;
    char name[32];
    uint32_t max_entries;
    uint32_t active;
    uint64_t lookups, matched;
    uint32_t wildcards; // OpenFlow 1.0
};

struct of_table_features {
    uint8_t table;
    char name[32];
    uint64_t metadata_match, metadata_write;
    uint32_t max_entries;
    uint32_t config, capabilities;
    const uint8_t *properties; // raw, as of the message's version
    size_t properties_len;
};

struct of_queue_request {
    uint32_t port;  // OF_PORT_ANY: all
    uint32_t queue; // UINT32_MAX: all
};

struct of_queue_stats {
    uint32_t port, queue;
    uint64_t tx_bytes, tx_packets, tx_errors; // UINT64_MAX: unknown
    uint32_t duration_s, duration_ns;         // UINT32_MAX: unknown
};

struct of_msg {
    enum of_msg_type type;
    enum of_version version;
    uint32_t xid;
    bool more; // decode: a part of a multipart message that isn't the last
    // decode: the whole message, borrowed; unread entries, body of "raw" messages.
    const uint8_t *bytes;
    size_t len;
    const uint8_t *body;
    size_t body_len;
    bool nxm; // decode: came in Nicira's form; encode: goes out in it, where there is one
    enum of_packet_in_format packet_in_format; // decode: of a packet-in
    union {
        struct of_hello hello;
        struct of_error_msg error;
        struct of_data data;
        struct of_features features;
        struct of_config config;
        struct of_msg_packet_in packet_in;
        struct of_flow_removed flow_removed;
        struct of_port_status port_status;
        struct of_role_msg role;
        struct of_msg_packet_out packet_out;
        struct of_flow_mod flow_mod;
        struct of_port_mod port_mod;
        struct of_table_mod table_mod;
        struct of_async async;
        struct of_desc desc;
        struct of_flow_request flow_request;
        struct of_aggregate aggregate;
        struct of_queue_request queue_request;
        uint32_t port_no;
        uint32_t value;
    } u;
};

// "OFPT_FLOW_MOD", "OFPST_FLOW reply" …: in the standard's form if there is one.
const char *of_msg_type_name(enum of_msg_type);
const char *of_msg_name(const struct of_msg *); // with the form in view: "NXT_FLOW_MOD"
// Name with version and xid, as the first words of ovs-ofctl's output: "OFPT_HELLO (OF1.3)
// (xid=0x1):".
void of_msg_format_header(const struct of_msg *, struct str *out);

// Length of the message at `data` (`len` bytes so far), 0 when even the header is incomplete; <
// OF_HEADER_LEN: malformed.
size_t of_msg_length(const void *data, size_t len);
// One whole message. 0, or enum of_error to be answered with of_msg_encode_error(). *wire may be
// NULL. On 0 the message borrows `data`; end with of_msg_clear().
int of_msg_decode(const void *data, size_t len, const struct of_wire *, struct of_msg *);
void of_msg_clear(struct of_msg *);

// Appends the message in the form that `wire` says. 0, or -EPROTO: this version has no such message
// (nothing was appended). For replies with entries: of_mp.
int of_msg_encode(const struct of_msg *, const struct of_wire *, struct str *out);
// OFPT_ERROR about the message at `bad` (its xid; the first 64 bytes at least).
void of_msg_encode_error(int error, enum of_version, const void *bad, size_t len, struct str *out);
// Messages without a body: requests, barrier …
int of_msg_encode_plain(enum of_msg_type, enum of_version, uint32_t xid, struct str *out);

// --- Entries of a decoded message, one call an entry. False: no more, or (with *error = enum
// of_error) a malformed one. ---
bool of_flow_stats_next(struct of_msg *, struct of_flow_stats *,
                        int *error); // actions: initialised by the caller once, reused
bool of_table_stats_next(struct of_msg *, struct of_table_stats *, int *error);
bool of_table_features_next(struct of_msg *, struct of_table_features *, int *error);
bool of_port_stats_next(struct of_msg *, struct of_port_stats *, uint32_t *port, int *error);
bool of_port_desc_next(struct of_msg *, struct of_port_desc *, int *error);
bool of_queue_stats_next(struct of_msg *, struct of_queue_stats *, int *error);

// --- Writing replies with entries. ---
struct of_mp {
    struct str out; // whole messages up to `start`: the owner may send and drop them (of_mp_take())
                    // at any time
    size_t start;   // of the part being filled
    size_t taken;   // bytes that were given away and go with the next call
    enum of_msg_type type;
    struct of_wire wire;
    uint32_t xid;
};

// A reply (OF_MSG_*_REPLY) to the request with this xid.
void of_mp_begin(struct of_mp *, enum of_msg_type reply, const struct of_wire *, uint32_t xid);
// OF_MSG_FEATURES_REPLY: then of_mp_port_desc() for OpenFlow 1.0 to 1.2 (ignored in later ones).
void of_mp_begin_features(struct of_mp *, const struct of_features *, const struct of_wire *,
                          uint32_t xid);
void of_mp_flow_stats(struct of_mp *, const struct of_flow_stats *);
void of_mp_table_stats(struct of_mp *, const struct of_table_stats *);
void of_mp_table_features(struct of_mp *, const struct of_table_features *);
void of_mp_port_stats(struct of_mp *, uint32_t port, const struct of_port_stats *);
void of_mp_port_desc(struct of_mp *, const struct of_port_desc *);
void of_mp_queue_stats(struct of_mp *, const struct of_queue_stats *);
// Bytes of finished parts so far, which leave the writer: valid until the next call.
size_t of_mp_take(struct of_mp *, const uint8_t **data);
// Closes the last part; appends everything left to `out` and frees the writer.
void of_mp_end(struct of_mp *, struct str *out);

// --- Text. ---
struct of_table_names {
    const char *(*name)(uint8_t table, void *aux); // NULL: no name
    bool (*table)(const char *name, uint8_t *table, void *aux);
    void *aux;
};

struct of_print {
    const struct field_port_names *ports; // NULL: numbers
    const struct of_table_names *tables;  // NULL: numbers
    bool stats;                           // flows with counters, durations …
    int verbosity;                        // as many -m as given
};
// The message as ovs-ofctl prints it (ofp-print, monitor, snoop, dumps), ending in a line feed.
void of_msg_format(struct of_msg *, const struct of_print *, struct str *out);
// The same of bytes that need not be a whole or well-formed message. *wire may be NULL.
void of_msg_format_bytes(const void *, size_t len, const struct of_wire *, const struct of_print *,
                         struct str *out);
void of_flow_stats_format(const struct of_flow_stats *, const struct of_print *, struct str *out);
void of_flow_mod_format(const struct of_flow_mod *, const struct of_print *, struct str *out);
void of_port_desc_format(const struct of_port_desc *, const struct of_print *, struct str *out);

// Names of tables that the parsers below accept, for this thread; NULL (the start): numbers only.
// Returns the one before.
const struct of_table_names *of_text_tables_use(const struct of_table_names *);

// Flow text of ovs-ofctl(8): "priority=1,in_port=2,actions=drop". command < 0: begins the text
// ("add …", bundles' files); without it, add. `usable` loses protocols that cannot say it. NULL, or
// an error sentence to free; the flow-mod is to be freed (of_flow_mod_free) either way.
char *of_flow_mod_parse(const char *text, int command, const struct field_port_names *,
                        struct of_flow_mod *, uint32_t *usable);
char *of_flow_request_parse(const char *text, const struct field_port_names *,
                            struct of_flow_request *, uint32_t *usable);
// Protocols (OF_PROTO_*) that can carry the match.
uint32_t of_match_usable(const struct flow_match *);
void of_flow_mod_free(struct of_flow_mod *);

#endif
