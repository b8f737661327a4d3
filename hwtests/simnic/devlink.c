// SPDX-License-Identifier: GPL-2.0
/* What devlink shows and sets: eswitch mode, ports and their flavours, versions.  All callbacks come under devlink's lock. */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>

#include "simnic.h"

static int mode_get(struct devlink *devlink, u16 *mode)
{
	struct simnic *nic = devlink_priv(devlink);

	*mode = nic->switchdev ? DEVLINK_ESWITCH_MODE_SWITCHDEV : DEVLINK_ESWITCH_MODE_LEGACY;
	return 0;
}

static int mode_set(struct devlink *devlink, u16 mode, struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);

	if (mode != DEVLINK_ESWITCH_MODE_SWITCHDEV && mode != DEVLINK_ESWITCH_MODE_LEGACY) {
		NL_SET_ERR_MSG_MOD(extack, "the modes are legacy and switchdev");
		return -EOPNOTSUPP;
	}
	return simnic_set_mode(nic, mode == DEVLINK_ESWITCH_MODE_SWITCHDEV, extack);
}

static int info_get(struct devlink *devlink, struct devlink_info_req *req, struct netlink_ext_ack *extack)
{
	int err;

	err = devlink_info_driver_name_put(req, SIMNIC_DRIVER);
	if (err)
		return err;
	return devlink_info_version_running_put(req, DEVLINK_INFO_VERSION_GENERIC_FW, SIMNIC_FIRMWARE);
}

/* The function behind a VF's port is the VF; its address is its net device's. */
static struct net_device *vf_of(struct devlink_port *devlink_port)
{
	struct simnic_port *port = container_of(devlink_port, struct simnic_port, devlink);

	if (port->index == SIMNIC_UPLINK)
		return NULL;
	return rcu_dereference_protected(port->outside, devl_lock_is_held(port->nic->devlink));
}

static int address_get(struct devlink_port *port, u8 *address, int *len, struct netlink_ext_ack *extack)
{
	/* devlink_unregister() asks without devlink's lock. */
	struct simnic_port *sp = container_of(port, struct simnic_port, devlink);
	struct net_device *vf;

	rcu_read_lock();
	vf = sp->index == SIMNIC_UPLINK ? NULL : rcu_dereference(sp->outside);
	if (vf)
		ether_addr_copy(address, vf->dev_addr);
	rcu_read_unlock();
	*len = ETH_ALEN;
	return vf ? 0 : -EOPNOTSUPP;
}

static int address_set(struct devlink_port *port, const u8 *address, int len, struct netlink_ext_ack *extack)
{
	struct net_device *vf = vf_of(port);

	if (!vf)
		return -EOPNOTSUPP;
	if (len != ETH_ALEN || !is_valid_ether_addr(address)) {
		NL_SET_ERR_MSG_MOD(extack, "not the address of one Ethernet device");
		return -EINVAL;
	}
	rtnl_lock();
	eth_hw_addr_set(vf, address);
	call_netdevice_notifiers(NETDEV_CHANGEADDR, vf);
	rtnl_unlock();
	return 0;
}

const struct devlink_ops simnic_devlink_ops = {
	.eswitch_mode_get = mode_get,
	.eswitch_mode_set = mode_set,
	.info_get = info_get,
	.port_function_hw_addr_get = address_get,
	.port_function_hw_addr_set = address_set,
};

/* The uplink's port exists in both modes, so it leaves the switch id to the net device, which knows the mode. */
int simnic_devlink_port_add(struct simnic_port *port)
{
	struct devlink_port_attrs attrs = {};
	int err;

	memset(&port->devlink, 0, sizeof(port->devlink));
	if (port->index == SIMNIC_UPLINK) {
		attrs.flavour = DEVLINK_PORT_FLAVOUR_PHYSICAL;
		attrs.phys.port_number = port->nic->id;
		devlink_port_attrs_set(&port->devlink, &attrs);
	} else {
		port->devlink.attrs.switch_id = port->nic->switch_id;
		devlink_port_attrs_pci_vf_set(&port->devlink, 0, port->nic->id, port->index - 1, false);
	}
	err = devl_port_register(port->nic->devlink, &port->devlink, port->index);
	port->devlink_registered = !err;
	return err;
}

void simnic_devlink_port_del(struct simnic_port *port)
{
	if (!port->devlink_registered)
		return;
	port->devlink_registered = false;
	devl_port_unregister(&port->devlink);
}
