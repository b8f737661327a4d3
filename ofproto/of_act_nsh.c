// SPDX-License-Identifier: Apache-2.0
// encap and decap: Ethernet, NSH and MPLS headers around packets.
//
// Reference: RFC 8300 for NSH and its TLVs.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdlib.h>
#include <strings.h>

#define PT_ETHERNET UINT32_C(0)
#define PT_NSH UINT32_C(0x1894f)
#define PT_MPLS UINT32_C(0x18847)
#define PT_MPLS_MC UINT32_C(0x18848)

// Properties of encap on the wire: class, type, length.
#define PROP_NSH 4
#define PROP_NSH_MD_TYPE 1
#define PROP_NSH_TLV 2
#define MAX_TLV_DATA 240 // what the property's length, padding included, can say

static const struct {
    const char *name;
    uint32_t packet_type;
} headers[] = {
    {"ethernet", PT_ETHERNET}, {"nsh", PT_NSH}, {"mpls", PT_MPLS}, {"mpls_mc", PT_MPLS_MC}};

// --- encap ---

// "0x1000,10,0x12345678": class, type, hexadecimal bytes.
static char *
parse_tlv(struct of_act_text *t, char *arg)
{
    char *save = NULL, *class_text = strtok_r(arg, ",", &save),
         *type_text = strtok_r(NULL, ",", &save), *data = strtok_r(NULL, ",", &save);
    uint64_t class_, type;
    if (!class_text || !type_text || !data) {
        return base_asprintf("Invalid NSH TLV header: %s", arg);
    }
    if (!base_parse_uint(class_text, UINT16_MAX, &class_) ||
        !base_parse_uint(type_text, UINT8_MAX, &type) || strncasecmp(data, "0x", 2)) {
        return base_asprintf("Invalid NSH TLV header: %s,%s,%s", class_text, type_text, data);
    }
    struct str bytes = STR_INIT;
    if (!of_act_parse_hex(data + 2, &bytes) || bytes.len > MAX_TLV_DATA) {
        str_free(&bytes);
        return base_asprintf("Invalid NSH TLV data: %s", data);
    }
    of_act_add_tlv(t->acts,
                   &(struct of_encap_tlv){.class_ = htobe16((uint16_t) class_),
                                          .type = (uint8_t) type,
                                          .len = (uint8_t) bytes.len},
                   bytes.p);
    str_free(&bytes);
    return NULL;
}

void
of_act_add_tlv(struct of_actions *acts, const struct of_encap_tlv *head, const void *data)
{
    uint64_t room[(sizeof *head + 256) / 8] = {0};
    memcpy(room, head, sizeof *head);
    if (head->len) {
        memcpy((uint8_t *) room + sizeof *head, data, head->len);
    }
    flat_append(&acts->list, room, ROUND_UP(sizeof *head + head->len, 8));
}

static char *
parse_nsh(struct of_act_text *t, size_t ofs, char *arg)
{
    struct of_act_encap *a;
    char *key, *value, *error = NULL;
    while (!error && of_act_next_key(&arg, &key, &value)) {
        a = (void *) (t->acts->list.data + ofs);
        if (!strcmp(key, "md_type")) {
            if (strcmp(value, "1") && strcmp(value, "2")) {
                return base_strdup("invalid md_type");
            }
            a->md_type = *value == '1' ? 1 : 2;
        } else if (!strcmp(key, "tlv")) {
            a->n_tlvs++;
            error = parse_tlv(t, value);
        } else {
            error = base_asprintf("Invalid property: %s", key);
        }
    }
    return error;
}

char *
of_act_parse_encap(struct of_act_text *t, char *arg)
{
    char *key, *value;
    *t->usable &= OF_PROTO_13 | OF_PROTO_14 | OF_PROTO_15;
    if (!of_act_next_key(&arg, &key, &value)) {
        return base_asprintf("Missing encap hdr: %s", arg);
    }
    for (size_t k = 0; k < ARRAY_SIZE(headers); k++) {
        if (strcmp(key, headers[k].name)) {
            continue;
        }
        const size_t ofs = flat_begin(&t->acts->list, OF_ACT_ENCAP, sizeof(struct of_act_encap));
        ((struct of_act_encap *) (void *) (t->acts->list.data + ofs))->packet_type =
            headers[k].packet_type;
        char *error = headers[k].packet_type == PT_NSH ? parse_nsh(t, ofs, value) : NULL;
        flat_end(&t->acts->list, ofs);
        return error;
    }
    return base_asprintf("Encap hdr not supported: %s", value);
}

static const struct of_encap_tlv *
next_tlv(const struct of_encap_tlv *tlv)
{
    return (const void *) ((const uint8_t *) tlv + ROUND_UP(sizeof *tlv + tlv->len, 8));
}

void
of_act_format_encap(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_encap, a, i);
    const char *name = NULL;
    for (size_t k = 0; k < ARRAY_SIZE(headers); k++) {
        name = headers[k].packet_type == a->packet_type ? headers[k].name : name;
    }
    if (!name) {
        str_addf(f->out, "encap(packet_type(ns=%u,type=%#x))", a->packet_type >> 16,
                 a->packet_type & 0xffff);
        return;
    }
    str_addf(f->out, "encap(%s", name);
    if (a->md_type || a->n_tlvs) {
        str_add_char(f->out, '(');
        if (a->md_type) {
            str_addf(f->out, "md_type=%u", a->md_type);
        }
        const struct of_encap_tlv *tlv = (const void *) (a + 1);
        for (unsigned k = 0; k < a->n_tlvs; k++, tlv = next_tlv(tlv)) {
            str_addf(f->out, "%stlv(0x%04x,%u,0x", k || a->md_type ? "," : "", be16toh(tlv->class_),
                     tlv->type);
            str_add_hex(f->out, tlv->data, tlv->len);
            str_add_char(f->out, ')');
        }
        str_add_char(f->out, ')');
    }
    str_add_char(f->out, ')');
}

static void
put_property_header(const struct of_act_wire *w, uint8_t type, size_t len)
{
    of_put16(w->out, PROP_NSH);
    of_put8(w->out, type);
    of_put8(w->out, (uint8_t) len);
}

void
of_act_encode_encap(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_encap, a, i);
    const size_t start = of_act_begin_nx(w, 46);
    of_put16(w->out, a->hdr_size);
    of_put32(w->out, a->packet_type);
    if (a->md_type) {
        put_property_header(w, PROP_NSH_MD_TYPE, 5);
        of_put8(w->out, a->md_type);
        of_put_zeros(w->out, 3);
    }
    const struct of_encap_tlv *tlv = (const void *) (a + 1);
    for (unsigned k = 0; k < a->n_tlvs; k++, tlv = next_tlv(tlv)) {
        const size_t property = w->out->len;
        put_property_header(w, PROP_NSH_TLV, ROUND_UP(8u + tlv->len, 8u));
        of_put16(w->out, be16toh(tlv->class_));
        of_put8(w->out, tlv->type);
        of_put8(w->out, tlv->len);
        str_add_n(w->out, tlv->data, tlv->len);
        of_put_pad8(w->out, property);
    }
    of_act_end(w, start);
}

// --- decap ---

// "ns=1,type=0x894f"
static char *
parse_packet_type(char *arg, uint32_t *out)
{
    char *key, *value;
    uint64_t ns = UINT64_MAX, type = UINT64_MAX;
    while (of_act_next_key(&arg, &key, &value)) {
        uint64_t *to = !strcmp(key, "ns") ? &ns : !strcmp(key, "type") ? &type : NULL;
        if (to && !base_parse_uint(value, UINT16_MAX, to)) {
            return base_asprintf("invalid numeric format %s", value);
        }
    }
    if (ns == UINT64_MAX || type == UINT64_MAX) {
        return base_asprintf("Missing packet_type attribute %s", ns == UINT64_MAX ? "ns" : "type");
    }
    *out = (uint32_t) (ns << 16 | type);
    return NULL;
}

char *
of_act_parse_decap(struct of_act_text *t, char *arg)
{
    uint32_t packet_type = OF_DECAP_ANY;
    char *key, *value;
    while (of_act_next_key(&arg, &key, &value)) {
        if (strcmp(key, "packet_type")) {
            return base_asprintf("Invalid decap argument: %s", key);
        }
        char *error = parse_packet_type(value, &packet_type);
        if (error) {
            return error;
        }
    }
    struct of_act_decap *a = of_actions_add(t->acts, OF_ACT_DECAP, sizeof *a);
    a->packet_type = packet_type;
    return NULL;
}

void
of_act_format_decap(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_decap, a, i);
    str_add(f->out, "decap(");
    if (a->packet_type != OF_DECAP_ANY) {
        str_addf(f->out, "packet_type(ns=%u,type=", a->packet_type >> 16);
        of_act_format_num(a->packet_type & 0xffff, f->out);
        str_add_char(f->out, ')');
    }
    str_add_char(f->out, ')');
}

void
of_act_encode_decap(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_decap, a, i);
    const size_t start = of_act_begin_nx(w, 47);
    of_put_zeros(w->out, 2);
    of_put32(w->out, a->packet_type);
    of_act_end(w, start);
}
