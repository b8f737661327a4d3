// SPDX-License-Identifier: Apache-2.0
// The key of a flow: everything a packet and its metadata can be matched on, in one fixed layout.
//
// Members are big-endian, pads are explicit and zero, and the whole is an array of 64-bit words, ordered by classifier stage
// (metadata, L2, L3, L4), so that masks apply, hash and compare word by word. `struct flow_mask` has the same layout and is
// another type, so that the compiler catches swaps: a mask bit 1 means "this bit matters".
//
// References: ovs-fields(7) for the meaning of fields; RFC 8926 (Geneve), RFC 8300 (NSH).
#ifndef LIB_FLOW_FLOW_KEY_H
#define LIB_FLOW_FLOW_KEY_H 1

#include "lib/base/util.h"

#define FLOW_N_REGS 16
#define FLOW_N_VLANS 2
#define FLOW_N_MPLS 3
#define FLOW_TUN_OPTS_LEN 256
#define FLOW_N_TUN_MD 64

// vlan[i].tci: a tag is present when this bit (the CFI/DEI position) is set.
#define FLOW_VLAN_PRESENT 0x1000

// nw_frag bits: 1 any fragment, 2 a later one.
#define FLOW_FRAG_ANY 1
#define FLOW_FRAG_LATER 2

// tunnel.flags (host constants; stored big-endian).
#define FLOW_TUN_DF 0x0001
#define FLOW_TUN_CSUM 0x0002
#define FLOW_TUN_KEY 0x0004
#define FLOW_TUN_OAM 0x0008

// ct_state bits (host constants; stored big-endian).
#define FLOW_CT_NEW 0x01
#define FLOW_CT_EST 0x02
#define FLOW_CT_REL 0x04
#define FLOW_CT_RPL 0x08
#define FLOW_CT_INV 0x10
#define FLOW_CT_TRK 0x20
#define FLOW_CT_SNAT 0x40
#define FLOW_CT_DNAT 0x80

struct flow_vlan {
    be16_t tpid;
    be16_t tci;
};

struct flow_tunnel {
    uint8_t ipv6_src[16];
    uint8_t ipv6_dst[16];
    be32_t ip_src; // a tunnel is present when ip_dst or ipv6_dst is not zero
    be32_t ip_dst;
    be64_t id;
    be16_t flags;
    uint8_t tos;
    uint8_t ttl;
    be16_t tp_src;
    be16_t tp_dst;
    be16_t gbp_id;
    uint8_t gbp_flags;
    uint8_t erspan_ver;
    be32_t erspan_idx;
    uint8_t erspan_dir;
    uint8_t erspan_hwid;
    uint8_t gtpu_flags;
    uint8_t gtpu_msgtype;
    uint8_t pad[4];
};

#define FLOW_KEY_MEMBERS                                                                                               \
    /* Stage 0: metadata. */                                                                                           \
    struct flow_tunnel tun;                                                                                            \
    uint8_t tun_md[FLOW_TUN_OPTS_LEN]; /* option values, at the places of the bridge's TLV table */                    \
    be64_t tun_md_present;             /* bit N: tun_metadataN is present */                                           \
    be64_t metadata;                                                                                                   \
    be32_t regs[FLOW_N_REGS];                                                                                          \
    be32_t skb_priority;                                                                                               \
    be32_t pkt_mark;                                                                                                   \
    be32_t dp_hash;                                                                                                    \
    be32_t recirc_id;                                                                                                  \
    be32_t in_port; /* datapath port in caches and datapaths, OpenFlow port inside OpenFlow tables */                  \
    be32_t actset_output;                                                                                              \
    be32_t conj_id;                                                                                                    \
    be32_t packet_type; /* 0: Ethernet */                                                                              \
    be32_t ct_state;                                                                                                   \
    be32_t ct_mark;                                                                                                    \
    uint8_t ct_label[16];                                                                                              \
    be16_t ct_zone;                                                                                                    \
    uint8_t pad0[6];                                                                                                   \
    /* Stage 1: L2. */                                                                                                 \
    struct mac eth_dst;                                                                                                \
    struct mac eth_src;                                                                                                \
    be16_t eth_type; /* of the payload, after VLAN tags; 0x05ff for 802.2 without SNAP */                              \
    uint8_t pad1[2];                                                                                                   \
    struct flow_vlan vlan[FLOW_N_VLANS]; /* outermost first */                                                         \
    be32_t mpls_lse[FLOW_N_MPLS];        /* outermost first */                                                         \
    uint8_t pad2[4];                                                                                                   \
    /* Stage 2: L3. */                                                                                                 \
    be32_t nw_src; /* IPv4, ARP SPA */                                                                                 \
    be32_t nw_dst; /* IPv4, ARP TPA */                                                                                 \
    uint8_t ipv6_src[16];                                                                                              \
    uint8_t ipv6_dst[16];                                                                                              \
    be32_t ipv6_label; /* low 20 bits */                                                                               \
    uint8_t nw_frag;                                                                                                   \
    uint8_t nw_tos; /* DSCP << 2 | ECN */                                                                              \
    uint8_t nw_ttl;                                                                                                    \
    uint8_t nw_proto; /* IP protocol; ARP opcode when < 256 */                                                         \
    struct mac arp_sha; /* also ND source link-layer address */                                                        \
    struct mac arp_tha; /* also ND target link-layer address */                                                        \
    be32_t nsh_path;    /* SPI << 8 | SI */                                                                            \
    uint8_t nsh_flags;                                                                                                 \
    uint8_t nsh_ttl;                                                                                                   \
    uint8_t nsh_mdtype;                                                                                                \
    uint8_t nsh_np;                                                                                                    \
    be32_t nsh_context[4];                                                                                             \
    uint8_t pad3[4];                                                                                                   \
    uint8_t nd_target[16];                                                                                             \
    be32_t ct_nw_src;                                                                                                  \
    be32_t ct_nw_dst;                                                                                                  \
    uint8_t ct_ipv6_src[16];                                                                                           \
    uint8_t ct_ipv6_dst[16];                                                                                           \
    be16_t ct_tp_src;                                                                                                  \
    be16_t ct_tp_dst;                                                                                                  \
    uint8_t ct_nw_proto;                                                                                               \
    uint8_t pad4[3];                                                                                                   \
    /* Stage 3: L4. */                                                                                                 \
    be16_t tp_src; /* TCP, UDP, SCTP; ICMP type as a 16-bit number */                                                  \
    be16_t tp_dst; /* TCP, UDP, SCTP; ICMP code as a 16-bit number */                                                  \
    be16_t tcp_flags; /* low 12 bits */                                                                                \
    uint8_t pad5[2];                                                                                                   \
    be32_t igmp_group;                                                                                                 \
    be32_t nd_reserved;                                                                                                \
    uint8_t nd_options_type;                                                                                           \
    uint8_t pad6[7];

struct flow_key {
    FLOW_KEY_MEMBERS
} __attribute__((aligned(8)));

struct flow_mask {
    FLOW_KEY_MEMBERS
} __attribute__((aligned(8)));

#define FLOW_WORDS (sizeof(struct flow_key) / 8)
_Static_assert(sizeof(struct flow_key) % 8 == 0, "whole words");
_Static_assert(sizeof(struct flow_key) == sizeof(struct flow_mask), "same layout");
_Static_assert(FLOW_WORDS <= 128, "fits a two-word map");

// First word of each stage; FLOW_STAGE_START[4] is the end.
#define FLOW_N_STAGES 4
#define FLOW_STAGE_L2 (offsetof(struct flow_key, eth_dst) / 8)
#define FLOW_STAGE_L3 (offsetof(struct flow_key, nw_src) / 8)
#define FLOW_STAGE_L4 (offsetof(struct flow_key, tp_src) / 8)
_Static_assert(offsetof(struct flow_key, eth_dst) % 8 == 0, "stage at a word");
_Static_assert(offsetof(struct flow_key, nw_src) % 8 == 0, "stage at a word");
_Static_assert(offsetof(struct flow_key, tp_src) % 8 == 0, "stage at a word");

// Words as the classifier sees them.
static inline const uint64_t *
flow_key_words(const struct flow_key *k)
{
    return (const uint64_t *) (const void *) k;
}

static inline const uint64_t *
flow_mask_words(const struct flow_mask *m)
{
    return (const uint64_t *) (const void *) m;
}

static inline uint64_t *
flow_mask_words_mut(struct flow_mask *m)
{
    return (uint64_t *) (void *) m;
}

// dst |= src.
static inline void
flow_mask_or(struct flow_mask *dst, const struct flow_mask *src)
{
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        flow_mask_words_mut(dst)[i] |= flow_mask_words(src)[i];
    }
}

// Sets all bits of a member of a struct flow_mask.
#define FLOW_MASK_EXACT(mask, member) memset(&(mask)->member, 0xff, sizeof(mask)->member)

static inline bool
flow_key_has_tunnel(const struct flow_key *k)
{
    static const uint8_t none[16];
    return k->tun.ip_dst || memcmp(k->tun.ipv6_dst, none, 16);
}

static inline bool
flow_key_is_ip(const struct flow_key *k)
{
    return k->eth_type == htobe16(0x0800) || k->eth_type == htobe16(0x86dd);
}

#endif
