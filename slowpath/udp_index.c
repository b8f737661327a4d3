// SPDX-License-Identifier: Apache-2.0
// Writers of the hash table of tagged pointers. See udp_index.h.
#include "config.h"

#include "slowpath/udp_index.h"

#include <stdlib.h>

#define MIN_SIZE 8
#define REMOVED 1

static struct udp_index_array *
array_new(size_t size)
{
    struct udp_index_array *a = base_calloc(1, sizeof *a + size * sizeof a->e[0]);
    a->mask = size - 1;
    return a;
}

static void
array_free(struct rcu_head *head)
{
    rcu_after_grace();
    free(caa_container_of(head, struct udp_index_array, rcu));
}

void
udp_index_init(struct udp_index *x)
{
    *x = (struct udp_index){.a = array_new(MIN_SIZE)};
}

void
udp_index_destroy(struct udp_index *x)
{
    free(x->a);
}

static void
put(struct udp_index_array *a, uint64_t e, uint32_t hash)
{
    size_t i = hash & a->mask;
    while (a->e[i]) {
        i = (i + 1) & a->mask;
    }
    __atomic_store_n(&a->e[i], e, __ATOMIC_RELEASE);
}

// At most half full, removed ones included: readers stop at the first empty place.
static void
make_room(struct udp_index *x, uint32_t (*hash_of)(const struct udp_flow *))
{
    struct udp_index_array *old = x->a;
    if ((x->used + 1) * 2 <= old->mask + 1) {
        return;
    }
    size_t size = MIN_SIZE;
    while (size < (x->n + 1) * 3) {
        size *= 2;
    }
    struct udp_index_array *a = array_new(size);
    for (size_t i = 0; i <= old->mask; i++) {
        if (old->e[i] > REMOVED) {
            put(a, old->e[i], hash_of(udp_untagged(old->e[i])));
        }
    }
    x->used = x->n;
    rcu_set(x->a, a);
    rcu_call(&old->rcu, array_free);
}

void
udp_index_add(struct udp_index *x, struct udp_flow *f, uint32_t hash,
              uint32_t (*hash_of)(const struct udp_flow *))
{
    make_room(x, hash_of);
    put(x->a, udp_tagged(f, hash), hash);
    x->n++;
    x->used++;
}

void
udp_index_del(struct udp_index *x, struct udp_flow *f, uint32_t hash)
{
    const uint64_t e = udp_tagged(f, hash);
    struct udp_index_array *a = x->a;
    size_t i = hash & a->mask;
    while (a->e[i] != e) {
        i = (i + 1) & a->mask;
    }
    // An end of a run needs no mark.
    const bool end = !a->e[(i + 1) & a->mask];
    __atomic_store_n(&a->e[i], end ? 0 : REMOVED, __ATOMIC_RELEASE);
    x->used -= end;
    x->n--;
}
