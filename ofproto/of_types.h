// SPDX-License-Identifier: Apache-2.0
// Things of OpenFlow that both the messages (of_msg.h) and the switch (of_bridge.h) speak of: flow-mods, ports, reasons.
#ifndef OFPROTO_OF_TYPES_H
#define OFPROTO_OF_TYPES_H 1

#include "lib/flow/match.h"
#include "ofproto/of_act.h"

#define OF_N_TABLES 255
#define OF_TABLE_OWN 254 // the switch's own: see of_own_rule
#define OF_TABLE_ALL 0xff
#define OF_DEFAULT_PRIORITY 32768

// Flow-mod flags, kept with the rule.
enum of_flow_flags {
    OF_FLOW_SEND_REM = 1,
    OF_FLOW_CHECK_OVERLAP = 2,
    OF_FLOW_RESET_COUNTS = 4,
    OF_FLOW_NO_PKT_COUNTS = 8,
    OF_FLOW_NO_BYT_COUNTS = 16,
    OF_FLOW_HIDDEN = 32 // internal: in-band, fail-open
};

enum of_removed_reason { OF_REMOVED_IDLE, OF_REMOVED_HARD, OF_REMOVED_DELETE, OF_REMOVED_GROUP, OF_REMOVED_METER, OF_REMOVED_EVICTION };

enum of_port_config { OF_PORT_CFG_DOWN = 1, OF_PORT_CFG_NO_STP = 2, OF_PORT_CFG_NO_RECV = 4, OF_PORT_CFG_NO_RECV_STP = 8,
                      OF_PORT_CFG_NO_FLOOD = 16, OF_PORT_CFG_NO_FWD = 32, OF_PORT_CFG_NO_PACKET_IN = 64 };
enum of_port_state { OF_PORT_ST_LINK_DOWN = 1, OF_PORT_ST_BLOCKED = 2, OF_PORT_ST_LIVE = 4 };

struct of_port_desc {
    uint32_t port; // OpenFlow number
    struct mac hw_addr;
    char name[16];
    uint32_t config, state;
    uint32_t curr, advertised, supported, peer; // OpenFlow 1.1 feature bits
    uint32_t curr_speed, max_speed;             // kb/s
};

struct of_port_stats { // UINT64_MAX: unknown
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors, rx_frame_err, rx_over_err, rx_crc_err,
        collisions;
    int64_t created; // ms on clock_now()'s scale
    uint32_t duration_s, duration_ns; // on the wire; UINT32_MAX: unknown
};

enum of_packet_in_reason { OF_PIN_NO_MATCH, OF_PIN_ACTION, OF_PIN_INVALID_TTL, OF_PIN_ACTION_SET, OF_PIN_GROUP, OF_PIN_PACKET_OUT,
                            // In actions only: a table-miss rule said so, or no rule took the packet.
                            OF_PIN_EXPLICIT_MISS, OF_PIN_IMPLICIT_MISS };

#define OF_BUFFER_NONE UINT32_C(0xffffffff)
#define OF_GROUP_ANY UINT32_C(0xffffffff)

enum of_flow_command { OF_FLOW_ADD, OF_FLOW_MODIFY, OF_FLOW_MODIFY_STRICT, OF_FLOW_DELETE, OF_FLOW_DELETE_STRICT };

struct of_flow_mod {
    enum of_flow_command command;
    struct flow_match match;
    uint16_t priority;
    uint8_t table; // OF_TABLE_ALL: all (delete), 0 for add
    be64_t cookie, cookie_mask; // the mask restricts modify and delete
    be64_t new_cookie;
    bool modify_cookie;
    uint16_t idle_timeout, hard_timeout, importance;
    uint32_t out_port, out_group; // OF_PORT_ANY: any
    uint32_t buffer_id;
    uint8_t flags; // enum of_flow_flags
    struct of_actions actions;
};

#endif
