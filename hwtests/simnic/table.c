// SPDX-License-Identifier: GPL-2.0
/*
 * The flow table: rules in groups of one port, priority and mask.  A lookup goes through the port's groups in the order of
 * priority; each costs one probe of a hash table that all groups share.  Two rules with the same key may stand in one group
 * for a moment, while tc replaces a filter: the newer one is found.
 *
 * Writers hold simnic.firmware.  Groups and rules are freed after a grace period.
 */
#include <linux/jhash.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "simnic.h"

#define BUCKETS 16384

struct simnic_group {
	struct list_head list;		/* in table.groups[port], by priority; RCU */
	u32 prio;
	u32 salt;
	unsigned int rules;
	struct simnic_key mask;
	struct rcu_head rcu;
};

struct simnic_table {
	unsigned int size;
	unsigned int used;
	u32 salt;
	struct list_head groups[SIMNIC_PORTS];
	struct hlist_head by_key[BUCKETS];
	struct hlist_head by_cookie[BUCKETS];
};

struct simnic_table *simnic_table_create(unsigned int size)
{
	struct simnic_table *table = kvzalloc(sizeof(*table), GFP_KERNEL);
	unsigned int i;

	if (!table)
		return NULL;
	table->size = size;
	for (i = 0; i < SIMNIC_PORTS; i++)
		INIT_LIST_HEAD(&table->groups[i]);
	return table;
}

static void rule_free(struct rcu_head *rcu)
{
	struct simnic_rule *rule = container_of(rcu, struct simnic_rule, rcu);

	kfree(rule->actions);
	kfree(rule);
}

static void mask_key(struct simnic_key *to, const struct simnic_key *key, const struct simnic_key *mask)
{
	const u64 *k = (const u64 *)key, *m = (const u64 *)mask;
	u64 *t = (u64 *)to;
	unsigned int i;

	BUILD_BUG_ON(sizeof(struct simnic_key) % sizeof(u64));
	for (i = 0; i < sizeof(*to) / sizeof(u64); i++)
		t[i] = k[i] & m[i];
}

static struct hlist_head *key_bucket(struct simnic_table *table, const struct simnic_group *group,
				     const struct simnic_key *masked)
{
	return &table->by_key[jhash2((const u32 *)masked, sizeof(*masked) / sizeof(u32), group->salt) & (BUCKETS - 1)];
}

static struct hlist_head *cookie_bucket(struct simnic_table *table, const struct simnic_port *port, unsigned long cookie)
{
	return &table->by_cookie[jhash_3words((u32)cookie, (u32)((u64)cookie >> 32), port->index, 0) & (BUCKETS - 1)];
}

static struct simnic_group *find_group(struct simnic_table *table, const struct simnic_rule_spec *spec)
{
	struct simnic_group *group;

	list_for_each_entry(group, &table->groups[spec->port->index], list) {
		if (group->prio == spec->prio && !memcmp(&group->mask, &spec->mask, sizeof(group->mask)))
			return group;
	}
	return NULL;
}

static struct simnic_group *add_group(struct simnic_table *table, const struct simnic_rule_spec *spec)
{
	struct list_head *before = &table->groups[spec->port->index];
	struct simnic_group *group, *other;

	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return NULL;
	group->prio = spec->prio;
	group->mask = spec->mask;
	group->salt = ++table->salt;
	list_for_each_entry(other, &table->groups[spec->port->index], list) {
		if (other->prio > spec->prio) {
			before = &other->list;
			break;
		}
	}
	list_add_tail_rcu(&group->list, before);
	return group;
}

static void drop_group(struct simnic_group *group)
{
	list_del_rcu(&group->list);
	kfree_rcu(group, rcu);
}

int simnic_table_insert(struct simnic_table *table, const struct simnic_rule_spec *spec)
{
	struct simnic_group *group;
	struct simnic_rule *rule;

	if (table->used >= table->size)
		return -ENOSPC;
	rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	if (!rule)
		return -ENOMEM;
	group = find_group(table, spec) ?: add_group(table, spec);
	if (!group) {
		kfree(rule);
		return -ENOMEM;
	}
	spin_lock_init(&rule->lock);
	rule->group = group;
	rule->port = spec->port;
	rule->cookie = spec->cookie;
	rule->actions = spec->actions;
	rule->lastused = rule->seen_lastused = jiffies;
	mask_key(&rule->key, &spec->key, &spec->mask);
	hlist_add_head(&rule->by_cookie, cookie_bucket(table, spec->port, spec->cookie));
	hlist_add_head_rcu(&rule->by_key, key_bucket(table, group, &rule->key));
	group->rules++;
	spec->port->rules++;
	table->used++;
	return 0;
}

struct simnic_rule *simnic_table_find(struct simnic_table *table, const struct simnic_port *port, unsigned long cookie)
{
	struct simnic_rule *rule;

	hlist_for_each_entry(rule, cookie_bucket(table, port, cookie), by_cookie) {
		if (rule->cookie == cookie && rule->port == port)
			return rule;
	}
	return NULL;
}

void simnic_table_remove(struct simnic_table *table, struct simnic_rule *rule)
{
	hlist_del_rcu(&rule->by_key);
	hlist_del(&rule->by_cookie);
	rule->port->rules--;
	table->used--;
	if (--rule->group->rules == 0)
		drop_group(rule->group);
	call_rcu(&rule->rcu, rule_free);
}

struct simnic_rule *simnic_table_lookup(struct simnic_table *table, const struct simnic_port *port,
					const struct simnic_key *key)
{
	struct simnic_group *group;
	struct simnic_key masked;
	struct simnic_rule *rule;

	list_for_each_entry_rcu(group, &table->groups[port->index], list) {
		mask_key(&masked, key, &group->mask);
		hlist_for_each_entry_rcu(rule, key_bucket(table, group, &masked), by_key) {
			if (rule->group == group && !memcmp(&rule->key, &masked, sizeof(masked)))
				return rule;
		}
	}
	return NULL;
}

/* Calls fn for every rule; fn may remove the rule. */
static void for_each_rule(struct simnic_table *table, void (*fn)(struct simnic_table *, struct simnic_rule *, void *), void *aux)
{
	struct simnic_rule *rule;
	struct hlist_node *next;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		hlist_for_each_entry_safe(rule, next, &table->by_cookie[i], by_cookie)
			fn(table, rule, aux);
	}
}

static void forget_port(struct simnic_table *table, struct simnic_rule *rule, void *aux)
{
	unsigned int i;

	if (rule->port == aux) {
		simnic_table_remove(table, rule);
		return;
	}
	for (i = 0; i < rule->actions->n; i++) {
		struct simnic_action *action = &rule->actions->list[i];

		if ((action->type == SIMNIC_OUTPUT || action->type == SIMNIC_MIRROR) && action->port == aux)
			WRITE_ONCE(action->port, NULL);
	}
}

void simnic_table_forget_port(struct simnic_table *table, struct simnic_port *port)
{
	for_each_rule(table, forget_port, port);
}

static void publish(struct simnic_table *table, struct simnic_rule *rule, void *aux)
{
	spin_lock_bh(&rule->lock);
	rule->seen_packets = rule->packets;
	rule->seen_bytes = rule->bytes;
	rule->seen_lastused = rule->lastused;
	spin_unlock_bh(&rule->lock);
}

void simnic_table_publish(struct simnic_table *table)
{
	for_each_rule(table, publish, NULL);
}

static void remove_rule(struct simnic_table *table, struct simnic_rule *rule, void *aux)
{
	simnic_table_remove(table, rule);
}

void simnic_table_destroy(struct simnic_table *table)
{
	for_each_rule(table, remove_rule, NULL);
	rcu_barrier();	/* rule_free is this module's */
	kvfree(table);
}

void simnic_rule_hit(struct simnic_rule *rule, unsigned int bytes)
{
	spin_lock_bh(&rule->lock);
	rule->packets++;
	rule->bytes += bytes;
	rule->lastused = jiffies;
	spin_unlock_bh(&rule->lock);
}

void simnic_rule_stats(struct simnic_rule *rule, bool lagging, struct flow_stats *stats)
{
	spin_lock_bh(&rule->lock);
	if (!lagging) {
		rule->seen_packets = rule->packets;
		rule->seen_bytes = rule->bytes;
		rule->seen_lastused = rule->lastused;
	}
	flow_stats_update(stats, rule->seen_bytes - rule->told_bytes, rule->seen_packets - rule->told_packets, 0,
			  rule->seen_lastused, FLOW_ACTION_HW_STATS_DELAYED);
	rule->told_packets = rule->seen_packets;
	rule->told_bytes = rule->seen_bytes;
	spin_unlock_bh(&rule->lock);
}

unsigned int simnic_table_used(const struct simnic_table *table)
{
	return table->used;
}

unsigned int simnic_table_size(const struct simnic_table *table)
{
	return table->size;
}

/* Rules beyond the new size stay; they only keep others out. */
void simnic_table_resize(struct simnic_table *table, unsigned int size)
{
	table->size = size;
}

static void show(struct simnic_table *table, struct simnic_rule *rule, void *aux)
{
	struct seq_file *m = aux;
	char name[16];

	seq_printf(m, "port=%s prio=%u cookie=%lx packets=%llu bytes=%llu idle_ms=%u match:",
		   simnic_port_name(rule->port, name, sizeof(name)), rule->group->prio, rule->cookie, rule->packets,
		   rule->bytes, jiffies_to_msecs(jiffies - rule->lastused));
	simnic_match_show(m, &rule->key, &rule->group->mask);
	seq_puts(m, " actions:");
	simnic_actions_show(m, rule->actions);
	seq_putc(m, '\n');
}

void simnic_table_show(struct simnic_table *table, struct seq_file *m)
{
	for_each_rule(table, show, m);
}
