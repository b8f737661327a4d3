// SPDX-License-Identifier: Apache-2.0
// vlog/* control commands.
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/log_private.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"

LOG_MODULE(vlog);

static void
set(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *error = NULL;
    for (int i = 1; i < argc && !error; i++) {
        error = log_set_levels(argv[i]);
    }
    if (argc == 1) {
        error = log_set_levels("dbg");
    }
    if (error) {
        unixctl_reply_error(conn, error);
    } else {
        unixctl_reply(conn, NULL);
    }
    free(error);
}

static int
compare(const void *a, const void *b)
{
    const struct log_module *const *ma = a, *const *mb = b;
    return strcmp((*ma)->name, (*mb)->name);
}

// Modules by name, each once. Modules are never removed: the array may outlive the lock.
static struct log_module **
sorted_modules(size_t *n)
{
    struct log_module **all = NULL;
    size_t cap = 0, unique = 0;
    *n = 0;
    mutex_lock(&log_mutex);
    for (struct log_module *m = log_modules; m; m = m->next) {
        if (*n == cap) {
            all = base_grow(all, &cap, sizeof *all);
        }
        all[(*n)++] = m;
    }
    mutex_unlock(&log_mutex);
    if (all) {
        qsort(all, *n, sizeof *all, compare);
    }
    for (size_t i = 0; i < *n; i++) {
        if (!unique || strcmp(all[unique - 1]->name, all[i]->name)) {
            all[unique++] = all[i];
        }
    }
    *n = unique;
    return all;
}

static void
list(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    size_t n;
    struct log_module **modules = sorted_modules(&n);
    str_add(&s, "                 console    syslog    file\n");
    str_add(&s, "                 -------    ------    ------\n");
    for (size_t i = 0; i < n; i++) {
        const struct log_module *m = modules[i];
        str_addf(&s, "%-16s  %4s       %4s       %4s%s\n", m->name,
                 log_level_name(m->level[LOG_TO_CONSOLE]), log_level_name(m->level[LOG_TO_SYSLOG]),
                 log_level_name(m->level[LOG_TO_FILE]),
                 m->rate_limited ? "" : "    (rate limiting disabled)");
    }
    free(modules);
    unixctl_reply_text(conn, &s);
}

static void
list_pattern(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    str_add(&s, "         prefix                            format\n");
    str_add(&s, "         ------                            ------\n");
    mutex_lock(&log_mutex);
    str_addf(&s, "%-7s  %-32s  %s\n", "SYSLOG", LOG_SYSLOG_PREFIX, log_pattern(LOG_TO_SYSLOG));
    str_addf(&s, "%-7s  %-32s  %s\n", "CONSOLE", "none", log_pattern(LOG_TO_CONSOLE));
    str_addf(&s, "%-7s  %-32s  %s\n", "FILE", "none", log_pattern(LOG_TO_FILE));
    mutex_unlock(&log_mutex);
    unixctl_reply_text(conn, &s);
}

static void
reopen(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    int error = log_reopen_file();
    if (error) {
        unixctl_reply_error(conn, base_strerror(error));
    } else {
        unixctl_reply(conn, NULL);
    }
}

static void
close_file(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    LOG_INFO("closing log file");
    log_sink_close_file();
    unixctl_reply(conn, NULL);
}

static void
rate_limit(struct unixctl_conn *conn, int argc, const char *argv[], void *enable_)
{
    bool enable = enable_ != NULL;
    size_t n;
    struct log_module **modules = sorted_modules(&n);
    for (int i = 1; i < argc; i++) {
        bool known = !strcasecmp(argv[i], "any");
        for (size_t k = 0; k < n; k++) {
            known |= !strcmp(modules[k]->name, argv[i]);
        }
        if (!known) {
            unixctl_reply_error(conn, "unknown module");
            free(modules);
            return;
        }
    }
    free(modules);
    mutex_lock(&log_mutex);
    for (struct log_module *m = log_modules; m; m = m->next) {
        bool meant = argc == 1;
        for (int i = 1; i < argc; i++) {
            meant |= !strcmp(m->name, argv[i]) || !strcasecmp(argv[i], "any");
        }
        if (meant) {
            __atomic_store_n(&m->rate_limited, enable, __ATOMIC_RELAXED);
        }
    }
    mutex_unlock(&log_mutex);
    unixctl_reply(conn, NULL);
}

void
log_unixctl_init(void)
{
    static char yes;
    unixctl_register("vlog/set", "{spec | PATTERN:destination:pattern}", 0, INT_MAX, set, NULL);
    unixctl_register("vlog/list", "", 0, 0, list, NULL);
    unixctl_register("vlog/list-pattern", "", 0, 0, list_pattern, NULL);
    unixctl_register("vlog/reopen", "", 0, 0, reopen, NULL);
    unixctl_register("vlog/close", "", 0, 0, close_file, NULL);
    unixctl_register("vlog/enable-rate-limit", "[module]...", 0, INT_MAX, rate_limit, &yes);
    unixctl_register("vlog/disable-rate-limit", "[module]...", 0, INT_MAX, rate_limit, NULL);
}
