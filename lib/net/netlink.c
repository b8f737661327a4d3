// SPDX-License-Identifier: Apache-2.0
// Netlink sockets: transactions in batches, dumps, notifications. See netlink.h.
//
// The kernel works a whole send off before sendmsg() returns, and queues the answers in the socket:
// a batch is cut into pieces whose answers surely fit the receive buffer, each piece is one
// sendmsg(), and its answers are fetched many at a time with recvmmsg(). Datagrams land in fixed
// slots of one lazily touched allocation, so nothing is allocated in steady state. What is short
// lands in the slots' heads, which stand close together; the rest of a long one goes to a place of
// its own, and its head is then moved before it.
//
// Of a piece only the last request asks to be acknowledged. The kernel works in order and always
// tells of failures: when that one is answered, those before it that failed have said so.
//
// References: RFC 3549; linux/netlink.h (NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK);
// linux/genetlink.h.
#include "lib/net/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/base/arena.h"

#define N_SLOTS 256
#define HEAD_SIZE 1024        // of a datagram: what most are shorter than
#define SLOT_SIZE (68 * 1024) // a 64 KiB packet with its attributes
#define DUMP_SLOTS 4          // dumps come in datagrams of up to 32 KiB
#define BUFFER_BYTES (4 * 1024 * 1024)
#define ACK_COST                                                                                   \
    1024 // what an acknowledgement takes of the receive buffer, with the kernel's overhead
#define REPLY_COST 8192 // the same for an answer with content
_Static_assert(NLK_RECEIVE_MAX <= N_SLOTS, "room for what one call receives");
#define ANSWER_TIMEOUT_MS 2000

struct nlk_sock {
    struct mnl_socket *mnl;
    enum nlk_proto proto;
    uint32_t seq;            // of the next request
    unsigned sndbuf, rcvbuf; // bytes, as the kernel counts them
    uint8_t *slots;          // N_SLOTS of HEAD_SIZE, then as many of SLOT_SIZE; NULL until needed
    struct mmsghdr *mm;      // N_SLOTS
    struct iovec (*iov)[2];
    struct sockaddr_nl *from;
    struct arena arena; // extacks and the reply of nlk_request(), until the next call
};

static unsigned
set_buffer(int fd, int force, int plain, unsigned bytes)
{
    int want = MIN(bytes, INT32_MAX / 2), got = 0;
    socklen_t n = sizeof got;

    if (setsockopt(fd, SOL_SOCKET, force, &want, sizeof want)) {
        setsockopt(fd, SOL_SOCKET, plain, &want, sizeof want);
    }
    return getsockopt(fd, SOL_SOCKET, plain, &got, &n) ? 0 : got;
}

int
nlk_open(enum nlk_proto proto, struct nlk_sock **out)
{
    static const int numbers[] = {[NLK_ROUTE] = NETLINK_ROUTE,
                                  [NLK_GENERIC] = NETLINK_GENERIC,
                                  [NLK_NETFILTER] = NETLINK_NETFILTER};
    static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
    int on = 1;

    *out = NULL;
    struct mnl_socket *mnl = mnl_socket_open2(numbers[proto], SOCK_CLOEXEC);
    if (!mnl) {
        return -errno;
    }
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        mnl_socket_setsockopt(mnl, options[i], &on, sizeof on); // older kernels lack some: fine
    }
    if (mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = -errno;
        mnl_socket_close(mnl);
        return error;
    }
    struct nlk_sock *s = base_calloc(1, sizeof *s);
    s->mnl = mnl;
    s->proto = proto;
    s->seq = 1;
    const int fd = mnl_socket_get_fd(mnl);
    s->rcvbuf = set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, BUFFER_BYTES);
    s->sndbuf = set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, BUFFER_BYTES / 4);
    arena_init(&s->arena, 4096);
    *out = s;
    return 0;
}

void
nlk_close(struct nlk_sock *s)
{
    if (s) {
        mnl_socket_close(s->mnl);
        arena_destroy(&s->arena);
        free(s->slots);
        free(s->mm);
        free(s->iov);
        free(s->from);
        free(s);
    }
}

int
nlk_fd(const struct nlk_sock *s)
{
    return mnl_socket_get_fd(s->mnl);
}

uint32_t
nlk_pid(const struct nlk_sock *s)
{
    return mnl_socket_get_portid(s->mnl);
}

int
nlk_join(struct nlk_sock *s, unsigned group)
{
    return mnl_socket_setsockopt(s->mnl, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0 ? -errno
                                                                                           : 0;
}

int
nlk_set_rcvbuf(struct nlk_sock *s, unsigned bytes)
{
    s->rcvbuf = set_buffer(nlk_fd(s), SO_RCVBUFFORCE, SO_RCVBUF, bytes);
    return s->rcvbuf >= bytes ? 0 : -EPERM;
}

static uint8_t *
head_of(const struct nlk_sock *s, size_t i)
{
    return s->slots + i * HEAD_SIZE;
}

static uint8_t *
slot_of(const struct nlk_sock *s, size_t i)
{
    return s->slots + (size_t) N_SLOTS * HEAD_SIZE + i * SLOT_SIZE;
}

static void
make_slots(struct nlk_sock *s)
{
    s->slots = base_malloc((size_t) N_SLOTS * (HEAD_SIZE + SLOT_SIZE));
    s->mm = base_calloc(N_SLOTS, sizeof *s->mm);
    s->iov = base_calloc(N_SLOTS, sizeof *s->iov);
    s->from = base_calloc(N_SLOTS, sizeof *s->from);
    for (size_t i = 0; i < N_SLOTS; i++) {
        s->iov[i][0] = (struct iovec){head_of(s, i), HEAD_SIZE};
        s->iov[i][1] = (struct iovec){slot_of(s, i) + HEAD_SIZE, SLOT_SIZE - HEAD_SIZE};
        s->mm[i].msg_hdr =
            (struct msghdr){.msg_name = &s->from[i], .msg_iov = s->iov[i], .msg_iovlen = 2};
    }
}

// Fetches up to n datagrams into the slots. Number, or -errno. flags: MSG_WAITFORONE or
// MSG_DONTWAIT.
static int
fetch(struct nlk_sock *s, size_t n, int flags)
{
    if (!s->slots) {
        make_slots(s);
    }
    for (size_t i = 0; i < n; i++) {
        s->mm[i].msg_hdr.msg_namelen = sizeof s->from[i];
    }
    for (;;) {
        int got = recvmmsg(nlk_fd(s), s->mm, n, flags, NULL);
        if (got >= 0) {
            return got;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

// The i-th datagram in one piece.
static void *
whole(struct nlk_sock *s, size_t i)
{
    if (s->mm[i].msg_len <= HEAD_SIZE) {
        return head_of(s, i);
    }
    return memcpy(slot_of(s, i), head_of(s, i), HEAD_SIZE);
}

static int
wait_readable(struct nlk_sock *s)
{
    struct pollfd p = {.fd = nlk_fd(s), .events = POLLIN};
    for (;;) {
        int n = poll(&p, 1, ANSWER_TIMEOUT_MS);
        if (n >= 0) {
            return n ? 0 : -ETIMEDOUT;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

// Messages of the i-th datagram, one after the other: *h starts NULL. Only the kernel's are told,
// and only whole ones.
static bool
next_message(struct nlk_sock *s, size_t i, const struct nlmsghdr **h, int *left)
{
    if (!*h) {
        if (s->from[i].nl_pid || s->mm[i].msg_hdr.msg_flags & MSG_TRUNC) {
            return false;
        }
        *h = whole(s, i);
        *left = (int) s->mm[i].msg_len;
    } else {
        *h = mnl_nlmsg_next(*h, left);
    }
    return mnl_nlmsg_ok(*h, *left);
}

static struct nlk_msg
to_msg(const struct nlmsghdr *h)
{
    return (struct nlk_msg){.type = h->nlmsg_type,
                            .flags = h->nlmsg_flags,
                            .seq = h->nlmsg_seq,
                            .pid = h->nlmsg_pid,
                            .data = (const uint8_t *) h + NLMSG_HDRLEN,
                            .len = h->nlmsg_len - NLMSG_HDRLEN};
}

// The kernel's words in an acknowledgement, kept in the socket's arena; NULL: none.
static const char *
extack_of(struct nlk_sock *s, const struct nlmsghdr *h)
{
    struct nlk_attr attrs[NLMSGERR_ATTR_MAX + 1];
    const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
    size_t at = sizeof *e;

    if (!(h->nlmsg_flags & NLM_F_ACK_TLVS)) {
        return NULL;
    }
    if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof e->msg) {
        at += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof e->msg;
    }
    const size_t len = mnl_nlmsg_get_payload_len(h);
    if (at > len || nlk_parse((const uint8_t *) e + at, len - at, attrs, ARRAY_SIZE(attrs))) {
        return NULL;
    }
    const char *text = nlk_str(&attrs[NLMSGERR_ATTR_MSG]);
    return *text ? arena_strdup(&s->arena, text) : NULL;
}

// --- Transactions. ---

#define UNANSWERED 1 // in nlk_result.error until the acknowledgement came

struct transaction {
    struct nlk_sock *s;
    struct nlk_result *results;
    nlk_reply_cb *cb;
    void *aux;
    uint32_t seq0; // of results[0]
    size_t n;      // messages sent so far
    size_t open;   // of these, not yet answered
    size_t heard;  // all before this one are answered
    bool lost;     // answers overran the receive buffer: those that made it are taken
};

// Requests before the i-th, which were told to answer failures only: they went well, unless their
// answers were lost.
static void
take_silent(struct transaction *t, size_t i)
{
    for (size_t k = t->heard; k < i; k++) {
        if (t->results[k].error == UNANSWERED) {
            t->results[k].error = t->lost ? -ENOBUFS : 0;
            t->open--;
        }
    }
    t->heard = MAX(t->heard, i);
}

static void
take_answer(struct transaction *t, const struct nlmsghdr *h)
{
    const uint32_t i = h->nlmsg_seq - t->seq0;

    if (i >= t->n || h->nlmsg_pid != nlk_pid(t->s)) {
        return; // of an earlier call, or a notification
    }
    if (h->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
        if (mnl_nlmsg_get_payload_len(h) >= sizeof *e && t->results[i].error == UNANSWERED) {
            t->results[i].error = MIN(e->error, 0);
            t->results[i].extack = extack_of(t->s, h);
            t->open--;
            take_silent(t, i);
        }
    } else if (h->nlmsg_type >= NLMSG_MIN_TYPE && t->cb) {
        struct nlk_msg m = to_msg(h);
        t->cb(i, &m, t->aux);
    }
}

static int
take_answers(struct transaction *t)
{
    t->lost = false;
    while (t->open) {
        int got = fetch(t->s, N_SLOTS, MSG_DONTWAIT);
        if (got == -EAGAIN) {
            got = t->lost ? -ENOBUFS : wait_readable(t->s);
        } else if (got == -ENOBUFS && !t->lost) {
            t->lost = true;
            continue;
        }
        if (got < 0) {
            return got;
        }
        for (int i = 0; i < got; i++) {
            int left = 0;
            for (const struct nlmsghdr *h = NULL; next_message(t->s, i, &h, &left);) {
                take_answer(t, h);
            }
        }
    }
    return 0;
}

static int
send_bytes(struct nlk_sock *s, const void *data, size_t len)
{
    for (;;) {
        if (mnl_socket_sendto(s->mnl, data, len) >= 0) {
            return 0;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

// Bytes from `at` whose answers fit the receive buffer: at least one message. *n: messages.
static size_t
piece(struct transaction *t, struct nlk_batch *b, size_t at, size_t *n)
{
    const size_t max_bytes = MIN(t->s->sndbuf / 2, 256 * 1024), budget = t->s->rcvbuf / 2;
    size_t len = 0, cost = 0;

    struct nlmsghdr *last = NULL;
    for (*n = 0; at + len < b->len; (*n)++) {
        struct nlmsghdr *h = (struct nlmsghdr *) (void *) (b->data + at + len);
        const size_t size = NLMSG_ALIGN(h->nlmsg_len);
        cost += t->cb || h->nlmsg_flags & NLM_F_ECHO ? REPLY_COST : ACK_COST;
        if (*n && (len + size > max_bytes || cost > budget)) {
            break;
        }
        h->nlmsg_flags = (uint16_t) (h->nlmsg_flags & ~NLM_F_ACK);
        h->nlmsg_seq = t->seq0 + t->n + *n;
        h->nlmsg_pid = nlk_pid(t->s);
        last = h;
        len += size;
    }
    if (last) {
        last->nlmsg_flags |= NLM_F_ACK;
    }
    return len;
}

// One piece after the other.
static int
transact(struct transaction *t, struct nlk_batch *b)
{
    int error = 0;

    t->seq0 = t->s->seq;
    t->s->seq += b->n;
    for (size_t i = 0; i < b->n; i++) {
        t->results[i] = (struct nlk_result){.error = UNANSWERED};
    }
    for (size_t at = 0, n, len; at < b->len && !error; at += len) {
        len = piece(t, b, at, &n);
        error = send_bytes(t->s, b->data + at, len);
        if (!error) {
            t->n += n;
            t->open += n;
            error = take_answers(t);
        }
    }
    for (size_t i = 0; error && i < b->n; i++) {
        if (t->results[i].error == UNANSWERED) {
            t->results[i].error = error;
        }
    }
    return error;
}

int
nlk_transact(struct nlk_sock *s, struct nlk_batch *b, struct nlk_result results[], nlk_reply_cb *cb,
             void *aux)
{
    struct transaction t = {.s = s, .results = results, .cb = cb, .aux = aux};
    arena_reset(&s->arena);
    return transact(&t, b);
}

struct request {
    struct nlk_sock *s;
    struct nlk_msg *reply;
    bool replied;
};

static void
keep_reply(size_t i, const struct nlk_msg *m, void *aux)
{
    struct request *r = aux;
    if (!r->replied) {
        *r->reply = *m;
        r->reply->data = arena_memdup(&r->s->arena, m->data, m->len);
        r->replied = true;
    }
}

int
nlk_request(struct nlk_sock *s, struct nlk_batch *b, struct nlk_msg *reply, const char **extack)
{
    struct nlk_result result = {0};
    struct request r = {.s = s, .reply = reply};

    if (extack) {
        *extack = NULL;
    }
    if (b->n != 1) {
        return -EINVAL;
    }
    int error = nlk_transact(s, b, &result, reply ? keep_reply : NULL, &r);
    if (extack) {
        *extack = result.extack;
    }
    if (!error) {
        error = result.error;
    }
    return error ? error : reply && !r.replied ? -ENODATA : 0;
}

// --- Dumps. ---

struct dump {
    uint32_t seq;
    bool (*cb)(const struct nlk_msg *, void *aux);
    void *aux;
    bool interrupted, ended, done;
    int error;
};

static void
take_dumped(struct dump *d, const struct nlmsghdr *h)
{
    const struct nlk_msg m = to_msg(h);
    int32_t code = 0;

    d->interrupted |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    if (m.len >= sizeof code) {
        memcpy(&code, m.data, sizeof code);
    }
    switch (m.type) {
    case NLMSG_DONE:
    case NLMSG_ERROR:
        d->done = true;
        d->error = MIN(code, 0);
        break;
    case NLMSG_NOOP:
    case NLMSG_OVERRUN:
        break;
    default:
        d->ended = d->ended || !d->cb(&m, d->aux);
    }
}

int
nlk_dump(struct nlk_sock *s, struct nlk_batch *b, bool (*cb)(const struct nlk_msg *, void *aux),
         void *aux)
{
    struct dump d = {.seq = s->seq++, .cb = cb, .aux = aux};
    struct nlmsghdr *h = (struct nlmsghdr *) (void *) (b->data + b->msg);

    if (b->n != 1) {
        return -EINVAL;
    }
    arena_reset(&s->arena);
    h->nlmsg_flags |= NLM_F_DUMP;
    h->nlmsg_seq = d.seq;
    h->nlmsg_pid = nlk_pid(s);
    int error = send_bytes(s, b->data, b->len);
    while (!error && !d.done) {
        int got = fetch(s, DUMP_SLOTS, MSG_DONTWAIT);
        if (got == -EAGAIN) {
            got = wait_readable(s);
        }
        error = MIN(got, 0);
        for (int i = 0; i < got; i++) {
            int left = 0;
            for (const struct nlmsghdr *m = NULL; next_message(s, i, &m, &left);) {
                if (m->nlmsg_seq == d.seq && m->nlmsg_pid == nlk_pid(s)) {
                    take_dumped(&d, m);
                }
            }
        }
    }
    return error ? error : d.error ? d.error : d.interrupted ? -EINTR : 0;
}

// --- Notifications and upcalls. ---

int
nlk_receive_max(struct nlk_sock *s, size_t max, void (*cb)(const struct nlk_msg *, void *aux),
                void *aux)
{
    int n = 0;

    arena_reset(&s->arena);
    const int got = fetch(s, MIN(max, N_SLOTS), MSG_DONTWAIT);
    if (got < 0) {
        return got;
    }
    for (int i = 0; i < got; i++) {
        int left = 0;
        for (const struct nlmsghdr *h = NULL; next_message(s, i, &h, &left); n++) {
            const struct nlk_msg m = to_msg(h);
            cb(&m, aux);
        }
    }
    return n;
}

int
nlk_receive(struct nlk_sock *s, void (*cb)(const struct nlk_msg *, void *aux), void *aux)
{
    return nlk_receive_max(s, N_SLOTS, cb, aux);
}

// --- Generic netlink's directory. ---

static int
get_family(struct nlk_sock *s, const char *name, struct nlk_attr attrs[CTRL_ATTR_MAX + 1])
{
    struct nlk_batch b;
    struct nlk_msg reply;

    nlk_batch_init(&b);
    struct genlmsghdr *g = nlk_begin(&b, GENL_ID_CTRL, 0, sizeof *g);
    *g = (struct genlmsghdr){.cmd = CTRL_CMD_GETFAMILY, .version = 1};
    nlk_put_str(&b, CTRL_ATTR_FAMILY_NAME, name);
    int error = nlk_request(s, &b, &reply, NULL);
    nlk_batch_free(&b);
    if (!error && reply.len < sizeof *g) {
        error = -EBADMSG;
    }
    return error
               ? error
               : nlk_parse(reply.data + sizeof *g, reply.len - sizeof *g, attrs, CTRL_ATTR_MAX + 1);
}

int
nlk_genl_family(struct nlk_sock *s, const char *name, uint16_t *id)
{
    struct nlk_attr attrs[CTRL_ATTR_MAX + 1];

    int error = get_family(s, name, attrs);
    *id = error ? 0 : nlk_u16(&attrs[CTRL_ATTR_FAMILY_ID]);
    return error ? error : *id ? 0 : -EBADMSG;
}

int
nlk_genl_group(struct nlk_sock *s, const char *family, const char *group, uint32_t *id)
{
    struct nlk_attr attrs[CTRL_ATTR_MAX + 1], g, grp[CTRL_ATTR_MCAST_GRP_MAX + 1];
    size_t pos = 0;

    *id = 0;
    int error = get_family(s, family, attrs);
    if (error) {
        return error;
    }
    const struct nlk_attr *groups = &attrs[CTRL_ATTR_MCAST_GROUPS];
    while (nlk_next(groups->data, groups->len, &pos, &g, NULL)) {
        if (!nlk_parse_nested(&g, grp, ARRAY_SIZE(grp)) &&
            !strcmp(nlk_str(&grp[CTRL_ATTR_MCAST_GRP_NAME]), group)) {
            *id = nlk_u32(&grp[CTRL_ATTR_MCAST_GRP_ID]);
            return 0;
        }
    }
    return -ENOENT;
}
