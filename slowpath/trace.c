// SPDX-License-Identifier: Apache-2.0
// ofproto/trace: what would happen to a packet, told table by table, in the layout that tools know.
// Main thread.
#include "config.h"

#include <ctype.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/rcu.h"
#include "lib/base/unixctl.h"
#include "lib/flow/match.h"
#include "ofproto/of_bridge.h"
#include "ofproto/of_error.h"
#include "slowpath/ctl_private.h"
#include "slowpath/explain.h"
#include "slowpath/mega.h"
#include "slowpath/trace_options.h"
#include "slowpath/xlate_trace.h"

#define MAX_WORDS 5

struct request {
    const struct sp_config *config;
    const struct sp_bridge *bridge; // NULL: flow has a datapath port
    const struct sp_dp *dp;
    struct flow_match match; // its key is the flow
    struct of_actions actions;
    bool packet_out, consistent;
    bool learn; // there is a packet: it is sent, and addresses are learned
    struct packet packet;
    bool has_packet;
};

// --- Names of ports in texts. ---

// --- Arguments. ---

static char *
parse_hex(struct request *r, const char *hex)
{
    const size_t n = strlen(hex) / 2;
    packet_init(&r->packet, n);
    r->has_packet = true;
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        if (!isxdigit((unsigned char) hex[2 * i]) || sscanf(hex + 2 * i, "%2x", &v) != 1) {
            return base_strdup("Trailing garbage in packet data");
        }
        const uint8_t byte = (uint8_t) v;
        packet_append(&r->packet, &byte, 1);
    }
    return strlen(hex) % 2 ? base_strdup("Trailing garbage in packet data")
           : n < ETH_HLEN  ? base_strdup("Packet data too short for Ethernet")
                           : NULL;
}

static char *
parse_flow(struct request *r, const char *text)
{
    char *error, *whole;
    if (!r->bridge) {
        error = dp_match_parse(text, sp_ctl_port_by_name, (void *) (uintptr_t) r->dp, &r->match);
        if (error) {
            free(error);
            return base_asprintf("syntax error at %s (or the bridge name was omitted)", text);
        }
        const uint32_t port = be32toh(r->match.key.in_port);
        return sp_config_dp_port(r->config, r->dp, port)
                   ? NULL
                   : base_asprintf("no OpenFlow port for datapath port %u", port);
    }
    const struct field_port_names names = {NULL, sp_ctl_ofport_by_name,
                                           (void *) (uintptr_t) r->bridge};
    error = match_parse_key(&r->match.key, text, &names);
    if (!error) {
        return NULL;
    }
    whole = base_asprintf("Bad openflow flow syntax: %s: %s", text, error);
    free(error);
    return whole;
}

static char *
parse_actions(struct request *r, const char *text)
{
    uint32_t usable = UINT32_MAX;
    const struct field_port_names names = {NULL, sp_ctl_ofport_by_name,
                                           (void *) (uintptr_t) r->bridge};
    return of_actions_parse(text, r->bridge ? &names : NULL, false, &r->actions, &usable);
}

// Do the actions suit the flow? Only -consistent is strict about what OpenFlow 1.0 forgives.
static char *
check_actions(struct request *r)
{
    const struct of_act_place place = {.max_ports = OF_PORT_MAX,
                                       .table = OF_TABLE_ALL,
                                       .n_tables = OF_N_TABLES,
                                       .version = r->consistent ? OF_13 : OF_10};
    struct flow_match *m = base_memdup(&r->match, sizeof r->match);
    match_mask_of_key(&m->key, &m->mask);
    match_update_used(m);
    const int error = of_actions_check(&r->actions, m, &place);
    free(m);
    return error ? base_asprintf("Bad actions: %s", of_error_name((enum of_error) error)) : NULL;
}

// Words that aren't options; NULL, or a sentence.
static char *
parse_options(struct request *r, int argc, const char *argv[], const char *words[MAX_WORDS], int *n)
{
    char *error;
    *n = 0;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (!strcmp(a, "-generate") || !strcmp(a, "--generate")) {
            r->learn = true;
        } else if (r->packet_out && (!strcmp(a, "-consistent") || !strcmp(a, "--consistent"))) {
            r->consistent = true;
        } else if (sp_trace_option(a, argv[i + 1], &error)) {
            i++;
            if (error) {
                return error;
            }
        } else if (*a == '-') {
            return base_asprintf("%s: unknown option", a);
        } else if (*n == MAX_WORDS) {
            return base_strdup("too many arguments");
        } else {
            words[(*n)++] = a;
        }
    }
    return NULL;
}

static const struct sp_dp *
find_dp(const char *name)
{
    const char *at = strchr(name, '@');
    const char *rest = at ? at + 1 : name;
    for (const struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        if (!strcmp(rest, dp->type) || (!strncmp(rest, "ovs-", 4) && !strcmp(rest + 4, dp->type))) {
            return dp;
        }
    }
    return NULL;
}

// {[DP] ODP_FLOW | BRIDGE BR_FLOW} [-generate | PACKET] [ACTIONS]
static char *
parse(struct request *r, int argc, const char *argv[], bool packet_out)
{
    const char *words[MAX_WORDS];
    int n;
    r->packet_out = packet_out;
    match_init_any(&r->match);
    char *error = parse_options(r, argc, argv, words, &n);
    const char *actions = packet_out && n > 1 ? words[--n] : NULL;
    if (!error && n > 3) {
        error = base_strdup("too many arguments");
    }
    if (!error && n == 3) {
        error = r->learn ? base_strdup("Syntax error") : parse_hex(r, words[--n]);
    }
    if (!error && !n) {
        error = base_strdup("Must specify bridge name or datapath flow");
    }
    if (error) {
        return error;
    }

    r->bridge = n > 1 ? sp_config_bridge(r->config, words[0]) : NULL;
    r->dp = r->bridge ? r->bridge->dp : n > 1 ? find_dp(words[0]) : sp_dp_first();
    if (!r->bridge && !r->dp) {
        return n == 1                  ? base_strdup("Cannot find the datapath")
               : strchr(words[0], '@') ? base_strdup("Cannot find the datapath")
                                       : base_asprintf("%s: unknown bridge", words[0]);
    }
    error = parse_flow(r, words[n - 1]);
    if (!error && actions) {
        error = parse_actions(r, actions);
        error = error ? error : check_actions(r);
    }
    if (error) {
        return error;
    }
    for (size_t i = 0; i < FLOW_N_VLANS; i++) {
        struct flow_vlan *v = &r->match.key.vlan[i];
        if (v->tci && !v->tpid) {
            v->tpid = htobe16(0x8100);
        }
    }
    if (r->has_packet) {
        packet_extract(&r->packet, &r->match.key);
        r->learn = true;
    } else if (r->learn) {
        packet_compose(&r->packet, &r->match.key, packet_made_payload(&r->match.key));
        r->has_packet = true;
    }
    return NULL;
}

// --- Output. ---

static void
format_result(const struct request *r, const struct flow_key *first, const struct xlate_out *x,
              struct str *out)
{
    struct flow_key key = *first, final = x->final;
    str_add(out, "\nFinal flow: ");
    if (!memcmp(&final, &key, sizeof key)) {
        str_add(out, "unchanged");
    } else {
        match_format_key(&final, NULL, out);
    }

    struct flow_match mega;
    struct flow_mask wc = x->wc;
    key.in_port = htobe32(x->ofp_in_port);
    FLOW_MASK_EXACT(&wc, packet_type);
    // Whether there are tags is said by the Ethernet type.
    for (size_t i = 0; i < FLOW_N_VLANS; i++) {
        if (!key.vlan[i].tci || wc.vlan[i].tci == htobe16(FLOW_VLAN_PRESENT)) {
            memset(&wc.vlan[i], 0, sizeof wc.vlan[i]);
        }
    }
    match_init(&mega, &key, &wc);
    str_add(out, "\nMegaflow: ");
    match_format(&mega, NULL, -1, out);
    str_add(out, "\nDatapath actions: ");
    dp_actions_format(&x->acts, NULL, NULL, out);
    if (x->error) {
        str_addf(out, "\nTranslation failed (%s%s%s), packet is dropped.",
                 xlate_error_text(x->error), *x->error_text ? ": " : "", x->error_text);
    }
    sp_explain_place(r->dp, x, first, out);
}

// A packet that is given goes to controllers, but to no port.
static void
send_to_controllers(struct request *r, const struct xlate_out *x)
{
    struct dp_actions acts = {0};
    const struct dp_act *a;
    DP_ACT_FOR_EACH (a, x->acts.data, x->acts.len) {
        if (a->type != DP_ACT_OUTPUT) {
            memcpy(dp_actions_add(&acts, (enum dp_act_type) a->type, a->len), a, a->len);
        }
    }
    struct flow_key k = r->match.key;
    const struct sp_port *in_port =
        r->bridge ? sp_bridge_port(r->bridge, be32toh(k.in_port)) : NULL;
    if (in_port) {
        k.in_port = htobe32(in_port->dp_port);
    }
    struct dp_execute ex = {.packet = &r->packet, .key = &k, .actions = &acts};
    r->dp->ops->execute(r->dp->main_channel, &ex, 1);
    dp_actions_free(&acts);
}

static void
trace(struct unixctl_conn *conn, int argc, const char *argv[], bool packet_out)
{
    struct request *r = base_calloc(1, sizeof *r);
    struct str out = STR_INIT;
    rcu_begin();
    r->config = sp_config_get();
    char *error =
        r->config ? parse(r, argc, argv, packet_out) : base_strdup("no configuration yet");
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
    match_format_key(&shown, NULL, &out);
    str_add_char(&out, '\n');
    xlate_trace_format(in.trace, &out);
    format_result(r, &shown, &x, &out);
    if (r->has_packet && x.to_controller && r->dp) {
        send_to_controllers(r, &x);
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
    unixctl_register("ofproto/trace",
                     "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]", 1, 64,
                     cmd_trace, NULL);
    unixctl_register("ofproto/trace-packet-out",
                     "[-consistent] {[dp_name] odp_flow | bridge br_flow} [OPTIONS...] "
                     "[-generate|packet] actions",
                     2, 64, cmd_trace_packet_out, NULL);
}
