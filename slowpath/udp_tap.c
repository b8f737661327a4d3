// SPDX-License-Identifier: Apache-2.0
// Internal ports: a TAP device that the host uses as its own, the switch's end being this
// descriptor. Frames carry a struct virtio_net_hdr, so that the host may leave checksums and
// segmentation to the port.
//
// Reference: Documentation/networking/tuntap.rst.
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "slowpath/udp_private.h"

LOG_MODULE(udp);

#define FRAME_BYTES (65536 + 64)

struct tap {
    uint8_t *buffers; // UDP_BATCH frames; pages are used as they are needed
};

static void
tap_close(struct udp_port *port)
{
    struct tap *t = port->state;
    if (port->fd >= 0) {
        close(port->fd);
    }
    free(t->buffers);
    free(t);
}

static int
tap_open(struct udp_port *port)
{
    struct tap *t = base_calloc(1, sizeof *t);
    port->state = t;
    struct ifreq ifr;
    memset(&ifr, 0, sizeof ifr);
    memcpy(ifr.ifr_name, port->name, sizeof ifr.ifr_name);
    ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    port->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    int error = port->fd < 0 || ioctl(port->fd, TUNSETIFF, &ifr) < 0 ? -errno : 0;
    if (error) {
        LOG_WARN("%s: could not make a TAP device: %s", port->name, base_strerror(error));
        tap_close(port);
        return error;
    }
    if (ioctl(port->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) {
        LOG_INFO("%s: the host finishes checksums itself: %s", port->name, base_strerror(errno));
    }
    port->ifindex = (int) if_nametoindex(port->name);
    t->buffers = base_malloc(UDP_BATCH * FRAME_BYTES);
    return 0;
}

static size_t
tap_rx(struct udp_port *port, struct udp_rx *rx, size_t max)
{
    const struct tap *t = port->state;
    size_t n = 0;
    while (n < max) {
        uint8_t *data = t->buffers + n * FRAME_BYTES;
        const ssize_t got = read(port->fd, data, FRAME_BYTES);
        if (got <= (ssize_t) UDP_VNET) {
            break;
        }
        memcpy(&rx[n].vnet, data, sizeof rx[n].vnet);
        packet_init_borrowed(&rx[n].packet, data + UDP_VNET, (size_t) got - UDP_VNET);
        rx[n].packet.head = UDP_VNET;
        n++;
    }
    return n;
}

static void
tap_rx_done(struct udp_port *port, size_t n)
{
}

static size_t
tap_tx(struct udp_port *port, struct udp_tx *tx, size_t n)
{
    size_t sent = 0;
    for (size_t i = 0; i < n; i++) {
        sent += write(port->fd, tx[i].vnet, UDP_VNET + tx[i].len) > 0;
    }
    return sent;
}

const struct udp_port_class udp_tap_class = {
    .type = "tap",
    .open = tap_open,
    .close = tap_close,
    .rx = tap_rx,
    .rx_done = tap_rx_done,
    .tx = tap_tx,
};
