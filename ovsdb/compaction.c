// SPDX-License-Identifier: Apache-2.0
// Compaction in the background. A child process has the rows as they were when it was forked and
// does all that may take long; the server's thread never waits for a disk:
//
//     child                                   server
//     writes the temporary file, syncs it
//                           -- good -->       appends what was committed meanwhile
//                           <-- sync --
//     syncs the file
//                           -- good -->       appends what was committed meanwhile, renames
//                           <-- name --
//     syncs the directory
//                           -- good -->       done
//     exits
//
// The child keeps the replaced file open, so that its blocks are freed by the child's exit. It
// answers with one byte 0, or a sentence that says what went wrong.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/file_priv.h"
#include "ovsdb/journal.h"

#define SINCE_MAX ((size_t) 256 << 20)

enum stage { WRITING, SYNCING, NAMING, ENDING };

enum request { SYNC_FILE = 's', SYNC_NAME = 'n' };

struct db_compaction {
    enum stage stage;
    pid_t pid;
    int sock;  // to the child; -1: it is told to end
    int pidfd; // -1: none
    struct loop *loop;
    struct loop_io *io;         // of sock, then of pidfd
    char *tmp;                  // name of the new file
    struct db_journal *journal; // of the new file, from SYNCING until NAMING
    off_t base_size;
    struct str since; // records appended meanwhile, not yet in the new file
    bool durable;     // some of them must be on disk
    bool outgrown;    // they were too many: the child is being ended
    struct str says;  // what the child wrote
    struct db_error *error;
    db_file_done *done;
    void *aux;
};

void
db_compaction_note(struct db_compaction *c, const char *text, size_t len, bool durable)
{
    if (!c || c->stage >= NAMING || c->outgrown) {
        return;
    }
    db_journal_format(text, len, &c->since);
    c->durable |= durable;
    if (c->since.len > SINCE_MAX) { // a disk that is this slow: later
        c->outgrown = true;
        str_free(&c->since);
        kill(c->pid, SIGKILL);
    }
}

void
db_compaction_note_sync(struct db_compaction *c)
{
    if (c && c->stage < NAMING) {
        c->durable = true;
    }
}

// --- the child ---

static void
answer(int sock, struct db_error *e)
{
    if (e) {
        char *text = db_error_take_text(e);
        (void) !write(sock, text, strlen(text));
        _exit(1);
    }
    (void) !write(sock, "", 1);
}

// Connections that the server closes meanwhile must end: the child lets go of all but two files.
static void
close_others(int a, int b)
{
    unsigned lo = MIN(a, b), hi = MAX(a, b);
    if (lo > 3) {
        close_range(3, lo - 1, 0);
    }
    if (hi > lo + 1) {
        close_range(lo + 1, hi - 1, 0);
    }
    close_range(hi + 1, ~0u, 0);
}

// The server's handlers write to descriptors that are about to be closed, and to be something else.
static void
reset_signals(void)
{
    static const int signals[] = {SIGHUP, SIGALRM, SIGTERM, SIGINT, SIGCHLD};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        signal(signals[i], SIG_DFL);
    }
}

// The server and its clients come first where there are too few processors.
static void
step_back(void)
{
    const struct sched_param ordinary = {0};
    (void) sched_setscheduler(0, SCHED_BATCH, &ordinary);
    (void) setpriority(PRIO_PROCESS, 0, 10);
}

static void
child(struct db *db, const char *tmp, int sock, int old, pid_t server)
{
    reset_signals();
    step_back();
    close_others(sock, old);
    prctl(PR_SET_PDEATHSIG, SIGKILL); // the next server writes the same temporary file
    if (getppid() != server) {
        _exit(1);
    }
    answer(sock, db_file_write_snapshot(tmp, db, "compacting database online"));
    int fd = open(tmp, O_WRONLY | O_CLOEXEC);
    char request;
    while (read(sock, &request, 1) == 1) {
        if (request == SYNC_NAME) {
            answer(sock, db_journal_sync_directory(tmp));
        } else {
            answer(sock,
                   fd < 0 || fdatasync(fd) ? db_error_io(errno, "%s: fsync failed", tmp) : NULL);
        }
    }
    _exit(0);
}

// --- the server ---

static struct db_error *
append_since(struct db_compaction *c)
{
    struct db_error *e =
        c->since.len ? db_journal_append_raw(c->journal, c->since.p, c->since.len) : NULL;
    str_clear(&c->since);
    return e;
}

// The child has written the state.
static struct db_error *
after_writing(struct db_compaction *c)
{
    struct db_error *e = db_journal_open(c->tmp, DB_JOURNAL_CONTINUE, &c->journal);
    e = e ? e : db_journal_seek_end(c->journal);
    if (e) {
        return e;
    }
    c->base_size = db_journal_size(c->journal);
    e = append_since(c);
    c->durable = false;
    return e;
}

// What was appended before is on disk. What still comes is little, and waits for the disk only
// where a client wanted that.
static struct db_error *
after_syncing(struct db_file *f, struct db_compaction *c)
{
    struct db_error *e = append_since(c);
    if (!e && c->durable) {
        e = db_journal_sync(c->journal);
    }
    e = e ? e : db_file_replace_journal(f, c->journal, c->base_size);
    if (!e) {
        c->journal = NULL;
    }
    return e;
}

static void
ask(struct db_compaction *c, char request)
{
    (void) !send(c->sock, &request, 1, MSG_NOSIGNAL); // a child that is gone is seen when reading
}

static void
finish(struct db_file *f)
{
    struct db_compaction *c = f->compaction;
    int status;
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (c->error && c->stage < NAMING) {
        unlink(c->tmp);
        f->compacted = clock_now(); // not again at once
    }
    loop_io_free(c->io);
    if (c->pidfd >= 0) {
        close(c->pidfd);
    }
    db_journal_close(c->journal);
    str_free(&c->since);
    str_free(&c->says);
    free(c->tmp);
    f->compaction = NULL;
    c->done(c->error, c->aux);
    free(c);
}

static void
on_end(void *f, int events)
{
    finish(f);
}

// No more to say to the child: what is left is that it ends, for which nobody waits.
static void
let_go(struct db_file *f)
{
    struct db_compaction *c = f->compaction;
    loop_io_free(c->io);
    close(c->sock);
    c->sock = -1;
    c->pidfd = syscall(SYS_pidfd_open, c->pid, 0);
    c->io = c->pidfd >= 0 ? loop_io_new(c->loop, c->pidfd, LOOP_READ, on_end, f) : NULL;
}

static void
fail(struct db_file *f, struct db_error *take)
{
    struct db_compaction *c = f->compaction;
    c->error = take;
    if (c->stage == NAMING) { // the new file stands; only the disk may not know its name yet
        db_error_free(c->error);
        c->error = db_journal_sync(f->journal);
    }
    let_go(f);
}

static struct db_error *
outgrown(void)
{
    return db_error_new("resources exhausted", "more than %zu MB were committed meanwhile",
                        SINCE_MAX >> 20);
}

static void
advance(struct db_file *f)
{
    struct db_compaction *c = f->compaction;
    struct db_error *e = NULL;
    if (c->outgrown) {
        e = outgrown();
    } else if (c->stage == WRITING) {
        e = after_writing(c);
    } else if (c->stage == SYNCING) {
        e = after_syncing(f, c);
    } else {
        db_journal_name_is_synced(f->journal);
    }
    if (e) {
        fail(f, e);
        return;
    }
    c->stage++;
    if (c->stage == ENDING) {
        let_go(f);
    } else {
        ask(c, c->stage == SYNCING ? SYNC_FILE : SYNC_NAME);
    }
}

// Reads what the child says; waits for it if need be.
static void
hear(struct db_file *f)
{
    struct db_compaction *c = f->compaction;
    char buf[512];
    ssize_t n = read(c->sock, buf, sizeof buf);
    if (n < 0 && errno == EINTR) {
        return;
    }
    if (n == 1 && !buf[0] && !c->says.len) {
        advance(f);
    } else if (n > 0) {
        str_add_n(&c->says, buf, n); // a sentence, until its end
    } else {
        static const char code[] = "I/O error: "; // said again with the new error
        const char *says = c->says.len ? str_get(&c->says) : "the compacting process died";
        says += strncmp(says, code, strlen(code)) ? 0 : strlen(code);
        fail(f, c->outgrown ? outgrown() : db_error_new("I/O error", "%s", says));
    }
}

static void
on_child(void *f, int events)
{
    struct db_compaction *c = ((struct db_file *) f)->compaction;
    hear(f);
    if (c->sock < 0 && c->pidfd < 0) {
        finish(f); // a system that cannot tell of the end: wait for it
    }
}

void
db_compaction_settle(struct db_file *f)
{
    while (f->compaction && f->compaction->sock >= 0) {
        hear(f);
    }
    if (f->compaction) {
        finish(f);
    }
}

int
db_file_compact_start(struct db_file *f, struct db *db, struct loop *loop, db_file_done *done,
                      void *aux)
{
    int socks[2];
    if (f->compaction) {
        return -EBUSY;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks)) {
        return -errno;
    }
    char *tmp = db_file_temporary_name(f);
    const pid_t server = getpid();
    pid_t pid = fork();
    if (!pid) {
        child(db, tmp, socks[1], db_journal_fd(f->journal), server);
    }
    int error = errno;
    close(socks[1]);
    if (pid < 0) {
        close(socks[0]);
        free(tmp);
        return -error;
    }
    struct db_compaction *c = f->compaction = base_calloc(1, sizeof *c);
    c->pid = pid;
    c->sock = socks[0];
    c->pidfd = -1;
    c->tmp = tmp;
    c->loop = loop;
    c->done = done;
    c->aux = aux;
    c->io = loop_io_new(loop, c->sock, LOOP_READ, on_child, f);
    return 0;
}
