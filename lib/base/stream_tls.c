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

#include "lib/base/log.h"
#include "lib/base/stream_private.h"
#include "lib/base/thread.h"

LOG_MODULE(stream_ssl);

enum setting { KEY, CERT, CA, PEER_CA, PROTOCOLS, CIPHERS, N_SETTINGS };

static struct mutex tls_mutex = MUTEX_INIT;
static char *settings[N_SETTINGS] GUARDED_BY(tls_mutex);
static bool bootstrap GUARDED_BY(tls_mutex);
static SSL_CTX *ctx GUARDED_BY(tls_mutex);
static struct timespec ctx_times[PEER_CA + 1] GUARDED_BY(tls_mutex); // of the files read

static void
drop_ctx(void) REQUIRES(tls_mutex)
{
    SSL_CTX_free(ctx); // connections hold references of their own
    ctx = NULL;
}

void
stream_set_tls(const struct stream_tls *t)
{
    const char *values[N_SETTINGS] = {t->private_key,  t->certificate, t->ca_cert,
                                      t->peer_ca_cert, t->protocols,   t->ciphers};
    mutex_lock(&tls_mutex);
    bool changed = false;
    for (int i = 0; i < N_SETTINGS; i++) {
        const char *old = settings[i] ? settings[i] : "";
        if (values[i] && strcmp(values[i], old)) {
            free(settings[i]);
            settings[i] = *values[i] ? base_strdup(values[i]) : NULL;
            changed = true;
        }
    }
    if (t->ca_cert) {
        changed |= bootstrap != t->bootstrap_ca_cert;
        bootstrap = t->bootstrap_ca_cert;
    }
    if (changed) {
        drop_ctx();
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

static struct timespec
file_time(const char *path)
{
    struct stat st;
    return path && !stat(path, &st) ? st.st_mtim : (struct timespec){0, 0};
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
    if (!list) {
        SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
        return;
    }
    uint64_t off = 0;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        off |= protocols[i].off;
    }
    char *copy = base_strdup(list);
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
    SSL_CTX_set_options(c, off);
    SSL_CTX_set_security_level(c, off & SSL_OP_NO_TLSv1_2 ? 0 : 1);
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
        LOG_ERR("failed to load CA certificates from %s: %s", ca, tls_error());
        return false;
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
        struct timespec t = file_time(settings[i]);
        stale |= memcmp(&t, &ctx_times[i], sizeof t) != 0;
        ctx_times[i] = t;
    }
    if (stale) {
        drop_ctx();
    }
    if (ctx) {
        return true;
    }
    for (int i = 0; i <= CA; i++) {
        if (!settings[i]) {
            LOG_ERR("%s must be configured to use SSL", what[i]);
            return false;
        }
    }
    SSL_CTX *c = SSL_CTX_new(TLS_method());
    if (!c) {
        LOG_ERR("SSL_CTX_new: %s", tls_error());
        return false;
    }
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    // Messages say themselves where they end: a peer that just closes its connection is no error.
    SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
    set_protocols(c, settings[PROTOCOLS]);
    if (SSL_CTX_set_cipher_list(c, settings[CIPHERS] ? settings[CIPHERS] : "HIGH:!aNULL:!MD5") !=
        1) {
        LOG_ERR("SSL_CTX_set_cipher_list: %s", tls_error());
    } else if (SSL_CTX_use_PrivateKey_file(c, settings[KEY], SSL_FILETYPE_PEM) != 1) {
        LOG_ERR("SSL_use_PrivateKey_file: %s: %s", settings[KEY], tls_error());
    } else if (SSL_CTX_use_certificate_chain_file(c, settings[CERT]) != 1) {
        LOG_ERR("SSL_use_certificate_file: %s: %s", settings[CERT], tls_error());
    } else if (SSL_CTX_check_private_key(c) != 1) {
        LOG_ERR("the private key %s does not belong to the certificate %s", settings[KEY],
                settings[CERT]);
    } else if (use_ca(c)) {
        add_peer_ca(c, settings[PEER_CA]);
        ctx = c;
        return true;
    }
    ERR_clear_error();
    SSL_CTX_free(c);
    return false;
}

struct bufferevent *
stream_tls_wrap(struct loop *loop, int fd, bool accept, const char *name)
{
    struct bufferevent *bev = NULL;
    mutex_lock(&tls_mutex);
    SSL *ssl = make_ctx() ? SSL_new(ctx) : NULL;
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
        LOG_WARN("%s: SSL connection cannot be made", name);
    }
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

void
stream_tls_log_error(struct bufferevent *bev, const char *name)
{
    static struct log_limit limit = LOG_LIMIT(10, 25);
    char text[256] = "connection ended during the handshake";
    bool first = true;
    for (unsigned long e; (e = bufferevent_get_openssl_error(bev));) {
        // libevent adds numbers of its own, which belong to no library.
        if (first && ERR_GET_LIB(e) != ERR_LIB_NONE) {
            ERR_error_string_n(e, text, sizeof text);
            first = false;
        }
    }
    LOG_WARN_RL(&limit, "%s: SSL: %s", name, text);
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
