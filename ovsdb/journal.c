// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/error.h"
#include "ovsdb/sha1.h"

LOG_MODULE(ovsdb_journal);

#define MAGIC "OVSDB JSON "
#define CLUSTER_MAGIC "OVSDB CLUSTER "

struct db_journal {
    char *path;
    int fd;
    int lock_fd;    // -1: none
    FILE *in;       // while reading
    off_t end;      // end of the last good record
    off_t last;     // start of the record read last
    bool damaged;   // whole records may follow the good ones
    bool tail;      // bytes beyond `end` have to go before the next append
    bool new_name;  // its directory entry may not be on disk
    struct str out; // record under construction
    char *body;     // the record read last
    size_t body_cap;
};

// "/dir/.name.~lock~"
static char *
lock_name(const char *path)
{
    char *real = realpath(path, NULL);
    char *a = base_strdup(real ? real : path), *b = base_strdup(real ? real : path);
    char *name = base_asprintf("%s/.%s.~lock~", dirname(a), basename(b));
    free(real);
    free(a);
    free(b);
    return name;
}

static struct db_error *
lock(struct db_journal *j)
{
    char *name = lock_name(j->path);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int error = 0;
    j->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->lock_fd < 0 || fcntl(j->lock_fd, F_SETLK, &l)) {
        error = errno == EACCES && j->lock_fd >= 0 ? EAGAIN : errno;
        if (error == EAGAIN && !fcntl(j->lock_fd, F_GETLK, &l) && l.l_type != F_UNLCK) {
            LOG_WARN("%s: cannot lock file because it is already locked by pid %ld", name,
                     (long) l.l_pid);
        }
    }
    free(name);
    return error ? db_error_io(error, "%s: failed to lock lockfile", j->path) : NULL;
}

static void
stop_reading(struct db_journal *j)
{
    if (j->in) {
        fclose(j->in);
        j->in = NULL;
    }
    free(j->body);
    j->body = NULL;
    j->body_cap = 0;
}

static void
destroy(struct db_journal *j)
{
    stop_reading(j);
    if (j->fd >= 0) {
        close(j->fd);
    }
    if (j->lock_fd >= 0) {
        close(j->lock_fd);
    }
    str_free(&j->out);
    free(j->path);
    free(j);
}

void
db_journal_close(struct db_journal *j)
{
    if (j) {
        destroy(j);
    }
}

struct db_error *
db_journal_kind(const char *path, const char **kind)
{
    char head[sizeof CLUSTER_MAGIC] = "";
    *kind = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return db_error_io(errno, "%s: open failed", path);
    }
    ssize_t n = read(fd, head, sizeof head - 1);
    int error = n < 0 ? errno : 0;
    close(fd);
    if (error) {
        return db_error_io(error, "%s: read error", path);
    }
    if (!strncmp(head, MAGIC, strlen(MAGIC))) {
        *kind = "standalone";
    } else if (!strncmp(head, CLUSTER_MAGIC, strlen(CLUSTER_MAGIC))) {
        *kind = "clustered";
    } else {
        return db_error_new("ovsdb error",
                            n ? "%s: unexpected file format" : "%s: cannot identify file type",
                            path);
    }
    return NULL;
}

static struct db_error *
check_kind(const char *path)
{
    const char *kind;
    struct db_error *e = db_journal_kind(path, &kind);
    if (!e && strcmp(kind, "standalone")) {
        e = db_error_new("ovsdb error",
                         "%s: cannot open a clustered database (convert it with ovsdb-tool "
                         "cluster-to-standalone first)",
                         path);
    }
    return e;
}

struct db_error *
db_journal_open(const char *path, enum db_journal_mode mode, struct db_journal **out)
{
    static const int flags[] = {O_RDONLY, O_RDWR, O_RDWR | O_CREAT | O_EXCL,
                                O_RDWR | O_CREAT | O_TRUNC, O_RDWR};
    bool exists =
        mode == DB_JOURNAL_READ || mode == DB_JOURNAL_WRITE || mode == DB_JOURNAL_CONTINUE;
    struct db_journal *j = base_calloc(1, sizeof *j);
    struct db_error *e = NULL;
    *out = NULL;
    j->fd = j->lock_fd = -1;
    j->path = base_strdup(path);
    if (exists) {
        e = check_kind(path);
    }
    if (!e && (mode == DB_JOURNAL_WRITE || mode == DB_JOURNAL_CREATE)) {
        e = lock(j);
    }
    if (e) {
        destroy(j);
        return e;
    }
    j->fd = open(path, flags[mode] | O_CLOEXEC, 0660);
    if (j->fd < 0) {
        e = db_error_io(errno, "%s: %s failed", path, exists ? "open" : "create");
        destroy(j);
        return e;
    }
    e = exists ? db_journal_rewind(j) : NULL;
    if (e) {
        destroy(j);
        return e;
    }
    *out = j;
    return NULL;
}

struct db_error *
db_journal_rewind(struct db_journal *j)
{
    stop_reading(j);
    int fd = dup(j->fd);
    j->in = fd < 0 || lseek(fd, 0, SEEK_SET) ? NULL : fdopen(fd, "r");
    if (!j->in) {
        struct db_error *e = db_error_io(errno, "%s: open failed", j->path);
        close(fd);
        return e;
    }
    setvbuf(j->in, NULL, _IOFBF, 256 * 1024);
    j->end = j->last = 0;
    j->tail = j->damaged = false;
    return NULL;
}

struct db_error *
db_journal_keep(const struct db_journal *j, const char *why, char **name)
{
    enum { TRIES = 1000 };
    char *path = realpath(j->path, NULL);
    const char *real = path ? path : j->path;
    struct db_error *e = NULL;
    *name = NULL;
    for (int i = 0; i < TRIES && !*name && !e; i++) {
        *name = i ? base_asprintf("%s.%s.%d", real, why, i) : base_asprintf("%s.%s", real, why);
        if (link(real, *name)) {
            e = errno == EEXIST && i + 1 < TRIES
                    ? NULL
                    : db_error_io(errno, "%s: cannot be kept as %s", j->path, *name);
            free(*name);
            *name = NULL;
        }
    }
    free(path);
    return e;
}

// Reads "OVSDB JSON LEN SHA1\n".
static struct db_error *
read_header(struct db_journal *j, size_t *len, char sha1[DB_SHA1_HEX + 1])
{
    char line[128];
    *len = 0;
    if (!fgets(line, sizeof line, j->in)) {
        return ferror(j->in) ? db_error_io(errno, "%s: read failed", j->path) : NULL;
    }
    unsigned long n;
    int used = 0;
    if (strncmp(line, MAGIC, strlen(MAGIC)) ||
        sscanf(line + strlen(MAGIC), "%lu %40[0-9a-f]%n", &n, sha1, &used) != 2 ||
        strlen(sha1) != DB_SHA1_HEX || strcmp(line + strlen(MAGIC) + used, "\n") || !n) {
        return db_error_new("syntax error", "%s: parse error at offset %lld in header line",
                            j->path, (long long) j->end);
    }
    *len = n;
    return NULL;
}

// A buffer of this size and a NUL. One that is much too large is not kept.
static char *
body_buffer(struct db_journal *j, size_t len)
{
    enum { KEEP = 1024 * 1024 };
    if (len >= j->body_cap || (j->body_cap > KEEP && len < KEEP)) {
        free(j->body);
        j->body = malloc(len + 1);
        j->body_cap = j->body ? len + 1 : 0;
    }
    return j->body;
}

// Are there so many bytes? A damaged length must not make us ask for all memory.
static bool
is_there(const struct db_journal *j, long long at, size_t len)
{
    struct stat st;
    return fstat(j->fd, &st) || !S_ISREG(st.st_mode) ||
           (st.st_size >= at && len <= (size_t) (st.st_size - at));
}

static struct db_error *
read_body(struct db_journal *j, size_t len, const char *sha1)
{
    long long at = ftello(j->in);
    char *text = is_there(j, at, len) ? body_buffer(j, len) : NULL;
    if (!text || fread(text, 1, len, j->in) != len) {
        int error = ferror(j->in) ? errno : 0;
        return error ? db_error_io(error, "%s: error reading %zu bytes starting at offset %lld",
                                   j->path, len, at)
                     : db_error_new("I/O error",
                                    "%s: error reading %zu bytes starting at offset %lld (%s)",
                                    j->path, len, at, "End of file");
    }
    text[len] = '\0';
    char real[DB_SHA1_HEX + 1];
    db_sha1_hex(text, len, real);
    if (strcmp(real, sha1)) {
        return db_error_new(
            "syntax error",
            "%s: %zu bytes starting at offset %lld have SHA-1 hash %s but should have "
            "hash %s",
            j->path, len, at, real, sha1);
    }
    return NULL;
}

struct db_error *
db_journal_read_text(struct db_journal *j, const char **text, size_t *len)
{
    char sha1[DB_SHA1_HEX + 1] = "";
    *text = NULL;
    if (!j->in) {
        return NULL;
    }
    struct db_error *e = read_header(j, len, sha1);
    if (!e && !*len) {
        stop_reading(j);
        return NULL;
    }
    e = e ? e : read_body(j, *len, sha1);
    if (e) {
        stop_reading(j);
        j->tail = j->damaged = true;
        return e;
    }
    *text = j->body;
    j->last = j->end;
    j->end = ftello(j->in);
    return NULL;
}

struct db_error *
db_journal_parse(struct db_journal *j, const char *text, size_t len, json_t **json)
{
    json_error_t je;
    *json = json_loadb(text, len, JSON_ALLOW_NUL, &je);
    if (json_is_object(*json)) {
        return NULL;
    }
    const long long at = (long long) j->end - (long long) len;
    struct db_error *e =
        *json ? db_error_new("syntax error",
                             "%s: %zu bytes starting at offset %lld are not a JSON object", j->path,
                             len, at)
              : db_error_new("syntax error",
                             "%s: %zu bytes starting at offset %lld are not valid JSON (%s)",
                             j->path, len, at, je.text);
    json_decref(*json);
    *json = NULL;
    db_journal_unread(j);
    return e;
}

struct db_error *
db_journal_read(struct db_journal *j, json_t **json)
{
    const char *text;
    size_t len;
    *json = NULL;
    struct db_error *e = db_journal_read_text(j, &text, &len);
    return e || !text ? e : db_journal_parse(j, text, len, json);
}

struct db_error *
db_journal_tell_loss(const struct db_journal *j, struct db_error *e, size_t n)
{
    struct stat st;
    long long size = stat(j->path, &st) ? 0 : st.st_size;
    char *text = base_asprintf(
        "%s; the %zu transactions before are whole, what follows is lost: %lld bytes from "
        "offset %lld on",
        e->details, n, MAX(size - (long long) j->end, 0), (long long) j->end);
    free(e->details);
    e->details = text;
    return e;
}

void
db_journal_unread(struct db_journal *j)
{
    j->end = j->last;
    j->tail = j->damaged = true;
    stop_reading(j);
}

void
db_journal_take_back(struct db_journal *j, off_t end)
{
    j->end = end;
    j->tail = ftruncate(j->fd, end) != 0;
}

struct db_error *
db_journal_seek_end(struct db_journal *j)
{
    struct stat st;
    if (fstat(j->fd, &st)) {
        return db_error_io(errno, "%s: stat failed", j->path);
    }
    stop_reading(j);
    j->last = j->end = st.st_size;
    return NULL;
}

void
db_journal_format(const char *text, size_t len, struct str *out)
{
    // The checksum covers the newline: build in place, then fill it in.
    char sha1[DB_SHA1_HEX + 1];
    str_add(out, MAGIC);
    str_add_int(out, (int64_t) len + 1);
    str_add_char(out, ' ');
    size_t at = out->len;
    str_add_chars(out, '0', DB_SHA1_HEX);
    str_add_char(out, '\n');
    size_t body = out->len;
    str_add_n(out, text, len);
    str_add_char(out, '\n');
    db_sha1_hex(out->p + body, len + 1, sha1);
    memcpy(out->p + at, sha1, DB_SHA1_HEX);
}

// Is there another record behind the one that is cut off or damaged? A crash leaves none.
static bool
has_more_records(const struct db_journal *j)
{
    bool more = false;
    char *line = NULL;
    size_t cap = 0;
    FILE *in = fopen(j->path, "re");
    if (in && !fseeko(in, j->end, SEEK_SET)) {
        ssize_t n = getline(&line, &cap, in);
        while (!more && (n = getline(&line, &cap, in)) > 0) {
            more = memmem(line, n, MAGIC, strlen(MAGIC));
        }
    }
    free(line);
    if (in) {
        fclose(in);
    }
    return more;
}

bool
db_journal_is_damaged(const struct db_journal *j)
{
    return j->damaged && has_more_records(j);
}

// A copy of the file as it was.
static struct db_error *
keep_damaged(struct db_journal *j)
{
    enum { PIECE = 64 * 1024 };
    char *name = base_asprintf("%s.damaged", j->path);
    struct db_error *e = NULL;
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    for (int i = 1; fd < 0 && errno == EEXIST && i < 1000; i++) {
        free(name);
        name = base_asprintf("%s.damaged.%d", j->path, i);
        fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    }
    char *piece = base_malloc(PIECE);
    ssize_t n = fd < 0 ? -1 : 0;
    for (off_t at = 0; fd >= 0 && (n = pread(j->fd, piece, PIECE, at)) > 0; at += n) {
        const ssize_t written = write(fd, piece, n);
        if (written != n) {
            errno = written < 0 ? errno : ENOSPC;
            n = -1;
            break;
        }
    }
    if (n < 0 || fdatasync(fd)) {
        e = db_error_io(errno, "%s: cannot keep a copy of the damaged file as %s", j->path, name);
    } else {
        LOG_WARN(
            "%s: what follows its %lld good bytes is cut off; the file as it was is kept as %s",
            j->path, (long long) j->end, name);
    }
    if (fd >= 0) {
        close(fd);
        (void) !(e && unlink(name));
    }
    free(piece);
    free(name);
    return e;
}

struct db_error *
db_journal_append_raw(struct db_journal *j, const char *records, size_t len)
{
    struct db_error *e = db_journal_is_damaged(j) ? keep_damaged(j) : NULL;
    if (e) {
        return e;
    }
    j->damaged = false;
    if (j->tail && ftruncate(j->fd, j->end)) {
        return db_error_io(errno, "%s: cannot truncate to length %lld", j->path,
                           (long long) j->end);
    }
    j->tail = false;
    size_t done = 0;
    while (done < len) {
        ssize_t n = pwrite(j->fd, records + done, len - done, j->end + done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            int error = n ? errno : EIO;
            // What part of it arrived must not look like a record.
            j->tail = ftruncate(j->fd, j->end) != 0;
            return db_error_io(error, "%s: write failed", j->path);
        }
        done += n;
    }
    j->end += len;
    return NULL;
}

struct db_error *
db_journal_append(struct db_journal *j, const char *text, size_t len)
{
    str_clear(&j->out);
    db_journal_format(text, len, &j->out);
    struct db_error *e = db_journal_append_raw(j, j->out.p, j->out.len);
    if (j->out.cap > 1024 * 1024) {
        str_free(&j->out);
    }
    return e;
}

struct db_error *
db_journal_sync_directory(const char *path)
{
    char *copy = base_strdup(path);
    const char *name = dirname(copy);
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // File systems that cannot say EINVAL: their entries need nothing.
    struct db_error *e = fd < 0 || (fsync(fd) && errno != EINVAL)
                             ? db_error_io(errno, "%s: fsync failed", name)
                             : NULL;
    if (fd >= 0) {
        close(fd);
    }
    free(copy);
    return e;
}

struct db_error *
db_journal_sync(struct db_journal *j)
{
    if (j->new_name) {
        char *real = realpath(j->path, NULL);
        struct db_error *e = db_journal_sync_directory(real ? real : j->path);
        free(real);
        if (e) {
            return e;
        }
        j->new_name = false;
    }
    return fdatasync(j->fd) ? db_error_io(errno, "%s: fsync failed", j->path) : NULL;
}

void
db_journal_name_is_synced(struct db_journal *j)
{
    j->new_name = false;
}

int
db_journal_fd(const struct db_journal *j)
{
    return j->fd;
}

off_t
db_journal_size(const struct db_journal *j)
{
    return j->end;
}

const char *
db_journal_path(const struct db_journal *j)
{
    return j->path;
}

struct db_error *
db_journal_take_place(struct db_journal *new, struct db_journal *old)
{
    char *path = realpath(old->path, NULL);
    const char *target = path ? path : old->path;
    struct stat st;
    if (!fstat(old->fd, &st)) {
        (void) !fchmod(new->fd, st.st_mode & 07777);
        (void) !fchown(new->fd, st.st_uid, st.st_gid);
    }
    if (rename(new->path, target)) {
        struct db_error *e =
            db_error_io(errno, "failed to rename \"%s\" to \"%s\"", new->path, target);
        free(path);
        return e;
    }
    new->new_name = true;
    free(new->path);
    new->path = base_strdup(old->path);
    new->lock_fd = old->lock_fd;
    old->lock_fd = -1;
    destroy(old);
    free(path);
    return NULL;
}
