// SPDX-License-Identifier: Apache-2.0
// JSON-RPC: the splitter of byte streams against jansson itself, and two ends over a Unix socket:
// requests, replies, notifications, echo, malformed input, probes.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/loop.h"
#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/stream.h"

static struct loop *loop;

static json_t *
random_json(unsigned depth)
{
    static const char *const texts[] = {
        "", "a", "\"}{][\\", "\xc3\xa9\xe2\x82\xac", "tab\tnew\nline", "\x01", "\\u0041"};
    switch (random_below(depth ? 9 : 7)) {
    case 0:
        return json_integer((json_int_t) random_u64());
    case 1:
        return json_real(random_below(1000) / 8.0);
    case 2:
        return json_true();
    case 3:
        return json_null();
    case 4:
    case 5:
        return json_string(texts[random_below(ARRAY_SIZE(texts))]);
    case 6:
        return json_false();
    case 7: {
        json_t *a = json_array();
        for (unsigned i = random_below(5); i; i--) {
            json_array_append_new(a, random_json(depth - 1));
        }
        return a;
    }
    default: {
        json_t *o = json_object();
        for (unsigned i = random_below(5); i; i--) {
            json_object_set_new(o, texts[random_below(ARRAY_SIZE(texts))], random_json(depth - 1));
        }
        return o;
    }
    }
}

// Values one behind the other come out whole, wherever the stream is cut.
static void
test_parser(void **state)
{
    for (unsigned round = 0; round < 300; round++) {
        json_t *values[8];
        struct str s = STR_INIT;
        struct jsonrpc_parser *p = jsonrpc_parser_new();
        const size_t n = 1 + random_below(8);
        for (size_t i = 0; i < n; i++) {
            values[i] = random_below(2) ? json_pack("[o]", random_json(4))
                                        : json_pack("{so}", "x", random_json(4));
            char *text = json_dumps(values[i], (random_below(2) ? JSON_INDENT(2) : 0) |
                                                   (random_below(2) ? JSON_ENSURE_ASCII : 0));
            str_add(&s, text);
            if (random_below(2)) {
                str_add(&s, " \n\t");
            }
            free(text);
        }
        size_t got = 0, at = 0;
        while (at < s.len) {
            const size_t piece = 1 + random_below(random_below(4) ? 5 : 200),
                         len = MIN(s.len - at, piece);
            size_t used = 0;
            while (used < len) {
                json_t *v = NULL;
                const char *error = NULL;
                used += jsonrpc_parser_feed(p, s.p + at + used, len - used, &v, &error);
                if (error) {
                    print_error("%s in: %s\n", error, str_get(&s));
                }
                assert_null(error);
                if (v) {
                    assert_true(got < n);
                    if (!json_equal(v, values[got])) {
                        char *a = json_dumps(v, 0), *b = json_dumps(values[got], 0);
                        print_error("got  %s\nsent %s\n", a, b);
                        fail();
                    }
                    got++;
                    json_decref(v);
                }
            }
            at += len;
        }
        assert_int_equal(got, n);
        for (size_t i = 0; i < n; i++) {
            json_decref(values[i]);
        }
        jsonrpc_parser_free(p);
        str_free(&s);
    }
}

static void
test_parser_refuses(void **state)
{
    static const char *const bad[] = {"}",        "[1,]", "{\"a\":}",  "{\"a\" 1}", "[\"\\q\"]",
                                      "nonsense", "[1}",  "{\"a\":1]", "[tru]"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct jsonrpc_parser *p = jsonrpc_parser_new();
        json_t *v = NULL;
        const char *error = NULL;
        size_t at = 0;
        const size_t len = strlen(bad[i]);
        while (at < len && !error && !v) {
            at += jsonrpc_parser_feed(p, bad[i] + at, len - at, &v, &error);
        }
        print_message("%s: %s\n", bad[i], error ? error : "taken");
        assert_non_null(error);
        assert_null(v);
        jsonrpc_parser_free(p);
    }
}

// A value that has the length of the limit is taken, however it is cut; a longer one isn't kept.
static void
test_parser_limit(void **state)
{
    static const char text[] = "{\"a\":[1,2,3,\"]]]\"]}";
    const size_t len = sizeof text - 1;
    for (size_t limit = 2; limit <= len; limit++) {
        for (size_t piece = 1; piece <= len; piece++) {
            struct jsonrpc_parser *p = jsonrpc_parser_new();
            json_t *v = NULL;
            const char *error = NULL;
            jsonrpc_parser_set_limit(p, limit);
            for (size_t at = 0; at < len && !error && !v;) {
                at += jsonrpc_parser_feed(p, text + at, MIN(piece, len - at), &v, &error);
            }
            assert_int_equal(limit == len, v != NULL);
            assert_int_equal(limit < len, error != NULL);
            json_decref(v);
            jsonrpc_parser_free(p);
        }
    }
}

struct end {
    struct jsonrpc *rpc;
    unsigned n_requests, n_replies, n_errors, n_notes, closed;
    int error;
    json_int_t sum;
};

static void
on_message(struct jsonrpc *rpc, const struct jsonrpc_msg *m, void *e_)
{
    struct end *e = e_;
    switch (m->type) {
    case JSONRPC_REQUEST:
        e->n_requests++;
        if (!strcmp(m->method, "add")) {
            json_int_t sum = 0;
            for (size_t i = 0; i < json_array_size(m->params); i++) {
                sum += json_integer_value(json_array_get(m->params, i));
            }
            jsonrpc_reply(rpc, json_integer(sum), m->id);
        } else {
            jsonrpc_reply_error(rpc, json_string("unknown method"), m->id);
        }
        break;
    case JSONRPC_NOTIFY:
        e->n_notes++;
        break;
    case JSONRPC_REPLY:
        e->n_replies++;
        e->sum += json_integer_value(m->result);
        break;
    case JSONRPC_ERROR:
        e->n_errors++;
        break;
    }
}

static void
on_closed(struct jsonrpc *rpc, int error, void *e_)
{
    struct end *e = e_;
    e->closed++;
    e->error = error;
}

static void
on_connected(struct jsonrpc *rpc, int error, void *e_)
{
    assert_int_equal(error, 0);
}

static const struct jsonrpc_cbs cbs = {on_message, on_connected, on_closed};
static struct end server;
static const struct jsonrpc_cbs *server_cbs = &cbs;
static void *server_aux = &server;

static void
on_accept(struct stream *s, void *aux)
{
    server.rpc = jsonrpc_new(loop, s, server_cbs, server_aux);
}

static char path[64];

static void
connect_ends(struct end *client, struct stream_listener **l, struct stream **raw)
{
    char name[80];
    memset(&server, 0, sizeof server);
    memset(client, 0, sizeof *client);
    snprintf(path, sizeof path, "/tmp/flowerbed-test.%d", (int) getpid());
    snprintf(name, sizeof name, "punix:%s", path);
    assert_int_equal(stream_listen(loop, name, 0, 0, on_accept, NULL, l), 0);
    struct stream *s;
    assert_int_equal(stream_open(loop, name + 1, 0, 0, &s), 0);
    if (raw) {
        *raw = s;
    } else {
        client->rpc = jsonrpc_new(loop, s, &cbs, client);
    }
    while (!server.rpc) {
        loop_turn(loop, -1);
    }
}

static void
test_two_ends(void **state)
{
    struct end client;
    struct stream_listener *l;
    connect_ends(&client, &l, NULL);
    json_int_t want = 0;
    for (int i = 0; i < 500; i++) {
        json_t *params = json_array();
        for (int k = 0; k < i % 50; k++) {
            json_array_append_new(params, json_integer(k));
            want += k;
        }
        jsonrpc_request(client.rpc, "add", params);
        jsonrpc_notify(client.rpc, "note", json_array());
    }
    jsonrpc_request(client.rpc, "what", json_array());
    jsonrpc_request(client.rpc, "echo", json_pack("[i]", 1)); // answered by the library
    while (client.n_replies + client.n_errors < 502) {
        loop_turn(loop, -1);
    }
    assert_int_equal(client.sum, want);
    assert_int_equal(client.n_errors, 1);
    assert_int_equal(server.n_notes, 500);
    jsonrpc_free(client.rpc);
    while (!server.closed) {
        loop_turn(loop, -1);
    }
    assert_int_equal(server.error, 0);
    jsonrpc_free(server.rpc);
    stream_listener_free(l);
    assert_int_equal(access(path, F_OK), -1); // the socket's file went with its listener
}

static void
on_drained(void *n)
{
    ++*(unsigned *) n;
}

// While input pauses, a peer that reads slowly is alive for the probe, one that doesn't read isn't.
static void
test_probe_of_a_slow_reader(void **state)
{
    static char text[1024 * 1024];
    struct end client;
    struct stream_listener *l;
    struct stream *raw;
    char piece[16384];
    unsigned n_drained = 0;
    connect_ends(&client, &l, &raw);
    stream_free(raw);
    while (!server.closed) {
        loop_turn(loop, -1);
    }
    jsonrpc_free(server.rpc);
    memset(&server, 0, sizeof server);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &sun, sizeof sun), 0);
    while (!server.rpc) {
        loop_turn(loop, -1);
    }
    memset(text, ' ', sizeof text);
    jsonrpc_on_drained(server.rpc, on_drained, &n_drained);
    jsonrpc_pause(server.rpc, true);
    jsonrpc_send_raw(server.rpc, text, sizeof text);
    jsonrpc_set_probe(server.rpc, 100);
    int64_t began = clock_now();
    while (!n_drained && !server.closed) {
        loop_turn(loop, 10);
        assert_true(read(fd, piece, sizeof piece) > 0);
    }
    assert_false(server.closed);
    assert_true(clock_now() - began > 200); // else nothing was tried
    jsonrpc_send_raw(server.rpc, text, sizeof text);
    while (!server.closed) {
        loop_turn(loop, -1);
    }
    assert_int_equal(server.error, -ETIMEDOUT);
    close(fd);
    jsonrpc_free(server.rpc);
    loop_turn(loop, 1000); // the stream sees that nobody wants the rest
    stream_listener_free(l);
}

static void
test_malformed_input_closes(void **state)
{
    static const char *const bad[] = {
        "{\"method\":",
        "[1]",
        "{\"method\":\"x\",\"params\":1,\"id\":null}",
        "{}",
        "]",
        "{\"method\":\"x\",\"params\":[],\"id\":1,\"jsonrpc\":\"2.0\"}",
        "{\"method\":\"echo\",\"params\":[],\"id\":1,\"\":null}",
        "{\"result\":1,\"error\":null,\"id\":1,\"more\":1}",
        "{\"method\":\"x\",\"params\":[],\"id\":1,\"result\":0}"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct end client;
        struct stream_listener *l;
        struct stream *raw;
        connect_ends(&client, &l, &raw);
        stream_write(raw, bad[i], strlen(bad[i]));
        stream_write(raw, "}", i == 0);
        while (!server.closed) {
            loop_turn(loop, -1);
        }
        assert_true(server.error < 0);
        jsonrpc_free(server.rpc);
        stream_free(raw);
        stream_listener_free(l);
        loop_turn(loop, 0);
    }
}

static void
test_null_outcome_of_a_request(void **state)
{
    struct end client;
    struct stream_listener *l;
    struct stream *raw;
    static const char text[] =
        "{\"id\":1,\"method\":\"x\",\"params\":[],\"result\":null,\"error\":null}";
    connect_ends(&client, &l, &raw);
    stream_write(raw, text, sizeof text - 1);
    while (!server.n_requests && !server.closed) {
        loop_turn(loop, -1);
    }
    assert_int_equal(server.closed, 0);
    jsonrpc_free(server.rpc);
    stream_free(raw);
    stream_listener_free(l);
    loop_turn(loop, 0);
}

static void
test_long_message_closes(void **state)
{
    struct end client;
    struct stream_listener *l;
    connect_ends(&client, &l, NULL);
    jsonrpc_set_max_message(server.rpc, 10000);
    char *text = base_malloc(10001);
    memset(text, 'x', 10000);
    text[9900] = '\0';
    jsonrpc_notify(client.rpc, "note", json_pack("[s]", text));
    while (!server.n_notes) {
        loop_turn(loop, -1);
    }
    assert_int_equal(server.closed, 0);
    text[9900] = 'x';
    text[10000] = '\0';
    jsonrpc_notify(client.rpc, "note", json_pack("[s]", text));
    while (!server.closed) {
        loop_turn(loop, -1);
    }
    assert_int_equal(server.error, -EPROTO);
    assert_int_equal(server.n_notes, 1);
    free(text);
    jsonrpc_free(server.rpc);
    jsonrpc_free(client.rpc);
    stream_listener_free(l);
    loop_turn(loop, 0);
}

// Numbers in the texts come in their order, each once, whoever deals with it.
struct taker {
    unsigned next, taken;
};

static void
expect_number(struct taker *t, const char *text)
{
    assert_int_equal(strtoul(strchr(text, '#') + 1, NULL, 10), t->next);
    t->next++;
}

// Deals with what begins with "f".
static size_t
take_text(const char *text, size_t n, void *taker_)
{
    static const char begin[] = "{\"params\":[\"f#";
    struct taker *t = taker_;
    const char *end = memchr(text, '}', n);
    if (!end || n < sizeof begin || memcmp(text, begin, sizeof begin - 1)) {
        return 0;
    }
    expect_number(t, text);
    t->taken++;
    return end + 1 - text;
}

static void
on_numbered(struct jsonrpc *rpc, const struct jsonrpc_msg *m, void *taker_)
{
    expect_number(taker_, json_string_value(json_array_get(m->params, 0)));
}

static void
test_text_first(void **state)
{
    static const struct jsonrpc_cbs numbered = {.message = on_numbered};
    enum { N = 3000 };
    struct end client;
    struct taker t = {0, 0};
    struct stream_listener *l;
    struct stream *raw;
    struct str s = STR_INIT;
    server_cbs = &numbered;
    server_aux = &t;
    connect_ends(&client, &l, &raw);
    server_cbs = &cbs;
    server_aux = &server;
    jsonrpc_on_text(server.rpc, take_text, &t);
    unsigned n_fast = 0;
    for (unsigned i = 0; i < N; i++) {
        const bool fast = random_below(2);
        n_fast += fast;
        str_addf(&s, "%s{\"params\":[\"%s#%u\"],\"method\":\"x\"}", random_below(3) ? "" : " \n",
                 fast ? "f" : "s", i);
    }
    for (size_t at = 0; at < s.len;) { // in one piece and in bits
        const size_t left = s.len - at,
                     n = MIN(left, 1 + random_below(random_below(3) ? 100 : 20000));
        stream_write(raw, s.p + at, n);
        loop_turn(loop, 0);
        at += n;
    }
    while (t.next < N) {
        loop_turn(loop, -1);
    }
    assert_int_equal(t.taken, n_fast);
    assert_int_equal(jsonrpc_received(server.rpc), s.len);
    str_free(&s);
    jsonrpc_free(server.rpc);
    stream_free(raw);
    stream_listener_free(l);
    loop_turn(loop, 0);
}

static void
test_names(void **state)
{
    static const struct {
        const char *name;
        bool active, passive;
    } rows[] = {{"tcp:127.0.0.1:6640", true, false},
                {"ptcp:", false, true},
                {"ptcp:6640:127.0.0.1", false, true},
                {"unix:/tmp/x", true, false},
                {"punix:/tmp/x", false, true},
                {"ssl:[::1]:6640", true, false},
                {"pssl:", false, true},
                {"udp:1", false, false},
                {"", false, false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(stream_name_is_active(rows[i].name), rows[i].active);
        assert_int_equal(stream_name_is_passive(rows[i].name), rows[i].passive);
    }
}

int
main(void)
{
    const char *seed = getenv("SEED");
    const uint32_t n = seed ? (uint32_t) strtoul(seed, NULL, 0) : random_u32();
    random_seed(n);
    printf("SEED=%u\n", n);
    rcu_start();
    loop = loop_new();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parser),
        cmocka_unit_test(test_parser_refuses),
        cmocka_unit_test(test_parser_limit),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_two_ends),
        cmocka_unit_test(test_text_first),
        cmocka_unit_test(test_malformed_input_closes),
        cmocka_unit_test(test_null_outcome_of_a_request),
        cmocka_unit_test(test_long_message_closes),
        cmocka_unit_test(test_probe_of_a_slow_reader),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_free(loop);
    return failed;
}
