/* SPDX-License-Identifier: GPL-2.0 */
/*
 * simnic: a simulated switchdev SmartNIC.
 *
 *   VF netdev ---+                                   +--- VF netdev
 *  (in a "VM")   |   +---------------------------+   |
 *                +---| port 1            port 2  |---+
 *                    |        flow table         |
 *                    |          port 0           |
 *                    +-------------+-------------+
 *                                  |
 *                       wire netdev ("the cable")
 *
 * Each port has two net devices: the outside, where packets come from (a VF's own device, or the wire's end), and the
 * inside, which the host's switch uses (the VF's representor, or for port 0 the uplink, which is the PF's device).
 * A packet that the outside sends meets the flow table; when no rule takes it, the inside receives it.  A packet that
 * the inside sends is received by the outside.
 *
 * Locks, in the order they are taken:
 *   devlink's instance lock   number of VFs, mode, creation and removal of ports
 *   rtnl                      registering net devices; binding of blocks
 *   simnic.firmware (mutex)   the flow table: one change at a time, like a mailbox to firmware
 *   simnic_rule.lock          a rule's counters (taken on the packet path)
 * The packet path reads ports and rules under RCU.  Flower callbacks come without rtnl.
 */
#ifndef SIMNIC_H
#define SIMNIC_H

#include <linux/device.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/devlink.h>
#include <net/flow_offload.h>

#define SIMNIC_DRIVER "simnic"
#define SIMNIC_FIRMWARE "1.4.2"
#define SIMNIC_MAX_VFS 32
#define SIMNIC_PORTS (1 + SIMNIC_MAX_VFS)
#define SIMNIC_UPLINK 0
#define SIMNIC_MAX_ACTIONS 32

struct simnic;
struct simnic_group;
struct simnic_table;
struct dentry;
struct seq_file;

/* ---- ports (nic.c, netdev.c) ---- */

struct simnic_port {
	struct simnic *nic;
	unsigned int index;			/* 0 is the uplink, n + 1 is VF n */
	struct net_device __rcu *outside;	/* written under devlink's lock */
	struct net_device __rcu *inside;	/* written under devlink's lock; NULL for VFs in legacy mode */
	struct devlink_port devlink;
	bool devlink_registered;
	struct list_head block_callbacks;	/* under rtnl */
	unsigned int rules;			/* under simnic.firmware */
};

/* Private data of every net device of ours. */
struct simnic_netdev {
	struct simnic_port *port;
	bool inside;
};

struct simnic_counters {
	u64 inserted;
	u64 deleted;
	u64 refused_match;
	u64 refused_action;
	u64 refused_full;
	u64 injected_failures;
	u64 stats_requests;
};

struct simnic {
	struct devlink *devlink;
	struct device *dev;
	unsigned int id;
	bool switchdev;				/* under devlink's lock; the packet path reads it as it is */
	unsigned int vfs;			/* under devlink's lock */
	struct netdev_phys_item_id switch_id;
	struct simnic_port ports[SIMNIC_PORTS];

	struct mutex firmware;
	struct simnic_table *table;
	struct simnic_counters counters;	/* under firmware */
	u32 fail_next;				/* debugfs; under firmware */
	u32 fail_errno;				/* debugfs */
	u32 insert_delay_ms;			/* debugfs */
	u32 cannot_match;			/* debugfs: bits of flow_dissector_key_id */
	u32 cannot_chain;			/* debugfs: goto chain is refused */
	u32 stats_lag_ms;			/* debugfs; under firmware */
	struct delayed_work stats_work;		/* publishes counters when stats_lag_ms is set */

	atomic64_t hw_packets;			/* forwarded by the table */
	atomic64_t hw_misses;
	struct dentry *debugfs;
};

/* nic.c */
struct simnic *simnic_create(struct device *dev, unsigned int id);
void simnic_destroy(struct simnic *nic);
int simnic_set_vfs(struct simnic *nic, unsigned int vfs);
int simnic_set_mode(struct simnic *nic, bool switchdev, struct netlink_ext_ack *extack);
const char *simnic_port_name(const struct simnic_port *port, char *buf, size_t size);

/* devlink.c */
extern const struct devlink_ops simnic_devlink_ops;
int simnic_devlink_port_add(struct simnic_port *port);
void simnic_devlink_port_del(struct simnic_port *port);

/* netdev.c */
struct net_device *simnic_netdev_create(struct simnic_port *port, bool inside);
void simnic_netdev_destroy(struct net_device *dev);
bool simnic_is_inside(const struct net_device *dev);
/* chain: where tc is to go on with it; 0: at the beginning. */
void simnic_receive(struct net_device *dev, struct sk_buff *skb, u32 chain);

/* wire.c: what happens between the ports; called on the packet path, consumes the skb. */
void simnic_from_outside(struct simnic_port *port, struct sk_buff *skb);
void simnic_from_inside(struct simnic_port *port, struct sk_buff *skb);
void simnic_deliver(struct simnic_port *port, bool inside, struct sk_buff *skb);
/* To the inside, for software to go on in this chain. */
void simnic_resume(struct simnic_port *port, u32 chain, struct sk_buff *skb);

/* offload.c */
int simnic_setup_tc(struct net_device *dev, enum tc_setup_type type, void *type_data);

/* -EOPNOTSUPP with a sentence of static storage; this kernel's extack keeps the pointer. */
static inline int simnic_refuse(struct netlink_ext_ack *extack, const char *sentence)
{
	if (extack)
		extack->_msg = sentence;
	return -EOPNOTSUPP;
}

/* debugfs.c */
void simnic_debugfs_init(void);
void simnic_debugfs_exit(void);
void simnic_debugfs_add(struct simnic *nic);

/* ---- matching (match.c parses rules, packet.c parses packets) ---- */

struct simnic_vlan {
	__be16 tpid;
	__be16 tci;
};

/* What rules match on, in network byte order.  A mask has the same type.  Size is a multiple of 8, pads are zero. */
struct simnic_key {
	u8 eth_dst[ETH_ALEN];
	u8 eth_src[ETH_ALEN];
	__be16 outer_type;		/* what tc calls the protocol: the first ethertype */
	__be16 n_proto;			/* the ethertype after the VLAN tags */
	struct simnic_vlan vlan[2];	/* outer first */
	u8 ip_proto;
	u8 tos;
	u8 ttl;
	u8 fragment;			/* FLOW_DIS_IS_FRAGMENT, FLOW_DIS_FIRST_FRAG */
	u8 icmp_type;
	u8 icmp_code;
	__be16 tcp_flags;
	__be16 sport;
	__be16 dport;
	u8 arp_op;
	u8 pad1[3];
	u8 arp_sha[ETH_ALEN];
	u8 arp_tha[ETH_ALEN];
	u8 pad2[4];
	struct in6_addr src;		/* IPv4 and ARP: the first word */
	struct in6_addr dst;
} __aligned(8);

/* Where a packet's headers lie, from the start of the Ethernet header; 0: not there. */
struct simnic_layout {
	u16 network;
	u16 transport;			/* of an unfragmented packet only */
};

/* packet.c; the skb is linear and its data is the Ethernet header. */
void simnic_packet_key(const struct sk_buff *skb, struct simnic_key *key, struct simnic_layout *layout);

/* match.c */
int simnic_match_parse(const struct simnic_port *port, const struct flow_cls_offload *cls, struct simnic_key *key,
		       struct simnic_key *mask, struct netlink_ext_ack *extack);
int simnic_match_forbid(struct simnic *nic, char *names);
void simnic_match_show_forbidden(struct seq_file *m, const struct simnic *nic);
void simnic_match_show(struct seq_file *m, const struct simnic_key *key, const struct simnic_key *mask);

/* ---- actions (action.c) ---- */

enum simnic_action_type {
	SIMNIC_OUTPUT,		/* the packet itself: nothing can follow */
	SIMNIC_MIRROR,		/* a copy */
	SIMNIC_DROP,
	SIMNIC_TRAP,		/* to the inside, as if missed */
	SIMNIC_GOTO,		/* a chain: the NIC has only the first one, so it misses there, and software goes on */
	SIMNIC_VLAN_PUSH,
	SIMNIC_VLAN_POP,
	SIMNIC_VLAN_SET,
	SIMNIC_REWRITE,
	SIMNIC_CHECKSUM,
};

struct simnic_action {
	enum simnic_action_type type;
	union {
		struct simnic_port *port;	/* OUTPUT, MIRROR: NULL once the port has gone */
		struct simnic_vlan vlan;	/* VLAN_PUSH, VLAN_SET */
		struct {
			bool transport;		/* offset counts from there, else from the Ethernet or network header */
			bool network;
			u16 offset;
			__be32 keep;		/* bits that stay */
			__be32 value;
		} rewrite;
		u32 checksums;			/* TCA_CSUM_UPDATE_FLAG_* */
		u32 chain;			/* GOTO */
	};
};

struct simnic_actions {
	unsigned int n;
	bool transport;		/* they touch the transport header: fragments must not come here */
	struct simnic_action list[];
};

struct simnic_actions *simnic_actions_parse(const struct simnic_port *port, const struct flow_action *from,
					    const struct simnic_key *key, const struct simnic_key *mask,
					    struct netlink_ext_ack *extack);
void simnic_actions_run(struct simnic_port *port, const struct simnic_actions *actions, struct sk_buff *skb);
void simnic_actions_show(struct seq_file *m, const struct simnic_actions *actions);

/* ---- the flow table (table.c) ---- */

struct simnic_rule {
	struct hlist_node by_key;	/* in table's buckets, RCU */
	struct hlist_node by_cookie;	/* under firmware */
	struct simnic_group *group;
	struct simnic_port *port;
	unsigned long cookie;
	struct simnic_key key;		/* already masked */
	struct simnic_actions *actions;
	struct rcu_head rcu;

	spinlock_t lock;		/* guards what follows */
	u64 packets;
	u64 bytes;
	u64 lastused;			/* jiffies */
	u64 seen_packets;		/* what stats requests may see, when it lags */
	u64 seen_bytes;
	u64 seen_lastused;
	u64 told_packets;		/* what stats requests were told so far */
	u64 told_bytes;
};

/* Everything about a rule to be inserted; actions are taken on success. */
struct simnic_rule_spec {
	struct simnic_port *port;
	unsigned long cookie;
	u32 prio;
	struct simnic_key key;
	struct simnic_key mask;
	struct simnic_actions *actions;
};

struct simnic_table *simnic_table_create(unsigned int size);
void simnic_table_destroy(struct simnic_table *table);
/* All but lookup: under simnic.firmware. */
int simnic_table_insert(struct simnic_table *table, const struct simnic_rule_spec *spec);
struct simnic_rule *simnic_table_find(struct simnic_table *table, const struct simnic_port *port, unsigned long cookie);
void simnic_table_remove(struct simnic_table *table, struct simnic_rule *rule);
void simnic_table_forget_port(struct simnic_table *table, struct simnic_port *port);
void simnic_table_publish(struct simnic_table *table);
void simnic_table_show(struct simnic_table *table, struct seq_file *m);
unsigned int simnic_table_used(const struct simnic_table *table);
unsigned int simnic_table_size(const struct simnic_table *table);
void simnic_table_resize(struct simnic_table *table, unsigned int size);
/* Under RCU. */
struct simnic_rule *simnic_table_lookup(struct simnic_table *table, const struct simnic_port *port,
					const struct simnic_key *key);
void simnic_rule_hit(struct simnic_rule *rule, unsigned int bytes);
/* Adds what is new since the last call. */
void simnic_rule_stats(struct simnic_rule *rule, bool lagging, struct flow_stats *stats);

#endif
