// SPDX-License-Identifier: Apache-2.0
// Bodies of messages about the switch and the connection: hello, error, echo, features,
// configuration, roles, asynchronous configuration, Nicira's settings, description.
//
// Reference: OpenFlow 1.5 sections 7.3 and 7.4; OpenFlow 1.0 section 5.
#include "config.h"

#include <errno.h>

#include "ofproto/of_msg_private.h"

// --- Hello. ---

enum { HELLO_VERSION_BITMAP = 1 };

static void
read_bitmap(struct of_reader elem, struct of_hello *hello)
{
    if (elem.left >= 4) {
        hello->versions = of_get32(&elem) & ~1u; // there is no version 0
    }
}

// Without a bitmap the sender speaks all versions up to the header's.
int
of_msg_get_hello(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_hello *hello = &m->u.hello;
    unsigned version = MIN((unsigned) m->version, 30u);
    hello->versions = (UINT32_C(2) << version) - 2;
    while (r->left >= 4) {
        struct of_prop elem;
        if (of_prop_get(r, &elem)) {
            break; // elements are optional: what cannot be read is not there
        }
        if (elem.type == HELLO_VERSION_BITMAP) {
            read_bitmap(elem.body, hello);
        }
    }
    r->left = 0;
    return hello->versions ? 0 : OF_ERROR_HFC_INCOMPATIBLE;
}

int
of_msg_put_hello(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    uint32_t all = (UINT32_C(2) << wire->version) - 2;
    if (m->u.hello.versions != all) {
        size_t start = of_prop_begin(out, HELLO_VERSION_BITMAP);
        of_put32(out, m->u.hello.versions);
        of_prop_end(out, start);
    }
    return 0;
}

// --- Error. ---

#define TYPE_NICIRA 0xb0c2 // OpenFlow 1.0 and 1.1
#define TYPE_EXPERIMENTER 0xffff

int
of_msg_get_error(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_error_msg *e = &m->u.error;
    struct of_error_code code = {0, of_get16(r), of_get16(r)};
    if (code.type == TYPE_NICIRA && !code.code) {
        code.vendor = of_get32(r);
        code.type = of_get16(r);
        code.code = of_get16(r);
    } else if (code.type == TYPE_EXPERIMENTER && m->version >= OF_12) {
        code.vendor = of_get32(r);
        code.type = code.code;
        code.code = 0;
    }
    *e = (struct of_error_msg){.error =
                                   m->version <= OF_15 ? of_error_from_code(m->version, &code) : 0,
                               .type = code.type,
                               .code = code.code,
                               .vendor = code.vendor,
                               .data = r->p,
                               .len = r->left};
    r->left = 0;
    return 0;
}

int
of_msg_put_error(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_error_msg *e = &m->u.error;
    struct of_error_code code = {e->vendor, e->type, e->code};
    if (e->error && !of_error_code(e->error, wire->version, &code) &&
        !of_error_code(OF_ERROR_NXBRC_UNENCODABLE_ERROR, wire->version, &code)) {
        return -EPROTO;
    }
    if (!code.vendor) {
        of_put16(out, code.type);
        of_put16(out, code.code);
    } else if (wire->version < OF_12) {
        of_put16(out, TYPE_NICIRA);
        of_put16(out, 0);
        of_put32(out, code.vendor);
        of_put16(out, code.type);
        of_put16(out, code.code);
    } else {
        of_put16(out, TYPE_EXPERIMENTER);
        of_put16(out, code.type);
        of_put32(out, code.vendor);
    }
    str_add_n(out, e->data, e->len);
    return 0;
}

// --- Echo. ---

int
of_msg_get_data(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.data = (struct of_data){r->p, r->left};
    r->left = 0;
    return 0;
}

int
of_msg_put_data(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    str_add_n(out, m->u.data.data, m->u.data.len);
    return 0;
}

// --- Features. ---

#define CAP10_STP 8 // OF_CAP_GROUP_STATS in later versions

static uint32_t
known_capabilities(enum of_version v)
{
    uint32_t caps = OF_CAP_FLOW_STATS | OF_CAP_TABLE_STATS | OF_CAP_PORT_STATS | OF_CAP_IP_REASM |
                    OF_CAP_QUEUE_STATS;
    caps |= v <= OF_11 ? OF_CAP_ARP_MATCH_IP : 0;
    caps |= v >= OF_11 ? OF_CAP_GROUP_STATS : 0;
    caps |= v >= OF_12 ? OF_CAP_PORT_BLOCKED : 0;
    return caps | (v >= OF_14 ? OF_CAP_BUNDLES | OF_CAP_FLOW_MONITORING : 0);
}

int
of_msg_get_features(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_features *f = &m->u.features;
    f->datapath_id = of_get64(r);
    f->n_buffers = of_get32(r);
    f->n_tables = of_get8(r);
    f->auxiliary_id = of_get8(r);
    of_get16(r);
    uint32_t caps = of_get32(r);
    f->capabilities = caps & known_capabilities(m->version);
    if (m->version == OF_10) {
        f->capabilities |= caps & CAP10_STP ? OF_CAP_STP : 0;
    }
    if (m->version < OF_13) {
        f->auxiliary_id = 0;
    }
    f->actions = of_get32(r);
    if (m->version != OF_10) {
        f->actions = 0;
    }
    return 0;
}

int
of_msg_put_features(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_features *f = &m->u.features;
    uint32_t caps = f->capabilities & known_capabilities(wire->version);
    if (wire->version == OF_10 && f->capabilities & OF_CAP_STP) {
        caps |= CAP10_STP;
    }
    of_put64(out, f->datapath_id);
    of_put32(out, f->n_buffers);
    of_put8(out, f->n_tables);
    of_put8(out, wire->version >= OF_13 ? f->auxiliary_id : 0);
    of_put16(out, 0);
    of_put32(out, caps);
    of_put32(out, wire->version == OF_10 ? f->actions : 0);
    return 0;
}

// --- Configuration. ---

int
of_msg_get_config(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.config.flags = of_get16(r);
    m->u.config.miss_send_len = of_get16(r);
    return 0;
}

int
of_msg_put_config(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put16(out, m->u.config.flags);
    of_put16(out, m->u.config.miss_send_len);
    return 0;
}

// --- Roles. ---

int
of_msg_get_role(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_role_msg *role = &m->u.role;
    uint32_t value = of_get32(r);
    of_get32(r);
    role->generation_id = of_get64(r);
    if (value > OF_ROLE_SLAVE) {
        return OF_ERROR_RRFC_BAD_ROLE;
    }
    role->role = value;
    bool is_request = m->type == OF_MSG_ROLE_REQUEST;
    role->has_generation_id = is_request ? value == OF_ROLE_MASTER || value == OF_ROLE_SLAVE
                                         : role->generation_id != UINT64_MAX;
    return 0;
}

int
of_msg_put_role(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put32(out, m->u.role.role);
    of_put32(out, 0);
    of_put64(out, m->u.role.has_generation_id || m->type == OF_MSG_ROLE_REQUEST
                      ? m->u.role.generation_id
                      : UINT64_MAX);
    return 0;
}

// Nicira's: other, master, slave.
int
of_msg_get_nx_role(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    uint32_t value = of_get32(r);
    if (value > 2) {
        return OF_ERROR_RRFC_BAD_ROLE;
    }
    m->u.role = (struct of_role_msg){.role = OF_ROLE_EQUAL + value};
    return 0;
}

int
of_msg_put_nx_role(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    if (m->u.role.role == OF_ROLE_NOCHANGE) {
        return -EPROTO;
    }
    of_put32(out, m->u.role.role - OF_ROLE_EQUAL);
    return 0;
}

int
of_msg_get_role_status(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_role_msg *role = &m->u.role;
    uint32_t value = of_get32(r);
    role->reason = of_get8(r);
    of_get(r, 3);
    role->generation_id = of_get64(r);
    role->has_generation_id = role->generation_id != UINT64_MAX;
    if (value < OF_ROLE_EQUAL || value > OF_ROLE_SLAVE) {
        return OF_ERROR_RRFC_BAD_ROLE;
    }
    role->role = value;
    return 0;
}

int
of_msg_put_role_status(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put32(out, m->u.role.role);
    of_put8(out, m->u.role.reason);
    of_put_zeros(out, 3);
    of_put64(out, m->u.role.has_generation_id ? m->u.role.generation_id : UINT64_MAX);
    return 0;
}

// --- Asynchronous configuration. ---

#define OLD_KINDS 3 // packet-in, port-status, flow-removed

int
of_msg_get_async(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_async *a = &m->u.async;
    for (int i = 0; i < OLD_KINDS; i++) {
        a->master[i] = of_get32(r);
        a->slave[i] = of_get32(r);
    }
    a->has_master = a->has_slave = (1u << OLD_KINDS) - 1;
    return 0;
}

int
of_msg_put_async(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    for (int i = 0; i < OLD_KINDS; i++) {
        uint32_t known = i == OF_ASYNC_FLOW_REMOVED ? 0xf : 0x7; // reasons before OpenFlow 1.4
        of_put32(out, m->u.async.master[i] & known);
        of_put32(out, m->u.async.slave[i] & known);
    }
    return 0;
}

// Property 2k is about slaves, 2k + 1 about masters, for each kind.
int
of_msg_get_async_props(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_async *a = &m->u.async;
    while (r->left) {
        struct of_prop prop;
        int error = of_prop_get(r, &prop);
        if (error) {
            return error;
        }
        if (prop.type >= 2 * OF_N_ASYNC) {
            return prop.type >= 0xfffe ? OF_ERROR_BPC_BAD_EXPERIMENTER : OF_ERROR_BPC_BAD_TYPE;
        }
        if (prop.body.left != 4) {
            return OF_ERROR_BPC_BAD_LEN;
        }
        unsigned kind = prop.type / 2;
        uint32_t bits = of_get32(&prop.body);
        if (prop.type & 1) {
            a->master[kind] = bits;
            a->has_master |= 1u << kind;
        } else {
            a->slave[kind] = bits;
            a->has_slave |= 1u << kind;
        }
    }
    return 0;
}

int
of_msg_put_async_props(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_async *a = &m->u.async;
    for (unsigned i = 0; i < 2 * OF_N_ASYNC; i++) {
        bool master = i & 1;
        if ((master ? a->has_master : a->has_slave) >> i / 2 & 1) {
            size_t start = of_prop_begin(out, (uint16_t) i);
            of_put32(out, master ? a->master[i / 2] : a->slave[i / 2]);
            of_prop_end(out, start);
        }
    }
    return 0;
}

// --- Nicira's settings: one number. ---

int
of_msg_get_value32(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.value = of_get32(r);
    return 0;
}

int
of_msg_put_value32(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put32(out, m->u.value);
    return 0;
}

int
of_msg_get_value8(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    m->u.value = of_get8(r);
    of_get(r, 7);
    return 0;
}

int
of_msg_put_value8(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put8(out, (uint8_t) m->u.value);
    of_put_zeros(out, 7);
    return 0;
}

int
of_msg_get_value16(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    static const uint8_t zeros[6];
    const uint8_t *pad = of_get(r, 6);
    m->u.value = of_get16(r);
    return pad && memcmp(pad, zeros, 6) ? OF_ERROR_NXBRC_MUST_BE_ZERO : 0;
}

int
of_msg_put_value16(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    of_put_zeros(out, 6);
    of_put16(out, (uint16_t) m->u.value);
    return 0;
}

// --- Description. ---

static void
get_text(struct of_reader *r, char *text, size_t size)
{
    of_get_copy(r, text, size);
    text[size - 1] = '\0';
}

int
of_msg_get_desc(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_desc *d = &m->u.desc;
    get_text(r, d->mfr, sizeof d->mfr);
    get_text(r, d->hw, sizeof d->hw);
    get_text(r, d->sw, sizeof d->sw);
    get_text(r, d->serial, sizeof d->serial);
    get_text(r, d->dp, sizeof d->dp);
    return 0;
}

static void
put_text(struct str *out, const char *text, size_t size)
{
    size_t n = strnlen(text, size - 1);
    str_add_n(out, text, n);
    of_put_zeros(out, size - n);
}

int
of_msg_put_desc(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_desc *d = &m->u.desc;
    put_text(out, d->mfr, sizeof d->mfr);
    put_text(out, d->hw, sizeof d->hw);
    put_text(out, d->sw, sizeof d->sw);
    put_text(out, d->serial, sizeof d->serial);
    put_text(out, d->dp, sizeof d->dp);
    return 0;
}
