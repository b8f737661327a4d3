// SPDX-License-Identifier: GPL-2.0
/*
 * Module entry: creates the NICs as platform devices, so that they have a place in sysfs:
 *   /sys/class/net/<uplink>/device -> /sys/devices/platform/simnic.N, with sriov_numvfs and sriov_totalvfs as PCI devices have.
 */
#include <linux/module.h>
#include <linux/platform_device.h>

#include "simnic.h"

#define MAX_NICS 8

static unsigned int nics = 1;
module_param(nics, uint, 0444);
MODULE_PARM_DESC(nics, "number of NICs to create");

static unsigned int vfs;
module_param(vfs, uint, 0444);
MODULE_PARM_DESC(vfs, "virtual functions that each NIC starts with (later: sriov_numvfs)");

static bool switchdev;
module_param(switchdev, bool, 0444);
MODULE_PARM_DESC(switchdev, "start in switchdev mode (later: devlink dev eswitch set)");

static struct platform_device *devices[MAX_NICS];

static ssize_t sriov_numvfs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct simnic *nic = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(nic->vfs));
}

static ssize_t sriov_numvfs_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t len)
{
	struct simnic *nic = dev_get_drvdata(dev);
	unsigned int n;
	int err;

	err = kstrtouint(buf, 0, &n);
	if (err)
		return err;
	devl_lock(nic->devlink);
	/* As PCI does: from some to another number only by way of 0. */
	if (n && nic->vfs && n != nic->vfs)
		err = -EBUSY;
	else
		err = simnic_set_vfs(nic, n);
	devl_unlock(nic->devlink);
	return err ?: len;
}
static DEVICE_ATTR_RW(sriov_numvfs);

static ssize_t sriov_totalvfs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", SIMNIC_MAX_VFS);
}
static DEVICE_ATTR_RO(sriov_totalvfs);

static struct attribute *simnic_attrs[] = { &dev_attr_sriov_numvfs.attr, &dev_attr_sriov_totalvfs.attr, NULL };
ATTRIBUTE_GROUPS(simnic);

static int simnic_probe(struct platform_device *pdev)
{
	struct simnic *nic;
	int err = 0;

	nic = simnic_create(&pdev->dev, pdev->id);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	platform_set_drvdata(pdev, nic);
	devl_lock(nic->devlink);
	if (switchdev)
		err = simnic_set_mode(nic, true, NULL);
	if (!err)
		err = simnic_set_vfs(nic, vfs);
	devl_unlock(nic->devlink);
	if (err)
		simnic_destroy(nic);
	return err;
}

static int simnic_remove(struct platform_device *pdev)
{
	simnic_destroy(platform_get_drvdata(pdev));
	return 0;
}

static struct platform_driver simnic_driver = {
	.probe = simnic_probe,
	.remove = simnic_remove,
	.driver = {
		.name = SIMNIC_DRIVER,
		.dev_groups = simnic_groups,
	},
};

static void remove_devices(void)
{
	unsigned int i;

	for (i = 0; i < MAX_NICS; i++) {
		platform_device_unregister(devices[i]);	/* NULL is fine */
		devices[i] = NULL;
	}
}

static int __init simnic_init(void)
{
	unsigned int i;
	int err;

	if (nics > MAX_NICS || vfs > SIMNIC_MAX_VFS) {
		pr_err("simnic: at most %u NICs with %u VFs each\n", MAX_NICS, SIMNIC_MAX_VFS);
		return -EINVAL;
	}
	simnic_debugfs_init();
	err = platform_driver_register(&simnic_driver);
	if (err)
		goto err_debugfs;
	for (i = 0; i < nics; i++) {
		struct platform_device *pdev = platform_device_register_simple(SIMNIC_DRIVER, i, NULL, 0);

		if (IS_ERR(pdev)) {
			err = PTR_ERR(pdev);
			goto err_devices;
		}
		devices[i] = pdev;
		if (!platform_get_drvdata(pdev)) {
			err = -ENODEV;	/* the probe failed; it has said why */
			goto err_devices;
		}
	}
	return 0;

err_devices:
	remove_devices();
	platform_driver_unregister(&simnic_driver);
err_debugfs:
	simnic_debugfs_exit();
	return err;
}

static void __exit simnic_exit(void)
{
	remove_devices();
	platform_driver_unregister(&simnic_driver);
	simnic_debugfs_exit();
}

module_init(simnic_init);
module_exit(simnic_exit);
MODULE_DESCRIPTION("simulated switchdev SmartNIC");
MODULE_LICENSE("GPL");
