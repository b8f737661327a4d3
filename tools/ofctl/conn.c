// SPDX-License-Identifier: Apache-2.0
// A connection to a switch or controller, for a program that asks and waits: lib/base/stream under
// a loop that turns until there is what is waited for. Sentences about connections that don't work
// are here, so that commands needn't care.
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/stream.h"
#include "ofproto/of_text.h"
#include "tools/ofctl/ofctl.h"

LOG_MODULE(vconn);

#define DEFAULT_PORT 6653
#define MAX_BACKLOG (256 * 1024)

struct conn {
    struct stream *stream;
    char *name;          // "unix:/run/…/br0.mgmt"
    char *given;         // as on the command line
    const char *trouble; // what to say when the peer doesn't speak OpenFlow with us
    struct of_wire wire;
    bool connected, closed, hello;
    int error;   // of the end of the connection
    size_t used; // bytes of the message given out last
};

static uint32_t next_xid = 1;

uint32_t
ofctl_xid(void)
{
    return next_xid++;
}

uint32_t
ofctl_xid_swap(uint32_t next)
{
    const uint32_t before = next_xid;
    next_xid = next;
    return before;
}

struct loop *
ofctl_loop(void)
{
    static struct loop *loop;
    if (!loop) {
        loop = loop_new();
    }
    return loop;
}

static void
on_connected(struct stream *s, int error, void *c_)
{
    struct conn *c = c_;
    (void) s;
    c->connected = !error;
    c->closed = error != 0;
    c->error = error;
}

static void
on_closed(struct stream *s, int error, void *c_)
{
    struct conn *c = c_;
    (void) s;
    c->closed = true;
    c->error = error;
}

static void
on_readable(struct stream *s, void *aux)
{
    (void) s;
    (void) aux; // the loop has turned: whoever waits looks
}

static void
turn(void)
{
    loop_turn(ofctl_loop(), -1);
}

void
conn_lost(const struct conn *c, int error)
{
    log_fatal(0, "talking to %s (%s)", c->name, error ? base_strerror(error) : "End of file");
}

static void
write_bytes(struct conn *c, const void *data, size_t len)
{
    if (!c->closed) {
        stream_write(c->stream, data, len);
    }
}

void
conn_send_bytes(struct conn *c, const void *data, size_t len)
{
    write_bytes(c, data, len);
    while (!c->closed && stream_backlog(c->stream) > MAX_BACKLOG) {
        turn();
    }
}

size_t
conn_backlog(const struct conn *c)
{
    return c->closed ? 0 : stream_backlog(c->stream);
}

uint32_t
conn_send(struct conn *c, struct of_msg *m)
{
    struct str out = STR_INIT;
    m->xid = ofctl_xid();
    if (of_msg_encode(m, &c->wire, &out)) {
        log_fatal(0, "%s: %s does not have this request", c->given,
                  of_version_name(c->wire.version));
    }
    conn_send_bytes(c, out.p, out.len);
    str_free(&out);
    return m->xid;
}

static void
answer_echo(struct conn *c, const uint8_t *data, size_t len)
{
    struct str reply = STR_INIT;
    str_add_n(&reply, data, len);
    reply.p[1] = 3;
    write_bytes(c, reply.p, reply.len);
    str_free(&reply);
}

bool
conn_poll(struct conn *c, const uint8_t **data, size_t *len, int *end)
{
    *end = 1;
    if (c->used) {
        stream_drain(c->stream, c->used);
        c->used = 0;
    }
    for (;;) {
        const size_t n = stream_peek(c->stream, data);
        const size_t whole = of_msg_length(*data, n);
        if (whole && whole < OF_HEADER_LEN) {
            LOG_ERR("received too-short ofp_header (%zu bytes)", whole);
            *end = -EPROTO;
            return false;
        }
        if (!whole || whole > n) {
            *end = c->closed ? c->error : 1;
            return false;
        }
        if (c->hello && (*data)[1] == 2) { // echo request
            answer_echo(c, *data, whole);
            stream_drain(c->stream, whole);
            continue;
        }
        c->used = whole;
        *len = whole;
        return true;
    }
}

void
conn_recv(struct conn *c, const uint8_t **data, size_t *len)
{
    int end;
    while (!conn_poll(c, data, len, &end)) {
        if (end <= 0) {
            conn_lost(c, end);
        }
        turn();
    }
}

void
conn_decode(struct conn *c, const uint8_t *data, size_t len, struct of_msg *m)
{
    memset(m, 0, sizeof *m);
    const int error = of_msg_decode(data, len, &c->wire, m);
    if (error) {
        const struct of_print print = {.stats = true, .verbosity = opt.verbosity + 1};
        struct str text = STR_INIT;
        of_msg_format_bytes(data, len, &c->wire, &print, &text);
        log_fatal(0, "%s: received a message that cannot be read (%s):\n%s", c->given,
                  of_error_name(error), str_get(&text));
    }
}

// --- Opening. ---

static uint32_t
highest_version(uint32_t versions)
{
    return versions ? 31 - __builtin_clz(versions) : 0;
}

static void
add_versions(uint32_t versions, struct str *out)
{
    const char *sep = base_is_pow2(versions) ? "version " : "versions ";
    for (unsigned v = 1; v < 32; v++) {
        if (versions & OF_VERSION_BIT(v)) {
            str_addf(out, "%s0x%02x", sep, v);
            sep = ", ";
        }
    }
}

static void FB_NORETURN
not_agreed(const struct conn *c, int error)
{
    log_fatal(error, "%s: %s", c->given, c->trouble);
}

static void FB_NORETURN
unexpected(const struct conn *c, const uint8_t *data, size_t len)
{
    const struct of_print print = {.stats = true};
    struct str text = STR_INIT;
    of_msg_format_bytes(data, len, NULL, &print, &text);
    str_chomp(&text, "\n");
    LOG_WARN("%s: received message while expecting hello: %s", c->name, str_get(&text));
    not_agreed(c, EPROTO);
}

// Sends an error that says why, as the specification wants.
static void
no_common_version(struct conn *c, const struct of_msg *hello, const uint8_t *data, size_t len)
{
    struct str ours = STR_INIT, theirs = STR_INIT, out = STR_INIT;
    add_versions(opt.versions, &ours);
    add_versions(hello->u.hello.versions, &theirs);
    LOG_WARN("%s: version negotiation failed (we support %s, peer supports %s)", c->name,
             str_get(&ours), str_get(&theirs));
    of_msg_encode_error(OF_ERROR_HFC_INCOMPATIBLE, hello->version, data, len, &out);
    write_bytes(c, out.p, out.len);
    not_agreed(c, EPIPE);
}

static void
say_hello(struct conn *c)
{
    const struct of_wire wire = {.version = highest_version(opt.versions)};
    struct of_msg m = {.type = OF_MSG_HELLO, .xid = ofctl_xid(), .u.hello.versions = opt.versions};
    struct str out = STR_INIT;
    of_msg_encode(&m, &wire, &out);
    write_bytes(c, out.p, out.len);
    str_free(&out);
}

static void
negotiate(struct conn *c)
{
    const uint8_t *data;
    struct of_msg m = {0};
    size_t len;
    int end;
    say_hello(c);
    while (!conn_poll(c, &data, &len, &end)) {
        if (end <= 0) {
            not_agreed(c, end ? -end : ECONNRESET);
        }
        turn();
    }
    if (of_msg_decode(data, len, NULL, &m) || m.type != OF_MSG_HELLO) {
        unexpected(c, data, len);
    }
    const uint32_t common = opt.versions & m.u.hello.versions;
    if (!common) {
        no_common_version(c, &m, data, len);
    }
    c->wire.version = highest_version(common);
    c->hello = true;
    LOG_DBG("%s: negotiated OpenFlow version 0x%02x", c->name, c->wire.version);
}

static void
open_stream(struct conn *c)
{
    static const struct stream_cbs cbs = {.connected = on_connected,
                                          .readable = on_readable,
                                          .drained = on_readable,
                                          .closed = on_closed};
    int error = stream_open(ofctl_loop(), c->name, DEFAULT_PORT, 0, &c->stream);
    if (!error) {
        stream_set_cbs(c->stream, &cbs, c);
        while (!c->connected && !c->closed) {
            turn();
        }
        error = c->connected ? 0 : c->error ? c->error : -ECONNRESET;
    }
    if (error) {
        log_fatal(0, "connecting to %s (%s)", c->name, base_strerror(error));
    }
}

static bool
is_socket(const char *path)
{
    struct stat s;
    return !stat(path, &s) && S_ISSOCK(s.st_mode);
}

// The connection method behind the name of a bridge or socket; NULL: there is none.
static char *
method_of(const char *name, const char *suffix)
{
    if (strchr(name, ':')) {
        return base_strdup(name);
    }
    char *method = NULL;
    char *file = dirs_abs(dirs_run(), name);
    char *bridge = base_asprintf("%s.%s", file, suffix);
    char *own = dirs_abs(dirs_run(), bridge);
    if (is_socket(own)) {
        method = base_asprintf("unix:%s", own);
    } else if (is_socket(name)) {
        method = base_asprintf("unix:%s", name);
    }
    free(own);
    free(bridge);
    free(file);
    return method;
}

bool
conn_try_open(const char *name, struct conn **out)
{
    char *method = method_of(name, "mgmt");
    if (!method) {
        return false;
    }
    free(method);
    *out = conn_open(name);
    return true;
}

struct conn *
conn_open_suffix(const char *name, const char *suffix)
{
    char *method = method_of(name, suffix);
    if (!method) {
        log_fatal(0, "%s is not a bridge or a socket", name);
    }
    struct conn *c = base_calloc(1, sizeof *c);
    c->name = method;
    c->given = base_strdup(name);
    c->trouble = "failed to connect to socket";
    if (strcmp(suffix, "mgmt") && !strncmp(method, "unix:", 5) && !strchr(name, ':')) {
        free(c->given);
        c->given = base_strdup(method + 5);
        c->trouble = "failed to open socket";
    }
    open_stream(c);
    negotiate(c);
    return c;
}

struct conn *
conn_open(const char *name)
{
    return conn_open_suffix(name, "mgmt");
}

void
conn_free(struct conn *c)
{
    stream_free(c->stream);
    free(c->name);
    free(c->given);
    free(c);
}

const char *
conn_name(const struct conn *c)
{
    return c->name;
}

const char *
conn_given(const struct conn *c)
{
    return c->given;
}

struct of_wire *
conn_wire(struct conn *c)
{
    return &c->wire;
}

enum of_version
conn_version(const struct conn *c)
{
    return c->wire.version;
}

void
conn_set_blocked(struct conn *c, bool blocked)
{
    stream_pause_reading(c->stream, blocked);
}
