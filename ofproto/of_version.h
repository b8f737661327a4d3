// SPDX-License-Identifier: Apache-2.0
// OpenFlow versions and the flow formats that can be negotiated with Nicira's extensions.
#ifndef OFPROTO_OF_VERSION_H
#define OFPROTO_OF_VERSION_H 1

enum of_version { OF_10 = 1, OF_11 = 2, OF_12 = 3, OF_13 = 4, OF_14 = 5, OF_15 = 6 };

#define OF_VERSION_BIT(v) (UINT32_C(1) << (v))
#define OF_VERSIONS_ALL                                                                                                \
    (OF_VERSION_BIT(OF_10) | OF_VERSION_BIT(OF_11) | OF_VERSION_BIT(OF_12) | OF_VERSION_BIT(OF_13) |                   \
     OF_VERSION_BIT(OF_14) | OF_VERSION_BIT(OF_15))

#endif
