// SPDX-License-Identifier: Apache-2.0
// Actions of no other family: note, sample, fin_timeout, check_pkt_larger.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdlib.h>

void
of_act_format_hex(const void *data, size_t n, struct str *out)
{
    const uint8_t *p = data;
    for (size_t k = 0; k < n; k++) {
        str_addf(out, k ? ".%02x" : "%02x", p[k]);
    }
}

// --- note ---

#define NOTE_HEADER 10 // on the wire; the note fills what is left of 8-byte units

char *
of_act_parse_note(struct of_act_text *t, char *arg)
{
    struct str bytes = STR_INIT;
    if (!of_act_parse_hex(arg, &bytes)) {
        str_free(&bytes);
        return base_strdup("bad hex digit in `note' argument");
    }
    const size_t n = ROUND_UP(NOTE_HEADER + MAX(bytes.len, (size_t) 1), 8) - NOTE_HEADER;
    if (n > 0xff00) {
        str_free(&bytes);
        return base_strdup("`note' argument is too long");
    }
    struct of_act_note *a = of_actions_add(t->acts, OF_ACT_NOTE, sizeof *a + n);
    a->n = (uint32_t) n;
    if (bytes.len) {
        memcpy(a->data, bytes.p, bytes.len);
    }
    str_free(&bytes);
    return NULL;
}

void
of_act_format_note(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_note, a, i);
    str_add(f->out, "note:");
    of_act_format_hex(a->data, a->n, f->out);
}

void
of_act_encode_note(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_note, a, i);
    const size_t start = of_act_begin_nx(w, 8);
    str_add_n(w->out, a->data, a->n);
    of_act_end(w, start);
}

// --- sample ---

static char *
parse_sample_key(struct of_act_text *t, struct of_act_sample *s, const char *key, char *value)
{
    if (!strcmp(key, "probability")) {
        char *error = of_act_parse_u16(value, "probability", &s->probability);
        if (!error && !s->probability) {
            error = base_asprintf("invalid probability value \"%s\"", value);
        }
        return error;
    }
    if (!strcmp(key, "collector_set_id")) {
        return of_act_parse_number32(value, &s->collector_set_id);
    }
    if (!strcmp(key, "obs_domain_id")) {
        return of_act_parse_number32(value, &s->obs_domain_id);
    }
    if (!strcmp(key, "obs_point_id")) {
        return of_act_parse_number32(value, &s->obs_point_id);
    }
    if (!strcmp(key, "sampling_port")) {
        return field_parse_port(value, t->ports, &s->sampling_port)
                   ? NULL
                   : base_asprintf("%s: unknown port", value);
    }
    if (!strcmp(key, "ingress") || !strcmp(key, "egress")) {
        s->direction = *key == 'i' ? OF_SAMPLE_INGRESS : OF_SAMPLE_EGRESS;
        return NULL;
    }
    return base_asprintf("invalid key \"%s\" in \"sample\" argument", key);
}

char *
of_act_parse_sample(struct of_act_text *t, char *arg)
{
    struct of_act_sample s = {.sampling_port = OF_PORT_ANY};
    char *key, *value;
    while (of_act_next_key(&arg, &key, &value)) {
        char *error = parse_sample_key(t, &s, key, value);
        if (error) {
            return error;
        }
    }
    if (!s.probability) {
        return base_strdup("non-zero \"probability\" must be specified on sample");
    }
    struct of_act_sample *a = of_actions_add(t->acts, OF_ACT_SAMPLE, sizeof *a);
    s.i = a->i;
    *a = s;
    return NULL;
}

void
of_act_format_sample(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_sample, a, i);
    str_addf(f->out, "sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,obs_point_id=%u",
             a->probability, a->collector_set_id, a->obs_domain_id, a->obs_point_id);
    if (a->sampling_port != OF_PORT_ANY) {
        str_add(f->out, ",sampling_port=");
        field_format_port(a->sampling_port, f->ports, f->out);
    }
    if (a->direction) {
        str_add(f->out, a->direction == OF_SAMPLE_INGRESS ? ",ingress" : ",egress");
    }
    str_add_char(f->out, ')');
}

void
of_act_encode_sample(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_sample, a, i);
    const unsigned need = a->direction ? 3 : a->sampling_port != OF_PORT_ANY ? 2 : 1;
    const unsigned form = MAX(need, i->flags);
    const size_t start = of_act_begin_nx(w, form == 1 ? 29 : form == 2 ? 38 : 41);
    of_put16(w->out, a->probability);
    of_put32(w->out, a->collector_set_id);
    of_put32(w->out, a->obs_domain_id);
    of_put32(w->out, a->obs_point_id);
    if (form > 1) {
        of_put16(w->out, (uint16_t) a->sampling_port);
        of_put8(w->out, (uint8_t) a->direction);
    }
    of_act_end(w, start);
}

// --- fin_timeout ---

char *
of_act_parse_fin_timeout(struct of_act_text *t, char *arg)
{
    uint16_t idle = 0, hard = 0;
    char *key, *value, *error = NULL;
    while (!error && of_act_next_key(&arg, &key, &value)) {
        if (!strcmp(key, "idle_timeout")) {
            error = of_act_parse_u16(value, key, &idle);
        } else if (!strcmp(key, "hard_timeout")) {
            error = of_act_parse_u16(value, key, &hard);
        } else {
            error = base_asprintf("invalid key '%s' in 'fin_timeout' argument", key);
        }
    }
    if (!error) {
        struct of_act_fin_timeout *a = of_actions_add(t->acts, OF_ACT_FIN_TIMEOUT, sizeof *a);
        a->idle_timeout = idle;
        a->hard_timeout = hard;
    }
    return error;
}

void
of_act_format_fin_timeout(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_fin_timeout, a, i);
    str_add(f->out, "fin_timeout(");
    if (a->idle_timeout) {
        str_addf(f->out, "idle_timeout=%u,", a->idle_timeout);
    }
    if (a->hard_timeout) {
        str_addf(f->out, "hard_timeout=%u,", a->hard_timeout);
    }
    str_chomp(f->out, ",");
    str_add_char(f->out, ')');
}

void
of_act_encode_fin_timeout(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_fin_timeout, a, i);
    const size_t start = of_act_begin_nx(w, 19);
    of_put16(w->out, a->idle_timeout);
    of_put16(w->out, a->hard_timeout);
    of_act_end(w, start);
}

// --- check_pkt_larger ---

char *
of_act_parse_check_pkt_larger(struct of_act_text *t, char *arg)
{
    char *name = of_act_split_arrow(arg);
    if (!name) {
        return of_act_missing_arrow(arg);
    }
    uint16_t len;
    struct subfield dst;
    char *error = of_act_parse_u16(arg, "packet length", &len);
    error = error ? error : of_act_parse_subfield(name, &dst);
    if (!error && dst.n_bits != 1) {
        error = base_strdup("Only 1-bit destination field is allowed");
    }
    if (error) {
        return error;
    }
    struct of_act_check_pkt_larger *a = of_actions_add(t->acts, OF_ACT_CHECK_PKT_LARGER, sizeof *a);
    a->dst = dst;
    a->pkt_len = len;
    return NULL;
}

void
of_act_format_check_pkt_larger(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_check_pkt_larger, a, i);
    str_addf(f->out, "check_pkt_larger(%u)->", a->pkt_len);
    subfield_format(&a->dst, f->out);
}

void
of_act_encode_check_pkt_larger(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_check_pkt_larger, a, i);
    const size_t start = of_act_begin_nx(w, 49);
    of_put16(w->out, a->pkt_len);
    of_put16(w->out, a->dst.ofs);
    of_act_put_field(w, a->dst.field);
    of_act_end(w, start);
}
