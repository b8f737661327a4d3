// SPDX-License-Identifier: Apache-2.0
// Sends encoded flow-mods. See flow_batch.h. Bundles (OpenFlow 1.4) are spoken here, in bytes:
// open, every flow-mod inside a bundle-add message, a barrier, commit.
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "ofproto/of_text.h"
#include "tools/ofctl/flow_batch.h"

#define CHUNK 65536
#define BUNDLE_CONTROL 33
#define BUNDLE_ADD 34
#define BUNDLE_FLAGS 3 // atomic, ordered
enum { BUNDLE_OPEN = 0, BUNDLE_COMMIT = 4 };

static void
put32(uint8_t *p, uint32_t v)
{
    const be32_t b = htobe32(v);
    memcpy(p, &b, sizeof b);
}

static void
put16(uint8_t *p, uint16_t v)
{
    const be16_t b = htobe16(v);
    memcpy(p, &b, sizeof b);
}

static uint16_t
get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static void
number(struct flow_batch *b)
{
    for (uint8_t *p = (uint8_t *) b->out.p, *end = p + b->out.len; p < end; p += get16(p + 2)) {
        put32(p + 4, ofctl_xid());
    }
}

// --- One by one. ---

static void
print_error(const uint8_t *data, size_t len, struct conn *c)
{
    const struct of_print print = {.stats = true, .verbosity = opt.verbosity + 2};
    struct str text = STR_INIT;
    of_msg_format_bytes(data, len, conn_wire(c), &print, &text);
    fflush(stdout);
    fwrite(text.p, 1, text.len, stderr);
    str_free(&text);
}

static uint32_t
xid_of(const uint8_t *data)
{
    be32_t xid;
    memcpy(&xid, data + 4, sizeof xid);
    return be32toh(xid);
}

// Takes what has come in so far. True: the barrier's reply is there.
static bool
take_replies(struct conn *c, uint32_t barrier, bool *failed, int *end)
{
    const uint8_t *data;
    size_t len;
    while (conn_poll(c, &data, &len, end)) {
        if (data[1] == 1) { // error
            print_error(data, len, c);
            *failed = true;
        }
        if (barrier && xid_of(data) == barrier) {
            return true;
        }
    }
    return false;
}

static void
send_one_by_one(struct flow_batch *b, struct conn *c)
{
    struct of_msg barrier = {.type = OF_MSG_BARRIER_REQUEST};
    const uint8_t *p = (const uint8_t *) b->out.p, *const end = p + b->out.len;
    bool failed = false;
    int over = 1;
    number(b);
    for (; p < end && over > 0; p += MIN(CHUNK, end - p)) {
        conn_send_bytes(c, p, MIN(CHUNK, end - p));
        take_replies(c, 0, &failed, &over);
    }
    if (over <= 0) {
        conn_lost(c, over);
    }
    const uint32_t xid = conn_send(c, &barrier);
    const uint8_t *data;
    size_t len;
    do {
        conn_recv(c, &data, &len);
        if (data[1] == 1) {
            print_error(data, len, c);
            failed = true;
        }
    } while (xid_of(data) != xid);
    if (failed) {
        exit(1);
    }
}

// --- Bundles. ---

// "Error OFPBAC_BAD_OUT_GROUP for: OFPT_FLOW_MOD …"
static void
print_bundle_error(const struct of_msg *error, struct conn *c)
{
    const struct of_print print = {.stats = true, .verbosity = opt.verbosity + 1};
    struct str text = STR_INIT;
    str_addf(&text, "Error %s for: ", of_error_name(error->u.error.error));
    const uint8_t *data = error->u.error.data;
    size_t len = error->u.error.len;
    if (len > 16 + OF_HEADER_LEN && data[1] == BUNDLE_ADD) { // what was inside is what went wrong
        data += 16;
        len -= 16;
    }
    of_msg_format_bytes(data, len, conn_wire(c), &print, &text);
    fflush(stdout);
    fwrite(text.p, 1, text.len, stderr);
    str_free(&text);
}

static uint32_t
bundle_control(struct conn *c, uint16_t type)
{
    uint8_t m[16] = {conn_version(c), BUNDLE_CONTROL};
    const uint32_t xid = ofctl_xid();
    put16(m + 2, sizeof m);
    put32(m + 4, xid);
    put16(m + 12, type);
    put16(m + 14, BUNDLE_FLAGS);
    conn_send_bytes(c, m, sizeof m);
    return xid;
}

// Waits for the answer with this id, printing errors on the way. False: the answer is an error.
static bool
bundle_wait(struct conn *c, uint32_t xid, bool *failed)
{
    for (;;) {
        const uint8_t *data;
        size_t len;
        struct of_msg m;
        conn_recv(c, &data, &len);
        conn_decode(c, data, len, &m);
        const bool error = m.type == OF_MSG_ERROR, mine = m.xid == xid;
        if (error) {
            print_bundle_error(&m, c);
            *failed = true;
        }
        of_msg_clear(&m);
        if (mine) {
            return !error;
        }
    }
}

static void
bundle_add(struct flow_batch *b, struct conn *c)
{
    struct str out = STR_INIT;
    const uint8_t *p = (const uint8_t *) b->out.p, *const end = p + b->out.len;
    for (; p < end; p += get16(p + 2)) {
        uint8_t head[16] = {p[0], BUNDLE_ADD};
        put16(head + 2, get16(p + 2) + sizeof head);
        memcpy(head + 4, p + 4, 4);
        put16(head + 14, BUNDLE_FLAGS);
        str_add_n(&out, head, sizeof head);
        str_add_n(&out, p, get16(p + 2));
        if (out.len > CHUNK) {
            conn_send_bytes(c, out.p, out.len);
            str_clear(&out);
        }
    }
    conn_send_bytes(c, out.p, out.len);
    str_free(&out);
}

static void
send_bundle(struct flow_batch *b, struct conn *c)
{
    struct of_msg barrier = {.type = OF_MSG_BARRIER_REQUEST};
    bool failed = false;
    number(b);
    if (!bundle_wait(c, bundle_control(c, BUNDLE_OPEN), &failed)) {
        log_fatal(
            0, "%s: the switch did not open a bundle; without --bundle, flows are sent one by one",
            conn_name(c));
    }
    bundle_add(b, c);
    bundle_wait(c, conn_send(c, &barrier), &failed);
    if (!bundle_wait(c, bundle_control(c, BUNDLE_COMMIT), &failed)) {
        conn_lost(c, -EPROTO);
    }
    if (failed) {
        exit(1);
    }
}

void
flow_batch_send(struct flow_batch *b, struct conn *c)
{
    if (b->n && !conn_try_proto(c, b->proto)) {
        char *names = of_protos_format(b->usable & opt.protos);
        log_fatal(0, "switch does not support any of the usable flow formats (%s)", names);
    }
    if (opt.bundle) {
        send_bundle(b, c);
    } else if (b->n) {
        send_one_by_one(b, c);
    }
}
