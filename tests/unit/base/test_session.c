// SPDX-License-Identifier: Apache-2.0
// Connections that come back, to peers that say nothing; names whose resolution takes longer than
// the one who asked lives. Time stands still and is warped; getaddrinfo() is ours.
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "lib/base/stream.h"

static sem_t gate; // one look-up may end
static atomic_uint n_asked;

int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
            struct addrinfo **found)
{
    struct addrinfo *ai = calloc(1, sizeof *ai + sizeof(struct sockaddr_in));
    n_asked++;
    while (sem_wait(&gate)) {
    }
    struct sockaddr_in *sin = (struct sockaddr_in *) (ai + 1);
    *sin = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t) atoi(port)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ai->ai_family = AF_INET;
    ai->ai_addr = (struct sockaddr *) sin;
    ai->ai_addrlen = sizeof *sin;
    *found = ai;
    return 0;
}

void
freeaddrinfo(struct addrinfo *ai)
{
    free(ai);
}

// A listening socket that nobody accepts from by itself.
static int
silent_server(uint16_t *port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sin;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &sin, sizeof sin), 0);
    assert_int_equal(listen(fd, 10), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &sin, &len), 0);
    *port = ntohs(sin.sin_port);
    return fd;
}

static unsigned n_states;

static void
on_message(struct jsonrpc_session *s, const struct jsonrpc_msg *m, void *aux)
{
}

static void
on_state(struct jsonrpc_session *s, bool connected, void *aux)
{
    n_states++;
}

static unsigned
n_threads(void)
{
    unsigned n = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *e; (e = readdir(tasks));) {
        n += e->d_name[0] != '.';
    }
    closedir(tasks);
    return n;
}

static const struct jsonrpc_session_cbs cbs = {on_message, on_state};

// Time moves only when nothing has happened for a while: threads and the kernel have their own.
static void
turn(struct loop *loop, int listener, int *warped)
{
    struct pollfd p = {listener, POLLIN, 0};
    unsigned asked = n_asked;
    if (!loop_turn(loop, 0) && !poll(&p, 1, 20) && n_asked == asked) {
        clock_warp(500);
        *warped += 500;
    }
}

// Until the session has called; warped time only.
static int
await_call(struct loop *loop, int listener, int *warped)
{
    int fd;
    while ((fd = accept(listener, NULL, NULL)) < 0 && *warped < 60000) {
        turn(loop, listener, warped);
    }
    return fd;
}

static void
test_silent_handshake(void **state)
{
    char name[64], dir[] = "/tmp/flowerbed-test.XXXXXX", command[512], key[64], cert[64];
    uint16_t port;
    assert_non_null(mkdtemp(dir));
    snprintf(key, sizeof key, "%s/key.pem", dir);
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s -out %s -subj /CN=x -days 2 "
             ">/dev/null 2>&1",
             key, cert);
    if (system(command)) {
        print_message("SKIP: no program openssl\n");
        skip();
    }
    stream_set_tls(
        &(const struct stream_tls){.private_key = key, .certificate = cert, .ca_cert = cert});
    struct loop *loop = loop_new();
    int listener = silent_server(&port), fd[3], waited[3] = {0};
    snprintf(name, sizeof name, "ssl:127.0.0.1:%u", port);
    struct jsonrpc_session *s = jsonrpc_session_new(loop, name, &cbs, NULL);
    jsonrpc_session_set_probe(s, 0); // it counts for what is connected
    n_states = 0;
    for (int i = 0; i < 3; i++) {
        fd[i] = await_call(loop, listener, &waited[i]);
        assert_true(fd[i] >= 0);
    }
    // 5 seconds for each attempt, and the back-off.
    assert_in_range(waited[1], 5500, 7500);
    assert_in_range(waited[2], 6500, 8500);
    char hello[4096];
    assert_true(read(fd[0], hello, sizeof hello) > 0);
    assert_int_equal(read(fd[0], hello, sizeof hello), 0); // given up
    assert_int_equal(n_states, 0);
    jsonrpc_session_free(s);
    for (int i = 0; i < 3; i++) {
        close(fd[i]);
    }
    close(listener);
    loop_free(loop);
    unlink(key);
    unlink(cert);
    rmdir(dir);
}

static void
await_count(const atomic_uint *count, unsigned n)
{
    while (*count < n) {
        sched_yield();
    }
}

// Until no other thread runs than those that ran at first.
static void
await_threads(unsigned n)
{
    while (n_threads() > n) {
        sched_yield();
    }
}

// The attempt ends while the name is still being looked up; so does the loop, in the end.
static void
test_name_for_ever(void **state)
{
    uint16_t port;
    char name[64];
    int listener = silent_server(&port), warped = 0;
    unsigned before = n_asked;
    snprintf(name, sizeof name, "tcp:flowerbed.invalid:%u", port);
    struct loop *loop = loop_new();
    struct jsonrpc_session *s = jsonrpc_session_new(loop, name, &cbs, NULL);
    while (n_asked < before + 2 && warped < 60000) {
        turn(loop, listener, &warped);
    }
    assert_int_equal(n_asked, before + 2);
    sem_post(&gate);
    sem_post(&gate);
    int fd = await_call(loop, listener, &warped);
    assert_true(fd >= 0);
    close(fd);
    jsonrpc_session_free(s);
    loop_free(loop);
    close(listener);
}

static void
test_resolver_outlives_its_loop(void **state)
{
    for (int answered_first = 0; answered_first < 2; answered_first++) {
        unsigned asked = n_asked, threads = n_threads();
        struct loop *loop = loop_new();
        struct stream *s;
        assert_int_equal(stream_open(loop, "tcp:flowerbed.invalid:1", 0, 0, &s), 0);
        await_count(&n_asked, asked + 1);
        if (answered_first) {
            sem_post(&gate);
            await_threads(threads);
        }
        stream_free(s);
        loop_free(loop);
        if (!answered_first) {
            sem_post(&gate);
            await_threads(threads);
        }
    }
}

int
main(void)
{
    rcu_start();
    sem_init(&gate, 0, 0);
    clock_stop();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silent_handshake),
        cmocka_unit_test(test_name_for_ever),
        cmocka_unit_test(test_resolver_outlives_its_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
