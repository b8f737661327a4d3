// SPDX-License-Identifier: Apache-2.0
// Pidfiles: the running process holds a POSIX record lock on its file, so a stale one is known by its missing lock.
#include "lib/base/daemon_pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/daemon.h"
#include "lib/base/log.h"

LOG_MODULE(daemon_unix);

static int
lock(int fd, int command, struct flock *l)
{
    *l = (struct flock) {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc;
    do {
        rc = fcntl(fd, command, l);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : 0;
}

static pid_t
read_pidfile(const char *path, bool quiet)
{
    struct flock l;
    char text[32];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EROFS)) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0) {
        int error = errno;
        if (!quiet) {
            LOG_WARN("%s: open: %s", path, base_strerror(error));
        }
        return -error;
    }
    int error = lock(fd, F_GETLK, &l);
    ssize_t n = error ? 0 : read(fd, text, sizeof text - 1);
    close(fd);
    if (error) {
        LOG_WARN("%s: fcntl: %s", path, base_strerror(error));
        return error;
    }
    if (l.l_type == F_UNLCK) {
        return -ESRCH;
    }
    text[MAX(n, 0)] = '\0';
    text[strcspn(text, "\n")] = '\0';
    uint64_t pid;
    if (!base_parse_uint(text, INT32_MAX, &pid) || !pid) {
        LOG_WARN("%s does not contain a pid", path);
        return -EINVAL;
    }
    if (l.l_pid && (pid_t) pid != l.l_pid) {
        LOG_WARN("%s: the file says pid %u, but pid %d holds its lock", path, (unsigned) pid,
                 (int) l.l_pid);
        return -ESRCH;
    }
    return pid;
}

pid_t
daemon_read_pidfile(const char *path)
{
    return read_pidfile(path, false);
}

void
daemon_pidfile_check(const char *path)
{
    pid_t pid = read_pidfile(path, true);
    if (pid > 0) {
        log_fatal(0, "%s: already running as pid %ld, aborting", path, (long) pid);
    } else if (pid != -ENOENT && pid != -ESRCH && pid != -EINVAL) {
        log_fatal(0, "%s: pidfile check failed (%s), aborting", path, base_strerror(pid));
    }
}

void
daemon_pidfile_make(const char *path, bool overwrite)
{
    struct flock l;
    char *tmp = base_asprintf("%s.tmp%ld", path, (long) getpid());
    int fd = open(tmp, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        log_fatal(errno, "%s: create failed", tmp);
    }
    int error = lock(fd, F_SETLK, &l);
    if (error) {
        unlink(tmp);
        log_fatal(error, "%s: fcntl(F_SETLK) failed", tmp);
    }
    char *text = base_asprintf("%ld\n", (long) getpid());
    if (write(fd, text, strlen(text)) != (ssize_t) strlen(text)) {
        error = errno;
        unlink(tmp);
        log_fatal(error, "%s: write failed", tmp);
    }
    // A link fails when somebody was faster; then look again who it is.
    if (overwrite ? rename(tmp, path) : link(tmp, path)) {
        if (errno == EEXIST && !overwrite) {
            pid_t pid = read_pidfile(path, true);
            if (pid > 0) {
                unlink(tmp);
                log_fatal(0, "%s: already running as pid %ld, aborting", path, (long) pid);
            }
        }
        if (rename(tmp, path)) {
            error = errno;
            unlink(tmp);
            log_fatal(error, "failed to rename \"%s\" to \"%s\"", tmp, path);
        }
    }
    unlink(tmp);
    daemon_unlink_at_exit(path);
    free(text);
    free(tmp);
    // fd stays open for good: closing it, or any other descriptor of the file, would drop the lock.
}
