// SPDX-License-Identifier: Apache-2.0
// Drives struct dp_ops "tc" by hand, for scenarios without a whole switch. The arguments are
// devices, ports 1, 2 …; each line of the input is a command, its answer one line:
//
//     policy none|skip_sw|skip_hw
//     create|modify N MATCH ACTIONS    MATCH as ovs-ofctl takes it; ACTIONS: ports, drop, pop_vlan,
//     push_vlan:VID, FIELD:VALUE explain MATCH ACTIONS delete N      get N      dump      full
//     flush      ports      nics
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "offload/ofl.h"

static struct dp *dp;
static struct dp_channel *ch;
static const struct dp_ops *ops = &ofl_dp_ops;

static void
die(const char *what, const char *about)
{
    fprintf(stderr, "%s: %s\n", about, what);
    exit(2);
}

static void
parse_match(const char *text, struct flow_match *m)
{
    match_init_any(m);
    char *error = match_parse(m, text, NULL);
    if (error) {
        die(error, text);
    }
    FLOW_MASK_EXACT(&m->mask, in_port);
    FLOW_MASK_EXACT(&m->mask, eth_type);
    FLOW_MASK_EXACT(&m->mask, recirc_id);
    for (int i = 0; i < 2; i++) {
        m->mask.vlan[i].tci |= htobe16(FLOW_VLAN_PRESENT);
        if (!(m->key.vlan[i].tci & htobe16(FLOW_VLAN_PRESENT))) {
            break;
        }
        m->key.vlan[i].tpid = htobe16(0x8100);
        m->mask.vlan[i].tpid = htobe16(0xffff);
    }
    if (flow_key_is_ip(&m->key)) {
        m->mask.nw_frag = 3;
    }
    match_update_used(m);
}

static void
parse_action(char *word, struct dp_actions *a)
{
    char *colon = strchr(word, ':');
    if (!strcmp(word, "drop")) {
        return;
    }
    if (!strcmp(word, "pop_vlan")) {
        dp_actions_add(a, DP_ACT_POP_VLAN, sizeof(struct dp_act));
    } else if (!strncmp(word, "push_vlan:", 10)) {
        struct dp_act_push_vlan *v = dp_actions_add(a, DP_ACT_PUSH_VLAN, sizeof *v);
        v->tpid = htobe16(0x8100);
        v->tci = htobe16((uint16_t) (atoi(colon + 1) | FLOW_VLAN_PRESENT));
    } else if (colon) {
        *colon = '\0';
        const struct field_info *f = field_by_name(word, strlen(word));
        union field_value v, mask;
        const char *error = f ? field_parse(f, colon + 1, NULL, &v, &mask) : "no such field";
        if (error) {
            die(error, word);
        }
        dp_actions_add_set(a, f, &v, &mask);
    } else {
        dp_actions_add_output(a, (uint32_t) atoi(word));
    }
}

static void
parse_actions(char *text, struct dp_actions *a)
{
    char *save = NULL;
    for (char *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
        parse_action(w, a);
    }
}

static void
print_op(const char *verb, unsigned n, const struct dp_flow_op *op)
{
    struct str s = STR_INIT;
    str_addf(&s, "%s %u: ", verb, n);
    if (op->error) {
        str_addf(&s, "error %d", op->error);
    } else {
        str_addf(&s, "%s packets=%llu bytes=%llu", dp_place_name(op->place),
                 (unsigned long long) op->stats.packets, (unsigned long long) op->stats.bytes);
    }
    if (op->reason.code != REASON_NONE) {
        str_add(&s, " ");
        reason_format(&op->reason, &s);
    }
    puts(str_get(&s));
    str_free(&s);
}

static void
apply(const char *verb, enum dp_flow_verb v, char *rest)
{
    static struct flow_match m;
    struct dp_actions a = DP_ACTIONS_INIT;
    char *save = NULL;
    const char *number = strtok_r(rest, " ", &save), *match = strtok_r(NULL, " ", &save);
    char *actions = strtok_r(NULL, " ", &save);
    if (!number || ((v == DP_FLOW_CREATE || v == DP_FLOW_MODIFY) && !actions)) {
        die("bad command", verb);
    }
    const unsigned n = (unsigned) atoi(number);
    struct dp_flow_op op = {.verb = v, .id = {{n, 42}}, .match = &m, .actions = &a};
    if (actions) {
        parse_match(match, &m);
        parse_actions(actions, &a);
    }
    int error = ops->flow_apply(ch, &op, 1);
    if (error) {
        op.error = error;
    }
    print_op(verb, n, &op);
    dp_actions_free(&a);
}

static bool
show(const struct dp_flow_record *rec, void *aux)
{
    (void) aux;
    printf("flow %u: %s packets=%llu bytes=%llu", (unsigned) rec->id.w[0],
           dp_place_name(rec->place), (unsigned long long) rec->stats.packets,
           (unsigned long long) rec->stats.bytes);
    if (rec->match) {
        struct str s = STR_INIT;
        match_format(rec->match, NULL, -1, &s);
        printf(" %s, %u bytes of actions", str_get(&s), rec->actions->len);
        str_free(&s);
    }
    puts("");
    return true;
}

static void
explain(char *rest)
{
    static struct flow_match m;
    struct dp_actions a = DP_ACTIONS_INIT;
    struct str text = STR_INIT;
    char *save = NULL;
    const char *match = strtok_r(rest, " ", &save);
    char *actions = strtok_r(NULL, " ", &save);
    if (!actions) {
        die("bad command", "explain");
    }
    parse_match(match, &m);
    parse_actions(actions, &a);
    struct ofl_verdict v = {.text = &text};
    if (!ofl_explain(dp, &m, &a, &v)) {
        reason_format(&v.reason, &text);
    }
    printf("%s: %s\n.\n", dp_place_name(v.place), str_get(&text));
    str_free(&text);
    dp_actions_free(&a);
}

// N flows in batches, then the same away: rates.
static void
bench(unsigned n)
{
    enum { BATCH = 64 };
    static struct flow_match m[BATCH];
    static struct dp_flow_op ops[BATCH];
    static const enum dp_flow_verb verbs[] = {DP_FLOW_CREATE, DP_FLOW_DELETE};
    struct dp_actions a = DP_ACTIONS_INIT;
    dp_actions_add_output(&a, 2);
    for (size_t v = 0; v < 2; v++) {
        unsigned in_hw = 0;
        const int64_t began = clock_now_us();
        for (unsigned i = 0; i < n; i += BATCH) {
            const unsigned k = MIN(n - i, (unsigned) BATCH);
            for (unsigned j = 0; j < k; j++) {
                if (!v) {
                    parse_match("in_port=1,udp", &m[j]);
                    m[j].key.tp_dst = htobe16((uint16_t) (i + j));
                    FLOW_MASK_EXACT(&m[j].mask, tp_dst);
                    match_update_used(&m[j]);
                }
                ops[j] = (struct dp_flow_op){
                    .verb = verbs[v], .id = {{i + j, 43}}, .match = &m[j], .actions = &a};
            }
            ofl_dp_ops.flow_apply(ch, ops, k);
            for (unsigned j = 0; j < k; j++) {
                in_hw += ops[j].place == DP_PLACE_TC_HW;
            }
        }
        const double s = (double) (clock_now_us() - began) / 1e6;
        printf("%s: %u of %u in hardware, %.0f/s\n", v ? "deleted" : "created", in_hw, n, n / s);
    }
    dp_actions_free(&a);
}

static void
print_port(const struct ofl_port_info *p, void *aux)
{
    (void) aux;
    printf("port %u: %s %s pf=%d vf=%d switch=%s devlink=%s mode=%s driver=%s rdma=%s mtu=%u "
           "hw=%d%s%s\n",
           p->dp_port, p->name, p->flavour, p->pf, p->vf, p->switch_id, p->devlink, p->eswitch_mode,
           p->driver, p->rdma, p->mtu, p->hw_tc_offload, p->reason.code ? " " : "",
           p->reason.code ? reason_get(p->reason.code)->name : "");
}

static void
print_nic(const struct ofl_nic_stats *n, void *aux)
{
    (void) aux;
    printf("nic %s: rules=%llu capacity=%llu inserts=%llu failures=%llu\n", n->switch_id,
           (unsigned long long) n->rules, (unsigned long long) n->capacity,
           (unsigned long long) n->inserts, (unsigned long long) n->failures);
}

static void
command(char *line)
{
    char *space = strchr(line, ' ');
    char *rest = space ? space + 1 : line + strlen(line);
    if (space) {
        *space = '\0';
    }
    if (!strcmp(line, "policy")) {
        ofl_set_policy(dp, !strcmp(rest, "skip_sw")   ? OFL_POLICY_SKIP_SW
                           : !strcmp(rest, "skip_hw") ? OFL_POLICY_SKIP_HW
                                                      : OFL_POLICY_NONE);
    } else if (!strcmp(line, "create")) {
        apply(line, DP_FLOW_CREATE, rest);
    } else if (!strcmp(line, "modify")) {
        apply(line, DP_FLOW_MODIFY, rest);
    } else if (!strcmp(line, "delete")) {
        apply(line, DP_FLOW_DELETE, rest);
    } else if (!strcmp(line, "get")) {
        apply(line, DP_FLOW_GET, rest);
    } else if (!strcmp(line, "dump") || !strcmp(line, "full")) {
        printf("%s: %d\n", line, ops->flow_dump(ch, line[0] == 'd', show, NULL));
    } else if (!strcmp(line, "flush")) {
        printf("flush: %d\n", ops->flow_flush(ch));
    } else if (!strcmp(line, "explain")) {
        explain(rest);
    } else if (!strcmp(line, "bench")) {
        bench((unsigned) atoi(rest));
    } else if (!strcmp(line, "ports")) {
        ofl_for_each_port(dp, print_port, NULL);
    } else if (!strcmp(line, "nics")) {
        ofl_for_each_nic(dp, print_nic, NULL);
    } else {
        die("unknown command", line);
    }
    fflush(stdout);
}

int
main(int argc, char *argv[])
{
    char line[1024];
    rcu_start();
    if (ops->open("tc", true, &dp) || ops->channel_open(dp, &ch)) {
        die("cannot be opened", "tc");
    }
    for (int i = 1; i < argc; i++) {
        struct ofl_port p = {.dp_port = (uint32_t) i, .ifindex = (int) if_nametoindex(argv[i])};
        snprintf(p.name, sizeof p.name, "%s", argv[i]);
        ofl_port_set(dp, &p);
    }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0]) {
            command(line);
        }
    }
    ops->channel_close(ch);
    ops->close(dp);
    return 0;
}
