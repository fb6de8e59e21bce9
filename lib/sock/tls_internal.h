/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_TLS_INTERNAL_H
#define PARTYLINE_SOCK_TLS_INTERNAL_H

#include <partyline/tls.h>

/*
 * TLS without an opinion on where the bytes go: what tls.c (blocking sockets) and the streams of
 * lib/server share. No header of OpenSSL is needed to use it, and a library built without OpenSSL
 * has it too (tls_none.c).
 */

/* Where records come from and go to. */
struct party__tls_io {
    /** Returns: bytes; 0 at the end; -EAGAIN; -EINTR; -errno, which breaks the connection. */
    ssize_t (*recv)(void *user, void *buf, size_t len);
    ssize_t (*send)(void *user, const void *buf, size_t len);
};

/**
 * Makes a connection with no socket; io and user are borrowed for its life. Otherwise as
 * party_tls_wrap_socket.
 */
int party__tls_create(struct party_tls_context *context, const struct party_tls_options *options,
                      const struct party__tls_io *io, void *user, struct party_tls **ret_tls);

/** Frees the connection and says nothing to the peer. NULL is accepted. */
void party__tls_destroy(struct party_tls *tls);

/*
 * One try of each. All return -EAGAIN when io did (party_tls_wants tells the direction), -EINTR
 * when io did; -errno of io; the PARTY_ETLS_ codes; -ENOMEM. The latter three break the connection.
 */

/** Returns: 0 when the handshake is done. */
int party__tls_handshake(struct party_tls *tls);
/** Returns: bytes; 0 after close_notify. */
ssize_t party__tls_read(struct party_tls *tls, void *buf, size_t len);
/** Returns: bytes, which fit one record. */
ssize_t party__tls_write(struct party_tls *tls, const void *buf, size_t len);
/** Sends close_notify. Returns: 0, also when it was sent before. */
int party__tls_end(struct party_tls *tls);

/** What the connection broke with; 0 while it has not. */
int party__tls_error(const struct party_tls *tls);

#endif
