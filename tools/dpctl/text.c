// SPDX-License-Identifier: Apache-2.0
// A datapath flow as one line.
#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/base/uuid.h"
#include "tools/dpctl/dpctl.h"

void
dpctl_format_stats(const struct dp_flow_stats *s, struct str *out)
{
    static const char letters[] = "FSRP.UEC";

    str_addf(out, "packets:%" PRIu64 ", bytes:%" PRIu64 ", used:", s->packets, s->bytes);
    if (s->used) {
        str_addf(out, "%.3fs", (double) MAX(clock_now() - s->used, 0) / 1000.0);
    } else {
        str_add(out, "never");
    }
    if (s->tcp_flags) {
        str_add(out, ", flags:");
        for (size_t i = 0; letters[i]; i++) {
            if (s->tcp_flags >> i & 1) {
                str_add_char(out, letters[i]);
            }
        }
    }
}

// As a UUID of four words in host order.
static void
format_id(const struct flow_id *id, struct str *out)
{
    char text[UUID_LEN + 1];
    struct uuid u;

    memcpy(&u, id, sizeof u);
    uuid_format(&u, text);
    str_addf(out, "ufid:%s", text);
}

void
dpctl_format_flow(const struct dp_flow_record *r, const struct dpctl_ports *ports, bool verbose,
                  struct str *out)
{
    dp_port_namer *namer = ports ? dpctl_port_name : NULL;

    if (verbose && r->has_id) {
        format_id(&r->id, out);
        str_add(out, ", ");
    }
    dp_match_format_kernel(r->match, verbose, namer, (void *) ports, out);
    str_add(out, ", ");
    dpctl_format_stats(&r->stats, out);
    if (verbose) {
        str_add(out, ", dp:ovs");
    }
    str_add(out, ", actions:");
    dp_actions_format(r->actions, namer, (void *) ports, out);
}

bool
dpctl_parse_ufid(const char *text, struct flow_id *id, size_t *len)
{
    struct uuid u;

    if (strncmp(text, "ufid:", 5) || uuid_parse_prefix(text + 5, &u) != UUID_LEN) {
        return false;
    }
    memcpy(id, &u, sizeof *id);
    *len = 5 + UUID_LEN;
    return true;
}
