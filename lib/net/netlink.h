// SPDX-License-Identifier: Apache-2.0
// Netlink transport (libmnl): messages are built into a batch with typed puts, sent many at a time in one system call, and answers are read back as
// attribute tables. Knows no family's meaning: kdatapath and offload write their own attributes with these functions.
//
// Threads: a socket belongs to one thread at a time; batches too. Attributes are in host order unless the function says be.
// Source: RFC 3549; linux/netlink.h, linux/genetlink.h.
#ifndef LIB_NET_NETLINK_H
#define LIB_NET_NETLINK_H 1

#include "lib/base/util.h"

struct nlk_sock;

enum nlk_proto { NLK_ROUTE, NLK_GENERIC, NLK_NETFILTER };

// A bound socket with extended acknowledgements, capped acknowledgements and strict checking on, where the kernel knows them. 0 or -errno.
int nlk_open(enum nlk_proto, struct nlk_sock **);
void nlk_close(struct nlk_sock *); // NULL allowed
int nlk_fd(const struct nlk_sock *);
uint32_t nlk_pid(const struct nlk_sock *); // port id
int nlk_join(struct nlk_sock *, unsigned group); // multicast; 0 or -errno
int nlk_set_rcvbuf(struct nlk_sock *, unsigned bytes); // past the system's limit when allowed

// Generic netlink: number of a family, and of one of its multicast groups (0: none). 0 or -errno (-ENOENT: no such family).
int nlk_genl_family(struct nlk_sock *, const char *name, uint16_t *id);
int nlk_genl_group(struct nlk_sock *, const char *family, const char *group, uint32_t *id);

// --- Building. ---

#define NLK_ATTR_MAX (UINT16_MAX - 4) // bytes of data in an attribute

// Messages one behind the other, as they are sent. Grows; offsets, not pointers, stay valid.
struct nlk_batch {
    uint8_t *data;
    size_t len, cap; // bytes
    size_t msg;      // offset of the last message
    size_t n;        // messages
};

void nlk_batch_init(struct nlk_batch *);
void nlk_batch_free(struct nlk_batch *);
void nlk_batch_clear(struct nlk_batch *); // keeps the memory
// Begins a message: header, then `size` zeroed bytes of the family's own header (struct tcmsg, struct genlmsghdr + struct ovs_header …), which are
// returned; valid until the next put. flags: NLM_F_*, NLM_F_REQUEST is added.
void *nlk_begin(struct nlk_batch *, uint16_t type, uint16_t flags, size_t size);
void nlk_put(struct nlk_batch *, uint16_t attr, const void *data, size_t len); // len <= NLK_ATTR_MAX
void *nlk_put_zero(struct nlk_batch *, uint16_t attr, size_t len); // room for a structure; valid until the next put
void nlk_put_flag(struct nlk_batch *, uint16_t attr);
void nlk_put_u8(struct nlk_batch *, uint16_t attr, uint8_t);
void nlk_put_u16(struct nlk_batch *, uint16_t attr, uint16_t);
void nlk_put_u32(struct nlk_batch *, uint16_t attr, uint32_t);
void nlk_put_u64(struct nlk_batch *, uint16_t attr, uint64_t);
void nlk_put_str(struct nlk_batch *, uint16_t attr, const char *); // with its NUL
size_t nlk_nest(struct nlk_batch *, uint16_t attr); // with NLA_F_NESTED
// False: it became longer than an attribute can be (64 KiB); cancel the message.
bool nlk_nest_end(struct nlk_batch *, size_t nest);
// Takes a message begun last back (translation failed half-way).
void nlk_cancel(struct nlk_batch *);

// --- Attributes of a message. ---

struct nlk_attr {
    uint16_t type; // without NLA_F_* bits
    uint16_t len;  // of data
    const void *data; // not aligned beyond 4 bytes
};

// Fills table[type] (data NULL: absent) of n entries from the attributes in `len` bytes; unknown ones and PADs are skipped. The last of a kind wins.
// 0, or -EBADMSG where they are malformed.
int nlk_parse(const void *attrs, size_t len, struct nlk_attr table[], size_t n);
int nlk_parse_nested(const struct nlk_attr *, struct nlk_attr table[], size_t n);
// One after the other, in order: *pos starts at 0. False at the end; malformed rests end it, too, with *error set when error isn't NULL.
bool nlk_next(const void *attrs, size_t len, size_t *pos, struct nlk_attr *, int *error);

// Values; 0 (or "") where the attribute is absent or too short.
uint8_t nlk_u8(const struct nlk_attr *);
uint16_t nlk_u16(const struct nlk_attr *);
uint32_t nlk_u32(const struct nlk_attr *);
uint64_t nlk_u64(const struct nlk_attr *); // also from 4 bytes
const char *nlk_str(const struct nlk_attr *); // "" when not terminated

// --- Talking. ---

struct nlk_msg { // one that came
    uint16_t type, flags;
    uint32_t seq, pid;
    const uint8_t *data; // behind struct nlmsghdr
    size_t len;
};

struct nlk_result { // of one request of a batch
    int error;        // 0 or -errno
    const char *extack; // the kernel's own words; NULL: none. Valid until the socket's next call
};

// Sends all messages of the batch (NLM_F_ACK and sequence numbers are set here) in as few system calls as the kernel takes, and reads until it is known of every
// one how it went: results[i] belongs to the i-th message. Answers with content (NLM_F_ECHO, GET) are given to `cb` as they come,
// with the index of their request; cb may be NULL. 0, or -errno when the socket itself failed (results of requests not answered then carry it).
typedef void nlk_reply_cb(size_t i, const struct nlk_msg *, void *aux);
int nlk_transact(struct nlk_sock *, struct nlk_batch *, struct nlk_result results[], nlk_reply_cb *, void *aux);
// One request, its answer (borrowed until the socket's next call) in *reply; reply NULL: only the acknowledgement. 0 or -errno.
int nlk_request(struct nlk_sock *, struct nlk_batch *, struct nlk_msg *reply, const char **extack);
// A dump (NLM_F_DUMP is added): each entry to cb, false from cb ends it early (the rest is drained). 0 or -errno; -EINTR: the dump was interrupted by changes
// and is inconsistent.
int nlk_dump(struct nlk_sock *, struct nlk_batch *, bool (*cb)(const struct nlk_msg *, void *aux), void *aux);
// A socket in transactions should have no groups: notifications that arrive then are dropped.
//
// Receives what has come without blocking, for sockets with multicast groups or upcalls: each message to cb. Number of messages, or -errno (-EAGAIN: none; -ENOBUFS: lost some).
// Up to NLK_RECEIVE_MAX datagrams a call; what they hold stays valid until the socket's next call.
#define NLK_RECEIVE_MAX 64
int nlk_receive(struct nlk_sock *, void (*cb)(const struct nlk_msg *, void *aux), void *aux);
int nlk_receive_max(struct nlk_sock *, size_t max, void (*cb)(const struct nlk_msg *, void *aux), void *aux);

#endif
