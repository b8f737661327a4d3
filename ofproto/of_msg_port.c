// SPDX-License-Identifier: Apache-2.0
// Bodies and entries about ports and their queues.
//
// Reference: OpenFlow 1.0 sections 5.2.1 and 5.3.5, OpenFlow 1.3 section 7.2.1, OpenFlow 1.5
// sections 7.2.1 and 7.3.5.6.
#include "config.h"

#include "ofproto/of_error.h"
#include "ofproto/of_msg_private.h"

enum { PROP_ETHERNET = 0 };

// --- Configuration, state and feature bits. ---

static uint32_t
known_config(enum of_version version)
{
    uint32_t all =
        OF_PORT_CFG_DOWN | OF_PORT_CFG_NO_RECV | OF_PORT_CFG_NO_FWD | OF_PORT_CFG_NO_PACKET_IN;
    return version == OF_10
               ? all | OF_PORT_CFG_NO_STP | OF_PORT_CFG_NO_RECV_STP | OF_PORT_CFG_NO_FLOOD
               : all;
}

static uint32_t
known_state(enum of_version version)
{
    return version == OF_10 ? OF_PORT_ST_LINK_DOWN
                            : OF_PORT_ST_LINK_DOWN | OF_PORT_ST_BLOCKED | OF_PORT_ST_LIVE;
}

// OpenFlow 1.0 knows speeds up to 10 Gb/s (bits 0 to 6); copper and what follows are four bits
// lower there.
#define FEATURES10_SPEEDS 0x7fu
#define FEATURES10_REST 0xf80u

static uint32_t
features_from_10(uint32_t wire)
{
    return (wire & FEATURES10_SPEEDS) | (wire & FEATURES10_REST) << 4;
}

static uint32_t
features_to_10(uint32_t features)
{
    return (features & FEATURES10_SPEEDS) | (features >> 4 & FEATURES10_REST);
}

static void
get_features(struct of_reader *r, struct of_port_desc *d, enum of_version version)
{
    uint32_t *const all[] = {&d->curr, &d->advertised, &d->supported, &d->peer};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        uint32_t x = of_get32(r);
        *all[i] = version == OF_10 ? features_from_10(x) : x & 0xffff;
    }
}

static void
put_features(const struct of_port_desc *d, enum of_version version, struct str *out)
{
    const uint32_t all[] = {d->curr, d->advertised, d->supported, d->peer};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        of_put32(out, version == OF_10 ? features_to_10(all[i]) : all[i] & 0xffff);
    }
}

// The fastest of the current features, in kb/s; OpenFlow 1.0 has no better word for it.
static uint32_t
speed_of(uint32_t features)
{
    static const uint32_t speeds[] = {10000,   10000,    100000,   100000,    1000000,
                                      1000000, 10000000, 40000000, 100000000, 1000000000};
    for (int i = (int) ARRAY_SIZE(speeds) - 1; i >= 0; i--) {
        if (features >> i & 1) {
            return speeds[i];
        }
    }
    return 0;
}

// --- Description. ---

static int
get_desc_props(struct of_reader *r, struct of_port_desc *d)
{
    while (r->left) {
        struct of_prop prop;
        int error = of_prop_get(r, &prop);
        if (error) {
            return error;
        }
        if (prop.type == PROP_ETHERNET) {
            of_get32(&prop.body);
            get_features(&prop.body, d, OF_14);
            d->curr_speed = of_get32(&prop.body);
            d->max_speed = of_get32(&prop.body);
            if (prop.body.bad) {
                return OF_ERROR_BPC_BAD_LEN;
            }
        }
    }
    return 0;
}

static void
get_name_and_state(struct of_reader *r, struct of_port_desc *d, enum of_version version)
{
    of_get_copy(r, &d->hw_addr, 6);
    if (version != OF_10) {
        of_get16(r);
    }
    of_get_copy(r, d->name, sizeof d->name);
    d->name[sizeof d->name - 1] = '\0';
    d->config = of_get32(r) & known_config(version);
    d->state = of_get32(r) & known_state(version);
}

static int
get_desc14(struct of_reader *all, struct of_port_desc *d)
{
    const uint8_t *start = all->p;
    int error = of_port_from_11(of_get32(all), &d->port);
    size_t len = of_get16(all);
    of_get16(all);
    if (all->bad || len < 40 || len - 8 > all->left) {
        return OF_ERROR_BRC_BAD_LEN;
    }
    struct of_reader r = {start + 8, len - 8, false};
    get_name_and_state(&r, d, OF_14);
    of_get(all, len - 8);
    return error ? OF_ERROR_BRC_BAD_PORT : get_desc_props(&r, d);
}

int
of_port_desc_get(struct of_reader *r, enum of_version version, struct of_port_desc *d)
{
    int error = 0;
    *d = (struct of_port_desc){0};
    if (version >= OF_14) {
        return get_desc14(r, d);
    }
    if (version == OF_10) {
        d->port = of_port_from_10(of_get16(r));
    } else {
        error = of_port_from_11(of_get32(r), &d->port);
        of_get32(r);
    }
    get_name_and_state(r, d, version);
    get_features(r, d, version);
    if (version == OF_10) {
        d->curr_speed = speed_of(d->curr);
        d->max_speed = speed_of(d->supported);
    } else {
        d->curr_speed = of_get32(r);
        d->max_speed = of_get32(r);
    }
    return r->bad ? OF_ERROR_BRC_BAD_LEN : error ? OF_ERROR_BRC_BAD_PORT : 0;
}

void
of_port_desc_put(const struct of_port_desc *d, enum of_version version, struct str *out)
{
    size_t start = out->len;
    if (version == OF_10) {
        of_put16(out, of_port_to_10(d->port));
    } else {
        of_put32(out, d->port);
        of_put32(out, 0); // from 1.4 on the length, below
    }
    str_add_n(out, &d->hw_addr, 6);
    of_put_zeros(out, version == OF_10 ? 0 : 2);
    str_add_n(out, d->name, sizeof d->name);
    of_put32(out, d->config & known_config(version));
    of_put32(out, d->state & known_state(version));
    if (version >= OF_14) {
        size_t prop = of_prop_begin(out, PROP_ETHERNET);
        of_put32(out, 0);
        put_features(d, version, out);
        of_put32(out, d->curr_speed);
        of_put32(out, d->max_speed);
        of_prop_end(out, prop);
        of_set16(out, start + 4, (uint16_t) (out->len - start));
        return;
    }
    put_features(d, version, out);
    if (version != OF_10) {
        of_put32(out, d->curr_speed);
        of_put32(out, d->max_speed);
    }
}

bool
of_port_desc_next(struct of_msg *m, struct of_port_desc *d, int *error)
{
    struct of_reader r = {m->body, m->body_len, false};
    *error = 0;
    if (!r.left) {
        return false;
    }
    *error = of_port_desc_get(&r, m->version, d);
    m->body = r.p;
    m->body_len = r.left;
    return !*error;
}

int
of_msg_get_port_status(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    uint8_t reason = of_get8(r);
    of_get(r, 7);
    if (reason > OF_PORT_MODIFIED) {
        return OF_ERROR_NXBRC_BAD_REASON;
    }
    m->u.port_status.reason = reason;
    return of_port_desc_get(r, m->version, &m->u.port_status.desc);
}

int
of_msg_put_port_status(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put8(out, (uint8_t) m->u.port_status.reason);
    of_put_zeros(out, 7);
    of_port_desc_put(&m->u.port_status.desc, wire->version, out);
    return 0;
}

// --- Modification. ---

static int
get_mod_props(struct of_reader *r, struct of_port_mod *pm)
{
    while (r->left) {
        struct of_prop prop;
        int error = of_prop_get(r, &prop);
        if (error) {
            return error;
        }
        if (prop.type != PROP_ETHERNET) {
            return prop.type == 0xffff ? OF_ERROR_BPC_BAD_EXPERIMENTER : OF_ERROR_BPC_BAD_TYPE;
        }
        if (prop.body.left != 4) {
            return OF_ERROR_BPC_BAD_LEN;
        }
        pm->advertise = of_get32(&prop.body);
    }
    return 0;
}

int
of_msg_get_port_mod(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_port_mod *pm = &m->u.port_mod;
    int error = 0;
    if (m->version == OF_10) {
        pm->port = of_port_from_10(of_get16(r));
        of_get_copy(r, &pm->hw_addr, 6);
    } else {
        error = of_port_from_11(of_get32(r), &pm->port);
        of_get32(r);
        of_get_copy(r, &pm->hw_addr, 6);
        of_get16(r);
    }
    uint32_t config = of_get32(r), mask = of_get32(r);
    if (m->version >= OF_14) {
        error = error ? error : get_mod_props(r, pm);
    } else {
        uint32_t advertise = of_get32(r);
        pm->advertise = m->version == OF_10 ? features_from_10(advertise) : advertise;
        of_get32(r);
    }
    pm->config = config & known_config(m->version);
    pm->mask = mask & known_config(m->version);
    return error;
}

int
of_msg_put_port_mod(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_port_mod *pm = &m->u.port_mod;
    if (wire->version == OF_10) {
        of_put16(out, of_port_to_10(pm->port));
        str_add_n(out, &pm->hw_addr, 6);
    } else {
        of_put32(out, pm->port);
        of_put32(out, 0);
        str_add_n(out, &pm->hw_addr, 6);
        of_put16(out, 0);
    }
    of_put32(out, pm->config & known_config(wire->version));
    of_put32(out, pm->mask & known_config(wire->version));
    if (wire->version < OF_14) {
        of_put32(out, wire->version == OF_10 ? features_to_10(pm->advertise) : pm->advertise);
        of_put32(out, 0);
    } else if (pm->advertise) {
        size_t prop = of_prop_begin(out, PROP_ETHERNET);
        of_put32(out, pm->advertise);
        of_prop_end(out, prop);
    }
    return 0;
}

// --- Requests that name a port. ---

int
of_msg_get_port_no10(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.port_no = of_port_from_10(of_get16(r));
    of_get(r, 6);
    return 0;
}

int
of_msg_put_port_no10(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put16(out, of_port_to_10(m->u.port_no));
    of_put_zeros(out, 6);
    return 0;
}

int
of_msg_get_port_no11(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    int error = of_port_from_11(of_get32(r), &m->u.port_no);
    of_get32(r);
    return error;
}

int
of_msg_put_port_no11(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put32(out, m->u.port_no);
    of_put32(out, 0);
    return 0;
}

// Groups and meters: any number.
int
of_msg_get_u32_pad4(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.port_no = of_get32(r);
    of_get32(r);
    return 0;
}

int
of_msg_put_u32_pad4(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    return of_msg_put_port_no11(m, wire, out);
}

// --- Statistics. ---

static void
get_common(struct of_reader *r, struct of_port_stats *s)
{
    uint64_t *const all[] = {&s->rx_packets, &s->tx_packets, &s->rx_bytes,  &s->tx_bytes,
                             &s->rx_dropped, &s->tx_dropped, &s->rx_errors, &s->tx_errors};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        *all[i] = of_get64(r);
    }
}

static void
get_ethernet(struct of_reader *r, struct of_port_stats *s)
{
    s->rx_frame_err = of_get64(r);
    s->rx_over_err = of_get64(r);
    s->rx_crc_err = of_get64(r);
    s->collisions = of_get64(r);
}

static void
get_duration(struct of_reader *r, uint32_t *s, uint32_t *ns)
{
    *s = of_get32(r);
    *ns = of_get32(r);
}

static int
get_stats14(struct of_reader *all, struct of_port_stats *s, uint32_t *port)
{
    const uint8_t *start = all->p;
    size_t left = all->left, len = of_get16(all);
    if (len < 80 || len > left) {
        return OF_ERROR_BRC_BAD_LEN;
    }
    of_get(all, len - 2);
    struct of_reader r = {start + 4, len - 4, false};
    int error = of_port_from_11(of_get32(&r), port);
    get_duration(&r, &s->duration_s, &s->duration_ns);
    get_common(&r, s);
    while (!error && r.left) {
        struct of_prop prop;
        error = of_prop_get(&r, &prop);
        if (!error && prop.type == PROP_ETHERNET) {
            of_get32(&prop.body);
            get_ethernet(&prop.body, s);
            error = prop.body.bad ? OF_ERROR_BPC_BAD_LEN : 0;
        }
    }
    return error;
}

bool
of_port_stats_next(struct of_msg *m, struct of_port_stats *s, uint32_t *port, int *error)
{
    struct of_reader r = {m->body, m->body_len, false};
    *error = 0;
    if (!r.left) {
        return false;
    }
    memset(s, 0xff, sizeof *s);
    s->created = 0;
    if (m->version >= OF_14) {
        *error = get_stats14(&r, s, port);
    } else {
        if (m->version == OF_10) {
            *port = of_port_from_10(of_get16(&r));
            of_get(&r, 6);
        } else {
            *error = of_port_from_11(of_get32(&r), port);
            of_get32(&r);
        }
        get_common(&r, s);
        get_ethernet(&r, s);
        if (m->version == OF_13) {
            get_duration(&r, &s->duration_s, &s->duration_ns);
        }
        *error = *error ? *error : r.bad ? OF_ERROR_BRC_BAD_LEN : 0;
    }
    m->body = r.p;
    m->body_len = r.left;
    return !*error;
}

static void
put_common(const struct of_port_stats *s, struct str *out)
{
    const uint64_t all[] = {s->rx_packets, s->tx_packets, s->rx_bytes,  s->tx_bytes,
                            s->rx_dropped, s->tx_dropped, s->rx_errors, s->tx_errors};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        of_put64(out, all[i]);
    }
}

static void
put_ethernet(const struct of_port_stats *s, struct str *out)
{
    of_put64(out, s->rx_frame_err);
    of_put64(out, s->rx_over_err);
    of_put64(out, s->rx_crc_err);
    of_put64(out, s->collisions);
}

void
of_port_stats_put(const struct of_port_stats *s, uint32_t port, enum of_version version,
                  struct str *out)
{
    size_t start = out->len;
    if (version >= OF_14) {
        of_put32(out, 0);
        of_put32(out, port);
        of_put32(out, s->duration_s);
        of_put32(out, s->duration_ns);
        put_common(s, out);
        size_t prop = of_prop_begin(out, PROP_ETHERNET);
        of_put32(out, 0);
        put_ethernet(s, out);
        of_prop_end(out, prop);
        of_set16(out, start, (uint16_t) (out->len - start));
        return;
    }
    if (version == OF_10) {
        of_put16(out, of_port_to_10(port));
        of_put_zeros(out, 6);
    } else {
        of_put32(out, port);
        of_put32(out, 0);
    }
    put_common(s, out);
    put_ethernet(s, out);
    if (version == OF_13) {
        of_put32(out, s->duration_s);
        of_put32(out, s->duration_ns);
    }
}

// --- Queues. ---

int
of_msg_get_queue10(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.queue_request.port = of_port_from_10(of_get16(r));
    of_get16(r);
    m->u.queue_request.queue = of_get32(r);
    if (m->u.queue_request.port ==
        OF_PORT_ALL) { // OpenFlow 1.0 says all where later versions say any
        m->u.queue_request.port = OF_PORT_ANY;
    }
    return 0;
}

int
of_msg_put_queue10(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    uint32_t port = m->u.queue_request.port;
    of_put16(out, of_port_to_10(port == OF_PORT_ANY ? OF_PORT_ALL : port));
    of_put16(out, 0);
    of_put32(out, m->u.queue_request.queue);
    return 0;
}

int
of_msg_get_queue11(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    int error = of_port_from_11(of_get32(r), &m->u.queue_request.port);
    m->u.queue_request.queue = of_get32(r);
    return error;
}

int
of_msg_put_queue11(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put32(out, m->u.queue_request.port);
    of_put32(out, m->u.queue_request.queue);
    return 0;
}

int
of_msg_get_queue_config10(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.queue_request = (struct of_queue_request){of_port_from_10(of_get16(r)), UINT32_MAX};
    of_get16(r);
    return 0;
}

int
of_msg_put_queue_config10(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put16(out, of_port_to_10(m->u.queue_request.port));
    of_put16(out, 0);
    return 0;
}

int
of_msg_get_queue_config11(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.queue_request.queue = UINT32_MAX;
    int error = of_port_from_11(of_get32(r), &m->u.queue_request.port);
    of_get32(r);
    return error;
}

int
of_msg_put_queue_config11(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put32(out, m->u.queue_request.port);
    of_put32(out, 0);
    return 0;
}

bool
of_queue_stats_next(struct of_msg *m, struct of_queue_stats *s, int *error)
{
    struct of_reader r = {m->body, m->body_len, false};
    *error = 0;
    if (!r.left) {
        return false;
    }
    size_t rest = 0; // properties of OpenFlow 1.4: none that say something
    *s = (struct of_queue_stats){.duration_s = UINT32_MAX, .duration_ns = UINT32_MAX};
    if (m->version >= OF_14) {
        size_t len = of_get16(&r);
        of_get(&r, 6);
        if (len < 48 || len > m->body_len) {
            *error = OF_ERROR_BRC_BAD_LEN;
            return false;
        }
        rest = len - 48;
    }
    if (m->version == OF_10) {
        s->port = of_port_from_10(of_get16(&r));
        of_get16(&r);
    } else {
        *error = of_port_from_11(of_get32(&r), &s->port);
    }
    s->queue = of_get32(&r);
    s->tx_bytes = of_get64(&r);
    s->tx_packets = of_get64(&r);
    s->tx_errors = of_get64(&r);
    if (m->version >= OF_13) {
        get_duration(&r, &s->duration_s, &s->duration_ns);
    }
    of_get(&r, rest);
    *error = *error ? *error : r.bad ? OF_ERROR_BRC_BAD_LEN : 0;
    m->body = r.p;
    m->body_len = r.left;
    return !*error;
}

void
of_queue_stats_put(const struct of_queue_stats *s, enum of_version version, struct str *out)
{
    if (version >= OF_14) {
        of_put16(out, 48);
        of_put_zeros(out, 6);
    }
    if (version == OF_10) {
        of_put16(out, of_port_to_10(s->port));
        of_put16(out, 0);
    } else {
        of_put32(out, s->port);
    }
    of_put32(out, s->queue);
    of_put64(out, s->tx_bytes);
    of_put64(out, s->tx_packets);
    of_put64(out, s->tx_errors);
    if (version >= OF_13) {
        of_put32(out, s->duration_s);
        of_put32(out, s->duration_ns);
    }
}
