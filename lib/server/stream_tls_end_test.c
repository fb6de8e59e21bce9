/* SPDX-License-Identifier: MIT */
#include "server/stream_tls_test_util.h"

/* How streams with TLS end, and peers that are no good. */

/* ---- ends ---- */

static void test_finish_sends_what_waits_and_close_notify(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_secure(bench, NULL);
    static char much[80000], got[80000];
    memset(much, 'z', sizeof(much));
    party_stream_write(peer.p->stream, much, sizeof(much));
    party_stream_finish(peer.p->stream);
    assert_int_equal(peer_recv(&peer, got, sizeof(got)), sizeof(got));
    assert_memory_equal(got, much, sizeof(got));
    assert_int_equal(peer_recv(&peer, got, 1), 0);
    party_tls_close(peer.tls);
    await(bench->loop, peer.p->closes == 1);
    assert_int_equal(peer.p->reason, 0);
    probe_free(peer.p);
}

static void test_finish_within_the_handshake_still_sends(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_server(bench, NULL);
    party_stream_write(peer.p->stream, "bye", 3);
    party_stream_finish(peer.p->stream);
    assert_result(peer_handshake(&peer), 0);
    assert_peer_gets(&peer, "bye");
    char c;
    assert_int_equal(peer_recv(&peer, &c, 1), 0);
    party_tls_close(peer.tls);
    await(bench->loop, peer.p->closes == 1);
    assert_int_equal(peer.p->reason, 0);
    assert_int_equal(secured, 0); /* the stream was on its way out */
    probe_free(peer.p);
}

static void test_peer_end_leaves_our_side_open(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_secure(bench, NULL);
    assert_result(party_tls_send_close_notify(peer.tls), 0);
    await(bench->loop, peer.p->ends == 1);
    party_stream_write(peer.p->stream, "the rest", 8);
    assert_peer_gets(&peer, "the rest");
    peer_free(&peer);
}

static void test_end_without_close_notify_closes_as_truncated(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_secure(bench, NULL);
    assert_result(party_tls_sendall(peer.tls, "half", 4), 0);
    assert_result(party_sock_shutdown(party_tls_sock(peer.tls), SHUT_WR), 0);
    await(bench->loop, peer.p->closes == 1);
    assert_result(peer.p->reason, PARTY_ETLS_TRUNCATED);
    assert_input(peer.p, "half");
    assert_int_equal(peer.p->ends, 0);
    peer_free(&peer);
}

static void test_half_closed_peer_still_gets_what_a_finish_owes(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_secure(bench, NULL);
    static char much[90000], got[90000];
    party_stream_write(peer.p->stream, much, sizeof(much));
    party_stream_finish(peer.p->stream);
    assert_result(party_sock_shutdown(party_tls_sock(peer.tls), SHUT_WR), 0);
    settle_loop(bench->loop);
    assert_int_equal(peer_recv(&peer, got, sizeof(got)), sizeof(got));
    assert_int_equal(peer_recv(&peer, got, 1), 0);
    await(bench->loop, peer.p->closes == 1);
    assert_int_equal(peer.p->reason, 0);
    peer_free(&peer);
}

static void test_reset_is_told(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_plain(bench, NULL);
    assert_result(party_stream_start_tls(peer.p->stream, server_context, NULL), 0);
    assert_result(party_sock_sendall(peer.sock, "\x16\x03\x01", 3, 0), 0);
    settle_loop(bench->loop);
    peer.p->peer = party_sock_detach(peer.sock);
    peer_reset(peer.p);
    await(bench->loop, peer.p->closes == 1);
    assert_result(peer.p->reason, bench->kind == PAIR_TCP ? -ECONNRESET : PARTY_ETLS_TRUNCATED);
    probe_free(peer.p);
}

/* A reset after so many moves of the handshake and beyond it: never a hang, never a second end. */
static void test_reset_at_each_step(void **state)
{
    struct bench *bench = *state;
    static const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    bool secure = false;
    for (int moves = 0; moves < 12; moves++) {
        struct peer peer = open_server(bench, NULL);
        int r = -EAGAIN;
        for (int i = 0; i < moves; i++) {
            r = party_tls_do_handshake(peer.tls);
            if (i % 2 == 1) {
                run_turn(bench->loop);
            }
        }
        if (r == 0) {
            secure = true;
            assert_result(party_tls_sendall(peer.tls, "x", 1), 0);
        }
        int fd = party_sock_fileno(party_tls_sock(peer.tls));
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        party_tls_close(peer.tls);
        await(bench->loop, peer.p->closes == 1 || peer.p->ends == 1);
        if (peer.p->closes == 0) { /* the peer's close_notify was quicker than its reset */
            party_stream_finish(peer.p->stream);
            await(bench->loop, peer.p->closes == 1);
        }
        assert_true(peer.p->reason == 0 || peer.p->reason == -ECONNRESET ||
                    peer.p->reason == -EPIPE || peer.p->reason == PARTY_ETLS_TRUNCATED);
        probe_free(peer.p);
    }
    assert_true(secure);
}

static void test_closing_in_each_callback(void **state)
{
    struct bench *bench = *state;
    for (int when = 0; when < 3; when++) {
        struct peer peer = open_server(bench, NULL);
        on_secure = when == 0 ? DEED_CLOSE : DEED_NONE;
        peer.p->on_data = when == 1 ? DEED_CLOSE : DEED_NONE;
        peer.p->on_end = when == 2 ? DEED_CLOSE : DEED_NONE;
        assert_result(peer_handshake(&peer), 0);
        int r = party_tls_sendall(peer.tls, "x", 1);
        r = r == 0 ? party_tls_send_close_notify(peer.tls) : r;
        assert_true(r == 0 || when == 0); /* closed in on_secure, it is gone already perhaps */
        await(bench->loop, peer.p->closes == 1);
        assert_int_equal(peer.p->reason, 0);
        assert_int_equal(peer.p->data_calls, when > 0);
        peer_free(&peer);
    }
}

/* ---- peers that are no good ---- */

static void test_handshake_that_does_not_come_times_out(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.handshake_timeout_ms = 2000};
    struct peer peer = open_server(bench, &limits);
    bench->clock_ns += 1999 * MS;
    settle_loop(bench->loop);
    assert_int_equal(peer.p->closes, 0);
    bench->clock_ns += 2 * MS;
    await(bench->loop, peer.p->closes == 1);
    assert_result(peer.p->reason, PARTY_ETIMEOUT);
    peer_free(&peer);
}

static void test_plain_text_and_garbage_are_refused(void **state)
{
    struct bench *bench = *state;
    static const char *const words[] = {"GET / HTTP/1.1\r\n\r\n", "hello there, all\n",
                                        "\x16\x03\x01\xff\xff____________________",
                                        "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct peer peer = open_plain(bench, NULL);
        assert_result(party_stream_start_tls(peer.p->stream, server_context, NULL), 0);
        size_t len = i < 3 ? strlen(words[i]) : 10;
        assert_result(party_sock_sendall(peer.sock, words[i], len, 0), 0);
        await(bench->loop, party_stream_is_closing(peer.p->stream));
        /* The peer is told (RFC 8446, 5.1: 21 is an alert, here as text for our eyes). */
        char alert[64] = "";
        ssize_t n = -EAGAIN;
        while (n == -EAGAIN) {
            run_turn(bench->loop);
            n = party_sock_recv_into(peer.sock, alert, sizeof(alert), 0);
        }
        assert_true(n == 0 || alert[0] == 21);
        assert_result(party_sock_sendall(peer.sock, "and more of it", 14, 0), 0);
        settle_loop(bench->loop);
        (void)party_sock_close(peer.sock);
        await(bench->loop, peer.p->closes == 1);
        assert_result(peer.p->reason, PARTY_ETLS_PROTOCOL);
        assert_true(strlen(close_text) > 0);
        assert_int_equal(peer.p->data_calls, 0);
        probe_free(peer.p);
    }
}

static void test_client_that_refuses_our_certificate(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_plain(bench, NULL);
    struct party_tls_context *distrustful = test_client_context("other");
    assert_result(party_stream_start_tls(peer.p->stream, server_context, NULL), 0);
    wrap_peer(&peer, distrustful);
    party_tls_context_unref(distrustful);
    assert_result(peer_handshake(&peer), PARTY_ETLS_CERTIFICATE);
    await(bench->loop, peer.p->closes == 1);
    assert_result(peer.p->reason, PARTY_ETLS_ALERT);
    assert_string_equal(close_text, "unknown CA");
    peer_free(&peer);
}

/* The client's bytes are changed or end at each place in turn: no hang, no crash, no data. */
static void test_handshake_cut_or_bent_at_each_byte(void **state)
{
    struct bench *bench = *state;
    struct party_sock *here, *there;
    char hello[2048];
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &here, &there);
    struct party_tls *tls;
    static const struct party_tls_options options = {.server_hostname = "localhost"};
    assert_result(party_tls_wrap_socket(client_context, here, &options, &tls), 0);
    assert_result(party_tls_do_handshake(tls), -EAGAIN);
    ssize_t len = party_sock_recv_into(there, hello, sizeof(hello), 0);
    assert_true(len > 100);
    for (ssize_t at = 0; at < len; at++) {
        struct peer peer = open_plain(bench, NULL);
        assert_result(party_stream_start_tls(peer.p->stream, server_context, NULL), 0);
        if (at % 2 == 0) {
            assert_result(party_sock_sendall(peer.sock, hello, (size_t)at, 0), 0);
        } else {
            char bent = hello[at];
            hello[at] = (char)~bent;
            assert_result(party_sock_sendall(peer.sock, hello, (size_t)len, 0), 0);
            hello[at] = bent;
        }
        run_turn(bench->loop);
        (void)party_sock_close(peer.sock);
        await(bench->loop, peer.p->closes == 1);
        assert_true(peer.p->reason < 0);
        assert_int_equal(secured, 0);
        probe_free(peer.p);
    }
    party_tls_close(tls);
    (void)party_sock_close(there);
}

static void test_start_tls_refusals(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_plain(bench, NULL);
    struct party_tls_options options = {.server_hostname = "localhost"};
    struct party_stream *stream = peer.p->stream;
    assert_null(party_stream_tls(stream));
    assert_result(party_stream_start_tls(stream, server_context, &options), -EINVAL);
    assert_result(party_stream_start_tls(stream, client_context, NULL), -EINVAL);
    assert_null(party_stream_tls(stream));
    assert_result(party_stream_start_tls(stream, server_context, NULL), 0);
    assert_result(party_stream_start_tls(stream, server_context, NULL), -EALREADY);
    peer_free(&peer);
    peer = open_plain(bench, NULL);
    party_stream_finish(peer.p->stream);
    assert_result(party_stream_start_tls(peer.p->stream, server_context, NULL), -ENOTCONN);
    peer_free(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_finish_sends_what_waits_and_close_notify),
        ON_BOTH(test_finish_within_the_handshake_still_sends),
        ON_BOTH(test_peer_end_leaves_our_side_open),
        ON_BOTH(test_end_without_close_notify_closes_as_truncated),
        ON_BOTH(test_half_closed_peer_still_gets_what_a_finish_owes),
        ON_BOTH(test_reset_is_told),
        ON_BOTH(test_reset_at_each_step),
        ON_BOTH(test_closing_in_each_callback),
        ON_BOTH(test_handshake_that_does_not_come_times_out),
        ON_BOTH(test_plain_text_and_garbage_are_refused),
        ON_BOTH(test_client_that_refuses_our_certificate),
        ON_UNIX(test_handshake_cut_or_bent_at_each_byte),
        ON_BOTH(test_start_tls_refusals),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
