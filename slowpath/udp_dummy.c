// SPDX-License-Identifier: Apache-2.0
// Dummy ports: no device behind them. They receive what netdev-dummy/receive gives them, and count,
// or write to a capture file, what is sent. Everything happens on the main thread; ports are
// counted with atomics, as a revalidator's or a handler's thread may send.
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/net/packet_headers.h"
#include "slowpath/udp.h"
#include "slowpath/udp_dummy.h"
#include "slowpath/udp_pcap.h"

LOG_MODULE(netdev_dummy);

#define ETH_BYTES sizeof(struct hdr_eth)

static uint32_t next_mac; // owner: main

static int
dummy_open(struct udp_port *port)
{
    struct udp_dummy *d = base_calloc(1, sizeof *d);
    const uint32_t n = next_mac++;
    mutex_init(&d->mutex);
    mutex_lock(&d->mutex);
    d->mac = (struct mac){{0xaa, 0x55, 0xaa, 0x55, (uint8_t) (n >> 8), (uint8_t) n}};
    d->mtu = 1500;
    d->up = true;
    mutex_unlock(&d->mutex);
    port->state = d;
    return 0;
}

static void
dummy_close(struct udp_port *port)
{
    struct udp_dummy *d = port->state;
    mutex_lock(&d->mutex);
    for (size_t i = 0; i < UDP_N_PCAPS; i++) {
        udp_pcap_close(d->pcaps[i].file);
        free(d->pcaps[i].path);
    }
    mutex_unlock(&d->mutex);
    mutex_destroy(&d->mutex);
    free(d);
}

static void
capture(struct udp_dummy *d, enum udp_pcap_kind kind, const void *data, size_t len)
    REQUIRES(d->mutex)
{
    if (d->pcaps[kind].file) {
        udp_pcap_write(d->pcaps[kind].file, data, len);
    }
}

// Frames that a device with this MTU could not send.
static bool
too_long(const struct udp_dummy *d, const struct udp_tx *tx) REQUIRES(d->mutex)
{
    const uint8_t *data = udp_tx_data(tx);
    const bool tagged = tx->len >= ETH_BYTES && data[12] == 0x81 && data[13] == 0;
    return tx->len > d->mtu + ETH_BYTES + (tagged ? 4 : 0);
}

static size_t
dummy_tx(struct udp_port *port, struct udp_tx *tx, size_t n)
{
    struct udp_dummy *d = port->state;
    size_t sent = 0;
    mutex_lock(&d->mutex);
    for (size_t i = 0; i < n; i++) {
        if (tx[i].len < ETH_BYTES || too_long(d, &tx[i])) {
            continue;
        }
        d->counters.tx_packets++;
        d->counters.tx_bytes += tx[i].len;
        capture(d, UDP_PCAP_BOTH, udp_tx_data(&tx[i]), tx[i].len);
        capture(d, UDP_PCAP_TX, udp_tx_data(&tx[i]), tx[i].len);
        sent++;
    }
    mutex_unlock(&d->mutex);
    return sent;
}

void
udp_dummy_receive(struct udp_port *port, struct packet *p)
{
    struct udp_dummy *d = port->state;
    mutex_lock(&d->mutex);
    d->counters.rx_packets++;
    d->counters.rx_bytes += p->len;
    capture(d, UDP_PCAP_BOTH, p->data, p->len);
    capture(d, UDP_PCAP_RX, p->data, p->len);
    mutex_unlock(&d->mutex);

    struct dp_channel *ch = port->dp->own;
    struct udp_rx rx = {.packet = *p};
    *p = (struct packet){.base = NULL};
    udp_enter(ch);
    udp_process(ch, port, &rx, 1);
    udp_leave(ch);
}

void
udp_dummy_set_up(struct udp_port *port, bool up)
{
    struct udp_dummy *d = port->state;
    mutex_lock(&d->mutex);
    d->up = up;
    mutex_unlock(&d->mutex);
}

int
udp_dummy_admin(struct dp *dp, uint32_t port_no, bool up)
{
    if (!dp->dummy || port_no >= dp->ports->n || !dp->ports->by_number[port_no]) {
        return -ENODEV;
    }
    udp_dummy_set_up(dp->ports->by_number[port_no], up);
    return 0;
}

int
udp_dummy_state(const struct udp_port *port, struct dp_port_state *s)
{
    struct udp_dummy *d = port->state;
    mutex_lock(&d->mutex);
    *s = (struct dp_port_state){
        .mac = d->mac, .mtu = d->mtu, .up = d->up, .carrier = d->up, .counters = d->counters};
    mutex_unlock(&d->mutex);
    return 0;
}

int
udp_dummy_set(struct udp_port *port, const struct mac *mac, unsigned mtu)
{
    struct udp_dummy *d = port->state;
    mutex_lock(&d->mutex);
    d->mac = mac ? *mac : d->mac;
    d->mtu = mtu ? mtu : d->mtu;
    mutex_unlock(&d->mutex);
    return 0;
}

void
udp_dummy_option(struct dp *dp, uint32_t port_no, const char *key, const char *value)
{
    static const char *const keys[UDP_N_PCAPS] = {"pcap", "tx_pcap", "rxq_pcap"};
    if (!dp->dummy || port_no >= dp->ports->n || !dp->ports->by_number[port_no]) {
        return;
    }
    struct udp_port *port = dp->ports->by_number[port_no];
    struct udp_dummy *d = port->state;
    for (size_t i = 0; i < UDP_N_PCAPS; i++) {
        mutex_lock(&d->mutex);
        const char *path = d->pcaps[i].path;
        const bool same = path && value ? !strcmp(value, path) : !path && !value;
        mutex_unlock(&d->mutex);
        if (strcmp(keys[i], key) || same) {
            continue;
        }
        struct udp_pcap *file = NULL;
        const int error = value ? udp_pcap_create(value, &file) : 0;
        if (error) {
            LOG_WARN("%s: could not write its frames to %s: %s", port->name, value,
                     base_strerror(error));
        }
        mutex_lock(&d->mutex);
        udp_pcap_close(d->pcaps[i].file);
        free(d->pcaps[i].path);
        d->pcaps[i].file = file;
        d->pcaps[i].path = value ? base_strdup(value) : NULL;
        mutex_unlock(&d->mutex);
    }
}

const struct udp_port_class udp_dummy_class = {
    .type = "dummy",
    .open = dummy_open,
    .close = dummy_close,
    .tx = dummy_tx,
};

const struct udp_port_class udp_dummy_system_class = {
    .type = "system",
    .open = dummy_open,
    .close = dummy_close,
    .tx = dummy_tx,
};

const struct udp_port_class udp_dummy_internal_class = {
    .type = "dummy-internal",
    .open = dummy_open,
    .close = dummy_close,
    .tx = dummy_tx,
};
