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
    int keylog_fd;        /* -1: none */
    unsigned char id[16]; /* random; sessions are resumed where it is the same */
    bool needs_hostname;
    bool any_hostname;
};

/* Where in the handshake's records the bytes of a client are. */
struct party__tls_walk {
    uint32_t record_left, message_left; /* bytes to come */
    uint8_t record[5], message[4];      /* headers, as far as they came */
    uint8_t record_have, message_have;
    bool over; /* nothing is looked at any more */
};

struct party_tls {
    SSL *ssl;
    struct party_tls_context *context;  /* that it began with; owned */
    struct party_tls_context *switched; /* that the SNI hook chose; owned; NULL: none */
    const struct party__tls_io *io;
    void *io_user;
    struct party_sock *sock; /* owned; NULL when io goes elsewhere */
    char *server_hostname;   /* a server's: what the client gave */
    struct party__tls_walk walk;
    char *text;          /* of error; NULL while there is none */
    int error;           /* that the connection broke with */
    int io_error;        /* of the last call of io */
    int own_error;       /* for which we refused the client's hello; 0 while there is none */
    int send_error;      /* the first of io.send that lasts; 0 while there is none */
    unsigned recv_calls; /* of io, in one try */
    unsigned retry_len;  /* a record was made but not sent: the send is to be repeated */
    short wants;
    bool io_ended;
    bool io_sent; /* the last call of io was one to send */
    bool secure;
    bool end_sent; /* close_notify */
    bool closing;  /* io may not wait any more */
    bool hello_came;
    bool suppress_ragged_eofs;
};

struct party_tls_session {
    SSL_SESSION *session;
    struct party_tls_context *context; /* whose rules its peer has met; owned */
    char *server_hostname;             /* NULL: none */
};

/** The kind of BIO that goes by struct party__tls_io. Returns: NULL without memory. */
BIO_METHOD *party__tls_bio_method(void);

/* tls_hello.c, for servers */

/** Follows a client's bytes. Returns: false when a ClientHello of too many begins. */
bool party__tls_hello_fits(struct party_tls *tls, const void *bytes, size_t len);
/** OpenSSL's callback for a ClientHello: chooses the context. */
int party__tls_on_hello(SSL *ssl, int *alert, void *arg);
/** OpenSSL's servername callback: tells the client whether its name was looked at. */
int party__tls_on_name(SSL *ssl, int *alert, void *arg);

/** Turns what OpenSSL has queued into a code, and empties the queue. ssl may be NULL. ret_text, of
 * text_cap bytes, gets the reason. */
int party__tls_take_error(const SSL *ssl, int fallback, char *ret_text, size_t text_cap);

#endif
