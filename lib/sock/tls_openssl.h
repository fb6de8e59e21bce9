/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_TLS_OPENSSL_H
#define PARTYLINE_SOCK_TLS_OPENSSL_H

#include <stdatomic.h>

#include <openssl/ssl.h>

#include "sock/tls_internal.h"

/* What contexts and connections are made of, for the files that use OpenSSL. */

struct party_tls_context {
    atomic_uint refs;
    enum party_tls_role role;
    SSL_CTX **ctxs; /* one per keypair, one at least; the first is the default */
    size_t count;
    char **alpn; /* NULL when there is none */
    size_t alpn_count;
    unsigned char *alpn_wire; /* the same, each behind its length: what OpenSSL wants */
    unsigned alpn_wire_len;
    BIO_METHOD *bio_method;
    party_tls_sni_fn sni;
    void *sni_user;
    int keylog_fd; /* -1: none */
    bool needs_hostname;
};

struct party_tls {
    SSL *ssl;
    struct party_tls_context *context;  /* that it began with; owned */
    struct party_tls_context *switched; /* that the SNI hook chose; owned; NULL: none */
    const struct party__tls_io *io;
    void *io_user;
    struct party_sock *sock; /* owned; NULL when io goes elsewhere */
    char *server_hostname;   /* clients */
    char *text;              /* of error; NULL while there is none */
    int error;               /* that the connection broke with */
    int io_error;            /* of the last call of io */
    unsigned retry_len;      /* a record was made but not sent: the send is to be repeated */
    short wants;
    bool io_ended;
    bool secure;
    bool end_sent;  /* close_notify */
    bool closing;   /* io may not wait any more */
    bool no_memory; /* a callback had none */
    bool suppress_ragged_eofs;
};

struct party_tls_session {
    SSL_SESSION *session;
};

/** The kind of BIO that goes by struct party__tls_io. Returns: NULL without memory. */
BIO_METHOD *party__tls_bio_method(void);

/** Turns what OpenSSL has queued into a code, and empties the queue. ssl may be NULL. ret_text, of
 * text_cap bytes, gets the reason. */
int party__tls_take_error(const SSL *ssl, int fallback, char *ret_text, size_t text_cap);

#endif
