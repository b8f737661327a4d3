// SPDX-License-Identifier: Apache-2.0
// Private to kdatapath: typed keys, matches and actions to and from openvswitch attributes. Any
// thread; no state.
#ifndef KDATAPATH_KD_CODEC_H
#define KDATAPATH_KD_CODEC_H 1

#include "kdatapath/kd_compat.h"
#include "lib/flow/dp_actions.h"
#include "lib/flow/match.h"
#include "lib/net/netlink.h"

// --- Regular attributes: structures and numbers whose parts are rows of the field table
// (kd_fields.c). `side` is a struct flow_key, or a struct flow_mask with is_mask. ---

#define KD_ATTR_MAX_SIZE 40         // bytes of the largest one
size_t kd_attr_size(uint16_t attr); // 0: not a regular one
void kd_attr_encode(uint16_t attr, const void *side, bool is_mask, uint8_t out[KD_ATTR_MAX_SIZE]);
// Members not in the attribute stay as they are. False: it is too short.
bool kd_attr_decode(const struct nlk_attr *, void *side, bool is_mask);
// The attribute that holds a field in packets of this Ethernet type; 0: none, or an irregular one.
uint16_t kd_field_attr(enum field_id, be16_t eth_type);
// Tunnel attribute of a field, or 0.
uint16_t kd_field_tunnel_attr(enum field_id);
// Fields that some attribute expresses, with those of the irregular functions.
void kd_fields_supported(struct field_set *);

// --- Irregular ones (kd_irregular.c). ---

// OVS_KEY_ATTR_TUNNEL. `opts`: Geneve options in wire format, or NULL.
void kd_tunnel_put(struct nlk_batch *, const struct flow_tunnel *, bool is_mask, const void *opts,
                   size_t opts_len);
struct kd_tunnel_opts { // Geneve options as they came
    const void *data;
    size_t len;
};
int kd_tunnel_get(const struct nlk_attr *, struct flow_tunnel *, bool is_mask,
                  struct kd_tunnel_opts *); // opts may be NULL
void kd_nsh_put(struct nlk_batch *, uint16_t attr, const void *side, bool is_mask);
int kd_nsh_get(const struct nlk_attr *, void *side);
// Connection labels: the kernel's words in host order, ours one big-endian number.
void kd_ct_label(const uint8_t in[16], uint8_t out[16]);

// --- Keys and matches (kd_key.c, kd_key_get.c). ---

// OVS_FLOW_ATTR_KEY and, with a mask, OVS_FLOW_ATTR_MASK. 0, or -EINVAL where the kernel has no
// such key.
int kd_match_put(struct nlk_batch *, const struct flow_match *);
// Only what the packet's bytes don't tell: for OVS_PACKET_CMD_EXECUTE, in `attr`.
void kd_metadata_put(struct nlk_batch *, uint16_t attr, const struct flow_key *);
// Members of attributes that are there; others stay. 0 or -EBADMSG.
int kd_key_get(const struct nlk_attr *key, struct flow_key *);
// mask NULL or absent: all of the key matters.
int kd_match_get(const struct nlk_attr *key, const struct nlk_attr *mask, struct flow_match *);

// --- Actions (kd_action.c, kd_action_get.c). ---

struct kd_act_context {
    be16_t eth_type;   // of the packets
    uint32_t user_pid; // for DP_ACT_USERSPACE with pid 0
    bool drop;         // the kernel has an action for it
};
struct kd_act_refusal {
    enum field_id field; // FIELD_COUNT: none
    const char *what;    // static: "set(arp)", "lb_output"
};
// Nested in `attr`. 0, -EOPNOTSUPP with *refusal, or -EMSGSIZE.
int kd_actions_put(struct nlk_batch *, uint16_t attr, const struct dp_actions *,
                   const struct kd_act_context *, struct kd_act_refusal *);
// Appends. 0, -EBADMSG, or -EOPNOTSUPP where there is an action that we don't know (it is left
// out).
int kd_actions_get(const struct nlk_attr *, struct dp_actions *);
// What travels with a packet to user space.
void kd_userdata_get(const struct nlk_attr *, struct dp_act_userspace *);

#endif
