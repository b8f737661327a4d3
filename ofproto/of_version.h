// SPDX-License-Identifier: Apache-2.0
// OpenFlow versions and the flow formats that can be negotiated with Nicira's extensions.
#ifndef OFPROTO_OF_VERSION_H
#define OFPROTO_OF_VERSION_H 1

#include <stdint.h>

enum of_version { OF_10 = 1, OF_11 = 2, OF_12 = 3, OF_13 = 4, OF_14 = 5, OF_15 = 6 };

#define OF_VERSION_BIT(v) (UINT32_C(1) << (v))
#define OF_VERSIONS_ALL                                                                            \
    (OF_VERSION_BIT(OF_10) | OF_VERSION_BIT(OF_11) | OF_VERSION_BIT(OF_12) |                       \
     OF_VERSION_BIT(OF_13) | OF_VERSION_BIT(OF_14) | OF_VERSION_BIT(OF_15))

const char *of_version_name(enum of_version); // "OpenFlow13"; NULL: unknown
// "OpenFlow13,OpenFlow14", "1.3", "all" → OF_VERSION_BIT()s. NULL, or an error sentence to free.
char *of_versions_parse(const char *text, uint32_t *versions);

// Protocols: a version together with how flow-mods say what they mean (ovs-ofctl(8),
// --flow-format). "+table_id" means that the high byte of the command carries the table
// (NXT_FLOW_MOD_TABLE_ID).
enum of_proto {
    OF_PROTO_10 = 1 << 0,
    OF_PROTO_10_TID = 1 << 1,
    OF_PROTO_NXM = 1 << 2,
    OF_PROTO_NXM_TID = 1 << 3,
    OF_PROTO_11 = 1 << 4,
    OF_PROTO_12 = 1 << 5,
    OF_PROTO_13 = 1 << 6,
    OF_PROTO_14 = 1 << 7,
    OF_PROTO_15 = 1 << 8
};

#define OF_PROTO_10_STD (OF_PROTO_10 | OF_PROTO_10_TID)
#define OF_PROTO_10_NXM (OF_PROTO_NXM | OF_PROTO_NXM_TID)
#define OF_PROTO_10_ANY (OF_PROTO_10_STD | OF_PROTO_10_NXM)
#define OF_PROTO_TID (OF_PROTO_10_TID | OF_PROTO_NXM_TID)
#define OF_PROTO_OXM (OF_PROTO_12 | OF_PROTO_13 | OF_PROTO_14 | OF_PROTO_15)
#define OF_PROTO_NXM_OXM (OF_PROTO_10_NXM | OF_PROTO_OXM)
#define OF_PROTO_ALL (OF_PROTO_10_ANY | OF_PROTO_11 | OF_PROTO_OXM)

enum of_version of_proto_version(enum of_proto);
uint32_t of_protos_of_versions(uint32_t versions);
uint32_t of_versions_of_protos(uint32_t protos);
const char *of_proto_name(enum of_proto); // "NXM+table_id"
char *of_protos_format(uint32_t protos);  // "OpenFlow10,NXM"; to free

#endif
