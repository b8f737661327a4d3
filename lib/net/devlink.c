// SPDX-License-Identifier: Apache-2.0
// devlink over generic netlink. See devlink.h.
#include "lib/net/devlink.h"

#include <errno.h>
#include <linux/devlink.h>
#include <linux/genetlink.h>
#include <stdio.h>

#include "lib/net/netlink.h"

struct request {
    uint8_t command;
    const char *device; // NULL: dump
};

// Builds the one message of a batch. 0 or -errno.
static int
build(struct nlk_sock *s, struct nlk_batch *b, const struct request *q)
{
    uint16_t family;
    int error = nlk_genl_family(s, DEVLINK_GENL_NAME, &family);
    if (error) {
        return error;
    }
    struct genlmsghdr *g = nlk_begin(b, family, 0, sizeof *g);
    g->cmd = q->command;
    g->version = DEVLINK_GENL_VERSION;
    if (q->device) {
        const char *slash = strchr(q->device, '/');
        char bus[32];
        if (!slash || (size_t) (slash - q->device) >= sizeof bus) {
            return -EINVAL;
        }
        memcpy(bus, q->device, (size_t) (slash - q->device));
        bus[slash - q->device] = '\0';
        nlk_put_str(b, DEVLINK_ATTR_BUS_NAME, bus);
        nlk_put_str(b, DEVLINK_ATTR_DEV_NAME, slash + 1);
    }
    return 0;
}

static int
parse(const struct nlk_msg *m, struct nlk_attr t[DEVLINK_ATTR_MAX + 1])
{
    if (m->len < sizeof(struct genlmsghdr)) {
        return -EBADMSG;
    }
    return nlk_parse(m->data + GENL_HDRLEN, m->len - GENL_HDRLEN, t, DEVLINK_ATTR_MAX + 1);
}

// --- Ports. ---

static const char *const flavours[] = {
    [DEVLINK_PORT_FLAVOUR_PHYSICAL] = "physical", [DEVLINK_PORT_FLAVOUR_CPU] = "cpu",
    [DEVLINK_PORT_FLAVOUR_DSA] = "dsa",           [DEVLINK_PORT_FLAVOUR_PCI_PF] = "pcipf",
    [DEVLINK_PORT_FLAVOUR_PCI_VF] = "pcivf",      [DEVLINK_PORT_FLAVOUR_VIRTUAL] = "virtual",
    [DEVLINK_PORT_FLAVOUR_UNUSED] = "unused",     [DEVLINK_PORT_FLAVOUR_PCI_SF] = "pcisf",
};

static int
number(const struct nlk_attr *a)
{
    if (!a->data) {
        return -1;
    }
    return a->len >= 4 ? (int) nlk_u32(a) : nlk_u16(a);
}

struct dump {
    void (*cb)(const struct devlink_port *, void *aux);
    void *aux;
};

static bool
port(const struct nlk_msg *m, void *d_)
{
    const struct dump *d = d_;
    struct nlk_attr t[DEVLINK_ATTR_MAX + 1];
    struct devlink_port p;

    if (parse(m, t)) {
        return true;
    }
    memset(&p, 0, sizeof p);
    snprintf(p.device, sizeof p.device, "%.20s/%.40s", nlk_str(&t[DEVLINK_ATTR_BUS_NAME]),
             nlk_str(&t[DEVLINK_ATTR_DEV_NAME]));
    p.index = nlk_u32(&t[DEVLINK_ATTR_PORT_INDEX]);
    p.ifindex = (int) nlk_u32(&t[DEVLINK_ATTR_PORT_NETDEV_IFINDEX]);
    const uint16_t flavour = nlk_u16(&t[DEVLINK_ATTR_PORT_FLAVOUR]);
    if (t[DEVLINK_ATTR_PORT_FLAVOUR].data && flavour < ARRAY_SIZE(flavours) && flavours[flavour]) {
        snprintf(p.flavour, sizeof p.flavour, "%s", flavours[flavour]);
    }
    p.controller = number(&t[DEVLINK_ATTR_PORT_CONTROLLER_NUMBER]);
    p.pf = number(&t[DEVLINK_ATTR_PORT_PCI_PF_NUMBER]);
    p.vf = number(&t[DEVLINK_ATTR_PORT_PCI_VF_NUMBER]);
    p.sf = number(&t[DEVLINK_ATTR_PORT_PCI_SF_NUMBER]);
    d->cb(&p, d->aux);
    return true;
}

int
devlink_ports(struct nlk_sock *s, void (*cb)(const struct devlink_port *, void *aux), void *aux)
{
    struct nlk_batch b;
    struct dump d = {cb, aux};
    nlk_batch_init(&b);
    int error = build(s, &b, &(struct request){DEVLINK_CMD_PORT_GET, NULL});
    if (!error) {
        error = nlk_dump(s, &b, port, &d);
    }
    nlk_batch_free(&b);
    return error;
}

// --- Devices. ---

static int
get(struct nlk_sock *s, const struct request *q, struct nlk_batch *b,
    struct nlk_attr t[DEVLINK_ATTR_MAX + 1])
{
    struct nlk_msg m;
    int error = build(s, b, q);
    if (!error) {
        error = nlk_request(s, b, &m, NULL);
    }
    return error ? error : parse(&m, t);
}

int
devlink_eswitch_mode(struct nlk_sock *s, const char *device, char mode[16])
{
    struct nlk_attr t[DEVLINK_ATTR_MAX + 1];
    struct nlk_batch b;
    mode[0] = '\0';
    nlk_batch_init(&b);
    int error = get(s, &(struct request){DEVLINK_CMD_ESWITCH_GET, device}, &b, t);
    if (!error && t[DEVLINK_ATTR_ESWITCH_MODE].data) {
        const uint16_t n = nlk_u16(&t[DEVLINK_ATTR_ESWITCH_MODE]);
        snprintf(mode, 16, "%s",
                 n == DEVLINK_ESWITCH_MODE_SWITCHDEV ? "switchdev"
                 : n == DEVLINK_ESWITCH_MODE_LEGACY  ? "legacy"
                                                     : "");
    }
    nlk_batch_free(&b);
    return error == -EOPNOTSUPP ? 0 : error;
}

// Of the versions that run, the one called "fw" or the first called fw.something.
static void
running_firmware(const struct nlk_msg *m, struct devlink_info *info)
{
    struct nlk_attr a, v[DEVLINK_ATTR_MAX + 1];
    size_t pos = 0;
    while (nlk_next(m->data + GENL_HDRLEN, m->len - GENL_HDRLEN, &pos, &a, NULL)) {
        if (a.type != DEVLINK_ATTR_INFO_VERSION_RUNNING || nlk_parse_nested(&a, v, ARRAY_SIZE(v))) {
            continue;
        }
        const char *name = nlk_str(&v[DEVLINK_ATTR_INFO_VERSION_NAME]);
        const bool exact = !strcmp(name, "fw");
        if (exact || (!strncmp(name, "fw.", 3) && !info->firmware[0])) {
            snprintf(info->firmware, sizeof info->firmware, "%.31s",
                     nlk_str(&v[DEVLINK_ATTR_INFO_VERSION_VALUE]));
        }
        if (exact) {
            return;
        }
    }
}

int
devlink_info_get(struct nlk_sock *s, const char *device, struct devlink_info *info)
{
    struct nlk_attr t[DEVLINK_ATTR_MAX + 1];
    struct nlk_batch b;
    memset(info, 0, sizeof *info);
    nlk_batch_init(&b);
    struct nlk_msg m;
    int error = build(s, &b, &(struct request){DEVLINK_CMD_INFO_GET, device});
    if (!error) {
        error = nlk_request(s, &b, &m, NULL);
    }
    if (!error) {
        error = parse(&m, t);
    }
    if (!error) {
        snprintf(info->driver, sizeof info->driver, "%.31s",
                 nlk_str(&t[DEVLINK_ATTR_INFO_DRIVER_NAME]));
        running_firmware(&m, info);
    }
    nlk_batch_free(&b);
    return error;
}
