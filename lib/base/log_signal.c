// SPDX-License-Identifier: Apache-2.0
// The one line that is written from a signal handler: no allocation, no locks, no stdio.
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log_private.h"

LOG_MODULE(fatal_signal);

static char *
add(char *p, const char *s)
{
    while (*s) {
        *p++ = *s++;
    }
    return p;
}

static char *
add_number(char *p, unsigned v, int width)
{
    char digits[12];
    int n = 0;
    do {
        digits[n++] = '0' + v % 10;
    } while (v /= 10);
    while (n < width) {
        digits[n++] = '0';
    }
    while (n) {
        *p++ = digits[--n];
    }
    return p;
}

// Days since 1970 to a date in the Gregorian calendar (years counted from March).
static char *
add_date(char *p, long days)
{
    long z = days + 719468;
    long era = z / 146097;
    long doe = z - era * 146097;
    long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    long doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    long mp = (5 * doy + 2) / 153;
    long month = mp < 10 ? mp + 3 : mp - 9;
    p = add_number(p, yoe + era * 400 + (month <= 2), 4);
    *p++ = '-';
    p = add_number(p, month, 2);
    *p++ = '-';
    return add_number(p, doy - (153 * mp + 2) / 5 + 1, 2);
}

static char *
format(char *p, const struct timespec *now, bool ms, unsigned seq, int signum)
{
    const char *name = sigdescr_np(signum);
    unsigned s = now->tv_sec % 86400;
    p = add_date(p, now->tv_sec / 86400);
    *p++ = 'T';
    p = add_number(p, s / 3600, 2);
    *p++ = ':';
    p = add_number(p, s / 60 % 60, 2);
    *p++ = ':';
    p = add_number(p, s % 60, 2);
    if (ms) {
        *p++ = '.';
        p = add_number(p, now->tv_nsec / 1000000, 3);
    }
    p = add(p, "Z|");
    p = add_number(p, seq, 5);
    p = add(p, "|fatal_signal|WARN|terminating with signal ");
    p = add_number(p, signum, 1);
    p = add(p, " (");
    p = add(p, name ? name : "unknown");
    return add(p, ")\n");
}

void
log_signal_line(int signum)
{
    struct timespec now;
    char line[256];
    clock_gettime(CLOCK_REALTIME, &now);
    unsigned seq = log_next_seq();
    if (log_goes_to(&this_log_module, LOG_TO_CONSOLE, LOG_LEVEL_WARN)) {
        (void) !write(STDERR_FILENO, line, format(line, &now, false, seq, signum) - line);
    }
    int fd = log_sink_file_fd();
    if (fd >= 0 && log_goes_to(&this_log_module, LOG_TO_FILE, LOG_LEVEL_WARN)) {
        (void) !write(fd, line, format(line, &now, true, seq, signum) - line);
    }
}
