// SPDX-License-Identifier: Apache-2.0
// Datapaths and ports as commands name them. Those that dpctl/add-dp made in user space live here
// until they are deleted or the switch ends; they serve no bridge. Main thread.
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kdatapath/kd.h"
#include "lib/base/hash.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "slowpath/ctl_private.h"

struct extra {
    struct extra *next;
    const struct dp_ops *ops;
    struct dp *dp;
    char name[32];
};

static struct extra *extras; // owner: main

// --- Answers. ---

void
sp_ctl_complain(struct str *out, int error, const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0) {
        abort();
    }
    va_end(args);
    str_addf(out, "ovs-vswitchd: %s", text);
    if (error) {
        str_addf(out, " (%s)", base_strerror(error));
    }
    str_add_char(out, '\n');
    free(text);
}

void
sp_ctl_finish(struct unixctl_conn *conn, struct str *out, struct str *error)
{
    if (error->len) {
        unixctl_reply_error(conn, str_get(error));
    } else {
        unixctl_reply(conn, str_get(out));
    }
    str_free(out);
    str_free(error);
}

// --- Ports and bridges. ---

const struct sp_bridge *
sp_ctl_bridge(struct unixctl_conn *conn, const char *name)
{
    const struct sp_config *config = sp_config_get();
    const struct sp_bridge *br = config ? sp_config_bridge(config, name) : NULL;
    if (!br) {
        unixctl_reply_error(conn, "no such bridge");
    }
    return br;
}

bool
sp_ctl_ofport_by_name(const char *name, uint32_t *ofp_port, void *bridge)
{
    const struct sp_bridge *br = bridge;
    const struct sp_port *p;
    HMAP_FOR_EACH (p, by_ofp, &br->ports) {
        if (!strcmp(p->name, name)) {
            *ofp_port = p->ofp_port;
            return true;
        }
    }
    return false;
}

const char *
sp_ctl_port_name(uint32_t dp_port, void *dp)
{
    const struct sp_config *config = sp_config_get();
    const struct sp_port *p = config ? sp_config_dp_port(config, dp, dp_port) : NULL;
    return p ? p->name : NULL;
}

bool
sp_ctl_port_by_name(const char *name, uint32_t *dp_port, void *dp)
{
    const struct sp_config *config = sp_config_get();
    const struct sp_port *p;
    if (config) {
        HMAP_FOR_EACH_HASH(p, by_name, hash_string(name, 0), &config->names)
        {
            if (!strcmp(p->name, name) && p->dp_port != DP_PORT_NONE && p->bridge->dp == dp) {
                *dp_port = p->dp_port;
                return true;
            }
        }
    }
    return false;
}

// --- Datapaths. ---

static void
of_sp(struct sp_dp *sp, struct sp_target *t)
{
    *t = (struct sp_target){
        .type = sp->type, .ops = sp->ops, .dp = sp->dp, .ch = sp->main_channel, .sp = sp};
    snprintf(t->name, sizeof t->name, "ovs-%s", sp->type);
}

static void
of_extra(const struct extra *x, struct sp_target *t)
{
    *t = (struct sp_target){.type = x->ops->type, .ops = x->ops, .dp = x->dp};
    snprintf(t->name, sizeof t->name, "%s", x->name);
}

static int
only_one(struct sp_target *t, struct str *why)
{
    struct sp_dp *sp = sp_dp_first();
    const size_t n = (sp != NULL) + (sp && sp->next) + (extras != NULL);
    if (n != 1 || (extras && extras->next)) {
        if (why) {
            sp_ctl_complain(why, 0, n ? "multiple datapaths, specify one" : "no datapaths exist");
        }
        return -EINVAL;
    }
    if (sp) {
        of_sp(sp, t);
    } else {
        of_extra(extras, t);
    }
    return 0;
}

// What serves bridges goes by its name, by its type, and by "type@bridge".
static bool
names_sp(const struct sp_dp *sp, const char *type, const char *name, bool typed)
{
    if (typed && strcmp(sp->type, type)) {
        return false;
    }
    if (!strncmp(name, "ovs-", 4) && !strcmp(name + 4, sp->type)) {
        return true;
    }
    const struct sp_config *config = sp_config_get();
    const struct sp_bridge *br = typed && config ? sp_config_bridge(config, name) : NULL;
    return (br && br->dp == sp) || (!typed && !strcmp(name, sp->type));
}

static bool
cut_type(const char *text, char type[32], const char **name)
{
    const char *at = strchr(text, '@');
    snprintf(type, 32, "%.*s", at ? (int) MIN(at - text, 31) : 6, at ? text : "system");
    *name = at ? at + 1 : text;
    return at != NULL;
}

int
sp_target_open(const char *text, struct sp_target *t, struct str *why)
{
    char type[32];
    const char *name;
    memset(t, 0, sizeof *t);
    if (!text) {
        return only_one(t, why);
    }
    const bool typed = cut_type(text, type, &name);
    for (struct sp_dp *sp = sp_dp_first(); sp; sp = sp->next) {
        if (names_sp(sp, type, name, typed)) {
            of_sp(sp, t);
            return 0;
        }
    }
    for (const struct extra *x = extras; x; x = x->next) {
        if (!strcmp(x->ops->type, type) && !strcmp(x->name, name)) {
            of_extra(x, t);
            return 0;
        }
    }
    const struct dp_ops *ops = dp_ops_find(type);
    if (!ops || ops != &kd_dp_ops) {
        return ops ? -ENODEV : -EAFNOSUPPORT;
    }
    const int error = ops->open(name, false, &t->dp);
    if (!error) {
        t->type = ops->type;
        t->ops = ops;
        t->opened = true;
        snprintf(t->name, sizeof t->name, "%s", name);
    }
    return error;
}

int
sp_target_channel(struct sp_target *t)
{
    return t->ch ? 0 : t->ops->channel_open(t->dp, &t->ch);
}

void
sp_target_close(struct sp_target *t)
{
    if (t->ch && !t->sp) {
        t->ops->channel_close(t->ch);
    }
    if (t->opened) {
        t->ops->close(t->dp);
    }
    free(t->ports);
    memset(t, 0, sizeof *t);
}

struct port_list {
    struct dp_port_info *info;
    size_t n, cap;
};

static void
collect_port(const struct dp_port_info *info, void *p_)
{
    struct port_list *p = p_;
    if (p->n == p->cap) {
        p->info = base_grow(p->info, &p->cap, sizeof *p->info);
    }
    p->info[p->n++] = *info;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct dp_port_info *a = a_, *b = b_;
    return a->port_no < b->port_no ? -1 : a->port_no > b->port_no;
}

void
sp_target_ports(struct sp_target *t)
{
    struct port_list p = {NULL, 0, 0};
    t->ops->port_dump(t->dp, collect_port, &p);
    if (p.n) {
        qsort(p.info, p.n, sizeof *p.info, compare_ports);
    }
    free(t->ports);
    t->ports = p.info;
    t->n_ports = p.n;
}

const char *
sp_target_port_name(uint32_t port, void *target)
{
    const struct sp_target *t = target;
    for (size_t i = 0; i < t->n_ports; i++) {
        if (t->ports[i].port_no == port) {
            return t->ports[i].name;
        }
    }
    return NULL;
}

bool
sp_target_port_by_name(const char *name, uint32_t *port, void *target)
{
    const struct sp_target *t = target;
    for (size_t i = 0; i < t->n_ports; i++) {
        if (!strcmp(t->ports[i].name, name)) {
            *port = t->ports[i].port_no;
            return true;
        }
    }
    return false;
}

struct name_list {
    char **names;
    size_t n, cap;
};

static void
add_name(struct name_list *l, const char *type, const char *name)
{
    if (l->n == l->cap) {
        l->names = base_grow(l->names, &l->cap, sizeof *l->names);
    }
    l->names[l->n++] = base_asprintf("%s@%s", type, name);
}

static void
add_kernel(const char *name, void *l)
{
    const struct sp_dp *sp = sp_dp_first();
    while (sp && strcmp(sp->type, "system")) {
        sp = sp->next;
    }
    if (!sp || strcmp(name, "ovs-system")) {
        add_name(l, "system", name);
    }
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

void
sp_target_for_each(void (*cb)(struct sp_target *, void *aux), void *aux)
{
    struct name_list l = {NULL, 0, 0};
    for (const struct sp_dp *sp = sp_dp_first(); sp; sp = sp->next) {
        char *name = base_asprintf("ovs-%s", sp->type);
        add_name(&l, sp->type, name);
        free(name);
    }
    for (const struct extra *x = extras; x; x = x->next) {
        add_name(&l, x->ops->type, x->name);
    }
    if (dp_ops_find("system") == &kd_dp_ops) {
        kd_dp_for_each(add_kernel, &l);
    }
    if (l.n) {
        qsort(l.names, l.n, sizeof *l.names, compare_names);
    }
    for (size_t i = 0; i < l.n; i++) {
        struct sp_target t;
        if (!sp_target_open(l.names[i], &t, NULL)) {
            cb(&t, aux);
            sp_target_close(&t);
        }
        free(l.names[i]);
    }
    free(l.names);
}

int
sp_target_create(const char *text)
{
    char type[32];
    const char *name;
    struct sp_target t;
    cut_type(text, type, &name);
    const struct dp_ops *ops = dp_ops_find(type);
    if (!ops || !ops->port_dump) { // tc is a place, no datapath
        return -EAFNOSUPPORT;
    }
    if (!*name || strlen(name) >= sizeof t.ports[0].name) {
        return -EINVAL;
    }
    if (ops == &kd_dp_ops) {
        return kd_dp_create(name);
    }
    if (!sp_target_open(text, &t, NULL)) {
        sp_target_close(&t);
        return -EEXIST;
    }
    struct extra *x = base_calloc(1, sizeof *x);
    const int error = ops->open(name, true, &x->dp);
    if (error) {
        free(x);
        return error;
    }
    x->ops = ops;
    snprintf(x->name, sizeof x->name, "%s", name);
    x->next = extras;
    extras = x;
    return 0;
}

int
sp_target_destroy(struct sp_target *t)
{
    if (t->sp) {
        return -EBUSY;
    }
    if (t->ch) {
        t->ops->channel_close(t->ch);
        t->ch = NULL;
    }
    for (struct extra **p = &extras; *p; p = &(*p)->next) {
        if ((*p)->dp == t->dp) {
            struct extra *x = *p;
            *p = x->next;
            free(x);
            break;
        }
    }
    t->opened = false;
    return t->ops->destroy(t->dp);
}

void
sp_target_exit(void)
{
    while (extras) {
        struct extra *x = extras;
        extras = x->next;
        x->ops->destroy(x->dp);
        free(x);
    }
}
