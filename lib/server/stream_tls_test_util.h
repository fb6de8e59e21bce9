/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SERVER_STREAM_TLS_TEST_UTIL_H
#define PARTYLINE_SERVER_STREAM_TLS_TEST_UTIL_H

#include "sock/tls_test_util.h"

#include <partyline/stream.h>

#include "server/stream_test_util.h"

/*
 * What the tests of streams with TLS share. The peer is a party_tls on the other end of a socket
 * pair, moved by the same thread, or bytes that a test wrote itself.
 */

struct peer {
    struct probe *p;
    struct party_tls *tls; /* NULL while it speaks plain text */
    struct party_sock *sock;
};

static unsigned secured;
static bool secure_in_time;       /* no on_data came before on_secure */
static enum probe_deed on_secure; /* what the callback does */

static inline void probe_on_secure(struct party_stream *stream, void *user)
{
    struct probe *p = user;
    secured++;
    secure_in_time = p->data_calls == 0;
    assert_true(party_tls_is_secure(party_stream_tls(stream)));
    probe_do(p, &on_secure, stream);
}

static char close_text[128];

/* Keeps what TLS says is wrong: it can be asked until on_close has returned. */
static inline void tls_on_close(struct party_stream *stream, int reason, void *user)
{
    if (party_stream_tls(stream) != NULL) {
        (void)snprintf(close_text, sizeof(close_text), "%s",
                       party_tls_error_text(party_stream_tls(stream)));
    }
    probe_on_close(stream, reason, user);
}

static const struct party_stream_ops tls_ops = {
    .on_data = probe_on_data,
    .on_end = probe_on_end,
    .on_close = tls_on_close,
    .on_cut = probe_on_cut,
    .on_secure = probe_on_secure,
};

static struct party_tls_context *server_context, *client_context;

static inline int group_setup(void **state)
{
    int r = test_pki_setup(state);
    if (r == 0) {
        server_context = test_server_context("good");
        client_context = test_client_context("ca");
    }
    return r;
}

static inline int group_teardown(void **state)
{
    party_tls_context_unref(server_context);
    party_tls_context_unref(client_context);
    return test_pki_teardown(state);
}

static inline struct peer open_plain(struct bench *bench, const struct party_stream_limits *limits)
{
    struct peer peer = {.p = probe_open(bench->loop, bench->kind, limits)};
    secured = 0;
    on_secure = DEED_NONE;
    close_text[0] = '\0';
    party_stream_set_user(peer.p->stream, &tls_ops, peer.p);
    assert_result(party_sock_adopt(peer.p->peer, -1, -1, -1, &peer.sock), 0);
    peer.p->peer = -1;
    return peer;
}

static inline void wrap_peer(struct peer *peer, struct party_tls_context *context)
{
    static const struct party_tls_options options = {.server_hostname = "localhost"};
    assert_result(party_tls_wrap_socket(context, peer->sock, &options, &peer->tls), 0);
}

/* A server's stream and a client that has not begun its handshake. */
static inline struct peer open_server(struct bench *bench, const struct party_stream_limits *limits)
{
    struct peer peer = open_plain(bench, limits);
    assert_result(party_stream_start_tls(peer.p->stream, server_context, NULL), 0);
    wrap_peer(&peer, client_context);
    return peer;
}

/* Turns and tries the peer's handshake until it comes to something. */
static inline int peer_handshake(struct peer *peer)
{
    int r = -EAGAIN;
    for (int i = 0; i < 1000 && r == -EAGAIN; i++) {
        r = party_tls_do_handshake(peer->tls);
        run_turn(peer->p->loop);
    }
    return r;
}

static inline struct peer open_secure(struct bench *bench, const struct party_stream_limits *limits)
{
    struct peer peer = open_server(bench, limits);
    assert_result(peer_handshake(&peer), 0);
    await(bench->loop, secured == 1);
    return peer;
}

/* Reads until len bytes are there, the end, or a failure. Returns: as recv_into's last, or len. */
static inline ssize_t peer_recv(struct peer *peer, char *buf, size_t len)
{
    size_t got = 0;
    ssize_t n = 1;
    for (int i = 0; i < 100000 && got < len && (n > 0 || n == -EAGAIN); i++) {
        n = party_tls_recv_into(peer->tls, buf + got, len - got);
        got += n > 0 ? (size_t)n : 0;
        if (n == -EAGAIN) {
            run_turn(peer->p->loop);
        }
    }
    return got == len ? (ssize_t)len : n;
}

static inline void assert_peer_gets(struct peer *peer, const char *text)
{
    char buf[256] = "";
    assert_int_equal(peer_recv(peer, buf, strlen(text)), strlen(text));
    assert_string_equal(buf, text);
}

static inline void peer_free(struct peer *peer)
{
    if (peer->tls) {
        party_tls_close(peer->tls);
    } else {
        (void)party_sock_close(peer->sock);
    }
    probe_free(peer->p);
}

#endif
