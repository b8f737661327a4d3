// SPDX-License-Identifier: Apache-2.0
// ofproto/trace: what would happen to a packet, told table by table, in the layout that tools know. Main thread.
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/rcu.h"
#include "lib/base/unixctl.h"
#include "lib/flow/match.h"
#include "ofproto/of_bridge.h"
#include "slowpath/explain.h"
#include "slowpath/mega.h"
#include "slowpath/sp_private.h"
#include "slowpath/xlate_trace.h"

struct request {
    const struct sp_config *config;
    const struct sp_bridge *bridge; // NULL: flow has a datapath port
    const struct sp_dp *dp;
    struct flow_match match; // its key is the flow
    struct of_actions actions;
    bool packet_out, learn;
    struct packet packet;
    bool has_packet;
};

// --- Names of ports in texts. ---

static bool
port_by_name(const char *name, uint32_t *ofp, void *br_)
{
    const struct sp_bridge *br = br_;
    const struct sp_port *p;
    HMAP_FOR_EACH (p, by_ofp, &br->ports) {
        if (!strcmp(p->name, name)) {
            *ofp = p->ofp_port;
            return true;
        }
    }
    return false;
}

static bool
dp_port_by_name(const char *name, uint32_t *port, void *r_)
{
    const struct request *r = r_;
    const struct sp_port *p;
    HMAP_FOR_EACH (p, by_name, &r->config->names) {
        if (!strcmp(p->name, name) && p->dp_port != DP_PORT_NONE) {
            *port = p->dp_port;
            return true;
        }
    }
    return false;
}

// --- Arguments. ---

static char *
parse_hex(struct request *r, const char *hex)
{
    const size_t n = strlen(hex) / 2;
    packet_init(&r->packet, n);
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        if (sscanf(hex + 2 * i, "%2x", &v) != 1) {
            packet_free(&r->packet);
            return base_asprintf("%s: not hexadecimal digits of a packet", hex);
        }
        const uint8_t byte = (uint8_t) v;
        packet_append(&r->packet, &byte, 1);
    }
    r->has_packet = true;
    return NULL;
}

static bool
is_hex(const char *s)
{
    const size_t n = strlen(s);
    return n >= 28 && n % 2 == 0 && strspn(s, "0123456789abcdefABCDEF") == n;
}

static char *
parse_flow(struct request *r, const char *text)
{
    if (!r->bridge) {
        return dp_match_parse(text, dp_port_by_name, r, &r->match);
    }
    const struct field_port_names names = {NULL, port_by_name, (void *) (uintptr_t) r->bridge};
    char *error = match_parse(&r->match, text, &names);
    if (error) {
        char *whole = base_asprintf("Bad openflow flow syntax: %s: %s", text, error);
        free(error);
        return whole;
    }
    return NULL;
}

static char *
parse(struct request *r, int argc, const char *argv[], bool packet_out)
{
    const char *words[4];
    int n = 0;
    match_init_any(&r->match);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-generate") || !strcmp(argv[i], "--generate") || !strcmp(argv[i], "--l7") ||
            !strcmp(argv[i], "-consistent") || !strcmp(argv[i], "--consistent")) {
            r->learn |= argv[i][1] == 'g' || argv[i][2] == 'g';
        } else if (!strncmp(argv[i], "--", 2)) {
            if (strstr(argv[i], "ct-next")) {
                i++; // only conntrack needs it
            }
        } else if (is_hex(argv[i])) {
            char *error = parse_hex(r, argv[i]);
            if (error) {
                return error;
            }
        } else if (n < 4) {
            words[n++] = argv[i];
        }
    }
    if (packet_out && n) {
        uint32_t usable = UINT32_MAX;
        char *error = of_actions_parse(words[--n], NULL, false, &r->actions, &usable);
        if (error) {
            char *whole = base_asprintf("Bad actions: %s", error);
            free(error);
            return whole;
        }
        r->packet_out = true;
    }
    if (!n) {
        return base_strdup("Must specify bridge name or datapath flow");
    }
    r->bridge = sp_config_bridge(r->config, words[0]);
    r->dp = r->bridge ? r->bridge->dp : sp_dp_first();
    if (!r->bridge && n > 1) {
        for (r->dp = sp_dp_first(); r->dp; r->dp = r->dp->next) {
            const char *at = strstr(words[0], "@");
            if (!strncmp(words[0], r->dp->type, strlen(r->dp->type)) || (at && strstr(at, r->dp->type)) ||
                strstr(words[0], r->dp->type)) {
                break;
            }
        }
        if (!r->dp) {
            return base_asprintf("%s: unknown bridge", words[0]);
        }
    }
    const char *flow = r->bridge ? (n > 1 ? words[1] : "") : words[n - 1];
    char *error = parse_flow(r, flow);
    if (error) {
        return error;
    }
    if (r->has_packet) {
        packet_extract(&r->packet, &r->match.key);
    } else if (r->learn || packet_out) {
        packet_compose(&r->packet, &r->match.key, 64);
        r->has_packet = true;
    }
    return NULL;
}

// --- Output. ---

static void
format_result(const struct request *r, const struct flow_key *first, const struct xlate_out *x, struct str *out)
{
    struct flow_key key = *first, final = x->final;
    final.in_port = key.in_port;
    str_add(out, "\nFinal flow: ");
    if (!memcmp(&final, &key, sizeof key)) {
        str_add(out, "unchanged");
    } else {
        sp_trace_format_key(&final, out);
    }

    struct flow_match mega;
    struct flow_mask wc = x->wc;
    key.in_port = htobe32(x->ofp_in_port);
    FLOW_MASK_EXACT(&wc, packet_type);
    if (!key.vlan[0].tci) {
        memset(wc.vlan, 0, sizeof wc.vlan); // said by the Ethernet type
    }
    match_init(&mega, &key, &wc);
    str_add(out, "\nMegaflow: ");
    match_format(&mega, NULL, -1, out);
    str_add(out, "\nDatapath actions: ");
    dp_actions_format(&x->acts, NULL, NULL, out);
    if (x->error) {
        str_addf(out, "\nTranslation failed (%s%s%s), packet is dropped.", xlate_error_text(x->error),
                 *x->error_text ? ": " : "", x->error_text);
    }
    if (x->to_controller || x->slow) {
        str_add(out, "\nThis flow is handled by the userspace slow path because it:\n  - Sends \"packet-in\" messages "
                     "to the OpenFlow controller.");
    }
    sp_explain_place(r->dp, x, first, out);
}

static void
trace(struct unixctl_conn *conn, int argc, const char *argv[], bool packet_out)
{
    struct request *r = base_calloc(1, sizeof *r);
    struct str out = STR_INIT;
    rcu_begin();
    r->config = sp_config_get();
    char *error = r->config ? parse(r, argc, argv, packet_out) : base_strdup("no configuration yet");
    if (error) {
        unixctl_reply_error(conn, error);
        free(error);
        goto done;
    }

    struct flow_key shown = r->match.key;
    struct xlate_out x;
    xlate_out_init(&x);
    struct xlate_in in = {.config = r->config,
                          .dp = r->dp,
                          .key = &r->match.key,
                          .bridge = r->bridge,
                          .actions = r->packet_out ? &r->actions : NULL,
                          .learn = r->learn,
                          .now = clock_now(),
                          .trace = xlate_trace_new()};
    xlate_flow(&in, &x);
    shown.in_port = htobe32(x.ofp_in_port);
    str_add(&out, "Flow: ");
    sp_trace_format_key(&shown, &out);
    str_add_char(&out, '\n');
    xlate_trace_format(in.trace, &out);
    format_result(r, &shown, &x, &out);
    if (r->has_packet && x.acts.len && r->dp) {
        struct dp_execute ex = {.packet = &r->packet, .key = &r->match.key, .actions = &x.acts};
        struct flow_key k = r->match.key;
        const struct sp_port *in_port = r->bridge ? sp_bridge_port(r->bridge, be32toh(k.in_port)) : NULL;
        if (in_port) {
            k.in_port = htobe32(in_port->dp_port);
            ex.key = &k;
        }
        r->dp->ops->execute(r->dp->main_channel, &ex, 1);
    }
    unixctl_reply(conn, str_get(&out));
    xlate_trace_free(in.trace);
    xlate_out_destroy(&x);
done:
    rcu_end();
    str_free(&out);
    if (r->has_packet) {
        packet_free(&r->packet);
    }
    of_actions_free(&r->actions);
    free(r);
}

static void
cmd_trace(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    trace(conn, argc, argv, false);
}

static void
cmd_trace_packet_out(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    trace(conn, argc, argv, true);
}

void
sp_trace_init(void)
{
    unixctl_register("ofproto/trace", "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]", 1, 64,
                     cmd_trace, NULL);
    unixctl_register("ofproto/trace-packet-out",
                     "[-consistent] {[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet] actions", 2,
                     64, cmd_trace_packet_out, NULL);
}
