// SPDX-License-Identifier: Apache-2.0
// Processes of a daemon:  parent (the user's shell waits for it) → [monitor] → daemon. Each parent
// reads one byte from a pipe, which its child writes once it serves; end of file instead means that
// it died.
#include "lib/base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/daemon_pidfile.h"
#include "lib/base/daemon_private.h"
#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"

LOG_MODULE(daemon_unix);

static bool detach, no_chdir, monitor, overwrite_pidfile;
static char *pidfile;
static int ready_fd = -1; // the pipe to the parent

void
daemon_set_detach(void)
{
    detach = true;
}

void
daemon_set_no_chdir(void)
{
    no_chdir = true;
}

void
daemon_set_pidfile(const char *name)
{
    char *own = name ? NULL : base_asprintf("%s.pid", dirs_program());
    free(pidfile);
    pidfile = dirs_abs(dirs_run(), name ? name : own);
    free(own);
}

void
daemon_set_overwrite_pidfile(void)
{
    overwrite_pidfile = true;
}

void
daemon_set_monitor(void)
{
    monitor = true;
}

bool
daemon_will_detach(void)
{
    return detach;
}

// 0: it serves. Else the wait status of the child that died.
static int
wait_for_child(pid_t pid, int fd)
{
    char byte;
    ssize_t n;
    int status;
    do {
        n = read(fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    close(fd);
    if (n == 1) {
        return 0;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            log_fatal(errno, "waitpid failed");
        }
    }
    return status ? status : 1 << 8;
}

// Returns 0 in the child, which then owns ready_fd; in the parent the pid, and the pipe's other
// end.
static pid_t
fork_child(int *fd)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) {
        log_fatal(errno, "pipe failed");
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        log_fatal(errno, "fork failed");
    }
    if (!pid) {
        close(fds[0]);
        if (ready_fd >= 0) {
            close(ready_fd);
        }
        ready_fd = fds[1];
    } else {
        close(fds[1]);
        *fd = fds[0];
    }
    return pid;
}

static char *
describe_status(int status)
{
    if (WIFSIGNALED(status)) {
        const char *name = sigdescr_np(WTERMSIG(status));
        return base_asprintf("killed (%s)%s", name ? name : "signal",
                             WCOREDUMP(status) ? ", core dumped" : "");
    }
    return base_asprintf("exit status %d", WEXITSTATUS(status));
}

static void FB_NORETURN
exit_like(int status)
{
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

static void
tell_parent(void)
{
    if (ready_fd >= 0) {
        while (write(ready_fd, "", 1) < 0 && errno == EINTR) {
        }
        close(ready_fd);
        ready_fd = -1;
    }
}

static bool keeps_stderr, keeps_stdout;

void
daemon_keep_stderr(void)
{
    keeps_stderr = true;
}

void
daemon_keep_stdout(void)
{
    keeps_stdout = true;
}

static void
close_console(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < (keeps_stderr ? STDERR_FILENO : 3); fd++) {
        if (fd != STDOUT_FILENO || !keeps_stdout) {
            dup2(null, fd);
        }
    }
    if (null > 2) {
        close(null);
    }
    log_close_console();
}

static bool
should_restart(int status)
{
    static const int errors[] = {SIGABRT, SIGALRM, SIGBUS,  SIGFPE, SIGILL,
                                 SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ};
    for (size_t i = 0; WIFSIGNALED(status) && i < ARRAY_SIZE(errors); i++) {
        if (WTERMSIG(status) == errors[i]) {
            return true;
        }
    }
    return false;
}

// Runs in the monitor: returns only in a new daemon process.
static void
watch(pid_t pid)
{
    unsigned crashes = 0;
    time_t last_start = 0;
    int status = 0;
    thread_set_name("monitor");
    for (;;) {
        while (!status && waitpid(pid, &status, 0) < 0) {
            if (errno != EINTR) {
                log_fatal(errno, "waitpid failed");
            }
        }
        char *how = describe_status(status);
        if (!should_restart(status)) {
            LOG_INFO("pid %lu died, %s, exiting", (unsigned long) pid, how);
            exit_like(status);
        }
        crashes++;
        LOG_ERR("%u crashes: pid %lu died, %s, restarting", crashes, (unsigned long) pid, how);
        free(how);
        // A daemon that dies at once must not eat the machine.
        time_t now = time(NULL);
        if (now < last_start + 10) {
            LOG_WARN("restarting at most once in 10 seconds: waiting");
            sleep(last_start + 10 - now);
        }
        last_start = time(NULL);
        int fd;
        pid = fork_child(&fd);
        if (!pid) {
            thread_set_name("");
            return;
        }
        status = wait_for_child(pid, fd);
    }
}

static void
detach_from_shell(void)
{
    int fd;
    pid_t pid = fork_child(&fd);
    if (pid) {
        int status = wait_for_child(pid, fd);
        if (!status) {
            _exit(0);
        }
        if (WIFSIGNALED(status)) {
            char *how = describe_status(status);
            log_fatal(0, "fork child died before signaling startup (%s)", how);
        }
        exit(WEXITSTATUS(status));
    }
    setsid();
}

static void
start_monitor(void)
{
    int fd, to_parent = ready_fd;
    ready_fd = -1;
    pid_t pid = fork_child(&fd);
    if (!pid) {
        if (to_parent >= 0) {
            close(to_parent);
        }
        return;
    }
    int status = wait_for_child(pid, fd);
    if (status) {
        exit_like(status); // the daemon said why
    }
    ready_fd = to_parent;
    tell_parent();
    if (detach) {
        if (!no_chdir && chdir("/") < 0) {
            LOG_WARN("cannot change to directory / (%s)", base_strerror(errno));
        }
        close_console();
    }
    watch(pid);
}

void
daemon_start(bool early_user)
{
    if (pidfile && !overwrite_pidfile) {
        daemon_pidfile_check(pidfile);
    }
    if (detach) {
        detach_from_shell();
    }
    if (monitor) {
        start_monitor();
    }
    if (pidfile) {
        daemon_pidfile_make(pidfile, overwrite_pidfile);
    }
    if (early_user) {
        daemon_drop_root();
    }
    daemon_catch_signals();
}

void
daemon_ready(void)
{
    tell_parent();
    if (detach) {
        if (!no_chdir && chdir("/") < 0) {
            LOG_WARN("cannot change to directory / (%s)", base_strerror(errno));
        }
        close_console();
    }
}
