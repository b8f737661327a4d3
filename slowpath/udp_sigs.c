// SPDX-License-Identifier: Apache-2.0
// Memory of signature caches. See udp_sigs.h.
#include "config.h"

#include "slowpath/udp_sigs.h"

#include <stdlib.h>
#include <sys/mman.h>

struct udp_sigs *
udp_sigs_new(size_t n_flows)
{
    struct udp_sigs *c = base_calloc(1, sizeof *c);
    size_t sets = 64;
    while (sets * UDP_SIG_WAYS < n_flows) {
        sets *= 2;
    }
    c->mask = sets - 1;
    // Zero pages come when they are used.
    c->e = mmap(NULL, sets * UDP_SIG_WAYS * sizeof *c->e, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c->e == MAP_FAILED) {
        abort();
    }
    return c;
}

void
udp_sigs_free(struct udp_sigs *c)
{
    if (c) {
        munmap(c->e, (c->mask + 1) * UDP_SIG_WAYS * sizeof *c->e);
        free(c);
    }
}
