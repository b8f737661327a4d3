// SPDX-License-Identifier: GPL-2.0
/* /sys/kernel/debug/simnic/N/: what the table holds and counts, and knobs that make the NIC slow, full or broken. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "simnic.h"

static struct dentry *root;

static int table_show(struct seq_file *m, void *unused)
{
	struct simnic *nic = m->private;

	mutex_lock(&nic->firmware);
	simnic_table_show(nic->table, m);
	mutex_unlock(&nic->firmware);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(table);

static int counters_show(struct seq_file *m, void *unused)
{
	struct simnic *nic = m->private;

	mutex_lock(&nic->firmware);
	seq_printf(m, "rules %u\nsize %u\n", simnic_table_used(nic->table), simnic_table_size(nic->table));
	seq_printf(m, "inserted %llu\ndeleted %llu\n", nic->counters.inserted, nic->counters.deleted);
	seq_printf(m, "refused_match %llu\nrefused_action %llu\nrefused_full %llu\n", nic->counters.refused_match,
		   nic->counters.refused_action, nic->counters.refused_full);
	seq_printf(m, "injected_failures %llu\nstats_requests %llu\n", nic->counters.injected_failures,
		   nic->counters.stats_requests);
	seq_printf(m, "hw_packets %lld\nhw_misses %lld\n", (long long)atomic64_read(&nic->hw_packets),
		   (long long)atomic64_read(&nic->hw_misses));
	mutex_unlock(&nic->firmware);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int size_get(void *data, u64 *value)
{
	struct simnic *nic = data;

	*value = simnic_table_size(nic->table);
	return 0;
}

static int size_set(void *data, u64 value)
{
	struct simnic *nic = data;

	mutex_lock(&nic->firmware);
	simnic_table_resize(nic->table, value);
	mutex_unlock(&nic->firmware);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(size_fops, size_get, size_set, "%llu\n");

static int lag_get(void *data, u64 *value)
{
	struct simnic *nic = data;

	*value = nic->stats_lag_ms;
	return 0;
}

static int lag_set(void *data, u64 value)
{
	struct simnic *nic = data;

	mutex_lock(&nic->firmware);
	nic->stats_lag_ms = value;
	mutex_unlock(&nic->firmware);
	if (value)
		mod_delayed_work(system_wq, &nic->stats_work, msecs_to_jiffies(value));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(lag_fops, lag_get, lag_set, "%llu\n");

static int errno_get(void *data, u64 *value)
{
	struct simnic *nic = data;

	*value = nic->fail_errno;
	return 0;
}

static int errno_set(void *data, u64 value)
{
	struct simnic *nic = data;

	if (!value || value > MAX_ERRNO)
		return -EINVAL;
	nic->fail_errno = value;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(errno_fops, errno_get, errno_set, "%llu\n");

static int forbidden_show(struct seq_file *m, void *unused)
{
	simnic_match_show_forbidden(m, m->private);
	return 0;
}

static int forbidden_open(struct inode *inode, struct file *file)
{
	return single_open(file, forbidden_show, inode->i_private);
}

static ssize_t forbidden_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	struct seq_file *m = file->private_data;
	char *names = memdup_user_nul(from, min_t(size_t, len, 256));
	int err;

	if (IS_ERR(names))
		return PTR_ERR(names);
	err = simnic_match_forbid(m->private, names);
	kfree(names);
	return err ?: len;
}

static const struct file_operations forbidden_fops = {
	.owner = THIS_MODULE,
	.open = forbidden_open,
	.read = seq_read,
	.write = forbidden_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void simnic_debugfs_add(struct simnic *nic)
{
	char name[8];

	snprintf(name, sizeof(name), "%u", nic->id);
	nic->debugfs = debugfs_create_dir(name, root);
	debugfs_create_file("table", 0400, nic->debugfs, nic, &table_fops);
	debugfs_create_file("counters", 0400, nic->debugfs, nic, &counters_fops);
	debugfs_create_file("table_size", 0600, nic->debugfs, nic, &size_fops);
	debugfs_create_file("stats_lag_ms", 0600, nic->debugfs, nic, &lag_fops);
	debugfs_create_file("cannot_match", 0600, nic->debugfs, nic, &forbidden_fops);
	debugfs_create_u32("cannot_chain", 0600, nic->debugfs, &nic->cannot_chain);
	debugfs_create_u32("insert_delay_ms", 0600, nic->debugfs, &nic->insert_delay_ms);
	debugfs_create_u32("fail_next", 0600, nic->debugfs, &nic->fail_next);
	debugfs_create_file("fail_errno", 0600, nic->debugfs, nic, &errno_fops);
}

void simnic_debugfs_init(void)
{
	root = debugfs_create_dir(SIMNIC_DRIVER, NULL);
}

void simnic_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
