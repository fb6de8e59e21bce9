/* SPDX-License-Identifier: MIT */
#include "sock/tls_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <partyline/error.h>

#include "sock/idna.h"
#include "sock/tls_openssl.h"

/*
 * A connection of OpenSSL over calls of our own (struct party__tls_io).
 *
 * OpenSSL's own socket BIO would raise SIGPIPE and know no streams. Ours keeps the code of a failed
 * call, which OpenSSL would have read from errno, long overwritten.
 *
 * Every call begins with an empty error queue and leaves one. A connection that has broken says so
 * for ever (error): OpenSSL allows nothing after SSL_ERROR_SSL and SSL_ERROR_SYSCALL.
 */

#define RECORD_MAX_BYTES 16384u
#define NAME_MAX_BYTES   253u /* RFC 1035, 2.3.4, as text */
#define TEXT_MAX_BYTES   256u
#define PEER_CHAIN_MAX   32768 /* bytes of a peer's certificates in a handshake */
#define VERIFY_HOST_FLAGS                                                                          \
    (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

/* ---- the BIO ---- */

static int bio_result(BIO *bio, ssize_t n, int retry_flag, size_t *ret_done)
{
    struct party_tls *tls = BIO_get_data(bio);
    tls->io_error = n < 0 ? (int)n : 0;
    BIO_clear_retry_flags(bio);
    if (n == -EAGAIN || n == -EINTR) {
        BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    }
    if (n <= 0) {
        return 0;
    }
    *ret_done = (size_t)n;
    return 1;
}

static int bio_read(BIO *bio, char *buf, size_t len, size_t *ret_done)
{
    struct party_tls *tls = BIO_get_data(bio);
    ssize_t n = tls->io->recv(tls->io_user, buf, len);
    tls->io_ended = n == 0;
    tls->io_sent = false;
    if (n > 0 && !tls->secure && tls->context->role == PARTY_TLS_SERVER &&
        !party__tls_hello_fits(tls, buf, (size_t)n)) {
        n = PARTY_ETLS_PROTOCOL;
    }
    return bio_result(bio, n, BIO_FLAGS_READ, ret_done);
}

static int bio_write(BIO *bio, const char *buf, size_t len, size_t *ret_done)
{
    struct party_tls *tls = BIO_get_data(bio);
    tls->io_sent = true;
    /* OpenSSL goes on when a session ticket could not be sent, so that what a client has said
       before it left can be read. Nothing may follow what was lost. */
    ssize_t n = tls->send_error != 0 ? tls->send_error : tls->io->send(tls->io_user, buf, len);
    if (n < 0 && n != -EAGAIN && n != -EINTR) {
        tls->send_error = (int)n;
    }
    return bio_result(bio, n, BIO_FLAGS_WRITE, ret_done);
}

static long bio_ctrl(BIO *bio, int command, long num, void *ptr)
{
    (void)num;
    (void)ptr;
    const struct party_tls *tls = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF: /* without it OpenSSL does not tell a truncation from a failed call */
        return tls->io_ended;
    default:
        return 0;
    }
}

BIO_METHOD *party__tls_bio_method(void)
{
    /* The number matters to BIO_find_type only, of which there is no use here. */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "partyline");
    if (method == NULL || BIO_meth_set_read_ex(method, bio_read) != 1 ||
        BIO_meth_set_write_ex(method, bio_write) != 1 || BIO_meth_set_ctrl(method, bio_ctrl) != 1) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

/* ---- to make one ---- */

static bool is_ip_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* Whether the name may be asked for: a leading dot would mean all below it to OpenSSL. */
static bool is_host_name(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX_BYTES || name[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (name[i] <= ' ' || name[i] >= 0x7f || (name[i] == '.' && name[i + 1] == '.')) {
            return false;
        }
    }
    return true;
}

/* Keeps the name as it is in certificates: in ASCII, without the root's dot. */
static int keep_hostname(struct party_tls *tls, const char *given)
{
    char ascii[PARTY__IDNA_CAP];
    const char *name;
    int r = party__idna_encode(given, ascii, &name);
    if (r < 0) {
        return r;
    }
    if (!is_host_name(name)) {
        return -EINVAL;
    }
    tls->server_hostname = strdup(name);
    if (tls->server_hostname == NULL) {
        return -ENOMEM;
    }
    size_t len = strlen(name);
    if (name[len - 1] == '.') { /* RFC 6066, 3 */
        tls->server_hostname[len - 1] = '\0';
    }
    return 0;
}

static int set_hostname(struct party_tls *tls, const char *given)
{
    int r = keep_hostname(tls, given);
    if (r < 0) {
        return r;
    }
    const char *name = tls->server_hostname;
    if (is_ip_address(name)) { /* RFC 6066, 3: addresses are not sent */
        if (tls->context->any_hostname) {
            return 0;
        }
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), name) == 1 ? 0 : -ENOMEM;
    }
    SSL_set_hostflags(tls->ssl, VERIFY_HOST_FLAGS);
    if (SSL_set_tlsext_host_name(tls->ssl, name) != 1 ||
        (!tls->context->any_hostname && SSL_set1_host(tls->ssl, name) != 1)) {
        return -ENOMEM;
    }
    return 0;
}

/*
 * A peer that resumes a session shows no certificate, so nothing is verified: it must be a session
 * whose peer has met the same rules for the same name.
 */
static int set_session(struct party_tls *tls, const struct party_tls_session *session)
{
    const char *name = tls->server_hostname, *its = session->server_hostname;
    bool same_name = name != NULL && its != NULL ? strcasecmp(name, its) == 0 : name == its;
    if (session->context != tls->context || !same_name) {
        return -EINVAL;
    }
    return SSL_set_session(tls->ssl, session->session) == 1 ? 0 : -ENOMEM;
}

static int apply_options(struct party_tls *tls, const struct party_tls_options *options)
{
    bool client = tls->context->role == PARTY_TLS_CLIENT;
    const char *name = options != NULL ? options->server_hostname : NULL;
    const struct party_tls_session *session = options != NULL ? options->session : NULL;
    if (client ? name == NULL && tls->context->needs_hostname : name != NULL || session != NULL) {
        return -EINVAL;
    }
    if (options == NULL) {
        return 0;
    }
    tls->suppress_ragged_eofs = options->suppress_ragged_eofs;
    int r = name != NULL ? set_hostname(tls, name) : 0;
    return r == 0 && session != NULL ? set_session(tls, session) : r;
}

static int make_ssl(struct party_tls *tls)
{
    tls->ssl = SSL_new(tls->context->ctxs[0]);
    BIO *bio = tls->ssl != NULL ? BIO_new(tls->context->bio_method) : NULL;
    if (bio == NULL) {
        return -ENOMEM;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    if (SSL_set_app_data(tls->ssl, tls) != 1) {
        return -ENOMEM;
    }
    SSL_set_max_cert_list(tls->ssl, PEER_CHAIN_MAX);
    if (tls->context->role == PARTY_TLS_CLIENT) {
        SSL_set_connect_state(tls->ssl);
    } else {
        SSL_set_accept_state(tls->ssl);
    }
    return 0;
}

int party__tls_create(struct party_tls_context *context, const struct party_tls_options *options,
                      const struct party__tls_io *io, void *user, struct party_tls **ret_tls)
{
    struct party_tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        return -ENOMEM;
    }
    tls->context = party_tls_context_ref(context);
    tls->io = io;
    tls->io_user = user;
    int r = make_ssl(tls);
    if (r == 0) {
        r = apply_options(tls, options);
    }
    ERR_clear_error();
    if (r < 0) {
        party__tls_destroy(tls);
        return r;
    }
    *ret_tls = tls;
    return 0;
}

void party__tls_destroy(struct party_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_free(tls->ssl);
    ERR_clear_error();
    party_tls_context_unref(tls->switched);
    party_tls_context_unref(tls->context);
    free(tls->server_hostname);
    free(tls->text);
    free(tls);
}

/* ---- to use it ---- */

static void begin(struct party_tls *tls)
{
    ERR_clear_error();
    tls->io_error = 0;
    tls->wants = 0;
}

static int break_with(struct party_tls *tls, int error, const char *text)
{
    tls->error = error;
    free(tls->text);
    tls->text = strdup(text); /* without memory the code's own text has to do */
    return error;
}

static int fail(struct party_tls *tls)
{
    char text[TEXT_MAX_BYTES];
    int io_error = tls->io_error;
    /* What OpenSSL has refused it tells the peer; that the peer is gone by then is not the cause.
     */
    bool alert_failed = tls->io_sent && ERR_peek_error() != 0;
    int code = party__tls_take_error(
        tls->ssl, tls->io_ended ? PARTY_ETLS_TRUNCATED : PARTY_ETLS_PROTOCOL, text, sizeof(text));
    if (tls->own_error != 0) {
        code = tls->own_error;
    } else if (io_error != 0 && io_error != -EAGAIN && io_error != -EINTR && !alert_failed) {
        code = io_error;
    } else {
        return break_with(tls, code, text);
    }
    return break_with(tls, code, party_strerror(code));
}

/* What a call of OpenSSL that did not succeed came to. Returns: 0 for the end of the stream. */
static int outcome(struct party_tls *tls, int result)
{
    int io_error = tls->io_error;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_WANT_READ:
        tls->wants = POLLIN;
        return io_error == -EINTR ? -EINTR : -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        tls->wants = POLLOUT;
        return io_error == -EINTR ? -EINTR : -EAGAIN;
    default:
        return fail(tls);
    }
}

int party__tls_handshake(struct party_tls *tls)
{
    if (tls->error != 0 || tls->secure) {
        return tls->error;
    }
    begin(tls);
    int result = SSL_do_handshake(tls->ssl);
    if (result == 1) {
        tls->secure = true;
        return 0;
    }
    int r = outcome(tls, result);
    /* The peer's close_notify within a handshake is no answer to it. */
    return r == 0 ? break_with(tls, PARTY_ETLS_TRUNCATED, "closed within the handshake") : r;
}

ssize_t party__tls_read(struct party_tls *tls, void *buf, size_t len)
{
    if (tls->error != 0) {
        return tls->error;
    }
    begin(tls);
    size_t n = 0;
    int result = SSL_read_ex(tls->ssl, buf, len, &n);
    return result == 1 ? (ssize_t)n : outcome(tls, result);
}

ssize_t party__tls_write(struct party_tls *tls, const void *buf, size_t len)
{
    if (tls->error != 0) {
        return tls->error;
    }
    if (SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN) {
        return -EPIPE; /* begun at least */
    }
    if (len < tls->retry_len) {
        return -EINVAL;
    }
    begin(tls);
    size_t n = 0;
    size_t part = len < RECORD_MAX_BYTES ? len : RECORD_MAX_BYTES;
    int result = SSL_write_ex(tls->ssl, buf, part, &n);
    if (result == 1) {
        tls->retry_len = 0;
        return (ssize_t)n;
    }
    int r = outcome(tls, result);
    if ((r == -EAGAIN || r == -EINTR) && tls->wants == POLLOUT) {
        tls->retry_len = tls->retry_len != 0 ? tls->retry_len : (unsigned)part;
    }
    return r;
}

int party__tls_end(struct party_tls *tls)
{
    if (tls->error != 0) {
        return tls->error;
    }
    if (!tls->secure) {
        return -ENOTCONN;
    }
    if (tls->retry_len != 0) {
        return -EINVAL;
    }
    if (tls->end_sent) {
        return 0; /* OpenSSL would wait for the peer's */
    }
    begin(tls);
    /* In the midst of a message that came after the handshake SSL_shutdown refuses. */
    int result = SSL_in_init(tls->ssl) ? SSL_do_handshake(tls->ssl) : 1;
    result = result == 1 ? SSL_shutdown(tls->ssl) : result;
    if (result < 0) {
        return outcome(tls, result);
    }
    tls->end_sent = true;
    return 0;
}

int party__tls_error(const struct party_tls *tls)
{
    return tls->error;
}
