/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include <partyline/error.h>

#include "sock/tls_openssl.h"

/*
 * What a server makes of a ClientHello: which context and which certificate the client gets, and
 * how long the message may be.
 *
 * The context is chosen as soon as the hello is there, before OpenSSL looks at versions and at a
 * session to resume. In its servername callback, where this is usually done, a session of another
 * context would be resumed already, with all that was (or was not) asked of the client there.
 */

/* OpenSSL takes 128 KiB, from somebody of whom nothing is known yet. Real ones have one or two, and
   some more with a session of a client that has shown a certificate. */
#define HELLO_MAX_BYTES 16384u
#define NAME_MAX_BYTES  255u /* as OpenSSL has it */

/* ---- its length ---- */

/*
 * A client's later messages are short enough or have a limit of their own. A second ClientHello may
 * come behind a ChangeCipherSpec with TLS 1.3; with 1.2 all is encrypted from there on.
 */
static void begin_record(struct party_tls *tls)
{
    struct party__tls_walk *w = &tls->walk;
    w->record_have = 0;
    w->record_left = (uint32_t)w->record[3] << 8 | w->record[4];
    switch (w->record[0]) {
    case SSL3_RT_HANDSHAKE:
    case SSL3_RT_ALERT:
        break;
    case SSL3_RT_CHANGE_CIPHER_SPEC:
        w->over = SSL_version(tls->ssl) == TLS1_2_VERSION;
        break;
    default:
        w->over = true;
        break;
    }
}

/* Looks at a byte. Returns: false when it says that too long a ClientHello comes. */
static bool walk(struct party_tls *tls, unsigned char byte)
{
    struct party__tls_walk *w = &tls->walk;
    if (w->record_left == 0) {
        w->record[w->record_have++] = byte;
        if (w->record_have == sizeof(w->record)) {
            begin_record(tls);
        }
        return true;
    }
    w->record_left--;
    if (w->record[0] != SSL3_RT_HANDSHAKE) {
        return true;
    }
    if (w->message_left > 0) {
        w->message_left--;
        return true;
    }
    w->message[w->message_have++] = byte;
    if (w->message_have < sizeof(w->message)) {
        return true;
    }
    w->message_have = 0;
    w->message_left = (uint32_t)w->message[1] << 16 | (uint32_t)w->message[2] << 8 | w->message[3];
    return w->message[0] != SSL3_MT_CLIENT_HELLO || w->message_left <= HELLO_MAX_BYTES;
}

bool party__tls_hello_fits(struct party_tls *tls, const void *bytes, size_t len)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < len && !tls->walk.over; i++) {
        if (!walk(tls, byte[i])) {
            return false;
        }
    }
    return true;
}

/* ---- the name in it (RFC 6066, 3) ---- */

static size_t number(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

/* Returns: 0, and *ret_len is 0 when there is no name; an alert. */
static int find_name(SSL *ssl, const unsigned char **ret_name, size_t *ret_len)
{
    const unsigned char *list;
    size_t len;
    *ret_len = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &list, &len) != 1) {
        return 0;
    }
    /* The list's length, one type, the name's length, the name. */
    if (len < 5 || number(list) != len - 2 || list[2] != TLSEXT_NAMETYPE_host_name ||
        number(list + 3) != len - 5) {
        return SSL_AD_DECODE_ERROR;
    }
    len -= 5;
    if (len == 0 || len > NAME_MAX_BYTES || memchr(list + 5, '\0', len) != NULL) {
        return SSL_AD_UNRECOGNIZED_NAME;
    }
    *ret_name = list + 5;
    *ret_len = len;
    return 0;
}

/* Keeps the name. A second hello, after a HelloRetryRequest, must have the same: the context was
   chosen by the first. */
static int note_name(struct party_tls *tls, const unsigned char *name, size_t len)
{
    const char *noted = tls->server_hostname;
    if (tls->hello_came) {
        bool same =
            noted != NULL ? strlen(noted) == len && memcmp(noted, name, len) == 0 : len == 0;
        return same ? 0 : SSL_AD_ILLEGAL_PARAMETER;
    }
    if (len > 0) {
        tls->server_hostname = strndup((const char *)name, len);
        if (tls->server_hostname == NULL) {
            tls->own_error = -ENOMEM;
            return SSL_AD_INTERNAL_ERROR;
        }
    }
    return 0;
}

/* ---- what it gets ---- */

static SSL_CTX *ctx_for_name(const struct party_tls_context *context, const char *name)
{
    for (size_t i = 0; name != NULL && i < context->count; i++) {
        X509 *leaf = SSL_CTX_get0_certificate(context->ctxs[i]);
        if (leaf != NULL && X509_check_host(leaf, name, 0, 0, NULL) == 1) {
            return context->ctxs[i];
        }
    }
    return context->ctxs[0];
}

/* SSL_set_SSL_CTX takes over the certificate, the session's context, and what is looked up in the
   SSL_CTX when it is needed (authorities, ALPN). The rest a connection has as a copy of its own. */
static bool take_over(SSL *ssl, const SSL_CTX *ctx)
{
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(ctx), SSL_CTX_get_verify_callback(ctx));
    if (SSL_CTX_get_options(ctx) & SSL_OP_NO_TICKET) {
        SSL_set_options(ssl, SSL_OP_NO_TICKET);
    } else {
        SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    }
    return SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(ctx)) == 1 &&
           SSL_set_min_proto_version(ssl, (int)SSL_CTX_get_min_proto_version((SSL_CTX *)ctx)) == 1;
}

/* Returns: 0; an alert. */
static int ask_hook(struct party_tls *tls)
{
    const struct party_tls_context *context = tls->context;
    struct party_tls_context *chosen = NULL;
    int r = context->sni(tls->server_hostname, context->sni_user, &chosen);
    if (r < 0) {
        /* These two would say that the handshake goes on. */
        tls->own_error = r != -EAGAIN && r != -EINTR ? r : PARTY_ETLS_PROTOCOL;
        return SSL_AD_UNRECOGNIZED_NAME;
    }
    if (chosen == NULL || chosen == context) {
        return 0;
    }
    if (chosen->role != PARTY_TLS_SERVER) {
        return SSL_AD_INTERNAL_ERROR;
    }
    tls->switched = party_tls_context_ref(chosen);
    return 0;
}

/* Returns: 0; an alert. */
static int choose(SSL *ssl, struct party_tls *tls)
{
    int alert = tls->context->sni != NULL ? ask_hook(tls) : 0;
    if (alert != 0) {
        return alert;
    }
    const struct party_tls_context *context = tls->switched != NULL ? tls->switched : tls->context;
    SSL_CTX *ctx = ctx_for_name(context, tls->server_hostname);
    if ((ctx != SSL_get_SSL_CTX(ssl) && SSL_set_SSL_CTX(ssl, ctx) == NULL) ||
        (tls->switched != NULL && !take_over(ssl, ctx))) {
        tls->own_error = -ENOMEM;
        return SSL_AD_INTERNAL_ERROR;
    }
    return 0;
}

int party__tls_on_hello(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    struct party_tls *tls = SSL_get_app_data(ssl);
    const unsigned char *name = NULL;
    size_t len;
    int r = find_name(ssl, &name, &len);
    if (r == 0) {
        r = note_name(tls, name, len);
    }
    if (r == 0 && !tls->hello_came) {
        tls->hello_came = true;
        r = choose(ssl, tls);
    }
    *alert = r;
    return r == 0 ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

int party__tls_on_name(SSL *ssl, int *alert, void *arg)
{
    (void)alert;
    (void)arg;
    const struct party_tls *tls = SSL_get_app_data(ssl);
    return tls->server_hostname != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}
