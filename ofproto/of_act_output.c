// SPDX-License-Identifier: Apache-2.0
// Actions that send packets: output in its forms, group, controller, enqueue.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdlib.h>
#include <strings.h>

#include "ofproto/of_match_wire.h"

#define MAX_LEN_ALL 0xffff

// --- output ---

static char *
parse_trunc(struct of_act_text *t, char *arg)
{
    uint32_t port = OF_PORT_ANY, max_len = 0;
    char *key, *value;
    while (of_act_next_key(&arg, &key, &value)) {
        if (!strcmp(key, "port")) {
            if (!field_parse_port(value, t->ports, &port)) {
                return base_asprintf("output to unknown truncate port: %s", value);
            }
            if (port > OF_PORT_MAX && port != OF_PORT_LOCAL && port != OF_PORT_IN_PORT) {
                return base_asprintf("output to unsupported truncate port: %s", value);
            }
        } else if (!strcmp(key, "max_len")) {
            char *error = of_act_parse_number32(value, &max_len);
            if (error) {
                return error;
            }
            if (max_len < 14) {
                return base_asprintf("max_len %u is less than the minimum value 14", max_len);
            }
        } else {
            return base_asprintf("invalid key '%s' in output_trunc argument", key);
        }
    }
    struct of_act_output *o = of_actions_add(t->acts, OF_ACT_OUTPUT_TRUNC, sizeof *o);
    o->port = port;
    o->max_len = max_len;
    return NULL;
}

char *
of_act_parse_output(struct of_act_text *t, char *arg)
{
    uint32_t port;
    if (field_parse_port(arg, t->ports, &port)) {
        of_actions_add_output(t->acts, port, port == OF_PORT_CONTROLLER ? MAX_LEN_ALL : 0);
        return NULL;
    }
    if (strstr(arg, "port") && strstr(arg, "max_len")) {
        return parse_trunc(t, arg);
    }
    struct subfield src;
    char *error = of_act_parse_subfield(arg, &src);
    if (error) {
        free(error);
        return base_asprintf("%s: output to unknown port", arg);
    }
    struct of_act_output_reg *o = of_actions_add(t->acts, OF_ACT_OUTPUT_REG, sizeof *o);
    o->src = src;
    o->max_len = MAX_LEN_ALL;
    return NULL;
}

char *
of_act_parse_port_word(struct of_act_text *t, char *arg FB_UNUSED)
{
    of_actions_add_output(t->acts, t->variant, 0);
    return NULL;
}

void
of_act_format_output(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_output, a, i);
    if (a->port == OF_PORT_CONTROLLER) {
        str_addf(f->out, "CONTROLLER:%u", a->max_len);
        return;
    }
    if (a->port < OF_PORT_MAX) {
        str_add(f->out, "output:");
    }
    field_format_port(a->port, f->ports, f->out);
}

void
of_act_encode_output(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_output, a, i);
    const size_t start = of_act_begin(w, 0);
    if (w->version == OF_10) {
        of_put16(w->out, of_port_to_10(a->port));
        of_put16(w->out, (uint16_t) a->max_len);
    } else {
        of_put32(w->out, a->port);
        of_put16(w->out, (uint16_t) a->max_len);
    }
    of_act_end(w, start);
}

void
of_act_format_output_trunc(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_output, a, i);
    str_add(f->out, "output(port=");
    field_format_port(a->port, f->ports, f->out);
    str_addf(f->out, ",max_len=%u)", a->max_len);
}

void
of_act_encode_output_trunc(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_output, a, i);
    const size_t start = of_act_begin_nx(w, 39);
    of_put16(w->out, of_port_to_10(a->port));
    of_put32(w->out, a->max_len);
    of_act_end(w, start);
}

void
of_act_format_output_reg(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_output_reg, a, i);
    str_add(f->out, "output:");
    subfield_format(&a->src, f->out);
}

void
of_act_encode_output_reg(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_output_reg, a, i);
    // A field with an experimenter has a longer header, which the second form has room for.
    const struct field_oxm *oxm = of_oxm_for(field_get((enum field_id) a->src.field), OF_10);
    const bool wide = oxm && oxm->experimenter;
    const size_t start = of_act_begin_nx(w, wide ? 32 : 15);
    of_put16(w->out, of_act_ofs_nbits(&a->src));
    if (wide) {
        of_put16(w->out, a->max_len);
        of_act_put_field(w, (enum field_id) a->src.field);
    } else {
        of_act_put_field(w, (enum field_id) a->src.field);
        of_put16(w->out, a->max_len);
    }
    of_act_end(w, start);
}

// --- controller ---

static const char *const reasons[] = {[OF_PIN_NO_MATCH] = "no_match",
                                      [OF_PIN_ACTION] = "action",
                                      [OF_PIN_INVALID_TTL] = "invalid_ttl",
                                      [OF_PIN_ACTION_SET] = "action_set",
                                      [OF_PIN_GROUP] = "group",
                                      [OF_PIN_PACKET_OUT] = "packet_out",
                                      [OF_PIN_EXPLICIT_MISS] = "",
                                      [OF_PIN_IMPLICIT_MISS] = ""};

struct controller {
    struct of_act_controller head;
    struct str userdata;
    bool has_userdata;
};

static char *
parse_controller_key(struct controller *c, const char *key, const char *value)
{
    struct of_act_controller *h = &c->head;
    if (!strcmp(key, "reason")) {
        for (unsigned r = 0; r < ARRAY_SIZE(reasons); r++) {
            if (*value && !strcasecmp(value, reasons[r])) {
                h->reason = (uint8_t) r;
                return NULL;
            }
        }
        return base_asprintf("unknown reason \"%s\"", value);
    }
    if (!strcmp(key, "max_len")) {
        return of_act_parse_u16(value, "max_len", &h->max_len);
    }
    if (!strcmp(key, "id")) {
        return of_act_parse_u16(value, "id", &h->controller_id);
    }
    if (!strcmp(key, "userdata")) {
        c->has_userdata = true;
        return of_act_parse_hex(value, &c->userdata)
                   ? NULL
                   : base_strdup("bad hex digit in `controller' action `userdata'");
    }
    if (!strcmp(key, "pause")) {
        h->pause = true;
        return NULL;
    }
    if (!strcmp(key, "meter_id")) {
        return of_act_parse_number32(value, &h->meter_id);
    }
    return base_asprintf("unknown key \"%s\" parsing controller action", key);
}

// The short form says what the whole does when only the length is given.
static bool
is_short(const struct of_act_controller *a)
{
    return a->reason == OF_PIN_ACTION && !a->controller_id && !a->userdata_len && !a->pause &&
           a->meter_id == OF_METER_NONE;
}

char *
of_act_parse_controller(struct of_act_text *t, char *arg)
{
    struct controller c = {.head = {.max_len = MAX_LEN_ALL, .reason = OF_PIN_ACTION},
                           .userdata = STR_INIT};
    char *error = NULL;
    if (*arg >= '0' && *arg <= '9') {
        error = of_act_parse_u16(arg, "max_len", &c.head.max_len);
    } else {
        char *key, *value;
        while (!error && of_act_next_key(&arg, &key, &value)) {
            error = parse_controller_key(&c, key, value);
        }
    }
    c.head.userdata_len = (uint16_t) c.userdata.len;
    if (!error && c.userdata.len > UINT16_MAX) {
        error = base_strdup("`controller' action `userdata' is too long");
    }
    if (!error && is_short(&c.head) && !c.has_userdata) {
        of_actions_add_output(t->acts, OF_PORT_CONTROLLER, c.head.max_len);
    } else if (!error) {
        of_act_add_controller(t->acts, &c.head, c.userdata.p);
    }
    str_free(&c.userdata);
    return error;
}

void
of_act_add_controller(struct of_actions *acts, const struct of_act_controller *head,
                      const void *userdata)
{
    struct of_act_controller *a =
        of_actions_add(acts, OF_ACT_CONTROLLER, sizeof *a + head->userdata_len);
    const struct flat_item i = a->i;
    *a = *head;
    a->i = i;
    if (head->userdata_len) {
        memcpy(a->userdata, userdata, head->userdata_len);
    }
}

void
of_act_format_controller(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_controller, a, i);
    if (is_short(a)) {
        str_addf(f->out, "CONTROLLER:%u", a->max_len);
        return;
    }
    str_add(f->out, "controller(");
    if (a->reason != OF_PIN_ACTION) {
        if (a->reason < ARRAY_SIZE(reasons)) {
            str_addf(f->out, "reason=%s,", reasons[a->reason]);
        } else {
            str_addf(f->out, "reason=%u,", a->reason);
        }
    }
    if (a->max_len != MAX_LEN_ALL) {
        str_addf(f->out, "max_len=%u,", a->max_len);
    }
    if (a->controller_id) {
        str_addf(f->out, "id=%u,", a->controller_id);
    }
    if (a->userdata_len) {
        str_add(f->out, "userdata=");
        of_act_format_hex(a->userdata, a->userdata_len, f->out);
        str_add_char(f->out, ',');
    }
    if (a->pause) {
        str_add(f->out, "pause,");
    }
    if (a->meter_id != OF_METER_NONE) {
        str_addf(f->out, "meter_id=%u,", a->meter_id);
    }
    str_chomp(f->out, ",");
    str_add_char(f->out, ')');
}

enum { CTLR_MAX_LEN, CTLR_ID, CTLR_REASON, CTLR_USERDATA, CTLR_PAUSE, CTLR_METER };

static void
put_property(const struct of_act_wire *w, uint16_t type, const void *data, size_t n)
{
    const size_t start = w->out->len;
    of_put16(w->out, type);
    of_put16(w->out, (uint16_t) (4 + n));
    str_add_n(w->out, data, n);
    of_put_pad8(w->out, start);
}

static void
put_property16(const struct of_act_wire *w, uint16_t type, uint16_t value)
{
    const be16_t b = htobe16(value);
    put_property(w, type, &b, sizeof b);
}

void
of_act_encode_controller(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_controller, a, i);
    if (!a->userdata_len && !a->pause && a->meter_id == OF_METER_NONE) {
        const size_t start = of_act_begin_nx(w, 20);
        of_put16(w->out, a->max_len);
        of_put16(w->out, a->controller_id);
        of_put8(w->out, a->reason);
        of_act_end(w, start);
        return;
    }
    const size_t start = of_act_begin_nx(w, 37);
    of_put_zeros(w->out, 6);
    if (a->max_len != MAX_LEN_ALL) {
        put_property16(w, CTLR_MAX_LEN, a->max_len);
    }
    if (a->controller_id) {
        put_property16(w, CTLR_ID, a->controller_id);
    }
    if (a->reason != OF_PIN_ACTION) {
        put_property(w, CTLR_REASON, &a->reason, 1);
    }
    if (a->userdata_len) {
        put_property(w, CTLR_USERDATA, a->userdata, a->userdata_len);
    }
    if (a->pause) {
        put_property(w, CTLR_PAUSE, NULL, 0);
    }
    if (a->meter_id != OF_METER_NONE) {
        const be32_t b = htobe32(a->meter_id);
        put_property(w, CTLR_METER, &b, sizeof b);
    }
    of_act_end(w, start);
}

// --- group, enqueue ---

void
of_act_format_group(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "group:%u", a->value);
}

void
of_act_encode_group(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    const size_t start = w->version == OF_10 ? of_act_begin_nx(w, 40) : of_act_begin(w, 22);
    if (w->version == OF_10) {
        of_put_zeros(w->out, 2);
    }
    of_put32(w->out, a->value);
    of_act_end(w, start);
}

char *
of_act_parse_enqueue(struct of_act_text *t, char *arg)
{
    char *save = NULL, *port_text = strtok_r(arg, ":,", &save),
         *queue_text = strtok_r(NULL, "", &save);
    if (!port_text || !queue_text) {
        return base_strdup("\"enqueue\" syntax is \"enqueue:PORT:QUEUE\" or "
                           "\"enqueue(PORT,QUEUE)\"");
    }
    uint32_t port, queue;
    if (!field_parse_port(port_text, t->ports, &port)) {
        return base_asprintf("%s: enqueue to unknown port", port_text);
    }
    char *error = of_act_parse_number32(queue_text, &queue);
    if (error) {
        return error;
    }
    struct of_act_enqueue *a = of_actions_add(t->acts, OF_ACT_ENQUEUE, sizeof *a);
    a->port = port;
    a->queue = queue;
    return NULL;
}

void
of_act_format_enqueue(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_enqueue, a, i);
    str_add(f->out, "enqueue:");
    field_format_port(a->port, f->ports, f->out);
    str_addf(f->out, ":%u", a->queue);
}

// Later versions have no such action: the queue is set around an output.
void
of_act_encode_enqueue(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_enqueue, a, i);
    if (w->version == OF_10) {
        const size_t start = of_act_begin(w, 11);
        of_put16(w->out, of_port_to_10(a->port));
        of_put_zeros(w->out, 6);
        of_put32(w->out, a->queue);
        of_act_end(w, start);
        return;
    }
    const size_t start = of_act_begin(w, 21);
    of_put32(w->out, a->queue);
    of_act_end(w, start);
    const struct of_act_output output = {.port = a->port, .max_len = MAX_LEN_ALL};
    of_act_encode_output(&output.i, w);
    of_act_put_nx_plain(w, 5);
}
