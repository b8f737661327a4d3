// SPDX-License-Identifier: Apache-2.0
// Log lines in the field's form: TIME|SEQ|module(thread)|LEVEL|message, to console, syslog and file, each with its own
// level a module (ovs-appctl(8) vlog/set; -v options of every program).
//
// At the top of a .c file: LOG_MODULE(bridge);  then  LOG_WARN("%s: …", name).
// A module defined in several files counts once. One line is one event, with object and reason.
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H 1

#include <stdarg.h>

#include "lib/base/util.h"

enum log_level { LOG_LEVEL_OFF, LOG_LEVEL_EMER, LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DBG };
enum log_dest { LOG_TO_CONSOLE, LOG_TO_SYSLOG, LOG_TO_FILE, LOG_N_DESTS };

struct log_module {
    struct log_module *next;
    const char *name;
    int level[LOG_N_DESTS]; // atomic ints: levels per destination
    int min_level;          // atomic: most verbose of level[]
    bool rate_limited;
};

// Token bucket for one place in the code: at most `burst` lines at once and `per_minute` on the average; what was
// dropped is counted and said with the next line.
struct log_limit {
    uint32_t per_minute, burst;
    uint32_t tokens;   // atomic
    uint32_t dropped;  // atomic
    int64_t last_fill; // ms
    int64_t first_dropped;
};

#define LOG_LIMIT(per_minute, burst)                                                                                   \
    {                                                                                                                  \
        per_minute, burst, burst, 0, 0, 0                                                                              \
    }

void log_module_register(struct log_module *);
void log_write(struct log_module *, enum log_level, const char *fmt, ...) FB_PRINTF(3, 4);
void log_writev(struct log_module *, enum log_level, const char *fmt, va_list) FB_PRINTF(3, 0);
bool log_limit_drop(struct log_module *, enum log_level, struct log_limit *);

#define LOG_MODULE(NAME)                                                                                               \
    static struct log_module this_log_module = {NULL, #NAME, {0}, LOG_LEVEL_INFO, true};                               \
    __attribute__((constructor)) static void log_register_##NAME(void)                                                 \
    {                                                                                                                  \
        log_module_register(&this_log_module);                                                                         \
    }                                                                                                                  \
    struct log_module

#define log_enabled(level) (__atomic_load_n(&this_log_module.min_level, __ATOMIC_RELAXED) >= (level))
#define LOG_AT(level, ...)                                                                                             \
    do {                                                                                                               \
        if (log_enabled(level)) {                                                                                      \
            log_write(&this_log_module, level, __VA_ARGS__);                                                           \
        }                                                                                                              \
    } while (0)
#define LOG_EMER(...) LOG_AT(LOG_LEVEL_EMER, __VA_ARGS__)
#define LOG_ERR(...) LOG_AT(LOG_LEVEL_ERR, __VA_ARGS__)
#define LOG_WARN(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define LOG_INFO(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define LOG_DBG(...) LOG_AT(LOG_LEVEL_DBG, __VA_ARGS__)
// Rate-limited forms; `limit` is a static struct log_limit.
#define LOG_AT_RL(limit, level, ...)                                                                                   \
    do {                                                                                                               \
        if (log_enabled(level) && !log_limit_drop(&this_log_module, level, limit)) {                                   \
            log_write(&this_log_module, level, __VA_ARGS__);                                                           \
        }                                                                                                              \
    } while (0)
#define LOG_ERR_RL(limit, ...) LOG_AT_RL(limit, LOG_LEVEL_ERR, __VA_ARGS__)
#define LOG_WARN_RL(limit, ...) LOG_AT_RL(limit, LOG_LEVEL_WARN, __VA_ARGS__)
#define LOG_INFO_RL(limit, ...) LOG_AT_RL(limit, LOG_LEVEL_INFO, __VA_ARGS__)
#define LOG_DBG_RL(limit, ...) LOG_AT_RL(limit, LOG_LEVEL_DBG, __VA_ARGS__)

// Applies one -v / vlog/set argument ("[SPEC[:…]]", see ovs-appctl(8)). NULL, or an error sentence to free.
char *log_set_levels(const char *spec);
// Opens (or reopens) the log file; NULL: $OVS_LOGDIR/PROG.log. 0 or -errno.
int log_open_file(const char *path);
int log_reopen_file(void);
// syslog method as --syslog-method= takes it ("libc", "unix:file", "udp:ip:port", "null"); NULL: OVS_SYSLOG_METHOD or libc.
void log_set_syslog_method(const char *method);
// Programs that aren't daemons log warnings to stderr only; daemons call this, before they read their options,
// to get syslog too.
void log_enable_daemon(void);
// Console is silent from now on (after --detach).
void log_close_console(void);
// Registers vlog/set, vlog/list, vlog/list-pattern, vlog/reopen, vlog/close, vlog/enable-rate-limit, vlog/disable-rate-limit.
void log_unixctl_init(void);
// Prints to stderr "PROG: message (strerror)" (error 0: none), logs it, exits with status 1.
void log_fatal(int error, const char *fmt, ...) FB_PRINTF(2, 3) FB_NORETURN;

#endif
