// SPDX-License-Identifier: Apache-2.0
// Ports on existing devices: a packet(7) socket with a memory-mapped ring for receiving
// (TPACKET_V2: each frame is visible at once, no block has to fill up), sendmmsg(2) for sending. A
// frame goes from the ring to the kernel without being copied in between.
//
// Frames come and go with a struct virtio_net_hdr (PACKET_VNET_HDR): local peers leave checksums
// and segmentation to "hardware", and get the same back. A frame that doesn't fit its place in the
// ring (segments to be cut) is also put into the socket's queue (PACKET_COPY_THRESH) and read from
// there, in its turn. The VLAN tag, which the kernel keeps beside the frame, is put back.
//
// References: packet(7), Documentation/networking/packet_mmap.rst.
#include "config.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "slowpath/udp_private.h"

LOG_MODULE(udp);

#define RING_BYTES (2 * 1024 * 1024)
#define BLOCK_BYTES (64 * 1024)
#define SOCKET_BYTES (4 * 1024 * 1024)
#define MARGIN 256  // ring header, address, headroom
#define HEADROOM 16 // room for a tag to be put back
#define BIG_BYTES (128 * 1024)

struct ring {
    uint8_t *map;
    size_t size, frame_size, per_block, n;
    size_t first, next; // frames of the present batch, and skipped ones, are those in between
    uint8_t *big;       // of a batch's last frame, when it didn't fit
};

static struct tpacket2_hdr *
frame_at(const struct ring *r, size_t i)
{
    return (void *) (r->map + i / r->per_block * BLOCK_BYTES + i % r->per_block * r->frame_size);
}

static int
set_int(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int
map_ring(int fd, struct ring *r, unsigned mtu)
{
    r->frame_size = ROUND_UP(MAX(mtu + 18 + MARGIN, 2048u), 512);
    if (r->frame_size > BLOCK_BYTES) {
        r->frame_size = BLOCK_BYTES;
    }
    r->per_block = BLOCK_BYTES / r->frame_size;
    r->size = RING_BYTES;
    r->n = r->size / BLOCK_BYTES * r->per_block;
    const struct tpacket_req req = {.tp_block_size = BLOCK_BYTES,
                                    .tp_block_nr = (unsigned) (r->size / BLOCK_BYTES),
                                    .tp_frame_size = (unsigned) r->frame_size,
                                    .tp_frame_nr = (unsigned) r->n};
    if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req) < 0) {
        return -errno;
    }
    r->map = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return r->map == MAP_FAILED ? -errno : 0;
}

static int
set_up(struct udp_port *port, struct ring *r, unsigned mtu)
{
    const int fd = port->fd, bytes = SOCKET_BYTES;
    int error = set_int(fd, PACKET_VERSION, TPACKET_V2);
    error = error ? error : set_int(fd, PACKET_RESERVE, HEADROOM);
    error = error ? error : set_int(fd, PACKET_VNET_HDR, 1);
    error = error ? error : set_int(fd, PACKET_COPY_THRESH, 1);
    if (error) {
        return error;
    }
    set_int(fd, PACKET_IGNORE_OUTGOING,
            1); // Linux 4.20; before, frame_is_outgoing() sorts them out
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    error = map_ring(fd, r, mtu);
    if (error) {
        return error;
    }
    const struct sockaddr_ll addr = {
        .sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_ALL), .sll_ifindex = port->ifindex};
    if (bind(fd, (const struct sockaddr *) &addr, sizeof addr) < 0) {
        return -errno;
    }
    const struct packet_mreq promisc = {.mr_ifindex = port->ifindex, .mr_type = PACKET_MR_PROMISC};
    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof promisc) < 0 ? -errno
                                                                                           : 0;
}

static void
packet_close(struct udp_port *port)
{
    struct ring *r = port->state;
    if (r->map && r->map != MAP_FAILED) {
        munmap(r->map, r->size);
    }
    if (port->fd >= 0) {
        close(port->fd);
    }
    free(r->big);
    free(r);
}

static int
packet_open(struct udp_port *port)
{
    struct ifreq ifr;
    memset(&ifr, 0, sizeof ifr);
    memcpy(ifr.ifr_name, port->name, sizeof ifr.ifr_name);
    port->ifindex = (int) if_nametoindex(port->name);
    if (!port->ifindex) {
        return -ENODEV;
    }
    struct ring *r = base_calloc(1, sizeof *r);
    port->state = r;
    // Protocol 0: nothing arrives before bind().
    port->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = port->fd < 0 ? -errno : ioctl(port->fd, SIOCGIFMTU, &ifr) < 0 ? -errno : 0;
    error = error ? error : set_up(port, r, (unsigned) ifr.ifr_mtu);
    if (error) {
        LOG_WARN("%s: could not receive from the device: %s", port->name, base_strerror(error));
        packet_close(port);
    }
    return error;
}

// --- Receiving. ---

static bool
frame_is_outgoing(const struct tpacket2_hdr *h)
{
    const struct sockaddr_ll *from =
        (const void *) ((const uint8_t *) h + TPACKET_ALIGN(sizeof *h));
    return from->sll_pkttype == PACKET_OUTGOING;
}

// The tag goes back to where it was: the 12 bytes before move.
static void
restore_tag(struct udp_rx *rx, const struct tpacket2_hdr *h, uint32_t status)
{
    struct packet *p = &rx->packet;
    const be16_t tpid = htobe16(status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q);
    const be16_t tci = htobe16(h->tp_vlan_tci);
    if (p->len < 12) {
        return;
    }
    memmove(p->data - 4, p->data, 12);
    p->data -= 4;
    p->head -= 4;
    p->len += 4;
    memcpy(p->data + 12, &tpid, 2);
    memcpy(p->data + 14, &tci, 2);
    rx->vnet.csum_start += rx->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM ? 4 : 0;
}

// A frame that the ring has only the beginning of: all of it is next in the socket's queue.
static bool
read_big(const struct udp_port *port, struct ring *r, struct udp_rx *rx)
{
    if (!r->big) {
        r->big = base_malloc(BIG_BYTES);
    }
    struct iovec iov[2] = {{&rx->vnet, sizeof rx->vnet}, {r->big + HEADROOM, BIG_BYTES - HEADROOM}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    const ssize_t n = recvmsg(port->fd, &msg, MSG_DONTWAIT);
    if (n <= (ssize_t) sizeof rx->vnet || msg.msg_flags & MSG_TRUNC) {
        return false;
    }
    packet_init_borrowed(&rx->packet, r->big + HEADROOM, (size_t) n - sizeof rx->vnet);
    rx->packet.head = HEADROOM;
    return true;
}

static bool
read_frame(const struct udp_port *port, struct ring *r, struct tpacket2_hdr *h, struct udp_rx *rx)
{
    const uint32_t status = h->tp_status;
    if (frame_is_outgoing(h)) {
        return false;
    }
    if (h->tp_snaplen < h->tp_len) {
        if (!(status & TP_STATUS_COPY) || !read_big(port, r, rx)) {
            return false;
        }
    } else {
        uint8_t *data = (uint8_t *) h + h->tp_mac;
        memcpy(&rx->vnet, data - sizeof rx->vnet, sizeof rx->vnet);
        packet_init_borrowed(&rx->packet, data, h->tp_len);
        rx->packet.head = HEADROOM;
    }
    if (status & TP_STATUS_VLAN_VALID) {
        restore_tag(rx, h, status);
    }
    return true;
}

static size_t
after(const struct ring *r, size_t i)
{
    return i + 1 == r->n ? 0 : i + 1;
}

static void
packet_rx_done(struct udp_port *port, size_t n)
{
    struct ring *r = port->state;
    for (; r->first != r->next; r->first = after(r, r->first)) {
        __atomic_store_n(&frame_at(r, r->first)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
}

static size_t
packet_rx(struct udp_port *port, struct udp_rx *rx, size_t max)
{
    struct ring *r = port->state;
    size_t n = 0;
    for (size_t seen = 0; n < max && seen < max; seen++) {
        struct tpacket2_hdr *h = frame_at(r, r->next);
        if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
            break;
        }
        const bool big = h->tp_snaplen < h->tp_len;
        n += read_frame(port, r, h, &rx[n]);
        r->next = after(r, r->next);
        if (big && n) { // there is one buffer for them: a batch ends here
            break;
        }
    }
    if (!n) { // all that was there is not for us
        packet_rx_done(port, 0);
    }
    return n;
}

// The kernel forgets them as it tells.
static uint64_t
packet_overrun(struct udp_port *port)
{
    struct tpacket_stats s;
    socklen_t len = sizeof s;
    return getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) < 0 ? 0 : s.tp_drops;
}

// --- Sending. ---

static size_t
packet_tx(struct udp_port *port, struct udp_tx *tx, size_t n)
{
    struct mmsghdr msgs[UDP_BATCH];
    struct iovec iov[UDP_BATCH];
    for (size_t i = 0; i < n; i++) {
        iov[i] = (struct iovec){tx[i].vnet, UDP_VNET + tx[i].len};
        msgs[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[i], .msg_iovlen = 1}};
    }
    size_t sent = 0;
    for (size_t at = 0; at < n;) {
        const int k = sendmmsg(port->fd, msgs + at, (unsigned) (n - at), MSG_DONTWAIT);
        if (k > 0) {
            sent += (size_t) k;
            at += (size_t) k;
        } else if (errno == EMSGSIZE || errno == EINVAL) {
            at++; // this one is too long for the device, or nothing it can send
        } else if (errno != EINTR) {
            break;
        }
    }
    return sent;
}

const struct udp_port_class udp_packet_class = {
    .type = "system",
    .open = packet_open,
    .close = packet_close,
    .rx = packet_rx,
    .rx_done = packet_rx_done,
    .tx = packet_tx,
    .overrun = packet_overrun,
};
