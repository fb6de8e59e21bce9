/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_CONNECT_H
#define BIN_CHAT_CONNECT_H

#include <pthread.h>

#include <partyline/api.h>

#include "chat_target.h"

struct party_sock;
struct party_tls;
struct party_tls_context;

/*
 * Makes a connection in a thread of its own, which may have to wait for a name, a host and a TLS
 * handshake. It shares nothing with who asked but a pipe, and may be left behind.
 */

#define CHAT_CONNECT_MS 10000

/* What comes through the pipe; its reader owns what is in it. */
struct chat_outcome {
    int code;                /* 0; a negative code of the library */
    struct party_sock *sock; /* NULL after a failure, and with TLS */
    struct party_tls *tls;   /* NULL after a failure, and without TLS */
    char text[128];          /* after a failure: more for people, or "" */
    pthread_t thread;        /* that made it; chat_connect_take has seen it end */
};

/**
 * Starts to connect. context NULL: without TLS.
 * Returns: a descriptor that can be read when there is an outcome, and ends without one when the
 *   thread could not tell it; a negative code. Owns: the caller the descriptor.
 */
PARTY_MUST_USE int chat_connect_start(const struct chat_target *target,
                                      struct party_tls_context *context);

/** Reads the outcome. Returns: 0; -EINTR: again; -EPIPE: there is none. */
PARTY_MUST_USE int chat_connect_take(int fd, struct chat_outcome *ret_outcome);

#endif
