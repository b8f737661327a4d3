// SPDX-License-Identifier: Apache-2.0
// Facts about a port's device: eswitch, devlink port, driver, firmware, hw-tc-offload, rdma device.
// Names are never looked at for what they might mean.
//
// References: linux/if_link.h (IFLA_PHYS_SWITCH_ID); rdma-core, libibverbs.
#include "config.h"

#include <dirent.h>
#include <infiniband/verbs.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/net/devlink.h"
#include "lib/net/link.h"
#include "offload/ofl_private.h"

struct nic_facts { // of one devlink device
    char device[64];
    char mode[16];
    struct devlink_info info;
};

struct ofl_probe {
    struct nlk_sock *route, *genl; // NULL: not to be had
    struct devlink_port *ports;
    size_t n_ports, cap_ports;
    struct nic_facts *nics; // asked for since the last refresh
    size_t n_nics, cap_nics;
    struct ibv_device **rdma; // NULL-terminated; NULL
};

struct ofl_probe *
ofl_probe_new(void)
{
    struct ofl_probe *p = base_calloc(1, sizeof *p);
    if (nlk_open(NLK_ROUTE, &p->route)) {
        p->route = NULL;
    }
    if (nlk_open(NLK_GENERIC, &p->genl)) {
        p->genl = NULL;
    }
    return p;
}

void
ofl_probe_free(struct ofl_probe *p)
{
    nlk_close(p->route);
    nlk_close(p->genl);
    if (p->rdma) {
        ibv_free_device_list(p->rdma);
    }
    free(p->ports);
    free(p->nics);
    free(p);
}

static void
keep_port(const struct devlink_port *port, void *p_)
{
    struct ofl_probe *p = p_;
    if (p->n_ports == p->cap_ports) {
        p->ports = base_grow(p->ports, &p->cap_ports, sizeof *p->ports);
    }
    p->ports[p->n_ports++] = *port;
}

void
ofl_probe_refresh(struct ofl_probe *p)
{
    p->n_ports = p->n_nics = 0;
    if (p->genl) {
        devlink_ports(p->genl, keep_port, p);
    }
    if (p->rdma) {
        ibv_free_device_list(p->rdma);
    }
    p->rdma = ibv_get_device_list(NULL);
}

// --- The device itself. ---

static void
probe_link(struct ofl_probe *p, int ifindex, struct ofl_port_info *info)
{
    struct nlk_attr t[IFLA_MAX + 1];
    struct nlk_batch b;
    struct nlk_msg m;

    nlk_batch_init(&b);
    struct ifinfomsg *i = nlk_begin(&b, RTM_GETLINK, 0, sizeof *i);
    i->ifi_index = ifindex;
    if (p->route && !nlk_request(p->route, &b, &m, NULL) && m.len >= sizeof *i &&
        !nlk_parse(m.data + NLMSG_ALIGN(sizeof *i), m.len - NLMSG_ALIGN(sizeof *i), t,
                   ARRAY_SIZE(t))) {
        info->mtu = nlk_u32(&t[IFLA_MTU]);
        snprintf(info->name, sizeof info->name, "%.15s", nlk_str(&t[IFLA_IFNAME]));
        if (t[IFLA_ADDRESS].len == sizeof info->mac) {
            memcpy(info->mac, t[IFLA_ADDRESS].data, sizeof info->mac);
        }
        const struct nlk_attr *id = &t[IFLA_PHYS_SWITCH_ID];
        for (size_t j = 0; j < id->len && j < (sizeof info->switch_id - 1) / 2; j++) {
            snprintf(info->switch_id + 2 * j, 3, "%02x", ((const uint8_t *) id->data)[j]);
        }
    } else {
        info->ifindex = 0; // it has gone
    }
    nlk_batch_free(&b);
}

// Representors share a device: it is asked once.
static const struct nic_facts *
facts_of(struct ofl_probe *p, const char *device)
{
    for (size_t i = 0; i < p->n_nics; i++) {
        if (!strcmp(p->nics[i].device, device)) {
            return &p->nics[i];
        }
    }
    if (p->n_nics == p->cap_nics) {
        p->nics = base_grow(p->nics, &p->cap_nics, sizeof *p->nics);
    }
    struct nic_facts *f = &p->nics[p->n_nics++];
    memset(f, 0, sizeof *f);
    snprintf(f->device, sizeof f->device, "%s", device);
    devlink_eswitch_mode(p->genl, device, f->mode);
    devlink_info_get(p->genl, device, &f->info);
    return f;
}

static void
probe_devlink(struct ofl_probe *p, int ifindex, struct ofl_port_info *info)
{
    for (size_t i = 0; i < p->n_ports; i++) {
        const struct devlink_port *d = &p->ports[i];
        if (d->ifindex != ifindex) {
            continue;
        }
        snprintf(info->flavour, sizeof info->flavour, "%s", d->flavour);
        snprintf(info->devlink, sizeof info->devlink, "%s", d->device);
        info->controller = d->controller;
        info->pf = d->pf;
        info->vf = d->vf;
        info->sf = d->sf;
        const struct nic_facts *f = facts_of(p, d->device);
        memcpy(info->eswitch_mode, f->mode, sizeof info->eswitch_mode);
        memcpy(info->driver, f->info.driver, sizeof info->driver);
        memcpy(info->firmware, f->info.firmware, sizeof info->firmware);
        return;
    }
}

// --- rdma. ---

// The network devices of an rdma port: one a GID.
static bool
rdma_port_is(const char *path, const char *port, const char *name)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/ports/%s/gid_attrs/ndevs", path, port);
    DIR *d = opendir(dir);
    bool found = false;
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        char file[PATH_MAX + NAME_MAX + 2], text[32] = "";
        if (e->d_name[0] == '.') {
            continue;
        }
        snprintf(file, sizeof file, "%s/%s", dir, e->d_name);
        FILE *f = fopen(file, "r");
        if (f) {
            if (fgets(text, sizeof text, f)) {
                text[strcspn(text, "\n")] = '\0';
                found = !strcmp(text, name);
            }
            fclose(f);
        }
    }
    if (d) {
        closedir(d);
    }
    return found;
}

static void
probe_rdma(struct ofl_probe *p, struct ofl_port_info *info)
{
    snprintf(info->rdma, sizeof info->rdma, "none");
    for (size_t i = 0; p->rdma && p->rdma[i]; i++) {
        char dir[PATH_MAX];
        snprintf(dir, sizeof dir, "%.300s/ports", p->rdma[i]->ibdev_path);
        DIR *d = opendir(dir);
        for (struct dirent *e; d && (e = readdir(d));) {
            if (e->d_name[0] != '.' &&
                rdma_port_is(p->rdma[i]->ibdev_path, e->d_name, info->name)) {
                snprintf(info->rdma, sizeof info->rdma, "%.31s", ibv_get_device_name(p->rdma[i]));
                info->rdma_port = atoi(e->d_name);
                break;
            }
        }
        if (d) {
            closedir(d);
        }
        if (info->rdma_port) {
            return;
        }
    }
}

// --- All of it. ---

void
ofl_probe_port(struct ofl_probe *p, const struct ofl_port *port, struct ofl_port_info *info)
{
    memset(info, 0, sizeof *info);
    info->dp_port = port->dp_port;
    info->ifindex = port->ifindex;
    info->controller = info->pf = info->vf = info->sf = -1;
    snprintf(info->name, sizeof info->name, "%s", port->name);
    reason_clear(&info->reason);
    if (port->ifindex) {
        probe_link(p, port->ifindex, info);
    }
    if (info->ifindex) {
        struct link_driver d;
        probe_devlink(p, port->ifindex, info);
        if (!link_driver_get(info->name, &d)) {
            if (!info->driver[0]) {
                memcpy(info->driver, d.driver, sizeof info->driver);
            }
            if (!info->firmware[0]) {
                memcpy(info->firmware, d.firmware, sizeof info->firmware);
            }
        }
        info->hw_tc_offload = link_hw_tc_offload(info->name);
    }
    probe_rdma(p, info);

    if (!info->ifindex) {
        reason_set(&info->reason, REASON_PORT_NO_IFINDEX, FIELD_COUNT, 0, "%s", info->name);
    } else if (port->internal || !info->switch_id[0]) {
        reason_set(&info->reason, REASON_PORT_NOT_SWITCHDEV, FIELD_COUNT, 0, "%s", info->name);
    } else if (!info->hw_tc_offload) {
        reason_set(&info->reason, REASON_PORT_HW_TC_OFF, FIELD_COUNT, 0, "%s", info->name);
    }
}
