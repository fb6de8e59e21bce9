/* SPDX-License-Identifier: MIT */
#include <partyline/tls.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/tls_openssl.h"

/* What can be asked of a connection. */

size_t party_tls_pending(const struct party_tls *tls)
{
    PARTY__REQUIRE(0, tls);
    return (size_t)SSL_pending(tls->ssl);
}

short party_tls_wants(const struct party_tls *tls)
{
    PARTY__REQUIRE(0, tls);
    return tls->wants;
}

const char *party_tls_error_text(const struct party_tls *tls)
{
    PARTY__REQUIRE("", tls);
    if (tls->error == 0) {
        return "";
    }
    return tls->text != NULL ? tls->text : party_strerror(tls->error);
}

bool party_tls_is_secure(const struct party_tls *tls)
{
    PARTY__REQUIRE(false, tls);
    return tls->secure;
}

bool party_tls_server_side(const struct party_tls *tls)
{
    PARTY__REQUIRE(false, tls);
    return tls->context->role == PARTY_TLS_SERVER;
}

const char *party_tls_server_hostname(const struct party_tls *tls)
{
    PARTY__REQUIRE(NULL, tls);
    return tls->server_hostname;
}

const char *party_tls_version(const struct party_tls *tls)
{
    PARTY__REQUIRE(NULL, tls);
    return tls->secure ? SSL_get_version(tls->ssl) : NULL;
}

const char *party_tls_cipher(const struct party_tls *tls, int *ret_bits)
{
    PARTY__REQUIRE(NULL, tls);
    const SSL_CIPHER *cipher = tls->secure ? SSL_get_current_cipher(tls->ssl) : NULL;
    if (cipher == NULL) {
        return NULL;
    }
    if (ret_bits != NULL) {
        *ret_bits = SSL_CIPHER_get_bits(cipher, NULL);
    }
    return SSL_CIPHER_get_name(cipher);
}

const char *party_tls_selected_alpn_protocol(const struct party_tls *tls)
{
    PARTY__REQUIRE(NULL, tls);
    const struct party_tls_context *context = tls->switched != NULL ? tls->switched : tls->context;
    const unsigned char *name = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    /* OpenSSL's has no NUL at its end; the context's own is the same name. */
    for (size_t i = 0; i < context->alpn_count; i++) {
        if (strlen(context->alpn[i]) == len && memcmp(context->alpn[i], name, len) == 0) {
            return context->alpn[i];
        }
    }
    return NULL;
}

/* ---- the peer's certificate ---- */

static ssize_t put_text(const char *text, size_t len, void *buf, size_t cap)
{
    if (len < cap) {
        memcpy(buf, text, len);
        ((char *)buf)[len] = '\0';
    }
    return (ssize_t)len;
}

static ssize_t put_der(const X509 *cert, void *buf, size_t cap)
{
    int len = i2d_X509(cert, NULL);
    if (len < 0) {
        return -ENOMEM;
    }
    unsigned char *end = buf;
    if ((size_t)len <= cap && i2d_X509(cert, &end) < 0) {
        return -ENOMEM;
    }
    return len;
}

static ssize_t put_sha256(const X509 *cert, void *buf, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char md[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (X509_digest(cert, EVP_sha256(), md, &len) != 1) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < len; i++) {
        text[2 * i] = digits[md[i] >> 4];
        text[2 * i + 1] = digits[md[i] & 15];
    }
    return put_text(text, 2 * (size_t)len, buf, cap);
}

static ssize_t put_by_bio(X509 *cert, enum party_tls_cert_form form, void *buf, size_t cap)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL) {
        return -ENOMEM;
    }
    int done;
    if (form == PARTY_TLS_CERT_PEM) {
        done = PEM_write_bio_X509(bio, cert) == 1;
    } else { /* an empty subject is written as no bytes, which is no error; a failure is -1 */
        unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
        done = X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, flags) >= 0;
    }
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    ssize_t n = done && len >= 0 ? put_text(text, (size_t)len, buf, cap) : -ENOMEM;
    BIO_free(bio);
    return n;
}

ssize_t party_tls_getpeercert(const struct party_tls *tls, enum party_tls_cert_form form, void *buf,
                              size_t cap)
{
    PARTY__REQUIRE(-EINVAL, tls);
    PARTY__REQUIRE_BYTES(-EINVAL, buf, cap);
    if (!tls->secure) {
        return -ENOTCONN;
    }
    X509 *cert = SSL_get0_peer_certificate(tls->ssl);
    if (cert == NULL) {
        return -ENODATA;
    }
    ssize_t n = -EINVAL;
    switch (form) {
    case PARTY_TLS_CERT_DER:
        n = put_der(cert, buf, cap);
        break;
    case PARTY_TLS_CERT_SHA256:
        n = put_sha256(cert, buf, cap);
        break;
    case PARTY_TLS_CERT_PEM:
    case PARTY_TLS_CERT_SUBJECT:
        n = put_by_bio(cert, form, buf, cap);
        break;
    default:
        break;
    }
    ERR_clear_error();
    return n;
}

/* ---- sessions ---- */

bool party_tls_session_reused(const struct party_tls *tls)
{
    PARTY__REQUIRE(false, tls);
    return SSL_session_reused(tls->ssl) == 1;
}

int party_tls_session(const struct party_tls *tls, struct party_tls_session **ret_session)
{
    PARTY__REQUIRE(-EINVAL, tls, ret_session);
    /* Within the handshake it is not known yet whose session it is. */
    bool has = tls->secure && !party_tls_server_side(tls);
    SSL_SESSION *session = has ? SSL_get1_session(tls->ssl) : NULL;
    if (session == NULL || !SSL_SESSION_is_resumable(session)) {
        SSL_SESSION_free(session);
        return -ENODATA;
    }
    struct party_tls_session *made = calloc(1, sizeof(*made));
    char *name = tls->server_hostname != NULL ? strdup(tls->server_hostname) : NULL;
    if (made == NULL || (name == NULL && tls->server_hostname != NULL)) {
        SSL_SESSION_free(session);
        free(made);
        free(name);
        return -ENOMEM;
    }
    made->session = session;
    made->context = party_tls_context_ref(tls->context);
    made->server_hostname = name;
    *ret_session = made;
    return 0;
}

void party_tls_session_destroy(struct party_tls_session *session)
{
    if (session != NULL) {
        SSL_SESSION_free(session->session);
        party_tls_context_unref(session->context);
        free(session->server_hostname);
        free(session);
    }
}
