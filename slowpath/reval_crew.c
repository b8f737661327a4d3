// SPDX-License-Identifier: Apache-2.0
// The helpers of a revalidator: threads with means of their own that run what the leader gives
// them, each in the order given. Asleep, they cost nothing.
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "slowpath/reval_private.h"

LOG_MODULE(revalidator);

struct share_job {
    struct reval_job job;
    struct share *share;
};

struct reval_helper {
    struct reval_tools tools; // owner: helper, while it runs
    struct thread *thread;
    struct share_job share_job; // owner: leader, then helper
    struct mutex mutex;
    struct mutex_cond work, idle;
    struct reval_job *first GUARDED_BY(mutex);
    struct reval_job **last GUARDED_BY(mutex);
    bool busy GUARDED_BY(mutex);
    bool stop GUARDED_BY(mutex);
};

static void
run(void *h_)
{
    struct reval_helper *h = h_;
    mutex_lock(&h->mutex);
    while (h->first || !h->stop) {
        struct reval_job *job = h->first;
        if (!job) {
            mutex_cond_wait(&h->work, &h->mutex);
            continue;
        }
        h->first = NULL;
        h->last = &h->first;
        h->busy = true;
        mutex_unlock(&h->mutex);
        while (job) {
            struct reval_job *next = job->next;
            job->run(job, &h->tools);
            job = next;
        }
        mutex_lock(&h->mutex);
        h->busy = false;
        mutex_cond_signal(&h->idle);
    }
    mutex_unlock(&h->mutex);
}

static void
helper_free(struct reval *r, struct reval_helper *h)
{
    if (h->thread) {
        mutex_lock(&h->mutex);
        h->stop = true;
        mutex_cond_signal(&h->work);
        mutex_unlock(&h->mutex);
        thread_join(h->thread);
    }
    sp_reval_tools_close(r->dp, &h->tools);
    mutex_cond_destroy(&h->work);
    mutex_cond_destroy(&h->idle);
    mutex_destroy(&h->mutex);
    free(h);
}

static struct reval_helper *
helper_new(struct reval *r, unsigned number, int *error) NO_THREAD_SAFETY // nobody else has it yet
{
    struct reval_helper *h = base_calloc(1, sizeof *h);
    mutex_init(&h->mutex);
    mutex_cond_init(&h->work);
    mutex_cond_init(&h->idle);
    h->last = &h->first;
    *error = sp_reval_tools_open(r->dp, &h->tools);
    if (*error) {
        helper_free(r, h);
        return NULL;
    }
    char name[16];
    snprintf(name, sizeof name, "revalidator%u", number % 10000);
    h->thread = thread_start(name, run, h);
    return h;
}

void
sp_reval_crew_fit(struct reval *r, size_t n)
{
    while (r->n_helpers > n) {
        helper_free(r, r->helpers[--r->n_helpers]);
    }
    while (r->n_helpers < n) {
        int error;
        struct reval_helper *h = helper_new(r, (unsigned) r->n_helpers + 2, &error);
        if (!h) {
            LOG_ERR("datapath %s@ovs-%s: revalidator %zu could not be started: %s", r->dp->type,
                    r->dp->type, r->n_helpers + 2, base_strerror(error));
            return;
        }
        if (r->n_helpers == r->cap_helpers) {
            r->helpers = base_grow(r->helpers, &r->cap_helpers, sizeof(struct reval_helper *));
        }
        r->helpers[r->n_helpers++] = h;
    }
}

void
sp_reval_crew_give(struct reval *r, size_t i, struct reval_job *job)
{
    struct reval_helper *h = r->helpers[i];
    job->next = NULL;
    mutex_lock(&h->mutex);
    *h->last = job;
    h->last = &job->next;
    mutex_cond_signal(&h->work);
    mutex_unlock(&h->mutex);
}

void
sp_reval_crew_join(struct reval *r)
{
    for (size_t i = 0; i < r->n_helpers; i++) {
        struct reval_helper *h = r->helpers[i];
        mutex_lock(&h->mutex);
        while (h->first || h->busy) {
            mutex_cond_wait(&h->idle, &h->mutex);
        }
        mutex_unlock(&h->mutex);
    }
}

// --- Ids that whoever is free takes. ---

struct share {
    struct reval *r;
    const struct flow_id *ids;
    size_t n, next; // next: atomic
    reval_batch_fn *fn;
};

static void
take_batches(struct share *s, struct reval_tools *t)
{
    size_t i;
    while ((i = __atomic_fetch_add(&s->next, REVAL_BATCH, __ATOMIC_RELAXED)) < s->n) {
        s->fn(s->r, t, s->ids + i, MIN(s->n - i, (size_t) REVAL_BATCH));
    }
}

static void
run_share(struct reval_job *job, struct reval_tools *t)
{
    take_batches(CONTAINER_OF(job, struct share_job, job)->share, t);
}

void
sp_reval_each_batch(struct reval *r, struct reval_tools *t, const struct flow_id *ids, size_t n,
                    reval_batch_fn *fn)
{
    struct share s = {.r = r, .ids = ids, .n = n, .fn = fn};
    const size_t n_others = n ? (n - 1) / REVAL_BATCH : 0; // batches beside one's own first
    const size_t n_helpers = t == &r->own ? MIN(r->n_helpers, n_others) : 0;
    for (size_t i = 0; i < n_helpers; i++) {
        struct reval_helper *h = r->helpers[i];
        h->share_job = (struct share_job){.job.run = run_share, .share = &s};
        sp_reval_crew_give(r, i, &h->share_job.job);
    }
    take_batches(&s, t);
    if (n_helpers) {
        sp_reval_crew_join(r);
    }
}
