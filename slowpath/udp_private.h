// SPDX-License-Identifier: Apache-2.0
// What the files of the userspace datapath share: the datapath, its ports, and channels (one
// thread's access, with all that the thread needs to move packets).
//
// THREADS: the main thread opens, configures and closes. "netdev": polling threads receive, look
// up, execute, send; each has a channel. "dummy": the main thread does that too, with the
// datapath's own channel. Revalidators and handlers bring channels of their own.
//
// A thread moves packets between udp_enter() and udp_leave(): an RCU section, in which channel.seq
// is odd. Packets queued for sending refer to memory of the batch that is being handled; they are
// sent at udp_leave() at the latest. udp_quiesce() waits until no thread is inside a section that
// began before; counters of flows unlinked before are then final, and a port taken out of the table
// is not in use.
#ifndef SLOWPATH_UDP_PRIVATE_H
#define SLOWPATH_UDP_PRIVATE_H 1

#include <linux/virtio_net.h>

#include "slowpath/execute.h"
#include "slowpath/sp_upcall.h"
#include "slowpath/udp_table.h"

struct udp_port;

#define UDP_BATCH 32
#define UDP_MAX_DEPTH 10 // recirculations, and upcalls inside upcalls

// A received frame.
struct udp_rx {
    struct packet packet; // borrowed from the port until rx_done(); packet.head: bytes before it
                          // that may be written
    struct virtio_net_hdr vnet;
};

// A frame to send, behind its struct virtio_net_hdr in one piece of memory.
struct udp_tx {
    uint8_t *vnet;
    uint32_t len;  // of the frame
    uint8_t *take; // memory to free after sending, or NULL
};

#define UDP_VNET sizeof(struct virtio_net_hdr)

static inline uint8_t *
udp_tx_data(const struct udp_tx *tx)
{
    return tx->vnet + UDP_VNET;
}

struct udp_port_class {
    const char *type; // as port_dump() says it
    int (*open)(struct udp_port *);
    void (*close)(struct udp_port *);
    // Polling thread. Up to max frames without blocking; valid until rx_done().
    size_t (*rx)(struct udp_port *, struct udp_rx *, size_t max);
    void (*rx_done)(struct udp_port *, size_t n);
    // Any thread. Number of frames sent; the others are dropped.
    size_t (*tx)(struct udp_port *, struct udp_tx *, size_t n);
    // Frames that came while nobody took them, since the last call. NULL: the device counts them.
    // Main thread.
    uint64_t (*overrun)(struct udp_port *);
};

struct udp_port {
    const struct udp_port_class *class;
    struct dp *dp;
    char name[16];
    uint32_t number;
    int ifindex;
    int fd;              // to poll; -1: none
    bool gone;           // atomic: the device has vanished
    void *state;         // owner: the class
    uint64_t tx_dropped; // atomic
    uint64_t rx_dropped; // owner: main
    struct rcu_head rcu;
};

struct udp_ports { // immutable
    struct rcu_head rcu;
    size_t n; // entries of by_number
    size_t n_polled;
    struct udp_port **polled; // inside by_number's allocation
    struct udp_port *by_number[];
};

struct udp_poller {
    struct dp *dp;
    struct dp_channel *channel;
    struct thread *thread;
    int efd;      // wakes it
    bool stop;    // atomic
    uint64_t seq; // atomic, single writer; odd: asleep, with descriptors of ports
};

struct udp_upcall_target { // immutable
    sp_upcall_fn *fn;
    void *aux;
};

struct dp {
    struct dp *next; // owner: main
    char *name;
    const struct dp_ops *ops;
    bool dummy;
    struct udp_table table;
    struct udp_ports *ports;          // RCU; owner: main
    struct udp_upcall_target *upcall; // RCU; NULL: misses are dropped
    struct mutex mutex;
    struct dp_channel *channels GUARDED_BY(mutex);
    struct dp_channel *own;    // dummy: owner: main
    struct udp_poller *poller; // netdev
    uint64_t gone_hit, gone_missed, gone_lost, gone_tried,
        gone_cached; // of closed channels; owner: mutex
};

#define UDP_TXQS 64

struct udp_txq {
    struct udp_port *port;
    size_t n;
    struct udp_tx tx[UDP_BATCH];
};

struct dp_channel {
    struct dp *dp;
    struct dp_channel *next; // dp.channels
    uint64_t seq;            // atomic; odd: inside
    unsigned depth;          // of udp_enter()
    unsigned runs;           // of executions
    int64_t now;             // ms, read once a batch
    struct udp_counts *counts;
    struct udp_sigs *sigs;   // signature cache; made at the first lookup
    struct udp_batch *batch; // made at the first batch
    struct udp_txq *txq[UDP_TXQS];
    uint64_t hit, missed, lost, tried, cached; // atomic, single writer
    int64_t next_sort;                         // ms
};

#define UDP_COUNT(member, n) __atomic_store_n(&(member), (member) + (n), __ATOMIC_RELAXED)

// udp.c
struct dp *udp_first(void);                              // main thread
void udp_attach(struct dp *, sp_upcall_fn *, void *aux); // see sp_upcall.h
void udp_quiesce(struct dp *,
                 const struct dp_channel *self); // not counting self, which may be NULL
struct udp_port *udp_port_find(const struct dp *, const char *name); // main thread

// udp_pipeline.c
void udp_enter(struct dp_channel *);
void udp_leave(struct dp_channel *); // sends what is queued
// Through the whole datapath. Inside udp_enter().
void udp_process(struct dp_channel *, struct udp_port *, struct udp_rx *, size_t n);
void udp_execute(struct dp_channel *, struct packet *, const struct flow_key *,
                 const struct dp_actions *);
void udp_channel_free_parts(struct dp_channel *);

// udp_tx.c
void udp_output(struct dp_channel *, struct packet *, const struct flow_key *, uint32_t port,
                bool last);
void udp_flush(struct dp_channel *);
// What a received header says about checksums, into the packet. Finishes checksums that the
// packet's own headers don't explain. After packet_extract().
void udp_offload_rx(struct udp_rx *, const struct flow_key *);
void udp_finish_checksum(struct packet *, const struct flow_key *);

// udp_poller.c
int udp_poller_new(struct dp *);
void udp_poller_free(struct udp_poller *);
void udp_poller_wake(struct udp_poller *);
// Waits until the thread's sleep holds none of the ports that the table had before this call.
void udp_poller_sync(struct udp_poller *);

// Kinds of ports.
extern const struct udp_port_class udp_packet_class, udp_tap_class, udp_dummy_class,
    udp_dummy_internal_class, udp_dummy_system_class;

// udp_dummy.c
int udp_dummy_state(const struct udp_port *, struct dp_port_state *);
int udp_dummy_set(struct udp_port *, const struct mac *, unsigned mtu);
void udp_dummy_unixctl_init(void);

#endif
