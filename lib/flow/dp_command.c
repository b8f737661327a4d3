// SPDX-License-Identifier: Apache-2.0
// Flows, ids, counters and ports of datapaths as the commands about them word them.
#include "lib/flow/dp_command.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/uuid.h"

// --- Output. ---

void
dp_flow_stats_format(const struct dp_flow_stats *s, struct str *out)
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

void
dp_flow_id_format(const struct flow_id *id, struct str *out)
{
    char text[UUID_LEN + 1];
    struct uuid u;

    memcpy(&u, id, sizeof u);
    uuid_format(&u, text);
    str_addf(out, "ufid:%s", text);
}

void
dp_flow_format(const struct dp_flow_record *r, const struct dp_flow_style *style, struct str *out)
{
    if (style->verbose && r->has_id) {
        dp_flow_id_format(&r->id, out);
        str_add(out, style->placeless ? " " : ", ");
    }
    if (style->kernel) {
        dp_match_format_kernel(r->match, style->verbose, style->namer, style->aux, out);
    } else {
        dp_match_format(r->match, style->verbose, style->namer, style->aux, out);
    }
    str_add(out, ", ");
    dp_flow_stats_format(&r->stats, out);
    if (style->verbose && !style->placeless) {
        const bool tc = r->place == DP_PLACE_TC_SW || r->place == DP_PLACE_TC_HW;
        str_addf(out, "%s, dp:%s", r->place == DP_PLACE_TC_HW ? ", offloaded:yes" : "",
                 tc ? "tc" : "ovs");
    }
    str_add(out, ", actions:");
    dp_actions_format(r->actions, style->namer, style->aux, out);
}

// --- Input. ---

bool
dp_flow_id_parse(const char *text, struct flow_id *id, size_t *len)
{
    struct uuid u;

    if (strncmp(text, "ufid:", 5) || uuid_parse_prefix(text + 5, &u) != UUID_LEN) {
        return false;
    }
    memcpy(id, &u, sizeof *id);
    *len = 5 + UUID_LEN;
    return true;
}

char *
dp_flow_parse(const char *text, dp_port_finder *finder, void *aux, struct dp_flow_text *f)
{
    size_t len = 0;

    memset(f, 0, sizeof *f);
    f->has_id = dp_flow_id_parse(text, &f->id, &len);
    const char *rest = text + len + (text[len] == ',' && len ? strspn(text + len, ", ") : 0);
    if (!*text) {
        return base_strdup("syntax error at ");
    }
    f->has_recirc_id = strstr(rest, "recirc_id(") != NULL;
    return *rest || !len ? dp_match_parse(rest, finder, aux, &f->match) : NULL;
}

void
dp_flow_line_parse(char *line, struct dp_flow_line *l)
{
    static const struct {
        const char *word;
        enum dp_flow_verb verb;
    } words[] = {{"add", DP_FLOW_CREATE}, {"modify", DP_FLOW_MODIFY}, {"delete", DP_FLOW_DELETE}};
    char *save = NULL, *word = strtok_r(line, " \t\r\n", &save);

    l->flow = l->actions = NULL;
    if (!word || *word == '#') {
        return;
    }
    l->flow = word;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(word, words[i].word)) {
            l->verb = words[i].verb;
            word = strtok_r(NULL, " \t\r\n", &save);
            l->flow = word ? word : "";
            break;
        }
    }
    const char *actions = l->verb == DP_FLOW_DELETE ? NULL : strtok_r(NULL, "\r\n", &save);
    l->actions = actions ? actions + strspn(actions, " \t") : "";
}

void
dp_port_spec_parse(char *text, struct dp_port_spec *spec, bool *bad_number)
{
    char *save = NULL;
    uint64_t n;

    *bad_number = false;
    *spec = (struct dp_port_spec){.name = strtok_r(text, ",", &save), .port_no = DP_PORT_NONE};
    for (char *option; spec->name && (option = strtok_r(NULL, ",", &save));) {
        char *equals = strchr(option, '=');
        const char *value = equals ? equals + 1 : "";
        if (equals) {
            *equals = 0;
        }
        if (!strcmp(option, "type")) {
            spec->type = value;
        } else if (!strcmp(option, "port_no")) {
            *bad_number = !base_parse_uint(value, UINT32_MAX - 1, &n);
            spec->port_no = *bad_number ? DP_PORT_NONE : (uint32_t) n;
        } else if (!strcmp(option, "dst_port") && base_parse_uint(value, UINT16_MAX, &n)) {
            spec->tp_dst = (uint16_t) n;
        } // options of other interface types mean nothing to a datapath
    }
}

char *
dp_port_spec_conflict(const struct dp_port_spec *spec, const struct dp_port_info *port)
{
    if (spec->type && strcmp(spec->type, port->type)) {
        return base_asprintf("%s: can't change type from %s to %s", spec->name, port->type,
                             spec->type);
    }
    if (spec->port_no != DP_PORT_NONE && spec->port_no != port->port_no) {
        return base_asprintf("%s: can't change port number from %u to %u", spec->name,
                             port->port_no, spec->port_no);
    }
    return NULL;
}
