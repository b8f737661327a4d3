// SPDX-License-Identifier: Apache-2.0
// Between log.c, log_pattern.c, log_sink.c and log_unixctl.c.
#ifndef LIB_BASE_LOG_PRIVATE_H
#define LIB_BASE_LOG_PRIVATE_H 1

#include "lib/base/log.h"
#include "lib/base/thread.h"

struct str;

struct log_line {
    const char *module;
    enum log_level level;
    unsigned seq;
    int64_t wall; // ms since the epoch
    const char *text;
};

extern struct mutex log_mutex;
extern struct log_module *log_modules GUARDED_BY(log_mutex); // newest first

const char *log_level_name(enum log_level);
const char *log_dest_name(enum log_dest);
bool log_level_parse(const char *, enum log_level *);
bool log_dest_parse(const char *, enum log_dest *);

// Patterns (log_pattern.c).
const char *log_pattern(enum log_dest) REQUIRES(log_mutex);
void log_pattern_set(enum log_dest, const char *pattern);
bool log_facility_set(const char *name);
int log_priority(enum log_level); // syslog PRI
#define LOG_SYSLOG_PREFIX "<%B> %D{%h %e %T} %E %A: "
void log_pattern_format(const char *pattern, const struct log_line *, struct str *out);

// Sinks (log_sink.c): one finished line without a newline.
void log_sink_console(const struct str *line);
void log_sink_file(const struct str *line) REQUIRES(log_mutex);
void log_sink_syslog(const struct log_line *, const struct str *line) REQUIRES(log_mutex);
void log_sink_close_file(void);
int log_sink_file_fd(void); // for a signal handler: no lock
// "terminating with signal …", from a signal handler: async-signal-safe, default pattern.
void log_signal_line(int signum);
unsigned log_next_seq(void);
bool log_goes_to(const struct log_module *, enum log_dest, enum log_level);

#endif
