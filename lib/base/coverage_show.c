// SPDX-License-Identifier: Apache-2.0
// Samples the counters every 5 s and shows them; memory/show. Main thread.
#include <stdlib.h>

#include "lib/base/coverage.h"
#include "lib/base/coverage_private.h"
#include "lib/base/hash.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"

#define SLOT_S 5
#define SLOTS 12 // of the last minute; the minutes of the last hour follow from index 60

struct reporter {
    struct reporter *next;
    void (*report)(void *);
    void *aux;
};

struct usage {
    char *key;
    uint64_t value;
};

static struct loop_timer *timer;
static unsigned n_samples;
static struct reporter *reporters;
static struct usage *usages;
static size_t n_usages, cap_usages;

static void
sample(void *aux)
{
    unsigned slot = n_samples % SLOTS;
    unsigned minute = 60 + n_samples / SLOTS % 60;
    for (struct coverage_counter *c = coverage_counters; c; c = c->next) {
        uint64_t n = __atomic_load_n(&c->n, __ATOMIC_RELAXED);
        uint32_t delta = n - c->last;
        c->last = n;
        c->per_min[slot] = delta;
        if (!slot) {
            c->per_min[minute] = 0;
        }
        c->per_min[minute] += delta;
    }
    n_samples++;
    loop_timer_set(timer, SLOT_S * 1000);
}

static uint64_t
sum(const uint32_t *v, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        total += v[i];
    }
    return total;
}

static void
show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT, lines = STR_INIT;
    unsigned never = 0;
    uint32_t hash = 0;
    unsigned last = (n_samples + SLOTS - 1) % SLOTS;
    for (struct coverage_counter *c = coverage_counters; c; c = c->next) {
        uint64_t n = __atomic_load_n(&c->n, __ATOMIC_RELAXED);
        if (!n) {
            never++;
            continue;
        }
        hash = hash_string(c->name, hash_u64(n, hash));
        str_addf(&lines, "%-24s %5.1f/sec %9.3f/sec %13.4f/sec   total: %llu\n", c->name,
                 c->per_min[last] / (double) SLOT_S, sum(c->per_min, SLOTS) / 60.0,
                 sum(c->per_min + 60, 60) / 3600.0, (unsigned long long) n);
    }
    str_addf(&s, "Event coverage, avg rate over last: %d seconds, last minute, last hour,  "
                 "hash=%08x:\n%s%u events never hit\n",
             SLOT_S, hash, str_get(&lines), never);
    unixctl_reply_text(conn, &s);
    str_free(&lines);
}

static void
read_counter(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    for (struct coverage_counter *c = coverage_counters; c; c = c->next) {
        if (!strcmp(c->name, argv[1])) {
            char *text = base_asprintf(
                "%llu", (unsigned long long) __atomic_load_n(&c->n, __ATOMIC_RELAXED));
            unixctl_reply(conn, text);
            free(text);
            return;
        }
    }
    unixctl_reply_error(conn, "No such counter");
}

static int
compare(const void *a, const void *b)
{
    return strcmp(((const struct usage *) a)->key, ((const struct usage *) b)->key);
}

static void
memory_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    for (struct reporter *r = reporters; r; r = r->next) {
        r->report(r->aux);
    }
    if (usages) {
        qsort(usages, n_usages, sizeof *usages, compare);
    }
    for (size_t i = 0; i < n_usages; i++) {
        str_addf(&s, "%s%s:%llu", i ? " " : "", usages[i].key,
                 (unsigned long long) usages[i].value);
        free(usages[i].key);
    }
    n_usages = 0;
    unixctl_reply_text(conn, &s);
}

void
coverage_init(struct loop *loop)
{
    timer = loop_timer_new(loop, sample, NULL);
    loop_timer_set(timer, SLOT_S * 1000);
    unixctl_register("coverage/show", "", 0, 0, show, NULL);
    unixctl_register("coverage/read-counter", "COUNTER", 1, 1, read_counter, NULL);
    unixctl_register("memory/show", "", 0, 0, memory_show, NULL);
}

void
coverage_memory_register(void (*report)(void *), void *aux)
{
    struct reporter *r = base_malloc(sizeof *r);
    *r = (struct reporter) {reporters, report, aux};
    reporters = r;
}

void
coverage_memory_add(const char *key, uint64_t value)
{
    for (size_t i = 0; i < n_usages; i++) {
        if (!strcmp(usages[i].key, key)) {
            usages[i].value += value;
            return;
        }
    }
    if (n_usages == cap_usages) {
        usages = base_grow(usages, &cap_usages, sizeof *usages);
    }
    usages[n_usages++] = (struct usage) {base_strdup(key), value};
}
