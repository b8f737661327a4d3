// SPDX-License-Identifier: Apache-2.0
// Flow text of ovs-ofctl(8) → struct of_flow_mod, struct of_flow_request. A flow is a list of words
// "key=value" (also "key:value", "key(value)") or "key", separated by commas and white space, and
// ends with "actions=…". What a command may say is in `allowed`; match fields and shorthands are
// left to lib/flow. Sentences are the ones users of ovs-ofctl know.
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/log.h"
#include "ofproto/of_msg.h"
#include "ofproto/of_text_private.h"

LOG_MODULE(ofp_match);

static __thread const struct of_table_names *table_names;

const struct of_table_names *
of_text_tables_use(const struct of_table_names *names)
{
    const struct of_table_names *before = table_names;
    table_names = names;
    return before;
}

// What may stand in the text beside match fields.
enum allowed {
    MAY_PRIORITY = 1,
    MAY_OUT = 2,      // out_port, out_group
    MAY_TIMEOUTS = 4, // also importance
    MAY_FLAGS = 8,
    MAY_NEW_COOKIE = 16, // cookie=VALUE
    MAY_COOKIE_MASK = 32,
    MAY_ACTIONS = 64
};

static const unsigned allowed_of[] = {
    [OF_FLOW_ADD] = MAY_PRIORITY | MAY_TIMEOUTS | MAY_FLAGS | MAY_NEW_COOKIE | MAY_ACTIONS,
    [OF_FLOW_MODIFY] =
        MAY_PRIORITY | MAY_TIMEOUTS | MAY_FLAGS | MAY_NEW_COOKIE | MAY_COOKIE_MASK | MAY_ACTIONS,
    [OF_FLOW_MODIFY_STRICT] =
        MAY_PRIORITY | MAY_TIMEOUTS | MAY_FLAGS | MAY_NEW_COOKIE | MAY_COOKIE_MASK | MAY_ACTIONS,
    [OF_FLOW_DELETE] = MAY_OUT | MAY_COOKIE_MASK,
    [OF_FLOW_DELETE_STRICT] = MAY_PRIORITY | MAY_OUT | MAY_COOKIE_MASK,
};

struct parse {
    struct of_flow_mod *fm;
    const struct field_port_names *ports;
    unsigned allowed;
    uint32_t *usable;
    bool is_request;
};

// Next word at *s, which is cut up in place: false at the end of the text.
static bool
next_word(char **s, char **key, char **value)
{
    static const char blanks[] = ", \t\r\n";
    char *p = *s + strspn(*s, blanks);
    if (!*p) {
        return false;
    }
    *key = p;
    p += strcspn(p, ", \t\r\n=:(");
    *value = p;
    if (*p == '(') { // key(value)
        *p++ = 0;
        *value = p;
        for (int depth = 1; *p; p++) {
            depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
            if (!depth) {
                *p++ = 0;
                break;
            }
        }
        *s = p;
        return true;
    }
    if (*p == '=' || *p == ':') {
        *p++ = 0;
        *value = p;
        for (int depth = 0; *p && (depth > 0 || !strchr(blanks, *p)); p++) {
            depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
        }
    }
    if (*p) {
        *p++ = 0;
    }
    *s = p;
    return true;
}

static bool
parse_u16(const char *text, uint16_t *out)
{
    uint64_t v;
    char *end;
    errno = 0;
    v = strtoull(text, &end, 0);
    if (errno || end == text || *end || !isdigit((unsigned char) *text) || v > UINT16_MAX) {
        return false;
    }
    *out = v;
    return true;
}

static char *
parse_u64(const char *text, be64_t *out)
{
    char *end;
    if (!*text) {
        return base_strdup("missing required numeric argument");
    }
    errno = 0;
    const uint64_t v = strtoull(text, &end, 0);
    if (errno || *end) {
        return base_asprintf("invalid numeric format %s", text);
    }
    *out = htobe64(v);
    return NULL;
}

static char *
parse_cookie(struct parse *p, char *text)
{
    struct of_flow_mod *fm = p->fm;
    char *slash = strchr(text, '/');
    if (!slash) {
        if (!(p->allowed & MAY_NEW_COOKIE)) {
            return base_asprintf(
                "cannot set cookie (to match on a cookie, specify a mask, e.g. cookie=%s/-1)",
                text);
        }
        fm->modify_cookie = true;
        return parse_u64(text, &fm->new_cookie);
    }
    if (!(p->allowed & MAY_COOKIE_MASK)) {
        return base_strdup("flow additions cannot use a cookie mask");
    }
    *slash = 0;
    char *error = parse_u64(text, &fm->cookie);
    if (!error) {
        error = parse_u64(slash + 1, &fm->cookie_mask);
    }
    if (!error) {
        fm->cookie &= fm->cookie_mask;
        *p->usable &= fm->cookie_mask ? OF_PROTO_NXM_OXM | OF_PROTO_11 : OF_PROTO_ALL;
    }
    return error;
}

// The table of that name, which may stand in quotes.
static bool
table_by_name(const char *text, uint8_t *table)
{
    const size_t len = strlen(text);
    if (!table_names) {
        return false;
    }
    if (len < 2 || text[0] != '"' || text[len - 1] != '"') {
        return table_names->table(text, table, table_names->aux);
    }
    char *name = base_strndup(text + 1, len - 2);
    const bool found = table_names->table(name, table, table_names->aux);
    free(name);
    return found;
}

static char *
parse_table(struct parse *p, const char *text)
{
    uint8_t table;
    char *end;
    errno = 0;
    const long n = strtol(text, &end, 10);
    if (!errno && end != text && !*end && n >= 0 && n <= 255) {
        table = n;
    } else if (!table_by_name(text, &table)) {
        return base_asprintf("unknown table \"%s\"", text);
    }
    p->fm->table = table;
    if (table != OF_TABLE_ALL && !p->is_request) {
        *p->usable &= OF_PROTO_TID | OF_PROTO_11 | OF_PROTO_OXM;
    }
    return NULL;
}

static char *
parse_out(struct parse *p, const char *key, const char *value)
{
    uint64_t n;
    if (!strcmp(key, "out_port")) {
        return field_parse_port(value, p->ports, &p->fm->out_port)
                   ? NULL
                   : base_asprintf("%s is not a valid OpenFlow port", value);
    }
    *p->usable &= OF_PROTO_11 | OF_PROTO_OXM;
    if (!strcasecmp(value, "any")) {
        p->fm->out_group = OF_GROUP_ANY;
    } else if (!strcasecmp(value, "all")) {
        p->fm->out_group = OF_GROUP_ANY - 3;
    } else if (base_parse_uint(value, UINT32_MAX, &n)) {
        p->fm->out_group = n;
    } else {
        return base_asprintf("%s is not a valid OpenFlow group", value);
    }
    return NULL;
}

static char *
parse_number(const char *key, const char *value, uint16_t *out)
{
    return parse_u16(value, out) ? NULL : base_asprintf("invalid %s \"%s\"", key, value);
}

static bool
is_statistic(const char *key)
{
    static const char *const ignored[] = {"duration", "n_packets", "n_bytes", "idle_age",
                                          "hard_age"};
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
        if (!strcmp(key, ignored[i])) {
            return true;
        }
    }
    return false;
}

// A word that isn't a match field. *known false: it is none of these (here).
static char *
parse_keyword(struct parse *p, const char *key, char *value, bool *known)
{
    struct of_flow_mod *fm = p->fm;
    const unsigned may = p->allowed;
    *known = true;
    if (!strcmp(key, "table")) {
        return parse_table(p, value);
    } else if (!strcmp(key, "cookie")) {
        return parse_cookie(p, value);
    } else if (may & MAY_PRIORITY && !strcmp(key, "priority")) {
        return parse_number(key, value, &fm->priority);
    } else if (may & MAY_OUT && (!strcmp(key, "out_port") || !strcmp(key, "out_group"))) {
        return parse_out(p, key, value);
    } else if (may & MAY_TIMEOUTS && !strcmp(key, "idle_timeout")) {
        return parse_number(key, value, &fm->idle_timeout);
    } else if (may & MAY_TIMEOUTS && !strcmp(key, "hard_timeout")) {
        return parse_number(key, value, &fm->hard_timeout);
    } else if (may & MAY_TIMEOUTS && !strcmp(key, "importance")) {
        return parse_number(key, value, &fm->importance);
    }
    *known = is_statistic(key);
    return NULL;
}

static bool
parse_flag(struct parse *p, const char *key)
{
    const unsigned flag = p->allowed & MAY_FLAGS ? of_text_flow_flag(key) : 0;
    p->fm->flags |= flag;
    if (flag == OF_FLOW_RESET_COUNTS) {
        *p->usable &= OF_PROTO_OXM;
    } else if (flag == OF_FLOW_NO_PKT_COUNTS || flag == OF_FLOW_NO_BYT_COUNTS) {
        *p->usable &= OF_PROTO_13 | OF_PROTO_14 | OF_PROTO_15;
    }
    return flag;
}

static char *
parse_word(struct parse *p, const char *key, char *value)
{
    bool known;
    if (parse_flag(p, key)) {
        return NULL;
    }
    const struct field_info *field = field_by_name(key, strlen(key));
    char *error =
        match_parse_field(&p->fm->match, key, field && !*value ? "0/0" : value, p->ports, &known);
    if (known) {
        if (field && !error) {
            *p->usable &=
                of_field_usable(field->id, &p->fm->match); // also of what a later word replaces
        }
        return error;
    }
    free(error);
    if (!*value) {
        return base_asprintf("field %s missing value", key);
    }
    error = parse_keyword(p, key, value, &known);
    return known ? error : base_asprintf("unknown keyword %s", key);
}

// Drops what the flow's other fields don't allow, and says so.
static void
normalize(struct flow_match *m)
{
    static struct log_limit limit = LOG_LIMIT(10, 10);
    const struct flow_match before = *m;
    match_normalize(m);
    if (!match_equals(&before, m) && log_enabled(LOG_LEVEL_INFO)) {
        struct str pre = STR_INIT, post = STR_INIT;
        match_format(&before, NULL, OF_DEFAULT_PRIORITY, &pre);
        match_format(m, NULL, OF_DEFAULT_PRIORITY, &post);
        LOG_INFO_RL(&limit, "normalization changed ofp_match, details:");
        LOG_INFO_RL(&limit, " pre: %s", str_get(&pre));
        LOG_INFO_RL(&limit, "post: %s", str_get(&post));
        str_free(&pre);
        str_free(&post);
    }
}

// Actions must make sense with the match, at least in the forgiving way of OpenFlow 1.0.
static char *
check_actions(struct parse *p)
{
    struct of_flow_mod *fm = p->fm;
    struct of_act_place place = {OF_PORT_MAX, fm->table, OF_N_TABLES + 1, OF_13};
    int error = of_actions_check(&fm->actions, &fm->match, &place);
    if (!error) {
        return NULL;
    }
    if (*p->usable & OF_PROTO_10_ANY) {
        place.version = OF_10;
        error = of_actions_check(&fm->actions, &fm->match, &place);
    }
    if (error) {
        return base_asprintf("actions are invalid with specified match (%s)", of_error_name(error));
    }
    *p->usable &= OF_PROTO_10_ANY;
    return NULL;
}

// Cuts the text before "actions=…" and returns what follows the sign; NULL: there is none.
static char *
cut_actions(char *text)
{
    char *act = strstr(text, "action");
    char *sign = act ? strchr(act, '=') : NULL;
    if (sign) {
        *act = 0;
    }
    return sign ? sign + 1 : NULL;
}

static char *
parse_text(struct parse *p, char *text)
{
    char *actions = NULL, *key, *value, *error;
    if (p->allowed & MAY_ACTIONS) {
        actions = cut_actions(text);
        if (!actions) {
            return base_strdup("must specify an action");
        }
    }
    while (next_word(&text, &key, &value)) {
        error = parse_word(p, key, value);
        if (error) {
            return error;
        }
    }
    if (actions) {
        error = of_actions_parse(actions, p->ports, true, &p->fm->actions, p->usable);
        if (!error) {
            error = check_actions(p);
        }
        if (error) {
            return error;
        }
    }
    if (p->is_request) {
        match_normalize(&p->fm->match);
    } else {
        normalize(&p->fm->match);
    }
    *p->usable &= of_match_usable(&p->fm->match);
    return NULL;
}

static void
init(struct of_flow_mod *fm, enum of_flow_command command)
{
    memset(fm, 0, sizeof *fm);
    match_init_any(&fm->match);
    fm->command = command;
    fm->priority = OF_DEFAULT_PRIORITY;
    fm->table = OF_TABLE_ALL;
    fm->out_port = OF_PORT_ANY;
    fm->out_group = OF_GROUP_ANY;
    fm->buffer_id = OF_BUFFER_NONE;
}

// Command at the beginning of the text, which it skips.
static enum of_flow_command
leading_command(const char **text)
{
    static const struct {
        const char *name;
        enum of_flow_command command;
    } commands[] = {
        {"add", OF_FLOW_ADD},
        {"modify", OF_FLOW_MODIFY},
        {"modify_strict", OF_FLOW_MODIFY_STRICT},
        {"delete", OF_FLOW_DELETE},
        {"delete_strict", OF_FLOW_DELETE_STRICT},
    };
    const char *s = *text + strspn(*text, ", \t\r\n");
    const size_t len = strcspn(s, ", \t\r\n=:(");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strlen(commands[i].name) == len && !strncmp(s, commands[i].name, len)) {
            *text = s + len;
            return commands[i].command;
        }
    }
    return OF_FLOW_ADD;
}

char *
of_flow_mod_parse(const char *text, int command, const struct field_port_names *ports,
                  struct of_flow_mod *fm, uint32_t *usable)
{
    const enum of_flow_command c =
        command < 0 ? leading_command(&text) : (enum of_flow_command) command;
    struct parse p = {fm, ports, allowed_of[c], usable, false};
    init(fm, c);
    char *copy = base_strdup(text);
    char *error = parse_text(&p, copy);
    free(copy);
    if (fm->table == OF_TABLE_ALL && p.allowed & MAY_ACTIONS) {
        fm->table = 0;
    }
    return error;
}

char *
of_flow_request_parse(const char *text, const struct field_port_names *ports,
                      struct of_flow_request *req, uint32_t *usable)
{
    struct of_flow_mod fm;
    struct parse p = {&fm, ports, MAY_OUT | MAY_COOKIE_MASK, usable, true};
    init(&fm, OF_FLOW_DELETE);
    char *copy = base_strdup(text);
    char *error = parse_text(&p, copy);
    free(copy);
    *req = (struct of_flow_request){.match = fm.match,
                                    .table = fm.table,
                                    .out_port = fm.out_port,
                                    .out_group = fm.out_group,
                                    .cookie = fm.cookie,
                                    .cookie_mask = fm.cookie_mask};
    of_flow_mod_free(&fm);
    return error;
}

void
of_flow_mod_free(struct of_flow_mod *fm)
{
    of_actions_free(&fm->actions);
}
