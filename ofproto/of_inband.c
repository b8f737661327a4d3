// SPDX-License-Identifier: Apache-2.0
// In-band control: hidden rules above all others let the switch talk to its controllers and
// managers through its own ports, whatever the tables say. ovs-vswitchd.conf.db(5), Controller:
// connection_mode; ovs-vswitchd(8), "disable-in-band", "in-band-queue".
//
//     180000 DHCP requests of the local port
//     180001 ARP replies to it            180002 ARP requests from it
//     180003 ARP replies to a next hop    180004 ARP requests from it
//     180005 ARP replies about a remote   180006 ARP requests from it
//     180007 TCP to a remote              180008 TCP from it
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "ofproto/of_bridge_private.h"

LOG_MODULE(in_band);

enum {
    DHCP = 180000,
    TO_LOCAL,
    FROM_LOCAL,
    TO_HOP,
    FROM_HOP,
    TO_REMOTE,
    FROM_REMOTE,
    TCP_TO,
    TCP_FROM
};

#define MAC_TEXT 18

struct of_inband_rule {
    int priority;
    char *text;
};

struct rules {
    struct of_inband_rule *r;
    size_t n, cap;
    const char *actions;
};

static bool
has(const struct of_inband_rule *r, size_t n, const struct of_inband_rule *wanted)
{
    for (size_t i = 0; i < n; i++) {
        if (r[i].priority == wanted->priority && !strcmp(r[i].text, wanted->text)) {
            return true;
        }
    }
    return false;
}

static void FB_PRINTF(3, 4) want(struct rules *all, int priority, const char *format, ...)
{
    struct str s = {0};
    va_list args;
    va_start(args, format);
    str_addv(&s, format, args);
    va_end(args);
    str_addf(&s, ",actions=%s", all->actions);
    const struct of_inband_rule r = {priority, str_take(&s)};
    if (has(all->r, all->n, &r)) { // two remotes behind one hop
        free(r.text);
        return;
    }
    if (all->n == all->cap) {
        all->r = base_grow(all->r, &all->cap, sizeof *all->r);
    }
    all->r[all->n++] = r;
}

static void
mac_text(const struct mac *m, char text[MAC_TEXT])
{
    snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2], m->b[3],
             m->b[4], m->b[5]);
}

static void
want_all(struct rules *all, const struct of_inband *c)
{
    char local[MAC_TEXT], hop[MAC_TEXT];
    if (c->has_local) {
        mac_text(&c->local, local);
        want(all, DHCP, "in_port=LOCAL,udp,dl_src=%s,tp_src=68,tp_dst=67", local);
        want(all, TO_LOCAL, "arp,dl_dst=%s,arp_op=2", local);
        want(all, FROM_LOCAL, "arp,dl_src=%s,arp_op=1", local);
    }
    for (size_t i = 0; i < c->n; i++) {
        const struct of_inband_remote *r = &c->remotes[i];
        char ip[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &r->ip, ip, sizeof ip);
        if (r->has_hop) {
            mac_text(&r->hop, hop);
            want(all, TO_HOP, "arp,dl_dst=%s,arp_op=2", hop);
            want(all, FROM_HOP, "arp,dl_src=%s,arp_op=1", hop);
        }
        want(all, TO_REMOTE, "arp,arp_tpa=%s,arp_op=2", ip);
        want(all, FROM_REMOTE, "arp,arp_spa=%s,arp_op=1", ip);
        want(all, TCP_TO, "tcp,nw_dst=%s,tp_dst=%u", ip, r->port);
        want(all, TCP_FROM, "tcp,nw_src=%s,tp_src=%u", ip, r->port);
    }
}

static void
change(struct of_bridge *br, const struct of_inband_rule *r, bool add)
{
    struct of_flow_mod fm;
    uint32_t usable = OF_PROTO_ALL;
    char *error = of_flow_mod_parse(r->text, OF_FLOW_ADD, NULL, &fm, &usable);
    if (error) {
        LOG_ERR("%s: no in-band rule %s: %s", br->name, r->text, error);
        free(error);
        return;
    }
    fm.flags |= OF_FLOW_HIDDEN;
    (add ? of_bridge_add_hidden : of_bridge_del_hidden)(br, &fm, r->priority);
    of_flow_mod_free(&fm);
}

void
of_bridge_set_inband(struct of_bridge *br, const struct of_inband *c)
{
    char queue[40] = "normal";
    struct rules all = {.actions = queue};
    if (c->queue >= 0 && c->queue <= UINT32_MAX) {
        snprintf(queue, sizeof queue, "set_queue:%u,normal", (unsigned) c->queue);
    }
    if (c->n) {
        want_all(&all, c);
    }
    for (size_t i = 0; i < br->n_inband; i++) {
        if (!has(all.r, all.n, &br->inband[i])) {
            change(br, &br->inband[i], false);
        }
    }
    for (size_t i = 0; i < all.n; i++) {
        if (!has(br->inband, br->n_inband, &all.r[i])) {
            change(br, &all.r[i], true);
        }
    }
    of_inband_free(br);
    br->inband = all.r;
    br->n_inband = all.n;
}

void
of_inband_free(struct of_bridge *br)
{
    for (size_t i = 0; i < br->n_inband; i++) {
        free(br->inband[i].text);
    }
    free(br->inband);
    br->inband = NULL;
    br->n_inband = 0;
}
