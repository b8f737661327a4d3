// SPDX-License-Identifier: Apache-2.0
// Frozen pipeline states. See xlate_state.h.
#include "config.h"

#include "slowpath/xlate_state.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"

struct entry {
    struct hmap_node by_id, by_content;
    uint32_t id, refs;
    size_t size;
    struct xlate_state state;
};

static struct mutex mutex = MUTEX_INIT;
static struct hmap ids GUARDED_BY(mutex), contents GUARDED_BY(mutex);
static uint32_t next_id GUARDED_BY(mutex) = 1;

static struct entry *
find(uint32_t id) REQUIRES(mutex)
{
    struct entry *e;
    HMAP_FOR_EACH_HASH(e, by_id, hash_u64(id, 0), &ids)
    {
        if (e->id == id) {
            return e;
        }
    }
    return NULL;
}

uint32_t
xlate_state_get(const struct xlate_state *s)
{
    const size_t size = sizeof *s + s->userdata_len;
    const uint32_t hash = hash_bytes(s, size, 0);
    struct entry *e;

    mutex_lock(&mutex);
    HMAP_FOR_EACH_HASH(e, by_content, hash, &contents)
    {
        if (e->size == size && !memcmp(&e->state, s, size)) {
            e->refs++;
            uint32_t id = e->id;
            mutex_unlock(&mutex);
            return id;
        }
    }
    e = base_malloc(sizeof *e + s->userdata_len);
    memcpy(&e->state, s, size);
    e->size = size;
    e->refs = 1;
    do {
        e->id = next_id++;
    } while (!e->id || find(e->id));
    hmap_insert(&ids, &e->by_id, hash_u64(e->id, 0));
    hmap_insert(&contents, &e->by_content, hash);
    uint32_t id = e->id;
    mutex_unlock(&mutex);
    return id;
}

void
xlate_state_ref(uint32_t id)
{
    mutex_lock(&mutex);
    struct entry *e = find(id);
    if (e) {
        e->refs++;
    }
    mutex_unlock(&mutex);
}

void
xlate_state_unref(uint32_t id)
{
    mutex_lock(&mutex);
    struct entry *e = find(id);
    if (e && !--e->refs) {
        hmap_remove(&ids, &e->by_id);
        hmap_remove(&contents, &e->by_content);
        rcu_free_later(e);
    }
    mutex_unlock(&mutex);
}

const struct xlate_state *
xlate_state_find(uint32_t id)
{
    mutex_lock(&mutex);
    const struct entry *e = find(id);
    mutex_unlock(&mutex);
    return e ? &e->state : NULL;
}
