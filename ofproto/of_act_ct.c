// SPDX-License-Identifier: Apache-2.0
// ct and nat: connection tracking.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "ofproto/of_match_wire.h"

#define ALG_FTP 21
#define ALG_TFTP 69

// --- nat ---

// A port, or a range of them.
static bool
parse_ports(char *text, struct of_act_nat *n)
{
    char *dash = strchr(text, '-');
    uint64_t min, max = 0;
    if (dash) {
        *dash = '\0';
    }
    const bool good = base_parse_uint(text, UINT16_MAX, &min) &&
                      (!dash || base_parse_uint(dash + 1, UINT16_MAX, &max)) &&
                      (!dash || max >= min);
    if (dash) {
        *dash = '-';
    }
    n->port_min = good ? (uint16_t) min : 0;
    n->port_max = good ? (uint16_t) max : 0;
    return good;
}

// An address at the start, in brackets or not; returns what follows it, or NULL.
static char *
parse_address(char *text, uint16_t *family, uint8_t addr[16])
{
    char *end, buf[INET6_ADDRSTRLEN];
    size_t len;
    if (*text == '[') {
        text++;
        len = strcspn(text, "]");
        end = text + len + (text[len] == ']');
    } else {
        len = strcspn(text, "-");
        if (memchr(text, '.', len) && strncmp(text, "::", 2) != 0) { // IPv4: a port may follow
            len = strcspn(text, "-:");
        }
        end = text + len;
    }
    if (len >= sizeof buf) {
        return NULL;
    }
    memcpy(buf, text, len);
    buf[len] = '\0';
    memset(addr, 0, 16);
    if (inet_pton(AF_INET, buf, addr) == 1) {
        *family = 4;
    } else if (inet_pton(AF_INET6, buf, addr) == 1) {
        *family = 6;
    } else {
        return NULL;
    }
    return end;
}

static bool
is_zero(const uint8_t addr[16])
{
    static const uint8_t zero[16];
    return !memcmp(addr, zero, sizeof zero);
}

static char *
parse_range(char *text, struct of_act_nat *n)
{
    char *s = parse_address(text, &n->family, n->min);
    bool good = s != NULL;
    if (good && *s == '-') {
        uint16_t family;
        s = parse_address(s + 1, &family, n->max);
        good = s && family == n->family && memcmp(n->min, n->max, 16) <= 0;
    }
    if (good && *s == ':') {
        good = parse_ports(s + 1, n);
    } else if (good) {
        good = !*s;
    }
    if (good && is_zero(n->min)) { // any address: as if none was given
        n->family = 0;
        memset(n->max, 0, sizeof n->max);
    }
    return good ? NULL : base_asprintf("invalid nat range \"%s\"", text);
}

static char *
parse_nat_keys(char *arg, struct of_act_nat *n)
{
    char *key, *value;
    while (of_act_next_key(&arg, &key, &value)) {
        const bool src = !strcmp(key, "src");
        if (src || !strcmp(key, "dst")) {
            if (n->flags & (OF_NAT_SRC | OF_NAT_DST)) {
                return base_strdup("May only specify one of \"src\" or \"dst\".");
            }
            n->flags |= src ? OF_NAT_SRC : OF_NAT_DST;
            char *error = *value ? parse_range(value, n) : NULL;
            if (error) {
                return error;
            }
        } else if (!strcmp(key, "persistent")) {
            n->flags |= OF_NAT_PERSISTENT;
        } else if (!strcmp(key, "hash")) {
            n->flags |= OF_NAT_HASH;
        } else if (!strcmp(key, "random")) {
            n->flags |= OF_NAT_RANDOM;
        } else {
            return base_asprintf("invalid key \"%s\" in \"nat\" argument", key);
        }
    }
    if (n->flags && !(n->flags & (OF_NAT_SRC | OF_NAT_DST))) {
        return base_strdup("Flags allowed only with \"src\" or \"dst\".");
    }
    if (n->flags & OF_NAT_HASH && n->flags & OF_NAT_RANDOM) {
        return base_strdup("Both \"hash\" and \"random\" are not allowed.");
    }
    return NULL;
}

char *
of_act_parse_nat(struct of_act_text *t, char *arg)
{
    struct of_act_nat n = {.flags = 0};
    char *error = parse_nat_keys(arg, &n);
    if (!error) {
        struct of_act_nat *a = of_actions_add(t->acts, OF_ACT_NAT, sizeof *a);
        n.i = a->i;
        *a = n;
    }
    return error;
}

static void
format_address(const struct of_act_nat *a, const uint8_t addr[16], struct str *out)
{
    if (a->family == 4) {
        be32_t ip;
        memcpy(&ip, addr, 4);
        str_add_ip4(out, ip);
        return;
    }
    if (a->port_min) {
        str_add_char(out, '[');
    }
    str_add_ip6(out, addr);
    if (a->port_min) {
        str_add_char(out, ']');
    }
}

void
of_act_format_nat(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_nat, a, i);
    str_add(f->out, "nat");
    if (!(a->flags & (OF_NAT_SRC | OF_NAT_DST))) {
        return;
    }
    str_add(f->out, a->flags & OF_NAT_SRC ? "(src" : "(dst");
    if (a->family) {
        str_add_char(f->out, '=');
        format_address(a, a->min, f->out);
        // Ranges of one aren't said as ranges.
        if (!is_zero(a->max) && memcmp(a->max, a->min, sizeof a->max)) {
            str_add_char(f->out, '-');
            format_address(a, a->max, f->out);
        }
        if (a->port_min) {
            str_addf(f->out, ":%u", a->port_min);
            if (a->port_max && a->port_max != a->port_min) {
                str_addf(f->out, "-%u", a->port_max);
            }
        }
    }
    str_add(f->out, a->flags & OF_NAT_PERSISTENT ? ",persistent" : "");
    str_add(f->out, a->flags & OF_NAT_HASH ? ",hash" : "");
    str_add(f->out, a->flags & OF_NAT_RANDOM ? ",random" : "");
    str_add_char(f->out, ')');
}

void
of_act_encode_nat(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_nat, a, i);
    const bool max = !is_zero(a->max);
    const unsigned address = a->family == 4 ? 1 | max << 1 : a->family == 6 ? 4 | max << 3 : 0;
    const unsigned ports = (a->port_min != 0) << 4 | (a->port_max != 0) << 5;
    const size_t start = of_act_begin_nx(w, 36), n = a->family == 4 ? 4 : 16;
    of_put_zeros(w->out, 2);
    of_put16(w->out, a->flags);
    of_put16(w->out, (uint16_t) (a->family ? address | ports : 0));
    if (a->family) {
        str_add_n(w->out, a->min, n);
        if (max) {
            str_add_n(w->out, a->max, n);
        }
        if (a->port_min) {
            of_put16(w->out, a->port_min);
        }
        if (a->port_max) {
            of_put16(w->out, a->port_max);
        }
    }
    of_act_end(w, start);
}

// --- ct ---

struct ct {
    struct of_act_text *t;
    struct of_act_ct head; // copied to the list when all is known
};

static char *
parse_zone(const char *value, struct of_act_ct *c)
{
    uint64_t zone;
    if (base_parse_uint(value, UINT16_MAX, &zone)) {
        c->zone_imm = (uint16_t) zone;
        return NULL;
    }
    char *error = of_act_parse_subfield(value, &c->zone_src);
    if (!error && c->zone_src.n_bits != 16) {
        error = base_asprintf("%s: a zone has 16 bits, not %u", value, c->zone_src.n_bits);
    }
    return error;
}

static char *
parse_ct_key(struct ct *c, const char *key, char *value)
{
    struct of_act_ct *h = &c->head;
    if (!strcmp(key, "commit")) {
        h->flags |= OF_CT_COMMIT;
    } else if (!strcmp(key, "force")) {
        h->flags |= OF_CT_FORCE;
    } else if (!strcmp(key, "table")) {
        if (!of_act_parse_table(value, &h->recirc_table)) {
            return base_asprintf("unknown table %s", value);
        }
        if (h->recirc_table == OF_CT_NO_RECIRC) {
            return base_asprintf("invalid table %#x", h->recirc_table);
        }
    } else if (!strcmp(key, "zone")) {
        return parse_zone(value, h);
    } else if (!strcmp(key, "alg")) {
        h->alg = !strcmp(value, "ftp") ? ALG_FTP : !strcmp(value, "tftp") ? ALG_TFTP : 0;
        return h->alg ? NULL : base_asprintf("invalid conntrack helper \"%s\"", value);
    } else if (!strcmp(key, "nat")) {
        return of_act_parse_nat(c->t, value);
    } else if (!strcmp(key, "exec")) {
        return of_act_parse_list(c->t, OF_ACT_CT, value);
    } else {
        return base_asprintf("invalid argument to \"ct\" action: `%s'", key);
    }
    return NULL;
}

char *
of_act_parse_ct(struct of_act_text *t, char *arg)
{
    struct ct c = {.t = t, .head = {.recirc_table = OF_CT_NO_RECIRC}};
    const size_t ofs = flat_begin(&t->acts->list, OF_ACT_CT, sizeof c.head);
    char *key, *value, *error = NULL;
    while (!error && of_act_next_key(&arg, &key, &value)) {
        error = parse_ct_key(&c, key, value);
    }
    if (!error && c.head.flags & OF_CT_FORCE && !(c.head.flags & OF_CT_COMMIT)) {
        error = base_strdup("\"force\" flag requires \"commit\" flag.");
    }
    struct of_act_ct *a = (void *) (t->acts->list.data + ofs);
    c.head.i = a->i;
    *a = c.head;
    flat_end(&t->acts->list, ofs);
    return error;
}

// Nested: nat in the first place stands for itself, everything else is in exec().
static void
format_nested(const struct of_act_ct *a, const struct of_act_form *f)
{
    const struct flat_item *i = (const void *) (a + 1), *end = flat_next(&a->i);
    if (i < end && i->type == OF_ACT_NAT) {
        of_act_format_nat(i, f);
        str_add_char(f->out, ',');
        i = flat_next(i);
    }
    if (i < end) {
        str_add(f->out, "exec(");
        of_act_format_list(i, (size_t) ((const uint8_t *) end - (const uint8_t *) i), f);
        str_add(f->out, "),");
    }
}

void
of_act_format_ct(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_ct, a, i);
    str_add(f->out, "ct(");
    str_add(f->out, a->flags & OF_CT_COMMIT ? "commit," : "");
    str_add(f->out, a->flags & OF_CT_FORCE ? "force," : "");
    if (a->recirc_table != OF_CT_NO_RECIRC) {
        str_addf(f->out, "table=%u,", a->recirc_table);
    }
    if (a->zone_src.n_bits) {
        str_add(f->out, "zone=");
        subfield_format(&a->zone_src, f->out);
        str_add_char(f->out, ',');
    } else if (a->zone_imm) {
        str_addf(f->out, "zone=%u,", a->zone_imm);
    }
    format_nested(a, f);
    if (a->alg == ALG_FTP || a->alg == ALG_TFTP) {
        str_addf(f->out, "alg=%s,", a->alg == ALG_FTP ? "ftp" : "tftp");
    } else if (a->alg) {
        str_addf(f->out, "alg=%u,", a->alg);
    }
    str_chomp(f->out, ",");
    str_add_char(f->out, ')');
}

void
of_act_encode_ct(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_ct, a, i);
    const size_t start = of_act_begin_nx(w, 35);
    of_put16(w->out, a->flags);
    if (a->zone_src.n_bits) {
        of_act_put_field(w, a->zone_src.field);
        of_put16(w->out, of_act_ofs_nbits(&a->zone_src));
    } else {
        of_put_zeros(w->out, 4);
        of_put16(w->out, a->zone_imm);
    }
    of_put8(w->out, a->recirc_table);
    of_put_zeros(w->out, 3);
    of_put16(w->out, a->alg);
    of_act_encode_list(a + 1, i->len - sizeof *a, w);
    of_act_end(w, start);
}
