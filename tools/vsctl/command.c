// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/table.h"
#include "tools/vsctl/vsctl.h"

const struct vsctl_syntax *const vsctl_syntaxes[] = {
    vsctl_bridge_syntax,  vsctl_port_syntax,     vsctl_bond_syntax,
    vsctl_switch_syntax,  vsctl_zone_syntax,     vsctl_show_syntax,
    vsctl_db_read_syntax, vsctl_db_write_syntax, NULL,
};

static const struct vsctl_syntax *
syntax_by_name(const char *name)
{
    for (size_t i = 0; vsctl_syntaxes[i]; i++) {
        for (const struct vsctl_syntax *s = vsctl_syntaxes[i]; s->name; s++) {
            if (!strcmp(s->name, name)) {
                return s;
            }
        }
    }
    return NULL;
}

// How the command takes the option: 0 not at all, else ' ' without, '=' with, '?' with or without
// argument.
static char
option_kind(const struct vsctl_syntax *s, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = s->options; p && (p = strstr(p, name)); p += len) {
        if ((p == s->options || p[-1] == ' ') && (!p[len] || strchr(" =?", p[len]))) {
            return p[len] ? p[len] : ' ';
        }
    }
    return 0;
}

static void
add_option(struct vsctl_cmd *c, const char *name, const char *arg)
{
    c->options = base_realloc(c->options, (c->n_options + 1) * sizeof *c->options);
    c->options[c->n_options++] = (struct vsctl_option){name, arg};
}

static void
check_options(const struct vsctl_cmd *c)
{
    const char *name = c->syntax->name;
    for (size_t i = 0; i < c->n_options; i++) {
        const struct vsctl_option *o = &c->options[i];
        char kind = option_kind(c->syntax, o->name);
        if (!kind) {
            vsctl_fatal("'%s' command has no '%s' option", name, o->name);
        } else if (kind == '=' && !o->arg) {
            vsctl_fatal("missing argument to '%s' option on '%s' command", o->name, name);
        } else if (kind == ' ' && o->arg) {
            vsctl_fatal("'%s' option on '%s' does not accept an argument", o->name, name);
        }
        for (size_t j = 0; j < i; j++) {
            if (!strcmp(o->name, c->options[j].name)) {
                vsctl_fatal("'%s' option specified multiple times", o->name);
            }
        }
    }
}

static void
parse_one(struct vsctl_cmd *c, int argc, char **argv)
{
    int i = 0;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *eq = strchr(argv[i], '=');
        if (eq) {
            add_option(c, base_strndup(argv[i], (size_t) (eq - argv[i])), eq + 1);
        } else {
            add_option(c, argv[i], NULL);
        }
    }
    if (i >= argc) {
        vsctl_fatal("missing command name (use --help for help)");
    }
    c->syntax = syntax_by_name(argv[i]);
    if (!c->syntax) {
        vsctl_fatal("unknown command '%s'; use --help for help", argv[i]);
    }
    check_options(c);
    c->argc = argc - i;
    c->argv = argv + i;
    int n = c->argc - 1;
    if (n < c->syntax->min_args) {
        vsctl_fatal("'%s' command requires at least %d arguments", c->syntax->name,
                    c->syntax->min_args);
    }
    if (n > c->syntax->max_args) {
        for (int j = c->syntax->max_args + 1; j < c->argc; j++) {
            if (c->argv[j][0] == '-') {
                vsctl_fatal("'%s' command takes at most %d arguments (note that options must "
                            "precede command names and "
                            "follow a \"--\" argument)",
                            c->syntax->name, c->syntax->max_args);
            }
        }
        vsctl_fatal("'%s' command takes at most %d arguments", c->syntax->name,
                    c->syntax->max_args);
    }
}

// Splits the words at "--". Options given among the global ones belong to the first command.
struct vsctl_cmd *
vsctl_parse(int argc, char **argv, const struct vsctl_option *options, size_t n_options, size_t *n)
{
    struct vsctl_cmd *commands = NULL;
    size_t cap = 0;
    *n = 0;
    for (int start = 0, i = 0; i <= argc; i++) {
        if (i < argc && strcmp(argv[i], "--")) {
            continue;
        }
        if (i > start) {
            if (*n == cap) {
                commands = base_grow(commands, &cap, sizeof *commands);
            }
            struct vsctl_cmd *c = &commands[(*n)++];
            memset(c, 0, sizeof *c);
            for (size_t j = 0; *n == 1 && j < n_options; j++) {
                add_option(c, options[j].name, options[j].arg);
            }
            parse_one(c, i - start, argv + start);
        }
        start = i + 1;
    }
    if (!*n) {
        vsctl_fatal("missing command name (use --help for help)");
    }
    return commands;
}

void
vsctl_cmd_reset(struct vsctl_cmd *c)
{
    str_free(&c->out);
    str_init(&c->out);
    table_free(c->table);
    c->table = NULL;
    memset(&c->created, 0, sizeof c->created);
}

const struct vsctl_option *
vsctl_option(const struct vsctl_cmd *c, const char *name)
{
    for (size_t i = 0; i < c->n_options; i++) {
        if (!strcmp(c->options[i].name, name)) {
            return &c->options[i];
        }
    }
    return NULL;
}

char *
vsctl_joined(const struct vsctl_cmd *c)
{
    struct str s = STR_INIT;
    for (size_t i = 0; i < c->n_options; i++) {
        str_addf(&s, "%s%s%s ", c->options[i].name, c->options[i].arg ? "=" : "",
                 c->options[i].arg ? c->options[i].arg : "");
    }
    for (int i = 0; i < c->argc; i++) {
        str_addf(&s, "%s%s", i ? " " : "", c->argv[i]);
    }
    return str_take(&s);
}
