// SPDX-License-Identifier: Apache-2.0
// TLS settings of the process and what happens around a handshake. One SSL_CTX, made when first
// needed and anew after a change of the settings or of the files they name. Only used in the
// threads of loops, under tls_mutex.
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/stream_private.h"
#include "lib/base/thread.h"

LOG_MODULE(stream_ssl);

enum setting { KEY, CERT, CA, PEER_CA, PROTOCOLS, CIPHERS, N_SETTINGS };

static struct mutex tls_mutex = MUTEX_INIT;
static char *settings[N_SETTINGS] GUARDED_BY(tls_mutex);
static bool bootstrap GUARDED_BY(tls_mutex);
static SSL_CTX *ctx GUARDED_BY(tls_mutex);
static char *failure GUARDED_BY(tls_mutex); // why there is no ctx; NULL: none was wanted yet

// What a file was when it was read.
struct file_mark {
    struct timespec changed;
    dev_t dev;
    ino_t ino;
    off_t size;
};
static struct file_mark marks[PEER_CA + 1] GUARDED_BY(tls_mutex);

static bool make_ctx(void) REQUIRES(tls_mutex);
static bool use_algorithms(SSL_CTX *) REQUIRES(tls_mutex);

static void
drop_ctx(void) REQUIRES(tls_mutex)
{
    SSL_CTX_free(ctx); // connections hold references of their own
    ctx = NULL;
    free(failure);
    failure = NULL;
}

// Says at once what cannot work, not when the first peer comes.
static void
check_settings(void) REQUIRES(tls_mutex)
{
    if (settings[KEY] && settings[CERT] && settings[CA]) {
        make_ctx();
    } else if (settings[PROTOCOLS] || settings[CIPHERS]) {
        SSL_CTX *c = SSL_CTX_new(TLS_method());
        if (c) {
            use_algorithms(c);
        }
        SSL_CTX_free(c);
    }
    if (failure) {
        LOG_ERR("%s", failure);
    }
}

void
stream_set_tls(const struct stream_tls *t)
{
    const char *values[N_SETTINGS] = {t->private_key,  t->certificate, t->ca_cert,
                                      t->peer_ca_cert, t->protocols,   t->ciphers};
    mutex_lock(&tls_mutex);
    bool changed = false;
    for (int i = 0; i < N_SETTINGS; i++) {
        if (!values[i]) {
            continue;
        }
        // A daemon may go to another directory later.
        bool path = i <= PEER_CA && strcmp(values[i], "none");
        char *new = !*values[i] ? NULL : path ? dirs_abs(NULL, values[i]) : base_strdup(values[i]);
        if (!new != !settings[i] || (new &&strcmp(new, settings[i]))) {
            free(settings[i]);
            settings[i] = new;
            changed = true;
        } else {
            free(new);
        }
    }
    if (t->ca_cert) {
        changed |= bootstrap != t->bootstrap_ca_cert;
        bootstrap = t->bootstrap_ca_cert;
    }
    if (changed) {
        drop_ctx();
        check_settings();
    }
    mutex_unlock(&tls_mutex);
}

static const char *
tls_error(void)
{
    static _Thread_local char text[256];
    unsigned long e = ERR_get_error();
    if (!e) {
        return "no reason given";
    }
    ERR_error_string_n(e, text, sizeof text);
    ERR_clear_error();
    return text;
}

FB_PRINTF(1, 2)
static bool
fail(const char *fmt, ...) REQUIRES(tls_mutex)
{
    va_list args;
    va_start(args, fmt);
    free(failure);
    failure = NULL;
    if (vasprintf(&failure, fmt, args) < 0) {
        failure = NULL;
    }
    va_end(args);
    return false;
}

static struct file_mark
file_mark(const char *path)
{
    struct file_mark m;
    struct stat st;
    memset(&m, 0, sizeof m);
    if (path && !stat(path, &st)) {
        m.changed = st.st_mtim;
        m.dev = st.st_dev;
        m.ino = st.st_ino;
        m.size = st.st_size;
    }
    return m;
}

static void
set_protocols(SSL_CTX *c, const char *list)
{
    static const struct {
        const char *name;
        uint64_t off;
    } protocols[] = {{"TLSv1", SSL_OP_NO_TLSv1},
                     {"TLSv1.1", SSL_OP_NO_TLSv1_1},
                     {"TLSv1.2", SSL_OP_NO_TLSv1_2},
                     {"TLSv1.3", SSL_OP_NO_TLSv1_3}};
    uint64_t all = 0, off;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        all |= protocols[i].off;
    }
    off = all;
    char *copy = base_strdup(list ? list : "");
    for (char *word, *save = NULL, *p = copy; (word = strtok_r(p, " ,\t", &save)); p = NULL) {
        size_t i = 0;
        while (i < ARRAY_SIZE(protocols) && strcmp(word, protocols[i].name)) {
            i++;
        }
        if (i < ARRAY_SIZE(protocols)) {
            off &= ~protocols[i].off;
        } else {
            LOG_ERR("%s: SSL protocol not recognized", word);
        }
    }
    free(copy);
    if (off == all) { // none named, or none that there is
        SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
        return;
    }
    SSL_CTX_set_options(c, off);
    SSL_CTX_set_security_level(c, off & SSL_OP_NO_TLSv1_2 ? 0 : 1);
}

static bool
use_algorithms(SSL_CTX *c) REQUIRES(tls_mutex)
{
    const char *ciphers = settings[CIPHERS] ? settings[CIPHERS] : "HIGH:!aNULL:!MD5";
    set_protocols(c, settings[PROTOCOLS]);
    return SSL_CTX_set_cipher_list(c, ciphers) == 1 ||
           fail("SSL_CTX_set_cipher_list: %s: %s", ciphers, tls_error());
}

static bool
use_key(SSL_CTX *c) REQUIRES(tls_mutex)
{
    if (SSL_CTX_use_PrivateKey_file(c, settings[KEY], SSL_FILETYPE_PEM) != 1) {
        return fail("SSL_use_PrivateKey_file: %s: %s", settings[KEY], tls_error());
    }
    if (SSL_CTX_use_certificate_chain_file(c, settings[CERT]) != 1) {
        return fail("SSL_use_certificate_file: %s: %s", settings[CERT], tls_error());
    }
    return SSL_CTX_check_private_key(c) == 1 ||
           fail("the private key %s does not belong to the certificate %s", settings[KEY],
                settings[CERT]);
}

static bool
use_ca(SSL_CTX *c) REQUIRES(tls_mutex)
{
    const char *ca = settings[CA];
    if (!strcmp(ca, "none")) {
        LOG_WARN("Peer certificate validation disabled (this is a security risk)");
        SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
        return true;
    }
    if (bootstrap && access(ca, F_OK)) {
        SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL); // stream_tls_check() takes what comes
        return true;
    }
    if (SSL_CTX_load_verify_locations(c, ca, NULL) != 1) {
        return fail("failed to load CA certificates from %s: %s", ca, tls_error());
    }
    SSL_CTX_set_client_CA_list(c, SSL_load_client_CA_file(ca));
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return true;
}

// Certificates that are sent along, for peers that bootstrap.
static void
add_peer_ca(SSL_CTX *c, const char *path)
{
    FILE *f = path ? fopen(path, "re") : NULL;
    if (path && !f) {
        LOG_ERR("failed to open %s: %s", path, base_strerror(errno));
    }
    for (X509 *x; f && (x = PEM_read_X509(f, NULL, NULL, NULL));) {
        if (SSL_CTX_add_extra_chain_cert(c, x) != 1) {
            X509_free(x);
        }
    }
    if (f) {
        fclose(f);
    }
    ERR_clear_error();
}

static bool
make_ctx(void) REQUIRES(tls_mutex)
{
    static const char *const what[] = {"Private key", "Certificate", "CA certificate"};
    bool stale = false;
    for (int i = 0; i <= PEER_CA; i++) {
        struct file_mark m = file_mark(settings[i]);
        stale |= memcmp(&m, &marks[i], sizeof m) != 0;
        marks[i] = m;
    }
    if (stale) {
        drop_ctx();
    }
    if (ctx || failure) {
        return ctx != NULL;
    }
    for (int i = 0; i <= CA; i++) {
        if (!settings[i]) {
            return fail("%s must be configured to use SSL", what[i]);
        }
    }
    SSL_CTX *c = SSL_CTX_new(TLS_method());
    if (!c) {
        return fail("SSL_CTX_new: %s", tls_error());
    }
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    // Messages say themselves where they end: a peer that just closes its connection is no error.
    SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (!use_algorithms(c) || !use_key(c) || !use_ca(c)) {
        SSL_CTX_free(c);
        return false;
    }
    add_peer_ca(c, settings[PEER_CA]);
    ctx = c;
    return true;
}

struct bufferevent *
stream_tls_wrap(struct loop *loop, int fd, bool accept, const char *name)
{
    struct bufferevent *bev = NULL;
    mutex_lock(&tls_mutex);
    SSL *ssl = make_ctx() ? SSL_new(ctx) : NULL;
    char *why = base_strdup(failure ? failure : "out of memory");
    mutex_unlock(&tls_mutex);
    if (ssl) {
        bev = bufferevent_openssl_socket_new(loop_base(loop), fd, ssl,
                                             accept ? BUFFEREVENT_SSL_ACCEPTING
                                                    : BUFFEREVENT_SSL_CONNECTING,
                                             BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        if (!bev) {
            SSL_free(ssl);
        } else {
            bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
        }
    }
    if (!bev) {
        LOG_WARN("%s: SSL connection cannot be made: %s", name, why);
    }
    free(why);
    return bev;
}

static char *
common_name(SSL *ssl)
{
    X509 *x = SSL_get1_peer_certificate(ssl);
    if (!x) {
        return NULL;
    }
    char cn[256];
    int n = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, sizeof cn);
    X509_free(x);
    // A name with a NUL inside could pass for another one.
    return n > 0 && strlen(cn) == (size_t) n ? base_strdup(cn) : NULL;
}

// Writes the certificate authority that the first peer shows; the next connection is verified with
// it.
static int
take_ca(SSL *ssl, const char *name) REQUIRES(tls_mutex)
{
    const char *path = settings[CA];
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int n = chain ? sk_X509_num(chain) : 0;
    X509 *ca = n ? sk_X509_value(chain, n - 1) : NULL;
    if (!ca || X509_NAME_cmp(X509_get_subject_name(ca), X509_get_issuer_name(ca))) {
        LOG_ERR("%s: could not bootstrap CA cert: the peer sent no self-signed certificate", name);
        return -EPROTO;
    }
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        int error = errno;
        LOG_ERR("could not bootstrap CA cert: creating %s failed: %s", path, base_strerror(error));
        if (fd >= 0) {
            close(fd);
        }
        return -error;
    }
    bool ok = PEM_write_X509(f, ca) == 1;
    ok = !fclose(f) && ok;
    if (!ok) {
        LOG_ERR("could not bootstrap CA cert: writing %s failed", path);
        unlink(path);
        return -EIO;
    }
    LOG_INFO("successfully bootstrapped CA cert to %s", path);
    drop_ctx();
    return -EPROTO; // this connection was not verified: come again
}

int
stream_tls_check(struct bufferevent *bev, const char *name, char **peer_id)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bev);
    int error = 0;
    mutex_lock(&tls_mutex);
    if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE && bootstrap && settings[CA] &&
        strcmp(settings[CA], "none")) {
        error = take_ca(ssl, name);
    }
    mutex_unlock(&tls_mutex);
    *peer_id = error ? NULL : common_name(ssl);
    return error;
}

// What OpenSSL's own words leave open, or NULL.
static const char *
explain(unsigned long e, SSL *ssl)
{
    if (ERR_GET_LIB(e) != ERR_LIB_SSL) {
        return NULL;
    }
    switch (ERR_GET_REASON(e)) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return X509_verify_cert_error_string(SSL_get_verify_result(ssl));
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
        return "the peer does not speak TLS here";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return "the peer does not trust our certificate";
    default:
        return NULL;
    }
}

void
stream_tls_log_error(struct bufferevent *bev, const char *name)
{
    static struct log_limit limit = LOG_LIMIT(10, 25);
    char text[256] = "connection ended during the handshake";
    const char *more = NULL;
    bool first = true;
    for (unsigned long e; (e = bufferevent_get_openssl_error(bev));) {
        // libevent adds numbers of its own, which belong to no library.
        if (first && ERR_GET_LIB(e) != ERR_LIB_NONE) {
            ERR_error_string_n(e, text, sizeof text);
            more = explain(e, bufferevent_openssl_get_ssl(bev));
            first = false;
        }
    }
    LOG_WARN_RL(&limit, "%s: SSL: %s%s%s%s", name, text, more ? " (" : "", more ? more : "",
                more ? ")" : "");
}

void
stream_tls_close(struct bufferevent *bev)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bev);
    if (SSL_is_init_finished(ssl)) {
        SSL_shutdown(ssl); // tells the peer; its answer isn't waited for
    }
    ERR_clear_error();
    bufferevent_free(bev);
}
