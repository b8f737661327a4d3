// SPDX-License-Identifier: Apache-2.0
// What the files of the offload room share.
//
//     ofl_match.c   flow_match ⇄ flower keys          ofl_action.c   dp_actions → tc actions
//     ofl_pedit.c   set field ⇄ pedit, csum           ofl_decode.c   tc actions → dp_actions
//     ofl_filter.c  a whole filter as a message       ofl_refuse.c   what stands in the way
//     ofl_tc.c      struct dp_ops "tc"                ofl_dump.c     dumps, counters
//     ofl_port.c    devices and their facts           ofl_nic.c      what a NIC was seen to take
//     ofl_trust.c   filters that need no look
//     ofl_table.c   the filters that are there        ofl_explain.c, ofl_text.c   dry runs, words
//     ofl_local.c   copies for the bridge's own port  ofl_old.h, .c  filters that still count
//
// One mutex guards ports, NICs and the table of filters; it is never held while the kernel is
// asked.
#ifndef OFFLOAD_OFL_PRIVATE_H
#define OFFLOAD_OFL_PRIVATE_H 1

#include <errno.h>

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/base/thread.h"
#include "lib/net/netlink.h"
#include "offload/ofl.h"

struct tcmsg;

// --- Ports and NICs (ofl_port.c, ofl_nic.c). ---

struct ofl_nic { // an eswitch; lives as long as its dp
    struct hmap_node by_id;
    char switch_id[68];
    uint32_t number; // 1 …
    uint64_t rules, capacity, inserts, failures;
    uint64_t latency[32]; // insertions by log2 of microseconds
    bool no_split;        // refuses what ofl_local.c asks for
    uint16_t in_a_row;    // from here on see ofl_trust.c
    uint16_t taken;
    uint32_t kinds[64];
    bool late;            // from here on see ofl_old.h
    uint8_t prompt, looks;
    uint8_t refused_in_a_row; // of what was to let packets pass
    uint8_t no_pass;      // deletions before letting packets pass is tried again
};

struct ofl_dev {
    struct hmap_node by_port, by_ifindex;
    struct ofl_port port;
    struct ofl_port_info info;
    struct ofl_nic *nic; // NULL: not in switchdev mode
    bool qdisc;          // clsact is there, as far as we know
    bool looked;         // at the filters that were there
};

// The devices as translation sees them. Under the mutex.
struct ofl_devs {
    struct hmap by_port, by_ifindex;
};
struct ofl_dev *ofl_dev_by_port(const struct ofl_devs *, uint32_t dp_port);
struct ofl_dev *ofl_dev_by_ifindex(const struct ofl_devs *, int ifindex);
struct ofl_nic *ofl_nic_get(struct dp *, const char *switch_id);
void ofl_nic_inserted(struct ofl_nic *, int64_t us);
void ofl_nic_failed(struct ofl_nic *, int error);
uint64_t ofl_nic_p99(const struct ofl_nic *);

// What a NIC takes without being asked (ofl_trust.c). kind: of ofl_trust_kind().
uint32_t ofl_trust_kind(const struct flow_match *, const struct dp_actions *);
bool ofl_trust(struct ofl_nic *, uint32_t kind); // believe that it takes the next one?
void ofl_trust_learn(struct ofl_nic *, uint32_t kind, bool in_hw); // it was asked
void ofl_trust_lost(struct ofl_nic *);                             // it was believed, wrongly
// Facts about devices, from netlink, devlink, ethtool and libibverbs. No lock. Owner: main.
struct ofl_probe;
struct ofl_probe *ofl_probe_new(void);
void ofl_probe_free(struct ofl_probe *);
void ofl_probe_refresh(struct ofl_probe *); // reads again what is told of all devices at once
void ofl_probe_port(struct ofl_probe *, const struct ofl_port *, struct ofl_port_info *);

// --- Filters that are there (ofl_table.c). ---

struct ofl_told { // of a flow that has counted, or is being replaced
    uint64_t packets, bytes; // before its actions were last replaced
    uint64_t told_packets, told_bytes; // last totals that anybody was told
    uint32_t next_handle; // of the filter that is about to take its place; 0: none
};

struct ofl_flow { // many, and touched seldom: small
    struct flow_id id;
    struct ofl_told *told; // NULL: all zero
    uint32_t next;         // in its bucket, or free: number, 0: none
    int ifindex;           // 0: free
    uint32_t handle;
    uint32_t hint; // dp_flow_op's
    uint16_t prio;
    be16_t protocol;
    uint16_t nic; // number of the one whose table it is in; 0: none
    bool in_hw;
    bool local; // its filter goes to a chain of ofl_local.c's
};

struct ofl_table {           // of ofl_flow by id; numbers stand for pointers: half the memory
    struct ofl_flow **blocks; // flows are numbered from 1 and stay where they are
    size_t n_blocks, cap_blocks;
    uint32_t *buckets; // number of the first flow
    uint32_t mask;     // buckets - 1
    uint32_t n, n_used, free;
};

struct ofl_counts { // as tc reports them
    uint64_t packets, bytes, hw_packets, hw_bytes;
};

// --- A filter as a message (ofl_filter.c). ---

struct ofl_filter {
    int ifindex;
    be16_t protocol; // outermost ethertype
    uint16_t prio;
    uint8_t level; // asked for, see ofl_prio()
    uint32_t handle;
    uint32_t chain;
    uint32_t flags; // TCA_CLS_FLAGS_*
    int local;      // ifindex of an internal port whose copies software makes, see ofl_local.c; 0: none
};

struct ofl_spec { // what a filter is made from
    const struct flow_match *match;
    const struct dp_actions *actions;
    const struct flow_id *id;
    const struct ofl_devs *devs;
    bool hw; // meant for hardware: outputs must be of the same NIC
    bool pass; // instead of the actions: on to the kernel datapath
};

struct ofl_record { // one that the kernel told of
    struct ofl_filter f;
    bool flower, has_id;
    bool local; // one of ofl_local.c's
    struct flow_id id;
    struct ofl_counts counts;
    const uint8_t *options; // TCA_OPTIONS' attributes; NULL: none
    size_t options_len;
};

// Appends a RTM_NEWTFILTER request; fills f's protocol, prio and local. False with *r: refused, nothing
// was appended.
bool ofl_filter_put(struct nlk_batch *, const struct ofl_spec *, uint16_t nlm_flags,
                    struct ofl_filter *f, struct reason *r);
// RTM_DELTFILTER or RTM_GETTFILTER of one.
void ofl_filter_name(struct nlk_batch *, uint16_t type, uint16_t nlm_flags,
                     const struct ofl_flow *);
// -errno of a request that names a filter: it is not there, nor its qdisc or device.
static inline bool
ofl_is_gone(int error)
{
    return error == -ENOENT || error == -ENODEV || error == -EINVAL;
}
bool ofl_filter_parse(const struct nlk_msg *, struct ofl_record *);
// Match and actions of a full record. False: not one that this room would make.
bool ofl_filter_decode(const struct ofl_record *, const struct ofl_devs *, struct flow_match *,
                       struct dp_actions *);
uint8_t ofl_head_bytes(be16_t protocol);
void ofl_counts_stats(const struct ofl_counts *, struct ofl_flow *, struct dp_flow_stats *);
// The priority of a filter: level 0 for all, higher ones, which tc looks at first, for filters that take another one's place. Up
// to OFL_LEVELS - 1 for the ethertypes that ofl_has_levels() says yes to.
#define OFL_LEVELS 200
uint16_t ofl_prio(be16_t protocol, uint8_t level);
bool ofl_has_levels(be16_t protocol);
unsigned ofl_level(uint16_t prio, be16_t protocol); // back

// --- Translation. ---

// Puts TCA_FLOWER_KEY_* into the open nest. in_port is the caller's.
bool ofl_match_put(struct nlk_batch *, const struct flow_match *, be16_t *protocol,
                   struct reason *);
// keys: by attribute type, TCA_FLOWER_MAX + 1 of them. False: has a key that this room doesn't use.
bool ofl_match_get(const struct nlk_attr keys[], be16_t protocol, struct flow_match *);

// Puts TCA_FLOWER_ACT; fills f's local.
bool ofl_action_put(struct nlk_batch *, const struct ofl_spec *, struct ofl_filter *f,
                    struct reason *);
// acts: payload of TCA_FLOWER_ACT. match: what the filter matches (whose headers are rewritten).
struct ofl_decode {
    const struct ofl_devs *devs;
    const struct flow_match *match;
    struct dp_actions *out;
};
bool ofl_action_get(const struct nlk_attr *acts, const struct ofl_decode *);
// Of the first action: counters and cookie. rec's chain is known.
void ofl_action_peek(const struct nlk_attr *acts, struct ofl_record *);

#define OFL_PEDIT_HEADERS 6
#define OFL_PEDIT_BYTES 64
struct ofl_pedit { // by enum pedit_header_type: bytes to write
    struct {
        uint8_t value[OFL_PEDIT_BYTES], mask[OFL_PEDIT_BYTES];
    } header[OFL_PEDIT_HEADERS];
    uint32_t csum; // TCA_CSUM_UPDATE_FLAG_*
};
bool ofl_pedit_add(struct ofl_pedit *, const struct dp_act_set *, const struct flow_match *,
                   struct reason *);
// Puts the options of a pedit action.
void ofl_pedit_put(struct nlk_batch *, const struct ofl_pedit *);
bool ofl_pedit_get(const struct nlk_attr *options, struct ofl_pedit *);
// The set fields that these bytes are. False: bytes that no field has.
bool ofl_pedit_fields(struct ofl_pedit *, const struct flow_match *, struct dp_actions *);

// --- Copies for the bridge's own port (ofl_local.c). ---

struct ofl_local { // a chain of a device, whose filters give a packet to an internal port
    int ifindex, to;
    uint8_t mac[6];     // of that port, as its filters say
    bool up;
    int64_t idle_since; // ms: the port has gone, and no flow leads there; 0: not so
};
struct ofl_split { // of a flow's actions
    const struct ofl_dev *local; // the internal port among the outputs; NULL: none
    bool movable;                // nothing is rewritten between its output and the last one
    uint32_t position;           // outputs before it
    unsigned n_outputs;
};
void ofl_local_find(const struct ofl_spec *, struct ofl_split *);
uint32_t ofl_local_chain(int ifindex); // of an internal port
int ofl_local_of_chain(uint32_t chain); // back; 0: none of these
#define OFL_LOCAL_COOKIE "own"          // of its filters' first actions, with the NUL

// reason for the first field that `left` has bits of. Returns false, for the caller to return.
bool ofl_refuse_match(const struct flow_match *, const struct flow_mask *left, struct reason *);
bool ofl_refuse_field(struct reason *, enum reason_code, enum field_id, const char *detail);
bool ofl_refuse_action(struct reason *, const struct dp_act *);
// Why the kernel or driver said no to a filter.
void ofl_refuse_kernel(struct reason *, int error, const char *extack, bool hw);

// Words of tc filter show (ofl_text.c).
void ofl_text_filter(const struct ofl_record *, const struct ofl_devs *, struct str *);

// --- The datapath. ---

struct dp {
    struct mutex mutex;
    struct ofl_devs devs GUARDED_BY(mutex);
    struct ofl_table flows GUARDED_BY(mutex);
    struct hmap nics GUARDED_BY(mutex);
    enum ofl_policy policy GUARDED_BY(mutex);
    uint32_t next_handle GUARDED_BY(mutex);
    struct ofl_nic **nic_list GUARDED_BY(mutex); // by number - 1
    size_t n_nics GUARDED_BY(mutex), cap_nics GUARDED_BY(mutex);
    int *leaving
        GUARDED_BY(mutex); // devices that left the datapath: their clsact goes with the last filter
    size_t n_leaving GUARDED_BY(mutex), cap_leaving GUARDED_BY(mutex);
    struct cds_list_head olds GUARDED_BY(mutex); // ofl_old.in_order: first due first
    struct cds_list_head exposed GUARDED_BY(mutex); // the same, of those that packets still hit
    struct hmap olds_by_id GUARDED_BY(mutex);       // both
    uint32_t next_serial GUARDED_BY(mutex);
    struct ofl_local *locals GUARDED_BY(mutex); // few
    size_t n_locals GUARDED_BY(mutex), cap_locals GUARDED_BY(mutex);
    struct ofl_probe *probe; // owner: main
    struct dp_features features;
};

struct dp_channel {
    struct dp *dp;
    struct nlk_sock *sock;
    struct nlk_batch batch;
    struct round *round; // ofl_flow_apply()'s memory
    struct ofl_late *ready; // to be told by ofl_collect()
    size_t n_ready, cap_ready;
};

struct ofl_flow *ofl_table_find(struct dp *dp, const struct flow_id *) REQUIRES(dp->mutex);
// The same in a dump, which mostly tells flows in the order in which they came: *at is where the last one was found, 0 at first.
struct ofl_flow *ofl_table_find_next(struct dp *dp, const struct flow_id *, uint32_t *at) REQUIRES(dp->mutex);
struct ofl_flow *ofl_table_add(struct dp *dp, const struct flow_id *, const struct ofl_filter *)
    REQUIRES(dp->mutex);
// One after the other: *pos starts at 0. NULL: the end. The one that was returned may be removed.
struct ofl_flow *ofl_table_each(struct dp *dp, uint32_t *pos) REQUIRES(dp->mutex);
void ofl_table_free(struct dp *dp) REQUIRES(dp->mutex); // with all flows
void ofl_table_remove(struct dp *dp, struct ofl_flow *) REQUIRES(dp->mutex);
void ofl_table_in_hw(struct dp *dp, struct ofl_flow *, struct ofl_nic *) REQUIRES(dp->mutex);
struct ofl_nic *ofl_table_nic(struct dp *dp, const struct ofl_flow *) REQUIRES(dp->mutex); // NULL: none
uint32_t ofl_table_next(const struct ofl_flow *); // next_handle
void ofl_table_set_next(struct ofl_flow *, uint32_t handle);
struct ofl_told *ofl_told(struct ofl_flow *); // never NULL
uint32_t ofl_table_handle(struct dp *dp) REQUIRES(dp->mutex);

int ofl_flow_dump(struct dp_channel *, bool terse, dp_flow_cb *, void *aux);
int ofl_flow_flush(struct dp_channel *);
// Removes clsact from a device when nobody has filters there.
void ofl_qdisc_del(struct dp_channel *, int ifindex);
// Calls cb for each filter of a device's ingress. 0 or -errno.
int ofl_dump_device(struct dp_channel *, int ifindex, bool terse,
                    bool (*cb)(const struct ofl_record *, void *aux), void *aux);

// The level for what takes this filter's place.
uint8_t ofl_next_level(struct dp *dp, const struct flow_id *, const struct ofl_flow *)
    REQUIRES(dp->mutex);

// ofl_local.c
// Are the filters there that a flow with f->local needs?
bool ofl_local_ready(struct dp *dp, const struct ofl_filter *f) REQUIRES(dp->mutex);
// Makes them. 0 or -errno, with *why. No lock.
int ofl_local_make(struct dp_channel *, const struct ofl_filter *f, struct reason *why);
// They were seen in a dump, or went with their qdisc (all of a device's).
void ofl_local_seen(struct dp *dp, const struct ofl_record *) REQUIRES(dp->mutex);
void ofl_local_remove(struct dp_channel *, const struct ofl_filter *, size_t n);
void ofl_local_forget(struct dp *dp, int ifindex) REQUIRES(dp->mutex);
// Follows addresses and states; removes what leads to ports that have gone. The thread that owns the channel.
void ofl_local_tidy(struct dp_channel *);

#endif
