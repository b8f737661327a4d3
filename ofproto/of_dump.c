// SPDX-License-Identifier: Apache-2.0
// Dumps of many flows, written as fast as the peer reads: the rules are chosen at once and written
// little by little, so that a million flows cost their list, not their bytes. Later requests of the
// connection wait until the dump is out.
//
// The chosen rules are referenced, and a rule's flow-removed message waits for its last reference.
// So a peer that stops reading gets the rest at once into its backlog after some seconds.
#include "config.h"

#include <stdlib.h>

#include "lib/base/loop.h"
#include "lib/base/stream.h"
#include "ofproto/of_conn_private.h"

#define AHEAD (512 << 10) // bytes that may wait for the peer
#define PATIENCE_MS 3000  // with a peer that doesn't read

struct of_dump {
    struct of_mp mp;
    struct of_rule **rules; // referenced
    size_t n, at;
    struct loop_timer *patience;
};

static void
give_parts(struct of_conn *c, struct of_dump *d)
{
    const uint8_t *data;
    size_t n = of_mp_take(&d->mp, &data);
    if (n) {
        of_conn_write(c, data, n);
    }
}

static void
dump_free(struct of_conn *c)
{
    struct of_dump *d = c->dump;
    c->dump = NULL;
    for (; d->at < d->n; d->at++) {
        of_rule_unref(d->rules[d->at]);
    }
    loop_timer_free(d->patience);
    free(d->rules);
    free(d);
}

static void
write_some(struct of_conn *c, bool all)
{
    struct of_dump *d = c->dump;
    while (d->at < d->n && (all || stream_backlog(c->stream) < AHEAD)) {
        size_t end = MIN(d->n, d->at + 256); // about a part's worth
        for (; d->at < end; d->at++) {
            struct of_flow_stats fs = {0};
            of_rule_stats(d->rules[d->at], &fs);
            of_mp_flow_stats(&d->mp, &fs);
            of_rule_unref(d->rules[d->at]);
        }
        give_parts(c, d);
    }
    if (d->at == d->n) {
        struct str rest = STR_INIT;
        of_mp_end(&d->mp, &rest);
        of_conn_write(c, rest.p, rest.len);
        str_free(&rest);
        dump_free(c);
    } else {
        loop_timer_set(d->patience, PATIENCE_MS);
    }
}

static void
patience_ends(void *c)
{
    write_some(c, true);
    of_conn_resume(c);
}

void
of_dump_start(struct of_conn *c, struct of_dump_rules *rules, const struct of_wire *wire,
              uint32_t xid)
{
    struct of_dump *d = base_calloc(1, sizeof *d);
    d->rules = rules->rules;
    d->n = rules->n;
    d->patience = loop_timer_new(c->conns->loop, patience_ends, c);
    of_mp_begin(&d->mp, OF_MSG_FLOW_STATS_REPLY, wire, xid);
    c->dump = d;
    of_conn_flush(c); // what was answered before goes out before
    write_some(c, false);
}

void
of_dump_continue(struct of_conn *c)
{
    write_some(c, false);
}

void
of_dump_cancel(struct of_conn *c)
{
    if (c->dump) {
        struct str rest = STR_INIT;
        of_mp_end(&c->dump->mp, &rest);
        str_free(&rest);
        dump_free(c);
    }
}
