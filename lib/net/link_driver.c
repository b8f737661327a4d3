// SPDX-License-Identifier: Apache-2.0
// What ethtool knows of a device: driver, speed, link modes as OpenFlow port features,
// hw-tc-offload. See link.h.
//
// References: linux/ethtool.h; OpenFlow 1.1, A.2.1 (ofp_port_features).
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/net/link.h"

enum { // OpenFlow 1.1 port features
    F_10_HD = 1 << 0,
    F_10_FD = 1 << 1,
    F_100_HD = 1 << 2,
    F_100_FD = 1 << 3,
    F_1G_HD = 1 << 4,
    F_1G_FD = 1 << 5,
    F_10G = 1 << 6,
    F_40G = 1 << 7,
    F_100G = 1 << 8,
    F_1T = 1 << 9,
    F_OTHER = 1 << 10,
    F_COPPER = 1 << 11,
    F_FIBER = 1 << 12,
    F_AUTONEG = 1 << 13,
    F_PAUSE = 1 << 14,
    F_PAUSE_ASYM = 1 << 15,
};

#define MODE(NAME, FEATURES) [ETHTOOL_LINK_MODE_##NAME##_BIT] = FEATURES
static const uint32_t mode_features[] = {
    // by link mode; 0: a rate that OpenFlow has no bit for
    MODE(10baseT_Half, F_10_HD),
    MODE(10baseT_Full, F_10_FD),
    MODE(100baseT_Half, F_100_HD),
    MODE(100baseT_Full, F_100_FD),
    MODE(1000baseT_Half, F_1G_HD),
    MODE(1000baseT_Full, F_1G_FD),
    MODE(Autoneg, F_AUTONEG),
    MODE(TP, F_COPPER),
    MODE(AUI, F_COPPER),
    MODE(MII, F_COPPER),
    MODE(FIBRE, F_FIBER),
    MODE(BNC, F_COPPER),
    MODE(10000baseT_Full, F_10G),
    MODE(Pause, F_PAUSE),
    MODE(Asym_Pause, F_PAUSE_ASYM),
    MODE(2500baseX_Full, F_OTHER),
    MODE(1000baseKX_Full, F_1G_FD),
    MODE(10000baseKX4_Full, F_10G),
    MODE(10000baseKR_Full, F_10G),
    MODE(20000baseMLD2_Full, F_OTHER),
    MODE(20000baseKR2_Full, F_OTHER),
    MODE(40000baseKR4_Full, F_40G),
    MODE(40000baseCR4_Full, F_40G),
    MODE(40000baseSR4_Full, F_40G),
    MODE(40000baseLR4_Full, F_40G),
    MODE(56000baseKR4_Full, F_OTHER),
    MODE(25000baseCR_Full, F_OTHER),
    MODE(25000baseKR_Full, F_OTHER),
    MODE(25000baseSR_Full, F_OTHER),
    MODE(50000baseCR2_Full, F_OTHER),
    MODE(50000baseKR2_Full, F_OTHER),
    MODE(50000baseSR2_Full, F_OTHER),
    MODE(100000baseKR4_Full, F_100G),
    MODE(100000baseSR4_Full, F_100G),
    MODE(100000baseCR4_Full, F_100G),
    MODE(100000baseLR4_ER4_Full, F_100G),
    MODE(1000baseX_Full, F_1G_FD),
    MODE(10000baseCR_Full, F_10G),
    MODE(10000baseSR_Full, F_10G),
    MODE(10000baseLR_Full, F_10G),
    MODE(10000baseLRM_Full, F_10G),
    MODE(10000baseER_Full, F_10G),
    MODE(100000baseKR2_Full, F_100G),
    MODE(100000baseSR2_Full, F_100G),
    MODE(100000baseCR2_Full, F_100G),
    MODE(100000baseDR2_Full, F_100G),
    MODE(200000baseKR4_Full, F_OTHER),
    MODE(200000baseSR4_Full, F_OTHER),
    MODE(200000baseCR4_Full, F_OTHER),
};
#undef MODE

static uint32_t
features_of_modes(const uint32_t *words, size_t n_words)
{
    uint32_t features = 0;
    for (size_t i = 0; i < ARRAY_SIZE(mode_features) && i / 32 < n_words; i++) {
        if (words[i / 32] >> (i % 32) & 1) {
            features |= mode_features[i];
        }
    }
    return features;
}

static uint32_t
features_of_speed(uint32_t mbps, bool full)
{
    switch (mbps) {
    case 0:
        return 0;
    case 10:
        return full ? F_10_FD : F_10_HD;
    case 100:
        return full ? F_100_FD : F_100_HD;
    case 1000:
        return full ? F_1G_FD : F_1G_HD;
    case 10000:
        return F_10G;
    case 40000:
        return F_40G;
    case 100000:
        return F_100G;
    case 1000000:
        return F_1T;
    default:
        return F_OTHER;
    }
}

// One ethtool request; `data` starts with its command number. 0 or -errno.
static int
ethtool(int fd, const char *name, void *data)
{
    struct ifreq req;

    memset(&req, 0, sizeof req);
    memcpy(req.ifr_name, name, strlen(name));
    req.ifr_data = data;
    return ioctl(fd, SIOCETHTOOL, &req) ? -errno : 0;
}

static int
open_for(const char *name)
{
    if (strlen(name) >= IFNAMSIZ) {
        return -ENODEV;
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static void
get_settings(int fd, const char *name, struct link_driver *d)
{
    enum { MAX_WORDS = 127 };
    struct {
        struct ethtool_link_settings s;
        uint32_t masks[3 * MAX_WORDS];
    } q;

    memset(&q, 0, sizeof q);
    q.s.cmd = ETHTOOL_GLINKSETTINGS;
    if (ethtool(fd, name, &q) || q.s.link_mode_masks_nwords >= 0) {
        return; // the kernel answers the first request with the negated size of its masks
    }
    const int n = -q.s.link_mode_masks_nwords;
    memset(&q, 0, sizeof q);
    q.s.cmd = ETHTOOL_GLINKSETTINGS;
    q.s.link_mode_masks_nwords = n;
    if (n > MAX_WORDS || ethtool(fd, name, &q) || q.s.link_mode_masks_nwords != n) {
        return;
    }
    d->speed_mbps = q.s.speed == (uint32_t) SPEED_UNKNOWN ? 0 : q.s.speed;
    d->full_duplex = q.s.duplex == DUPLEX_FULL;
    d->of_supported = features_of_modes(q.masks, n);
    d->of_advertised = features_of_modes(q.masks + n, n);
    d->of_peer = features_of_modes(q.masks + 2 * n, n);
    d->of_curr = features_of_speed(d->speed_mbps, d->full_duplex);
    if (q.s.port == PORT_TP) {
        d->of_curr |= F_COPPER;
    } else if (q.s.port == PORT_FIBRE) {
        d->of_curr |= F_FIBER;
    }
    if (q.s.autoneg == AUTONEG_ENABLE) {
        d->of_curr |= F_AUTONEG;
    }
}

int
link_driver_get(const char *name, struct link_driver *d)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

    memset(d, 0, sizeof *d);
    int fd = open_for(name);
    if (fd < 0) {
        return fd;
    }
    int error = ethtool(fd, name, &info);
    if (!error) {
        memcpy(d->driver, info.driver, sizeof d->driver - 1);
        memcpy(d->version, info.version, sizeof d->version - 1);
        memcpy(d->firmware, info.fw_version, sizeof d->firmware - 1);
        memcpy(d->bus_info, info.bus_info, sizeof d->bus_info - 1);
    }
    get_settings(fd, name, d);
    close(fd);
    return error == -EOPNOTSUPP ? 0 : error;
}

// Number of the feature called `wanted` among *n, or -1.
static int
find_feature(int fd, const char *name, const char *wanted, uint32_t *n)
{
    struct {
        struct ethtool_sset_info info;
        uint32_t count;
    } q = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = UINT64_C(1) << ETH_SS_FEATURES}};
    int found = -1;

    if (ethtool(fd, name, &q) || !q.info.sset_mask || q.count > 4096) {
        return -1;
    }
    struct ethtool_gstrings *s = base_calloc(1, sizeof *s + (size_t) q.count * ETH_GSTRING_LEN);
    s->cmd = ETHTOOL_GSTRINGS;
    s->string_set = ETH_SS_FEATURES;
    s->len = q.count;
    if (!ethtool(fd, name, s)) {
        for (uint32_t i = 0; i < MIN(s->len, q.count) && found < 0; i++) {
            const char *text = (const char *) s->data + (size_t) i * ETH_GSTRING_LEN;
            found = strncmp(text, wanted, ETH_GSTRING_LEN) ? -1 : (int) i;
        }
    }
    free(s);
    *n = q.count;
    return found;
}

bool
link_hw_tc_offload(const char *name)
{
    bool on = false;
    uint32_t n;

    int fd = open_for(name);
    if (fd < 0) {
        return false;
    }
    const int i = find_feature(fd, name, "hw-tc-offload", &n);
    if (i >= 0) {
        const uint32_t blocks = DIV_ROUND_UP(n, 32);
        struct ethtool_gfeatures *f = base_calloc(1, sizeof *f + blocks * sizeof f->features[0]);
        f->cmd = ETHTOOL_GFEATURES;
        f->size = blocks;
        on = !ethtool(fd, name, f) && f->features[i / 32].active >> (i % 32) & 1;
        free(f);
    }
    close(fd);
    return on;
}
