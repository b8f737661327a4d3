// SPDX-License-Identifier: Apache-2.0
// Compactions in the background, with commits at every moment and children that are killed: the
// file always has what was committed, and nothing is left behind.
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/loop.h"
#include "lib/base/random.h"
#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/txn.h"

static const char schema_text[] =
    "{\"name\":\"T\",\"tables\":{\"R\":{\"isRoot\":true,\"indexes\":[[\"i\"]],\"columns\":{"
    "\"i\":{\"type\":\"integer\"},\"s\":{\"type\":\"string\"}}}}}";

static bool syncs_fail;

// Instead of the C library's.
int
fdatasync(int fd)
{
    if (syncs_fail) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_fdatasync, fd);
}

struct site {
    char dir[32], path[64];
    struct db *db;
    struct db_file *file;
    struct loop *loop;
    int64_t next; // value of i in the next row
    bool done;
    struct db_error *error;
};

static void
must(struct db_error *e)
{
    if (e) {
        fail_msg("%s", db_error_take_text(e));
    }
}

static void
setup(struct site *s)
{
    struct db_schema *schema;
    struct db_file *file;
    *s = (struct site){.dir = "/tmp/compaction.XXXXXX"};
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->path, sizeof s->path, "%s/db", s->dir);
    must(db_schema_from_text(schema_text, &schema));
    must(db_file_create(s->path, schema, &file));
    db_file_close(file);
    db_schema_free(schema);
    must(db_file_open(s->path, true, &s->db, &s->file));
    s->loop = loop_new();
}

static void
teardown(struct site *s)
{
    struct str cmd = STR_INIT;
    db_free(s->db);
    db_file_close(s->file);
    loop_free(s->loop);
    str_addf(&cmd, "rm -r %s", s->dir);
    assert_int_equal(system(str_get(&cmd)), 0);
    str_free(&cmd);
}

// One row; text: its s, or NULL.
static struct db_error *
try_row(struct site *s, const char *text, bool durable)
{
    struct db_table *t = db_table_find(s->db, "R");
    struct db_txn *txn = db_txn_begin(s->db);
    struct db_datum d;
    struct uuid u;
    uuid_generate(&u);
    struct db_row *row = db_txn_insert(txn, t, &u);
    db_datum_set_integer(&d, s->next++);
    db_txn_set(txn, row, db_table_schema_column(t->schema, "i"), &d);
    if (text) {
        db_datum_set_string(&d, text);
        db_txn_set(txn, row, db_table_schema_column(t->schema, "s"), &d);
    }
    return db_txn_commit(txn, durable);
}

static void
commit_row(struct site *s, const char *text, bool durable)
{
    must(try_row(s, text, durable));
}

static void
commit(struct site *s)
{
    commit_row(s, NULL, !random_below(3));
}

static void
on_done(struct db_error *e, void *s_)
{
    struct site *s = s_;
    s->done = true;
    s->error = e;
}

// The file, read anew, has rows 0 to next - 1.
static void
check_file(const struct site *s)
{
    struct db *db;
    struct db_file *file;
    must(db_file_open_whole(s->path, false, &db, &file));
    struct db_table *t = db_table_find(db, "R");
    assert_int_equal(hmap_count(&t->rows), s->next);
    for (int64_t i = 0; i < s->next; i++) {
        struct db_datum d;
        db_datum_set_integer(&d, i);
        assert_non_null(db_index_find(t, 0, (const struct db_datum *const[]){&d}, NULL));
        db_datum_destroy(&d, &t->schema->columns[DB_N_STD_COLS]->type);
    }
    db_free(db);
    db_file_close(file);
}

static unsigned
count_entries(const char *dir)
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        n += e->d_name[0] != '.' || e->d_name[1] == 'd'; // the lock file, not "." and ".."
    }
    closedir(d);
    return n;
}

static void
signal_child(int signal)
{
    char path[64];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int) getpid());
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%d", &pid) == 1) {
        kill(pid, signal);
    }
    if (f) {
        fclose(f);
    }
}

// One compaction; commits meanwhile, and at turn `kill_at` the child dies.
static void
compact(struct site *s, unsigned kill_at, bool settle)
{
    s->done = false;
    assert_int_equal(db_file_compact_start(s->file, s->db, s->loop, on_done, s), 0);
    assert_int_equal(db_file_compact_start(s->file, s->db, s->loop, on_done, s), -EBUSY);
    for (unsigned turn = 0; !s->done; turn++) {
        for (unsigned n = random_below(3); n; n--) {
            commit(s);
        }
        if (turn == kill_at) {
            signal_child(SIGKILL);
        }
        if (settle && turn == 2) {
            must(db_file_compact(s->file, s->db, "now")); // waits for the other
            assert_true(s->done);
        } else {
            loop_turn(s->loop, 1);
        }
    }
}

static void
test_commits_meanwhile(void **state)
{
    struct site s;
    setup(&s);
    unsigned fds = count_entries("/proc/self/fd");
    for (unsigned i = 0; i < 40; i++) {
        commit(&s);
        compact(&s, UINT32_MAX, i % 5 == 4);
        must(s.error);
        check_file(&s);
        commit(&s);
        check_file(&s);
    }
    assert_int_equal(count_entries("/proc/self/fd"), fds);
    assert_int_equal(count_entries(s.dir), 2); // db and its lock
    teardown(&s);
}

static void
test_child_dies(void **state)
{
    struct site s;
    unsigned failed = 0;
    setup(&s);
    unsigned fds = count_entries("/proc/self/fd");
    for (unsigned i = 0; i < 60; i++) {
        compact(&s, random_below(8), i % 7 == 6);
        failed += s.error != NULL;
        db_error_free(s.error);
        check_file(&s);
        assert_int_equal(count_entries(s.dir), 2);
    }
    print_message("%u of 60 failed\n", failed);
    assert_in_range(failed, 1, 60);
    assert_int_equal(count_entries("/proc/self/fd"), fds);
    compact(&s, UINT32_MAX, false);
    must(s.error);
    check_file(&s);
    teardown(&s);
}

// A child that does not come on while more is committed than is kept for it: it is ended, and
// nothing is lost.
static void
test_outgrown(void **state)
{
    enum { SIZE = 4 << 20, LIMIT = 256 << 20 };
    struct site s;
    setup(&s);
    char *text = base_malloc(SIZE + 1);
    memset(text, 'x', SIZE);
    text[SIZE] = '\0';
    commit(&s);
    assert_int_equal(db_file_compact_start(s.file, s.db, s.loop, on_done, &s), 0);
    signal_child(SIGSTOP);
    for (int i = 0; i < LIMIT / SIZE - 1; i++) {
        commit_row(&s, text, false);
        loop_turn(s.loop, 0);
        assert_false(s.done);
    }
    commit_row(&s, text, false);
    commit_row(&s, text, true);
    while (!s.done) {
        loop_turn(s.loop, 100);
    }
    assert_non_null(s.error);
    db_error_free(s.error);
    check_file(&s);
    assert_int_equal(count_entries(s.dir), 2);
    free(text);
    teardown(&s);
}

// A directory that takes no new file: the old one goes on.
static void
test_no_place(void **state)
{
    struct site s;
    struct str tmp = STR_INIT;
    setup(&s);
    str_addf(&tmp, "mkdir %s.tmp", s.path);
    assert_int_equal(system(str_get(&tmp)), 0);
    compact(&s, UINT32_MAX, false);
    assert_non_null(s.error);
    char *text = db_error_take_text(s.error);
    assert_non_null(strstr(text, "Is a directory"));
    free(text);
    commit(&s);
    check_file(&s);
    str_free(&tmp);
    teardown(&s);
}

// What could not be put on disk was refused, and is not there when the file is read.
static void
test_sync_fails(void **state)
{
    struct site s;
    unsigned refused = 0;
    setup(&s);
    for (unsigned i = 0; i < 300; i++) {
        if (i % 50 == 49) {
            s.done = false;
            assert_int_equal(db_file_compact_start(s.file, s.db, s.loop, on_done, &s), 0);
            s.error = NULL;
        }
        syncs_fail = random_below(2);
        db_file_set_always_durable(random_below(2));
        const bool asked = random_below(2);
        struct db_error *e = try_row(&s, NULL, asked);
        if (e) {
            assert_true(syncs_fail);
            db_error_free(e);
            s.next--;
            refused++;
        }
        loop_turn(s.loop, 0);
        if (i % 50 == 48) {
            while (i > 50 && !s.done) {
                loop_turn(s.loop, 100);
            }
            db_error_free(s.error);
            s.error = NULL;
        }
        check_file(&s);
    }
    syncs_fail = false;
    db_file_set_always_durable(false);
    assert_in_range(refused, 50, 250);
    while (!s.done) {
        loop_turn(s.loop, 100);
    }
    db_error_free(s.error);
    teardown(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_meanwhile), cmocka_unit_test(test_child_dies),
        cmocka_unit_test(test_outgrown),          cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_sync_fails),
    };
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : random_u64();
    print_message("SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
