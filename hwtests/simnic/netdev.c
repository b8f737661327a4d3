// SPDX-License-Identifier: GPL-2.0
/*
 * Net devices, of four kinds (N: NIC, V: virtual function):
 *   uplink           nicN        inside of port 0: the PF's device
 *   wire             nicNwire    outside of port 0: what is at the other end of the cable
 *   representor      nicN_V      inside of VF V, in switchdev mode only
 *   VF               nicNvfV     outside of VF V
 * None has segmentation, checksum or VLAN offloads, so each packet is on the "wire" as it will be seen in captures.
 * Software counters (ip -s link) count what a device itself sent and received, so the insides' stay flat while the table forwards.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <net/pkt_cls.h>

#include "simnic.h"

static const struct net_device_ops simnic_inside_ops;
static const struct net_device_ops simnic_outside_ops;

bool simnic_is_inside(const struct net_device *dev)
{
	return dev->netdev_ops == &simnic_inside_ops;
}

static netdev_tx_t xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct simnic_netdev *priv = netdev_priv(dev);

	dev_sw_netstats_tx_add(dev, 1, skb->len);
	if (priv->inside)
		simnic_from_inside(priv->port, skb);
	else
		simnic_from_outside(priv->port, skb);
	return NETDEV_TX_OK;
}

static int set_chain(struct sk_buff *skb, u32 chain)
{
#if IS_ENABLED(CONFIG_NET_TC_SKB_EXT)
	struct tc_skb_ext *ext = tc_skb_ext_alloc(skb);

	if (!ext)
		return -ENOMEM;
	ext->chain = chain;
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

void simnic_receive(struct net_device *dev, struct sk_buff *skb, u32 chain)
{
	unsigned int len = skb->len;

	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb_clear_hash(skb);
	skb->ip_summed = CHECKSUM_NONE;
	skb->priority = 0;
	if (!is_skb_forwardable(dev, skb) || (chain && set_chain(skb, chain))) {
		dev_core_stats_rx_dropped_inc(dev);
		kfree_skb(skb);
		return;
	}
	skb->protocol = eth_type_trans(skb, dev);
	if (netif_rx(skb) == NET_RX_SUCCESS)
		dev_sw_netstats_rx_add(dev, len);
}

/* The uplink's switch id comes and goes with the mode.  Representors have theirs through their devlink port. */
static int parent_id(struct net_device *dev, struct netdev_phys_item_id *id)
{
	struct simnic_netdev *priv = netdev_priv(dev);

	if (priv->port->index != SIMNIC_UPLINK || !READ_ONCE(priv->port->nic->switchdev))
		return -EOPNOTSUPP;
	*id = priv->port->nic->switch_id;
	return 0;
}

static struct devlink_port *devlink_port_of(struct net_device *dev)
{
	struct simnic_netdev *priv = netdev_priv(dev);

	return &priv->port->devlink;
}

static int set_features(struct net_device *dev, netdev_features_t features)
{
	struct simnic_netdev *priv = netdev_priv(dev);
	struct simnic_port *port = priv->port;
	bool busy;

	if (!((dev->features ^ features) & NETIF_F_HW_TC) || (features & NETIF_F_HW_TC))
		return 0;
	mutex_lock(&port->nic->firmware);
	busy = port->rules;
	mutex_unlock(&port->nic->firmware);
	if (!busy)
		return 0;
	netdev_err(dev, "hw-tc-offload cannot be switched off while the table has rules of this port\n");
	return -EBUSY;
}

static int open(struct net_device *dev)
{
	netif_start_queue(dev);
	return 0;
}

static int stop(struct net_device *dev)
{
	netif_stop_queue(dev);
	return 0;
}

static const struct net_device_ops simnic_inside_ops = {
	.ndo_open = open,
	.ndo_stop = stop,
	.ndo_start_xmit = xmit,
	.ndo_get_stats64 = dev_get_tstats64,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_setup_tc = simnic_setup_tc,
	.ndo_set_features = set_features,
	.ndo_get_port_parent_id = parent_id,
	.ndo_get_devlink_port = devlink_port_of,
};

static const struct net_device_ops simnic_outside_ops = {
	.ndo_open = open,
	.ndo_stop = stop,
	.ndo_start_xmit = xmit,
	.ndo_get_stats64 = dev_get_tstats64,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	struct simnic_netdev *priv = netdev_priv(dev);
	const char *name = SIMNIC_DRIVER;

	if (priv->port->index != SIMNIC_UPLINK)
		name = priv->inside ? SIMNIC_DRIVER "_rep" : SIMNIC_DRIVER "_vf";
	else if (!priv->inside)
		name = SIMNIC_DRIVER "_wire";
	strscpy(info->driver, name, sizeof(info->driver));
	if (priv->inside) {
		strscpy(info->fw_version, SIMNIC_FIRMWARE, sizeof(info->fw_version));
		strscpy(info->bus_info, dev_name(priv->port->nic->dev), sizeof(info->bus_info));
	}
}

static int link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *settings)
{
	settings->base.speed = SPEED_25000;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static const struct ethtool_ops simnic_ethtool_ops = {
	.get_drvinfo = drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = link_ksettings,
};

static void setup(struct net_device *dev)
{
	ether_setup(dev);
	eth_hw_addr_random(dev);
	dev->ethtool_ops = &simnic_ethtool_ops;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	dev->max_mtu = 9000;
	dev->features |= NETIF_F_LLTX;
}

static void name_of(const struct simnic_port *port, bool inside, char *name)
{
	unsigned int nic = port->nic->id;

	if (port->index == SIMNIC_UPLINK)
		snprintf(name, IFNAMSIZ, inside ? "nic%u" : "nic%uwire", nic);
	else
		snprintf(name, IFNAMSIZ, inside ? "nic%u_%u" : "nic%uvf%u", nic, port->index - 1);
}

struct net_device *simnic_netdev_create(struct simnic_port *port, bool inside)
{
	struct simnic_netdev *priv;
	struct net_device *dev;
	char name[IFNAMSIZ];
	int err = -ENOMEM;

	name_of(port, inside, name);
	dev = alloc_netdev(sizeof(*priv), name, NET_NAME_ENUM, setup);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	priv = netdev_priv(dev);
	priv->port = port;
	priv->inside = inside;
	dev->netdev_ops = inside ? &simnic_inside_ops : &simnic_outside_ops;
	if (inside) {
		SET_NETDEV_DEV(dev, port->nic->dev);
		dev->features |= NETIF_F_NETNS_LOCAL;
		dev->hw_features |= NETIF_F_HW_TC;
		/* Representors come with tc offload switched on, the uplink waits for ethtool. */
		if (port->index != SIMNIC_UPLINK)
			dev->features |= NETIF_F_HW_TC;
	}
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats)
		goto err_dev;
	err = register_netdev(dev);
	if (err)
		goto err_stats;
	if (inside)
		devlink_port_type_eth_set(&port->devlink, dev);
	return dev;

err_stats:
	free_percpu(dev->tstats);
err_dev:
	free_netdev(dev);
	return ERR_PTR(err);
}

void simnic_netdev_destroy(struct net_device *dev)
{
	unregister_netdev(dev);
	free_percpu(dev->tstats);
	free_netdev(dev);
}
