// SPDX-License-Identifier: Apache-2.0
// Protocol headers as they lie in packets: packed, members big-endian. Numbers come from the IANA registries.
//
// References: IEEE 802.3/802.1Q/802.2, RFC 826 (ARP), 791 (IPv4), 8200 (IPv6), 9293 (TCP), 768 (UDP), 9260 (SCTP), 792 (ICMP), 4443
// (ICMPv6), 4861 (ND), 2236 (IGMP), 3032 (MPLS), 8300 (NSH).
#ifndef LIB_NET_PACKET_HEADERS_H
#define LIB_NET_PACKET_HEADERS_H 1

#include "lib/base/util.h"

#define HDR_PACKED __attribute__((packed))

enum {
    ETH_TYPE_MIN = 0x0600, // below: an 802.3 length
    ETH_TYPE_NONE = 0x05ff, // stands for 802.2 without an Ethernet type
    ETH_TYPE_IP = 0x0800,
    ETH_TYPE_ARP = 0x0806,
    ETH_TYPE_TEB = 0x6558,
    ETH_TYPE_RARP = 0x8035,
    ETH_TYPE_VLAN = 0x8100,
    ETH_TYPE_IPV6 = 0x86dd,
    ETH_TYPE_LACP = 0x8809,
    ETH_TYPE_MPLS = 0x8847,
    ETH_TYPE_MPLS_MCAST = 0x8848,
    ETH_TYPE_VLAN_SERVICE = 0x88a8,
    ETH_TYPE_LLDP = 0x88cc,
    ETH_TYPE_CFM = 0x8902,
    ETH_TYPE_NSH = 0x894f,
};

enum {
    IP_PROTO_HOPOPTS = 0,
    IP_PROTO_ICMP = 1,
    IP_PROTO_IGMP = 2,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_IPV6 = 41,
    IP_PROTO_ROUTING = 43,
    IP_PROTO_FRAGMENT = 44,
    IP_PROTO_ESP = 50,
    IP_PROTO_AH = 51,
    IP_PROTO_ICMPV6 = 58,
    IP_PROTO_NONE = 59,
    IP_PROTO_DSTOPTS = 60,
    IP_PROTO_SCTP = 132,
    IP_PROTO_MOBILITY = 135,
    IP_PROTO_HIP = 139,
    IP_PROTO_SHIM6 = 140,
};

#define IP_DF 0x4000
#define IP_MF 0x2000
#define IP_OFFSET_MASK 0x1fff

#define MPLS_BOS 0x100

#define ICMPV6_NS 135
#define ICMPV6_NA 136
#define ND_OPT_SLL 1
#define ND_OPT_TLL 2

struct hdr_eth {
    struct mac dst;
    struct mac src;
    be16_t type;
} HDR_PACKED;

struct hdr_vlan { // what follows the tag protocol identifier
    be16_t tci;
    be16_t type;
} HDR_PACKED;

struct hdr_llc_snap {
    uint8_t dsap, ssap, control;
    uint8_t org[3];
    be16_t type;
} HDR_PACKED;

struct hdr_arp { // for IPv4 on Ethernet
    be16_t hrd;
    be16_t pro;
    uint8_t hln;
    uint8_t pln;
    be16_t op;
    struct mac sha;
    be32_t spa;
    struct mac tha;
    be32_t tpa;
} HDR_PACKED;

struct hdr_ipv4 {
    uint8_t ver_ihl;
    uint8_t tos;
    be16_t tot_len;
    be16_t id;
    be16_t frag_off;
    uint8_t ttl;
    uint8_t proto;
    be16_t csum;
    be32_t src;
    be32_t dst;
} HDR_PACKED;

struct hdr_ipv6 {
    be32_t flow; // version, traffic class, flow label
    be16_t plen;
    uint8_t nxt;
    uint8_t hlim;
    uint8_t src[16];
    uint8_t dst[16];
} HDR_PACKED;

struct hdr_ipv6_ext {
    uint8_t nxt;
    uint8_t len; // in units of 8 bytes, the first not counted (AH: of 4 bytes, the first two not counted)
    uint8_t data[6];
} HDR_PACKED;

struct hdr_ipv6_frag {
    uint8_t nxt;
    uint8_t reserved;
    be16_t offlg; // offset in the upper 13 bits, bit 0: more fragments
    be32_t id;
} HDR_PACKED;

struct hdr_tcp {
    be16_t src;
    be16_t dst;
    be32_t seq;
    be32_t ack;
    be16_t ctl; // data offset, flags
    be16_t window;
    be16_t csum;
    be16_t urgent;
} HDR_PACKED;

struct hdr_udp {
    be16_t src;
    be16_t dst;
    be16_t len;
    be16_t csum;
} HDR_PACKED;

struct hdr_sctp {
    be16_t src;
    be16_t dst;
    be32_t vtag;
    uint32_t csum; // CRC32c, little-endian
} HDR_PACKED;

struct hdr_icmp {
    uint8_t type;
    uint8_t code;
    be16_t csum;
    be32_t rest;
} HDR_PACKED;

struct hdr_igmp {
    uint8_t type;
    uint8_t code;
    be16_t csum;
    be32_t group;
} HDR_PACKED;

struct hdr_nd { // neighbour solicitation or advertisement, without options
    struct hdr_icmp icmp; // rest: reserved (solicitation), flags (advertisement)
    uint8_t target[16];
} HDR_PACKED;

struct hdr_nd_lla { // link-layer address option
    uint8_t type;
    uint8_t len; // in units of 8 bytes
    struct mac mac;
} HDR_PACKED;

struct hdr_nsh {
    be16_t ver_flags_ttl_len; // version 2, OAM and reserved 2, TTL 6, length 6 bits (in units of 4 bytes)
    uint8_t mdtype;
    uint8_t np;
    be32_t path;
    be32_t context[4]; // of MD type 1
} HDR_PACKED;

_Static_assert(sizeof(struct hdr_arp) == 28 && sizeof(struct hdr_ipv4) == 20 && sizeof(struct hdr_ipv6) == 40 &&
                   sizeof(struct hdr_tcp) == 20 && sizeof(struct hdr_nd) == 24 && sizeof(struct hdr_nsh) == 24,
               "as on the wire");

#endif
