// SPDX-License-Identifier: Apache-2.0
// Modules and levels, rate limits, and the way of a line to its destinations. Levels are atomics, so that a disabled
// line costs one load; everything else is guarded by log_mutex, held while a line is written (lines stay whole).
#include "lib/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/base/dirs.h"
#include "lib/base/log_private.h"
#include "lib/base/str.h"

static const char *const level_names[] = {"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};
static const char *const dest_names[] = {"console", "syslog", "file"};

struct mutex log_mutex = MUTEX_INIT;
struct log_module *log_modules;
static int default_level[LOG_N_DESTS] = {LOG_LEVEL_WARN, LOG_LEVEL_OFF, LOG_LEVEL_INFO};
static unsigned last_seq; // atomic
static _Thread_local bool writing; // a line caused while writing one is dropped

const char *
log_level_name(enum log_level level)
{
    return level_names[level];
}

const char *
log_dest_name(enum log_dest dest)
{
    return dest_names[dest];
}

bool
log_level_parse(const char *s, enum log_level *level)
{
    for (unsigned i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (!strcasecmp(s, level_names[i])) {
            *level = i;
            return true;
        }
    }
    return false;
}

bool
log_dest_parse(const char *s, enum log_dest *dest)
{
    for (unsigned i = 0; i < ARRAY_SIZE(dest_names); i++) {
        if (!strcasecmp(s, dest_names[i])) {
            *dest = i;
            return true;
        }
    }
    return false;
}

static void
set_level(struct log_module *m, enum log_dest dest, int level)
{
    __atomic_store_n(&m->level[dest], level, __ATOMIC_RELAXED);
    int most = 0;
    for (int d = 0; d < LOG_N_DESTS; d++) {
        most = MAX(most, m->level[d]);
    }
    __atomic_store_n(&m->min_level, most, __ATOMIC_RELAXED);
}

void
log_module_register(struct log_module *m)
{
    mutex_lock(&log_mutex);
    for (int d = 0; d < LOG_N_DESTS; d++) {
        set_level(m, d, default_level[d]);
    }
    m->next = log_modules;
    log_modules = m;
    mutex_unlock(&log_mutex);
}

// module NULL: all. dest -1: all.
static void
set_levels(const char *module, int dest, enum log_level level)
{
    mutex_lock(&log_mutex);
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (dest != -1 && dest != d) {
            continue;
        }
        if (!module) {
            default_level[d] = level;
        }
        for (struct log_module *m = log_modules; m; m = m->next) {
            if (!module || !strcmp(m->name, module)) {
                set_level(m, d, level);
            }
        }
    }
    mutex_unlock(&log_mutex);
}

static const char *
find_module(const char *word)
{
    const char *found = NULL;
    mutex_lock(&log_mutex);
    for (struct log_module *m = log_modules; m && !found; m = m->next) {
        if (strlen(m->name) == strlen(word)) {
            size_t i = 0;
            // "-" and "_" mean the same in module names.
            while (word[i] && (!strncasecmp(&m->name[i], &word[i], 1) ||
                               (m->name[i] == '_' && word[i] == '-'))) {
                i++;
            }
            found = word[i] ? NULL : m->name;
        }
    }
    mutex_unlock(&log_mutex);
    return found;
}

// "pattern:DEST:PATTERN"; rest is what follows the first colon, or NULL.
static char *
set_pattern(char *rest)
{
    char *dest = rest ? strsep(&rest, ":") : NULL;
    enum log_dest d;
    if (!dest) {
        return base_strdup("missing destination");
    }
    if (!log_dest_parse(dest, &d)) {
        return base_asprintf("unknown destination \"%s\"", dest);
    }
    log_pattern_set(d, rest ? rest : "");
    return NULL;
}

static char *
apply_words(char *spec)
{
    const char *module = NULL;
    int dest = -1, level = -1;
    for (char *word, *save = NULL; (word = strtok_r(spec, " ,:\t", &save)); spec = NULL) {
        enum log_dest d;
        enum log_level l;
        const char *m;
        if (log_dest_parse(word, &d)) {
            if (dest != -1) {
                return base_strdup("cannot specify multiple destinations");
            }
            dest = d;
        } else if (log_level_parse(word, &l)) {
            if (level != -1) {
                return base_strdup("cannot specify multiple levels");
            }
            level = l;
        } else if (!strcasecmp(word, "any")) {
            continue;
        } else if ((m = find_module(word))) {
            if (module) {
                return base_strdup("cannot specify multiple modules");
            }
            module = m;
        } else {
            return base_asprintf("no destination, level, or module \"%s\"", word);
        }
    }
    set_levels(module, dest, level == -1 ? LOG_LEVEL_DBG : level);
    return NULL;
}

char *
log_set_levels(const char *spec)
{
    char *copy = base_strdup(spec), *rest = copy, *error;
    size_t first = strcspn(copy, " ,:");
    if (first == 7 && !strncasecmp(copy, "pattern", 7)) {
        strsep(&rest, " ,:");
        error = set_pattern(rest);
    } else if (first == 8 && !strncasecmp(copy, "facility", 8)) {
        strsep(&rest, " ,:");
        error = rest && log_facility_set(rest) ? NULL : base_strdup("invalid facility");
    } else {
        error = apply_words(copy);
    }
    free(copy);
    return error;
}

void
log_enable_daemon(void)
{
    set_levels(NULL, -1, LOG_LEVEL_INFO);
}

void
log_close_console(void)
{
    set_levels(NULL, LOG_TO_CONSOLE, LOG_LEVEL_OFF);
}

unsigned
log_next_seq(void)
{
    return __atomic_add_fetch(&last_seq, 1, __ATOMIC_RELAXED);
}

bool
log_goes_to(const struct log_module *m, enum log_dest dest, enum log_level level)
{
    return __atomic_load_n(&m->level[dest], __ATOMIC_RELAXED) >= (int) level;
}

static void
write_line(struct log_module *m, enum log_level level, const char *text, bool to_console)
{
    struct log_line line = {m->name, level, log_next_seq(), clock_wall(), text};
    struct str s = STR_INIT;
    mutex_lock(&log_mutex);
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (!log_goes_to(m, d, level) || (d == LOG_TO_CONSOLE && !to_console)) {
            continue;
        }
        str_clear(&s);
        log_pattern_format(log_pattern(d), &line, &s);
        if (d == LOG_TO_CONSOLE) {
            log_sink_console(&s);
        } else if (d == LOG_TO_FILE) {
            log_sink_file(&s);
        } else {
            log_sink_syslog(&line, &s);
        }
    }
    mutex_unlock(&log_mutex);
    str_free(&s);
}

void
log_writev(struct log_module *m, enum log_level level, const char *fmt, va_list ap)
{
    if (writing) {
        return;
    }
    writing = true;
    int saved = errno;
    struct str text = STR_INIT;
    str_addv(&text, fmt, ap);
    write_line(m, level, str_get(&text), true);
    str_free(&text);
    errno = saved;
    writing = false;
}

void
log_write(struct log_module *m, enum log_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_writev(m, level, fmt, ap);
    va_end(ap);
}

bool
log_limit_drop(struct log_module *m, enum log_level level, struct log_limit *l)
{
    if (!__atomic_load_n(&m->rate_limited, __ATOMIC_RELAXED)) {
        return false;
    }
    static struct mutex limits = MUTEX_INIT;
    int64_t now = clock_now();
    mutex_lock(&limits);
    if (!l->last_fill) {
        l->last_fill = now;
    }
    int64_t fill = l->per_minute ? (now - l->last_fill) * l->per_minute / 60000 : 0;
    if (fill > 0) {
        l->last_fill += fill * 60000 / l->per_minute;
        l->tokens = MIN((int64_t) l->burst, l->tokens + fill);
    }
    if (!l->tokens) {
        l->first_dropped = l->dropped++ ? l->first_dropped : now;
        mutex_unlock(&limits);
        return true;
    }
    l->tokens--;
    uint32_t dropped = l->dropped;
    int64_t since = now - l->first_dropped;
    l->dropped = 0;
    mutex_unlock(&limits);
    if (dropped) {
        log_write(m, level, "Dropped %u log messages in last %lld seconds due to excessive rate",
                  dropped, (long long) (since + 999) / 1000);
    }
    return false;
}

void
log_fatal(int error, const char *fmt, ...)
{
    static struct log_module module = {NULL, "fatal", {0}, 0, false};
    struct str text = STR_INIT;
    va_list ap;
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    if (error) {
        str_addf(&text, " (%s)", base_strerror(error));
    }
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", dirs_program(), str_get(&text));
    log_module_register(&module);
    writing = true;
    write_line(&module, LOG_LEVEL_ERR, str_get(&text), false);
    str_free(&text);
    exit(EXIT_FAILURE);
}
