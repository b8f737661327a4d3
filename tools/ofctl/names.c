// SPDX-License-Identifier: Apache-2.0
// Names of a switch's ports and tables, asked for when the first one is needed. A name that two
// ports share names neither.
#include "config.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/log.h"
#include "tools/ofctl/ofctl.h"

struct port {
    struct hmap_node by_number, by_name;
    struct of_port_desc desc;
    char name[sizeof((struct of_port_desc *) 0)->name + 1];
    bool shared_name;
};

struct names {
    char *conn_name;
    uint32_t ports_xid, tables_xid; // ids set aside: the first of two; 0: none
    bool ports_loaded, tables_loaded;
    struct hmap ports_by_number, ports_by_name;
    char *tables[256];
    struct field_port_names ports;
    struct of_table_names table_names;
};

static const char *port_name(uint32_t number, void *);
static bool port_number(const char *name, uint32_t *number, void *);
static const char *table_name(uint8_t table, void *);
static bool table_number(const char *name, uint8_t *table, void *);

struct names *
names_new(const char *conn_name)
{
    struct names *n = base_calloc(1, sizeof *n);
    n->conn_name = base_strdup(conn_name);
    hmap_init(&n->ports_by_number);
    hmap_init(&n->ports_by_name);
    n->ports = (struct field_port_names){port_name, port_number, n};
    n->table_names = (struct of_table_names){table_name, table_number, n};
    return n;
}

void
names_free(struct names *n)
{
    struct port *p;
    HMAP_FOR_EACH_SAFE (p, by_number, &n->ports_by_number) {
        hmap_remove(&n->ports_by_number, &p->by_number);
        hmap_remove(&n->ports_by_name, &p->by_name);
        free(p);
    }
    hmap_destroy(&n->ports_by_number);
    hmap_destroy(&n->ports_by_name);
    for (size_t i = 0; i < ARRAY_SIZE(n->tables); i++) {
        free(n->tables[i]);
    }
    free(n->conn_name);
    free(n);
}

// Two ids: a hello and a question.
static void
reserve(uint32_t *first)
{
    if (opt.accept_names && !*first) {
        *first = ofctl_xid();
        ofctl_xid();
    }
}

void
names_reserve_ports(struct names *n)
{
    if (!n->ports_loaded) {
        reserve(&n->ports_xid);
    }
}

void
names_reserve_tables(struct names *n)
{
    if (!n->tables_loaded) {
        reserve(&n->tables_xid);
    }
}

// Calls cb for each port of the switch, whichever message tells.
static void
for_each_port(struct conn *c, void (*cb)(const struct of_port_desc *, void *), void *aux)
{
    const bool with_features = conn_version(c) < OF_13;
    struct of_msg reply;
    struct of_port_desc desc;
    int error = 0;
    bool ok =
        with_features
            ? conn_ask_plain(c, OF_MSG_FEATURES_REQUEST, &reply)
            : conn_ask(c,
                       &(struct of_msg){.type = OF_MSG_PORT_DESC_REQUEST, .u.port_no = OF_PORT_ANY},
                       &reply);
    while (ok) {
        while (of_port_desc_next(&reply, &desc, &error)) {
            cb(&desc, aux);
        }
        if (!reply.more) {
            break;
        }
        conn_next_part(c, &reply);
    }
    of_msg_clear(&reply);
}

static struct port *
find_name(const struct names *n, const char *name)
{
    struct port *p;
    HMAP_FOR_EACH_HASH(p, by_name, hash_string(name, 0), &n->ports_by_name)
    {
        if (!strcmp(p->name, name)) {
            return p;
        }
    }
    return NULL;
}

static void
add_port(const struct of_port_desc *desc, void *n_)
{
    struct names *n = n_;
    struct port *p = base_calloc(1, sizeof *p);
    p->desc = *desc;
    memcpy(p->name, desc->name, sizeof desc->name);
    struct port *other = find_name(n, p->name);
    if (other) {
        other->shared_name = p->shared_name = true;
    }
    hmap_insert(&n->ports_by_number, &p->by_number, hash_u64(desc->port, 0));
    hmap_insert(&n->ports_by_name, &p->by_name, hash_string(p->name, 0));
}

static void
load_ports(struct names *n)
{
    if (n->ports_loaded) {
        return;
    }
    n->ports_loaded = true;
    const uint32_t later = n->ports_xid ? ofctl_xid_swap(n->ports_xid) : 0;
    struct conn *c = conn_open(n->conn_name);
    for_each_port(c, add_port, n);
    conn_free(c);
    if (later) {
        ofctl_xid_swap(later);
    }
}

static void
load_tables(struct names *n)
{
    if (n->tables_loaded) {
        return;
    }
    n->tables_loaded = true;
    const uint32_t later = n->tables_xid ? ofctl_xid_swap(n->tables_xid) : 0;
    struct conn *c = conn_open(n->conn_name);
    const bool features = conn_version(c) >= OF_13;
    struct of_msg reply;
    int error = 0;
    bool ok = conn_ask_plain(
        c, features ? OF_MSG_TABLE_FEATURES_REQUEST : OF_MSG_TABLE_STATS_REQUEST, &reply);
    while (ok) {
        struct of_table_stats ts;
        struct of_table_features tf;
        while (features ? of_table_features_next(&reply, &tf, &error)
                        : of_table_stats_next(&reply, &ts, &error)) {
            const char *name = features ? tf.name : ts.name;
            const uint8_t table = features ? tf.table : ts.table;
            if (*name && !n->tables[table]) {
                n->tables[table] = base_strndup(name, sizeof ts.name);
            }
        }
        if (!reply.more) {
            break;
        }
        conn_next_part(c, &reply);
    }
    of_msg_clear(&reply);
    conn_free(c);
    if (later) {
        ofctl_xid_swap(later);
    }
}

static const char *
port_name(uint32_t number, void *n_)
{
    struct names *n = n_;
    struct port *p;
    load_ports(n);
    HMAP_FOR_EACH_HASH(p, by_number, hash_u64(number, 0), &n->ports_by_number)
    {
        if (p->desc.port == number) {
            return p->shared_name ? NULL : p->name;
        }
    }
    return NULL;
}

static bool
port_number(const char *name, uint32_t *number, void *n_)
{
    struct names *n = n_;
    load_ports(n);
    const struct port *p = find_name(n, name);
    if (!p || p->shared_name) {
        return false;
    }
    *number = p->desc.port;
    return true;
}

static const char *
table_name(uint8_t table, void *n_)
{
    struct names *n = n_;
    load_tables(n);
    return n->tables[table];
}

static bool
table_number(const char *name, uint8_t *table, void *n_)
{
    struct names *n = n_;
    int found = -1;
    load_tables(n);
    for (int t = 0; t < 256; t++) {
        if (n->tables[t] && !strcmp(n->tables[t], name)) {
            if (found >= 0) {
                return false;
            }
            found = t;
        }
    }
    *table = found;
    return found >= 0;
}

const struct field_port_names *
names_ports(struct names *n)
{
    return opt.accept_names ? &n->ports : NULL;
}

const struct of_table_names *
names_tables(struct names *n)
{
    return opt.accept_names ? &n->table_names : NULL;
}

const struct field_port_names *
names_ports_shown(struct names *n)
{
    return opt.show_names ? &n->ports : NULL;
}

const struct of_table_names *
names_tables_shown(struct names *n)
{
    return opt.show_names ? &n->table_names : NULL;
}

// --- Single ports. ---

struct search {
    const char *name; // NULL: by number
    uint32_t number;
    struct of_port_desc *found;
    bool any;
};

static void
match_port(const struct of_port_desc *d, void *s_)
{
    struct search *s = s_;
    const bool hit = s->name ? !strncmp(d->name, s->name, sizeof d->name) : d->port == s->number;
    if (hit && !s->any) {
        *s->found = *d;
        s->any = true;
    }
}

static bool
search(const char *switch_name, const char *port, struct of_port_desc *desc)
{
    struct search s = {.name = port, .found = desc};
    if (field_parse_port(port, NULL, &s.number)) {
        s.name = NULL;
    } else if (!opt.accept_names) {
        return false;
    }
    struct conn *c = conn_open(switch_name);
    for_each_port(c, match_port, &s);
    conn_free(c);
    return s.any;
}

void
ofctl_find_port(const char *switch_name, const char *port_name_, struct of_port_desc *desc)
{
    if (!search(switch_name, port_name_, desc)) {
        log_fatal(0, "%s: couldn't find port `%s'", switch_name, port_name_);
    }
}

uint32_t
ofctl_port_number(const char *switch_name, const char *port_name_)
{
    struct of_port_desc desc;
    uint32_t number;
    if (field_parse_port(port_name_, NULL, &number)) {
        return number;
    }
    if (!search(switch_name, port_name_, &desc)) {
        log_fatal(0, "%s: unknown port `%s'", switch_name, port_name_);
    }
    return desc.port;
}
