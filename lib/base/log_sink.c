// SPDX-License-Identifier: Apache-2.0
// Where finished lines go: stderr, the log file, syslog (libc, a Unix datagram socket, or UDP).
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>
#undef LOG_ERR
#undef LOG_INFO

#include "lib/base/dirs.h"
#include "lib/base/log_private.h"
#include "lib/base/str.h"

LOG_MODULE(vlog);

enum syslog_method { SYSLOG_UNSET, SYSLOG_LIBC, SYSLOG_SOCKET, SYSLOG_NULL };

static char *file_name GUARDED_BY(log_mutex);
static int file_fd GUARDED_BY(log_mutex) = -1;
static enum syslog_method method GUARDED_BY(log_mutex);
static int syslog_fd GUARDED_BY(log_mutex) = -1;

static void
write_all(int fd, const struct str *line)
{
    struct str s = STR_INIT;
    str_add_n(&s, str_get(line), line->len);
    str_add_char(&s, '\n');
    size_t at = 0;
    while (at < s.len) {
        ssize_t n = write(fd, s.p + at, s.len - at);
        if (n < 0 && errno != EINTR) {
            break; // there is nobody to tell
        }
        at += MAX(n, 0);
    }
    str_free(&s);
}

void
log_sink_console(const struct str *line)
{
    write_all(STDERR_FILENO, line);
}

void
log_sink_file(const struct str *line)
{
    if (file_fd >= 0) {
        write_all(file_fd, line);
    }
}

int
log_sink_file_fd(void) NO_THREAD_SAFETY
{
    return __atomic_load_n(&file_fd, __ATOMIC_RELAXED);
}

int
log_open_file(const char *path)
{
    char *name = path ? dirs_abs(NULL, path)
                      : base_asprintf("%s/%s.log", dirs_log(), dirs_program());
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    int error = fd < 0 ? errno : 0;
    if (error) {
        LOG_WARN("failed to open %s for logging: %s", name, base_strerror(error));
        free(name);
        return -error;
    }
    mutex_lock(&log_mutex);
    if (file_fd >= 0) {
        close(file_fd);
    }
    file_fd = fd;
    char *old = file_name;
    file_name = name;
    mutex_unlock(&log_mutex);
    free(old);
    LOG_INFO("opened log file %s", name);
    return 0;
}

int
log_reopen_file(void)
{
    struct stat now, then;
    mutex_lock(&log_mutex);
    char *name = file_name ? base_strdup(file_name) : NULL;
    bool same = name && file_fd >= 0 && !stat(name, &now) && !fstat(file_fd, &then) &&
                now.st_dev == then.st_dev && now.st_ino == then.st_ino;
    mutex_unlock(&log_mutex);
    int error = 0;
    if (name && !same) {
        error = log_open_file(name);
    }
    free(name);
    return error;
}

void
log_sink_close_file(void)
{
    mutex_lock(&log_mutex);
    if (file_fd >= 0) {
        close(file_fd);
        file_fd = -1;
    }
    mutex_unlock(&log_mutex);
}

static int
open_unix(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &sun, sizeof sun) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// "IP:PORT", IPv6 in brackets.
static int
open_udp(const char *target)
{
    char host[64];
    unsigned port;
    struct sockaddr_storage ss = {0};
    socklen_t len;
    struct sockaddr_in *in4 = (struct sockaddr_in *) &ss;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &ss;
    if (sscanf(target, "[%63[^]]]:%u", host, &port) == 2 &&
        inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        len = sizeof *in6;
    } else if (sscanf(target, "%63[^:]:%u", host, &port) == 2 &&
               inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons(port);
        len = sizeof *in4;
    } else {
        return -1;
    }
    int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &ss, len) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void
set_method(const char *name) REQUIRES(log_mutex)
{
    if (syslog_fd >= 0) {
        close(syslog_fd);
        syslog_fd = -1;
    }
    if (!strcmp(name, "null")) {
        method = SYSLOG_NULL;
    } else if (!strncmp(name, "unix:", 5)) {
        method = SYSLOG_SOCKET;
        syslog_fd = open_unix(name + 5);
    } else if (!strncmp(name, "udp:", 4)) {
        method = SYSLOG_SOCKET;
        syslog_fd = open_udp(name + 4);
    } else {
        method = SYSLOG_LIBC;
        openlog(dirs_program(), LOG_NDELAY, log_priority(LOG_LEVEL_INFO) & ~7);
    }
}

void
log_set_syslog_method(const char *name)
{
    const char *env = getenv("OVS_SYSLOG_METHOD");
    name = name ? name : env && *env ? env : "libc";
    if (strcmp(name, "libc") && strcmp(name, "null") && strncmp(name, "unix:", 5) &&
        strncmp(name, "udp:", 4)) {
        log_fatal(0, "unsupported syslog method '%s'", name);
    }
    mutex_lock(&log_mutex);
    set_method(name);
    mutex_unlock(&log_mutex);
}

void
log_sink_syslog(const struct log_line *line, const struct str *text)
{
    if (method == SYSLOG_UNSET) {
        const char *env = getenv("OVS_SYSLOG_METHOD");
        set_method(env && *env ? env : "libc");
    }
    // One record a line.
    struct str s = STR_INIT;
    for (const char *p = str_get(text), *end; *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, "\n");
        str_clear(&s);
        if (method == SYSLOG_SOCKET) {
            log_pattern_format(LOG_SYSLOG_PREFIX, line, &s);
        }
        str_add_n(&s, p, end - p);
        if (method == SYSLOG_LIBC) {
            syslog(log_priority(line->level), "%s", str_get(&s));
        } else if (method == SYSLOG_SOCKET && syslog_fd >= 0) {
            (void) !send(syslog_fd, str_get(&s), s.len, MSG_NOSIGNAL);
        }
    }
    str_free(&s);
}
