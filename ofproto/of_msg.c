// SPDX-License-Identifier: Apache-2.0
// OpenFlow messages: the rows of of_msgs.def, finding them, headers, errors. The bodies are in
// of_msg_*.c.
//
// The index of rows by version, kind and number is filled before main() and only read afterwards.
//
// Reference: OpenFlow 1.0 to 1.5, "Common Structures"; Nicira's extensions as the stock switch
// speaks them.
#include "config.h"

#include <errno.h>

#include "ofproto/of_msg_private.h"

static const struct of_msg_row rows[] = {
#define MSG(TYPE, NAME, FIRST, LAST, KIND, NUMBER, FORM, LEN, UNIT, GET, PUT)                      \
    {OF_MSG_##TYPE,  NAME, OF_##FIRST, OF_##LAST,        OF_KIND_##KIND,  NUMBER,                  \
     OF_FORM_##FORM, LEN,  UNIT,       of_msg_get_##GET, of_msg_put_##PUT},
#include "ofproto/of_msgs.def"
#undef MSG
};

#define SLOTS 64 // numbers of a kind differ in their low bits
static uint8_t by_number[OF_15 + 1][OF_N_KINDS][SLOTS]; // index into rows + 1
static uint8_t first_of_type[OF_15 + 1][OF_MSG_COUNT];  // the same
_Static_assert(ARRAY_SIZE(rows) < 255, "fits a byte");

__attribute__((constructor)) static void
index_rows(void)
{
    for (size_t i = ARRAY_SIZE(rows); i-- > 0;) {
        for (int v = rows[i].first; v <= rows[i].last; v++) {
            by_number[v][rows[i].kind][rows[i].number % SLOTS] = (uint8_t) (i + 1);
            first_of_type[v][rows[i].type] = (uint8_t) (i + 1);
        }
    }
}

static const struct of_msg_row *
find_row(enum of_version version, enum of_msg_kind kind, uint32_t number)
{
    const uint8_t i = by_number[version][kind][number % SLOTS];
    return i && rows[i - 1].number == number ? &rows[i - 1] : NULL;
}

const struct of_msg_row *
of_msg_row(enum of_msg_type type, enum of_version version, enum of_msg_form form)
{
    uint8_t first = version >= OF_10 && version <= OF_15 ? first_of_type[version][type] : 0;
    if (!first) {
        return NULL;
    }
    for (size_t i = first - 1u; i < ARRAY_SIZE(rows) && rows[i].type == type; i++) {
        if (rows[i].form == form && rows[i].first <= version && version <= rows[i].last) {
            return &rows[i];
        }
    }
    return &rows[first - 1];
}

// The form in which a message goes out.
static enum of_msg_form
form_of(const struct of_msg *m, const struct of_wire *wire)
{
    switch (m->type) {
    case OF_MSG_PACKET_IN:
        return wire->packet_in == OF_PIN_FMT_NXT2  ? OF_FORM_NX2
               : wire->packet_in == OF_PIN_FMT_NXT ? OF_FORM_NX
                                                   : OF_FORM_STD;
    case OF_MSG_FLOW_MOD:
    case OF_MSG_FLOW_REMOVED:
    case OF_MSG_FLOW_STATS_REQUEST:
    case OF_MSG_FLOW_STATS_REPLY:
    case OF_MSG_AGGREGATE_REQUEST:
        return m->nxm || (wire->version == OF_10 && wire->nxm) ? OF_FORM_NX : OF_FORM_STD;
    default: // an answer takes the form of the question
        return m->nxm ? OF_FORM_NX : OF_FORM_STD;
    }
}

const char *
of_msg_type_name(enum of_msg_type type)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].type == type) {
            return rows[i].name;
        }
    }
    return "?";
}

const char *
of_msg_name(const struct of_msg *m)
{
    const struct of_wire wire = {.version = m->version, .packet_in = m->packet_in_format};
    const struct of_msg_row *row = of_msg_row(m->type, m->version, form_of(m, &wire));
    return row ? row->name : of_msg_type_name(m->type);
}

size_t
of_msg_length(const void *data, size_t len)
{
    const uint8_t *p = data;
    if (len < 4) {
        return 0;
    }
    size_t said = (size_t) (p[2] << 8 | p[3]);
    if (said < OF_HEADER_LEN) {
        return said ? said : 1;
    }
    return len < OF_HEADER_LEN ? 0 : said;
}

// --- Reading. ---

enum { OFPT_HELLO = 0, OFPT_EXPERIMENTER = 4, STAT_EXPERIMENTER = 0xffff };

static bool
is_stat(enum of_version version, uint8_t type, bool *reply)
{
    uint8_t first = version == OF_10 ? 16 : 18;
    *reply = type == first + 1;
    return type == first || *reply;
}

static int
read_experimenter(struct of_reader *r, enum of_version version, const struct of_msg_row **row)
{
    uint32_t vendor = of_get32(r), subtype = of_get32(r);
    if (r->bad) {
        return OF_ERROR_BRC_BAD_LEN;
    }
    if (vendor != OF_VENDOR_NICIRA && vendor != OF_VENDOR_ONF) {
        return OF_ERROR_BRC_BAD_VENDOR;
    }
    *row = find_row(version, vendor == OF_VENDOR_NICIRA ? OF_KIND_NXT : OF_KIND_ONFT, subtype);
    return *row ? 0 : OF_ERROR_BRC_BAD_SUBTYPE;
}

static int
read_stat(struct of_reader *r, struct of_msg *m, bool reply, const struct of_msg_row **row)
{
    uint16_t type = of_get16(r), flags = of_get16(r);
    m->more = flags & 1;
    if (m->version != OF_10) {
        of_get32(r);
    }
    if (type != STAT_EXPERIMENTER) {
        *row = find_row(m->version, reply ? OF_KIND_STAT_REPLY : OF_KIND_STAT_REQUEST, type);
        return r->bad ? OF_ERROR_BRC_BAD_LEN : *row ? 0 : OF_ERROR_BRC_BAD_STAT;
    }
    uint32_t vendor = of_get32(r), subtype = of_get32(r);
    if (m->version == OF_10) {
        of_get32(r);
    }
    if (r->bad) {
        return OF_ERROR_BRC_BAD_LEN;
    }
    if (vendor != OF_VENDOR_NICIRA) {
        return OF_ERROR_BRC_BAD_VENDOR;
    }
    *row = find_row(m->version, reply ? OF_KIND_NXST_REPLY : OF_KIND_NXST_REQUEST, subtype);
    return *row ? 0 : OF_ERROR_BRC_BAD_SUBTYPE;
}

static int
read_headers(struct of_reader *r, uint8_t type, struct of_msg *m, const struct of_msg_row **row)
{
    bool reply;
    if (m->version < OF_10 || (m->version > OF_15 && type != OFPT_HELLO)) {
        return OF_ERROR_BRC_BAD_VERSION;
    }
    enum of_version version = MIN(m->version, OF_15); // a hello may come from the future
    if (type == OFPT_EXPERIMENTER) {
        return read_experimenter(r, version, row);
    }
    if (is_stat(version, type, &reply)) {
        return read_stat(r, m, reply, row);
    }
    *row = find_row(version, OF_KIND_OFPT, type);
    return *row ? 0 : OF_ERROR_BRC_BAD_TYPE;
}

int
of_msg_decode(const void *data, size_t len, const struct of_wire *wire, struct of_msg *m)
{
    static const struct of_wire plain = {.version = OF_10};
    const struct of_msg_row *row = NULL;
    struct of_reader r = {data, len, false};
    *m = (struct of_msg){.type = OF_MSG_NONE};
    m->bytes = data;
    m->len = len;
    m->version = of_get8(&r);
    uint8_t type = of_get8(&r);
    uint16_t said = of_get16(&r);
    m->xid = of_get32(&r);
    if (r.bad || said != len) {
        return OF_ERROR_BRC_BAD_LEN;
    }
    int error = read_headers(&r, type, m, &row);
    if (error) {
        return error;
    }
    m->type = row->type;
    m->nxm = row->form == OF_FORM_NX;
    m->packet_in_format = (enum of_packet_in_format) row->form;
    size_t extra = r.left - row->len;
    if (r.left < row->len || (row->unit ? extra % row->unit : extra)) {
        return OF_ERROR_BRC_BAD_LEN;
    }
    error = row->decode(&r, wire ? wire : &plain, m);
    m->body = r.p;
    m->body_len = r.left;
    error = error ? error : r.bad ? OF_ERROR_BRC_BAD_LEN : 0;
    if (error) { // nothing to clear; the type stays, for whoever says what was wrong
        of_msg_clear(m);
        m->type = row->type;
    }
    return error;
}

void
of_msg_clear(struct of_msg *m)
{
    if (m->type == OF_MSG_FLOW_MOD) {
        of_actions_free(&m->u.flow_mod.actions);
    } else if (m->type == OF_MSG_PACKET_OUT) {
        of_actions_free(&m->u.packet_out.actions);
    }
    m->type = OF_MSG_NONE;
}

int
of_msg_get_none(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    switch (m->type) {
    case OF_MSG_PORT_DESC_REQUEST: // before OpenFlow 1.5 always about all
        m->u.port_no = OF_PORT_ANY;
        break;
    case OF_MSG_GROUP_DESC_REQUEST:
        m->u.port_no = OF_GROUP_ANY;
        break;
    default:
        break;
    }
    return 0;
}

int
of_msg_put_none(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    return 0;
}

int
of_msg_get_raw(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    return 0;
}

int
of_msg_put_raw(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    str_add_n(out, m->body, m->body_len);
    return 0;
}

// --- Writing. ---

static uint8_t
wire_type(const struct of_msg_row *row, enum of_version version)
{
    uint8_t stat = version == OF_10 ? 16 : 18;
    switch (row->kind) {
    case OF_KIND_OFPT:
        return (uint8_t) row->number;
    case OF_KIND_NXT:
    case OF_KIND_ONFT:
        return OFPT_EXPERIMENTER;
    case OF_KIND_STAT_REQUEST:
    case OF_KIND_NXST_REQUEST:
        return stat;
    default:
        return stat + 1;
    }
}

static bool
is_nxst(const struct of_msg_row *row)
{
    return row->kind == OF_KIND_NXST_REQUEST || row->kind == OF_KIND_NXST_REPLY;
}

size_t
of_msg_begin(const struct of_msg_row *row, enum of_version version, uint32_t xid, struct str *out)
{
    size_t start = out->len;
    of_put8(out, (uint8_t) version);
    of_put8(out, wire_type(row, version));
    of_put16(out, 0);
    of_put32(out, xid);
    if (row->kind == OF_KIND_NXT || row->kind == OF_KIND_ONFT) {
        of_put32(out, row->kind == OF_KIND_NXT ? OF_VENDOR_NICIRA : OF_VENDOR_ONF);
        of_put32(out, row->number);
    } else if (row->kind != OF_KIND_OFPT) {
        of_put16(out, is_nxst(row) ? STAT_EXPERIMENTER : row->number);
        of_put16(out, 0);
        of_put_zeros(out, version == OF_10 ? 0 : 4);
        if (is_nxst(row)) {
            of_put32(out, OF_VENDOR_NICIRA);
            of_put32(out, row->number);
            of_put_zeros(out, version == OF_10 ? 4 : 0);
        }
    }
    return start;
}

void
of_msg_end(struct str *out, size_t start, bool more)
{
    of_set16(out, start + 2, (uint16_t) (out->len - start));
    if (more) {
        of_set16(out, start + 10, 1);
    }
}

int
of_msg_encode(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_row *row = of_msg_row(m->type, wire->version, form_of(m, wire));
    if (!row) {
        return -EPROTO;
    }
    size_t start = of_msg_begin(row, wire->version, m->xid, out);
    int error = row->encode(m, wire, out);
    if (!error && out->len - start > OF_MAX_LEN) {
        error = -EPROTO;
    }
    if (error) {
        str_truncate(out, start);
        return error;
    }
    of_msg_end(out, start, m->more);
    return 0;
}

int
of_msg_encode_plain(enum of_msg_type type, enum of_version version, uint32_t xid, struct str *out)
{
    const struct of_msg m = {.type = type, .version = version, .xid = xid};
    const struct of_wire wire = {.version = version};
    return of_msg_encode(&m, &wire, out);
}

#define MAX_QUOTE ((size_t) 0xffff - 64) // with the headers of any version of the error itself, a message

void
of_msg_encode_error(int error, enum of_version version, const void *bad, size_t len,
                    struct str *out)
{
    struct of_reader r = {bad, len, false};
    of_get32(&r);
    struct of_msg m = {.type = OF_MSG_ERROR, .version = version, .xid = of_get32(&r)};
    m.u.error = (struct of_error_msg){.error = error, .data = bad, .len = MIN(len, MAX_QUOTE)};
    const struct of_wire wire = {.version = version};
    of_msg_encode(&m, &wire, out);
}

// --- Properties. ---

int
of_prop_get(struct of_reader *r, struct of_prop *prop)
{
    const uint8_t *start = r->p;
    size_t left = r->left;
    prop->type = of_get16(r);
    size_t len = of_get16(r);
    size_t padded = ROUND_UP(len, 8);
    if (r->bad || len < 4 || len > left) {
        return OF_ERROR_BPC_BAD_LEN;
    }
    prop->body = (struct of_reader){start + 4, len - 4, false};
    padded = MIN(padded, left);
    r->p = start + padded;
    r->left = left - padded;
    return 0;
}

size_t
of_prop_begin(struct str *out, uint16_t type)
{
    size_t start = out->len;
    of_put16(out, type);
    of_put16(out, 0);
    return start;
}

void
of_prop_end(struct str *out, size_t start)
{
    of_set16(out, start + 2, (uint16_t) (out->len - start));
    of_put_pad8(out, start);
}
