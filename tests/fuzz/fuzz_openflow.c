// SPDX-License-Identifier: Apache-2.0
// OpenFlow messages from a peer: decode, read all entries, write it again in its own version; what
// was written must be readable.
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ofproto/of_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_entries(struct of_msg *m)
{
    struct of_flow_stats fs = {.actions = OF_ACTIONS_INIT};
    struct of_table_stats ts;
    struct of_table_features tf;
    struct of_port_stats ps;
    struct of_port_desc pd;
    struct of_queue_stats qs;
    uint32_t port;
    int error;
    switch (m->type) {
    case OF_MSG_FLOW_STATS_REPLY:
        while (of_flow_stats_next(m, &fs, &error)) {
        }
        of_actions_free(&fs.actions);
        break;
    case OF_MSG_TABLE_STATS_REPLY:
        while (of_table_stats_next(m, &ts, &error)) {
        }
        break;
    case OF_MSG_TABLE_FEATURES_REQUEST:
    case OF_MSG_TABLE_FEATURES_REPLY:
        while (of_table_features_next(m, &tf, &error)) {
        }
        break;
    case OF_MSG_PORT_STATS_REPLY:
        while (of_port_stats_next(m, &ps, &port, &error)) {
        }
        break;
    case OF_MSG_FEATURES_REPLY:
    case OF_MSG_PORT_DESC_REPLY:
        while (of_port_desc_next(m, &pd, &error)) {
        }
        break;
    case OF_MSG_QUEUE_STATS_REPLY:
        while (of_queue_stats_next(m, &qs, &error)) {
        }
        break;
    default:
        break;
    }
}

static bool
has_entries(enum of_msg_type type)
{
    return type == OF_MSG_FLOW_STATS_REPLY || type == OF_MSG_TABLE_STATS_REPLY ||
           type == OF_MSG_PORT_STATS_REPLY || type == OF_MSG_PORT_DESC_REPLY ||
           type == OF_MSG_QUEUE_STATS_REPLY || type == OF_MSG_TABLE_FEATURES_REPLY ||
           type == OF_MSG_FEATURES_REPLY;
}

static void
write_again(struct of_msg *m, struct of_wire *wire)
{
    struct str out = STR_INIT;
    struct of_msg again;
    wire->version = m->version <= OF_15 ? m->version : OF_15;
    wire->packet_in = m->packet_in_format <= OF_PIN_FMT_NXT2 ? m->packet_in_format : OF_PIN_FMT_STD;
    if (!has_entries(m->type) && m->type != OF_MSG_ERROR && !of_msg_encode(m, wire, &out)) {
        if (of_msg_length(out.p, out.len) != out.len ||
            of_msg_decode(out.p, out.len, wire, &again)) {
            abort();
        }
        if (again.type != m->type) {
            abort();
        }
        of_msg_clear(&again);
    }
    str_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct of_msg m;
    struct of_wire wire = {.version = OF_10, .table_id = size & 1};
    size_t len = of_msg_length(data, size);
    if (len >= OF_HEADER_LEN && len <= size && !of_msg_decode(data, len, &wire, &m)) {
        write_again(&m, &wire);
        read_entries(&m);
        of_msg_clear(&m);
    }
    return 0;
}
