// SPDX-License-Identifier: Apache-2.0
// The pattern language of log lines (ovs-appctl(8), vlog/set PATTERN).
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/dirs.h"
#include "lib/base/log_private.h"
#include "lib/base/str.h"

static const char *const default_patterns[LOG_N_DESTS] = {
    [LOG_TO_CONSOLE] = "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    [LOG_TO_SYSLOG] = "ovs|%05N|%c%T|%p|%m",
    [LOG_TO_FILE] = "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
};
static char *patterns[LOG_N_DESTS] GUARDED_BY(log_mutex);
static int facility = 16 << 3; // atomic; local0
static int64_t start_time;        // ms; set before main()

// RFC 5424, section 6.2.1: facilities by number, and the severity of each level.
static const char *const facilities[] = {
    "kern", "user",  "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp", "clock", NULL,     "ftp",    "ntp",    "audit",  "alert",  "clock2",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
};
static const int severities[] = {1, 1, 3, 4, 5, 7};

__attribute__((constructor)) static void
remember_start(void)
{
    start_time = clock_now();
}

const char *
log_pattern(enum log_dest dest)
{
    return patterns[dest] ? patterns[dest] : default_patterns[dest];
}

void
log_pattern_set(enum log_dest dest, const char *pattern)
{
    mutex_lock(&log_mutex);
    free(patterns[dest]);
    patterns[dest] = base_strdup(pattern);
    mutex_unlock(&log_mutex);
}

bool
log_facility_set(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(facilities); i++) {
        if (facilities[i] && !strcasecmp(name, facilities[i])) {
            __atomic_store_n(&facility, (int) i << 3, __ATOMIC_RELAXED);
            return true;
        }
    }
    return false;
}

int
log_priority(enum log_level level)
{
    return __atomic_load_n(&facility, __ATOMIC_RELAXED) | severities[level];
}

// The {…} that may follow %c, %d and %D; *p is at the letter and is left at the last character used.
static void
take_braces(const char **p, char *out, size_t size)
{
    out[0] = '\0';
    const char *end = (*p)[1] == '{' ? strchr(*p, '}') : NULL;
    if (end) {
        size_t n = MIN((size_t) (end - *p - 2), size - 1);
        memcpy(out, *p + 2, n);
        out[n] = '\0';
        *p = end;
    }
}

static void
add_time(struct str *out, const char *format, int64_t wall, bool utc)
{
    char text[256];
    clock_format(text, sizeof text, *format ? format : "%Y-%m-%d %H:%M:%S", wall, utc);
    str_add(out, text);
}

static void
add_subprogram(struct str *out, bool parentheses)
{
    const char *name = thread_name();
    if (!parentheses) {
        str_add(out, *name ? name : "main");
    } else if (*name) {
        str_addf(out, "(%s)", name);
    }
}

static void
add_hostname(struct str *out)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    str_add(out, host);
}

static void
add_escape(struct str *out, const char **p, const struct log_line *line)
{
    char braces[128];
    switch (**p) {
    case 'A':
        str_add(out, dirs_program());
        break;
    case 'B':
        str_addf(out, "%d", log_priority(line->level));
        break;
    case 'c':
        take_braces(p, braces, sizeof braces);
        str_add(out, line->module);
        break;
    case 'd':
        take_braces(p, braces, sizeof braces);
        add_time(out, braces, line->wall, false);
        break;
    case 'D':
        take_braces(p, braces, sizeof braces);
        add_time(out, braces, line->wall, true);
        break;
    case 'E':
        add_hostname(out);
        break;
    case 'm':
        str_add(out, line->text);
        break;
    case 'N':
        str_addf(out, "%u", line->seq);
        break;
    case 'n':
        str_add_char(out, '\n');
        break;
    case 'p':
        str_add(out, log_level_name(line->level));
        break;
    case 'P':
        str_addf(out, "%ld", (long) getpid());
        break;
    case 'r':
        str_addf(out, "%lld", (long long) (clock_now() - start_time));
        break;
    case 't':
    case 'T':
        add_subprogram(out, **p == 'T');
        break;
    default:
        str_add_char(out, **p);
    }
}

static void
pad(struct str *out, size_t from, size_t width, bool left, char with)
{
    size_t len = out->len - from;
    if (len >= width) {
        return;
    }
    size_t n = width - len;
    str_add_chars(out, left ? ' ' : with, n);
    if (!left) {
        memmove(out->p + from + n, out->p + from, len);
        memset(out->p + from, with, n);
    }
}

void
log_pattern_format(const char *pattern, const struct log_line *line, struct str *out)
{
    for (const char *p = pattern; *p; p++) {
        if (*p != '%') {
            str_add_char(out, *p);
            continue;
        }
        bool left = false;
        char with = ' ';
        size_t width = 0;
        p++;
        if (*p == '-') {
            left = true;
            p++;
        }
        if (*p == '0') {
            with = '0';
            p++;
        }
        while (*p >= '0' && *p <= '9') {
            width = MIN(width * 10 + (*p - '0'), (size_t) 1000);
            p++;
        }
        if (!*p) {
            break;
        }
        size_t from = out->len;
        add_escape(out, &p, line);
        pad(out, from, width, left, with);
    }
}
